package postgres_test

import (
	"context"
	"crypto/md5"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/internal/pg"
	"github.com/banquet-fs/banquet/internal/pgtest"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/postgres"
)

// Names are whatever the source's are: reserved words, blanks, quotes, percent
// signs, upper case, dots in a table's name, and more than the server keeps.
func TestJoinOfAnyNames(t *testing.T) {
	long := strings.Repeat("long_name_", 9)
	s := open(t, `CREATE SCHEMA "Mixed"; CREATE TABLE "Mixed"."Name" ("EmployeeID" int8, "order" text, "a b" float8, "prozent%" timestamptz, "it's $1 ""?""" text, `+long+` int8);
		INSERT INTO "Mixed"."Name" VALUES (1, 'x', 0.5, '2024-01-01', ';', 7);
		CREATE SCHEMA features; CREATE TABLE features.daily (k int8, v int8, ts timestamptz); INSERT INTO features.daily VALUES (1, 10, '2024-01-01')`)
	features := []string{"order", "a b", `it's $1 "?"`, long}
	view := byKey(`"Mixed"."Name"`, "", types.ValueType_INT64, features...)
	view.Keys[0].Column, view.Timestamp = "EmployeeID", "prozent%"
	daily := byKey("features.daily", "", types.ValueType_INT64, "v")
	for range 2 {
		rows := entityRows(t, arrow.PrimitiveTypes.Int64, `[{"k": 1, "t": "2024-01-02T00:00:00Z"}, {"k": 2, "t": "2024-01-02T00:00:00Z"}]`)
		wantJoin(t, s, offline.Join{Entities: rows, Views: []offline.JoinView{view, daily}}, "x|0.5|;|7|10", "(null)|(null)|(null)|(null)|(null)")
		for _, v := range []offline.JoinView{view, daily} {
			statement, err := s.MissingIndex(t.Context(), v)
			if err != nil {
				t.Fatal(err)
			}
			pgtest.Exec(t, postgres.OptionsOf(s), statement)
		}
	}
}

// Queries as sources may have comments, semicolons and an order, which decides
// between equal rows.
func TestJoinOfQueries(t *testing.T) {
	s := open(t, `CREATE TABLE t (k int8, n int8, ts timestamptz); INSERT INTO t SELECT 1, i, '2024-01-01' FROM generate_series(1, 1000) i`)
	for query, want := range map[string]string{
		"SELECT * FROM t ORDER BY n DESC; -- the last one first": "1000",
		"SELECT * FROM t WHERE n % 7 = 0 /* ; */ ORDER BY n":     "7",
		"WITH a AS (SELECT * FROM t WHERE n > 5) TABLE a":        "6",
		"VALUES": "",
		"SELECT k, n, ts FROM t -- no new line follows":                "1",
		"SELECT 1 AS k, ';%?:name$1'::text AS n, date '2024-01-01' ts": ";%?:name$1",
	} {
		if want == "" {
			continue
		}
		rows := entityRows(t, arrow.PrimitiveTypes.Int64, `[{"k": 1, "t": "2024-01-02T00:00:00Z"}]`)
		wantJoin(t, s, offline.Join{Entities: rows, Views: []offline.JoinView{byKey("", query, types.ValueType_INT64, "n")}}, want)
	}
}

// An infinite time that would decide which row is the newest is refused.
func TestJoinOfInfiniteTimes(t *testing.T) {
	s := open(t, `CREATE TABLE t (k int8, v int8, ts timestamptz, created timestamp);
		INSERT INTO t VALUES (1, 10, '-infinity', NULL), (2, 20, 'infinity', NULL), (3, 30, '2024-01-01', 'infinity'), (4, 40, '2024-01-01', NULL), (4, 41, '-infinity', 'infinity')`)
	for key, says := range map[int]string{1: "column ts or created, of the row that belongs to entity row 2: the time is infinite", 3: "column ts or created", 4: "", 2: ""} {
		view := byKey("t", "", types.ValueType_INT64, "v")
		view.Created = "created"
		rows := entityRows(t, arrow.PrimitiveTypes.Int64, fmt.Sprintf(`[{"k": null, "t": "2024-01-02T00:00:00Z"}, {"k": %d, "t": "2024-01-02T00:00:00Z"}]`, key))
		got, err := joined(t.Context(), s, offline.Join{Entities: rows, Views: []offline.JoinView{view}})
		switch {
		case says == "" && err != nil:
			t.Errorf("key %d: %v", key, err)
		case says != "" && (fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), says)):
			t.Errorf("key %d: %v, %v", key, got, err)
		}
	}
}

