package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/banquet-fs/banquet/internal/pgtest"
)

// plan and validate name the index that training sets lack, until there is one, and the
// faults of sources.
func TestAdviceAboutSources(t *testing.T) {
	opt := pgtest.Options(t)
	pgtest.Exec(t, opt, "CREATE TABLE notes (shopper bigint, note text, at timestamptz, made timestamptz)")
	yaml := "project: shop\nprovider: local\nregistry: registry.db\nonline_store: {type: sqlite, path: online.db}\noffline_store:\n  type: postgres\n  host: " + opt.Host +
		"\n  port: " + strconv.Itoa(opt.Port) + "\n  database: " + opt.Database + "\n  user: " + opt.User + "\n  password: " + opt.Password + "\nentity_key_serialization_version: 3\n"
	dir := newRepo(t, yaml, notesView)
	run := func(verb string) (int, string) {
		code, out, errText := command(t, nil, "-c", dir, verb)
		return code, out + errText
	}
	code, text := run("plan")
	m := regexp.MustCompile(`warning: feature view notes: .*: (CREATE INDEX .*)\n`).FindStringSubmatch(text)
	if code != 0 || m == nil || strings.Count(text, "CREATE INDEX") != 1 {
		t.Fatalf("plan: exit %d\n%s", code, text)
	}
	if code, text := run("validate"); code != 0 || !strings.Contains(text, m[1]) {
		t.Errorf("validate: exit %d\n%s", code, text)
	}
	if code, text := run("apply"); code != 0 || strings.Contains(text, "CREATE INDEX") {
		t.Errorf("apply: exit %d\n%s", code, text)
	}
	pgtest.Exec(t, opt, m[1])
	for _, verb := range []string{"plan", "validate"} {
		if code, text := run(verb); code != 0 || strings.Contains(text, "CREATE INDEX") || strings.Contains(text, "warning") {
			t.Errorf("%s with the index: exit %d\n%s", verb, code, text)
		}
	}

	for change, want := range map[string]string{
		"ALTER TABLE notes RENAME note TO notes":                            "sources: feature view notes: data source notes_source has no column note; did you mean notes?",
		"ALTER TABLE notes ALTER at TYPE bigint USING 1":                    "sources: feature view notes: column at of data source notes_source, its timestamp_field, is bigint: a number is not a time",
		"DROP TABLE notes":                                                  "sources: feature view notes: data source notes_source",
		"ALTER TABLE notes DROP made, ADD more text; SELECT 'made is gone'": "sources: feature view notes: data source notes_source has no column made",
	} {
		pgtest.Exec(t, opt, "DROP TABLE IF EXISTS notes; CREATE TABLE notes (shopper bigint, note text, at timestamptz, made timestamptz); "+change)
		if code, text := run("validate"); code != 1 || !strings.Contains(text, want) {
			t.Errorf("%s: validate: exit %d\n%s", change, code, text)
		}
		if code, text := run("apply"); code != 0 || !strings.Contains(text, "warning: "+strings.TrimPrefix(want, "sources: ")) {
			t.Errorf("%s: apply: exit %d\n%s", change, code, text)
		}
	}
}

// validate finds a table that is gone, and only that.
func TestValidateFindsATableThatIsGone(t *testing.T) {
	dir := newRepo(t, sqliteRepo, strings.ReplaceAll(oneView, "SOURCE", `FileSource(name="carts_source", path="carts.csv", timestamp_field="at")`))
	check := func(when string, want int) {
		t.Helper()
		code, out, errText := command(t, nil, "-c", dir, "validate")
		if code != want || (code != 0) != strings.Contains(errText, "online store: table shop_carts of feature view carts does not exist, and requests for its features fail; `banquet apply` makes it") {
			t.Errorf("%s: exit %d, want %d: %s%s", when, code, want, out, errText)
		}
	}
	check("before the first apply", 0)
	if code, _, errText := command(t, nil, "-c", dir, "apply"); code != 0 {
		t.Fatal(errText)
	}
	check("after an apply", 0)
	if err := os.Remove(filepath.Join(dir, "online.db")); err != nil {
		t.Fatal(err)
	}
	check("without the file", 1)
	if code, _, errText := command(t, nil, "-c", dir, "apply"); code != 0 {
		t.Fatal(errText)
	}
	check("after another apply", 0)
}
