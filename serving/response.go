package serving

import (
	"sync"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/value"
)

// Status is the status of a cell of the response. The numbers are those of
// banquet.v1.FieldStatus, which extends feast.serving.FieldStatus.
type Status uint8

// The statuses of a cell.
const (
	Invalid       Status = 0 // the stored bytes are not a feast.types.Value
	Present       Status = 1
	NullValue     Status = 2 // never produced, as in Feast
	NotFound      Status = 3
	OutsideMaxAge Status = 4
	TimedOut      Status = 100 // partial responses: the store did not respond in time
	Throttled     Status = 101 // partial responses: the store refused the read
	Stale         Status = 102
	Unreadable    Status = 103 // partial responses: the store could not be read
)

// Response holds the features of a request, column by column: first the entity
// columns in the order of the request, then the stored features, view by view in the order
// in which the views first appear, then the computed ones. Its values are valid until Release.
type Response struct {
	// StoreWait is how long the online store took.
	StoreWait time.Duration

	plan    *plan
	rows    int
	columns []entityColumn
	groups  []boundGroup
	reads   []stores.Read
	stored  *stores.Rows
	views   []viewRows
	arena   []byte
	slab    [][]byte // values of typed columns
	// statuses of all keys of all views
	statuses     []Status
	invalid      map[cell]bool
	releaseCells func() // set for a large request
	echoed       []int  // indexes of the entity columns in the response
	// request holds the columns of request data that functions read, and computed the
	// outputs of each transform.
	request  [][][]byte
	computed []computedColumns
}

// viewRows holds the rows that were read from one view.
type viewRows struct {
	rows   []stores.Row // by key; nil when the view was not read
	status []Status     // by key
	fan    []int32      // the key of each row of the request; nil: row i has key i
}

// cell is one stored value: the view, the key and the position in its
// selection.
type cell struct {
	view, key, pos int
}

// maxKeptArena bounds the memory of keys and computed values that the pool keeps.
const maxKeptArena = 8 << 20

var responses = sync.Pool{New: func() any { return new(Response) }}

// allocValues returns n empty values of the slab.
func (r *Response) allocValues(n int) [][]byte {
	if cap(r.slab)-len(r.slab) < n {
		r.slab = make([][]byte, 0, max(n, 2*cap(r.slab)))
	}
	start := len(r.slab)
	r.slab = r.slab[:start+n]
	return r.slab[start : start+n : start+n]
}

// allocStatuses returns the statuses of n keys, not set yet.
func (r *Response) allocStatuses(n int) []Status {
	if cap(r.statuses)-len(r.statuses) < n {
		r.statuses = make([]Status, 0, max(n, 2*cap(r.statuses)))
	}
	start := len(r.statuses)
	r.statuses = r.statuses[:start+n]
	return r.statuses[start : start+n : start+n]
}

func newResponse(p *plan) *Response {
	r, _ := responses.Get().(*Response)
	r.plan = p
	return r
}

// Release returns the memory of the response's values to the pool.
func (r *Response) Release() {
	if r.stored != nil {
		r.stored.Release()
	}
	if r.releaseCells != nil {
		r.releaseCells()
	}
	clear(r.columns)
	for i := range r.groups {
		r.groups[i].release()
	}
	clear(r.slab)
	clear(r.reads)
	clear(r.views)
	clear(r.request)
	clear(r.computed)
	if cap(r.arena) > maxKeptArena {
		r.arena = nil
	}
	*r = Response{
		columns: r.columns[:0], groups: r.groups[:0], reads: r.reads[:0], views: r.views[:0], request: r.request[:0], computed: r.computed[:0],
		arena: r.arena[:0], echoed: r.echoed[:0], slab: r.slab[:0], statuses: r.statuses[:0],
	}
	responses.Put(r)
}

// Rows is the number of entity rows.
func (r *Response) Rows() int { return r.rows }

// Columns is the number of columns.
func (r *Response) Columns() int { return len(r.echoed) + len(r.plan.outputs) }

// Views is the number of views that were read.
func (r *Response) Views() int { return len(r.plan.views) }

// ViewVersion returns the name of a view and the version that was read.
func (r *Response) ViewVersion(view int) (name string, version int) {
	v := &r.plan.views[view]
	return v.view.Name, v.view.Version
}

// ViewName returns the name of a view in the request: its alias if it has one.
func (r *Response) ViewName(view int) string { return r.plan.views[view].name }

// Projected reports whether the request has a view by a projection: of a feature service
// or, if the request does not name the view, of an on-demand feature view.
func (r *Response) Projected(view int) bool { return r.plan.views[view].projected }

// Column returns a column of the response.
func (r *Response) Column(i int) ResponseColumn {
	if i < len(r.echoed) {
		c := &r.columns[r.echoed[i]]
		return ResponseColumn{Name: c.echo, View: -1, entity: c.values}
	}
	out := &r.plan.outputs[i-len(r.echoed)]
	c := ResponseColumn{Name: out.name, View: out.view}
	if out.view < 0 {
		t := &r.computed[out.transform]
		c.entity, c.statuses = t.values[out.pos], t.statuses
		return c
	}
	c.source, c.pos, c.invalid = &r.views[out.view], out.pos, r.invalid
	return c
}

