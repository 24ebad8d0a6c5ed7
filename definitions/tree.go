package definitions

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/banquet-fs/banquet/definitions/python"
	"github.com/banquet-fs/banquet/fault"
)

// maxFile bounds the size of a file, in bytes.
const maxFile = 4 << 20

// tree is the directory of a repository. It opens only files below it, even
// through links.
type tree struct {
	dir    string // absolute, without links
	root   *os.Root
	passed []string // broken links
	loaded map[string]*python.File
}

func openTree(dir string) (*tree, error) {
	abs, err := filepath.Abs(dir)
	if err == nil {
		abs, err = filepath.EvalSymlinks(abs)
	}
	if err != nil {
		return nil, unreadable(dir, err)
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, unreadable(dir, err)
	}
	return &tree{dir: abs, root: root, loaded: map[string]*python.File{}}, nil
}

func unreadable(dir string, err error) error {
	return fault.New(fault.Unavailable, "the feature repository %s cannot be read", dir).About("repository", dir, "").Because(err)
}

// unread is the error of a file of the repository.
func unread(path string, err error) error {
	if err == nil {
		return fault.New(fault.Invalid, "%s is not a regular file", path)
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return fault.New(fault.Unavailable, "%s cannot be read: %s", path, err).Because(err)
}

func (t *tree) close() { _ = t.root.Close() } // it was only read

// read returns a file by its path from the root. Each file is read once.
func (t *tree) read(name string) (*python.File, error) {
	name = filepath.Clean(name)
	if f, ok := t.loaded[name]; ok {
		return f, nil
	}
	f, err := t.open(name)
	if err == nil {
		t.loaded[name] = f
	}
	return f, err
}

func (t *tree) open(name string) (*python.File, error) {
	if info, err := t.root.Stat(name); err != nil || !info.Mode().IsRegular() { // opening a pipe would wait
		return nil, unread(filepath.Join(t.dir, name), err)
	}
	f, err := t.root.Open(name)
	if err != nil {
		return nil, unread(filepath.Join(t.dir, name), err)
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, unread(filepath.Join(t.dir, name), err)
	}
	if info.Size() > maxFile {
		return nil, fault.New(fault.Invalid, "%s is larger than %d MiB; a file of definitions is smaller: name it in .feastignore", name, maxFile>>20)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, unread(filepath.Join(t.dir, name), err)
	}
	return &python.File{
		Name: filepath.ToSlash(name), Path: filepath.ToSlash(filepath.Join(t.dir, name)), Source: strings.TrimPrefix(string(b), "\ufeff"),
	}, nil
}

// target is the file behind a name: itself, or the target of a link; "" if there
// is none to read.
func (t *tree) target(name string, kind fs.FileMode) (string, error) {
	switch {
	case kind.IsRegular():
		return name, nil
	case kind&fs.ModeSymlink != 0:
		return t.follow(name)
	}
	t.irregular(name)
	return "", nil
}

// irregular notes a pipe, a socket or a device, which Feast passes over.
func (t *tree) irregular(name string) {
	t.passed = append(t.passed, name+": not a regular file")
}

// files lists the Python files of the repository, in the order of their paths.
func (t *tree) files(ctx context.Context) ([]string, error) {
	ignored, err := t.ignored()
	if err != nil {
		return nil, err
	}
	var paths []string
	err = fs.WalkDir(t.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		err = cmp.Or(err, ctx.Err())
		switch {
		case err != nil && name != ".":
			return unreadable(filepath.Join(t.dir, name), err)
		case err != nil:
			return err
		case d.IsDir():
			if name != "." && (ignores(ignored, name) || t.isEnvironment(name)) {
				return fs.SkipDir
			}
			return nil
		case path.Ext(name) != ".py" || d.Name() == "__init__.py" || ignores(ignored, name):
			return nil
		}
		target, err := t.target(name, d.Type())
		if err == nil && target != "" {
			paths = append(paths, target)
		}
		return err
	})
	if err != nil {
		return nil, located(t.dir, err)
	}
	slices.SortFunc(paths, func(a, b string) int { return slices.Compare(strings.Split(a, "/"), strings.Split(b, "/")) })
	return slices.Compact(paths), nil
}

