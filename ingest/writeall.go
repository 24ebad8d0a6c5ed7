package ingest

import (
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/registry"
)

// Chunks are the columns of many rows, some rows at a time, as a file gives them. Each
// call reads them from the start.
type Chunks func(ctx context.Context) iter.Seq2[[]Column, error]

// AllRequest is rows that are too many for one push.
type AllRequest struct {
	Project string
	// Source is a push source, or View a view; exactly one is given.
	Source, View string
	To           Target
	Chunks       Chunks
	// Written is called when more rows have been written online, and Appended when more
	// have been sent to a batch source; nil functions are not called.
	Written, Appended func(rows int)
}

// PushAll stores rows chunk by chunk. Online, rows that cannot be stored do not keep others
// from being stored: the error names them at the end. Then nothing is added to the batch
// source, which gets all rows in one transaction, or none. A failure of a store ends the
// push. The report has the sums of all chunks; its rows are numbered from 0 in the order
// in which they came.
func (w *Writer) PushAll(ctx context.Context, req AllRequest) (Report, error) {
	project, views, err := w.viewsOf(ctx, &req)
	if err != nil {
		return Report{}, err
	}
	if req.To != Offline && !slices.ContainsFunc(views, isOnline) { // also of a file without rows
		return Report{}, notServed(views[0])
	}
	var sources []*appending
	if req.To != Online {
		if sources, err = w.checkSources(ctx, views, &req); err != nil {
			return Report{}, err
		}
	}
	var report Report
	for _, v := range views {
		report.Views = append(report.Views, ViewReport{View: v.Name})
	}
	if req.To != Offline {
		if err := w.allOnline(ctx, project, views, &req, &report); err != nil {
			return report, err
		}
	}
	for i, a := range sources {
		n, err := w.allOffline(ctx, a, &req)
		if err != nil {
			return report, halfStored(&report, sources[:i], err)
		}
		for j, v := range views {
			if slices.ContainsFunc(a.views, func(vw *viewWrite) bool { return vw.view == v }) {
				report.Views[j].Appended = n
			}
		}
	}
	return report, nil
}

func (w *Writer) viewsOf(ctx context.Context, req *AllRequest) (project *registry.Project, views []*registry.View, err error) {
	if project, err = w.project(ctx, req.Project, false); err != nil {
		return nil, nil, err
	}
	if req.View != "" {
		v, err := project.View(req.View)
		return project, []*registry.View{v}, err
	}
	views, err = fedBy(project, req.Source)
	return project, views, err
}

// checkSources compares the first chunk with the batch sources before anything is written.
func (w *Writer) checkSources(ctx context.Context, views []*registry.View, req *AllRequest) ([]*appending, error) {
	writes := make([]*viewWrite, len(views))
	for i, v := range views {
		writes[i] = &viewWrite{view: v}
	}
	sources, err := w.appendings(ctx, writes)
	if err != nil {
		return nil, err
	}
	for columns, err := range req.Chunks(ctx) {
		if err != nil {
			return nil, err
		}
		for _, a := range sources {
			if _, err := a.views[0].sourceColumns(a.columns, columns); err != nil {
				return nil, err
			}
		}
		break
	}
	return sources, nil
}

// allOnline stores the rows online.
func (w *Writer) allOnline(ctx context.Context, project *registry.Project, views []*registry.View, req *AllRequest, report *Report) error {
	first := 0
	for columns, err := range req.Chunks(ctx) {
		if err != nil {
			return err
		}
		p, err := w.plan(ctx, project, views, &Rows{Columns: columns, Partial: true, First: first, chunk: true}, Online)
		if err != nil {
			return err
		}
		part, err := w.insist(ctx, p)
		report.add(&part, first)
		if ends(err) {
			return err
		}
		first += part.Views[0].Rows
		if req.Written != nil {
			req.Written(first)
		}
	}
	return report.failure()
}

// insist stores a chunk, and writes again what a busy store refuses, as long as it accepts
// any rows in a while.
func (w *Writer) insist(ctx context.Context, p *writePlan) (Report, error) {
	least, since := math.MaxInt, time.Now()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		report, err := w.run(ctx, p)
		if !isBusy(err) {
			return report, err
		}
		left := p.refused()
		if left < least {
			least, since, pause = left, time.Now(), firstPause
		}
		if time.Since(since) > patience {
			return report, err
		}
		timer := time.NewTimer(rand.N(pause) + 1)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return report, err
		}
		p.again()
	}
}

