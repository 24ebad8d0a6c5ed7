package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/fault"
)

const pushViews = `from datetime import timedelta
from feast import Entity, FeatureView, Field, FileSource, PushSource, ValueType
from feast.types import Array, Float64, Int64, String

shopper = Entity(name="shopper", join_keys=["shopper"], value_type=ValueType.INT64)
source = FileSource(name="carts_source", path="carts.csv", timestamp_field="at")
push = PushSource(name="carts_push", batch_source=source)
carts = FeatureView(name="carts", entities=[shopper], schema=[Field(name="items", dtype=Int64), Field(name="note", dtype=String)], source=push)
totals = FeatureView(name="totals", entities=[shopper], schema=[Field(name="items", dtype=Int64)], source=push)
archive = FeatureView(name="archive", entities=[shopper], online=False, schema=[Field(name="items", dtype=Int64)], source=push)
`

// pushRepo is an applied repository whose batch source has one row.
func pushRepo(t *testing.T) string {
	t.Helper()
	dir := newRepo(t, sqliteRepo, pushViews)
	writeFile(t, filepath.Join(dir, "carts.csv"), "shopper,items,note,at\n1,2,a,2024-01-01T00:00:00Z\n")
	if code, out, errText := command(t, nil, "-c", dir, "apply"); code != 0 {
		t.Fatal(out, errText)
	}
	return dir
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// runPush runs push with an input; the rate of rows, which differs, is cut from the output.
func runPush(t *testing.T, input string, args ...string) (code int, out, errText string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), system{
		args: args, in: strings.NewReader(input), out: &stdout, err: &stderr,
		env: func(name string) (string, bool) {
			if name == "FEAST_NO_PROGRESS" || name == "NO_COLOR" {
				return "1", true
			}
			return "", false
		},
	})
	for line := range strings.Lines(stdout.String()) {
		line, _, _ = strings.Cut(strings.TrimSuffix(line, "\n"), " in 0.")
		out += line + "\n"
	}
	return code, out, stderr.String()
}

func TestPushOfAFile(t *testing.T) {
	const both = "archive:\n  not written online: the view has online=False\ncarts:\n  %[1]s\ntotals:\n  %[1]s\n"
	rows := `[{"shopper":1,"items":9007199254740993,"note":"é","at":"2024-02-01T00:00:00Z"},{"shopper":"2","items":null,"note":null,"at":"2024-02-01T09:00:00+09:00"}]`
	for name, c := range map[string]struct {
		file, text string
		args       []string
		want       string
	}{
		"a list of objects":  {"rows.json", rows, []string{"-s", "carts_push"}, fmt.Sprintf(both, "2 rows written of 2 read")},
		"an object a line":   {"rows.jsonl", "\ufeff" + strings.Trim(strings.ReplaceAll(rows, "},{", "}\n{"), "[]"), []string{"--push-source", "carts_push"}, fmt.Sprintf(both, "2 rows written of 2 read")},
		"an object of lists": {"rows.json", `{"shopper":[1,2],"items":[9007199254740993,null],"note":["é",null],"at":["2024-02-01","2024-02-01"]}`, []string{"-v", "carts"}, "carts:\n  2 rows written of 2 read\n"},
		"the SDK's names":    {"rows.json", `{"shopper":[1,2],"items":[9007199254740993,null],"note":["é",null],"event_timestamp":["2024-02-01","2024-02-01"],"created":[null,null]}`, []string{"-v", "carts"}, "carts:\n  2 rows written of 2 read\n"},
		"csv":                {"rows.csv", "at,note,items,shopper,other\n2024-02-01,é,9007199254740993,1,x\n2024-02-01,,,2,y\n", []string{"-v", "carts"}, "carts:\n  2 rows written of 2 read\n"},
		"standard input":     {"-", rows, []string{"-v", "carts"}, "carts:\n  2 rows written of 2 read\n"},
		"csv from a pipe":    {"-", "at,note,items,shopper\n2024-02-01,é,9007199254740993,1\n2024-02-01,,,2\n", []string{"-v", "carts"}, "carts:\n  2 rows written of 2 read\n"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := pushRepo(t)
			if c.file != "-" {
				c.file = filepath.Join(dir, c.file)
				writeFile(t, c.file, c.text)
			}
			push := append([]string{"-c", dir, "push", c.file}, c.args...)
			code, out, errText := runPush(t, c.text, push...)
			if code != 0 || errText != "" || sortedLines(out) != sortedLines(c.want) {
				t.Fatalf("exit %d, %s\n%s", code, errText, cmp.Diff(c.want, out))
			}
			_, out, _ = command(t, nil, "-c", dir, "get-online-features", "-e", "shopper=1", "-f", "carts:items", "-f", "carts:note")
			if !strings.Contains(out, "9007199254740993") || !strings.Contains(out, `"é"`) && !strings.Contains(out, `\u00e9`) {
				t.Error(out)
			}
			if code, _, errText := runPush(t, c.text, push...); code != 0 {
				t.Errorf("a second time: %s", errText)
			}
		})
	}
}

