// Package definitions reads the Python files of a feature repository, without
// Python, into the registry objects that they define.
//
// What comes out is what Feast's own classes serialize, before its inference
// from data sources: views that list no schema have no features yet. Functions
// of on-demand and batch feature views are kept as source text; the pickle that
// Feast stores beside it stays as the registry has it as long as the text is
// the same, and is empty for a function that only banquet has seen.
package definitions

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/banquet-fs/banquet/definitions/python"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
)

// Options say how a repository is read.
type Options struct {
	// Project is the project of feature_store.yaml: a Project object of the
	// repository must have the same name.
	Project string
	// Env looks up environment variables; nil knows none.
	Env func(string) (string, bool)
}

// Repo is a feature repository that has been read.
type Repo struct {
	Objects registry.Objects
	// Notes tell what was passed over, and where: files that define nothing, and
	// blocks that do not matter to a definition.
	Notes []string
}

// Load reads all Python files below root, as Feast does: not those that
// .feastignore names, nor __init__.py, nor what lies in .git, virtual
// environments and caches. Objects are those that a module binds to a name,
// and the data sources of views.
func Load(ctx context.Context, root string, opt Options) (*Repo, error) {
	if opt.Env == nil {
		opt.Env = func(string) (string, bool) { return "", false }
	}
	paths, err := files(root)
	if err != nil {
		return nil, err
	}
	r := &reader{root: root, modules: python.Standard(opt.Env), names: feastNames()}
	r.run = python.New(r)
	c := &collector{seen: map[any]bool{}}
	for _, path := range paths {
		if err := ctx.Err(); err != nil {
			return nil, fault.Of(err)
		}
		if err := r.load(path, c); err != nil {
			return nil, err
		}
	}
	repo := &Repo{Objects: c.objects, Notes: append(r.notes, r.run.Notes()...)}
	return repo, c.check(opt.Project)
}

// reader is the host of the files.
type reader struct {
	root    string
	run     *python.Interpreter
	modules map[string]*python.Module
	names   map[string]any
	notes   []string
}

// Module gives Feast's modules and the standard library's.
func (r *reader) Module(name string) (*python.Module, bool) {
	if name == "feast" || strings.HasPrefix(name, "feast.") {
		last := name[strings.LastIndexByte(name, '.')+1:]
		if last != strings.ToLower(last) {
			return nil, false // a name, not a module
		}
		return &python.Module{Name: name, Names: r.names, Open: true}, true
	}
	m, ok := r.modules[name]
	if ok {
		m.Open = true
	}
	return m, ok
}

// Find gives the file of a module: relative to the importing file for a
// leading dot, else below the root or beside the importing file.
func (r *reader) Find(name string, from *python.File) (*python.File, bool) {
	here := filepath.Dir(filepath.Join(r.root, from.Name))
	dots := len(name) - len(strings.TrimLeft(name, "."))
	parts := strings.Split(strings.TrimLeft(name, "."), ".")
	var dirs []string
	if dots > 0 {
		dir := here
		for range dots - 1 {
			dir = filepath.Dir(dir)
		}
		dirs = []string{dir}
	} else {
		dirs = []string{r.root, here}
		if len(parts) > 1 && parts[0] == filepath.Base(r.root) {
			parts = parts[1:] // the repository imported by its own name
		}
	}
	for _, dir := range dirs {
		base := filepath.Join(append([]string{dir}, parts...)...)
		for _, path := range []string{base + ".py", filepath.Join(base, "__init__.py")} {
			if f, ok := r.open(path); ok {
				return f, true
			}
		}
	}
	return nil, false
}

// open reads a file below the root.
func (r *reader) open(path string) (*python.File, bool) {
	rel, err := filepath.Rel(r.root, path)
	if err != nil || rel == ".." || strings.HasPrefix(rel, "../") {
		return nil, false
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, false
	}
	return &python.File{Name: filepath.ToSlash(rel), Source: strings.TrimPrefix(string(b), "\ufeff")}, true
}

