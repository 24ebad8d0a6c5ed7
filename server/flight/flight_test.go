package flight

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	gen "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
)

var entities = arrow.NewSchema([]arrow.Field{
	{Name: "zipcode", Type: arrow.PrimitiveTypes.Int64},
	{Name: "state", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}},
	{Name: "name", Type: arrow.BinaryTypes.String},
	{Name: "tags", Type: arrow.ListOf(arrow.BinaryTypes.String)},
	{Name: "event_timestamp", Type: &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}},
}, nil)

// rowsOf makes a batch of entity rows.
func rowsOf(t testing.TB, rows int) arrow.RecordBatch {
	t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, entities)
	defer b.Release()
	for i := range rows {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		if err := b.Field(1).AppendValueFromString([]string{"CA", "TX"}[i%2]); err != nil {
			t.Fatal(err)
		}
		b.Field(2).(*array.StringBuilder).Append(fmt.Sprint("name ", i))
		l := b.Field(3).(*array.ListBuilder)
		l.Append(i%3 > 0)
		for range i % 3 {
			l.ValueBuilder().(*array.StringBuilder).Append("tag")
		}
		b.Field(4).(*array.TimestampBuilder).Append(arrow.Timestamp(i))
	}
	return b.NewRecordBatch()
}

// messagesOf are the messages of a client that sends batches.
func messagesOf(t testing.TB, schema *arrow.Schema, batches ...arrow.RecordBatch) []*Data {
	t.Helper()
	var out []*Data
	w := ipc.NewWriterWithPayloadWriter(&payloads{send: func(m *gen.FlightData) error {
		out = append(out, &Data{Header: slices.Clone(m.GetDataHeader()), Body: slices.Clone(m.GetDataBody())})
		return nil
	}}, ipc.WithSchema(schema))
	for _, b := range batches {
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out
}

func sequence(messages []*Data) func() (*Data, error) {
	return func() (*Data, error) {
		if len(messages) == 0 {
			return nil, io.EOF
		}
		m := messages[0]
		messages = messages[1:]
		return m, nil
	}
}

func receive(t testing.TB, space *Space, messages []*Data) (*Upload, error) {
	t.Helper()
	return Receive(t.Context(), messages[0], sequence(messages[1:]), space)
}

func TestAnUploadKeepsAllRowsInSmallBatches(t *testing.T) {
	space := NewSpace(1 << 30)
	first, second := rowsOf(t, 100_000), rowsOf(t, 3)
	u, err := receive(t, space, append([]*Data{{Descriptor: &gen.FlightDescriptor{}}}, messagesOf(t, entities, first, second)...))
	if err != nil {
		t.Fatal(err)
	}
	if u.Mock || u.Rows() != 100_003 || space.Used() == 0 {
		t.Errorf("mock %v, %d rows, %d bytes in use", u.Mock, u.Rows(), space.Used())
	}
	r, err := u.Reader()
	if err != nil {
		t.Fatal(err)
	}
	var row int64
	for r.Next() {
		b := r.RecordBatch()
		if b.NumRows() > partRows || batchSize(b) > 2*partBytes {
			t.Errorf("a batch has %d rows in %d bytes", b.NumRows(), batchSize(b))
		}
		for i := range int(b.NumRows()) {
			n := row % 100_000
			got := fmt.Sprint(b.Column(0).ValueStr(i), b.Column(1).ValueStr(i), b.Column(2).ValueStr(i), b.Column(3).(*array.List).ValueStr(i))
			tags := []string{"(null)", `["tag"]`, `["tag","tag"]`}[n%3]
			if want := fmt.Sprint(n, []string{"CA", "TX"}[n%2], "name ", n, tags); got != want {
				t.Fatalf("row %d is %s, want %s", row, got, want)
			}
			row++
		}
	}
	if r.Err() != nil || row != 100_003 {
		t.Errorf("%d rows, then %v", row, r.Err())
	}
	r.Release()
	u.Close()
	u.Close()
	if space.Used() != 0 {
		t.Errorf("%d bytes are in use after Close", space.Used())
	}
}

func TestTheIndexOfADataFrameIsNoColumn(t *testing.T) {
	meta := arrow.NewMetadata([]string{"pandas"}, []string{`{"index_columns": ["__index_level_0__", "named", {"kind": "range"}]}`})
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "key", Type: arrow.PrimitiveTypes.Int64}, {Name: "named", Type: arrow.PrimitiveTypes.Int64}, {Name: "__index_level_0__", Type: arrow.PrimitiveTypes.Int64},
	}, &meta)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	for i := range 3 {
		b.Field(i).(*array.Int64Builder).Append(int64(i))
	}
	u, err := receive(t, NewSpace(1<<20), messagesOf(t, schema, b.NewRecordBatch()))
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	if got := u.Schema(); got.NumFields() != 2 || got.Field(1).Name != "named" || got.HasMetadata() || u.Mock {
		t.Errorf("schema %v", got)
	}
}

