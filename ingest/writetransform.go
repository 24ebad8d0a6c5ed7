package ingest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/transform"
	"github.com/banquet-fs/banquet/value"
)

// program is the compiled function of an on-demand view, or why there is none.
func (w *Writer) program(f *form, project *registry.Project, v *registry.View) (*transform.Program, error) {
	f.once.Do(func() {
		var service transform.Service
		if w.opt.Functions != nil {
			if service, f.whyNot = w.opt.Functions(); f.whyNot != nil {
				return
			}
		}
		keys, others := project.FunctionKeys(v)
		f.compiled, f.whyNot = transform.CompileFor(service, v.OnDemand, keys, others)
	})
	return f.compiled, f.whyNot
}

// computed returns the columns of the rows of a view. For an on-demand view that is
// written, its function computes the features, as in Feast, unless the rows have them:
// Feast's SDK sends what it has computed.
func (w *Writer) computed(ctx context.Context, vw *viewWrite, rows *Rows) ([]Column, error) {
	v := vw.view
	if v.Kind != registry.OnDemandView || rows.Untransformed {
		return rows.Columns, nil
	}
	p, err := w.program(vw.form, vw.project, v)
	if err != nil {
		if hasAll(v, rows.Columns) {
			return rows.Columns, nil
		}
		return nil, err
	}
	inputs, missing := inputsOf(p, rows.Columns)
	switch {
	case len(missing) > 0 && hasAll(v, rows.Columns):
		return rows.Columns, nil
	case len(missing) > 0:
		return nil, fault.New(fault.Invalid, "feature view %s: its function needs the columns %s, which the rows lack; send them, or all features of the view", v.Name, strings.Join(missing, ", ")).
			About("feature view", v.Name, v.Project)
	case p.MixesRows() && rows.First > 0:
		return nil, fault.New(fault.Unimplemented, "feature view %s: its function computes with several rows at once, so that all rows must be in one write; send fewer rows", v.Name).
			About("feature view", v.Name, v.Project)
	}
	n, err := vw.sameLength(inputs)
	if err != nil {
		return nil, err
	}
	good, err := vw.readable(p, inputs, n, rows)
	if err != nil {
		return nil, err
	}
	b := p.Acquire(len(good))
	defer p.Release(b)
	b.Store()
	if err := fill(b, p, inputs, good); err != nil {
		return nil, err
	}
	if err := p.Run(ctx, b); err != nil {
		return nil, err
	}
	return outputs(v, p, b, good, n, rows.Columns)
}

// inputsOf finds the columns that a function reads. An optional one that the rows do not
// have has no name.
func inputsOf(p *transform.Program, columns []Column) (found []Column, missing []string) {
	for _, in := range p.Inputs() {
		switch i := slices.IndexFunc(columns, func(c Column) bool { return c.Name == in.Name }); {
		case i >= 0:
			found = append(found, columns[i])
		case in.Optional:
			found = append(found, Column{Cells: value.ValueCells{nil}, Scalar: true})
		default:
			missing = append(missing, in.Name)
		}
	}
	return found, missing
}

// sameLength returns the number of rows of the inputs.
func (vw *viewWrite) sameLength(inputs []Column) (int, error) {
	first := -1
	for i, c := range inputs {
		switch {
		case c.Scalar:
		case first < 0:
			first = i
		case c.Cells.Len() != inputs[first].Cells.Len():
			return 0, fault.New(fault.Invalid, "feature view %s: column %s has %d rows, column %s has %d; all columns of a frame must have the same number",
				vw.view.Name, inputs[first].Name, inputs[first].Cells.Len(), c.Name, c.Cells.Len()).About("feature view", vw.view.Name, vw.view.Project)
		}
	}
	if first < 0 {
		return 1, nil
	}
	return inputs[first].Cells.Len(), nil
}

// readable are the rows whose inputs have the types that the function needs. Without
// Partial, any other row is an error. No fraction is dropped: the function would compute
// something else than Feast's.
func (vw *viewWrite) readable(p *transform.Program, inputs []Column, n int, rows *Rows) ([]int, error) {
	good := make([]int, 0, n)
	var scratch []byte
	for row := range n {
		var err error
		for i, in := range p.Inputs() {
			if scratch, err = inputs[i].Cells.Append(scratch[:0], at(&inputs[i], row), in.Type, value.Exact); err != nil {
				err = fault.New(fault.KindOf(err), "feature view %s, column %s, row %d: %s", vw.view.Name, in.Name, rows.First+row, fault.Of(err).Text).
					About("feature view", vw.view.Name, vw.view.Project).Because(err)
				break
			}
		}
		if err != nil {
			vw.report.Failed = append(vw.report.Failed, FailedRow{row, fmt.Sprintf("row %d", rows.First+row), err})
			continue
		}
		good = append(good, row)
	}
	if len(good) < n && !rows.Partial {
		return nil, refusedRows(vw.report.Failed)
	}
	return good, nil
}

// at is the place of a row in a column.
func at(c *Column, row int) int {
	if c.Scalar {
		return 0
	}
	return row
}

// fill gives the function its inputs.
func fill(b *transform.Batch, p *transform.Program, inputs []Column, rows []int) error {
	var scratch []byte
	for i, in := range p.Inputs() {
		if inputs[i].Name == "" {
			b.LeaveOut(i)
			continue
		}
		for to, row := range rows {
			var err error
			if scratch, err = inputs[i].Cells.Append(scratch[:0], at(&inputs[i], row), in.Type, value.Exact); err != nil {
				return err
			}
			if err := b.SetValue(i, to, scratch); err != nil {
				return err
			}
		}
	}
	return nil
}

// outputs adds the computed features to the columns. A column that the function does not
// read counts in the mode pandas, and an output of its name in the mode python, as in Feast.
func outputs(v *registry.View, p *transform.Program, b *transform.Batch, rows []int, n int, columns []Column) ([]Column, error) {
	out := slices.Clone(columns)
	for i, o := range p.Outputs() {
		at := slices.IndexFunc(out, func(c Column) bool { return c.Name == o.Name })
		read := slices.ContainsFunc(p.Inputs(), func(in transform.Input) bool { return in.Name == o.Name })
		if at >= 0 && !read && v.OnDemand.GetSpec().GetMode() == "pandas" {
			continue
		}
		cells := make(value.ValueCells, n)
		for from, row := range rows {
			var err error
			if cells[row], err = b.AppendValue(nil, i, from); err != nil {
				return nil, err
			}
		}
		if at >= 0 {
			out[at] = Column{Name: o.Name, Cells: cells}
			continue
		}
		out = append(out, Column{Name: o.Name, Cells: cells})
	}
	return out, nil
}
