package server

import (
	"context"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/banquet-fs/banquet/fault"
	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
	feast "github.com/banquet-fs/banquet/gen/feast/serving"
	"github.com/banquet-fs/banquet/serving"
)

// defaultChunk is the number of rows in a chunk of a stream.
const defaultChunk = 1000

// features is banquet.v1.FeatureService.
type features struct {
	banquetv1.UnimplementedFeatureServiceServer
	opt      *Options
	pipeline *pipeline
	writer   *writer
	size     cellSize
}

// GetOnlineFeatures returns features.
func (f *features) GetOnlineFeatures(ctx context.Context, m *banquetv1.GetOnlineFeaturesRequest) (*banquetv1.GetOnlineFeaturesResponse, error) {
	req, err := banquetRequest(f.opt, m, f.pipeline.limits)
	if err != nil {
		return nil, err
	}
	return f.respond(ctx, req, m.GetIncludeFeatureViewVersionMetadata())
}

func (f *features) respond(ctx context.Context, req *serving.Request, versions bool) (*banquetv1.GetOnlineFeaturesResponse, error) {
	r, err := f.opt.Serving.GetOnlineFeatures(ctx, req)
	if err != nil {
		return nil, err
	}
	defer r.Release()
	addStoreWait(ctx, r.StoreWait)
	out := &banquetv1.GetOnlineFeaturesResponse{Metadata: &banquetv1.GetOnlineFeaturesResponseMetadata{
		FeatureNames: &feast.FeatureList{Val: names(r)},
	}}
	if versions {
		out.Metadata.FeatureViewMetadata = viewVersions(r)
	}
	splice(out, r, &f.size, f.pipeline.messages)
	return out, nil
}

func viewVersions(r *serving.Response) []*feast.FeatureViewMetadata {
	var list []*feast.FeatureViewMetadata
	for v := range r.Views() {
		name, version := r.ViewVersion(v)
		list = append(list, &feast.FeatureViewMetadata{Name: name, Version: int32(version)})
	}
	return list
}

// StreamOnlineFeatures sends chunk after chunk. Only one chunk is in memory at a time;
// the next is read when gRPC has accepted the one before.
func (f *features) StreamOnlineFeatures(m *banquetv1.StreamOnlineFeaturesRequest, out grpc.ServerStreamingServer[banquetv1.StreamOnlineFeaturesResponse]) error {
	req, err := banquetRequest(f.opt, m.GetRequest(), f.pipeline.limits.ofStream())
	if err != nil {
		return err
	}
	if req.Project == "" {
		req.Project = m.GetProject()
	}
	return chunks(req, int(m.GetChunkRows()), func(first int, part *serving.Request) (err error) {
		var resp *banquetv1.GetOnlineFeaturesResponse
		err = f.pipeline.withSlot(out.Context(), func() (err error) {
			resp, err = f.respond(out.Context(), part, m.GetRequest().GetIncludeFeatureViewVersionMetadata())
			return err
		})
		if err != nil {
			return err
		}
		return sendWithin(chunkTimeout, func() error {
			return out.Send(&banquetv1.StreamOnlineFeaturesResponse{FirstRow: int64(first), Response: resp})
		})
	})
}

// sendWithin ends a stream whose caller reads nothing: gRPC itself waits for ever and
// frees a chunk only when the handler has ended.
func sendWithin(d time.Duration, send func() error) error {
	sent := make(chan error, 1)
	go func() { sent <- send() }()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case err := <-sent:
		return err
	case <-t.C:
		return fault.New(fault.Canceled, "the caller read nothing for %v", d)
	}
}

// chunks splits a request into parts of at most n rows.
func chunks(req *serving.Request, n int, send func(first int, part *serving.Request) error) error {
	if n <= 0 {
		n = defaultChunk
	}
	rows := 0
	for i := range req.Columns {
		c := &req.Columns[i]
		if k := len(c.Values) + len(c.JSON); i == 0 {
			rows = k
		} else if k != rows {
			return fault.New(fault.Invalid, "All entity rows must have the same columns.")
		}
	}
	for first := 0; first < rows || first == 0; first += n {
		part := *req
		part.Chunk = rows > n
		part.Columns = slices.Clone(req.Columns)
		for i := range part.Columns {
			c := &part.Columns[i]
			if c.JSON != nil {
				c.JSON = c.JSON[first:min(first+n, rows)]
			} else if c.Values != nil {
				c.Values = c.Values[first:min(first+n, rows)]
			}
		}
		if err := send(first, &part); err != nil {
			return err
		}
	}
	return nil
}

