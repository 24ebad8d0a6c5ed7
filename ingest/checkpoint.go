package ingest

import (
	"context"
	"encoding/json"
	"sync"
	"time"
)

// checkpoints is how often a run that writes notes how far it is.
const checkpoints = 500 * time.Millisecond

// lastWords bounds the time to write a record when the run's context is done.
const lastWords = 5 * time.Second

// checkpoint writes the record of a run while the run goes on. A nil checkpoint
// writes nothing.
type checkpoint struct {
	m    *Materializer
	name string

	mu      sync.Mutex
	record  runRecord
	base    outcome // of the run that this one continues
	writing *writing
	stop    chan struct{}
	ended   chan struct{}
}

// checkpoint begins the record of a run. Records are an aid: where they cannot be
// written, the run goes on without, except for a shard, whose record is needed to
// finish.
func (m *Materializer) checkpoint(ctx context.Context, name string, r runRecord) (*checkpoint, error) {
	if m.opt.Runs == nil {
		return nil, nil
	}
	r.Format, r.owner = recordFormat, thisProcess()
	c := &checkpoint{
		m: m, name: name, record: r, base: outcome{stored: r.Stored, older: r.Older},
		stop: make(chan struct{}), ended: make(chan struct{}),
	}
	if err := c.put(ctx); err != nil {
		if r.Shard.Count > 1 || ctx.Err() != nil {
			return nil, err
		}
		m.unrecorded(ctx, err)
		return nil, nil
	}
	go c.keep(context.WithoutCancel(ctx))
	return c, nil
}

// keep writes the record from time to time until the run ends.
func (c *checkpoint) keep(ctx context.Context) {
	defer close(c.ended)
	tick := time.NewTicker(checkpoints)
	defer tick.Stop()
	for {
		select {
		case <-c.stop:
			return
		case <-tick.C:
		}
		c.mu.Lock()
		due := c.update() || time.Since(c.record.Beat) >= beat
		c.mu.Unlock()
		if !due {
			continue
		}
		if err := c.put(ctx); err != nil {
			c.m.unrecorded(ctx, err)
		}
	}
}

// follow makes the record follow a writing.
func (c *checkpoint) follow(w *writing) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writing = w
}

// update takes over how far the writing is, and reports whether that is new.
func (c *checkpoint) update() bool {
	if c.writing == nil {
		return false
	}
	done := c.writing.done()
	now := c.base.add(done.outcome)
	if done.next == 0 || now.stored+now.older == c.record.Stored+c.record.Older {
		return false
	}
	c.record.Done, c.record.DoneEvent, c.record.Stored, c.record.Older = done.last, done.event, now.stored, now.older
	return true
}

// put writes the record.
func (c *checkpoint) put(ctx context.Context) error {
	c.mu.Lock()
	c.record.Beat = time.Now()
	b, err := json.Marshal(&c.record)
	c.mu.Unlock()
	if err != nil {
		return err
	}
	return c.m.opt.Runs.Put(ctx, c.name, b)
}

// halt ends the goroutine.
func (c *checkpoint) halt() {
	close(c.stop)
	<-c.ended
}

// fail ends the record of a run that did not finish, so that another may continue
// it at once. It reports whether there is something to continue.
func (c *checkpoint) fail(ctx context.Context) bool {
	if c == nil {
		return false
	}
	c.halt()
	c.update()
	c.record.Stopped = true
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	if err := c.put(ctx); err != nil {
		c.m.unrecorded(ctx, err)
		return false
	}
	return len(c.record.Done) > 0
}

// finish ends the record of a run that has recorded its window up to an end. What
// remains is that rows after the end may be stored, if so.
func (c *checkpoint) finish(ctx context.Context, end time.Time) {
	if c == nil {
		return
	}
	c.halt()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	if !c.record.Reach.After(end) {
		c.m.forget(ctx, c.name)
		return
	}
	c.record.Ended, c.record.Stopped, c.record.Done = true, true, nil
	if err := c.put(ctx); err != nil {
		c.m.unrecorded(ctx, err)
	}
}

// complete ends the record of a shard whose rows are all stored. It is kept until
// all shards are.
func (c *checkpoint) complete(ctx context.Context) error {
	c.halt()
	c.update()
	c.record.Complete, c.record.Stopped = true, true
	return c.put(ctx)
}
