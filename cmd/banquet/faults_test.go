package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/banquet-fs/banquet/internal/dynamotest"
	"github.com/banquet-fs/banquet/internal/pgtest"
)

const (
	sqliteRepo = "project: shop\nprovider: local\nregistry: registry.db\nonline_store:\n  type: sqlite\n  path: online.db\noffline_store:\n  type: file\nentity_key_serialization_version: 3\n"
	dynamoRepo = "project: shop\nprovider: aws\nregistry: registry.db\nonline_store:\n  type: dynamodb\n  region: ap-northeast-2\n  endpoint_url: ENDPOINT\noffline_store:\n  type: postgres\n  host: HOST\n  port: PORT\n  database: DATABASE\n  user: USER\n  password: PASSWORD\nentity_key_serialization_version: 3\n"
	oneView    = `from datetime import timedelta
from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource
from feast.types import Int64

shopper = Entity(name="shopper", join_keys=["shopper"], value_type=ValueType.INT64)
carts = FeatureView(
    name="carts", entities=[shopper], ttl=timedelta(days=1), schema=[Field(name="items", dtype=Int64)],
    source=SOURCE,
)
`
)

// TestBadInput runs commands with invalid input: each prints one clear line, and
// changes nothing.
func TestBadInput(t *testing.T) {
	py := func(source string) string { return strings.ReplaceAll(oneView, "SOURCE", source) }
	csv := py(`FileSource(name="carts_source", path="carts.csv", timestamp_field="at")`)
	for _, c := range []struct {
		name, yaml, python string
		args               []string
		code               int
		want               []string // all on one line
	}{
		{"no feature_store.yaml", "", "", []string{"apply"}, 1, []string{"feature_store.yaml"}},
		{"no directory", "", "", []string{"-c", "no_such_dir", "apply"}, 1, []string{"no_such_dir"}},
		{"broken yaml", "project: a\n  b: [\n", csv, []string{"apply"}, 1, []string{"feature_store.yaml:2"}},
		{"unknown key", sqliteRepo + "registri: x\n", csv, []string{"apply"}, 1, nil},
		{"unknown key in a section", strings.Replace(sqliteRepo, "  path: online", "  pth: online", 1), csv, []string{"apply"}, 1, []string{"feature_store.yaml:6", "pth"}},
		{"unknown store", strings.Replace(sqliteRepo, "type: sqlite", "type: sqlight", 1), csv, []string{"apply"}, 1, []string{"sqlight"}},
		{"missing column", sqliteRepo, strings.Replace(csv, `"items"`, `"itmes"`, 1), []string{"materialize", "2024-01-01", "2024-02-01"}, 1, nil},
		{"missing file", sqliteRepo, strings.Replace(csv, "carts.csv", "cart.csv", 1), []string{"materialize", "2024-01-01", "2024-02-01"}, 1, []string{"cart.csv"}},
		{"unparsable date", sqliteRepo, csv, []string{"materialize", "yesterday", "today"}, 1, []string{"yesterday"}},
		{"reversed window", sqliteRepo, csv, []string{"materialize", "2024-02-01", "2024-01-01"}, 1, []string{"2024-0"}},
		{"unknown view", sqliteRepo, csv, []string{"materialize", "2024-01-01", "2024-02-01", "--views", "nope"}, 1, []string{"nope"}},
		{"one date", sqliteRepo, csv, []string{"materialize", "2024-01-01"}, 2, nil},
		{"unknown command", sqliteRepo, csv, []string{"aply"}, 2, []string{"aply"}},
		{"unknown flag", sqliteRepo, csv, []string{"apply", "--nope"}, 2, []string{"--nope"}},
		{"no value of an entity", sqliteRepo, csv, []string{"get-online-features", "-e", "shopper", "-f", "carts:items"}, 1, []string{"shopper"}},
		{"key of another type", sqliteRepo, csv, []string{"get-online-features", "-e", "shopper=abc", "-f", "carts:items"}, 1, []string{"shopper", "abc"}},
		{"reference without a view", sqliteRepo, csv, []string{"get-online-features", "-e", "shopper=1", "-f", "items"}, 1, []string{"items"}},
		{"unknown object", sqliteRepo, csv, []string{"entities", "describe", "nope"}, 1, []string{"nope", "shop"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := newRepo(t, c.yaml, c.python)
			if c.yaml != "" && c.name != "broken yaml" && !strings.Contains(c.name, "unknown key") && c.name != "unknown store" {
				if code, _, errText := command(t, nil, "-c", dir, "apply"); code != 0 && c.name != "missing column" {
					t.Fatal(errText)
				}
			}
			before := snapshot(t, dir)
			args := c.args
			if args[0] != "-c" {
				args = append([]string{"-c", dir}, args...)
			}
			code, out, errText := command(t, nil, args...)
			if c.want == nil && c.name == "unknown key" { // Feast ignores it, and so do we
				if code != 0 {
					t.Fatalf("exit %d: %s", code, errText)
				}
				return
			}
			if code != c.code {
				t.Fatalf("exit %d, want %d: %s%s", code, c.code, out, errText)
			}
			if lines := strings.Count(errText, "\n"); c.code == 1 && lines != 1 || strings.Contains(errText, "goroutine") {
				t.Errorf("%d lines: %s", lines, errText)
			}
			for _, w := range c.want {
				if !strings.Contains(errText, w) {
					t.Errorf("%q does not name %s", errText, w)
				}
			}
			if after := snapshot(t, dir); after != before {
				t.Error("the registry or the online store has changed")
			}
		})
	}
}

