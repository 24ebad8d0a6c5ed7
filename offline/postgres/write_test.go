package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/extensions"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/pg"
	"github.com/banquet-fs/banquet/internal/pgtest"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/postgres"
	"github.com/banquet-fs/banquet/value"
)

// cells is a column of rows to write.
type cells struct {
	name  string
	of    arrow.DataType
	cells []string
}

// batchOf makes rows of texts, as Arrow's builders read them.
func batchOf(t *testing.T, columns ...cells) array.RecordReader {
	t.Helper()
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = arrow.Field{Name: c.name, Type: c.of, Nullable: true}
	}
	schema := arrow.NewSchema(fields, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i, c := range columns {
		for _, cell := range c.cells {
			if err := b.Field(i).AppendValueFromString(cell); err != nil {
				t.Fatalf("column %s, cell %q: %v", c.name, cell, err)
			}
		}
	}
	r, err := array.NewRecordReader(schema, []arrow.RecordBatch{b.NewRecordBatch()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Release)
	return r
}

// psql runs a query that returns one text.
func psql(t *testing.T, opt pg.Options, query string) (text string) {
	t.Helper()
	pool, err := pg.Connect(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if err := pool.QueryRow(t.Context(), query).Scan(&text); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return text
}

// Cells are written as the server itself would write them.
func TestAppendToColumnsOfEveryType(t *testing.T) {
	str, i64, f64 := arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Float64
	ns := &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}
	us := &arrow.TimestampType{Unit: arrow.Microsecond}
	opt := pgtest.Options(t)
	pgtest.Exec(t, opt, "SET timezone = 'Asia/Seoul'; CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN price AS numeric(6,2); CREATE DOMAIN cheap AS price CHECK (VALUE < 10); CREATE TYPE pair AS (a int, b text)")
	s := postgres.New(opt)
	t.Cleanup(s.Close)
	for i, c := range []struct {
		column string
		of     arrow.DataType
		cell   string
		// want is the text that the server gives; says is what an error says instead.
		want, says string
	}{
		{"int2", i64, "32767", "32767", ""},
		{"int2", i64, "32768", "", "32768 does not fit an integer of 16 bits"},
		{"int4", str, "12", "12", ""},
		{"int4", str, "12.5", "", `invalid input syntax for type integer: "12.5"`},
		{"int8", &arrow.Decimal128Type{Precision: 20, Scale: 2}, "12.00", "12", ""},
		{"int8", &arrow.Decimal128Type{Precision: 20, Scale: 2}, "12.50", "", "12.50 is not a whole number"},
		{"numeric", f64, "0.1", "0.1", ""},
		{"numeric", i64, "9007199254740993", "9007199254740993", ""},
		{"numeric(6,2)", f64, "12.5", "12.50", ""},
		{"numeric(6,2)", f64, "12.345", "", "12.345 has 3 places behind the point, and the column holds 2"},
		{"numeric(6,2)", f64, "1e5", "", "numeric field overflow"},
		{"numeric(6,2)", str, "1.2300", "1.23", ""},
		{"numeric(6,2)", str, "123e-3", "", "123e-3 has 3 places"},
		{"numeric(6,2)", str, "NaN", "NaN", ""},
		{"cheap", f64, "9.99", "9.99", ""},
		{"cheap", f64, "9.995", "", "places behind the point"},
		{"cheap", f64, "12", "", "violates constraint cheap_check"},
		{"numeric(6,2)[]", arrow.ListOf(f64), "[1.25, null]", "{1.25,NULL}", ""},
		{"numeric(6,2)[]", arrow.ListOf(f64), "[1, 1.255]", "", "element 2: 1.255 has 3 places"},
		{"varchar(3)", str, "größe", "", "the text has 5 characters, and the column holds 3"},
		{"varchar(3)", str, "abc ", "", "the text has 4 characters"},
		{"varchar(3)", str, "東京都", "東京都", ""},
		{"char(3)", str, "ab", "ab", ""},
		{"char(3)", str, "abcd", "", "value too long"},
		{"name", str, strings.Repeat("x", 64), "", "a name holds 63"},
		{"text", i64, "5", "", "is text, which does not hold cells of type int64"},
		{"timestamp(0)", us, "2024-01-02 03:04:05", "2024-01-02 03:04:05", ""},
		{"timestamp(0)", us, "2024-01-02 03:04:05.5", "", "more than the 0 digits of a second"},
		{"timestamptz(3)", us, "2024-01-02 03:04:05.123", "2024-01-02 03:04:05.123+00", ""},
		{"timestamptz(3)", us, "2024-01-02 03:04:05.1234", "", "more than the 3 digits"},
		{"timestamp", str, "02/01/2024", "", "is not a time"},
		{"timestamp", str, "-Infinity", "-infinity", ""},
		{"timestamptz", ns, "2024-01-02T03:04:05.000006Z", "2024-01-02 03:04:05.000006+00", ""},
		{"date", str, "2024-01-02", "2024-01-02", ""},
		{"date", str, "2024-01-02 03:04", "", "not a midnight"},
		{"time", arrow.FixedWidthTypes.Time64us, "03:04:05.000006", "03:04:05.000006", ""},
		{"time(0)", str, "03:04:05.5", "", "more than the 0 digits"},
		{"interval", arrow.FixedWidthTypes.Duration_ms, "90061001ms", "25:01:01.001", ""},
		{"interval", str, "1 day 2 hours", "1 day 02:00:00", ""},
		{"uuid", str, "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", ""},
		{"uuid", extensions.NewUUIDType(), "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", ""},
		{"uuid", str, "x", "", "invalid input syntax for type uuid"},
		{"json", str, `{"a":  1}`, `{"a":  1}`, ""},
		{"jsonb", str, `{"a"`, "", "invalid input syntax for type json"},
		{"jsonb", arrow.StructOf(arrow.Field{Name: "a", Type: i64, Nullable: true}, arrow.Field{Name: "b", Type: str, Nullable: true}), `{"a": 5, "b": "x\"y"}`, `{"a": 5, "b": "x\"y"}`, ""},
		{"jsonb", arrow.ListOf(i64), "[1, null]", "[1, null]", ""},
		{"mood", str, "ok", "ok", ""},
		{"mood", str, "odd", "", `invalid input value for enum mood: "odd"`},
		{"inet", str, "10.0.0.1", "10.0.0.1/32", ""},
		{"pair", str, "(1,x)", "(1,x)", ""},
		{"text[]", arrow.ListOf(str), `["a,b", "\"", "\\", "", "NULL", null, "{}"]`, `{"a,b","\"","\\","","NULL",NULL,"{}"}`, ""},
		{"text[]", arrow.ListOf(arrow.ListOf(str)), `[["a"]]`, "", "does not hold cells of type list"},
		{"box[]", arrow.ListOf(str), `["(2,2),(1,1)"]`, "{(2,2),(1,1)}", ""},
		{"bytea[]", arrow.ListOf(arrow.BinaryTypes.Binary), `["AP9c"]`, `{"\\x00ff5c"}`, ""},
		{"mood[]", arrow.ListOf(str), `["ok"]`, "{ok}", ""},
	} {
		t.Run(fmt.Sprintf("%s from %s %s", c.column, c.of, c.cell), func(t *testing.T) {
			table := fmt.Sprintf("t%d", i)
			pgtest.Exec(t, opt, "CREATE TABLE "+table+" (x "+c.column+")")
			n, err := s.Append(t.Context(), source(table, ""), batchOf(t, cells{"x", c.of, []string{array.NullValueStr, c.cell}}))
			if c.says != "" {
				place := "data source src, column x, row 2"
				if strings.Contains(c.says, "does not hold") {
					place = "data source src: column x"
				}
				if fault.KindOf(err) != fault.Invalid || !strings.HasPrefix(err.Error(), place) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
					t.Errorf("%v (%v), want %s ... %s", err, fault.KindOf(err), place, c.says)
				}
				return
			}
			if err != nil || n != 2 {
				t.Fatalf("%d rows, %v (%v)", n, err, fault.Cause(err))
			}
			if got := psql(t, opt, "SELECT x::text FROM "+table+" WHERE x IS NOT NULL"); got != c.want {
				t.Errorf("the server has %s, want %s", got, c.want)
			}
		})
	}
}

