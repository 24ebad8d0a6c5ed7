package registrytest_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/registry/registrytest"
)

// A storage that keeps rows, in no order, meets the contract.
func TestRows(t *testing.T) {
	registrytest.Run(t, func(testing.TB) registrytest.Backend { return new(registrytest.Rows).Backend() })
}

// It writes only what differs.
func TestRowsWriteOnlyChanges(t *testing.T) {
	s := new(registrytest.Rows)
	full := registrytest.Full()
	rev, err := s.Save(t.Context(), full, "")
	if err != nil {
		t.Fatal(err)
	}
	before := s.Written()
	if all := len(registry.Rows(full)); before != all {
		t.Errorf("%d rows are written of %d", before, all)
	}
	next := proto.CloneOf(full)
	next.VersionId = "2"                            // the row of what belongs to no object
	next.FeatureViews[0].Spec.Description = "other" // a changed row
	next.Entities = next.Entities[1:]               // a row that is gone
	if _, err := s.Save(t.Context(), next, rev); err != nil {
		t.Fatal(err)
	}
	if n := s.Written() - before; n != 3 {
		t.Errorf("%d rows are written for 3 changes", n)
	}
}

// flawed is a storage with one flaw.
type flawed struct {
	registry.Storage
	mu    sync.Mutex
	load  func(*core.Registry, registry.Revision, error) (*core.Registry, registry.Revision, error)
	save  func(ctx context.Context, s registry.Storage, next *core.Registry, base registry.Revision) (registry.Revision, error)
	stale func(bool) bool
	may   func(registry.Storage)
	ctx   func(context.Context) context.Context
}

func (f *flawed) context(ctx context.Context) context.Context {
	if f.ctx != nil {
		return f.ctx(ctx)
	}
	return ctx
}

func (f *flawed) Load(ctx context.Context) (*core.Registry, registry.Revision, error) {
	reg, rev, err := f.Storage.Load(f.context(ctx))
	if f.load != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.load(reg, rev, err)
	}
	return reg, rev, err
}

func (f *flawed) Save(ctx context.Context, next *core.Registry, base registry.Revision) (registry.Revision, error) {
	if f.save != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.save(f.context(ctx), f.Storage, next, base)
	}
	return f.Storage.Save(f.context(ctx), next, base)
}

func (f *flawed) Changed(ctx context.Context, rev registry.Revision) (bool, error) {
	changed, err := f.Storage.Changed(ctx, rev)
	if f.stale != nil {
		changed = f.stale(changed)
	}
	return changed, err
}

func (f *flawed) Writable(ctx context.Context) error {
	if f.may != nil {
		f.may(f.Storage)
	}
	return f.Storage.Writable(f.context(ctx))
}

type flaw struct {
	name string
	make func() *flawed
	in   []string
}

// loading is a flaw of Load.
func loading(edit func(*core.Registry)) func() *flawed {
	return func() *flawed {
		return &flawed{load: func(reg *core.Registry, rev registry.Revision, err error) (*core.Registry, registry.Revision, error) {
			if err == nil {
				edit(reg)
			}
			return reg, rev, err
		}}
	}
}

// blind saves over whatever is stored.
func blind(when func(error, registry.Revision) bool) func() *flawed {
	return func() *flawed {
		return &flawed{save: func(ctx context.Context, s registry.Storage, next *core.Registry, base registry.Revision) (registry.Revision, error) {
			rev, err := s.Save(ctx, next, base)
			if when(err, base) {
				if _, now, err := s.Load(ctx); err == nil {
					return s.Save(ctx, next, now)
				}
			}
			return rev, err
		}}
	}
}

