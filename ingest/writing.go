package ingest

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/banquet-fs/banquet/encode"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/stores"
)

const (
	// defaultBatch is how many rows one write carries by default.
	defaultBatch = 1000
	// batchBytes bounds the memory of one write, except that of a single row.
	batchBytes = 4 << 20
	// writers is how many writes run at once; a backend splits each further.
	writers = 4
	// namedRows is how many refused rows an error names.
	namedRows = 5
)

// writing is the state and outcome of writing a view's rows.
type writing struct {
	online   stores.Writer
	layout   *encode.Layout
	view     *registry.View
	table    stores.Table
	features *stores.Selection
	mode     stores.Mode
	size     int
	pace     *pace
	progress func(rows int)

	mu      sync.Mutex
	total   outcome
	named   []refusal
	waiting map[int]part // batches that are stored, after one that is not
	prefix  part         // the batches from the first on that are all stored
	gap     int          // the first batch with a row that the store cannot hold
}

// outcome counts rows that were written.
type outcome struct{ stored, older, refused int }

func (o outcome) add(p outcome) outcome {
	return outcome{o.stored + p.stored, o.older + p.older, o.refused + p.refused}
}

func (o outcome) all() int { return o.stored + o.older + o.refused }

// part is a number of batches in the order of the keys: the last of their keys,
// with its event time, and their outcome.
type part struct {
	last  []byte
	event time.Time
	next  int // the number of the first batch that does not belong to it
	outcome
}

// refusal is a row that the store cannot hold, and why.
type refusal struct {
	key   []byte
	event time.Time
	err   error
}

func (m *Materializer) newWriting(v *registry.View, l *encode.Layout, mode stores.Mode) *writing {
	features := make([]string, 0, len(v.Features))
	for _, f := range v.Features {
		features = append(features, f.Name)
	}
	size := max(m.opt.BatchSize, m.opt.BatchCells/max(1, len(features)))
	return &writing{
		online: m.opt.Online, layout: l, view: v, mode: mode, size: size, pace: newPace(size), waiting: map[int]part{}, gap: math.MaxInt,
		table:    stores.Table{Project: v.Project, View: v.Name, Version: v.TableVersion},
		features: stores.NewSelection(features...),
	}
}

// batch is the rows of one write, and the memory that they are in.
type batch struct {
	number  int
	slab    []byte
	places  []int
	values  [][]byte
	records []stores.Record
	outcome
}

// run stores rows, several writes at a time, and counts what the store
// acknowledged. Each key occurs once, so the writes may end in any order. They
// begin in the order of the keys: a store that keeps a tree then changes each page
// once instead of in every write. Rows are read as fast as they are written. A
// failure of the store ends all writes at once; rows that it cannot hold are
// reported as an error at the end.
func (w *writing) run(ctx context.Context, rows stream) error {
	group, ctx := errgroup.WithContext(ctx)
	free := make(chan *batch, 2*writers)
	for range 2 * writers {
		free <- new(batch)
	}
	err := w.begin(ctx, group, rows, free)
	if failed := group.Wait(); failed != nil {
		return failed
	}
	if err != nil {
		return err
	}
	return w.refusals()
}

// begin begins the writes.
func (w *writing) begin(ctx context.Context, group *errgroup.Group, rows stream, free chan *batch) error {
	for number := 0; ; number++ {
		var b *batch
		select {
		case b = <-free:
		case <-ctx.Done():
			return fault.Of(ctx.Err())
		}
		if err := b.fill(rows, w.size); err != nil || len(b.records) == 0 {
			return err
		}
		b.number = number
		n, err := w.pace.take(ctx, len(b.records)) // here, so that writes begin in order
		if err != nil {
			return err
		}
		group.Go(func() error {
			err := w.store(ctx, b, n)
			free <- b
			return err
		})
	}
}

// fill takes the next rows.
func (b *batch) fill(rows stream, size int) error {
	b.slab, b.places, b.values, b.records, b.outcome = b.slab[:0], b.places[:0], b.values[:0], b.records[:0], outcome{}
	for len(b.places) < size && len(b.slab) < batchBytes {
		row, err := rows.row()
		if err != nil {
			return err
		}
		if row == nil {
			break
		}
		b.places = append(b.places, len(b.slab))
		b.slab = append(b.slab, row...)
	}
	b.records = slices.Grow(b.records, len(b.places))[:len(b.places)]
	for i, at := range b.places {
		b.values = packedAt(b.slab, at).unpack(&b.records[i], b.values)
	}
	return nil
}

