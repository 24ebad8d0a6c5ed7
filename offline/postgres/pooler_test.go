package postgres_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/pg"
	"github.com/banquet-fs/banquet/internal/pgtest"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/postgres"
)

// Behind a pooler in transaction mode, fifty readers share a few servers. Each
// reads its own schema, and times without a zone in UTC, whatever the settings of
// its transaction's server; some stop halfway, and nothing is left behind.
func TestReadersBehindAPooler(t *testing.T) {
	for name, settings := range map[string][]string{
		"as installed":                     nil,
		"few servers, in turn":             {"server_round_robin = 1", "default_pool_size = 3"},
		"few servers, tracking statements": {"server_round_robin = 1", "default_pool_size = 3", "max_prepared_statements = 200"},
	} {
		t.Run(name, func(t *testing.T) {
			pooler := pgtest.StartPooler(t, settings...)
			direct := pgtest.Options(t)
			pgtest.Exec(t, direct, "ALTER DATABASE "+direct.Database+" SET timezone = 'America/New_York'")
			for s := range 5 {
				pgtest.Exec(t, direct, fmt.Sprintf(`CREATE SCHEMA "schema %[1]d"; CREATE TABLE "schema %[1]d".t AS
					SELECT i::int8 AS k, 'value ' || %[1]d AS v, timestamp '2024-01-01 12:00:00' + i * interval '1 second' AS ts FROM generate_series(0, 39999) i`, s))
			}
			var group sync.WaitGroup
			for s := range 5 {
				opt := pooler.Through(direct)
				opt.Schema, opt.MaxConn = fmt.Sprintf("schema %d", s), 4
				store := postgres.New(opt)
				t.Cleanup(store.Close)
				for r := range 10 {
					group.Go(func() {
						if r%5 == 4 {
							giveUp(t, store)
							return
						}
						checkWindow(t, store, s, int64(100*r))
					})
				}
			}
			group.Wait()
			nothingLeft(t, pooler.Through(direct))
		})
	}
}

// checkWindow reads three seconds of a source whose columns were looked up
// before.
func checkWindow(t *testing.T, store *postgres.Store, schema int, from int64) {
	if cols, err := store.Columns(t.Context(), source("t", "")); err != nil || len(cols) != 3 {
		t.Errorf("columns %v, %v", cols, err)
	}
	noon := time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC)
	span, err := store.Span(t.Context(), offline.Query{Source: source("t", ""), Timestamp: "ts"})
	if err != nil || span.Rows != 40000 || !span.First.Equal(noon) {
		t.Errorf("span %+v, %v", span, err)
	}
	var want []string
	for i := range int64(3) {
		want = append(want, fmt.Sprintf("%d|value %d|%s", from+i, schema, noon.Add(time.Duration(from+i)*time.Second).Format(time.RFC3339Nano)))
	}
	got, err := window(t, store, offline.Query{
		Source: source("", "SELECT * FROM t ORDER BY ts;"), Columns: []string{"k", "v"}, Timestamp: "ts",
		Start: noon.Add(time.Duration(from) * time.Second), End: noon.Add(time.Duration(from+2) * time.Second),
	})
	if err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// A canceled read behind a pooler ends the query on the server, too.
func TestStoppingBehindAPooler(t *testing.T) {
	pooler := pgtest.StartPooler(t)
	admin, _ := failureDatabase(t)
	watch := connectAdmin(t, admin)
	opt := pooler.Through(admin)
	opt.ApplicationName, opt.Schema = "failing", "public"
	for _, m := range moments {
		t.Run(m.name, func(t *testing.T) {
			store := postgres.SmallBatches(postgres.New(opt), rowsOfBatch)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := whenAsleep(t, watch, cancel)
			told := readAll(ctx, store, failing(m.row, "SELECT pg_sleep(30)"), done)
			checkFailure(t, told, fault.Canceled)
			store.Close()
			began := time.Now()
			for n := 1; n > 0; {
				if err := watch.QueryRow(t.Context(), "SELECT count(*)::int4 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'failing' AND state <> 'idle'").Scan(&n); err != nil {
					t.Fatal(err)
				}
				if time.Since(began) > soon {
					t.Fatal("the query goes on")
				}
				<-time.After(5 * time.Millisecond)
			}
		})
	}
}

// giveUp cancels a read after its first batch.
func giveUp(t *testing.T, store *postgres.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := store.Range(ctx, offline.Query{Source: source("t", ""), Columns: []string{"k", "v"}, Timestamp: "ts"})
	if err != nil {
		t.Error(err)
		return
	}
	defer r.Release()
	r.Next()
	cancel()
	for r.Next() {
		continue // until it notices
	}
}

// nothingLeft checks the settings of the pooler's servers, each server several
// times.
func nothingLeft(t *testing.T, opt pg.Options) {
	t.Helper()
	pool, err := pg.Connect(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	for range 9 {
		var path, zone, readOnly string
		var statements int
		err := pool.QueryRow(t.Context(), "SELECT current_setting('search_path'), current_setting('timezone'), current_setting('transaction_read_only'), "+
			"(SELECT count(*)::int4 FROM pg_prepared_statements WHERE name <> '')").Scan(&path, &zone, &readOnly, &statements)
		if err != nil {
			t.Fatal(err)
		}
		if path != `"$user", public` || zone != "America/New_York" || readOnly != "off" || statements != 0 {
			t.Errorf("left behind: search_path %s, timezone %s, read-only %s, %d statements", path, zone, readOnly, statements)
		}
	}
}
