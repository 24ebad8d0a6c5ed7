package transform

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// Batch holds the rows of one run: the cells of the inputs, then those of the
// outputs. It is not safe for concurrent use.
type Batch struct {
	p     *Program
	rows  int
	cells []cells // of each input
	text  []byte  // contents of texts
	m     machine
	outs  []*column
	probe bool  // set while compiling
	store bool  // the rows are to be stored
	lists []val // contents of lists, for cells of kind kList
	row   *exprRow
}

// cells are the staged cells of an input. Each row has a kind; bits are its number,
// or the place of its text or list.
type cells struct {
	kinds []kind
	bits  []int64
	size  []int32
	dt    dtype // that of a column of Arrow; dNone for Values
	unit  int64
	utc   bool
	nulls bool // a null counts as present
	left  bool // out of the table
}

func newBatch(p *Program) *Batch {
	return &Batch{p: p, cells: make([]cells, len(p.inputs)), outs: make([]*column, len(p.outputs))}
}

func (b *Batch) reset(rows int) {
	clear(b.lists)
	b.rows, b.text, b.lists, b.store = rows, b.text[:0], b.lists[:0], false
	for i := range b.cells {
		c := &b.cells[i]
		c.kinds, c.bits, c.size = grown(c.kinds, rows), grown(c.bits, rows), grown(c.size, rows)
		clear(c.kinds) // kNone
		c.dt, c.nulls, c.left = dNone, false, false
	}
	clear(b.outs)
}