// A read-back of decimals of any scale, and of infinite times.
func TestAppendOfWhatRangeReads(t *testing.T) {
	opt := pgtest.Options(t)
	pgtest.Exec(t, opt, `CREATE TABLE t (n numeric, z timestamptz, ns numeric[], ts timestamp);
		INSERT INTO t VALUES (12.30, 'infinity', '{1.50,NULL,NaN}', '2024-01-01'), ('NaN', '-infinity', '{}', '2024-01-02'), (1e40, '0044-03-15 12:00:00+00 BC', NULL, '294246-12-31 23:59:59.999999'), (NULL, NULL, '{0.000}', '4713-01-01 00:00:00 BC');
		CREATE TABLE u (LIKE t)`)
	s := postgres.New(opt)
	t.Cleanup(s.Close)
	r, err := s.Range(t.Context(), offline.Query{Source: source("t", ""), Columns: []string{"ns", "n", "z"}, Timestamp: "ts"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if n, err := s.Append(t.Context(), source("u", ""), r); err != nil || n != 4 {
		t.Fatalf("%d rows, %v (%v)", n, err, fault.Cause(err))
	}
	const all = "SELECT string_agg(x::text, ';' ORDER BY ts) FROM %s x"
	if diff := cmp.Diff(psql(t, opt, fmt.Sprintf(all, "t")), psql(t, opt, fmt.Sprintf(all, "u"))); diff != "" {
		t.Errorf("(-read +written)\n%s", diff)
	}
}

// What the database refuses is said in one line, and nothing is added.
func TestAppendThatTheDatabaseRefuses(t *testing.T) {
	opt := pgtest.Options(t)
	user := opt
	user.User, user.Password, user.Schema = "writer_"+opt.Database, "secret", "public"
	pgtest.Exec(t, opt, fmt.Sprintf(`CREATE TABLE strict (k int8 PRIMARY KEY, v int8 NOT NULL CHECK (v > 0)); INSERT INTO strict VALUES (1, 1);
		CREATE TABLE child (k int8 REFERENCES strict, v int8);
		CREATE TABLE made (k int8, v int8, w int8 GENERATED ALWAYS AS (k + v) STORED, id int8 GENERATED ALWAYS AS IDENTITY);
		CREATE VIEW seen AS SELECT k, v FROM strict;
		CREATE MATERIALIZED VIEW kept AS SELECT k, v FROM strict;
		CREATE TABLE parts (k int8, v int8) PARTITION BY RANGE (k); CREATE TABLE part1 PARTITION OF parts FOR VALUES FROM (1) TO (10);
		CREATE TABLE dropping (k int8, v int8); CREATE FUNCTION drop_odd() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.k %% 2 = 1 THEN RETURN NULL; END IF; RETURN NEW; END';
		CREATE TRIGGER t BEFORE INSERT ON dropping FOR EACH ROW EXECUTE FUNCTION drop_odd();
		CREATE TABLE secret (k int8, v int8); CREATE TABLE "odd, line 7, column v: x" (k int8, v int8 NOT NULL); GRANT ALL ON "odd, line 7, column v: x" TO PUBLIC;
		CREATE TABLE owned (k int8, v int8); ALTER TABLE owned ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON owned USING (true);
		CREATE ROLE %[1]s LOGIN PASSWORD 'secret'; GRANT ALL ON strict, child, made, seen, kept, parts, dropping, owned TO %[1]s; GRANT SELECT ON secret TO %[1]s`, user.User))
	s := postgres.New(user)
	t.Cleanup(s.Close)
	for _, c := range []struct {
		name, table string
		k, v        []string
		more        []cells
		kind        fault.Kind
		says        string
	}{
		{"a key that is there", "strict", []string{"2", "1"}, []string{"1", "1"}, nil, fault.Conflict, "data source src, row 2: a row with this key is there already, or comes twice (constraint strict_pkey)"},
		{"a null", "strict", []string{"2", "3"}, []string{"1", array.NullValueStr}, nil, fault.Invalid, "data source src, column v, row 2: the cell is null"},
		{"a check", "strict", []string{"2", "3"}, []string{"-1", "1"}, nil, fault.Invalid, "data source src, row 1: the row violates constraint strict_v_check"},
		{"a foreign key", "child", []string{"9"}, []string{"1"}, nil, fault.Invalid, "the row violates constraint child_k_fkey"},
		{"a column that the database computes", "made", []string{"9"}, []string{"1"}, []cells{{"w", arrow.PrimitiveTypes.Int64, []string{"10"}}, {"id", arrow.PrimitiveTypes.Int64, []string{"1"}}}, fault.Invalid, "column w is computed by the database; leave it out"},
		{"a view", "seen", []string{"9"}, []string{"1"}, nil, fault.Invalid, "seen is not a table"},
		{"a materialized view", "kept", []string{"9"}, []string{"1"}, nil, fault.Invalid, "kept is not a table"},
		{"no partition", "parts", []string{"5", "50"}, []string{"1", "1"}, nil, fault.Invalid, `no partition of relation "parts" found for row`},
		{"a trigger", "dropping", []string{"1", "2"}, []string{"1", "1"}, nil, fault.Invalid, "a trigger of the table left out 1 of 2 rows"},
		{"no right to insert", "secret", []string{"1"}, []string{"1"}, nil, fault.Denied, "permission denied for table secret"},
		{"row security", "owned", []string{"1"}, []string{"1"}, nil, fault.Invalid, "COPY FROM not supported with row-level security"},
		{"a missing table", "nope", []string{"1"}, []string{"1"}, nil, fault.NotFound, `relation "nope" does not exist`},
		{"a table with an odd name", `"odd, line 7, column v: x"`, []string{"1", "2"}, []string{"1", array.NullValueStr}, nil, fault.Invalid, "data source src, column v, row 2: the cell is null"},
		{"a missing schema", "nope.t", []string{"1"}, []string{"1"}, nil, fault.NotFound, `relation "nope.t" does not exist`},
	} {
		t.Run(c.name, func(t *testing.T) {
			i64 := arrow.PrimitiveTypes.Int64
			_, err := s.Append(t.Context(), source(c.table, ""), batchOf(t, append(c.more, cells{"k", i64, c.k}, cells{"v", i64, c.v})...))
			if fault.KindOf(err) != c.kind || err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v (%v), want %v, %s", err, fault.KindOf(err), c.kind, c.says)
			}
		})
	}
	if n, err := s.Append(t.Context(), source("parts", ""), batchOf(t, cells{"v", arrow.PrimitiveTypes.Int64, []string{"1"}}, cells{"k", arrow.PrimitiveTypes.Int64, []string{"5"}})); err != nil || n != 1 {
		t.Errorf("a partitioned table: %d, %v", n, err)
	}
	if n, err := s.Append(t.Context(), source("made", ""), batchOf(t, cells{"v", arrow.PrimitiveTypes.Int64, []string{"1"}}, cells{"k", arrow.PrimitiveTypes.Int64, []string{"5"}}, cells{"id", arrow.PrimitiveTypes.Int64, []string{"7"}})); err != nil || n != 1 {
		t.Errorf("without the computed column: %d, %v", n, err)
	}
	if _, err := s.Append(t.Context(), source("", "SELECT 1 AS k"), batchOf(t, cells{"k", arrow.PrimitiveTypes.Int64, []string{"1"}})); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "it is a query") {
		t.Errorf("a query: %v", err)
	}
	if got := psql(t, opt, "SELECT string_agg(x::text, ';') FROM strict x"); got != "(1,1)" {
		t.Errorf("strict has %s", got)
	}
}

