package definitions

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/banquet-fs/banquet/definitions/python"
)

// args are the arguments of one constructor call, bound to its parameters.
// Reading one of the wrong type is remembered; the first fault is the call's.
type args struct {
	of    string
	bound map[string]any
	err   error
}

// bind matches arguments to parameters. Parameters after "*" take names only.
func bind(of string, c *python.Call, params ...string) *args {
	a := &args{of: of, bound: map[string]any{}}
	positional := params
	if i := slices.Index(params, "*"); i >= 0 {
		positional = params[:i]
	}
	for i, v := range c.Args {
		if i >= len(positional) {
			a.fail("takes its arguments by name: %s(name=…)", of)
			return a
		}
		a.bound[positional[i]] = v
	}
	for i, n := range c.Names {
		if !slices.Contains(params, n) || n == "*" {
			a.fail("has no argument '%s'%s", n, advice(of, n, params))
			return a
		}
		if _, twice := a.bound[n]; twice {
			a.fail("is given argument '%s' twice", n)
			return a
		}
		a.bound[n] = c.Named[i]
	}
	return a
}

// advice says what to write instead of an argument of old, or of a misspelt one.
func advice(of, name string, params []string) string {
	switch {
	case strings.HasSuffix(of, "FeatureView") && name == "features":
		return "; list the features as schema=[Field(…)]"
	case strings.HasSuffix(of, "FeatureView") && (name == "batch_source" || name == "input" || name == "stream_source"):
		return "; give the data source as source=…"
	}
	for _, p := range params {
		if p != "*" && len(p) > 2 && (strings.HasPrefix(p, name) || strings.HasPrefix(name, p)) {
			return "; is '" + p + "' meant?"
		}
	}
	return ""
}

func (a *args) fail(format string, v ...any) {
	if a.err == nil {
		a.err = fmt.Errorf("%s %s", a.of, fmt.Sprintf(format, v...))
	}
}

// get gives an argument that was given and is not None.
func (a *args) get(name string) (any, bool) {
	v, ok := a.bound[name]
	if u, unknown := v.(*python.Unknown); unknown {
		a.fail("argument '%s' depends on what cannot be known without running Python (%s); write its value out", name, u.Why)
		return nil, false
	}
	return v, ok && v != nil
}

func (a *args) wrong(name, want string, got any) {
	a.fail("argument '%s' is a %s, want %s", name, python.TypeName(got), want)
}

func (a *args) text(name string) string {
	v, ok := a.get(name)
	if !ok {
		return ""
	}
	switch v := v.(type) {
	case string:
		return v
	case python.Path:
		return string(v)
	case *member:
		return v.text
	}
	a.wrong(name, "text", v)
	return ""
}

// must is an argument that has to be given.
func (a *args) must(name string) string {
	s := a.text(name)
	if s == "" {
		a.fail("lacks argument '%s'", name)
	}
	return s
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

func (a *args) integer(name string) int64 {
	v, ok := a.get(name)
	if !ok {
		return 0
	}
	i, isInt := v.(int64)
	if !isInt {
		a.wrong(name, "an integer", v)
	}
	return i
}

// duration is a timedelta; nil when it is not given.
func (a *args) duration(name string) *durationpb.Duration {
	v, ok := a.get(name)
	if !ok {
		return nil
	}
	d, isDelta := v.(python.Timedelta)
	if !isDelta {
		a.wrong(name, "a timedelta", v)
		return nil
	}
	return durationpb.New(time.Duration(d))
}

// tags is a dict of texts; nil when it is empty.
func (a *args) tags(name string) map[string]string {
	v, ok := a.get(name)
	if !ok {
		return nil
	}
	d, isDict := v.(*python.Dict)
	if !isDict {
		a.wrong(name, "a dict of texts", v)
		return nil
	}
	var out map[string]string
	for i := range d.Keys {
		k, kok := d.Keys[i].(string)
		t, vok := d.Values[i].(string)
		if u, unknown := d.Values[i].(*python.Unknown); unknown {
			a.fail("argument '%s' depends on what cannot be known without running Python (%s)", name, u.Why)
			return nil
		}
		if !kok || !vok {
			a.fail("argument '%s' holds %s: %s; keys and values must be texts", name, python.Repr(d.Keys[i]), python.Repr(d.Values[i]))
			return nil
		}
		if out == nil {
			out = map[string]string{}
		}
		out[k] = t
	}
	return out
}

// list gives the items of a list or tuple.
func (a *args) list(name string) []any {
	v, ok := a.get(name)
	if !ok {
		return nil
	}
	items, isList := python.Items(v)
	if _, isText := v.(string); !isList || isText {
		a.wrong(name, "a list", v)
		return nil
	}
	for _, item := range items {
		if u, unknown := item.(*python.Unknown); unknown {
			a.fail("argument '%s' holds what cannot be known without running Python (%s); write it out", name, u.Why)
			return nil
		}
	}
	return items
}

func (a *args) texts(name string) []string {
	var out []string
	for _, v := range a.list(name) {
		s, ok := v.(string)
		if !ok {
			a.wrong(name, "a list of texts", v)
			return nil
		}
		out = append(out, s)
	}
	return out
}

// each converts the items of a list argument, of which all must be of type T.
func each[T any](a *args, name, want string) []T {
	var out []T
	for _, v := range a.list(name) {
		t, ok := v.(T)
		if !ok {
			a.fail("argument '%s' holds a %s, want %s", name, python.TypeName(v), want)
			return nil
		}
		out = append(out, t)
	}
	return out
}

// one converts an argument that must be of type T; the zero value when it is
// not given.
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
