package server

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/fullstorydev/grpchan/inprocgrpc"
	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
)

// newGateway makes the REST side of banquet.v1: an HTTP handler that calls the
// services through an in-process channel, which runs the same chain as the gRPC
// server. The routes for online features are not among them: they have handlers
// of their own behind the same chain, since their answers are spliced.
func newGateway(ctx context.Context, c *chain, f *features, r *registryService) (http.Handler, error) {
	channel := new(inprocgrpc.Channel).WithServerUnaryInterceptor(c.unary).WithServerStreamInterceptor(c.stream)
	banquetv1.RegisterFeatureServiceServer(channel, f)
	banquetv1.RegisterRegistryServiceServer(channel, r)
	mux := runtime.NewServeMux(
		runtime.WithErrorHandler(func(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, _ *http.Request, err error) {
			writeStatus(w, err)
		}),
		runtime.WithRoutingErrorHandler(func(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, _ *http.Request, code int) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(code)
			_, _ = w.Write(routingError(code))
		}),
		runtime.WithMarshalerOption(runtime.MIMEWildcard, &runtime.JSONPb{
			MarshalOptions:   protojson.MarshalOptions{UseProtoNames: false},
			UnmarshalOptions: protojson.UnmarshalOptions{DiscardUnknown: false},
		}),
	)
	if err := banquetv1.RegisterRegistryServiceHandlerClient(ctx, mux, banquetv1.NewRegistryServiceClient(channel)); err != nil {
		return nil, err
	}
	if err := banquetv1.RegisterFeatureServiceHandlerClient(ctx, mux, banquetv1.NewFeatureServiceClient(channel)); err != nil {
		return nil, err
	}
	return mux, nil
}

func routingError(code int) []byte {
	grpcCode := 5 // NOT_FOUND
	if code == http.StatusMethodNotAllowed {
		grpcCode = 12
	}
	b, _ := json.Marshal(map[string]any{"code": grpcCode, "message": http.StatusText(code), "details": []any{}})
	return b
}

// writeStatus writes an error of /v1: google.rpc.Status as JSON.
func writeStatus(w http.ResponseWriter, err error) {
	s := status.Convert(toStatus(err))
	code := runtime.HTTPStatusFromCode(s.Code())
	w.Header().Set("Content-Type", "application/json")
	retryAfter(w, code)
	w.WriteHeader(code)
	b, _ := json.Marshal(map[string]any{"code": int(s.Code()), "message": s.Message(), "details": []any{}})
	_, _ = w.Write(b)
}

// retryAfter tells clients when to come again.
func retryAfter(w http.ResponseWriter, code int) {
	if code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
}
