package server

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/fullstorydev/grpchan/inprocgrpc"
	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/banquet-fs/banquet/fault"
	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
)

// newGateway creates the REST surface of banquet.v1: an HTTP handler that calls the
// services through an in-process channel and the same pipeline as the gRPC server. The
// routes for online features have handlers of their own, since their responses are
// spliced; they use the same pipeline.
func newGateway(ctx context.Context, p *pipeline, f *features, r *registryService) (http.Handler, error) {
	channel := new(inprocgrpc.Channel)
	services := registrar{to: channel, pipeline: p, inProcess: true}
	banquetv1.RegisterFeatureServiceServer(services, f)
	banquetv1.RegisterRegistryServiceServer(services, r)
	conn := unescapedNames{channel}
	mux := runtime.NewServeMux(
		runtime.WithErrorHandler(func(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, _ *http.Request, err error) {
			writeStatus(w, err)
		}),
		runtime.WithRoutingErrorHandler(func(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, _ *http.Request, code int) {
			if code == http.StatusMethodNotAllowed {
				w.Header().Set("Allow", "GET, HEAD") // the only methods of the gateway's routes
			}
			writeRoutingError(w, code)
		}),
		runtime.WithUnescapingMode(runtime.UnescapingModeAllExceptSlash), runtime.WithDisablePathLengthFallback(),
		runtime.WithMarshalerOption(runtime.MIMEWildcard, &runtime.JSONPb{
			MarshalOptions:   protojson.MarshalOptions{UseProtoNames: false},
			UnmarshalOptions: protojson.UnmarshalOptions{DiscardUnknown: false},
		}),
	)
	if err := banquetv1.RegisterRegistryServiceHandlerClient(ctx, mux, banquetv1.NewRegistryServiceClient(conn)); err != nil {
		return nil, err
	}
	if err := banquetv1.RegisterFeatureServiceHandlerClient(ctx, mux, banquetv1.NewFeatureServiceClient(conn)); err != nil {
		return nil, err
	}
	return mux, nil
}

// escapeTwice escapes the percent signs of a path once more. Otherwise grpc-gateway
// would use an escaped slash as a separator, or would not unescape it, so that it
// looks like a name with a literal "%2F". unescapedNames does the second unescaping.
func escapeTwice(r *http.Request) {
	r.URL.RawPath = strings.ReplaceAll(r.URL.EscapedPath(), "%25", "%2525")
}

// unescapedNames unescapes the names that the gateway read from a path.
type unescapedNames struct {
	grpc.ClientConnInterface
}

// Invoke calls a method.
func (c unescapedNames) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	if m, ok := args.(proto.Message); ok {
		fields := m.ProtoReflect().Descriptor().Fields()
		for _, name := range [...]protoreflect.Name{"project", "name"} {
			f := fields.ByName(name)
			if f == nil || f.Kind() != protoreflect.StringKind {
				continue
			}
			if plain, err := url.PathUnescape(m.ProtoReflect().Get(f).String()); err == nil {
				m.ProtoReflect().Set(f, protoreflect.ValueOfString(plain))
			}
		}
	}
	return c.ClientConnInterface.Invoke(ctx, method, args, reply, opts...)
}

// writeRoutingError writes the error for an unknown route or a method that the route
// does not have.
func writeRoutingError(w http.ResponseWriter, code int) {
	grpcCode := codes.NotFound
	if code == http.StatusMethodNotAllowed {
		grpcCode = codes.Unimplemented
	}
	writeJSON(w, code, statusJSON(grpcCode, http.StatusText(code)))
}

// statusJSON is google.rpc.Status as JSON.
func statusJSON(code codes.Code, message string) []byte {
	b := strconv.AppendInt([]byte(`{"code":`), int64(code), 10)
	b = appendJSONText(append(b, `,"message":`...), message)
	return append(b, `,"details":[]}`...)
}

// writeStatus writes an error of /v1: google.rpc.Status as JSON.
func writeStatus(w http.ResponseWriter, err error) {
	s := status.Convert(toStatus(err))
	code := runtime.HTTPStatusFromCode(s.Code())
	if fault.KindOf(err) == fault.TooLarge {
		code = outcomes(fault.TooLarge).http
	}
	writeJSON(w, code, statusJSON(s.Code(), s.Message()))
}

// retryAfter tells clients when to retry.
func retryAfter(w http.ResponseWriter, code int) {
	if code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
}
