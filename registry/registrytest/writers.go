package registrytest

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
)

func revisions(t testing.TB, b Backend) {
	saved := first(t, b, sample("a"))
	for _, s := range []registry.Storage{b, b, b.Other(t)} {
		if _, loaded, err := s.Load(t.Context()); err != nil || loaded != saved {
			t.Errorf("revision %q, %v; Save said %q", loaded, err, saved)
		}
	}
}

func conflict(t testing.TB, b Backend) {
	stale := first(t, b, sample("a"))
	second := sample("b")
	if _, err := b.Other(t).Save(t.Context(), second, stale); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Save(t.Context(), sample("c"), stale); !errors.Is(err, registry.ErrConflict) {
		t.Fatalf("saving over a stale base: %v, want ErrConflict", err)
	}
	holds(t, b, second)
}

func emptyBase(t testing.TB, b Backend) {
	a := sample("a")
	first(t, b, a)
	if _, err := b.Save(t.Context(), sample("b"), ""); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("a second first save: %v, want ErrConflict", err)
	}
	holds(t, b, a)
}

func oneWins(t testing.TB, b Backend) {
	const writers = 8
	storages := []registry.Storage{b, b.Other(t)}
	base := registry.Revision("")
	for round := range 4 {
		var wins atomic.Int64
		var winner atomic.Value
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				next := sample(strconv.Itoa(i))
				next.VersionId = strconv.Itoa(round)
				rev, err := storages[i%2].Save(t.Context(), next, base)
				switch {
				case err == nil:
					wins.Add(1)
					winner.Store(rev)
				case !errors.Is(err, registry.ErrConflict):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if wins.Load() != 1 {
			t.Fatalf("%d writers have saved over %q", wins.Load(), base)
		}
		base, _ = winner.Load().(registry.Revision)
	}
}

// whole reads while others save registries whose parts belong together.
func whole(t testing.TB, b Backend) {
	state := func(n int) *core.Registry {
		reg := sample("p")
		reg.VersionId = strconv.Itoa(n)
		for i := range 20 {
			reg.Entities = append(reg.Entities, &core.Entity{Spec: &core.EntitySpecV2{Name: strconv.Itoa(i), Project: "p", Description: reg.VersionId}})
		}
		return reg
	}
	base := first(t, b, state(0))
	other := b.Other(t)
	var stop atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		defer stop.Store(true)
		for n := 1; !stop.Load(); n++ {
			rev, err := b.Save(t.Context(), state(n), base)
			if err != nil {
				t.Error(err)
				return
			}
			base = rev
		}
	})
	const enough = 8
	for seen := map[string]bool{}; len(seen) < enough && !stop.Load(); {
		reg, _, err := other.Load(t.Context())
		if err != nil {
			t.Error(err)
			break
		}
		seen[reg.GetVersionId()] = true
		if i := slices.IndexFunc(reg.GetEntities(), func(e *core.Entity) bool { return e.GetSpec().GetDescription() != reg.GetVersionId() }); i >= 0 {
			t.Errorf("entity %v in the registry of save %s", reg.GetEntities()[i], reg.GetVersionId())
			break
		}
	}
	stop.Store(true)
	wg.Wait()
}

func changed(t testing.TB, b Backend) {
	rev := first(t, b, sample("a"))
	expect := func(rev registry.Revision, want bool, when string) {
		t.Helper()
		if changed, err := b.Changed(t.Context(), rev); err != nil || changed != want {
			t.Errorf("Changed = %v, %v %s", changed, err, when)
		}
	}
	expect(rev, false, "before any change")
	next, err := b.Other(t).Save(t.Context(), sample("b"), rev)
	if err != nil {
		t.Fatal(err)
	}
	expect(rev, true, "after a change")
	expect(next, false, "at the new revision")
}

func writable(t testing.TB, b Backend) {
	if err := b.Writable(t.Context()); err != nil {
		t.Errorf("before the first Save: %v", err)
	}
	nothing(t, b)
	rev := first(t, b, sample("a"))
	if err := b.Writable(t.Context()); err != nil {
		t.Errorf("after the first Save: %v", err)
	}
	if _, loaded, err := b.Load(t.Context()); err != nil || loaded != rev {
		t.Errorf("the revision is %q, %v after Writable; it was %q", loaded, err, rev)
	}
}