// GetServingInfo returns the version, the projects and the registry in use.
func (f *features) GetServingInfo(context.Context, *banquetv1.GetServingInfoRequest) (*banquetv1.GetServingInfoResponse, error) {
	out := &banquetv1.GetServingInfoResponse{Version: f.opt.Version, Project: f.opt.Project}
	if s := f.opt.Registry.Snapshot(); s != nil {
		out.Projects, out.RegistryGeneration = s.Projects(), s.Generation()
		if t := s.Registry().GetLastUpdated(); t != nil {
			out.RegistryLastUpdated, _ = proto.Clone(t).(*timestamppb.Timestamp)
		}
	}
	return out, nil
}

// banquetRequest turns a request of banquet.v1 into one of serving, which converts keys
// to the type of their join key.
func banquetRequest(opt *Options, m *banquetv1.GetOnlineFeaturesRequest, limits decodeLimits) (*serving.Request, error) {
	req := &serving.Request{
		Project: m.GetProject(), Service: m.GetFeatureService(), Features: m.GetFeatures().GetVal(), FullNames: m.GetFullFeatureNames(),
		Coerce: true, Partial: m.GetPartial(), Consistent: m.GetConsistent(), TTL: opt.ttl(serving.MarkTTL),
	}
	var err error
	req.Columns, err = requestColumns(m, limits, m.GetEntities(), m.GetRequestContext())
	return req, err
}

// feastServing is feast.serving.ServingService, as Feast's Go server implements it.
type feastServing struct {
	feast.UnimplementedServingServiceServer
	opt      *Options
	pipeline *pipeline
	size     cellSize
}

// GetFeastServingInfo returns the version.
func (f *feastServing) GetFeastServingInfo(context.Context, *feast.GetFeastServingInfoRequest) (*feast.GetFeastServingInfoResponse, error) {
	return &feast.GetFeastServingInfoResponse{Version: f.opt.Version}, nil
}

// GetOnlineFeatures returns features and marks expired rows.
func (f *feastServing) GetOnlineFeatures(ctx context.Context, m *feast.GetOnlineFeaturesRequest) (*feast.GetOnlineFeaturesResponse, error) {
	return feastResponse(ctx, f.opt, f.pipeline, &f.size, m, serving.MarkTTL)
}

// feastResponse returns features for a request in Feast's messages.
func feastResponse(ctx context.Context, opt *Options, p *pipeline, size *cellSize, m *feast.GetOnlineFeaturesRequest, ttl serving.TTL) (*feast.GetOnlineFeaturesResponse, error) {
	req := &serving.Request{
		Service: m.GetFeatureService(), Features: m.GetFeatures().GetVal(), FullNames: m.GetFullFeatureNames(), TTL: opt.ttl(ttl),
	}
	var err error
	if req.Columns, err = requestColumns(m, p.limits, m.GetEntities(), m.GetRequestContext()); err != nil {
		return nil, err
	}
	r, err := opt.Serving.GetOnlineFeatures(ctx, req)
	if err != nil {
		return nil, err
	}
	defer r.Release()
	addStoreWait(ctx, r.StoreWait)
	out := &feast.GetOnlineFeaturesResponse{Metadata: &feast.GetOnlineFeaturesResponseMetadata{FeatureNames: &feast.FeatureList{Val: names(r)}}}
	if m.GetIncludeFeatureViewVersionMetadata() {
		out.Metadata.FeatureViewMetadata = viewVersions(r)
	}
	splice(out, r, size, p.messages)
	return out, nil
}

// feastListen is GrpcFeatureServer, as `feast listen` implements it.
type feastListen struct {
	feast.UnimplementedGrpcFeatureServerServer
	opt      *Options
	pipeline *pipeline
	writer   *writer
	size     cellSize
}

// GetOnlineFeatures returns features and ignores the ttl.
func (f *feastListen) GetOnlineFeatures(ctx context.Context, m *feast.GetOnlineFeaturesRequest) (*feast.GetOnlineFeaturesResponse, error) {
	return feastResponse(ctx, f.opt, f.pipeline, &f.size, m, serving.IgnoreTTL)
}

func notServed(call string) error {
	hint := ""
	if !strings.HasSuffix(call, "/search") && !strings.HasSuffix(call, "/chat") {
		hint = " yet; use `banquet materialize` to load rows"
	}
	return fault.New(fault.Unimplemented, "%s is not supported%s", call, hint)
}
