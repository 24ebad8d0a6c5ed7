package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/serving"
)

// methodFeatures is the method that the hot routes count as, whichever surface
// a request comes by.
const methodFeatures = "/banquet.v1.FeatureService/GetOnlineFeatures"

// web is the HTTP server: Feast's routes, the gateway and what describes them.
type web struct {
	opt      *Options
	chain    *chain
	gateway  http.Handler
	document []byte    // OpenAPI
	bodies   sync.Pool // of requests
	buffers  buffers   // of answers
	size     cellSize
}

func newWeb(opt *Options, c *chain, gateway http.Handler) (*web, error) {
	document, err := openapiDocument()
	if err != nil {
		return nil, fault.New(fault.Internal, "the OpenAPI document cannot be made").Because(err)
	}
	empty := func() any { return new([]byte) }
	return &web{opt: opt, chain: c, gateway: gateway, document: document, bodies: sync.Pool{New: empty}}, nil
}

// ServeHTTP routes a request.
func (s *web) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch path := r.URL.Path; path {
	case "/get-online-features":
		s.post(w, r, s.feast)
	case "/health":
		s.get(w, r, s.health)
	case "/openapi.json":
		s.get(w, r, s.openapi)
	case "/push", "/write-to-online-store", "/materialize", "/materialize-incremental", "/search", "/retrieve-online-documents", "/chat":
		s.post(w, r, func(w http.ResponseWriter, _ *http.Request) { s.feastError(w, notServed("POST "+path)) })
	default:
		s.serveOther(w, r)
	}
}

func (s *web) serveOther(w http.ResponseWriter, r *http.Request) {
	path := r.URL.EscapedPath() // a name may hold a slash, as %2F
	project, hot := hotRoute(path)
	switch {
	case hot && r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		writeRouting(w, http.StatusMethodNotAllowed)
	case hot && strings.HasSuffix(path, ":stream"):
		s.stream(w, r, project)
	case hot:
		s.own(w, r, project)
	case strings.HasPrefix(path, "/v1/vector_stores"): // a route of Feast's that is not served
		writeJSON(w, http.StatusNotFound, []byte(`{"detail":"Not Found"}`))
	case strings.HasPrefix(path, "/v1/"):
		s.throughGateway(w, r, path)
	case strings.HasSuffix(path, "/") && known(strings.TrimSuffix(path, "/")):
		s.redirect(w, r, strings.TrimSuffix(path, "/"))
	default:
		writeJSON(w, http.StatusNotFound, []byte(`{"detail":"Not Found"}`))
	}
}

// throughGateway answers what grpc-gateway knows. It does not know HEAD, which is
// a GET whose body net/http leaves out, and takes a missing name for an empty one.
func (s *web) throughGateway(w http.ResponseWriter, r *http.Request, path string) {
	if strings.Contains(path, "//") || strings.HasSuffix(path, "/") {
		writeRouting(w, http.StatusNotFound)
		return
	}
	r = r.Clone(r.Context())
	if r.Method == http.MethodHead {
		r.Method = http.MethodGet
	}
	escapeTwice(r)
	s.gateway.ServeHTTP(w, r)
}

// redirect sends a caller to a path of the same server: a whole URL would need
// the scheme, which a proxy before this server may have changed.
func (s *web) redirect(w http.ResponseWriter, r *http.Request, path string) {
	if r.URL.RawQuery != "" {
		path += "?" + r.URL.RawQuery
	}
	w.Header().Set("Location", path)
	w.WriteHeader(http.StatusTemporaryRedirect)
}

func known(path string) bool {
	return path == "/get-online-features" || path == "/health" || path == "/push" || path == "/write-to-online-store"
}

// hotRoute recognizes the routes for online features by their escaped path, and
// the project in them.
func hotRoute(path string) (project string, ok bool) {
	path = strings.TrimSuffix(path, ":stream")
	if path == "/v1/online-features" {
		return "", true
	}
	rest, found := strings.CutPrefix(path, "/v1/projects/")
	if !found {
		return "", false
	}
	project, found = strings.CutSuffix(rest, "/online-features")
	if !found || project == "" || strings.Contains(project, "/") {
		return "", false
	}
	project, err := url.PathUnescape(project)
	return project, err == nil
}

func (s *web) post(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	s.method(http.MethodPost, w, r, next)
}

func (s *web) get(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	s.method(http.MethodGet, w, r, next)
}

// method refuses other methods as Feast's server does.
func (s *web) method(want string, w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	if r.Method != want {
		w.Header().Set("Allow", want)
		writeJSON(w, http.StatusMethodNotAllowed, []byte(`{"detail":"Method Not Allowed"}`))
		return
	}
	next(w, r)
}