// A server on which a role can make no temporary table joins all the same.
func TestJoinWithoutTemporaryTables(t *testing.T) {
	opt := pgtest.Options(t)
	pgtest.Exec(t, opt, `CREATE TABLE t (k int8, v int8, ts timestamptz); INSERT INTO t VALUES (1, 10, '2024-01-01')`)
	for name, statements := range map[string]string{
		"a server that cannot write": "ALTER DATABASE %[1]s SET default_transaction_read_only = on",
		"a role without the right":   "ALTER DATABASE %[1]s RESET default_transaction_read_only; REVOKE TEMP ON DATABASE %[1]s FROM PUBLIC",
	} {
		t.Run(name, func(t *testing.T) {
			user := opt
			user.User, user.Password, user.Schema = "reader_"+strings.ReplaceAll(opt.Database+name, " ", "_"), "secret", "public"
			pgtest.Exec(t, opt, fmt.Sprintf("BEGIN READ WRITE; CREATE ROLE %[2]s LOGIN PASSWORD 'secret'; GRANT SELECT ON t TO %[2]s; "+statements+"; COMMIT", opt.Database, user.User))
			s := postgres.New(user)
			t.Cleanup(s.Close)
			rows := entityRows(t, arrow.PrimitiveTypes.Int64, `[{"k": 1, "t": "2024-01-02T00:00:00Z"}]`)
			wantJoin(t, s, offline.Join{Entities: rows, Views: []offline.JoinView{byKey("t", "", types.ValueType_INT64, "v")}}, "10")
		})
	}
}

// What the server lacks while it joins is one clear error, and nothing is left.
func TestJoinThatTheServerFails(t *testing.T) {
	opt := pgtest.Options(t)
	pgtest.Exec(t, opt, `CREATE TABLE t (k int8, v text, ts timestamptz); INSERT INTO t SELECT 1, repeat('x', 500) || i, '2024-01-01' FROM generate_series(1, 100000) i;
		CREATE SEQUENCE counter; CREATE FUNCTION writing() RETURNS int8 LANGUAGE sql AS 'INSERT INTO t (k) VALUES (1) RETURNING 1::int8'`)
	for name, c := range map[string]struct {
		settings, query string
		kind            fault.Kind
		says            string
	}{
		"temporary files": {"SET temp_file_limit = '1MB'; ALTER ROLE %s SET work_mem = '64kB'", "SELECT DISTINCT k, v, ts FROM t", fault.Overloaded, "data source src: temporary file size exceeds temp_file_limit"},
		"a write":         {"RESET temp_file_limit", "SELECT writing() AS k, v, ts FROM t", fault.Denied, "data source src: the connection is read-only: cannot execute INSERT in a read-only transaction"},
		"a sequence":      {"RESET temp_file_limit", "SELECT nextval('counter') AS k, v, ts FROM t", fault.Denied, "data source src: the connection is read-only: cannot execute nextval()"},
		"a bad row":       {"RESET temp_file_limit", "SELECT 1 / (k - 1) AS k, v, ts FROM t", fault.Invalid, "data source src: division by zero"},
		"statement time":  {"SET statement_timeout = '300ms'", "SELECT k, v, ts FROM t, pg_sleep(30)", fault.TimedOut, "data source src: the query took too long and was ended"},
	} {
		t.Run(name, func(t *testing.T) {
			user := opt
			pgtest.Exec(t, opt, fmt.Sprintf("ALTER ROLE %[1]s IN DATABASE "+opt.Database+" "+strings.ReplaceAll(c.settings, "ALTER ROLE %s", "ALTER ROLE %[1]s IN DATABASE "+opt.Database), opt.User))
			s := postgres.New(user)
			t.Cleanup(s.Close)
			rows := entityRows(t, arrow.PrimitiveTypes.Int64, `[{"k": 1, "t": "2024-01-02T00:00:00Z"}]`)
			got, err := joined(t.Context(), s, offline.Join{Entities: rows, Views: []offline.JoinView{byKey("", c.query, types.ValueType_INT64, "v")}})
			if fault.KindOf(err) != c.kind || !strings.HasPrefix(fmt.Sprint(err), c.says) || strings.Contains(fmt.Sprint(err), "\n") {
				t.Errorf("%v: %v, %v", fault.KindOf(err), err, got)
			}
			pgtest.Exec(t, opt, "ALTER ROLE "+opt.User+" IN DATABASE "+opt.Database+" RESET ALL")
		})
	}
}

