package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/internal/dynamotest"
	"github.com/banquet-fs/banquet/internal/pg"
	"github.com/banquet-fs/banquet/internal/pgtest"
)

// machines are the time zones of machines; they include half-hour offsets, summer
// time and both sides of Greenwich.
var machines = [...]string{"UTC", "Asia/Kolkata", "America/St_Johns"}

// timed are the rows of a source: the second in an hour that a summer time skips,
// the third three hours old when the test runs, the fourth older than the ttl,
// each by less than any offset above.
func timed(now time.Time) []time.Time {
	return []time.Time{
		time.Date(2024, 1, 15, 20, 30, 15, 0, time.UTC), time.Date(2024, 3, 10, 2, 30, 0, 123456000, time.UTC),
		now.Add(-3 * time.Hour), now.Add(-5 * time.Hour),
	}
}

// columns are the ways to write the time of an event, one view each.
var columns = [...]string{"naive", "zoned", "dated", "texted"}

func zonedViews(columns []string, source func(column string) string, features string) string {
	var b strings.Builder
	b.WriteString(`from datetime import timedelta
from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource
from feast.types import Array, Int64, String, UnixTimestamp

k = Entity(name="k", join_keys=["k"], value_type=ValueType.INT64)
`)
	for _, c := range columns {
		fmt.Fprintf(&b, "%[1]s = FeatureView(name=%[1]q, entities=[k], ttl=timedelta(hours=4), source=%[2]s, schema=[%[3]s])\n", c, source(c), features)
	}
	return b.String()
}

const timeFeatures = `Field(name="seen_naive", dtype=UnixTimestamp), Field(name="seen_zoned", dtype=UnixTimestamp), Field(name="seen_dated", dtype=UnixTimestamp), Field(name="told_naive", dtype=String), Field(name="told_zoned", dtype=String), Field(name="told_dated", dtype=String)`