func grown[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// Rows is the number of rows.
func (b *Batch) Rows() int { return b.rows }

// SetNull says that a column has nulls in other batches of the same table: pandas
// would make its integers floats in this one, too.
func (b *Batch) SetNull(input int) { b.cells[input].nulls = true }

// Store says that the rows are to be stored. Feast makes a DataFrame of them first: a function of
// the mode python gets the values of its columns, such as NaN for a null among numbers. In the
// mode pandas, an input is the output of its name, as it is when the function has returned.
func (b *Batch) Store() { b.store = true }

// LeaveOut says that the rows do not have an optional input.
func (b *Batch) LeaveOut(input int) { b.cells[input].left = true }

// SetValue sets a cell to a serialized feast.types.Value; an empty one is null. The
// bytes are copied. A cell that is not set is null. The error is a fault for bytes
// that are no Value.
func (b *Batch) SetValue(input, row int, v []byte) error {
	c := &b.cells[input]
	if len(v) == 0 {
		return nil
	}
	number, wire, n := protowire.ConsumeTag(v)
	if n < 0 {
		return damaged()
	}
	body := v[n:]
	switch t := types.ValueType_Enum(number); {
	case t == 19: // null
	case wire == protowire.VarintType:
		x, n := protowire.ConsumeVarint(body)
		if n < 0 {
			return damaged()
		}
		if !c.setInt(row, t, int64(x)) {
			return b.farTime(input, row)
		}
	case t == types.ValueType_DOUBLE && wire == protowire.Fixed64Type && len(body) >= 8:
		c.setFloat(row, math.Float64frombits(binary.LittleEndian.Uint64(body)))
	case t == types.ValueType_FLOAT && wire == protowire.Fixed32Type && len(body) >= 4:
		c.setFloat(row, float64(math.Float32frombits(binary.LittleEndian.Uint32(body))))
	case wire == protowire.BytesType:
		return b.setBytes(c, row, t, body)
	default:
		return damaged()
	}
	return nil
}

// damaged is the error of bytes that are no Value.
func damaged() error { return fault.Store(fault.Internal, "a stored value of a feature is damaged") }

// farTime is the error of a time that Python and pandas do not have.
func (b *Batch) farTime(input, row int) error {
	in := b.p.inputs[input]
	if in.Request {
		return b.p.error(fault.Invalid, fmt.Sprintf("has a time beyond the years 1 to 9999 as %q in row %d", in.Name, row))
	}
	return damaged()
}

// minTime and maxTime are the first and the last second of the years 1 to 9999.
const (
	minTime = -62_135_596_800
	maxTime = 253_402_300_799
)

// setInt sets an integer, boolean or time; false for a time that cannot be.
func (c *cells) setInt(row int, t types.ValueType_Enum, x int64) bool {
	switch t {
	case types.ValueType_INT32:
		x = int64(int32(x))
		c.kinds[row] = kInt
	case types.ValueType_INT64:
		c.kinds[row] = kInt
	case types.ValueType_BOOL:
		c.kinds[row] = kBool
	default:
		if x == math.MinInt64 { // Feast's null time
			return true
		}
		if x < minTime || x > maxTime {
			return false
		}
		c.kinds[row], x = kTime, x*1_000_000
	}
	c.bits[row] = x
	return true
}

func setText[T string | []byte](b *Batch, c *cells, row int, s T) {
	c.kinds[row], c.bits[row], c.size[row] = kText, int64(len(b.text)), int32(len(s))
	b.text = append(b.text, s...)
}

// setBytes sets a text or what setOther does.
func (b *Batch) setBytes(c *cells, row int, t types.ValueType_Enum, body []byte) error {
	content, n := protowire.ConsumeBytes(body)
	if n < 0 {
		return damaged()
	}
	if t != types.ValueType_STRING {
		return b.setOther(c, row, t, content)
	}
	setText(b, c, row, content)
	return nil
}

// setOther sets a list, or a value that a function can only test for null.
func (b *Batch) setOther(c *cells, row int, t types.ValueType_Enum, content []byte) error {
	v := val{k: kOpaque, s: t.String()}
	if items, ok, err := listItems(t, content); err != nil {
		return err
	} else if ok {
		v = b.listOf(v.s, itemDtype(t), items)
	}
	c.kinds[row], c.bits[row] = kOpaque, int64(len(b.lists))
	b.lists = append(b.lists, v)
	return nil
}

// listOf is a list as a function gets it. In the mode pandas it is an array of NumPy,
// of which functions can use only what is not different for a list.
func (b *Batch) listOf(name string, dt dtype, items []val) val {
	if b.p.mode == pandasMode {
		return val{k: kOpaque, s: name, ref: &ndarray{items, dt}}
	}
	return listVal(items)
}

// run computes the outputs.
func (b *Batch) run(ctx context.Context) error {
	if b.p.mode == remoteMode {
		return b.runRemote(ctx)
	}
	m := &b.m
	m.mem.reset()
	m.ctx, m.rows, m.steps, m.depth, m.calls = ctx, b.rows, 0, 0, 0
	m.frames, m.frame = m.frames[:0], 0
	m.budget, m.limit = stepsPerRun+stepsPerRow*b.rows, bytesPerRun+bytesPerRow*b.rows
	if b.probe {
		m.budget = probeSteps
	}
	m.vars, m.base = m.vars[:0], 0
	text := string(b.text)
	if b.p.mode == expressionMode {
		return b.runExpressions(text)
	}
	if b.p.mode == pandasMode {
		return b.runPandas(text)
	}
	return b.runPython(text)
}

func (b *Batch) runPandas(text string) error {
	m := &b.m
	f := &frame{rows: b.rows}
	for i := range b.cells {
		for j, name := range b.p.names[i] {
			var c *column
			if j == 0 {
				c = b.column(i, text)
			} else {
				c = m.mem.clone(f.cols[len(f.cols)-1])
			}
			f.names, f.cols = append(f.names, name), append(f.cols, c)
		}
	}
	m.inputs, m.wholeType = f, dNone
	out, err := m.call(b.p.main, &args{pos: []val{{k: kFrame, ref: f}}})
	if err != nil {
		return err
	}
	r, ok := out.ref.(*frame)
	if out.k != kFrame || !ok {
		return typeError("the function returned a %s, not a DataFrame", out.typeName())
	}
	if r.rows != b.rows {
		return valueError("the function returned %d rows for %d", max(0, r.rows), b.rows)
	}
	for i, o := range b.p.outputs {
		if j := f.find(o.Name); j >= 0 && b.store {
			b.outs[i] = f.cols[j]
			continue
		}
		j := r.find(o.Name)
		if j < 0 {
			if j = r.find(b.p.view + "__" + o.Name); j < 0 {
				return &failure{class: "KeyError", text: "the function returned no column \"" + o.Name + "\""}
			}
		}
		b.outs[i] = r.cols[j]
		if r.cols[j].ext == extZoned {
			return outside("times of a zone other than UTC as the feature \"%s\" are not supported; use .dt.tz_convert(\"UTC\")", o.Name)
		}
	}
	return nil
}

// column makes the column of an input as Feast and pandas make it of Values:
// integers with nulls become floats, and only nulls are objects.
func (b *Batch) column(i int, text string) *column {
	c := &b.cells[i]
	n, rows := kindsOf(c.kinds), len(c.kinds)
	null := n.none > 0 || c.nulls
	numbers := n.ints + n.floats
	switch {
	case rows == 0 && c.dt != dNone:
		return b.empty(c)
	case n.none == rows && c.dt != dNone:
		return b.nullsOf(c)
	case n.none == rows || n.others > 0:
		return b.objectsOf(c, text)
	case n.bools == rows && !c.nulls:
		return b.intsOf(c, dBool)
	case n.times+n.none == rows:
		return b.timesOf(c)
	case n.ints == rows && !null:
		return b.intsOf(c, c.integers())
	case numbers+n.none == rows:
		return b.floatsOf(c, c.floats())
	}
	return b.objectsOf(c, text)
}

// integers is the type of a column of integers: that of Arrow, or int64.
func (c *cells) integers() dtype {
	if c.dt.isInt() {
		return c.dt
	}
	return dInt64
}

// floats is the type of a column of floats.
func (c *cells) floats() dtype {
	if c.dt == dFloat32 {
		return dFloat32
	}
	return dFloat64
}

func kindsOf(kinds []kind) seen {
	var n seen
	for _, k := range kinds {
		switch k {
		case kNone:
			n.none++
		case kBool:
			n.bools++
		case kInt:
			n.ints++
		case kFloat:
			n.floats++
		case kTime:
			n.times++
		default:
			n.others++
		}
	}
	return n
}

// empty is a column of Arrow without rows.
func (b *Batch) empty(c *cells) *column {
	out := b.m.mem.column(c.dt, 0)
	out.unit, out.utc = max(1, c.unit), c.utc
	return out
}

// nullsOf is a column of Arrow that has only nulls.
func (b *Batch) nullsOf(c *cells) *column {
	switch {
	case c.dt.isInt() || c.dt.isFloat():
		return b.floatsOf(c, c.floats())
	case c.dt == dTime:
		return b.timesOf(c)
	}
	return b.objectsOf(c, "")
}

func (b *Batch) intsOf(c *cells, dt dtype) *column {
	out := b.m.mem.column(dt, len(c.bits))
	copy(out.ints, c.bits)
	return out
}

func (b *Batch) floatsOf(c *cells, dt dtype) *column {
	out := b.m.mem.column(dt, len(c.bits))
	for i, k := range c.kinds {
		switch k {
		case kNone:
			out.floats[i] = math.NaN()
		case kInt:
			out.floats[i] = float64(c.bits[i])
		default:
			out.floats[i] = math.Float64frombits(uint64(c.bits[i]))
		}
	}
	return out
}

func (b *Batch) timesOf(c *cells) *column {
	out := b.m.mem.column(dTime, len(c.bits))
	out.unit, out.utc = microsecond, true
	if c.dt == dTime {
		out.unit, out.utc = c.unit, c.utc
	}
	for i, k := range c.kinds {
		out.ints[i] = c.bits[i]
		if k == kNone {
			out.ints[i] = nat
		}
	}
	return out
}

func (b *Batch) objectsOf(c *cells, text string) *column {
	out := b.m.mem.column(dObject, len(c.kinds))
	for i := range c.kinds {
		out.objs[i] = b.cell(c, i, text)
	}
	return out
}

// cell is a cell as a value of Python.
func (b *Batch) cell(c *cells, i int, text string) val {
	switch k := c.kinds[i]; k {
	case kNone:
		return val{}
	case kFloat:
		return floatVal(math.Float64frombits(uint64(c.bits[i])))
	case kText:
		return textVal(text[c.bits[i] : c.bits[i]+int64(c.size[i])])
	case kOpaque:
		return b.lists[c.bits[i]]
	case kTime:
		if c.dt != dTime {
			return val{k: kTime, w: dTime, i: c.bits[i]}
		}
		one := column{dt: dTime, unit: c.unit, utc: c.utc, ints: c.bits}
		return one.timeAt(i)
	default:
		return val{k: k, i: c.bits[i]}
	}
}

func (c *cells) setFloat(row int, f float64) {
	c.kinds[row], c.bits[row] = kFloat, int64(math.Float64bits(f))
}