// load reads one file. A file that defines nothing cannot stop the others: what
// is wrong with it is a note.
func (r *reader) load(path string, c *collector) error {
	f, ok := r.open(path)
	if !ok {
		return fault.New(fault.Unavailable, "%s cannot be read", path)
	}
	name := strings.ReplaceAll(strings.TrimSuffix(f.Name, ".py"), "/", ".")
	m, err := r.run.Load(f, name)
	if err != nil && r.defines(f, m) {
		return err
	}
	if err != nil {
		r.notes = append(r.notes, f.Name+": passed over, it defines nothing and cannot be read: "+firstLine(err.Error()))
		return nil
	}
	before := c.count
	for _, n := range m.Order() {
		c.add(m.Names[n])
	}
	if c.count == before {
		r.notes = append(r.notes, f.Name+": defines nothing")
	}
	return nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// defines reports whether a file that could not be read would have defined
// something: one that calls Feast's constructors, or that cannot even be parsed
// and imports Feast.
func (r *reader) defines(f *python.File, m *python.Module) bool {
	if python.Parses(f) != nil {
		return strings.Contains(f.Source, "feast")
	}
	makes := constructors()
	return python.Mentions(f, func(n string) bool {
		if makes[n] != nil {
			return true
		}
		if m == nil {
			return false
		}
		b, ok := m.Names[n].(*python.Builtin)
		return ok && b.Definer
	})
}

// collector gathers objects by identity.
type collector struct {
	objects  registry.Objects
	projects int
	count    int
	seen     map[any]bool
}

func (c *collector) add(v any) {
	switch o := v.(type) {
	case *project, *entity, *source, *view, *service, *permission:
		if c.seen[o] {
			return
		}
		c.seen[o] = true
		c.count++
	}
	switch o := v.(type) {
	case *project:
		c.objects.Project = o.proto
		c.projects++
	case *entity:
		c.objects.Entities = append(c.objects.Entities, o.proto)
	case *source:
		c.source(o)
	case *view:
		c.view(o)
	case *service:
		c.objects.FeatureServices = append(c.objects.FeatureServices, o.proto)
	case *permission:
		c.objects.Permissions = append(c.objects.Permissions, o.proto)
	}
}

// source adds a data source and the one it is fed from.
func (c *collector) source(s *source) {
	for p := s.proto; p != nil; p = p.GetBatchSource() {
		if !slices.Contains(c.objects.DataSources, p) {
			c.objects.DataSources = append(c.objects.DataSources, p)
		}
	}
}

func (c *collector) view(v *view) {
	if v.alias != "" || v.joinMap != nil || v.chosen != nil {
		return // a projection bound to a name is no definition
	}
	switch m := v.msg.(type) {
	case *core.FeatureView:
		c.objects.FeatureViews = append(c.objects.FeatureViews, m)
	case *core.StreamFeatureView:
		c.objects.StreamFeatureViews = append(c.objects.StreamFeatureViews, m)
	case *core.OnDemandFeatureView:
		c.objects.OnDemandFeatureViews = append(c.objects.OnDemandFeatureViews, m)
	case *core.LabelView:
		c.objects.LabelViews = append(c.objects.LabelViews, m)
	}
	for _, s := range v.sources {
		c.source(s)
	}
}

func (c *collector) check(name string) error {
	if c.projects > 1 {
		return fault.New(fault.Invalid, "the repository defines %d Project objects; one is allowed", c.projects)
	}
	if p := c.objects.Project; p != nil && name != "" && p.GetSpec().GetName() != name {
		return fault.New(fault.Invalid, "the repository defines project %s, feature_store.yaml says project: %s; make them the same", p.GetSpec().GetName(), name).
			About("project", p.GetSpec().GetName(), name)
	}
	return nil
}

// files lists the Python files of a repository, sorted.
func files(root string) ([]string, error) {
	ignored, err := ignorePatterns(root)
	if err != nil {
		return nil, err
	}
	var paths []string
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		if d.IsDir() {
			if path != root && (skipDir(d.Name()) || matches(ignored, rel)) {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(path) == ".py" && d.Name() != "__init__.py" && !matches(ignored, rel) {
			paths = append(paths, path)
		}
		return nil
	})
	if err != nil {
		return nil, fault.New(fault.Unavailable, "the feature repository %s cannot be read", root).Because(err)
	}
	slices.Sort(paths)
	return paths, nil
}

func skipDir(name string) bool {
	switch name {
	case ".git", ".venv", "venv", ".feastvenv", "__pycache__", ".ipynb_checkpoints", ".pytest_cache", ".mypy_cache", ".ruff_cache", "node_modules", ".tox":
		return true
	}
	return false
}

// ignorePatterns reads .feastignore: one pattern a line, # starts a comment.
func ignorePatterns(root string) ([]string, error) {
	b, err := os.ReadFile(filepath.Join(root, ".feastignore"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.New(fault.Unavailable, "%s cannot be read", filepath.Join(root, ".feastignore")).Because(err)
	}
	var patterns []string
	for line := range strings.Lines(string(b)) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			patterns = append(patterns, strings.Trim(line, "/"))
		}
	}
	return patterns, nil
}

// matches applies patterns: a directory stands for all in it, ** for any
// number of directories.
func matches(patterns []string, rel string) bool {
	rel = filepath.ToSlash(rel)
	for _, p := range patterns {
		if rel == p || strings.HasPrefix(rel, p+"/") {
			return true
		}
		for at := rel; ; {
			if ok, _ := filepath.Match(p, at); ok {
				return true
			}
			if tail, found := strings.CutPrefix(p, "**/"); found {
				if ok, _ := filepath.Match(tail, at); ok {
					return true
				}
			}
			_, rest, more := strings.Cut(at, "/")
			if !more {
				break
			}
			at = rest
		}
	}
	return false
}
