// Package remote is a client of Feast's transformation service (`feast
// serve_transformations`), which computes functions that banquet does not compile.
//
// Rows and results are files of Arrow in messages of gRPC. What the service returns comes
// from outside: its size is bounded, and nothing in it is trusted.
package remote

import (
	"bytes"
	"context"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	"github.com/banquet-fs/banquet/fault"
	serving "github.com/banquet-fs/banquet/gen/feast/serving"
	"github.com/banquet-fs/banquet/internal/arrowipc"
	"github.com/banquet-fs/banquet/internal/dial"
	"github.com/banquet-fs/banquet/transform"
)

const (
	// callTime bounds a call whose caller has more time, or no deadline.
	callTime = time.Minute
	// concurrency is how many calls are made at once. Feast's service runs ten.
	concurrency = 16
	// answerBytes is the default bound of an answer.
	answerBytes = 64 << 20
	// maxPause is the longest pause before an unreachable service is tried again.
	maxPause = 2 * time.Second
)

// Options configure a Client.
type Options struct {
	// Address is the host and port of the service.
	Address string
	// AnswerBytes bounds an answer; 0 is 64 MB.
	AnswerBytes int
	// CallTime bounds a call; 0 is a minute.
	CallTime time.Duration
	// Metrics receives the collectors; nil keeps them private.
	Metrics prometheus.Registerer
}

// Client calls the service. It connects when it is first used, and is safe for concurrent
// use.
type Client struct {
	opt      Options
	conn     *grpc.ClientConn
	service  serving.TransformationServiceClient
	slots    *semaphore.Weighted
	duration prometheus.Histogram
	errs     *prometheus.CounterVec
}

var _ transform.Service = (*Client)(nil)

// New makes a Client. It does not connect.
func New(opt Options) (*Client, error) {
	if opt.AnswerBytes <= 0 {
		opt.AnswerBytes = answerBytes
	}
	if opt.CallTime <= 0 {
		opt.CallTime = callTime
	}
	dialer := &dial.Dialer{}
	pauses := backoff.DefaultConfig
	pauses.BaseDelay, pauses.MaxDelay = 100*time.Millisecond, maxPause
	conn, err := grpc.NewClient("passthrough:///"+opt.Address,
		grpc.WithTransportCredentials(insecure.NewCredentials()), // Feast's service has no TLS
		grpc.WithContextDialer(dialTCP(dialer)),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: pauses, MinConnectTimeout: 5 * time.Second}),
		// Not more often: a server in Python closes a connection after some pings in one call.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(opt.AnswerBytes)),
		grpc.WithDisableServiceConfig(),
	)
	if err != nil {
		return nil, fault.New(fault.Invalid, "feature_server.transformation_service_endpoint: %q cannot be used as an address; want host:port, such as localhost:6569", opt.Address).Because(err)
	}
	c := &Client{
		opt: opt, conn: conn, service: serving.NewTransformationServiceClient(conn), slots: semaphore.NewWeighted(concurrency),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "banquet_transformation_service_duration_seconds",
			Help:    "Time of a call of the transformation service, which computes on-demand feature views that banquet does not compile.",
			Buckets: []float64{.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 60},
		}),
		errs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "banquet_transformation_service_errors_total",
			Help: "Calls of the transformation service that failed, by kind of failure.",
		}, []string{"kind"}),
	}
	if opt.Metrics != nil {
		opt.Metrics.MustRegister(c.duration, c.errs)
	}
	return c, nil
}

// Close ends the connection.
func (c *Client) Close() error { return c.conn.Close() }

// Address is the host and port of the service.
func (c *Client) Address() string { return c.opt.Address }

// Transform runs the function of a view in the service.
func (c *Client) Transform(ctx context.Context, call *transform.Call) (arrow.Table, error) {
	start := time.Now()
	out, err := c.transform(ctx, call)
	c.duration.Observe(time.Since(start).Seconds())
	if err != nil {
		c.errs.WithLabelValues(fault.KindOf(err).String()).Inc()
	}
	return out, err
}

func (c *Client) transform(ctx context.Context, call *transform.Call) (arrow.Table, error) {
	limited, cancel := context.WithTimeout(ctx, c.opt.CallTime)
	defer cancel()
	if err := c.slots.Acquire(limited, 1); err != nil {
		return nil, c.ended(ctx, limited, call, err)
	}
	defer c.slots.Release(1)
	rows, err := encode(call.Rows)
	if err != nil {
		return nil, fault.New(fault.Internal, "the inputs of on-demand feature view %q cannot be encoded", call.View).Because(err)
	}
	answer, err := c.service.TransformFeatures(limited, &serving.TransformFeaturesRequest{
		OnDemandFeatureViewName: call.View, Project: call.Project,
		TransformationInput: &serving.ValueType{Value: &serving.ValueType_ArrowValue{ArrowValue: rows}},
	})
	if err != nil {
		return nil, c.refused(ctx, limited, call, err)
	}
	// More rows than were sent are the function's mistake, and reported as such.
	out, err := arrowipc.ReadFile(answer.GetTransformationOutput().GetArrowValue(), 2*call.Rows.NumRows()+1000, call.Want)
	if err != nil {
		return nil, c.unreadable(call, err)
	}
	return out, nil
}

// encode writes rows as a file of Arrow, which is what the service reads.
func encode(rows arrow.RecordBatch) ([]byte, error) {
	var out bytes.Buffer
	w, err := ipc.NewFileWriter(&out, ipc.WithSchema(rows.Schema()))
	if err != nil {
		return nil, err
	}
	if err := w.Write(rows); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
