package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// materialize --version writes the table of that version. Only the windows of the current
// version are recorded: an incremental run would leave out its rows otherwise.
func TestMaterializeAVersion(t *testing.T) {
	yaml := strings.Replace(sqliteRepo, "registry: registry.db", "registry: {path: registry.db, enable_online_feature_view_versioning: true}", 1)
	dir := newRepo(t, yaml, "")
	if err := os.WriteFile(filepath.Join(dir, "carts.csv"), []byte("shopper,items,total,at\n1,3,30,2024-01-05T00:00:00Z\n2,4,40,2024-01-06T00:00:00Z\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, feature := range []string{"items", "total"} { // v0, v1
		text := strings.Replace(strings.ReplaceAll(oneView, "SOURCE", `FileSource(name="carts_source", path="carts.csv", timestamp_field="at")`), `"items"`, `"`+feature+`"`, 1)
		if err := os.WriteFile(filepath.Join(dir, "features.py"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, _, errText := command(t, nil, "-c", dir, "apply"); code != 0 {
			t.Fatal(errText)
		}
	}
	run := func(want int, says string, args ...string) {
		t.Helper()
		code, out, errText := command(t, nil, append([]string{"-c", dir}, args...)...)
		if code != want || !strings.Contains(out+errText, says) {
			t.Errorf("%v: exit %d, want %d and %q: %s%s", args, code, want, says, out, errText)
		}
	}
	window := func(more ...string) []string {
		return append([]string{"materialize", "2024-01-01", "2024-02-01", "-v", "carts"}, more...)
	}
	run(0, "carts   2       2 ", window("--version", "v0", "--dry-run")...)
	run(0, "version v0 is not the current one; its rows go to a table of its own, and the window is not recorded", window("--version", "v0")...)
	run(0, "3", "get-online-features", "-e", "shopper=1", "-f", "carts@v0:items")
	run(0, "null", "get-online-features", "-e", "shopper=1", "-f", "carts:total")
	_, out, _ := command(t, nil, "-c", dir, "registry-dump")
	if strings.Contains(out, "materializationIntervals") {
		t.Error("the window of an old version is recorded")
	}
	run(0, "goes back by its ttl", "materialize-incremental", "2024-02-01", "-v", "carts", "--version", "Version0")
	run(0, "2 rows written", window("--version", "v1")...)
	run(0, "30", "get-online-features", "-e", "shopper=1", "-f", "carts:total")
	_, out, _ = command(t, nil, "-c", dir, "registry-dump")
	if strings.Count(out, "startTime") != 1 {
		t.Errorf("the window of the current version is not recorded once: %s", out)
	}
	run(1, "Version v7 of feature view carts does not exist in project shop", window("--version", "v7")...)
	run(1, "Invalid version string 'x'. Expected 'latest', 'vN', or 'versionN'", window("--version", "x")...)
	run(1, "cannot be materialized in shards", window("--version", "v0", "--shard", "1/2")...)
	run(1, "--version requires --views with exactly one feature view.", "materialize", "2024-01-01", "2024-02-01", "--version", "v0")
}
