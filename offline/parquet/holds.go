package parquet

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/banquet-fs/banquet/gen/feast/core"
)

// Holds reports whether a file is one that a source reads, or would be if it were there:
// the source's file, one below its directory, or one that its pattern matches.
func (s *Store) Holds(source *core.DataSource, file string) bool {
	path, err := s.path(source)
	if err != nil {
		return false // no file source of this machine
	}
	file, path = resolved(file), filepath.Clean(path)
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return below(file, resolved(path))
	case err == nil:
		other, err := os.Stat(file)
		return err == nil && os.SameFile(info, other)
	case !strings.ContainsAny(path, "*?["):
		return file == resolved(path)
	}
	base, err := s.base(source)
	if err != nil || !below(file, resolved(base)) {
		return false
	}
	rest := path[len(base):]
	for name := file[len(resolved(base)):]; name != "/" && name != "."; name = filepath.Dir(name) { // a pattern may match a directory, too
		if matched, err := filepath.Match(rest, name); matched && err == nil {
			return true
		}
	}
	return strings.Contains(rest, "**") && filepath.Ext(rest) == filepath.Ext(file)
}

// below reports whether a file is in a directory, or in one below it, and not hidden.
func below(file, dir string) bool {
	rest, err := filepath.Rel(dir, file)
	if err != nil || rest == "." {
		return false
	}
	for part := range strings.SplitSeq(filepath.ToSlash(rest), "/") {
		if strings.HasPrefix(part, ".") || strings.HasPrefix(part, "_") { // .. is outside
			return false
		}
	}
	return true
}

// resolved is an absolute path without links, as far as it exists.
func resolved(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if linked, err := filepath.EvalSymlinks(path); err == nil {
		return linked
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		return filepath.Join(dir, filepath.Base(path))
	}
	return path
}
