package apply_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/banquet-fs/banquet/apply"
	"github.com/banquet-fs/banquet/fault"
)

// An apply that is stopped says in one line how far it is, and the next one does the rest.
func TestAnApplyIsStopped(t *testing.T) {
	const again = "; run the same apply again"
	want := map[string]string{
		"writable":   "stopped; nothing is changed",
		"create p_c": "stopped; not every table is made, and the registry is not changed" + again,
		"remember":   "stopped; the tables are made, but the registry is not changed" + again,
		"save":       "stopped; the tables are made, but the registry is not changed" + again,
		"drop p_a":   "stopped; the registry is saved, but not every table of a deleted feature view is dropped (p_a)" + again,
		"forget":     "", // everything is done
	}
	var seen []string
	for call := 1; ; call++ {
		w := newWorld(t)
		if err := w.apply(t, "a", "b"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		w.calls, w.fail, w.stop = nil, call, cancel
		_, err := apply.New(w.options()).Apply(ctx, objects("b", "c"), apply.Observer{})
		cancel()
		if len(w.calls) < call {
			break
		}
		name := w.calls[call-1]
		seen = append(seen, name)
		switch text := want[name]; {
		case text != "" && (err == nil || err.Error() != text || fault.KindOf(err) != fault.Canceled):
			t.Errorf("%s: %v; want %s", name, err, text)
		case err != nil && (strings.Contains(err.Error(), "\n") || fault.KindOf(err) != fault.Canceled):
			t.Errorf("%s: %v", name, err)
		}
		w.fail, w.stop = 0, nil
		if err := w.apply(t, "b", "c"); err != nil {
			t.Errorf("after %s: %v", name, err)
		}
		if views, tables := w.state(t); fmt.Sprint(views, tables) != "[b c] [b c]" || len(w.records) > 0 {
			t.Errorf("after %s: %v, %v, records %v", name, views, tables, w.records)
		}
	}
	for name := range want {
		if !slices.Contains(seen, name) {
			t.Errorf("an apply makes no call %q: %v", name, seen)
		}
	}
}

// Before anything is asked, too; another error stays what it is.
func TestStoppedSaysWhatIsSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	other := fault.New(fault.Invalid, "the definitions are wrong")
	said := fault.New(fault.Canceled, "stopped; something is changed")
	if err := apply.Stopped(ctx, fault.Of(context.Canceled)); err.Error() != fault.Of(context.Canceled).Text {
		t.Errorf("of a call that has stopped itself: %v", err)
	}
	cancel()
	for err, want := range map[error]string{
		other: other.Text, said: said.Text, fault.Of(ctx.Err()): "stopped; nothing is changed", ctx.Err(): "stopped; nothing is changed",
	} {
		if got := apply.Stopped(ctx, err); got.Error() != want {
			t.Errorf("%v becomes %v", err, got)
		}
	}
	if err := apply.Stopped(ctx, nil); err != nil {
		t.Error(err)
	}
	w := newWorld(t)
	if _, err := apply.New(w.options()).Apply(ctx, objects("a"), apply.Observer{}); err == nil || err.Error() != "stopped; nothing is changed" {
		t.Errorf("an apply with a context that is done: %v", err)
	}
	if len(w.calls) > 1 {
		t.Errorf("it makes %v", w.calls)
	}
}
