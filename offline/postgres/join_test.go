package postgres_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"

	"github.com/banquet-fs/banquet/internal/pgtest"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/postgres"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// entityRows reads entity rows with a key k and a time t from JSON.
func entityRows(t testing.TB, key arrow.DataType, json string) array.RecordReader {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: "k", Type: key, Nullable: true}, {Name: "t", Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, Nullable: true}}, nil)
	batch, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(json))
	if err != nil {
		t.Fatal(err)
	}
	r, err := array.NewRecordReader(schema, []arrow.RecordBatch{batch})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// byKey is a view of a source with a key k and times ts.
func byKey(table, query string, kind types.ValueType_Enum, features ...string) offline.JoinView {
	return offline.JoinView{Name: "view", Source: source(table, query), Keys: []offline.JoinKey{{Column: "k", Type: kind}}, Features: features, Types: make([]types.ValueType_Enum, len(features)), Timestamp: "ts"}
}

// joined returns the rows of a join as texts.
func joined(ctx context.Context, s *postgres.Store, join offline.Join) (out []string, err error) {
	r, err := s.PointInTime(ctx, join)
	if err != nil {
		return nil, err
	}
	defer r.Release()
	return allTexts(r)
}

// allTexts reads all rows as texts.
func allTexts(r array.RecordReader) (out []string, err error) {
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

func wantJoin(t *testing.T, s *postgres.Store, join offline.Join, want ...string) {
	t.Helper()
	got, err := joined(t.Context(), s, join)
	if err != nil {
		t.Fatalf("%v: %v", err, fault.Cause(err))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// The statements are readable, and the last one reads each source by an index: the
// source's own, whether or not the server has statistics, or that of the rows that
// were copied.
func TestPlansOfJoins(t *testing.T) {
	const rows = `(k int8, other text, ts timestamptz, day date, created timestamp, f1 float8, "a ""b"" %" text)`
	opt := pgtest.Options(t)
	pgtest.Exec(t, opt, "CREATE TABLE indexed "+rows+"; CREATE TABLE plain "+rows+`; CREATE INDEX by_ts ON indexed (ts); CREATE INDEX by_created ON indexed (created);
		CREATE INDEX fitting ON indexed (other, k, ts DESC); CREATE INDEX by_day ON indexed (k, day) INCLUDE (f1);
		INSERT INTO indexed SELECT i % 3, 'other ' || i % 2, timestamptz '2024-01-01' + i * interval '1 s', date '2024-01-01' + i % 50, NULL, i, 'x' FROM generate_series(1, 5000) i`)
	s := postgres.New(opt)
	t.Cleanup(s.Close)
	both := []offline.JoinKey{{Column: "k", Type: types.ValueType_INT64}, {Column: "other", Type: types.ValueType_STRING}}
	features := []string{"f1", `a "b" %`, "f1"}
	join := func() offline.Join {
		views := []offline.JoinView{
			{Name: "indexed", Source: source("indexed", ""), Keys: both, Features: features, Timestamp: "ts", Created: "created", TTL: time.Hour},
			{Name: "filtered", Source: source("", `SELECT ts, "other", k, "created", f1 FROM indexed -- all`), Keys: both, Features: []string{"f1"}, Timestamp: "ts", Created: "created", CreatedBefore: true, TTL: 2 * time.Hour},
			{Name: "daily", Source: source("indexed", ""), Keys: both[:1], Features: features[:1], Timestamp: "day"},
			{Name: "plain", Source: source("plain", ""), Keys: both, Features: features, Timestamp: "ts", Created: "created", TTL: time.Hour},
			{Name: "query", Source: source("", "SELECT * FROM plain WHERE f1 > 0"), Features: features[:1], Timestamp: "day"},
		}
		for i, v := range views {
			views[i].Types = make([]types.ValueType_Enum, len(v.Features))
		}
		return offline.Join{Entities: entityRows(t, arrow.PrimitiveTypes.Int64, `[{"k": 1, "t": "2024-01-02T00:00:00Z"}]`), Views: views}
	}
	for name, statistics := range map[string]string{"no statistics": "", "statistics": "ANALYZE"} {
		t.Run(name, func(t *testing.T) {
			if statistics != "" {
				pgtest.Exec(t, opt, statistics)
			}
			statements, explained, err := postgres.Explain(t.Context(), s, join())
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "testdata/join.sql", statements)
			for _, index := range []string{"using fitting on indexed", "using by_day on indexed", "using rows_3_", "using rows_4_", "using entities_"} {
				if !strings.Contains(explained, index) {
					t.Errorf("%s is not in the plan", index)
				}
			}
			for _, other := range []string{"Seq Scan", "Bitmap", "by_ts", "by_created", "Hash", "Merge"} {
				if strings.Contains(explained, other) {
					t.Errorf("%s is in the plan", other)
				}
			}
			if t.Failed() {
				t.Log(explained)
			}
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *rewrite {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got)\n%s", file, diff)
	}
}

// An index fits if a newest row can be read from it: complete, its first columns
// the keys and then the event time, in the order of the types.
func TestMissingIndex(t *testing.T) {
	const missing = `CREATE INDEX ON public.t ("k", "ts")`
	for name, c := range map[string]struct{ schema, table, query, want string }{
		"none":                     {"CREATE TABLE t (k int8, f int8, ts timestamptz)", "t", "", missing},
		"fitting":                  {"CREATE TABLE t (k int8, f int8, ts timestamptz); CREATE INDEX ON t (k, ts)", "t", "", ""},
		"unique":                   {"CREATE TABLE t (k int8, f int8, ts timestamptz, PRIMARY KEY (k, ts))", "t", "", ""},
		"more columns":             {"CREATE TABLE t (k int8, f int8, ts timestamptz); CREATE INDEX ON t (k DESC, ts DESC NULLS LAST, f)", "t", "", ""},
		"included column":          {"CREATE TABLE t (k int8, f int8, ts timestamptz); CREATE INDEX ON t (k) INCLUDE (ts)", "t", "", missing},
		"another order":            {"CREATE TABLE t (k int8, f int8, ts timestamptz); CREATE INDEX ON t (ts, k); CREATE INDEX ON t (k, f, ts)", "t", "", missing},
		"partial":                  {"CREATE TABLE t (k int8, f int8, ts timestamptz); CREATE INDEX ON t (k, ts) WHERE f > 0", "t", "", missing},
		"expression":               {"CREATE TABLE t (k int8, f int8, ts timestamptz); CREATE INDEX ON t ((k + 1), ts)", "t", "", missing},
		"hash and brin":            {"CREATE TABLE t (k int8, f int8, ts timestamptz); CREATE INDEX ON t USING hash (k); CREATE INDEX ON t USING brin (k, ts)", "t", "", missing},
		"invalid":                  {"CREATE TABLE t (k int8, f int8, ts timestamptz); CREATE INDEX i ON t (k, ts); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass", "t", "", missing},
		"operators of patterns":    {"CREATE TABLE t (k text, f int8, ts timestamptz); CREATE INDEX ON t (k text_pattern_ops, ts)", "t", "", missing},
		"another collation":        {`CREATE TABLE t (k text, f int8, ts timestamptz); CREATE INDEX ON t (k COLLATE "POSIX", ts)`, "t", "", missing},
		"own collation":            {`CREATE TABLE t (k text COLLATE "C", f int8, ts timestamptz); CREATE INDEX ON t (k, ts)`, "t", "", ""},
		"text of a length":         {"CREATE TABLE t (k varchar(20), f int8, ts timestamp); CREATE INDEX ON t (k, ts)", "t", "", ""},
		"loose collation":          {"CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false); CREATE TABLE t (k text COLLATE loose, f int8, ts timestamptz)", "t", "", ""},
		"blanks at the end":        {"CREATE TABLE t (k char(5), f int8, ts timestamptz)", "t", "", ""},
		"dates":                    {"CREATE TABLE t (k int2, f int8, ts date); CREATE INDEX ON t (k, ts)", "t", "", ""},
		"partitions":               {"CREATE TABLE t (k int8, f int8, ts timestamptz) PARTITION BY RANGE (ts); CREATE TABLE p PARTITION OF t DEFAULT; CREATE INDEX ON t (k, ts)", "t", "", ""},
		"a partition":              {"CREATE TABLE t (k int8, f int8, ts timestamptz) PARTITION BY RANGE (ts); CREATE TABLE p PARTITION OF t DEFAULT; CREATE INDEX ON p (k, ts)", "t", "", missing},
		"children":                 {"CREATE TABLE t (k int8, f int8, ts timestamptz); CREATE TABLE c () INHERITS (t); CREATE INDEX ON t (k, ts)", "t", "", ""},
		"materialized":             {"CREATE MATERIALIZED VIEW t AS SELECT 1::int8 AS k, now() AS ts", "t", "", missing},
		"view":                     {"CREATE VIEW t AS SELECT 1::int8 AS k, now() AS ts", "t", "", ""},
		"plain query":              {"CREATE TABLE t (k int8, f int8, ts timestamptz)", "", "select * from public . t /* all */ ;", missing},
		"query of columns":         {"CREATE TABLE t (k int8, f int8, ts timestamptz)", "", `SELECT "ts", k FROM t -- all`, missing},
		"query with a condition":   {"CREATE TABLE t (k int8, f int8, ts timestamptz)", "", "SELECT * FROM t WHERE f > 0", ""},
		"query of a function":      {"CREATE TABLE t (k int8, f int8, ts timestamptz)", "", "SELECT k, ts, current_user FROM t", ""},
		"function":                 {"CREATE FUNCTION t() RETURNS TABLE (k int8, ts timestamptz) LANGUAGE sql AS 'SELECT 1, now()'", "", "SELECT * FROM t()", ""},
		"a name that needs quotes": {`CREATE SCHEMA "My Shop"; CREATE TABLE "My Shop"."daily ""sales""" (k int8, ts timestamptz)`, `"My Shop"."daily ""sales"""`, "", `CREATE INDEX ON "My Shop"."daily ""sales""" ("k", "ts")`},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, c.schema)
			kind := types.ValueType_INT64
			if strings.Contains(c.schema, "k text") || strings.Contains(c.schema, "k varchar") || strings.Contains(c.schema, "k char") {
				kind = types.ValueType_STRING
			}
			got, err := s.MissingIndex(t.Context(), byKey(c.table, c.query, kind))
			if err != nil || got != c.want {
				t.Errorf("%q, %v, want %q", got, err, c.want)
			}
		})
	}
}

// The server compares keys only where it finds equal what has the same bytes. All
// other joins are made outside of it, with the same result.
func TestKeysThatTheServerCompares(t *testing.T) {
	var str, i64 arrow.DataType = arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64
	for name, c := range map[string]struct {
		// key is the column's type, and cells are its rows, numbered from 0.
		key, cells string
		kind       types.ValueType_Enum
		entity     arrow.DataType
		asked      string
		want       string
		server     bool
	}{
		"smallint":               {"int2", "(1), (2)", types.ValueType_INT64, i64, `2, 70000`, "1 -", true},
		"integer as text":        {"int4", "(1), (12)", types.ValueType_STRING, str, `"12", "012", "1 ", "x"`, "1 - - -", true},
		"bigint as INT32":        {"int8", "(5000000000), (7)", types.ValueType_INT32, i64, `7`, "1", true},
		"integer of text":        {"text", "('1'), ('007'), ('x')", types.ValueType_INT64, i64, `1, 7`, "0 1", false},
		"numeric":                {"numeric", "(1), (2.50), (3.00), ('NaN')", types.ValueType_INT64, i64, `1, 2, 3`, "0 - 2", true},
		"numeric with a scale":   {"numeric(20, 2)", "(9007199254740993)", types.ValueType_INT64, i64, `9007199254740993, 9007199254740992`, "0 -", true},
		"numeric as text":        {"numeric", "(1), (2.50)", types.ValueType_STRING, str, `"1.0", "2.5"`, "0 1", false},
		"text":                   {"text", "('a'), ('A'), ('a '), ('')", types.ValueType_STRING, str, `"a", "a ", "A", ""`, "0 2 1 3", true},
		"text of another order":  {`text COLLATE "POSIX"`, "('a'), ('ä')", types.ValueType_STRING, str, `"ä", "a"`, "1 0", true},
		"text that folds case":   {"text COLLATE loose", "('a'), ('A')", types.ValueType_STRING, str, `"a", "A"`, "0 1", true},
		"text with a zero":       {"text", "('a')", types.ValueType_STRING, str, `"a\u0000", "a"`, "- 0", true},
		"text of a length":       {"varchar(3)", "('abc')", types.ValueType_STRING, str, `"abc", "abcd"`, "0 -", true},
		"a domain":               {"code", "('abc')", types.ValueType_STRING, str, `"abc"`, "0", true},
		"blanks at the end":      {"char(3)", "('a')", types.ValueType_STRING, str, `"a", "a  "`, "- 0", false},
		"an enumeration":         {"mood", "('sad'), ('glad')", types.ValueType_STRING, str, `"glad", "mad"`, "1 -", false},
		"UUID":                   {"uuid", "('6ba7b810-9dad-11d1-80b4-00c04fd430c8')", types.ValueType_UUID, str, `"6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6BA7B810-9dad-11d1-80b4-00c04fd430c8", "x"`, "0 - -", true},
		"UUID as text":           {"uuid", "('6ba7b810-9dad-11d1-80b4-00c04fd430c8')", types.ValueType_STRING, str, `"6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6ba7b8109dad11d180b400c04fd430c8"`, "0 -", true},
		"boolean":                {"bool", "(true), (false)", types.ValueType_BOOL, arrow.FixedWidthTypes.Boolean, `false, true`, "1 0", true},
		"double precision":       {"float8", "(0), ('-0'), ('NaN'), (1.5)", types.ValueType_DOUBLE, arrow.PrimitiveTypes.Float64, `0, -0.0, 1.5`, "0 1 3", false},
		"bytes":                  {"bytea", `('\x00ff'), ('\x')`, types.ValueType_BYTES, arrow.BinaryTypes.Binary, `"AP8=", "", "AA=="`, "0 1 -", true},
		"seconds of a timestamp": {"timestamptz", "('2024-01-01 00:00:00.7+00')", types.ValueType_UNIX_TIMESTAMP, i64, `1704067200, 1704067201`, "0 -", false},
		"seconds of an integer":  {"int8", "(1704067200)", types.ValueType_UNIX_TIMESTAMP, i64, `1704067200`, "0", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, `CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false); CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN code AS varchar(5);
				CREATE TABLE t (k `+c.key+`, n serial, ts timestamptz DEFAULT '2024-01-01'); ALTER SEQUENCE t_n_seq MINVALUE 0 RESTART 0; INSERT INTO t (k) VALUES `+c.cells)
			var json []string
			for _, asked := range strings.Split(c.asked, ", ") {
				json = append(json, fmt.Sprintf(`{"k": %s, "t": "2024-01-02T00:00:00Z"}`, asked))
			}
			ask := func() offline.Join {
				return offline.Join{Entities: entityRows(t, c.entity, "["+strings.Join(json, ",")+"]"), Views: []offline.JoinView{byKey("t", "", c.kind, "n")}}
			}
			want := strings.Fields(strings.ReplaceAll(c.want, "-", "(null)"))
			wantJoin(t, s, ask(), want...)
			if _, _, err := postgres.Explain(t.Context(), s, ask()); errors.Is(err, postgres.ErrNotInSQL) == c.server {
				t.Errorf("in SQL: %v, want %v", err, c.server)
			}
			statement, err := s.MissingIndex(t.Context(), byKey("t", "", c.kind, "n"))
			if err != nil || statement == "" {
				return
			}
			pgtest.Exec(t, postgres.OptionsOf(s), statement)
			wantJoin(t, s, ask(), want...)
			if statements, _, err := postgres.Explain(t.Context(), s, ask()); c.server && (err != nil || strings.Contains(statements, "TABLE rows_")) {
				t.Errorf("%v: the index is not used:\n%s", err, statements)
			}
		})
	}
}

