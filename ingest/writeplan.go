package ingest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/banquet-fs/banquet/encode"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/value"
)

// writePlan is a write that has been checked: what is to be stored where.
type writePlan struct {
	views   []*viewWrite
	offline []*appending
}

// viewWrite is the part of a write that belongs to one view.
type viewWrite struct {
	project *registry.Project
	view    *registry.View
	form    *form
	rows    *encode.Rows
	// online are the records to store, and at is the row of each.
	online []stores.Record
	at     []int
	report ViewReport
}

// plan checks the rows for all views and converts them.
func (w *Writer) plan(ctx context.Context, project *registry.Project, views []*registry.View, rows *Rows, to Target) (*writePlan, error) {
	if err := w.checkLimits(rows); err != nil {
		return nil, err
	}
	p := &writePlan{}
	served := slices.ContainsFunc(views, isOnline)
	for _, v := range views {
		vw := &viewWrite{project: project, view: v, report: ViewReport{View: v.Name}}
		p.views = append(p.views, vw)
		if to == Offline {
			continue
		}
		if err := checkWritable(v, served); err != nil {
			return nil, err
		}
		if err := w.bind(ctx, vw, rows); err != nil {
			return nil, err
		}
		if vw.report.NotOnline = !v.Online; v.Online {
			if err := vw.convert(rows.Partial); err != nil {
				return nil, err
			}
		}
	}
	if to == Online || len(rows.Columns) == 0 {
		return p, nil
	}
	return p, w.planOffline(ctx, p, rows)
}

// checkLimits refuses a write that is too large.
func (w *Writer) checkLimits(rows *Rows) error {
	if rows.chunk {
		return nil
	}
	n := 0
	for _, c := range rows.Columns {
		n = max(n, c.Cells.Len())
	}
	switch l := w.opt.Limits; {
	case l.Rows > 0 && n > l.Rows:
		return fault.New(fault.TooLarge, "the write has %d rows, which is over the limit of %d; send fewer rows at once, or raise banquet.limits.rows", n, l.Rows)
	case l.Cells > 0 && n*len(rows.Columns) > l.Cells:
		return fault.New(fault.TooLarge, "the write has %d cells, which is over the limit of %d; send fewer rows at once, or raise banquet.limits.cells", n*len(rows.Columns), l.Cells)
	}
	return nil
}

// checkWritable refuses a view that has no online table. served says that another view of
// the same push has one: then this one is only left out.
func checkWritable(v *registry.View, served bool) error {
	switch {
	case v.Kind == registry.OnDemandView && !v.OnDemand.GetSpec().GetWriteToOnlineStore():
		return fault.New(fault.Invalid, "OnDemandFeatureView %s is not configured for write_to_online_store.", v.Name).About("feature view", v.Name, v.Project)
	case !v.Online && !served:
		return notServed(v)
	}
	return nil
}

func notServed(v *registry.View) error {
	return fault.New(fault.Invalid, "FeatureView %s is not configured to be served online.", v.Name).About("feature view", v.Name, v.Project)
}

// isOnline reports whether a view is served online.
func isOnline(v *registry.View) bool { return v.Online }

// hasAll reports whether rows have all features of an on-demand view.
func hasAll(v *registry.View, columns []Column) bool {
	for _, f := range v.Features {
		if !slices.ContainsFunc(columns, func(c Column) bool { return c.Name == f.Name }) {
			return false
		}
	}
	return true
}

// bind finds the columns of a view.
func (w *Writer) bind(ctx context.Context, vw *viewWrite, rows *Rows) error {
	if len(rows.Columns) == 0 || vw.rows != nil {
		return nil // as in Feast, no columns are no rows
	}
	var err error
	if vw.form, err = w.form(vw.view); err != nil {
		return err
	}
	columns, err := w.computed(ctx, vw, rows)
	if err != nil {
		return err
	}
	if vw.rows, err = vw.form.Bind(columns); err != nil {
		return err
	}
	vw.rows.First, vw.rows.Now = rows.First, w.opt.Now()
	vw.report.Rows = vw.rows.Len()
	return nil
}