// timesFile writes the rows as Parquet and as CSV.
func timesFile(t *testing.T, dir string, now time.Time) {
	t.Helper()
	micros := func(zone string) arrow.DataType { return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: zone} }
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "k", Type: arrow.PrimitiveTypes.Int64},
		{Name: "naive", Type: micros("")},
		{Name: "zoned", Type: micros("Asia/Kolkata")},
		{Name: "dated", Type: arrow.FixedWidthTypes.Date32},
		{Name: "texted", Type: arrow.BinaryTypes.String},
		{Name: "seen_naive", Type: micros(""), Nullable: true},
		{Name: "seen_zoned", Type: micros("America/St_Johns"), Nullable: true},
		{Name: "seen_dated", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
		{Name: "told_naive", Type: micros(""), Nullable: true},
		{Name: "told_zoned", Type: micros("America/St_Johns"), Nullable: true},
		{Name: "told_dated", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
		{Name: "seen_list", Type: arrow.ListOf(micros("Asia/Seoul")), Nullable: true},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	var csv strings.Builder
	csv.WriteString("k,naive,zoned,dated,texted,seen_naive,seen_zoned,seen_dated,told_naive,told_zoned,told_dated\n")
	newfoundland := time.FixedZone("", -(2*3600 + 1800))
	for i, at := range timed(now) {
		micro, day := arrow.Timestamp(at.UnixMicro()), arrow.Date32FromTime(at)
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		for _, f := range []int{1, 2, 5, 6, 8, 9} {
			b.Field(f).(*array.TimestampBuilder).Append(micro)
		}
		b.Field(3).(*array.Date32Builder).Append(day)
		b.Field(4).(*array.StringBuilder).Append(at.In(newfoundland).Format("2006-01-02 15:04:05.999999-07:00"))
		b.Field(7).(*array.Date32Builder).Append(day)
		b.Field(10).(*array.Date32Builder).Append(day)
		b.Field(11).(*array.ListBuilder).Append(true)
		b.Field(11).(*array.ListBuilder).ValueBuilder().(*array.TimestampBuilder).Append(micro)
		naive, zoned := at.Format("2006-01-02 15:04:05.999999"), at.In(newfoundland).Format("2006-01-02T15:04:05.999999-0700")
		fmt.Fprintf(&csv, "%[1]d,%[2]s,%[3]s,%[4]s,%[2]s UTC,%[2]s,%[3]s,%[4]s,%[2]s,%[3]s,%[4]s\n", i, naive, zoned, at.Format(time.DateOnly))
	}
	if err := os.WriteFile(filepath.Join(dir, "times.csv"), []byte(csv.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, "times.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := pqarrow.NewFileWriter(schema, f, parquet.NewWriterProperties(), pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(b.NewRecordBatch()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// timesTable writes the same rows to PostgreSQL, in a database and for a role with
// zones of their own.
func timesTable(t *testing.T, now time.Time, zone string) pg.Options {
	t.Helper()
	opt := pgtest.Options(t)
	var b strings.Builder
	fmt.Fprintf(&b, "ALTER DATABASE %[1]s SET timezone = 'America/St_Johns'; ALTER ROLE %[2]s IN DATABASE %[1]s SET timezone = '%[3]s'; SET timezone = 'UTC';\n", opt.Database, opt.User, zone)
	b.WriteString(`CREATE TABLE times (k bigint, naive timestamp, zoned timestamptz, dated date, texted text,
		seen_naive timestamp, seen_zoned timestamptz, seen_dated date, told_naive timestamp, told_zoned timestamptz, told_dated date, seen_list timestamptz[], seen_plain timestamp[]);`)
	for i, at := range timed(now) {
		naive, zoned := at.Format("2006-01-02 15:04:05.999999"), at.Format("2006-01-02 15:04:05.999999Z07:00")
		fmt.Fprintf(&b, "INSERT INTO times VALUES (%[1]d, '%[2]s', '%[3]s', '%[4]s', '%[3]s', '%[2]s', '%[3]s', '%[4]s', '%[2]s', '%[3]s', '%[4]s', array['%[3]s'::timestamptz], array['%[2]s'::timestamp]);\n", i, naive, zoned, at.Format(time.DateOnly))
	}
	pgtest.Exec(t, opt, b.String())
	return opt
}

func postgresYAML(opt pg.Options) string {
	return "\n  type: postgres\n  host: " + opt.Host + "\n  port: " + strconv.Itoa(opt.Port) + "\n  database: " + opt.Database + "\n  user: " + opt.User + "\n  password: " + opt.Password + "\n"
}

// zoneRun is one repository, materialized on a machine of one zone.
type zoneRun struct {
	dir, zone string
	env       []string
	dynamo    *dynamotest.Server
	postgres  pg.Options
}

func (r *zoneRun) on(zone string) []string { return append(slices.Clone(r.env), "TZ="+zone) }

func (r *zoneRun) run(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t), append([]string{"-c", r.dir}, args...)...)
	cmd.Env = r.on(r.zone)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("TZ=%s %v: %v\n%s", r.zone, args, err, out)
	}
}

// answers returns a server's response for each view, on a machine in a zone:
// values, statuses (which depend on the ttl) and event times.
func (r *zoneRun) answers(t *testing.T, zone string, views []string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t), "-c", r.dir, "serve", "-h", "127.0.0.1", "-p", "0", "--grpc-port", "0", "--admin-port", "0")
	cmd.Env = r.on(zone)
	cmd, at := listening(t, cmd)
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}()
	var out []string
	for _, v := range views {
		body := fmt.Sprintf(`{"features":["%[1]s:seen_naive","%[1]s:seen_zoned","%[1]s:seen_dated","%[1]s:told_naive","%[1]s:told_zoned","%[1]s:told_dated"],"entities":{"k":[0,1,2,3]}}`, v)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+at.HTTP+"/v1/online-features", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s %v", v, resp.StatusCode, text, err)
		}
		out = append(out, v+" "+string(text))
	}
	return out
}

