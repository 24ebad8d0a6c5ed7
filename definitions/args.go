package definitions

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/banquet-fs/banquet/definitions/library"
	"github.com/banquet-fs/banquet/definitions/python"
)

// args are the arguments of one constructor call, bound to its parameters. Only
// the first fault is reported.
type args struct {
	of     string
	call   *python.Call
	bound  map[string]any
	places map[string]string // the name under which the call knows an argument
	err    error
}

// bind matches arguments to parameters. A parameter name! is required, name? may
// be None, and those after * are keyword-only.
func bind(of string, c *python.Call, params ...string) *args {
	a := &args{of: of, call: c, bound: map[string]any{}, places: map[string]string{}}
	names := make([]string, len(params))
	for i, p := range params {
		names[i] = strings.TrimRight(p, "!?")
	}
	positional := names
	if i := slices.Index(names, "*"); i >= 0 {
		positional = names[:i]
	}
	for i, v := range c.Args {
		if i >= len(positional) {
			a.fail("accepts only keyword arguments: %s(name=…)", of)
			return a
		}
		a.bound[positional[i]] = v
		a.places[positional[i]] = fmt.Sprint(i)
	}
	for i, n := range c.Names {
		if !slices.Contains(names, n) || n == "*" {
			a.failAt(n, "has no argument '%s'%s", n, advice(of, n, names))
			return a
		}
		if _, twice := a.bound[n]; twice {
			a.failAt(n, "gets argument '%s' twice", n)
			return a
		}
		a.bound[n] = c.Named[i]
	}
	a.complete(params)
	return a
}

// complete checks that required arguments are given, and that None is given only
// where it is allowed.
func (a *args) complete(params []string) {
	for _, p := range params {
		name := strings.TrimRight(p, "!?")
		v, given := a.bound[name]
		switch {
		case !given && strings.HasSuffix(p, "!"):
			a.fail("lacks argument '%s'", name)
		case given && v == nil && !strings.HasSuffix(p, "?"):
			a.failAt(name, "argument '%s' is None; leave it out or give it a value", name)
		}
	}
}

// advice says what to write instead of an old or misspelled argument.
func advice(of, name string, params []string) string {
	for _, old := range [...]struct{ of, name, instead string }{
		{"FeatureView", "features", "list the features as schema=[Field(…)]"},
		{"FeatureView", "batch_source", "give the data source as source=…"},
		{"FeatureView", "input", "give the data source as source=…"},
		{"FeatureView", "stream_source", "give the data source as source=…"},
		{"OnDemandFeatureView", "inputs", "give the inputs as sources=[…]"},
		{"FileSource", "file_url", "write path=…"},
		{"", "date_partition_column", "Feast no longer has it"},
		{"Entity", "join_key", "write join_keys=[…]"},
	} {
		if old.name == name && strings.HasSuffix(of, old.of) {
			return "; " + old.instead
		}
	}
	for _, p := range params {
		if p != "*" && len(p) > 2 && (strings.HasPrefix(p, name) || strings.HasPrefix(name, p) || swapped(p, name)) {
			return "; is '" + p + "' meant?"
		}
	}
	return ""
}

// swapped reports whether two words differ in one letter, which may be missing.
func swapped(a, b string) bool {
	if len(a) < len(b) {
		a, b = b, a
	}
	if len(a)-len(b) > 1 {
		return false
	}
	for i := range len(b) {
		if a[i] != b[i] {
			return a[i+1:] == b[i+1:] || a[i+1:] == b[i:]
		}
	}
	return true
}

func (a *args) fail(format string, v ...any) {
	if a.err == nil {
		a.err = fmt.Errorf("%s %s", a.of, fmt.Sprintf(format, v...))
	}
}

// failAt is fail with the position of an argument.
func (a *args) failAt(name, format string, v ...any) {
	if a.err != nil {
		return
	}
	a.fail(format, v...)
	place := name
	if p, ok := a.places[name]; ok {
		place = p
	}
	a.err = a.call.Blame(place, a.err)
}

// unknown refuses a value that cannot be known.
func (a *args) unknown(name string, u *python.Unknown) {
	a.failAt(name, "argument '%s' depends on what cannot be known without running Python (%s); write its value out", name, u.Why)
}

// get returns an argument that was given and is not None.
func (a *args) get(name string) (any, bool) {
	v := a.bound[name]
	if u, ok := v.(*python.Unknown); ok {
		a.unknown(name, u)
		return nil, false
	}
	return v, v != nil
}

func (a *args) wrong(name, want string, got any) {
	a.failAt(name, "argument '%s' is a %s, want %s", name, python.TypeName(got), want)
}

func (a *args) text(name string) string {
	v, ok := a.get(name)
	if !ok {
		return ""
	}
	s, isText := python.Plain(v).(string)
	if _, isPath := v.(library.Path); isPath {
		a.failAt(name, "argument '%s' is a path, want text: str(…)", name)
	} else if !isText {
		a.wrong(name, "text", v)
	}
	return s
}

