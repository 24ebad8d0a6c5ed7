// Package flight is the protocol between Feast's remote offline store and its server:
// commands in JSON, tables that clients upload, and results, all over Arrow Flight. It
// knows neither gRPC's server nor the offline store.
package flight

import (
	"encoding/binary"
	"errors"
	"io"

	gen "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
)

// Data is one message of an upload.
type Data struct {
	// Descriptor is the command; the first message of a stream has it.
	Descriptor *gen.FlightDescriptor
	// Header is the metadata of an Arrow message and Body its buffers, in memory of
	// their own: Arrow's arrays point into it.
	Header, Body []byte
}

// Bytes of a message as it arrives.
type Bytes interface {
	io.Reader
	io.ByteReader
}

// The fields of FlightData in Flight.proto.
const (
	fieldDescriptor = 1
	fieldHeader     = 2
	fieldBody       = 1000
)

// ReadData decodes a message of the given size. Generated code would need the message
// in one piece, and copy it once more.
func ReadData(in Bytes, size int) (*Data, error) {
	r := &fieldReader{in: in, left: size}
	d := &Data{}
	for r.left > 0 && r.err == nil {
		number, bytes := r.next(func(n protowire.Number) bool {
			return n == fieldDescriptor || n == fieldHeader || n == fieldBody
		})
		switch number {
		case fieldDescriptor:
			d.Descriptor = &gen.FlightDescriptor{}
			if err := proto.Unmarshal(bytes, d.Descriptor); err != nil {
				return nil, malformed(err)
			}
		case fieldHeader:
			d.Header = bytes
		case fieldBody:
			d.Body = bytes
		}
	}
	if r.err != nil {
		return nil, malformed(r.err)
	}
	return d, nil
}

func malformed(err error) error {
	return fault.New(fault.Invalid, "a message of the call is not a FlightData").Because(err)
}

var errFields = errors.New("bytes that are not fields of protobuf")

// fieldReader reads the fields of a message of protobuf.
type fieldReader struct {
	in   Bytes
	left int
	err  error
}

// next reads a field. It returns the content of fields of bytes that are wanted.
func (r *fieldReader) next(wanted func(protowire.Number) bool) (protowire.Number, []byte) {
	number, kind := protowire.DecodeTag(r.varint())
	switch kind {
	case protowire.BytesType:
		n := r.varint()
		if r.err != nil || n > uint64(r.left) {
			r.fail()
			return 0, nil
		}
		if !wanted(number) {
			r.skip(int(n))
			return 0, nil
		}
		b := make([]byte, n)
		_, err := io.ReadFull(r.in, b)
		r.take(int(n), err)
		return number, b
	case protowire.VarintType:
		r.varint()
	case protowire.Fixed32Type:
		r.skip(4)
	case protowire.Fixed64Type:
		r.skip(8)
	default: // groups, which Flight never had
		r.fail()
	}
	return 0, nil
}

func (r *fieldReader) fail() {
	if r.err == nil {
		r.err = errFields
	}
}

func (r *fieldReader) take(n int, err error) {
	if r.left -= n; err != nil || r.left < 0 {
		r.fail()
	}
}

func (r *fieldReader) skip(n int) {
	if r.err == nil {
		_, err := io.CopyN(io.Discard, r.in, int64(n))
		r.take(n, err)
	}
}

func (r *fieldReader) varint() uint64 {
	if r.err != nil {
		return 0
	}
	counted := &counter{in: r.in}
	v, err := binary.ReadUvarint(counted)
	r.take(counted.n, err)
	return v
}

// counter counts the bytes of a varint.
type counter struct {
	in io.ByteReader
	n  int
}

// ReadByte reads a byte.
func (c *counter) ReadByte() (byte, error) {
	c.n++
	return c.in.ReadByte()
}
