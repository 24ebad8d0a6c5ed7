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
	"slices"
	"strings"
	"unicode"

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
	// Passed tell, one line each, what was passed over and where: files that are no
	// Python, calls that are not run, blocks that do not matter to a definition.
	// Objects may be missing only as far as these lines tell.
	Passed []string
	// Notes tell what is read and has no effect: objects that no module binds to a
	// name.
	Notes []string
	// Idle are the files that define nothing.
	Idle []string
	// Twice refuses names that are defined twice, with the place: Feast reads such
	// a repository, but no registry takes both. It is nil when there are none.
	Twice error
}

// Load reads all Python files below root in the order of their paths, as Feast
// does: not __init__.py, nor what .feastignore names, nor what lies in .git,
// virtual environments and caches. Objects are those that a module binds to a
// name, and the data sources of views; each is listed once, whoever imports it.
//
// A file that imports Feast, a module of the repository that does, or a module
// that is not known to make no definitions, is read whole. What cannot be read is
// Invalid, with "file:line:column: message", the line and a caret; a root that
// cannot be read is Unavailable.
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
	return &Repo{Objects: c.objects(), Passed: slices.Concat(r.passed, r.run.Passed()), Notes: r.notes(), Idle: r.idle, Twice: c.twice(r.run.Made())}, nil
}

// reader is the host of the files.
type reader struct {
	tree      *tree
	run       *python.Interpreter
	feast     *feastModules
	collected *collector
	passed    []string
	idle      []string
	defining  map[string]bool // whether a file may define something, by its name
}

func newReader(t *tree, opt Options) *reader {
	r := &reader{tree: t, collected: newCollector(), defining: map[string]bool{}}
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
		r.passed = append(r.passed, f.Name+": no Python that can be read, and it does not mention feast: "+firstLine(err))
		return nil
	}
	if !r.mayDefine(f) {
		r.idle = append(r.idle, f.Name)
		return nil
	}
	m, err := r.run.Load(f, strings.ReplaceAll(strings.TrimSuffix(f.Name, ".py"), "/", "."))
	if err != nil {
		return fault.Of(err)
	}
	if !r.collected.module(m) {
		r.idle = append(r.idle, f.Name)
	}
	return nil
}

// mayDefine reports whether a file has anything to define with: Feast, a module
// of the repository that has, or one of elsewhere that may.
func (r *reader) mayDefine(f *python.File) bool {
	if may, ok := r.defining[f.Name]; ok {
		return may
	}
	r.defining[f.Name] = false // of files that import each other, one tells
	may := slices.ContainsFunc(python.Imports(f), func(name string) bool { return r.mayGive(name, f) })
	r.defining[f.Name] = may
	return may
}

// mayGive reports whether a module that a file imports may give definitions.
func (r *reader) mayGive(name string, f *python.File) bool {
	if isFeast(name) {
		return true
	}
	if found, ok := r.Find(name, f); ok {
		return r.mayDefine(found)
	}
	return !python.DefinesNothing(name) && !strings.HasPrefix(name, ".")
}

func isFeast(module string) bool { return module == "feast" || strings.HasPrefix(module, "feast.") }

// importsDefinitions is mayDefine for a file that cannot be parsed: it looks at
// the lines that hold an import, and for Feast's name anywhere.
func (r *reader) importsDefinitions(f *python.File) bool {
	for line := range strings.Lines(f.Source) {
		words := strings.FieldsFunc(line, func(c rune) bool { return c != '_' && c != '.' && !unicode.IsLetter(c) && !unicode.IsDigit(c) })
		for i, w := range words {
			if isFeast(w) {
				return true
			}
			if (w == "import" || w == "from") && i+1 < len(words) && r.mayGive(words[i+1], f) {
				return true
			}
		}
	}
	return false
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
