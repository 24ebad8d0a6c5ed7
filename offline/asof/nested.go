package asof

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/spool"
)

// storage is the type of the columns that a sink makes: dictionaries are plain,
// and extension types are what stores them.
func storage(dt arrow.DataType) arrow.DataType { return spool.Storage(plain(dt)) }

// plain is the type in which a join returns a column: the source's, without
// dictionaries, since the rows of many batches may have more values than the
// index of a dictionary can count.
func plain(dt arrow.DataType) arrow.DataType {
	switch t := dt.(type) {
	case *arrow.DictionaryType:
		return plain(t.ValueType)
	case arrow.ExtensionType:
		if inner := plain(t.StorageType()); !arrow.TypeEqual(inner, t.StorageType()) {
			return inner
		}
		return dt
	}
	return spool.WithFields(dt, func(f arrow.Field) arrow.Field {
		f.Type = plain(f.Type)
		return f
	})
}

func reserve[E any](s []E, n int) []E {
	if cap(s) >= len(s)+n {
		return s
	}
	return slices.Grow(s, max(n, len(s)/4))
}

func wide[O int32 | int64]() int {
	var o any = O(0)
	if _, ok := o.(int32); ok {
		return arrow.Int32SizeBytes
	}
	return arrow.Int64SizeBytes
}

// offsetsOf are the offsets of a column's rows: row i is from i to i+1.
func offsetsOf[O int32 | int64](d arrow.ArrayData) []O {
	if b := d.Buffers()[1]; b == nil || b.Len() == 0 { // a column without rows need not have any
		return make([]O, d.Len()+1)
	}
	return arrow.GetOffsets[O](d, 1)
}

// offsetBuffer makes the offsets of rows that end at ends.
func offsetBuffer[O int32 | int64](ends []O) *memory.Buffer {
	return memory.NewBufferBytes(arrow.GetBytes(append([]O{0}, ends...)))
}

// nothings are cells of the null type.
type nothings struct{ n int }

func (s *nothings) rows(_ arrow.ArrayData, rows []int32) { s.n += len(rows) }
func (s *nothings) span(_ arrow.ArrayData, _, n int)     { s.n += n }
func (s *nothings) nulls(n int)                          { s.n += n }
func (s *nothings) bytes() int                           { return 0 }

func (s *nothings) finish() (arrow.ArrayData, error) {
	d := array.NewData(arrow.Null, s.n, []*memory.Buffer{nil}, nil, s.n, 0)
	s.n = 0
	return d, nil
}

// lists are lists of any length, and maps.
type lists[O int32 | int64] struct {
	valid
	of   arrow.DataType
	most O
	ends []O
	to   sink
	n    int64 // elements
	full bool
}

func (s *lists[O]) rows(from arrow.ArrayData, rows []int32) { each(s, from, rows) }

func (s *lists[O]) span(from arrow.ArrayData, at, n int) {
	offsets := offsetsOf[O](from)
	for i := at; i < at+n; i++ {
		ok := isValid(from, i)
		if ok {
			s.put(from.Children()[0], int(offsets[i]), int(offsets[i+1]-offsets[i]))
		}
		s.end(ok)
	}
}

func (s *lists[O]) put(elements arrow.ArrayData, at, n int) {
	if s.n+int64(n) > int64(s.most) {
		s.full = true
		return
	}
	s.to.span(elements, at, n)
	s.n += int64(n)
}

func (s *lists[O]) end(ok bool) {
	s.ends = append(s.ends, O(s.n))
	s.add(1, ok)
}

func (s *lists[O]) nulls(n int) {
	for range n {
		s.end(false)
	}
}

func (s *lists[O]) bytes() int { return cap(s.bits) + cap(s.ends)*wide[O]() + s.to.bytes() }

func (s *lists[O]) finish() (arrow.ArrayData, error) {
	elements, err := s.to.finish()
	if err == nil && s.full {
		err = tooLarge(s.of)
	}
	if err != nil {
		return nil, err
	}
	d := made(s.of, &s.valid, []*memory.Buffer{offsetBuffer(s.ends)}, elements)
	*s = lists[O]{of: s.of, most: s.most, to: s.to}
	return d, nil
}

// tuples are lists of n elements each.
type tuples struct {
	valid
	of arrow.DataType
	n  int
	to sink
}

