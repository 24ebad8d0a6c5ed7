// Package definitions reads the Python files of a feature repository, without
// Python, into the registry objects that they define.
//
// The result equals what Feast's own classes serialize, before its inference from
// data sources: views without a schema have no features yet, and no object has
// times or a project. Functions of on-demand, batch and stream feature views are
// kept as source text. The pickle that Feast stores beside the text is empty in
// the objects. An apply keeps the registry's pickle while the text is unchanged;
// otherwise it uses a substitute (Pickles), or refuses the view if there is none
// (Unreadable).
//
// Package python evaluates the files: no program is run and nothing is fetched.
// Files can read only what is in the repository.
package definitions

import (
	"context"
	"errors"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/banquet-fs/banquet/definitions/library"
	"github.com/banquet-fs/banquet/definitions/python"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/registry"
)

// Options configure how a repository is read.
type Options struct {
	// Project is the project of feature_store.yaml: a Project object of the
	// repository must have the same name. Empty accepts any name.
	Project string
	// Env looks up the environment variables that files read; nil means that none is
	// set.
	Env func(string) (string, bool)
}

// Repo is a feature repository that has been read.
type Repo struct {
	Objects registry.Objects
	// Passed lists, one line each, what was passed over and where: files that are not
	// Python, calls that are not run, blocks that do not affect a definition. Objects
	// can be missing only because of these.
	Passed []string
	// Notes list what is read but has no effect: objects that no module binds to a
	// name.
	Notes []string
	// Idle are the files that define nothing.
	Idle []string
	// Twice is an error for names that are defined twice, with the place: Feast reads
	// such a repository, but a registry cannot hold both. It is nil if there are
	// none.
	Twice error
	// Places are the places of views with expressions and, as view:feature, of their
	// expressions: file:line.
	Places map[string]string
}

// Load reads all Python files below root in the order of their paths, as Feast
// does. It skips __init__.py, the files that .feastignore names, and files in
// .git, virtual environments and caches. Objects are those that a module binds to
// a name, and the data sources of views; each is listed once, whatever imports
// it.
//
// A file is read completely if it imports Feast, a module of the repository that
// does, or a module that is not known to define nothing. What cannot be read is
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
	paths, err := tree.files(ctx)
	if err != nil {
		return nil, ended(ctx, err)
	}
	r := newReader(ctx, tree, opt)
	defer r.run.Close()
	for _, path := range paths {
		if err := ctx.Err(); err != nil {
			return nil, fault.Of(err)
		}
		if err := r.load(path); err != nil {
			return nil, ended(ctx, err)
		}
	}
	if err := r.run.Finish(); err != nil {
		return nil, ended(ctx, fault.Of(err))
	}
	for name := range r.skipped {
		if err := r.run.Failed(name); err != nil { // the importing file may have caught it
			return nil, err
		}
	}
	c := r.collected
	if err := c.check(opt.Project); err != nil {
		return nil, err
	}
	return &Repo{Objects: c.objects(), Passed: slices.Concat(tree.passed, r.passed, r.run.Passed()), Notes: r.notes(), Idle: r.idle, Twice: c.twice(r.run.Made())}, nil
}

// ended is the error that ended the reading: that of the context if it has ended,
// whatever it was that noticed.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fault.Of(ctx.Err())
	}
	return err
}

// reader is the host of the files.
type reader struct {
	tree      *tree
	env       func(string) (string, bool)
	run       *python.Interpreter
	feast     *feastModules
	library   *library.Library
	collected *collector
	passed    []string
	idle      []string
	skipped   map[string]found // modules that Feast would have imported by now and that define nothing
	defining  map[string]bool  // by file name: whether it may define something
}

func newReader(ctx context.Context, t *tree, opt Options) *reader {
	r := &reader{tree: t, env: opt.Env, collected: newCollector(), skipped: map[string]found{}, defining: map[string]bool{}}
	r.feast = newFeastModules()
	r.run = python.New(ctx, r)
	r.library = library.New(r.run, t.root.FS(), t.dir, opt.Env)
	return r
}

// Module returns Feast's modules, and those of package library.
func (r *reader) Module(name string) (*python.Module, bool) {
	if m, ok := r.library.Modules[name]; ok {
		return m, true
	}
	return r.feast.module(name)
}

// Find returns the file of a module by its name from the root, or reports that it
// is a directory of modules.
// directory of modules.
func (r *reader) Find(name string) (*python.File, bool) {
	if s, ok := r.skipped[name]; ok {
		return s.file, s.pkg // even if files have extended the search path since
	}
	below := filepath.FromSlash(strings.ReplaceAll(name, ".", "/"))
	space := false
	for _, dir := range r.searchPath() {
		base, err := filepath.Rel(r.tree.dir, filepath.Join(dir, below))
		if err != nil {
			continue
		}
		if !filepath.IsLocal(base) {
			space = space || onlyUp(base) // a directory above the repository
			continue
		}
		if f, err := r.tree.read(filepath.Join(base, "__init__.py")); err == nil && base != "." {
			return f, true
		}
		if f, err := r.tree.read(base + ".py"); err == nil {
			return f, false
		}
		space = space || r.tree.isDir(base)
	}
	return nil, space
}