// store writes a batch, of which n rows may be written now. It writes again what a
// busy store refuses, as long as it accepts any rows.
func (w *writing) store(ctx context.Context, b *batch, n int) error {
	last := part{last: bytes.Clone(b.records[len(b.records)-1].Key), event: b.records[len(b.records)-1].Event}
	pause := firstPause
	for left := b.records; ; {
		busy, why, err := w.write(ctx, b, left[:n])
		w.pace.done(n, busy)
		if err != nil {
			return err
		}
		if left = left[n-busy:]; len(left) == 0 {
			break
		}
		if busy < n {
			pause = firstPause
		} else if err := w.wait(ctx, pause, why); err != nil {
			return err
		} else {
			pause = min(2*pause, longestPause)
		}
		if n, err = w.pace.take(ctx, len(left)); err != nil {
			return err
		}
	}
	last.outcome = b.outcome
	w.finish(b.number, last)
	return nil
}

// wait waits for a busy store, up to a time. A store that has accepted nothing for
// long is an error.
func (w *writing) wait(ctx context.Context, longest time.Duration, why error) error {
	if w.pace.idle() > patience {
		return fault.Store(fault.Overloaded, "the online store has been busy for %s and has accepted no row in that time: %s", patience, fault.Of(why).Text).Because(why)
	}
	timer := time.NewTimer(rand.N(longest) + 1)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fault.Of(ctx.Err())
	}
}

// write makes one write and counts its outcomes. It moves the rows that a busy
// store refused to the end of records, and returns their number and the reason.
// Apart from these, only an Invalid failure concerns a single row: any other is a
// failure of the store and ends the writing.
func (w *writing) write(ctx context.Context, b *batch, records []stores.Record) (busy int, why, err error) {
	done, err := w.online.Write(stores.WithoutBusyRetries(ctx), w.table, w.features, records, w.mode)
	switch {
	case err != nil && isBusy(err):
		return len(records), err, nil
	case err != nil:
		return 0, nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now := outcome{stored: done.Stored(len(records)), older: len(done.Older)}
	end := len(records)
	for i := len(done.Failed.Indexes) - 1; i >= 0; i-- { // from the end, so that the places of the others stay
		at, failed := done.Failed.Indexes[i], done.Failed.Errs[i]
		switch {
		case isBusy(failed):
			end--
			records[at], records[end] = records[end], records[at]
			busy, why = busy+1, failed
		case fault.KindOf(failed) == fault.Invalid:
			now.refused++
			w.refuse(&records[at], failed)
		default:
			err = failed
		}
	}
	b.outcome, w.total = b.add(now), w.total.add(now)
	w.progress(w.total.all())
	return busy, why, err
}

// isBusy reports whether the store refused a row because it has too much to do.
func isBusy(err error) bool {
	return fault.KindOf(err) == fault.Overloaded && fault.Of(err).Whose == fault.Stored
}

// finish notes that a batch is written. Rows up to its end are stored if those of
// the batches before it are; a row that the store cannot hold is none of them.
func (w *writing) finish(number int, p part) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p.refused > 0 {
		w.gap = min(w.gap, number)
	}
	if number >= w.gap { // it is never reached
		return
	}
	w.waiting[number] = p
	for {
		p, ok := w.waiting[w.prefix.next]
		if !ok {
			return
		}
		delete(w.waiting, w.prefix.next)
		p.next, p.outcome = w.prefix.next+1, w.prefix.add(p.outcome)
		w.prefix = p
	}
}

// done is what is stored without a gap.
func (w *writing) done() part {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.prefix
}

// refuse notes a row that the store cannot hold. Only the first few are named.
func (w *writing) refuse(record *stores.Record, err error) {
	at, _ := slices.BinarySearchFunc(w.named, record.Key, func(r refusal, key []byte) int { return bytes.Compare(r.key, key) })
	if at < namedRows {
		w.named = slices.Insert(w.named, at, refusal{bytes.Clone(record.Key), record.Event, err})
		w.named = w.named[:min(len(w.named), namedRows)]
	}
}

// refusals is the error of a view with rows that the store cannot hold.
func (w *writing) refusals() error {
	if w.total.refused == 0 {
		return nil
	}
	var b strings.Builder
	for i, r := range w.named {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(w.layout.RowName(r.key, r.event) + ": " + fault.Of(r.err).Text)
	}
	if more := w.total.refused - len(w.named); more > 0 {
		fmt.Fprintf(&b, "; and %d more", more)
	}
	return fault.New(fault.Invalid, "feature view %s: the store cannot hold %s: %s", w.view.Name, count(w.total.refused, "row"), b.String()).
		About("feature view", w.view.Name, w.view.Project).Because(w.named[0].err)
}

// count writes a number of things.
func count[N int | int64](n N, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
