package server

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"time"

	gen "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/server/flight"
)

const (
	// waitingUploads bounds the uploads that wait for their DoGet, waitingTime how long.
	waitingUploads = 256
	waitingTime    = 5 * time.Minute
	// uploadTimeout bounds the wait for each message of an upload, which may have many
	// megabytes.
	uploadTimeout = 2 * time.Minute
	// offlineQueueTime bounds the wait for a slot: training sets take seconds or minutes.
	offlineQueueTime = time.Minute
	// maxDescriptor bounds a message that has a descriptor or ticket alone.
	maxDescriptor = 5 << 20
)

// flightService is Feast's remote offline store over Arrow Flight. Its calls have slots of
// their own, so that training sets take none of the slots for online features: one for
// the upload of a table, one for the work and the result.
type flightService struct {
	opt       *Options
	pipeline  *pipeline
	refused   error // set if the service is not offered
	receiving *limiter
	working   *limiter
	waiting   *flight.Waiting
	space     *flight.Space
	// firstWait bounds the wait for the first message of a call, nextWait that for each
	// other, sendWait the time to send one.
	firstWait, nextWait, sendWait time.Duration
}

func newFlight(opt *Options, p *pipeline) *flightService {
	l := opt.OfflineLimits.withDefaults()
	f := &flightService{
		opt: opt, pipeline: p, refused: opt.offlineRefused(opt.GRPC),
		receiving: newLimiter(l.Concurrency, l.Queue), working: newLimiter(l.Concurrency, l.Queue),
		waiting: flight.NewWaiting(waitingUploads, waitingTime), space: flight.NewSpace(l.Bytes),
		firstWait: firstMessageTimeout, nextWait: uploadTimeout, sendWait: chunkTimeout,
	}
	for _, limiter := range []*limiter{f.receiving, f.working} {
		limiter.wait, limiter.keys = offlineQueueTime, "banquet.limits.offline_concurrency, offline_queue"
	}
	if opt.Metrics != nil {
		opt.Metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "banquet_offline_upload_bytes", Help: "Bytes of uploaded tables that are being received, read, or wait for their DoGet.",
		}, func() float64 { return float64(f.space.Used()) }))
	}
	return f
}

// register registers the service. Its handlers are not the generated ones, which would
// decode messages that need a limit of their own.
func (f *flightService) register(to grpc.ServiceRegistrar) {
	desc := gen.FlightService_ServiceDesc
	desc.Methods = append([]grpc.MethodDesc(nil), desc.Methods...)
	for i := range desc.Methods {
		m := &desc.Methods[i]
		m.Handler = f.unary("/"+desc.ServiceName+"/"+m.MethodName, m.MethodName == "GetFlightInfo")
	}
	steps := map[string]func() flightSteps{
		"DoPut":      func() flightSteps { return &putCall{} },
		"DoExchange": func() flightSteps { return &exchangeCall{} },
		"DoGet":      func() flightSteps { return &getCall{} },
	}
	desc.Streams = append([]grpc.StreamDesc(nil), desc.Streams...)
	for i := range desc.Streams {
		s := &desc.Streams[i]
		s.Handler = f.stream("/"+desc.ServiceName+"/"+s.StreamName, steps[s.StreamName])
	}
	to.RegisterService(&desc, nil)
}

// notOffered refuses a method of Flight that Feast's client never calls.
func notOffered(method string) error {
	return fault.New(fault.Unimplemented, "%s is not supported; a call is a DoExchange, or a DoPut, a GetFlightInfo and a DoGet", method)
}

func (f *flightService) unary(method string, offered bool) grpc.MethodHandler {
	return func(_ any, ctx context.Context, dec func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		c := &infoCall{flightCall: flightCall{service: f, ctx: ctx, method: method}, decoder: dec}
		if !offered {
			c.decoder = func(any) error { return notOffered(method) }
		}
		err := f.pipeline.unslotted(ctx, method, c)
		if err != nil {
			return nil, flightStatus(err)
		}
		return c.info, nil
	}
}

