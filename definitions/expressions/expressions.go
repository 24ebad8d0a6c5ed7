// Package expressions reads on_demand.yaml: on-demand feature views whose features are
// CEL expressions. Feast does not read the file; it is beside the Python files of a
// repository, whose views it uses as sources.
package expressions

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"go.yaml.in/yaml/v3"

	"github.com/banquet-fs/banquet/definitions"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/internal/similar"
	"github.com/banquet-fs/banquet/transform"
)

// FileName is the name of the file, in the feature repository.
const FileName = "on_demand.yaml"

// maxFile bounds the file, in bytes.
const maxFile = 4 << 20

// Add adds the views of the file to a repository that has been read; without a file it
// does nothing. The error is an Invalid fault with a line, file:line: message, for each
// problem.
func Add(dir string, repo *definitions.Repo) error {
	text, err := read(filepath.Join(dir, FileName))
	if err != nil || text == nil {
		return err
	}
	r := &reader{repo: repo, views: map[string]string{}}
	r.known()
	r.file(text)
	if len(r.faults) > 0 {
		return fault.New(fault.Invalid, "%s", strings.Join(r.faults, "\n")).About("definition file", FileName, "")
	}
	repo.Objects.OnDemandFeatureViews = append(repo.Objects.OnDemandFeatureViews, r.made...)
	repo.Places = r.places
	return nil
}

// read returns the contents of the file; nil if there is none.
func read(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // opening a pipe would wait
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.New(fault.Unavailable, "%s cannot be read: %s", FileName, err).Because(err)
	}
	defer func() { _ = f.Close() }() // it is only read
	if info, err := f.Stat(); err == nil && !info.Mode().IsRegular() {
		return nil, fault.New(fault.Invalid, "%s is no regular file", FileName)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, fault.New(fault.Unavailable, "%s cannot be read: %s", FileName, err).Because(err)
	case len(text) > maxFile:
		return nil, fault.New(fault.Invalid, "%s has more than %d bytes; split the views among repositories", FileName, maxFile)
	case text == nil:
		text = []byte{}
	}
	return text, nil
}

// reader reads one file.
type reader struct {
	repo   *definitions.Repo
	faults []string
	// views are the names in use, in lower case, and what uses them.
	views  map[string]string
	made   []*core.OnDemandFeatureView
	places map[string]string
}

// known collects the views of the repository.
func (r *reader) known() {
	r.places = map[string]string{}
	add := func(name, kind string) { r.views[strings.ToLower(name)] = kind + " " + name }
	o := &r.repo.Objects
	for _, v := range o.FeatureViews {
		add(v.GetSpec().GetName(), "feature view")
	}
	for _, v := range o.StreamFeatureViews {
		add(v.GetSpec().GetName(), "stream feature view")
	}
	for _, v := range o.OnDemandFeatureViews {
		add(v.GetSpec().GetName(), "on-demand feature view")
	}
	for _, v := range o.LabelViews {
		add(v.GetSpec().GetName(), "label view")
	}
}

func (r *reader) fail(line int, format string, args ...any) {
	text := strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f { // from a name in quotes
			return ' '
		}
		return c
	}, fmt.Sprintf(format, args...))
	r.faults = append(r.faults, place(line)+": "+text)
}

func place(line int) string { return fmt.Sprintf("%s:%d", FileName, line) }

// file reads the top of the file.
func (r *reader) file(text []byte) {
	var doc, more yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(text))
	err := d.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return // an empty file defines nothing
	}
	end := err
	if err == nil {
		end = d.Decode(&more)
	}
	switch {
	case end == nil:
		r.fail(more.Line, "the file has a second YAML document; put its views into the first")
		return
	case !errors.Is(end, io.EOF):
		r.faults = append(r.faults, FileName+": "+strings.ReplaceAll(strings.TrimPrefix(end.Error(), "yaml: "), "\n", " "))
		return
	}
	top := r.mapping(doc.Content[0], "the file", "views")
	for _, n := range r.list(top["views"], "views") {
		r.view(n)
	}
}

// mapping reads a mapping with known keys; a key that is not known is a fault.
func (r *reader) mapping(n *yaml.Node, what string, keys ...string) map[string]*yaml.Node {
	out := map[string]*yaml.Node{}
	for _, p := range r.pairs(n, what) {
		known := false
		for _, k := range keys {
			known = known || k == p.key.Value
		}
		if !known {
			hint := "it has " + strings.Join(keys, ", ")
			if near := similar.Nearest(p.key.Value, keys); near != "" {
				hint = "there is " + near
			}
			r.fail(p.key.Line, "%s has no key %q; %s", what, p.key.Value, hint)
			continue
		}
		out[p.key.Value] = p.value
	}
	return out
}

type pair struct{ key, value *yaml.Node }

// pairs reads a mapping in the order of the file.
func (r *reader) pairs(n *yaml.Node, what string) []pair {
	n = target(n)
	if n == nil {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		r.fail(n.Line, "%s must be a mapping", what)
		return nil
	}
	var out []pair
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], target(n.Content[i+1])
		switch {
		case k.Kind != yaml.ScalarNode:
			r.fail(k.Line, "a key of %s must be a name", what)
			continue
		case seen[k.Value]:
			r.fail(k.Line, "%s has the key %q twice", what, k.Value)
			continue
		}
		seen[k.Value] = true
		out = append(out, pair{k, v})
	}
	return out
}

func (r *reader) list(n *yaml.Node, what string) []*yaml.Node {
	n = target(n)
	switch {
	case n == nil || n.ShortTag() == "!!null":
		return nil
	case n.Kind != yaml.SequenceNode:
		r.fail(n.Line, "%s must be a list", what)
		return nil
	}
	return n.Content
}

// target is the node that an alias means.
func target(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// text reads a text; "" if there is none.
func (r *reader) text(n *yaml.Node, what string) string {
	n = target(n)
	switch {
	case n == nil || n.ShortTag() == "!!null":
		return ""
	case n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str":
		r.fail(n.Line, "%s must be a text; put it in quotes", what)
		return ""
	}
	return n.Value
}

func (r *reader) flag(n *yaml.Node, what string) bool {
	n = target(n)
	if n == nil {
		return false
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" {
		r.fail(n.Line, "%s must be true or false", what)
		return false
	}
	return strings.EqualFold(n.Value, "true")
}

// expressionOf records the place of an expression and returns it.
func (r *reader) expressionOf(view string, p pair, expr *yaml.Node) transform.Expression {
	what := fmt.Sprintf("expr of feature %s", p.key.Value)
	text := r.text(expr, what)
	expr = target(expr)
	line := p.key.Line
	if expr != nil {
		line = expr.Line
		if expr.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
			line++ // the text starts below its mark
		}
	}
	if strings.TrimSpace(text) == "" {
		r.fail(line, "feature %s of view %s needs an expr", p.key.Value, view)
	}
	r.places[view+":"+p.key.Value] = place(line)
	return transform.Expression{Feature: p.key.Value, Text: text}
}
