// Package registrytest checks that a storage meets the contract of registry.Storage,
// sentence by sentence.
package registrytest

import (
	"testing"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
)

// Backend is a storage under test, and what may happen to it.
type Backend struct {
	registry.Storage
	// Other opens the same registry once more, as another process would.
	Other func(testing.TB) registry.Storage
	// Damage replaces what is stored by something that is not a registry.
	Damage func(testing.TB)
	// Outage makes the place of the registry unreachable.
	Outage func(testing.TB)
}

// Sentence is one sentence of the contract with the check of it.
type Sentence struct {
	Name  string
	Check func(testing.TB, Backend)
}

// Sentences lists the contract, and what Update makes of it.
func Sentences() []Sentence {
	return []Sentence{
		{"nothing stored is a NotFound fault", nothing},
		{"what was saved is loaded, field by field", saved},
		{"unknown fields are kept", unknown},
		{"objects that are removed are gone, and no others", removed},
		{"a registry without objects is a registry", noObjects},
		{"a loaded registry does not change when another is saved", isolated},
		{"Save does not change what it saves", untouched},
		{"Load, Save and another process name the same revision", revisions},
		{"a stale base is a conflict and nothing changes", conflict},
		{"an empty base means that nothing must be stored yet", emptyBase},
		{"of several writers with the same base one succeeds", oneWins},
		{"a reader sees one revision, whatever is saved meanwhile", whole},
		{"a change is noticed, no change is not", changed},
		{"Writable allows what Save can do, and changes nothing", writable},
		{"what is not a registry is an Unavailable fault, and is not overwritten", damaged},
		{"a registry that cannot be reached is an Unavailable fault", outage},
		{"a context that is done ends every call, and nothing changes", done},
		{"Update starts an empty registry and stamps every save", update},
		{"Update writes nothing when nothing changes", noChange},
		{"Update plans again after a conflict", again},
		{"writers at the same time lose nothing, and none is turned away", concurrent},
		{"Update waits for its turn only while its context lasts", turned},
	}
}

// Run checks every sentence, each with a new, empty storage.
func Run(t *testing.T, open func(testing.TB) Backend) {
	t.Helper()
	for _, s := range Sentences() {
		t.Run(s.Name, func(t *testing.T) { s.Check(t, open(t)) })
	}
}

// sample is a registry with one project.
func sample(name string) *core.Registry {
	return &core.Registry{
		RegistrySchemaVersion: registry.SchemaVersion, VersionId: "1", LastUpdated: timestamppb.Now(),
		Projects: []*core.Project{{Spec: &core.ProjectSpec{Name: name}}},
	}
}

// first saves the first registry of a storage.
func first(t testing.TB, s registry.Storage, reg *core.Registry) registry.Revision {
	t.Helper()
	rev, err := s.Save(t.Context(), reg, "")
	if err != nil {
		t.Fatal(err)
	}
	return rev
}

// holds checks what is stored, up to the order of objects.
func holds(t testing.TB, s registry.Storage, want *core.Registry) {
	t.Helper()
	got, _, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	put, gone := registry.RowChanges(want, got)
	for _, r := range put {
		t.Errorf("stored is %v: %v", r.Key, r.Message)
	}
	for _, k := range gone {
		t.Errorf("not stored: %v", k)
	}
}