func done(t testing.TB, b Backend) {
	a := sample("a")
	rev := first(t, b, a)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, loadErr := b.Load(ctx)
	_, saveErr := b.Save(ctx, sample("b"), rev)
	for call, err := range map[string]error{"Load": loadErr, "Save": saveErr, "Writable": b.Writable(ctx)} {
		if fault.KindOf(err) != fault.Canceled {
			t.Errorf("%s = %v, want a Canceled fault", call, err)
		}
	}
	holds(t, b, a)
}

// add is an edit that adds a project.
func add(name string) func(*core.Registry) error {
	return func(r *core.Registry) error {
		r.Projects = append(r.Projects, &core.Project{Spec: &core.ProjectSpec{Name: name}})
		return nil
	}
}

func update(t testing.TB, b Backend) {
	one, err := registry.Update(t.Context(), b, add("a"))
	if err != nil {
		t.Fatal(err)
	}
	kept := proto.CloneOf(one)
	two, err := registry.Update(t.Context(), b, add("b"))
	if err != nil {
		t.Fatal(err)
	}
	if one.GetRegistrySchemaVersion() != registry.SchemaVersion || one.GetVersionId() == "" || one.GetLastUpdated() == nil {
		t.Errorf("the first save lacks a stamp: %v", one)
	}
	if two.GetVersionId() == one.GetVersionId() {
		t.Error("two saves have the same version id")
	}
	if !proto.Equal(kept, one) {
		t.Error("the second Update has changed what the first has returned")
	}
	holds(t, b, two)
}

func noChange(t testing.TB, b Backend) {
	rev := first(t, b, sample("a"))
	if _, err := registry.Update(t.Context(), b, func(*core.Registry) error { return registry.ErrNoChange }); err != nil {
		t.Fatal(err)
	}
	if _, loaded, err := b.Load(t.Context()); err != nil || loaded != rev {
		t.Errorf("the revision is %q, %v; it was %q", loaded, err, rev)
	}
}

func again(t testing.TB, b Backend) {
	first(t, b, sample("a"))
	other := b.Other(t)
	tries := 0
	reg, err := registry.Update(t.Context(), b, func(r *core.Registry) error {
		if tries++; tries == 1 { // somebody else saves in between
			_, rev, err := other.Load(t.Context())
			if err != nil {
				return err
			}
			if _, err := other.Save(t.Context(), sample("b"), rev); err != nil {
				return err
			}
		}
		return add("c")(r)
	})
	if err != nil || tries != 2 || len(reg.GetProjects()) != 2 || reg.Projects[0].Spec.Name != "b" {
		t.Errorf("after %d tries: %v, %v", tries, reg, err)
	}
}

func turned(t testing.TB, b Backend) {
	rev := first(t, b, sample("a"))
	other := b.Other(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tries := 0
	_, err := registry.Update(ctx, b, func(*core.Registry) (err error) {
		if tries++; tries == 3 {
			cancel()
		}
		next := sample("b")
		next.VersionId = strconv.Itoa(tries)
		rev, err = other.Save(t.Context(), next, rev) // somebody else is always faster
		return err
	})
	if fault.KindOf(err) != fault.Canceled || tries != 3 {
		t.Errorf("after %d tries: %v", tries, err)
	}
}

func concurrent(t testing.TB, b Backend) {
	first(t, b, sample("a"))
	const writers = 24
	storages := []registry.Storage{b, b.Other(t)}
	var wg, loaded sync.WaitGroup
	loaded.Add(writers)
	for i := range writers {
		wg.Go(func() {
			begin := sync.OnceFunc(func() { // all begin with the same registry
				loaded.Done()
				loaded.Wait()
			})
			defer begin()
			if _, err := registry.Update(t.Context(), storages[i%2], func(r *core.Registry) error {
				begin()
				return add(string(rune('b' + i)))(r)
			}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got, _, err := b.Load(t.Context())
	if err != nil || len(got.Projects) != writers+1 {
		t.Errorf("%d projects are stored, %v; want %d", len(got.GetProjects()), err, writers+1)
	}
}