// A join that is stopped ends on the server within a second, whatever it does.
func TestStoppingJoins(t *testing.T) {
	opt := pgtest.Options(t)
	pgtest.Exec(t, opt, `CREATE TABLE t (k int8, v int8, ts timestamptz); INSERT INTO t SELECT 1, i, '2024-01-01' FROM generate_series(1, 1000) i;
		CREATE FUNCTION slow(v int8) RETURNS int8 LANGUAGE sql VOLATILE AS 'SELECT v FROM pg_sleep(30)';
		CREATE VIEW asleep AS SELECT k, slow(v) AS v, ts FROM t`)
	watch := connectAdmin(t, opt)
	user := opt
	user.ApplicationName = "failing"
	for name, open := range map[string]func(ctx context.Context, s *postgres.Store) (interface{ Release() }, error){
		"copying rows": func(ctx context.Context, s *postgres.Store) (interface{ Release() }, error) {
			rows := entityRows(t, arrow.PrimitiveTypes.Int64, `[{"k": 1, "t": "2024-01-02T00:00:00Z"}]`)
			return s.PointInTime(ctx, offline.Join{Entities: rows, Views: []offline.JoinView{byKey("asleep", "", types.ValueType_INT64, "v")}})
		},
		"moments": func(ctx context.Context, s *postgres.Store) (interface{ Release() }, error) {
			view := byKey("asleep", "", types.ValueType_INT64)
			view.Keys[0].Column = "v"
			r, err := s.Moments(ctx, []offline.JoinView{view}, time.Time{}, time.Time{})
			if err == nil {
				r.Next()
				err = r.Err()
			}
			return r, err
		},
		"a query": func(ctx context.Context, s *postgres.Store) (interface{ Release() }, error) {
			r, err := s.Query(ctx, "SELECT v FROM asleep")
			if err == nil {
				r.Next()
				err = r.Err()
			}
			return r, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := postgres.New(user)
			t.Cleanup(s.Close)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := whenAsleep(t, watch, cancel)
			r, err := open(ctx, s)
			late := time.Since(done())
			if r != nil && err == nil {
				r.Release()
			}
			if fault.KindOf(err) != fault.Canceled || late > soon {
				t.Errorf("after %v: %v", late, err)
			}
			checkGone(t, watch, s)
		})
	}
}

