package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/internal/pgtest"
)

// TestHistoricalPrintsFeastsRecords runs the recorded commands.
func TestHistoricalPrintsFeastsRecords(t *testing.T) {
	opt := pgtest.Options(t)
	data := filepath.Join(golden, "credit_scoring", "data")
	schema, err := os.ReadFile(filepath.Join(data, "schema.sql"))
	if err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, opt, string(schema))
	rows, err := os.Open(filepath.Join(data, "zipcode_features.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	pgtest.Load(t, opt, "zipcode_features", rows)
	dir := recordedRepo(t, "4_incremental")
	env := map[string]string{
		"DYNAMODB_ENDPOINT": "http://127.0.0.1:1", "PG_HOST": opt.Host, "PG_PORT": strconv.Itoa(opt.Port), "PG_DATABASE": opt.Database,
		"PG_USER": opt.User, "PG_PASSWORD": opt.Password,
	}
	recorded, err := os.ReadFile(filepath.Join(golden, "credit_scoring", "cli.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for line := range bytes.Lines(recorded) {
		var c struct {
			Args   []string
			Stdout string
		}
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		if len(c.Args) < 2 || c.Args[0] != "get-historical-features" || c.Args[1] == "--help" {
			continue
		}
		compared++
		code, out, errText := command(t, env, append([]string{"-c", dir}, c.Args...)...)
		if code != 0 || errText != "" {
			t.Fatalf("%v: exit %d: %s", c.Args, code, errText)
		}
		if diff := cmp.Diff(records(c.Stdout), records(out)); diff != "" {
			t.Errorf("%v (-Feast +got):\n%s", c.Args, diff)
		}
	}
	if compared != 2 {
		t.Errorf("%d commands were compared", compared)
	}
	for sql, want := range map[string]string{
		"-- all\nSELECT zipcode, event_timestamp AS asked, 'a;b' AS note FROM zipcode_features WHERE zipcode = 30004 ORDER BY 2;": "zipcode,asked,note,city\n" +
			"30004,2024-02-01T12:00:00,a;b,LATE CREATED\n30004,2024-02-01T13:00:00,a;b,NEW EVENT\n",
		"VALUES (1)":                    `banquet: the entity rows have no column "zipcode", a join key of feature view zipcode_features; their columns are column1` + "\n",
		"SELECT 1 AS zipcode; SELECT 2": "",
		"WITH a AS (DELETE FROM zipcode_features RETURNING zipcode) SELECT zipcode FROM a": "",
		"SELECT pg_sleep(60)::text AS zipcode":                                             "banquet: the SQL of the entity rows ran longer than 500ms; make it faster, or raise the limit\n",
	} {
		code, out, errText := command(t, env, "-c", dir, "get-historical-features", "--entity-df", sql, "-f", "zipcode_features:city", "-o", "-", "--sql-timeout", "500ms")
		switch {
		case code == 0:
			if out != want {
				t.Errorf("%s: %s", sql, out)
			}
		case code != 1 || want == "" && !strings.HasPrefix(errText, "banquet: ") || want != "" && errText != want || strings.Count(errText, "\n") != 1:
			t.Errorf("%s: exit %d: %s", sql, code, errText)
		}
	}
}

// records splits printed records, whose order is arbitrary in Feast.
func records(out string) []string {
	list := strings.Split(strings.TrimSuffix(strings.TrimPrefix(out, "[\n"), "\n]\n"), ",\n    {")
	for i := range list {
		list[i] = strings.TrimPrefix(list[i], "    {")
	}
	slices.Sort(list)
	return list
}

const loansView = `from datetime import timedelta
from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.types import Array, Float64, Int64, String

shopper = Entity(name="shopper", join_keys=["shopper"], value_type=ValueType.INT64)
region = Entity(name="region", join_keys=["region"], value_type=ValueType.STRING)
carts = FeatureView(
    name="carts", entities=[shopper], ttl=timedelta(days=1), schema=[Field(name="items", dtype=Int64)],
    source=FileSource(name="carts_source", path="carts.csv", timestamp_field="at"),
)
sales = FeatureView(
    name="sales", entities=[region], schema=[Field(name="sold", dtype=Float64), Field(name="motto", dtype=String)],
    source=FileSource(name="sales_source", path="sales.csv", timestamp_field="at"),
)
all_of_it = FeatureService(name="all_of_it", features=[carts, sales])
`

// loansRepo is a repository whose sources are files, and a file of entity rows.
func loansRepo(t *testing.T) (dir, loans string) {
	t.Helper()
	dir = newRepo(t, sqliteRepo, loansView)
	write(t, filepath.Join(dir, "sales.csv"), "region,sold,motto,at\n01234,10.0,\"a, \"\"b\"\"\",2024-01-01\n01234,,,2024-01-06\n1234,2.5,x,2024-01-01\n")
	loans = filepath.Join(t.TempDir(), "loans.csv")
	write(t, loans, "\ufeffshopper,region,event_timestamp,paid,note\n"+
		"1,01234,2024-01-05T12:00:00Z,true,\"two\nlines\"\n"+
		"1,1234,2024-01-05T09:00:00+09:00,false,\n"+
		"2,01234,2024-01-07,,plain\n")
	if code, _, errText := command(t, nil, "-c", dir, "apply"); code != 0 {
		t.Fatal(errText)
	}
	return dir, loans
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const loansSet = "shopper,region,event_timestamp,paid,note,items,sold,motto\n" +
	"1,01234,2024-01-05T12:00:00,true,\"two\nlines\",3,10.0,\"a, \"\"b\"\"\"\n" +
	"1,1234,2024-01-05T00:00:00,false,,3,2.5,x\n" +
	"2,01234,2024-01-07T00:00:00,,plain,,,\n"

// A training set of one format is the entity rows of the next, and nothing changes.
func TestHistoricalFormats(t *testing.T) {
	dir, loans := loansRepo(t)
	from := loans
	for i, format := range []string{"csv", "parquet", "arrow", "csv"} {
		args := []string{"-c", dir, "get-historical-features", "--entity-df", from, "-f", "carts:items"}
		to := filepath.Join(t.TempDir(), "set."+format)
		if i == 3 {
			args, to = append(args[:5], "--feature-service", "all_of_it"), filepath.Join(t.TempDir(), "last")
			args = append(args, "--format", "csv")
		} else {
			args = append(args, "--full-feature-names")
		}
		if i == 1 || i == 2 { // without the features that the rows have by now
			args[6] = "sales:sold"
			if i == 2 {
				args[6] = "sales:motto"
			}
		}
		code, out, errText := command(t, nil, append(args, "-o", to)...)
		if code != 0 || out != "" || !strings.HasPrefix(errText, to+": 3 rows in ") {
			t.Fatalf("%v: exit %d, %q: %s", args, code, out, errText)
		}
		from = to
	}
	want := strings.Split(loansSet, "\n")
	want[0] = "shopper,region,event_timestamp,paid,note,carts__items,sales__sold,sales__motto,items,sold,motto"
	want[1], want[2] = "1,01234,2024-01-05T12:00:00,true,\"two", "lines\",3,10.0,\"a, \"\"b\"\"\",3,10.0,\"a, \"\"b\"\"\""
	want[3], want[4] = "1,1234,2024-01-05T00:00:00,false,,3,2.5,x,3,2.5,x", "2,01234,2024-01-07T00:00:00,,plain,,,,,,"
	if diff := cmp.Diff(strings.Join(want, "\n"), read(t, from)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestHistoricalToStandardOutput(t *testing.T) {
	dir, loans := loansRepo(t)
	code, out, errText := command(t, nil, "-c", dir, "get-historical-features", "--entity-df", loans, "--feature-service", "all_of_it", "-o", "-")
	if code != 0 || out != loansSet {
		t.Errorf("exit %d: %s%s", code, out, errText)
	}
	_, summary, _ := strings.Cut(errText, "\n")
	if want := "FEATURE    NULLS    COVERAGE\nitems      1        66.6 %\nsold       1        66.6 %\nmotto      1        66.6 %\n" +
		"carts: 1 rows (33.3 %) without any value\nsales: 1 rows (33.3 %) without any value\n"; summary != want || !strings.HasPrefix(errText, "standard output: 3 rows in ") {
		t.Errorf("summary:\n%s\nwant\n%s", errText, want)
	}
}

// Entity rows without a time are taken as of now, or of --at, and it is said.
func TestHistoricalAt(t *testing.T) {
	dir, loans := loansRepo(t)
	args := []string{"-c", dir, "get-historical-features", "-f", "carts:items"}
	code, out, errText := command(t, nil, append(args, "-d", `[{"shopper": 1}]`, "--at", "2024-01-05T09:00:00.5+09:00")...)
	if want := "[\n    {\n        \"shopper\":1,\n        \"event_timestamp\":1704412800,\n        \"items\":3\n    }\n]\n"; code != 0 || out != want {
		t.Errorf("exit %d: %s", code, out)
	}
	if want := "note: the entity rows have no column of times: taken as of 2024-01-05T00:00:00.5Z\n"; errText != want {
		t.Errorf("%q, want %q", errText, want)
	}
	code, out, errText = command(t, nil, append(args, "-d", `[{"shopper": 1}]`)...)
	if code != 0 || !strings.Contains(out, `"items":null`) || !strings.HasPrefix(errText, "note: the entity rows have no column of times: taken as of 2") {
		t.Errorf("exit %d: %s%s", code, out, errText)
	}
	code, out, errText = command(t, nil, append(args, "--entity-df", loans, "--at", "2024-01-05")...)
	if code != 1 || out != "" || errText != "banquet: --at 2024-01-05: the entity rows have times of their own, in column event_timestamp; leave out --at, or that column\n" {
		t.Errorf("exit %d: %s%s", code, out, errText)
	}
}

// The first day of all is a bound like any other: Python's datetime.min.
func TestHistoricalFromTheFirstDay(t *testing.T) {
	dir, _ := loansRepo(t)
	args := []string{"-c", dir, "get-historical-features", "-f", "sales:sold", "-o", "-"}
	code, out, errText := command(t, nil, append(args, "-s", "0001-01-01", "-e", "2025-12-31")...)
	if code != 0 || strings.Count(out, "\n") != 4 {
		t.Errorf("exit %d: %s%s", code, out, errText)
	}
	code, out, errText = command(t, nil, append(args, "-e", "0001-01-01")...)
	if code != 0 || strings.Count(out, "\n") != 1 {
		t.Errorf("until then: exit %d: %s%s", code, out, errText)
	}
}

// A wrong command ends with one line, and changes no file.
func TestHistoricalRefuses(t *testing.T) {
	dir, loans := loansRepo(t)
	tmp := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(tmp, name)
		write(t, path, text)
		return path
	}
	old := file("old.csv", "kept")
	if err := os.Mkdir(filepath.Join(tmp, "dir.csv"), 0o700); err != nil {
		t.Fatal(err)
	}
	both := []string{"-f", "carts:items", "--entity-df", loans}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{nil, 2, "Either --entity-df, --dataframe or --start-date and/or --end-date must be provided."},
		{append(both, "-d", "[]"), 2, "Cannot specify both --dataframe and --entity-df."},
		{append(both, "-s", "2024-01-01"), 2, "Cannot specify both --entity-df and --start-date/--end-date."},
		{[]string{"-f", "carts:items", "-d", "[]", "-e", "2024-01-01"}, 2, "Cannot specify both --dataframe and --start-date/--end-date."},
		{[]string{"-f", "carts:items", "-e", "2024-01-01", "--at", "2024-01-01"}, 2, "--at is the time of entity rows"},
		{append(both, "--feature-service", "all_of_it"), 2, "Cannot specify both --feature-service and --features."},
		{[]string{"--entity-df", loans}, 2, "want --features VIEW:FEATURE"},
		{append(both, "--sql-timeout", "-1s"), 2, "--sql-timeout -1s is negative"},
		{append(both, "-o", filepath.Join(tmp, "set.txt")), 2, "the name must end in .parquet, .csv or .arrow"},
		{append(both, "-o", "-", "--format", "xlsx"), 2, `--format "xlsx"; want parquet, csv or arrow`},
		{append(both, "--format", "csv"), 2, "--format needs --output"},
		{[]string{"-f", "carts:items", "-e", "soon"}, 1, `--end-date: "soon" is not a time`},
		{append(both, "--at", "soon"), 1, `--at: "soon" is not a time`},
		{[]string{"-f", "carts:nope", "--entity-df", loans, "-o", old}, 1, "Feature nope not found in projection carts"},
		{[]string{"-f", "nope:items", "--entity-df", loans, "-o", old}, 1, "Feature view nope does not exist in project shop"},
		{[]string{"-f", "carts:items", "--entity-df", filepath.Join(tmp, "none.csv")}, 1, "none.csv does not exist"},
		{[]string{"-f", "carts:items", "--entity-df", filepath.Join(tmp, "none.arrow")}, 1, "none.arrow does not exist"},
		{[]string{"-f", "carts:items", "--entity-df", "loans"}, 1, `--entity-df "loans" is neither SQL nor the name of a .parquet, .csv or .arrow file`},
		{[]string{"-f", "carts:items", "--entity-df", "select.it"}, 1, `--entity-df "select.it" is neither SQL nor the name`},
		{[]string{"-f", "carts:items", "--entity-df", "DELETE FROM carts"}, 1, `--entity-df "DELETE FROM carts" is neither SQL nor the name`},
		{[]string{"-f", "carts:items", "--entity-df", "-- all\nselect 1"}, 1, "entity rows can be SQL only with an offline store that runs SQL"},
		{[]string{"-f", "carts:items", "--entity-df", file("bad.csv", "shopper,event_timestamp\nx,2024-01-01\n"), "-o", old}, 1, `bad.csv, line 2, column shopper: "x" is not a 64-bit integer`},
		{[]string{"-f", "carts:items", "--entity-df", file("late.csv", "shopper,event_timestamp\n1,2024-01-01\n1,tomorrow\n"), "-o", old}, 1, `entity rows, row 2, column event_timestamp: "tomorrow" is not a time`},
		{[]string{"-f", "carts:items", "--entity-df", file("numbers.csv", "shopper,event_timestamp\n1,1704067200\n"), "-o", old}, 1, `entity rows, row 1, column event_timestamp: "1704067200" is not a time`},
		{[]string{"-f", "carts:items", "--entity-df", file("keyless.csv", "shoper,event_timestamp\n1,2024-01-01\n"), "-o", old}, 1, `the entity rows have no column "shopper", a join key of feature view carts`},
		{[]string{"-f", "carts:items", "--entity-df", file("bad.arrow", "ARROW1\x00\x00nonsense"), "-o", old}, 1, "bad.arrow is a file of Arrow that lacks its end"},
		{[]string{"-f", "carts:items", "--entity-df", file("empty.arrow", ""), "-o", old}, 1, "empty.arrow is damaged, or has an unsupported encoding; write the file again"},
		{append(both, "-o", filepath.Join(tmp, "nowhere", "set.csv")), 1, "cannot be written: the directory " + filepath.Join(tmp, "nowhere") + " does not exist"},
		{append(both, "-o", filepath.Join(tmp, "dir.csv")), 1, "is a directory; name a file in it"},
		{append(both, "-o", loans), 1, "is the file of the entity rows; write the training set to another one"},
		{append(both, "-o", filepath.Join(dir, "carts.csv")), 1, "carts.csv is read by data source carts_source; write the training set to another file"},
		{append(both, "-o", filepath.Join(dir, "registry.db"), "--format", "csv"), 1, "registry.db is a file of the repository"},
		{append(both, "-o", filepath.Join(dir, "feature_store.yaml"), "--format", "csv"), 1, "feature_store.yaml is a file of the repository"},
		{append(both, "-o", "/dev/full", "--format", "csv"), 1, "/dev/full cannot be written: the disk is full"},
		{append(both, "-o", "/dev/full", "--format", "parquet"), 1, "/dev/full cannot be written: the disk is full"},
		{append(both, "-o", "/dev/full", "--format", "arrow"), 1, "/dev/full cannot be written: the disk is full"},
		{[]string{"-f", "carts:items", "-d", "[{}]"}, 1, `the entity rows have no column "shopper", a join key of feature view carts; they have no columns`},
		{[]string{"-f", "carts:items", "-s", "9000-01-01"}, 1, "the range of time starts at 9000-01-01T00:00:00Z, which is after now"},
		{[]string{"-f", "carts:items", "-d", `[{"shopper": 9007199254740993}, {"shopper": 1.5}]`}, 1, `column "shopper": row 2: 1.5 has a fraction`},
		{[]string{"-f", "carts:items", "-d", "{}"}, 1, "Error parsing entities JSON: Entities must be a list of dictionaries."},
		{[]string{"-f", "carts:items", "-d", `[{"event_timestamp": 1704067200, "shopper": 1}]`}, 1, "column event_timestamp of the entity rows holds int64, not times"},
	} {
		code, out, errText := command(t, nil, append([]string{"-c", dir, "get-historical-features"}, c.args...)...)
		first, rest, _ := strings.Cut(errText, "\n")
		if code != c.code || out != "" || !strings.Contains(first, c.want) || rest != "" && c.code == 1 {
			t.Errorf("%v: exit %d, %q: %s\nwant %s", c.args, code, out, errText, c.want)
		}
	}
	left, err := os.ReadDir(tmp)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range left {
		if strings.Contains(f.Name(), "set") || strings.HasSuffix(f.Name(), ".tmp") {
			t.Errorf("%s was left behind", f.Name())
		}
	}
	if read(t, old) != "kept" {
		t.Error("the old file was replaced")
	}
}

// A complete training set replaces a file, behind a link too, and keeps who may read
// it. One that is stopped does not.
func TestHistoricalReplacesAFile(t *testing.T) {
	dir, loans := loansRepo(t)
	tmp := t.TempDir()
	target, link := filepath.Join(tmp, "target.csv"), filepath.Join(tmp, "link.csv")
	write(t, target, "old")
	if err := os.Chmod(target, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	args := []string{"-c", dir, "get-historical-features", "--entity-df", loans, "--feature-service", "all_of_it", "-o", link}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	var errText bytes.Buffer
	if code := run(stopped, system{args: args, out: &errText, err: &errText, env: func(string) (string, bool) { return "", false }}); code != 1 || errText.String() != "banquet: stopped\n" {
		t.Errorf("exit %d: %s", code, errText.String())
	}
	if read(t, target) != "old" {
		t.Error("a command that was stopped has written")
	}
	if code, _, errText := command(t, nil, args...); code != 0 {
		t.Fatal(errText)
	}
	info, err := os.Stat(target)
	if err != nil || info.Mode().Perm() != 0o640 || read(t, target) != loansSet {
		t.Errorf("%v %v: %s", info.Mode(), err, read(t, target))
	}
	if at, err := os.Readlink(link); err != nil || at != target {
		t.Errorf("the link is %s, %v", at, err)
	}
	if files, err := os.ReadDir(tmp); err != nil || len(files) != 2 {
		t.Errorf("%v, %v", files, err)
	}
}

// Parquet and Arrow do not go to a terminal.
func TestHistoricalToATerminal(t *testing.T) {
	dir, loans := loansRepo(t)
	for _, format := range []string{"parquet", "arrow"} {
		var out bytes.Buffer
		args := []string{"-c", dir, "get-historical-features", "--entity-df", loans, "-f", "carts:items", "-o", "-", "--format", format}
		code := run(t.Context(), system{args: args, out: &out, err: &out, terminal: true, env: func(string) (string, bool) { return "", false }})
		if code != 2 || !strings.Contains(out.String(), "a terminal cannot show "+format) {
			t.Errorf("exit %d: %s", code, out.String())
		}
	}
}

// On a terminal a line shows the rows, until the summary replaces it.
func TestHistoricalProgress(t *testing.T) {
	dir, loans := loansRepo(t)
	var out, errs bytes.Buffer
	to := filepath.Join(t.TempDir(), "set.csv")
	args := []string{"-c", dir, "get-historical-features", "--entity-df", loans, "-f", "carts:items", "-o", to}
	code := run(t.Context(), system{args: args, out: &out, err: &errs, errTerminal: true, env: func(string) (string, bool) { return "", false }})
	if code != 0 || !strings.HasPrefix(errs.String(), "\r\x1b[Kset.csv  [====================] 100 %  3 of 3 rows  ") || !strings.Contains(errs.String(), "\r\x1b[K"+to+": 3 rows in ") {
		t.Errorf("exit %d: %q", code, errs.String())
	}
}

func TestWhatIsSQL(t *testing.T) {
	for text, want := range map[string]bool{
		"SELECT 1": true, " select\n1": true, "with a as (select 1) select 1": true, "VALUES (1)": true, "TABLE loans": true, "(select 1)": true,
		"-- note\nselect 1": true, "/* note */ select 1": true, "select*from t": true, `select"a" from t`: true, "SELECT": true,
		"select.csv": false, "selected": false, "values_2024.parquet": false, "tables/loans.csv": false, "loans.csv": false, "": false, "delete from t": false, "insert into t": false,
	} {
		if got := looksLikeSQL.MatchString(text); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}

// Rows that were created after the entity row's time are left out when asked for.
func TestHistoricalOfWhatWasKnown(t *testing.T) {
	dir := newRepo(t, "project: shop\nprovider: local\nregistry: registry.db\nonline_store: {type: sqlite, path: online.db}\noffline_store: {type: file}\nentity_key_serialization_version: 3\n",
		strings.ReplaceAll(oneView, "SOURCE", `FileSource(name="carts_source", path="known.csv", timestamp_field="at", created_timestamp_column="made")`))
	write(t, filepath.Join(dir, "known.csv"), "shopper,items,at,made\n1,1,2024-01-02T00:00:00,2024-01-02T01:00:00\n1,2,2024-01-02T06:00:00,2024-01-09T00:00:00\n")
	if code, _, errText := command(t, nil, "-c", dir, "apply"); code != 0 {
		t.Fatal(errText)
	}
	for flag, want := range map[string]string{"--filter-by-created-timestamp": `"items":1`, "--full-feature-names=false": `"items":2`} {
		code, out, errText := command(t, nil, "-c", dir, "get-historical-features", "-d", `[{"shopper": 1, "event_timestamp": "2024-01-02T12:00:00"}]`, "-f", "carts:items", flag)
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("%s: exit %d: %s%s", flag, code, out, errText)
		}
	}
}
