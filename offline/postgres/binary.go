package postgres

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/value"
)

// The binary forms of PostgreSQL's types are those that its functions typsend
// write, all big-endian:
// https://www.postgresql.org/docs/current/protocol-overview.html.

var (
	errShort = errors.New("the server sent a value whose length does not fit its type")
	errCut   = errors.New("the server sent an array that ends too early")
)

// errDimensions refuses arrays that Feast cannot read either.
func errDimensions(n int) error {
	return fmt.Errorf("the array has %d dimensions; only arrays of one dimension can be read", n)
}

// eachElement visits the elements of an array in PostgreSQL's binary form: the
// number of dimensions, a flag for nulls, the element type; for each dimension
// its size and lower bound; then each element with its length, -1 for null.
func eachElement(raw []byte, visit func([]byte) error) error {
	if len(raw) < 12 {
		return errCut
	}
	dims := int(int32(binary.BigEndian.Uint32(raw)))
	raw = raw[12:]
	if dims == 0 {
		return nil
	}
	if dims != 1 {
		return errDimensions(dims)
	}
	if len(raw) < 8 {
		return errCut
	}
	n := int(int32(binary.BigEndian.Uint32(raw)))
	raw = raw[8:]
	for range n {
		if len(raw) < 4 {
			return errCut
		}
		size := int(int32(binary.BigEndian.Uint32(raw)))
		raw = raw[4:]
		var v []byte
		if size >= 0 {
			if size > len(raw) {
				return errCut
			}
			v, raw = raw[:size:size], raw[size:]
		}
		if err := visit(v); err != nil {
			return err
		}
	}
	return nil
}

func readBool(b array.Builder, raw []byte) error {
	if len(raw) != 1 {
		return errShort
	}
	b.(*array.BooleanBuilder).Append(raw[0] != 0)
	return nil
}

func readInt32(b array.Builder, raw []byte) error {
	switch len(raw) {
	case 2:
		b.(*array.Int32Builder).Append(int32(int16(binary.BigEndian.Uint16(raw))))
	case 4:
		b.(*array.Int32Builder).Append(int32(binary.BigEndian.Uint32(raw)))
	default:
		return errShort
	}
	return nil
}

func readInt64(b array.Builder, raw []byte) error {
	if len(raw) != 8 {
		return errShort
	}
	b.(*array.Int64Builder).Append(int64(binary.BigEndian.Uint64(raw)))
	return nil
}

func readFloat32(b array.Builder, raw []byte) error {
	if len(raw) != 4 {
		return errShort
	}
	b.(*array.Float32Builder).Append(math.Float32frombits(binary.BigEndian.Uint32(raw)))
	return nil
}

func readFloat64(b array.Builder, raw []byte) error {
	if len(raw) != 8 {
		return errShort
	}
	b.(*array.Float64Builder).Append(math.Float64frombits(binary.BigEndian.Uint64(raw)))
	return nil
}

func readBytes(b array.Builder, raw []byte) error {
	b.(*array.BinaryBuilder).Append(raw)
	return nil
}

func readTime(b array.Builder, raw []byte) error { return appendMoment(b, raw, timestampAt) }

func readDate(b array.Builder, raw []byte) error { return appendMoment(b, raw, dateAt) }

func appendMoment(b array.Builder, raw []byte, at func([]byte) (int64, error)) error {
	v, err := at(raw)
	if err != nil {
		return err
	}
	b.(*array.TimestampBuilder).Append(arrow.Timestamp(v))
	return nil
}

const (
	second = 1_000_000 // microseconds
	day    = 86400 * second
	// epoch2000 is PostgreSQL's zero time in microseconds since 1970.
	epoch2000 = 946684800 * second
)

var errFar = errors.New("the time lies after the year 294246, the last one that 64 bits of microseconds can represent")

// timestampAt reads a timestamp as microseconds since 1970. Infinities become
// those of package value.
func timestampAt(raw []byte) (int64, error) {
	if len(raw) != 8 {
		return 0, errShort
	}
	switch v := int64(binary.BigEndian.Uint64(raw)); {
	case v == math.MaxInt64:
		return value.Infinity, nil
	case v == math.MinInt64:
		return value.MinusInfinity, nil
	case v >= math.MaxInt64-epoch2000:
		return 0, errFar
	default:
		return v + epoch2000, nil
	}
}

// dateAt reads a date as its midnight in UTC.
func dateAt(raw []byte) (int64, error) {
	if len(raw) != 4 {
		return 0, errShort
	}
	switch days := int64(int32(binary.BigEndian.Uint32(raw))); {
	case days == math.MaxInt32:
		return value.Infinity, nil
	case days == math.MinInt32:
		return value.MinusInfinity, nil
	case days >= (math.MaxInt64-epoch2000)/day:
		return 0, errFar
	default:
		return days*day + epoch2000, nil
	}
}
