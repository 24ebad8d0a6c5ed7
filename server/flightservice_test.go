package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	arrowflight "github.com/apache/arrow-go/v18/arrow/flight"
	gen "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/banquet-fs/banquet/fault"
	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/registry/file"
	"github.com/banquet-fs/banquet/training"
)

// rowsOfSource is an offline store whose every source has the same columns. Its rows come
// from next, which returns false after the last.
type rowsOfSource struct {
	offline.Joiner
	next func(ctx context.Context) (arrow.RecordBatch, bool, error)
}

var sourceSchema = arrow.NewSchema([]arrow.Field{
	{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: "ts", Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, Nullable: true},
}, nil)

func sourceRows(n int) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, sourceSchema)
	defer b.Release()
	for i := range n {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		b.Field(1).(*array.TimestampBuilder).Append(0)
	}
	return b.NewRecordBatch()
}

func (s *rowsOfSource) Check(context.Context) error { return nil }

func (s *rowsOfSource) Span(context.Context, offline.Query) (offline.Span, error) {
	return offline.Span{}, nil
}

func (s *rowsOfSource) Columns(context.Context, *core.DataSource) ([]offline.Column, error) {
	return []offline.Column{{Name: "n", Native: "bigint"}, {Name: "ts", Native: "timestamp with time zone"}}, nil
}

func (s *rowsOfSource) Range(ctx context.Context, _ offline.Query) (array.RecordReader, error) {
	return &sourceReader{s: s, ctx: ctx}, nil
}

// sourceReader reads batches of a rowsOfSource.
type sourceReader struct {
	array.RecordReader
	s     *rowsOfSource
	ctx   context.Context
	batch arrow.RecordBatch
	err   error
}

func (r *sourceReader) Schema() *arrow.Schema          { return sourceSchema }
func (r *sourceReader) RecordBatch() arrow.RecordBatch { return r.batch }
func (r *sourceReader) Err() error                     { return r.err }
func (r *sourceReader) Release()                       {}

func (r *sourceReader) Next() bool {
	var more bool
	r.batch, more, r.err = r.s.next(r.ctx)
	return more && r.err == nil
}

// noRows is the next of a source without rows.
func noRows(context.Context) (arrow.RecordBatch, bool, error) { return nil, false, nil }

// flightServer is a running server of the offline store alone.
type flightServer struct {
	*Server
	client gen.FlightServiceClient
	conn   *grpc.ClientConn
}

func newFlightServer(t *testing.T, source training.Source, change func(*Options), tune func(*flightService)) *flightServer {
	t.Helper()
	h := registry.NewHolder(registry.HolderOptions{Storage: file.New(filepath.Join("..", "testdata", "golden", "offline_server", "registry.db"))})
	if err := h.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	opt := Options{Project: "credit_scoring_aws", Registry: h, GRPC: "127.0.0.1:0", HTTP: "127.0.0.1:0", Admin: "127.0.0.1:0", OfflineOnly: true, DrainTime: 5 * time.Second}
	if source != nil {
		service := training.New(training.Options{Snapshots: h.Snapshot, Project: "credit_scoring_aws", Source: source})
		opt.Training = func(context.Context) (*training.Service, error) { return service, nil }
	}
	if change != nil {
		change(&opt)
	}
	s, err := New(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	if tune != nil {
		tune(s.flight)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	_, port, _ := net.SplitHostPort(s.Addresses().GRPC)
	conn, err := grpc.NewClient("127.0.0.1:"+port, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the server ended with %v", err)
		}
		if n := s.flight.space.Used(); n != 0 {
			t.Errorf("%d bytes of uploads are in use after the end", n)
		}
	})
	return &flightServer{s, gen.NewFlightServiceClient(conn), conn}
}

func pullOf(id string) string {
	return `{"command_id": "` + id + `", "api": "pull_all_from_table_or_query", "data_source_name": "zipcode_source", "join_key_columns": [], "feature_name_columns": ["n"],
		"timestamp_field": "ts", "created_timestamp_column": null, "start_date": null, "end_date": null}`
}

func commandOf(text string) *gen.FlightDescriptor {
	return &gen.FlightDescriptor{Type: gen.FlightDescriptor_CMD, Cmd: []byte(text)}
}

