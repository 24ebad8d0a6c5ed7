package library

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/banquet-fs/banquet/definitions/python"
)

// maxPairs bounds the entries that the merge keys of a document add.
const maxPairs = 100_000

func yamlModule() names {
	load := func(name string) *python.Builtin {
		return python.NewFunction(name, "stream", func(c *python.Call, a []any) (any, error) { return single(c, a[0]) })
	}
	out := names{"safe_load": load("safe_load"), "full_load": load("full_load"), "unsafe_load": load("unsafe_load")}
	loaders := []string{"SafeLoader", "FullLoader", "Loader", "UnsafeLoader", "CSafeLoader", "CFullLoader", "CLoader", "CUnsafeLoader"}
	for _, n := range loaders {
		out[n] = &python.Builtin{Name: n}
	}
	loader := func(v any) error {
		if b, ok := v.(*python.Builtin); ok && slices.Contains(loaders, b.Name) {
			return nil
		}
		return fmt.Errorf("yaml is read by SafeLoader, FullLoader or Loader; this loader is not")
	}
	out["load"] = python.NewFunction("load", "stream Loader", func(c *python.Call, a []any) (any, error) {
		if err := loader(a[1]); err != nil {
			return nil, err
		}
		return single(c, a[0])
	})
	all := func(c *python.Call, a []any) (any, error) {
		docs, err := documents(c, a[0])
		return python.NewIterator(docs), err
	}
	out["safe_load_all"] = python.NewFunction("safe_load_all", "stream", all)
	out["load_all"] = python.NewFunction("load_all", "stream Loader", func(c *python.Call, a []any) (any, error) {
		if err := loader(a[1]); err != nil {
			return nil, err
		}
		return all(c, a)
	})
	return out
}

// single is the only document of a text; None if it is empty.
func single(c *python.Call, stream any) (any, error) {
	docs, err := documents(c, stream)
	switch {
	case err != nil || len(docs) == 0:
		return nil, err
	case len(docs) > 1:
		return nil, fmt.Errorf("this YAML holds more than one document; read it by safe_load_all")
	}
	return docs[0], nil
}

func documents(c *python.Call, stream any) ([]any, error) {
	s, ok := readAll(stream)
	if !ok {
		return nil, fmt.Errorf("YAML is read of text or an open file, not of a %s", python.TypeName(stream))
	}
	if err := c.Charge(len(s)); err != nil {
		return nil, err
	}
	return readYAML(s)
}

// readYAML returns the documents of a text as PyYAML constructs them, by YAML
// 1.1.
func readYAML(s string) ([]any, error) {
	if err := unlikeYAML(s); err != nil {
		return nil, err
	}
	forms := newScalars()
	d := yaml.NewDecoder(bytes.NewReader([]byte(s)))
	var docs []any
	for {
		var doc yaml.Node
		err := d.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return docs, nil
		}
		if err != nil {
			return nil, fmt.Errorf("this YAML is not read: %s", strings.TrimPrefix(err.Error(), "yaml: "))
		}
		b := yamlBuilder{made: map[*yaml.Node]any{}, anchors: map[string]*yaml.Node{}, forms: forms}
		var v any
		if len(doc.Content) > 0 {
			if v, err = b.value(doc.Content[0], 0); err != nil {
				return nil, fmt.Errorf("this YAML is not read: %w", err)
			}
		}
		docs = append(docs, v)
	}
}

// unlikeYAML refuses texts that this parser reads differently from PyYAML.
func unlikeYAML(s string) error {
	for n, line := range strings.Split(s, "\n") {
		blanks := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
		switch {
		case strings.Contains(line, "\t"):
			return fmt.Errorf("line %d of this YAML has a tab, which is not read; use spaces", n+1)
		case strings.HasPrefix(line, "%"):
			return fmt.Errorf("line %d of this YAML is a directive, which is not read", n+1)
		case strings.HasPrefix(line[len(blanks):], "? "):
			return fmt.Errorf("line %d of this YAML has a key by '?', which is not read", n+1)
		}
	}
	if strings.ContainsAny(s, "\ufeff\u0085\u2028\u2029\r") && strings.ContainsAny(strings.ReplaceAll(s, "\r\n", "\n"), "\ufeff\u0085\u2028\u2029\r") {
		return fmt.Errorf("this YAML has a byte order mark or uncommon ends of lines, which are not read")
	}
	return nil
}

