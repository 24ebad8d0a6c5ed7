package arrowipc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

const (
	magic = "ARROW1"
	// maxDictionaries bounds the dictionaries of a file: each one that extends another
	// copies it.
	maxDictionaries = 1024
)

// ReadFile reads the columns of a file of Arrow that are wanted. Their cells can be read
// without any further check. The file may have so many rows at most. The caller releases
// the table, which points into b.
//
// A file contains a stream of messages; the index after them, which says where each one
// is, is not needed. The error is a RefusalError, or says that the bytes are no such file.
func ReadFile(b []byte, rows int64, want func(column string) bool) (_ arrow.Table, err error) {
	var batches []arrow.RecordBatch
	defer func() {
		if v := recover(); v != nil { // Arrow's library does for some damage
			err = fmt.Errorf("panic: %v", v)
		}
		for _, r := range batches {
			r.Release()
		}
	}()
	if len(b) < 8 || string(b[:len(magic)]) != magic {
		return nil, errors.New("it does not begin as a file of Arrow does")
	}
	m := &fileMessages{left: b[8:], rows: rows}
	in, err := ipc.NewReaderFromMessageReader(m)
	if err != nil {
		return nil, m.cause(err)
	}
	defer in.Release()
	kept, schema, err := wanted(in.Schema(), want)
	if err != nil {
		return nil, err
	}
	for in.Next() {
		batch, err := keep(in.RecordBatch(), kept, schema)
		if err != nil {
			return nil, err
		}
		batches = append(batches, batch)
	}
	if err := in.Err(); err != nil {
		return nil, m.cause(err)
	}
	return array.NewTableFromRecords(schema, batches), nil
}

// wanted are the columns that are wanted, of types that can be checked.
func wanted(in *arrow.Schema, want func(string) bool) (kept []int, _ *arrow.Schema, err error) {
	var fields []arrow.Field
	for i, f := range in.Fields() {
		if !want(f.Name) {
			continue
		}
		if !Checkable(f.Type) {
			return nil, nil, &RefusalError{Text: fmt.Sprintf("column %q has the Arrow type %s", f.Name, f.Type)}
		}
		kept, fields = append(kept, i), append(fields, arrow.Field{Name: f.Name, Type: f.Type, Nullable: true})
	}
	return kept, arrow.NewSchema(fields, nil), nil
}

func keep(in arrow.RecordBatch, kept []int, schema *arrow.Schema) (arrow.RecordBatch, error) {
	columns := make([]arrow.Array, len(kept))
	for i, at := range kept {
		columns[i] = in.Column(at)
		if err := Check(columns[i]); err != nil {
			return nil, fmt.Errorf("column %s: %w", schema.Field(i).Name, err)
		}
		if int64(columns[i].Len()) != in.NumRows() {
			return nil, fmt.Errorf("column %s has %d rows of %d", schema.Field(i).Name, columns[i].Len(), in.NumRows())
		}
	}
	return array.NewRecordBatch(schema, columns, in.NumRows()), nil
}

// fileMessages gives the messages of a file to Arrow's reader.
type fileMessages struct {
	left         []byte
	rows         int64 // how many the next batches may have
	dictionaries int
	err          error
}

// Message returns the next message.
func (m *fileMessages) Message() (*ipc.Message, error) {
	if m.err != nil {
		return nil, m.err
	}
	msg, err := m.next()
	m.err = err
	return msg, err
}

var errFileEnds = errors.New("the file ends before its last message")

func (m *fileMessages) next() (*ipc.Message, error) {
	size, err := m.length()
	if err != nil {
		return nil, err
	}
	header, err := m.take(size)
	if err != nil {
		return nil, err
	}
	s, err := Summarize(header)
	if err != nil {
		return nil, err
	}
	body, err := m.take(s.Body)
	switch {
	case err != nil:
		return nil, err
	case s.Kind == DictionaryMessage:
		m.dictionaries++
	case s.Kind == RecordMessage:
		m.rows -= s.Rows
	}
	switch {
	case m.dictionaries > maxDictionaries:
		return nil, &RefusalError{Text: fmt.Sprintf("it has more than %d dictionaries", maxDictionaries), TooLarge: true}
	case m.rows < 0:
		return nil, &RefusalError{Text: "it has more rows than it may have"}
	}
	return ipc.NewMessage(memory.NewBufferBytes(header), memory.NewBufferBytes(body)), nil
}

// length is the size of the metadata of the next message; io.EOF after the last one.
func (m *fileMessages) length() (int64, error) {
	const continues = 0xffffffff // since Arrow 0.15, before the length
	n := uint32(continues)
	for range 2 {
		b, err := m.take(4)
		if err != nil {
			return 0, err
		}
		if n = binary.LittleEndian.Uint32(b); n != continues {
			break
		}
	}
	if n == 0 {
		return 0, io.EOF
	}
	return int64(n), nil
}

// take removes bytes. Arrow's library slices a buffer up to its capacity.
func (m *fileMessages) take(n int64) ([]byte, error) {
	if n < 0 || n > int64(len(m.left)) {
		return nil, errFileEnds
	}
	b := slices.Clip(m.left[:n])
	m.left = m.left[n:]
	return b, nil
}

// cause is why the reader failed.
func (m *fileMessages) cause(err error) error {
	if m.err != nil && !errors.Is(m.err, io.EOF) {
		return m.err
	}
	return err
}

// Retain does nothing: messages need no count of references.
func (m *fileMessages) Retain() {}

// Release does nothing.
func (m *fileMessages) Release() {}
