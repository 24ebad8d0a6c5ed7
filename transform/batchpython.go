package transform

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/banquet-fs/banquet/gen/feast/types"
)

// runPython calls the function once with lists, or for a singleton once per row
// with single values.
func (b *Batch) runPython(text string) error {
	m := &b.m
	for i := range b.outs {
		b.outs[i] = m.mem.column(dObject, b.rows)
	}
	if b.p.mode == singletonMode {
		return b.runSingleton(text)
	}
	d := &dict{}
	for i := range b.cells {
		for _, name := range b.p.names[i] {
			d.keys, d.values = append(d.keys, textVal(name)), append(d.values, listVal(b.listed(i, text)))
		}
	}
	out, err := m.call(b.p.main, &args{pos: []val{{k: kDict, ref: d}}})
	if err != nil {
		return err
	}
	for i, o := range b.p.outputs {
		v, err := output(out, o.Name)
		if err != nil {
			return err
		}
		if err := b.setOutput(b.outs[i], o.Name, v); err != nil {
			return err
		}
	}
	return nil
}

// listed are the values of an input as a function of the mode python gets them.
func (b *Batch) listed(i int, text string) []val {
	list := b.objectsOf(&b.cells[i], text).objs
	if !b.store {
		return list
	}
	switch c := b.column(i, text); {
	case c.dt.isFloat():
		for row := range list {
			list[row] = floatVal(c.floats[row])
		}
	case c.dt == dTime:
		for row := range list {
			list[row] = c.timeAt(row)
		}
	}
	return list
}

func (b *Batch) setOutput(to *column, name string, v val) error {
	switch {
	case v.k == kList || v.k == kTuple:
		all := v.ref.(*list).items
		if len(all) != b.rows {
			return valueError("the function returned %d values of \"%s\" for %d rows", len(all), name, b.rows)
		}
		copy(to.objs, all)
	case v.k == kColumn:
		c := v.col()
		if c.n != b.rows {
			return valueError("the function returned %d values of \"%s\" for %d rows", c.n, name, b.rows)
		}
		for i := range to.objs {
			to.objs[i] = c.at(i)
		}
	case b.rows == 1:
		to.objs[0] = v
	default:
		return typeError("the function returned a %s as \"%s\", want a list with one value per row", v.typeName(), name)
	}
	return nil
}

func output(out val, name string) (val, error) {
	d, ok := out.ref.(*dict)
	if out.k != kDict || !ok {
		return val{}, typeError("the function returned a %s, not a dict", out.typeName())
	}
	i := d.find(textVal(name))
	if i < 0 {
		return val{}, &failure{class: "KeyError", text: "the function returned no \"" + name + "\""}
	}
	return d.values[i], nil
}

func (b *Batch) runSingleton(text string) error {
	m := &b.m
	in := &dict{}
	var stored [][]val
	if b.store {
		for i := range b.cells {
			stored = append(stored, b.listed(i, text))
		}
	}
	for row := range b.rows {
		in.keys, in.values, in.index = in.keys[:0], in.values[:0], nil
		for i := range b.cells {
			var v val
			if b.store {
				v = stored[i][row]
			} else {
				v = b.cell(&b.cells[i], row, text)
			}
			for _, name := range b.p.names[i] {
				in.keys, in.values = append(in.keys, textVal(name)), append(in.values, v)
			}
		}
		out, err := m.call(b.p.main, &args{pos: []val{{k: kDict, ref: in}}})
		if err != nil {
			return err
		}
		for i, o := range b.p.outputs {
			v, err := output(out, o.Name)
			if err != nil {
				return err
			}
			b.outs[i].objs[row] = v
		}
	}
	return nil
}

// listItems decodes a list of texts or numbers; ok is false for other values.
func listItems(t types.ValueType_Enum, content []byte) (items []val, ok bool, err error) {
	if itemType(t) == types.ValueType_INVALID {
		return nil, false, nil
	}
	for len(content) > 0 {
		number, wire, n := protowire.ConsumeTag(content)
		if n < 0 || number != 1 {
			return nil, false, damaged()
		}
		content = content[n:]
		if wire == protowire.BytesType && t != types.ValueType_STRING_LIST { // packed
			packed, n := protowire.ConsumeBytes(content)
			if n < 0 {
				return nil, false, damaged()
			}
			for len(packed) > 0 {
				v, n := listItem1(t, packed)
				if n < 0 {
					return nil, false, damaged()
				}
				items, packed = append(items, v), packed[n:]
			}
			content = content[n:]
			continue
		}
		v, n := listItem1(t, content)
		if n < 0 {
			return nil, false, damaged()
		}
		items, content = append(items, v), content[n:]
	}
	return items, true, nil
}

func listItem1(t types.ValueType_Enum, b []byte) (val, int) {
	switch t {
	case types.ValueType_STRING_LIST:
		s, n := protowire.ConsumeBytes(b)
		return textVal(string(s)), n
	case types.ValueType_DOUBLE_LIST:
		x, n := protowire.ConsumeFixed64(b)
		return floatVal(math.Float64frombits(x)), n
	case types.ValueType_FLOAT_LIST:
		x, n := protowire.ConsumeFixed32(b)
		return floatVal(float64(math.Float32frombits(x))), n
	}
	x, n := protowire.ConsumeVarint(b)
	switch t {
	case types.ValueType_BOOL_LIST:
		return boolVal(x != 0), n
	case types.ValueType_INT32_LIST:
		return intVal(int64(int32(x))), n
	}
	return intVal(int64(x)), n
}
