package apply_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/banquet-fs/banquet/apply"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/registry/registrytest"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/memory"
)

// actor is one of several applies at the same time. Each of its calls waits for its turn.
type actor struct {
	w    *world
	turn chan struct{}
	// asks is open while the actor waits for its turn.
	asks  chan struct{}
	err   error
	calls *[]string
	name  string
}

func (a *actor) wait(call string) {
	a.asks <- struct{}{}
	<-a.turn
	*a.calls = append(*a.calls, a.name+" "+call)
}

func (a *actor) Load(ctx context.Context) (*core.Registry, registry.Revision, error) {
	a.wait("load")
	return a.w.Load(ctx)
}

func (a *actor) Save(ctx context.Context, next *core.Registry, base registry.Revision) (registry.Revision, error) {
	a.wait("save")
	return a.w.Storage.Save(ctx, next, base)
}

func (a *actor) Changed(ctx context.Context, rev registry.Revision) (bool, error) {
	return a.w.Changed(ctx, rev)
}

func (a *actor) Writable(ctx context.Context) error { return a.w.Storage.Writable(ctx) }

func (a *actor) Plan(ctx context.Context, tables stores.Tables) (stores.TablePlan, error) {
	a.wait("plan")
	return a.w.Plan(ctx, tables)
}

func (a *actor) Do(ctx context.Context, changes []stores.Change) ([]stores.Finding, error) {
	for _, c := range changes { // a store makes them one after the other
		a.wait([]string{"create ", "alter ", "drop "}[c.Action] + c.Name)
		if _, err := a.w.Admin.Do(ctx, []stores.Change{c}); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (a *actor) Get(ctx context.Context, name string) ([]byte, error) {
	a.wait("get")
	return a.w.Get(ctx, name)
}

func (a *actor) Put(ctx context.Context, name string, data []byte) error {
	a.wait("put")
	return a.w.Put(ctx, name, data)
}

func (a *actor) List(ctx context.Context, prefix string) ([]string, error) {
	a.wait("list")
	return a.w.List(ctx, prefix)
}

// together runs applies of one project at the same time, in an order that the seed
// decides, and returns the calls in their order. It must run in a bubble.
func together(t *testing.T, w *world, seed uint64, applies ...[]string) (calls []string, errs []error) {
	r := rand.New(rand.NewPCG(seed, 1))
	actors := make([]*actor, len(applies))
	for i, views := range applies {
		a := &actor{w: w, turn: make(chan struct{}), asks: make(chan struct{}, 1), calls: &calls, name: fmt.Sprint(views)}
		actors[i] = a
		go func() {
			defer close(a.asks)
			_, a.err = apply.New(apply.Options{Storage: a, Project: "p", Online: a, Records: a}).Apply(t.Context(), objects(views...), apply.Observer{})
		}()
	}
	for last := -1; ; {
		synctest.Wait()
		var waiting []int
		ended := 0
		for i, a := range actors {
			switch {
			case len(a.asks) > 0:
				waiting = append(waiting, i)
			case closed(a):
				ended++
			}
		}
		if ended == len(actors) {
			break
		}
		if len(waiting) == 0 { // all that are left pause after a conflict
			<-time.After(time.Millisecond)
			continue
		}
		next := waiting[r.IntN(len(waiting))]
		if slices.Contains(waiting, last) && r.IntN(3) > 0 {
			next = last // one usually makes several calls before another is faster
		}
		last = next
		<-actors[next].asks
		actors[next].turn <- struct{}{}
	}
	for _, a := range actors {
		errs = append(errs, a.err)
	}
	return calls, errs
}

// closed reports whether an actor that does not wait for its turn has ended.
func closed(a *actor) bool {
	select {
	case _, open := <-a.asks:
		return !open
	default:
		return false
	}
}

// Whatever the order of the calls of several applies is, every view that the registry
// lists has its table in the end, and every table its view.
func TestAppliesOfTheSameViews(t *testing.T) {
	for name, applies := range map[string][][]string{
		"removed and kept":              {{"b"}, {"a", "b"}},
		"removed and defined again":     {{"b"}, {"a", "b"}, {"b"}},
		"two remove, one defines":       {{"b"}, {"c"}, {"a", "b", "c"}},
		"removed, changed and defined":  {{"b"}, {"a", "b", "d"}, {"a"}},
		"each removes that of the next": {{"a"}, {"b"}, {"c"}, {"d"}},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(60) {
				synctest.Test(t, func(t *testing.T) {
					w := &world{Storage: new(registrytest.Rows), Admin: new(memory.Store), records: map[string][]byte{}}
					if err := w.apply(t, "a", "b"); err != nil {
						t.Fatal(err)
					}
					calls, errs := together(t, w, seed, applies...)
					for i, err := range errs {
						if err != nil {
							t.Errorf("seed %d: apply %v: %v", seed, applies[i], err)
						}
					}
					if views, tables := w.state(t); !slices.Equal(views, tables) || len(w.records) > 0 {
						t.Errorf("seed %d: views %v, tables %v, records %v after\n%s", seed, views, tables, w.records, strings.Join(calls, "\n"))
					}
				})
				if t.Failed() {
					return
				}
			}
		})
	}
}