func (s *tuples) rows(from arrow.ArrayData, rows []int32) { each(s, from, rows) }

func (s *tuples) span(from arrow.ArrayData, at, n int) {
	s.copy(from, at, n)
	s.to.span(from.Children()[0], (from.Offset()+at)*s.n, n*s.n)
}

func (s *tuples) nulls(n int) {
	s.add(n, false)
	s.to.nulls(n * s.n)
}

func (s *tuples) bytes() int { return cap(s.bits) + s.to.bytes() }

func (s *tuples) finish() (arrow.ArrayData, error) {
	elements, err := s.to.finish()
	if err != nil {
		return nil, err
	}
	d := made(s.of, &s.valid, nil, elements)
	*s = tuples{of: s.of, n: s.n, to: s.to}
	return d, nil
}

// structs are structures.
type structs struct {
	valid
	of arrow.DataType
	to []sink
}

func (s *structs) rows(from arrow.ArrayData, rows []int32) {
	moved := rows
	if at := int32(from.Offset()); at != 0 {
		moved = slices.Clone(rows)
		for i, r := range rows {
			if r >= 0 {
				moved[i] += at
			}
		}
	}
	for _, r := range rows {
		s.add(1, isValid(from, int(r)))
	}
	for i, c := range from.Children() {
		s.to[i].rows(c, moved)
	}
}

func (s *structs) span(from arrow.ArrayData, at, n int) {
	s.copy(from, at, n)
	for i, c := range from.Children() {
		s.to[i].span(c, from.Offset()+at, n)
	}
}

func (s *structs) nulls(n int) {
	s.add(n, false)
	for _, c := range s.to {
		c.nulls(n)
	}
}

func (s *structs) bytes() int {
	n := cap(s.bits)
	for _, c := range s.to {
		n += c.bytes()
	}
	return n
}

func (s *structs) finish() (arrow.ArrayData, error) {
	children := make([]arrow.ArrayData, len(s.to))
	for i, c := range s.to {
		var err error
		if children[i], err = c.finish(); err != nil {
			return nil, err
		}
	}
	d := made(s.of, &s.valid, nil, children...)
	*s = structs{of: s.of, to: s.to}
	return d, nil
}

// unpacking copies the values of a dictionary.
type unpacking struct{ to sink }

func (s *unpacking) rows(from arrow.ArrayData, rows []int32) {
	a := array.NewDictionaryData(from)
	defer a.Release()
	values := make([]int32, 0, len(rows))
	for _, r := range rows {
		if r < 0 || a.IsNull(int(r)) {
			s.to.rows(from.Dictionary(), values)
			s.to.nulls(1)
			values = values[:0]
			continue
		}
		values = append(values, int32(a.GetValueIndex(int(r))))
	}
	s.to.rows(from.Dictionary(), values)
}

func (s *unpacking) span(from arrow.ArrayData, at, n int) {
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = int32(at + i)
	}
	s.rows(from, rows)
}

func (s *unpacking) nulls(n int)                      { s.to.nulls(n) }
func (s *unpacking) bytes() int                       { return s.to.bytes() }
func (s *unpacking) finish() (arrow.ArrayData, error) { return s.to.finish() }

// pieces are cells of a type for which there is nothing faster: unions, views,
// runs.
type pieces struct {
	of  arrow.DataType
	all []arrow.Array
	n   int
}

func (s *pieces) rows(from arrow.ArrayData, rows []int32) { each(s, from, rows) }

func (s *pieces) span(from arrow.ArrayData, at, n int) {
	whole := array.MakeFromData(from)
	defer whole.Release()
	s.all = append(s.all, array.NewSlice(whole, int64(at), int64(at+n)))
	s.n += s.all[len(s.all)-1].Len()
}

func (s *pieces) nulls(n int) {
	s.all = append(s.all, array.MakeArrayOfNull(memory.DefaultAllocator, s.of, n))
	s.n += n
}

func (s *pieces) bytes() int { return 16 * s.n } // they share the memory of their columns

func (s *pieces) finish() (arrow.ArrayData, error) {
	if len(s.all) == 0 {
		s.nulls(0)
	}
	a, err := array.Concatenate(s.all, memory.DefaultAllocator)
	if err != nil {
		return nil, fault.New(fault.Internal, "cells of type %s cannot be copied", s.of).Because(err)
	}
	*s = pieces{of: s.of}
	return a.Data(), nil
}
