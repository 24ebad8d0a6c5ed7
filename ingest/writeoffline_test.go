package ingest_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/internal/pg"
	"github.com/banquet-fs/banquet/internal/pgtest"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/parquet"
	"github.com/banquet-fs/banquet/offline/postgres"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/registry/file"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/memory"
	"github.com/banquet-fs/banquet/training"
	"github.com/banquet-fs/banquet/value"
)

// offlineStore is what a Writer of batch sources needs.
type offlineStore interface {
	training.Source
	offline.Writer
}

// twoStores is a Writer of a recorded project to both stores. If online is nil, that store
// cannot be opened.
func twoStores(t *testing.T, repo, step string, off offlineStore, online stores.Writer) *ingest.Writer {
	t.Helper()
	reg, _, err := file.New(filepath.Join("..", "testdata", "golden", repo, "registry", step+".db")).Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s, err := registry.OpenSnapshot(reg, registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	snapshots := func() *registry.Snapshot { return s }
	project := s.Projects()[0]
	service := training.New(training.Options{Snapshots: snapshots, Project: project, Source: off, Writer: off})
	return ingest.NewWriter(ingest.WriterOptions{
		Snapshots: snapshots, Project: project, KeyVersion: 3,
		Online: func(context.Context) (stores.Writer, error) {
			if online == nil {
				return nil, fault.Store(fault.Unavailable, "the store is down")
			}
			return online, nil
		},
		Appender: func(context.Context) (ingest.Appender, error) { return service, nil },
	})
}

// inquiries makes a database with the source of the recorded push source.
func inquiries(t *testing.T) (pg.Options, *postgres.Store) {
	t.Helper()
	opt := pgtest.Options(t)
	schema, err := os.ReadFile(filepath.Join("..", "testdata", "golden", "credit_scoring", "data", "schema.sql"))
	if err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, opt, string(schema))
	s := postgres.New(opt)
	t.Cleanup(s.Close)
	return opt, s
}