// patched changes a message of a valid upload.
func patched(t testing.TB, message int, change func(*Data)) []*Data {
	m := messagesOf(t, entities, rowsOf(t, 100))
	change(m[message])
	return m
}

func TestDamagedUploadsAreRefused(t *testing.T) {
	valid := messagesOf(t, entities, rowsOf(t, 100))
	const dictionary, records = 1, 2
	schemaOf := func(f ...arrow.Field) []*Data { return messagesOf(t, arrow.NewSchema(f, nil)) }
	deep := arrow.PrimitiveTypes.Int64
	for range 40 {
		deep = arrow.ListOf(deep)
	}
	var wide []arrow.Field
	for i := range maxColumns + 1 {
		wide = append(wide, arrow.Field{Name: fmt.Sprint(i), Type: arrow.PrimitiveTypes.Int8})
	}
	for _, c := range []struct {
		name     string
		messages []*Data
		says     string
	}{
		{"no schema", valid[records:], "not a valid stream"},
		{"nothing but a descriptor", []*Data{{}}, "not a valid stream"},
		{"garbage", []*Data{{Header: []byte("garbage that is no flatbuffer")}}, "not a valid stream"},
		{"one byte", []*Data{{Header: []byte{7}}}, "not a valid stream"},
		{"a truncated schema", patched(t, 0, func(d *Data) { d.Header = d.Header[:len(d.Header)/2] }), "not a valid stream"},
		{"a truncated header", patched(t, records, func(d *Data) { d.Header = d.Header[:len(d.Header)/2] }), "not a valid stream"},
		{"a truncated body", patched(t, records, func(d *Data) { d.Body = d.Body[:len(d.Body)/2] }), "not a valid stream"},
		{"no body", patched(t, records, func(d *Data) { d.Body = nil }), "not a valid stream"},
		{"a truncated dictionary", patched(t, dictionary, func(d *Data) { d.Body = d.Body[:8] }), "not a valid stream"},
		{"no dictionary", slices.Concat(valid[:dictionary], valid[records:]), "not a valid stream"},
		{"offsets beyond the text", patched(t, records, func(d *Data) { spoil(d.Body, 100*8+104) }), "not a valid stream"},
		{"a second schema", slices.Concat(valid, valid[:1]), "not a valid stream"},
		{"compressed batches", compressed(t), "compressed"},
		{"no columns", schemaOf(), "no columns"},
		{"too many columns", schemaOf(wide...), "more than 4096 columns"},
		{"deep columns", schemaOf(arrow.Field{Name: "deep", Type: deep}), "nested too deeply"},
		{"a union", schemaOf(arrow.Field{Name: "u", Type: arrow.DenseUnionOf([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int8}}, []int8{0})}), "column u of the uploaded table has the Arrow type"},
		{"text that is not UTF-8", notUTF8(t), "not a valid stream"},
	} {
		t.Run(c.name, func(t *testing.T) {
			space := NewSpace(1 << 30)
			_, err := receive(t, space, c.messages)
			if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v: %v", fault.KindOf(err), err)
			}
			if space.Used() != 0 {
				t.Errorf("%d bytes are still in use", space.Used())
			}
		})
	}
}

func spoil(b []byte, from int) {
	for i := from; i < from+64 && i < len(b); i++ {
		b[i] = 0xff
	}
}

