package file

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
)

// Save writes next in the place of base. Links are kept and what they lead to
// is replaced; mode and owner stay as they were.
func (s *Storage) Save(ctx context.Context, next *core.Registry, base registry.Revision) (registry.Revision, error) {
	if err := ctx.Err(); err != nil {
		return "", fault.Of(err)
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(next)
	if err != nil {
		return "", fault.New(fault.Internal, "the registry cannot be serialized").Because(err)
	}
	path, err := s.target()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", s.osFault(err, "write")
	}
	unlock, err := s.lock(ctx, path)
	if err != nil {
		return "", err
	}
	defer unlock()
	if err := s.expect(base); err != nil {
		return "", err
	}
	if err := s.replace(path, b); err != nil {
		return "", err
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", s.osFault(err, "read")
	}
	return revision(identity(info), b), nil
}

// expect makes sure that what is stored is still what was loaded.
func (s *Storage) expect(base registry.Revision) error {
	b, info, err := s.read()
	switch {
	case fault.KindOf(err) == fault.NotFound && err != nil:
		if base != "" {
			return registry.ErrConflict
		}
		return nil
	case err != nil:
		return err
	case base == "" || hash(revision(identity(info), b)) != hash(base):
		return registry.ErrConflict
	}
	return nil
}

func hash(rev registry.Revision) string {
	_, h, _ := bytes.Cut([]byte(rev), []byte("/"))
	return string(h)
}

// How long a writer waits for another one, and how long between two looks.
const (
	lockWait  = 30 * time.Second
	lockPause = 10 * time.Millisecond
)

// lock keeps other writers of banquet out. The lock file lies beside the
// registry and stays there: removing it would let two writers in. It waits for a
// writer that is at work, but not for ever, and not when the caller has gone.
func (s *Storage) lock(ctx context.Context, path string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, s.osFault(err, "write")
	}
	tick := time.NewTicker(lockPause)
	defer tick.Stop()
	for until := time.Now().Add(lockWait); ; {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return func() { _ = f.Close() }, nil
		case !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR):
			_ = f.Close()
			return nil, s.osFault(err, "write")
		case time.Now().After(until):
			_ = f.Close()
			return nil, s.fault(fault.Unavailable, "is kept locked by another process for %s; end that one, or try again", lockWait)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			_ = f.Close()
			return nil, fault.Of(ctx.Err())
		}
	}
}

// replace puts b in the place of the file: by a rename where that can be, else
// in place.
func (s *Storage) replace(path string, b []byte) error {
	temp, err := writeTemp(path, b)
	if err == nil {
		err = os.Rename(temp, path)
		if err == nil {
			return syncDir(filepath.Dir(path))
		}
		_ = os.Remove(temp)
	}
	// A file that is mounted alone cannot be renamed over, and a directory may
	// be closed while the file in it is open.
	if errors.Is(err, syscall.EBUSY) || errors.Is(err, syscall.EXDEV) || errors.Is(err, fs.ErrPermission) {
		if werr := overwrite(path, b); werr == nil {
			return nil
		}
	}
	return s.osFault(err, "write")
}

// writeTemp writes b to a new file beside path, down to the disk.
func writeTemp(path string, b []byte) (name string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
		if sys, ok := info.Sys().(*syscall.Stat_t); ok {
			_ = f.Chown(int(sys.Uid), int(sys.Gid)) // only root may give a file away
		}
	}
	if err := f.Chmod(mode); err != nil {
		return "", err
	}
	if _, err := f.Write(b); err != nil {
		return "", err
	}
	if err := f.Sync(); err != nil {
		return "", err
	}
	return f.Name(), f.Close()
}

func overwrite(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteAt(b, 0); err != nil {
		return err
	}
	if err := f.Truncate(int64(len(b))); err != nil {
		return err
	}
	return f.Sync()
}

// syncDir makes a rename last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
