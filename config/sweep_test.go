package config_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/banquet-fs/banquet/config"
)

// block writes a value of a key in block style, and what else its section needs; the value
// is alone in line 5 or later.
func block(s config.Section, key, value string) string {
	pairs := [][2]string{{key, value}}
	need := func(k, v string) {
		if k != key {
			pairs = slices.Insert(pairs, 0, [2]string{k, v})
		}
	}
	switch {
	case s.Type == "dynamodb":
		need("region", "x")
	case s.Type == "postgres":
		need("user", "u")
		need("database", "d")
		need("host", "h")
	case s.Name == "embedding_model":
		need("model", "m")
	case s.Name == "registry" || s.Name == "registry.mcp":
		if s.Name == "registry" {
			need("path", "r.db")
		}
	}
	if s.Type != "" {
		need("type", s.Type)
	}
	if strings.HasPrefix(key, "mcp_") {
		need("type", "mcp")
	}
	text, indent := "", ""
	if s.Name != "" {
		for _, part := range strings.Split(s.Name, ".") {
			text += indent + part + ":\n"
			indent += "  "
			if part == "registry" && s.Name != "registry" {
				text += indent + "path: r.db\n"
			}
		}
	}
	for _, p := range pairs {
		text += indent + p[0] + ": " + p[1] + "\n"
	}
	top := ""
	if key != "project" || s.Name != "" {
		top += "project: shop\n"
	}
	if !strings.HasPrefix(s.Name, "registry") {
		top += "registry: r.db\n"
	}
	return top + text
}

// wrong lists values that a kind does not take.
var wrong = map[config.Kind][]string{ //nolint:gochecknoglobals // a table
	config.Text:       {"7", "1.5", "yes", "[a]", "{a: b}", "2024-01-01", "12:30:45"},
	config.Credential: {"[a]", "{a: b}"},
	config.Boolean:    {"2", "maybe", "[a]", "{a: b}", "1.5", "2024-01-01"},
	config.Integer:    {"x", "1.5", "true", "-1", "[1]", "{a: 1}", "1:30", "99999999999999999999", "1e3"},
	config.Number:     {"x", "true", "-1", "-0.5", ".nan", ".inf", "[1]", "{a: 1}", "1e300"},
	config.Span:       {"10", "-5s", "soon", "[1s]", "{a: 1s}"},
	config.Texts:      {"x", "[a]", "{a: 1}", "{a: [b]}", "{a: {b: c}}", "{1: a}", "{a: yes}"},
	config.List:       {"x", "[1]", "[[a]]", "{a: b}"},
	config.Integers:   {"x", "7", "[x]", "[0]", "[-1]", "[1, 1]", "[2, 1]", "[1.5]", "[[1]]", "{a: b}"},
	config.Program:    {"7", "[a]", `""`, "{a: b}"},
}

// Every key refuses what is not of its kind, in one line that names the file, the line, the
// key and what is wanted.
func TestWrongValuesOfEveryKey(t *testing.T) {
	n := 0
	for _, s := range config.Sections(new(config.Config)) {
		for _, k := range s.Keys {
			values := slices.Clone(wrong[k.Kind])
			if len(k.Choices) > 0 {
				values = append(values, "no-such-choice")
			}
			for _, v := range values {
				if n++; k.Name == "type" && v != "7" {
					continue // see TestStoresOfFeast
				}
				checkRefused(t, s, k, v)
			}
		}
	}
	if n < 700 {
		t.Errorf("%d values", n)
	}
}

func checkRefused(t *testing.T, s config.Section, k config.Key, v string) {
	t.Helper()
	text := block(s, k.Name, v)
	_, err := parse(text, nil)
	if err == nil {
		t.Errorf("%s.%s: %s is accepted", s.Title(), k.Name, v)
		return
	}
	path := strings.TrimPrefix(s.Name+"."+k.Name, ".")
	line := 1 + strings.Count(text[:strings.LastIndex(text, k.Name+": "+v)], "\n")
	want := "feature_store.yaml:" + string(rune('0'+line)) + ": " + path + ": "
	if first, _, _ := strings.Cut(err.Error(), "\n"); !strings.HasPrefix(first, want) || !strings.Contains(first, "want ") {
		t.Errorf("%s:\n%v\nwant %s", text, err, want)
	}
}

