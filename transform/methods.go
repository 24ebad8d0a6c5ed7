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
	if v.k != kList {
		return val{}, outside("append() of a %s is not supported", v.typeName())
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
