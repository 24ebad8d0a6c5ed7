package postgres_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/pg"
	"github.com/banquet-fs/banquet/internal/pgtest"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/observed"
	"github.com/banquet-fs/banquet/stores/postgres"
	"github.com/banquet-fs/banquet/stores/retry"
	"github.com/banquet-fs/banquet/stores/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(t testing.TB) stores.Store { return postgres.New(options(t)) })
}

func TestContractBehindDecorators(t *testing.T) {
	storetest.Run(t, func(t testing.TB) stores.Store {
		return retry.New(observed.New(postgres.New(options(t)), nil), retry.Options{})
	})
}

func options(t testing.TB) pg.Options {
	t.Helper()
	opt := pgtest.Options(t)
	opt.Schema = "public"
	if pooler != nil {
		opt = pooler.Through(opt)
	}
	return opt
}

var (
	zip    = stores.Table{Project: "credit_scoring_aws", View: "zipcode_features"}
	moment = time.Date(2024, 6, 12, 6, 11, 6, 7000, time.UTC)
)

func open(t *testing.T, opt pg.Options, tables ...stores.Table) *postgres.Store {
	t.Helper()
	s := postgres.New(opt)
	t.Cleanup(func() { _ = s.Close() })
	var specs []stores.TableSpec
	for _, tb := range tables {
		specs = append(specs, stores.TableSpec{Table: tb, Features: []stores.Feature{{Name: "f", Type: "STRING"}}})
	}
	if _, err := storetest.Update(t.Context(), s, stores.Tables{Keep: specs}); err != nil {
		t.Fatal(err)
	}
	return s
}

func write(t *testing.T, s stores.Store, tb stores.Table, n int) [][]byte {
	t.Helper()
	recs, keys := make([]stores.Record, n), make([][]byte, n)
	for i := range n {
		keys[i] = fmt.Appendf(nil, "key-%d", i)
		recs[i] = stores.Record{Key: keys[i], Event: moment, Values: [][]byte{fmt.Appendf(nil, "\x12\x03%03d", i%1000)}}
	}
	if w, err := s.Write(t.Context(), tb, stores.NewSelection("f"), recs, stores.Replace); err != nil || len(w.Failed.Indexes) > 0 {
		t.Fatal(w, err)
	}
	return keys
}

