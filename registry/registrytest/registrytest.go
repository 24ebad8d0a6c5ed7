// Package registrytest checks that a storage meets the contract of registry.Storage,
// sentence by sentence.
package registrytest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
)

// Run checks every sentence of the contract, each with a new, empty storage.
func Run(t *testing.T, open func(testing.TB) registry.Storage) {
	for _, c := range []struct {
		name  string
		check func(*testing.T, registry.Storage)
	}{
		{"nothing stored is a NotFound fault", nothing},
		{"what was saved is loaded", saved},
		{"unknown fields are kept", unknown},
		{"a stale base is a conflict and nothing changes", conflict},
		{"an empty base means that nothing must be stored yet", emptyBase},
		{"a change is noticed, no change is not", changed},
		{"Writable allows what Save can do, and changes nothing", writable},
		{"Update starts an empty registry and stamps every save", update},
		{"Update writes nothing when nothing changes", noChange},
		{"Update plans again after a conflict", again},
		{"writers at the same time lose nothing, and none is turned away", concurrent},
		{"Update waits for its turn only while its context lasts", turned},
	} {
		t.Run(c.name, func(t *testing.T) { c.check(t, open(t)) })
	}
}

func sample(name string) *core.Registry {
	return &core.Registry{
		RegistrySchemaVersion: registry.SchemaVersion, VersionId: "1", LastUpdated: timestamppb.Now(),
		Projects: []*core.Project{{Spec: &core.ProjectSpec{Name: name}}},
	}
}

func nothing(t *testing.T, s registry.Storage) {
	_, _, err := s.Load(t.Context())
	if kind := fault.KindOf(err); err == nil || kind != fault.NotFound {
		t.Errorf("Load = %v (%v), want a NotFound fault", err, kind)
	}
}

func saved(t *testing.T, s registry.Storage) {
	want := sample("a")
	rev, err := s.Save(t.Context(), want, "")
	if err != nil {
		t.Fatal(err)
	}
	got, loaded, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-saved +loaded)\n%s", diff)
	}
	if loaded != rev {
		t.Errorf("revision %q, Save said %q", loaded, rev)
	}
}

func unknown(t *testing.T, s registry.Storage) {
	want := sample("a")
	want.ProtoReflect().SetUnknown([]byte{0xfa, 0x3e, 0x01, 'x'})
	if _, err := s.Save(t.Context(), want, ""); err != nil {
		t.Fatal(err)
	}
	got, _, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if string(got.ProtoReflect().GetUnknown()) != "\xfa\x3e\x01x" {
		t.Errorf("unknown fields are %x", got.ProtoReflect().GetUnknown())
	}
}

