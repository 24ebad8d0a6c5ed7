package postgres_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/internal/pgtest"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/postgres"
)

func source(table, query string) *core.DataSource {
	config := fmt.Sprintf(`{"name": "src", "query": %q, "table": %q}`, query, table)
	return &core.DataSource{
		Name: "src", Type: core.DataSource_CUSTOM_SOURCE, TimestampField: "ts",
		Options: &core.DataSource_CustomOptions{CustomOptions: &core.DataSource_CustomSourceOptions{Configuration: []byte(config)}},
	}
}

// open makes a database with the given statements and a store of it.
func open(t *testing.T, statements string) *postgres.Store {
	t.Helper()
	opt := pgtest.Options(t)
	pgtest.Exec(t, opt, statements)
	s := postgres.New(opt)
	t.Cleanup(s.Close)
	return s
}

// rows reads all rows of a query as texts.
func rows(t *testing.T, s *postgres.Store, q offline.Query) []string {
	t.Helper()
	out, err := window(t, s, q)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// window is rows, for goroutines, which must not end a test.
func window(t *testing.T, s *postgres.Store, q offline.Query) (out []string, err error) {
	t.Helper()
	r, err := s.Range(t.Context(), q)
	if err != nil {
		return nil, err
	}
	defer r.Release()
	for r.Next() {
		b := r.RecordBatch()
		for i := range int(b.NumRows()) {
			cells := make([]string, b.NumCols())
			for c := range cells {
				cells[c] = cell(b.Column(c), i)
			}
			out = append(out, strings.Join(cells, "|"))
		}
	}
	return out, r.Err()
}

func cell(a arrow.Array, i int) string {
	if ts, ok := a.(*array.Timestamp); ok && !a.IsNull(i) {
		if unit, ok := ts.DataType().(*arrow.TimestampType); ok {
			return ts.Value(i).ToTime(unit.Unit).Format(time.RFC3339Nano)
		}
	}
	return a.ValueStr(i)
}

func TestEveryTypeIsRead(t *testing.T) {
	s := open(t, `CREATE TABLE t (i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, n numeric(10,2), b bool, s text, v varchar(9), c char(3),
		y bytea, d date, z timestamptz, u uuid, j json, jb jsonb, l int8[], ls text[], ts timestamp);
		INSERT INTO t VALUES (1, 2, 9007199254740993, 0.5, 1.25, 12.50, true, 'é', 'v', 'c', '\x0001', '2024-01-02', '2024-01-02 03:04:05.000006+09', '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
			'{"a": 1}', '{"b": 2}', '{1,NULL,3}', '{x,"y,z"}', '2024-03-01 00:00:00.5');
		INSERT INTO t (ts) VALUES ('2024-03-02');
		INSERT INTO t (i8) VALUES (7);`)
	columns := strings.Fields("i2 i4 i8 f4 f8 n b s v c y d z u j jb l ls")
	got := rows(t, s, offline.Query{Source: source("t", ""), Columns: columns, Timestamp: "ts"})
	want := []string{
		"1|2|9007199254740993|0.5|1.25|12.50|true|é|v|c  |AAE=|2024-01-02T00:00:00Z|2024-01-01T18:04:05.000006Z|6ba7b810-9dad-11d1-80b4-00c04fd430c8|" +
			`{"a": 1}|{"b": 2}|[1,null,3]|["x","y,z"]|2024-03-01T00:00:00.5Z`,
		strings.Repeat("(null)|", 18) + "2024-03-02T00:00:00Z",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	cols, err := s.Columns(t.Context(), source("t", ""))
	if err != nil || len(cols) != 19 || cols[2] != (offline.Column{Name: "i8", Type: types.ValueType_INT64, Native: "bigint"}) || cols[16].Type != types.ValueType_INT64_LIST {
		t.Errorf("columns %v, %v", cols, err)
	}
}

func TestBoundsAreInclusive(t *testing.T) {
	s := open(t, `CREATE TABLE t (k int8, ts timestamptz); INSERT INTO t SELECT i, timestamptz '2024-01-01 00:00:00+00' + i * interval '1 day' FROM generate_series(0, 9) i`)
	day := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	got := rows(t, s, offline.Query{Source: source("t", ""), Columns: []string{"k"}, Timestamp: "ts", Start: day.AddDate(0, 0, 2), End: day.AddDate(0, 0, 4)})
	if len(got) != 3 {
		t.Errorf("%d rows: %v", len(got), got)
	}
	span, err := s.Span(t.Context(), offline.Query{Source: source("t", ""), Timestamp: "ts"})
	if err != nil || span.Rows != 10 || !span.First.Equal(day) || !span.Last.Equal(day.AddDate(0, 0, 9)) {
		t.Errorf("span %+v, %v", span, err)
	}
}

func TestQueriesAsPeopleWriteThem(t *testing.T) {
	s := open(t, `CREATE SCHEMA "Mixed"; CREATE TABLE "Mixed"."Name" ("EmployeeID" int8, "order" text, "a b" text, "prozent%" float8, ts timestamp);
		INSERT INTO "Mixed"."Name" VALUES (1, 'x;y', 'a?b', 0.5, '2024-01-01'); CREATE TABLE "order" AS SELECT * FROM "Mixed"."Name"`)
	for name, src := range map[string]*core.DataSource{
		"a quoted table":         source(`"Mixed"."Name"`, ""),
		"a reserved word":        source("order", ""),
		"blanks around":          source(" order ", ""),
		"a trailing semicolon":   source("", `SELECT * FROM "order";`),
		"a trailing comment":     source("", `SELECT * FROM "order" -- all; of it`),
		"a semicolon and a note": source("", "SELECT * FROM \"order\" ; -- note\n"),
		"WITH":                   source("", `WITH x AS (SELECT * FROM "order") SELECT * FROM x`),
		"signs in literals":      source("", `SELECT * FROM "order" WHERE "order" LIKE '%;%' AND '$1 :name ? {}' <> $q$; -- $q$`),
	} {
		t.Run(name, func(t *testing.T) {
			got := rows(t, s, offline.Query{Source: src, Columns: []string{"EmployeeID", "order", "a b", "prozent%"}, Timestamp: "ts"})
			if diff := cmp.Diff([]string{"1|x;y|a?b|0.5|2024-01-01T00:00:00Z"}, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	for name, query := range map[string]string{
		"two statements": "SELECT 1; DELETE FROM t", "no SELECT": "DELETE FROM t", "nothing": " -- nothing", "a semicolon in between": "SELECT 1; SELECT 2 -- ;",
	} {
		if _, err := s.Range(t.Context(), offline.Query{Source: source("", query), Timestamp: "ts"}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v, want an invalid fault", name, err)
		}
	}
}

func TestFaultsNameTheThing(t *testing.T) {
	s := open(t, `CREATE TABLE t (k int8, ts timestamp)`)
	clickhouse := source("t", "")
	clickhouse.DataSourceClassType = "feast.infra.offline_stores.contrib.clickhouse_offline_store.clickhouse_source.ClickhouseSource"
	for _, c := range []struct {
		name  string
		query offline.Query
		kind  fault.Kind
		says  string
	}{
		{"a missing table", offline.Query{Source: source("nope", ""), Timestamp: "ts"}, fault.NotFound, "nope"},
		{"a missing column", offline.Query{Source: source("t", ""), Columns: []string{"gone"}, Timestamp: "ts"}, fault.NotFound, "gone"},
		{"a time that is none", offline.Query{Source: source("t", ""), Timestamp: "k"}, fault.Invalid, "k"},
		{"a file", offline.Query{Source: &core.DataSource{Name: "file", Type: core.DataSource_BATCH_FILE}, Timestamp: "ts"}, fault.Invalid, "file"},
		{"a source of ClickHouse with the same options", offline.Query{Source: clickhouse, Timestamp: "ts"}, fault.Invalid, "is not a PostgreSQLSource"},
		{"broken SQL", offline.Query{Source: source("", "SELECT FROM WHERE"), Timestamp: "ts"}, fault.Invalid, "src"},
	} {
		_, err := s.Range(t.Context(), c.query)
		if fault.KindOf(err) != c.kind || err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v (%v), want %v naming %s", c.name, err, fault.KindOf(err), c.kind, c.says)
		}
	}
}

// Columns and Span refuse a source as Range does.
func TestDescribingWhatMayNotBeRead(t *testing.T) {
	_, user := failureDatabase(t)
	store := postgres.New(user)
	t.Cleanup(store.Close)
	for _, c := range []struct {
		source *core.DataSource
		kind   fault.Kind
		says   string
	}{
		{source("secret", ""), fault.Denied, "data source src: user " + user.User + " has no right: permission denied for table secret"},
		{source("nope", ""), fault.NotFound, `data source src: relation "nope" does not exist`},
		{source("", "SELECT nope FROM partly"), fault.NotFound, `data source src: column "nope" does not exist (character 8)`},
	} {
		_, columns := store.Columns(t.Context(), c.source)
		_, span := store.Span(t.Context(), offline.Query{Source: c.source, Timestamp: "ts"})
		for _, err := range []error{columns, span} {
			if fault.KindOf(err) != c.kind || err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v (%v), want %s", err, fault.KindOf(err), c.says)
			}
		}
	}
	if err := store.Check(t.Context()); err != nil {
		t.Errorf("the store is broken by what it was asked: %v", err)
	}
}

func TestAServerThatCannotBeReached(t *testing.T) {
	good := pgtest.Options(t)
	for _, c := range []struct {
		name string
		edit func(port *int, database, user, password *string)
		kind fault.Kind
	}{
		{"nothing listens", func(port *int, _, _, _ *string) { *port = 1 }, fault.Unavailable},
		{"wrong password", func(_ *int, _, _, password *string) { *password = "secret-wrong" }, fault.Denied},
		{"no such database", func(_ *int, database, _, _ *string) { *database = "nope" }, fault.NotFound},
	} {
		opt := good
		c.edit(&opt.Port, &opt.Database, &opt.User, &opt.Password)
		s := postgres.New(opt)
		err := s.Check(t.Context())
		if fault.KindOf(err) != c.kind || err == nil || strings.Contains(err.Error(), opt.Password) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v (%v)", c.name, err, fault.KindOf(err))
		}
	}
	opt := good
	opt.SSLMode = "require"
	if err := postgres.New(opt).Check(t.Context()); err == nil || !strings.Contains(err.Error(), "TLS") {
		t.Errorf("sslmode require against a server without TLS: %v", err)
	}
}
