package server

import (
	"cmp"
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip"  // lets clients compress
	_ "google.golang.org/grpc/encoding/proto" // registers the codec that this one is built on

	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
	feast "github.com/banquet-fs/banquet/gen/feast/serving"
)

// newMessagePool makes the pool of messages for gRPC and the codec. Responses have all
// sizes between kilobytes and megabytes, and gRPC's own pool has no buffers between
// 32 KB and 1 MB: under load most of its memory would be the unused part of its
// buffers. The sizes of this pool are powers of two.
func newMessagePool() mem.BufferPool {
	pool, err := mem.NewBinaryTieredBufferPool(8, 10, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22)
	if err != nil { // only for exponents that are too large
		return mem.DefaultBufferPool()
	}
	return pool
}

// spliceCodec is gRPC's codec for protobuf with two exceptions: requests for
// features, whose columns stay encoded, and spliced responses, whose results are
// already encoded. All messages use memory of the server's pool.
type spliceCodec struct {
	encoding.CodecV2
	pool mem.BufferPool
}

func newSpliceCodec(pool mem.BufferPool) spliceCodec {
	return spliceCodec{encoding.GetCodecV2("proto"), pool}
}

// incoming is a message of a request. gRPC fills it with the encoded bytes, which
// are decoded once the request is admitted.
type incoming struct {
	message  any
	ctx      context.Context //nolint:containedctx // the codec of gRPC has no parameter for it
	pipeline *pipeline
	limits   decodeLimits
	budget   *budget // of large messages; nil is the pipeline's for reads
	data     mem.BufferSlice
	reserved int64 // its bytes that this message has
	err      error // kept here, since gRPC reports a codec's own error as Internal
}

// Unmarshal keeps the bytes of a request and of a raw message; it decodes any other
// message.
func (c spliceCodec) Unmarshal(data mem.BufferSlice, v any) error {
	if m, ok := v.(*raw); ok {
		m.take(data)
		return nil
	}
	in, ok := v.(*incoming)
	if !ok {
		return c.CodecV2.Unmarshal(data, v)
	}
	size := data.Len()
	if size > in.pipeline.bodyBytes {
		in.err = tooLarge(int64(in.pipeline.bodyBytes))
		return nil
	}
	if in.reserved, in.err = in.bodies().acquire(in.ctx, int64(size)); in.err == nil {
		data.Ref()
		in.data = data
	}
	return nil
}

func (in *incoming) bodies() *budget { return cmp.Or(in.budget, in.pipeline.bodies) }

// receive makes gRPC fill the message.
func (in *incoming) receive(fill func(any) error) error {
	err := fill(in)
	if status.Code(err) == codes.ResourceExhausted { // larger than gRPC's own limit
		return tooLarge(int64(in.pipeline.bodyBytes))
	}
	return cmp.Or(err, in.err)
}

// decode decodes the message within the limits and frees its bytes.
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
	case rowsMessage:
		return unmarshalRows(in.data.Materialize(), m)
	case *banquetv1.StreamPushRequest:
		m.Request = new(banquetv1.PushRequest)
		return unmarshalStreamed(in.data.Materialize(), m.Request)
	case *banquetv1.StreamWriteRequest:
		m.Request = new(banquetv1.WriteRequest)
		return unmarshalStreamed(in.data.Materialize(), m.Request)
	}
	m, ok := in.message.(proto.Message)
	if !ok {
		return fault.New(fault.Internal, "a message that is not of protobuf")
	}
	whole := in.data.MaterializeToBuffer(in.pipeline.messages)
	defer whole.Free()
	if err := proto.Unmarshal(whole.ReadOnlyData(), m); err != nil {
		return decodeError(err)
	}
	return nil
}

func (in *incoming) free() {
	in.data.Free()
	in.data = nil
}

// release frees the bytes and returns them to the budget.
func (in *incoming) release() {
	in.free()
	if in.reserved > 0 {
		in.bodies().release(in.reserved)
	}
}

// maxCopied is the size up to which results are copied: for them a second buffer costs
// more.
const maxCopied = 2 << 10

// Marshal encodes a message.
func (c spliceCodec) Marshal(v any) (mem.BufferSlice, error) {
	switch m := v.(type) {
	case *feast.GetOnlineFeaturesResponse:
		return c.marshalSpliced(m)
	case *banquetv1.GetOnlineFeaturesResponse:
		return c.marshalSpliced(m)
	case proto.Message:
		return c.marshal(m)
	}
	return c.CodecV2.Marshal(v)
}

// marshal encodes a message into memory of the pool.
func (c spliceCodec) marshal(m proto.Message) (mem.BufferSlice, error) {
	size := proto.Size(m)
	opt := proto.MarshalOptions{UseCachedSize: true}
	if mem.IsBelowBufferPoolingThreshold(size) {
		b, err := opt.Marshal(m)
		return mem.BufferSlice{mem.SliceBuffer(b)}, err
	}
	b := c.pool.Get(size)
	if _, err := opt.MarshalAppend((*b)[:0], m); err != nil {
		c.pool.Put(b)
		return nil, err
	}
	return mem.BufferSlice{mem.NewBuffer(b, c.pool)}, nil
}

// marshalSpliced encodes a response, which is empty afterwards: it belongs to one
// request. The memory of its results returns to the pool when they have been sent.
func (c spliceCodec) marshalSpliced(m proto.Message) (mem.BufferSlice, error) {
	r := m.ProtoReflect()
	results := r.GetUnknown()
	defer r.SetUnknown(nil)
	if len(results) < maxCopied {
		defer c.pool.Put((*[]byte)(&results))
		return c.marshal(m)
	}
	r.SetUnknown(nil)
	head, err := c.marshal(m)
	if err != nil {
		return nil, err
	}
	return append(head, mem.NewBuffer((*[]byte)(&results), c.pool)), nil
}
