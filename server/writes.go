package server

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/banquet-fs/banquet/fault"
	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
	"github.com/banquet-fs/banquet/ingest"
)

// Writer writes rows of requests to the stores; it is an ingest.Writer.
type Writer interface {
	// Push writes rows to the feature views of a push source.
	Push(ctx context.Context, req ingest.PushRequest) (ingest.Report, error)
	// Write writes rows of one feature view to the online store.
	Write(ctx context.Context, req ingest.WriteRequest) (ingest.Report, error)
}

// The methods under which requests that write are counted, on every surface.
const (
	methodPush        = "/banquet.v1.FeatureService/Push"
	methodWrite       = "/banquet.v1.FeatureService/Write"
	methodStreamPush  = "/banquet.v1.FeatureService/StreamPush"
	methodStreamWrite = "/banquet.v1.FeatureService/StreamWrite"
)

// writes reports whether a method writes rows.
func writes(method string) bool {
	switch method {
	case methodPush, methodWrite, methodStreamPush, methodStreamWrite, "/GrpcFeatureServer/Push", "/GrpcFeatureServer/WriteToOnlineStore":
		return true
	}
	return false
}

// targetOf returns the target of banquet's own API.
func targetOf(t banquetv1.WriteTarget) (ingest.Target, error) {
	switch t {
	case banquetv1.WriteTarget_WRITE_TARGET_UNSPECIFIED, banquetv1.WriteTarget_WRITE_TARGET_ONLINE:
		return ingest.Online, nil
	case banquetv1.WriteTarget_WRITE_TARGET_OFFLINE:
		return ingest.Offline, nil
	case banquetv1.WriteTarget_WRITE_TARGET_ONLINE_AND_OFFLINE:
		return ingest.OnlineAndOffline, nil
	}
	return 0, fault.New(fault.Invalid, "to is %d, which is not a WriteTarget", t)
}

// rowsRequest is a request that writes rows, of any surface.
type rowsRequest struct {
	ingest.Rows
	own     bool // of banquet's own API
	project string
	push    bool
	name    string // of the push source or of the feature view
	to      ingest.Target
}

// writer runs the requests that write.
type writer struct {
	opt  *Options
	rows *prometheus.CounterVec
	// ending is that of the pipeline.
	ending context.Context //nolint:containedctx // it is the server's, not a request's
}

func newWriter(opt *Options) *writer {
	w := &writer{opt: opt, ending: context.Background(), rows: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "banquet_write_rows_total", Help: "Rows of pushes and writes, by outcome: stored, older (a newer row stays), failed, or offline (added to the offline store).",
	}, []string{"project", "feature_view", "outcome"})}
	if opt.Metrics != nil {
		opt.Metrics.MustRegister(w.rows)
	}
	return w
}

// run runs a request. The report says what is stored, also with an error.
func (w *writer) run(ctx context.Context, r *rowsRequest) (report ingest.Report, err error) {
	if err := w.check(r); err != nil {
		return report, err
	}
	if r.own && r.name == "" {
		return report, r.unnamed()
	}
	if r.project == "" {
		r.project = w.opt.Project
	}
	ctx, cancel := leaveTime(ctx)
	defer cancel()
	defer context.AfterFunc(w.ending, cancel)()
	if r.push {
		report, err = w.opt.Writer.Push(ctx, ingest.PushRequest{Project: r.project, Source: r.name, To: r.to, Rows: r.Rows})
	} else {
		report, err = w.opt.Writer.Write(ctx, ingest.WriteRequest{Project: r.project, View: r.name, Rows: r.Rows})
	}
	for i := range report.Views {
		w.count(r.project, &report.Views[i])
	}
	if err != nil && fault.KindOf(err) == fault.Canceled && w.ending.Err() != nil {
		err = fault.New(fault.Unavailable, "the server is stopping: %s", fault.Of(err).Text).Because(err)
	}
	return report, err
}

// leaveTime ends a tenth before the caller's deadline: a response that names the rows that
// are not stored must arrive in time.
func leaveTime(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-min(time.Until(deadline)/10, maxLeft)))
}

// maxLeft bounds the time that is left for a response.
const maxLeft = time.Second

// unnamed is the error of a request of banquet's own API without a name. Feast's clients
// get Feast's error for an empty one.
func (r *rowsRequest) unnamed() error {
	field, what := "feature_view", "feature view"
	if r.push {
		field, what = "push_source", "push source"
	}
	return fault.New(fault.Invalid, "the request names no %s; set %s", what, field)
}

func (w *writer) count(project string, v *ingest.ViewReport) {
	for _, c := range []struct {
		outcome string
		rows    int
	}{{"stored", v.Stored}, {"older", len(v.Older)}, {"failed", len(v.Failed)}, {"offline", int(v.Appended)}} {
		if c.rows > 0 {
			w.rows.WithLabelValues(project, v.View, c.outcome).Add(float64(c.rows))
		}
	}
}

// check refuses what this server does not offer.
func (w *writer) check(r *rowsRequest) error {
	if w.opt.Writer == nil {
		return fault.New(fault.Unimplemented, "writing is not supported by this server; use `banquet materialize` to load rows")
	}
	for _, address := range []string{w.opt.GRPC, w.opt.HTTP} {
		if err := w.opt.writesRefused(address); err != nil {
			return err
		}
		if err := w.opt.offlineRefused(address); err != nil && r.push && r.to != ingest.Online {
			return err
		}
	}
	return nil
}