// yamlBuilder builds the values of a document; an alias is the same value.
type yamlBuilder struct {
	made  map[*yaml.Node]any
	open  []*yaml.Node
	pairs int
	// anchors are the nodes with anchors.
	anchors map[string]*yaml.Node
	forms   *scalars
}

func (b *yamlBuilder) value(n *yaml.Node, depth int) (any, error) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if v, ok := b.made[n]; ok {
		return v, nil
	}
	if depth > 50 || slices.Contains(b.open, n) {
		return nil, fmt.Errorf("line %d is nested too deep, or within itself", n.Line)
	}
	if err := b.name(n); err != nil {
		return nil, err
	}
	b.open = append(b.open, n)
	v, err := b.construct(n, depth)
	b.open = b.open[:len(b.open)-1]
	if err != nil {
		return nil, err
	}
	b.made[n] = v
	return v, nil
}

// name records the anchor of a value.
func (b *yamlBuilder) name(n *yaml.Node) error {
	if n.Anchor == "" {
		return nil
	}
	if other, again := b.anchors[n.Anchor]; again && other != n {
		return fmt.Errorf("line %d names the anchor %s a second time", n.Line, n.Anchor)
	}
	b.anchors[n.Anchor] = n
	return nil
}

func (b *yamlBuilder) construct(n *yaml.Node, depth int) (any, error) {
	if n.Style&yaml.TaggedStyle != 0 && (n.Kind != yaml.ScalarNode || n.Tag != "!!str") {
		return nil, fmt.Errorf("line %d has the tag %s", n.Line, n.Tag)
	}
	switch n.Kind {
	case yaml.SequenceNode:
		l := &python.List{}
		for _, item := range n.Content {
			v, err := b.value(item, depth+1)
			if err != nil {
				return nil, err
			}
			l.Items = append(l.Items, v)
		}
		return l, nil
	case yaml.MappingNode:
		return b.mapping(n, depth)
	case yaml.ScalarNode:
		if n.Style != 0 && n.Style != yaml.FlowStyle {
			return n.Value, nil
		}
		v, err := b.forms.value(n.Value)
		if err != nil {
			err = fmt.Errorf("line %d: %w", n.Line, err)
		}
		return v, err
	}
	return nil, fmt.Errorf("line %d has something that is not known", n.Line)
}

func (b *yamlBuilder) mapping(n *yaml.Node, depth int) (any, error) {
	pairs, err := b.flatten(n, depth)
	if err != nil {
		return nil, err
	}
	d := &python.Dict{}
	for i := 0; i < len(pairs); i += 2 {
		k, err := b.value(pairs[i], depth+1)
		if err != nil {
			return nil, err
		}
		v, err := b.value(pairs[i+1], depth+1)
		if err != nil {
			return nil, err
		}
		if err := d.Put(k, v); err != nil {
			return nil, fmt.Errorf("line %d has a key that is not a constant", pairs[i].Line)
		}
	}
	return d, nil
}

// flatten returns the pairs of a mapping, those of its merge key first. It
// refuses several merged mappings and keys merged twice, where versions of PyYAML
// differ.
func (b *yamlBuilder) flatten(n *yaml.Node, depth int) ([]*yaml.Node, error) {
	var merged, own []*yaml.Node
	if depth > 50 {
		return nil, fmt.Errorf("line %d is nested too deep", n.Line)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], target(n.Content[i+1])
		if k.Kind != yaml.ScalarNode || k.Style != 0 || k.Value != "<<" {
			own = append(own, k, n.Content[i+1])
			continue
		}
		if v.Kind == yaml.SequenceNode && len(v.Content) == 1 {
			v = target(v.Content[0])
		}
		if err := b.name(v); err != nil {
			return nil, err
		}
		if v.Kind != yaml.MappingNode || merged != nil {
			return nil, fmt.Errorf("line %d merges something else than one mapping", k.Line)
		}
		more, err := b.flatten(v, depth+1)
		if err != nil {
			return nil, err
		}
		if b.pairs += len(more); b.pairs > maxPairs {
			return nil, fmt.Errorf("its merge keys take over too much")
		}
		seen := map[string]bool{}
		for j := 0; j < len(more); j += 2 {
			if seen[more[j].Value] {
				return nil, fmt.Errorf("line %d merges the key %s twice", k.Line, more[j].Value)
			}
			seen[more[j].Value] = true
		}
		merged = append([]*yaml.Node{}, more...)
	}
	return append(merged, own...), nil
}

func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}
