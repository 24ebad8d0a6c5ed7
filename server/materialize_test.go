package server_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/server"
)

// rehearsal is a materializer that moves no rows. A run calls script, if there is one.
type rehearsal struct {
	views  []string // that exist
	others []string // views that other processes materialize
	script func(ctx context.Context, o ingest.Observer, req ingest.Request) ([]ingest.Result, error)

	mu       sync.Mutex
	requests []ingest.Request
	projects []string
}

// rehearsed is one use of a rehearsal.
type rehearsed struct {
	*rehearsal
	seen ingest.Observer
}

func (r *rehearsal) open(_ context.Context, project string, o ingest.Observer) (server.Materializer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.projects = append(r.projects, project)
	if o.Planned == nil {
		o.Planned = func([]ingest.Window) {}
	}
	return &rehearsed{r, new(ingest.Meter).Observer(o)}, nil // scripts call functions without a check
}

func (r *rehearsed) Views(_ context.Context, req ingest.Request) ([]string, error) {
	if len(req.Views) == 0 {
		return r.views, nil
	}
	for _, n := range req.Views {
		if !slices.Contains(r.views, n) {
			return nil, fault.New(fault.NotFound, "Feature view %s does not exist in project p", n).About("feature view", n, "p")
		}
	}
	return req.Views, nil
}

func (r *rehearsed) Running(context.Context, []string) []string { return r.others }

func (r *rehearsed) Materialize(ctx context.Context, req ingest.Request) ([]ingest.Result, error) {
	r.mu.Lock()
	r.requests = append(r.requests, req)
	r.mu.Unlock()
	if r.script != nil {
		return r.script(ctx, r.seen, req)
	}
	return nil, nil
}

func (r *rehearsed) MaterializeIncremental(ctx context.Context, req ingest.Request) ([]ingest.Result, error) {
	req.Start = time.Time{}
	return r.Materialize(ctx, req)
}

// held is a script that reports to began and waits for release, or for its context.
func held() (script func(context.Context, ingest.Observer, ingest.Request) ([]ingest.Result, error), began chan ingest.Request, release chan struct{}) {
	began, release = make(chan ingest.Request, 100), make(chan struct{})
	return func(ctx context.Context, o ingest.Observer, req ingest.Request) ([]ingest.Result, error) {
		began <- req
		var results []ingest.Result
		for _, v := range req.Views {
			w := ingest.Window{View: v, Start: req.Start, End: req.End}
			o.Started(w)
			select {
			case <-release:
			case <-ctx.Done():
				return results, fault.New(fault.KindOf(ctx.Err()), "stopped; of 7 rows of feature view %s 3 are known to be stored, and its window is not recorded", v)
			}
			r := ingest.Result{Window: w, Read: 9, Keys: 7, Written: 7, Resumed: 3}
			o.Finished(r)
			results = append(results, r)
		}
		return results, nil
	}, began, release
}

// rehearse starts a server that materializes with a rehearsal.
func rehearse(t *testing.T, r *rehearsal, change ...func(*server.Options)) *served {
	t.Helper()
	f := credit
	f.change = func(o *server.Options) {
		o.Materializer, o.MaterializeRuns, o.MaterializeQueue = r.open, 1, 1
		for _, c := range change {
			c(o)
		}
	}
	return start(t, f)
}

const oneDay = `"start_ts":"2024-01-01","end_ts":"2024-01-02"`

// feastMaterialize sends a request to one of Feast's routes.
func feastMaterialize(t *testing.T, s *served, route, body string) (int, string) {
	t.Helper()
	return fetch(t, http.MethodPost, "http://"+s.at.HTTP+route, body, "Content-Type", "application/json")
}

// metric returns the lines of a metric.
func metric(t *testing.T, s *served, name string) string {
	t.Helper()
	_, text := fetch(t, http.MethodGet, "http://"+s.at.Admin+"/metrics", "")
	var out []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, name) {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return strings.Join(out, "\n")
}

// until waits for a condition that only the server's metrics or log show.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(30 * time.Second); !ok(); {
		select {
		case <-tick.C:
		case <-end:
			t.Fatal(what)
		}
	}
}