func compressed(t *testing.T) []*Data {
	var out []*Data
	w := ipc.NewWriterWithPayloadWriter(&payloads{send: func(m *gen.FlightData) error {
		out = append(out, &Data{Header: slices.Clone(m.GetDataHeader()), Body: slices.Clone(m.GetDataBody())})
		return nil
	}}, ipc.WithSchema(entities), ipc.WithZstd())
	if err := w.Write(rowsOf(t, 100)); err != nil {
		t.Fatal(err)
	}
	return out
}

func notUTF8(t *testing.T) []*Data {
	schema := arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.BinaryTypes.String}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	b.Field(0).(*array.StringBuilder).Append("\xff\xfe")
	return messagesOf(t, schema, b.NewRecordBatch())
}

// Every byte of an upload may be wrong: it is read or refused, and never panics, not even
// when its cells are read.
func TestNoDamagePanics(t *testing.T) {
	valid := messagesOf(t, entities, rowsOf(t, 8))
	for m := range valid {
		for _, part := range []func(*Data) []byte{func(d *Data) []byte { return d.Header }, func(d *Data) []byte { return d.Body }} {
			for i := range part(valid[m]) {
				for _, to := range []byte{0, 0x7f, 0xff, part(valid[m])[i] + 1} {
					var sent []*Data
					for _, d := range valid {
						sent = append(sent, &Data{Header: slices.Clone(d.Header), Body: slices.Clone(d.Body)})
					}
					part(sent[m])[i] = to
					readAll(t, sent)
				}
			}
		}
	}
}

// readAll reads every cell of an upload, if it is accepted.
func readAll(t testing.TB, messages []*Data) {
	t.Helper()
	space := NewSpace(1 << 24)
	u, err := receive(t, space, messages)
	if err != nil {
		if k := fault.KindOf(err); k != fault.Invalid && k != fault.Overloaded && k != fault.TooLarge {
			t.Fatalf("%v: %v, because %v", k, err, fault.Cause(err))
		}
		return
	}
	defer u.Close()
	r, err := u.Reader()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	for r.Next() {
		b := r.RecordBatch()
		for _, c := range b.Columns() {
			for i := range min(c.Len(), 1000) {
				_ = c.ValueStr(i)
			}
		}
	}
	if r.Err() != nil {
		t.Fatalf("an accepted upload cannot be read again: %v, because %v", r.Err(), fault.Cause(r.Err()))
	}
}

func TestUploadsShareTheirSpace(t *testing.T) {
	m := messagesOf(t, entities, rowsOf(t, 1000))
	space := NewSpace(60_000)
	first, err := receive(t, space, m)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := receive(t, space, m); fault.KindOf(err) != fault.Overloaded || !strings.Contains(err.Error(), "offline_bytes") {
		t.Errorf("with %d of 60,000 bytes in use: %v", space.Used(), err)
	}
	first.Close()
	again, err := receive(t, space, m)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}

func TestRowsWithoutBytesNeedSpace(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.Null}}, nil)
	batch := array.NewRecordBatch(schema, []arrow.Array{array.NewNull(1 << 30)}, 1<<30)
	if _, err := receive(t, NewSpace(1<<20), messagesOf(t, schema, batch)); fault.KindOf(err) != fault.Overloaded {
		t.Errorf("a billion nulls: %v", err)
	}
}

