package server

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/ingest"
)

// slow is a materializer whose runs take a while.
type slow struct{ time.Duration }

func (slow) Views(_ context.Context, req ingest.Request) ([]string, error) {
	return append(req.Views, "a"), nil
}

func (slow) Running(context.Context, []string) []string { return nil }

func (s slow) Materialize(ctx context.Context, _ ingest.Request) ([]ingest.Result, error) {
	select {
	case <-time.After(s.Duration):
		return []ingest.Result{{}}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s slow) MaterializeIncremental(ctx context.Context, req ingest.Request) ([]ingest.Result, error) {
	return s.Materialize(ctx, req)
}

// TestARunMayLastLongerThanARequest: the time limits of the HTTP server, after
// which net/http drops a response, do not end a run.
func TestARunMayLastLongerThanARequest(t *testing.T) {
	opt := &Options{
		Project: "p", BodyBytes: 1 << 16, Log: slog.New(slog.DiscardHandler), AllowOffline: true,
		Materializer: func(context.Context, string, ingest.Observer) (Materializer, error) {
			return slow{400 * time.Millisecond}, nil
		},
	}
	p := newPipeline(opt)
	web, err := newWeb(opt, p, newRuns(opt, p), newWriter(opt), http.NotFoundHandler())
	if err != nil {
		t.Fatal(err)
	}
	for _, h2 := range []bool{false, true} {
		s := httptest.NewUnstartedServer(web)
		s.Config.ReadTimeout, s.Config.WriteTimeout, s.EnableHTTP2 = 100*time.Millisecond, 100*time.Millisecond, h2
		if h2 {
			s.StartTLS()
		} else {
			s.Start()
		}
		for _, c := range []struct{ path, body, want string }{
			{"/materialize", `{"disable_event_timestamp":true}`, "null"},
			{"/v1/materialize", `{"incrementalEnd":"2024-01-01T00:00:00Z"}`, `{"result":{"summary":{"featureViews":1`},
		} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+c.path, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			resp, err := s.Client().Do(req)
			if err != nil {
				t.Errorf("%s: %v", c.path, err)
				continue
			}
			text, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err != nil || resp.StatusCode != http.StatusOK || !strings.HasPrefix(string(text), c.want) {
				t.Errorf("HTTP/%d %s: %d %s %v", resp.ProtoMajor, c.path, resp.StatusCode, text, err)
			}
		}
		s.Close()
	}
}

// TestMaterializeBeyondLoopback is offered only if that is allowed.
func TestMaterializeBeyondLoopback(t *testing.T) {
	for _, c := range []struct {
		grpc, http string
		allowed    bool
		want       fault.Kind
	}{
		{"127.0.0.1:6565", "localhost:6566", false, 0},
		{"[::1]:6565", "127.8.9.1:6566", false, 0},
		{"127.0.0.1:6565", "0.0.0.0:6566", false, fault.Denied},
		{":6565", "127.0.0.1:6566", false, fault.Denied},
		{"features.example:6565", "features.example:6566", false, fault.Denied},
		{"features.example:6565", ":6566", true, 0},
	} {
		opt := &Options{
			Project: "p", GRPC: c.grpc, HTTP: c.http, AllowOffline: c.allowed, Log: slog.New(slog.DiscardHandler),
			Materializer: func(context.Context, string, ingest.Observer) (Materializer, error) { return slow{}, nil },
		}
		if _, err := newRuns(opt, newPipeline(opt)).plan(t.Context(), job{}, ingest.Observer{}); (err != nil) != (c.want != 0) || err != nil && fault.KindOf(err) != c.want {
			t.Errorf("%s %s: %v", c.grpc, c.http, err)
		}
	}
}

// failing is a materializer whose runs fail.
type failing struct {
	slow
	err error
}

func (f failing) Materialize(context.Context, ingest.Request) ([]ingest.Result, error) {
	return nil, f.err
}

// TestWhyARunEndsWhileTheServerStops: the text is right for runs that had begun, that had
// not, and that failed for another reason.
func TestWhyARunEndsWhileTheServerStops(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{fault.New(fault.Canceled, "stopped; nothing of feature view a is written"), "the server is stopping and the run is stopped; nothing of feature view a is written"},
		{context.Canceled, "the server is stopping; the run had not begun"},
		{fault.Store(fault.Unavailable, "the store does not respond"), "the server is stopping; the run has failed: the store does not respond"},
	} {
		opt := &Options{
			Project: "p", Log: slog.New(slog.DiscardHandler), AllowOffline: true,
			Materializer: func(context.Context, string, ingest.Observer) (Materializer, error) { return failing{err: c.err}, nil },
		}
		m := newRuns(opt, newPipeline(opt))
		m.stop(errStopping)
		p, err := m.plan(t.Context(), job{}, ingest.Observer{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.run(t.Context()); fault.KindOf(err) != fault.Unavailable || err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}