// TestAsynchronousRuns covers what becomes of requests while a view is materialized in
// the background.
func TestAsynchronousRuns(t *testing.T) {
	script, began, release := held()
	r := &rehearsal{views: []string{"a", "b", "it's"}, script: script}
	s := rehearse(t, r)
	send := func(query, views string, code int, want string) {
		t.Helper()
		if got, text := feastMaterialize(t, s, "/materialize"+query, `{`+oneDay+`,"feature_views":`+views+`}`); got != code || text != want {
			t.Errorf("%s %s: %d %s\nwant %d %s", query, views, got, text, code, want)
		}
	}
	send("?async=true", `["a"]`, http.StatusAccepted, `{"status":"accepted","feature_views":["a"]}`)
	req := <-began
	if req.Start.Format(time.DateOnly) != "2024-01-01" || req.End.Format(time.DateOnly) != "2024-01-02" || !slices.Equal(req.Views, []string{"a"}) {
		t.Errorf("%+v", req)
	}
	const conflict = `{"error":"Cannot start async materialization — the following feature views are already in MATERIALIZING state: ['a']. Use ?force=true to override.","feature_views":["a"]}`
	send("?async=true", `["a","b"]`, http.StatusConflict, conflict)
	send("?async=true", `null`, http.StatusConflict, conflict)
	send("", `["b"]`, http.StatusTooManyRequests, `"1 materializations are in progress, and this server runs no more at once; try again later (banquet.materialize.runs)"`)
	send("?async=true", `["it's"]`, http.StatusAccepted, `{"status":"accepted","feature_views":["it's"]}`) // waits
	send("?async=true", `["it's"]`, http.StatusConflict, strings.NewReplacer(`'a'`, `\"it's\"`, `"a"`, `"it's"`).Replace(conflict))
	send("?async=true&force=true", `["a"]`, http.StatusTooManyRequests, `"1 materializations are in progress and 1 wait for them; try again later (banquet.materialize.runs, queue)"`)
	if got := metric(t, s, "banquet_materialize_runs_"); got != "banquet_materialize_runs_in_progress 1\nbanquet_materialize_runs_waiting 1" {
		t.Error(got)
	}
	if code, text := feastMaterialize(t, s, "/get-online-features", `{"features":["zipcode_features:city"],"entities":{"zipcode":[76104]}}`); code != http.StatusOK {
		t.Errorf("features while a run is in progress: %d %s", code, text)
	}
	release <- struct{}{}
	if req := <-began; !slices.Equal(req.Views, []string{"it's"}) {
		t.Errorf("%+v", req)
	}
	send("?async=true&force=true", `["it's"]`, http.StatusAccepted, `{"status":"accepted","feature_views":["it's"]}`)
	close(release)
	<-began
	until(t, "the runs do not end", func() bool {
		return strings.Contains(metric(t, s, "banquet_materialize_runs_total"), `{outcome="ok"} 3`)
	})
	if got := metric(t, s, `banquet_materialize_rows_written_total{feature_view="a",project="credit_scoring_aws"}`); !strings.HasSuffix(got, " 4") {
		t.Errorf("rows that this run has stored: %s", got)
	}
	if got := metric(t, s, `banquet_materialize_last_success_timestamp_seconds{feature_view="a"`); got == "" {
		t.Error("no time of the last success")
	}
	send("", `["a"]`, http.StatusOK, "null")
}

// TestAnotherProcessHoldsTheView: an asynchronous run begins only if it is forced, a
// synchronous one does.
func TestAnotherProcessHoldsTheView(t *testing.T) {
	s := rehearse(t, &rehearsal{views: []string{"a", "b"}, others: []string{"b"}})
	for _, c := range []struct {
		query string
		code  int
		text  string
	}{
		{"?async=true", http.StatusConflict, `already in MATERIALIZING state: ['b']. Use ?force=true to override.","feature_views":["b"]}`},
		{"?async=true&force=true", http.StatusAccepted, `{"status":"accepted","feature_views":["a","b"]}`},
		{"", http.StatusOK, "null"},
	} {
		if c.query == "" {
			until(t, "the asynchronous run does not end", func() bool {
				return strings.Contains(metric(t, s, "banquet_materialize_runs_total"), `{outcome="ok"} 1`)
			})
		}
		if code, text := feastMaterialize(t, s, "/materialize"+c.query, `{`+oneDay+`}`); code != c.code || !strings.HasSuffix(text, c.text) {
			t.Errorf("%q: %d %s", c.query, code, text)
		}
	}
}

