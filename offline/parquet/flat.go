package parquet

import (
	"encoding/binary"
	"errors"
)

// checkSchema walks the flatbuffer of an Arrow schema before arrow-go does.
// arrow-go trusts the counts in it, and a damaged count ends the process:
// nothing can recover from a failed allocation.
func checkSchema(message []byte) error {
	const marker = 0xffffffff
	if len(message) >= 8 && binary.LittleEndian.Uint32(message) == marker {
		message = message[4:]
	}
	if len(message) < 8 || int(binary.LittleEndian.Uint32(message)) > len(message)-4 {
		return errFlat
	}
	message = message[4:]
	f := &flat{b: message, left: len(message)}
	return guard(func() error {
		const headerSlot, bodySlot, fieldsSlot, notesSlot = 2, 3, 1, 2
		root := f.uint32(0)
		if body := f.slot(root, bodySlot); body != 0 && binary.LittleEndian.Uint64(f.b[body:]) != 0 {
			return errFlat
		}
		header := f.child(root, headerSlot)
		if !f.fits(f.child(header, notesSlot)) {
			return errFlat
		}
		return f.fields(f.child(header, fieldsSlot), 0)
	})
}

var errFlat = errors.New("the Arrow schema is damaged")

// flat reads a flatbuffer. An offset outside of it panics, which guard turns
// into an error.
type flat struct {
	b    []byte
	left int // how many more fields there can be
}

func (f *flat) uint32(at int) int { return int(binary.LittleEndian.Uint32(f.b[at:])) }

// slot is the offset of a field in a table, 0 if the table lacks it.
func (f *flat) slot(table, n int) int {
	vtable := table - int(int32(binary.LittleEndian.Uint32(f.b[table:])))
	size := int(binary.LittleEndian.Uint16(f.b[vtable:]))
	if at := 4 + 2*n; at < size {
		if offset := int(binary.LittleEndian.Uint16(f.b[vtable+at:])); offset != 0 {
			return table + offset
		}
	}
	return 0
}

// child is the offset to which a slot points, 0 if the slot is empty.
func (f *flat) child(table, n int) int {
	if at := f.slot(table, n); at != 0 {
		return at + f.uint32(at)
	}
	return 0
}

// fits reports whether a vector of tables can lie in the buffer.
func (f *flat) fits(vector int) bool { return vector == 0 || f.uint32(vector) <= len(f.b)/4 }

// fields counts the fields in a vector.
func (f *flat) fields(vector, depth int) error {
	const (
		unionType, typeSlot, childrenSlot, notesSlot = 14, 2, 5, 6
		deepest                                      = 100
	)
	if vector == 0 {
		return nil
	}
	n := f.uint32(vector)
	if f.left -= n; f.left < 0 || depth > deepest {
		return errFlat
	}
	for i := range n {
		at := vector + 4 + 4*i
		field := at + f.uint32(at)
		if kind := f.slot(field, typeSlot); kind != 0 && f.b[kind] == unionType { // which Parquet cannot hold
			return errFlat
		}
		if !f.fits(f.child(field, notesSlot)) {
			return errFlat
		}
		if err := f.fields(f.child(field, childrenSlot), depth+1); err != nil {
			return err
		}
	}
	return nil
}
