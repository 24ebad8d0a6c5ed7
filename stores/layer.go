package stores

import (
	"context"
	"sync"
)

// Driver is the reading side of a backend. A Layer above it simplifies every call
// first. It is safe for concurrent use.
type Driver interface {
	// Fetch reads every key of every read, in order. It keeps the contract of
	// Reader.Read, and its callers guarantee that
	//
	//   - no two reads are of the same table,
	//   - no key repeats within a read, and no feature within a selection,
	//   - reads of the same keys share one slice: see SameKeys.
	//
	// Fetch counts the bytes of its responses with the meter and stops when the meter
	// refuses them; its result is then ignored.
	Fetch(ctx context.Context, reads []Read, meter *Meter) (*Rows, error)
}

// Layer is the reading side of every backend: a store embeds it above its own
// Driver. It removes repeated keys, merges reads of one table and enforces the
// byte budget. A read without repeats costs nothing extra.
type Layer struct {
	driver Driver
	budget *Budget
}

// NewLayer makes the layer above a driver, without a budget.
func NewLayer(d Driver) *Layer { return &Layer{driver: d} }

// Limit sets the byte budget of responses. Call it before the first Read.
func (l *Layer) Limit(b *Budget) { l.budget = b }

// Read reads every key of every read, in order, repeats included.
func (l *Layer) Read(ctx context.Context, reads []Read) (*Rows, error) {
	if settled(reads) {
		return l.fetch(ctx, reads)
	}
	m := merge(reads)
	fetched, err := l.fetch(ctx, m.reads)
	if err != nil {
		return nil, err
	}
	return m.fan(reads, fetched), nil
}

var meters = sync.Pool{New: func() any { return new(Meter) }}

// fetch calls the driver within the budget.
func (l *Layer) fetch(ctx context.Context, reads []Read) (*Rows, error) {
	var meter *Meter
	if l.budget != nil {
		meter = meters.Get().(*Meter) // the pool holds nothing else
		meter.budget = l.budget
	}
	rows, err := l.driver.Fetch(ctx, reads, meter)
	if refusal := meter.Refusal(); refusal != nil {
		if err == nil {
			rows.Release()
		}
		meter.end()
		return nil, refusal
	}
	if err != nil {
		meter.end()
		return nil, err
	}
	rows.meter = meter
	return rows, nil
}

// SameKeys reports whether two reads share the same slice of keys.
func SameKeys(a, b [][]byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// settled reports whether reads can go to the driver as they are.
func settled(reads []Read) bool {
	for i := range reads {
		for j := range i {
			if reads[j].Table == reads[i].Table {
				return false
			}
		}
	}
	for i := range reads {
		if !reads[i].Distinct && repeats(reads[i].Keys) {
			return false
		}
	}
	return true
}

// repeats reports whether a key occurs twice.
func repeats(keys [][]byte) bool {
	if len(keys) < 2 {
		return false
	}
	seen := make(map[string]struct{}, len(keys))
	for _, k := range keys {
		seen[string(k)] = struct{}{}
	}
	return len(seen) < len(keys)
}

// merged holds the reads as sent to a driver, and where each row and each value
// of the caller's reads is found in their results.
type merged struct {
	reads  []Read
	table  []int   // by the caller's read: index of the merged read
	keys   [][]int // by read and key
	values [][]int // by read and feature; nil when they are the same
}

// union is the read of one table while it is built.
type union struct {
	keys     map[string]int
	features map[string]int
	names    []string
}

// merge makes one read of all reads of a table.
func merge(reads []Read) *merged {
	m := &merged{table: make([]int, len(reads)), keys: make([][]int, len(reads)), values: make([][]int, len(reads))}
	at := map[Table]int{}
	var unions []*union
	for i := range reads {
		read := &reads[i]
		t, there := at[read.Table]
		if !there {
			t = len(unions)
			at[read.Table] = t
			unions = append(unions, &union{keys: map[string]int{}, features: map[string]int{}})
			m.reads = append(m.reads, Read{Table: read.Table, Features: read.Features, Distinct: true})
		}
		m.table[i] = t
		m.add(i, read, unions[t])
	}
	for i := range reads {
		u, out := unions[m.table[i]], &m.reads[m.table[i]]
		if out.Features != reads[i].Features {
			out.Features = nil
		}
		if len(u.names) == len(reads[i].Features.Features) {
			m.values[i] = inOrder(m.values[i])
		}
	}
	for t, u := range unions {
		if m.reads[t].Features == nil {
			m.reads[t].Features = NewSelection(u.names...)
		}
	}
	return m
}

// add merges one of the caller's reads into the read of its table.
func (m *merged) add(i int, read *Read, u *union) {
	out := &m.reads[m.table[i]]
	out.Consistent = out.Consistent || read.Consistent
	m.keys[i] = make([]int, len(read.Keys))
	for j, k := range read.Keys {
		at, there := u.keys[string(k)]
		if !there {
			at = len(out.Keys)
			u.keys[string(k)] = at
			out.Keys = append(out.Keys, k)
		}
		m.keys[i][j] = at
	}
	m.values[i] = make([]int, len(read.Features.Features))
	for j, name := range read.Features.Features {
		at, there := u.features[name]
		if !there {
			at = len(u.names)
			u.features[name] = at
			u.names = append(u.names, name)
		}
		m.values[i][j] = at
	}
}

// inOrder returns nil if the positions are 0, 1, 2 and so on.
func inOrder(places []int) []int {
	for i, at := range places {
		if i != at {
			return places
		}
	}
	return nil
}

// fan builds the caller's rows from those of the driver.
func (m *merged) fan(reads []Read, fetched *Rows) *Rows {
	rows := NewRows(reads, nil)
	rows.Stats = fetched.Stats
	rows.Hold(fetched)
	for i := range reads {
		from := fetched.Reads[m.table[i]]
		for j, at := range m.keys[i] {
			row := from[at]
			if places := m.values[i]; places != nil && row.Values != nil {
				values := make([][]byte, len(places))
				for k, p := range places {
					values[k] = row.Values[p]
				}
				row.Values = values
			}
			rows.Reads[i][j] = row
		}
	}
	return rows
}
