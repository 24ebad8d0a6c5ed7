package wire

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
)

// probeAfter is for how long a connection may be unused until it is probed before
// it is used again.
const probeAfter = 5 * time.Millisecond

// message is a request as it is sent.
type message struct{ head, body []byte }

// exchange sends a request and reads its response. When a connection of the pool
// turns out to be closed before the first byte of a response, the next one is
// used, until a new one was tried.
func (c *Client) exchange(ctx context.Context, pool *fasthttp.HostClient, m message, meter *stores.Meter) (*Response, error) {
	for {
		wait := time.Duration(0)
		if deadline, ok := ctx.Deadline(); ok {
			wait = max(time.Until(deadline), 1)
		}
		if err := ctx.Err(); err != nil {
			return nil, fault.Of(err)
		}
		start := time.Now()
		conn, err := within(ctx, pool.IdleConnsCount() > 0, wait, pool.AcquireConn, pool.ReleaseConn)
		if err != nil {
			return nil, transportFault(ctx, err)
		}
		fresh := conn.CreatedTime().After(start)
		if !fresh && start.Sub(conn.LastUseTime()) > probeAfter && !quiet(conn.Conn()) {
			pool.CloseConn(conn)
			continue
		}
		r, stale, err := c.roundTrip(ctx, pool, conn.Conn(), m, meter)
		if err == nil && !r.http.ConnectionClose() {
			pool.ReleaseConn(conn)
			return r, nil
		}
		pool.CloseConn(conn)
		if err == nil {
			return r, nil
		}
		if !stale || fresh {
			return nil, transportFault(ctx, err)
		}
	}
}

// within gets a connection; when one has to be dialed it does not wait for it
// longer than ctx does, since the pool knows nothing of contexts.
func within[C any](ctx context.Context, idle bool, wait time.Duration, get func(time.Duration, bool) (C, error), put func(C)) (C, error) {
	if idle {
		return get(wait, false)
	}
	type got struct {
		c   C
		err error
	}
	done := make(chan got, 1)
	go func() {
		c, err := get(wait, false)
		done <- got{c, err}
	}()
	select {
	case g := <-done:
		return g.c, g.err
	case <-ctx.Done():
		go func() {
			if g := <-done; g.err == nil {
				put(g.c)
			}
		}()
		var none C
		return none, ctx.Err()
	}
}

// roundTrip sends a request on a connection and reads its response. stale means
// that the connection broke before anything of a response came; a response that
// does not come in time is no broken connection. Memory for the response is used
// only when one comes: those who wait hold none.
func (c *Client) roundTrip(ctx context.Context, pool *fasthttp.HostClient, conn net.Conn, m message, meter *stores.Meter) (r *Response, stale bool, err error) {
	interrupt := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer func() {
		// An interruption that has begun may hit the connection at any time.
		if !interrupt() && err == nil {
			r.http.SetConnectionClose()
		}
	}()
	if deadline, ok := ctx.Deadline(); c.readTime > 0 && (!ok || time.Until(deadline) > c.readTime) {
		_ = conn.SetReadDeadline(time.Now().Add(c.readTime))
		defer func() { _ = conn.SetReadDeadline(time.Time{}) }()
	}
	w := pool.AcquireWriter(conn)
	_, _ = w.Write(m.head) // an error stays with the writer
	_, _ = w.Write(m.body)
	err = w.Flush()
	pool.ReleaseWriter(w)
	if err != nil {
		return nil, !timedOut(err), err
	}
	from := pool.AcquireReader(conn)
	defer pool.ReleaseReader(from)
	if _, err := from.Peek(1); err != nil {
		return nil, !timedOut(err), err
	}
	r = responses.Get().(*Response) // the pool holds nothing else
	if err := r.read(from, meter); err != nil {
		r.Release()
		if refusal := meter.Refusal(); refusal != nil {
			return nil, false, refusal
		}
		return nil, false, broken(err)
	}
	if from.Buffered() > 0 { // what comes after the response belongs to no call
		r.http.SetConnectionClose()
	}
	return r, false, nil
}

// timedOut reports whether an error of the network says that time ran out.
func timedOut(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}

// broken keeps of an error whether time ran out.
func broken(err error) error {
	if timedOut(err) {
		return ErrNoAnswer
	}
	return errBroken
}

// transportFault is a failure of the network. fasthttp's own texts may quote what
// came, so that they are told to nobody.
func transportFault(ctx context.Context, err error) error {
	var f *fault.Error
	switch {
	case ctx.Err() != nil:
		return fault.Of(ctx.Err())
	case errors.As(err, &f):
		return f
	case errors.Is(err, ErrNoAnswer), timedOut(err), errors.Is(err, fasthttp.ErrNoFreeConns):
		return ErrNoAnswer
	case errors.Is(err, errBroken):
		return Damaged(errBroken)
	}
	return &UnreachableError{err}
}
