package flight

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/arrowipc"
	"github.com/banquet-fs/banquet/internal/spool"
)

// Upload is a table that a client has sent. It waits in memory, or in a temporary file
// if it is large.
type Upload struct {
	*spool.Spool
	// Mock says that it is the table that Feast's client sends where it has none.
	Mock bool

	space *Space
	bytes int64
}

// Close frees the table. It may be called twice.
func (u *Upload) Close() {
	u.Spool.Close()
	u.space.release(u.bytes)
	u.bytes = 0
}

// Space bounds the bytes of all uploads of a server.
type Space struct {
	limit int64
	used  atomic.Int64
}

// NewSpace makes a Space of so many bytes.
func NewSpace(bytes int64) *Space { return &Space{limit: bytes} }

// Used is how many bytes are in use.
func (s *Space) Used() int64 { return s.used.Load() }

func (s *Space) acquire(n int64) error {
	if s.used.Add(n) <= s.limit {
		return nil
	}
	s.used.Add(-n)
	return fault.New(fault.Overloaded, "uploaded tables use all of their %d MB; try again later, or raise banquet.limits.offline_bytes", s.limit>>20)
}

func (s *Space) release(n int64) { s.used.Add(-n) }

const (
	// uploadMemory is how many bytes of an upload stay in memory.
	uploadMemory = 256 << 10
	// maxDictionaries bounds the dictionaries of an upload, which stay in memory.
	maxDictionaries = 64 << 20
	// maxColumns bounds the columns of an upload.
	maxColumns = 4096
)

// Receive reads the table of a call: first is its first message, next returns the
// others and io.EOF after the last. The caller closes the Upload.
func Receive(ctx context.Context, first *Data, next func() (*Data, error), space *Space) (_ *Upload, err error) {
	m := &messages{next: next, pending: first, space: space}
	u := &Upload{space: space}
	defer func() {
		if v := recover(); v != nil { // Arrow's library does for some damage
			err = damaged(fmt.Errorf("panic: %v", v))
		}
		if u.bytes = m.bytes; err == nil {
			return
		}
		if u.Spool != nil {
			u.Spool.Close()
		}
		space.release(u.bytes)
	}()
	in, err := ipc.NewReaderFromMessageReader(m)
	if err != nil {
		return nil, m.cause(err)
	}
	defer in.Release()
	kept, schema, err := keptColumns(in.Schema())
	if err != nil {
		return nil, err
	}
	u.Spool = spool.New(schema, spool.Options{Memory: uploadMemory})
	u.Mock = schema.NumFields() == 1 && schema.Field(0).Name == "key"
	for in.Next() {
		if ctx.Err() != nil {
			return nil, fault.Of(ctx.Err())
		}
		if err := keep(u.Spool, in.RecordBatch(), kept, schema); err != nil {
			return nil, err
		}
	}
	if in.Err() != nil {
		return nil, m.cause(in.Err())
	}
	return u, nil
}

// keptColumns are the columns that belong to the table. pandas adds the numbers of the
// rows where they are not consecutive.
func keptColumns(in *arrow.Schema) (kept []int, _ *arrow.Schema, err error) {
	index := indexColumns(in.Metadata())
	var fields []arrow.Field
	for i, f := range in.Fields() {
		if index[f.Name] {
			continue
		}
		if err := uploadable(f.Name, f.Type); err != nil {
			return nil, nil, err
		}
		kept = append(kept, i)
		fields = append(fields, arrow.Field{Name: f.Name, Type: f.Type, Nullable: true})
	}
	switch {
	case len(fields) == 0:
		return nil, nil, fault.New(fault.Invalid, "the uploaded table has no columns")
	case len(fields) > maxColumns:
		return nil, nil, fault.New(fault.Invalid, "the uploaded table has more than %d columns", maxColumns)
	}
	return kept, arrow.NewSchema(fields, nil), nil
}

// indexColumns are the unnamed index columns of a pandas data frame.
func indexColumns(m arrow.Metadata) map[string]bool {
	at := m.FindKey("pandas")
	if at < 0 {
		return nil
	}
	var pandas struct {
		Index []any `json:"index_columns"`
	}
	if json.Unmarshal([]byte(m.Values()[at]), &pandas) != nil {
		return nil
	}
	out := map[string]bool{}
	for _, c := range pandas.Index {
		if name, ok := c.(string); ok && strings.HasPrefix(name, "__index_level_") {
			out[name] = true
		}
	}
	return out
}

// keep writes a batch to the spool in parts of a bounded size, so that whoever reads it
// again needs little memory: clients send a whole table in one batch.
func keep(to *spool.Spool, in arrow.RecordBatch, kept []int, schema *arrow.Schema) error {
	columns := make([]arrow.Array, len(kept))
	for i, at := range kept {
		columns[i] = in.Column(at)
		if err := arrowipc.Check(columns[i]); err != nil {
			return damaged(fmt.Errorf("column %s: %w", schema.Field(i).Name, err))
		}
	}
	batch := array.NewRecordBatch(schema, columns, in.NumRows())
	defer batch.Release()
	return parts(batch, to.Write)
}

// messages gives an upload's messages to Arrow's reader.
type messages struct {
	next         func() (*Data, error)
	pending      *Data
	space        *Space
	bytes        int64
	dictionaries int64
	err          error
}

// Message returns the next message.
func (m *messages) Message() (*ipc.Message, error) {
	if m.err != nil {
		return nil, m.err
	}
	msg, err := m.read()
	m.err = err
	return msg, err
}

func (m *messages) read() (*ipc.Message, error) {
	d := m.pending
	m.pending = nil
	for d == nil || len(d.Header) == 0 { // a message with the descriptor alone
		var err error
		if d, err = m.next(); err != nil {
			return nil, err
		}
	}
	s, err := arrowipc.Summarize(d.Header)
	if err != nil {
		return nil, unreadable(err)
	}
	// A row counts as a byte at least: columns of nulls have rows without any.
	n := int64(len(d.Header)+len(d.Body)) + s.Rows
	if err := m.space.acquire(n); err != nil {
		return nil, err
	}
	m.bytes += n
	if s.Kind == arrowipc.DictionaryMessage {
		if m.dictionaries += n; m.dictionaries > maxDictionaries {
			return nil, fault.New(fault.TooLarge, "the dictionaries of the uploaded table have more than %d MB; send the columns as plain text", maxDictionaries>>20)
		}
	}
	// Arrow's library slices a buffer up to its capacity.
	return ipc.NewMessage(memory.NewBufferBytes(d.Header), memory.NewBufferBytes(slices.Clip(d.Body))), nil
}

// cause is why the reader failed: an error of the call, or the table is damaged.
func (m *messages) cause(err error) error {
	if m.err != nil && !errors.Is(m.err, io.EOF) {
		return m.err
	}
	return damaged(err)
}

// Retain does nothing: messages need no count of references.
func (m *messages) Retain() {}

// Release does nothing.
func (m *messages) Release() {}