func conflict(t *testing.T, s registry.Storage) {
	first, err := s.Save(t.Context(), sample("a"), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Save(t.Context(), sample("b"), first); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Save(t.Context(), sample("c"), first); !errors.Is(err, registry.ErrConflict) {
		t.Fatalf("saving over a stale base: %v, want ErrConflict", err)
	}
	got, _, err := s.Load(t.Context())
	if err != nil || got.Projects[0].Spec.Name != "b" {
		t.Errorf("stored: %v, %v", got, err)
	}
}

func writable(t *testing.T, s registry.Storage) {
	if err := s.Writable(t.Context()); err != nil {
		t.Errorf("before the first Save: %v", err)
	}
	nothing(t, s)
	rev, err := s.Save(t.Context(), sample("a"), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Writable(t.Context()); err != nil {
		t.Errorf("after the first Save: %v", err)
	}
	if changed, err := s.Changed(t.Context(), rev); err != nil || changed {
		t.Errorf("Changed = %v, %v after Writable", changed, err)
	}
}

func emptyBase(t *testing.T, s registry.Storage) {
	if _, err := s.Save(t.Context(), sample("a"), ""); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Save(t.Context(), sample("b"), ""); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("a second first save: %v, want ErrConflict", err)
	}
}

func changed(t *testing.T, s registry.Storage) {
	rev, err := s.Save(t.Context(), sample("a"), "")
	if err != nil {
		t.Fatal(err)
	}
	if changed, err := s.Changed(t.Context(), rev); err != nil || changed {
		t.Errorf("Changed = %v, %v before any change", changed, err)
	}
	next, err := s.Save(t.Context(), sample("b"), rev)
	if err != nil {
		t.Fatal(err)
	}
	if changed, err := s.Changed(t.Context(), rev); err != nil || !changed {
		t.Errorf("Changed = %v, %v after a change", changed, err)
	}
	if changed, err := s.Changed(t.Context(), next); err != nil || changed {
		t.Errorf("Changed = %v, %v at the new revision", changed, err)
	}
}

func update(t *testing.T, s registry.Storage) {
	add := func(name string) *core.Registry {
		t.Helper()
		reg, err := registry.Update(t.Context(), s, func(r *core.Registry) error {
			r.Projects = append(r.Projects, &core.Project{Spec: &core.ProjectSpec{Name: name}})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return reg
	}
	first, second := add("a"), add("b")
	if first.GetRegistrySchemaVersion() != registry.SchemaVersion || first.GetVersionId() == "" || first.GetLastUpdated() == nil {
		t.Errorf("the first save lacks a stamp: %v", first)
	}
	if second.GetVersionId() == first.GetVersionId() {
		t.Error("two saves have the same version id")
	}
	got, _, err := s.Load(t.Context())
	if err != nil || len(got.Projects) != 2 {
		t.Errorf("stored: %v, %v", got, err)
	}
}

func noChange(t *testing.T, s registry.Storage) {
	rev, err := s.Save(t.Context(), sample("a"), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := registry.Update(t.Context(), s, func(*core.Registry) error { return registry.ErrNoChange }); err != nil {
		t.Fatal(err)
	}
	if changed, err := s.Changed(t.Context(), rev); err != nil || changed {
		t.Errorf("Changed = %v, %v", changed, err)
	}
}

func again(t *testing.T, s registry.Storage) {
	if _, err := s.Save(t.Context(), sample("a"), ""); err != nil {
		t.Fatal(err)
	}
	tries := 0
	reg, err := registry.Update(t.Context(), s, func(r *core.Registry) error {
		if tries++; tries == 1 { // somebody else saves in between
			_, rev, err := s.Load(t.Context())
			if err != nil {
				return err
			}
			if _, err := s.Save(t.Context(), sample("b"), rev); err != nil {
				return err
			}
		}
		r.Projects = append(r.Projects, &core.Project{Spec: &core.ProjectSpec{Name: "c"}})
		return nil
	})
	if err != nil || tries != 2 || len(reg.GetProjects()) != 2 || reg.Projects[0].Spec.Name != "b" {
		t.Errorf("after %d tries: %v, %v", tries, reg, err)
	}
}

func turned(t *testing.T, s registry.Storage) {
	rev, err := s.Save(t.Context(), sample("a"), "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tries := 0
	_, err = registry.Update(ctx, s, func(*core.Registry) error {
		if tries++; tries == 3 {
			cancel()
		}
		next := sample("b")
		next.VersionId = string(rune('0' + tries))
		rev, err = s.Save(t.Context(), next, rev) // somebody else is always faster
		return err
	})
	if fault.KindOf(err) != fault.Canceled || tries != 3 {
		t.Errorf("after %d tries: %v", tries, err)
	}
}

func concurrent(t *testing.T, s registry.Storage) {
	if _, err := s.Save(t.Context(), sample("a"), ""); err != nil {
		t.Fatal(err)
	}
	const writers = 24
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			if _, err := registry.Update(t.Context(), s, func(r *core.Registry) error {
				r.Projects = append(r.Projects, &core.Project{Spec: &core.ProjectSpec{Name: string(rune('b' + i))}})
				return nil
			}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got, _, err := s.Load(t.Context())
	if err != nil || len(got.Projects) != writers+1 {
		t.Errorf("%d projects are stored, %v; want %d", len(got.GetProjects()), err, writers+1)
	}
}
