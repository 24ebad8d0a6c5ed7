package spool

import (
	"os"
	"path/filepath"
	"syscall"
)

// unnamed makes a file that never has a name, so that nothing is left of it when the
// process is killed. It fails where the file system or the kernel has no such files.
func unnamed(dir string) (*os.File, error) {
	const tmpfile = 0x400000 | syscall.O_DIRECTORY // O_TMPFILE, which package syscall lacks
	if dir == "" {
		dir = os.TempDir()
	}
	fd, err := syscall.Open(dir, tmpfile|syscall.O_RDWR|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), filepath.Join(dir, "banquet-*.tmp")), nil
}
