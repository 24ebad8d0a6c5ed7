package training

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/spool"
	"github.com/banquet-fs/banquet/transform"
)

const wholeCells = 4 << 20

// compute adds the features of on-demand views to a set.
//
// A function runs once for each batch. pandas makes the integers of a column floats if
// the column has a null in any row of the table, so that the joined rows are spooled
// first where that matters.
func (s *Service) compute(ctx context.Context, p *plan, req *Request, set *Set) error {
	if len(p.onDemand) == 0 {
		return nil
	}
	c := &computed{ctx: ctx, in: set.RecordReader, most: s.opt.WholeCells}
	c.count.Store(1)
	fields := c.visible(p, set)
	joined := set.Schema()
	for _, d := range p.onDemand {
		t, err := newComputation(d, p, set, joined)
		if err != nil {
			return err
		}
		from := len(fields)
		for i, o := range t.outputs {
			name := d.Column(d.features[i], req.FullNames)
			conversion := newConversion(name, transform.OutputType(d.program.Outputs()[o].Type), d.program.Outputs()[o].Type)
			t.conversions = append(t.conversions, conversion)
			fields = append(fields, arrow.Field{Name: name, Type: conversion.to, Nullable: true})
		}
		c.views = append(c.views, viewColumns{name: d.Name, from: from, count: len(t.outputs)})
		c.list = append(c.list, t)
	}
	if err := distinctFields(fields); err != nil {
		return err
	}
	if slices.ContainsFunc(c.list, (*computation).waits) {
		c.spool = spool.New(joined, s.opt.Spool)
		set.close = append(set.close, c.spool.Close)
	}
	c.schema = arrow.NewSchema(fields, nil)
	set.RecordReader, set.views = c, c.views
	set.Features = nil
	for _, v := range set.views {
		for _, f := range fields[v.from : v.from+v.count] {
			set.Features = append(set.Features, f.Name)
		}
	}
	set.close = append(set.close, c.Release)
	return nil
}

func distinctFields(fields []arrow.Field) error {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return distinct(names)
}

// computed reads joined rows and adds computed columns. It does not own the joined rows.
type computed struct {
	ctx    context.Context //nolint:containedctx // of the request, as the join's
	in     array.RecordReader
	spool  *spool.Spool
	again  array.RecordReader // the spooled rows
	keep   []int              // the columns of the joined rows that are in the set
	list   []*computation
	views  []viewColumns
	schema *arrow.Schema
	batch  arrow.RecordBatch
	rows   int64
	most   int64 // cells of a function that computes with all rows at once
	begun  bool
	err    error
	count  atomic.Int64
}

// visible chooses the joined columns that are in the set, and returns their fields.
func (c *computed) visible(p *plan, set *Set) []arrow.Field {
	hidden := map[int]bool{}
	for i, v := range set.views {
		at := v.from
		v.from, v.count = v.from-len(hidden), 0
		for n := range p.views[i].columns {
			if p.views[i].hidden[n] {
				hidden[at+n] = true
				continue
			}
			v.count++
		}
		if v.count > 0 {
			c.views = append(c.views, v)
		}
	}
	var fields []arrow.Field
	for i, f := range set.Schema().Fields() {
		if !hidden[i] {
			c.keep, fields = append(c.keep, i), append(fields, f)
		}
	}
	return fields
}

// computation is the function of an on-demand view over joined rows.
type computation struct {
	view    *onDemand
	inputs  []int // columns of the joined rows
	outputs []int // of the program
	// widens says that one of them has another type in pandas if a row of the table is
	// null, and nulls which have one.
	widens bool
	nulls  []bool
	// whole are the outputs of all rows, of a function that computes with all at once.
	whole       []arrow.Array
	conversions []*conversion
}

// newComputation finds the columns that a function reads.
func newComputation(d *onDemand, p *plan, set *Set, joined *arrow.Schema) (*computation, error) {
	t := &computation{view: d, nulls: make([]bool, len(d.program.Inputs()))}
	first := joined.NumFields() // of the features
	if len(set.views) > 0 {
		first = set.views[0].from
	}
	for _, in := range d.program.Inputs() {
		at := -1
		if in.View == "" {
			at = slices.IndexFunc(joined.Fields()[:first], func(f arrow.Field) bool { return f.Name == in.Name })
		}
		for i := range p.views {
			if in.View == "" || p.views[i].Name != d.joinedAs(in) {
				continue
			}
			if n := slices.Index(p.views[i].Features, in.Name); n >= 0 {
				at = set.views[i].from + n
			}
		}
		if at < 0 {
			return nil, fault.New(fault.Invalid, "the function of on-demand feature view %s reads the column %q, which the rows of the training set do not have; add it to the entity rows",
				d.View.Name, in.Name).About("feature view", d.View.Name, p.project.Name)
		}
		t.inputs = append(t.inputs, at)
	}
	for _, at := range t.inputs {
		// A function of the mode python gets single values, unless rows are stored.
		t.widens = t.widens || (d.stored || d.View.OnDemand.GetSpec().GetMode() != "python") && widens(joined.Field(at).Type)
	}
	for _, f := range d.features {
		t.outputs = append(t.outputs, slices.IndexFunc(d.program.Outputs(), func(o transform.Field) bool { return o.Name == f }))
	}
	return t, nil
}

// waits reports whether all rows must be known before the first is computed.
func (t *computation) waits() bool { return t.view.program.MixesRows() || t.widens }

// widens reports whether pandas gives a column another type if it has nulls.
func widens(t arrow.DataType) bool { return arrow.IsInteger(t.ID()) || t.ID() == arrow.BOOL }

