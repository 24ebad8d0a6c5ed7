package config

import (
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/banquet-fs/banquet/internal/yaml11"
)

// tagOf returns the tag that PyYAML gives a node.
func tagOf(n *yaml.Node) string {
	const notPlain = yaml.TaggedStyle | yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	if n.Kind != yaml.ScalarNode || n.Style&notPlain != 0 {
		return n.ShortTag()
	}
	return yaml11.Tag(n.Value)
}

// kindOf describes a value in an error.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "a section"
	}
	switch tagOf(n) {
	case yaml11.Text:
		return "text"
	case yaml11.Int, yaml11.Float:
		return "the number " + n.Value
	case yaml11.Null:
		return "nothing"
	case yaml11.Time:
		return "the date " + n.Value
	}
	return n.Value
}

// read stores the value of a node in the key's field. It returns what is wanted instead,
// empty if the value is right. The value is decoded by the YAML library, under the tag that
// PyYAML gives it.
func (k *Key) read(n *yaml.Node) string {
	var value any
	var want string
	switch k.Kind {
	case Anything:
		return ""
	case Text, Credential:
		value, want = k.text(n)
	case Boolean:
		value, want = k.boolean(n)
	case Integer:
		value, want = k.integer(n)
	case Number:
		value, want = k.number(n)
	case Span:
		value, want = span(n)
	case Program:
		value, want = program(n)
	case Texts:
		value, want = texts(n)
	case List:
		value, want = list(n)
	case Integers:
		want = k.integers(n)
	}
	if want == "" && k.into != nil {
		to := reflect.ValueOf(k.into).Elem()
		to.Set(reflect.ValueOf(value).Convert(to.Type()))
	}
	return want
}

// retagged decodes a scalar as a value of another tag.
func retagged(n *yaml.Node, tag string, out any) error {
	return (&yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: n.Value, Line: n.Line}).Decode(out)
}

func (k *Key) text(n *yaml.Node) (v, want string) {
	switch tag := tagOf(n); {
	case tag == yaml11.Text && n.Kind == yaml.ScalarNode, slices.Contains(k.Choices, n.Value):
	case k.Kind == Credential && n.Kind == yaml.ScalarNode: // digits, for example
	default:
		return "", notText(n)
	}
	if unset := n.Value == "" && k.Default == ""; len(k.Choices) > 0 && !unset && !slices.Contains(k.Choices, n.Value) {
		return "", "want " + oneOf(k.Choices) + ", not " + strconv.Quote(n.Value)
	}
	return n.Value, ""
}

// notText is the fault of a value that is no text.
func notText(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode {
		return "want text, not " + kindOf(n)
	}
	return "want text, not " + kindOf(n) + "; put it in quotes"
}

func oneOf(choices []string) string {
	if len(choices) == 1 {
		return choices[0]
	}
	last := len(choices) - 1
	return strings.Join(choices[:last], ", ") + " or " + choices[last]
}

// boolean accepts the booleans of YAML 1.1, as Feast does. In quotes, and as 0 and 1, they
// are booleans for some keys of Feast.
func (k *Key) boolean(n *yaml.Node) (v bool, want string) {
	tag := tagOf(n)
	if n.Kind == yaml.ScalarNode && (tag == yaml11.Bool || k.quoted && (tag == yaml11.Text || tag == yaml11.Int)) {
		switch strings.ToLower(n.Value) {
		case "true", "yes", "on", "1":
			return true, ""
		case "false", "no", "off", "0":
			return false, ""
		}
	}
	return false, "want true or false, not " + kindOf(n)
}

func (k *Key) integer(n *yaml.Node) (v int, want string) {
	tag := tagOf(n)
	if tag == yaml11.Text && k.quoted && n.Kind == yaml.ScalarNode {
		tag = yaml11.Tag(n.Value)
	}
	if n.Kind != yaml.ScalarNode || tag != yaml11.Int || strings.Contains(n.Value, ":") {
		return 0, "want an integer, not " + kindOf(n)
	}
	if err := retagged(n, yaml11.Int, &v); err != nil {
		return 0, "want an integer of at most 64 bits, not " + kindOf(n)
	}
	if v < k.least {
		return 0, "want " + strconv.Itoa(k.least) + " or more, not " + strconv.Itoa(v)
	}
	return v, ""
}

// number accepts numbers in quotes, too, as Feast does for all of these keys.
func (k *Key) number(n *yaml.Node) (v float64, want string) {
	tag := tagOf(n)
	ok := n.Kind == yaml.ScalarNode && (tag == yaml11.Text || tag == yaml11.Int || tag == yaml11.Float)
	if ok {
		ok = retagged(n, yaml11.Float, &v) == nil
	}
	if !ok || math.IsNaN(v) || v < 0 || v > 1e9 {
		return 0, "want a number of 0 or more, not " + kindOf(n)
	}
	return v, ""
}

func span(n *yaml.Node) (v time.Duration, want string) {
	v, err := time.ParseDuration(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || v < 0 {
		return 0, "want a time span such as 10s or 250ms, not " + kindOf(n)
	}
	return v, ""
}

func program(n *yaml.Node) (v Python, want string) {
	on, wrong := new(Key).boolean(n)
	switch {
	case wrong == "" && on:
		return AnyPython, ""
	case wrong == "":
		return "", ""
	case n.Kind != yaml.ScalarNode || tagOf(n) != yaml11.Text || strings.TrimSpace(n.Value) == "":
		return "", "want true, false or a program, not " + kindOf(n)
	}
	return Python(n.Value), ""
}

func texts(n *yaml.Node) (v map[string]string, want string) {
	if n.Kind != yaml.MappingNode {
		return nil, "want keys with texts, not " + kindOf(n)
	}
	v = map[string]string{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		for _, part := range n.Content[i : i+2] {
			if part.Kind != yaml.ScalarNode || tagOf(part) != yaml11.Text {
				return nil, "want keys with texts; put " + kindOf(part) + " in quotes"
			}
		}
		v[n.Content[i].Value] = n.Content[i+1].Value
	}
	return v, ""
}

func list(n *yaml.Node) (v []string, want string) {
	if n.Kind != yaml.SequenceNode {
		return nil, "want a list of texts, not " + kindOf(n)
	}
	for _, item := range n.Content {
		if item.Kind != yaml.ScalarNode || tagOf(item) != yaml11.Text {
			return nil, "want a list of texts; put " + kindOf(item) + " in quotes"
		}
		v = append(v, item.Value)
	}
	return v, ""
}

func (k *Key) integers(n *yaml.Node) (want string) {
	if n.Kind != yaml.SequenceNode {
		return "want a list of integers, not " + kindOf(n)
	}
	one, last := Key{least: k.least, quoted: true}, math.MinInt
	for _, item := range n.Content {
		v, want := one.integer(item)
		if want != "" {
			return want
		}
		if k.increasing && v <= last {
			return "want integers of which each is larger than the one before, not " + strconv.Itoa(v) + " after " + strconv.Itoa(last)
		}
		last = v
	}
	return ""
}