// jsonType is shared by all answers: nobody changes a header's values in place.
var jsonType = []string{"application/json"}

func writeJSON(w http.ResponseWriter, code int, b []byte) {
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(b))}
	retryAfter(w, code)
	w.WriteHeader(code)
	_, _ = w.Write(b)
}

// health says whether anything can be served.
func (s *web) health(w http.ResponseWriter, _ *http.Request) {
	if s.opt.Registry.Snapshot() == nil {
		writeJSON(w, http.StatusServiceUnavailable, []byte(`{"detail":"no registry has been loaded yet"}`))
		return
	}
	w.WriteHeader(http.StatusOK)
}

// keptBody bounds the memory that an unused body keeps.
const keptBody = 1 << 20

// withBody reads a body within the limit and hands it on. What is made of it may
// point into it, and must not be used after next.
func (s *web) withBody(w http.ResponseWriter, r *http.Request, next func(raw []byte, err error)) {
	if s.chain.governor.full() {
		next(nil, s.chain.governor.refuse(r.Context()))
		return
	}
	buf, _ := s.bodies.Get().(*[]byte)
	raw, err := s.read((*buf)[:0], w, r)
	next(raw, err)
	if *buf = raw[:0]; cap(raw) <= keptBody {
		s.bodies.Put(buf)
	}
}

// read appends a body.
func (s *web) read(dst []byte, w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body := io.Reader(r.Body)
	switch limit := int64(s.opt.BodyBytes); {
	case r.ContentLength > limit:
		s.discard(w, r)
		return dst, tooLarge(limit)
	case r.ContentLength >= 0:
		// One more, to meet the end without growing; a caller who announces much and
		// sends little gets no memory for it.
		dst = slices.Grow(dst, int(min(r.ContentLength, keptBody))+1)
	default:
		body = io.LimitReader(r.Body, limit+1)
	}
	for {
		if len(dst) == cap(dst) {
			dst = slices.Grow(dst, 4<<10)
		}
		n, err := body.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		switch {
		case len(dst) > s.opt.BodyBytes:
			s.discard(w, r)
			return dst[:0], tooLarge(int64(s.opt.BodyBytes))
		case errors.Is(err, io.EOF):
			return dst, nil
		case err != nil:
			return dst, fault.New(fault.Canceled, "the body could not be read to its end").Because(err)
		}
	}
}

// What is read of a body that is too large, and for how long, before the answer
// is written: a client that is still sending when the connection closes never
// sees it.
const (
	discardTime  = 2 * time.Second
	discardBytes = 256 << 20
)

// discard reads on without keeping anything, unless the client waits to be told
// to go on.
func (s *web) discard(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Expect") != "" || r.ContentLength > discardBytes {
		return
	}
	control := http.NewResponseController(w)
	if control.SetReadDeadline(time.Now().Add(discardTime)) != nil {
		return // a recorder of a test; no connection is kept waiting
	}
	_, _ = io.CopyN(io.Discard, r.Body, discardBytes)
}

func tooLarge(limit int64) error {
	return fault.New(fault.TooLarge, "the body is larger than %d bytes (banquet.limits.body_bytes)", limit)
}

// feast is Feast's POST /get-online-features.
func (s *web) feast(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	s.withBody(w, r, func(raw []byte, err error) {
		b := new(body)
		if err == nil {
			b, err = feastBody(raw, r.Header.Get("Content-Type"))
		}
		var bad *bodyError
		switch {
		case errors.Is(err, errNoText):
			writeJSON(w, http.StatusBadRequest, []byte(`{"detail":"There was an error parsing the body"}`))
		case errors.As(err, &bad):
			writeJSON(w, http.StatusUnprocessableEntity, bad.detail())
		case err != nil:
			s.feastError(w, err)
		default:
			b.req.TTL = s.opt.ttl(serving.IgnoreTTL)
			b.versions = false // Feast takes the wish and does not heed it
			s.answer(w, r, b, start, s.feastError)
		}
	})
}

// errNoText is a body that is not UTF-8.
var errNoText = errors.New("the body is not UTF-8")

func feastBody(raw []byte, contentType string) (*body, error) {
	if !utf8.Valid(raw) {
		return nil, errNoText
	}
	raw = bytes.TrimPrefix(raw, []byte("\ufeff")) // some editors and shells put it before UTF-8
	if !isJSON(contentType) && len(raw) > 0 {
		return nil, &bodyError{kind: "model_attributes_type", msg: "Input should be a valid dictionary or object to extract fields from", input: quoteText(raw)}
	}
	return parseBody(raw, dialect{})
}

