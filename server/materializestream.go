package server

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/banquet-fs/banquet/fault"
	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
	"github.com/banquet-fs/banquet/ingest"
)

// progressInterval is the time between two reports of a stream.
const progressInterval = 250 * time.Millisecond

// materializeService is banquet.v1.MaterializeService.
type materializeService struct {
	banquetv1.UnimplementedMaterializeServiceServer
	runs *runs
}

// Materialize runs a materialization and streams its events.
func (s *materializeService) Materialize(m *banquetv1.MaterializeRequest, out grpc.ServerStreamingServer[banquetv1.MaterializeResponse]) error {
	return s.runs.stream(out.Context(), m, func(event *banquetv1.MaterializeResponse) error {
		return sendWithin(chunkTimeout, func() error { return out.Send(event) })
	})
}

// materializeLines is POST /v1/materialize in the pipeline: one JSON object per line.
type materializeLines struct {
	onlineCall
	message banquetv1.MaterializeRequest
}

func (s *web) streamMaterialize(w http.ResponseWriter, r *http.Request, project string) {
	c := &materializeLines{onlineCall: onlineCall{web: s, w: w, r: r, pathProject: project, start: time.Now()}}
	defer c.release()
	c.lines = lineWriter{w: w, control: http.NewResponseController(w)}
	ctx, cancel, err := deadline(r)
	defer cancel()
	if err == nil {
		err = s.pipeline.stream(ctx, methodMaterialize, c)
	} else {
		s.pipeline.record(ctx, methodMaterialize, c.start, err)
	}
	switch {
	case err == nil:
	case c.lines.started:
		c.lines.fault(err)
	default:
		writeStatus(w, err)
	}
}

func (c *materializeLines) project() string { return c.message.GetProject() }

func (c *materializeLines) decode(context.Context) error {
	if err := c.checkPlain(); err != nil {
		return err
	}
	if err := protojson.Unmarshal(c.raw, &c.message); err != nil {
		return fault.New(fault.Invalid, "the body is not a MaterializeRequest in protobuf's JSON: %s", jsonReason(err)).Because(err)
	}
	if c.pathProject == "" {
		return nil
	}
	if named := c.message.GetProject(); named != "" && named != c.pathProject {
		return fault.New(fault.Invalid, "the path names project %s, the body %s", c.pathProject, named)
	}
	c.message.Project = c.pathProject
	return nil
}

// jsonReason is the reason in an error of protojson, whose blanks are arbitrary.
func jsonReason(err error) string {
	text := strings.ReplaceAll(err.Error(), "\u00a0", " ")
	return bounded(strings.TrimSpace(strings.TrimPrefix(text, "proto:")), maxEcho)
}

func (c *materializeLines) respond(ctx context.Context) error {
	untimed(c.lines.control)
	return c.web.runs.stream(ctx, &c.message, func(m *banquetv1.MaterializeResponse) error {
		b, err := protojson.Marshal(m)
		if err != nil {
			return fault.New(fault.Internal, "an event cannot be encoded").Because(err)
		}
		line := bytes.NewBufferString(`{"result":`)
		if err := json.Compact(line, b); err != nil { // protojson's blanks are arbitrary
			return fault.New(fault.Internal, "an event cannot be encoded").Because(err)
		}
		c.lines.line = append(line.Bytes(), "}\n"...)
		err = c.lines.send()
		untimed(c.lines.control)
		return err
	})
}

// stream runs a request and sends its events. Progress that the caller does not read
// in time is left out, so that a slow caller does not delay the run; send fails for a
// caller that reads nothing at all, and then the run stops.
func (m *runs) stream(ctx context.Context, req *banquetv1.MaterializeRequest, send func(*banquetv1.MaterializeResponse) error) error {
	j, err := jobOf(req)
	if err != nil {
		return err
	}
	began := time.Now()
	e := &events{wake: make(chan struct{}, 1)}
	p, err := m.plan(ctx, j, e.observer())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sent := make(chan error, 1)
	go func() {
		err := e.sendAll(send)
		if err != nil {
			cancel() // the caller has gone
		}
		sent <- err
	}()
	results, err := p.run(ctx)
	if err == nil {
		e.put(&banquetv1.MaterializeResponse{Event: &banquetv1.MaterializeResponse_Summary{Summary: summary(results, time.Since(began))}})
	}
	e.end()
	return cmp.Or(<-sent, err)
}

// jobOf checks a request.
func jobOf(req *banquetv1.MaterializeRequest) (job, error) {
	j := job{Request: ingest.Request{Views: req.GetFeatureViews(), DryRun: req.GetDryRun(), Restart: req.GetRestart()}, project: req.GetProject()}
	var err error
	switch r := req.GetRange().(type) {
	case *banquetv1.MaterializeRequest_Window:
		if j.Start, err = timeOf(r.Window.GetStart(), "window.start"); err == nil {
			j.End, err = timeOf(r.Window.GetEnd(), "window.end")
		}
	case *banquetv1.MaterializeRequest_IncrementalEnd:
		j.incremental = true
		j.End, err = timeOf(r.IncrementalEnd, "incremental_end")
	default:
		err = fault.New(fault.Invalid, "the request has no range; set window, or incremental_end for the rows since the last run")
	}
	return j, err
}

