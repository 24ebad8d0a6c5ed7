// Package file stores a registry in a file, in the format of Feast: one serialized
// feast.core.Registry message.
//
// A write goes to a new file in the same directory, which is then renamed over the
// old one. A reader, and a machine after a crash, therefore see the old or the new
// registry and never a part. Writers of banquet use a lock file. Feast uses no lock,
// so the stored registry is compared again before the rename.
package file

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
)

// Storage keeps a registry in one file.
type Storage struct {
	path string
}

// New makes a Storage of the file at path, which need not exist yet.
func New(path string) *Storage { return &Storage{path: path} }

// Path is the path of the file.
func (s *Storage) Path() string { return s.path }

var _ registry.Storage = (*Storage)(nil)

// readTries is how often Load reads a file that changes while it is read.
const readTries = 5

// Load reads the file. An empty file or an incomplete registry is an error, and Save
// does not overwrite it.
func (s *Storage) Load(ctx context.Context) (*core.Registry, registry.Revision, error) {
	for range readTries {
		if err := ctx.Err(); err != nil {
			return nil, "", fault.Of(err)
		}
		b, before, err := s.read()
		if err != nil {
			return nil, "", err
		}
		after, err := os.Stat(s.path)
		if err != nil || identity(after) != identity(before) {
			continue // another process is writing: the bytes may be a mixture
		}
		reg, err := s.decode(b)
		if err != nil {
			return nil, "", err
		}
		return reg, revision(identity(after), b), nil
	}
	return nil, "", s.fault(fault.Unavailable, "keeps changing while it is read; try again")
}

func (s *Storage) read() ([]byte, fs.FileInfo, error) {
	f, err := os.OpenFile(s.path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe has no end, and perhaps no writer
	if err != nil {
		return nil, nil, s.osFault(err, "read")
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, nil, s.osFault(err, "read")
	case info.IsDir():
		return nil, nil, s.fault(fault.Invalid, "is a directory; registry must name a file")
	case !info.Mode().IsRegular():
		return nil, nil, s.fault(fault.Invalid, "is not a regular file; registry must name one, or one that is to be made")
	}
	b, err := io.ReadAll(f)
	if err != nil {
		return nil, nil, s.osFault(err, "read")
	}
	return b, info, nil
}

// decode decodes the message. A prefix of a registry may be a valid message, too; torn
// detects it.
func (s *Storage) decode(b []byte) (*core.Registry, error) {
	if len(b) == 0 {
		return nil, s.fault(fault.Unavailable, "is empty, and no writer leaves an empty file; restore it, or remove it to start with a new registry")
	}
	reg := new(core.Registry)
	if err := proto.Unmarshal(b, reg); err != nil {
		return nil, s.fault(fault.Unavailable, "is not a registry, or only a part of one; restore it from a backup").Because(err)
	}
	if torn(reg) {
		return nil, s.fault(fault.Unavailable, "is only a part of a registry; restore it from a backup")
	}
	return reg, nil
}

// torn reports whether a registry was truncated between two fields. Writers write
// fields in the order of their numbers, and all of them set the schema version (3),
// the version id (4) and the time (5), which are before everything but entities. The
// last fields of a written registry are projects (17), the version history (18) and
// label views (19). A truncated registry has objects but not their projects.
func torn(reg *core.Registry) bool {
	if reg.GetRegistrySchemaVersion() == "" || reg.GetVersionId() == "" || reg.GetLastUpdated() == nil {
		return true
	}
	if len(reg.GetProjects()) == 0 {
		return len(reg.GetEntities())+len(reg.GetFeatureViews())+len(reg.GetDataSources()) > 0 && len(reg.GetProjectMetadata()) == 0
	}
	return lacksHistory(reg)
}

// lacksHistory reports whether a view has a current version but the registry has no
// version records.
func lacksHistory(reg *core.Registry) bool {
	if reg.GetFeatureViewVersionHistory() != nil {
		return false
	}
	for _, v := range reg.GetFeatureViews() {
		if v.GetMeta().GetCurrentVersionNumber() > 0 {
			return true
		}
	}
	return false
}

// stamp identifies one state of a file without reading it. Symbolic links are
// followed, so that another target is another state.
type stamp struct {
	dev, ino uint64
	size     int64
	modified int64
	changed  int64
}

func identity(info fs.FileInfo) stamp {
	id := stamp{size: info.Size(), modified: info.ModTime().UnixNano()}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		id.dev, id.ino, id.changed = sys.Dev, sys.Ino, sys.Ctim.Nano()
	}
	return id
}

func (i stamp) String() string {
	return fmt.Sprintf("%x.%x.%x.%x.%x", i.dev, i.ino, i.size, i.modified, i.changed)
}

// revision names a state: the file's identity and a hash of its content.
func revision(id stamp, b []byte) registry.Revision {
	return registry.Revision(fmt.Sprintf("%s/%x", id, sha256.Sum256(b)))
}

// Changed compares the file's identity with that of a revision.
func (s *Storage) Changed(_ context.Context, rev registry.Revision) (bool, error) {
	info, err := os.Stat(s.path)
	if err != nil {
		return true, s.osFault(err, "read")
	}
	id, _, _ := strings.Cut(string(rev), "/")
	return id != identity(info).String(), nil
}

func (s *Storage) fault(kind fault.Kind, format string, args ...any) *fault.Error {
	return fault.Registry(kind, "registry file %s %s", s.path, fmt.Sprintf(format, args...)).About("registry", s.path, "")
}

// osFault turns an error of the operating system into a fault.
func (s *Storage) osFault(err error, what string) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s.fault(fault.NotFound, "does not exist; `banquet apply` makes it").Because(err)
	case errors.Is(err, syscall.EROFS):
		return s.fault(fault.Denied, "is on a read-only file system; run apply where it is writable").Because(err)
	case errors.Is(err, fs.ErrPermission):
		return s.fault(fault.Denied, "cannot be %s by this user: no permission", map[string]string{"read": "read", "write": "written"}[what]).Because(err)
	case errors.Is(err, syscall.ENOSPC):
		return s.fault(fault.Unavailable, "cannot be written: no space left on its device").Because(err)
	}
	return s.fault(fault.Unavailable, "cannot be %s", map[string]string{"read": "read", "write": "written"}[what]).Because(err)
}

// maxLinks bounds the symbolic links that target follows, as Linux does.
const maxLinks = 40

// target is the path of the file with symbolic links resolved. A link may point to a
// file that does not exist yet: the registry is then made there.
func (s *Storage) target() (string, error) {
	path, err := filepath.EvalSymlinks(s.path)
	if err == nil {
		return path, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", s.osFault(err, "write")
	}
	path = s.path
	for range maxLinks {
		to, err := os.Readlink(path)
		if err != nil {
			return path, nil //nolint:nilerr // not a link: this is the file
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
	}
	return "", s.fault(fault.Invalid, "is a symbolic link that leads back to itself")
}