// messages are those of a client's upload of the table that Feast sends for no table.
func messages(t *testing.T, text string) []*gen.FlightData {
	t.Helper()
	var out sentMessages
	schema := arrow.NewSchema([]arrow.Field{{Name: "key", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	w := arrowflight.NewRecordWriter(&out, ipc.WithSchema(schema))
	w.SetFlightDescriptor(commandOf(text))
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	b.Field(0).(*array.StringBuilder).AppendValues(strings.Split("mock_key", ""), nil)
	if err := errors.Join(w.Write(b.NewRecordBatch()), w.Close()); err != nil {
		t.Fatal(err)
	}
	return out
}

type sentMessages []*gen.FlightData

// Send keeps a copy of a message.
func (s *sentMessages) Send(m *gen.FlightData) error {
	*s = append(*s, &gen.FlightData{
		FlightDescriptor: m.GetFlightDescriptor(), DataHeader: append([]byte(nil), m.GetDataHeader()...), DataBody: append([]byte(nil), m.GetDataBody()...),
	})
	return nil
}

// putAll sends messages and returns the result of the call.
func putAll(t *testing.T, c gen.FlightServiceClient, list ...*gen.FlightData) error {
	t.Helper()
	s, err := c.DoPut(t.Context())
	if err != nil {
		return err
	}
	for _, m := range list {
		_ = s.Send(m) // its error comes with the result
	}
	_ = s.CloseSend()
	if _, err = s.Recv(); errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func ticketOf(t *testing.T, c gen.FlightServiceClient, text string) *gen.Ticket {
	t.Helper()
	info, err := c.GetFlightInfo(t.Context(), commandOf(text))
	if err != nil {
		t.Fatal(err)
	}
	return info.GetEndpoint()[0].GetTicket()
}

// getAll reads the result of a ticket and returns the number of its messages.
func getAll(t *testing.T, c gen.FlightServiceClient, ticket *gen.Ticket) (n int, err error) {
	t.Helper()
	s, err := c.DoGet(t.Context(), ticket)
	for err == nil {
		if _, err = s.Recv(); err == nil {
			n++
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

func wantStatus(t *testing.T, what string, err error, code codes.Code, says string) {
	t.Helper()
	s := status.Convert(err)
	if s.Code() != code || !strings.Contains(s.Message(), says) || strings.Contains(s.Message(), "\n") {
		t.Errorf("%s: %v: %s; want %v with %q", what, s.Code(), s.Message(), code, says)
	}
}

func TestATicketIsValidOnceUnlessTheStoreIsDown(t *testing.T) {
	down := true
	source := &rowsOfSource{next: func(context.Context) (arrow.RecordBatch, bool, error) {
		if down {
			return nil, false, fault.Store(fault.Unavailable, "PostgreSQL cannot be reached")
		}
		return noRows(t.Context())
	}}
	s := newFlightServer(t, source, nil, nil)
	if err := putAll(t, s.client, messages(t, pullOf("a"))...); err != nil {
		t.Fatal(err)
	}
	ticket := ticketOf(t, s.client, pullOf("a"))
	_, err := getAll(t, s.client, ticket)
	wantStatus(t, "while the store is down", err, codes.Unavailable, "cannot be reached")
	down = false
	if n, err := getAll(t, s.client, ticket); n != 1 || err != nil {
		t.Errorf("later: %d messages, %v", n, err)
	}
	_, err = getAll(t, s.client, ticket)
	wantStatus(t, "again", err, codes.NotFound, "the ticket is unknown")
	_, err = getAll(t, s.client, &gen.Ticket{Ticket: []byte(pullOf("a"))})
	wantStatus(t, "a guess", err, codes.NotFound, "the ticket is unknown")
	_, err = s.client.GetFlightInfo(t.Context(), commandOf(pullOf("b")))
	wantStatus(t, "another command", err, codes.NotFound, "Flight not found")
}

func TestUploadsThatWaitAreBounded(t *testing.T) {
	s := newFlightServer(t, &rowsOfSource{next: noRows}, nil, nil)
	refused := 0
	for i := range 1000 {
		if err := putAll(t, s.client, messages(t, pullOf(fmt.Sprint(i)))...); err != nil {
			refused++
			wantStatus(t, fmt.Sprint("upload ", i), err, codes.ResourceExhausted, "wait for their DoGet")
		}
	}
	if refused != 1000-waitingUploads {
		t.Errorf("%d of 1,000 uploads were refused", refused)
	}
	if n, err := getAll(t, s.client, ticketOf(t, s.client, pullOf("7"))); n != 1 || err != nil {
		t.Errorf("%d messages, %v", n, err)
	}
	if err := putAll(t, s.client, messages(t, pullOf("again"))...); err != nil {
		t.Errorf("after one was read: %v", err)
	}
}

func TestHostileUploads(t *testing.T) {
	s := newFlightServer(t, &rowsOfSource{next: noRows}, func(o *Options) { o.BodyBytes = 1 << 20 }, func(f *flightService) { f.firstWait, f.nextWait = 200*time.Millisecond, 200*time.Millisecond })
	valid := messages(t, pullOf("x"))
	with := func(change func(*gen.FlightData)) *gen.FlightData {
		m := messages(t, pullOf("x"))[0]
		change(m)
		return m
	}
	for _, c := range []struct {
		name string
		send []*gen.FlightData
		code codes.Code
		says string
	}{
		{"no messages", nil, codes.InvalidArgument, "no messages"},
		{"no descriptor", valid[1:], codes.InvalidArgument, "no command"},
		{"a path", []*gen.FlightData{{FlightDescriptor: &gen.FlightDescriptor{Type: gen.FlightDescriptor_PATH, Path: []string{"a"}}}}, codes.InvalidArgument, "no command"},
		{"no JSON", []*gen.FlightData{{FlightDescriptor: commandOf("SELECT")}}, codes.InvalidArgument, "not a JSON object"},
		{"no table", []*gen.FlightData{{FlightDescriptor: commandOf(pullOf("x"))}}, codes.InvalidArgument, "not a valid stream"},
		{"a garbage schema", []*gen.FlightData{with(func(m *gen.FlightData) { m.DataHeader = []byte(strings.Repeat("x", 1000)) })}, codes.InvalidArgument, "not a valid stream"},
		{"a truncated table", []*gen.FlightData{valid[0], {DataHeader: valid[1].GetDataHeader(), DataBody: valid[1].GetDataBody()[:8]}}, codes.InvalidArgument, "not a valid stream"},
		{"a message over the limit", []*gen.FlightData{valid[0], {DataHeader: valid[1].GetDataHeader(), DataBody: make([]byte, 1<<20)}}, codes.ResourceExhausted, "more than 1048576 bytes"},
		{"a message over gRPC's limit", []*gen.FlightData{valid[0], {DataHeader: valid[1].GetDataHeader(), DataBody: make([]byte, 3<<20)}}, codes.ResourceExhausted, "larger than max"}, // gRPC's own text
		{"logs of features", messages(t, `{"api": "write_logged_features"}`), codes.Unimplemented, "write_logged_features is not supported"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantStatus(t, "DoPut", putAll(t, s.client, c.send...), c.code, c.says)
			if n := s.flight.space.Used(); n != 0 {
				t.Errorf("%d bytes are still in use", n)
			}
		})
	}
	t.Run("never an end", func(t *testing.T) {
		call, err := s.client.DoExchange(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range valid {
			_ = call.Send(m)
		}
		_, err = call.Recv()
		wantStatus(t, "DoExchange", err, codes.DeadlineExceeded, "silent")
	})
	t.Run("never a message", func(t *testing.T) {
		call, err := s.client.DoExchange(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = call.Recv()
		wantStatus(t, "DoExchange", err, codes.DeadlineExceeded, "silent")
	})
	t.Run("gone in the middle", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		call, err := s.client.DoPut(ctx)
		if err != nil {
			t.Fatal(err)
		}
		_ = call.Send(valid[0])
		cancel()
		_, err = call.Recv()
		wantStatus(t, "DoPut", err, codes.Canceled, "")
	})
}

func TestMethodsThatAreNotOffered(t *testing.T) {
	s := newFlightServer(t, &rowsOfSource{next: noRows}, nil, nil)
	_, err := s.client.GetSchema(t.Context(), commandOf(pullOf("x")))
	wantStatus(t, "GetSchema", err, codes.Unimplemented, "GetSchema is not supported")
	list, err := s.client.ListFlights(t.Context(), &gen.Criteria{})
	if err == nil {
		_, err = list.Recv()
	}
	wantStatus(t, "ListFlights", err, codes.Unimplemented, "ListFlights is not supported")
	action, err := s.client.DoAction(t.Context(), &gen.Action{})
	if err == nil {
		_, err = action.Recv()
	}
	wantStatus(t, "DoAction", err, codes.Unimplemented, "DoAction is not supported")
}

func TestAServerOfTheOfflineStoreAlone(t *testing.T) {
	s := newFlightServer(t, nil, nil, nil)
	if a := s.Addresses(); a.HTTP != "" || a.GRPC == "" || a.Admin == "" {
		t.Errorf("addresses %+v", a)
	}
	h, err := healthpb.NewHealthClient(s.conn).Check(t.Context(), &healthpb.HealthCheckRequest{})
	if err != nil || h.GetStatus() != healthpb.HealthCheckResponse_SERVING {
		t.Errorf("health %v, %v", h, err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Addresses().Admin+"/readyz", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("without an offline store it is not ready: %s", resp.Status)
	}
	http.DefaultClient.CloseIdleConnections()
	_, err = banquetv1.NewFeatureServiceClient(s.conn).GetServingInfo(t.Context(), &banquetv1.GetServingInfoRequest{})
	wantStatus(t, "online features", err, codes.Unimplemented, "")
	err = putAll(t, s.client, messages(t, `{"api": "validate_data_source", "data_source_proto": "{}"}`)...)
	wantStatus(t, "no offline store", err, codes.Unimplemented, "has no offline store")
}

func TestTheOfflineStoreIsOfferedOnLoopback(t *testing.T) {
	for _, c := range []struct {
		address string
		allow   bool
		code    codes.Code
		says    string
	}{
		{"127.0.0.1:0", false, codes.OK, ""},
		{"0.0.0.0:0", false, codes.PermissionDenied, "--allow-offline"},
		{":0", false, codes.PermissionDenied, "--allow-offline"},
		{"0.0.0.0:0", true, codes.OK, ""},
	} {
		t.Run(fmt.Sprint(c.address, c.allow), func(t *testing.T) {
			s := newFlightServer(t, &rowsOfSource{next: noRows}, func(o *Options) { o.GRPC, o.AllowOffline = c.address, c.allow }, nil)
			wantStatus(t, "DoPut", putAll(t, s.client, messages(t, pullOf("x"))...), c.code, c.says)
			if c.code == codes.OK {
				return
			}
			_, err := s.client.GetFlightInfo(t.Context(), commandOf(pullOf("x")))
			wantStatus(t, "GetFlightInfo", err, c.code, c.says)
			_, err = getAll(t, s.client, &gen.Ticket{Ticket: []byte("x")})
			wantStatus(t, "DoGet", err, c.code, c.says)
		})
	}
}

// Requests of the offline store wait for each other, and take no slot of others.
func TestOfflineRequestsHaveSlotsOfTheirOwn(t *testing.T) {
	entered, leave := make(chan struct{}, 10), make(chan struct{})
	source := &rowsOfSource{next: func(ctx context.Context) (arrow.RecordBatch, bool, error) {
		entered <- struct{}{}
		select {
		case <-leave:
		case <-ctx.Done():
			return nil, false, fault.Of(ctx.Err())
		}
		return nil, false, nil
	}}
	s := newFlightServer(t, source, func(o *Options) { o.Concurrency, o.OfflineLimits = 1, OfflineLimits{Concurrency: 1, Queue: 1} }, nil)
	results := make(chan error, 3)
	call := func(id string) {
		if err := putAll(t, s.client, messages(t, pullOf(id))...); err != nil {
			t.Fatal(err)
		}
		ticket := ticketOf(t, s.client, pullOf(id))
		go func() {
			_, err := getAll(t, s.client, ticket)
			results <- err
		}()
	}
	call("a")
	<-entered
	call("b")
	call("c") // one of b and c waits, the other is refused
	wantStatus(t, "one too many", <-results, codes.ResourceExhausted, "banquet.limits.offline_concurrency")
	if err := s.pipeline.withSlot(t.Context(), func() error { return nil }); err != nil {
		t.Errorf("a slot for online features: %v", err)
	}
	close(leave)
	for range 2 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}

func TestARequestEndsAtItsTimeLimitAndWhenItsCallerReadsNothing(t *testing.T) {
	hang := &rowsOfSource{next: func(ctx context.Context) (arrow.RecordBatch, bool, error) {
		<-ctx.Done()
		return nil, false, fault.Of(ctx.Err())
	}}
	s := newFlightServer(t, hang, func(o *Options) { o.OfflineLimits.Timeout = 500 * time.Millisecond }, nil)
	if err := putAll(t, s.client, messages(t, pullOf("x"))...); err != nil {
		t.Fatal(err)
	}
	_, err := getAll(t, s.client, ticketOf(t, s.client, pullOf("x")))
	wantStatus(t, "a hanging source", err, codes.DeadlineExceeded, "")

	upload, err := s.client.DoPut(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for err = upload.Send(messages(t, pullOf("y"))[0]); err == nil; { // messages without a table, until the server ends the call
		err = upload.Send(&gen.FlightData{})
	}
	_, err = upload.Recv()
	wantStatus(t, "an upload without an end", err, codes.DeadlineExceeded, "banquet.offline.timeout")

	began := make(chan context.Context, 1)
	endless := &rowsOfSource{next: func(ctx context.Context) (arrow.RecordBatch, bool, error) {
		select {
		case began <- ctx:
		default:
		}
		return sourceRows(10_000), true, nil
	}}
	s = newFlightServer(t, endless, nil, func(f *flightService) { f.sendWait = 100 * time.Millisecond })
	if err := putAll(t, s.client, messages(t, pullOf("x"))...); err != nil {
		t.Fatal(err)
	}
	call, err := s.client.DoGet(t.Context(), ticketOf(t, s.client, pullOf("x")))
	if err != nil {
		t.Fatal(err)
	}
	<-(<-began).Done() // the server gives up
	for err == nil {
		_, err = call.Recv()
	}
	wantStatus(t, "a caller who reads nothing", err, codes.Canceled, "read nothing")
}
