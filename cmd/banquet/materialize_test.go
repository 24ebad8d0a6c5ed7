package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/internal/dynamotest"
	"github.com/banquet-fs/banquet/internal/pgtest"
)

// recordedTables makes the recorded project's tables in PostgreSQL and DynamoDB and
// returns the environment that names them.
func recordedTables(t *testing.T) map[string]string {
	t.Helper()
	opt := pgtest.Options(t)
	data := filepath.Join(golden, "credit_scoring", "data")
	schema, err := os.ReadFile(filepath.Join(data, "schema.sql"))
	if err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, opt, string(schema))
	d := dynamotest.Start(t)
	for _, table := range []string{"zipcode_features", "credit_history", "credit_inquiries"} {
		rows, err := os.Open(filepath.Join(data, table+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		pgtest.Load(t, opt, table, rows)
		_ = rows.Close()
		d.Put("credit_scoring_aws."+table, map[string]json.RawMessage{"entity_id": json.RawMessage(`{"S":"none"}`)})
	}
	return map[string]string{
		"DYNAMODB_ENDPOINT": d.URL, "PG_HOST": opt.Host, "PG_PORT": strconv.Itoa(opt.Port), "PG_DATABASE": opt.Database,
		"PG_USER": opt.User, "PG_PASSWORD": opt.Password, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
	}
}

// ownWords are the recorded failures whose text is banquet's own.
var ownWords = map[string]string{
	"materialize yesterday today":                         `"yesterday" is not a time: it does not begin with a date, YYYY-MM-DD`,
	"materialize-incremental yesterday":                   `"yesterday" is not a time`,
	"materialize-incremental":                             "want the end of the window, got 0 arguments",
	"materialize 2024-02-01T00:00:00 2024-01-01T00:00:00": "the start 2024-02-01 00:00:00+00:00 lies after the end 2024-01-01 00:00:00+00:00",
}

// TestGoldenMaterialize runs the recorded commands in order: the same texts on
// standard output, but for the line with the outcome of a view, the same exit codes,
// and Feast's reasons for failures.
func TestGoldenMaterialize(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(golden, "credit_scoring", "cli.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	dir, env := recordedRepo(t, "1b_apply_again"), recordedTables(t)
	compared := 0
	for raw := range bytes.Lines(b) {
		var c struct {
			Args           []string
			Exit           int `json:"exit_code"`
			Stdout, Stderr string
		}
		if err := json.Unmarshal(raw, &c); err != nil {
			t.Fatal(err)
		}
		if len(c.Args) == 0 || !strings.HasPrefix(c.Args[0], "materialize") || slices.Contains(c.Args, "--help") {
			continue
		}
		compared++
		name := strings.Join(c.Args, " ")
		t.Run(name, func(t *testing.T) {
			code, out, errText := command(t, env, append([]string{"-c", dir}, c.Args...)...)
			if code != c.Exit {
				t.Fatalf("exit %d, want %d: %s%s", code, c.Exit, out, errText)
			}
			lines := slices.DeleteFunc(sorted(out), func(l string) bool { return strings.HasPrefix(l, "  ") })
			if diff := cmp.Diff(sorted(c.Stdout), lines); diff != "" {
				t.Errorf("-Feast +banquet\n%s", diff)
			}
			if c.Exit == 0 {
				if errText != "" || strings.Count(out, "rows written of") != 3 {
					t.Errorf("%s%s", out, errText)
				}
				return
			}
			feast := strings.Split(strings.TrimSpace(c.Stderr), "\n")
			_, want, _ := strings.Cut(feast[len(feast)-1], ": ")
			if own, ok := ownWords[name]; ok {
				want = own
			}
			if !strings.Contains(errText, want) {
				t.Errorf("%s\nwant %s", errText, want)
			}
		})
	}
	if compared != 13 {
		t.Errorf("%d commands were compared", compared)
	}
	code, out, errText := command(t, env, "-c", dir, "materialize-incremental", "2024-06-16T00:00:00", "--parallel", "3")
	if code != 0 || errText != "" || strings.Count(out, "from 2024-06-15 12:30:45+00:00 to 2024-06-16 00:00:00+00:00:\n  ") != 3 {
		t.Errorf("three views at once: exit %d: %s%s", code, out, errText)
	}
}

// TestMaterializeFlags refuses wrong flags with one line that says what is right.
func TestMaterializeFlags(t *testing.T) {
	for _, c := range []struct {
		flags []string
		want  string
	}{
		{[]string{"--shard", "0/4"}, "the parts are 1/4 to 4/4"},
		{[]string{"--shard", "5/4"}, "the parts are 1/4 to 4/4"},
		{[]string{"--shard", "1/0"}, "the parts are 1/1 to 1/1"},
		{[]string{"--shard", "1-4"}, `--shard "1-4"; want a part and the number of parts, such as 1/4`},
		{[]string{"--shard", "1/99999999999999999999"}, "want a part and the number of parts"},
		{[]string{"--parallel", "0"}, "--parallel 0; want 1 to 64"},
		{[]string{"--parallel", "65"}, "--parallel 65; want 1 to 64"},
		{[]string{"--progress", "loud"}, `--progress "loud"; want auto, bar, json or none`},
	} {
		for _, args := range [][]string{{"materialize", "2024-01-01", "2024-02-01"}, {"materialize-incremental", "2024-02-01"}} {
			code, out, errText := command(t, nil, append(args, c.flags...)...)
			if code != 2 || out != "" || !strings.Contains(errText, c.want) {
				t.Errorf("%v: exit %d, %s%s", c.flags, code, out, errText)
			}
		}
	}
	f := materializeFlags{shard: "2/4", parallel: 3, progress: "auto", dryRun: true, restart: true, views: []string{"a,b"}}
	req, err := f.request()
	want := ingest.Request{Views: []string{"a,b"}, DryRun: true, Restart: true, Shard: ingest.Shard{Index: 1, Count: 4}}
	if diff := cmp.Diff(want, req); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
}

// TestFormOfProgress covers where progress is shown, and how.
func TestFormOfProgress(t *testing.T) {
	for _, c := range []struct {
		flags    materializeFlags
		terminal bool
		env      string
		want     string
	}{
		{materializeFlags{progress: "auto"}, true, "", asBars},
		{materializeFlags{progress: "auto"}, false, "", asJSON},
		{materializeFlags{progress: "auto"}, true, "1", asNone},
		{materializeFlags{progress: "auto"}, true, "0", asBars},
		{materializeFlags{progress: "json"}, true, "1", asJSON},
		{materializeFlags{progress: "bar"}, false, "", asBars},
		{materializeFlags{progress: "none"}, true, "", asNone},
		{materializeFlags{progress: "json", noProgress: true}, true, "", asNone},
	} {
		a := &app{system: system{errTerminal: c.terminal, env: func(name string) (string, bool) { return c.env, name == "FEAST_NO_PROGRESS" && c.env != "" }}}
		if got := c.flags.form(a); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

// TestBars draws views while they are read and written.
func TestBars(t *testing.T) {
	window := ingest.Window{View: "carts"}
	for _, c := range []struct {
		progress ingest.Progress
		width    int
		want     string
	}{
		{ingest.Progress{Window: window}, 80, "carts  reading  0 rows"},
		{ingest.Progress{Window: window, Rows: 1200, Rate: 400}, 80, "carts  reading  1200 rows  400 rows/s"},
		{
			ingest.Progress{Window: window, Phase: ingest.Writing, Rows: 50, Total: 200, Rate: 10, Left: 15 * time.Second},
			80, "carts  [=====               ]  25 %  50 of 200 rows  10 rows/s  15s left",
		},
		{ingest.Progress{Window: window, Phase: ingest.Writing, Rows: 300, Total: 200}, 80, "carts  [====================] 100 %  300 of 200 rows"},
		{ingest.Progress{Window: window, Phase: ingest.Writing}, 80, "carts  writing  0 rows"},
		{ingest.Progress{Window: ingest.Window{View: "번호"}, Rows: 1200}, 10, "번호  readi"},
		{ingest.Progress{Window: window}, 1, ""},
	} {
		if got := bar(&c.progress, c.width); got != c.want {
			t.Errorf("%q\nwant %q", got, c.want)
		}
	}
}

// TestBarsGiveWayToText removes the bars before a text, and paints at most so many.
func TestBarsGiveWayToText(t *testing.T) {
	var out, errs bytes.Buffer
	p := &progress{app: &app{system: system{out: &out, err: &errs, env: os.LookupEnv}}, together: true}
	p.paint([]ingest.Progress{{Window: ingest.Window{View: "a"}}, {Window: ingest.Window{View: "b"}}})
	p.observer().Resumed(ingest.Window{View: "a"}, 7)
	p.observer().Resumed(ingest.Window{View: "b"}, 0)
	p.paint(make([]ingest.Progress, maxBars+3))
	if want := "a  reading  0 rows\nb  reading  0 rows\n\x1b[2A\r\x1b[J" + strings.Repeat("  reading  0 rows\n", maxBars) + "and 3 more\n"; errs.String() != want {
		t.Errorf("%q\nwant %q", errs.String(), want)
	}
	if want := "  a: continuing an unfinished run, which has stored 7 rows\n"; out.String() != want {
		t.Errorf("%q", out.String())
	}
}

// TestLinesOfProgress writes a line for each view whose progress has changed.
func TestLinesOfProgress(t *testing.T) {
	var errs bytes.Buffer
	p := &progress{app: &app{system: system{err: &errs}}}
	reading := ingest.Progress{Window: ingest.Window{View: `a "b"`}, Rows: 3, Rate: 1.26}
	writing := ingest.Progress{Window: ingest.Window{View: "c"}, Phase: ingest.Writing, Rows: 5, Total: 9, Resumed: 2, Rate: 3, Left: 1340 * time.Millisecond}
	at := time.Date(2024, 1, 2, 3, 4, 5, 6, time.UTC)
	p.lines([]ingest.Progress{reading, writing}, at)
	p.lines([]ingest.Progress{reading, writing}, at)
	reading.Rows = 4
	p.lines([]ingest.Progress{reading}, at.Add(time.Second))
	const want = `{"time":"2024-01-02T03:04:05Z","event":"progress","view":"a \"b\"","phase":"reading","rows":3,"total":0,"resumed":0,"rows_per_second":1.2}
{"time":"2024-01-02T03:04:05Z","event":"progress","view":"c","phase":"writing","rows":5,"total":9,"resumed":2,"rows_per_second":3,"seconds_left":1.3}
{"time":"2024-01-02T03:04:06Z","event":"progress","view":"a \"b\"","phase":"reading","rows":4,"total":0,"resumed":0,"rows_per_second":1.2}
`
	if diff := cmp.Diff(want, errs.String()); diff != "" {
		t.Error(diff)
	}
}

// TestViewsTogether keeps the lines of each view together.
func TestViewsTogether(t *testing.T) {
	var out, errs bytes.Buffer
	p := &progress{app: &app{system: system{out: &out, err: &errs, env: os.LookupEnv}}, together: true, incremental: true, store: "sqlite", req: ingest.Request{End: time.Unix(86400, 0)}}
	o := p.observer()
	a, b := ingest.Window{View: "a", Start: time.Unix(0, 0), End: time.Unix(86400, 0)}, ingest.Window{View: "b", Start: time.Unix(0, 0), End: time.Unix(86400, 0), Assumed: true}
	o.Planned([]ingest.Window{a, b})
	o.Started(a)
	o.Started(b)
	o.Finished(ingest.Result{Window: b, Read: 4, Written: 2, Older: 1, Elapsed: 2 * time.Second, Hint: "look here"})
	o.Finished(ingest.Result{Window: a})
	const want = `Materializing 2 feature views to 1970-01-02 00:00:00+00:00 into the sqlite online store.

Since the ttl is 0 for feature view b, the start date will be set to 1 year before the current time.
b from 1970-01-01 00:00:00+00:00 to 1970-01-02 00:00:00+00:00:
  2 rows written of 4 read, 1 were older than the stored rows in 2.0 s (2 rows/s)
a from 1970-01-01 00:00:00+00:00 to 1970-01-02 00:00:00+00:00:
  0 rows written of 0 read
`
	if diff := cmp.Diff(want, out.String()); diff != "" || errs.String() != "warning: look here\n" {
		t.Errorf("%s%s", diff, errs.String())
	}
}

// TestEstimates writes the table of a dry run.
func TestEstimates(t *testing.T) {
	var out, errs bytes.Buffer
	p := &progress{app: &app{system: system{out: &out, err: &errs, env: os.LookupEnv}}, store: "dynamodb", req: ingest.Request{DryRun: true, Start: time.Unix(0, 0), End: time.Unix(86400, 0)}, stop: func() {}}
	o := p.observer()
	a, b := ingest.Window{View: "zipcode_features"}, ingest.Window{View: "b"}
	o.Planned([]ingest.Window{a, b})
	o.Started(a)
	o.Finished(ingest.Result{Window: a, Read: 1000, Keys: 12, Estimate: &ingest.Estimate{Rows: 12, Bytes: 34567, WriteUnits: 40}})
	o.Finished(ingest.Result{Window: b, Hint: "look here", Estimate: &ingest.Estimate{}})
	p.end()
	const want = `A dry run for 2 feature views from 1970-01-01 00:00:00+00:00 to 1970-01-02 00:00:00+00:00: nothing is written to the dynamodb online store.

VIEW              READ    TO WRITE    BYTES    WRITE UNITS
zipcode_features  1000    12          34567    40
b                 0       0           0        -
total             1000    12          34567    40
`
	if diff := cmp.Diff(want, out.String()); diff != "" || errs.String() != "warning: look here\n" {
		t.Errorf("%s%s", diff, errs.String())
	}
}