func timeOf(t *timestamppb.Timestamp, field string) (time.Time, error) {
	if t == nil {
		return time.Time{}, fault.New(fault.Invalid, "%s is missing; set it to an event time", field)
	}
	if t.CheckValid() != nil {
		return time.Time{}, fault.New(fault.Invalid, "%s is not a time of the years 1 to 9999", field)
	}
	return t.AsTime(), nil
}

// events are what a run still has to tell its caller. The run puts them and never
// waits; plan and results are kept, of progress only the last.
type events struct {
	meter ingest.Meter
	wake  chan struct{}

	mu    sync.Mutex
	queue []*banquetv1.MaterializeResponse
	ended bool
}

func (e *events) observer() ingest.Observer {
	return e.meter.Observer(ingest.Observer{
		Planned: func(windows []ingest.Window) {
			e.put(&banquetv1.MaterializeResponse{Event: &banquetv1.MaterializeResponse_Plan{Plan: planOf(windows)}})
		},
		Finished: func(r ingest.Result) {
			e.put(&banquetv1.MaterializeResponse{Event: &banquetv1.MaterializeResponse_Result{Result: resultOf(&r)}})
		},
	})
}

func (e *events) put(m *banquetv1.MaterializeResponse) {
	e.mu.Lock()
	e.queue = append(e.queue, m)
	e.mu.Unlock()
	e.poke()
}

// end makes sendAll return once it has sent what is queued.
func (e *events) end() {
	e.mu.Lock()
	e.ended = true
	e.mu.Unlock()
	e.poke()
}

func (e *events) poke() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

func (e *events) take() (queue []*banquetv1.MaterializeResponse, ended bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	queue, e.queue = e.queue, nil
	return queue, e.ended
}

// sendAll sends events until the end, or until the caller has gone.
func (e *events) sendAll(send func(*banquetv1.MaterializeResponse) error) error {
	tick := time.NewTicker(progressInterval)
	defer tick.Stop()
	var last []ingest.Progress
	for {
		queue, ended := e.take()
		for _, m := range queue {
			if err := send(m); err != nil {
				return err
			}
		}
		if ended {
			return nil
		}
		select {
		case <-e.wake:
			continue
		case <-tick.C:
		}
		now := e.meter.Running()
		for _, p := range now {
			if slices.ContainsFunc(last, func(l ingest.Progress) bool { return l.View == p.View && l.Phase == p.Phase && l.Rows == p.Rows }) {
				continue
			}
			if err := send(progressOf(&p)); err != nil {
				return err
			}
		}
		last = now
	}
}

func windowOf(w *ingest.Window) *banquetv1.MaterializeWindow {
	return &banquetv1.MaterializeWindow{Start: timestamppb.New(w.Start), End: timestamppb.New(w.End)}
}

func planOf(windows []ingest.Window) *banquetv1.MaterializePlan {
	out := &banquetv1.MaterializePlan{}
	for _, w := range windows {
		out.Windows = append(out.Windows, &banquetv1.PlannedWindow{FeatureView: w.View, Window: windowOf(&w), Assumed: w.Assumed})
	}
	return out
}

func progressOf(p *ingest.Progress) *banquetv1.MaterializeResponse {
	out := &banquetv1.MaterializeProgress{
		FeatureView: p.View, Phase: banquetv1.MaterializePhase_MATERIALIZE_PHASE_READING,
		Rows: p.Rows, Total: p.Total, RowsPerSecond: p.Rate, Resumed: p.Resumed,
	}
	if p.Phase == ingest.Writing {
		out.Phase = banquetv1.MaterializePhase_MATERIALIZE_PHASE_WRITING
	}
	if p.Left > 0 {
		out.Remaining = durationpb.New(p.Left)
	}
	return &banquetv1.MaterializeResponse{Event: &banquetv1.MaterializeResponse_Progress{Progress: out}}
}

func resultOf(r *ingest.Result) *banquetv1.MaterializeResult {
	out := &banquetv1.MaterializeResult{
		FeatureView: r.View, Window: windowOf(&r.Window), Read: r.Read, Keys: int64(r.Keys), Written: int64(r.Written), Older: int64(r.Older),
		NullKeys: r.NullKeys, Resumed: int64(r.Resumed), Elapsed: durationpb.New(r.Elapsed), Hint: r.Hint, Late: r.Late, Overlap: r.Overlap,
	}
	if e := r.Estimate; e != nil {
		out.Estimate = &banquetv1.MaterializeEstimate{Rows: e.Rows, Bytes: e.Bytes, WriteUnits: e.WriteUnits}
	}
	return out
}

func summary(results []ingest.Result, elapsed time.Duration) *banquetv1.MaterializeSummary {
	out := &banquetv1.MaterializeSummary{FeatureViews: int32(len(results)), Elapsed: durationpb.New(elapsed)}
	for i := range results {
		out.Written += int64(results[i].Written)
	}
	return out
}
