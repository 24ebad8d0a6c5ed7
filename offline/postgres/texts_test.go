package postgres_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/internal/pgtest"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/postgres"
)

// textSchema makes one type of every kind that a database can add.
const textSchema = `CREATE TYPE mood AS ENUM ('sad', 'it''s "fine", {really}'); CREATE TYPE pair AS (a int, b text); CREATE DOMAIN small AS int CHECK (VALUE < 100);
	CREATE DOMAIN smaller AS small CHECK (VALUE < 10); CREATE DOMAIN ints AS int[]; CREATE DOMAIN mail AS text; CREATE DOMAIN price AS numeric(9, 2);
	CREATE TYPE spans AS RANGE (subtype = float8, multirange_type_name = manyspans); CREATE TABLE "Order" (id int); 
	CREATE TYPE folded; CREATE FUNCTION folded_in(cstring) RETURNS folded LANGUAGE internal IMMUTABLE STRICT AS 'textin';
	CREATE FUNCTION folded_out(folded) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
	CREATE TYPE folded (INPUT = folded_in, OUTPUT = folded_out, LIKE = text, CATEGORY = 'S');`

// oddSettings are settings that a role or a database may have. The zone is not
// among them: times in ranges and composites are written in it, with their offset.
var oddSettings = []string{
	"datestyle = 'SQL, DMY'", "intervalstyle = 'iso_8601'", "extra_float_digits = -10",
	"bytea_output = 'escape'", "quote_all_identifiers = on", "search_path = 'nowhere'", "client_encoding = 'LATIN1'", "default_transaction_isolation = 'serializable'",
}

