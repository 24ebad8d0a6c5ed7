package config

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// Merge keys, aliases and repeated keys mean what they mean to PyYAML
// (testdata/record.py).
func TestFlattenIsPyYAMLs(t *testing.T) {
	f, err := os.Open(filepath.Join("testdata", "merges.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n, ambiguous := 0, 0
	for lines := bufio.NewScanner(f); lines.Scan(); n++ {
		var c struct {
			Text    string
			Value   any
			Refused bool
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		got, err := flat(c.Text)
		if err != nil && (strings.Contains(err.Error(), "different values of") || strings.Contains(err.Error(), "contains itself")) {
			ambiguous++ // refused, even where all versions of PyYAML agree
			continue
		}
		if c.Refused {
			if err == nil {
				t.Errorf("%s\nis %v, PyYAML refuses it", c.Text, got)
			}
			continue
		}
		if diff := cmp.Diff(c.Value, got); diff != "" || err != nil {
			t.Errorf("%s\n%v (-PyYAML +got)\n%s", c.Text, err, diff)
		}
	}
	if n < 300 || ambiguous > n/8 {
		t.Errorf("%d cases, %d of them refused as ambiguous", n, ambiguous)
	}
}

func flat(text string) (any, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return nil, err
	}
	n, err := flatten(doc.Content[0])
	if err != nil {
		return nil, err
	}
	return plain(n), nil
}

// plain makes maps, lists and texts of a flattened node.
func plain(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = plain(n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		list := []any{}
		for _, c := range n.Content {
			list = append(list, plain(c))
		}
		return list
	}
	return n.Value
}

func TestAliasesOfAliasesAreBounded(t *testing.T) {
	text := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 9 {
		text += strings.ReplaceAll(strings.ReplaceAll("aN: &aN [*aM, *aM, *aM, *aM, *aM, *aM, *aM, *aM, *aM, *aM]\n", "N", string(rune('1'+i))), "M", string(rune('0'+i)))
	}
	if _, err := flat(text); err == nil || !strings.Contains(err.Error(), "more than 100000 values") {
		t.Error(err)
	}
}

func FuzzFlatten(f *testing.F) {
	f.Add("a: &a {x: y}\nb: {<<: *a, z: *a}\n")
	f.Add("a: &a {<<: [*a, {x: *a}]}")
	f.Fuzz(func(_ *testing.T, text string) {
		_, _ = flat("k: v\n" + text)
	})
}