func sortedLines(text string) string { return strings.Join(sorted(text), "\n") }

// A table that a training set was written to can be pushed.
func TestPushOfParquetAndArrow(t *testing.T) {
	for _, ending := range []string{"parquet", "arrow"} {
		dir := pushRepo(t)
		if code, out, errText := runPush(t, "shopper,items,note,at\n7,70,n,2024-02-01T00:00:00.000001Z\n8,,,2024-02-01\n", "-c", dir, "push", "-", "-v", "carts", "--to", "online_and_offline"); code != 0 {
			t.Fatal(out, errText)
		}
		file := filepath.Join(dir, "set."+ending)
		if code, out, errText := command(t, nil, "-c", dir, "get-historical-features", "--dataframe", `[{"shopper":7,"event_timestamp":"2024-03-01T00:00:00"},{"shopper":9,"event_timestamp":"2024-03-01T00:00:00"}]`, "-f", "carts:items", "-f", "carts:note", "-o", file); code != 0 {
			t.Fatal(out, errText)
		}
		push := []string{"-c", dir, "push", file, "-v", "carts"}
		if code, out, errText := runPush(t, "", push...); code != 0 || out != "carts:\n  2 rows written of 2 read\n" {
			t.Errorf("%s: exit %d, %s%s", ending, code, out, errText)
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		push[3] = "-"
		if code, out, errText := runPush(t, string(b), push...); code != 0 || out != "carts:\n  2 rows written of 2 read\n" {
			t.Errorf("%s from a pipe: exit %d, %s%s", ending, code, out, errText)
		}
	}
}

// Rows that cannot be stored are named; the other rows are stored.
func TestPushOfBadRows(t *testing.T) {
	dir := pushRepo(t)
	var rows strings.Builder
	rows.WriteString("shopper,items,note,at\n")
	for i := range 12000 {
		at := "2024-02-01"
		if i == 11000 {
			at = "yesterday"
		}
		fmt.Fprintf(&rows, "%d,%d,n,%s\n", i, i, at)
	}
	rate := regexp.MustCompile(` in [0-9.]+ s \([0-9]+ rows/s\)`) // of a push that takes more than a second
	code, out, errText := runPush(t, rows.String(), "-c", dir, "push", "-", "-v", "carts", "--to", "online_and_offline")
	out = rate.ReplaceAllString(out, "")
	if want := "carts:\n  11999 rows written of 12000 read, 1 could not be stored\n  0 rows added to the batch source\n"; out != want {
		t.Errorf("%q, want %q", out, want)
	}
	if want := "banquet: feature view carts: 1 of 12000 rows are not stored: column at, row 11000 (shopper=11000): \"yesterday\" is not a time"; code != 1 || !strings.HasPrefix(errText, want) {
		t.Errorf("exit %d, %s", code, errText)
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "carts.csv")); strings.Count(string(b), "\n") != 2 {
		t.Errorf("the source has rows of a push that failed: %d", strings.Count(string(b), "\n"))
	}
	code, out, errText = runPush(t, strings.Replace(rows.String(), "yesterday", "2024-01-31", 1), "-c", dir, "push", "-", "-v", "carts", "--to", "online_and_offline")
	out = rate.ReplaceAllString(out, "")
	if want := "carts:\n  12000 rows written of 12000 read\n  12000 rows added to the batch source\n"; code != 0 || out != want {
		t.Errorf("exit %d, %s%q, want %q", code, errText, out, want)
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "carts.csv")); strings.Count(string(b), "\n") != 12002 {
		t.Errorf("the source has %d lines", strings.Count(string(b), "\n"))
	}
	code, out, _ = runPush(t, "shopper,items,note,at\n5,1,n,2020-01-01\n5,2,n,2024-03-01\n5,3,n,2024-03-01\n", "-c", dir, "push", "-", "-v", "carts")
	if want := "carts:\n  2 rows written of 3 read, 1 were older than the stored rows\n"; code != 0 || out != want {
		t.Errorf("exit %d, %q, want %q", code, out, want)
	}
}

