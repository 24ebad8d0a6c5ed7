package config

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Kind is what a value must be. It is also the word for it in the documentation.
type Kind string

// The kinds of values.
const (
	Text       Kind = "text"
	Credential Kind = "secret" // never in an error
	Boolean    Kind = "boolean"
	Integer    Kind = "integer"
	Number     Kind = "number"
	Span       Kind = "time span"
	Texts      Kind = "keys and texts"
	List       Kind = "list of texts"
	Integers   Kind = "list of integers"
	Program    Kind = "boolean or text"
	Anything   Kind = "any"
)

// Key is a key of a section. Documentation, checks, defaults and decoding come from it.
type Key struct {
	Name    string
	Kind    Kind
	Unit    string // of a number
	Default string // as in YAML, without quotes; empty if there is none
	Shown   string // the default in the documentation, if that is not Default
	Doc     string
	// Used is false for a key of Feast that is accepted and has no effect.
	Used bool
	// needed says why the key must be given; empty if it may be left out.
	needed string
	// Choices are the allowed values, if not every text is.
	Choices []string
	// least is the smallest number.
	least int
	// quoted says that the value may be in quotes: Feast takes "5433" for some numbers.
	quoted bool
	// increasing says that each integer of a list must be larger than the one before.
	increasing bool
	into       any // points to the field that gets the value, nil if there is none
}

// Section is a section of the file with its keys.
type Section struct {
	// Name is the path of the section, Type the type of a store.
	Name, Type string
	// Open says that keys which the section does not have are ignored, as in Feast.
	Open bool
	Keys []Key
}

// Title names the section: online_store(dynamodb), banquet.limits.
func (s *Section) Title() string {
	if s.Type == "" {
		return s.Name
	}
	return s.Name + "(" + s.Type + ")"
}

// key returns the key of a name, nil if there is none.
func (s *Section) key(name string) *Key {
	for i := range s.Keys {
		if s.Keys[i].Name == name {
			return &s.Keys[i]
		}
	}
	return nil
}

// setDefault stores the default in the key's field.
func (k *Key) setDefault() {
	if k.Default == "" || k.into == nil {
		return
	}
	if want := k.read(&yaml.Node{Kind: yaml.ScalarNode, Value: k.Default}); want != "" {
		panic(fmt.Sprintf("the default of %s: %s", k.Name, want))
	}
}

// used makes a key whose value is stored in into.
func used(name string, kind Kind, def string, into any, doc string) Key {
	return Key{Name: name, Kind: kind, Default: def, Doc: doc, Used: true, into: into}
}

// unused makes a key of Feast that is checked and has no effect.
func unused(name string, kind Kind, def, doc string) Key {
	return Key{Name: name, Kind: kind, Default: def, Doc: doc}
}

func (k Key) unit(u string) Key       { k.Unit = u; return k }
func (k Key) shown(text string) Key   { k.Shown = text; return k }
func (k Key) need(why string) Key     { k.needed = why; return k }
func (k Key) one(of ...string) Key    { k.Choices = of; return k }
func (k Key) positive() Key           { k.least = 1; return k }
func (k Key) orQuoted() Key           { k.quoted = true; return k }
func (k Key) strictlyIncreasing() Key { k.increasing = true; return k }

// typeKey is the key that chooses a store.
func typeKey(name string) Key {
	return Key{Name: "type", Kind: Text, Default: name, Doc: "Chooses the store.", Used: true}
}

// Sections returns all sections. The values of their keys go to c.
func Sections(c *Config) []Section {
	sections := []Section{
		{Open: true, Keys: topKeys(c)},
		{Name: "registry", Open: true, Keys: registryKeys(&c.Registry)},
		{Name: "registry.mcp", Open: true, Keys: []Key{unused("enabled", Boolean, "false", "There is no registry server.")}},
		{Name: "auth", Open: true, Keys: []Key{used("type", Text, "no_auth", &c.Auth.Type, "`no_auth`. `kubernetes` and `oidc` are refused: use a proxy that authenticates.").need("want no_auth")}},
		{Name: "materialization", Open: true, Keys: materializationKeys(&c.Materialization)},
		{Name: "data_quality_monitoring", Keys: []Key{
			used("auto_baseline", Boolean, "true", &c.quality.baseline, "If the file has this section, `apply` is refused unless this is false: Feast would store baselines."),
		}},
	}
	sections = append(sections, storeSections(c)...)
	sections = append(sections, feastSections(c)...)
	return append(sections, banquetSections(&c.Banquet)...)
}

// index finds sections by their titles.
func index(sections []Section) map[string]*Section {
	m := make(map[string]*Section, len(sections))
	for i := range sections {
		m[sections[i].Title()] = &sections[i]
	}
	return m
}

// elsewhere names the sections that have a key, at most two, for the error about a key in
// the wrong section.
func elsewhere(sections []Section, name string) string {
	var found []string
	for i := range sections {
		s := &sections[i]
		if s.key(name) == nil || len(found) == 2 {
			continue
		}
		switch {
		case s.Name == "":
			found = append(found, "the top of the file")
		case s.Type == "":
			found = append(found, s.Name)
		default:
			found = append(found, fmt.Sprintf("%s of type %s", s.Name, s.Type))
		}
	}
	return strings.Join(found, " and ")
}
