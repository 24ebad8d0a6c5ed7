package config

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/similar"
)

// decoder decodes the YAML into the structs and collects faults.
type decoder struct {
	name   string
	faults []string
}

// fault adds a fault of a key; path is empty for the file.
func (d *decoder) fault(line int, path, text string) {
	if path != "" {
		text = path + ": " + text
	}
	d.faults = append(d.faults, fmt.Sprintf("%s:%d: %s", d.name, line, text))
}

func (d *decoder) err() error {
	if len(d.faults) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, "%s", strings.Join(d.faults, "\n")).About("configuration", d.name, "")
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

// section decodes a mapping into a struct. Keys that the struct does not have
// are faults unless open is set.
func (d *decoder) section(n *yaml.Node, path string, out any, open bool) {
	if n.Kind != yaml.MappingNode {
		d.fault(n.Line, path, "want a section with keys, not "+kindOf(n))
		return
	}
	v := reflect.ValueOf(out).Elem()
	fields := fieldsOf(v.Type())
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at, ok := fields[key.Value]
		switch {
		case ok:
			d.value(value, join(path, key.Value), v.Field(at))
		case !open:
			d.fault(key.Line, join(path, key.Value), "unknown key"+nearest(key.Value, fields))
		}
	}
}

func fieldsOf(t reflect.Type) map[string]int {
	fields := map[string]int{}
	for i := range t.NumField() {
		if tag := t.Field(i).Tag.Get("yaml"); tag != "" && tag != "-" {
			fields[tag] = i
		}
	}
	return fields
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// nearest suggests the most similar key.
func nearest(key string, fields map[string]int) string {
	if best := similar.Nearest(key, slices.Collect(maps.Keys(fields))); best != "" {
		return "; did you mean " + best + "?"
	}
	return ""
}

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "a section"
	}
	switch n.Tag {
	case "!!str":
		return "text"
	case "!!int", "!!float":
		return "the number " + n.Value
	case "!!bool":
		return n.Value
	case "!!null":
		return "nothing"
	}
	return n.Value
}

// value decodes one value. A key without a value keeps the default.
func (d *decoder) value(n *yaml.Node, path string, out reflect.Value) {
	if n.Tag == "!!null" {
		return
	}
	switch p := out.Addr().Interface().(type) {
	case *any:
		_ = n.Decode(p)
		return
	case *Duration:
		d.duration(n, path, p)
		return
	case *map[string]string:
		d.texts(n, path, p)
		return
	case *Python:
		d.python(n, path, p)
		return
	}
	switch out.Kind() {
	case reflect.Struct:
		d.section(n, path, out.Addr().Interface(), false)
	case reflect.String:
		d.text(n, path, out)
	case reflect.Bool:
		v, ok := boolean(n)
		if !ok {
			d.fault(n.Line, path, "want true or false, not "+kindOf(n))
			return
		}
		out.SetBool(v)
	case reflect.Int:
		d.integer(n, path, out)
	case reflect.Float64:
		d.number(n, path, out)
	}
}

func (d *decoder) duration(n *yaml.Node, path string, out *Duration) {
	v, err := time.ParseDuration(n.Value)
	if err != nil || v < 0 {
		d.fault(n.Line, path, "want a time span such as 10s or 250ms, not "+kindOf(n))
		return
	}
	*out = Duration(v)
}

// text accepts a YAML string; a secret may have another type.
func (d *decoder) text(n *yaml.Node, path string, out reflect.Value) {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" && out.Type() != reflect.TypeFor[Secret]() {
		d.fault(n.Line, path, "want text, not "+kindOf(n)+"; put it in quotes")
		return
	}
	out.SetString(n.Value)
}

func (d *decoder) number(n *yaml.Node, path string, out reflect.Value) {
	v, err := strconv.ParseFloat(n.Value, 64)
	if err != nil || n.Tag == "!!str" || v < 0 || v != v || v > 1e9 {
		d.fault(n.Line, path, "want a number of 0 or more, not "+kindOf(n))
		return
	}
	out.SetFloat(v)
}

// boolean accepts the booleans of YAML 1.1, as Feast does.
func boolean(n *yaml.Node) (v, ok bool) {
	if n.Kind != yaml.ScalarNode || n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		return false, false
	}
	switch strings.ToLower(n.Value) {
	case "true", "yes", "on":
		return true, true
	case "false", "no", "off":
		return false, true
	}
	return false, false
}

