package server

import (
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip"  // lets clients compress
	_ "google.golang.org/grpc/encoding/proto" // registers the codec that this one is built on
	"google.golang.org/grpc/experimental"
	"google.golang.org/grpc/mem"
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
// they are. A message of more than limit bytes stays unread and is marked: what
// a codec itself refuses gRPC takes for a bug.
type spliceCodec struct {
	encoding.CodecV2
	limit int
}

func newSpliceCodec(limit int) spliceCodec { return spliceCodec{encoding.GetCodecV2("proto"), limit} }

// unread marks a message that was too large: it is known by its place in memory.
var unread = []byte{0}

// tooLargeMessage says whether a message was left unread.
func tooLargeMessage(v any) bool {
	m, ok := v.(proto.Message)
	if !ok {
		return false
	}
	b := m.ProtoReflect().GetUnknown()
	return len(b) > 0 && &b[0] == &unread[0]
}

// Unmarshal reads a message.
func (c spliceCodec) Unmarshal(data mem.BufferSlice, v any) error {
	if m, ok := v.(proto.Message); ok && data.Len() > c.limit {
		m.ProtoReflect().SetUnknown(unread)
		return nil
	}
	switch m := v.(type) {
	case *feast.GetOnlineFeaturesRequest:
		return unmarshalRequest(data, m, func(list []string) {
			m.Kind = &feast.GetOnlineFeaturesRequest_Features{Features: &feast.FeatureList{Val: list}}
		})
	case *banquetv1.GetOnlineFeaturesRequest:
		return unmarshalRequest(data, m, func(list []string) {
			m.Kind = &banquetv1.GetOnlineFeaturesRequest_Features{Features: &feast.FeatureList{Val: list}}
		})
	}
	return c.CodecV2.Unmarshal(data, v)
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