// Behind a pooler in transaction mode, fifty joins share a few servers. Some stop
// halfway, and nothing is left behind.
func TestJoinsBehindAPooler(t *testing.T) {
	pooler := pgtest.StartPooler(t, "server_round_robin = 1", "default_pool_size = 3")
	direct := pgtest.Options(t)
	pgtest.Exec(t, direct, "ALTER DATABASE "+direct.Database+" SET timezone = 'America/New_York'")
	pgtest.Exec(t, direct, `CREATE TABLE indexed AS SELECT i % 100 AS k, i AS v, timestamp '2024-01-01' + i * interval '1 second' AS ts FROM generate_series(0::int8, 9999) i;
		CREATE TABLE plain AS TABLE indexed; CREATE INDEX ON indexed (k, ts)`)
	var group sync.WaitGroup
	for range 5 {
		opt := pooler.Through(direct)
		opt.Schema, opt.MaxConn = "public", 4
		store := postgres.SmallBatches(postgres.New(opt), 50)
		t.Cleanup(store.Close)
		for r := range 10 {
			group.Go(func() { joinBehindPooler(t, store, r%5 == 4) })
		}
	}
	group.Wait()
	nothingLeft(t, pooler.Through(direct))
	noTables(t, direct)
}

func joinBehindPooler(t *testing.T, store *postgres.Store, stop bool) {
	var json, want []string
	for k := range 300 {
		json = append(json, fmt.Sprintf(`{"k": %d, "t": "2024-01-01T01:00:00Z"}`, k%100))
		want = append(want, fmt.Sprintf("%[1]d|%[1]d", 3600-(100-k%100)%100))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	join := offline.Join{Entities: entityRows(t, arrow.PrimitiveTypes.Int64, "["+strings.Join(json, ",")+"]"), Views: []offline.JoinView{
		byKey("indexed", "", types.ValueType_INT64, "v"), byKey("plain", "", types.ValueType_INT64, "v"),
	}}
	if stop {
		r, err := store.PointInTime(ctx, join)
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
		return
	}
	got, err := joined(ctx, store, join)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}

// noTables checks that the database has no temporary table.
func noTables(t *testing.T, opt pg.Options) {
	t.Helper()
	watch := connectAdmin(t, opt)
	began := time.Now()
	for n := 1; n > 0; { // the server notices after a moment that a connection has gone
		if err := watch.QueryRow(t.Context(), "SELECT count(*)::int4 FROM pg_class WHERE relpersistence = 't'", pgx.QueryExecModeSimpleProtocol).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if time.Since(began) > 2*soon {
			t.Fatalf("%d temporary tables are left", n)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// Of equal rows the first one counts, in the order of the partitions, or of the
// places in a table, however the rows are found.
func TestJoinOfPartitions(t *testing.T) {
	for name, statements := range map[string]string{
		"partitions": `CREATE TABLE t (k int8, v int8, ts timestamptz) PARTITION BY LIST (v); CREATE TABLE a PARTITION OF t FOR VALUES IN (1, 3); CREATE TABLE b PARTITION OF t FOR VALUES IN (2, 4)`,
		"children":   `CREATE TABLE t (k int8, v int8, ts timestamptz); CREATE TABLE b () INHERITS (t); CREATE RULE two AS ON INSERT TO t WHERE v % 2 = 0 DO INSTEAD INSERT INTO b VALUES (NEW.*)`,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, statements+"; INSERT INTO t VALUES (1, 4, '2024-01-01'), (1, 3, '2024-01-01'), (1, 2, '2024-01-01'), (1, 1, '2024-01-01'), (2, 2, '2024-01-01'), (2, 1, '2023-01-01')")
			for _, index := range []string{"", "CREATE INDEX ON t (k, ts)", "CREATE INDEX ON b (k, ts)"} {
				pgtest.Exec(t, postgres.OptionsOf(s), index)
				rows := entityRows(t, arrow.PrimitiveTypes.Int64, `[{"k": 1, "t": "2024-01-02T00:00:00Z"}, {"k": 2, "t": "2024-01-02T00:00:00Z"}, {"k": 2, "t": "2023-01-02T00:00:00Z"}]`)
				wantJoin(t, s, offline.Join{Entities: rows, Views: []offline.JoinView{byKey("t", "", types.ValueType_INT64, "v")}}, "3", "2", "1")
			}
		})
	}
}

// Keys may be longer than an index takes.
func TestJoinOfLongKeys(t *testing.T) {
	s := open(t, `CREATE TABLE t AS SELECT (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 300) i) || n AS k, n AS v, timestamptz '2024-01-01' AS ts FROM generate_series(1, 3) n`)
	var long strings.Builder
	for i := range 300 {
		fmt.Fprintf(&long, "%x", md5.Sum([]byte(fmt.Sprint(1+i)))) //nolint:gosec // text that does not compress
	}
	rows := entityRows(t, arrow.BinaryTypes.String, fmt.Sprintf(`[{"k": "%[1]s2", "t": "2024-01-02T00:00:00Z"}, {"k": "x", "t": "2024-01-02T00:00:00Z"}, {"k": "%[1]s3", "t": "2024-01-02T00:00:00Z"}]`, long.String()))
	wantJoin(t, s, offline.Join{Entities: rows, Views: []offline.JoinView{byKey("t", "", types.ValueType_STRING, "v")}}, "2", "(null)", "3")
}

// A role that may read only some columns joins these.
func TestJoinOfSomeColumns(t *testing.T) {
	opt := pgtest.Options(t)
	user := opt
	user.User, user.Password, user.Schema = "partly_"+opt.Database, "secret", "public"
	pgtest.Exec(t, opt, fmt.Sprintf(`CREATE TABLE t (k int8, v int8, secret text, ts timestamptz); INSERT INTO t VALUES (1, 10, 's', '2024-01-01'), (1, 11, 's', '2024-01-01'); CREATE INDEX ON t (k, ts);
		CREATE ROLE %[1]s LOGIN PASSWORD 'secret'; GRANT SELECT (k, v, ts) ON t TO %[1]s`, user.User))
	s := postgres.New(user)
	t.Cleanup(s.Close)
	ask := func(feature string) offline.Join {
		rows := entityRows(t, arrow.PrimitiveTypes.Int64, `[{"k": 1, "t": "2024-01-02T00:00:00Z"}]`)
		return offline.Join{Entities: rows, Views: []offline.JoinView{byKey("t", "", types.ValueType_INT64, feature)}}
	}
	wantJoin(t, s, ask("v"), "10")
	if got, err := joined(t.Context(), s, ask("secret")); fault.KindOf(err) != fault.Denied || !strings.Contains(err.Error(), "permission denied for table t") {
		t.Errorf("%v, %v", got, err)
	}
}

// A database in another encoding lacks letters that entity rows may have.
func TestJoinInAnotherEncoding(t *testing.T) {
	opt := pgtest.Options(t)
	pgtest.Exec(t, opt, "CREATE DATABASE latin_"+opt.Database+" ENCODING LATIN1 LOCALE 'C' TEMPLATE template0")
	t.Cleanup(func() { dropDatabase(t, opt, "latin_"+opt.Database) })
	latin := opt
	latin.Database = "latin_" + opt.Database
	pgtest.Exec(t, latin, "CREATE TABLE t (k text, v int8, ts timestamptz); INSERT INTO t VALUES ('é', 10, '2024-01-01')")
	s := postgres.New(latin)
	t.Cleanup(s.Close)
	rows := entityRows(t, arrow.BinaryTypes.String, `[{"k": "가", "t": "2024-01-02T00:00:00Z"}, {"k": "é", "t": "2024-01-02T00:00:00Z"}]`)
	wantJoin(t, s, offline.Join{Entities: rows, Views: []offline.JoinView{byKey("t", "", types.ValueType_STRING, "v")}}, "(null)", "10")
}

func dropDatabase(t *testing.T, opt pg.Options, name string) {
	pool, err := pg.Connect(context.Background(), opt)
	if err == nil {
		defer pool.Close()
		_, err = pool.Exec(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)")
	}
	if err != nil {
		t.Error(err)
	}
}

// A join may have more columns than a statement or a table can.
func TestWideJoins(t *testing.T) {
	const columns, rows = 900, 50
	opt := pgtest.Options(t)
	admin := opt
	opt.ApplicationName = "failing"
	var heads, cells, features []string
	for c := range columns {
		features = append(features, fmt.Sprintf("f%d", c))
		heads = append(heads, fmt.Sprintf("f%d int4", c))
		cells = append(cells, fmt.Sprintf("k * 1000 + %d", c))
	}
	var views []offline.JoinView
	for _, table := range []string{"one", "two", "three", "four"} {
		pgtest.Exec(t, admin, "CREATE TABLE "+table+" (k int8, ts timestamptz, "+strings.Join(heads, ", ")+"); INSERT INTO "+table+
			" SELECT k, '2024-01-01', "+strings.Join(cells, ", ")+" FROM generate_series(1, 40) k; CREATE INDEX ON "+table+" (k, ts)")
		views = append(views, byKey(table, "", types.ValueType_INT64, features...))
	}
	join := func() offline.Join {
		var json []string
		for k := range rows {
			json = append(json, fmt.Sprintf(`{"k": %d, "t": "2024-01-02T00:00:00Z"}`, 1+k))
		}
		return offline.Join{Entities: entityRows(t, arrow.PrimitiveTypes.Int64, "["+strings.Join(json, ",")+"]"), Views: views}
	}
	s := postgres.SmallBatches(postgres.New(opt), 7)
	t.Cleanup(s.Close)
	if statements, _, err := postgres.Explain(t.Context(), s, offline.Join{Entities: join().Entities, Views: views[:1]}); err != nil || strings.Contains(statements, "rows_") {
		t.Errorf("%v: not by the index:\n%s", err, statements)
	}
	var want []string
	for k := range rows {
		var row []string
		for range views {
			for c := range columns {
				cell := "(null)"
				if k < 40 {
					cell = fmt.Sprint((1+k)*1000 + c)
				}
				row = append(row, cell)
			}
		}
		want = append(want, strings.Join(row, "|"))
	}
	wantJoin(t, s, join(), want...)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := s.PointInTime(ctx, join())
	if err != nil || !r.Next() {
		t.Fatal(err)
	}
	defer r.Release()
	cancel()
	if r.Next() || fault.KindOf(r.Err()) != fault.Canceled {
		t.Errorf("after the caller has stopped: %v", r.Err())
	}
	pgtest.Exec(t, admin, "UPDATE two SET ts = '-infinity' WHERE k = 30")
	_, err = joined(t.Context(), s, join())
	if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "entity row 30") {
		t.Errorf("an infinite time: %v", err)
	}
	checkGone(t, connectAdmin(t, admin), s)
}