// convert makes the records of the rows.
func (vw *viewWrite) convert(partial bool) error {
	if vw.rows == nil {
		return nil
	}
	n, width := vw.rows.Len(), len(vw.view.Features)
	vw.online, vw.at = make([]stores.Record, 0, n), make([]int, 0, n)
	values := make([][]byte, 0, n*width)
	slab := make([]byte, 0, n*(32+8*width)) // when it grows, records keep the memory that they are in
	ends := make([]int, 0, width)
	filled := width == 0
	var vectors *encode.VectorRows
	if vw.form.vector != nil {
		vectors = vw.form.vector.Rows()
	}
	bad := vw.failedRows()
	for row := range n {
		if bad[row] {
			continue
		}
		start := len(slab)
		record, next, err := vw.record(slab, &ends, row)
		if err == nil && vectors != nil {
			err = vectors.Check(strconv.Itoa(vw.rows.First+row), valueAt(next, start+len(record.Key), ends, vw.form.vector.At))
		}
		if err != nil {
			vw.fail(row, err)
			continue
		}
		slab = next
		keyEnd := start + len(record.Key)
		at, from := len(values), keyEnd
		for _, end := range ends {
			v := slab[from:end:end]
			filled = filled || !value.IsNull(v)
			values, from = append(values, v), end
		}
		record.Key, record.Values = slab[start:keyEnd:keyEnd], values[at:len(values):len(values)]
		vw.online, vw.at = append(vw.online, record), append(vw.at, row)
	}
	if !partial && len(vw.report.Failed) > 0 {
		return refusedRows(vw.report.Failed)
	}
	if !filled && len(vw.online) > 0 {
		vw.report.Empty, vw.online, vw.at = true, nil, nil
	}
	return nil
}

// failedRows are the rows that have failed already.
func (vw *viewWrite) failedRows() map[int]bool {
	if len(vw.report.Failed) == 0 {
		return nil
	}
	bad := make(map[int]bool, len(vw.report.Failed))
	for _, f := range vw.report.Failed {
		bad[f.Row] = true
	}
	return bad
}

// valueAt is one of the values that end at ends; the first begins at start.
func valueAt(slab []byte, start int, ends []int, at int) []byte {
	if at > 0 {
		start = ends[at-1]
	}
	return slab[start:ends[at]]
}

// record converts a row: it appends the key and the values to slab, and sets ends to the
// length of slab after each value.
func (vw *viewWrite) record(slab []byte, ends *[]int, row int) (stores.Record, []byte, error) {
	var r stores.Record
	var err error
	if r.Event, r.Created, err = vw.rows.Times(row); err != nil {
		return r, nil, err
	}
	if err := stores.CheckTimes(&r); err != nil {
		return r, nil, fault.New(fault.Invalid, "feature view %s, %s: %s", vw.view.Name, vw.rows.RowName(row), fault.Of(err).Text).Because(err)
	}
	start := len(slab)
	if slab, err = vw.rows.AppendKey(slab, row); err != nil {
		return r, nil, err
	}
	r.Key = slab[start:]
	if slab, *ends, err = vw.rows.AppendValues(slab, (*ends)[:0], row); err != nil {
		*ends = nil
		return r, nil, err
	}
	return r, slab, nil
}

// refusedRows is the error of rows that cannot be written. It names the first few.
func refusedRows(failed []FailedRow) error {
	first := fault.Of(failed[0].Err)
	var b strings.Builder
	for i, f := range failed[:min(len(failed), namedRows)] {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(fault.Of(f.Err).Text)
	}
	if more := len(failed) - namedRows; more > 0 {
		fmt.Fprintf(&b, "; and %s more", count(more, "row"))
	}
	return fault.New(first.Kind, "nothing was written: %s", b.String()).About(first.Object.Kind, first.Object.Name, first.Object.Project).Because(failed[0].Err)
}
