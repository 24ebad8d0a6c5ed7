package config_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/banquet-fs/banquet/config"
)

func env(pairs map[string]string) config.Env {
	return func(name string) (string, bool) {
		v, ok := pairs[name]
		return v, ok
	}
}

func parse(text string, pairs map[string]string) (*config.Config, error) {
	return config.Parse("feature_store.yaml", "/repo", []byte(text), env(pairs))
}

// TestRecordedFiles loads every configuration that was used with Feast, and the
// one of the guide.
func TestRecordedFiles(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "testdata", "golden", "*", "feature_repo", "feature_store.yaml"))
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	pairs := map[string]string{"DYNAMODB_ENDPOINT": "http://127.0.0.1:1", "PG_HOST": "localhost", "PG_PORT": "5433", "PG_DATABASE": "feast", "PG_USER": "feast", "PG_PASSWORD": "password"}
	for _, file := range append(files, filepath.Join("..", "examples", "credit_scoring", "feature_repo", "feature_store.yaml")) {
		c, err := config.Load(t.Context(), filepath.Dir(file), file, false, env(pairs))
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if c.Project == "" || c.Registry.Path == "" || c.KeyVersion != 3 {
			t.Errorf("%s: %+v", file, c)
		}
	}
}

func TestTheGuide(t *testing.T) {
	c, err := config.Load(t.Context(), filepath.Join("..", "examples", "credit_scoring", "feature_repo"), "", false, env(nil))
	if err != nil {
		t.Fatal(err)
	}
	pg := c.Offline.Postgres
	if c.Online.Type != "dynamodb" || c.Online.DynamoDB.Region != "ap-northeast-2" || c.Online.DynamoDB.TableTemplate != "{project}.{table_name}" {
		t.Errorf("%+v", c.Online)
	}
	if pg.Host != "localhost" || pg.Port != 5432 || pg.Password.Reveal() != "password" || pg.EffectiveSSLMode() != "prefer" {
		t.Errorf("%+v", pg)
	}
	pg.Host = "db.example.com"
	if pg.EffectiveSSLMode() != "require" {
		t.Error("a remote PostgreSQL is used without TLS")
	}
}

const head = "project: shop\nregistry: registry.db\n"

func TestFaultsNameTheirPlace(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"empty", "", []string{"feature_store.yaml:1", "project"}},
		{"no project", "registry: r.db\n", []string{"project"}},
		{"no registry", "project: shop\n", []string{"registry"}},
		{"bad project", "project: a-b\nregistry: r.db\n", []string{"feature_store.yaml:1", "project"}},
		{"a second document", head + "provider: local\n---\nproject: other\n", []string{"feature_store.yaml:4", "a second YAML document begins here"}},
		{"a second empty document", head + "---\n# nothing\n", []string{"feature_store.yaml:", "a second YAML document begins here"}},
		{"a broken second document", head + "---\na: [\n", []string{"feature_store.yaml:", "not YAML"}},
		{"tab", head + "online_store:\n\ttype: sqlite\n", []string{"feature_store.yaml:4", "not YAML"}},
		{"unknown key", head + "online_store:\n  type: sqlite\n  pth: x\n", []string{":5: online_store.pth", "did you mean path?"}},
		{"unknown key of files", head + "offline_store: {type: file, pth: x}\n", []string{":3: offline_store.pth", "unknown key"}},
		{"unknown key of a merged section", "base: &b {type: sqlite, pth: x}\n" + head + "online_store:\n  <<: *b\n", []string{":1: online_store.pth", "did you mean path?"}},
		{"merged sections that disagree", "a: &a {path: a}\nb: &b {path: b}\n" + head + "online_store:\n  <<: [*a, *b]\n", []string{":6:", "path", "set path itself"}},
		{"an anchor in itself", head + "online_store: &o\n  path: x\n  more: *o\n", []string{":5:", "*o", "contains itself"}},
		{"an anchor that merges itself", head + "online_store: &o\n  <<: *o\n", []string{":4:", "*o", "contains itself"}},
		{"a key that is a list", head + "? [a, b]\n: c\n", []string{":3:", "a key must be a text"}},
		{"unknown store", head + "online_store:\n  type: sqlight\n", []string{":4: online_store.type", "sqlight", "dynamodb"}},
		{"a class that is not a store", head + "offline_store:\n  type: my.own.Store\n", []string{":4: offline_store.type", "my.own.Store", "postgres"}},
		{"no region", head + "online_store:\n  type: dynamodb\n", []string{"online_store.region"}},
		{"batch of nothing", head + "online_store:\n  type: dynamodb\n  region: x\n  batch_size: 0\n", []string{":6: online_store.batch_size"}},
		{"one table for all", head + "online_store:\n  type: dynamodb\n  region: x\n  table_name_template: '{project}'\n", []string{":6:", "{table_name}"}},
		{"other braces", head + "online_store:\n  type: dynamodb\n  region: x\n  table_name_template: '{project}.{table_name}.{stage}'\n", []string{":6: online_store.table_name_template", "no other braces"}},
		{"no URL", head + "online_store:\n  type: dynamodb\n  region: x\n  endpoint_url: localhost:8000\n", []string{":6: online_store.endpoint_url", `want a URL such as http://localhost:8000, not "localhost:8000"`}},
		{"no URL with a password", head + "online_store:\n  type: dynamodb\n  region: x\n  endpoint_url: ftp://me:hunter2@h/\n", []string{":6: online_store.endpoint_url", `"ftp://****@h/"`}},
		{"unset variable", head + "online_store:\n  type: dynamodb\n  region: ${REGION}\n", []string{":5:", "REGION", "not set"}},
		{"text for a number", head + "online_store:\n  type: dynamodb\n  region: x\n  read_timeout: soon\n", []string{":6: online_store.read_timeout"}},
		{"port", head + "offline_store:\n  type: postgres\n  host: h\n  database: d\n  user: u\n  port: 70000\n", []string{":8: offline_store.port"}},
		{"several at once", "project: a-b\nonline_store:\n  type: nope\n", []string{"project", "registry", "nope"}},
		{"no client", head + "banquet:\n  dynamodb:\n    client: curl\n", []string{":5: banquet.dynamodb.client", "direct", "sdk"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parse(c.text, nil)
			if err == nil {
				t.Fatal("no error")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q lacks %q", err, w)
				}
			}
		})
	}
}