// TestAFailedAsynchronousRun is logged and counted, and its views are free again.
func TestAFailedAsynchronousRun(t *testing.T) {
	var log safeBuffer
	fail := true
	r := &rehearsal{views: []string{"a"}, script: func(context.Context, ingest.Observer, ingest.Request) ([]ingest.Result, error) {
		if fail {
			fail = false
			panic("oops")
		}
		return nil, fault.Store(fault.Unavailable, "the store does not respond")
	}}
	s := rehearse(t, r, func(o *server.Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	for i, want := range []string{"the cause is in the log", "the store does not respond"} {
		if code, text := feastMaterialize(t, s, "/materialize-incremental?async=true", `{"end_ts":"2024-01-02"}`); code != http.StatusAccepted {
			t.Fatal(code, text)
		}
		until(t, "the failure is not counted", func() bool {
			return strings.Contains(metric(t, s, "banquet_materialize_runs_total"), `{outcome="failed"} `+strconv.Itoa(i+1))
		})
		until(t, "the failure is not logged", func() bool {
			text := log.String()
			return strings.Contains(text, "materialization failed") && strings.Contains(text, want) && strings.Contains(text, "views=[a]")
		})
	}
}

// safeBuffer is a buffer for several goroutines.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// TestMaterializeIsRefused covers servers that do not materialize.
func TestMaterializeIsRefused(t *testing.T) {
	unbuilt := func(context.Context, string, ingest.Observer) (server.Materializer, error) {
		return nil, fault.New(fault.Unimplemented, "offline_store redshift is not built into banquet")
	}
	for _, c := range []struct {
		name   string
		change func(*server.Options)
		http   int
		grpc   codes.Code
		text   string
	}{
		{"a server beyond loopback", func(o *server.Options) { o.GRPC = ":0" }, http.StatusForbidden, codes.PermissionDenied, "there is no access control yet. Start it with --allow-offline"},
		{"a server without the use case", func(o *server.Options) { o.Materializer = nil }, http.StatusNotImplemented, codes.Unimplemented, "Materialize is not supported"},
		{"an offline store that banquet does not have", func(o *server.Options) { o.Materializer = unbuilt }, http.StatusNotImplemented, codes.Unimplemented, "offline_store redshift is not built into banquet"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &rehearsal{views: []string{"a"}}
			s := rehearse(t, r, c.change)
			for route, body := range map[string]string{
				"/materialize": `{` + oneDay + `}`, "/materialize?async=true": `{` + oneDay + `}`,
				"/materialize-incremental": `{"end_ts":"2024-01-01"}`, "/v1/materialize": `{"incrementalEnd":"2024-01-01T00:00:00Z"}`,
			} {
				if code, text := feastMaterialize(t, s, route, body); code != c.http || !strings.Contains(text, c.text) {
					t.Errorf("%s: %d %s", route, code, text)
				}
			}
			_, err := events(t, s, window())
			if status.Code(err) != c.grpc || !strings.Contains(err.Error(), c.text) {
				t.Error(err)
			}
			if len(r.requests) > 0 {
				t.Error("a run has begun")
			}
		})
	}
}

// TestAStoppingServer stops its runs, waits for them and says what they have stored.
func TestAStoppingServer(t *testing.T) {
	var log safeBuffer
	script, began, _ := held()
	s := rehearse(t, &rehearsal{views: []string{"a", "b", "c"}, script: script}, func(o *server.Options) {
		o.MaterializeRuns = 3
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	if code, text := feastMaterialize(t, s, "/materialize?async=1", `{`+oneDay+`,"feature_views":["a"]}`); code != http.StatusAccepted {
		t.Fatal(code, text)
	}
	var group sync.WaitGroup
	group.Go(func() {
		code, text := feastMaterialize(t, s, "/materialize", `{`+oneDay+`,"feature_views":["b"]}`)
		if code != http.StatusServiceUnavailable || !strings.Contains(text, "the server is stopping and the run is stopped; of 7 rows of feature view b 3 are known to be stored") {
			t.Errorf("over HTTP: %d %s", code, text)
		}
	})
	group.Go(func() {
		m := window()
		m.FeatureViews = []string{"c"}
		_, err := events(t, s, m)
		if status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "the server is stopping and the run is stopped; of 7 rows of feature view c") {
			t.Errorf("over gRPC: %v", err)
		}
	})
	for range 3 {
		<-began
	}
	start := time.Now()
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 15*time.Second {
		t.Errorf("it took %v", took)
	}
	group.Wait()
	if text := log.String(); !strings.Contains(text, "materialization failed") || !strings.Contains(text, "of 7 rows of feature view a") {
		t.Errorf("the log: %s", text)
	}
}
