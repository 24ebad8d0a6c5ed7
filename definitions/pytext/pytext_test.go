package pytext

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// recorded is Python's result for a text or number, written by testdata/record.py.
type recorded struct {
	Kind  string          `json:"kind"`
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
	Args  []any           `json:"args"`
	Out   any             `json:"out"`
	Error string          `json:"error"`
}

func recordings(tb testing.TB) []recorded {
	tb.Helper()
	b, err := os.ReadFile("testdata/cases.jsonl")
	if err != nil {
		tb.Fatal(err)
	}
	var list []recorded
	for line := range bytes.Lines(b) {
		var r recorded
		d := json.NewDecoder(bytes.NewReader(line))
		d.UseNumber()
		if err := d.Decode(&r); err != nil {
			tb.Fatal(err)
		}
		list = append(list, r)
	}
	return list
}

// argument converts a value of a recording to a method's argument.
func argument(tb testing.TB, v any) any {
	tb.Helper()
	n, ok := v.(json.Number)
	if !ok {
		return v
	}
	i, err := n.Int64()
	if err != nil {
		tb.Fatal(err)
	}
	return i
}

func (r recorded) value(tb testing.TB) any {
	tb.Helper()
	var f struct{ Float string }
	var v any
	if json.Unmarshal(r.Value, &f) == nil && f.Float != "" {
		v, _ := strconv.ParseFloat(f.Float, 64)
		return v
	}
	d := json.NewDecoder(bytes.NewReader(r.Value))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		tb.Fatal(err)
	}
	return argument(tb, v)
}

// made is this package's result for a recording.
func (r recorded) made(tb testing.TB) (any, error) {
	tb.Helper()
	v := r.value(tb)
	s, _ := v.(string)
	switch r.Kind {
	case "method":
		m, ok := Find(r.Name)
		if !ok {
			tb.Fatal("unknown method", r.Name)
		}
		args := make([]any, max(len(strings.Fields(m.Params)), len(r.Args)))
		for i, a := range r.Args {
			args[i] = argument(tb, a)
		}
		return m.Call(s, args)
	case "format":
		return Format(v, r.Name)
	case "percent":
		return percented(v, r.Name)
	case "ascii":
		return ASCII(Quote(s)), nil
	case "bytes":
		return QuoteBytes([]byte(s)), nil
	}
	if f, ok := v.(float64); ok {
		return Float(f), nil
	}
	return Quote(s), nil
}

func percented(v any, format string) (any, error) {
	c, rest, err := ParseConversion(format)
	if err != nil {
		return nil, err
	}
	var out string
	s, isText := v.(string)
	switch {
	case c.OfText() && !isText:
		return nil, errors.New("the text of a number is made elsewhere")
	case c.Kind == 'r':
		out, err = c.Text(Quote(s))
	case c.Kind == 'a':
		out, err = c.Text(ASCII(Quote(s)))
	case c.Kind == 's':
		out, err = c.Text(s)
	default:
		out, err = c.Number(v, map[bool]string{true: "str"}[isText])
	}
	return out + rest, err
}

// plainOut is a result as decoded from JSON.
func plainOut(v any) any {
	switch v := v.(type) {
	case int64:
		return json.Number(strconv.FormatInt(v, 10))
	case [3]string:
		return []any{v[0], v[1], v[2]}
	case []string:
		list := []any{}
		for _, s := range v {
			list = append(list, s)
		}
		return list
	}
	return v
}

func TestWhatPythonMakesIsMadeOrRefused(t *testing.T) {
	refused := 0
	list := recordings(t)
	for _, r := range list {
		got, err := r.made(t)
		var e *PythonError
		switch {
		case err != nil && !errors.As(err, &e):
			refused++
		case err != nil:
			if e.Class != r.Error {
				t.Errorf("%s %q of %s %v: %s (%s), want %v%s", r.Kind, r.Name, r.Value, r.Args, e.Class, e.Text, r.Out, r.Error)
			}
		case r.Error != "" || !reflect.DeepEqual(plainOut(got), r.Out):
			t.Errorf("%s %q of %s %v = %q, want %q%s", r.Kind, r.Name, r.Value, r.Args, got, r.Out, r.Error)
		}
	}
	if refused*8 > len(list) {
		t.Errorf("%d of %d are refused", refused, len(list))
	}
}

func TestArgumentsOfOtherTypesRaise(t *testing.T) {
	for _, name := range []string{"strip", "removeprefix", "startswith", "replace", "count", "index", "center", "split", "partition"} {
		m, _ := Find(name)
		args := make([]any, len(strings.Fields(m.Params)))
		args[0] = Other("list")
		var e *PythonError
		if _, err := m.Call("a", args); !errors.As(err, &e) || e.Class != "TypeError" {
			t.Errorf("%s([]) ends with %v", name, err)
		}
	}
}

func TestTextsAreBounded(t *testing.T) {
	m, _ := Find("replace")
	if _, err := m.Call(strings.Repeat("a", 1<<12), []any{"a", strings.Repeat("b", 1<<12), nil}); err == nil {
		t.Error("a text of 16 MiB is returned")
	}
	field := func(string, int) (string, bool, error) { return strings.Repeat("a", 1<<19), true, nil }
	if _, err := Fill("{}{}{}", 0, field); err == nil {
		t.Error("fields make a text of any length")
	}
}

func TestFields(t *testing.T) {
	echo := func(text string, depth int) (string, bool, error) {
		return "<" + text + strconv.Itoa(depth) + ">", true, nil
	}
	for _, c := range [][2]string{
		{"a{{}}b{x:{y}}c", "a{}b<x:{y}0>c"}, {"{", "ValueError"}, {"}", "ValueError"}, {"{a}}", "ValueError"},
	} {
		got, err := Fill(c[0], 0, echo)
		var e *PythonError
		if errors.As(err, &e) {
			got = e.Class
		}
		if got != c[1] {
			t.Errorf("%s = %s, want %s", c[0], got, c[1])
		}
	}
	if _, err := Fill("{a}", 2, echo); err == nil {
		t.Error("fields nest without an end")
	}
}

// No text makes a format or a method panic.
func FuzzText(f *testing.F) {
	for _, r := range recordings(f) {
		s, _ := r.value(f).(string)
		f.Add(r.Name, s, "X", int64(3), 1.5)
	}
	f.Fuzz(func(t *testing.T, name, s, part string, i int64, x float64) {
		for _, v := range []any{s, i, x} {
			if out, err := Format(v, name); err == nil && len(out) > MaxText {
				t.Error("the text is too long")
			}
			if c, _, err := ParseConversion(name); err == nil && !c.OfText() {
				_, _ = c.Number(v, "str")
			} else if err == nil {
				_, _ = c.Text(s)
			}
		}
		_ = Float(x) + Quote(s) + QuoteBytes([]byte(part))
		_, _ = Fill(s, 0, func(string, int) (string, bool, error) { return part, true, nil })
		m, ok := Find(name)
		if !ok {
			return
		}
		for _, a := range [][]any{{part, i, nil}, {i, part, nil}, {part, s, i}, {nil, nil, nil}, {[]any{part}, nil, nil}} {
			_, _ = m.Call(s, a)
		}
	})
}
