package registry_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/registry/registrytest"
)

// contended is a storage in which another writer is always faster, until a number of
// saves.
type contended struct {
	registrytest.Rows
	saves, until int
	at           []time.Time
}

func (c *contended) Save(ctx context.Context, next *core.Registry, base registry.Revision) (registry.Revision, error) {
	c.saves++
	c.at = append(c.at, time.Now())
	if c.until == 0 || c.saves < c.until {
		return "", registry.ErrConflict
	}
	return c.Rows.Save(ctx, next, base)
}

// A change that others are always faster than is tried again, with pauses that grow to a
// quarter of a second, until its deadline, or for half a minute without one.
func TestAChangeIsTriedAgainUntilItsDeadline(t *testing.T) {
	rename := func(r *core.Registry) error { r.Projects = nil; return nil }
	for _, limit := range []time.Duration{0, time.Second, 5 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			ctx, want := t.Context(), 30*time.Second
			if limit > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, limit)
				defer cancel()
				want = limit
			}
			began, s := time.Now(), new(contended)
			_, err := registry.Update(ctx, s, rename)
			took := time.Since(began)
			if fault.KindOf(err) != fault.Conflict || !errors.Is(err, registry.ErrConflict) {
				t.Errorf("limit %v: %v", limit, err)
			}
			if took < want-time.Second || took > want+time.Second {
				t.Errorf("limit %v: it gives up after %v", limit, took)
			}
			for i := 1; i < len(s.at); i++ {
				if pause := s.at[i].Sub(s.at[i-1]); pause > 250*time.Millisecond {
					t.Errorf("limit %v: a pause of %v", limit, pause)
				}
			}
			if least := int(took / (250 * time.Millisecond)); s.saves < least {
				t.Errorf("limit %v: %d tries in %v", limit, s.saves, took)
			}
		})
	}
}

// It succeeds as soon as nobody is faster, and ends at once when its context is canceled.
func TestAChangeIsSavedInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &contended{until: 50}
		if _, err := registry.Update(t.Context(), s, func(r *core.Registry) error {
			r.RegistrySchemaVersion = registry.SchemaVersion
			return nil
		}); err != nil || s.saves != 50 {
			t.Errorf("%v after %d tries", err, s.saves)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		began := time.Now()
		_, err := registry.Update(ctx, new(contended), func(*core.Registry) error { return nil })
		if took := time.Since(began); fault.KindOf(err) != fault.Canceled || took != 3*time.Second {
			t.Errorf("%v after %v", err, took)
		}
	})
}

// An edit that fails saves nothing, and Update returns its error. What an edit without a
// change has done to its copy does not count.
func TestAnEditThatFails(t *testing.T) {
	s := new(registrytest.Rows)
	rev, err := s.Save(t.Context(), registrytest.Full(), "")
	if err != nil {
		t.Fatal(err)
	}
	wrong := fault.New(fault.Invalid, "a wrong change")
	_, err = registry.Update(t.Context(), s, func(r *core.Registry) error {
		r.FeatureViews = nil
		return wrong
	})
	if !errors.Is(err, wrong) {
		t.Errorf("%v", err)
	}
	if changed, err := s.Changed(t.Context(), rev); changed || err != nil {
		t.Errorf("the registry has changed: %v, %v", changed, err)
	}
	if got, err := registry.Update(t.Context(), s, func(r *core.Registry) error {
		r.FeatureViews = nil
		return registry.ErrNoChange
	}); err != nil || len(got.GetFeatureViews()) == 0 {
		t.Errorf("an edit with nothing to change gives %v, %v", got, err)
	}
}
