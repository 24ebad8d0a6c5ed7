package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/banquet-fs/banquet/fault"
	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
	"github.com/banquet-fs/banquet/ingest"
)

// window is a request for the window of one day.
func window() *banquetv1.MaterializeRequest {
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	return &banquetv1.MaterializeRequest{Range: &banquetv1.MaterializeRequest_Window{Window: &banquetv1.MaterializeWindow{
		Start: timestamppb.New(start), End: timestamppb.New(start.AddDate(0, 0, 1)),
	}}}
}

// events returns all events of a run over gRPC.
func events(t *testing.T, s *served, m *banquetv1.MaterializeRequest) ([]*banquetv1.MaterializeResponse, error) {
	t.Helper()
	stream, err := banquetv1.NewMaterializeServiceClient(s.grpc).Materialize(t.Context(), m)
	if err != nil {
		return nil, err
	}
	var list []*banquetv1.MaterializeResponse
	for {
		e, err := stream.Recv()
		switch {
		case err == io.EOF: //nolint:errorlint // gRPC returns it as it is
			return list, nil
		case err != nil:
			return list, err
		}
		list = append(list, e)
	}
}

// twoViews is a script with every event. It waits until the reports of reading and
// writing have been sent.
func twoViews(sent <-chan struct{}) func(context.Context, ingest.Observer, ingest.Request) ([]ingest.Result, error) {
	return func(_ context.Context, o ingest.Observer, req ingest.Request) ([]ingest.Result, error) {
		a, b := ingest.Window{View: "a", Start: req.Start, End: req.End}, ingest.Window{View: "b", Start: req.Start, End: req.End, Assumed: true}
		o.Planned([]ingest.Window{a, b})
		o.Started(a)
		for i := range 100_000 { // nobody waits for the caller
			o.Reading(a, int64(i))
		}
		<-sent
		o.Resumed(a, 40)
		o.Written(a, 60, 100)
		<-sent
		results := []ingest.Result{
			{Window: a, Read: 120, Keys: 100, Written: 90, Older: 10, NullKeys: 20, Resumed: 40, Elapsed: time.Second, Late: "late"},
			{Window: b, Hint: "hint", Overlap: "overlap", Estimate: &ingest.Estimate{Rows: 1, Bytes: 2, WriteUnits: 3}},
		}
		o.Finished(results[0])
		o.Started(b)
		o.Finished(results[1])
		return results, nil
	}
}