func TestYAMLAsFeastReadsIt(t *testing.T) {
	c, err := parse(head+`online_store: &base
  type: dynamodb
  region: "$REGION"   # it's a comment with $UNSET in it
  consistent_reads: yes
  batch_size: 1_0
  max_pool_connections: 0x10
  max_read_workers: 0b11
  endpoint_url: http://first
  endpoint_url: http://second
offline_store:
  type: postgres
  host: db  # a note that isn't $NAMED
  database: d
  user: u
  port: "5433"
  password: pa$word
surprise: 1
`, map[string]string{"REGION": "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	d := c.Online.DynamoDB
	if d.Region != "eu-west-1" || !d.Consistent || d.BatchSize != 10 || d.Endpoint != "http://second" {
		t.Errorf("%+v", d)
	}
	if c.Offline.Postgres.Port != 5433 || c.Offline.Postgres.Password.Reveal() != "pa$word" {
		t.Errorf("port %d", c.Offline.Postgres.Port)
	}
	for _, none := range []string{"null", "~", "Null", "NULL", ""} {
		if c, err := parse(head+"online_store: "+none+"\n", nil); err != nil || c.Online.Type != "none" {
			t.Errorf("online_store: %s: %v", none, err)
		}
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	const secret = "hunter2"
	for _, text := range []string{
		"  password: " + secret + "\n", "  password: *" + secret + "\n", "  password: pa$" + secret + "\n", "  password: [" + secret + "]\n",
		"  password: {" + secret + ": 1}\n", "  password: \"" + secret + "\n", "  password: " + secret + ": x\n",
	} {
		c, err := parse(head+"offline_store:\n  type: postgres\n  host: h\n  database: d\n  user: u\n"+text, nil)
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%q: %v", text, err)
		}
		if c != nil {
			for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
				if strings.Contains(fmt.Sprintf(format, c.Offline.Postgres), secret) {
					t.Errorf("%s prints the password", format)
				}
			}
		}
	}
}

// TestPythonOfTheDefinitions reads the possible values of the setting.
func TestPythonOfTheDefinitions(t *testing.T) {
	const refused = "feature_store.yaml:%d: banquet.definitions.python: want true, false or a program, not "
	for value, want := range map[string]string{
		"true": "true", "yes": "true", "false": "", "off": "", "": "", "python3.11": "python3.11", "venv/bin/python": "venv/bin/python", "${VENV}/bin/python": "/venv/bin/python",
		"3": refused + "the number 3", `""`: refused + "text", "[a]": refused + "a list",
	} {
		text := head + "banquet:\n  definitions:\n    python: " + value + "\n"
		c, err := parse(text, map[string]string{"VENV": "/venv"})
		if strings.Contains(want, "want") {
			want = fmt.Sprintf(want, strings.Count(text, "\n"))
			if err == nil || err.Error() != want {
				t.Errorf("%q: %v, want %s", value, err, want)
			}
			continue
		}
		if err != nil || string(c.Banquet.Definitions.Python) != want {
			t.Errorf("%q: %+v, %v, want %q", value, c, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{head, head + "online_store:\n  type: dynamodb\n  region: x\n", "a: &b\n  <<: *b\n", "project: [", "registry: {path: x}\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parse(text, nil)
		if (c == nil) == (err == nil) {
			t.Errorf("%v, %v", c, err)
		}
	})
}

func TestMergeKeys(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"what a section has itself wins, before", "base: &b {path: base.db}\n" + head + "online_store:\n  path: mine.db\n  <<: *b\n", "sqlite mine.db"},
		{"what a section has itself wins, after", "base: &b {path: base.db}\n" + head + "online_store:\n  <<: *b\n  path: mine.db\n", "sqlite mine.db"},
		{"the type may be merged", "base: &b {type: dynamodb, region: x}\n" + head + "online_store:\n  <<: *b\n", "dynamodb "},
		{"the top level may merge", "base: &b {online_store: {path: base.db}}\n<<: *b\n" + head, "sqlite base.db"},
		{"a section may be an alias", "base: &b {path: base.db}\n" + head + "online_store: *b\n", "sqlite base.db"},
		{"a value may be an alias", "base: &b base.db\n" + head + "online_store: {path: *b}\n", "sqlite base.db"},
	} {
		got, err := parse(c.text, nil)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if text := got.Online.Type + " " + got.Online.SQLite.Path; text != c.want && text != c.want+"data/online.db" {
			t.Errorf("%s: %s, want %s", c.name, text, c.want)
		}
	}
	c, err := parse(head+"x: &v risk\nonline_store: {type: dynamodb, region: x, tags: {team: *v}}\n", nil)
	if err != nil || c.Online.DynamoDB.Tags["team"] != "risk" {
		t.Errorf("an alias among the tags: %+v, %v", c, err)
	}
}