// run computes the outputs of some rows. The caller releases them.
func (t *computation) run(ctx context.Context, inputs []arrow.Array, rows int, at int64) ([]arrow.Array, error) {
	p := t.view.program
	b := p.Acquire(rows)
	defer p.Release(b)
	if t.view.stored {
		b.Store()
	}
	for i, a := range inputs {
		if err := b.SetArrow(i, a); err != nil {
			return nil, err
		}
		if t.nulls[i] {
			b.SetNull(i)
		}
	}
	if err := p.Run(ctx, b); err != nil {
		return nil, err
	}
	var out []arrow.Array
	for i, o := range t.outputs {
		a, err := b.Arrow(o, memory.DefaultAllocator)
		if err == nil {
			var kept arrow.Array
			kept, err = t.conversions[i].apply(a, at)
			a.Release()
			out = append(out, kept)
		}
		if err != nil {
			release(out)
			return nil, err
		}
	}
	return out, nil
}

// columns are the inputs of a function among the joined columns.
func (t *computation) columns(batch arrow.RecordBatch) []arrow.Array {
	out := make([]arrow.Array, len(t.inputs))
	for i, at := range t.inputs {
		out[i] = batch.Column(at)
	}
	return out
}

func release(list []arrow.Array) {
	for _, a := range list {
		if a != nil {
			a.Release()
		}
	}
}

func (c *computed) Retain() { c.count.Add(1) }

func (c *computed) Release() {
	if c.count.Add(-1) > 0 {
		return
	}
	c.forget()
	if c.again != nil {
		c.again.Release()
	}
	for _, t := range c.list {
		release(t.whole)
		t.whole = nil
	}
}

func (c *computed) forget() {
	if c.batch != nil {
		c.batch.Release()
		c.batch = nil
	}
}

func (c *computed) Schema() *arrow.Schema          { return c.schema }
func (c *computed) RecordBatch() arrow.RecordBatch { return c.batch }
func (c *computed) Record() arrow.RecordBatch      { return c.batch }
func (c *computed) Err() error                     { return c.err }

// Next computes the next batch.
func (c *computed) Next() bool {
	c.forget()
	if !c.begun && c.err == nil {
		c.begun = true
		c.err = c.begin()
	}
	if c.err != nil {
		return false
	}
	if !c.in.Next() {
		c.err = c.in.Err()
		return false
	}
	c.batch, c.err = c.extend(c.in.RecordBatch())
	return c.err == nil
}

// begin spools the joined rows, if that is needed.
func (c *computed) begin() error {
	if c.spool == nil {
		return nil
	}
	for c.in.Next() {
		if c.ctx.Err() != nil {
			return fault.Of(c.ctx.Err())
		}
		batch := c.in.RecordBatch()
		for _, t := range c.list {
			for i, at := range t.inputs {
				t.nulls[i] = t.nulls[i] || batch.Column(at).NullN() > 0
			}
		}
		if err := c.spool.Write(batch); err != nil {
			return err
		}
	}
	if err := c.in.Err(); err != nil {
		return err
	}
	for _, t := range c.list {
		if !t.view.program.MixesRows() {
			continue
		}
		if err := t.all(c.ctx, c.spool, c.most); err != nil {
			return err
		}
	}
	var err error
	if c.again, err = c.spool.Reader(); err != nil {
		return err
	}
	c.in = c.again
	return nil
}

// all runs a function that computes with all rows at once.
func (t *computation) all(ctx context.Context, joined *spool.Spool, most int64) error {
	rows := joined.Rows()
	if rows > t.view.mostRows(most) {
		return t.view.tooMany(rows, most)
	}
	if rows == 0 {
		return nil
	}
	r, err := joined.Reader()
	if err != nil {
		return err
	}
	defer r.Release()
	parts := make([][]arrow.Array, len(t.inputs))
	defer func() {
		for _, list := range parts {
			release(list)
		}
	}()
	for r.Next() {
		for i, a := range t.columns(r.RecordBatch()) {
			a.Retain()
			parts[i] = append(parts[i], a)
		}
	}
	if err := r.Err(); err != nil {
		return err
	}
	inputs := make([]arrow.Array, len(parts))
	defer func() { release(inputs) }()
	for i, list := range parts {
		if inputs[i], err = array.Concatenate(list, memory.DefaultAllocator); err != nil {
			return fault.New(fault.Internal, "the batches of a column do not fit together").Because(err)
		}
	}
	t.whole, err = t.run(ctx, inputs, int(rows), 0)
	return err
}

// mostRows is how many rows a function that computes with all of them at once may have, if
// it may read and make so many cells.
func (d *onDemand) mostRows(cells int64) int64 {
	return cells / int64(len(d.program.Inputs())+len(d.features))
}

// tooMany is the error of more rows.
func (d *onDemand) tooMany(rows, cells int64) error {
	v := d.View
	return fault.New(fault.TooLarge, "the function of on-demand feature view %s computes with all rows at once, and there are %d; at most %d are possible: ask for fewer, or without this view",
		v.Name, rows, d.mostRows(cells)).About("feature view", v.Name, v.Project)
}

// extend adds the computed columns to a batch of joined rows.
func (c *computed) extend(batch arrow.RecordBatch) (arrow.RecordBatch, error) {
	n := batch.NumRows()
	var columns, made []arrow.Array
	defer func() { release(made) }()
	for _, at := range c.keep {
		columns = append(columns, batch.Column(at))
	}
	for _, t := range c.list {
		if t.whole == nil {
			out, err := t.run(c.ctx, t.columns(batch), int(n), c.rows)
			if err != nil {
				return nil, err
			}
			made = append(made, out...)
			continue
		}
		for _, a := range t.whole {
			made = append(made, array.NewSlice(a, c.rows, c.rows+n))
		}
	}
	c.rows += n
	return array.NewRecordBatch(c.schema, append(columns, made...), n), nil
}
