package remote_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/serving"
	"github.com/banquet-fs/banquet/transform"
	"github.com/banquet-fs/banquet/transform/remote"
)

// service is a transformation service in the same process.
type service struct {
	serving.UnimplementedTransformationServiceServer
	answer func(context.Context, *serving.TransformFeaturesRequest) ([]byte, error)
}

func (s *service) TransformFeatures(ctx context.Context, req *serving.TransformFeaturesRequest) (*serving.TransformFeaturesResponse, error) {
	b, err := s.answer(ctx, req)
	if err != nil {
		return nil, err
	}
	return &serving.TransformFeaturesResponse{TransformationOutput: &serving.ValueType{Value: &serving.ValueType_ArrowValue{ArrowValue: b}}}, nil
}

// listen starts a service on a free port.
func listen(t *testing.T, at string, answer func(context.Context, *serving.TransformFeaturesRequest) ([]byte, error), opts ...grpc.ServerOption) (address string, stop func()) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(opts...)
	if answer != nil {
		serving.RegisterTransformationServiceServer(s, &service{answer: answer})
	}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return l.Addr().String(), s.Stop
}

func newClient(t *testing.T, opt remote.Options) *remote.Client {
	t.Helper()
	c, err := remote.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// numbers is a call with one column of so many rows.
func numbers(rows int) *transform.Call {
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64}}, nil))
	for i := range rows {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
	}
	return &transform.Call{Project: "shop", View: "rolled", Rows: b.NewRecordBatch(), Want: func(name string) bool { return strings.HasSuffix(name, "n") }}
}

// echo returns its rows.
func echo(_ context.Context, req *serving.TransformFeaturesRequest) ([]byte, error) {
	return req.GetTransformationInput().GetArrowValue(), nil
}

func TestTransform(t *testing.T) {
	address, _ := listen(t, "127.0.0.1:0", func(ctx context.Context, req *serving.TransformFeaturesRequest) ([]byte, error) {
		if req.GetProject() != "shop" || req.GetOnDemandFeatureViewName() != "rolled" || !bytes.HasPrefix(req.GetTransformationInput().GetArrowValue(), []byte("ARROW1")) {
			t.Errorf("%v", req)
		}
		return echo(ctx, req)
	})
	c := newClient(t, remote.Options{Address: address})
	if c.Address() != address {
		t.Errorf("the address is %s", c.Address())
	}
	for range 2 {
		call := numbers(100)
		out, err := c.Transform(t.Context(), call)
		if err != nil {
			t.Fatal(err)
		}
		if got := out.Column(0).Data().Chunk(0); !array.Equal(got, call.Rows.Column(0)) {
			t.Errorf("%s", got)
		}
		out.Release()
	}
}

// Every failure is one line that names the view, the service and what to do. An outage is
// never a fault of the caller, and never an object that does not exist.
func TestFailures(t *testing.T) {
	failing := func(c codes.Code, text string) func(context.Context, *serving.TransformFeaturesRequest) ([]byte, error) {
		return func(context.Context, *serving.TransformFeaturesRequest) ([]byte, error) {
			return nil, status.Error(c, text)
		}
	}
	returning := func(b []byte) func(context.Context, *serving.TransformFeaturesRequest) ([]byte, error) {
		return func(context.Context, *serving.TransformFeaturesRequest) ([]byte, error) { return b, nil }
	}
	var compressed bytes.Buffer
	call := numbers(10)
	w, err := ipc.NewFileWriter(&compressed, ipc.WithSchema(call.Rows.Schema()), ipc.WithZstd())
	if err != nil || w.Write(call.Rows) != nil || w.Close() != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		answer func(context.Context, *serving.TransformFeaturesRequest) ([]byte, error)
		rows   int
		kind   fault.Kind
		stored bool // not the caller's mistake
		text   string
	}{
		{"the function raises", failing(codes.Unknown, "Exception calling application: 'x'"), 10, fault.Invalid, false, "its function failed: 'x' (transformation service at "},
		{"many lines", failing(codes.Unknown, "Exception calling application: a\nb\r\n  c\x00"+strings.Repeat("d", 1000)), 10, fault.Invalid, false, "its function failed: a b   c ddd"},
		{"an unknown view", failing(codes.Unknown, "Exception calling application: Feature view rolled does not exist in project shop"), 10, fault.Unavailable, true, "does not know this view; run it with the same registry"},
		{"another mode there", failing(codes.Unknown, `Exception calling application: OnDemandFeatureView mode "python" not supported by TransformationServer.`), 10, fault.Unavailable, true, "has another definition of it"},
		{"unknown without an exception", failing(codes.Unknown, "stream closed"), 10, fault.Unavailable, true, "failed with Unknown: stream closed"},
		{"its own not found", failing(codes.NotFound, "no such view"), 10, fault.Unavailable, true, "failed with NotFound: no such view"},
		{"internal", failing(codes.Internal, "oops"), 10, fault.Unavailable, true, "failed with Internal: oops"},
		{"denied", failing(codes.PermissionDenied, "who are you"), 10, fault.Unavailable, true, "failed with PermissionDenied"},
		{"invalid rows", failing(codes.InvalidArgument, "n must be positive"), 10, fault.Invalid, false, "n must be positive (transformation service at"},
		{"busy", failing(codes.ResourceExhausted, "try later"), 10, fault.Unavailable, true, "has too much to do: try later"},
		{"canceled by the service", failing(codes.Canceled, "stopping"), 10, fault.Unavailable, true, "failed with Canceled: stopping"},
		{"no such service", nil, 10, fault.Unavailable, true, "has no feast.serving.TransformationService; correct feature_server.transformation_service_endpoint"},
		{"nothing", returning(nil), 10, fault.Unavailable, true, "returned what is no file of Arrow"},
		{"garbage", returning([]byte("<html>hello</html>")), 10, fault.Unavailable, true, "returned what is no file of Arrow; check that feature_server.transformation_service_endpoint is"},
		{"compressed", returning(compressed.Bytes()), 10, fault.Unavailable, true, "returned a table that cannot be read: its record batches are compressed"},
		{"many more rows", echo2, 10, fault.Unavailable, true, "more rows than it may have"},
		{"an answer that is too large", returning(make([]byte, 2<<20)), 10, fault.TooLarge, false, "more bytes than banquet.limits.store_bytes; send fewer rows"},
		{"inputs that are too large", echo, 1_000_000, fault.TooLarge, false, "more bytes than the service takes at once; send fewer rows"},
	} {
		t.Run(c.name, func(t *testing.T) {
			address, _ := listen(t, "127.0.0.1:0", c.answer)
			metrics := prometheus.NewRegistry()
			client := newClient(t, remote.Options{Address: address, AnswerBytes: 1 << 20, Metrics: metrics})
			_, err := client.Transform(t.Context(), numbers(c.rows))
			f := fault.Of(err)
			if f.Kind != c.kind || (f.Whose == fault.Stored) != c.stored || !strings.Contains(f.Text, c.text) {
				t.Errorf("%v of %v: %s", f.Kind, f.Whose, f.Text)
			}
			if !strings.HasPrefix(f.Text, `on-demand feature view "rolled" cannot be computed: `) || !strings.Contains(f.Text, address) || strings.ContainsAny(f.Text, "\n\r\x00") || len(f.Text) > 700 {
				t.Errorf("%q", f.Text)
			}
			if got, err := metrics.Gather(); len(got) != 2 || err != nil || got[1].GetMetric()[0].GetCounter().GetValue() != 1 {
				t.Errorf("%v: %v", got, err)
			}
		})
	}
}

