package config_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/banquet-fs/banquet/config"
)

// feastKey is what a version of Feast does with a key (testdata/keys.py).
type feastKey struct {
	Section, Key string
	Required     bool
	Default      any
	Accepts      []string
	Open         bool
}

func feastKeys(t *testing.T, version string) []feastKey {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "keys-"+version+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var keys []feastKey
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var k feastKey
		if err := json.Unmarshal(lines.Bytes(), &k); err != nil {
			t.Fatal(err)
		}
		keys = append(keys, k)
	}
	if len(keys) < 150 {
		t.Fatalf("%d keys", len(keys))
	}
	return keys
}

// sectionOf returns banquet's section of a section of Feast.
func sectionOf(name string) (config.Section, bool) {
	name = strings.NewReplacer("feature_server(local)", "feature_server", "feature_server(mcp)", "feature_server").Replace(name)
	for _, s := range config.Sections(new(config.Config)) {
		if s.Title() == name {
			return s, true
		}
	}
	return config.Section{}, false
}

// probes are the values that Feast was asked about.
var probes = []string{ //nolint:gochecknoglobals // the list of testdata/keys.py
	"some text", "7", `"7"`, "0", "-1", "1.5", `"1.5"`, "1e3", "true", "No", `"true"`, "null", "[a, b]", "[10, 50]", "[50, 10]", "{a: b}", "{a: 1}", "{}", "2024-01-01", "0x10", "1:30", "010",
}

// Both versions of Feast and banquet have the same keys, with the same defaults, and take
// the same values, but for the differences that differs lists.
func TestKeysOfFeast(t *testing.T) {
	seen := map[string]bool{}
	for _, version := range []string{"0.67", "0.66"} {
		for _, f := range feastKeys(t, version) {
			text := fmt.Sprint(f)
			if seen[text] {
				continue
			}
			seen[text] = true
			s, ok := sectionOf(f.Section)
			if !ok {
				t.Errorf("%s: there is no section %s", version, f.Section)
				continue
			}
			if f.Key == "" {
				if s.Open != f.Open && f.Section != "auth" { // an auth section is open for the types that are refused
					t.Errorf("%s: section %q is open: %t, in Feast: %t", version, f.Section, s.Open, f.Open)
				}
				continue
			}
			compareKey(t, version, f, s)
		}
	}
}

func compareKey(t *testing.T, version string, f feastKey, s config.Section) {
	t.Helper()
	name := strings.TrimPrefix(f.Section+"."+f.Key, ".")
	if _, ok := sectionOf(strings.Replace(strings.Replace(name, "(local)", "", 1), "(mcp)", "", 1)); ok || strings.HasSuffix(f.Key, "_store") {
		return // a section
	}
	at := slices.IndexFunc(s.Keys, func(k config.Key) bool { return k.Name == f.Key })
	if at < 0 {
		t.Errorf("%s has %s", version, name)
		return
	}
	k := s.Keys[at]
	for _, probe := range probes {
		_, err := parse(fileWith(f.Section, f.Key, probe), nil)
		if accepts := slices.Contains(f.Accepts, probe); accepts != (err == nil) && !differs(name, k, probe, accepts) {
			t.Errorf("%s: %s: %s: Feast accepts it: %t, banquet: %v", version, name, probe, accepts, err)
		}
	}
	if f.Default == nil || f.Default == "" || k.Shown != "" || strings.HasPrefix(name, "feature_server(mcp)") || f.Key == "transformation_service_endpoint" {
		return // a section, shown otherwise, or one that depends on the type
	}
	if want, got := fmt.Sprint(f.Default), defaultOf(t, k); want != got {
		t.Errorf("%s: %s: the default is %s, in Feast %s", version, name, got, want)
	}
}

func defaultOf(t *testing.T, k config.Key) string {
	t.Helper()
	if strings.HasPrefix(k.Default, "{") {
		return k.Default
	}
	var v any
	if err := yaml.Unmarshal([]byte(k.Default), &v); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(v)
}

// fileWith is a file with one value in a section, and what else the section needs.
func fileWith(section, key, value string) string {
	pairs := map[string]string{key: value}
	need := func(more map[string]string) {
		for k, v := range more {
			if _, ok := pairs[k]; !ok {
				pairs[k] = v
			}
		}
	}
	name, kind, _ := strings.Cut(strings.TrimSuffix(section, ")"), "(")
	if kind != "" {
		need(map[string]string{"type": kind})
	}
	switch {
	case kind == "dynamodb":
		need(map[string]string{"region": "x"})
	case kind == "postgres":
		need(map[string]string{"host": "h", "database": "d", "user": "u"})
	case section == "embedding_model":
		need(map[string]string{"model": "m"})
	case section == "registry":
		need(map[string]string{"path": "r.db"})
	}
	text := flow(pairs)
	for path := strings.Split(name, "."); len(path) > 0 && path[0] != ""; path = path[:len(path)-1] {
		text = "{" + path[len(path)-1] + ": " + text + "}"
	}
	if name == "" {
		need(map[string]string{"project": "shop", "registry": "r.db"})
		return flow(pairs)
	}
	head := "project: shop, "
	if !strings.HasPrefix(name, "registry") {
		head += "registry: r.db, "
	} else if name != "registry" {
		text = strings.Replace(text, "{registry: {", "{registry: {path: r.db, ", 1)
	}
	return "{" + head + strings.TrimPrefix(text, "{")
}

func flow(pairs map[string]string) string {
	var parts []string
	for k, v := range pairs {
		parts = append(parts, k+": "+v)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// differs lists the differences from Feast, by kind and key. accepts says what Feast does.
func differs(name string, k config.Key, probe string, accepts bool) bool {
	numeric := k.Kind == config.Integer || k.Kind == config.Number
	switch {
	case name == "batch_engine":
		return true // Feast accepts everything, and fails when it materializes
	case accepts && numeric && slices.Contains([]string{"-1", "true", "No", "1:30"}, probe):
		return true // numbers are not negative, not booleans, and have no minutes
	case accepts && probe == "0" && (strings.HasSuffix(name, ".batch_size") || strings.HasSuffix(name, ".port")):
		return true // nothing works with it
	case accepts && slices.Contains([]string{"project", "provider", "registry.registry_type", "registry.registry_store_type"}, name):
		return true // names of what does not exist
	case accepts && len(k.Choices) > 0:
		return true // sslmode; Feast fails when it connects
	case accepts && (strings.HasSuffix(name, "(dynamodb).table_name_template") || strings.HasSuffix(name, ".endpoint_url")):
		return true // one table for all views; no URL
	case accepts && strings.HasSuffix(name, ".transformation_service_endpoint"):
		return true // no host and port
	case accepts && strings.HasSuffix(name, "min_conn") && slices.Contains([]string{"7", `"7"`, "0x10", "010"}, probe), accepts && strings.HasSuffix(name, "max_conn"):
		return true // more than max_conn
	case !accepts && probe == "null":
		return true // the default
	case !accepts && k.Kind == config.Credential:
		return true // digits
	}
	return false
}
