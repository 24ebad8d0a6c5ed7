package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/reflection"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/banquet-fs/banquet/fault"
	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
)

// registrar registers services whose methods run in the pipeline. It wraps the
// methods instead of using an interceptor, since gRPC decodes a message before it
// calls an interceptor.
type registrar struct {
	to       grpc.ServiceRegistrar
	pipeline *pipeline
	// inProcess services get decoded messages instead of bytes: from the REST gateway.
	inProcess bool
}

// RegisterService registers a service.
func (r registrar) RegisterService(desc *grpc.ServiceDesc, impl any) {
	wrapped := *desc
	wrapped.Methods = make([]grpc.MethodDesc, len(desc.Methods))
	for i, m := range desc.Methods {
		wrapped.Methods[i] = grpc.MethodDesc{MethodName: m.MethodName, Handler: r.unary("/"+desc.ServiceName+"/"+m.MethodName, m.Handler)}
	}
	wrapped.Streams = make([]grpc.StreamDesc, len(desc.Streams))
	for i, s := range desc.Streams {
		wrapped.Streams[i] = s
		wrapped.Streams[i].Handler = r.stream("/"+desc.ServiceName+"/"+s.StreamName, s.Handler)
	}
	r.to.RegisterService(&wrapped, impl)
}

func (r registrar) unary(method string, generated grpc.MethodHandler) grpc.MethodHandler {
	run, bodies := r.pipeline.run, r.pipeline.bodies
	if writes(method) {
		run, bodies = r.pipeline.write, r.pipeline.writeBodies
	}
	return func(srv any, ctx context.Context, dec func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		start := time.Now()
		if !r.inProcess {
			var free func()
			ctx, free = r.pipeline.untilEnd(ctx)
			defer free()
		}
		c := &unaryCall{Context: ctx, pipeline: r.pipeline, service: srv, generated: generated, decoder: dec, inProcess: r.inProcess}
		c.in.budget = bodies
		err := run(c, method, c)
		c.in.release()
		if c.storeWait > 0 {
			r.pipeline.observeOverhead(method, time.Since(start)-c.storeWait)
		}
		return c.resp, toStatus(err)
	}
}

// unaryCall is a call in the pipeline. It is also the context of its handler, which
// saves an allocation and gives addStoreWait access to the call.
type unaryCall struct {
	context.Context
	pipeline  *pipeline
	service   any
	generated grpc.MethodHandler
	decoder   func(any) error
	inProcess bool
	in        incoming

	message   any
	handler   grpc.UnaryHandler
	resp      any
	storeWait time.Duration
}

type callKey struct{}