// A cell of CSV that is no number is a row that cannot be stored, as a bad time is.
func TestPushOfBadCells(t *testing.T) {
	dir := pushRepo(t)
	const input = "shopper,items,note,at\n5,1,n,2024-02-01\n6,many,n,2024-02-01\n7x,3,n,2024-02-01\n8,4,n,2024-02-01\n"
	const reasons = `column items, row 1 (shopper=6): "many" is not a 64-bit integer; column shopper, row 2 (shopper="7x"): "7x" is not a 64-bit integer`
	code, out, errText := runPush(t, input, "-c", dir, "push", "-", "-v", "carts", "--to", "online_and_offline")
	if want := "carts:\n  2 rows written of 4 read, 2 could not be stored\n  0 rows added to the batch source\n"; code != 1 || out != want {
		t.Errorf("exit %d, %q, want %q", code, out, want)
	}
	if want := "banquet: feature view carts: 2 of 4 rows are not stored: " + reasons; !strings.HasPrefix(errText, want) {
		t.Errorf("%s\nwant %s", errText, want)
	}
	for shopper, want := range map[string]string{"5": "1", "6": "null", "8": "4"} {
		if _, out, _ := runPush(t, "", "-c", dir, "get-online-features", "-f", "carts:items", "-e", "shopper="+shopper); !strings.Contains(strings.Join(strings.Fields(out), ""), `"items":[`+want+`]`) {
			t.Errorf("shopper %s: %s, want %s", shopper, out, want)
		}
	}
	code, _, errText = runPush(t, input, "-c", dir, "push", "-", "-v", "carts", "--to", "offline")
	if b, _ := os.ReadFile(filepath.Join(dir, "carts.csv")); code != 1 || strings.Count(string(b), "\n") != 2 || !strings.Contains(errText, `"many" is not a 64-bit integer`) {
		t.Errorf("offline: exit %d, %s, the source is now %s", code, errText, b)
	}
}

func TestPushRefused(t *testing.T) {
	dir := pushRepo(t)
	missing := filepath.Join(dir, "none.csv")
	named := filepath.Join(dir, "rows.txt")
	writeFile(t, named, "")
	for name, c := range map[string]struct {
		input string
		args  []string
		code  int
		want  string
	}{
		"no target":          {"", []string{"-"}, 2, "want either --push-source NAME or --view NAME"},
		"two targets":        {"", []string{"-", "-s", "a", "-v", "b"}, 2, "want either --push-source NAME or --view NAME"},
		"no file":            {"", []string{"-s", "a"}, 2, "want the name of a file, or - for standard input, got 0 arguments"},
		"a bad store":        {"", []string{"-", "-s", "a", "--to", "both"}, 2, `--to "both"; want online, offline or online_and_offline`},
		"an unknown source":  {"[]", []string{"-", "-s", "carts_posh"}, 1, "Unable to find push source 'carts_posh'.\ndid you mean carts_push?"},
		"an unknown view":    {"[]", []string{"-", "-v", "cart"}, 1, "Feature view cart does not exist in project shop\ndid you mean carts?"},
		"an offline view":    {"[]", []string{"-", "-v", "archive"}, 1, "FeatureView archive is not configured to be served online."},
		"a missing file":     {"", []string{missing, "-v", "carts"}, 1, "the file " + missing + " does not exist"},
		"a directory":        {"", []string{dir, "-v", "carts"}, 1, dir + " is a directory; push its files one by one"},
		"another name":       {"", []string{named, "-v", "carts"}, 1, named + ": its name must end in .json, .jsonl, .csv, .parquet or .arrow, so that its form is known"},
		"missing columns":    {"shopper,at\n", []string{"-", "-v", "carts"}, 1, "feature view carts: the rows lack columns items, note"},
		"other columns":      {"shopper,items,note,at,x\n1,1,a,2024-01-01,1\n", []string{"-", "-v", "carts", "--to", "offline"}, 1, "The input dataframe columns do not match the batch source columns. missing_expected_columns: [], extra_unexpected_columns: ['x']."},
		"broken JSON":        {`[{"shopper":1,]`, []string{"-", "-v", "carts"}, 1, "standard input is not JSON, at byte "},
		"JSON that ends":     {`[{"shopper":1}`, []string{"-", "-v", "carts"}, 1, "standard input ends within its JSON"},
		"a row that is none": {`[1]`, []string{"-", "-v", "carts"}, 1, "standard input, row 0: a row must be an object, such as "},
		"a repeated cell":    {`[{"shopper":1,"shopper":2}]`, []string{"-", "-v", "carts"}, 1, `standard input, row 0: it has "shopper" twice`},
		"text after a list":  {`[] []`, []string{"-", "-v", "carts"}, 1, "standard input: there is text after the list"},
	} {
		t.Run(name, func(t *testing.T) {
			before := snapshot(t, dir)
			code, out, errText := runPush(t, c.input, append([]string{"-c", dir, "push"}, c.args...)...)
			if code != c.code || out != "" || !strings.HasPrefix(errText, "banquet: "+c.want) {
				t.Errorf("exit %d, %q, %s\nwant %d, %s", code, out, errText, c.code, c.want)
			}
			if snapshot(t, dir) != before {
				t.Error("something was written")
			}
		})
	}
}