// appended are the rows of the batch source as text, in order.
func appended(t *testing.T, opt pg.Options) []string {
	t.Helper()
	db, err := pg.Connect(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(t.Context(), inquirySQL)
	if err != nil {
		t.Fatal(err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return out
}

const (
	inquiry = `{"dob_ssn":["a","b"],"inquiries_24h":[3,null],"last_amount":[12.5,1],"flagged":[true,null],"last_inquiry_at":[1719824400,null],` +
		`"lender":["Bank, \"A\"\n",null],"event_timestamp":["2024-07-01T10:00:00Z","2024-07-01T19:00:00.123456+09:00"]}`
	inquirySQL = `SELECT concat_ws('|', dob_ssn, inquiries_24h, last_amount, flagged, last_inquiry_at AT TIME ZONE 'UTC', lender, event_timestamp AT TIME ZONE 'UTC') FROM credit_inquiries ORDER BY 1`
)

// A push to both stores adds the rows to the table once, and stores them online.
func TestPushToBothStores(t *testing.T) {
	opt, off := inquiries(t)
	online := &memory.Store{}
	w := twoStores(t, "credit_scoring", "4_incremental", off, online)
	want := []string{
		"a|3|12.5|t|2024-07-01 09:00:00|Bank, \"A\"\n|2024-07-01 10:00:00",
		"b|1|2024-07-01 10:00:00.123456",
	}
	for _, to := range []ingest.Target{ingest.Offline, ingest.OnlineAndOffline} {
		pgtest.Exec(t, opt, "TRUNCATE credit_inquiries")
		report, err := w.Push(t.Context(), ingest.PushRequest{Source: "inquiry_push", To: to, Rows: ingest.Rows{Columns: frame(t, inquiry)}})
		if err != nil {
			t.Fatal(to, err)
		}
		v := report.Views[0]
		if stored := v.Stored; v.Appended != 2 || v.Rows != 2 || stored != map[ingest.Target]int{ingest.OnlineAndOffline: 2}[to] {
			t.Errorf("%s: %+v", to, v)
		}
		if diff := cmp.Diff(want, appended(t, opt)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", to, diff)
		}
	}
}

// What cannot be written to the batch source is refused before anything is written, as far
// as that can be known.
func TestPushRefusedBeforeItIsWritten(t *testing.T) {
	opt, off := inquiries(t)
	online := &memory.Store{}
	w := twoStores(t, "credit_scoring", "4_incremental", off, online)
	for name, c := range map[string]struct{ df, want string }{
		"an extra column": {
			strings.Replace(inquiry, "{", `{"extra":[1,2],`, 1),
			"The input dataframe columns do not match the batch source columns. missing_expected_columns: [], extra_unexpected_columns: ['extra'].",
		},
		"a number for a text of times": {strings.Replace(inquiry, "1719824400", `"soon"`, 1), "nothing was written: feature view credit_inquiries, column last_inquiry_at, row 0 (dob_ssn=\"a\"): "},
		"no event time":                {strings.Replace(inquiry, `"2024-07-01T10:00:00Z"`, "null", 1), "nothing was written: feature view credit_inquiries, row 0 (dob_ssn=\"a\"): column event_timestamp has no event time"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.Push(t.Context(), ingest.PushRequest{Source: "inquiry_push", To: ingest.OnlineAndOffline, Rows: ingest.Rows{Columns: frame(t, c.df)}})
			if fault.KindOf(err) != fault.Invalid || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("%v\nwant %s", err, c.want)
			}
		})
	}
	_, err := w.Push(t.Context(), ingest.PushRequest{Source: "inquiry_push", To: ingest.Offline, Rows: ingest.Rows{Columns: frame(t, strings.Replace(inquiry, "[3,null]", "[3,1.5]", 1))}})
	if err == nil || !strings.Contains(err.Error(), "data source inquiry_source, column inquiries_24h, row 1 (dob_ssn=\"b\"): 1.5 has a fraction") {
		t.Errorf("a fraction in a table of integers: %v", err)
	}
	pgtest.Exec(t, opt, "DROP TABLE credit_inquiries")
	if _, err := w.Push(t.Context(), ingest.PushRequest{Source: "inquiry_push", To: ingest.OnlineAndOffline, Rows: ingest.Rows{Columns: frame(t, inquiry)}}); err == nil || !strings.Contains(err.Error(), "credit_inquiries") {
		t.Errorf("without a table: %v", err)
	}
	if n := storedRows(t, online, "credit_scoring_aws", "credit_inquiries", "a", "b"); n != 0 {
		t.Errorf("%d rows are stored online", n)
	}
}

// textKeys are keys of one text.
func textKeys(t testing.TB, name string, keys ...string) [][]byte {
	t.Helper()
	l := value.NewKeyLayout(3, []string{name})
	out := make([][]byte, len(keys))
	for i, k := range keys {
		var err error
		if out[i], err = l.Append(nil, [][]byte{value.AppendString(nil, k)}); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// storedRows counts the rows of text keys dob_ssn.
func storedRows(t *testing.T, s stores.Reader, project, view string, keys ...string) int {
	t.Helper()
	rows, err := s.Read(t.Context(), []stores.Read{{
		Table: stores.Table{Project: project, View: view}, Features: stores.NewSelection("lender"), Keys: textKeys(t, "dob_ssn", keys...),
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Release()
	n := 0
	for _, r := range rows.Reads[0] {
		if r.Found {
			n++
		}
	}
	return n
}

// A push whose second half fails says what is stored; the same push again completes it.
func TestPushOfWhichOneHalfFails(t *testing.T) {
	opt, off := inquiries(t)
	online := &memory.Store{}
	w := twoStores(t, "credit_scoring", "4_incremental", off, online)
	pgtest.Exec(t, opt, "ALTER TABLE credit_inquiries ADD CONSTRAINT small CHECK (last_amount < 10)")
	push := ingest.PushRequest{Source: "inquiry_push", To: ingest.OnlineAndOffline, Rows: ingest.Rows{Columns: frame(t, inquiry)}}
	report, err := w.Push(t.Context(), push)
	const want = "; the rows are stored in feature view credit_inquiries online, where they change nothing when they are pushed again"
	if err == nil || !strings.HasSuffix(err.Error(), want) || !strings.Contains(err.Error(), "small") {
		t.Errorf("%v\nwant %s", err, want)
	}
	if v := report.Views[0]; v.Stored != 2 || v.Appended != 0 {
		t.Errorf("%+v", v)
	}
	pgtest.Exec(t, opt, "ALTER TABLE credit_inquiries DROP CONSTRAINT small")
	report, err = w.Push(t.Context(), push)
	if v := report.Views[0]; err != nil || v.Stored != 2 || v.Appended != 2 {
		t.Errorf("%+v, %v", v, err)
	}
	if got := appended(t, opt); len(got) != 2 {
		t.Error(got)
	}
}

// If the online store fails, nothing is added to the batch source: the same push again
// would add it twice.
func TestPushWithoutTheOnlineStore(t *testing.T) {
	opt, off := inquiries(t)
	for name, online := range map[string]stores.Writer{"is down": brokenWriter{}, "cannot be opened": nil} {
		w := twoStores(t, "credit_scoring", "4_incremental", off, online)
		report, err := w.Push(t.Context(), ingest.PushRequest{Source: "inquiry_push", To: ingest.OnlineAndOffline, Rows: ingest.Rows{Columns: frame(t, inquiry)}})
		if fault.KindOf(err) != fault.Unavailable || len(report.Views[0].Failed) != 2 || report.Views[0].Appended != 0 {
			t.Errorf("%s: %+v, %v", name, report, err)
		}
		if got := appended(t, opt); len(got) != 0 {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// With Partial, the rows that can be written are in both stores, or in the one.
func TestPartialPushToBothStores(t *testing.T) {
	opt, off := inquiries(t)
	online := &memory.Store{}
	w := twoStores(t, "credit_scoring", "4_incremental", off, online)
	df := strings.Replace(inquiry, "[3,null]", `["many",null]`, 1)
	for to, stored := range map[ingest.Target]int{ingest.Offline: 0, ingest.OnlineAndOffline: 1} {
		pgtest.Exec(t, opt, "TRUNCATE credit_inquiries")
		report, err := w.Push(t.Context(), ingest.PushRequest{Source: "inquiry_push", To: to, Rows: ingest.Rows{Partial: true, Columns: frame(t, df)}})
		v := report.Views[0]
		if fault.KindOf(err) != fault.Invalid || v.Stored != stored || v.Appended != 1 || len(v.Failed) != 1 || v.Failed[0].Row != 0 {
			t.Errorf("%s: %+v, %v", to, v, err)
		}
		if got := appended(t, opt); len(got) != 1 || !strings.HasPrefix(got[0], "b|") {
			t.Errorf("%s: %q", to, got)
		}
	}
}

// A push that ends between the two stores has not touched the second; the same push again
// completes it.
func TestPushStoppedBetweenTheStores(t *testing.T) {
	opt, off := inquiries(t)
	online := &memory.Store{}
	ctx, cancel := context.WithCancel(t.Context())
	w := twoStores(t, "credit_scoring", "4_incremental", off, stoppingWriter{online, cancel})
	push := ingest.PushRequest{Source: "inquiry_push", To: ingest.OnlineAndOffline, Rows: ingest.Rows{Columns: frame(t, inquiry)}}
	report, err := w.Push(ctx, push)
	if fault.KindOf(err) != fault.Canceled || !strings.Contains(err.Error(), "the rows are stored in feature view credit_inquiries online") || report.Views[0].Stored != 2 {
		t.Errorf("%+v, %v", report.Views[0], err)
	}
	if got := appended(t, opt); len(got) != 0 {
		t.Error(got)
	}
	if report, err = w.Push(t.Context(), push); err != nil || report.Views[0].Stored != 2 || report.Views[0].Appended != 2 {
		t.Errorf("%+v, %v", report.Views[0], err)
	}
	if got := appended(t, opt); len(got) != 2 {
		t.Error(got)
	}
}

// stoppingWriter ends the caller's context when it has written.
type stoppingWriter struct {
	stores.Writer
	stop func()
}

func (s stoppingWriter) Write(ctx context.Context, table stores.Table, features *stores.Selection, records []stores.Record, mode stores.Mode) (stores.Written, error) {
	defer s.stop()
	return s.Writer.Write(ctx, table, features, records, mode)
}

// brokenWriter is an online store that is down.
type brokenWriter struct{ stores.Writer }

func (brokenWriter) Write(context.Context, stores.Table, *stores.Selection, []stores.Record, stores.Mode) (stores.Written, error) {
	return stores.Written{}, fault.Store(fault.Unavailable, "the store is down").Because(errors.New("x"))
}

// Rows are added to Parquet files; the columns may have the names of the view.
func TestPushToFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(allTypes, "feature_repo"))); err != nil {
		t.Fatal(err)
	}
	off := parquet.New(dir)
	w := twoStores(t, "all_types", "1_apply", off, &memory.Store{})
	df := `{"label":["p1","p2"],"d_map":[null,null],"d_json":["{\"a\": 1}",null],"d_uuid":["6ba7b810-9dad-11d1-80b4-00c04fd430c8",null],"d_text":["t","u"],"event_timestamp":["2024-04-01T00:00:00Z","2024-04-01"]}`
	before := countRows(t, off)
	report, err := w.Push(t.Context(), ingest.PushRequest{Source: "documents_push", To: ingest.Offline, Rows: ingest.Rows{Columns: frame(t, df)}})
	if err != nil || report.Views[0].Appended != 2 || countRows(t, off) != before+2 {
		t.Errorf("%+v, %v", report, err)
	}
	_, err = w.Push(t.Context(), ingest.PushRequest{Source: "documents_push", To: ingest.Offline, Rows: ingest.Rows{Columns: frame(t, strings.Replace(df, "[null,null]", `[{"k":"v"},null]`, 1))}})
	if err == nil || !strings.Contains(err.Error(), "can only be written from Arrow or Parquet") {
		t.Error(err)
	}
}

func countRows(t *testing.T, off offline.Store) int64 {
	t.Helper()
	s, err := off.Span(t.Context(), offline.Query{
		Source: &core.DataSource{
			Name: "documents_source", Type: core.DataSource_BATCH_FILE,
			Options: &core.DataSource_FileOptions_{FileOptions: &core.DataSource_FileOptions{Uri: "data/documents.parquet"}},
		}, Timestamp: "event_timestamp",
	})
	if err != nil {
		t.Fatal(err)
	}
	return s.Rows
}
