package dynamo

import (
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/dynamo/wire"
)

// reading is one Fetch in progress. Later ones reuse its memory.
type reading struct {
	store    *Store
	slab     stores.Slab
	sets     []idSet
	tables   []tableRead
	values   [][]byte
	ordinals []int32 // 0, 1, 2 …: the keys of most spans are slices of it
	calls    []call
	stats    stores.Stats
	units    map[stores.Table]float64
	free     func()
}

// tableRead is what a Fetch reads from one table.
type tableRead struct {
	table stores.Table
	*tableName
	consistent bool
	projection *projection
	set        *idSet
	keys       []int32      // the keys to request, ascending
	rows       []stores.Row // the caller's, by key
}

// span is the part of a call for one table.
type span struct {
	table *tableRead
	keys  []int32 // ascending
	// values is memory for the values of the rows, in the order of arrival.
	values [][]byte
	unread []int32 // keys that were left unprocessed
	// strangers: the response names keys that the call did not request.
	strangers bool
}

// call is one BatchGetItem.
type call struct {
	spans     []span
	meter     *stores.Meter
	stats     stores.Stats
	units     []units
	responses []*wire.Response
	body      []byte
	full      bool // keys were left because the response was full
	// strangers: the response names tables that the call did not request.
	strangers bool
}

// units are the read capacity that one table's part of a call consumed.
type units struct {
	table stores.Table
	units float64
}

func newReading(s *Store) *reading {
	r := &reading{store: s, units: map[stores.Table]float64{}}
	r.free = r.release
	return r
}

// release reclaims the memory after its rows were released.
func (r *reading) release() {
	for i := range r.calls {
		c := &r.calls[i]
		for _, response := range c.responses {
			response.Release()
		}
		clear(c.spans)
		clear(c.responses)
		*c = call{spans: c.spans[:0], responses: c.responses[:0], units: c.units[:0], body: c.body[:0]}
	}
	r.slab.Clear()
	clear(r.tables)
	clear(r.values)
	clear(r.units)
	r.stats = stores.Stats{}
	r.store.readings.Put(r)
}

// gather prepares the tables. Reads of one request usually share their keys,
// whose ids are then computed once.
func (r *reading) gather(reads []stores.Read, rows *stores.Rows) {
	r.tables = r.tables[:0]
	if cap(r.sets) < len(reads) {
		r.sets = make([]idSet, len(reads))
	}
	r.sets = r.sets[:len(reads)]
	sets, cells, most := 0, 0, 0
	for i := range reads {
		read := &reads[i]
		t := tableRead{
			table: read.Table, tableName: r.store.tableName(read.Table), projection: projectionOf(read.Features),
			consistent: read.Consistent || r.store.opt.Consistent, rows: rows.Reads[i],
		}
		for j := range i {
			if stores.SameKeys(reads[j].Keys, read.Keys) {
				t.set = r.tables[j].set
				break
			}
		}
		if t.set == nil {
			t.set = &r.sets[sets]
			t.set.fill(read.Keys)
			sets++
		}
		cells += len(read.Keys) * len(t.projection.features)
		most = max(most, len(read.Keys))
		r.tables = append(r.tables, t)
	}
	if cap(r.values) < cells {
		r.values = make([][]byte, cells)
	}
	r.values = r.values[:cells]
	for i := len(r.ordinals); i < most; i++ {
		r.ordinals = append(r.ordinals, int32(i))
	}
	for i := range r.tables {
		r.tables[i].keys = r.firstKeys(r.tables[i].set)
	}
}

// firstKeys returns the keys of a set without its twins.
func (r *reading) firstKeys(s *idSet) []int32 {
	all := r.ordinals[:s.len():s.len()]
	if len(s.twins) == 0 {
		return all
	}
	first := make([]int32, 0, len(all))
	twins := s.twins
	for _, key := range all {
		if len(twins) > 0 && twins[0].key == key {
			twins = twins[1:]
			continue
		}
		first = append(first, key)
	}
	return first
}

// pack splits all keys into calls of at most n; a call may span tables. Tables
// that failed recently get calls of their own.
func (r *reading) pack(n int, meter *stores.Meter) {
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
		for keys := t.keys; len(keys) > 0; {
			if left == 0 {
				current, left = r.newCall(), n
				current.meter = meter
			}
			k := min(left, len(keys))
			size := k * width
			current.spans = append(current.spans, span{table: t, keys: keys[:k:k], values: values[:size:size]})
			keys, values = keys[k:], values[size:]
			left -= k
		}
		if alone {
			left = 0
		}
	}
}

func (r *reading) newCall() *call {
	if len(r.calls) < cap(r.calls) {
		r.calls = r.calls[:len(r.calls)+1] // reuses the memory of an earlier call
	} else {
		r.calls = append(r.calls, call{})
	}
	return &r.calls[len(r.calls)-1]
}
