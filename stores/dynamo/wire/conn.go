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

// probeAfter is how long a connection may be idle before it is probed on reuse.
const probeAfter = 5 * time.Millisecond

// message is a request in the form that is sent.
type message struct{ head, body []byte }

// exchange sends a request and reads its response. If a pooled connection turns
// out to be closed before the first byte of a response, the next connection is
// used; a new connection is the last attempt.
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

// within gets a connection. It waits for a dial no longer than ctx allows: the
// pool does not know contexts.
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
// that the connection broke before any byte of a response arrived; a late
// response does not mean a broken connection. Memory for the response is
// allocated only when it arrives: waiting calls hold none.
func (c *Client) roundTrip(ctx context.Context, pool *fasthttp.HostClient, conn net.Conn, m message, meter *stores.Meter) (r *Response, stale bool, err error) {
	interrupt := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer func() {
		// An interruption that has begun may still break the connection.
		if !interrupt() && err == nil {
			r.http.SetConnectionClose()
		}
	}()
	if deadline, ok := ctx.Deadline(); c.readTime > 0 && (!ok || time.Until(deadline) > c.readTime) {
		_ = conn.SetReadDeadline(time.Now().Add(c.readTime))
		defer func() { _ = conn.SetReadDeadline(time.Time{}) }()
	}
	w := pool.AcquireWriter(conn)
	_, _ = w.Write(m.head) // the writer keeps the error
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
	if from.Buffered() > 0 { // bytes after the response belong to no call
		r.http.SetConnectionClose()
	}
	return r, false, nil
}

// timedOut reports whether a network error is a timeout.
func timedOut(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}

// broken reduces an error to whether it is a timeout.
func broken(err error) error {
	if timedOut(err) {
		return ErrNoAnswer
	}
	return errBroken
}

// transportFault returns the fault of a network error. fasthttp's own texts may
// quote received bytes, so they are never shown.
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
