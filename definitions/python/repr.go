package python

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/banquet-fs/banquet/definitions/pytext"
)

const (
	// maxText bounds the texts that operations make, in bytes.
	maxText = pytext.MaxText
	// maxNesting bounds the depth to which values are traversed.
	maxNesting = 50
	// maxBrief bounds the texts of values in errors, in bytes.
	maxBrief = 200
)

// writer formats values as Python's repr does, within limits.
type writer struct {
	b       strings.Builder
	meter   *meter
	depth   int
	short   bool // ends after maxBrief bytes
	full    bool
	unknown *Unknown
	// strange is set if the text of a value is known only to Python.
	strange string
	err     error
}

// Str is Python's str of a value, for messages.
func Str(v any) string {
	if s, ok := asText(v); ok {
		return s
	}
	return Repr(v)
}

// Repr is Python's repr of a value, for messages.
func Repr(v any) string {
	w := writer{}
	w.value(v)
	return w.b.String()
}

// Brief is the start of a value's repr, for errors.
func Brief(v any) string {
	w := writer{short: true}
	if s, ok := v.(string); ok && len(s) > maxBrief {
		return pytext.Quote(strings.ToValidUTF8(s[:maxBrief], "")) + "…"
	}
	w.value(v)
	if w.full {
		return w.b.String() + "…"
	}
	return w.b.String()
}

func (w *writer) result() (any, error) {
	switch {
	case w.err != nil:
		return nil, w.err
	case w.unknown != nil:
		return w.unknown, nil
	case w.full:
		return nil, fmt.Errorf("the text of this value is too long")
	case w.strange != "":
		return &Unknown{Why: "the text of a " + w.strange}, nil
	}
	return w.b.String(), nil
}

// room counts the work of a value; it returns false if the text ends before it.
func (w *writer) room(v any) bool {
	most := maxText
	if w.short {
		most = maxBrief
	}
	if w.full = w.full || w.b.Len() > most || w.depth > maxNesting; w.full || w.err != nil {
		return false
	}
	w.err = w.meter.step(1 + textSize(v)/64)
	w.full = w.err == nil && w.short && textSize(v) > maxBrief
	return w.err == nil && !w.full
}

func (w *writer) value(v any) {
	if !w.room(v) {
		return
	}
	w.depth++
	defer func() { w.depth-- }()
	switch v := v.(type) {
	case nil:
		w.b.WriteString("None")
	case bool:
		w.b.WriteString(map[bool]string{true: "True", false: "False"}[v])
	case int64:
		w.b.WriteString(strconv.FormatInt(v, 10))
	case float64:
		w.b.WriteString(pytext.Float(v))
	case string:
		w.b.WriteString(pytext.Quote(v))
	case Bytes:
		w.b.WriteString(pytext.QuoteBytes(v))
	case notImplemented:
		w.b.WriteString("NotImplemented")
	case Ellipsis:
		w.b.WriteString("Ellipsis")
	case *List:
		w.items("[", v.Items, "]")
	case Tuple:
		w.tuple(v)
	case *Set:
		w.set(v)
	case *Dict:
		w.dict(v)
	default:
		w.object(v)
	}
}

func (w *writer) object(v any) {
	switch v := v.(type) {
	case *Instance:
		w.instance(v)
	case *View:
		w.items(v.kind+"([", v.items(), "])")
	case *Unknown:
		w.unknown = v
		w.b.WriteString("<unknown: " + v.Why + ">")
	case Written:
		w.b.WriteString(v.Repr())
	case fmt.Stringer:
		w.strange = TypeName(v)
		w.b.WriteString(v.String())
	default:
		w.strange = TypeName(v)
		w.b.WriteString("<" + TypeName(v) + ">")
	}
}

func (w *writer) items(open string, items []any, closing string) {
	w.b.WriteString(open)
	for i, e := range items {
		if i > 0 {
			w.b.WriteString(", ")
		}
		w.value(e)
		if w.full || w.err != nil {
			return
		}
	}
	w.b.WriteString(closing)
}

func (w *writer) tuple(t Tuple) {
	if len(t) == 1 {
		w.items("(", t, ",)")
		return
	}
	w.items("(", t, ")")
}

func (w *writer) set(s *Set) {
	switch {
	case s.Frozen && s.Len() == 0:
		w.b.WriteString("frozenset()")
	case s.Len() == 0:
		w.b.WriteString("set()")
	case s.Frozen:
		w.items("frozenset({", s.dict.keys, "})")
	default:
		w.items("{", s.dict.keys, "}")
	}
	if s.Len() > 1 {
		w.strange = "set, whose order is not fixed"
	}
}

func (w *writer) dict(d *Dict) {
	b, ok := d.factory.(*Builtin)
	switch exact := ok && b.of == nil && slices.Contains([]string{"list", "int", "dict", "set", "str", "float"}, b.Name); {
	case exact:
		w.b.WriteString("defaultdict(<class '" + b.Name + "'>, ")
		defer w.b.WriteString(")")
	case d.kind != "":
		w.strange = d.kind
	}
	w.b.WriteString("{")
	for i := range d.keys {
		if i > 0 {
			w.b.WriteString(", ")
		}
		w.value(d.keys[i])
		w.b.WriteString(": ")
		w.value(d.values[i])
		if w.full || w.err != nil {
			return
		}
	}
	w.b.WriteString("}")
}

func (w *writer) instance(o *Instance) {
	c := o.Class
	switch m := o.special("__repr__"); {
	case m != nil:
		out, err := c.run.invoke(m, &Call{})
		text, ok := asText(out)
		if u, unknown := out.(*Unknown); unknown {
			w.unknown = u
		} else if err == nil && !ok {
			err = raise("TypeError", "__repr__ returned non-string (type %s)", TypeName(out))
		}
		if err != nil {
			w.err = err
		}
		w.b.WriteString(text)
	case c.enum != nil:
		fmt.Fprintf(&w.b, "<%s.%s: ", c.Name, Str(o.get("_name_")))
		w.value(o.get("_value_"))
		w.b.WriteString(">")
	default:
		w.strange = c.Name
		w.b.WriteString("<" + c.Name + " object>")
	}
}
