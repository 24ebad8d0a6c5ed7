package server

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/serving"
)

// The methods under which the routes for online features are counted, on every
// surface.
const (
	methodFeatures = "/banquet.v1.FeatureService/GetOnlineFeatures"
	methodStream   = "/banquet.v1.FeatureService/StreamOnlineFeatures"
)

// onlineCall is a request for online features over HTTP in the pipeline.
type onlineCall struct {
	web *web
	w   http.ResponseWriter
	r   *http.Request
	// parse decodes the body.
	parse func(c *onlineCall) (*body, error)
	// reply runs the use case and encodes the response, of a stream chunk by chunk.
	reply func(ctx context.Context, c *onlineCall) error
	// pathProject is the project in the path.
	pathProject string

	start     time.Time
	pooled    *[]byte
	raw       []byte  // the body; the decoded request points into it
	budget    *budget // of large bodies; nil is the pipeline's for reads
	reserved  int64   // its bytes that this body has
	body      *body
	out       []byte
	storeWait time.Duration
	lines     lineWriter
}

// Header returns the first value of a header.
func (c *onlineCall) Header(name string) string { return c.r.Header.Get(name) }

// TLS returns the state of the connection.
func (c *onlineCall) TLS() *tls.ConnectionState { return c.r.TLS }

func (c *onlineCall) project() string { return c.body.req.Project }

func (c *onlineCall) decode(context.Context) (err error) {
	c.body, err = c.parse(c)
	return err
}

func (c *onlineCall) respond(ctx context.Context) error { return c.reply(ctx, c) }

// release returns the call's memory to the pools; the body must not be used after it.
func (c *onlineCall) release() {
	if c.pooled != nil && cap(c.raw) <= maxPooledBody {
		*c.pooled = c.raw[:0]
		c.web.bodies.Put(c.pooled)
	}
	c.bodies().release(c.reserved)
	c.web.buffers.put(c.out)
}

func (c *onlineCall) bodies() *budget { return cmp.Or(c.budget, c.web.pipeline.bodies) }

// maxPooledBody bounds the memory of a body in the pool.
const maxPooledBody = 1 << 20

// firstRead is the memory for a body before any of it has arrived.
const firstRead = 64 << 10

// receive reads the body within the limit. It starts with at most firstRead bytes and
// allocates and reserves more only when they are full: a caller who announces a large
// body and sends little gets neither memory nor budget.
func (c *onlineCall) receive(ctx context.Context) (err error) {
	p := c.web.pipeline
	if p.governor.atLimit() {
		return p.governor.refuse(ctx)
	}
	c.pooled, _ = c.web.bodies.Get().(*[]byte)
	c.raw = (*c.pooled)[:0]
	limit, announced := int64(p.bodyBytes), c.r.ContentLength
	if announced > limit {
		c.discard()
		return tooLarge(limit)
	}
	// One byte more, to find the end of the body without growing.
	c.raw = slices.Grow(c.raw, int(min(max(announced, 0), firstRead))+1)
	for {
		if len(c.raw) == cap(c.raw) {
			if err := c.grow(ctx); err != nil {
				return err
			}
		}
		n, err := c.r.Body.Read(c.raw[len(c.raw):cap(c.raw)])
		c.raw = c.raw[:len(c.raw)+n]
		switch {
		case int64(len(c.raw)) > limit:
			c.discard()
			return tooLarge(limit)
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fault.New(fault.Canceled, "the body could not be read completely").Because(err)
		}
	}
}