// Chunks of JSON have all rows and columns, whatever the size of the chunks.
func TestChunksOfJSON(t *testing.T) {
	var text strings.Builder
	const rows = 2*jsonChunk + 7
	for i := range rows {
		if i%2 == 0 {
			fmt.Fprintf(&text, `{"a":%d,"b":[%d]}`, i, i)
		} else {
			fmt.Fprintf(&text, `{"b":null,"a":%d} `, i)
		}
	}
	n := 0
	for columns, err := range jsonChunks("f", strings.NewReader(text.String())) {
		if err != nil {
			t.Fatal(err)
		}
		if len(columns) != 2 || columns[0].Name != "a" || columns[0].Cells.Len() != columns[1].Cells.Len() {
			t.Fatalf("%v", columns)
		}
		for row := range columns[0].Cells.Len() {
			want := map[int]string{0: fmt.Sprintf("[%d]", n), 1: "null"}[n%2]
			if a, b := columns[0].Cells.Text(row), columns[1].Cells.Text(row); a != fmt.Sprint(n) || b != want {
				t.Fatalf("row %d: %s, %s", n, a, b)
			}
			n++
		}
	}
	if n != rows {
		t.Errorf("%d rows", n)
	}
}

func FuzzPushJSON(f *testing.F) {
	for _, s := range []string{"", "[]", `[{"a":1}]`, `{"a":[1,2],"b":[]}`, "{}{}", "[{]", `{"a":{"b":[1]}}`, "\ufeff[", "nul", `[{"a":1}] x`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for columns, err := range jsonChunks("f", bytes.NewReader(text)) {
			if err != nil {
				if fault.KindOf(err) != fault.Invalid || strings.Contains(err.Error(), "\n") {
					t.Error(err)
				}
				return
			}
			for _, c := range columns {
				_ = c.Cells.Len()
			}
		}
	})
}

// brokenReader fails.
type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestInputThatCannotBeRead(t *testing.T) {
	dir := pushRepo(t)
	var stderr bytes.Buffer
	code := run(context.Background(), system{
		args: []string{"-c", dir, "push", "-", "-v", "carts"}, in: brokenReader{}, out: io.Discard, err: &stderr,
		env: func(string) (string, bool) { return "", false },
	})
	if code != 1 || stderr.String() != "banquet: standard input cannot be read\n" {
		t.Errorf("exit %d, %s", code, stderr.String())
	}
	for _, err := range jsonChunks("f", brokenReader{}) {
		if fault.KindOf(err) != fault.Unavailable {
			t.Error(err)
		}
	}
}
