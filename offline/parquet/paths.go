package parquet

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

// path is where the files of a source are: a file, a directory or a pattern.
func (s *Store) path(source *core.DataSource) (string, error) {
	uri := source.GetFileOptions().GetUri()
	if source.GetType() != core.DataSource_BATCH_FILE || uri == "" {
		return "", refuse(source, fault.Invalid, "it is not a file source, and the offline store of this repository reads files; set offline_store.type to the store that holds it")
	}
	path := uri
	if scheme, rest, ok := strings.Cut(uri, "://"); ok {
		if scheme != "file" {
			return "", refuse(source, fault.Unimplemented, "%s:// paths are not supported yet; copy the file to a local path", scheme)
		}
		path = rest
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(s.root, path)
	}
	return path, nil
}

// base is the directory that a source names, or that is before its pattern; empty if it
// names a file.
func (s *Store) base(source *core.DataSource) (string, error) {
	path, err := s.path(source)
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(path); err == nil {
		if info.IsDir() {
			return path, nil
		}
		return "", nil
	}
	if at := strings.IndexAny(path, "*?["); at >= 0 {
		path = path[:at]
	}
	return filepath.Dir(path + "x"), nil
}

// refuse makes a fault about a data source.
func refuse(source *core.DataSource, kind fault.Kind, format string, args ...any) *fault.Error {
	return fault.New(kind, "data source "+source.GetName()+": "+format, args...).About("data source", source.GetName(), source.GetProject())
}

// paths lists the files of a source, sorted.
func (s *Store) paths(source *core.DataSource) ([]string, error) {
	path, err := s.path(source)
	if err != nil {
		return nil, err
	}
	paths, err := expand(path)
	var pattern *fault.Error
	switch {
	case errors.As(err, &pattern):
		return nil, refuse(source, pattern.Kind, "%s", pattern.Text).Because(err)
	case errors.Is(err, fs.ErrNotExist):
		return nil, refuse(source, fault.NotFound, "file %s does not exist", path).Because(err)
	case err != nil:
		return nil, refuse(source, fault.Unavailable, "file %s cannot be read", path).Because(err)
	case len(paths) == 0:
		return nil, refuse(source, fault.NotFound, "%s holds no Parquet or CSV file", path)
	}
	return paths, nil
}

// expand lists the files that a path stands for.
func expand(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		return []string{path}, nil
	}
	if err == nil {
		return walk(path)
	}
	if !strings.ContainsAny(path, "*?[") {
		return nil, err
	}
	matches, globErr := glob(path)
	switch {
	case fault.KindOf(globErr) == fault.Invalid:
		return nil, globErr
	case globErr != nil || len(matches) == 0:
		return nil, err
	}
	var paths []string
	for _, m := range matches {
		more, err := expand(m)
		if err != nil {
			return nil, err
		}
		paths = append(paths, more...)
	}
	slices.Sort(paths)
	return slices.Compact(paths), nil
}

// glob lists what a pattern matches. As for Feast, ** stands for directories of
// any depth, none as well.
func glob(pattern string) ([]string, error) {
	before, behind, deep := strings.Cut(pattern, "/**/")
	if !deep {
		if strings.Contains(pattern, "**") && !strings.HasSuffix(pattern, "/**") {
			return nil, fault.New(fault.Invalid, "in %s ** stands beside other characters; it must be a directory of its own, as in dir/**/*.parquet", pattern)
		}
		return filepath.Glob(pattern) // the files below are found by those who read what matches
	}
	roots := []string{before}
	if strings.ContainsAny(before, `*?[\`) {
		var err error
		if roots, err = glob(before); err != nil {
			return nil, err
		}
	}
	var matches []string
	for _, root := range roots {
		dirs, err := directories(root)
		if err != nil {
			return nil, err
		}
		for _, dir := range dirs {
			more, err := glob(escaped(dir) + "/" + behind)
			if err != nil {
				return nil, err
			}
			matches = append(matches, more...)
		}
	}
	return matches, nil
}

// escaped is a pattern that matches a path only.
func escaped(path string) string {
	return strings.NewReplacer("\\", "\\\\", "*", "\\*", "?", "\\?", "[", "\\[").Replace(path)
}

// directories lists a directory and those below it.
func directories(root string) ([]string, error) {
	var found []string
	info, err := os.Stat(root)
	if err != nil || !info.IsDir() {
		return nil, nil //nolint:nilerr // what is not there matches nothing
	}
	w := walker{show: func(path string, dir bool) error {
		if dir {
			found = append(found, path)
		}
		return nil
	}}
	err = w.visit(root, false)
	return found, err
}

// walk lists the files below a directory that are not empty.
func walk(root string) ([]string, error) {
	var paths []string
	w := walker{show: func(path string, dir bool) error {
		if dir {
			return nil
		}
		info, err := os.Stat(path)
		if err != nil || info.Size() == 0 {
			return err
		}
		paths = append(paths, path)
		return nil
	}}
	err := w.visit(root, false)
	slices.Sort(paths)
	return paths, err
}

// walker visits everything below a directory that is not hidden. It follows links,
// and visits a directory to which two links lead only once.
type walker struct {
	show func(path string, dir bool) error
	all  []fs.FileInfo // the directories so far
	// linked are the directories to which a link led: only they can be reached
	// again without a link.
	linked []fs.FileInfo
}

func (w *walker) visit(dir string, link bool) error {
	own, err := os.Stat(dir)
	if err != nil {
		return err
	}
	before := w.linked
	if link {
		before = w.all
		w.linked = append(w.linked, own)
	}
	if slices.ContainsFunc(before, func(i fs.FileInfo) bool { return os.SameFile(i, own) }) {
		return nil
	}
	w.all = append(w.all, own)
	if err := w.show(dir, true); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || strings.HasPrefix(e.Name(), "_") {
			continue
		}
		path := filepath.Join(dir, e.Name())
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return err
		case info.IsDir():
			err = w.visit(path, e.Type()&fs.ModeSymlink != 0)
		default:
			err = w.show(path, false)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// noPartition is the directory name of rows whose value is null.
const noPartition = "__HIVE_DEFAULT_PARTITION__"

// partitionsOf reads the key=value directories of a path. Null is "".
func partitionsOf(path string) map[string]string {
	found := map[string]string{}
	for dir := range strings.SplitSeq(filepath.ToSlash(filepath.Dir(path)), "/") {
		key, v, ok := strings.Cut(dir, "=")
		if !ok || key == "" {
			continue
		}
		if plain, err := url.PathUnescape(v); err == nil {
			v = plain
		}
		if v == noPartition {
			v = ""
		}
		found[key] = v
	}
	return found
}
