package asof

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
)

// block is some entity rows in a row. Each is looked for on its own, so any rows
// may be in a block, whatever keys they share.
type block struct {
	unit   arrow.TimeUnit
	first  int64   // the number of the first row
	rows   int     // how many, once they are sorted
	times  []int64 // of the rows
	spaces []*space
	// index of a view's space
	spaceOf []int
}

// space is the keys of a block by which some views are joined, in the same
// columns and of the same types.
type space struct {
	columns []int
	kinds   []types.ValueType_Enum
	encoder *encoder
	keys    *table
	ids     []int32 // the key of each row; none is negative

	// order is the rows that have a key by key and time. The rows of one key and
	// time are a bucket. Those of key i begin with starts[i].
	order   []int32
	starts  []int32
	buckets []int64 // the times
}

func (s *space) same(columns []int, kinds []types.ValueType_Enum) bool {
	return slices.Equal(s.columns, columns) && slices.Equal(s.kinds, kinds)
}

// newBlock makes a block for the views of a join.
func newBlock(schema *arrow.Schema, views []offline.JoinView) (*block, error) {
	if schema.NumFields() == 0 {
		return nil, fault.New(fault.Invalid, "the entity rows have no column of the event time")
	}
	unit, err := unitOf(schema.Field(schema.NumFields() - 1))
	if err != nil {
		return nil, err
	}
	b := &block{unit: unit}
	for _, v := range views {
		var columns []int
		var kinds []types.ValueType_Enum
		for _, k := range v.Keys {
			columns, kinds = append(columns, k.Entity), append(kinds, k.Type)
		}
		i := slices.IndexFunc(b.spaces, func(s *space) bool { return s.same(columns, kinds) })
		if i < 0 {
			e, err := newEncoder(schema, columns, kinds)
			if err != nil {
				return nil, err
			}
			i = len(b.spaces)
			b.spaces = append(b.spaces, &space{columns: columns, kinds: kinds, encoder: e})
		}
		b.spaceOf = append(b.spaceOf, i)
	}
	b.clear(0)
	return b, nil
}

// clear makes room for other rows, from a number on.
func (b *block) clear(first int64) {
	b.first, b.times = first, b.times[:0]
	for _, s := range b.spaces {
		s.keys, s.ids = newTable(), s.ids[:0]
	}
}

// rowMemory is roughly what a row of a block takes with its time, places in the
// order, and the answers of all views.
func rowMemory(spaces, views int) int64 { return int64(8 + spaces*16 + 24 + views*8) }

// memory is roughly what the block will take when its rows are joined.
func (b *block) memory(rows, views int) int64 {
	n := int64(rows) * rowMemory(len(b.spaces), views)
	for _, s := range b.spaces {
		n += int64(s.keys.memory())
	}
	return n
}

// add adds rows of a batch up to a limit of memory, and at least one. It returns
// how many.
func (b *block) add(batch arrow.RecordBatch, limit int64) (int, error) {
	columns, n := batch.Columns(), int(batch.NumRows())
	step := int(min(1024, 1+limit/rowMemory(len(b.spaces), len(b.spaceOf))/16))
	at := columns[len(columns)-1]
	times, err := timesOf(at)
	if err != nil {
		return 0, err
	}
	for i := range n {
		if i%step == 0 && len(b.times) > 0 && b.memory(len(b.times)+step, len(b.spaceOf)) > limit {
			return i, nil
		}
		b.times = append(b.times, int64(times[i]))
		for _, s := range b.spaces {
			key, err := s.encoder.encode(columns, i)
			if err != nil {
				return 0, b.badKey(err)
			}
			id := int32(-1)
			if key != nil && at.IsValid(i) {
				id = s.keys.add(key)
			}
			s.ids = append(s.ids, id)
		}
	}
	return n, nil
}

// badKey says which key of the last row is none.
func (b *block) badKey(err error) error {
	var bad keyError
	if !errors.As(err, &bad) {
		return err
	}
	return fault.New(fault.Invalid, "entity rows, row %d, column %s: %s", b.first+int64(len(b.times)), bad.column, fault.Of(bad.why).Text).Because(err)
}

// fill reads rows of a reader until the limit. It returns what it did not add of
// the last batch, which may be nil and otherwise belongs to the caller.
func (b *block) fill(ctx context.Context, rows array.RecordReader, limit int64) (rest arrow.RecordBatch, err error) {
	for rows.Next() {
		if ctx.Err() != nil {
			return nil, fault.Of(ctx.Err())
		}
		batch := rows.RecordBatch()
		n, err := b.add(batch, limit)
		if err != nil {
			return nil, err
		}
		if int64(n) < batch.NumRows() {
			return batch.NewSlice(int64(n), batch.NumRows()), nil
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fault.Of(err)
	}
	return nil, nil
}

// forget frees what is no longer needed when the rows have their answers.
func (b *block) forget() {
	b.times = nil
	for _, s := range b.spaces {
		s.keys, s.ids, s.order, s.starts, s.buckets = nil, nil, nil, nil, nil
	}
}

// sort finds the order of the rows.
func (b *block) sort() {
	b.rows = len(b.times)
	for _, s := range b.spaces {
		s.sort(b.times)
	}
}

func (s *space) sort(times []int64) {
	first := make([]int32, s.keys.rows()+1) // of each key in the order
	known := 0
	for _, id := range s.ids {
		if id >= 0 {
			first[id+1]++
			known++
		}
	}
	for i := range s.keys.rows() {
		first[i+1] += first[i]
	}
	s.order = make([]int32, known)
	next := slices.Clone(first)
	for row, id := range s.ids {
		if id >= 0 {
			s.order[next[id]] = int32(row)
			next[id]++
		}
	}
	s.starts = make([]int32, 0, s.keys.rows()+1)
	s.buckets = make([]int64, 0, known)
	for i := range s.keys.rows() {
		rows := s.order[first[i]:first[i+1]]
		slices.SortFunc(rows, func(a, b int32) int { return cmp.Compare(times[a], times[b]) })
		s.starts = append(s.starts, int32(len(s.buckets)))
		for j, row := range rows {
			if j == 0 || times[row] != times[rows[j-1]] {
				s.buckets = append(s.buckets, times[row])
			}
		}
	}
	s.starts = append(s.starts, int32(len(s.buckets)))
}

// bucket is the first bucket of a key that is not before a time; negative if
// there is none.
func (s *space) bucket(key int32, at int64) int32 {
	first, end := s.starts[key], s.starts[key+1]
	i, _ := slices.BinarySearch(s.buckets[first:end], at)
	if first+int32(i) == end {
		return -1
	}
	return first + int32(i)
}
