package ingest

import (
	"context"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/encode"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/offline"
)

// appending is rows for the batch source of some views of a push. Views that share a
// source share the rows: they are added once.
type appending struct {
	to      Appender
	views   []*viewWrite
	columns []offline.Column
	rows    arrow.RecordBatch
}

// appendings finds the batch sources of views, and their columns.
func (w *Writer) appendings(ctx context.Context, views []*viewWrite) ([]*appending, error) {
	if w.opt.Appender == nil {
		return nil, fault.New(fault.Unimplemented, "this offline store cannot be written")
	}
	appender, err := w.opt.Appender(ctx)
	if err != nil {
		return nil, err
	}
	var out []*appending
	for _, vw := range views {
		source := vw.view.Batch
		if source == nil {
			return nil, fault.New(fault.Invalid, "Feature view '%s' has no batch_source.", vw.view.Name).About("feature view", vw.view.Name, vw.view.Project)
		}
		at := slices.IndexFunc(out, func(a *appending) bool { return a.views[0].view.Batch.GetName() == source.GetName() })
		if at >= 0 {
			out[at].views = append(out[at].views, vw)
			continue
		}
		columns, err := appender.Columns(ctx, source)
		if err != nil {
			return nil, err
		}
		out = append(out, &appending{to: appender, views: []*viewWrite{vw}, columns: columns})
	}
	return out, nil
}

// planOffline makes the rows for the batch sources, after it has compared their columns.
func (w *Writer) planOffline(ctx context.Context, p *writePlan, rows *Rows) error {
	var err error
	if p.offline, err = w.appendings(ctx, p.views); err != nil {
		return err
	}
	for _, a := range p.offline {
		if a.rows, err = w.sourceRows(ctx, a, a.views[0], rows); err != nil {
			return err
		}
	}
	return nil
}

// sourceRows makes the rows for a batch source, which those of a view are for.
func (w *Writer) sourceRows(ctx context.Context, a *appending, vw *viewWrite, rows *Rows) (arrow.RecordBatch, error) {
	found, err := vw.sourceColumns(a.columns, rows.Columns)
	if err != nil {
		return nil, err
	}
	if err := w.bind(ctx, vw, rows); err != nil {
		return nil, err
	}
	return vw.sourceRecord(a.columns, found, rows.Partial)
}

// sourceRecord makes the rows for a batch source. Without Partial, a cell that does not fit
// its column is an error; with it, its row fails.
func (vw *viewWrite) sourceRecord(columns []offline.Column, found []sourceColumn, partial bool) (arrow.RecordBatch, error) {
	good, err := vw.fitting(columns, found, partial)
	if err != nil {
		return nil, err
	}
	fields, arrays := make([]arrow.Field, len(columns)), make([]arrow.Array, len(columns))
	defer func() {
		for _, a := range arrays {
			if a != nil {
				a.Release()
			}
		}
	}()
	for i := range columns {
		if arrays[i], err = found[i].array(good); err != nil {
			return nil, err
		}
		fields[i] = arrow.Field{Name: columns[i].Name, Type: arrays[i].DataType(), Nullable: true}
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), arrays, int64(len(good))), nil
}

// sourceColumns finds the column of the rows for each column of a source: under its own
// name, or under the one that the view or Feast's SDK gives it. The rows may have no
// other columns.
func (vw *viewWrite) sourceColumns(columns []offline.Column, sent []Column) ([]sourceColumn, error) {
	source := vw.view.Batch
	original := encode.Originals(source.GetFieldMapping())
	event, created := original(source.GetTimestampField()), original(source.GetCreatedTimestampColumn())
	out := make([]sourceColumn, len(columns))
	used := make([]bool, len(sent))
	for i, c := range columns {
		names := []string{c.Name, source.GetFieldMapping()[c.Name]}
		switch c.Name {
		case event:
			names = append(names, encode.SentEvent)
		case created:
			names = append(names, encode.SentCreated)
		}
		for _, name := range names {
			at := slices.IndexFunc(sent, func(s Column) bool { return s.Name == name && name != "" })
			if at >= 0 && !used[at] {
				used[at] = true
				out[i] = newSourceColumn(c, sent[at], c.Name == event || c.Name == created)
				break
			}
		}
	}
	return out, checkUsed(columns, out, sent, used)
}

// checkUsed compares the columns as Feast does, with its text.
func checkUsed(columns []offline.Column, found []sourceColumn, sent []Column, used []bool) error {
	var names []string
	for i, c := range columns {
		if found[i].Cells != nil {
			names = append(names, c.Name)
		}
	}
	for i, c := range sent {
		if !used[i] {
			names = append(names, c.Name)
		}
	}
	return offline.CheckColumns(columns, names)
}

// fitting returns the rows whose cells all fit their columns.
func (vw *viewWrite) fitting(columns []offline.Column, found []sourceColumn, partial bool) ([]int, error) {
	bad := vw.failedRows()
	good := make([]int, 0, vw.rows.Len())
	for row := range vw.rows.Len() {
		if bad[row] {
			continue
		}
		if err := vw.fits(columns, found, row); err != nil {
			vw.fail(row, err)
			continue
		}
		good = append(good, row)
	}
	if !partial && len(vw.report.Failed) > 0 {
		return nil, refusedRows(vw.report.Failed)
	}
	return good, nil
}

// fits returns an error if a row has no event time, which its readers would leave out, or a
// cell that does not fit its column.
func (vw *viewWrite) fits(columns []offline.Column, found []sourceColumn, row int) error {
	if _, _, err := vw.rows.Times(row); err != nil {
		return err
	}
	source := vw.view.Batch.GetName()
	for i := range found {
		if err := found[i].check(row); err != nil {
			return fault.New(fault.KindOf(err), "data source %s, column %s, %s: %s", source, columns[i].Name, vw.rows.RowName(row), fault.Of(err).Text).
				About("data source", source, vw.view.Project).Because(err)
		}
	}
	return nil
}

// storeOffline adds the rows to the batch sources, each in one transaction.
func (w *Writer) storeOffline(ctx context.Context, p *writePlan) error {
	for i, a := range p.offline {
		if a.rows.NumRows() == 0 {
			continue
		}
		n, err := a.append(ctx, w.opt.OfflineDeadline)
		if err != nil {
			report := p.report()
			return halfStored(&report, p.offline[:i], err)
		}
		for _, vw := range a.views {
			vw.report.Appended = n
		}
	}
	return nil
}

func (a *appending) append(ctx context.Context, longest time.Duration) (int64, error) {
	if longest > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, longest)
		defer cancel()
	}
	reader, err := array.NewRecordReader(a.rows.Schema(), []arrow.RecordBatch{a.rows})
	if err != nil {
		return 0, fault.New(fault.Internal, "rows of a push cannot be read").Because(err)
	}
	defer reader.Release()
	return a.to.Append(ctx, a.views[0].view.Project, a.views[0].view.Name, reader)
}
