package asof

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
)

// sink copies cells of one type, from any columns of this type, one after the
// other into a new column. A dictionary's cells are copied as plain cells.
type sink interface {
	// rows copies some rows of a column; a negative row is a null.
	rows(from arrow.ArrayData, rows []int32)
	// span copies n rows from row at on.
	span(from arrow.ArrayData, at, n int)
	// nulls adds n nulls.
	nulls(n int)
	// bytes is the memory in use.
	bytes() int
	// finish returns the column. The sink is empty then.
	finish() (arrow.ArrayData, error)
}

// newSink makes a sink of columns of type dt. The column that it makes is of
// type storage(dt).
func newSink(dt arrow.DataType) sink {
	switch t := dt.(type) {
	case arrow.ExtensionType:
		return newSink(t.StorageType())
	case *arrow.DictionaryType:
		return &unpacking{to: newSink(t.ValueType)}
	case *arrow.NullType:
		return &nothings{}
	case *arrow.BooleanType:
		return &bits{}
	case *arrow.StringType, *arrow.BinaryType:
		return &texts[int32]{of: dt, most: math.MaxInt32}
	case *arrow.LargeStringType, *arrow.LargeBinaryType:
		return &texts[int64]{of: dt, most: math.MaxInt64}
	case *arrow.ListType:
		return &lists[int32]{of: storage(dt), to: newSink(t.Elem()), most: math.MaxInt32}
	case *arrow.LargeListType:
		return &lists[int64]{of: storage(dt), to: newSink(t.Elem()), most: math.MaxInt64}
	case *arrow.MapType:
		return &lists[int32]{of: storage(dt), to: newSink(t.Elem()), most: math.MaxInt32}
	case *arrow.FixedSizeListType:
		return &tuples{of: storage(dt), to: newSink(t.Elem()), n: int(t.Len())}
	case *arrow.StructType:
		s := &structs{of: storage(dt)}
		for _, f := range t.Fields() {
			s.to = append(s.to, newSink(f.Type))
		}
		return s
	case arrow.FixedWidthDataType:
		return &numbers{of: dt, width: t.Bytes()}
	}
	return &pieces{of: dt}
}

// each copies rows one by one.
func each(to sink, from arrow.ArrayData, rows []int32) {
	for _, r := range rows {
		if r < 0 {
			to.nulls(1)
			continue
		}
		to.span(from, int(r), 1)
	}
}

// valid counts the rows of a column and remembers which are null.
type valid struct {
	n, none int
	bits    []byte // nil as long as none is null
}

func (v *valid) add(n int, ok bool) {
	if !ok && v.bits == nil {
		v.bits = make([]byte, bitutil.BytesForBits(int64(v.n+n)), bitutil.BytesForBits(int64(max(2*v.n, v.n+n, 1024))))
		bitutil.SetBitsTo(v.bits, 0, int64(v.n), true)
	}
	if v.bits != nil {
		for len(v.bits) < int(bitutil.BytesForBits(int64(v.n+n))) {
			v.bits = append(v.bits, 0)
		}
		if n == 1 {
			bitutil.SetBitTo(v.bits, v.n, ok)
		} else {
			bitutil.SetBitsTo(v.bits, int64(v.n), int64(n), ok)
		}
	}
	if v.n += n; !ok {
		v.none += n
	}
}

// copy adds the rows of a column that are from row at on.
func (v *valid) copy(from arrow.ArrayData, at, n int) {
	if wholly(from) {
		v.add(n, true)
		return
	}
	for i := at; i < at+n; i++ {
		v.add(1, isValid(from, i))
	}
}

func (v *valid) buffer() *memory.Buffer {
	if v.none == 0 {
		return nil
	}
	return memory.NewBufferBytes(v.bits)
}

// wholly reports whether a column is known to have no nulls.
func wholly(d arrow.ArrayData) bool {
	b := d.Buffers()[0]
	return b == nil || b.Len() == 0
}

// isValid reports whether a row is not null; a negative row is.
func isValid(d arrow.ArrayData, row int) bool {
	if row < 0 {
		return false
	}
	b := d.Buffers()[0]
	return b == nil || b.Len() == 0 || bitutil.BitIsSet(b.Bytes(), d.Offset()+row)
}

// made is a finished column.
func made(of arrow.DataType, v *valid, buffers []*memory.Buffer, children ...arrow.ArrayData) arrow.ArrayData {
	return array.NewData(of, v.n, append([]*memory.Buffer{v.buffer()}, buffers...), children, v.none, 0)
}

// numbers are cells of a fixed number of bytes.
type numbers struct {
	valid
	of    arrow.DataType
	width int
	out   []byte
}

