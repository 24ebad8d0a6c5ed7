package server

import (
	"cmp"
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip"  // lets clients compress
	_ "google.golang.org/grpc/encoding/proto" // registers the codec that this one is built on
	"google.golang.org/grpc/experimental"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
	feast "github.com/banquet-fs/banquet/gen/feast/serving"
)

// Answers have all sizes between kilobytes and megabytes, and gRPC's own pool
// has nothing between 32 KB and 1 MB: under load most of its memory would be
// the unused rest of its buffers. This one grows by powers of two.
var _ = func() bool {
	pool, err := mem.NewBinaryTieredBufferPool(8, 10, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22)
	if err == nil {
		experimental.SetDefaultBufferPool(pool)
	}
	return err == nil
}()

// spliceCodec is gRPC's codec for protobuf, but for requests for features, whose
// columns stay as they came, and for spliced answers, whose results go out as
// they are.
type spliceCodec struct {
	encoding.CodecV2
}

func newSpliceCodec() spliceCodec { return spliceCodec{encoding.GetCodecV2("proto")} }

// incoming is a message of a request. gRPC fills it with the bytes as they came,
// which are decoded once the request has been admitted.
type incoming struct {
	message  any
	ctx      context.Context //nolint:containedctx // the codec of gRPC has no parameter for it
	pipeline *pipeline
	limits   decodeLimits
	data     mem.BufferSlice
	taken    int64 // of the pipeline's room for bodies
	err      error // gRPC takes what a codec itself refuses for a bug
}

// Unmarshal keeps the bytes of a request; any other message it reads.
func (c spliceCodec) Unmarshal(data mem.BufferSlice, v any) error {
	in, ok := v.(*incoming)
	if !ok {
		return c.CodecV2.Unmarshal(data, v)
	}
	size := data.Len()
	if size > in.pipeline.bodyBytes {
		in.err = tooLarge(int64(in.pipeline.bodyBytes))
		return nil
	}
	if in.taken, in.err = in.pipeline.bodies.take(in.ctx, int64(size)); in.err == nil {
		data.Ref()
		in.data = data
	}
	return nil
}

// receive lets gRPC fill the message.
func (in *incoming) receive(fill func(any) error) error {
	err := fill(in)
	if status.Code(err) == codes.ResourceExhausted { // too large even for gRPC
		return tooLarge(int64(in.pipeline.bodyBytes))
	}
	return cmp.Or(err, in.err)
}

// decode reads the message within the limits, and lets go of its bytes.
func (in *incoming) decode() error {
	defer in.free()
	switch m := in.message.(type) {
	case *feast.GetOnlineFeaturesRequest:
		return unmarshalRequest(in.data, m, in.limits, func(list []string) {
			m.Kind = &feast.GetOnlineFeaturesRequest_Features{Features: &feast.FeatureList{Val: list}}
		})
	case *banquetv1.GetOnlineFeaturesRequest:
		return unmarshalRequest(in.data, m, in.limits, func(list []string) {
			m.Kind = &banquetv1.GetOnlineFeaturesRequest_Features{Features: &feast.FeatureList{Val: list}}
		})
	}
	if err := encoding.GetCodecV2("proto").Unmarshal(in.data, in.message); err != nil {
		return errUndecoded(err)
	}
	return nil
}

func (in *incoming) free() {
	in.data.Free()
	in.data = nil
}

// release gives back all that the message holds.
func (in *incoming) release() {
	in.free()
	if in.taken > 0 {
		in.pipeline.bodies.give(in.taken)
	}
}

// copied is up to what size results are copied: a second buffer costs more.
const copied = 2 << 10

// Marshal writes a message.
func (c spliceCodec) Marshal(v any) (mem.BufferSlice, error) {
	var m proto.Message
	switch answer := v.(type) { // made for one request: others may be shared
	case *feast.GetOnlineFeaturesResponse:
		m = answer
	case *banquetv1.GetOnlineFeaturesResponse:
		m = answer
	default:
		return c.CodecV2.Marshal(v)
	}
	return c.marshalSpliced(m)
}

// marshalSpliced writes an answer, which is empty afterwards: the memory of its
// results is given back when they have been sent.
func (c spliceCodec) marshalSpliced(m proto.Message) (mem.BufferSlice, error) {
	r := m.ProtoReflect()
	results, pool := r.GetUnknown(), mem.DefaultBufferPool()
	defer r.SetUnknown(nil)
	if len(results) < copied {
		defer pool.Put((*[]byte)(&results))
		return c.CodecV2.Marshal(m)
	}
	r.SetUnknown(nil)
	head, err := c.CodecV2.Marshal(m)
	if err != nil {
		return nil, err
	}
	return append(head, mem.NewBuffer((*[]byte)(&results), pool)), nil
}