// TestMaterializeEvents compares the events of a run, over gRPC and as lines.
func TestMaterializeEvents(t *testing.T) {
	sent := make(chan struct{})
	r := &rehearsal{views: []string{"a", "b"}, script: twoViews(sent)}
	s := rehearse(t, r)
	req := window()
	req.DryRun, req.Restart = true, true
	w := req.GetWindow()
	want := []*banquetv1.MaterializeResponse{
		{Event: &banquetv1.MaterializeResponse_Plan{Plan: &banquetv1.MaterializePlan{Windows: []*banquetv1.PlannedWindow{
			{FeatureView: "a", Window: w}, {FeatureView: "b", Window: w, Assumed: true},
		}}}},
		{Event: &banquetv1.MaterializeResponse_Progress{Progress: &banquetv1.MaterializeProgress{FeatureView: "a", Phase: banquetv1.MaterializePhase_MATERIALIZE_PHASE_READING, Rows: 99_999}}},
		{Event: &banquetv1.MaterializeResponse_Progress{Progress: &banquetv1.MaterializeProgress{
			FeatureView: "a", Phase: banquetv1.MaterializePhase_MATERIALIZE_PHASE_WRITING, Rows: 60, Total: 100, Resumed: 40,
		}}},
		{Event: &banquetv1.MaterializeResponse_Result{Result: &banquetv1.MaterializeResult{
			FeatureView: "a", Window: w, Read: 120, Keys: 100, Written: 90, Older: 10, NullKeys: 20, Resumed: 40, Elapsed: durationpb.New(time.Second), Late: "late",
		}}},
		{Event: &banquetv1.MaterializeResponse_Result{Result: &banquetv1.MaterializeResult{
			FeatureView: "b", Window: w, Hint: "hint", Overlap: "overlap", Elapsed: durationpb.New(0), Estimate: &banquetv1.MaterializeEstimate{Rows: 1, Bytes: 2, WriteUnits: 3},
		}}},
		{Event: &banquetv1.MaterializeResponse_Summary{Summary: &banquetv1.MaterializeSummary{FeatureViews: 2, Written: 90}}},
	}
	// check compares an event, and lets the script go on once it has seen the progress.
	check := func(t *testing.T, i int, got *banquetv1.MaterializeResponse) bool {
		t.Helper()
		if p := got.GetProgress(); p != nil {
			if p.GetRowsPerSecond() <= 0 {
				t.Errorf("no rate: %v", p)
			}
			if p.GetPhase() == banquetv1.MaterializePhase_MATERIALIZE_PHASE_READING && p.GetRows() < 99_999 {
				return false // the script is not there yet
			}
			sent <- struct{}{}
		}
		ignored := protocmp.IgnoreFields(&banquetv1.MaterializeProgress{}, "rows_per_second", "remaining")
		if diff := cmp.Diff(want[i], got, protocmp.Transform(), ignored, protocmp.IgnoreFields(&banquetv1.MaterializeSummary{}, "elapsed")); diff != "" {
			t.Errorf("event %d (-want +got):\n%s", i, diff)
		}
		return true
	}
	t.Run("gRPC", func(t *testing.T) {
		stream, err := banquetv1.NewMaterializeServiceClient(s.grpc).Materialize(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(want); {
			got, err := stream.Recv()
			if err != nil {
				t.Fatal(err)
			}
			if check(t, i, got) {
				i++
			}
		}
		if _, err := stream.Recv(); err != io.EOF { //nolint:errorlint // gRPC returns it as it is
			t.Error(err)
		}
	})
	t.Run("REST", func(t *testing.T) {
		body := `{"window":{"start":"2024-01-01T00:00:00Z","end":"2024-01-02T00:00:00Z"},"dryRun":true,"restart":true}`
		hr, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.at.HTTP+"/v1/projects/other/materialize", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(hr)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if kind := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || kind != "application/x-ndjson" {
			t.Errorf("%d %s", resp.StatusCode, kind)
		}
		lines := bufio.NewScanner(resp.Body)
		i := 0
		for lines.Scan() {
			if check(t, i, eventOf(t, lines.Bytes())) {
				i++
			}
		}
		if i != len(want) {
			t.Errorf("%d events", i)
		}
	})
	if !slices.Equal(r.projects, []string{"credit_scoring_aws", "other"}) {
		t.Errorf("projects %v", r.projects)
	}
	for _, got := range r.requests {
		if !got.DryRun || !got.Restart || !slices.Equal(got.Views, r.views) {
			t.Errorf("%+v", got)
		}
	}
}

// eventOf decodes a line of a stream.
func eventOf(t *testing.T, line []byte) *banquetv1.MaterializeResponse {
	t.Helper()
	var l struct{ Result json.RawMessage }
	if err := json.Unmarshal(line, &l); err != nil || l.Result == nil {
		t.Fatalf("%s: %v", line, err)
	}
	e := new(banquetv1.MaterializeResponse)
	if err := protojson.Unmarshal(l.Result, e); err != nil {
		t.Fatal(err)
	}
	return e
}

// TestAFailedRunOverGRPC ends with the status of its error, after the results of the
// views before it; lines end with an error.
func TestAFailedRunOverGRPC(t *testing.T) {
	const text = "feature view b: no column x; nothing of feature view b is written, and its window is not recorded; complete: a"
	r := &rehearsal{views: []string{"a", "b"}, script: func(_ context.Context, o ingest.Observer, req ingest.Request) ([]ingest.Result, error) {
		done := ingest.Result{Window: ingest.Window{View: "a", Start: req.Start, End: req.End}, Read: 1, Keys: 1, Written: 1}
		o.Planned([]ingest.Window{done.Window, {View: "b"}})
		o.Started(done.Window)
		o.Finished(done)
		return []ingest.Result{done}, fault.New(fault.Invalid, "%s", text)
	}}
	s := rehearse(t, r)
	got, err := events(t, s, window())
	if status.Code(err) != codes.InvalidArgument || status.Convert(err).Message() != text {
		t.Error(err)
	}
	if len(got) != 2 || got[1].GetResult().GetWritten() != 1 {
		t.Errorf("%v", got)
	}
	code, lines := fetch(t, http.MethodPost, "http://"+s.at.HTTP+"/v1/materialize", `{"incremental_end":"2024-01-01T00:00:00Z"}`)
	if want := `{"error":{"code":3,"message":"` + text + `","details":[]}}` + "\n"; code != http.StatusOK || strings.Count(lines, "\n") != 3 || !strings.HasSuffix(lines, want) {
		t.Errorf("%d %s", code, lines)
	}
}

// TestWrongMaterializeRequests are refused with one line, before anything runs.
func TestWrongMaterializeRequests(t *testing.T) {
	r := &rehearsal{views: []string{"a"}}
	s := rehearse(t, r)
	far := &timestamppb.Timestamp{Seconds: 1 << 60}
	incremental := func(end *timestamppb.Timestamp) *banquetv1.MaterializeRequest {
		return &banquetv1.MaterializeRequest{Range: &banquetv1.MaterializeRequest_IncrementalEnd{IncrementalEnd: end}}
	}
	half := window()
	half.GetWindow().End = nil
	unknown := window()
	unknown.FeatureViews = []string{"a", "nope"}
	for _, c := range []struct {
		name string
		req  *banquetv1.MaterializeRequest
		code codes.Code
		text string
	}{
		{"no range", &banquetv1.MaterializeRequest{}, codes.InvalidArgument, "the request has no range; set window, or incremental_end"},
		{"half a window", half, codes.InvalidArgument, "window.end is missing"},
		{"an end beyond all years", incremental(far), codes.InvalidArgument, "incremental_end is not a time of the years 1 to 9999"},
		{"an unknown view", unknown, codes.NotFound, "Feature view nope does not exist"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := events(t, s, c.req)
			if status.Code(err) != c.code || !strings.Contains(err.Error(), c.text) {
				t.Error(err)
			}
		})
	}
	for body, want := range map[string]string{
		`{"nope":1}`: `unknown field \"nope\"`, `{`: "the body is not a MaterializeRequest in protobuf's JSON", `{"window":{"start":"soon"}}`: "soon",
		"\xff": "the body is not UTF-8", ``: "the body is not a MaterializeRequest", `{"project":"other"}`: "the path names project p, the body other",
	} {
		if code, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+"/v1/projects/p/materialize", body); code != http.StatusBadRequest || !strings.Contains(text, want) || strings.Contains(text, "\u00a0") {
			t.Errorf("%q: %d %s", body, code, text)
		}
	}
	if code, text := fetch(t, http.MethodGet, "http://"+s.at.HTTP+"/v1/materialize", ""); code != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d %s", code, text)
	}
	if len(r.requests) > 0 {
		t.Errorf("%+v", r.requests)
	}
}