// quoteText makes JSON of a text; of a long one, only what an error repeats of it.
func quoteText(raw []byte) []byte { return appendJSONText(nil, string(raw[:min(len(raw), 2*maxEcho)])) }

// isJSON accepts what Feast's server takes for JSON.
func isJSON(contentType string) bool {
	if contentType == "application/json" {
		return true
	}
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && (kind == "application/json" || strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json"))
}

// own is banquet's POST /v1/online-features.
func (s *web) own(w http.ResponseWriter, r *http.Request, project string) {
	start := time.Now()
	s.withOwnBody(w, r, project, func(b *body) {
		s.answer(w, r, b, start, func(w http.ResponseWriter, err error) { writeStatus(w, err) })
	})
}

// withOwnBody reads a request of banquet's own API and hands it on; it lives no
// longer than next.
func (s *web) withOwnBody(w http.ResponseWriter, r *http.Request, project string, next func(*body)) {
	s.withBody(w, r, func(raw []byte, err error) {
		b := new(body)
		if coding := r.Header.Get("Content-Encoding"); err == nil && coding != "" && coding != "identity" {
			err = fault.New(fault.Invalid, "the body has Content-Encoding %s, which is not read; send it as it is", coding)
		}
		if err == nil {
			b, err = s.ownBody(raw, project)
		}
		if err != nil {
			writeStatus(w, err)
			return
		}
		next(b)
	})
}

func (s *web) ownBody(raw []byte, project string) (*body, error) {
	if !utf8.Valid(raw) {
		return nil, fault.New(fault.Invalid, "the body is not UTF-8")
	}
	b, err := parseBody(raw, dialect{strict: true})
	var bad *bodyError
	if errors.As(err, &bad) {
		text := bad.Error()
		if bad.ctx != "" {
			text = "the body is not JSON: " + bad.ctx + " at character " + strconv.Itoa(bad.where[0].index)
		}
		return nil, fault.New(fault.Invalid, "%s", text)
	}
	if err != nil {
		return nil, err
	}
	if project != "" {
		if b.req.Project != "" && b.req.Project != project {
			return nil, fault.New(fault.Invalid, "the path names project %s, the body %s", project, b.req.Project)
		}
		b.req.Project = project
	}
	b.req.TTL = s.opt.ttl(serving.MarkTTL)
	return b, nil
}

// answer runs a request through the chain and writes its answer. start is when
// the request began to be read.
func (s *web) answer(w http.ResponseWriter, r *http.Request, b *body, start time.Time, fail func(http.ResponseWriter, error)) {
	ctx, cancel, err := deadline(r)
	if err != nil {
		fail(w, err)
		return
	}
	defer cancel()
	var buf []byte
	defer func() { s.buffers.put(buf) }()
	wait := time.Duration(0)
	_, err = s.chain.do(ctx, methodFeatures, b, func(ctx context.Context, _ any) (any, error) {
		resp, err := s.opt.Serving.GetOnlineFeatures(ctx, &b.req)
		if err != nil {
			return nil, err
		}
		defer resp.Release()
		wait = resp.StoreWait
		if buf, err = appendAnswer(s.buffers.get(s.size.room(resp)), resp, b.versions); err == nil {
			s.size.note(resp, len(buf))
		}
		return nil, err
	})
	if err != nil {
		fail(w, err)
		return
	}
	writeJSON(w, http.StatusOK, buf)
	s.chain.overhead(methodFeatures, time.Since(start)-wait)
}

// chunkTime is how long one chunk of a stream may take to be sent: a caller who
// takes nothing must not keep his place among the requests under way for ever.
const chunkTime = 30 * time.Second

// stream writes the answer chunk by chunk, one JSON object a line.
func (s *web) stream(w http.ResponseWriter, r *http.Request, project string) {
	s.withOwnBody(w, r, project, func(b *body) { s.streamAnswer(w, r, b) })
}

func (s *web) streamAnswer(w http.ResponseWriter, r *http.Request, b *body) {
	ctx, cancel, err := deadline(r)
	if err != nil {
		writeStatus(w, err)
		return
	}
	defer cancel()
	lines := &lineWriter{w: w, control: http.NewResponseController(w)}
	_, err = s.chain.do(ctx, "/banquet.v1.FeatureService/StreamOnlineFeatures", b, func(ctx context.Context, _ any) (any, error) {
		return nil, chunks(&b.req, b.chunk, func(first int, part *serving.Request) error {
			resp, err := s.opt.Serving.GetOnlineFeatures(ctx, part)
			if err != nil {
				return err
			}
			defer resp.Release()
			return lines.result(first, resp, b.versions)
		})
	})
	switch {
	case err == nil:
	case lines.begun:
		lines.fault(err)
	default:
		writeStatus(w, err)
	}
}

// lineWriter writes the answer of a stream, one JSON object a line.
type lineWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	line    []byte
	begun   bool // the status is out: what fails from now on can only be a line
}

