package config

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
)

// maxNodes bounds the values of a file after its aliases are replaced: a few lines of
// aliases of aliases can stand for billions.
const maxNodes = 100_000

// flattener replaces aliases by what they stand for, and merge keys by the merged keys,
// as PyYAML does: what a mapping has itself wins over what it merges, and of repeated
// keys the last. Nodes keep their lines.
type flattener struct {
	nodes int
	open  map[*yaml.Node]bool // the anchors that are being replaced
}

// flatten returns a tree without aliases and merge keys.
func flatten(n *yaml.Node) (*yaml.Node, error) {
	f := &flattener{open: map[*yaml.Node]bool{}}
	return f.node(n)
}

// lineError is an error at a line of the file.
type lineError struct {
	line int
	text string
}

func (e *lineError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.text) }

func (f *flattener) node(n *yaml.Node) (*yaml.Node, error) {
	if f.nodes++; f.nodes > maxNodes {
		return nil, &lineError{n.Line, fmt.Sprintf("the aliases of the file stand for more than %d values", maxNodes)}
	}
	if n.Kind == yaml.AliasNode {
		if f.open[n.Alias] {
			return nil, &lineError{n.Line, "the alias *" + n.Value + " stands for a value that contains itself"}
		}
		return f.node(n.Alias)
	}
	f.open[n] = true
	defer delete(f.open, n)
	out := *n
	out.Content = nil
	if n.Kind == yaml.MappingNode {
		return &out, f.mapping(n, &out)
	}
	for _, c := range n.Content {
		flat, err := f.node(c)
		if err != nil {
			return nil, err
		}
		out.Content = append(out.Content, flat)
	}
	return &out, nil
}

// mapping flattens the pairs of a mapping.
func (f *flattener) mapping(n, out *yaml.Node) error {
	own, err := f.own(n)
	if err != nil {
		return err
	}
	merged := pairs{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Tag != "!!merge" {
			continue
		}
		from, err := f.node(n.Content[i+1])
		if err != nil {
			return err
		}
		list := []*yaml.Node{from}
		if from.Kind == yaml.SequenceNode {
			list = from.Content
		}
		for _, m := range list {
			if m.Kind != yaml.MappingNode {
				return &lineError{n.Content[i].Line, "the merge key << takes a section, or a list of sections"}
			}
			if name, ok := merged.merge(m, own); !ok {
				return &lineError{n.Content[i].Line, "the sections that << merges have different values of " + name + ", and it depends on the version of PyYAML which one counts; set " + name + " itself"}
			}
		}
	}
	out.Content = slices.Concat(own.content, merged.content)
	return nil
}

// own flattens the keys that a mapping has itself; of repeated keys the last counts.
func (f *flattener) own(n *yaml.Node) (pairs, error) {
	var own pairs
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Tag == "!!merge" {
			continue
		}
		key, err := f.node(n.Content[i])
		if err != nil {
			return own, err
		}
		if key.Kind != yaml.ScalarNode {
			return own, &lineError{n.Content[i].Line, "a key must be a text, not " + kindOf(key)}
		}
		value, err := f.node(n.Content[i+1])
		if err != nil {
			return own, err
		}
		own.put(key, value)
	}
	return own, nil
}

// pairs are the keys and values of a mapping.
type pairs struct {
	content []*yaml.Node
	index   map[string]int // of keys in content
}

// find returns the index of a key, -1 if there is none.
func (p *pairs) find(key *yaml.Node) int {
	if at, ok := p.index[key.Tag+" "+key.Value]; ok {
		return at
	}
	return -1
}

// put adds a key, or replaces it.
func (p *pairs) put(key, value *yaml.Node) {
	if at := p.find(key); at >= 0 {
		p.content[at], p.content[at+1] = key, value
		return
	}
	if p.index == nil {
		p.index = map[string]int{}
	}
	p.index[key.Tag+" "+key.Value] = len(p.content)
	p.content = append(p.content, key, value)
}

// merge adds the keys of a mapping that own does not have. It returns false and the key
// if it has another value already.
func (p *pairs) merge(m *yaml.Node, own pairs) (key string, ok bool) {
	for i := 0; i+1 < len(m.Content); i += 2 {
		key, value := m.Content[i], m.Content[i+1]
		if own.find(key) >= 0 {
			continue
		}
		at := p.find(key)
		switch {
		case at < 0:
			p.put(key, value)
		case !same(p.content[at+1], value):
			return key.Value, false
		}
	}
	return "", true
}

// same reports whether two flattened nodes have the same value.
func same(a, b *yaml.Node) bool {
	return a.Kind == b.Kind && a.Tag == b.Tag && a.Value == b.Value && slices.EqualFunc(a.Content, b.Content, same)
}
