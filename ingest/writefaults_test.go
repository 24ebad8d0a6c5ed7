package ingest_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/internal/dynamotest"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/retry"
)

// inquiriesFrom makes n rows of the recorded push source, whose lender is a label and whose
// event times are a second apart.
func inquiriesFrom(t testing.TB, n int, label string, at time.Time) []ingest.Column {
	t.Helper()
	list := func(cell func(i int) string) string {
		out := make([]string, n)
		for i := range out {
			out[i] = cell(i)
		}
		return "[" + strings.Join(out, ",") + "]"
	}
	return frame(t, `{"dob_ssn":`+list(func(i int) string { return fmt.Sprintf(`"k%d"`, i) })+
		`,"inquiries_24h":`+list(func(i int) string { return fmt.Sprint(i) })+
		`,"last_amount":`+list(func(int) string { return "1.5" })+`,"flagged":`+list(func(int) string { return "true" })+
		`,"last_inquiry_at":`+list(func(int) string { return "1719824400" })+`,"lender":`+list(func(int) string { return `"` + label + `"` })+
		`,"event_timestamp":`+list(func(i int) string { return `"` + at.Add(time.Duration(i)*time.Second).Format(time.RFC3339) + `"` })+`}`)
}

// Under every fault each row is stored or named, and the same push again completes it.
func TestPushUnderFaults(t *testing.T) {
	const rows = 60
	at := time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		faults dynamotest.Faults
		kind   fault.Kind // of a push that cannot succeed
		sure   bool       // the push fails
	}{
		"throttled at times":  {dynamotest.Faults{Throttle: 0.3}, fault.Overloaded, false},
		"throttled":           {dynamotest.Faults{Throttle: 1}, fault.Overloaded, true},
		"5xx at times":        {dynamotest.Faults{Error500: 0.15, Error503: 0.15}, fault.Unavailable, false},
		"down":                {dynamotest.Faults{Error503: 1}, fault.Unavailable, true},
		"hangs":               {dynamotest.Faults{Hang: 1}, fault.TimedOut, true},
		"hangs at times":      {dynamotest.Faults{Hang: 0.05}, fault.TimedOut, false},
		"resets at times":     {dynamotest.Faults{Reset: 0.3}, fault.Unavailable, false},
		"resets":              {dynamotest.Faults{Reset: 1}, fault.Unavailable, true},
		"responses cut":       {dynamotest.Faults{Cut: 0.3}, fault.Unavailable, false},
		"bad checksums":       {dynamotest.Faults{BadCRC: 0.3}, fault.Unavailable, false},
		"garbage":             {dynamotest.Faults{Garbage: 0.3}, fault.Unavailable, false},
		"no rights":           {dynamotest.Faults{Forbidden: map[string]bool{"credit_scoring_aws.credit_inquiries": true}}, fault.Denied, true},
		"expired credentials": {dynamotest.Faults{Expired: true}, fault.Denied, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opt, d, store := creditScoring(t)
			w := writer(t, opt, retry.New(store, retry.Options{}))
			push := ingest.PushRequest{Source: "inquiry_push", Rows: ingest.Rows{Columns: inquiriesFrom(t, rows, "first", at)}}
			ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
			defer cancel()
			d.Set(c.faults)
			began := time.Now()
			report, err := w.Push(ctx, push)
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %s", took)
			}
			d.Set(dynamotest.Faults{})
			if c.sure && (err == nil || fault.KindOf(err) != c.kind && fault.KindOf(err) != fault.TimedOut) { // the last try may begin just before the deadline
				t.Errorf("%v; want %s", err, c.kind)
			}
			if err != nil && (fault.Of(err).Whose != fault.Stored && fault.KindOf(err) != fault.TimedOut || strings.Contains(err.Error(), "\n")) {
				t.Errorf("whose %d: %v", fault.Of(err).Whose, err)
			}
			v := report.Views[0]
			named := map[int]bool{}
			for _, f := range v.Failed {
				named[f.Row] = true
			}
			if len(named) != len(v.Failed) || v.Stored+len(v.Failed) != rows || (err == nil) != (len(v.Failed) == 0) {
				t.Errorf("%d stored, %d failed, %v", v.Stored, len(v.Failed), err)
			}
			for i, found := range lenders(t, store, rows) {
				if found == "" && !named[i] {
					t.Errorf("row %d is neither stored nor named", i)
				}
			}
			if report, err = w.Push(t.Context(), push); err != nil || report.Views[0].Stored != rows {
				t.Errorf("again: %+v, %v", report.Views[0], err)
			}
			if found := lenders(t, store, rows); slices.Contains(found, "") {
				t.Errorf("after the second push: %q", found)
			}
		})
	}
}

