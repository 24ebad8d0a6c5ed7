// Package memory is an online store in the memory of the process: for tests, and
// as the simplest implementation of the contract.
package memory

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
)

// Store keeps rows in a map. The zero value is ready for use, and every table
// exists from the start.
type Store struct {
	mu     sync.RWMutex
	tables map[stores.Table]map[string]row
}

type row struct {
	record stores.Record
	values map[string][]byte
}

var _ stores.Store = (*Store)(nil)

// Read reads every key through a layer, without a budget.
func (s *Store) Read(ctx context.Context, reads []stores.Read) (*stores.Rows, error) {
	return stores.NewLayer(s).Read(ctx, reads)
}

// Fetch reads every key.
func (s *Store) Fetch(ctx context.Context, reads []stores.Read, meter *stores.Meter) (*stores.Rows, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Of(err)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	rows := stores.NewRows(reads, nil)
	rows.Stats.Calls = 1
	for i, read := range reads {
		table := s.tables[read.Table]
		for j, key := range read.Keys {
			r, ok := table[string(key)]
			if !ok {
				continue
			}
			out := &rows.Reads[i][j]
			out.Found, out.Event = true, r.record.Event
			out.Values = make([][]byte, len(read.Features.Features))
			for f, name := range read.Features.Features {
				if err := meter.Count(len(r.values[name])); err != nil {
					return nil, err
				}
				out.Values[f] = slices.Clone(r.values[name])
			}
		}
	}
	return rows, nil
}

// Write stores records.
func (s *Store) Write(ctx context.Context, table stores.Table, features *stores.Selection, records []stores.Record, mode stores.Mode) (stores.Written, error) {
	if err := ctx.Err(); err != nil {
		return stores.Written{}, fault.Of(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tables == nil {
		s.tables = map[stores.Table]map[string]row{}
	}
	if s.tables[table] == nil {
		s.tables[table] = map[string]row{}
	}
	w := stores.NewWriting(records, mode, time.Nanosecond, nil)
	for _, i := range w.Round() {
		r := &records[i]
		old, ok := s.tables[table][string(r.Key)]
		if ok && mode == stores.Newer && r.Event.Before(old.record.Event) {
			w.Older(i)
			continue
		}
		values := make(map[string][]byte, len(r.Values))
		for i, v := range r.Values {
			if v != nil {
				values[features.Features[i]] = append([]byte{}, v...)
			}
		}
		s.tables[table][string(r.Key)] = row{record: stores.Record{Event: r.Event, Created: r.Created}, values: values}
	}
	return w.Result()
}

// Delete removes rows.
func (s *Store) Delete(ctx context.Context, table stores.Table, keys [][]byte) (stores.Unwritten, error) {
	if err := ctx.Err(); err != nil {
		return stores.Unwritten{}, fault.Of(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range keys {
		delete(s.tables[table], string(k))
	}
	return stores.Unwritten{}, nil
}

// Plan compares the tables with what there is.
func (s *Store) Plan(ctx context.Context, tables stores.Tables) (stores.TablePlan, error) {
	if err := ctx.Err(); err != nil {
		return stores.TablePlan{}, fault.Of(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var p stores.TablePlan
	for _, spec := range tables.Keep {
		if _, there := s.tables[spec.Table]; !there {
			p.Changes = append(p.Changes, stores.Change{Action: stores.Create, Spec: spec, Name: spec.Table.SQLName()})
		}
	}
	for _, t := range tables.Drop {
		if _, there := s.tables[t]; there {
			p.Changes = append(p.Changes, stores.Change{Action: stores.Drop, Spec: stores.TableSpec{Table: t}, Name: t.SQLName()})
		}
	}
	return p, nil
}

// Do creates and removes tables.
func (s *Store) Do(ctx context.Context, changes []stores.Change) ([]stores.Finding, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Of(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tables == nil {
		s.tables = map[stores.Table]map[string]row{}
	}
	for _, c := range changes {
		switch t := c.Spec.Table; {
		case c.Action == stores.Drop:
			delete(s.tables, t)
		case s.tables[t] == nil:
			s.tables[t] = map[string]row{}
		}
	}
	return nil, nil
}

// Close does nothing.
func (s *Store) Close() error { return nil }