// texts are the types of PostgreSQL, each with a value and what is read of it:
// a typed column where Feast has a value type, psql's text for all others.
var texts = []struct{ sql, dt, want string }{
	// Types that Feast knows.
	{"true", "bool", "true"},
	{"1::int2", "int32", "1"},
	{"-2147483648", "int32", "-2147483648"},
	{"9223372036854775807", "int64", "9223372036854775807"},
	{"'0.1'::float4", "float32", "0.1"},
	{"'0.1'::float8", "float64", "0.1"},
	{"'NaN'::float8", "float64", "NaN"},
	{"12.30", "decimal", "12.30"},
	{"100.00::numeric(9,2)", "decimal", "100.00"},
	{"12345678901234567890123456789.000000001", "decimal", "12345678901234567890123456789.000000001"},
	{"'NaN'::numeric", "decimal", "NaN"},
	{"'-Infinity'::numeric", "decimal", "-Infinity"},
	{"9.99::price", "decimal", "9.99"},
	{`'\x00ff'::bytea`, "binary", "AP8="},
	{"'naïve'::text", "utf8", "naïve"},
	{"'a'::varchar(3)", "utf8", "a"},
	{"'a'::char(3)", "utf8", "a  "},
	{"date '2024-02-29'", "timestamp[us]", "2024-02-29T00:00:00Z"},
	{"timestamp '2024-01-02 03:04:05.000006'", "timestamp[us]", "2024-01-02T03:04:05.000006Z"},
	{"timestamptz '2024-01-02 03:04:05+09'", "timestamp[us]", "2024-01-01T18:04:05Z"},
	{"timestamp '0044-03-15 BC'", "timestamp[us]", "-0043-03-15T00:00:00Z"},
	{"date '12000-01-01'", "timestamp[us]", "12000-01-01T00:00:00Z"},
	{`'{"a": 1.50, "a": 2}'::json`, "utf8", `{"a": 1.50, "a": 2}`},
	{`'{"b": 1.50}'::jsonb`, "utf8", `{"b": 1.50}`},
	{"'6BA7B810-9dad-11d1-80b4-00c04fd430c8'::uuid", "utf8", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"},
	{"NULL", "utf8", "(null)"},
	{"'x'", "utf8", "x"},
	{"5::small", "int32", "5"},
	{"5::smaller", "int32", "5"},
	{"'a@b'::mail", "utf8", "a@b"},
	// Lists of those types.
	{"'{t,NULL}'::bool[]", "list<item: bool, nullable>", "[true,null]"},
	{"'{1,NULL,3}'::int2[]", "list<item: int32, nullable>", "[1,null,3]"},
	{"'{9007199254740993}'::int8[]", "list<item: int64, nullable>", "[9007199254740993]"},
	{"'[0:1]={1,2}'::int4[]", "list<item: int32, nullable>", "[1,2]"},
	{"'{0.1,NaN}'::float4[]", "list<item: float32, nullable>", `[0.1,"NaN"]`},
	{"'{1.50,NULL,NaN,Infinity}'::numeric[]", "list<item: decimal, nullable>", `["1.50",null,"NaN","Infinity"]`},
	{`'{"\\x00ff",NULL}'::bytea[]`, "list<item: binary, nullable>", `["AP8=",null]`},
	{`ARRAY['a,b','NULL',NULL,'','"\']`, "list<item: utf8, nullable>", `["a,b","NULL",null,"","\"\\"]`},
	{"'{a,b}'::varchar[]", "list<item: utf8, nullable>", `["a","b"]`},
	{"'{a}'::char(2)[]", "list<item: utf8, nullable>", `["a "]`},
	{"'{2024-01-02,NULL}'::date[]", "list<item: timestamp[us], nullable>", `["2024-01-02T00:00:00",null]`},
	{"'{2024-01-02 03:04:05+09}'::timestamptz[]", "list<item: timestamp[us], nullable>", `["2024-01-01T18:04:05"]`},
	{`ARRAY['{"a": 1}'::jsonb, NULL]`, "list<item: utf8, nullable>", `["{\"a\": 1}",null]`},
	{`ARRAY['{"a":1}'::json]`, "list<item: utf8, nullable>", `["{\"a\":1}"]`},
	{"'{6ba7b810-9dad-11d1-80b4-00c04fd430c8,NULL}'::uuid[]", "list<item: utf8, nullable>", `["6ba7b810-9dad-11d1-80b4-00c04fd430c8",null]`},
	{"'{}'::int8[]", "list<item: int64, nullable>", "[]"},
	{"'{}'::interval[]", "list<item: utf8, nullable>", "[]"},
	{"'{1,NULL}'::small[]", "list<item: int32, nullable>", "[1,null]"},
	{"'{1}'::smaller[]", "list<item: int32, nullable>", "[1]"},
	{"'{1.50}'::price[]", "list<item: decimal, nullable>", `["1.50"]`},
	{"'{a}'::mail[]", "list<item: utf8, nullable>", `["a"]`},
	{"'{1,2}'::ints", "list<item: int32, nullable>", "[1,2]"},
	{`'{"{1,2}",NULL}'::ints[]`, "list<item: utf8, nullable>", `["{1,2}",null]`},
	// All other types.
	{"time '10:00:00.5'", "utf8", "10:00:00.5"},
	{"timetz '10:00:00.5+09'", "utf8", "10:00:00.5+09"},
	{"interval '1 year -2 days 03:04:05.6'", "utf8", "1 year -2 days +03:04:05.6"},
	{"inet '10.0.0.1'", "utf8", "10.0.0.1"},
	{"inet '10.0.0.1/24'", "utf8", "10.0.0.1/24"},
	{"cidr '10.0.0.0/8'", "utf8", "10.0.0.0/8"},
	{"macaddr '08:00:2b:01:02:03'", "utf8", "08:00:2b:01:02:03"},
	{"macaddr8 '08:00:2b:01:02:03:04:05'", "utf8", "08:00:2b:01:02:03:04:05"},
	{"money '1234.5'", "utf8", "$1,234.50"},
	{"B'101'", "utf8", "101"},
	{"'0110'::varbit", "utf8", "0110"},
	{"xml '<a>ä</a>'", "utf8", "<a>ä</a>"},
	{`'x'::"char"`, "utf8", "x"},
	{"'a name'::name", "utf8", "a name"},
	{"4294967295::oid", "utf8", "4294967295"},
	{`'"Order"'::regclass`, "utf8", `"Order"`},
	{"'int8'::regtype", "utf8", "bigint"},
	{"'now()'::regprocedure", "utf8", "now()"},
	{"point '(1,2.5)'", "utf8", "(1,2.5)"},
	{"line '{1,2,3}'", "utf8", "{1,2,3}"},
	{"lseg '[(0,0),(1,1)]'", "utf8", "[(0,0),(1,1)]"},
	{"box '(0.1,0),(1,1)'", "utf8", "(1,1),(0.1,0)"},
	{"path '((0,0),(1,1))'", "utf8", "((0,0),(1,1))"},
	{"polygon '((0,0),(1,1),(2,0))'", "utf8", "((0,0),(1,1),(2,0))"},
	{"circle '<(0,0),0.1>'", "utf8", "<(0,0),0.1>"},
	{"int4range '[1,5]'", "utf8", "[1,6)"},
	{"tstzrange '[2024-01-01 00:00+09,)'", "utf8", `["2023-12-31 15:00:00+00",)`},
	{"daterange '[2024-01-02,infinity]'", "utf8", "[2024-01-02,infinity]"},
	{"nummultirange '{[1.50,2],[3,4]}'", "utf8", "{[1.50,2],[3,4]}"},
	{"spans '[0.1,2]'", "utf8", "[0.1,2]"},
	{"manyspans '{[0.1,2]}'", "utf8", "{[0.1,2]}"},
	{"tsvector 'a:1 fat:2A'", "utf8", "'a':1 'fat':2A"},
	{"tsquery 'a & b'", "utf8", "'a' & 'b'"},
	{"'16/B374D848'::pg_lsn", "utf8", "16/B374D848"},
	{"'$.a[*]'::jsonpath", "utf8", `$."a"[*]`},
	{"'10:20:10,14'::pg_snapshot", "utf8", "10:20:10,14"},
	{"'(1,2)'::tid", "utf8", "(1,2)"},
	{"'12'::xid", "utf8", "12"},
	{"'1 2'::int2vector", "utf8", "1 2"},
	{"'1 2'::oidvector", "utf8", "1 2"},
	{"ROW(1, 'a b', date '2024-01-02')", "utf8", `(1,"a b",2024-01-02)`},
	{"ROW(1, 'x')::pair", "utf8", "(1,x)"},
	{"'sad'::mood", "utf8", "sad"},
	{"'Of An Extension'::folded", "utf8", "Of An Extension"},
	{"'{a,NULL,\"b c\"}'::folded[]", "list<item: utf8, nullable>", `["a",null,"b c"]`},
	{"pg_notify('a', 'b')", "utf8", ""}, // void
	// Lists of those types.
	{"'{10:00,NULL}'::time[]", "list<item: utf8, nullable>", `["10:00:00",null]`},
	{"'{1 day,NULL}'::interval[]", "list<item: utf8, nullable>", `["1 day",null]`},
	{"'{10.0.0.1,10.0.0.0/8}'::inet[]", "list<item: utf8, nullable>", `["10.0.0.1","10.0.0.0/8"]`},
	{"'{(0,0),(1,1);(2,2),(3,3)}'::box[]", "list<item: utf8, nullable>", `["(1,1),(0,0)","(3,3),(2,2)"]`},
	{`'{"(1,2)",NULL}'::point[]`, "list<item: utf8, nullable>", `["(1,2)",null]`},
	{`'{"[1,5)"}'::int4range[]`, "list<item: utf8, nullable>", `["[1,5)"]`},
	{`ARRAY['it''s "fine", {really}'::mood, NULL]`, "list<item: utf8, nullable>", `["it's \"fine\", {really}",null]`},
	{"ARRAY[ROW(1, 'a,b')::pair]", "list<item: utf8, nullable>", `["(1,\"a,b\")"]`},
	{"'{$1.50}'::money[]", "list<item: utf8, nullable>", `["$1.50"]`},
	{`'{a,b}'::name[]`, "list<item: utf8, nullable>", `["a","b"]`},
	{`'{a}'::"char"[]`, "list<item: utf8, nullable>", `["a"]`},
	{"'{1}'::oid[]", "list<item: utf8, nullable>", `["1"]`},
	{`ARRAY['1 2'::int2vector]`, "list<item: utf8, nullable>", `["1 2"]`},
	{"ARRAY[ROW(1, 2)]", "list<item: utf8, nullable>", `["(1,2)"]`},
}

// TestEveryKindOfType reads a value of each type. The settings of a role or a
// database make no difference.
func TestEveryKindOfType(t *testing.T) {
	for _, odd := range []bool{false, true} {
		opt := pgtest.Options(t)
		pgtest.Exec(t, opt, textSchema)
		if odd {
			for _, s := range oddSettings {
				pgtest.Exec(t, opt, "ALTER DATABASE "+opt.Database+" SET "+s)
			}
		}
		opt.Schema = "public"
		store := postgres.New(opt)
		t.Cleanup(store.Close)
		for _, c := range texts {
			sql := "SELECT " + c.sql + " AS v, timestamptz '2024-01-01 00:00:00Z' AS ts"
			r, err := store.Range(t.Context(), offline.Query{Source: source("", sql), Columns: []string{"v", "v"}, Timestamp: "ts"})
			if err != nil {
				t.Errorf("%s: %v", c.sql, err)
				continue
			}
			if got := r.Schema().Field(0).Type.String(); got != c.dt {
				t.Errorf("%s is %s, want %s", c.sql, got, c.dt)
			}
			if !r.Next() {
				t.Errorf("%s: no row, %v", c.sql, r.Err())
			} else if got := cell(r.RecordBatch().Column(1), 0); got != c.want {
				t.Errorf("%s is read as %s, want %s (odd settings: %v)", c.sql, got, c.want, odd)
			}
			r.Release()
		}
	}
}

// TestNullsOfEveryType reads a null, and a list with one, of every type that
// the server has.
func TestNullsOfEveryType(t *testing.T) {
	opt := pgtest.Options(t)
	pgtest.Exec(t, opt, textSchema)
	opt.Schema = "public"
	store := postgres.New(opt)
	t.Cleanup(store.Close)
	conn := connectAdmin(t, opt)
	rows, err := conn.Query(t.Context(), `SELECT format_type(oid, NULL), typarray <> 0 FROM pg_type
		WHERE typtype <> 'p' AND typnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname IN ('information_schema', 'pg_toast')) AND typrelid = 0`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var selected, names, want []string
	for rows.Next() {
		var name string
		var array bool
		if err := rows.Scan(&name, &array); err != nil {
			t.Fatal(err)
		}
		add := func(sql, null string) {
			names, want = append(names, "a"+strings.Repeat("x", len(names)%3)+"_"+name+sql[:4]), append(want, null)
			selected = append(selected, sql+" AS "+quoted(names[len(names)-1]))
		}
		add("NULL::"+name, "(null)")
		if array {
			add("ARRAY[NULL]::"+name+"[]", "[null]")
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if len(names) < 250 {
		t.Fatalf("%d types", len(names))
	}
	sql := "SELECT " + strings.Join(selected, ", ") + ", timestamptz '2024-01-01' AS ts"
	got, err := window(t, store, offline.Query{Source: source("", sql), Columns: names, Timestamp: "ts"})
	if err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	if diff := cmp.Diff(append(want, "2024-01-01T00:00:00Z"), strings.Split(got[0], "|")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// A database in another encoding is read in UTF-8. In one without an encoding,
// an error names the bytes that are not text.
func TestDatabasesInOtherEncodings(t *testing.T) {
	t.Parallel()
	admin := pgtest.Options(t)
	for _, c := range []struct{ encoding, sql, want, says string }{
		{"LATIN1", `SELECT 'naïve' AS v, chr(233) AS w, timestamptz '2024-01-01' AS ts`, "naïve|é|2024-01-01T00:00:00Z", ""},
		{"EUC_KR", `SELECT '가' AS v, '나' AS w, timestamptz '2024-01-01' AS ts`, "가|나|2024-01-01T00:00:00Z", ""},
		{"SQL_ASCII", `SELECT 'x' AS v, chr(233) AS w, timestamptz '2024-01-01' AS ts`, "", "invalid byte sequence"},
	} {
		opt := admin
		opt.Database = strings.ToLower(c.encoding) + "_" + admin.Database
		pgtest.Exec(t, admin, "CREATE DATABASE "+opt.Database+" TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C' ENCODING '"+c.encoding+"'")
		store := postgres.New(opt)
		got, err := window(t, store, offline.Query{Source: source("", c.sql), Columns: []string{"v", "w"}, Timestamp: "ts"})
		store.Close()
		pgtest.Exec(t, admin, "DROP DATABASE "+opt.Database+" WITH (FORCE)")
		switch {
		case c.says != "":
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v, %v", c.encoding, got, err)
			}
		case err != nil || len(got) != 1 || got[0] != c.want:
			t.Errorf("%s: %v, %v, want %s", c.encoding, got, err, c.want)
		}
	}
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// TestBitsAreNoNumbers: bits are text, so that 101 is not read as a hundred and
// one.
func TestBitsAreNoNumbers(t *testing.T) {
	s := open(t, `CREATE TABLE t (ts timestamp, fixed bit(3), free varbit, several bit(3)[]); INSERT INTO t VALUES ('2024-01-01', B'101', B'1', ARRAY[B'101'])`)
	for _, name := range []string{"fixed", "free", "several"} {
		q := offline.Query{Source: source("t", ""), Columns: []string{name}, Timestamp: "ts", Types: []types.ValueType_Enum{types.ValueType_STRING}}
		if got := rows(t, s, q); len(got) != 1 {
			t.Errorf("%s as text: %v", name, got)
		}
		for _, asked := range []types.ValueType_Enum{types.ValueType_INT64, types.ValueType_JSON, types.ValueType_INT64_LIST} {
			q.Types[0] = asked
			_, err := window(t, s, q)
			if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "column "+name+", row 1: bits are text, not "+asked.String()) {
				t.Errorf("%s as %s: %v", name, asked, err)
			}
		}
	}
}
