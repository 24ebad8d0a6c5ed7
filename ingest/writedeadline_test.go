package ingest_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/stores"
)

// hangingWriter is an online store that never responds.
type hangingWriter struct{ stores.Writer }

func (hangingWriter) Write(ctx context.Context, _ stores.Table, _ *stores.Selection, _ []stores.Record, _ stores.Mode) (stores.Written, error) {
	<-ctx.Done()
	return stores.Written{}, fault.Of(ctx.Err())
}

// A store that hangs takes the time of a push once, not once for each of its views.
func TestDeadlineOfAllViews(t *testing.T) {
	s, err := registry.OpenSnapshot(kinds(), registry.Options{VersionedTables: true})
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		w := ingest.NewWriter(ingest.WriterOptions{
			Snapshots: func() *registry.Snapshot { return s }, Project: "p", KeyVersion: 3, Deadline: time.Minute,
			Online: func(context.Context) (stores.Writer, error) { return hangingWriter{}, nil },
		})
		began := time.Now()
		report, err := w.Push(t.Context(), ingest.PushRequest{Source: "push", Rows: ingest.Rows{Columns: frame(t, `{"driver_id":[7],"x":[1],"ts":["2024-01-01"],"made":[null]}`)}})
		if took := time.Since(began); took != time.Minute {
			t.Errorf("it took %s", took)
		}
		if fault.KindOf(err) != fault.TimedOut {
			t.Errorf("%v", err)
		}
		views := 0
		for _, v := range report.Views {
			if v.NotOnline {
				continue
			}
			views++
			if v.FailedRows != 1 || !strings.Contains(fault.Of(err).Text, "feature view "+v.View+":") {
				t.Errorf("%s: %d failed rows, %v", v.View, v.FailedRows, err)
			}
		}
		if views < 2 {
			t.Errorf("%d views", views)
		}
	})
}
