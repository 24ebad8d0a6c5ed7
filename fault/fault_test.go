package fault_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/banquet-fs/banquet/fault"
)

func TestKindOf(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want fault.Kind
	}{
		{"a fault has its own kind", fault.New(fault.NotFound, "no such view"), fault.NotFound},
		{"a wrapped fault keeps it", fmt.Errorf("reading: %w", fault.New(fault.Denied, "no")), fault.Denied},
		{"the outermost fault decides", fault.New(fault.Unavailable, "down").Because(fault.New(fault.Invalid, "x")), fault.Unavailable},
		{"a deadline is timed out", fmt.Errorf("read: %w", context.DeadlineExceeded), fault.TimedOut},
		{"a cancel is canceled", context.Canceled, fault.Canceled},
		{"anything else is internal", io.ErrUnexpectedEOF, fault.Internal},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := fault.KindOf(c.err); got != c.want {
				t.Errorf("KindOf(%v) = %v, want %v", c.err, got, c.want)
			}
			if got := fault.Of(c.err).Kind; got != c.want {
				t.Errorf("Of(%v).Kind = %v, want %v", c.err, got, c.want)
			}
		})
	}
}

func TestTheCauseStaysOutOfTheText(t *testing.T) {
	cause := errors.New("password=secret")
	err := fault.New(fault.Unavailable, "PostgreSQL at %s cannot be reached", "localhost:5432").Because(cause)
	if got, want := err.Error(), "PostgreSQL at localhost:5432 cannot be reached"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if !errors.Is(err, cause) {
		t.Error("errors.Is does not find the cause")
	}
	if got := fault.Cause(fmt.Errorf("wrapped: %w", err)); !errors.Is(got, cause) {
		t.Errorf("Cause = %v, want %v", got, cause)
	}
}

func TestUnclassifiedErrorsKeepTheirTextInside(t *testing.T) {
	f := fault.Of(errors.New("pq: row 7 of table secret"))
	if want := "internal error; the cause is in the log"; f.Text != want {
		t.Errorf("Text = %q, want %q", f.Text, want)
	}
}

func TestEveryKindHasAName(t *testing.T) {
	seen := map[string]bool{}
	for k := fault.Internal; k <= fault.Unimplemented; k++ {
		name := k.String()
		if name == "" || seen[name] {
			t.Errorf("kind %d has the name %q, empty or used twice", k, name)
		}
		seen[name] = true
	}
	if got := fault.Kind(200).String(); got != "kind 200" {
		t.Errorf("unknown kind prints %q", got)
	}
}