func (d *decoder) integer(n *yaml.Node, path string, out reflect.Value) {
	digits := n.Tag == "!!int" || strings.HasSuffix(path, ".port") // a port may come as text, from a variable
	v, err := strconv.ParseInt(n.Value, 0, 64)                     // 0x10 and 1_000, too
	if !digits || err != nil {
		d.fault(n.Line, path, "want an integer, not "+kindOf(n))
		return
	}
	if v < 0 {
		d.fault(n.Line, path, "want 0 or more")
		return
	}
	out.SetInt(v)
}

func (d *decoder) python(n *yaml.Node, path string, out *Python) {
	if v, ok := boolean(n); ok {
		if *out = ""; v {
			*out = AnyPython
		}
		return
	}
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" || strings.TrimSpace(n.Value) == "" {
		d.fault(n.Line, path, "want true, false or a program, not "+kindOf(n))
		return
	}
	*out = Python(n.Value)
}

func (d *decoder) texts(n *yaml.Node, path string, out *map[string]string) {
	if n.Kind != yaml.MappingNode {
		d.fault(n.Line, path, "want keys with texts, not "+kindOf(n))
		return
	}
	*out = map[string]string{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		(*out)[n.Content[i].Value] = n.Content[i+1].Value
	}
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

// top decodes the file: unknown keys at the top level are ignored.
func (d *decoder) top(root *yaml.Node, c *Config) {
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		if value.Tag == "!!null" && key.Value != "online_store" {
			continue
		}
		switch key.Value {
		case "registry":
			d.registry(value, c)
		case "online_store":
			d.online(value, c)
		case "offline_store":
			d.offline(value, c)
		case "auth":
			d.section(value, "auth", &c.Auth, true)
		default:
			v := reflect.ValueOf(c).Elem()
			if at, ok := fieldsOf(v.Type())[key.Value]; ok {
				d.value(value, key.Value, v.Field(at))
			}
		}
	}
}

func (d *decoder) registry(n *yaml.Node, c *Config) {
	if n.Kind == yaml.ScalarNode {
		c.Registry.Path = n.Value
		return
	}
	d.section(n, "registry", &c.Registry, true)
}

// typeOf reads a store's type; a scalar section is the type itself.
func (d *decoder) typeOf(n *yaml.Node, fallback string) (string, int) {
	if n.Tag == "!!null" {
		return "none", n.Line
	}
	if n.Kind == yaml.ScalarNode {
		return n.Value, n.Line
	}
	if t := child(n, "type"); t != nil {
		return t.Value, t.Line
	}
	return fallback, n.Line
}

func (d *decoder) online(n *yaml.Node, c *Config) {
	kind, line := d.typeOf(n, "sqlite")
	kind = builtClass(kind)
	c.Online.Type = kind
	switch strings.ToLower(kind) {
	case "", "null", "none":
		c.Online.Type = "none"
		return
	}
	switch kind {
	case "sqlite":
		d.store(n, "online_store", &c.Online.SQLite)
	case "dynamodb":
		c.Online.DynamoDB = defaultDynamoDB()
		d.store(n, "online_store", &c.Online.DynamoDB)
		if c.Online.DynamoDB.Region == "" {
			d.fault(line, "online_store.region", "is missing; DynamoDB needs one, such as ap-northeast-2")
		}
	case "postgres":
		c.Online.Postgres = defaultPostgres()
		d.store(n, "online_store", &c.Online.Postgres)
	default:
		d.foreign(line, "online_store.type", kind, feastOnline, "OnlineStore", "sqlite, dynamodb, postgres")
	}
}

func (d *decoder) offline(n *yaml.Node, c *Config) {
	kind, line := d.typeOf(n, "dask")
	kind = builtClass(kind)
	c.Offline.Type = kind
	switch kind {
	case "file", "dask":
		d.store(n, "offline_store", new(files))
	case "duckdb":
		d.store(n, "offline_store", new(duckDB))
	case "postgres":
		c.Offline.Postgres = defaultPostgres()
		d.store(n, "offline_store", &c.Offline.Postgres)
	default:
		d.foreign(line, "offline_store.type", kind, feastOffline, "OfflineStore", "file, dask, duckdb (all three read Parquet and CSV files), postgres")
	}
}

func (d *decoder) store(n *yaml.Node, path string, out any) {
	if n.Kind == yaml.MappingNode {
		d.section(n, path, out, false)
	}
}
