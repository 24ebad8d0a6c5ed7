package dynamo

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
)

// plane makes the calls that move data. What the service refuses is a
// smithy.APIError, a condition that does not hold a conditionError.
type plane interface {
	// batchGet makes one BatchGetItem and files what it brings into the call.
	batchGet(ctx context.Context, c *call) error
	batchWrite(ctx context.Context, b *batch) error
	putItem(ctx context.Context, p *put) error
	close()
}

// reading is one Read on its way. Its memory is used again by later ones.
type reading struct {
	store  *Store
	slab   stores.Slab
	sets   []idSet
	tables []tableRead
	parts  []part
	items  []stores.Row
	values [][]byte
	places []int32 // 0, 1, 2 …: spans are pieces of it
	calls  []call
	stats  stores.Stats
	units  map[stores.Table]float64
	free   func()
}

// tableRead gathers what one read asks of one table, over all its parts.
type tableRead struct {
	table stores.Table
	*tableName
	consistent bool
	projection *projection
	set        *idSet
	items      []stores.Row // aligned to the ids, their values to the projection
	parts      int
}

// part ties a read of the caller to its table.
type part struct {
	table int
	set   int
	// places maps the selection to the union of the table's selections; nil
	// when they are the same.
	places []int
}

// span is what a call asks of one table.
type span struct {
	table *tableRead
	ids   []int32 // ascending
	// values is room for those of the items, in the order in which they come.
	values [][]byte
	unread []int32 // left unprocessed
	// strangers: the answer names keys that the call does not ask for.
	strangers bool
}

// call is one BatchGetItem.
type call struct {
	spans   []span
	stats   stores.Stats
	units   []units
	answers []*answer
	body    []byte
	large   bool // keys were left since the answer had its full size
	// strangers: the answer names tables that the call does not ask.
	strangers bool
}

// units are the read capacity that a table's share of a call consumed.
type units struct {
	table stores.Table
	units float64
}

func newReading(s *Store) *reading {
	r := &reading{store: s, units: map[stores.Table]float64{}}
	r.free = r.release
	return r
}

// release takes the memory back after the rows made of it were released.
func (r *reading) release() {
	for i := range r.calls {
		c := &r.calls[i]
		for _, a := range c.answers {
			a.release()
		}
		clear(c.spans)
		clear(c.answers)
		*c = call{spans: c.spans[:0], answers: c.answers[:0], units: c.units[:0], body: c.body[:0]}
	}
	r.slab.Clear()
	clear(r.tables)
	clear(r.parts)
	clear(r.items)
	clear(r.values)
	clear(r.units)
	r.stats = stores.Stats{}
	r.store.readings.Put(r)
}

// Read packs all keys of all tables into BatchGetItem calls.
func (s *Store) Read(ctx context.Context, reads []stores.Read) (*stores.Rows, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Of(err)
	}
	r, ok := s.readings.Get().(*reading)
	if !ok {
		r = newReading(s)
	}
	rows := r.slab.NewRows(reads, r.free)
	r.gather(reads, rows)
	r.pack(s.opt.BatchSize)
	r.fetch(ctx)
	if err := r.wholeFailure(); err != nil {
		rows.Release()
		return nil, err
	}
	for i := range reads {
		r.fill(rows, i)
	}
	rows.Stats = r.stats
	if len(r.units) > 0 {
		rows.Stats.Capacity = r.units
	}
	return rows, nil
}

// gather sorts the reads by table. Reads of one request share their keys as a
// rule, whose ids are then made once.
func (r *reading) gather(reads []stores.Read, rows *stores.Rows) {
	r.tables, r.parts = r.tables[:0], r.parts[:0]
	sets := 0
	if cap(r.sets) < len(reads) {
		r.sets = make([]idSet, len(reads))
	}
	r.sets = r.sets[:len(reads)]
	for i := range reads {
		read := &reads[i]
		p := part{table: -1, set: -1}
		for j := range i {
			if sameKeys(reads[j].Keys, read.Keys) {
				p.set = r.parts[j].set
				break
			}
		}
		if p.set < 0 {
			p.set = sets
			r.sets[sets].fill(read.Keys)
			sets++
		}
		for j := range r.tables {
			if r.tables[j].table == read.Table {
				p.table = j
			}
		}
		if p.table < 0 {
			p.table = len(r.tables)
			r.tables = append(r.tables, tableRead{
				table: read.Table, tableName: r.store.tableName(read.Table), projection: projectionOf(read.Features), set: &r.sets[p.set],
			})
		}
		t := &r.tables[p.table]
		t.parts++
		t.consistent = t.consistent || read.Consistent || r.store.opt.Consistent
		r.parts = append(r.parts, p)
	}
	for i := range r.tables {
		if t := &r.tables[i]; t.parts > 1 {
			r.unite(i, reads)
		}
	}
	r.room(rows)
}

