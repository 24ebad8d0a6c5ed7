package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
)

// run stores what was planned: first online, then offline.
func (w *Writer) run(ctx context.Context, p *writePlan) (Report, error) {
	var firstErr error
	for _, vw := range p.views {
		if err := w.storeOnline(ctx, vw); err != nil && firstErr == nil {
			firstErr = err
		}
	}
	if firstErr == nil {
		firstErr = w.storeOffline(ctx, p)
	}
	return p.report(), firstErr
}

// report is the report of all views.
func (p *writePlan) report() Report {
	var report Report
	for _, vw := range p.views {
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
		return err
	}
	if w.opt.Deadline > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, w.opt.Deadline)
		defer cancel()
	}
	table := stores.Table{Project: vw.view.Project, View: vw.view.Name, Version: vw.view.TableVersion}
	done, err := online.Write(ctx, table, vw.form.features, vw.online, stores.Newer)
	if err != nil {
		for i := range vw.online {
			vw.fail(vw.at[i], err)
		}
		return unstored(&vw.report)
	}
	vw.report.Stored = done.Stored(len(vw.online))
	for _, i := range done.Older {
		vw.report.Older = append(vw.report.Older, vw.at[i])
	}
	for i, at := range done.Failed.Indexes {
		vw.fail(vw.at[at], done.Failed.Errs[i])
	}
	return unstored(&vw.report)
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
	var b strings.Builder
	fmt.Fprintf(&b, "feature view %s: %d of %s are not stored: ", v.View, max(len(failed), v.FailedRows), count(v.Rows, "row"))
	for i, f := range failed[:min(len(failed), namedRows)] {
		if i > 0 {
			b.WriteString("; ")
		}
		text := fault.Of(f.Err).Text
		switch {
		case strings.Contains(text, f.Name): // it names the row, and often a column
			text = strings.TrimPrefix(text, "feature view "+v.View+", ")
		case i > 0 && text == fault.Of(failed[i-1].Err).Text:
			text = f.Name + ": the same"
		default:
			text = f.Name + ": " + text
		}
		b.WriteString(text)
	}
	if more := max(len(failed), v.FailedRows) - namedRows; more > 0 {
		fmt.Fprintf(&b, "; and %d more", more)
	}
	e := fault.New(worst.Kind, "%s", b.String()).About("feature view", v.View, worst.Object.Project).Because(worst)
	e.Whose = worst.Whose
	return e
}
