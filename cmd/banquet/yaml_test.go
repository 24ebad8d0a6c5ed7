package main

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// Texts are written as PyYAML writes them (testdata/record_scalars.py), except for those
// of several lines, and all are read back as the same text.
func TestScalarsArePyYAMLs(t *testing.T) {
	f, err := os.Open(filepath.Join("testdata", "scalars.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for lines := bufio.NewScanner(f); lines.Scan(); n++ {
		var c struct{ Text, YAML string }
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		got := scalar(c.Text)
		var back struct{ K yaml.Node }
		if err := yaml.Unmarshal([]byte("k: "+got+"\n"), &back); err != nil || back.K.Value != c.Text || back.K.Tag != "!!str" && got == c.Text && c.YAML != c.Text {
			t.Errorf("%q is written as %s, which is read as %q, %v", c.Text, got, back.K.Value, err)
		}
		if got != c.YAML && !strings.ContainsAny(c.Text, "\n\t") {
			t.Errorf("%q is written as %s, PyYAML writes %s", c.Text, got, c.YAML)
		}
	}
	if n < 1000 {
		t.Errorf("only %d texts", n)
	}
}