// onlyUp reports whether a relative path leads to a directory above.
func onlyUp(rel string) bool {
	return strings.Trim(filepath.ToSlash(rel), "./") == ""
}

// searchPath lists the known directories of sys.path in Python's order: Feast
// adds that of the repository last.
func (r *reader) searchPath() []string {
	front, back := r.library.SearchPath()
	dirs := front
	if list, ok := r.env("PYTHONPATH"); ok {
		for dir := range strings.SplitSeq(list, string(filepath.ListSeparator)) {
			if !filepath.IsAbs(dir) {
				dir = filepath.Join(r.tree.dir, dir)
			}
			dirs = append(dirs, dir)
		}
	}
	return append(append(dirs, r.tree.dir), back...)
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
		r.passed = append(r.passed, f.Name+": not readable as Python, and it does not mention feast: "+firstLine(err))
		return nil
	}
	name := dotted(f)
	if !r.mayDefine(f) {
		r.idle = append(r.idle, f.Name)
		if slices.ContainsFunc(moduleLines(f.Source), writes.MatchString) {
			r.run.Act(f.Name)
		}
		r.skip(name)
		return nil
	}
	if err := importable(f, name); err != nil {
		return err
	}
	m, err := r.run.Import(name)
	if err != nil {
		var located *fault.Error
		if !errors.As(err, &located) {
			return fault.New(fault.Invalid, "%s cannot be imported: %s", f.Name, err).About("definition", f.Name, "")
		}
		return err
	}
	if !r.collected.module(m) {
		r.idle = append(r.idle, f.Name)
	}
	return nil
}

// found is where a module was found.
type found struct {
	file *python.File
	pkg  bool
}

// skip records where a module that is not read, and its parents, are found now.
func (r *reader) skip(name string) {
	for i, c := range name + "." {
		if c == '.' {
			if file, pkg := r.Find(name[:i]); file != nil {
				r.skipped[name[:i]] = found{file, pkg}
			}
		}
	}
}

// dotted is the module name of a file.
func dotted(f *python.File) string {
	return strings.ReplaceAll(strings.TrimSuffix(f.Name, ".py"), "/", ".")
}

// packageOf is the package for a file's relative imports.
func packageOf(f *python.File) string {
	dir := path.Dir(f.Name)
	if dir == "." {
		return ""
	}
	return strings.ReplaceAll(dir, "/", ".")
}

// importable refuses a file that Feast would not import under its name.
func importable(f *python.File, name string) error {
	top, _, _ := strings.Cut(name, ".")
	var why string
	switch {
	case strings.Count(name, ".") != strings.Count(f.Name, "/"):
		why = "its path holds a dot, which Python takes for the end of a module's name"
	case isFeast(name) || python.Hides(top):
		why = "it has the name of module '" + top + "', which Python would take in its place"
	default:
		return nil
	}
	return fault.New(fault.Invalid, "%s cannot be imported: %s; give it another name, or name it in .feastignore", f.Name, why).About("definition", f.Name, "")
}

// mayDefine reports whether a file can define something: whether it imports
// Feast, a module of the repository that does, or an outside module that may.
func (r *reader) mayDefine(f *python.File) bool {
	if may, ok := r.defining[f.Name]; ok {
		return may
	}
	r.defining[f.Name] = false // for files that import each other
	may := slices.ContainsFunc(python.Imports(f), func(name string) bool { return r.mayGive(name, f) }) || changesOthers(f.Source) || changesImported(f.Source)
	r.defining[f.Name] = may
	return may
}

// changesOthers reports whether a file without Feast changes what other files
// see: the environment, the search path, the builtins.
func changesOthers(source string) bool {
	for line := range strings.Lines(source) {
		if strings.Contains(line, "environ[") && strings.Contains(line, "] =") {
			return true
		}
		for _, mark := range []string{"environ.", "putenv(", "load_dotenv(", "sys.path.", "sys.path =", "sys.path +=", "sys.path[", "sys.modules[", "builtins."} {
			if strings.Contains(line, mark) && !strings.Contains(line, "environ.get(") {
				return true
			}
		}
	}
	return false
}

// mayGive reports whether an imported module, or one of its parents, may provide
// definitions.
func (r *reader) mayGive(name string, f *python.File) bool {
	name, err := python.Absolute(name, packageOf(f))
	if err != nil || isFeast(name) {
		return true
	}
	parts := strings.Split(name, ".")
	for n := range parts {
		found, pkg := r.Find(strings.Join(parts[:n+1], "."))
		switch {
		case found != nil && r.mayDefine(found):
			return true
		case found == nil && !pkg && n == 0:
			return !python.DefinesNothing(name)
		}
	}
	return false
}

func isFeast(module string) bool { return module == "feast" || strings.HasPrefix(module, "feast.") }

// importsDefinitions is mayDefine for a file that cannot be parsed: it checks the
// import lines, and searches for Feast's name.
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