func (f *flightService) stream(method string, steps func() flightSteps) grpc.StreamHandler {
	return func(_ any, ss grpc.ServerStream) error {
		if steps == nil {
			steps = func() flightSteps { return &unknownCall{} }
		}
		c := steps()
		c.begin(f, ss, method)
		defer c.end()
		ctx, free := f.pipeline.untilEnd(ss.Context())
		defer free()
		return flightStatus(f.pipeline.unslotted(ctx, method, c))
	}
}

// flightSteps is a stream of Flight in the pipeline.
type flightSteps interface {
	request
	begin(f *flightService, ss grpc.ServerStream, method string)
	// end frees what the call still holds.
	end()
}

// flightCall is what all calls of Flight have.
type flightCall struct {
	service *flightService
	ctx     context.Context //nolint:containedctx // access.Request has no parameter for it
	method  string
	stream  grpc.ServerStream
	command *flight.Command
}

func (c *flightCall) begin(f *flightService, ss grpc.ServerStream, method string) {
	c.service, c.stream, c.ctx, c.method = f, ss, ss.Context(), method
}

func (c *flightCall) end() {}

// Header returns the first value of a metadata key.
func (c *flightCall) Header(name string) string { return headerOf(c.ctx, name) }

// TLS returns the state of the connection.
func (c *flightCall) TLS() *tls.ConnectionState { return tlsOf(c.ctx) }

func (c *flightCall) project() string {
	if c.command == nil {
		return ""
	}
	return c.command.Project
}

// receiveRaw receives a message within a time. It returns io.EOF after the last.
func (c *flightCall) receiveRaw(limit int, wait time.Duration) (*raw, error) {
	m := &raw{limit: limit}
	err := receiveWithin(wait, func() error { return m.receive(c.stream.RecvMsg) }, m.free)
	if err != nil {
		return nil, err
	}
	return m, nil
}

func (c *flightCall) receiveData(wait time.Duration) (*flight.Data, error) {
	m, err := c.receiveRaw(c.service.opt.BodyBytes, wait)
	if err != nil {
		return nil, err
	}
	defer m.free()
	r := m.data.Reader()
	defer r.Close()
	return flight.ReadData(r, m.data.Len())
}

func (c *flightCall) send(m *gen.FlightData) error {
	return sendWithin(c.service.sendWait, func() error { return c.stream.SendMsg(m) })
}

// unknownCall is a stream that is not offered.
type unknownCall struct{ flightCall }

func (c *unknownCall) receive(context.Context) error { return notOffered(c.method) }
func (c *unknownCall) decode(context.Context) error  { return nil }
func (c *unknownCall) respond(context.Context) error { return nil }

// uploadCall is a call that begins with a command and a table.
type uploadCall struct {
	flightCall
	first *flight.Data
}

func (c *uploadCall) receive(context.Context) (err error) {
	if c.service.refused != nil {
		return c.service.refused
	}
	c.first, err = c.receiveData(c.service.firstWait)
	if errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "the call has no messages; the first has the flight descriptor")
	}
	return err
}

func (c *uploadCall) decode(context.Context) error {
	text, err := commandText(c.first.Descriptor)
	if err != nil {
		return err
	}
	c.command, err = flight.ParseCommand(text)
	return err
}

// commandText is the command in a flight descriptor.
func commandText(d *gen.FlightDescriptor) ([]byte, error) {
	if d.GetType() != gen.FlightDescriptor_CMD || len(d.GetCmd()) == 0 {
		return nil, fault.New(fault.Invalid, "the flight descriptor has no command; want one of type CMD with a command in JSON")
	}
	return d.GetCmd(), nil
}

