package server

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/banquet-fs/banquet/fault"
)

// web is the HTTP server: Feast's routes, the gateway and the OpenAPI document.
type web struct {
	opt      *Options
	pipeline *pipeline
	runs     *runs
	writer   *writer
	gateway  http.Handler
	document []byte    // OpenAPI
	bodies   sync.Pool // of requests
	buffers  buffers   // of responses
	size     cellSize
}

func newWeb(opt *Options, p *pipeline, m *runs, rows *writer, gateway http.Handler) (*web, error) {
	document, err := openapiDocument()
	if err != nil {
		return nil, fault.New(fault.Internal, "the OpenAPI document cannot be made").Because(err)
	}
	empty := func() any { return new([]byte) }
	return &web{opt: opt, pipeline: p, runs: m, writer: rows, gateway: gateway, document: document, bodies: sync.Pool{New: empty}}, nil
}

// ServeHTTP routes a request.
func (s *web) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer s.recovered(w, r)
	switch path := r.URL.Path; path {
	case "/get-online-features":
		s.post(w, r, s.feastOnline)
	case "/health":
		s.get(w, r, s.health)
	case "/openapi.json":
		s.get(w, r, s.openapi)
	case "/materialize", "/materialize-incremental":
		s.post(w, r, s.materialize)
	case "/push", "/write-to-online-store":
		s.post(w, r, s.feastRows)
	case "/search", "/retrieve-online-documents", "/chat":
		s.post(w, r, func(w http.ResponseWriter, _ *http.Request) { s.feastError(w, notServed("POST "+path)) })
	default:
		s.serveOther(w, r)
	}
}

// recovered responds to a request that caused a panic outside the pipeline.
func (s *web) recovered(w http.ResponseWriter, r *http.Request) {
	if v := recover(); v != nil {
		err := error(fault.New(fault.Internal, "internal error; the cause is in the log"))
		s.opt.Log.ErrorContext(r.Context(), "panic", slog.Any("panic", v), slog.String("path", r.URL.Path), slog.String("stack", string(debug.Stack())))
		s.pipeline.record(r.Context(), "", time.Now(), err)
		writeStatus(w, err)
	}
}

func (s *web) serveOther(w http.ResponseWriter, r *http.Request) {
	path := r.URL.EscapedPath() // a name may contain a slash, as %2F
	serve, project := s.ownRoute(path)
	switch {
	case serve != nil && r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		writeRoutingError(w, http.StatusMethodNotAllowed)
	case serve != nil:
		serve(w, r, project)
	case strings.HasPrefix(path, "/v1/vector_stores"): // a route of Feast that banquet does not support
		writeJSON(w, http.StatusNotFound, []byte(`{"detail":"Not Found"}`))
	case strings.HasPrefix(path, "/v1/"):
		s.serveGateway(w, r, path)
	case strings.HasSuffix(path, "/") && knownRoute(strings.TrimSuffix(path, "/")):
		s.redirect(w, r, strings.TrimSuffix(path, "/"))
	default:
		writeJSON(w, http.StatusNotFound, []byte(`{"detail":"Not Found"}`))
	}
}

// ownRoute returns what serves a route of /v1 that the gateway does not, and the project
// in its path.
func (s *web) ownRoute(path string) (serve func(w http.ResponseWriter, r *http.Request, project string), project string) {
	switch path {
	case "/v1/push:stream", "/v1/write:stream":
		push := path == "/v1/push:stream"
		return func(w http.ResponseWriter, r *http.Request, _ string) { s.streamRows(w, r, push) }, ""
	}
	for _, route := range []struct {
		resource string
		serve    func(w http.ResponseWriter, r *http.Request, project string)
	}{
		{"online-features", s.banquetOnline},
		{"online-features:stream", s.stream},
		{"materialize", s.streamMaterialize},
		{"push", func(w http.ResponseWriter, r *http.Request, project string) { s.banquetRows(w, r, project, true) }},
		{"write", func(w http.ResponseWriter, r *http.Request, project string) { s.banquetRows(w, r, project, false) }},
	} {
		if project, ok := projectRoute(path, route.resource); ok {
			return route.serve, project
		}
	}
	return nil, ""
}

