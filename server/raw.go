package server

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
)

// raw is a message that its receiver decodes: one of a call of Flight.
type raw struct {
	limit    int // of its bytes
	data     mem.BufferSlice
	tooLarge bool
}

func (m *raw) take(data mem.BufferSlice) {
	if m.tooLarge = data.Len() > m.limit; !m.tooLarge {
		data.Ref()
		m.data = data
	}
}

// receive makes gRPC fill the message.
func (m *raw) receive(fill func(any) error) error {
	err := fill(m)
	// gRPC refuses a message larger than its own limit.
	if status.Code(err) == codes.ResourceExhausted || err == nil && m.tooLarge {
		return fault.New(fault.TooLarge, "a message of the call has more than %d bytes; send the table in smaller record batches, or raise banquet.limits.body_bytes", m.limit)
	}
	return err
}

func (m *raw) decode(into proto.Message) error {
	if err := proto.Unmarshal(m.data.Materialize(), into); err != nil {
		return decodeError(err)
	}
	return nil
}

func (m *raw) free() {
	m.data.Free()
	m.data = nil
}