// A key that is misspelled, or stands in the section of another store, is refused with the
// key that was meant; in a section that Feast leaves open, it is in a message.
func TestMisspelledAndMisplacedKeys(t *testing.T) {
	for _, s := range config.Sections(new(config.Config)) {
		for _, k := range s.Keys {
			if len(k.Name) < 5 || k.Name == "project" || k.Name == "model" {
				continue
			}
			misspelled := k.Name[:len(k.Name)-2] + k.Name[len(k.Name)-1:]
			c, err := parse(block(s, misspelled, "x"), nil)
			switch {
			case s.Open && s.Name != "registry.mcp" && (err != nil || len(c.Warnings()) != 1 || !strings.Contains(c.Warnings()[0], "did you mean "+k.Name+"?")):
				t.Errorf("%s.%s: %v, %v", s.Title(), misspelled, c, err)
			case !s.Open && (err == nil || !strings.Contains(err.Error(), "unknown key; did you mean "+k.Name+"?")):
				t.Errorf("%s.%s: %v", s.Title(), misspelled, err)
			}
		}
	}
	for text, want := range map[string]string{
		"online_store: {type: sqlite, region: x}":                                                        ":3: online_store.region: unknown key; it is a key of online_store of type dynamodb",
		"offline_store: {type: postgres, host: h, database: d, user: u, path: x}":                        ":3: offline_store.path: unknown key; it is a key of registry and online_store of type sqlite",
		"offline_store: {type: postgres, host: h, database: d, user: u, batch_size: 1}":                  ":3: offline_store.batch_size: unknown key; it is a key of online_store of type dynamodb",
		"offline_store: {type: postgres, host: h, database: d, user: u, vector_enabled: true}":           ":3: offline_store.vector_enabled: unknown key; it is a key of online_store of type sqlite and online_store of type postgres",
		"online_store: {type: postgres, host: h, database: d, user: u, entity_select_mode: embed_query}": ":3: online_store.entity_select_mode: unknown key; it is a key of offline_store of type postgres",
		"banquet: {rows: 1}":                         ":3: banquet.rows: unknown key; it is a key of banquet.limits",
		"banquet: {limit: {rows: 1}}":                ":3: banquet.limit: unknown key; did you mean limits?",
		"banquet: {limits: 7}":                       ":3: banquet.limits: want a section with keys, not the number 7",
		"banquet: [a]":                               ":3: banquet: want a section with keys, not a list",
		"offline_store: {type: dask, x: 1}":          ":3: offline_store.x: unknown key",
		"feature_server: {mcp_enabled: true}":        ":3: feature_server.mcp_enabled: unknown key; it belongs to type: mcp",
		"feature_server: {audit_logging: {x: 1}}":    ":3: feature_server.audit_logging.x: unknown key",
		"embedding_model: {provider: x}":             ":3: embedding_model.model: is missing; give the name of a model",
		"auth: {typ: oidc}":                          ":3: auth.type: is missing; want no_auth",
		"auth: {type: oidc, client_id: x}":           ":3: auth.type: oidc is not built yet",
		"auth: oidc":                                 ":3: auth.type: oidc is not built yet",
		"auth: {type: null}":                         ":3: auth.type: is missing",
		"online_store: {type: [a]}":                  ":3: online_store.type: want text, not a list",
		"online_store: {type: 7}":                    ":3: online_store.type: want text, not the number 7",
		"online_store: [a]":                          ":3: online_store: want text, not a list",
		"online_store: postgres":                     ":3: online_store.host: is missing",
		"online_store: dynamodb":                     ":3: online_store.region: is missing",
		"online_store: {type: dynamodb, region: ''}": ":3: online_store.region: is missing",
		"offline_store: {type: postgres, host: h, database: d, user: u, min_conn: 20}": ":3: offline_store.min_conn: want no more than max_conn",
	} {
		_, err := parse(head+text+"\n", nil)
		if err == nil || !strings.HasPrefix(err.Error(), "feature_store.yaml"+want) || strings.Contains(err.Error(), "\n") && !strings.Contains(text, ": postgres") {
			t.Errorf("%s: %v\nwant %s", text, err, want)
		}
	}
	if _, err := parse(head+"auth: no_auth\n", nil); err != nil {
		t.Error(err)
	}
}

// An error about a value that has a variable names the variable, but not its value if it
// may be a secret.
func TestErrorsNameVariables(t *testing.T) {
	_, err := parse(head+"online_store:\n  type: dynamodb\n  region: x\n  read_timeout: $TIMEOUT\n  batch_size: ${SIZE}\n", map[string]string{"TIMEOUT": "soon", "SIZE": "0"})
	want := "feature_store.yaml:6: online_store.read_timeout: want a number of 0 or more, not text (the line has $TIMEOUT from the environment)\n" +
		"feature_store.yaml:7: online_store.batch_size: want 1 or more, not 0 (the line has $SIZE from the environment)"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// The place of a key is known after decoding: its own line, else that of its section.
func TestPlaces(t *testing.T) {
	c, err := parse(head+"online_store:\n  type: dynamodb\n  region: x\noffline_store: dask\nbanquet:\n  limits:\n    rows: 3\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"project": "1", "registry.path": "2", "online_store.type": "4", "online_store.region": "5", "online_store.batch_size": "3", "offline_store.type": "6",
		"banquet.limits.rows": "9", "banquet.limits.cells": "8", "banquet.serving.ttl": "7", "auth.type": "1",
	} {
		if got := c.At(path); got != "feature_store.yaml:"+want {
			t.Errorf("%s: %s, want line %s", path, got, want)
		}
	}
}

// An empty text is no choice where there is no default, and refused where there is one.
func TestEmptyChoices(t *testing.T) {
	for text, ok := range map[string]bool{
		"banquet: {http: {status: ''}}": true, "banquet: {serving: {ttl: ''}}": true, "banquet: {serving: {ttl: null}}": true, "banquet: {serving: {ttl: 'null'}}": true,
		"banquet: {dynamodb: {client: ''}}": false, "feature_server: {type: ''}": false,
	} {
		if _, err := parse(head+text+"\n", nil); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A value that is wrong is one fault, and is not missing besides.
func TestAWrongValueIsNotMissing(t *testing.T) {
	_, err := parse("registry:\n  - a\nproject: [x]\nonline_store:\n  type: dynamodb\n  region: 7\n", nil)
	want := "feature_store.yaml:2: registry: want a section with keys, not a list\n" +
		"feature_store.yaml:3: project: want text, not a list\n" +
		"feature_store.yaml:6: online_store.region: want text, not the number 7; put it in quotes"
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
}
