// Package serving implements GetOnlineFeatures without any transport: it plans a
// request against one registry snapshot, types and serializes its keys, reads
// all its views in one call to the online store and aligns the rows with the
// request. A server encodes the response.
package serving

import (
	"context"
	"log/slog"
	"runtime"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/transform"
)

// TTL says what becomes of an expired row: a row whose event time is older than
// its view's ttl allows.
type TTL uint8

// The treatments of an expired row.
const (
	IgnoreTTL TTL = iota // served as present
	MarkTTL              // status OUTSIDE_MAX_AGE, the value stays
	NullTTL              // status OUTSIDE_MAX_AGE, the value is null
)

// Limits bound what one request may ask for. 0 means no limit.
type Limits struct {
	Rows, Features, Cells int
	// ComputedBytes bounds the values that on-demand feature views compute.
	ComputedBytes int
}

// Options configure a Service.
type Options struct {
	// Snapshots returns the current registry snapshot, nil before the first.
	Snapshots func() *registry.Snapshot
	// Project is the project of requests that name none.
	Project string
	// Reader is the online store, with its decorators.
	Reader stores.Reader
	// KeyVersion is the entity_key_serialization_version.
	KeyVersion int
	// Versioned allows references of the form view@vN:feature.
	Versioned bool
	Limits    Limits
	// Functions computes functions that banquet does not compile; nil if nothing does.
	Functions transform.Service
	// Deadline is for requests that have none; 0 means no deadline.
	Deadline time.Duration
	// Consistent makes the reads of all requests strongly consistent.
	Consistent bool
	Log        *slog.Logger
	// Metrics receives the collectors of the service; nil keeps them private.
	Metrics prometheus.Registerer
	// Now is the clock for ttl; nil is time.Now.
	Now func() time.Time
}

// Service reads online features. It is safe for concurrent use.
type Service struct {
	opt   Options
	plans *planCache
	// programs are the compiled functions of on-demand feature views.
	programs *programs
	metrics  *metrics
	// large bounds the cells of the large requests in flight: they wait for a
	// processor anyway, and a request that waits here uses no memory.
	large *semaphore.Weighted
	cells int64 // capacity of large
}

const (
	// A request of largeRequest cells or more counts as large.
	largeRequest = 10_000
	// cellsPerProcessor is how many cells of large requests may be in flight for
	// each processor: more than it can encode while it waits for the store.
	cellsPerProcessor = 75_000
)

// New makes a Service.
func New(opt Options) *Service {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	cells := int64(cellsPerProcessor * runtime.GOMAXPROCS(0))
	return &Service{opt: opt, plans: newPlanCache(maxPlanBytes), programs: new(programs), metrics: newMetrics(opt.Metrics), large: semaphore.NewWeighted(cells), cells: cells}
}

// Column is an entity column, or a column of request data: one value for each
// entity row. Either Values or JSON is set.
type Column struct {
	Name string
	// Values holds serialized feast.types.Value messages; empty is null.
	Values [][]byte
	// JSON holds raw JSON tokens, which get the type of the join key.
	JSON [][]byte
	// Context marks a column that was sent apart from the entity rows, as request data.
	// If both have one of the same name, this one is the request data.
	Context bool
}

func (c *Column) rows() int { return len(c.Values) + len(c.JSON) }

// Request asks for the features of some entity rows.
type Request struct {
	// Project may be empty: the default project.
	Project string
	// Service names a feature service; it takes precedence over Features, which are
	// references of the form view:feature or view@version:feature.
	Service  string
	Features []string
	// Columns are the entity rows, column by column; the order is kept.
	Columns []Column
	// FullNames requests names of the form view__feature.
	FullNames bool
	// Coerce converts typed key values to the join key's type if nothing is lost.
	// Without it a key of another type is another key.
	Coerce bool
	// Partial returns keys that could not be read with a status that says why;
	// without it one such key fails the request.
	Partial bool
	// Consistent requests a strongly consistent read.
	Consistent bool
	// TTL says what becomes of expired rows.
	TTL TTL
	// Chunk marks a request that has only some of its caller's rows. It cannot have
	// functions that compute with all rows at once.
	Chunk bool
}

