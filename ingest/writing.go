package ingest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/banquet-fs/banquet/encode"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/stores"
)

const (
	// defaultBatch is how many rows one write carries by default.
	defaultBatch = 1000
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
	records  []stores.Record
	progress func(rows int)

	mu            sync.Mutex
	stored, older int
	refused       int
	named         []refusal
}

// refusal is a row that the store cannot hold, and why.
type refusal struct {
	record int
	err    error
}

func (m *Materializer) newWriting(v *registry.View, w Window, l *encode.Layout, records []stores.Record) *writing {
	features := make([]string, 0, len(v.Features))
	for _, f := range v.Features {
		features = append(features, f.Name)
	}
	return &writing{
		online: m.opt.Online, layout: l, view: v, mode: mode(v, w), records: records,
		table:    stores.Table{Project: v.Project, View: v.Name, Version: v.TableVersion},
		features: stores.NewSelection(features...),
		size:     max(m.opt.BatchSize, m.opt.BatchCells/max(1, len(features))),
		progress: func(rows int) {
			if m.opt.Observer.Written != nil {
				m.opt.Observer.Written(w, rows, len(records))
			}
		},
	}
}

// run stores the records, a few writes at a time, and counts what the store
// acknowledged. Each key occurs once, so the writes may come in any order: in
// key order, a store that keeps a tree changes each page once instead of in
// every write. A failure of the store ends all writes at once; rows that it
// cannot hold are reported as an error at the end.
func (w *writing) run(ctx context.Context) error {
	slices.SortFunc(w.records, func(a, b stores.Record) int { return bytes.Compare(a.Key, b.Key) })
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	for start := 0; start < len(w.records) && ctx.Err() == nil; start += w.size {
		group.Go(func() error { return w.write(ctx, start, min(start+w.size, len(w.records))) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if w.stored+w.older+w.refused < len(w.records) { // the context ended between two writes
		return fault.Of(context.Canceled)
	}
	return w.refusals()
}

// write makes one write and counts its outcomes. Only an Invalid failure
// concerns a single row: any other is a failure of the store and ends the
// writing.
func (w *writing) write(ctx context.Context, start, end int) error {
	done, err := w.online.Write(ctx, w.table, w.features, w.records[start:end], w.mode)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stored += done.Stored(end - start)
	w.older += len(done.Older)
	for i, at := range done.Failed.Indexes {
		err := done.Failed.Errs[i]
		if fault.KindOf(err) != fault.Invalid {
			return err
		}
		w.refuse(start+at, err)
	}
	w.progress(w.stored + w.older + w.refused)
	return nil
}

// refuse notes a row that the store cannot hold. Only the first few are named.
func (w *writing) refuse(record int, err error) {
	w.refused++
	at, _ := slices.BinarySearchFunc(w.named, record, func(r refusal, record int) int { return r.record - record })
	if at < namedRows {
		w.named = slices.Insert(w.named, at, refusal{record, err})
		w.named = w.named[:min(len(w.named), namedRows)]
	}
}

// refusals is the error of a view with rows that the store cannot hold.
func (w *writing) refusals() error {
	if w.refused == 0 {
		return nil
	}
	var b strings.Builder
	for i, r := range w.named {
		if i > 0 {
			b.WriteString("; ")
		}
		record := &w.records[r.record]
		b.WriteString(w.layout.RowName(record.Key, record.Event) + ": " + fault.Of(r.err).Text)
	}
	if more := w.refused - len(w.named); more > 0 {
		fmt.Fprintf(&b, "; and %d more", more)
	}
	return fault.New(fault.Invalid, "feature view %s: the store cannot hold %s: %s", w.view.Name, count(w.refused, "row"), b.String()).
		About("feature view", w.view.Name, w.view.Project).Because(w.named[0].err)
}

// count writes a number of things.
func count[N int | int64](n N, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
