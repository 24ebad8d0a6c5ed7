package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/similar"
	"github.com/banquet-fs/banquet/internal/yaml11"
)

// decoder walks through the file beside the sections of the configuration and collects
// faults.
type decoder struct {
	name     string
	faults   []located
	sections []Section
	index    map[string]*Section
	// variables are the environment variables in each line, lines are the lines of the
	// keys that the file has, by path.
	variables map[int][]string
	lines     map[string]int
	warnings  []string
}

// located is a fault in a line, about a key.
type located struct {
	line       int
	path, text string
}

func newDecoder(name string, c *Config) *decoder {
	d := &decoder{name: name, sections: Sections(c), variables: map[int][]string{}, lines: map[string]int{}}
	d.index = index(d.sections)
	return d
}

// fault adds a fault of a key; path is empty for the file.
func (d *decoder) fault(line int, path, text string) {
	at := located{line: line, path: path}
	if path != "" {
		text = path + ": " + text
		if from := d.variables[line]; len(from) > 0 {
			text += " (the line has " + strings.Join(from, ", ") + " from the environment)"
		}
	}
	at.text = fmt.Sprintf("%s:%d: %s", d.name, line, text)
	d.faults = append(d.faults, at)
}

// err returns all faults in the order of their lines.
func (d *decoder) err() error {
	if len(d.faults) == 0 {
		return nil
	}
	slices.SortStableFunc(d.faults, func(a, b located) int { return a.line - b.line })
	lines := make([]string, len(d.faults))
	for i, f := range d.faults {
		lines[i] = f.text
	}
	return fault.New(fault.Invalid, "%s", strings.Join(lines, "\n")).About("configuration", d.name, "")
}

// syntax turns a YAML error into a fault with its line.
func (d *decoder) syntax(err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if m := regexp.MustCompile(`^line (\d+): `).FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = strings.TrimPrefix(text, m[0])
	}
	d.fault(line, "", "not YAML: "+text)
}

// anchor reports a value that starts with * and names no anchor. It reports only the
// line, since the value may be a secret.
func (d *decoder) anchor(text string) {
	for i, line := range strings.Split(text, "\n") {
		if regexp.MustCompile(`(:|-)\s+\*`).MatchString(line) {
			d.fault(i+1, "", "not YAML: a value that begins with * must be in quotes")
			return
		}
	}
	d.fault(1, "", "not YAML: a value that begins with * must be in quotes")
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// line is the line of a key, else that of the section around it.
func (d *decoder) line(path string) int {
	for path != "" {
		if at, ok := d.lines[path]; ok {
			return at
		}
		path = path[:max(0, strings.LastIndexByte(path, '.'))]
	}
	return 1
}

// walk decodes a mapping beside a section.
func (d *decoder) walk(n *yaml.Node, s *Section) {
	if n.Kind != yaml.MappingNode {
		d.fault(n.Line, s.Name, "want a section with keys, not "+kindOf(n))
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		path := join(s.Name, key.Value)
		d.lines[path] = key.Line
		switch k := s.key(key.Value); {
		case k != nil:
			d.value(value, path, k)
		case d.section(value, path):
		default:
			d.unknown(key, path, s)
		}
	}
	for i := range s.Keys {
		d.needed(s, &s.Keys[i])
	}
}

// value decodes the value of a key. A key without a value keeps the default.
func (d *decoder) value(n *yaml.Node, path string, k *Key) {
	d.lines[path] = n.Line
	if tagOf(n) == yaml11.Null && !slices.Contains(k.Choices, n.Value) {
		delete(d.lines, path)
		return
	}
	if want := k.read(n); want != "" {
		d.fault(n.Line, path, want)
	}
}

// section decodes the value of a key that is a section. It returns false if there is no
// such section.
func (d *decoder) section(n *yaml.Node, path string) bool {
	switch path {
	case "registry":
		d.registry(n)
		return true
	case "auth":
		if n.Kind == yaml.ScalarNode {
			d.value(n, path, d.index[path].key("type"))
			return true
		}
	case "online_store", "offline_store":
		return true // see stores
	}
	s := d.index[path]
	if s == nil {
		return false
	}
	if tagOf(n) == yaml11.Null {
		delete(d.lines, path)
		return true
	}
	d.walk(n, s)
	return true
}

// registry decodes the section, or a path alone.
func (d *decoder) registry(n *yaml.Node) {
	s := d.index["registry"]
	switch {
	case tagOf(n) == yaml11.Null:
	case n.Kind == yaml.ScalarNode:
		d.value(n, "registry", s.key("path"))
	default:
		d.walk(n, s)
	}
}

// needed reports a key that must be given.
func (d *decoder) needed(s *Section, k *Key) {
	path := join(s.Name, k.Name)
	_, given := d.lines[path]
	if v, ok := k.into.(*string); ok && given {
		given = *v != "" || d.faulty(path)
	}
	if k.needed != "" && !given {
		d.fault(d.line(path), path, "is missing; "+k.needed)
	}
}

// faulty reports whether a key has a fault already.
func (d *decoder) faulty(path string) bool {
	return slices.ContainsFunc(d.faults, func(f located) bool { return f.path == path })
}

// unknown reports a key that a section does not have, with the key that was probably
// meant, or the section that has it. In an open section it is a warning, and only if
// there is such a key.
func (d *decoder) unknown(key *yaml.Node, path string, s *Section) {
	meant := ""
	if other := elsewhere(d.sections, key.Value); other != "" {
		meant = "; it is a key of " + other
	} else if best := similar.Nearest(key.Value, d.names(s)); best != "" {
		meant = "; did you mean " + best + "?"
	}
	switch {
	case !s.Open:
		d.fault(key.Line, path, "unknown key"+meant)
	case strings.HasPrefix(meant, "; did"):
		d.warnings = append(d.warnings, fmt.Sprintf("%s:%d: %s: unknown key, ignored as in Feast%s", d.name, key.Line, path, meant))
	}
}

// names lists the keys and the sections of a section.
func (d *decoder) names(s *Section) []string {
	var names []string
	for _, k := range s.Keys {
		names = append(names, k.Name)
	}
	for _, other := range d.sections {
		if rest, ok := strings.CutPrefix(join("", other.Name), join(s.Name, "")); ok && rest != "" && !strings.Contains(rest, ".") {
			names = append(names, rest)
		}
	}
	return names
}

// child finds a key of a mapping; of repeated keys the last one counts.
func child(n *yaml.Node, key string) *yaml.Node {
	var found *yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			found = n.Content[i+1]
		}
	}
	return found
}