// GetOnlineFeatures reads the features of a request. The caller releases the
// response once it is written.
func (s *Service) GetOnlineFeatures(ctx context.Context, req *Request) (*Response, error) {
	snapshot := s.opt.Snapshots()
	if snapshot == nil {
		return nil, fault.New(fault.Unavailable, "no registry has been loaded yet; try again shortly")
	}
	plan, err := s.plan(snapshot, req)
	if err != nil {
		return nil, err
	}
	resp := newResponse(plan)
	if err := s.fill(ctx, req, resp); err != nil {
		resp.Release()
		return nil, err
	}
	return resp, nil
}

// fill fills a response: it makes the keys, reads them and aligns the rows.
func (s *Service) fill(ctx context.Context, req *Request, resp *Response) error {
	rows, err := resp.plan.rowCount(req.Columns)
	if err != nil {
		return err
	}
	if err := s.checkSize(resp.plan, rows); err != nil {
		return err
	}
	resp.rows = rows
	if ctx, err = s.admit(ctx, resp); err != nil {
		return err
	}
	if err := resp.bindColumns(req); err != nil {
		return err
	}
	if len(resp.plan.transforms) == 0 {
		return s.readAndAlign(ctx, req, resp)
	}
	ctx, cancel := s.withDefaultDeadline(ctx)
	defer cancel()
	if err := resp.bindRequestData(req); err != nil {
		return err
	}
	if err := s.readAndAlign(ctx, req, resp); err != nil {
		return err
	}
	return s.compute(ctx, resp)
}

func (s *Service) readAndAlign(ctx context.Context, req *Request, resp *Response) error {
	if err := resp.bindKeys(); err != nil {
		return err
	}
	if err := s.read(ctx, req, resp); err != nil {
		return err
	}
	s.align(req.TTL, resp)
	return nil
}

// withDefaultDeadline gives a request without a deadline the default one.
func (s *Service) withDefaultDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok || s.opt.Deadline <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, s.opt.Deadline)
}

// admit makes a large request wait until others have ended. A request larger than
// the whole capacity runs alone. The default deadline starts with the wait: the
// returned context has it.
func (s *Service) admit(ctx context.Context, resp *Response) (context.Context, error) {
	cells := int64(resp.rows) * int64(resp.plan.width())
	if cells < largeRequest {
		return ctx, nil
	}
	cells = min(cells, s.cells)
	ctx, cancel := s.withDefaultDeadline(ctx)
	if err := s.large.Acquire(ctx, cells); err != nil {
		cancel()
		return nil, fault.Of(err)
	}
	resp.releaseCells = func() {
		cancel()
		s.large.Release(cells)
	}
	return ctx, nil
}

// rowCount is the number of entity rows, the same in every column. Columns that were sent
// apart from the entity rows and that the plan does not need are not looked at.
func (p *plan) rowCount(columns []Column) (int, error) {
	first := -1
	for i := range columns {
		switch {
		case columns[i].Context && !p.needs(columns[i].Name):
		case first < 0:
			first = i
		case columns[i].rows() != columns[first].rows():
			return 0, fault.New(fault.Invalid, "All entity rows must have the same columns. Column %q has %d values, column %q has %d.",
				columns[first].Name, columns[first].rows(), columns[i].Name, columns[i].rows())
		}
	}
	if first < 0 {
		return 0, fault.New(fault.Invalid, "the request has no entity columns; send at least one: it sets the number of rows")
	}
	return columns[first].rows(), nil
}

// needs reports whether a plan knows a column, as a key or as request data.
func (p *plan) needs(column string) bool {
	_, ok := p.inputs[column]
	return ok || slices.Contains(p.requestData, column)
}

// TooMany is the error of a request that asks for more than a limit allows.
func TooMany(what string, limit int, key string) error {
	return fault.New(fault.Invalid, "the request asks for more than %d %s (banquet.limits.%s); split it or stream it", limit, what, key)
}

// Limits returns the limits of a request.
func (s *Service) Limits() Limits { return s.opt.Limits }

// checkSize refuses a request that exceeds the limits.
func (s *Service) checkSize(p *plan, rows int) error {
	limits := s.opt.Limits
	switch n := len(p.outputs); {
	case limits.Rows > 0 && rows > limits.Rows:
		return TooMany("entity rows", limits.Rows, "rows")
	case limits.Features > 0 && n > limits.Features:
		return TooMany("features", limits.Features, "features")
	case limits.Cells > 0 && rows*n > limits.Cells:
		return TooMany("cells (rows x features)", limits.Cells, "cells")
	case limits.Cells > 0 && rows*p.width() > limits.Cells:
		return TooMany("cells (rows x features and inputs of on-demand feature views)", limits.Cells, "cells")
	}
	return nil
}
