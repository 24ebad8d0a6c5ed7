package parquet_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/banquet-fs/banquet/offline/parquet"
)

func TestHolds(t *testing.T) {
	dir := t.TempDir()
	for _, file := range []string{"one.parquet", "many/day=1/x.parquet", "other/y.parquet"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(file)), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, file), arrow.PrimitiveTypes.Int64, group(1, "7"))
	}
	for link, to := range map[string]string{"link.parquet": "one.parquet", "linked": "many"} {
		if err := os.Symlink(filepath.Join(dir, to), filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	store := parquet.New(dir)
	for _, c := range []struct {
		source, file string
		want         bool
	}{
		{"one.parquet", "one.parquet", true},
		{"one.parquet", "link.parquet", true},
		{"link.parquet", "one.parquet", true},
		{"one.parquet", "other/../one.parquet", true},
		{"one.parquet", "two.parquet", false},
		{"one.parquet", "other/one.parquet", false},
		{"gone.parquet", "gone.parquet", true},
		{"gone.parquet", "other/gone.parquet", false},
		{"many", "many/new.parquet", true},
		{"many", "many/day=2/new.parquet", true},
		{"many", "linked/new.parquet", true},
		{"linked", "many/new.parquet", true},
		{"many", "many/.hidden.parquet", false},
		{"many", "many/_temporary.parquet", false},
		{"many", "many.parquet", false},
		{"many", "other/y.parquet", false},
		{"*.parquet", "new.parquet", true},
		{"*.parquet", "new.csv", false},
		{"*.parquet", "other/new.parquet", false},
		{"ma*", "many/new.parquet", true},
		{"many/*/*.parquet", "many/day=3/new.parquet", true},
		{"many/*/*.parquet", "many/new.parquet", false},
		{"many/**/*.parquet", "many/day=3/new.parquet", true},
		{"many/**/*.parquet", "many/new.parquet", true},
		{"many/**/*.parquet", "many/new.csv", false},
		{"many/**/*.parquet", "other/new.parquet", false},
		{"s3://bucket/one.parquet", "one.parquet", false},
		{"file://" + dir + "/one.parquet", "one.parquet", true},
	} {
		if got := store.Holds(ask(c.source).Source, filepath.Join(dir, c.file)); got != c.want {
			t.Errorf("%s holds %s: %t", c.source, c.file, got)
		}
	}
}
