package flight

import (
	"bytes"
	"cmp"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	gen "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// The bounds of one record batch, in bytes and rows. Larger ones gain nothing, and the
// sender needs several times their memory.
const (
	partBytes = 1 << 20
	partRows  = 8 << 10
)

// Send streams a result: its schema, then its rows in batches of a bounded size. The
// message is reused as soon as send returns.
func Send(r array.RecordReader, send func(*gen.FlightData) error) error {
	p := &payloads{send: send}
	w := ipc.NewWriterWithPayloadWriter(p, ipc.WithSchema(r.Schema()))
	for r.Next() {
		if err := parts(r.RecordBatch(), w.Write); err != nil {
			return cmp.Or(p.err, err)
		}
	}
	if err := r.Err(); err != nil {
		return err
	}
	err := w.Close()
	return cmp.Or(p.err, err) // Close sends the schema of a result without rows
}

// payloads sends what Arrow's writer makes.
type payloads struct {
	send func(*gen.FlightData) error
	body bytes.Buffer
	err  error // of send
}

// Start does nothing.
func (p *payloads) Start() error { return nil }

// WritePayload sends one Arrow message.
func (p *payloads) WritePayload(payload ipc.Payload) error {
	meta := payload.Meta()
	defer meta.Release()
	p.body.Reset()
	if err := payload.SerializeBody(&p.body); err != nil {
		return err
	}
	p.err = p.send(&gen.FlightData{DataHeader: meta.Bytes(), DataBody: p.body.Bytes()})
	return p.err
}

// Close does nothing: the end of the stream is that of the call.
func (p *payloads) Close() error { return nil }

// parts calls do for parts of a batch that are within the bounds. A row may be larger.
func parts(batch arrow.RecordBatch, do func(arrow.RecordBatch) error) error {
	rows := batch.NumRows()
	n := min(int64(partRows), max(1, rows*partBytes/max(1, batchSize(batch))))
	if rows <= n {
		return do(batch)
	}
	for first := int64(0); first < rows; first += n {
		part := batch.NewSlice(first, min(first+n, rows))
		err := do(part)
		part.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

// batchSize is how many bytes a batch has, without dictionaries.
func batchSize(batch arrow.RecordBatch) int64 {
	var n int64
	for _, c := range batch.Columns() {
		n += arraySize(c)
	}
	return n
}

func arraySize(a arrow.Array) int64 {
	if a.Len() == 0 {
		return 0
	}
	n := int64(a.Len()+7) / 8
	switch a := a.(type) {
	case *array.String:
		return n + int64(4*a.Len()+len(a.ValueBytes()))
	case *array.Binary:
		return n + int64(4*a.Len()+len(a.ValueBytes()))
	case *array.LargeString:
		return n + int64(8*a.Len()+len(a.ValueBytes()))
	case *array.LargeBinary:
		return n + int64(8*a.Len()+len(a.ValueBytes()))
	case *array.Struct:
		for i := range a.NumField() {
			n += arraySize(a.Field(i))
		}
		return n
	case array.ListLike:
		first, _ := a.ValueOffsets(0)
		_, last := a.ValueOffsets(a.Len() - 1)
		values := array.NewSlice(a.ListValues(), first, last)
		defer values.Release()
		return n + 8*int64(a.Len()) + arraySize(values)
	}
	if fixed, ok := a.DataType().(arrow.FixedWidthDataType); ok {
		n += int64(a.Len()) * int64(fixed.Bytes())
	}
	return n
}
