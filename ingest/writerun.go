package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
)

// run stores what was planned: first online, then offline.
func (w *Writer) run(ctx context.Context, p *writePlan) (Report, error) {
	unreadable := p.failedRows()
	failed := w.storeViews(ctx, p)
	if p.failedRows() == unreadable { // else the same push again would add the other rows twice
		if err := w.storeOffline(ctx, p); err != nil {
			failed = append(failed, err)
		}
	}
	return p.report(), together(failed)
}

// storeViews stores the records of all views, within one deadline: a store that hangs would
// take its time once for each view, and the caller's connection does not last so long.
func (w *Writer) storeViews(ctx context.Context, p *writePlan) (failed []error) {
	if w.opt.Deadline > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, w.opt.Deadline)
		defer cancel()
	}
	for _, vw := range p.views {
		if err := w.storeOnline(ctx, vw); err != nil {
			failed = append(failed, err)
		}
	}
	return failed
}

// failedRows is the number of failed rows of all views.
func (p *writePlan) failedRows() (n int) {
	for _, vw := range p.views {
		n += len(vw.report.Failed)
	}
	return n
}

// together is one error for those of several views. Those that may pass decide its kind.
func together(failed []error) error {
	switch len(failed) {
	case 0:
		return nil
	case 1:
		return failed[0]
	}
	e := *fault.Of(failed[0])
	texts := make([]string, len(failed))
	for i, err := range failed {
		f := fault.Of(err)
		if texts[i] = f.Text; e.Kind == fault.Invalid {
			e.Kind, e.Whose = f.Kind, f.Whose
		}
	}
	e.Text = strings.Join(slices.Compact(texts), "; ")
	return e.Because(errors.Join(failed...))
}

// report is the report of all views.
func (p *writePlan) report() Report {
	var report Report
	for _, vw := range p.views {
		slices.Sort(vw.report.Older) // a store names them in any order
		vw.report.OlderRows, vw.report.FailedRows = len(vw.report.Older), len(vw.report.Failed)
		report.Views = append(report.Views, vw.report)
	}
	return report
}

// storeOnline stores the records of a view. The error names the rows that are not known to
// be stored.
func (w *Writer) storeOnline(ctx context.Context, vw *viewWrite) error {
	if vw.report.Empty {
		w.opt.Log.WarnContext(ctx, "no row has a feature that is not null; as in Feast, nothing was written online", slog.String("view", vw.view.Name), slog.Int("rows", vw.report.Rows))
	}
	if len(vw.online) == 0 {
		return unstored(&vw.report)
	}
	online, err := w.opt.Online(ctx)
	if err != nil {
		vw.failAll(err)
		return err
	}
	table := stores.Table{Project: vw.view.Project, View: vw.view.Name, Version: vw.view.TableVersion}
	done, err := online.Write(ctx, table, vw.form.features, vw.online, stores.Newer)
	if err != nil {
		vw.failAll(err)
		return unstored(&vw.report)
	}
	vw.report.Stored += done.Stored(len(vw.online))
	for _, i := range done.Older {
		vw.report.Older = append(vw.report.Older, vw.at[i])
	}
	for i, at := range done.Failed.Indexes {
		vw.fail(vw.at[at], done.Failed.Errs[i])
	}
	return unstored(&vw.report)
}

// failAll notes that no row is known to be stored.
func (vw *viewWrite) failAll(err error) {
	for _, row := range vw.at {
		vw.fail(row, err)
	}
}

// fail notes that a row is not known to be stored.
func (vw *viewWrite) fail(row int, err error) {
	at, _ := slices.BinarySearchFunc(vw.report.Failed, row, func(f FailedRow, row int) int { return f.Row - row })
	vw.report.Failed = slices.Insert(vw.report.Failed, at, FailedRow{row, vw.rows.RowName(row), err})
}

// unstored is the error of a write that did not store all rows. Rows that may succeed when
// they are sent again decide its kind.
func unstored(v *ViewReport) error {
	failed := v.Failed
	if len(failed) == 0 {
		return nil
	}
	worst := fault.Of(failed[0].Err)
	for _, f := range failed {
		if e := fault.Of(f.Err); worst.Kind == fault.Invalid && e.Kind != fault.Invalid {
			worst = e
		}
	}
	e := fault.New(worst.Kind, "feature view %s: %s", v.View, reasons(v)).About("feature view", v.View, worst.Object.Project).Because(worst)
	e.Whose = worst.Whose
	return e
}

// reasons names the first failed rows of a view, and why.
func reasons(v *ViewReport) string {
	all := max(len(v.Failed), v.FailedRows)
	text := fault.Of(v.Failed[0].Err).Text
	other := func(f FailedRow) bool { return fault.Of(f.Err).Text != text }
	if all == v.Rows && all > 1 && !slices.ContainsFunc(v.Failed, other) {
		return fmt.Sprintf("none of the %d rows are stored: %s", all, text)
	}
	named := make([]string, 0, namedRows)
	for i, f := range v.Failed[:min(len(v.Failed), namedRows)] {
		text := fault.Of(f.Err).Text
		switch {
		case strings.Contains(text, f.Name): // it names the row, and often a column
			text = strings.TrimPrefix(text, "feature view "+v.View+", ")
		case i > 0 && text == fault.Of(v.Failed[i-1].Err).Text:
			text = f.Name + ": the same"
		default:
			text = f.Name + ": " + text
		}
		named = append(named, text)
	}
	if more := all - namedRows; more > 0 {
		named = append(named, fmt.Sprintf("and %d more", more))
	}
	return fmt.Sprintf("%d of %s are not stored: %s", all, count(v.Rows, "row"), strings.Join(named, "; "))
}