// upload receives the table in a slot of its own, within the time limit of a request: a
// caller who always sends a little would hold the slot forever.
func (c *uploadCall) upload(ctx context.Context) (*flight.Upload, error) {
	f := c.service
	if err := f.receiving.acquire(ctx); err != nil {
		return nil, err
	}
	defer f.receiving.release()
	began, limit := time.Now(), f.opt.OfflineLimits.Timeout
	return flight.Receive(ctx, c.first, func() (*flight.Data, error) {
		if limit <= 0 {
			return c.receiveData(f.nextWait)
		}
		d, err := c.receiveData(min(f.nextWait, limit-time.Since(began)))
		if time.Since(began) >= limit {
			return nil, fault.New(fault.TimedOut, "the upload of the table took longer than %v; send it faster, or raise banquet.offline.timeout", limit)
		}
		return d, err
	}, f.space)
}

// exchangeCall is a DoExchange: the command and the table, then the result.
type exchangeCall struct{ uploadCall }

func (c *exchangeCall) respond(ctx context.Context) error {
	if !c.command.Reads() {
		return c.command.Unknown()
	}
	u, err := c.upload(ctx)
	if err != nil {
		return err
	}
	defer u.Close()
	return c.service.read(ctx, c.command, u, c.send)
}

// putCall is a DoPut: the command and the table. A call without a result runs at once.
type putCall struct{ uploadCall }

func (c *putCall) respond(ctx context.Context) error {
	if !c.command.Known() {
		return c.command.Unknown()
	}
	u, err := c.upload(ctx)
	if err != nil {
		return err
	}
	if c.command.Reads() {
		return c.service.waiting.Add(c.first.Descriptor.GetCmd(), c.command, u)
	}
	defer u.Close()
	return c.service.write(ctx, c.command, u)
}

// infoCall is a GetFlightInfo: the ticket for a command whose table has been uploaded.
type infoCall struct {
	flightCall
	decoder    func(any) error
	descriptor gen.FlightDescriptor
	info       *gen.FlightInfo
}

func (c *infoCall) receive(context.Context) error {
	if c.service.refused != nil {
		return c.service.refused
	}
	m := &raw{limit: maxDescriptor}
	if err := m.receive(c.decoder); err != nil {
		return err
	}
	defer m.free()
	return m.decode(&c.descriptor)
}

func (c *infoCall) decode(context.Context) error {
	text, err := commandText(&c.descriptor)
	if err != nil {
		return err
	}
	c.command, err = flight.ParseCommand(text)
	return err
}

func (c *infoCall) respond(context.Context) error {
	ticket, err := c.service.waiting.Ticket(c.descriptor.GetCmd())
	if err != nil {
		return err
	}
	c.info = &gen.FlightInfo{
		FlightDescriptor: &c.descriptor, // without it the client fails
		Endpoint:         []*gen.FlightEndpoint{{Ticket: &gen.Ticket{Ticket: ticket}}},
		TotalRecords:     -1, TotalBytes: -1,
	}
	return nil
}

// getCall is a DoGet: the result for a ticket.
type getCall struct {
	flightCall
	waiting *flight.Call
}

func (c *getCall) receive(context.Context) error {
	if c.service.refused != nil {
		return c.service.refused
	}
	m, err := c.receiveRaw(maxDescriptor, c.service.firstWait)
	if errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "the call has no ticket")
	}
	if err != nil {
		return err
	}
	defer m.free()
	var t gen.Ticket
	if err := m.decode(&t); err != nil {
		return err
	}
	if c.waiting, err = c.service.waiting.Take(t.GetTicket()); err == nil {
		c.command = c.waiting.Command
	}
	return err
}

func (c *getCall) decode(context.Context) error { return nil }

// respond sends the result. After a failure that may pass the ticket stays valid, since
// Feast's client repeats the call.
func (c *getCall) respond(ctx context.Context) error {
	sent := false
	err := c.service.read(ctx, c.command, c.waiting.Upload, func(m *gen.FlightData) error {
		sent = true
		return c.send(m)
	})
	switch fault.KindOf(err) {
	case fault.Unavailable, fault.Overloaded:
		if !sent {
			c.service.waiting.GiveBack(c.waiting)
			c.waiting = nil
		}
	}
	return err
}

func (c *getCall) end() {
	if c.waiting != nil {
		c.waiting.Upload.Close()
	}
}
