// Package definitions reads the Python files of a feature repository, without
// Python, into the registry objects that they define.
//
// What comes out is what Feast's own classes serialize, before its inference
// from data sources: views that list no schema have no features yet, and no
// object has times or a project. Functions of on-demand, batch and stream
// feature views are kept as source text. The pickle that Feast stores beside the
// text stays empty here; an apply keeps the one that the registry has as long as
// the text is the same.
//
// Files are evaluated by package python: nothing is run, opened or fetched.
package definitions

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/banquet-fs/banquet/definitions/python"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/registry"
)

// Options say how a repository is read.
type Options struct {
	// Project is the project of feature_store.yaml: a Project object of the
	// repository must have the same name. Empty takes any.
	Project string
	// Env looks up the environment variables that files read; nil knows none.
	Env func(string) (string, bool)
}

// Repo is a feature repository that has been read.
type Repo struct {
	Objects registry.Objects
	// Notes tell, one line each, what was passed over and where: files that define
	// nothing, blocks that do not matter to a definition, objects that no module
	// binds to a name.
	Notes []string
}

// Load reads all Python files below root in the order of their paths, as Feast
// does: not __init__.py, nor what .feastignore names, nor what lies in .git,
// virtual environments and caches. Objects are those that a module binds to a
// name, and the data sources of views; each is listed once, whoever imports it.
//
// A file that defines nothing cannot stop the others: what is wrong with it is a
// note. Other faults are Invalid, with "file:line:column: message", the line and
// a caret; a root that cannot be read is Unavailable.
func Load(ctx context.Context, root string, opt Options) (*Repo, error) {
	if opt.Env == nil {
		opt.Env = func(string) (string, bool) { return "", false }
	}
	tree, err := openTree(root)
	if err != nil {
		return nil, err
	}
	defer tree.close()
	paths, err := tree.files()
	if err != nil {
		return nil, err
	}
	r := newReader(tree, opt)
	for _, path := range paths {
		if err := ctx.Err(); err != nil {
			return nil, fault.Of(err)
		}
		if err := r.load(path); err != nil {
			return nil, err
		}
	}
	if err := r.run.Finish(); err != nil {
		return nil, fault.Of(err)
	}
	c := r.collected
	if err := c.check(opt.Project); err != nil {
		return nil, err
	}
	return &Repo{Objects: c.objects(), Notes: r.allNotes()}, nil
}

// reader is the host of the files.
type reader struct {
	tree      *tree
	run       *python.Interpreter
	feast     *feastModules
	collected *collector
	notes     []string
}

func newReader(t *tree, opt Options) *reader {
	r := &reader{tree: t, collected: newCollector()}
	r.feast = newFeastModules()
	r.run = python.New(r, t.dir, opt.Env)
	return r
}

// Module gives Feast's modules.
func (r *reader) Module(name string) (*python.Module, bool) { return r.feast.module(name) }

// Find gives the file of a module: relative to the importing file for a
// leading dot, else below the root or beside the importing file.
func (r *reader) Find(name string, from *python.File) (*python.File, bool) {
	rest := strings.TrimLeft(name, ".")
	dots := len(name) - len(rest)
	here := filepath.Dir(filepath.FromSlash(from.Name))
	if dots > 0 {
		dir := here
		for range dots - 1 {
			if dir == "." {
				return nil, false
			}
			dir = filepath.Dir(dir)
		}
		return r.moduleIn(dir, rest)
	}
	parts := strings.Split(rest, ".")
	for _, dir := range []string{".", here} {
		if f, ok := r.moduleIn(dir, rest); ok {
			return f, true
		}
	}
	// The repository imported by its own path: from feature_repo.views import x.
	for n := 1; n < len(parts); n++ {
		if !strings.HasSuffix(r.tree.dir, "/"+strings.Join(parts[:n], "/")) {
			continue
		}
		if f, ok := r.moduleIn(".", strings.Join(parts[n:], ".")); ok {
			return f, true
		}
	}
	return nil, false
}

// moduleIn finds a module by its path from a directory.
func (r *reader) moduleIn(dir, dotted string) (*python.File, bool) {
	base := filepath.Join(dir, filepath.FromSlash(strings.ReplaceAll(dotted, ".", "/")))
	candidates := []string{filepath.Join(base, "__init__.py")}
	if dotted != "" {
		candidates = append([]string{base + ".py"}, candidates...)
	}
	for _, path := range candidates {
		if f, err := r.tree.read(path); err == nil {
			return f, true
		}
	}
	return nil, false
}

// load reads one file and collects what it defines.
func (r *reader) load(path string) error {
	f, err := r.tree.read(path)
	if err != nil {
		return err
	}
	if err := python.Check(f); err != nil {
		if r.importsDefinitions(f) {
			return err
		}
		r.note("%s: passed over, it defines nothing and is no Python that can be read: %s", f.Name, firstLine(err))
		return nil
	}
	if !r.mayDefine(f) {
		r.note("%s: defines nothing", f.Name)
		return nil
	}
	before := len(r.run.Made())
	m, err := r.run.Load(f, strings.ReplaceAll(strings.TrimSuffix(f.Name, ".py"), "/", "."))
	if err != nil {
		if len(r.run.Made()) > before || r.run.Defines(f, m) {
			return fault.Of(err)
		}
		r.note("%s: passed over, it defines nothing and cannot be read: %s", f.Name, firstLine(err))
		return nil
	}
	if !r.collected.module(m) {
		r.note("%s: defines nothing", f.Name)
	}
	return nil
}

// mayDefine reports whether a file imports Feast or a file of the repository:
// others have nothing to define with.
func (r *reader) mayDefine(f *python.File) bool {
	for _, name := range python.Imports(f) {
		if name == "feast" || strings.HasPrefix(name, "feast.") {
			return true
		}
		if _, ok := r.Find(name, f); ok {
			return true
		}
	}
	return false
}

// importsDefinitions is mayDefine for a file that cannot be parsed: it looks at
// the lines that begin with an import.
func (r *reader) importsDefinitions(f *python.File) bool {
	for line := range strings.Lines(f.Source) {
		words := strings.Fields(strings.ReplaceAll(line, ",", " , "))
		if len(words) < 2 || words[0] != "import" && words[0] != "from" {
			continue
		}
		name := words[1]
		if name == "feast" || strings.HasPrefix(name, "feast.") {
			return true
		}
		if _, ok := r.Find(name, f); ok {
			return true
		}
	}
	return false
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
