package asof

import (
	"context"
	"encoding/binary"
	"hash/maphash"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/spool"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/value"
)

// Latest reads all rows of the query before it returns.
func (j *Joiner) Latest(ctx context.Context, query offline.Query, keys []int) (array.RecordReader, error) {
	rows, err := j.store.Range(ctx, query)
	if err != nil {
		return nil, fault.Of(err)
	}
	defer rows.Release()
	l := &latest{ctx: ctx, query: query, keys: keys, limit: j.opt.Memory / 2, dir: j.opt.Dir}
	for _, k := range keys {
		if k < 0 || k >= len(query.Columns) {
			return nil, fault.New(fault.Internal, "data source %s: column %d of %d is no key", query.Source.GetName(), k, len(query.Columns))
		}
	}
	l.schema = plainSchema(rows.Schema())
	if err := l.read(rows); err != nil {
		l.close()
		return nil, err
	}
	return offline.NewReader(l.schema, l.batches, l.close), nil
}

// plainSchema is the schema of a result for a source's schema.
func plainSchema(source *arrow.Schema) *arrow.Schema {
	fields := source.Fields()
	for i, f := range fields {
		fields[i].Type = plain(f.Type)
	}
	return arrow.NewSchema(fields, nil)
}

// latest is one call of Latest. Rows whose keys do not fit into memory are put
// into parts by the hash of their key, which are then read one by one.
type latest struct {
	ctx    context.Context //nolint:containedctx // lives as long as the reader
	query  offline.Query
	keys   []int
	schema *arrow.Schema
	limit  int64
	dir    string
	group  *group   // complete, to be returned next
	parts  []*shelf // not yet read
}

// group is the newest rows of some keys.
type group struct {
	picker
	encode valueKeys
	found  *table
	time   int // the column of the event time, behind which is that of the created time if any
	// spread has a part for each hash, once there are too many keys.
	spread []*shelf
	seed   maphash.Seed
}

func (l *latest) newGroup(schema *arrow.Schema) *group {
	g := &group{encode: newValueKeys(schema, l.query, l.keys), found: newTable(), time: len(l.query.Columns), seed: maphash.MakeSeed()}
	g.shelf = newShelf(schema.Fields(), l.limit, l.dir)
	return g
}

// read finds the newest rows of a source.
func (l *latest) read(rows array.RecordReader) error {
	g := l.newGroup(rows.Schema())
	l.group = g
	for rows.Next() {
		if err := l.ctx.Err(); err != nil {
			return fault.Of(err)
		}
		if err := l.batch(g, rows.RecordBatch().Columns()); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fault.Of(err)
	}
	return l.complete(g)
}

// readPart finds the newest rows of a part.
func (l *latest) readPart(p *shelf) error {
	defer p.close()
	g := l.newGroup(l.schema)
	l.group = g
	err := p.scan(l.ctx, func(columns []arrow.ArrayData, _ int) error {
		arrays := make([]arrow.Array, len(columns))
		for i, c := range columns {
			arrays[i] = array.MakeFromData(spool.Retyped(c, l.schema.Field(i).Type))
		}
		return l.batch(g, arrays)
	})
	if err != nil {
		return err
	}
	return l.complete(g)
}

// complete ends the rows of a group, or leaves them to its parts.
func (l *latest) complete(g *group) error {
	for _, p := range g.spread {
		if err := p.flush(); err != nil {
			return err
		}
	}
	l.parts = append(l.parts, g.spread...)
	g.spread = nil
	return g.shelf.flush()
}

// batch looks at the rows of a batch.
func (l *latest) batch(g *group, columns []arrow.Array) error {
	data := make([]arrow.ArrayData, len(columns))
	for i, c := range columns {
		data[i] = c.Data()
	}
	if g.spread != nil {
		return g.scatter(columns, data)
	}
	at, err := timesOf(columns[g.time])
	if err != nil {
		return err
	}
	made, err := createdOf(columns[g.time+1:])
	if err != nil {
		return err
	}
	for i := range at {
		id := g.found.add(g.encode.key(columns, i))
		if int(id) == len(g.best) {
			g.best = append(g.best, nothing)
		}
		g.offer(id, int64(at[i]), made(i), i)
	}
	if err := g.settle(data); err != nil {
		return err
	}
	return l.shrink(g)
}

// shrink keeps a group within the limit.
func (l *latest) shrink(g *group) error {
	memory := func() int64 { return g.shelf.memory() + int64(g.found.memory()) + 24*int64(len(g.best)) }
	if memory() <= l.limit {
		return nil
	}
	if _, err := g.shelf.compact(g.best); err != nil {
		return err
	}
	if memory() <= l.limit || len(g.best) == 1 {
		return nil
	}
	return l.divide(g)
}

// divide puts the rows of a group into parts. The newest rows come first there,
// so that they are still the first of their ties.
func (l *latest) divide(g *group) error {
	if err := g.shelf.flush(); err != nil {
		return err
	}
	g.spread = make([]*shelf, mostParts)
	for i := range g.spread {
		g.spread[i] = newShelf(l.schema.Fields(), l.limit/(4*mostParts), l.dir)
	}
	places := make([]uint8, g.shelf.n)
	kept := make([]bool, g.shelf.n)
	for id, c := range g.best {
		places[c.number], kept[c.number] = g.place(g.found.key(int32(id))), true
	}
	g.best, g.found = nil, newTable()
	rows := make([][]int32, len(g.spread))
	err := g.shelf.scan(l.ctx, func(columns []arrow.ArrayData, n int) error {
		for i := range n {
			if kept[i] {
				rows[places[i]] = append(rows[places[i]], int32(i))
			}
		}
		places, kept = places[n:], kept[n:]
		return g.put(columns, rows)
	})
	g.shelf.close()
	g.shelf = newShelf(l.schema.Fields(), l.limit, l.dir)
	return err
}

