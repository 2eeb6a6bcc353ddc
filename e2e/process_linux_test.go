package e2e

import (
	"os/exec"
	"syscall"
)

// endWithTest has the system end the program even if the test binary is killed, or gives up after -timeout.
func endWithTest(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} }
