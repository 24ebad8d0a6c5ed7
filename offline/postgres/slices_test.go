package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/internal/pg"
	"github.com/banquet-fs/banquet/internal/pgtest"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/offlinetest"
	"github.com/banquet-fs/banquet/offline/postgres"
)

// TestContractOfSlices divides the small tables of the suite.
func TestContractOfSlices(t *testing.T) {
	opt := pgtest.Options(t)
	opt.MaxConn = 16
	pool, err := pg.Connect(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	pooler := pgtest.StartPooler(t, "server_round_robin = 1").Through(opt)
	small := func(through pg.Options) func(testing.TB) offlinetest.Backend {
		return func(tb testing.TB) offlinetest.Backend {
			b := freshBackend(tb, opt, through, pool)
			postgres.SmallParts(b.store)
			return b
		}
	}
	offlinetest.RunSlices(t, small(opt))
	t.Run("behind a pooler", func(t *testing.T) { offlinetest.RunSlices(t, small(pooler)) })
	t.Run("as Range", func(t *testing.T) {
		offlinetest.Run(t, func(tb testing.TB) offlinetest.Backend { return offlinetest.Sliced(small(opt)(tb)) },
			append(offlinetest.Elsewhere("by TestContract", "memory is bounded by the batch", "a row may be larger than a batch"),
				offlinetest.Exception{Sentence: "the unit of a time loses nothing of the source's", Reason: "PostgreSQL's times are whole microseconds; those of the check are not"},
				offlinetest.Exception{Sentence: "a row is named by its number in the order of reading", Reason: "rows are numbered from the first page of their part, which the error names"},
			)...)
	})
}

// slicedStore is a store with a table t of so many rows, of which some fill a page.
func slicedStore(t *testing.T, opt pg.Options, rows int) *postgres.Store {
	t.Helper()
	pgtest.Exec(t, opt, fmt.Sprintf(`DROP TABLE IF EXISTS t CASCADE; CREATE TABLE t AS SELECT i::int8 AS k, 0::int8 AS moved, timestamptz '2024-01-01 00:00:00Z' + i * interval '1 second' AS ts
		FROM generate_series(0, %d) i; ANALYZE t`, rows-1))
	opt.MaxConn = 16
	store := postgres.SmallParts(postgres.New(opt))
	t.Cleanup(store.Close)
	return store
}

func queryOfT(source *core.DataSource) offline.Query {
	return offline.Query{Source: source, Columns: []string{"k"}, Timestamp: "ts"}
}

// openSlices opens readers, and releases them at the end.
func openSlices(t *testing.T, store *postgres.Store, q offline.Query, n int) []array.RecordReader {
	t.Helper()
	readers, err := store.Slices(t.Context(), q, n)
	if err != nil {
		t.Fatalf("%v: %v", err, fault.Cause(err))
	}
	t.Cleanup(func() {
		for _, r := range readers {
			r.Release()
		}
	})
	return readers
}

// keysOf reads the keys of readers, at the same time, and sorts them.
func keysOf(t *testing.T, readers []array.RecordReader) []int64 {
	t.Helper()
	lists := make([][]int64, len(readers))
	var group sync.WaitGroup
	for i, r := range readers {
		group.Go(func() {
			for r.Next() {
				keys, _ := r.RecordBatch().Column(0).(*array.Int64)
				lists[i] = append(lists[i], keys.Int64Values()...)
			}
			if r.Err() != nil {
				t.Errorf("reader %d: %v: %v", i, r.Err(), fault.Cause(r.Err()))
			}
		})
	}
	group.Wait()
	all := slices.Concat(lists...)
	slices.Sort(all)
	return all
}

// once checks that each of n keys was read once.
func once(t *testing.T, keys []int64, n int) {
	t.Helper()
	if len(keys) != n {
		t.Errorf("%d rows, want %d", len(keys), n)
	}
	for i, k := range keys {
		if int64(i) != k {
			t.Fatalf("key %d is missing, or one before it was read twice", i)
		}
	}
}

// Rows that move between pages and change their times while readers are opened
// and read are read once each.
func TestSlicesShowOneMoment(t *testing.T) {
	const rows = 20_000
	opt := pgtest.Options(t)
	store := slicedStore(t, opt, rows)
	pool, err := pg.Connect(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	ctx, cancel := context.WithCancel(t.Context())
	var moves sync.WaitGroup
	for m := range 2 {
		moves.Go(func() { // each update writes a new version of the row, at another page
			for n := 0; ctx.Err() == nil; n++ {
				if _, err := pool.Exec(ctx, "UPDATE t SET moved = moved + 1, ts = ts + interval '1 day' WHERE k % 50 = $1", (2*n+m)%50); err != nil && ctx.Err() == nil {
					t.Errorf("moving: %v", err)
					return
				}
			}
		})
	}
	defer moves.Wait()
	defer cancel()
	for range 15 {
		readers := openSlices(t, store, queryOfT(source("t", "")), 4)
		if len(readers) < 2 {
			t.Fatalf("%d readers", len(readers))
		}
		once(t, keysOf(t, readers), rows)
	}
}

// A table that another transaction empties and fills again is seen full: the lock
// comes before the snapshot.
func TestSlicesOfATableThatIsFilledAnew(t *testing.T) {
	const rows = 5000
	opt := pgtest.Options(t)
	store := slicedStore(t, opt, rows)
	pool, err := pg.Connect(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	ctx, cancel := context.WithCancel(t.Context())
	var fill sync.WaitGroup
	fill.Go(func() {
		for ctx.Err() == nil {
			if _, err := pool.Exec(ctx, `DO $$ BEGIN CREATE TEMP TABLE IF NOT EXISTS kept AS TABLE t; TRUNCATE t; INSERT INTO t TABLE kept; END $$`); err != nil && ctx.Err() == nil {
				t.Errorf("filling: %v", err)
				return
			}
		}
	})
	defer fill.Wait()
	defer cancel()
	for range 40 {
		once(t, keysOf(t, openSlices(t, store, queryOfT(source("t", "")), 3)), rows)
	}
}

// Only tables that the server would read as a whole are divided.
func TestWhatIsDivided(t *testing.T) {
	opt := pgtest.Options(t)
	store := slicedStore(t, opt, 20_000)
	pgtest.Exec(t, opt, `CREATE VIEW v AS TABLE t;
		CREATE TABLE heirs (LIKE t); INSERT INTO heirs TABLE t; CREATE TABLE heir () INHERITS (heirs); INSERT INTO heir TABLE t;
		CREATE TABLE parts (LIKE t) PARTITION BY RANGE (ts); CREATE TABLE part PARTITION OF parts DEFAULT; INSERT INTO parts TABLE t;
		CREATE TABLE indexed (LIKE t); INSERT INTO indexed TABLE t; CREATE INDEX ON indexed (ts); ANALYZE indexed;
		CREATE TABLE "user" (LIKE t); INSERT INTO "user" TABLE t;
		CREATE MATERIALIZED VIEW m AS TABLE t;
		CREATE TABLE tiny (LIKE t); INSERT INTO tiny SELECT * FROM t LIMIT 100; CREATE TABLE none (LIKE t)`)
	noon := time.Date(2024, 1, 1, 0, 10, 0, 0, time.UTC)
	for _, c := range []struct {
		name    string
		source  *core.DataSource
		end     time.Time
		divided bool
		rows    int
	}{
		{"a table", source("t", ""), time.Time{}, true, 20_000},
		{"a table with its schema", source("public.t", ""), time.Time{}, true, 20_000},
		{"a window without an index", source("t", ""), noon, true, 601},
		{"all of a table with an index", source("indexed", ""), time.Time{}, true, 20_000},
		{"a window with an index", source("indexed", ""), noon, false, 601},
		{"a query of a table", source("", "SELECT * FROM t"), time.Time{}, true, 20_000},
		{"a query of some columns", source("", "select k, ts -- of all\n from public.t;"), time.Time{}, true, 20_000},
		{"a partition", source("part", ""), time.Time{}, true, 20_000},
		{"a table named as a word of SQL", source("user", ""), time.Time{}, true, 20_000},
		{"a query with a condition", source("", "SELECT * FROM t WHERE k >= 0"), time.Time{}, false, 20_000},
		{"a view", source("v", ""), time.Time{}, false, 20_000},
		{"a materialized view", source("m", ""), time.Time{}, false, 20_000},
		{"a table with heirs", source("heirs", ""), time.Time{}, false, 40_000},
		{"a table with partitions", source("parts", ""), time.Time{}, false, 20_000},
		{"a table of one page", source("tiny", ""), time.Time{}, false, 100},
		{"an empty table", source("none", ""), time.Time{}, false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := queryOfT(c.source)
			q.End = c.end
			readers := openSlices(t, store, q, 3)
			if (len(readers) > 1) != c.divided {
				t.Errorf("%d readers, divided: %v", len(readers), c.divided)
			}
			if keys := keysOf(t, readers); len(keys) != c.rows {
				t.Errorf("%d rows, want %d", len(keys), c.rows)
			}
		})
	}
}

// Requests never wait for each other's connections: with four of them, eight
// callers who each want four all get their rows.
func TestSlicesShareFewConnections(t *testing.T) {
	const rows = 20_000
	for name, settings := range map[string][]string{"of the pool": nil, "of a pooler": {"default_pool_size = 2"}} {
		t.Run(name, func(t *testing.T) {
			opt := pgtest.Options(t)
			slicedStore(t, opt, rows)
			if settings != nil {
				opt = pgtest.StartPooler(t, settings...).Through(opt)
			}
			opt.MaxConn = 4
			store := postgres.SmallParts(postgres.New(opt))
			t.Cleanup(store.Close)
			var group sync.WaitGroup
			for range 8 {
				group.Go(func() {
					readers, err := store.Slices(t.Context(), queryOfT(source("t", "")), 4)
					if err != nil {
						t.Errorf("%v: %v", err, fault.Cause(err))
						return
					}
					keys := keysOf(t, readers)
					for _, r := range readers {
						r.Release()
					}
					if len(keys) != rows {
						t.Errorf("%d readers: %d rows, want %d", len(readers), len(keys), rows)
					}
				})
			}
			group.Wait()
		})
	}
}

// A role that may read some columns may not lock the table, and has one reader.
func TestSlicesOfWhatMayBeRead(t *testing.T) {
	opt := pgtest.Options(t)
	slicedStore(t, opt, 20_000)
	pgtest.Exec(t, opt, `DROP ROLE IF EXISTS slice_reader; CREATE ROLE slice_reader LOGIN PASSWORD 'x'; GRANT SELECT (k, ts) ON t TO slice_reader`)
	defer pgtest.Exec(t, opt, "REVOKE ALL ON t FROM slice_reader; DROP ROLE slice_reader") // the server has other databases
	some := opt
	some.User, some.Password = "slice_reader", "x"
	store := postgres.SmallParts(postgres.New(some))
	t.Cleanup(store.Close)
	readers := openSlices(t, store, queryOfT(source("t", "")), 3)
	if keys := keysOf(t, readers); len(readers) != 1 || len(keys) != 20_000 {
		t.Errorf("%d readers, %d rows", len(readers), len(keys))
	}
}

// An error names the row by its part, which a SELECT finds.
func TestAFailedSliceNamesItsRow(t *testing.T) {
	opt := pgtest.Options(t)
	store := slicedStore(t, opt, 20_000)
	pgtest.Exec(t, opt, "CREATE TABLE late AS SELECT k, CASE k WHEN 19999 THEN 'tomorrow' ELSE ts::text END AS ts FROM t ORDER BY k")
	readers := openSlices(t, store, queryOfT(source("late", "")), 2)
	if len(readers) != 2 {
		t.Fatalf("%d readers", len(readers))
	}
	for readers[1].Next() {
		continue
	}
	err := readers[1].Err()
	if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "column ts, row ") || !strings.Contains(err.Error(), "of those whose ctid is '(") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
}

// Several readers have no more rows in memory than one.
func TestSlicesShareTheMemoryOfABatch(t *testing.T) {
	const rows, batch = 20_000, 3000
	store := postgres.SmallBatches(slicedStore(t, pgtest.Options(t), rows), batch)
	readers := openSlices(t, store, queryOfT(source("t", "")), 3)
	if len(readers) != 3 {
		t.Fatalf("%d readers", len(readers))
	}
	total := int64(0)
	for _, r := range readers {
		for r.Next() {
			n := r.RecordBatch().NumRows()
			if total += n; n > batch/3 {
				t.Errorf("a batch of %d rows, want at most %d", n, batch/3)
			}
		}
	}
	if total != rows {
		t.Errorf("%d rows, want %d", total, rows)
	}
}
