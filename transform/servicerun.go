package transform

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// maxCallBytes bounds the rows of one call if they can be divided: Feast's service takes
// messages of 4 MB at most.
const maxCallBytes = 3 << 20

// runRemote computes the outputs by calls of the service.
func (b *Batch) runRemote(ctx context.Context) error {
	for i := range b.outs {
		b.outs[i] = &column{dt: dObject, n: b.rows, objs: make([]val, 0, b.rows)}
	}
	if b.rows == 0 {
		return nil
	}
	rows, err := b.record()
	if err != nil {
		return err
	}
	defer rows.Release()
	if err := b.call(ctx, rows); err != nil || !b.store {
		return err
	}
	text := string(b.text)
	for i, o := range b.p.outputs {
		at := slices.IndexFunc(b.p.names, func(names []string) bool { return names[0] == o.Name })
		if at < 0 || b.cells[at].left {
			continue
		}
		for row := range b.rows { // as in runPandas
			b.outs[i].objs[row] = b.cell(&b.cells[at], row, text)
		}
	}
	return nil
}

// call computes some rows, in parts if there are too many for one call.
func (b *Batch) call(ctx context.Context, rows arrow.RecordBatch) error {
	if n := rows.NumRows(); n > 1 && !b.p.mixes && recordBytes(rows) > maxCallBytes {
		for _, part := range [][2]int64{{0, n / 2}, {n / 2, n}} {
			slice := rows.NewSlice(part[0], part[1])
			err := b.call(ctx, slice)
			slice.Release()
			if err != nil {
				return err
			}
		}
		return nil
	}
	p := b.p
	out, err := p.remote.service.Transform(ctx, &Call{Project: p.remote.project, View: p.view, Rows: rows, Want: p.makes})
	if err != nil {
		return err
	}
	defer out.Release()
	if out.NumRows() != rows.NumRows() {
		return p.error(fault.Invalid, fmt.Sprintf("cannot be computed: its function returned %d rows for %d (transformation service at %s)", out.NumRows(), rows.NumRows(), p.remote.service.Address()))
	}
	for i, o := range p.outputs {
		at := outputColumn(out.Schema(), p.view, o.Name)
		if at < 0 {
			return p.error(fault.Invalid, fmt.Sprintf("cannot be computed: its function returned no column %q (transformation service at %s)", o.Name, p.remote.service.Address()))
		}
		for _, chunk := range out.Column(at).Data().Chunks() {
			for row := range chunk.Len() {
				b.outs[i].objs = append(b.outs[i].objs, arrowVal(chunk, row))
			}
		}
	}
	return nil
}

// makes reports whether a column of a result is an output.
func (p *Program) makes(name string) bool {
	for _, o := range p.outputs {
		if name == o.Name || name == p.view+"__"+o.Name {
			return true
		}
	}
	return false
}

// outputColumn finds an output: by its full name, under which Feast's service returns it, or
// its own.
func outputColumn(s *arrow.Schema, view, name string) int {
	for _, n := range []string{view + "__" + name, name} {
		if at := s.FieldIndices(n); len(at) > 0 {
			return at[0]
		}
	}
	return -1
}

// record is the inputs as a record batch, which pandas reads as the columns that it would
// make of the same values in Feast.
func (b *Batch) record() (arrow.RecordBatch, error) {
	var fields []arrow.Field
	var columns []arrow.Array
	defer func() {
		for _, a := range columns {
			a.Release()
		}
	}()
	text := string(b.text)
	for i := range b.cells {
		if b.cells[i].left {
			continue
		}
		a, err := b.inputArray(i, text)
		if err != nil {
			return nil, err
		}
		columns = append(columns, a)
		fields = append(fields, arrow.Field{Name: b.p.names[i][0], Type: a.DataType(), Nullable: true})
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, int64(b.rows)), nil
}

