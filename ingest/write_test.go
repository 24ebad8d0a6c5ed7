package ingest_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/value"
)

// frame makes columns of a JSON object of lists, as Feast's HTTP sends them.
func frame(t testing.TB, df string) []ingest.Column {
	t.Helper()
	var columns map[string]json.RawMessage
	if err := json.Unmarshal([]byte(df), &columns); err != nil {
		t.Fatal(err)
	}
	var out []ingest.Column
	for name, cells := range columns {
		var tokens []json.RawMessage
		if cells[0] != '[' {
			out = append(out, ingest.Column{Name: name, Cells: value.NewTokenCells([][]byte{cells}), Scalar: true})
			continue
		}
		if err := json.Unmarshal(cells, &tokens); err != nil {
			t.Fatal(err)
		}
		list := make([][]byte, len(tokens))
		for i, token := range tokens {
			list[i] = token
		}
		out = append(out, ingest.Column{Name: name, Cells: value.NewTokenCells(list)})
	}
	return out
}

// writer is a Writer of the recorded repository.
func writer(t testing.TB, opt ingest.Options, online stores.Writer) *ingest.Writer {
	t.Helper()
	reg, _, err := opt.Storage.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s, err := registry.OpenSnapshot(reg, registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return ingest.NewWriter(ingest.WriterOptions{
		Snapshots: func() *registry.Snapshot { return s }, Project: opt.Project, KeyVersion: opt.KeyVersion,
		Online: func(context.Context) (stores.Writer, error) { return online, nil },
	})
}

func TestAWriteIsStored(t *testing.T) {
	opt, db := setUp(t)
	w := writer(t, opt, opt.Online)
	report, err := w.Write(t.Context(), ingest.WriteRequest{View: "forever", Rows: ingest.Rows{
		Columns: frame(t, `{"Account":[900,901],"f_string":["w",null],"score":[1.25,2],"event_timestamp":["2024-04-01T00:00:00Z","2024-04-01T00:00:00.5"],"created":"NaT"}`),
	}})
	if err != nil || len(report.Views) != 1 || report.Views[0].Stored != 2 {
		t.Fatalf("%+v, %v", report, err)
	}
	if got := cells(t, db); len(got) != 4 {
		t.Errorf("stored %v", got)
	}
}
