package offlinetest_test

import (
	"context"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/offlinetest"
)

func TestTheModelHoldsTheContractOfSlices(t *testing.T) {
	offlinetest.RunSlices(t, func(testing.TB) offlinetest.Backend { return new(model) })
	offlinetest.Run(t, func(testing.TB) offlinetest.Backend { return offlinetest.Sliced(new(model)) })
}

// uneven is a slicer that breaks the contract: it changes what is asked for or what
// comes of it.
type uneven struct {
	*model
	n       func(int) int
	query   func(*offline.Query)
	ctx     func(context.Context) context.Context
	readers func([]array.RecordReader) []array.RecordReader
	reader  func(array.RecordReader) array.RecordReader
	leaks   bool
}

func (u *uneven) Store() offline.Store { return u }

func (u *uneven) Slices(ctx context.Context, q offline.Query, n int) ([]array.RecordReader, error) {
	if u.n != nil {
		n = u.n(n)
	}
	if u.query != nil {
		u.query(&q)
	}
	if u.ctx != nil {
		ctx = u.ctx(ctx)
	}
	readers, err := u.model.Slices(ctx, q, n)
	if err != nil {
		if u.leaks {
			u.Hold()
		}
		return nil, err
	}
	if u.readers != nil {
		readers = u.readers(readers)
	}
	for i := range readers {
		if u.reader != nil {
			readers[i] = u.reader(readers[i])
		}
	}
	return readers, nil
}

// renamed has another schema than its batches.
type renamed struct{ array.RecordReader }

func (r *renamed) Schema() *arrow.Schema { return arrow.NewSchema(nil, nil) }

// twins end together.
type twins struct {
	array.RecordReader
	ended *bool
}

func (r *twins) Next() bool { return !*r.ended && r.RecordReader.Next() }
func (r *twins) Release()   { *r.ended = true; r.RecordReader.Release() }

// mute has no errors.
type mute struct{ array.RecordReader }

func (r *mute) Err() error { return nil }

func unevenFlaws() map[string]struct {
	uneven uneven
	in     []string
} {
	type flaw = struct {
		uneven uneven
		in     []string
	}
	return map[string]flaw{
		"the last part is left out": {uneven{readers: func(list []array.RecordReader) []array.RecordReader {
			if len(list) > 2 {
				list[len(list)-1].Release()
				list = list[:len(list)-1]
			}
			return list
		}}, []string{
			"the readers together have exactly the rows of Range",
			"the bounds of a query hold in every reader",
			"readers one after the other are in the source's order",
			"readers may be read at the same time",
			"a failure is an error of Slices or of a reader",
		}},
		"bounds do not hold": {uneven{query: func(q *offline.Query) { q.Start = q.Start.AddDate(-1, 0, 0) }}, []string{
			"the bounds of a query hold in every reader",
		}},
		"there is one reader more": {uneven{n: func(n int) int { return max(1, n) + 1 }}, []string{"there are one to n readers"}},
		"parts come backwards": {uneven{readers: func(list []array.RecordReader) []array.RecordReader {
			slices.Reverse(list)
			return list
		}}, []string{"readers one after the other are in the source's order"}},
		"schemas differ": {uneven{reader: func(r array.RecordReader) array.RecordReader { return &renamed{r} }}, []string{
			"the readers together have exactly the rows of Range",
			"the bounds of a query hold in every reader",
			"all readers have one schema",
			"readers one after the other are in the source's order",
			"a reader that is released leaves the others alone",
			"a failure is an error of Slices or of a reader",
			"nothing is held after the readers, however far they were read",
		}},
		"one Release ends all": {uneven{readers: func(list []array.RecordReader) []array.RecordReader {
			ended := false
			for i := range list {
				list[i] = &twins{list[i], &ended}
			}
			return list
		}}, []string{"a reader that is released leaves the others alone"}},
		"errors are lost": {uneven{reader: func(r array.RecordReader) array.RecordReader { return &mute{r} }}, []string{
			"what Range refuses, Slices refuses",
			"a failure is an error of Slices or of a reader",
			"a done context ends all readers",
		}},
		"what is refused is held": {uneven{leaks: true}, []string{"what Range refuses, Slices refuses"}},
		"a caller who has gone is read for": {uneven{ctx: context.WithoutCancel}, []string{
			"what Range refuses, Slices refuses",
			"a done context ends all readers",
		}},
		"Release holds on": {uneven{reader: func(r array.RecordReader) array.RecordReader { return &forgetful{r} }}, []string{
			"a reader that is released leaves the others alone",
			"nothing is held after the readers, however far they were read",
		}},
	}
}

// Each slicer breaks the contract in one way; the suite must find it in the
// sentences named, and in no other. Every sentence must find some flaw.
func TestBrokenSlicersFailInWhatTheyBreak(t *testing.T) {
	found := map[string]bool{}
	for name, c := range unevenFlaws() {
		t.Run(name, func(t *testing.T) {
			besideOthers(t, c.in)
			got := failing(t, offlinetest.SliceSentences(), c.in, func() offlinetest.Backend {
				u := c.uneven
				u.model = new(model)
				return &u
			})
			if diff := gocmp.Diff(c.in, got); diff != "" {
				t.Errorf("sentences that fail (-want +got):\n%s", diff)
			}
		})
		for _, name := range c.in {
			found[name] = true
		}
	}
	for _, s := range offlinetest.SliceSentences() {
		if !found[s.Name] {
			t.Errorf("no slicer breaks %q", s.Name)
		}
	}
}
