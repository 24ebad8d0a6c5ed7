package registrytest

import (
	"context"
	"maps"
	"strconv"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
)

// Rows is a storage in memory that keeps a row for each object, as one in a database
// does. The zero value is empty.
type Rows struct {
	mu       sync.Mutex
	rows     map[registry.Key][]byte
	revision int
	// written counts the rows that were written or removed.
	written int
	down    bool // it cannot be reached
}

var _ registry.Storage = (*Rows)(nil)

// Backend is a new Rows for the suite.
func (s *Rows) Backend() Backend {
	return Backend{
		Storage: s,
		Other:   func(testing.TB) registry.Storage { return s },
		Damage: func(testing.TB) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.rows[registry.Key{List: "projects", Name: "damaged"}] = []byte("not a registry")
		},
		Outage: func(testing.TB) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.down = true
		},
	}
}

// reach fails if the storage cannot be reached, or ctx is done.
func (s *Rows) reach(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fault.Of(err)
	}
	if s.down {
		return fault.Registry(fault.Unavailable, "the registry cannot be reached")
	}
	return nil
}

// Load puts the rows together.
func (s *Rows) Load(ctx context.Context) (*core.Registry, registry.Revision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.reach(ctx); err != nil {
		return nil, "", err
	}
	reg, err := s.registry()
	return reg, s.name(), err
}

func (s *Rows) name() registry.Revision { return registry.Revision("r" + strconv.Itoa(s.revision)) }

// registry decodes all rows, in no order.
func (s *Rows) registry() (*core.Registry, error) {
	if s.rows == nil {
		return nil, fault.Registry(fault.NotFound, "there is no registry yet")
	}
	var rows []registry.Row
	for k, b := range s.rows {
		m := k.New()
		if m == nil {
			return nil, fault.Registry(fault.Unavailable, "a row is of the unknown list %s", k.List)
		}
		if err := proto.Unmarshal(b, m); err != nil {
			return nil, fault.Registry(fault.Unavailable, "row %v cannot be read", k).Because(err)
		}
		rows = append(rows, registry.Row{Key: k, Message: m})
	}
	return registry.FromRows(rows)
}

// Save writes the rows that differ.
func (s *Rows) Save(ctx context.Context, next *core.Registry, base registry.Revision) (registry.Revision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.reach(ctx); err != nil {
		return "", err
	}
	if s.rows == nil && base != "" || s.rows != nil && base != s.name() {
		return "", registry.ErrConflict
	}
	var before *core.Registry
	if s.rows != nil {
		var err error
		if before, err = s.registry(); err != nil {
			return "", err
		}
	}
	put, gone := registry.RowChanges(before, next)
	rows := maps.Clone(s.rows)
	if rows == nil {
		rows = map[registry.Key][]byte{}
	}
	for _, r := range put {
		b, err := proto.Marshal(r.Message)
		if err != nil {
			return "", fault.New(fault.Internal, "a row cannot be serialized").Because(err)
		}
		rows[r.Key] = b
	}
	for _, k := range gone {
		delete(rows, k)
	}
	s.rows = rows
	s.revision++
	s.written += len(put) + len(gone)
	return s.name(), nil
}

// Changed compares the revisions.
func (s *Rows) Changed(_ context.Context, rev registry.Revision) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return rev != s.name(), nil
}

// Writable reports whether the storage can be reached.
func (s *Rows) Writable(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reach(ctx)
}

// Written is how many rows were written or removed so far.
func (s *Rows) Written() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.written
}