// serveGateway serves the routes of grpc-gateway, which does not know HEAD (a GET
// without the body, which net/http omits) and accepts a missing name as an empty one.
func (s *web) serveGateway(w http.ResponseWriter, r *http.Request, path string) {
	if strings.Contains(path, "//") || strings.HasSuffix(path, "/") {
		writeRoutingError(w, http.StatusNotFound)
		return
	}
	r = r.Clone(r.Context())
	if r.Method == http.MethodHead {
		r.Method = http.MethodGet
	}
	escapeTwice(r)
	s.gateway.ServeHTTP(w, r)
}

// redirect redirects to a path of the same server: a full URL would need the scheme,
// which a proxy in front of this server may have changed.
func (s *web) redirect(w http.ResponseWriter, r *http.Request, path string) {
	if r.URL.RawQuery != "" {
		path += "?" + r.URL.RawQuery
	}
	w.Header().Set("Location", path)
	w.WriteHeader(http.StatusTemporaryRedirect)
}

func knownRoute(path string) bool {
	switch path {
	case "/get-online-features", "/health", "/push", "/write-to-online-store", "/materialize", "/materialize-incremental":
		return true
	}
	return false
}

// projectRoute recognizes the routes of a resource by their escaped path, with or
// without a project, and returns the project in it.
func projectRoute(path, resource string) (project string, ok bool) {
	if path == "/v1/"+resource {
		return "", true
	}
	rest, found := strings.CutPrefix(path, "/v1/projects/")
	if !found {
		return "", false
	}
	project, found = strings.CutSuffix(rest, "/"+resource)
	if !found || project == "" || strings.Contains(project, "/") {
		return "", false
	}
	project, err := url.PathUnescape(project)
	return project, err == nil
}

func (s *web) post(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	s.requireMethod(http.MethodPost, w, r, next)
}

func (s *web) get(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	s.requireMethod(http.MethodGet, w, r, next)
}

// requireMethod refuses other methods, as Feast's server does.
func (s *web) requireMethod(want string, w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	if r.Method != want {
		w.Header().Set("Allow", want)
		writeJSON(w, http.StatusMethodNotAllowed, []byte(`{"detail":"Method Not Allowed"}`))
		return
	}
	next(w, r)
}

// jsonType is shared by all responses: nobody changes a header's values in place.
var jsonType = []string{"application/json"}

func writeJSON(w http.ResponseWriter, code int, b []byte) {
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(b))}
	retryAfter(w, code)
	w.WriteHeader(code)
	_, _ = w.Write(b)
}

// health reports whether a registry has been loaded.
func (s *web) health(w http.ResponseWriter, _ *http.Request) {
	if s.opt.Registry.Snapshot() == nil {
		writeJSON(w, http.StatusServiceUnavailable, []byte(`{"detail":"no registry has been loaded yet"}`))
		return
	}
	w.WriteHeader(http.StatusOK)
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
	case class == pushSourceClass:
		code = http.StatusUnprocessableEntity
	}
	if s.opt.FeastStatus && code == http.StatusBadRequest {
		code = http.StatusInternalServerError
	}
	var bad *bodyError
	switch {
	case errors.Is(err, errNotUTF8):
		writeJSON(w, http.StatusBadRequest, []byte(`{"detail":"There was an error parsing the body"}`))
		return
	case errors.As(err, &bad):
		writeJSON(w, http.StatusUnprocessableEntity, bad.detail())
		return
	}
	text := bounded(f.Text, maxStatusText)
	if f.Reason == fault.Lookup {
		text = pythonRepr(text) // Python prints a KeyError as the repr of its argument
	}
	if class != "" {
		inner := append([]byte(`{"module": "feast.errors", "class": "`), class...)
		inner = append(inner, `", "message": `...)
		text = string(append(appendASCII(inner, text), '}'))
	}
	writeJSON(w, code, appendJSONText(nil, text))
}

// pushSourceClass is the one class of an unknown name whose status is not 404.
const pushSourceClass = "PushSourceNotFoundException"

// feastClass is the class of feast.errors that Feast's server raises for a fault; the
// SDK raises it again in the client. It is empty where Feast raises one of Python's own.
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
	case "push source":
		return pushSourceClass
	case "feast object":
		return "FeastObjectNotFoundException"
	case "feature service":
		return "FeatureServiceNotFoundException"
	case "project":
		return "ProjectObjectNotFoundException"
	case "entity":
		return "EntityNotFoundException"
	}
	return ""
}
