package offlinetest_test

import (
	"cmp"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/offlinetest"
)

// crooked joins as the oracle does, except for what is replaced.
type crooked struct {
	*model
	join    func(*offline.Join)
	view    func(*offline.JoinView)
	moments func(views *[]offline.JoinView, start, end *time.Time)
	latest  func(q *offline.Query, keys *[]int)
	ctx     func(context.Context) context.Context
	err     func(error) error
	reader  func(array.RecordReader) array.RecordReader
	// store changes what is joined.
	store func(offline.Store) offline.Store
	// leaks keeps resources after a refusal, clings after each answer, and releases
	// takes the entity rows over.
	leaks, clings, releases bool
	// late reports a failure in a reader.
	late func(error) array.RecordReader
}

type crookedStore struct {
	offline.Store
	offline.Joiner
}

func (c *crooked) Store() offline.Store { return crookedStore{c.model, c} }

func (c *crooked) Unreachable(t testing.TB) offline.Store {
	down := *c
	down.model, _ = c.model.Unreachable(t).(*model)
	return crookedStore{down.model, &down}
}

func (c *crooked) oracle() offline.Joiner {
	var s offline.Store = c.model
	if c.store != nil {
		s = c.store(s)
	}
	return offlinetest.Oracle{Store: s}
}

// answer applies what is wrong with all answers.
func (c *crooked) answer(r array.RecordReader, err error) (array.RecordReader, error) {
	told := func(err error) error {
		if err == nil || c.err == nil {
			return err
		}
		return c.err(err)
	}
	if err != nil && c.late != nil {
		return c.late(err), nil
	}
	if err != nil && c.leaks || err == nil && c.clings {
		c.Hold()
	}
	if err != nil {
		return nil, cmp.Or(told(err), err)
	}
	if c.err != nil {
		r = &telling{r, told}
	}
	if c.reader != nil {
		r = c.reader(r)
	}
	return r, nil
}

func (c *crooked) PointInTime(ctx context.Context, join offline.Join) (array.RecordReader, error) {
	if c.ctx != nil {
		ctx = c.ctx(ctx)
	}
	join.Views = slices.Clone(join.Views)
	if c.join != nil {
		c.join(&join)
	}
	for i := range join.Views {
		if c.view != nil {
			c.view(&join.Views[i])
		}
	}
	r, err := c.answer(c.oracle().PointInTime(ctx, join))
	if c.releases {
		join.Entities.Release()
	}
	return r, err
}

func (c *crooked) Moments(ctx context.Context, views []offline.JoinView, start, end time.Time) (array.RecordReader, error) {
	if c.moments != nil {
		views = slices.Clone(views)
		c.moments(&views, &start, &end)
	}
	return c.answer(c.oracle().Moments(ctx, views, start, end))
}

func (c *crooked) Latest(ctx context.Context, q offline.Query, keys []int) (array.RecordReader, error) {
	if c.latest != nil {
		c.latest(&q, &keys)
	}
	return c.answer(c.oracle().Latest(ctx, q, keys))
}

// crookedFlaw is one way to break the contract, with the sentences that find it.
type crookedFlaw struct {
	name    string
	crooked crooked
	in      []string
}

// changed is a store whose answers are changed.
type changed struct {
	offline.Store
	query func(*offline.Query)
	batch func(arrow.RecordBatch) arrow.RecordBatch
}

func (c changed) Range(ctx context.Context, q offline.Query) (array.RecordReader, error) {
	if c.query != nil {
		c.query(&q)
	}
	r, err := c.Store.Range(ctx, q)
	if err != nil || c.batch == nil {
		return r, err
	}
	return &altered{r, c.batch}, nil
}

type altered struct {
	array.RecordReader
	batch func(arrow.RecordBatch) arrow.RecordBatch
}

func (a *altered) RecordBatch() arrow.RecordBatch { return a.batch(a.RecordReader.RecordBatch()) }

// backwards has the rows of a batch in reverse.
func backwards(batch arrow.RecordBatch) arrow.RecordBatch {
	n := batch.NumRows()
	columns := make([]arrow.Array, batch.NumCols())
	for c := range columns {
		var cells []arrow.Array
		for i := n - 1; i >= 0; i-- {
			cells = append(cells, array.NewSlice(batch.Column(c), i, i+1))
		}
		if n == 0 {
			cells = append(cells, batch.Column(c))
		}
		columns[c] = concatenated(cells)
	}
	return array.NewRecordBatch(batch.Schema(), columns, n)
}

// entitiesOf changes the entity rows' batches.
func entitiesOf(change func(arrow.RecordBatch) arrow.RecordBatch) func(*offline.Join) {
	return func(j *offline.Join) { j.Entities = &altered{j.Entities, change} }
}

// column changes one column of a batch, counted from the end where i is negative.
func withColumn(i int, change func(arrow.Array) arrow.Array) func(arrow.RecordBatch) arrow.RecordBatch {
	return func(batch arrow.RecordBatch) arrow.RecordBatch {
		columns := slices.Clone(batch.Columns())
		at := (i + len(columns)) % len(columns)
		columns[at] = change(columns[at])
		return array.NewRecordBatch(batch.Schema(), columns, batch.NumRows())
	}
}

func sourceOf(change func(arrow.Array) arrow.Array) func(offline.Store) offline.Store {
	return func(s offline.Store) offline.Store {
		return changed{Store: s, batch: func(batch arrow.RecordBatch) arrow.RecordBatch {
			columns := slices.Clone(batch.Columns())
			for i := range columns {
				columns[i] = change(columns[i])
			}
			return array.NewRecordBatch(batch.Schema(), columns, batch.NumRows())
		}}
	}
}

// doomed is a reader that has failed.
type doomed struct {
	array.RecordReader
	err error
}

func (*doomed) Next() bool            { return false }
func (*doomed) Release()              {}
func (*doomed) Schema() *arrow.Schema { return arrow.NewSchema(nil, nil) }
func (d *doomed) Err() error          { return d.err }
func (*doomed) RecordBatch() arrow.RecordBatch {
	return array.NewRecordBatch(arrow.NewSchema(nil, nil), nil, 0)
}

// brief ends after its first batch.
type brief struct {
	array.RecordReader
	batches int
}

func (r *brief) Next() bool {
	r.batches++
	return r.batches == 1 && r.RecordReader.Next()
}

// everyTime changes the times among the columns of a batch.
func everyTime(change func(n int64, of *arrow.TimestampType) int64) func(arrow.RecordBatch) arrow.RecordBatch {
	return func(batch arrow.RecordBatch) arrow.RecordBatch {
		columns := slices.Clone(batch.Columns())
		for i := range columns {
			columns[i] = shifted(change)(columns[i])
		}
		return array.NewRecordBatch(batch.Schema(), columns, batch.NumRows())
	}
}

func concatenated(cells []arrow.Array) arrow.Array {
	a, err := array.Concatenate(cells, memory.DefaultAllocator)
	if err != nil {
		panic(err) // a fault in this test
	}
	return a
}
