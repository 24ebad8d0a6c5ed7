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

// Check finds nothing: any table is allowed.
func (s *Store) Check(ctx context.Context, _ []stores.TableSpec) ([]stores.Finding, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Of(err)
	}
	return nil, nil
}

// Update removes the tables of drop.
func (s *Store) Update(ctx context.Context, _ []stores.TableSpec, drop []stores.Table) ([]stores.Finding, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Of(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range drop {
		delete(s.tables, t)
	}
	return nil, nil
}

// Close does nothing.
func (s *Store) Close() error { return nil }