func (g *group) place(key []byte) uint8 { return uint8(maphash.Bytes(g.seed, key) % mostParts) }

// scatter puts the rows of a batch into the parts.
func (g *group) scatter(columns []arrow.Array, data []arrow.ArrayData) error {
	rows := make([][]int32, len(g.spread))
	for i := range columns[g.time].Len() {
		p := g.place(g.encode.key(columns, i))
		rows[p] = append(rows[p], int32(i))
	}
	return g.put(data, rows)
}

// put adds rows to each part, and empties the lists of them.
func (g *group) put(columns []arrow.ArrayData, rows [][]int32) error {
	for i, p := range g.spread {
		if err := p.keep(columns, rows[i]); err != nil {
			return err
		}
		rows[i] = rows[i][:0]
	}
	return nil
}

// scan reads all rows of a shelf, in their order.
func (s *shelf) scan(ctx context.Context, batch func(columns []arrow.ArrayData, rows int) error) error {
	if s.disk != nil {
		return s.each(ctx, batch)
	}
	for i, g := range s.segments {
		n := s.n - g.first
		if i+1 < len(s.segments) {
			n = s.segments[i+1].first - g.first
		}
		if err := batch(g.columns, int(n)); err != nil {
			return err
		}
	}
	return nil
}

// batches yields the rows of all groups.
func (l *latest) batches(yield func(arrow.RecordBatch, error) bool) {
	var sinks []sink
	for _, f := range l.schema.Fields() {
		sinks = append(sinks, newSink(f.Type))
	}
	for {
		if !l.answer(sinks, yield) || len(l.parts) == 0 {
			return
		}
		last := len(l.parts) - 1 // the parts of a part come before its neighbours: few are open then
		next := l.parts[last]
		l.parts = l.parts[:last]
		if err := l.readPart(next); err != nil {
			yield(nil, err)
			return
		}
	}
}

// answer yields the rows of a group; false if that is the end.
func (l *latest) answer(sinks []sink, yield func(arrow.RecordBatch, error) bool) bool {
	numbers := make([]int64, 0, len(l.group.best))
	for _, c := range l.group.best {
		numbers = append(numbers, c.number)
	}
	slices.Sort(numbers)
	whole := part{end: len(numbers), numbers: numbers, shelf: l.group.shelf}
	l.group.best, l.group.found = nil, nil
	for row := 0; row < len(numbers); {
		if err := l.ctx.Err(); err != nil {
			yield(nil, fault.Of(err))
			return false
		}
		end := fit([]part{whole}, row, min(row+batchRows, len(numbers)))
		whole.shelf.take(sinks, numbers[row:end])
		batch, err := finish(l.schema, sinks, end-row)
		if !yield(batch, err) || err != nil {
			return false
		}
		row = end
	}
	whole.shelf.close()
	return true
}

func (l *latest) close() {
	for _, p := range l.parts {
		p.close()
	}
	if l.group != nil {
		l.group.shelf.close()
		for _, p := range l.group.spread {
			p.close()
		}
	}
}

// valueKeys makes one key of several columns in which null, and what is no value
// of the column's type, are values, too.
type valueKeys struct {
	columns []int
	cells   []*value.ArrowEncoder // nil if the query does not name types
	scratch *[]byte
}

func newValueKeys(schema *arrow.Schema, q offline.Query, keys []int) valueKeys {
	v := valueKeys{columns: keys, scratch: new([]byte)}
	for _, k := range keys {
		if len(q.Types) > 0 {
			v.cells = append(v.cells, value.NewArrowKeyEncoder(schema.Field(k).Type, q.Types[k]))
		}
	}
	return v
}

// Sizes that no value has mark other cells.
const (
	nullCell = math.MaxUint32 - iota
	textCell
)

// key returns the key of a row, until the next call.
func (v valueKeys) key(columns []arrow.Array, row int) []byte {
	key := (*v.scratch)[:0]
	for i, c := range v.columns {
		a, at := columns[c], len(key)
		key = append(key, 0, 0, 0, 0)
		if a.IsNull(row) || a.DataType().ID() == arrow.NULL {
			binary.LittleEndian.PutUint32(key[at:], nullCell)
			continue
		}
		if v.cells != nil {
			if more, err := v.cells[i].Append(key, a, row); err == nil {
				size := uint32(len(more) - at - 4)
				if key = more; size == 0 {
					size = nullCell
				}
				binary.LittleEndian.PutUint32(key[at:], size)
				continue
			}
			key = key[:at+4]
		}
		text := a.ValueStr(row)
		binary.LittleEndian.PutUint32(key[at:], textCell)
		key = append(binary.LittleEndian.AppendUint32(key, uint32(len(text))), text...)
	}
	*v.scratch = key
	return key
}
