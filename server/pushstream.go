package server

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/banquet-fs/banquet/fault"
)

// rowsLines is POST /v1/push:stream and POST /v1/write:stream in the pipeline: each line of
// the body is a request of POST /v1/push or POST /v1/write, or {"request": …} with one.
type rowsLines struct {
	onlineCall
	push    bool
	in      *bufio.Reader
	control *http.ResponseController
	first   *rowsForm
	upload  *upload
	out     []byte
}

// lineBuffer is the memory for the part of a body that has arrived and is not yet a line.
const lineBuffer = 64 << 10

func (s *web) streamRows(w http.ResponseWriter, r *http.Request, push bool) {
	c := &rowsLines{
		onlineCall: onlineCall{web: s, w: w, r: r, budget: s.pipeline.writeBodies, start: time.Now()}, push: push,
		in: bufio.NewReaderSize(r.Body, lineBuffer), control: http.NewResponseController(w), upload: s.writer.upload(s.pipeline),
	}
	defer c.release()
	untimed(c.control)
	defer context.AfterFunc(s.pipeline.stopping, func() { _ = c.control.SetReadDeadline(time.Unix(1, 0)) })() // ends the wait for a line
	method := methodStreamWrite
	if push {
		method = methodStreamPush
	}
	ctx, cancel, err := deadline(r)
	defer cancel()
	if err == nil {
		err = s.pipeline.upload(ctx, method, c)
	} else {
		s.pipeline.record(ctx, method, c.start, err)
	}
	_ = c.control.SetWriteDeadline(time.Now().Add(chunkTimeout)) // a recorder of a test has no deadline
	if err != nil {
		c.discard()
		writeStatus(w, err)
		return
	}
	writeJSON(w, http.StatusOK, c.out)
}

// receive reads the first line.
func (c *rowsLines) receive(ctx context.Context) error {
	c.pooled, _ = c.web.bodies.Get().(*[]byte)
	c.raw = (*c.pooled)[:0]
	err := c.next(ctx)
	if errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "the stream ended before its first message: the body has no line")
	}
	return err
}

// next reads the next line that is not empty; io.EOF says that there is none. The memory of
// a large line before it becomes free: its rows are written.
func (c *rowsLines) next(ctx context.Context) error {
	if c.reserved > 0 {
		c.bodies().release(c.reserved)
		c.reserved, c.raw = 0, nil
	}
	limit := c.web.pipeline.bodyBytes
	for c.raw = c.raw[:0]; ; {
		if c.web.pipeline.stopping.Err() != nil {
			return fault.New(fault.Unavailable, "the server is stopping")
		}
		_ = c.control.SetReadDeadline(time.Now().Add(silenceTimeout)) // a recorder of a test has no deadline
		part, err := c.in.ReadSlice('\n')
		if len(c.raw)+len(part) > limit {
			return fault.New(fault.TooLarge, "a line has more than %d bytes; send fewer rows in a line (banquet.limits.body_bytes)", limit)
		}
		if failed := c.reserve(ctx, len(part)); failed != nil {
			return failed
		}
		c.raw = append(c.raw, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil && !errors.Is(err, io.EOF):
			return c.broken(err)
		case len(bytes.TrimSpace(c.raw)) > 0:
			return nil
		case err != nil:
			return io.EOF
		default:
			c.raw = c.raw[:0]
		}
	}
}

func (c *rowsLines) broken(err error) error {
	if c.web.pipeline.stopping.Err() != nil {
		return fault.New(fault.Unavailable, "the server is stopping").Because(err)
	}
	return fault.New(fault.Canceled, "the caller has gone, or sent nothing for %v", silenceTimeout).Because(err)
}

// reserve makes memory for n more bytes of the line.
func (c *rowsLines) reserve(ctx context.Context, n int) error {
	if len(c.raw)+n <= cap(c.raw) {
		return nil
	}
	size := int64(min(2*(len(c.raw)+n), c.web.pipeline.bodyBytes+1))
	if size > c.reserved {
		acquired, err := c.bodies().acquire(ctx, size-c.reserved)
		if err != nil {
			return err
		}
		c.reserved += acquired
	}
	c.raw = slices.Grow(c.raw, int(size)-len(c.raw))
	return nil
}

func (c *rowsLines) decode(context.Context) (err error) {
	c.first, err = c.parse()
	return err
}

// parse parses a line.
func (c *rowsLines) parse() (*rowsForm, error) {
	if err := c.checkPlain(); err != nil {
		return nil, err
	}
	return parseRows(c.raw, c.push, true, c.web.pipeline.limits)
}

func (c *rowsLines) project() string { return c.first.project }

// respond writes the rows line by line.
func (c *rowsLines) respond(ctx context.Context) (err error) {
	form := c.first
	for {
		var r *rowsRequest
		if err == nil {
			r, err = form.request(c.push, true)
		}
		if err = c.upload.write(ctx, r, err); err != nil {
			return err
		}
		if err = c.next(ctx); errors.Is(err, io.EOF) {
			c.out, err = c.upload.json(c.push)
			return err
		}
		if err == nil {
			err = c.web.pipeline.withWriteSlot(ctx, func() (err error) {
				form, err = c.parse()
				return err
			})
		}
	}
}
