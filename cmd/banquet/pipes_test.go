package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fifo makes a pipe with a name.
func fifo(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
}

// fed writes a text into a pipe, as a command of a shell does.
func fed(t *testing.T, path, text string) {
	t.Helper()
	fifo(t, path)
	done := make(chan error, 1)
	go func() { done <- os.WriteFile(path, []byte(text), 0) }()
	t.Cleanup(func() {
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// pipesRepo is a repository that was applied.
func pipesRepo(t *testing.T) string {
	t.Helper()
	dir := newRepo(t, sqliteRepo, strings.ReplaceAll(oneView, "SOURCE", `FileSource(name="carts_source", path="carts.csv", timestamp_field="at")`))
	if code, _, errText := command(t, nil, "-c", dir, "apply"); code != 0 {
		t.Fatal(errText)
	}
	return dir
}

// A configuration and pushed rows may come from pipes.
func TestPipesAreRead(t *testing.T) {
	dir := pipesRepo(t)
	text, err := os.ReadFile(filepath.Join(dir, "feature_store.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("a configuration", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "piped")
		fed(t, path, string(text))
		if code, out, errText := command(t, nil, "-c", dir, "-f", path, "feature-views", "list"); code != 0 || !strings.Contains(out, "carts") {
			t.Errorf("exit code %d: %s%s", code, out, errText)
		}
	})
	for form, rows := range map[string]string{
		"JSON": `[{"shopper": 7, "items": 5, "at": "2024-02-01"}]`,
		"CSV":  "shopper,items,at\n8,6,2024-02-02\n",
	} {
		t.Run("rows in "+form, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "rows")
			fed(t, path, rows)
			if code, out, errText := command(t, nil, "-c", dir, "push", path, "--view", "carts"); code != 0 || !strings.Contains(out, "1 rows written of 1 read") {
				t.Errorf("exit code %d: %s%s", code, out, errText)
			}
		})
	}
	t.Run("rows that are wrong", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "rows")
		fed(t, path, "shopper,items,at\n7,six,2024-02-02\n")
		code, _, errText := command(t, nil, "-c", dir, "push", path, "--view", "carts")
		if code != 1 || !strings.Contains(errText, path+", line 2") && !strings.Contains(errText, "row 0") {
			t.Errorf("exit code %d: %s", code, errText)
		}
	})
}

// What is no file where a file is needed is refused, or can be stopped at once.
func TestPipesThatNobodyWrites(t *testing.T) {
	for _, c := range []struct {
		file string
		args []string
		want string
	}{
		{"feature_store.yaml", []string{"apply"}, "stopped while waiting for DIR/feature_store.yaml"},
		{"features.py", []string{"apply"}, "features.py: not a regular file"},
		{"on_demand.yaml", []string{"apply"}, "on_demand.yaml is no regular file"},
		{".feastignore", []string{"apply"}, "DIR/.feastignore is not a regular file"},
		{"registry.db", []string{"apply"}, "registry file DIR/registry.db is not a regular file"},
		{"rows.json", []string{"push", "DIR/rows.json", "--view", "carts"}, "stopped"},
		{"rows.arrow", []string{"push", "DIR/rows.arrow", "--view", "carts"}, "stopped"},
		{"rows.arrow", []string{"get-historical-features", "--entity-df", "DIR/rows.arrow", "-f", "carts:items"}, "DIR/rows.arrow is not a regular file"},
		{"rows.csv", []string{"get-historical-features", "--entity-df", "DIR/rows.csv", "-f", "carts:items"}, "DIR/rows.csv is not a regular file"},
	} {
		t.Run(c.file+" "+c.args[0], func(t *testing.T) {
			dir := pipesRepo(t)
			fifo(t, filepath.Join(dir, c.file))
			args := []string{"-c", dir}
			for _, arg := range c.args {
				args = append(args, strings.ReplaceAll(arg, "DIR", dir))
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan int, 1)
			var out, errText bytes.Buffer
			go func() {
				ended <- run(ctx, system{args: args, in: strings.NewReader(""), out: &out, err: &errText, env: func(string) (string, bool) { return "", false }})
			}()
			if strings.HasPrefix(c.want, "stopped") { // the others end by themselves
				time.AfterFunc(300*time.Millisecond, cancel)
			}
			select {
			case code := <-ended:
				if want := strings.ReplaceAll(c.want, "DIR", dir); code != 1 || !strings.Contains(errText.String(), want) {
					t.Errorf("exit code %d: %s\nwant %s", code, &errText, want)
				}
			case <-time.After(busy):
				t.Fatal("it does not end")
			}
		})
	}
}

// Devices, sockets and directories are refused.
func TestOtherThanFiles(t *testing.T) {
	dir := pipesRepo(t)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-f", "/dev/zero", "apply"}, "/dev/zero is larger than 4 MiB, and no configuration"},
		{[]string{"-f", "/dev/null", "apply"}, "/dev/null:1: the file holds no settings"},
		{[]string{"-f", dir, "apply"}, dir + " is a directory; name the feature_store.yaml in it"},
		{[]string{"push", "/dev/zero", "--view", "carts"}, "/dev/zero is neither a file nor a pipe"},
		{[]string{"push", dir, "--view", "carts"}, dir + " is a directory"},
	} {
		code, _, errText := command(t, nil, append([]string{"-c", dir}, c.args...)...)
		if code != 1 || !strings.Contains(errText, c.want) || strings.Count(errText, "\n") != 1 {
			t.Errorf("%v: exit code %d: %s", c.args, code, errText)
		}
	}
}

// As in Feast, -f is relative to the working directory, and what the file names to the
// feature repository, which -c names.
func TestAnotherConfiguration(t *testing.T) {
	dir := pipesRepo(t)
	away := t.TempDir()
	text, err := os.ReadFile(filepath.Join(dir, "feature_store.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(away, "prod.yaml"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	check := func(env map[string]string, args ...string) {
		t.Helper()
		for _, last := range [][]string{{"plan"}, {"feature-views", "list"}} {
			if code, out, errText := command(t, env, append(args, last...)...); code != 0 || last[0] != "plan" && !strings.Contains(out, "carts") || strings.Contains(out, "Deleted") {
				t.Errorf("%v: exit code %d: %s%s", args, code, out, errText)
			}
		}
	}
	t.Chdir(away)
	check(nil, "-c", dir, "-f", "prod.yaml")
	check(map[string]string{"FEAST_FS_YAML_FILE_PATH": "prod.yaml"}, "-c", dir)
	t.Chdir(dir)
	check(nil, "-f", filepath.Join(away, "prod.yaml"))
	check(nil)
	if entries, err := os.ReadDir(away); err != nil || len(entries) != 1 {
		t.Errorf("%v %v", entries, err)
	}
}
