package transform

import (
	"math"
	"strings"

	"github.com/banquet-fs/banquet/definitions/pytext"
)

type textParam struct {
	name     string
	optional bool
}

func splitParams(form string) []textParam {
	var out []textParam
	for _, f := range strings.Fields(form) {
		name, optional := strings.CutSuffix(f, "?")
		out = append(out, textParam{name, optional})
	}
	return out
}

// textMethod is a method of Python's str.
func textMethod(name string) method {
	how, ok := pytext.Find(name)
	if !ok {
		return nil
	}
	return func(_ *machine, v val, a *args) (val, error) { return pythonText(name, how, v.s, a) }
}

// pythonText calls a method of Python's str.
func pythonText(name string, how pytext.Method, s string, a *args) (val, error) {
	if fn := casing[name]; fn != nil && len(a.pos)+len(a.names) == 0 {
		return textVal(fn(s)), nil
	}
	params := splitParams(how.Params)
	in := make([]any, len(params))
	if len(a.pos) > len(params) || len(a.names) > 0 && !how.Named {
		return val{}, typeError("str.%s() does not take these arguments", name)
	}
	for i, p := range params {
		v, ok := a.get(i, p.name)
		if !ok {
			if !p.optional {
				return val{}, typeError("str.%s() misses its argument %s", name, p.name)
			}
			continue
		}
		in[i] = textArgument(v)
	}
	out, err := how.Call(s, in)
	if err != nil {
		if strings.Contains(err.Error(), "these characters") {
			return val{}, tooMuch("str.%s() of these characters is not supported", name)
		}
		return val{}, &failure{text: err.Error(), data: true}
	}
	return fromText(out)
}

func textArgument(v val) any {
	switch v.k {
	case kNone:
		return nil
	case kText:
		return v.s
	case kInt, kBool:
		return v.i
	case kTuple:
		var out []any
		for _, x := range v.ref.(*list).items {
			out = append(out, textArgument(x))
		}
		return out
	}
	return pytext.Other(v.typeName())
}

func fromText(v any) (val, error) {
	switch v := v.(type) {
	case bool:
		return boolVal(v), nil
	case int64:
		return intVal(v), nil
	case string:
		return textVal(v), nil
	case []string:
		out := make([]val, len(v))
		for i, s := range v {
			out[i] = textVal(s)
		}
		return listVal(out), nil
	case [3]string:
		return val{k: kTuple, ref: &list{[]val{textVal(v[0]), textVal(v[1]), textVal(v[2])}}}, nil
	}
	return val{}, outside("this method of str is not supported")
}

func textJoin(m *machine, v val, a *args) (val, error) {
	if err := a.known("join()", 1); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "join()")
	}
	s, err := m.iterate(a.pos[0])
	if err != nil {
		return val{}, err
	}
	var b strings.Builder
	for i := range s.len() {
		x := s.at(i)
		if x.k != kText {
			return val{}, &failure{class: "TypeError", text: "sequence item " + itoa(int64(i)) + ": expected str instance, " + x.typeName() + " found", data: true}
		}
		if i > 0 {
			b.WriteString(v.s)
		}
		b.WriteString(x.s)
		if b.Len() > maxText {
			return val{}, tooMuch("the text is longer than %d bytes", maxText)
		}
	}
	return textVal(b.String()), nil
}

func listAppend(m *machine, v val, a *args) (val, error) {
	if err := a.known("append()", 1); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "append()")
	}
	l := v.ref.(*list)
	l.items = append(l.items, a.pos[0])
	m.mem.used += 64
	return val{}, nil
}

func listExtend(m *machine, v val, a *args) (val, error) {
	if err := a.known("extend()", 1); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "extend()")
	}
	more, err := m.listed(a.pos[0])
	l := v.ref.(*list)
	l.items = append(l.items, more...)
	m.mem.used += 64 * len(more)
	return val{}, err
}

func listCount(_ *machine, v val, a *args) (val, error) {
	if err := a.known("count()", 1); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "count()")
	}
	n := int64(0)
	for _, x := range v.ref.(*list).items {
		is, err := compareScalars("==", x, a.pos[0])
		if err != nil {
			return val{}, err
		}
		if is {
			n++
		}
	}
	return intVal(n), nil
}

func dictGet(_ *machine, v val, a *args) (val, error) {
	if err := a.known("get()", 2); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "get()")
	}
	if err := hashable(a.pos[0]); err != nil {
		return val{}, err
	}
	d := v.ref.(*dict)
	if i := d.find(a.pos[0]); i >= 0 {
		return d.values[i], nil
	}
	out, _ := a.get(1, "default")
	return out, nil
}

func dictItems(_ *machine, v val, a *args) (val, error) {
	d := v.ref.(*dict)
	return val{k: kIter, ref: &items{zip: []items{{list: d.keys}, {list: d.values}}}}, a.known("items()", 0)
}

func dictKeys(_ *machine, v val, a *args) (val, error) {
	return listVal(append([]val(nil), v.ref.(*dict).keys...)), a.known("keys()", 0)
}

func dictValues(_ *machine, v val, a *args) (val, error) {
	return listVal(append([]val(nil), v.ref.(*dict).values...)), a.known("values()", 0)
}

func dictUpdate(_ *machine, v val, a *args) (val, error) {
	d := v.ref.(*dict)
	if len(a.pos) > 0 {
		other, ok := a.pos[0].ref.(*dict)
		if !ok {
			return val{}, outside("update() with a %s is not supported", a.pos[0].typeName())
		}
		for i, k := range other.keys {
			d.set(k, other.values[i])
		}
	}
	for i, n := range a.names {
		d.set(textVal(n), a.named[i])
	}
	return val{}, nil
}

func isInteger(_ *machine, v val, a *args) (val, error) {
	if v.k != kFloat {
		return val{}, noAttribute(v, "is_integer")
	}
	return boolVal(v.f == math.Trunc(v.f) && !math.IsInf(v.f, 0)), a.known("is_integer()", 0)
}

// numberItem is .item() of a NumPy scalar.
func numberItem(_ *machine, v val, a *args) (val, error) {
	if v.w == dNone {
		return val{}, noAttribute(v, "item")
	}
	v.w = dNone
	return v, a.known("item()", 0)
}

// numberAstype is astype of a NumPy float to a float.
func numberAstype(_ *machine, v val, a *args) (val, error) {
	if err := a.known("astype()", 1, "dtype"); err != nil {
		return val{}, err
	}
	t, _ := a.get(0, "dtype")
	dt, _, err := dtypeOf(t)
	if err != nil {
		return val{}, err
	}
	if v.w == dNone || !v.w.isNumber() || dt != dFloat64 {
		return val{}, outside("astype() of a %s is not supported here", v.typeName())
	}
	return val{k: kFloat, w: dFloat64, f: v.float()}, nil
}