func (s *numbers) rows(from arrow.ArrayData, rows []int32) {
	if len(rows) == 0 { // a column without rows need not have any memory
		return
	}
	s.out = reserve(s.out, len(rows)*s.width)
	in := from.Buffers()[1].Bytes()[from.Offset()*s.width:]
	all := wholly(from) && slices.Min(rows) >= 0
	if all {
		s.add(len(rows), true)
	}
	for _, r := range rows {
		i := int(r)
		if !all && !isValid(from, i) {
			s.nulls(1)
			continue
		}
		if !all {
			s.add(1, true)
		}
		switch s.width {
		case 8:
			s.out = binary.LittleEndian.AppendUint64(s.out, binary.LittleEndian.Uint64(in[i*8:]))
		case 4:
			s.out = binary.LittleEndian.AppendUint32(s.out, binary.LittleEndian.Uint32(in[i*4:]))
		default:
			s.out = append(s.out, in[i*s.width:(i+1)*s.width]...)
		}
	}
}

func (s *numbers) span(from arrow.ArrayData, at, n int) {
	if n == 0 {
		return
	}
	s.copy(from, at, n)
	first := from.Offset() + at
	s.out = append(s.out, from.Buffers()[1].Bytes()[first*s.width:(first+n)*s.width]...)
}

func (s *numbers) nulls(n int) {
	s.add(n, false)
	s.out = append(s.out, make([]byte, n*s.width)...)
}

func (s *numbers) bytes() int { return cap(s.out) + cap(s.bits) }

func (s *numbers) finish() (arrow.ArrayData, error) {
	d := made(s.of, &s.valid, []*memory.Buffer{memory.NewBufferBytes(s.out)})
	*s = numbers{of: s.of, width: s.width}
	return d, nil
}

// bits are booleans.
type bits struct {
	valid
	out []byte
}

func (s *bits) put(ok, bit bool) {
	if len(s.out)*8 == s.n {
		s.out = append(s.out, 0)
	}
	bitutil.SetBitTo(s.out, s.n, bit)
	s.add(1, ok)
}

func (s *bits) rows(from arrow.ArrayData, rows []int32) { each(s, from, rows) }

func (s *bits) span(from arrow.ArrayData, at, n int) {
	for i := at; i < at+n; i++ {
		ok := isValid(from, i)
		s.put(ok, ok && bitutil.BitIsSet(from.Buffers()[1].Bytes(), from.Offset()+i))
	}
}

func (s *bits) nulls(n int) {
	for range n {
		s.put(false, false)
	}
}

func (s *bits) bytes() int { return cap(s.out) + cap(s.bits) }

func (s *bits) finish() (arrow.ArrayData, error) {
	d := made(arrow.FixedWidthTypes.Boolean, &s.valid, []*memory.Buffer{memory.NewBufferBytes(s.out)})
	*s = bits{}
	return d, nil
}

// texts are strings and bytes.
type texts[O int32 | int64] struct {
	valid
	of   arrow.DataType
	most O
	ends []O
	out  []byte
	full bool
}

func (s *texts[O]) rows(from arrow.ArrayData, rows []int32) {
	s.ends = reserve(s.ends, len(rows))
	offsets, in, all := offsetsOf[O](from), from.Buffers()[2], wholly(from)
	var bytes []byte
	if in != nil {
		bytes = in.Bytes()
	}
	for _, r := range rows {
		ok := r >= 0 && (all || isValid(from, int(r)))
		if ok {
			s.put(bytes[offsets[r]:offsets[r+1]])
		}
		s.end(ok)
	}
}

func (s *texts[O]) put(text []byte) {
	if int64(len(s.out))+int64(len(text)) > int64(s.most) {
		s.full = true
		return
	}
	s.out = append(s.out, text...)
}

func (s *texts[O]) end(ok bool) {
	s.ends = append(s.ends, O(len(s.out)))
	s.add(1, ok)
}

func (s *texts[O]) span(from arrow.ArrayData, at, n int) {
	for i := at; i < at+n; i++ {
		s.rows(from, []int32{int32(i)})
	}
}

func (s *texts[O]) nulls(n int) {
	for range n {
		s.end(false)
	}
}

func (s *texts[O]) bytes() int { return cap(s.out) + cap(s.bits) + cap(s.ends)*wide[O]() }

func (s *texts[O]) finish() (arrow.ArrayData, error) {
	if s.full {
		return nil, tooLarge(s.of)
	}
	d := made(s.of, &s.valid, []*memory.Buffer{offsetBuffer(s.ends), memory.NewBufferBytes(s.out)})
	*s = texts[O]{of: s.of, most: s.most}
	return d, nil
}

func tooLarge(of arrow.DataType) error {
	return fault.New(fault.TooLarge, "the rows of one batch have more than 2 GB in a column of type %s", of)
}