func TestDictionariesAreBounded(t *testing.T) {
	d := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
	schema := arrow.NewSchema([]arrow.Field{{Name: "d", Type: d}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	for i := range 70 {
		if err := b.Field(0).AppendValueFromString(strings.Repeat(string(rune('a'+i)), 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := receive(t, NewSpace(1<<30), messagesOf(t, schema, b.NewRecordBatch())); fault.KindOf(err) != fault.TooLarge {
		t.Errorf("70 MB of dictionary: %v", err)
	}
}

func TestAFailingSenderIsReportedAsItIs(t *testing.T) {
	m := messagesOf(t, entities, rowsOf(t, 10))
	gone := fault.New(fault.TimedOut, "the stream was silent")
	_, err := Receive(t.Context(), m[0], func() (*Data, error) { return nil, gone }, NewSpace(1<<20))
	if !errors.Is(err, gone) {
		t.Errorf("%v", err)
	}
}

func TestDataIsDecoded(t *testing.T) {
	want := &gen.FlightData{
		FlightDescriptor: &gen.FlightDescriptor{Type: gen.FlightDescriptor_CMD, Cmd: []byte("{}")},
		DataHeader:       []byte("header"), AppMetadata: []byte("ignored"), DataBody: bytes.Repeat([]byte("body"), 100_000),
	}
	b, err := proto.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadData(bytes.NewReader(b), len(b))
	if err != nil || !proto.Equal(got.Descriptor, want.FlightDescriptor) || string(got.Header) != "header" || !bytes.Equal(got.Body, want.DataBody) {
		t.Errorf("%v %v", got.Descriptor, err)
	}
	for n := range 40 {
		if _, err := ReadData(bytes.NewReader(b[:n]), len(b)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%d bytes of %d: %v", n, len(b), err)
		}
	}
}

func waitingCall(t *testing.T, w *Waiting, space *Space, text string) error {
	t.Helper()
	u, err := receive(t, space, messagesOf(t, entities, rowsOf(t, 1)))
	if err != nil {
		t.Fatal(err)
	}
	return w.Add([]byte(text), &Command{API: Columns}, u)
}

func TestTicketsAreUsedOnceAndExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, space := NewWaiting(3, time.Minute), NewSpace(1<<20)
		for _, text := range []string{"a", "b", "a", "c"} { // the second a replaces the first
			if err := waitingCall(t, w, space, text); err != nil {
				t.Fatal(err)
			}
		}
		if err := waitingCall(t, w, space, "d"); fault.KindOf(err) != fault.Overloaded {
			t.Errorf("a fourth upload: %v", err)
		}
		a, _ := w.Ticket([]byte("a"))
		b, _ := w.Ticket([]byte("b"))
		if len(a) < 16 || bytes.Equal(a, b) {
			t.Errorf("tickets %s and %s", a, b)
		}
		for _, text := range []string{"", "d", "A"} {
			if ticket, err := w.Ticket([]byte(text)); fault.KindOf(err) != fault.NotFound {
				t.Errorf("ticket of %q: %s %v", text, ticket, err)
			}
		}
		c, err := w.Take(a)
		if err != nil || c.Upload.Rows() != 1 {
			t.Fatal(err)
		}
		if _, err := w.Take(a); fault.KindOf(err) != fault.NotFound {
			t.Errorf("a ticket used twice: %v", err)
		}
		w.GiveBack(c)
		if c, err = w.Take(a); err != nil {
			t.Errorf("a ticket given back: %v", err)
		}
		c.Upload.Close()
		time.Sleep(2 * time.Minute) //nolint:forbidigo // in a bubble with a clock of its own
		if _, err := w.Take(b); fault.KindOf(err) != fault.NotFound || space.Used() != 0 {
			t.Errorf("after its time: %v, %d bytes in use", err, space.Used())
		}
		if err := waitingCall(t, w, space, "e"); err != nil {
			t.Errorf("after the others have expired: %v", err)
		}
		w.Close()
		if err := waitingCall(t, w, space, "f"); fault.KindOf(err) != fault.Overloaded || space.Used() != 0 {
			t.Errorf("after Close: %v, %d bytes in use", err, space.Used())
		}
	})
}

func TestAResultIsSentInSmallBatches(t *testing.T) {
	batch := rowsOf(t, 100_000)
	r, err := array.NewRecordReader(entities, []arrow.RecordBatch{batch})
	if err != nil {
		t.Fatal(err)
	}
	var sent []*Data
	err = Send(r, func(m *gen.FlightData) error {
		if n := len(m.GetDataBody()); n > 2*partBytes {
			t.Errorf("a message has %d bytes", n)
		}
		sent = append(sent, &Data{Header: slices.Clone(m.GetDataHeader()), Body: slices.Clone(m.GetDataBody())})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	u, err := receive(t, NewSpace(1<<30), sent)
	if err != nil || u.Rows() != 100_000 {
		t.Fatalf("%v", err)
	}
	u.Close()
	broken := errors.New("the caller has gone")
	r, _ = array.NewRecordReader(entities, []arrow.RecordBatch{batch})
	if err := Send(r, func(*gen.FlightData) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	empty, _ := array.NewRecordReader(entities, nil)
	n := 0
	if err := Send(empty, func(*gen.FlightData) error { n++; return nil }); err != nil || n != 1 {
		t.Errorf("a result without rows has %d messages: %v", n, err)
	}
}
