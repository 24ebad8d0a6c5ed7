package arrowipc

import (
	"encoding/binary"
	"strings"
)

// builder writes flatbuffers from their end to their beginning, as tables of 64 bits whose
// offsets point to what was written before.
type builder struct {
	b []byte
}

// prepend puts bytes before all others and returns their place from the end.
func (f *builder) prepend(p ...byte) int {
	f.b = append(append([]byte(nil), p...), f.b...)
	return len(f.b)
}

func (f *builder) u32(v uint32) int {
	return f.prepend(binary.LittleEndian.AppendUint32(nil, v)...)
}

// offset writes an offset to a place.
func (f *builder) offset(to int) { f.u32(uint32(len(f.b) + 4 - to)) }

func (f *builder) text(s string) int {
	f.prepend([]byte(s)...)
	return f.u32(uint32(len(s)))
}

// vector writes the same offset n times.
func (f *builder) vector(n, to int) int {
	at := len(f.b)
	p := binary.LittleEndian.AppendUint32(nil, uint32(n))
	for i := range n {
		place := at + 4*(n-i) // of this offset, from the end
		p = binary.LittleEndian.AppendUint32(p, uint32(place-to))
	}
	return f.prepend(p...)
}

// table writes a table whose fields are offsets, by their numbers; extra is a field of one
// byte.
func (f *builder) table(fields map[int]int, extraField int, extra byte) int {
	var slots [8]uint16
	size := 4
	var order []int
	for n := range 8 {
		if _, ok := fields[n]; ok {
			slots[n] = uint16(size)
			order = append(order, n)
			size += 4
		}
	}
	if extra != 0 {
		slots[extraField] = uint16(size)
		size += 4
		f.prepend(extra, 0, 0, 0)
	}
	for i := len(order) - 1; i >= 0; i-- {
		f.offset(fields[order[i]])
	}
	vtable := binary.LittleEndian.AppendUint16(nil, 4+2*8)
	vtable = binary.LittleEndian.AppendUint16(vtable, uint16(size))
	for _, s := range slots {
		vtable = binary.LittleEndian.AppendUint16(vtable, s)
	}
	table := f.u32(uint32(len(vtable)))
	f.prepend(vtable...)
	return table
}

// message wraps a schema whose fields are a vector.
func (f *builder) message(fields, metadata int) []byte {
	of := map[int]int{1: fields}
	if metadata != 0 {
		of[2] = metadata
	}
	schema := f.table(of, 0, 0)
	message := f.table(map[int]int{2: schema}, 1, SchemaMessage)
	f.offset(message)
	return f.b
}

// bomb is a schema of structs of structs, each with the same child many times.
func bomb() []byte {
	f := &builder{}
	name := f.text("n")
	field := f.table(map[int]int{0: name}, 2, 13)
	for range 20 {
		children := f.vector(100, field)
		field = f.table(map[int]int{0: name, 5: children}, 2, 13)
	}
	return f.message(f.vector(1, field), 0)
}

// namesBomb is a schema whose metadata has the same long text many times.
func namesBomb() []byte {
	f := &builder{}
	long := f.text(strings.Repeat("x", 200_000))
	pair := f.table(map[int]int{0: long, 1: long}, 0, 0)
	return f.message(f.vector(1, f.table(map[int]int{0: f.text("n")}, 2, 13)), f.vector(100_000, pair))
}
