package dynamo

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
)

// Fetch packs all keys of all tables into BatchGetItem calls.
func (s *Store) Fetch(ctx context.Context, reads []stores.Read, meter *stores.Meter) (*stores.Rows, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Of(err)
	}
	r, ok := s.readings.Get().(*reading)
	if !ok {
		r = newReading(s)
	}
	rows := r.slab.NewRows(reads, r.free)
	r.gather(reads, rows)
	r.pack(s.opt.BatchSize, meter)
	r.run(ctx, meter)
	if err := r.wholeFailure(); err != nil {
		rows.Release()
		return nil, err
	}
	for i := range r.tables {
		t := &r.tables[i]
		for _, twin := range t.set.twins {
			t.rows[twin.key] = t.rows[twin.first]
		}
	}
	rows.Stats = r.stats
	if len(r.units) > 0 {
		rows.Stats.Capacity = r.units
	}
	return rows, nil
}

// wholeFailure returns the error of a read that returned nothing.
func (r *reading) wholeFailure() error {
	var first error
	for i := range r.tables {
		rows := r.tables[i].rows
		for j := range rows {
			if rows[j].Err == nil {
				return nil
			}
			if first == nil {
				first = rows[j].Err
			}
		}
	}
	switch fault.KindOf(first) {
	case fault.TimedOut, fault.Canceled, fault.Unavailable:
		return first
	}
	return nil
}

// run makes the calls concurrently, until the meter refuses their bytes.
func (r *reading) run(ctx context.Context, meter *stores.Meter) {
	if n := min(len(r.calls), inFlight); n > 1 {
		var next atomic.Int32
		work := func() {
			for meter.Refusal() == nil {
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

// call makes one BatchGetItem. One bad table makes DynamoDB refuse the whole call
// without naming the table: each table then gets a call of its own, so that only
// rows of the bad one fail.
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
		s.callApart(ctx, c)
		return
	}
	for i := range c.spans {
		sp := &c.spans[i]
		if len(c.spans) == 1 && (kind == fault.NotFound || kind == fault.Denied) {
			s.bad.add(sp.table.name)
		}
		for _, key := range sp.keys {
			sp.table.rows[key] = stores.Row{Err: err}
		}
	}
}

// callApart makes one call for each table of a call, concurrently.
func (s *Store) callApart(ctx context.Context, c *call) {
	apart := make([]call, len(c.spans))
	var group sync.WaitGroup
	for i := range apart {
		apart[i] = call{spans: c.spans[i : i+1 : i+1], meter: c.meter}
		group.Go(func() { s.call(ctx, &apart[i]) }) // begin bounds their number
	}
	group.Wait()
	for i := range apart {
		c.stats.Add(apart[i].stats)
		c.units = append(c.units, apart[i].units...)
		c.responses = append(c.responses, apart[i].responses...)
	}
}

// get makes one call and stores its results. Keys left only because the response
// was full are requested again at once; keys left by a busy table get an error in
// their rows.
func (s *Store) get(ctx context.Context, c *call) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	for {
		c.stats.Calls++
		c.full = false
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
		if !c.full {
			for i := range c.spans {
				c.spans[i].refuseUnread()
			}
			return nil
		}
		again := c.spans[:0:0]
		for _, sp := range c.spans {
			if len(sp.unread) > 0 {
				slices.Sort(sp.unread) // as the keys of every span are
				again = append(again, span{table: sp.table, keys: sp.unread, values: make([][]byte, len(sp.unread)*len(sp.table.projection.features))})
			}
		}
		c.spans = again
	}
}

// getOnce makes one call; if the service reports expired credentials, it is made
// once more with new ones.
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

// refuseUnread sets the error of the keys that a busy table left unread.
func (sp *span) refuseUnread() {
	if len(sp.unread) == 0 {
		return
	}
	t := sp.table
	err := fault.Store(fault.Overloaded, "DynamoDB table %s of feature view %s left keys unread; it is busy", t.name, t.table.View).
		About("table", t.name, t.table.Project)
	for _, key := range sp.unread {
		t.rows[key] = stores.Row{Err: err}
	}
}
