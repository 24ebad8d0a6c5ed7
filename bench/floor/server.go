package floor

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // the codec for other messages
	"google.golang.org/grpc/mem"
)

type raw []byte

// codec passes encoded bytes unchanged; other messages are ordinary protobuf.
type codec struct{ encoding.CodecV2 }

func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	if b, ok := v.(*raw); ok {
		return mem.BufferSlice{mem.SliceBuffer(*b)}, nil
	}
	return c.CodecV2.Marshal(v)
}

func (c codec) Unmarshal(d mem.BufferSlice, v any) error {
	if b, ok := v.(*raw); ok {
		*b = d.Materialize()
		return nil
	}
	return c.CodecV2.Unmarshal(d, v)
}

// Serve serves ServingService over gRPC and POST /get-online-features over HTTP until
// ctx is done.
func Serve(ctx context.Context, grpcAddr, httpAddr string, c *Client) error {
	var listen net.ListenConfig
	rpc, err := listen.Listen(ctx, "tcp", grpcAddr)
	if err != nil {
		return err
	}
	web, err := listen.Listen(ctx, "tcp", httpAddr)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /get-online-features", c.serveHTTP)
	hs := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	gs := grpc.NewServer(grpc.ForceServerCodecV2(codec{encoding.GetCodecV2("proto")}))
	gs.RegisterService(&grpc.ServiceDesc{
		ServiceName: "feast.serving.ServingService", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "GetOnlineFeatures", Handler: c.serveGRPC}},
	}, struct{}{})
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return gs.Serve(rpc) })
	group.Go(func() error {
		if err := hs.Serve(web); err != http.ErrServerClosed {
			return err
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		gs.Stop()
		return hs.Close()
	})
	return group.Wait()
}

//nolint:revive // the order is grpc.MethodDesc's
func (c *Client) serveGRPC(_ any, ctx context.Context, dec func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	var in raw
	if err := dec(&in); err != nil {
		return nil, err
	}
	r, err := parseProto(in)
	if err != nil {
		return nil, err
	}
	if err := c.fetch(ctx, r); err != nil {
		return nil, err
	}
	out := raw(r.wire())
	return &out, nil
}

func (c *Client) serveHTTP(w http.ResponseWriter, q *http.Request) {
	in, err := io.ReadAll(q.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r, err := parseJSON(in)
	if err == nil {
		err = c.fetch(q.Context(), r)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(r.json()) // an error means that the caller has gone
}