// Where the planner would use an index that may be slow, the rows are copied.
func TestPlansAreVerified(t *testing.T) {
	s := open(t, `CREATE TABLE t AS SELECT i % 10 AS k, repeat('x', 500) AS other, i AS v, timestamptz '2024-01-01' + i * interval '1 s' AS ts FROM generate_series(1::int8, 5000) i;
		CREATE INDEX fitting ON t (k, other, ts); CREATE INDEX tempting ON t (k, ts); ANALYZE t`)
	view := byKey("t", "", types.ValueType_INT64, "v")
	view.Keys = append(view.Keys, offline.JoinKey{Column: "other", Type: types.ValueType_STRING})
	ask := func() offline.Join {
		schema := arrow.NewSchema([]arrow.Field{{Name: "k", Type: arrow.PrimitiveTypes.Int64}, {Name: "other", Type: arrow.BinaryTypes.String}, {Name: "t", Type: &arrow.TimestampType{Unit: arrow.Second, TimeZone: "UTC"}}}, nil)
		batch, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(`[{"k": 3, "other": "`+strings.Repeat("x", 500)+`", "t": "2024-01-02T00:00:00Z"}]`))
		if err != nil {
			t.Fatal(err)
		}
		r, err := array.NewRecordReader(schema, []arrow.RecordBatch{batch})
		if err != nil {
			t.Fatal(err)
		}
		return offline.Join{Entities: r, Views: []offline.JoinView{view}}
	}
	view.Keys[1].Entity = 1
	if missing, err := s.MissingIndex(t.Context(), view); missing != "" || err != nil {
		t.Errorf("%q, %v", missing, err)
	}
	_, explained, err := postgres.Explain(t.Context(), s, ask())
	if err != nil || strings.Contains(explained, "tempting") {
		t.Errorf("%v:\n%s", err, explained)
	}
	wantJoin(t, s, ask(), "4993")
}
