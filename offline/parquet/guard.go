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

// guard is the only place that recovers: arrow-go panics on some damaged files,
// at an index or a slice that the file gave. A user's file must not end the
// process, and must not look empty either.
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

// broken says why reading a file failed: it was canceled, the file cannot be
// read, or its content is damaged. where names the file and, if known, the row
// and column.
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
	case errors.As(err, &path) && errors.As(path.Err, &system): // not a negative offset, which comes from the file's content
		return fault.New(fault.Unavailable, "%s cannot be read: %v", where, system).Because(err)
	}
	return fault.New(fault.Invalid, "%s is damaged, or has an unsupported encoding; write the file again", where).Because(err)
}

// changed distinguishes damage from a file that was cut or rewritten while it
// was read: it returns nil if the file is unchanged.
func changed(f *os.File, path string, was os.FileInfo, cause error) error {
	if now, err := f.Stat(); err == nil && now.Size() == was.Size() && now.ModTime().Equal(was.ModTime()) {
		return nil
	}
	return fault.New(fault.Unavailable, "%s was changed while it was read; run again when nothing writes to it", path).Because(cause)
}