// stored is the content of a store, byte for byte.
func (r *zoneRun) stored(t *testing.T, views []string) []string {
	t.Helper()
	var out []string
	for _, v := range views {
		if r.dynamo != nil {
			for id, item := range r.dynamo.Items("z." + v) {
				b, err := json.Marshal(item)
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, v+" "+id+" "+string(b))
			}
			continue
		}
		pool, err := pg.Connect(t.Context(), r.postgres)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := pool.Query(t.Context(), `SELECT concat_ws('|', encode(entity_key, 'hex'), feature_name, encode(value, 'hex'), value_text, extract(epoch FROM event_ts), extract(epoch FROM created_ts)) FROM "z_`+v+`"`)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				t.Fatal(err)
			}
			out = append(out, v+" "+line)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		pool.Close()
	}
	slices.Sort(out)
	return out
}

// zoneCase is a source and an online store.
type zoneCase struct{ name, source, online string }

// start creates the repository of a case and materializes it.
func (c zoneCase) start(t *testing.T, now time.Time, zone string) *zoneRun {
	t.Helper()
	r := &zoneRun{dir: t.TempDir(), zone: zone, env: []string{"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_EC2_METADATA_DISABLED=true", "HOME=/nonexistent"}}
	var yaml, views string
	if c.source == "postgres" {
		// The role's zone differs from the machine's, and between runs.
		role := machines[(slices.Index(machines[:], zone)+1)%len(machines)]
		yaml = "offline_store:" + postgresYAML(timesTable(t, now, role))
		views = zonedViews(columns[:], func(column string) string {
			return fmt.Sprintf(`PostgreSQLSource(name="source_%[1]s", table="times", timestamp_field=%[1]q)`, column)
		}, timeFeatures+`, Field(name="seen_list", dtype=Array(UnixTimestamp)), Field(name="seen_plain", dtype=Array(UnixTimestamp))`)
	} else {
		yaml = "offline_store:\n  type: file\n"
		timesFile(t, r.dir, now)
		features := timeFeatures
		if c.source == "times.parquet" {
			features += `, Field(name="seen_list", dtype=Array(UnixTimestamp))`
		}
		views = zonedViews(columns[:], func(column string) string {
			return fmt.Sprintf(`FileSource(name="source_%[1]s", path=%[2]q, timestamp_field=%[1]q)`, column, c.source)
		}, features)
	}
	switch c.online {
	case "dynamodb":
		r.dynamo = dynamotest.Start(t)
		yaml += "online_store:\n  type: dynamodb\n  region: us-east-1\n  endpoint_url: " + r.dynamo.URL + "\n"
	case "postgres":
		r.postgres = pgtest.Options(t)
		pgtest.Exec(t, r.postgres, fmt.Sprintf("ALTER ROLE %s IN DATABASE %s SET timezone = '%s'", r.postgres.User, r.postgres.Database, zone))
		yaml += "online_store:" + postgresYAML(r.postgres)
	default:
		yaml += "online_store:\n  type: sqlite\n  path: online.db\n"
	}
	for name, text := range map[string]string{"feature_store.yaml": "project: z\nprovider: local\nregistry: registry.db\nentity_key_serialization_version: 3\n" + yaml, "features.py": views} {
		if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.run(t, "apply")
	r.run(t, "materialize", "2024-01-01T00:00:00", now.Format("2006-01-02T15:04:05"))
	return r
}

// TestTheZoneOfTheMachineNeverMatters materializes the same times on machines and
// with roles of several zones, and serves them on machines in other zones: the
// stored bytes are the same, and so are the responses.
func TestTheZoneOfTheMachineNeverMatters(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	for _, c := range []zoneCase{
		{"Parquet to DynamoDB", "times.parquet", "dynamodb"},
		{"Parquet to SQLite", "times.parquet", "sqlite"},
		{"CSV to PostgreSQL", "times.csv", "postgres"},
		{"PostgreSQL to PostgreSQL", "postgres", "postgres"},
		{"PostgreSQL to DynamoDB", "postgres", "dynamodb"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stored, answered []string
			for i, zone := range machines {
				r := c.start(t, now, zone)
				if c.online != "sqlite" { // its bytes differ, their meaning does not
					got := r.stored(t, columns[:])
					if stored == nil {
						stored = got
					}
					if diff := cmp.Diff(stored, got); diff != "" || len(got) == 0 {
						t.Errorf("%d rows of a machine in %s (-UTC +%[2]s)\n%s", len(got), zone, diff)
					}
				}
				other := machines[(i+2)%len(machines)]
				got := r.answers(t, other, columns[:])
				if answered == nil {
					answered = got
					rightAnswers(t, now, got)
				}
				if diff := cmp.Diff(answered, got); diff != "" {
					t.Errorf("written in %s, served in %s (-written in UTC +now)\n%s", zone, other, diff)
				}
			}
		})
	}
}