// result writes a chunk.
func (l *lineWriter) result(first int, resp *serving.Response, versions bool) (err error) {
	l.line = append(itoa(append(l.line[:0], `{"result":{"first_row":`...), first), `,"response":`...)
	if l.line, err = appendAnswer(l.line, resp, versions); err != nil {
		return err
	}
	l.line = append(l.line, "}}\n"...)
	if !l.begun {
		l.w.Header().Set("Content-Type", "application/x-ndjson")
		l.begun = true
	}
	return l.send()
}

// send sends the line.
func (l *lineWriter) send() error {
	_ = l.control.SetWriteDeadline(time.Now().Add(chunkTime)) // what is not a connection may have none
	_, err := l.w.Write(l.line)
	if err == nil {
		err = l.control.Flush()
	}
	if err != nil {
		return fault.New(fault.Canceled, "the caller went away, or took nothing for %v", chunkTime).Because(err)
	}
	return nil
}

// fault ends the answer with a line that says why.
func (l *lineWriter) fault(err error) {
	f := serverSide(err)
	l.line = append(append(l.line[:0], `{"error":`...), statusJSON(outcomes(f.Kind).grpc, f.Text)...)
	l.line = append(l.line, "}\n"...)
	_ = l.send() // nobody is left to be told
}

// deadline honours Grpc-Timeout.
func deadline(r *http.Request) (context.Context, context.CancelFunc, error) {
	text := r.Header.Get("Grpc-Timeout")
	if text == "" {
		return r.Context(), func() {}, nil
	}
	units := map[byte]time.Duration{'H': time.Hour, 'M': time.Minute, 'S': time.Second, 'm': time.Millisecond, 'u': time.Microsecond, 'n': time.Nanosecond}
	n, err := strconv.ParseUint(text[:len(text)-1], 10, 31)
	unit, ok := units[text[len(text)-1]]
	if err != nil || !ok {
		return nil, nil, fault.New(fault.Invalid, "header Grpc-Timeout is %q; want a number and one of H M S m u n", text)
	}
	// gRPC's clients write a time without end as 99999999H, which is more than a
	// Duration holds.
	span := time.Duration(min(n, uint64(math.MaxInt64/unit))) * unit
	ctx, cancel := context.WithTimeout(r.Context(), span)
	return ctx, cancel, nil
}

// feastError writes an error of Feast's routes.
func (s *web) feastError(w http.ResponseWriter, err error) {
	f := serverSide(err)
	code := outcomes(f.Kind).http
	class := feastClass(f)
	switch {
	case class == "" && f.Kind == fault.NotFound:
		code = http.StatusBadRequest
	case f.Reason == fault.RequestDataUnset:
		code = http.StatusNotFound
	}
	if s.opt.FeastStatus && code == http.StatusBadRequest {
		code = http.StatusInternalServerError
	}
	text := f.Text
	if f.Reason == fault.Lookup {
		text = pythonRepr(text) // Python prints the argument of a KeyError with its quotes
	}
	if class != "" {
		inner := append([]byte(`{"module": "feast.errors", "class": "`), class...)
		inner = append(inner, `", "message": `...)
		text = string(append(appendASCII(inner, f.Text), '}'))
	}
	writeJSON(w, code, appendJSONText(nil, text))
}

// feastClass is the class of feast.errors that Feast raises for a fault; the
// SDK raises it again. Empty where Feast raises one of Python's own.
func feastClass(f *fault.Error) string {
	switch f.Reason {
	case fault.Collision:
		return "FeatureNameCollisionError"
	case fault.RequestDataUnset:
		return "RequestDataNotFoundInEntityRowsException"
	case fault.VersionUnknown:
		return "FeatureViewVersionNotFound"
	}
	if f.Kind != fault.NotFound {
		return ""
	}
	switch f.Object.Kind {
	case "feature view":
		return "FeatureViewNotFoundException"
	case "feature service":
		return "FeatureServiceNotFoundException"
	case "project":
		return "ProjectObjectNotFoundException"
	case "entity":
		return "EntityNotFoundException"
	}
	return ""
}
