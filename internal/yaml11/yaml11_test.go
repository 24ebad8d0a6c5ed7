package yaml11_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/banquet-fs/banquet/internal/yaml11"
)

// Scalars have the tags that PyYAML gives them (testdata/record.py).
func TestTagsArePyYAMLs(t *testing.T) {
	f, err := os.Open(filepath.Join("testdata", "scalars.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tags := map[string]int{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var c struct{ Text, Tag string }
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if got := yaml11.Tag(c.Text); got != c.Tag {
			t.Errorf("%q is %s, to PyYAML %s", c.Text, got, c.Tag)
		}
		tags[c.Tag]++
	}
	for _, tag := range []string{yaml11.Text, yaml11.Bool, yaml11.Int, yaml11.Float, yaml11.Null, yaml11.Time, yaml11.Merge, yaml11.Value} {
		if tags[tag] == 0 {
			t.Errorf("no scalar is %s", tag)
		}
	}
}
