package training

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/spool"
	"github.com/banquet-fs/banquet/offline"
)

// eventTime is Feast's name of the column of event times.
const eventTime = "event_timestamp"

// batchRows is how many rows a batch of a training set has at most.
const batchRows = 8 << 10

// entities are the entity rows of a request, at rest: they are read twice, for the
// join and for the training set.
type entities struct {
	// names are the columns. That of the event times is a timestamp in UTC, whatever
	// it was.
	names []string
	index map[string]int
	time  int
	// added is set if the event times are not a column of the caller's.
	added bool
	at    time.Time
	spool *spool.Spool
}

// column is the index of a column, -1 if there is none.
func (e *entities) column(name string) int {
	if i, ok := e.index[name]; ok {
		return i
	}
	return -1
}

// given are the columns that the caller gave.
func (e *entities) given() []string {
	if e.added {
		return e.names[:e.time]
	}
	return e.names
}

// newEntities looks at the columns of entity rows. at is the time of rows without one.
func newEntities(schema *arrow.Schema, at time.Time) (*entities, error) {
	e := &entities{index: map[string]int{}}
	for i, f := range schema.Fields() {
		if e.column(f.Name) >= 0 {
			return nil, fault.New(fault.Invalid, "the entity rows have two columns %q; rename one of them", f.Name)
		}
		e.names, e.index[f.Name] = append(e.names, f.Name), i
	}
	if err := e.findTime(schema, at); err != nil {
		return nil, err
	}
	return e, nil
}

// findTime finds the column of event times as Feast does: event_timestamp, else the
// only column of timestamps.
func (e *entities) findTime(schema *arrow.Schema, at time.Time) error {
	var timestamps []string
	for i, f := range schema.Fields() {
		if f.Type.ID() == arrow.TIMESTAMP {
			timestamps = append(timestamps, f.Name)
			e.time = i
		}
	}
	if i := e.column(eventTime); i >= 0 {
		e.time = i
		return nil
	}
	switch {
	case len(timestamps) == 1:
		return nil
	case len(timestamps) == 0 && !at.IsZero():
		e.added, e.at, e.time = true, at.UTC().Truncate(time.Microsecond), len(e.names)
		e.names, e.index[eventTime] = append(e.names, eventTime), e.time
		return nil
	}
	return fault.New(fault.Invalid, "Please provide an entity_df with a column named event_timestamp representing the time of events.").
		For(fault.TimeUnset)
}

// schema is that of the spooled rows.
func (e *entities) schema(sent *arrow.Schema) (*arrow.Schema, error) {
	fields := make([]arrow.Field, len(e.names))
	for i, name := range e.names {
		fields[i] = arrow.Field{Name: name, Nullable: true}
		switch {
		case i == e.time && e.added:
			fields[i].Type = utc(arrow.Microsecond)
		case i == e.time:
			t, err := eventTimeType(name, sent.Field(i).Type)
			if err != nil {
				return nil, err
			}
			fields[i].Type = t
		default:
			fields[i].Type = plain(sent.Field(i).Type)
		}
	}
	return arrow.NewSchema(fields, nil), nil
}

// plain is the type of the values of a dictionary.
func plain(t arrow.DataType) arrow.DataType {
	if d, ok := t.(*arrow.DictionaryType); ok {
		return d.ValueType
	}
	return t
}

// read reads all entity rows. They are kept until the set is closed.
func (e *entities) read(ctx context.Context, rows array.RecordReader, opt spool.Options, set *Set) error {
	schema, err := e.schema(rows.Schema())
	if err != nil {
		return err
	}
	e.spool = spool.New(schema, opt)
	set.close = append(set.close, e.spool.Close)
	for rows.Next() {
		batch := rows.RecordBatch()
		for from := int64(0); from < batch.NumRows(); from += batchRows {
			if ctx.Err() != nil {
				return fault.Of(ctx.Err())
			}
			if err := e.keep(ctx, batch, from, min(from+batchRows, batch.NumRows())); err != nil {
				return err
			}
		}
	}
	return rows.Err()
}

// keep keeps some rows of a batch.
func (e *entities) keep(ctx context.Context, batch arrow.RecordBatch, from, to int64) error {
	columns := make([]arrow.Array, 0, len(e.names))
	defer func() {
		for _, c := range columns {
			c.Release()
		}
	}()
	for i, name := range e.names {
		a, err := e.array(ctx, batch, i, from, to)
		if bad, ok := err.(*cellError); ok { //nolint:errorlint // array does not wrap it
			return fault.New(fault.Invalid, "entity rows, row %d, column %s: %s", e.spool.Rows()+int64(bad.row)+1, name, bad.why)
		}
		if err != nil {
			return err
		}
		columns = append(columns, a)
	}
	kept := array.NewRecordBatch(e.spool.Schema(), columns, to-from)
	defer kept.Release()
	return e.spool.Write(kept)
}

func (e *entities) array(ctx context.Context, batch arrow.RecordBatch, column int, from, to int64) (arrow.Array, error) {
	if column == e.time && e.added {
		return constant(e.at, int(to-from)), nil
	}
	a := array.NewSlice(batch.Column(column), from, to)
	if d, ok := a.(*array.Dictionary); ok {
		values, err := compute.TakeArray(ctx, d.Dictionary(), d.Indices())
		a.Release()
		if err != nil {
			return nil, fault.New(fault.Invalid, "column %s of the entity rows cannot be read", e.names[column]).Because(err)
		}
		a = values
	}
	if column != e.time {
		return a, nil
	}
	defer a.Release()
	return eventTimes(a)
}

// reader reads the columns at some indexes. The caller releases it.
func (e *entities) reader(at []int) (array.RecordReader, error) {
	in, err := e.spool.Reader()
	if err != nil {
		return nil, err
	}
	fields := make([]arrow.Field, len(at))
	for i, column := range at {
		fields[i] = e.spool.Schema().Field(column)
	}
	return newProjection(in, at, fields), nil
}

// keyColumns are the columns that the join reads: those of the join keys, each once, then
// the event time. It sets the places of the views' keys among them.
func (p *plan) keyColumns(e *entities) []int {
	var columns []int
	places := map[int]int{}
	for i := range p.views {
		v := &p.views[i]
		for _, k := range v.keys {
			column := e.column(k.column)
			place, ok := places[column]
			if !ok {
				place = len(columns)
				places[column], columns = place, append(columns, column)
			}
			v.join.Keys = append(v.join.Keys, offline.JoinKey{Column: k.source, Entity: place, Type: k.kind})
		}
	}
	return append(columns, e.time)
}

// notes say which time the rows have, unless they say it themselves.
func (e *entities) notes() []string {
	switch name := e.names[e.time]; {
	case e.added:
		return []string{"the entity rows have no column of times: taken as of " + e.at.UTC().Format(time.RFC3339Nano)}
	case name != eventTime:
		return []string{fmt.Sprintf("the event times are those of column %s, the only column of timestamps", name)}
	}
	return nil
}