func contentFlaws() []flaw {
	return []flaw{
		{"an empty registry for none", func() *flawed {
			return &flawed{load: func(reg *core.Registry, rev registry.Revision, err error) (*core.Registry, registry.Revision, error) {
				if fault.KindOf(err) == fault.NotFound && err != nil {
					reg, rev, err = &core.Registry{}, "", nil
				}
				return reg, rev, err
			}}
		}, []string{"nothing stored is a NotFound fault", "Writable allows what Save can do, and changes nothing", "Update starts an empty registry and stamps every save"}},
		{"versions of views are lost", loading(func(r *core.Registry) {
			if h := r.GetFeatureViewVersionHistory(); h != nil {
				h.Records = nil
			}
		}), []string{"what was saved is loaded, field by field", "objects that are removed are gone, and no others"}},
		{"fields of a later version are lost", loading(func(r *core.Registry) {
			r.ProtoReflect().SetUnknown(nil)
		}), []string{"unknown fields are kept"}},
		{"what is removed comes back", func() *flawed {
			return &flawed{save: func(ctx context.Context, s registry.Storage, next *core.Registry, base registry.Revision) (registry.Revision, error) {
				if base != "" {
					if old, _, err := s.Load(ctx); err == nil && len(next.Permissions) > 0 && len(next.Permissions) < len(old.Permissions) {
						next = proto.CloneOf(next)
						next.Permissions = old.Permissions
					}
				}
				return s.Save(ctx, next, base)
			}}
		}, []string{"objects that are removed are gone, and no others"}},
		{"no objects, no registry", func() *flawed {
			return &flawed{load: func(reg *core.Registry, rev registry.Revision, err error) (*core.Registry, registry.Revision, error) {
				if err == nil && len(reg.GetProjects()) == 0 {
					return nil, "", fault.New(fault.NotFound, "empty")
				}
				return reg, rev, err
			}}
		}, []string{"a registry without objects is a registry"}},
		{"one registry that changes under its readers", func() *flawed {
			shared := &core.Registry{}
			return &flawed{load: func(reg *core.Registry, rev registry.Revision, err error) (*core.Registry, registry.Revision, error) {
				if err == nil && !proto.Equal(shared, reg) && len(reg.GetEntities()) == 0 {
					proto.Reset(shared)
					proto.Merge(shared, reg)
				}
				if err == nil && len(reg.GetEntities()) == 0 {
					return shared, rev, nil
				}
				return reg, rev, err
			}, save: func(ctx context.Context, s registry.Storage, next *core.Registry, base registry.Revision) (registry.Revision, error) {
				rev, err := s.Save(ctx, next, base)
				if err == nil && len(next.GetEntities()) == 0 {
					copied := proto.CloneOf(next)
					proto.Reset(shared)
					proto.Merge(shared, copied)
				}
				return rev, err
			}}
		}, []string{"a loaded registry does not change when another is saved"}},
		{"Save stamps what it is given", func() *flawed {
			return &flawed{save: func(ctx context.Context, s registry.Storage, next *core.Registry, base registry.Revision) (registry.Revision, error) {
				rev, err := s.Save(ctx, next, base)
				if len(next.Permissions) > 0 {
					next.LastUpdated = nil
				}
				return rev, err
			}}
		}, []string{"Save does not change what it saves", "what was saved is loaded, field by field"}},
		{"garbage is an empty registry", func() *flawed {
			return &flawed{load: func(reg *core.Registry, rev registry.Revision, err error) (*core.Registry, registry.Revision, error) {
				if err != nil && fault.KindOf(err) == fault.Unavailable && errors.Unwrap(err) != nil { // bytes that cannot be decoded
					reg, err = &core.Registry{}, nil
				}
				return reg, rev, err
			}}
		}, []string{"what is not a registry is an Unavailable fault, and is not overwritten"}},
		{"an outage is an absence", func() *flawed {
			return &flawed{load: func(reg *core.Registry, rev registry.Revision, err error) (*core.Registry, registry.Revision, error) {
				if err != nil && fault.KindOf(err) == fault.Unavailable && errors.Unwrap(err) == nil { // not the bytes
					return nil, "", fault.New(fault.NotFound, "nothing there")
				}
				return reg, rev, err
			}}
		}, []string{"a registry that cannot be reached is an Unavailable fault"}},
	}
}

