//go:build unix

package feastpy

import (
	"os/exec"
	"syscall"
)

// ownGroup makes the end of the context kill all processes that the process
// started.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
