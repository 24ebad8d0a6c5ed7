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

// Save replaces base by next. A symbolic link is kept and its target is replaced;
// mode and owner stay the same.
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

// expect checks that base is still stored.
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

// How long a writer waits for the lock, and the time between two attempts.
const (
	lockWait  = 30 * time.Second
	lockPause = 10 * time.Millisecond
)

// lock locks the registry against other writers of banquet. The lock file is in the
// same directory and stays there: if it were removed, two writers could hold a lock.
// lock waits for another writer until lockWait or until ctx is done.
func (s *Storage) lock(ctx context.Context, path string) (unlock func(), err error) {
	f, err := openLock(path)
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
			return nil, s.fault(fault.Unavailable, "has been locked by another process for %s; end that process, or try again", lockWait)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			_ = f.Close()
			return nil, fault.Of(ctx.Err())
		}
	}
}

// openLock opens the file to lock. A lock file that another user has made need not be
// writable. In a directory without one, where this user may not make it, it is the
// registry itself, which is then overwritten in place.
func openLock(path string) (*os.File, error) {
	name := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".lock")
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
	if !denied(err) {
		return f, err
	}
	if f, err := os.Open(name); err == nil {
		return f, nil
	}
	if f, err := os.OpenFile(path, os.O_RDWR, 0); err == nil {
		return f, nil
	}
	return nil, err
}

func denied(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
}

// Writable asks the operating system whether Save could replace the file, or overwrite
// it.
func (s *Storage) Writable(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fault.Of(err)
	}
	path, err := s.target()
	if err != nil {
		return err
	}
	const write, enter = 2, 1 // W_OK, X_OK
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		err := syscall.Access(dir, write|enter)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir):
			continue // Save makes the directory
		case syscall.Access(path, write) == nil:
			return nil
		}
		return s.osFault(err, "write")
	}
}

// replace replaces the file's content by b: by a rename if possible, else in place.
func (s *Storage) replace(path string, b []byte) error {
	// The name is always the same, so that a writer that is killed leaves one file at
	// most, until the next Save. Nobody else writes it: this one has the lock.
	temp, err := writeTemp(path, b, func() (*os.File, error) {
		name := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".tmp")
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	})
	if err == nil {
		err = os.Rename(temp, path)
		if err == nil {
			return syncDir(filepath.Dir(path))
		}
		_ = os.Remove(temp)
	}
	// A rename cannot replace a file that is a mount point, and the directory may be
	// read-only while the file is writable.
	if errors.Is(err, syscall.EBUSY) || errors.Is(err, syscall.EXDEV) || denied(err) {
		if werr := overwrite(path, b); werr == nil {
			return nil
		}
	}
	return s.osFault(err, "write")
}

// writeTemp writes b to a new file, which gets the rights of path, and syncs it.
func writeTemp(path string, b []byte, create func() (*os.File, error)) (name string, err error) {
	f, err := create()
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
			_ = f.Chown(int(sys.Uid), int(sys.Gid)) // only root may change the owner
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

// syncDir makes a rename durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
