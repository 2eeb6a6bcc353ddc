package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// process is a child as the test sees it. It is killed at the latest when its context ends; without the test it finds
// its standard input closed, and ends as well.
type process struct {
	tracked
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
	log bytes.Buffer // complete once the process has ended
}

// start runs a child, and returns once it has tracked its events.
func start(ctx context.Context, j job) (*process, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	work, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.CommandContext(ctx, path)}
	p.cmd.Env = append(os.Environ(), jobVariable+"="+string(work))
	p.cmd.Stderr = &p.log
	in, errIn := p.cmd.StdinPipe()
	out, errOut := p.cmd.StdoutPipe()
	if err := errors.Join(errIn, errOut, p.cmd.Start()); err != nil {
		return nil, fmt.Errorf("start: %w", err)
	}
	p.in, p.out = in, json.NewDecoder(out)
	if err := p.out.Decode(&p.tracked); err != nil {
		return nil, p.broken("track", err)
	}
	return p, nil
}

// close has the child close its client within grace, and end.
func (p *process) close(grace time.Duration) (c closed, err error) {
	if err := json.NewEncoder(p.in).Encode(grace); err != nil {
		return c, p.broken("close", err)
	}
	if err := p.out.Decode(&c); err != nil {
		return c, p.broken("close", err)
	}
	if err := p.cmd.Wait(); err != nil {
		return c, fmt.Errorf("end: %w; it said:\n%s", err, &p.log)
	}
	return c, nil
}

// killed waits for a child that kills itself.
func (p *process) killed() error {
	if err := p.cmd.Wait(); err == nil || p.cmd.ProcessState.Exited() {
		return fmt.Errorf("the child ended with %v, and was to be killed; it said:\n%s", err, &p.log)
	}
	return nil
}

// broken is the error of a child that did not do what the script wants.
func (p *process) broken(what string, err error) error {
	p.cmd.Process.Kill()
	return fmt.Errorf("%s: %w; it said:\n%s", what, errors.Join(err, p.cmd.Wait()), &p.log)
}
