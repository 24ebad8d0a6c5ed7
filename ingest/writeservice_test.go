package ingest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	arrowmemory "github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/memory"
	"github.com/banquet-fs/banquet/transform"
)

// doubling is a service that returns twice a.
type doubling struct {
	columns []string // of the last call
	err     error
}

func (d *doubling) Address() string { return "functions:6569" }

func (d *doubling) Transform(_ context.Context, call *transform.Call) (arrow.Table, error) {
	if d.err != nil {
		return nil, d.err
	}
	d.columns = nil
	for _, f := range call.Rows.Schema().Fields() {
		d.columns = append(d.columns, f.Name)
	}
	b := array.NewRecordBuilder(arrowmemory.DefaultAllocator, arrow.NewSchema([]arrow.Field{{Name: "computed__x", Type: arrow.PrimitiveTypes.Int64}}, nil))
	a := call.Rows.Column(call.Rows.Schema().FieldIndices("a")[0]).(*array.Int64)
	for row := range a.Len() {
		b.Field(0).(*array.Int64Builder).Append(2 * a.Value(row))
	}
	batch := b.NewRecordBatch()
	return array.NewTableFromRecords(batch.Schema(), []arrow.RecordBatch{batch}), nil
}

// A function that banquet does not compile runs in the service when its inputs are
// written. Columns that the text does not mention may be missing, and are not sent then.
func TestWriteOfInputsForAService(t *testing.T) {
	online, service := &memory.Store{}, &doubling{}
	s, err := registry.OpenSnapshot(withFunction("pandas", "def computed(df):\n    return df[[\"a\"]].pipe(double)\n"), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := ingest.NewWriter(ingest.WriterOptions{
		Snapshots: func() *registry.Snapshot { return s }, Project: "p", KeyVersion: 3, Now: func() time.Time { return time.Unix(1_700_000_000, 0) },
		Online:    func(context.Context) (stores.Writer, error) { return online, nil },
		Functions: func() (transform.Service, error) { return service, nil },
	})
	write := func(df string) error {
		_, err := w.Write(t.Context(), ingest.WriteRequest{View: "computed", Rows: ingest.Rows{Columns: frame(t, df)}})
		return err
	}
	for df, columns := range map[string]string{`{"driver_id":[1],"a":[10],"b":[1]}`: "a b", `{"driver_id":[1],"a":[10]}`: "a"} {
		if err := write(df); err != nil || strings.Join(service.columns, " ") != columns {
			t.Errorf("%s: %v, %q", df, err, service.columns)
		}
	}
	if got, _ := x(t, online, stores.Table{Project: "p", View: "computed"}, 1); got != "20" {
		t.Errorf("stored is %s", got)
	}
	if err := write(`{"driver_id":[2],"b":[1]}`); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "its function needs the columns a") {
		t.Errorf("%v", err)
	}
	service.err = fault.Store(fault.Unavailable, "the transformation service is down")
	if err := write(`{"driver_id":[2],"a":[1]}`); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("%v", err)
	}
	if err := write(`{"driver_id":[2],"x":[1]}`); err != nil {
		t.Errorf("computed by the client: %v", err)
	}
}
