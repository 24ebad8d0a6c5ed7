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

// paths lists the files of a source, sorted.
func (s *Store) paths(source *core.DataSource) ([]string, error) {
	uri := source.GetFileOptions().GetUri()
	refuse := func(kind fault.Kind, format string, args ...any) *fault.Error {
		return fault.New(kind, "data source "+source.GetName()+": "+format, args...).About("data source", source.GetName(), source.GetProject())
	}
	if source.GetType() != core.DataSource_BATCH_FILE || uri == "" {
		return nil, refuse(fault.Invalid, "it is no file, and the offline store of this repository reads files; set offline_store.type to where it lies")
	}
	path := uri
	if scheme, rest, ok := strings.Cut(uri, "://"); ok {
		if scheme != "file" {
			return nil, refuse(fault.Unimplemented, "%s:// paths are not read yet; copy the file to a local path", scheme)
		}
		path = rest
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(s.root, path)
	}
	paths, err := expand(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, refuse(fault.NotFound, "file %s does not exist", path).Because(err)
	case err != nil:
		return nil, refuse(fault.Unavailable, "file %s cannot be read", path).Because(err)
	case len(paths) == 0:
		return nil, refuse(fault.NotFound, "%s holds no Parquet or CSV file", path)
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
	matches, globErr := filepath.Glob(path)
	if globErr != nil || len(matches) == 0 {
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

func walk(root string) ([]string, error) {
	var paths []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_")
		switch {
		case d.IsDir() && hidden && path != root:
			return filepath.SkipDir
		case d.IsDir() || hidden:
			return nil
		}
		info, err := os.Stat(path)
		if err != nil || info.Size() == 0 {
			return err
		}
		paths = append(paths, path)
		return nil
	})
	slices.Sort(paths)
	return paths, err
}

// noPartition is the directory of rows that have null.
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