func (b *Batch) inputArray(i int, text string) (arrow.Array, error) {
	c := &b.cells[i]
	to := array.NewBuilder(memory.DefaultAllocator, b.inputType(i))
	defer to.Release()
	to.Reserve(b.rows)
	for row := range b.rows {
		if !appendInput(to, b.cell(c, row, text), c.bits[row]) {
			return nil, b.p.error(fault.Unimplemented, fmt.Sprintf("has the input %q with a value in row %d that cannot be sent to the transformation service at %s", b.p.inputs[i].Name, row, b.p.remote.service.Address()))
		}
	}
	return to.NewArray(), nil
}

// inputType is the type of Arrow that pandas reads as the type that column chooses:
// integers with nulls are floats there, and a column of nulls holds objects.
func (b *Batch) inputType(i int) arrow.DataType {
	c := &b.cells[i]
	n, rows := kindsOf(c.kinds), len(c.kinds)
	switch {
	case c.dt == dTime:
		return utcType(c.unit)
	case c.dt == dFloat32:
		return arrow.PrimitiveTypes.Float32
	case c.dt == dFloat64, c.dt.isInt() && (n.none > 0 || c.nulls):
		return arrow.PrimitiveTypes.Float64
	case c.dt.isInt():
		return integerType(c.dt)
	case c.dt == dBool, n.bools > 0:
		return arrow.FixedWidthTypes.Boolean
	case n.none == rows:
		return arrow.Null
	case n.times > 0:
		return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	case n.floats > 0, n.ints > 0 && (n.none > 0 || c.nulls):
		return arrow.PrimitiveTypes.Float64
	case n.ints > 0:
		return arrow.PrimitiveTypes.Int64
	}
	if of := itemType(b.p.inputs[i].Type); of != types.ValueType_INVALID {
		return arrow.ListOf(itemArrow(of))
	}
	return arrow.BinaryTypes.String
}

// utcType is the type of times in a unit, in nanoseconds. Those of training sets have no
// zone here, but have one in Feast.
func utcType(unit int64) arrow.DataType {
	t := &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}
	for u := arrow.Second; u <= arrow.Nanosecond; u++ {
		if int64(u.Multiplier()) == unit {
			t.Unit = u
		}
	}
	return t
}

func integerType(t dtype) arrow.DataType {
	switch t {
	case dInt8:
		return arrow.PrimitiveTypes.Int8
	case dInt16:
		return arrow.PrimitiveTypes.Int16
	case dInt32:
		return arrow.PrimitiveTypes.Int32
	case dUint8:
		return arrow.PrimitiveTypes.Uint8
	case dUint16:
		return arrow.PrimitiveTypes.Uint16
	case dUint32:
		return arrow.PrimitiveTypes.Uint32
	}
	return arrow.PrimitiveTypes.Int64
}

// itemArrow is the type that pyarrow gives the items of a list of Python values.
func itemArrow(t types.ValueType_Enum) arrow.DataType {
	switch t {
	case types.ValueType_INT32:
		return arrow.PrimitiveTypes.Int64
	case types.ValueType_FLOAT:
		return arrow.PrimitiveTypes.Float64
	}
	return OutputType(t)
}

// appendInput appends a cell, whose stored bits are those of a time in the unit of its
// column; false if it is not of the type of the array.
func appendInput(to array.Builder, v val, bits int64) bool {
	if v.k == kNone || v.k == kNaT {
		to.AppendNull()
		return true
	}
	switch to := to.(type) {
	case *array.Float64Builder:
		to.Append(v.float())
		return v.k == kFloat || v.k == kInt
	case *array.Float32Builder:
		to.Append(float32(v.f))
		return v.k == kFloat
	case *array.BooleanBuilder:
		to.Append(v.i != 0)
		return v.k == kBool
	case *array.TimestampBuilder:
		to.Append(arrow.Timestamp(bits))
		return v.k == kTime
	case *array.StringBuilder:
		to.Append(v.s)
		return v.k == kText
	case *array.ListBuilder:
		items, ok := v.ref.(*list)
		to.Append(true)
		for n := 0; ok && n < len(items.items); n++ {
			ok = appendInput(to.ValueBuilder(), items.items[n], 0)
		}
		return ok
	}
	return v.k == kInt && appendInteger(to, v.i)
}