// ResponseColumn is one column of a response.
type ResponseColumn struct {
	Name string
	// View is the index of the column's view, -1 for an entity column and a computed
	// column. Columns of one view have the same event times.
	View int

	entity   [][]byte // of a column that is not stored
	statuses []Status // of entity; nil: all are present
	source   *viewRows
	pos      int
	invalid  map[cell]bool
}

// At returns the cell of a row: a serialized feast.types.Value, empty for null,
// and its status.
func (c *ResponseColumn) At(row int) ([]byte, Status) {
	if c.source == nil {
		if c.statuses != nil {
			return c.entity[row], c.statuses[row]
		}
		return c.entity[row], Present
	}
	p := c.source
	if p.rows == nil {
		return nil, NotFound
	}
	key := row
	if p.fan != nil {
		key = int(p.fan[row])
	}
	status := p.status[key]
	if status != Present && status != OutsideMaxAge {
		return nil, status
	}
	v := p.rows[key].Values
	if v == nil { // an expired row under NullTTL
		return nil, status
	}
	if v[c.pos] == nil {
		if c.invalid != nil && c.invalid[cell{c.View, key, c.pos}] {
			return nil, Invalid
		}
		return nil, NotFound
	}
	return v[c.pos], status
}

// Gather copies all cells of a column, the same as At returns one by one. Both
// slices must have one element per row.
func (r *Response) Gather(i int, values [][]byte, statuses []Status) {
	c := r.Column(i)
	p := c.source
	switch {
	case p == nil && c.statuses != nil:
		copy(values, c.entity)
		copy(statuses, c.statuses)
		return
	case p == nil:
		copy(values, c.entity)
		for row := range statuses {
			statuses[row] = Present
		}
		return
	case p.rows == nil || p.fan != nil || c.invalid != nil:
		for row := range values {
			values[row], statuses[row] = c.At(row)
		}
		return
	}
	pos := c.pos
	for row := range values {
		status := p.status[row]
		var v []byte
		if status == Present || status == OutsideMaxAge {
			if stored := p.rows[row].Values; stored != nil {
				if v = stored[pos]; v == nil {
					status = NotFound
				}
			}
		}
		values[row], statuses[row] = v, status
	}
}

// Event returns the event time of a view's row; the zero time when there is none.
func (r *Response) Event(view, row int) time.Time {
	p := &r.views[view]
	if p.rows == nil {
		return time.Time{}
	}
	if p.fan != nil {
		row = int(p.fan[row])
	}
	if !p.rows[row].Found {
		return time.Time{}
	}
	return p.rows[row].Event
}

// align aligns the rows that were read with the request: each key gets a status, and
// values that would break the encoded response are removed.
func (s *Service) align(ttl TTL, r *Response) {
	for i := range r.columns {
		if !r.columns[i].hidden {
			r.echoed = append(r.echoed, i)
		}
	}
	now := s.opt.Now()
	next := 0
	for i := range r.plan.views {
		v := &r.plan.views[i]
		aligned := viewRows{fan: r.groups[v.group].fan}
		if v.view.Online && r.stored != nil {
			aligned.rows = r.stored.Reads[next]
			aligned.status = r.allocStatuses(len(aligned.rows))
			next++
		}
		r.views = append(r.views, aligned)
		s.alignView(ttl, now, r, i)
	}
}

func (s *Service) alignView(ttl TTL, now time.Time, r *Response, view int) {
	v, aligned := &r.plan.views[view], &r.views[view]
	var count rowCounts
	for key := range aligned.rows {
		row := &aligned.rows[key]
		status := rowStatus(row)
		if status == Present {
			r.checkRow(view, key, row)
			if ttl != IgnoreTTL && v.ttl > 0 && expired(now, row.Event, v.ttl) {
				status = OutsideMaxAge
				if ttl == NullTTL {
					row.Values = nil
				}
			}
		}
		aligned.status[key] = status
		count.add(status)
	}
	v.counters.add(count)
	v.counters.missed.record(s.opt.Log, v.table, count)
	if len(r.invalid) > 0 {
		s.reportInvalid(r, view)
	}
}

// rowStatus is the status of a whole row.
func rowStatus(row *stores.Row) Status {
	switch {
	case row.Err != nil:
		switch fault.KindOf(row.Err) {
		case fault.TimedOut, fault.Canceled:
			return TimedOut
		case fault.Overloaded:
			return Throttled
		default:
			return Unreadable
		}
	case !row.Found:
		return NotFound
	default:
		return Present
	}
}

// expired compares whole seconds with >, as those of Feast's servers do that
// apply a ttl.
func expired(now, event time.Time, ttl time.Duration) bool {
	return now.Unix()-event.Unix() > int64(ttl/time.Second)
}

// checkRow removes values that are not a feast.types.Value: copied into the encoded
// response, one of them would make all of it unreadable.
func (r *Response) checkRow(view, key int, row *stores.Row) {
	for pos, v := range row.Values {
		if len(v) == 0 || value.Check(v) == nil {
			continue
		}
		if r.invalid == nil {
			r.invalid = map[cell]bool{}
		}
		r.invalid[cell{view, key, pos}] = true
		row.Values[pos] = nil
	}
}
