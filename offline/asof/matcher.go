package asof

import (
	"errors"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
)

// matcher finds the rows of one view for the rows of a block.
type matcher struct {
	view   offline.JoinView
	block  *block
	space  *space
	fields []arrow.Field // of the features
	picker
	encoder *encoder
	// The units of the source's times.
	unit, createdUnit arrow.TimeUnit
}

// begin prepares for the rows of a source of some schema.
func (m *matcher) begin(schema *arrow.Schema, memory int64, dir string) error {
	keys := len(m.view.Keys)
	features := schema.Fields()[keys : keys+len(m.view.Features)]
	m.fields = slices.Clone(features)
	for i, f := range features {
		m.fields[i].Type, m.fields[i].Nullable = plain(f.Type), true
	}
	columns, kinds := make([]int, keys), make([]types.ValueType_Enum, keys)
	for i, k := range m.view.Keys {
		columns[i], kinds[i] = i, k.Type
	}
	var err error
	if m.encoder, err = newEncoder(schema, columns, kinds); err != nil {
		return err
	}
	times := schema.Fields()[keys+len(features):]
	if m.unit, err = unitOf(times[0]); err != nil {
		return err
	}
	if m.view.Created != "" {
		if m.createdUnit, err = unitOf(times[1]); err != nil {
			return err
		}
	}
	m.shelf = newShelf(features, memory, dir)
	m.best = slices.Repeat([]choice{nothing}, len(m.space.buckets))
	return nil
}

// batch looks at the rows of a batch of the source.
func (m *matcher) batch(batch arrow.RecordBatch) error {
	columns := batch.Columns()
	rest := columns[len(m.view.Keys)+len(m.view.Features):]
	at, err := timesOf(rest[0])
	if err != nil {
		return err
	}
	made, err := createdOf(rest[1:])
	if err != nil {
		return err
	}
	for i := range at {
		if rest[0].IsNull(i) {
			continue
		}
		key, err := m.encoder.encode(columns, i)
		var bad keyError
		if errors.As(err, &bad) || key == nil {
			continue // it equals no key
		}
		id, _ := m.space.keys.find(key)
		if id < 0 {
			continue
		}
		when, known := roundUp(int64(at[i]), m.unit, m.block.unit), true
		created := made(i)
		if m.view.CreatedBefore {
			known = created != neverCreated
			when = max(when, roundUp(created, m.createdUnit, m.block.unit))
		}
		if bucket := m.space.bucket(id, when); known && bucket >= 0 {
			m.offer(bucket, int64(at[i]), created, i)
		}
	}
	features := make([]arrow.ArrayData, len(m.view.Features))
	for i := range features {
		features[i] = columns[len(m.view.Keys)+i].Data()
	}
	if err := m.settle(features); err != nil {
		return err
	}
	return m.shelf.shrink(m.best)
}

// createdOf reads the created times of a batch, if there is a column of them.
func createdOf(columns []arrow.Array) (func(row int) int64, error) {
	if len(columns) == 0 {
		return func(int) int64 { return neverCreated }, nil
	}
	made, err := timesOf(columns[0])
	if err != nil {
		return nil, err
	}
	return func(row int) int64 {
		if columns[0].IsNull(row) {
			return neverCreated
		}
		return int64(made[row])
	}, nil
}

// answers finds the row of each row of the block: the newest of its own bucket
// and those before it, if that is young enough.
func (m *matcher) answers() (*answers, error) {
	if err := m.shelf.flush(); err != nil {
		return nil, err
	}
	numbers := slices.Repeat([]int64{nothing.number}, m.block.rows)
	s := m.space
	next := 0 // in the order of the rows
	for key := range s.keys.rows() {
		newest := nothing
		for b := s.starts[key]; b < s.starts[key+1]; b++ {
			if c := m.best[b]; c.number >= 0 && c.newer(newest) {
				newest = c
			}
			fits := newest.number >= 0 && (m.view.TTL == 0 ||
				instantOf(s.buckets[b], m.block.unit).within(m.view.TTL, instantOf(newest.at, m.unit)))
			for ; next < len(s.order) && s.ids[s.order[next]] == int32(key) && m.block.times[s.order[next]] == s.buckets[b]; next++ {
				if fits {
					numbers[s.order[next]] = newest.number
				}
			}
		}
	}
	m.best = nil
	return &answers{fields: m.fields, parts: []part{{end: m.block.rows, numbers: numbers, shelf: m.shelf}}}, nil
}

func (m *matcher) close() {
	if m.shelf != nil {
		m.shelf.close()
	}
}
