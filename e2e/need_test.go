package e2e

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

// patience bounds every wait of these tests: on two busy cores a browser may take seconds, but never this long.
const patience = 30 * time.Second

// need returns the path of a program, or skips the test. On CI everything is installed, so that a missing program there
// is a failure: a test that nobody runs proves nothing.
func need(t *testing.T, name, pkg string) string {
	t.Helper()
	for _, dir := range []string{"", "/usr/local/sbin/", "/usr/sbin/"} { // not everybody's PATH has the servers
		if path, err := exec.LookPath(dir + name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed, and this is CI: apt-get install %s", name, pkg)
	}
	t.Skipf("%s is not installed, so nothing is known about it; apt-get install %s", name, pkg)
	return ""
}

// eventually asks until the answer is yes. It is the only place that sleeps: other programs do not say when they are
// ready.
func eventually(t *testing.T, what string, yes func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !yes(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v in vain: %s", patience, what)
		}
	}
}