// echo2 returns far more rows than it was sent.
func echo2(context.Context, *serving.TransformFeaturesRequest) ([]byte, error) {
	call := numbers(2000)
	var out bytes.Buffer
	w, err := ipc.NewFileWriter(&out, ipc.WithSchema(call.Rows.Schema()))
	if err == nil {
		err = errors.Join(w.Write(call.Rows), w.Close())
	}
	return out.Bytes(), err
}

func TestAServiceThatIsNotThere(t *testing.T) {
	address, stop := listen(t, "127.0.0.1:0", echo)
	stop()
	c := newClient(t, remote.Options{Address: address})
	_, err := c.Transform(t.Context(), numbers(1))
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "the transformation service at "+address+" cannot be reached; start it with `feast serve_transformations`") {
		t.Errorf("%v: %v", fault.KindOf(err), err)
	}
	listen(t, address, echo)
	for range 100 { // it is tried again after a pause
		if _, err = c.Transform(t.Context(), numbers(1)); err == nil {
			return
		}
		<-time.After(50 * time.Millisecond)
	}
	t.Errorf("it is not found again: %v", err)
}

// A service that accepts connections and says nothing, and one that never answers.
func TestAServiceThatHangs(t *testing.T) {
	silent, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	hanging, _ := listen(t, "127.0.0.1:0", func(ctx context.Context, _ *serving.TransformFeaturesRequest) ([]byte, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	for _, address := range []string{silent.Addr().String(), hanging} {
		c := newClient(t, remote.Options{Address: address, CallTime: 100 * time.Millisecond})
		_, err := c.Transform(t.Context(), numbers(1))
		if fault.KindOf(err) != fault.TimedOut || !strings.Contains(err.Error(), "the transformation service at "+address+" did not respond within 100ms") {
			t.Errorf("%v: %v", fault.KindOf(err), err)
		}
		c = newClient(t, remote.Options{Address: address})
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, err = c.Transform(ctx, numbers(1))
		if cancel(); fault.KindOf(err) != fault.TimedOut || !strings.Contains(err.Error(), "within the time allowed for the request") {
			t.Errorf("%v: %v", fault.KindOf(err), err)
		}
		gone, leave := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, leave)
		if _, err = c.Transform(gone, numbers(1)); fault.KindOf(err) != fault.Canceled {
			t.Errorf("%v: %v", fault.KindOf(err), err)
		}
	}
}

// Calls share one connection, and are bounded.
func TestCallsAreBounded(t *testing.T) {
	var now, most atomic.Int64
	release := make(chan struct{})
	address, _ := listen(t, "127.0.0.1:0", func(ctx context.Context, req *serving.TransformFeaturesRequest) ([]byte, error) {
		most.Store(max(most.Load(), now.Add(1)))
		<-release
		now.Add(-1)
		return echo(ctx, req)
	}, grpc.MaxConcurrentStreams(math.MaxUint32))
	c := newClient(t, remote.Options{Address: address})
	results := make(chan error)
	const calls = 40
	for range calls {
		go func() {
			out, err := c.Transform(t.Context(), numbers(1))
			if err == nil {
				out.Release()
			}
			results <- err
		}()
	}
	for range calls {
		release <- struct{}{}
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if n := most.Load(); n > 16 {
		t.Errorf("%d calls at once", n)
	}
}

func TestAddresses(t *testing.T) {
	if _, err := remote.New(remote.Options{Address: "a b:%zz"}); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "want host:port") {
		t.Errorf("%v", err)
	}
}
