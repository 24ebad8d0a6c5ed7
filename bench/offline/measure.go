package offline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/banquet-fs/banquet/bench/proc"
)

// cost is what a process needed.
type cost struct {
	wall         time.Duration
	cpu, pg      float64 // seconds, of the process and of all of PostgreSQL
	peak         float64 // MB
	stdout, last []byte  // last is the last line of stderr
}

// measure runs a process to its end.
func (r *run) measure(ctx context.Context, argv ...string) (c cost, err error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), r.Env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	pg := r.postgresCPU()
	from := time.Now()
	if err := cmd.Start(); err != nil {
		return c, err
	}
	done := make(chan struct{})
	peak := make(chan float64, 1)
	go func() { peak <- watch(cmd.Process.Pid, done) }()
	err = cmd.Wait()
	c.wall = time.Since(from)
	close(done)
	c.peak, c.pg = <-peak, r.postgresCPU()-pg
	c.cpu = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	c.stdout = stdout.Bytes()
	lines := bytes.Split(bytes.TrimSpace(stderr.Bytes()), []byte("\n"))
	c.last = lines[len(lines)-1]
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return c, fmt.Errorf("%w: %s", err, strings.TrimSpace(string(c.last)))
	}
	return c, err
}

func (r *run) postgresCPU() float64 {
	if r.pg == nil {
		return 0
	}
	return proc.CPU(r.pg.cmd.Process.Pid)
}

// watch returns the peak memory of a process that runs until done.
func watch(pid int, done <-chan struct{}) (peak float64) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		peak = max(peak, proc.Peak(pid))
		select {
		case <-done:
			return peak
		case <-tick.C:
		}
	}
}
