package asof

import (
	"encoding/binary"
	"hash/maphash"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// encoder makes one key of several columns.
type encoder struct {
	columns []int
	cells   []*value.ArrowEncoder
	names   []string
	scratch []byte
}

// newEncoder makes an encoder of keys of some types in some columns.
func newEncoder(schema *arrow.Schema, columns []int, kinds []types.ValueType_Enum) (*encoder, error) {
	e := &encoder{columns: columns}
	for i, c := range columns {
		if c < 0 || c >= schema.NumFields() {
			return nil, fault.New(fault.Internal, "a join key is in column %d of %d", c, schema.NumFields())
		}
		f := schema.Field(c)
		e.cells, e.names = append(e.cells, value.NewArrowKeyEncoder(f.Type, kinds[i])), append(e.names, f.Name)
	}
	return e, nil
}

// keyError is a key that is no value of its type.
type keyError struct {
	column string
	why    error
}

func (b keyError) Error() string { return "column " + b.column + ": " + fault.Of(b.why).Text }
func (b keyError) Unwrap() error { return b.why }

// encode returns the key of a row, until the next call; nil if a part of it is
// null.
func (e *encoder) encode(columns []arrow.Array, row int) ([]byte, error) {
	key := e.scratch[:0]
	for i, c := range e.columns {
		at := len(key)
		if len(e.columns) > 1 { // two keys must not read like two others
			key = append(key, 0, 0, 0, 0)
		}
		start := len(key)
		var err error
		if key, err = e.cells[i].Append(key, columns[c], row); err != nil {
			return nil, keyError{e.names[i], err}
		}
		if len(key) == start {
			e.scratch = key[:0]
			return nil, nil
		}
		if start > at {
			binary.LittleEndian.PutUint32(key[at:], uint32(len(key)-start))
		}
	}
	e.scratch = key
	if key == nil {
		return []byte{}, nil
	}
	return key, nil
}

// table numbers keys in the order in which they come.
type table struct {
	seed  maphash.Seed
	slots []int32 // a key's number plus 1, at its hash or behind it
	ends  []uint32
	bytes []byte
}

func newTable() *table {
	return &table{seed: maphash.MakeSeed(), slots: make([]int32, 64)}
}

// rows is how many keys there are.
func (t *table) rows() int { return len(t.ends) }

// memory is the memory in use.
func (t *table) memory() int { return 4*cap(t.slots) + 4*cap(t.ends) + cap(t.bytes) }

func (t *table) key(i int32) []byte {
	first := uint32(0)
	if i > 0 {
		first = t.ends[i-1]
	}
	return t.bytes[first:t.ends[i]]
}

// find returns the number of a key, or else -1, and its slot.
func (t *table) find(key []byte) (number int32, slot int) {
	mask := len(t.slots) - 1
	for slot = int(maphash.Bytes(t.seed, key)) & mask; ; slot = (slot + 1) & mask {
		i := t.slots[slot] - 1
		if i < 0 || string(t.key(i)) == string(key) {
			return i, slot
		}
	}
}

// add returns the number of a key, which it notes if it is new.
func (t *table) add(key []byte) int32 {
	i, slot := t.find(key)
	if i >= 0 {
		return i
	}
	i = int32(len(t.ends))
	t.bytes = append(t.bytes, key...)
	t.ends = append(t.ends, uint32(len(t.bytes)))
	t.slots[slot] = i + 1
	if 4*len(t.ends) > 3*len(t.slots) {
		t.grow()
	}
	return i
}

func (t *table) grow() {
	t.slots = make([]int32, 2*len(t.slots))
	mask := len(t.slots) - 1
	for i := range t.ends {
		slot := int(maphash.Bytes(t.seed, t.key(int32(i)))) & mask
		for t.slots[slot] != 0 {
			slot = (slot + 1) & mask
		}
		t.slots[slot] = int32(i) + 1
	}
}
