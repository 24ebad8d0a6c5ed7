package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/internal/dynamotest"
	"github.com/banquet-fs/banquet/internal/pgtest"
)

const notesView = `from datetime import timedelta
from feast import Entity, FeatureView, Field, ValueType
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource
from feast.types import String

shopper = Entity(name="shopper", join_keys=["shopper"], value_type=ValueType.INT64)
source = PostgreSQLSource(name="notes_source", table="notes", timestamp_field="at", created_timestamp_column="made")
notes = FeatureView(name="notes", entities=[shopper], ttl=timedelta(days=30), schema=[Field(name="note", dtype=String)], source=source)
replies = FeatureView(name="replies", entities=[shopper], ttl=timedelta(days=30), schema=[Field(name="note", dtype=String)], source=source)
`

// TestADayOfRuns covers what happens to a PostgreSQL table between runs: new
// rows, no new rows, late rows, and a row that the store cannot hold.
func TestADayOfRuns(t *testing.T) {
	opt := pgtest.Options(t)
	pgtest.Exec(t, opt, "CREATE TABLE notes (shopper bigint, note text, at timestamptz, made timestamptz DEFAULT now()); "+
		"INSERT INTO notes SELECT i, 'first ' || i, now() - interval '1 hour' - i * interval '1 second' FROM generate_series(1, 3000) i; "+
		"INSERT INTO notes VALUES (NULL, 'whose?', now() - interval '1 hour')")
	d := dynamotest.Start(t)
	yaml := "project: shop\nprovider: aws\nregistry: registry.db\nonline_store:\n  type: dynamodb\n  region: ap-northeast-2\n  endpoint_url: " + d.URL +
		"\noffline_store:\n  type: postgres\n  host: " + opt.Host + "\n  port: " + strconv.Itoa(opt.Port) + "\n  database: " + opt.Database +
		"\n  user: " + opt.User + "\n  password: " + opt.Password + "\nentity_key_serialization_version: 3\n"
	env := map[string]string{"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "s3cr3t", "AWS_EC2_METADATA_DISABLED": "true"}
	dir := newRepo(t, yaml, notesView)
	step := func(code int, args ...string) (out, errText string) {
		t.Helper()
		got, out, errText := command(t, env, append([]string{"-c", dir}, args...)...)
		if got != code {
			t.Fatalf("%v: exit %d: %s%s", args, got, out, errText)
		}
		return out, errText
	}
	now := func() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000000") }
	incremental := func() (out, errText string) { return step(0, "materialize-incremental", now(), "-v", "notes") }
	step(0, "apply")

	out, errText := incremental()
	if !strings.Contains(out, "  3000 rows written of 3001 read") || strings.Count(errText, "\n") != 1 || !strings.Contains(errText, "rows=1") {
		t.Errorf("the first run: %s%s", out, errText)
	}
	if out, errText = incremental(); !strings.Contains(out, "  0 rows written of 0 read") || errText != "" {
		t.Errorf("a quiet run: %s%s", out, errText)
	}

	pgtest.Exec(t, opt, "INSERT INTO notes VALUES (1, 'new', now()); INSERT INTO notes SELECT i, 'late', '2024-01-01 00:00:00.25Z' FROM generate_series(2999, 3001) i")
	out, errText = incremental()
	take := regexp.MustCompile(`notes: 3 rows arrived after the last run, .* and are not materialized; to materialize them: banquet (materialize 2024-01-01T00:00:00 2024-01-01T00:00:01 --views notes)\n$`).FindStringSubmatch(errText)
	if !strings.Contains(out, "  1 rows written of 1 read") || take == nil {
		t.Fatalf("late rows: %s%s", out, errText)
	}
	if out, errText = step(0, strings.Fields(take[1])...); !strings.Contains(out, "  1 rows written of 3 read, 2 were older than the stored rows") || errText != "" {
		t.Errorf("taking the late rows: %s%s", out, errText)
	}
	holds := func(shopper, note string) {
		t.Helper()
		if out, _ := step(0, "get-online-features", "-e", "shopper="+shopper, "-f", "notes:note"); !strings.Contains(out, `"`+note) {
			t.Errorf("not %q: %s", note, out)
		}
	}
	holds("2999", "first 2999")
	holds("3001", "late")
	if _, errText = incremental(); errText != "" {
		t.Errorf("after the late rows: %s", errText)
	}

	pgtest.Exec(t, opt, "INSERT INTO notes SELECT i, repeat('long ', CASE i WHEN 77 THEN 100000 ELSE 1 END), now() FROM generate_series(1, 100) i")
	_, errText = step(1, "materialize-incremental", now())
	want := regexp.MustCompile(`^banquet: feature view notes: the store cannot hold 1 row: shopper=77 at \S+Z: its item has 500095 bytes; DynamoDB accepts at most 409600; .*; of 100 rows of feature view notes 99 are known to be stored, and its window is not recorded; not begun: replies\n$`)
	if !want.MatchString(errText) {
		t.Errorf("a row that is too large: %s", errText)
	}
	holds("76", "long")
	holds("77", "first 77")
}

// TestRunsOverAFile counts late rows of a file like those of a table, and uses a
// mapped column if the file also has a column with the mapped name, as Feast
// does.
func TestRunsOverAFile(t *testing.T) {
	source := `FileSource(name="carts_source", path="carts.csv", timestamp_field="at", created_timestamp_column="made", field_mapping={"count": "items"})`
	dir := newRepo(t, sqliteRepo, strings.ReplaceAll(oneView, "SOURCE", source))
	write := func(rows ...string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "carts.csv"), []byte("shopper,items,count,at,made\n"+strings.Join(rows, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	step := func(args ...string) (out, errText string) {
		t.Helper()
		code, out, errText := command(t, nil, append([]string{"-c", dir}, args...)...)
		if code != 0 {
			t.Fatalf("%v: exit %d: %s%s", args, code, out, errText)
		}
		return out, errText
	}
	rows := []string{"1,70,10,2024-01-10T00:00:00,2024-01-10T00:00:00", "2,70,20,2024-01-11T00:00:00,"}
	write(rows...)
	step("apply")
	step("materialize", "2024-01-01", "2024-02-01")
	if out, _ := step("get-online-features", "-e", "shopper=1", "-f", "carts:items"); !strings.Contains(out, "10") || strings.Contains(out, "70") {
		t.Errorf("a mapped column: %s", out)
	}
	if _, errText := step("materialize-incremental", "2024-03-01"); errText != "" {
		t.Errorf("a quiet run: %s", errText)
	}
	write(append(rows, "3,70,30,2024-01-12T00:00:00,"+time.Now().UTC().Add(time.Minute).Format(time.RFC3339))...)
	_, errText := step("materialize-incremental", "2024-04-01")
	if !strings.Contains(errText, "carts: 1 row arrived after the last run") || !strings.HasSuffix(errText, "is not materialized; to materialize it: banquet materialize 2024-01-12T00:00:00 2024-01-12T00:00:00 --views carts\n") {
		t.Errorf("a late row: %s", errText)
	}
}