// rows runs a query and returns its rows as texts.
func rows(t *testing.T, opt pg.Options, query string) []string {
	t.Helper()
	pool, err := pg.Connect(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	result, err := pool.Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	out, err := pgx.CollectRows(result, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// The tables equal Feast's: the same columns, the same indexes.
func TestTheTablesAreFeasts(t *testing.T) {
	f, err := os.Open(filepath.Join("..", "..", "testdata", "golden", "postgres_online", "1_apply.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var want struct {
			Table   string
			Columns [][]string
			Indexes []string
		}
		if err := json.Unmarshal(lines.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		opt := options(t)
		s := postgres.New(opt)
		spec := stores.TableSpec{Table: stores.Table{Project: "credit_scoring_aws", View: strings.TrimPrefix(want.Table, "credit_scoring_aws_")}}
		spec.Features = []stores.Feature{{Name: "n", Type: "INT64"}}
		if strings.Contains(strings.Join(want.Indexes, ""), "fts") {
			spec.Features = append(spec.Features, stores.Feature{Name: "s", Type: "STRING"})
		}
		for range 2 { // the second changes nothing
			if _, err := storetest.Update(t.Context(), s, stores.Tables{Keep: []stores.TableSpec{spec}}); err != nil {
				t.Fatal(err)
			}
		}
		var columns []string
		for _, c := range want.Columns {
			columns = append(columns, strings.Join(c, " "))
		}
		got := rows(t, opt, "SELECT column_name || ' ' || data_type || ' ' || is_nullable FROM information_schema.columns WHERE table_name = '"+want.Table+"' ORDER BY ordinal_position")
		if diff := cmp.Diff(columns, got); diff != "" {
			t.Errorf("columns of %s (-Feast +banquet)\n%s", want.Table, diff)
		}
		got = rows(t, opt, "SELECT indexdef FROM pg_indexes WHERE tablename = '"+want.Table+"' ORDER BY indexname")
		if diff := cmp.Diff(want.Indexes, got); diff != "" {
			t.Errorf("indexes of %s (-Feast +banquet)\n%s", want.Table, diff)
		}
		_ = s.Close()
	}
}

// Rows written by Feast are read correctly, and written again they are the same.
func TestTheRowsAreFeasts(t *testing.T) {
	dump, err := os.ReadFile(filepath.Join("..", "..", "testdata", "golden", "postgres_online", "3_incremental.sql"))
	if err != nil {
		t.Fatal(err)
	}
	opt := options(t)
	pgtest.Exec(t, opt, string(dump))
	s := postgres.New(opt)
	defer func() { _ = s.Close() }()
	all := "SELECT concat_ws('|', encode(entity_key, 'hex'), feature_name, encode(value, 'hex'), value_text, vector_value, event_ts, created_ts) FROM credit_scoring_aws_zipcode_features ORDER BY entity_key, feature_name"
	feasts := rows(t, opt, all)
	if len(feasts) == 0 {
		t.Fatal("the dump holds no row")
	}
	names := rows(t, opt, "SELECT DISTINCT feature_name FROM credit_scoring_aws_zipcode_features ORDER BY 1")
	var keys [][]byte
	var created []time.Time
	for _, row := range rows(t, opt, "SELECT encode(entity_key, 'hex') || ' ' || (extract(epoch FROM max(created_ts)) * 1000000)::bigint FROM credit_scoring_aws_zipcode_features GROUP BY entity_key") {
		var b []byte
		var at int64
		if _, err := fmt.Sscanf(row, "%x %d", &b, &at); err != nil {
			t.Fatal(err)
		}
		keys, created = append(keys, b), append(created, time.UnixMicro(at))
	}
	selection := stores.NewSelection(names...)
	read, err := s.Read(t.Context(), []stores.Read{{Table: zip, Features: selection, Keys: keys}})
	if err != nil {
		t.Fatal(err)
	}
	defer read.Release()
	var recs []stores.Record
	for i, r := range read.Reads[0] {
		if !r.Found || r.Err != nil {
			t.Fatalf("row %d: %+v", i, r)
		}
		recs = append(recs, stores.Record{Key: keys[i], Event: r.Event, Created: created[i], Values: r.Values})
	}
	if w, err := s.Write(t.Context(), zip, selection, recs, stores.Replace); err != nil || len(w.Failed.Indexes) > 0 {
		t.Fatal(w, err)
	}
	if diff := cmp.Diff(feasts, rows(t, opt, all)); diff != "" {
		t.Errorf("(-Feast +banquet)\n%s", diff)
	}
}

// A text that PostgreSQL cannot hold is still stored as a value.
func TestTextsThatPostgreSQLCannotHold(t *testing.T) {
	s := open(t, options(t), zip)
	values := [][]byte{[]byte("\x12\x03a\x00b"), []byte("\x12\x02\xff\xfe")}
	features := stores.NewSelection("nul", "broken")
	if w, err := s.Write(t.Context(), zip, features, []stores.Record{{Key: []byte("k"), Event: moment, Values: values}}, stores.Replace); err != nil || len(w.Failed.Indexes) > 0 {
		t.Fatal(w, err)
	}
	r, err := s.Read(t.Context(), []stores.Read{{Table: zip, Features: features, Keys: [][]byte{[]byte("k")}}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if diff := cmp.Diff(values, r.Reads[0][0].Values); diff != "" {
		t.Errorf("(-written +read)\n%s", diff)
	}
}

// All views of a request are read in one round trip.
func TestOneRoundTripForAllViews(t *testing.T) {
	opt := options(t)
	var tables []stores.Table
	for i := range 10 {
		tables = append(tables, stores.Table{Project: "p", View: fmt.Sprintf("v%d", i)})
	}
	s := open(t, opt, tables...)
	var keys [][]byte
	var reads []stores.Read
	for _, tb := range tables {
		keys = write(t, s, tb, 100)
	}
	for _, tb := range tables {
		reads = append(reads, stores.Read{Table: tb, Features: stores.NewSelection("f"), Keys: keys})
	}
	r, err := s.Read(t.Context(), reads)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if r.Stats.Calls != 1 {
		t.Errorf("%d calls", r.Stats.Calls)
	}
	for i := range r.Reads {
		for j, row := range r.Reads[i] {
			if !row.Found || string(row.Values[0]) != fmt.Sprintf("\x12\x03%03d", j) || !row.Event.Equal(moment) {
				t.Fatalf("read %d, row %d: %+v", i, j, row)
			}
		}
	}
}

// Large reads are guarded and small ones are not; both return the same, also for
// keys without any wanted feature, nulls and repeats.
func TestLargeReadsBringWhatSmallOnesDo(t *testing.T) {
	opt := options(t)
	s := open(t, opt, zip)
	names := []string{"a", "b", "c", "d"}
	var recs []stores.Record
	var keys [][]byte
	for i := range 40 {
		key := fmt.Appendf(nil, "key-%d", i)
		keys = append(keys, key)
		r := stores.Record{Key: key, Event: moment.Add(time.Duration(i) * time.Second), Values: make([][]byte, len(names))}
		for f := range names {
			switch (i + f) % 4 {
			case 1:
				r.Values[f] = []byte{}
			case 2:
				r.Values[f] = fmt.Appendf(nil, "\x12\x03%03d", i)
			case 3:
				r.Values[f] = append([]byte("\x12\x90\x4e"), strings.Repeat("x", 10000)...)
			}
		}
		if i%5 != 4 { // otherwise absent
			recs = append(recs, r)
		}
	}
	if w, err := s.Write(t.Context(), zip, stores.NewSelection(names...), recs, stores.Replace); err != nil || len(w.Failed.Indexes) > 0 {
		t.Fatal(w, err)
	}
	pgtest.Exec(t, opt, `UPDATE credit_scoring_aws_zipcode_features SET value = NULL WHERE feature_name = 'c' AND entity_key = 'key-5'`)
	for _, wanted := range [][]string{names, {"d", "never", "a"}, {"never", "nor"}} {
		selection := stores.NewSelection(wanted...)
		keys := append(keys, keys[3], keys[4], keys[3])
		large, err := s.Read(t.Context(), []stores.Read{{Table: zip, Features: selection, Keys: keys}})
		if err != nil {
			t.Fatal(err)
		}
		for i, key := range keys {
			small, err := s.Read(t.Context(), []stores.Read{{Table: zip, Features: selection, Keys: [][]byte{key}}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(small.Reads[0][0], large.Reads[0][i]); diff != "" {
				t.Errorf("%v of %s (-alone +with others)\n%s", wanted, key, diff)
			}
			small.Release()
		}
		large.Release()
	}
}

// A table that was just loaded has no statistics; it is still not scanned as a
// whole.
func TestNoTableIsScanned(t *testing.T) {
	opt := options(t)
	s := open(t, opt, zip)
	pgtest.Exec(t, opt, `ALTER TABLE credit_scoring_aws_zipcode_features SET (autovacuum_enabled = off);
		INSERT INTO credit_scoring_aws_zipcode_features (entity_key, feature_name, value, event_ts)
		SELECT convert_to('key-' || k, 'UTF8'), 'f' || f, '\x1203303030', now() FROM generate_series(1, 4000) k, generate_series(1, 25) f`)
	for _, n := range []int{1, 100, 1000} {
		var names []string
		for f := range 25 {
			names = append(names, fmt.Sprintf("f%d", f+1))
		}
		var keys [][]byte
		for k := range n {
			keys = append(keys, fmt.Appendf(nil, "key-%d", k+1))
		}
		plan, err := postgres.Plan(t.Context(), s, []stores.Read{{Table: zip, Features: stores.NewSelection(names...), Keys: keys}})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "JIT") || strings.Count(plan, "entity_key = ") < 2 {
			t.Errorf("the plan of %d keys:\n%s", n, plan)
		}
	}
}

// A table that is missing or forbidden fails its own rows only, and gets a
// statement of its own until it can be read again.
func TestABadTableHarmsOnlyItself(t *testing.T) {
	gone := stores.Table{Project: "p", View: "gone"}
	for name, spoil := range map[string]string{"missing": `DROP TABLE "p_gone"`, "forbidden": `REVOKE ALL ON "p_gone" FROM reader`} {
		t.Run(name, func(t *testing.T) {
			admin := options(t)
			s := open(t, admin, zip, gone)
			keys := write(t, s, zip, 3)
			write(t, s, gone, 3)
			pgtest.Exec(t, admin, `DO $$ BEGIN CREATE ROLE reader LOGIN PASSWORD 'password'; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
				GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader; `+spoil)
			opt := admin
			opt.User = "reader"
			reader := postgres.New(opt)
			defer func() { _ = reader.Close() }()
			for range 2 {
				r, err := reader.Read(t.Context(), []stores.Read{{Table: gone, Features: stores.NewSelection("f"), Keys: keys}, {Table: zip, Features: stores.NewSelection("f"), Keys: keys}})
				if err != nil {
					t.Fatal(err)
				}
				for i := range keys {
					if !r.Reads[1][i].Found {
						t.Errorf("row %d of the good table: %+v", i, r.Reads[1][i])
					}
					if err := r.Reads[0][i].Err; err == nil || !strings.Contains(err.Error(), "p_gone") {
						t.Errorf("row %d of the bad table: %+v", i, r.Reads[0][i])
					}
				}
				r.Release()
			}
		})
	}
}

// Sessions keep nothing: no prepared statements and no settings, so that each
// transaction may run on another connection.
func TestSessionsKeepNothing(t *testing.T) {
	opt := options(t)
	opt.MaxConn = 1
	s := open(t, opt, zip)
	keys := write(t, s, zip, 5)
	proxy := postgres.New(opt)
	defer func() { _ = proxy.Close() }()
	for range 3 {
		r, err := proxy.Read(t.Context(), []stores.Read{{Table: zip, Features: stores.NewSelection("f"), Keys: keys}})
		if err != nil {
			t.Fatal(err)
		}
		r.Release()
		left, err := postgres.SessionLeftovers(t.Context(), proxy)
		if err != nil {
			t.Fatal(err)
		}
		if left != "" {
			t.Errorf("a session keeps %s", left)
		}
	}
}

// Two concurrent writers leave the row of one of them, never a mixture.
func TestConcurrentWritersLeaveWholeRows(t *testing.T) {
	opt := options(t)
	s := open(t, opt, zip)
	var group sync.WaitGroup
	for w := range 4 {
		group.Go(func() {
			for range 20 {
				features := stores.NewSelection("a", "b", fmt.Sprintf("only%d", w))
				v := fmt.Appendf(nil, "\x12\x01%d", w)
				if _, err := s.Write(t.Context(), zip, features, []stores.Record{{Key: []byte("k"), Event: moment, Values: [][]byte{v, v, v}}}, stores.Replace); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if got := rows(t, opt, "SELECT DISTINCT encode(value, 'hex') FROM credit_scoring_aws_zipcode_features"); len(got) != 1 {
		t.Errorf("the row holds values of %d writers", len(got))
	}
	if got := rows(t, opt, "SELECT feature_name FROM credit_scoring_aws_zipcode_features"); len(got) != 3 {
		t.Errorf("the row holds %v", got)
	}
}

func TestNamesThatWouldBeCutOrSharedAreRefused(t *testing.T) {
	s := postgres.New(options(t))
	defer func() { _ = s.Close() }()
	long := stores.Table{Project: "p", View: strings.Repeat("v", 62)}
	p, err := s.Plan(t.Context(), stores.Tables{
		Keep:   []stores.TableSpec{{Table: stores.Table{Project: "a", View: "b_c"}}, {Table: long}},
		Others: []stores.TableSpec{{Table: stores.Table{Project: "a_b", View: "c"}}, {Table: stores.Table{Project: "a", View: "b_d"}}, {Table: stores.Table{Project: "a_b", View: "d"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	findings := p.Findings
	if len(findings) != 2 || !findings[0].Refused || !findings[1].Refused || !strings.Contains(findings[1].Text, "64") {
		t.Errorf("%+v", findings)
	}
}

// An outage never looks like a missing row, and the deadline is kept.
func TestOutages(t *testing.T) {
	opt := options(t)
	s := open(t, opt, zip)
	keys := write(t, s, zip, 3)
	read := []stores.Read{{Table: zip, Features: stores.NewSelection("f"), Keys: keys}}
	pgtest.Exec(t, opt, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'banquet online store' AND datname = current_database()")
	if _, err := s.Read(t.Context(), read); err != nil && fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a lost connection is %v: %v", fault.KindOf(err), err)
	}
	if r, err := s.Read(t.Context(), read); err != nil || !r.Reads[0][0].Found {
		t.Errorf("the read after it: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
	defer cancel()
	pool, err := pg.Connect(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if _, err := tx.Exec(t.Context(), "LOCK TABLE credit_scoring_aws_zipcode_features IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	_, err = s.Read(ctx, read)
	if took := time.Since(start); fault.KindOf(err) != fault.TimedOut || took > 5*time.Second {
		t.Errorf("a locked table: %v after %v", err, took)
	}
	nowhere := opt
	nowhere.Port = 1
	down := postgres.New(nowhere)
	defer func() { _ = down.Close() }()
	if _, err := down.Read(t.Context(), read); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a server that is not there: %v", err)
	}
}

// BenchmarkWrite loads rows of six features.
func BenchmarkWrite(b *testing.B) {
	opt := options(b)
	s := postgres.New(opt)
	defer func() { _ = s.Close() }()
	if _, err := storetest.Update(b.Context(), s, stores.Tables{Keep: []stores.TableSpec{{Table: zip}}}); err != nil {
		b.Fatal(err)
	}
	names := []string{"a", "b", "c", "d", "e", "f"}
	recs := make([]stores.Record, 1000)
	for n := 0; b.Loop(); n++ {
		for i := range recs {
			recs[i] = stores.Record{Key: fmt.Appendf(nil, "key-%d", n*1000+i), Event: moment, Values: make([][]byte, 6)}
			for f := range recs[i].Values {
				recs[i].Values[f] = fmt.Appendf(nil, "\x12\x03%03d", f)
			}
		}
		if _, err := s.Write(b.Context(), zip, stores.NewSelection(names...), recs, stores.Replace); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*1000)/b.Elapsed().Seconds(), "rows/s")
}
