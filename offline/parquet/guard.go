package parquet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/banquet-fs/banquet/fault"
)

// guard is the one place that recovers: arrow-go answers some damaged files with
// a panic, in an index or a slice that the file gave. A file that somebody hands
// us must not end the process, and must not look empty either.
func guard(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = damage{fmt.Errorf("panic: %v", r)}
		}
	}()
	return f()
}

// damage is an error that lies in the bytes of a file, whatever it wraps.
type damage struct{ error }

func (d damage) Unwrap() error { return d.error }

// broken says why a file ends a run: it was canceled, it cannot be read, or what
// it holds is damaged. where names the file and, if known, the row and column.
func broken(where string, err error) error {
	var f *fault.Error
	var in damage
	var path *fs.PathError
	var system syscall.Errno
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fault.Of(err)
	case errors.As(err, &in):
	case errors.As(err, &path) && errors.As(path.Err, &system): // not a place before the first byte, which the file says
		return fault.New(fault.Unavailable, "%s cannot be read: %v", where, system).Because(err)
	}
	return fault.New(fault.Invalid, "%s is damaged, or encoded in a way that is not read; write the file again", where).Because(err)
}

// changed tells the damage of a file from its being cut or written again while
// it was read: nil if it is the file that it was.
func changed(f *os.File, path string, was os.FileInfo, cause error) error {
	if now, err := f.Stat(); err == nil && now.Size() == was.Size() && now.ModTime().Equal(was.ModTime()) {
		return nil
	}
	return fault.New(fault.Unavailable, "%s was changed while it was read; run it again when nobody writes it", path).Because(cause)
}
