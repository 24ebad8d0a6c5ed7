package server

import (
	"context"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// What one answer was like, or what a caller announces, decides over no more
// than a bounded piece of memory.
func TestMemoryTakenBeforehandIsBounded(t *testing.T) {
	x := newSubject(t, size{100, 10, 25}, 10)
	r := x.response(t)
	for _, cell := range []int64{0, 20, 1 << 20, math.MaxInt64 / 32} { // bytes of a cell of the answer before
		var c cellSize
		c.sixteenths.Store(16 * cell)
		if got := c.room(r); got < 0 || got > 2*maxRoom {
			t.Errorf("after cells of %d bytes there is room for %d", cell, got)
		}
	}
	s := &scanner{b: []byte("[" + strings.Repeat(",", 1<<20) + "]")}
	if got := s.elements(); got > maxGuess {
		t.Errorf("room for %d elements", got)
	}
	w := &web{opt: &Options{BodyBytes: 64 << 20}}
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader("{}"))
	req.ContentLength = 64 << 20
	if body, err := w.read(nil, httptest.NewRecorder(), req); err != nil || string(body) != "{}" || cap(body) > 2*keptBody {
		t.Errorf("a body of %d bytes in %d: %v", len(body), cap(body), err)
	}
}

// A server that has too much to do says so on every surface, and still answers
// for its health.
func TestOverloadOnEverySurface(t *testing.T) {
	x := newSubject(t, sizes[0], 2)
	opt := &Options{Serving: x.service, BodyBytes: 1 << 20, Log: slog.New(slog.DiscardHandler)}
	c := newChain(opt)
	c.governor.limit.Store(0)
	web, err := newWeb(opt, c, http.NotFoundHandler())
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/get-online-features", "/v1/online-features", "/v1/online-features:stream"} {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(x.body))
		r.Header.Set("Content-Type", "application/json")
		web.ServeHTTP(w, r)
		if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "more requests") {
			t.Errorf("%s: %d %v %s", path, w.Code, w.Header(), w.Body)
		}
	}
	handler := func(context.Context, any) (any, error) { return "answered", nil }
	_, err = c.unary(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: methodFeatures}, handler)
	if status.Code(err) != codes.ResourceExhausted {
		t.Errorf("gRPC: %v", err)
	}
	if v, err := c.unary(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: "/grpc.health.v1.Health/Check"}, handler); v != "answered" || err != nil {
		t.Errorf("health: %v %v", v, err)
	}
}