// One key with most rows costs no more than others, whatever the planner
// believes: with an index by time beside, too, which has all rows of one key
// before those of another.
func TestJoinOfSkewedKeys(t *testing.T) {
	const n = 50000
	for name, index := range map[string]string{
		"no index": "", "index": "CREATE INDEX ON t (k, ts)", "index by time beside": "CREATE INDEX ON t (k, ts); CREATE INDEX ON t (ts)", "index by time": "CREATE INDEX ON t (ts)",
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, fmt.Sprintf(`CREATE TABLE t AS SELECT i %% 2 AS k, i AS v, timestamptz '2024-01-01' + i * interval '1 s' AS ts FROM generate_series(1::int8, %d) i;
				INSERT INTO t VALUES (2, 7, '2023-01-01'); ANALYZE t; %s`, n, index))
			var json, want []string
			for i := range n / 5 {
				json = append(json, fmt.Sprintf(`{"k": %d, "t": "2025-01-01T00:00:00Z"}`, 1+i%2))
				want = append(want, fmt.Sprint([]int{n - 1, 7}[i%2]))
			}
			began := time.Now()
			wantJoin(t, s, offline.Join{Entities: entityRows(t, arrow.PrimitiveTypes.Int64, "["+strings.Join(json, ",")+"]"), Views: []offline.JoinView{byKey("t", "", types.ValueType_INT64, "v")}}, want...)
			if took := time.Since(began); took > 20*time.Second { // two minutes at least, if each entity row reads the rows of the others
				t.Errorf("%v", took)
			}
		})
	}
}
