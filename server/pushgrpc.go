package server

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
	feast "github.com/banquet-fs/banquet/gen/feast/serving"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/value"
)

// Push writes one row for all feature views of a push source.
func (f *feastListen) Push(ctx context.Context, m *feast.PushRequest) (*feast.PushResponse, error) {
	to, err := ingest.ParseTarget(m.GetTo())
	if err != nil {
		return nil, err
	}
	r := &rowsRequest{push: true, name: m.GetStreamFeatureView(), to: to}
	if err := f.row(ctx, r, m, m.GetAllowRegistryCache()); err != nil {
		if fault.Of(err).Object.Kind == "push source" && fault.KindOf(err) == fault.NotFound {
			err = fault.New(fault.Invalid, "%s", fault.Of(err).Text) // as `feast listen` does
		}
		return nil, err
	}
	return &feast.PushResponse{Status: true}, nil
}

// WriteToOnlineStore writes one row of a feature view.
func (f *feastListen) WriteToOnlineStore(ctx context.Context, m *feast.WriteToOnlineStoreRequest) (*feast.WriteToOnlineStoreResponse, error) {
	if err := f.row(ctx, &rowsRequest{name: m.GetFeatureViewName()}, m, m.GetAllowRegistryCache()); err != nil {
		return nil, err
	}
	return &feast.WriteToOnlineStoreResponse{Status: true}, nil
}

// feastRow is a request of GrpcFeatureServer that writes one row.
type feastRow interface {
	GetFeatures() map[string]string
	GetTypedFeatures() map[string]*types.Value
}

func (f *feastListen) row(ctx context.Context, r *rowsRequest, m feastRow, cached bool) (err error) {
	if len(m.GetFeatures()) > 0 && len(m.GetTypedFeatures()) > 0 {
		return fault.New(fault.Invalid, "Only one of features or typed_features may be set, not both")
	}
	r.Fresh = !cached
	for _, name := range slices.Sorted(maps.Keys(m.GetFeatures())) {
		r.Columns = append(r.Columns, ingest.Column{Name: name, Cells: value.TextCells{m.GetFeatures()[name]}})
	}
	for _, name := range slices.Sorted(maps.Keys(m.GetTypedFeatures())) {
		b, err := proto.Marshal(m.GetTypedFeatures()[name])
		if err != nil {
			return columnFault(name, 0, err)
		}
		r.Columns = append(r.Columns, ingest.Column{Name: name, Cells: value.ValueCells{b}})
	}
	_, err = f.writer.run(ctx, r)
	return err
}

// Push writes rows to the feature views of a push source.
func (f *features) Push(ctx context.Context, m *banquetv1.PushRequest) (*banquetv1.PushResponse, error) {
	r, err := f.pushOf(m)
	if err != nil {
		return nil, err
	}
	report, err := f.writer.run(ctx, r)
	if err = r.unlessReported(err, report); err != nil {
		return nil, err
	}
	return pushResponse(report), nil
}

// Write writes rows of a feature view.
func (f *features) Write(ctx context.Context, m *banquetv1.WriteRequest) (*banquetv1.WriteResponse, error) {
	r, err := f.writeOf(m)
	if err != nil {
		return nil, err
	}
	report, err := f.writer.run(ctx, r)
	if err = r.unlessReported(err, report); err != nil {
		return nil, err
	}
	return writeResponse(report), nil
}

func (f *features) pushOf(m *banquetv1.PushRequest) (*rowsRequest, error) {
	r, err := rowsOf(m, m.TransformOnWrite != nil && !m.GetTransformOnWrite(), f.pipeline.limits)
	if err != nil {
		return nil, err
	}
	r.push, r.name = true, m.GetPushSource()
	r.to, err = targetOf(m.GetTo())
	return r, err
}

func (f *features) writeOf(m *banquetv1.WriteRequest) (*rowsRequest, error) {
	r, err := rowsOf(m, m.TransformOnWrite != nil && !m.GetTransformOnWrite(), f.pipeline.limits)
	if err != nil {
		return nil, err
	}
	r.name = m.GetFeatureView()
	return r, nil
}

// StreamPush writes the rows of many messages.
func (f *features) StreamPush(in grpc.ClientStreamingServer[banquetv1.StreamPushRequest, banquetv1.StreamPushResponse]) error {
	t := f.writer.upload(f.pipeline)
	for {
		m, err := in.Recv()
		if errors.Is(err, io.EOF) {
			return in.SendAndClose(t.pushResponse())
		}
		var r *rowsRequest
		if err == nil {
			r, err = f.pushOf(m.GetRequest())
		}
		if err = t.write(in.Context(), r, err); err != nil {
			return err
		}
	}
}

// StreamWrite writes the rows of many messages to one feature view.
func (f *features) StreamWrite(in grpc.ClientStreamingServer[banquetv1.StreamWriteRequest, banquetv1.StreamWriteResponse]) error {
	t := f.writer.upload(f.pipeline)
	for {
		m, err := in.Recv()
		if errors.Is(err, io.EOF) {
			return in.SendAndClose(t.writeResponse())
		}
		var r *rowsRequest
		if err == nil {
			r, err = f.writeOf(m.GetRequest())
		}
		if err = t.write(in.Context(), r, err); err != nil {
			return err
		}
	}
}