// lenders reads the lender of the keys k0, k1, …; empty if a row is absent.
func lenders(t *testing.T, s stores.Reader, n int) []string {
	t.Helper()
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("k%d", i)
	}
	rows, err := s.Read(t.Context(), []stores.Read{{
		Table: stores.Table{Project: "credit_scoring_aws", View: "credit_inquiries"}, Features: stores.NewSelection("lender"),
		Keys: textKeys(t, "dob_ssn", keys...), Consistent: true,
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Release()
	out := make([]string, n)
	for i, r := range rows.Reads[0] {
		if r.Found {
			out[i] = string(r.Values[0][2:])
		}
	}
	return out
}

// Pushes of the same keys at the same time, in any order and under faults, leave the newest
// row of each key.
func TestPushesAtTheSameTime(t *testing.T) {
	const rows, pushes = 20, 8
	opt, d, store := creditScoring(t)
	d.Set(dynamotest.Faults{Error500: 0.05, Throttle: 0.05, Cut: 0.05})
	w := writer(t, opt, retry.New(store, retry.Options{}))
	var group sync.WaitGroup
	for i := range pushes {
		columns := inquiriesFrom(t, rows, fmt.Sprintf("push %d", i), time.Date(2024, 7, 1, i, 0, 0, 0, time.UTC))
		group.Go(func() {
			for range 20 {
				if _, err := w.Push(t.Context(), ingest.PushRequest{Source: "inquiry_push", Rows: ingest.Rows{Columns: columns}}); err == nil {
					return
				}
			}
			t.Error("a push never succeeded")
		})
	}
	group.Wait()
	d.Set(dynamotest.Faults{})
	for i, found := range lenders(t, store, rows) {
		if want := fmt.Sprintf("push %d", pushes-1); found != want {
			t.Errorf("key %d: %q, want %q", i, found, want)
		}
	}
}

// Rows of a file that a busy store refuses are written again, until it accepts them.
func TestPushOfAFileToABusyStore(t *testing.T) {
	const rows = 40
	opt, d, store := creditScoring(t)
	w := writer(t, opt, retry.New(store, retry.Options{Attempts: 1}))
	d.Set(dynamotest.Faults{Throttle: 0.7})
	columns := inquiriesFrom(t, rows, "x", time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC))
	chunks := func(context.Context) iter.Seq2[[]ingest.Column, error] {
		return func(yield func([]ingest.Column, error) bool) { yield(columns, nil) }
	}
	report, err := w.PushAll(t.Context(), ingest.AllRequest{Source: "inquiry_push", Chunks: chunks})
	if v := report.Views[0]; err != nil || v.Stored != rows || v.FailedRows != 0 || v.OlderRows != 0 {
		t.Errorf("%+v, %v", v, err)
	}
	d.Set(dynamotest.Faults{})
	if found := lenders(t, store, rows); slices.Contains(found, "") {
		t.Errorf("%q", found)
	}
	d.Set(dynamotest.Faults{Throttle: 1})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	report, err = w.PushAll(ctx, ingest.AllRequest{Source: "inquiry_push", Chunks: chunks})
	if v := report.Views[0]; err == nil || v.FailedRows != rows || v.Stored != 0 {
		t.Errorf("%+v, %v", v, err)
	}
}

// A store that cannot be opened, for whatever reason, leaves no row unnamed.
func TestPushOfAFileWithoutAStore(t *testing.T) {
	s, err := registry.OpenSnapshot(kinds(), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	chunks := func(context.Context) iter.Seq2[[]ingest.Column, error] {
		return func(yield func([]ingest.Column, error) bool) {
			yield(frame(t, `{"driver_id":[7,8],"x":[1,2],"ts":["2024-01-01","2024-01-02"],"made":[null,null]}`), nil)
		}
	}
	for _, kind := range []fault.Kind{fault.Invalid, fault.Unavailable, fault.Unimplemented} {
		w := ingest.NewWriter(ingest.WriterOptions{
			Snapshots: func() *registry.Snapshot { return s }, Project: "p", KeyVersion: 3,
			Online: func(context.Context) (stores.Writer, error) { return nil, fault.New(kind, "no store") },
		})
		report, err := w.PushAll(t.Context(), ingest.AllRequest{Source: "push", Chunks: chunks})
		if fault.KindOf(err) != kind || kind != fault.Invalid && err.Error() != "no store" {
			t.Errorf("got %v, want kind %v", err, kind)
		}
		for _, v := range report.Views {
			if !v.NotOnline && (v.FailedRows != 2 || v.Stored != 0) {
				t.Errorf("%v: %+v", kind, v)
			}
		}
	}
}

// A row that the store cannot hold fails alone.
func TestPushOfARowThatTheStoreRefuses(t *testing.T) {
	opt, d, store := creditScoring(t)
	w := writer(t, opt, retry.New(store, retry.Options{}))
	columns := inquiriesFrom(t, 3, "x", time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC))
	huge := strings.Repeat("x", 450<<10)
	for i := range columns {
		if columns[i].Name == "lender" {
			columns[i] = frame(t, `{"lender":["a","`+huge+`","b"]}`)[0]
		}
	}
	report, err := w.Push(t.Context(), ingest.PushRequest{Source: "inquiry_push", Rows: ingest.Rows{Columns: columns}})
	v := report.Views[0]
	if fault.KindOf(err) != fault.Invalid || v.Stored != 2 || len(v.Failed) != 1 || v.Failed[0].Row != 1 || len(err.Error()) > 500 {
		t.Errorf("%+v, %v", v.Stored, err)
	}
	if d.Count("PutItem") > 3 {
		t.Errorf("%d calls", d.Count("PutItem"))
	}
}

// A writer without a registry says so.
func TestWriteWithoutARegistry(t *testing.T) {
	w := ingest.NewWriter(ingest.WriterOptions{Snapshots: func() *registry.Snapshot { return nil }})
	if _, err := w.Write(t.Context(), ingest.WriteRequest{View: "v"}); fault.KindOf(err) != fault.Unavailable {
		t.Error(err)
	}
}