// TestPostgresOnline follows a row from a file through PostgreSQL to a response.
func TestPostgresOnline(t *testing.T) {
	opt := pgtest.Options(t)
	yaml := "project: shop\nprovider: local\nregistry: registry.db\nonline_store:\n  type: postgres\n  host: " + opt.Host + "\n  port: " + strconv.Itoa(opt.Port) +
		"\n  database: " + opt.Database + "\n  user: " + opt.User + "\n  password: " + opt.Password + "\noffline_store:\n  type: file\nentity_key_serialization_version: 3\n"
	dir := newRepo(t, yaml, strings.ReplaceAll(oneView, "SOURCE", `FileSource(name="carts_source", path="carts.csv", timestamp_field="at")`))
	if err := os.WriteFile(filepath.Join(dir, "carts.csv"), []byte("shopper,items,at\n7,3,2024-01-15T10:00:00\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"apply"}, {"validate"}, {"materialize", "2024-01-01", "2024-02-01"}} {
		if code, out, errText := command(t, nil, append([]string{"-c", dir}, args...)...); code != 0 {
			t.Fatalf("%v: exit %d: %s%s", args, code, out, errText)
		}
	}
	code, out, errText := command(t, nil, "-c", dir, "get-online-features", "-e", "shopper=7", "-f", "carts:items")
	if code != 0 || !strings.Contains(out, "3") || strings.Contains(out, "null") {
		t.Errorf("exit %d: %s%s", code, out, errText)
	}
}

// TestPostgresBehindAPooler applies, materializes and serves a repository whose
// two stores are PostgreSQL behind a pooler in transaction mode, in their own
// schema.
func TestPostgresBehindAPooler(t *testing.T) {
	for name, settings := range map[string][]string{"as installed": nil, "one server": {"default_pool_size = 1"}, "servers in turn": {"server_round_robin = 1", "default_pool_size = 3"}} {
		t.Run(name, func(t *testing.T) {
			direct := pgtest.Options(t)
			pgtest.Exec(t, direct, "CREATE SCHEMA shop; CREATE TABLE shop.carts AS SELECT i::int8 AS shopper, i * 2::int8 AS items, timestamp '2024-01-15 10:00' AS at FROM generate_series(1, 3000) i")
			opt := pgtest.StartPooler(t, settings...).Through(direct)
			store := "\n  type: postgres\n  host: " + opt.Host + "\n  port: " + strconv.Itoa(opt.Port) + "\n  database: " + opt.Database +
				"\n  db_schema: shop\n  user: " + opt.User + "\n  password: " + opt.Password + "\n"
			yaml := "project: shop\nprovider: local\nregistry: registry.db\nonline_store:" + store + "offline_store:" + store + "entity_key_serialization_version: 3\n"
			dir := newRepo(t, yaml, strings.ReplaceAll(oneView, "SOURCE", `PostgreSQLSource(name="carts_source", table="carts", timestamp_field="at")`))
			for _, args := range [][]string{{"apply"}, {"validate"}, {"materialize", "2024-01-01", "2024-02-01"}, {"materialize-incremental", "2024-03-01"}, {"apply"}} {
				if code, out, errText := command(t, nil, append([]string{"-c", dir}, args...)...); code != 0 {
					t.Fatalf("%v: exit %d: %s%s", args, code, out, errText)
				}
			}
			cmd, at := startServing(t, dir)
			t.Cleanup(func() {
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
			})
			var group sync.WaitGroup
			for i := range 20 {
				group.Go(func() {
					body := online(t, at.HTTP, `{"features":["carts:items"],"entities":{"shopper":[`+strconv.Itoa(1000+i)+`]}}`)
					if !strings.Contains(body, `[`+strconv.Itoa(2000+2*i)+`]`) {
						t.Error(body)
					}
				})
			}
			group.Wait()
		})
	}
}

func TestASyntaxErrorIsShown(t *testing.T) {
	dir := newRepo(t, sqliteRepo, "from feast import Entity\nshopper = Entity(name=\"shopper\"\nother = 1\n")
	code, _, errText := command(t, nil, "-c", dir, "apply")
	if code != 1 || !strings.Contains(errText, "features.py:") || !strings.Contains(errText, "^") {
		t.Errorf("exit %d: %s", code, errText)
	}
	if _, err := os.Stat(filepath.Join(dir, "registry.db")); err == nil {
		t.Error("a registry was written")
	}
}

// TestUnreachable runs against a PostgreSQL and a DynamoDB that are missing or
// deny access.
func TestUnreachable(t *testing.T) {
	opt := pgtest.Options(t)
	pgtest.Exec(t, opt, "CREATE TABLE carts (shopper BIGINT, items BIGINT, at TIMESTAMP)")
	d := dynamotest.Start(t)
	good := map[string]string{
		"ENDPOINT": d.URL, "HOST": opt.Host, "PORT": strconv.Itoa(opt.Port), "DATABASE": opt.Database, "USER": opt.User, "PASSWORD": opt.Password, "TABLE": "carts",
	}
	env := map[string]string{"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "s3cr3t", "AWS_EC2_METADATA_DISABLED": "true"}
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t")
	materialize := []string{"materialize", "2024-01-01", "2024-02-01"}
	for _, c := range []struct {
		name, key, value string
		args             []string
		want             string
	}{
		{"nobody at PostgreSQL's port", "PORT", "1", materialize, ":1"},
		{"unknown host", "HOST", "no-such-host.invalid", materialize, "no-such-host.invalid"},
		{"wrong password", "PASSWORD", "wr0ng", materialize, "feast"},
		{"missing database", "DATABASE", "nope", materialize, "nope"},
		{"missing table", "TABLE", "cartz", materialize, "cartz"},
		{"nobody at DynamoDB's port", "ENDPOINT", "http://127.0.0.1:1", []string{"apply"}, "127.0.0.1:1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var pairs []string
			for k, v := range good {
				if k == c.key {
					v = c.value
				}
				pairs = append(pairs, k, v)
			}
			yaml := dynamoRepo
			for i := 0; i < len(pairs); i += 2 {
				yaml = strings.ReplaceAll(yaml, ": "+pairs[i], ": "+pairs[i+1])
			}
			table := good["TABLE"]
			if c.key == "TABLE" {
				table = c.value
			}
			dir := newRepo(t, yaml, strings.ReplaceAll(oneView, "SOURCE", `PostgreSQLSource(name="carts_source", table="`+table+`", timestamp_field="at")`))
			if c.args[0] != "apply" {
				if code, _, errText := command(t, env, "-c", dir, "apply"); code != 0 {
					t.Fatal(errText)
				}
			}
			before := snapshot(t, dir)
			code, out, errText := command(t, env, append([]string{"-c", dir}, c.args...)...)
			if code != 1 || strings.Count(errText, "\n") != 1 || !strings.Contains(errText, c.want) {
				t.Errorf("exit %d, want 1 and one line with %q: %s%s", code, c.want, out, errText)
			}
			for _, secret := range []string{"wr0ng", "s3cr3t", opt.Password} {
				if strings.Contains(errText, secret) && secret != "password" {
					t.Errorf("a secret is printed: %s", errText)
				}
			}
			if snapshot(t, dir) != before {
				t.Error("the registry has changed")
			}
		})
	}
}

// newRepo creates a repository with one view over a CSV file.
func newRepo(t *testing.T, yaml, python string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"feature_store.yaml": yaml, "features.py": python, "carts.csv": "shopper,items,at\n1,3,2024-01-05T00:00:00Z\n"} {
		if text == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// snapshot is the content of the registry and the online store.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	var b bytes.Buffer
	for _, name := range []string{"registry.db", "online.db"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		b.Write(text)
		b.WriteByte(0)
	}
	return b.String()
}