// rightAnswers checks responses against the times that were written.
func rightAnswers(t *testing.T, now time.Time, answers []string) {
	t.Helper()
	for _, a := range answers {
		view, text, _ := strings.Cut(a, " ")
		var answer struct {
			Results []struct {
				Values          []any
				Statuses        []string
				EventTimestamps []time.Time `json:"event_timestamps"`
			}
		}
		if err := json.Unmarshal([]byte(text), &answer); err != nil || len(answer.Results) != 7 {
			t.Fatalf("%s: %v", text, err)
		}
		for row, at := range timed(now) {
			day := at.Truncate(24 * time.Hour)
			event, want := at.Truncate(time.Microsecond), []int64{at.Unix(), at.Unix(), day.Unix()}
			if view == "dated" {
				event = day
			}
			for i, v := range want {
				r := answer.Results[i+1]
				status := "PRESENT"
				if view == "dated" && row == 2 {
					status = r.Statuses[row] // depends on the hour of the test
				} else if row != 2 {
					status = "OUTSIDE_MAX_AGE"
				}
				got := r.EventTimestamps[row]
				if view == "dated" && row == 3 {
					status = r.Statuses[row]
				}
				if r.Values[row] != float64(v) || r.Statuses[row] != status || !got.Truncate(time.Second).Equal(event.Truncate(time.Second)) {
					t.Errorf("%s, row %d: %v %s at %s, want %d %s at %s", view, row, r.Values[row], r.Statuses[row], got, v, status, event)
				}
			}
		}
	}
}

// A missing time is null in responses, not the lowest number, which represents it
// in the store.
func TestANullTimeIsShownAsNull(t *testing.T) {
	yaml := "project: shop\nprovider: local\nregistry: registry.db\nonline_store:\n  type: sqlite\n  path: online.db\noffline_store:\n  type: file\nentity_key_serialization_version: 3\n"
	python := strings.NewReplacer("SOURCE", `FileSource(name="carts_source", path="carts.csv", timestamp_field="at")`, "Int64)]", `UnixTimestamp)]`, "import Int64", "import UnixTimestamp").Replace(oneView)
	dir := newRepo(t, yaml, python)
	if err := os.WriteFile(filepath.Join(dir, "carts.csv"), []byte("shopper,items,at\n7,,2024-01-15T10:00:00\n8,2024-01-01,2024-01-15T10:00:00\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"apply"}, {"materialize", "2024-01-01", "2024-02-01"}} {
		if code, out, errText := command(t, nil, append([]string{"-c", dir}, args...)...); code != 0 {
			t.Fatalf("%v: exit %d: %s%s", args, code, out, errText)
		}
	}
	for shopper, want := range map[string]string{"7": `"items": [ null ]`, "8": `"items": [ 1704067200 ]`} {
		code, out, errText := command(t, nil, "-c", dir, "get-online-features", "-e", "shopper="+shopper, "-f", "carts:items")
		if code != 0 || !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
			t.Errorf("shopper %s: exit %d: %s%s", shopper, code, out, errText)
		}
	}
	rows := sqliteValues(t, filepath.Join(dir, "online.db"))
	if !slices.Contains(rows, "4080808080808080808001") {
		t.Errorf("the store holds %q, of which none is Feast's null time", rows)
	}
}

func sqliteValues(t *testing.T, path string) (out []string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), "SELECT lower(hex(value)) FROM shop_carts")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