// Value returns the call itself for its key.
func (c *unaryCall) Value(key any) any {
	if key == (callKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// addStoreWait adds the time of a read of the store to the call.
func addStoreWait(ctx context.Context, d time.Duration) {
	if c, ok := ctx.Value(callKey{}).(*unaryCall); ok {
		c.storeWait += d
	}
}

// Header returns the first value of a metadata key.
func (c *unaryCall) Header(name string) string { return headerOf(c.Context, name) }

// TLS returns the state of the connection.
func (c *unaryCall) TLS() *tls.ConnectionState { return tlsOf(c.Context) }

func headerOf(ctx context.Context, name string) string {
	if values := metadata.ValueFromIncomingContext(ctx, name); len(values) > 0 {
		return values[0]
	}
	return ""
}

func tlsOf(ctx context.Context) *tls.ConnectionState {
	if p, ok := peer.FromContext(ctx); ok {
		if info, ok := p.AuthInfo.(credentials.TLSInfo); ok {
			return &info.State
		}
	}
	return nil
}

// receive runs the generated handler until it has received the message, and stops it
// before it calls the service.
func (c *unaryCall) receive(context.Context) error {
	_, err := c.generated(c.service, c, c.receiveInto, stopBeforeCall)
	return err
}

func (c *unaryCall) receiveInto(m any) error {
	if c.inProcess {
		return c.decoder(m)
	}
	c.in = incoming{message: m, ctx: c.Context, pipeline: c.pipeline, limits: c.pipeline.limits, budget: c.in.budget}
	return c.in.receive(c.decoder)
}

func (c *unaryCall) decode(context.Context) error {
	if c.inProcess {
		return nil
	}
	return c.in.decode()
}

func stopBeforeCall(ctx context.Context, m any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	c, ok := ctx.(*unaryCall)
	if !ok {
		return nil, fault.New(fault.Internal, "a call without its context")
	}
	c.message, c.handler = m, handler
	return nil, nil
}

// projectOf is the project that a message names.
func projectOf(m any) string {
	switch m := m.(type) {
	case interface{ GetProject() string }:
		return m.GetProject()
	case *banquetv1.StreamPushRequest:
		return m.GetRequest().GetProject()
	case *banquetv1.StreamWriteRequest:
		return m.GetRequest().GetProject()
	}
	return ""
}

func (c *unaryCall) project() string { return projectOf(c.message) }

func (c *unaryCall) respond(context.Context) (err error) {
	c.resp, err = c.handler(c, c.message)
	return err
}

func (r registrar) stream(method string, generated grpc.StreamHandler) grpc.StreamHandler {
	return func(srv any, ss grpc.ServerStream) error {
		ctx, free := r.pipeline.untilEnd(ss.Context())
		defer free()
		c := &streamCall{ServerStream: ss, ctx: ctx, registrar: r, service: srv, generated: generated, upload: writes(method)}
		run := r.pipeline.stream
		if c.upload {
			run = r.pipeline.upload
		}
		err := run(ctx, method, c)
		if c.in != nil {
			c.in.release()
		}
		return toStatus(err)
	}
}

// streamCall is a stream in the pipeline: of one request and many responses, or, if it
// is an upload, of many requests and one response.
type streamCall struct {
	grpc.ServerStream
	ctx       context.Context //nolint:containedctx // it is the stream's
	registrar registrar
	service   any
	generated grpc.StreamHandler
	upload    bool
	in        *incoming
	first     proto.Message
}

// Context is the context of the stream, which also ends with the server.
func (c *streamCall) Context() context.Context { return c.ctx }

// Header returns the first value of a metadata key.
func (c *streamCall) Header(name string) string { return headerOf(c.Context(), name) }

// TLS returns the state of the connection.
func (c *streamCall) TLS() *tls.ConnectionState { return tlsOf(c.Context()) }

var errReceived = errors.New("received")

// receive runs the generated handler until it has received the request, and stops it
// there.
func (c *streamCall) receive(context.Context) error {
	if err := c.generated(c.service, firstMessageStream{c}); !errors.Is(err, errReceived) {
		return err
	}
	return nil
}

// firstMessageStream is a stream that receives the request and then ends the handler.
type firstMessageStream struct{ *streamCall }

// RecvMsg receives the request.
func (f firstMessageStream) RecvMsg(m any) error {
	first, ok := m.(proto.Message)
	if !ok {
		return fault.New(fault.Internal, "a message of an unknown type")
	}
	c := f.streamCall
	c.first = first
	if c.registrar.inProcess {
		return cmp.Or(c.ServerStream.RecvMsg(m), errReceived)
	}
	err := c.receiveInto(m, firstMessageTimeout)
	if c.upload && errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "the stream ended before its first message")
	}
	return cmp.Or(err, errReceived)
}

// receiveInto receives the bytes of a message.
func (c *streamCall) receiveInto(m any, patience time.Duration) error {
	p := c.registrar.pipeline
	in := &incoming{message: m, ctx: c.Context(), pipeline: p, limits: p.limits.ofStream()}
	if c.upload {
		in.budget = p.writeBodies
	}
	var stopping <-chan struct{}
	if c.upload {
		stopping = p.stopping.Done()
	}
	if err := receiveUnless(stopping, patience, func() error { return in.receive(c.ServerStream.RecvMsg) }, in.release); err != nil {
		return err
	}
	c.in = in
	return nil
}