// isDir reports whether a path is a directory of the repository.
func (t *tree) isDir(name string) bool {
	info, err := t.root.Stat(name)
	return err == nil && info.IsDir()
}

// follow returns the target of a link, by its path from the root: Feast reads it
// under that name. A target outside of the repository is refused, since its
// definitions would be missing; a broken link is passed over.
func (t *tree) follow(name string) (string, error) {
	target, err := filepath.EvalSymlinks(filepath.Join(t.dir, name))
	if err != nil {
		if !strings.HasPrefix(path.Base(name), ".") { // such as lock files of an editor
			t.passed = append(t.passed, name+": a broken link")
		}
		return "", nil // not a file, as in Feast
	}
	info, err := os.Stat(target)
	if err != nil {
		return "", nil //nolint:nilerr // the same
	}
	if !info.Mode().IsRegular() {
		if !info.IsDir() {
			t.irregular(name)
		}
		return "", nil
	}
	below, err := filepath.Rel(t.dir, target)
	if err != nil || !filepath.IsLocal(below) || filepath.Ext(below) != ".py" {
		return "", fault.New(fault.Invalid, "%s is a link to %s, which is not a Python file of the repository; put the file itself there, or name it in .feastignore", name, target)
	}
	return filepath.ToSlash(below), nil
}

// located wraps the error of a walk, unless it is a fault already.
func located(dir string, err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return err
	}
	return unreadable(dir, err)
}

// isEnvironment reports whether a directory is a virtual environment, or part of
// one.
func (t *tree) isEnvironment(name string) bool {
	if path.Base(name) == "site-packages" {
		return true
	}
	_, err := t.root.Stat(path.Join(name, "pyvenv.cfg"))
	return err == nil
}

// ignored reads .feastignore: one pattern per line, # starts a comment. Feast
// adds its own patterns.
func (t *tree) ignored() ([][]string, error) {
	patterns := []string{".git", ".venv", "**/.ipynb_checkpoints", "**/.pytest_cache", "**/__pycache__"}
	text, err := t.patterns(".feastignore")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			patterns = append(patterns, line)
		}
	}
	var split [][]string
	for _, p := range patterns {
		var parts []string
		for part := range strings.SplitSeq(p, "/") {
			if part == "" || part == "." {
				continue
			}
			part = strings.ReplaceAll(part, "[!", "[^")
			if _, err := path.Match(part, ""); err != nil {
				return nil, fault.New(fault.Invalid, ".feastignore holds a malformed pattern: %s", p)
			}
			parts = append(parts, part)
		}
		if len(parts) > 0 {
			split = append(split, parts)
		}
	}
	return split, nil
}

// patterns returns the text of .feastignore; none if there is no such file.
func (t *tree) patterns(name string) (string, error) {
	if _, err := t.root.Stat(name); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	f, err := t.open(name)
	if err != nil {
		return "", err
	}
	return f.Source, nil
}

// ignores reports whether a pattern matches a path or a directory above it.
// Patterns start at the root: ** matches any number of directories.
func ignores(patterns [][]string, name string) bool {
	parts := strings.Split(name, "/")
	for _, p := range patterns {
		for n := 1; n <= len(parts); n++ {
			if matches(p, parts[:n]) {
				return true
			}
		}
	}
	return false
}

func matches(pattern, parts []string) bool {
	if len(pattern) == 0 {
		return len(parts) == 0
	}
	if pattern[0] == "**" {
		for n := 0; n <= len(parts); n++ {
			if matches(pattern[1:], parts[n:]) {
				return true
			}
		}
		return false
	}
	if len(parts) == 0 {
		return false
	}
	ok, err := path.Match(pattern[0], parts[0])
	return err == nil && ok && matches(pattern[1:], parts[1:])
}