// grow enlarges the buffer for the body: to the announced size, if there is one, else
// to twice its size.
func (c *onlineCall) grow(ctx context.Context) error {
	size := 2 * int64(max(len(c.raw), 2<<10))
	if c.r.ContentLength > 0 {
		size = c.r.ContentLength + 1
	}
	size = min(size, int64(c.web.pipeline.bodyBytes)+1)
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

// A body that is too large is read up to these bounds before the response is written:
// a client that is still sending when the connection closes never sees the response.
const (
	discardTimeout = 2 * time.Second
	maxDiscard     = 256 << 20
)

// discard reads and drops the rest of the body, unless the client waits for 100
// Continue.
func (c *onlineCall) discard() {
	if c.r.Header.Get("Expect") != "" || c.r.ContentLength > maxDiscard {
		return
	}
	control := http.NewResponseController(c.w)
	if control.SetReadDeadline(time.Now().Add(discardTimeout)) != nil {
		return // not a connection: a recorder of a test
	}
	_, _ = io.CopyN(io.Discard, c.r.Body, maxDiscard)
}

func tooLarge(limit int64) error {
	return fault.New(fault.TooLarge, "the body is larger than %d bytes (banquet.limits.body_bytes)", limit)
}

// feastOnline is Feast's POST /get-online-features.
func (s *web) feastOnline(w http.ResponseWriter, r *http.Request) {
	c := &onlineCall{web: s, w: w, r: r, parse: feastBody, reply: respondOnline, start: time.Now()}
	defer c.release()
	s.online(c, s.feastError)
}

// banquetOnline is banquet's POST /v1/online-features.
func (s *web) banquetOnline(w http.ResponseWriter, r *http.Request, project string) {
	c := &onlineCall{web: s, w: w, r: r, parse: banquetBody, reply: respondOnline, pathProject: project, start: time.Now()}
	defer c.release()
	s.online(c, writeStatus)
}

// online runs a call in the pipeline and writes its response.
func (s *web) online(c *onlineCall, fail func(http.ResponseWriter, error)) {
	ctx, cancel, err := deadline(c.r)
	defer cancel()
	if err == nil {
		err = s.pipeline.run(ctx, methodFeatures, c)
	} else {
		s.pipeline.record(ctx, methodFeatures, c.start, err)
	}
	if err != nil {
		fail(c.w, err)
		return
	}
	writeJSON(c.w, http.StatusOK, c.out)
	s.pipeline.observeOverhead(methodFeatures, time.Since(c.start)-c.storeWait)
}

func respondOnline(ctx context.Context, c *onlineCall) error {
	resp, err := c.web.opt.Serving.GetOnlineFeatures(ctx, &c.body.req)
	if err != nil {
		return err
	}
	defer resp.Release()
	c.storeWait = resp.StoreWait
	if c.out, err = appendResponse(c.web.buffers.get(c.web.size.estimate(resp)), resp, c.body.jsonOptions); err == nil {
		c.web.size.record(resp, len(c.out))
	}
	return err
}

// errNotUTF8 is a body that is not UTF-8.
var errNotUTF8 = errors.New("the body is not UTF-8")

func feastBody(c *onlineCall) (*body, error) {
	b, err := parseFeastBody(c.raw, c.Header("Content-Type"), c.web.pipeline.limits)
	if err != nil {
		return nil, err
	}
	b.req.TTL = c.web.opt.ttl(serving.IgnoreTTL)
	b.jsonOptions = jsonOptions{versions: b.versions}
	return b, nil
}

func parseFeastBody(raw []byte, contentType string, limits decodeLimits) (*body, error) {
	raw, err := feastJSON(raw, contentType)
	if err != nil {
		return nil, err
	}
	b, err := parseBody(raw, dialect{limits: limits})
	return b, bodyFault(err)
}

// feastJSON checks what Feast's server checks before it parses a body.
func feastJSON(raw []byte, contentType string) ([]byte, error) {
	if !utf8.Valid(raw) {
		return nil, fault.New(fault.Invalid, "the body is not UTF-8").Because(errNotUTF8)
	}
	raw = bytes.TrimPrefix(raw, []byte("\ufeff")) // some editors and shells write a byte order mark
	if !isJSON(contentType) && len(raw) > 0 {
		return nil, bodyFault(&bodyError{kind: "model_attributes_type", msg: "Input should be a valid dictionary or object to extract fields from", input: quoteText(raw)})
	}
	return raw, nil
}

// bodyFault turns a bodyError into a fault.
func bodyFault(err error) error {
	var bad *bodyError
	if errors.As(err, &bad) {
		return fault.New(fault.Invalid, "%s", bad.Error()).Because(bad)
	}
	return err
}

// quoteText returns a text as a JSON string, truncated to what an error may repeat.
func quoteText(raw []byte) []byte { return appendJSONText(nil, string(raw[:min(len(raw), 2*maxEcho)])) }

// isJSON reports whether Feast's server accepts the content type as JSON.
func isJSON(contentType string) bool {
	if contentType == "application/json" {
		return true
	}
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && (kind == "application/json" || strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json"))
}

func banquetBody(c *onlineCall) (*body, error) { return parseBanquetBody(c, c.web.pipeline.limits) }

// checkPlain refuses bodies that banquet's own routes do not read.
func (c *onlineCall) checkPlain() error {
	if coding := c.Header("Content-Encoding"); coding != "" && coding != "identity" {
		return fault.New(fault.Invalid, "the body has Content-Encoding %s, which is not supported; send it without compression", coding)
	}
	if !utf8.Valid(c.raw) {
		return fault.New(fault.Invalid, "the body is not UTF-8")
	}
	return nil
}

func parseBanquetBody(c *onlineCall, limits decodeLimits) (*body, error) {
	if err := c.checkPlain(); err != nil {
		return nil, err
	}
	b, err := parseBody(c.raw, dialect{strict: true, limits: limits})
	if err != nil {
		return nil, plainFault(err)
	}
	if c.pathProject != "" {
		if b.req.Project != "" && b.req.Project != c.pathProject {
			return nil, fault.New(fault.Invalid, "the path names project %s, the body %s", c.pathProject, b.req.Project)
		}
		b.req.Project = c.pathProject
	}
	b.req.TTL = c.web.opt.ttl(serving.MarkTTL)
	b.nullTimes, b.own = true, true
	return b, nil
}

// chunkTimeout bounds the time to send one chunk of a stream: a caller who reads
// nothing must not hold its memory for ever.
const chunkTimeout = 30 * time.Second

// stream writes the response chunk by chunk, one JSON object per line.
func (s *web) stream(w http.ResponseWriter, r *http.Request, project string) {
	c := &onlineCall{web: s, w: w, r: r, parse: streamBody, reply: respondStream, pathProject: project, start: time.Now()}
	defer c.release()
	c.lines = lineWriter{w: w, control: http.NewResponseController(w)}
	ctx, cancel, err := deadline(r)
	defer cancel()
	if err == nil {
		err = s.pipeline.stream(ctx, methodStream, c)
	} else {
		s.pipeline.record(ctx, methodStream, c.start, err)
	}
	switch {
	case err == nil:
	case c.lines.started:
		c.lines.fault(err)
	default:
		writeStatus(w, err)
	}
}

func streamBody(c *onlineCall) (*body, error) {
	return parseBanquetBody(c, c.web.pipeline.limits.ofStream())
}

func respondStream(ctx context.Context, c *onlineCall) error {
	return chunks(&c.body.req, c.body.chunk, func(first int, part *serving.Request) error {
		err := c.web.pipeline.withSlot(ctx, func() error {
			resp, err := c.web.opt.Serving.GetOnlineFeatures(ctx, part)
			if err != nil {
				return err
			}
			defer resp.Release()
			return c.lines.result(first, resp, c.body.jsonOptions)
		})
		if err != nil {
			return err
		}
		return c.lines.send()
	})
}

// lineWriter writes the response of a stream, one JSON object per line.
type lineWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	line    []byte
	started bool // the HTTP status is sent: a later error becomes a line
}

// result encodes the line of a chunk.
func (l *lineWriter) result(first int, resp *serving.Response, d jsonOptions) (err error) {
	l.line = append(itoa(append(l.line[:0], `{"result":{"first_row":`...), first), `,"response":`...)
	if l.line, err = appendResponse(l.line, resp, d); err == nil {
		l.line = append(l.line, "}}\n"...)
	}
	return err
}

// send sends the line.
func (l *lineWriter) send() error {
	if !l.started {
		l.w.Header().Set("Content-Type", "application/x-ndjson")
		l.started = true
	}
	_ = l.control.SetWriteDeadline(time.Now().Add(chunkTimeout)) // a recorder of a test has no deadline
	_, err := l.w.Write(l.line)
	if err == nil {
		err = l.control.Flush()
	}
	if err != nil {
		return fault.New(fault.Canceled, "the caller went away, or read nothing for %v", chunkTimeout).Because(err)
	}
	return nil
}

// fault ends the response with a line that holds the error.
func (l *lineWriter) fault(err error) {
	f := serverSide(err)
	l.line = append(append(l.line[:0], `{"error":`...), statusJSON(outcomes(f.Kind).grpc, f.Text)...)
	l.line = append(l.line, "}\n"...)
	_ = l.send() // if this fails, the caller has gone
}

// deadline returns the context of a request with the deadline of its Grpc-Timeout
// header.
func deadline(r *http.Request) (context.Context, context.CancelFunc, error) {
	text := r.Header.Get("Grpc-Timeout")
	if text == "" {
		return r.Context(), func() {}, nil
	}
	units := map[byte]time.Duration{'H': time.Hour, 'M': time.Minute, 'S': time.Second, 'm': time.Millisecond, 'u': time.Microsecond, 'n': time.Nanosecond}
	n, err := strconv.ParseUint(text[:len(text)-1], 10, 31)
	unit, ok := units[text[len(text)-1]]
	if err != nil || !ok {
		return r.Context(), func() {}, fault.New(fault.Invalid, "header Grpc-Timeout is %q; send a number and one of the units H M S m u n", text)
	}
	// gRPC's clients write an unlimited time as 99999999H, which overflows a Duration.
	span := time.Duration(min(n, uint64(math.MaxInt64/unit))) * unit
	ctx, cancel := context.WithTimeout(r.Context(), span)
	return ctx, cancel, nil
}