// sameKeys reports whether two lists of keys are one and the same.
func sameKeys(a, b [][]byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// unite prepares a table that several reads ask: one set of ids, one
// projection.
func (r *reading) unite(table int, reads []stores.Read) {
	var keys [][]byte
	var selections []*stores.Selection
	var of []int
	for i := range r.parts {
		if r.parts[i].table == table {
			keys = append(keys, reads[i].Keys...)
			selections = append(selections, reads[i].Features)
			of = append(of, i)
		}
	}
	t := &r.tables[table]
	set := new(idSet)
	set.fill(keys)
	t.set = set
	var places [][]int
	t.projection, places = union(selections)
	for i, at := range of {
		r.parts[at].places = places[i]
	}
}

// room makes room for items: those of a table that one read asks for distinct
// keys are the caller's rows themselves.
func (r *reading) room(rows *stores.Rows) {
	items, cells, most := 0, 0, 0
	for i := range r.tables {
		t := &r.tables[i]
		n := t.set.len()
		if !t.own() {
			items += n
		}
		cells += n * len(t.projection.features)
		most = max(most, n)
	}
	if cap(r.items) < items {
		r.items = make([]stores.Row, items)
	}
	r.items = r.items[:items]
	if cap(r.values) < cells {
		r.values = make([][]byte, cells)
	}
	r.values = r.values[:cells]
	for i := len(r.places); i < most; i++ {
		r.places = append(r.places, int32(i))
	}
	free := r.items
	for i := range r.parts {
		t := &r.tables[r.parts[i].table]
		switch n := t.set.len(); {
		case t.own():
			t.items = rows.Reads[i]
		case t.items == nil:
			t.items, free = free[:n:n], free[n:]
		}
	}
}

// own reports whether a table's items are the caller's rows.
func (t *tableRead) own() bool { return t.parts == 1 && t.set.of == nil }

// fill puts a read's items into the caller's rows, where they are not there
// already.
func (r *reading) fill(rows *stores.Rows, read int) {
	p := &r.parts[read]
	t := &r.tables[p.table]
	if t.own() {
		return
	}
	out := rows.Reads[read]
	first := 0 // of a table that several reads ask: where this one's keys begin
	for i := range read {
		if t.parts > 1 && r.parts[i].table == p.table {
			first += len(rows.Reads[i])
		}
	}
	for j := range out {
		at := first + j
		if t.set.of != nil {
			at = int(t.set.of[at])
		}
		it := &t.items[at]
		out[j] = *it
		if p.places != nil && it.Values != nil {
			out[j].Values = make([][]byte, len(p.places))
			for i, u := range p.places {
				out[j].Values[i] = it.Values[u]
			}
		}
	}
}

// wholeFailure is the failure of a read of which nothing came back.
func (r *reading) wholeFailure() error {
	var first error
	for i := range r.tables {
		items := r.tables[i].items
		for j := range items {
			if items[j].Err == nil {
				return nil
			}
			if first == nil {
				first = items[j].Err
			}
		}
	}
	switch fault.KindOf(first) {
	case fault.TimedOut, fault.Canceled, fault.Unavailable:
		return first
	}
	return nil
}

// pack cuts all ids into calls of at most n keys; a call may span tables.
// Tables that were bad lately are not packed with others.
func (r *reading) pack(n int) {
	r.calls = r.calls[:0]
	values := r.values
	var current *call
	left := 0
	for i := range r.tables {
		t := &r.tables[i]
		alone := r.store.bad.is(t.name)
		if alone {
			left = 0
		}
		width := len(t.projection.features)
		for from, all := 0, t.set.len(); from < all; {
			if left == 0 {
				current, left = r.newCall(), n
			}
			to := min(from+left, all)
			room := (to - from) * width
			current.spans = append(current.spans, span{table: t, ids: r.places[from:to:to], values: values[:room:room]})
			values = values[room:]
			left -= to - from
			from = to
		}
		if alone {
			left = 0
		}
	}
}

func (r *reading) newCall() *call {
	if len(r.calls) < cap(r.calls) {
		r.calls = r.calls[:len(r.calls)+1] // with the memory of an earlier one
	} else {
		r.calls = append(r.calls, call{})
	}
	return &r.calls[len(r.calls)-1]
}

// fetch makes the calls, many at a time.
func (r *reading) fetch(ctx context.Context) {
	if n := min(len(r.calls), inFlight); n > 1 {
		var next atomic.Int32
		work := func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(r.calls) {
					return
				}
				r.store.call(ctx, &r.calls[i])
			}
		}
		var group sync.WaitGroup
		for range n - 1 {
			group.Go(work)
		}
		work()
		group.Wait()
	} else if n == 1 {
		r.store.call(ctx, &r.calls[0])
	}
	for i := range r.calls {
		c := &r.calls[i]
		r.stats.Add(c.stats)
		for _, u := range c.units {
			r.units[u.table] += u.units
		}
	}
}

