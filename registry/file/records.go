package file

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/registry"
)

// Records keeps records beside a registry file, each in a file of its own, in the
// directory <registry>.runs. The directory exists as long as there are records.
type Records struct{ dir string }

// Records keeps records beside the registry.
func (s *Storage) Records() *Records { return &Records{s.path + ".runs"} }

var _ registry.Records = (*Records)(nil)

// abandoned is how old a temporary file is that no process writes anymore.
const abandoned = time.Hour

// escapes are the bytes that a file's name cannot contain, and the one that escapes
// them. All other names stay readable.
var (
	escapes   = strings.NewReplacer("%", "%25", "/", "%2F", "\x00", "%00")
	unescapes = strings.NewReplacer("%25", "%", "%2F", "/", "%00", "\x00")
)

// suffix ends the names of records, so that none begins or ends like another file.
const suffix = ".run"

func (r *Records) path(name string) string { return filepath.Join(r.dir, escapes.Replace(name)+suffix) }

// Get returns the data of a name, nil if there is none.
func (r *Records) Get(ctx context.Context, name string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Of(err)
	}
	b, err := os.ReadFile(r.path(name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, r.fault(err, "read")
	case b == nil:
		b = []byte{}
	}
	return b, nil
}

// Put replaces the data of a name.
func (r *Records) Put(ctx context.Context, name string, data []byte) error {
	if err := ctx.Err(); err != nil {
		return fault.Of(err)
	}
	if data == nil {
		return r.remove(name)
	}
	var err error
	for range 3 { // another process may remove the directory when it is empty
		if err = r.put(name, data); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return r.fault(err, "written")
}

func (r *Records) put(name string, data []byte) error {
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return err
	}
	path := r.path(name)
	temp, err := writeTemp(path, data, func() (*os.File, error) { return os.CreateTemp(r.dir, ".record.*.tmp") })
	if err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		_ = os.Remove(temp)
		return err
	}
	if err := syncDir(r.dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil // another process has removed the record, and the directory, since
}

func (r *Records) remove(name string) error {
	err := os.Remove(r.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return r.fault(err, "written")
	}
	if err := syncDir(r.dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return r.fault(err, "written")
	}
	r.tidy()
	return nil
}

// tidy removes temporary files of processes that were killed, and the directory if
// it is empty.
func (r *Records) tidy() {
	entries, _ := os.ReadDir(r.dir) // a courtesy
	for _, e := range entries {
		if info, err := e.Info(); err == nil && strings.HasSuffix(e.Name(), ".tmp") && time.Since(info.ModTime()) > abandoned {
			_ = os.Remove(filepath.Join(r.dir, e.Name()))
		}
	}
	_ = os.Remove(r.dir) // fails unless it is empty
}

// List returns the names that have data and begin with a prefix.
func (r *Records) List(ctx context.Context, prefix string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Of(err)
	}
	entries, err := os.ReadDir(r.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, r.fault(err, "read")
	}
	var names []string
	for _, e := range entries {
		file, isRecord := strings.CutSuffix(e.Name(), suffix)
		if name := unescapes.Replace(file); isRecord && strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// fault says what failed with the records.
func (r *Records) fault(err error, what string) error {
	if err == nil {
		return nil
	}
	kind := fault.Unavailable
	why := "cannot be " + what
	switch {
	case errors.Is(err, syscall.EROFS):
		kind, why = fault.Denied, why+": its file system is read-only"
	case errors.Is(err, fs.ErrPermission):
		kind, why = fault.Denied, why+" by this user: no permission"
	case errors.Is(err, syscall.ENOSPC):
		why += ": no space left on its device"
	case errors.Is(err, syscall.ENAMETOOLONG):
		why += ": the name of a record is too long"
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		why += ": a file is in its place"
	}
	return fault.Registry(kind, "the directory of records %s %s", r.dir, why).About("registry", r.dir, "").Because(err)
}
