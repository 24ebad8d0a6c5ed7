package server

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/memory"
)

// FuzzBody parses any bytes as a request, in both dialects.
func FuzzBody(f *testing.F) {
	for _, s := range []string{
		`{"features":["a:b"],"entities":{"a":[1,"2",true,null,1.5e3]}}`, `{"feature_service":"s","entities":{},"full_feature_names":"true"}`,
		`{`, `[]`, `null`, `{"entities":{"a":[NaN,-Infinity]}}`, `{"entities":{"a":[{"b":[[]]}]}}`, "{\"a\":\"\\ud800\"}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, d := range []dialect{{}, {strict: true}} {
			b, err := parseBody(raw, d)
			if (b == nil) == (err == nil) {
				t.Fatalf("%v, %v", b, err)
			}
			if err != nil {
				continue
			}
			for _, c := range b.req.Columns {
				for _, token := range c.JSON {
					if !json.Valid(token) && !pythonConstant(token) {
						t.Fatalf("column %q holds %q", c.Name, token)
					}
				}
			}
		}
	})
}

// pythonConstant reports constants that Python's parser accepts and JSON does not have,
// also inside a list or an object.
func pythonConstant(token []byte) bool {
	for _, c := range token {
		if c == 'N' || c == 'I' {
			return true
		}
	}
	return false
}

// FuzzResponses sends arbitrary requests to all routes: every response is JSON in the
// form of its route.
func FuzzResponses(f *testing.F) {
	x := newSubject(f, size{1, 1, 2}, 1)
	snapshot := benchRegistry(f, 1, 2)
	holder := registry.NewHolder(registry.HolderOptions{Storage: fixed{snapshot.Registry()}})
	if err := holder.Refresh(f.Context()); err != nil {
		f.Fatal(err)
	}
	opt := &Options{
		Project: "p", Serving: x.service, Registry: holder, BodyBytes: 1 << 16, Log: slog.New(slog.DiscardHandler), AllowOffline: true,
		Materializer: func(context.Context, string, ingest.Observer) (Materializer, error) { return slow{}, nil },
		Writer: ingest.NewWriter(ingest.WriterOptions{
			Snapshots: holder.Snapshot, Project: "p", KeyVersion: 3,
			Online: func(context.Context) (stores.Writer, error) { return new(memory.Store), nil },
		}),
	}
	p := newPipeline(opt)
	gateway, err := newGateway(f.Context(), p, &features{opt: opt, pipeline: p}, &registryService{opt: opt})
	if err != nil {
		f.Fatal(err)
	}
	web, err := newWeb(opt, p, newRuns(opt, p), newWriter(opt), gateway)
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []struct{ method, path, kind, body string }{
		{"POST", "/get-online-features", "application/json", x.body},
		{"POST", "/get-online-features", "text/plain", "\x07"},
		{"POST", "/get-online-features", "application/json", `{"features":["v0:\u003c"],"entities":{"123":5,"\u0007":NaN}}`},
		{"POST", "/v1/online-features", "", x.body},
		{"POST", "/v1/projects/p/online-features:stream", "", x.body},
		{"GET", "/v1/projects/p/feature-views/%2F%25", "", ""},
		{"GET", "/v1/projects?page_size=1&page_token=%00", "", ""},
		{"PUT", "/v1/projects/", "", "{"},
		{"POST", "/push", "application/json", "{}"},
		{"POST", "/push", "application/json", `{"push_source_name":"s","df":{"k":[1],"a":{"0":NaN}},"to":"offline"}`},
		{"POST", "/write-to-online-store", "application/json", `{"feature_view_name":"v0","df":{"k":[1],"f0":null,"event_timestamp":"2024-01-01"}}`},
		{"POST", "/v1/push", "", `{"pushSource":"s","columns":{"k":[1]},"eventTimestamps":["2024-01-01T00:00:00Z"],"to":1}`},
		{"POST", "/v1/projects/p/write", "", `{"featureView":"v0","columns":{"k":{"val":[{"int64Val":"1"}]}},"partial":true}`},
		{"POST", "/v1/write:stream", "", "{\"feature_view\":\"v0\",\"columns\":{}}\n\n{\"request\":{\"columns\":{\"k\":[2]}}}"},
		{"POST", "/materialize?async=0&force=x", "application/json", `{"start_ts":"2024-01-01","end_ts":"2024-01-02T00:00:00.5+09:00","feature_views":["v0",null]}`},
		{"POST", "/materialize", "application/json", `{"disable_event_timestamp":"yes","version":"v1","feature_views":["v0"]}`},
		{"POST", "/materialize-incremental?async=1", "application/json", `{"end_ts":"2024-01-01","feature_views":null}`},
		{"POST", "/v1/projects/p/materialize", "", `{"window":{"start":"2024-01-01T00:00:00Z","end":"2024-01-02T00:00:00Z"},"featureViews":["v0"],"dryRun":true}`},
		{"GET", "/health/", "", ""},
	} {
		f.Add(s.method, s.path, s.kind, s.body)
	}
	f.Fuzz(func(t *testing.T, method, path, kind, body string) {
		if !token(method) || !strings.HasPrefix(path, "/") {
			return // no HTTP request
		}
		if _, err := url.ParseRequestURI(path); err != nil {
			return
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
		r.Method = method
		r.URL, _ = url.ParseRequestURI(path)
		if kind != "" {
			r.Header.Set("Content-Type", kind)
		}
		w := httptest.NewRecorder()
		web.ServeHTTP(w, r)
		text := w.Body.Bytes()
		if w.Header().Get("Content-Type") == "application/x-ndjson" {
			for line := range bytes.Lines(text) {
				if !json.Valid(line) {
					t.Fatalf("%s %s %q: %d %s", method, path, body, w.Code, text)
				}
			}
			return
		}
		if len(text) > 0 && !json.Valid(text) {
			t.Fatalf("%s %s %q: %d %s", method, path, body, w.Code, text)
		}
		if strings.HasPrefix(path, "/v1/") && !strings.HasPrefix(path, "/v1/vector_stores") && w.Code >= 400 && method != http.MethodHead {
			var s struct {
				Code    *int    `json:"code"`
				Message *string `json:"message"`
			}
			if err := json.Unmarshal(text, &s); err != nil || s.Code == nil || s.Message == nil {
				t.Fatalf("%s %s %q: %d %s is not a google.rpc.Status", method, path, body, w.Code, text)
			}
		}
	})
}

// token reports whether a text can be an HTTP method.
func token(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?={}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// fixed is a storage of one registry.
type fixed struct{ reg *core.Registry }

func (f fixed) Load(context.Context) (*core.Registry, registry.Revision, error) {
	return f.reg, "1", nil
}
func (f fixed) Changed(context.Context, registry.Revision) (bool, error) { return false, nil }

func (f fixed) Writable(context.Context) error { return nil }
func (f fixed) Save(context.Context, *core.Registry, registry.Revision) (registry.Revision, error) {
	return "1", nil
}