// typeOf reads the type of a store or an engine; a scalar section is the type itself.
func (d *decoder) typeOf(n *yaml.Node, path, fallback string) string {
	at := n
	if n.Kind == yaml.MappingNode {
		if at = child(n, "type"); at == nil {
			return fallback
		}
		path = join(path, "type")
	}
	d.lines[path] = at.Line
	if at.Kind != yaml.ScalarNode || tagOf(at) != yaml11.Text {
		d.fault(at.Line, path, notText(at))
		return ""
	}
	return at.Value
}

// stores decodes the sections of the stores, whose keys depend on the type.
func (d *decoder) stores(root *yaml.Node, c *Config) {
	if n := child(root, "online_store"); n != nil {
		c.Online.Type = "none"
		if text := strings.ToLower(n.Value); tagOf(n) != yaml11.Null && text != "null" && text != "none" {
			c.Online.Type = d.store(n, "online_store", "sqlite", feastOnline, "OnlineStore", "sqlite, dynamodb, postgres")
		}
	}
	if n := child(root, "offline_store"); n != nil && tagOf(n) != yaml11.Null {
		c.Offline.Type = d.store(n, "offline_store", "dask", feastOffline, "OfflineStore", "file, dask, duckdb (all three read Parquet and CSV files), postgres")
	}
	if n := child(root, "batch_engine"); n != nil && tagOf(n) != yaml11.Null {
		c.engine = d.typeOf(n, "batch_engine", "local")
	}
}

// store decodes the section of a store, and returns its type. The keys of stores that
// banquet does not have are not read.
func (d *decoder) store(n *yaml.Node, name, fallback, feast, suffix, ours string) string {
	kind := d.typeOf(n, name, fallback)
	if kind == "" {
		return kind
	}
	kind = builtClass(kind)
	s := d.index[name+"("+kind+")"]
	switch {
	case s == nil && !foreign(kind, feast, suffix):
		d.fault(d.line(name+".type"), name+".type", "unknown type "+strconv.Quote(kind)+"; banquet has "+ours)
	case s == nil:
	case n.Kind == yaml.MappingNode:
		d.walk(n, s)
	default:
		for i := range s.Keys {
			d.needed(s, &s.Keys[i])
		}
	}
	return kind
}