// name is a text that must not be empty.
func (a *args) name(name string) string {
	s := a.text(name)
	if s == "" {
		a.failAt(name, "argument '%s' must not be empty", name)
	}
	return s
}

// textOr is a text with a default.
func (a *args) textOr(name, fallback string) string {
	if _, given := a.bound[name]; !given {
		return fallback
	}
	return a.text(name)
}

func (a *args) flag(name string, fallback bool) bool {
	v, ok := a.get(name)
	if !ok {
		return fallback
	}
	b, isBool := v.(bool)
	if !isBool {
		a.wrong(name, "True or False", v)
	}
	return b
}

func (a *args) integer(name string) int32 {
	v, ok := a.get(name)
	if !ok {
		return 0
	}
	i, isInt := python.Plain(v).(int64)
	if !isInt || i != int64(int32(i)) {
		a.wrong(name, "a 32-bit integer", v)
	}
	return int32(i)
}

// maxDuration is the maximum of a protobuf Duration, in seconds.
const maxDuration = 315_576_000_000

// duration returns a timedelta; nil when it is None or not given.
func (a *args) duration(name string) *durationpb.Duration {
	v, ok := a.get(name)
	if !ok {
		return nil
	}
	d, isDelta := v.(library.Timedelta)
	if !isDelta {
		a.wrong(name, "a timedelta", v)
		return nil
	}
	seconds, nanos := d.Duration()
	if seconds > maxDuration || seconds < -maxDuration {
		a.failAt(name, "argument '%s' is more than 10000 years", name)
	}
	return &durationpb.Duration{Seconds: seconds, Nanos: nanos}
}

// dict returns a dict; a new one if none, or an empty one, is given, as Feast's
// classes do. A dict with keys is kept as it is, so later changes by the file
// count.
func (a *args) dict(name string) *python.Dict {
	v, ok := a.get(name)
	if !ok {
		return &python.Dict{}
	}
	d, isDict := v.(*python.Dict)
	if !isDict {
		a.wrong(name, "a dict of texts", v)
		return &python.Dict{}
	}
	if d.Len() == 0 {
		return &python.Dict{}
	}
	return d
}

// tags checks a dict of texts, and sets it again after all files are read: until
// then they may change it.
func (a *args) tags(name string, set func(map[string]string)) *python.Dict {
	d := a.dict(name)
	tags, err := readTags(d, name)
	if err != nil {
		a.failAt(name, "%s", err)
	}
	set(tags)
	of := a.of // not a, whose arguments would be kept
	a.call.Later(func() error {
		tags, err := readTags(d, name)
		set(tags)
		if err != nil {
			return fmt.Errorf("%s %w", of, err)
		}
		return nil
	})
	return d
}

func readTags(d *python.Dict, name string) (map[string]string, error) {
	var out map[string]string
	for k, v := range d.All() {
		if u, unknown := v.(*python.Unknown); unknown {
			return nil, fmt.Errorf("argument '%s' depends on what cannot be known without running Python (%s); write it out", name, u.Why)
		}
		key, kok := python.Plain(k).(string)
		text, vok := python.Plain(v).(string)
		if !kok || !vok {
			return nil, fmt.Errorf("argument '%s' holds %s: %s; keys and values must be texts", name, python.Brief(k), python.Brief(v))
		}
		if out == nil {
			out = map[string]string{}
		}
		out[key] = text
	}
	return out, nil
}

// keep refuses later changes of a list that Feast's object keeps without copying.
func (a *args) keep(names ...string) {
	for _, n := range names {
		if l, ok := a.bound[n].(*python.List); ok {
			l.ReadOnly = fmt.Sprintf("a list that was given to %s as '%s' is not changed afterwards; complete it before, or make another one", a.of, n)
		}
	}
}

// list returns the items of a list.
func (a *args) list(name string) []any {
	v, ok := a.get(name)
	if !ok {
		return nil
	}
	l, isList := v.(*python.List)
	if !isList {
		a.wrong(name, "a list", v)
		return nil
	}
	for _, item := range l.Items {
		if u, unknown := item.(*python.Unknown); unknown {
			a.unknown(name, u)
			return nil
		}
	}
	return l.Items
}

func (a *args) texts(name string) []string {
	var out []string
	for _, v := range a.list(name) {
		s, ok := python.Plain(v).(string)
		if !ok {
			a.wrong(name, "a list of texts", v)
			return nil
		}
		out = append(out, s)
	}
	return out
}

// each converts the items of a list argument; all must be of type T.
func each[T any](a *args, name, want string) []T {
	var out []T
	for _, v := range a.list(name) {
		t, ok := v.(T)
		if !ok {
			a.failAt(name, "argument '%s' holds a %s, want %s", name, python.TypeName(v), want)
			return nil
		}
		out = append(out, t)
	}
	return out
}

// one converts an argument of type T; the zero value if it is not given.
func one[T any](a *args, name, want string) (out T) {
	v, ok := a.get(name)
	if !ok {
		return out
	}
	t, isT := v.(T)
	if !isT {
		a.wrong(name, want, v)
	}
	return t
}