// call makes one BatchGetItem. One bad table makes DynamoDB refuse the whole
// call without naming it: then each table is asked apart, so that only the bad
// one's rows fail.
func (s *Store) call(ctx context.Context, c *call) {
	err := s.get(ctx, c)
	if err == nil {
		if len(c.spans) == 1 {
			s.bad.clear(c.spans[0].table.name)
		}
		return
	}
	kind := fault.KindOf(err)
	if len(c.spans) > 1 && (kind == fault.NotFound || kind == fault.Denied || kind == fault.Invalid) {
		for i := range c.spans {
			apart := call{spans: c.spans[i : i+1 : i+1], body: c.body}
			s.call(ctx, &apart)
			c.stats.Add(apart.stats)
			c.units = append(c.units, apart.units...)
			c.answers = append(c.answers, apart.answers...)
			c.body = apart.body
		}
		return
	}
	for i := range c.spans {
		sp := &c.spans[i]
		if len(c.spans) == 1 && (kind == fault.NotFound || kind == fault.Denied) {
			s.bad.add(sp.table.name)
		}
		for _, at := range sp.ids {
			sp.table.items[at] = stores.Row{Err: err}
		}
	}
}

// get makes one call and files what it brings. Keys that were left only since
// the answer had its full size are asked for at once; those that a busy table
// left say so in their rows.
func (s *Store) get(ctx context.Context, c *call) error {
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	for {
		c.stats.Calls++
		c.large = false
		if err := s.getOnce(ctx, c); err != nil {
			return err
		}
		left := 0
		for i := range c.spans {
			left += len(c.spans[i].unread)
		}
		if left == 0 {
			return nil
		}
		if !c.large {
			for i := range c.spans {
				s.leave(&c.spans[i])
			}
			return nil
		}
		again := c.spans[:0:0]
		for _, sp := range c.spans {
			if len(sp.unread) > 0 {
				slices.Sort(sp.unread) // as the ids of every span are
				again = append(again, span{table: sp.table, ids: sp.unread, values: make([][]byte, len(sp.unread)*len(sp.table.projection.features))})
			}
		}
		c.spans = again
	}
}

// getOnce makes one call; with credentials that the service holds for expired
// it is made once more, with new ones.
func (s *Store) getOnce(ctx context.Context, c *call) error {
	err := s.data.batchGet(ctx, c)
	if err != nil && s.renewed(err) {
		c.stats.Calls++
		err = s.data.batchGet(ctx, c)
	}
	if err == nil {
		return nil
	}
	only := stores.Table{}
	if len(c.spans) == 1 {
		only = c.spans[0].table.table
	}
	return s.fault(ctx, err, only)
}

// leave marks the keys that a busy table left unread.
func (s *Store) leave(sp *span) {
	if len(sp.unread) == 0 {
		return
	}
	t := sp.table
	err := fault.New(fault.Overloaded, "DynamoDB table %s of feature view %s left keys unread; it is busy", t.name, t.table.View).
		About("table", t.name, t.table.Project)
	for _, at := range sp.unread {
		t.items[at] = stores.Row{Err: err}
	}
}