func (c *streamCall) decode(context.Context) error {
	if c.in == nil {
		return nil
	}
	return c.in.decode()
}

func (c *streamCall) project() string               { return projectOf(c.first) }
func (c *streamCall) respond(context.Context) error { return c.generated(c.service, c) }

// RecvMsg returns the request that has already been received, and then, of an upload,
// the messages that follow it.
func (c *streamCall) RecvMsg(m any) error {
	to, ok := m.(proto.Message)
	switch {
	case !ok || c.first == nil && !c.upload:
		return io.EOF
	case c.first == nil:
		return c.next(m)
	}
	from, into := c.first.ProtoReflect(), to.ProtoReflect()
	from.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		into.Set(f, v)
		return true
	})
	into.SetUnknown(from.GetUnknown())
	c.first = nil
	return nil
}

// next receives and decodes a message of an upload. The memory of the message before it
// becomes free: its rows are written.
func (c *streamCall) next(m any) error {
	if c.in != nil {
		c.in.release()
		c.in = nil
	}
	if err := c.receiveInto(m, silenceTimeout); err != nil {
		return err
	}
	return c.registrar.pipeline.withWriteSlot(c.Context(), c.in.decode)
}

const (
	// firstMessageTimeout bounds the wait for the request of a stream.
	firstMessageTimeout = 10 * time.Second
	// silenceTimeout bounds the wait for each message of a reflection stream and of an
	// upload.
	silenceTimeout = time.Minute
)

// receiveWithin ends a stream whose caller sends nothing: gRPC itself waits for ever,
// until the handler has ended. cleanup runs if a message arrives after the timeout.
func receiveWithin(d time.Duration, receive func() error, cleanup func()) error {
	return receiveUnless(nil, d, receive, cleanup)
}

// receiveUnless is receiveWithin, and also ends the wait when the server is stopping.
func receiveUnless(stopping <-chan struct{}, d time.Duration, receive func() error, cleanup func()) error {
	received := make(chan error, 1)
	go func() { received <- receive() }()
	t := time.NewTimer(d)
	defer t.Stop()
	var err error
	select {
	case err := <-received:
		return err
	case <-t.C:
		err = fault.New(fault.TimedOut, "the stream was silent for %v", d)
	case <-stopping:
		err = fault.New(fault.Unavailable, "the server is stopping")
	}
	go func() {
		<-received
		cleanup()
	}()
	return err
}

// bypass registers services outside the pipeline, which must respond under any load:
// reflection and health. They need no slot, and their silent streams are closed.
type bypass struct {
	to       grpc.ServiceRegistrar
	pipeline *pipeline
}

// RegisterService registers a service.
func (o bypass) RegisterService(desc *grpc.ServiceDesc, impl any) {
	wrapped := *desc
	wrapped.Streams = make([]grpc.StreamDesc, len(desc.Streams))
	for i, s := range desc.Streams {
		wrapped.Streams[i] = s
		wrapped.Streams[i].Handler = func(srv any, ss grpc.ServerStream) (err error) {
			defer func() { err = toStatus(err) }()
			defer o.pipeline.recovered(ss.Context(), &err)
			return s.Handler(srv, timedStream{ss})
		}
	}
	o.to.RegisterService(&wrapped, impl)
}

// GetServiceInfo lists the services, for reflection.
func (o bypass) GetServiceInfo() map[string]grpc.ServiceInfo {
	if s, ok := o.to.(reflection.ServiceInfoProvider); ok {
		return s.GetServiceInfo()
	}
	return nil
}

// timedStream is a stream that waits a bounded time for each message.
type timedStream struct{ grpc.ServerStream }

// RecvMsg receives a message.
func (s timedStream) RecvMsg(m any) error {
	return receiveWithin(silenceTimeout, func() error { return s.ServerStream.RecvMsg(m) }, func() {})
}