func writerFlaws() []flaw {
	return []flaw{
		{"Load names another revision", func() *flawed {
			n := 0
			return &flawed{
				load: func(reg *core.Registry, rev registry.Revision, err error) (*core.Registry, registry.Revision, error) {
					n++
					return reg, registry.Revision(fmt.Sprint(rev, "/", n)), err
				},
				save: func(ctx context.Context, s registry.Storage, next *core.Registry, base registry.Revision) (registry.Revision, error) {
					was, _, _ := strings.Cut(string(base), "/")
					return s.Save(ctx, next, registry.Revision(was))
				},
			}
		}, []string{"Load, Save and another process name the same revision", "Writable allows what Save can do, and changes nothing", "Update writes nothing when nothing changes"}},
		{"the last writer wins", blind(func(err error, base registry.Revision) bool {
			return errors.Is(err, registry.ErrConflict) && base != ""
		}), []string{"a stale base is a conflict and nothing changes", "of several writers with the same base one succeeds", "Update plans again after a conflict", "writers at the same time lose nothing, and none is turned away", "Update waits for its turn only while its context lasts"}},
		{"the first save replaces", blind(func(err error, base registry.Revision) bool {
			return errors.Is(err, registry.ErrConflict) && base == ""
		}), []string{"an empty base means that nothing must be stored yet", "of several writers with the same base one succeeds"}},
		{"a reader gets the objects of the registry before", func() *flawed {
			var last *core.Registry
			return &flawed{load: func(reg *core.Registry, rev registry.Revision, err error) (*core.Registry, registry.Revision, error) {
				if err != nil || len(reg.GetEntities()) < 20 {
					return reg, rev, err
				}
				mixed := proto.CloneOf(reg)
				if last != nil {
					mixed.Entities = last.Entities
				}
				last = reg
				return mixed, rev, nil
			}}
		}, []string{"a reader sees one revision, whatever is saved meanwhile"}},
		{"never changed", func() *flawed { return &flawed{stale: func(bool) bool { return false }} }, []string{"a change is noticed, no change is not"}},
		{"always changed", func() *flawed { return &flawed{stale: func(bool) bool { return true }} }, []string{"a change is noticed, no change is not"}},
		{"Writable writes", func() *flawed {
			return &flawed{may: func(s registry.Storage) {
				reg, rev, err := s.Load(context.Background())
				if err != nil {
					return
				}
				_, _ = s.Save(context.Background(), reg, rev)
			}}
		}, []string{"Writable allows what Save can do, and changes nothing"}},
		{"a context is not looked at", func() *flawed { return &flawed{ctx: context.WithoutCancel} }, []string{"a context that is done ends every call, and nothing changes"}},
		{"Save saves what it was told not to", func() *flawed {
			return &flawed{save: func(ctx context.Context, s registry.Storage, next *core.Registry, base registry.Revision) (registry.Revision, error) {
				rev, err := s.Save(context.WithoutCancel(ctx), next, base)
				if ctx.Err() != nil {
					return "", fault.Of(ctx.Err())
				}
				return rev, err
			}}
		}, []string{"a context that is done ends every call, and nothing changes"}},
		{"the stamp is not stored", func() *flawed {
			return &flawed{load: func(reg *core.Registry, rev registry.Revision, err error) (*core.Registry, registry.Revision, error) {
				if err == nil && len(reg.GetProjects()) == 2 && len(reg.GetVersionId()) > 8 {
					reg.VersionId = ""
				}
				return reg, rev, err
			}}
		}, []string{"Update starts an empty registry and stamps every save"}},
		{"writers are turned away", func() *flawed {
			n := 0
			return &flawed{save: func(ctx context.Context, s registry.Storage, next *core.Registry, base registry.Revision) (registry.Revision, error) {
				if n++; n > 20 {
					return "", fault.New(fault.Unavailable, "too many writers")
				}
				return s.Save(ctx, next, base)
			}}
		}, []string{"a reader sees one revision, whatever is saved meanwhile", "of several writers with the same base one succeeds", "writers at the same time lose nothing, and none is turned away"}},
	}
}

// TestBrokenStoragesFailInWhatTheyBreak checks that each broken storage fails in the
// sentences named, and in no other. Every sentence finds some flaw.
func TestBrokenStoragesFailInWhatTheyBreak(t *testing.T) {
	found := map[string]bool{}
	for _, c := range slices.Concat(contentFlaws(), writerFlaws()) {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, s := range registrytest.Sentences() {
				if fails(t, s, c.make()) {
					got = append(got, s.Name)
				}
			}
			slices.Sort(c.in)
			slices.Sort(got)
			if diff := gocmp.Diff(c.in, got); diff != "" {
				t.Errorf("sentences that fail (-want +got):\n%s", diff)
			}
		})
		for _, name := range c.in {
			found[name] = true
		}
	}
	for _, s := range registrytest.Sentences() {
		if !found[s.Name] {
			t.Errorf("no storage breaks %q", s.Name)
		}
	}
}

// fails reports whether a storage does not meet a sentence.
func fails(t *testing.T, s registrytest.Sentence, f *flawed) bool {
	b := new(registrytest.Rows).Backend()
	f.Storage = b.Storage
	b.Storage, b.Other = f, func(testing.TB) registry.Storage { return f }
	v := &verdict{TB: t}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Check(v, b)
	}()
	<-ended
	return v.Failed()
}

// verdict is a testing.TB that notes whether a check fails.
type verdict struct {
	testing.TB
	mu     sync.Mutex
	failed bool
}

func (v *verdict) fail() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.failed = true
}

func (v *verdict) Helper()               {}
func (v *verdict) Error(...any)          { v.fail() }
func (v *verdict) Errorf(string, ...any) { v.fail() }
func (v *verdict) Fatal(...any)          { v.fail(); runtime.Goexit() }
func (v *verdict) Fatalf(string, ...any) { v.fail(); runtime.Goexit() }
func (v *verdict) Failed() bool          { v.mu.Lock(); defer v.mu.Unlock(); return v.failed }
