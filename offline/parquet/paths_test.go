package parquet_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/offline/parquet"
)

// tree makes directories of files of one row each, and links, "name>target".
func tree(t *testing.T, names ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range names {
		path, target, link := strings.Cut(name, ">")
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if !link {
			write(t, path, arrow.PrimitiveTypes.Int64, group(1, "7"))
		} else if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestWhatAPathStandsFor counts files, each of one row.
func TestWhatAPathStandsFor(t *testing.T) {
	deep := []string{"in/1.parquet", "in/a/2.parquet", "in/a/b/3.parquet", "in/a/b/_log/4.parquet", "in/[c]/5.parquet"}
	for _, c := range []struct {
		names []string
		path  string
		want  int64
	}{
		{deep, "in/*.parquet", 1},
		{deep, "in/*/*.parquet", 2},
		{deep, "in/**/*.parquet", 4},
		{deep, "in/**/b/*.parquet", 1},
		{deep, "in/a/**/*.parquet", 2},
		{deep, "i?/**/b/**/*.parquet", 1},
		{deep, "in/**", 4},
		{[]string{"days/1/1.parquet", "latest>days/1"}, "latest", 1},
		{[]string{"days/1/1.parquet", "latest>days/1"}, "latest/*.parquet", 1},
		{[]string{"days/1/1.parquet", "in/2.parquet", "in/more>../days"}, "in", 2},
		{[]string{"in/1.parquet", "in/a/2.parquet", "in/a/self>..", "in/again>."}, "in", 2},
		{[]string{"in/1.parquet", "in/2.parquet>1.parquet"}, "in", 2},
		{[]string{"in/day/1.parquet", "in/latest>day"}, "in", 1},
		{[]string{"in/day/1.parquet", "in/b>day", "in/current>day"}, "in/**/*.parquet", 1},
		{[]string{"in/day/1.parquet", "in/more/a>../../out/a", "in/rest>../out", "out/a/2.parquet", "out/back>../in"}, "in", 2},
	} {
		dir := tree(t, c.names...)
		if rows, err := drain(t.Context(), parquet.New(dir), ask(c.path)); err != nil || rows != c.want {
			t.Errorf("%v: %s: %d rows of %d, %v", c.names, c.path, rows, c.want, err)
		}
	}
	for path, want := range map[string]string{
		"in/**.parquet":     "** stands beside other characters",
		"in/**/none":        "does not exist",
		"nowhere/**/x":      "does not exist",
		"in/**/*.[":         "does not exist",
		"dangling/**/*.csv": "does not exist",
	} {
		dir := tree(t, append(deep, "dangling>nowhere")...)
		if _, err := drain(t.Context(), parquet.New(dir), ask(path)); err == nil || fault.Of(err).Kind == fault.Internal || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