// refused is the number of rows that a busy store has refused.
func (p *writePlan) refused() (n int) {
	for _, vw := range p.views {
		for _, f := range vw.report.Failed {
			if isBusy(f.Err) {
				n++
			}
		}
	}
	return n
}

// again leaves only the rows to be stored that a busy store has refused.
func (p *writePlan) again() {
	for _, vw := range p.views {
		busy := map[int]bool{}
		vw.report.Failed = slices.DeleteFunc(vw.report.Failed, func(f FailedRow) bool {
			busy[f.Row] = isBusy(f.Err)
			return busy[f.Row]
		})
		online, at := vw.online[:0:0], vw.at[:0:0]
		for i, row := range vw.at {
			if busy[row] {
				online, at = append(online, vw.online[i]), append(at, row)
			}
		}
		vw.online, vw.at = online, at
	}
}

// ends reports whether a chunk's error ends the push: any but that of rows which can never
// be stored.
func ends(err error) bool { return err != nil && fault.KindOf(err) != fault.Invalid }

// mostFailed bounds the failed and older rows that a report of many rows lists.
const mostFailed = 1000

// add adds the outcome of a chunk whose rows begin at first.
func (r *Report) add(part *Report, first int) {
	for i := range part.Views {
		sum, v := &r.Views[i], &part.Views[i]
		sum.Rows += v.Rows
		sum.Stored += v.Stored
		sum.NotOnline = v.NotOnline
		sum.OlderRows += len(v.Older)
		sum.FailedRows += len(v.Failed)
		if v.Empty {
			sum.EmptyRows += v.Rows
		}
		for _, row := range v.Older[:min(len(v.Older), mostFailed-len(sum.Older))] {
			sum.Older = append(sum.Older, first+row)
		}
		for _, f := range v.Failed[:min(len(v.Failed), mostFailed-len(sum.Failed))] {
			f.Row += first
			sum.Failed = append(sum.Failed, f)
		}
	}
}

// failure is the error of the rows that could not be stored.
func (r *Report) failure() error {
	for i := range r.Views {
		if len(r.Views[i].Failed) > 0 {
			return unstored(&r.Views[i])
		}
	}
	return nil
}

// allOffline adds the rows to a batch source.
func (w *Writer) allOffline(ctx context.Context, a *appending, req *AllRequest) (int64, error) {
	batches := w.sourceBatches(ctx, a, req)
	next, stop := iter.Pull2(batches)
	defer stop()
	first, err, ok := next()
	if err != nil || !ok {
		return 0, err
	}
	schema := first.Schema()
	rows := offline.NewReader(schema, func(yield func(arrow.RecordBatch, error) bool) {
		for batch, err := first, error(nil); ok; batch, err, ok = next() {
			if err == nil && !batch.Schema().Equal(schema) {
				err = fault.New(fault.Invalid, "the columns of later rows have other types than those of the first: %s, then %s", schema, batch.Schema())
			}
			if !yield(batch, err) || err != nil {
				return
			}
		}
	}, nil)
	defer rows.Release()
	if w.opt.OfflineDeadline > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, w.opt.OfflineDeadline)
		defer cancel()
	}
	v := a.views[0].view
	return a.to.Append(ctx, v.Project, v.Name, rows)
}

// sourceBatches makes the rows for a batch source, chunk by chunk.
func (w *Writer) sourceBatches(ctx context.Context, a *appending, req *AllRequest) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		first := 0
		for columns, err := range req.Chunks(ctx) {
			if err != nil {
				yield(nil, err)
				return
			}
			vw := &viewWrite{view: a.views[0].view}
			batch, err := w.sourceRows(ctx, a, vw, &Rows{Columns: columns, First: first, chunk: true})
			if !yield(batch, err) || err != nil {
				return
			}
			first += vw.report.Rows
			if req.Appended != nil {
				req.Appended(first)
			}
		}
	}
}

// halfStored is the error of a push whose rows could not be added to a batch source. It
// says what is stored: done are the sources that have the rows.
func halfStored(report *Report, done []*appending, err error) error {
	e := *fault.Of(err)
	var places string
	for _, v := range report.Views {
		if v.Stored > 0 {
			places += ", feature view " + v.View + " online"
		}
	}
	for _, a := range done {
		places += ", data source " + a.views[0].view.Batch.GetName()
	}
	if places == "" {
		return &e
	}
	e.Text += fmt.Sprintf("; the rows are stored in %s", places[2:])
	if len(done) == 0 {
		e.Text += ", where they change nothing when they are pushed again"
	} else {
		e.Text += "; pushing them again would add them to that source twice"
	}
	return e.Because(err)
}
