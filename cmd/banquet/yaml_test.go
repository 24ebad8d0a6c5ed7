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

// Line breaks of Unicode, and what no terminal shows, are written as escapes: as they are, a
// reader of YAML would end the line there, or drop them.
func TestInvisibleTextIsEscaped(t *testing.T) {
	for _, r := range "\u0085\u00a0\u00ad\u200b\u200e\u2028\u2029\u202e\u2060\ufeff\x00\x1b\x7f\ue000" {
		for _, text := range []string{string(r), "a" + string(r) + ": b", ":" + string(r), "=" + string(r)} {
			got := scalar(text)
			var back struct{ K string }
			if err := yaml.Unmarshal([]byte("k: "+got+"\n"), &back); err != nil || back.K != text || strings.ContainsRune(got, r) {
				t.Errorf("%q is written as %s, which is read as %q, %v", text, got, back.K, err)
			}
		}
	}
	for _, text := range []string{"한글", "é", "🎉"} {
		if got := scalar(text); got != text {
			t.Errorf("%q is written as %s", text, got)
		}
	}
}