// A database that is set to read only stays as it is.
func TestWritesToAReadOnlyDatabase(t *testing.T) {
	opt := pgtest.Options(t)
	pgtest.Exec(t, opt, "CREATE TABLE t (k int8); ALTER DATABASE "+opt.Database+" SET default_transaction_read_only = on")
	s := postgres.New(opt)
	t.Cleanup(s.Close)
	rows := func() array.RecordReader { return batchOf(t, cells{"k", arrow.PrimitiveTypes.Int64, []string{"1"}}) }
	_, appended := s.Append(t.Context(), source("t", ""), rows())
	_, created := s.Create(t.Context(), source("new", ""), rows(), false)
	for _, err := range []error{appended, created} {
		if fault.KindOf(err) != fault.Denied || !strings.Contains(err.Error(), "read-only") {
			t.Errorf("%v (%v)", err, fault.KindOf(err))
		}
	}
}

// A server that stalls does not keep a caller who has gone.
func TestAppendThatWaitsForALock(t *testing.T) {
	opt := pgtest.Options(t)
	pgtest.Exec(t, opt, "CREATE TABLE t (k int8)")
	locker := connectAdmin(t, opt)
	if _, err := locker.Exec(t.Context(), "BEGIN; LOCK TABLE t", pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	s := postgres.New(opt)
	t.Cleanup(s.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := s.Append(ctx, source("t", ""), batchOf(t, cells{"k", arrow.PrimitiveTypes.Int64, []string{"1"}}))
	if fault.KindOf(err) != fault.TimedOut || time.Since(began) > 300*time.Millisecond+soon {
		t.Errorf("%v (%v) after %v", err, fault.KindOf(err), time.Since(began))
	}
}

// Create chooses types that lose nothing, and the schema of the connection.
func TestCreateMakesATable(t *testing.T) {
	opt := pgtest.Options(t)
	pgtest.Exec(t, opt, `CREATE SCHEMA "Own"; CREATE TABLE public.taken (k int8); CREATE TABLE "Own".base (k int8)`)
	opt.Schema = `"Own"`
	s := postgres.New(opt)
	t.Cleanup(s.Close)
	str := arrow.BinaryTypes.String
	list := []struct {
		of   arrow.DataType
		want string
	}{
		{arrow.PrimitiveTypes.Int8, "smallint"},
		{arrow.PrimitiveTypes.Uint16, "integer"},
		{arrow.PrimitiveTypes.Int32, "integer"},
		{arrow.PrimitiveTypes.Int64, "bigint"},
		{arrow.PrimitiveTypes.Uint64, "numeric"},
		{arrow.PrimitiveTypes.Float32, "real"},
		{arrow.PrimitiveTypes.Float64, "double precision"},
		{&arrow.Decimal128Type{Precision: 9, Scale: 2}, "numeric"},
		{value.NewDecimalText(), "numeric"},
		{str, "text"},
		{arrow.BinaryTypes.LargeString, "text"},
		{arrow.FixedWidthTypes.Boolean, "boolean"},
		{arrow.BinaryTypes.Binary, "bytea"},
		{&arrow.TimestampType{Unit: arrow.Microsecond}, "timestamp without time zone"},
		{&arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}, "timestamp with time zone"},
		{arrow.FixedWidthTypes.Date32, "date"},
		{arrow.FixedWidthTypes.Time64us, "time without time zone"},
		{arrow.FixedWidthTypes.Duration_us, "interval"},
		{arrow.ListOf(arrow.PrimitiveTypes.Float64), "double precision[]"},
		{arrow.ListOf(arrow.ListOf(str)), "jsonb"},
		{arrow.StructOf(arrow.Field{Name: "a", Type: str}), "jsonb"},
		{arrow.MapOf(str, arrow.PrimitiveTypes.Int64), "jsonb"},
		{&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: str}, "text"},
		{extensions.NewUUIDType(), "uuid"},
		{arrow.Null, "text"},
	}
	var columns []cells
	var want []string
	for i, c := range list {
		columns, want = append(columns, cells{fmt.Sprintf("c%d", i), c.of, nil}), append(want, c.want)
	}
	if _, err := s.Create(t.Context(), source("every", ""), batchOf(t, columns...), false); err != nil {
		t.Fatalf("%v (%v)", err, fault.Cause(err))
	}
	got := psql(t, opt, `SELECT string_agg(format_type(atttypid, atttypmod), ';' ORDER BY attnum) FROM pg_attribute WHERE attrelid = '"Own".every'::regclass AND attnum > 0`)
	if diff := cmp.Diff(strings.Join(want, ";"), got); diff != "" {
		t.Errorf("types (-want +got)\n%s", diff)
	}
	one := func(names ...string) array.RecordReader {
		var columns []cells
		for _, name := range names {
			columns = append(columns, cells{name, str, []string{"x"}})
		}
		return batchOf(t, columns...)
	}
	for _, c := range []struct {
		name, table string
		rows        array.RecordReader
		replace     bool
		kind        fault.Kind
		says        string
	}{
		{"a table elsewhere on the path", "taken", one("k"), true, fault.Conflict, "taken exists already, and was not made by banquet"},
		{"a long name", strings.Repeat("n", 64), one("k"), false, fault.Invalid, "has 64 bytes, and PostgreSQL allows 63"},
		{"a long column", "t", one(strings.Repeat("größe", 10)), false, fault.Invalid, "a name of 70 bytes, and PostgreSQL allows 63"},
		{"no columns", "t", one(), false, fault.Invalid, "0 columns"},
		{"a column without a name", "t", one("a", ""), false, fault.Invalid, "column 2 of the rows has no name"},
		{"a missing schema", "nope.t", one("k"), false, fault.NotFound, `schema "nope" does not exist`},
		{"a name of the system", "t", one("ctid"), false, fault.Invalid, "ctid"},
		{"a type without a counterpart", "t", batchOf(t, cells{"k", arrow.FixedWidthTypes.MonthInterval, nil}), false, fault.Invalid, "for which PostgreSQL has no type"},
	} {
		_, err := s.Create(t.Context(), source(c.table, ""), c.rows, c.replace)
		if fault.KindOf(err) != c.kind || err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v (%v), want %v, %s", c.name, err, fault.KindOf(err), c.kind, c.says)
		}
	}
	for _, table := range []string{`"Own"."Odd ""name"""`, "public.other", strings.Repeat("n", 63)} {
		for range 2 {
			if _, err := s.Create(t.Context(), source(table, ""), one("k"), true); err != nil {
				t.Errorf("%s: %v (%v)", table, err, fault.Cause(err))
			}
		}
	}
	if got := psql(t, opt, `SELECT string_agg(schemaname || '.' || tablename, ';' ORDER BY 1) FROM pg_tables WHERE schemaname IN ('Own', 'public')`); strings.Contains(got, "banquet_") || strings.Count(got, ";") != 5 {
		t.Errorf("tables %s", got)
	}
}

// A table that others depend on, or read for long, is not replaced.
func TestCreateDoesNotTakeATableAway(t *testing.T) {
	opt := pgtest.Options(t)
	s := postgres.New(opt)
	t.Cleanup(s.Close)
	opt.Schema = "public"
	rows := func() array.RecordReader { return batchOf(t, cells{"k", arrow.PrimitiveTypes.Int64, []string{"1"}}) }
	if _, err := s.Create(t.Context(), source("public.made", ""), rows(), false); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, opt, "CREATE VIEW seen AS SELECT * FROM made")
	_, err := s.Create(t.Context(), source("public.made", ""), rows(), true)
	if fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "other objects depend on it") {
		t.Errorf("%v (%v)", err, fault.KindOf(err))
	}
	pgtest.Exec(t, opt, "DROP VIEW seen; COMMENT ON TABLE made IS 'mine now'")
	if _, err = s.Create(t.Context(), source("public.made", ""), rows(), true); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a table that somebody else has taken: %v (%v)", err, fault.KindOf(err))
	}
	if got := psql(t, opt, "SELECT count(*)::text FROM made"); got != "1" {
		t.Errorf("made has %s rows", got)
	}
}
