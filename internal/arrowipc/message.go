// Package arrowipc checks Arrow's tables that come from outside before Arrow's library
// trusts them: the library allocates what a message claims, and reads the buffers of a
// column without looking at their ends.
package arrowipc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// RefusalError is a message that can be read, and is not.
type RefusalError struct {
	// Text says what is wrong, after "the table cannot be read: ".
	Text string
	// TooLarge says that the message exceeds a bound.
	TooLarge bool
}

// Error says what is wrong.
func (r *RefusalError) Error() string { return r.Text }

// The kinds of Arrow messages, of MessageHeader in Arrow's Message.fbs.
const (
	SchemaMessage     = 1
	DictionaryMessage = 2
	RecordMessage     = 3
)

// Bounds of the metadata of one message. Tables of flatbuffers may share their parts, so
// that a few kilobytes can describe billions of columns or gigabytes of names.
const (
	maxFields = 16384 // columns and the fields within them
	maxDepth  = 32
	maxNames  = 8 << 20 // bytes of names and custom metadata
	maxHeader = 8 << 20
)

// Summary is what the metadata of a message says.
type Summary struct {
	// Kind is that of the message.
	Kind int
	// Rows is the number of rows of a record batch or a dictionary, Body the number of
	// bytes after the metadata.
	Rows, Body int64
}

// Summarize checks the metadata of a message before Arrow's library reads it: what Arrow
// would expand into more memory than the message has is refused. The error is a RefusalError,
// or says that the bytes are no message.
func Summarize(header []byte) (s Summary, err error) {
	defer func() {
		if v := recover(); v != nil { // an offset that points out of the message
			err = fmt.Errorf("metadata of an Arrow message: %v", v)
		}
	}()
	if len(header) > maxHeader {
		return s, &RefusalError{Text: fmt.Sprintf("the metadata of a message has more than %d MB", maxHeader>>20), TooLarge: true}
	}
	m := rootTable(header)
	w := &walk{names: maxNames, fields: maxFields}
	w.metadata(m, 4)
	s.Kind, s.Body = m.byte(1), m.long(3)
	body, ok := m.table(2)
	if !ok {
		return s, errNoContent
	}
	switch s.Kind {
	case SchemaMessage:
		w.schema(body)
	case DictionaryMessage:
		if body, ok = body.table(1); !ok {
			return s, errNoContent
		}
		s.Rows = w.records(body)
	case RecordMessage:
		s.Rows = w.records(body)
	default:
		w.refuse("a message is neither a schema nor a record batch")
	}
	if w.err != nil {
		return s, w.err
	}
	return s, nil
}

var errNoContent = errors.New("a message of Arrow has no content")

// walk bounds the parts of a message.
type walk struct {
	names, fields int
	err           *RefusalError
}

func (w *walk) refuse(text string) {
	if w.err == nil {
		w.err = &RefusalError{Text: text}
	}
}

func (w *walk) schema(t table) {
	if t.short(0) != 0 {
		w.refuse("its numbers are big-endian")
	}
	w.metadata(t, 2)
	w.children(t, 1, 0)
}

// children walks the vector of fields n of a table.
func (w *walk) children(t table, n, depth int) {
	if depth > maxDepth {
		w.refuse("its columns are nested too deeply")
	}
	t.each(n, func(field table) bool {
		if w.fields--; w.fields < 0 {
			w.refuse(fmt.Sprintf("it has more than %d columns and fields", maxFields))
		}
		if w.err != nil {
			return false
		}
		w.text(field, 0)
		w.metadata(field, 6)
		w.children(field, 5, depth+1)
		return w.err == nil
	})
}

func (w *walk) text(t table, n int) {
	if w.names -= t.text(n); w.names < 0 {
		w.refuse(fmt.Sprintf("its names and metadata have more than %d MB", maxNames>>20))
	}
}

// metadata walks pairs of texts.
func (w *walk) metadata(t table, n int) {
	t.each(n, func(pair table) bool {
		w.names -= 8
		w.text(pair, 0)
		w.text(pair, 1)
		return w.err == nil
	})
}

func (w *walk) records(t table) int64 {
	if _, compressed := t.table(3); compressed {
		w.refuse("its record batches are compressed; send them without compression")
	}
	t.vector(1, 16) // of field nodes
	t.vector(2, 16) // of buffers
	t.vector(4, 8)
	rows := t.long(0)
	if rows < 0 || rows > math.MaxInt32 {
		w.refuse("a record batch has a number of rows that cannot be")
	}
	return rows
}

// table is a table of a flatbuffer. Its methods panic for offsets out of the buffer;
// fields are numbered as in the schema.
type table struct {
	b  []byte
	at int
}

func rootTable(b []byte) table { return table{b, u32(b, 0)} }

func u32(b []byte, at int) int { return int(binary.LittleEndian.Uint32(b[at:])) }
func u16(b []byte, at int) int { return int(binary.LittleEndian.Uint16(b[at:])) }

// field is the place of a field, 0 if it is absent.
func (t table) field(n int) int {
	vtable := t.at - int(int32(binary.LittleEndian.Uint32(t.b[t.at:])))
	slot := 4 + 2*n
	if slot >= u16(t.b, vtable) {
		return 0
	}
	offset := u16(t.b, vtable+slot)
	if offset == 0 {
		return 0
	}
	return t.at + offset
}

func (t table) byte(n int) int {
	if p := t.field(n); p != 0 {
		return int(t.b[p])
	}
	return 0
}

func (t table) short(n int) int {
	if p := t.field(n); p != 0 {
		return u16(t.b, p)
	}
	return 0
}

func (t table) long(n int) int64 {
	if p := t.field(n); p != 0 {
		return int64(binary.LittleEndian.Uint64(t.b[p:]))
	}
	return 0
}

func (t table) table(n int) (table, bool) {
	p := t.field(n)
	if p == 0 {
		return table{}, false
	}
	return table{t.b, p + u32(t.b, p)}, true
}

// text is the number of bytes of a text.
func (t table) text(n int) int {
	_, length := t.vector(n, 1)
	return length
}

// vector is the place and the number of elements of a vector of elements of size bytes.
// All of them are in the buffer: Arrow's library allocates as many as it says.
func (t table) vector(n, size int) (at, length int) {
	v, ok := t.table(n)
	if !ok {
		return 0, 0
	}
	length = u32(v.b, v.at)
	_ = v.b[v.at+4 : v.at+4+length*size]
	return v.at + 4, length
}

// each calls do for the tables of a vector, until it returns false.
func (t table) each(n int, do func(table) bool) {
	at, length := t.vector(n, 4)
	for i := range length {
		p := at + 4*i
		if !do(table{t.b, p + u32(t.b, p)}) {
			return
		}
	}
}