func appendInteger(to array.Builder, i int64) bool {
	switch to := to.(type) {
	case *array.Int64Builder:
		to.Append(i)
	case *array.Int32Builder:
		to.Append(int32(i))
	case *array.Int16Builder:
		to.Append(int16(i))
	case *array.Int8Builder:
		to.Append(int8(i))
	case *array.Uint32Builder:
		to.Append(uint32(i))
	case *array.Uint16Builder:
		to.Append(uint16(i))
	case *array.Uint8Builder:
		to.Append(uint8(i))
	default:
		return false
	}
	return true
}

// recordBytes is about how many bytes of a message rows need.
func recordBytes(rows arrow.RecordBatch) int64 {
	var n int64
	for _, c := range rows.Columns() {
		n += arrayBytes(c)
	}
	return n
}

func arrayBytes(a arrow.Array) int64 {
	n := int64(a.Len())
	switch a := a.(type) {
	case *array.String:
		return 5*n + int64(len(a.ValueBytes()))
	case *array.List:
		if n == 0 {
			return 0
		}
		from, _ := a.ValueOffsets(0)
		_, to := a.ValueOffsets(a.Len() - 1)
		items := array.NewSlice(a.ListValues(), from, to)
		defer items.Release()
		return 5*n + arrayBytes(items)
	}
	return 9 * n
}

// arrowVal is a cell of a result as the value that Feast's server gets from it.
func arrowVal(a arrow.Array, row int) val {
	if a.IsNull(row) {
		return val{}
	}
	switch a := a.(type) {
	case *array.Null: // without a bitmap
		return val{}
	case *array.Float64:
		return floatVal(a.Value(row))
	case *array.Float32:
		return val{k: kFloat, w: dFloat32, f: float64(a.Value(row))}
	case *array.Float16:
		return floatVal(float64(a.Value(row).Float32()))
	case *array.Boolean:
		return boolVal(a.Value(row))
	case *array.String:
		return textVal(a.Value(row))
	case *array.LargeString:
		return textVal(a.Value(row))
	case *array.Timestamp:
		return timeVal(a, row)
	case *array.Date32:
		return val{k: kTime, i: int64(a.Value(row)) * 86_400_000_000}
	case *array.Dictionary:
		return arrowVal(a.Dictionary(), a.GetValueIndex(row))
	case array.ListLike:
		from, to := a.ValueOffsets(row)
		items := make([]val, 0, to-from)
		for i := from; i < to; i++ {
			items = append(items, arrowVal(a.ListValues(), int(i)))
		}
		return val{k: kOpaque, s: a.DataType().String(), ref: &ndarray{items: items}}
	}
	return integerVal(a, row)
}

// integerVal is an integer, or a value that no feature can have.
func integerVal(a arrow.Array, row int) val {
	switch a := a.(type) {
	case *array.Int64:
		return intVal(a.Value(row))
	case *array.Int32:
		return intVal(int64(a.Value(row)))
	case *array.Int16:
		return intVal(int64(a.Value(row)))
	case *array.Int8:
		return intVal(int64(a.Value(row)))
	case *array.Uint8:
		return intVal(int64(a.Value(row)))
	case *array.Uint16:
		return intVal(int64(a.Value(row)))
	case *array.Uint32:
		return intVal(int64(a.Value(row)))
	case *array.Uint64:
		if x := a.Value(row); x <= math.MaxInt64 {
			return intVal(int64(x))
		}
	}
	return val{k: kOpaque, s: a.DataType().String()}
}

func timeVal(a *array.Timestamp, row int) val {
	t := a.DataType().(*arrow.TimestampType)
	x, unit := int64(a.Value(row)), int64(t.Unit.Multiplier())
	if unit > microsecond && (x > math.MaxInt64/(unit/microsecond) || x < math.MinInt64/(unit/microsecond)) {
		return val{k: kOpaque, s: "time out of range"}
	}
	one := column{dt: dTime, unit: unit, utc: t.TimeZone != "", ints: []int64{x}}
	return one.timeAt(0)
}