// TestTheCallerEndsItsRun: a run stops when its caller goes away, on every surface.
func TestTheCallerEndsItsRun(t *testing.T) {
	script, began, _ := held()
	s := rehearse(t, &rehearsal{views: []string{"a"}, script: script})
	for i, call := range []func(ctx context.Context){
		func(ctx context.Context) {
			stream, err := banquetv1.NewMaterializeServiceClient(s.grpc).Materialize(ctx, window())
			if err == nil {
				_, err = stream.Recv()
			}
			if status.Code(err) != codes.Canceled {
				t.Error(err)
			}
		},
		func(ctx context.Context) {
			post(ctx, t, "http://"+s.at.HTTP+"/v1/materialize", `{"incrementalEnd":"2024-01-01T00:00:00Z"}`)
		},
		func(ctx context.Context) { post(ctx, t, "http://"+s.at.HTTP+"/materialize", `{`+oneDay+`}`) },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			call(ctx)
			close(done)
		}()
		<-began
		cancel()
		<-done
		until(t, "the run does not stop", func() bool {
			return strings.Contains(metric(t, s, "banquet_materialize_runs_total"), `{outcome="stopped"} `+strconv.Itoa(i+1))
		})
	}
	if code, text := feastMaterialize(t, s, "/materialize-incremental?async=yes", `{"end_ts":"2024-01-02"}`); code != http.StatusAccepted {
		t.Errorf("the slot is not free: %d %s", code, text)
	}
	<-began
}

// post sends a request whose context ends before the response.
func post(ctx context.Context, t *testing.T, url, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
	if err == nil {
		t.Error("there is a whole response")
	}
}

// TestASlowCallerDoesNotDelayTheRun: a caller who does not read for a while gets all
// results, and the run does not wait for it.
func TestASlowCallerDoesNotDelayTheRun(t *testing.T) {
	const views = 3000
	var names []string
	for i := range views {
		names = append(names, strings.Repeat("a long name of a view ", 10)+strconv.Itoa(i))
	}
	ended := make(chan struct{})
	r := &rehearsal{views: names, script: func(_ context.Context, o ingest.Observer, req ingest.Request) ([]ingest.Result, error) {
		defer close(ended)
		var results []ingest.Result
		for _, v := range req.Views {
			r := ingest.Result{Window: ingest.Window{View: v}}
			o.Started(r.Window)
			o.Finished(r)
			results = append(results, r)
		}
		return results, nil
	}}
	s := rehearse(t, r)
	stream, err := banquetv1.NewMaterializeServiceClient(s.grpc).Materialize(t.Context(), window())
	if err != nil {
		t.Fatal(err)
	}
	<-ended // nothing has been read yet, and the results do not fit into the window of gRPC
	results := 0
	var last *banquetv1.MaterializeResponse
	for {
		e, err := stream.Recv()
		if err == io.EOF { //nolint:errorlint // gRPC returns it as it is
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e.GetResult() != nil {
			results++
		}
		last = proto.CloneOf(e)
	}
	if results != views || last.GetSummary().GetFeatureViews() != views {
		t.Errorf("%d results, %v", results, last)
	}
}
