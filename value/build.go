package value

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/banquet-fs/banquet/gen/feast/types"
)

// AppendInt32 appends an INT32 Value.
func AppendInt32(dst []byte, v int32) []byte {
	return binary.AppendUvarint(append(dst, 3<<3), uint64(int64(v)))
}

// AppendInt64 appends an INT64 Value.
func AppendInt64(dst []byte, v int64) []byte {
	return binary.AppendUvarint(append(dst, 4<<3), uint64(v))
}

// AppendUnixTimestamp appends a UNIX_TIMESTAMP Value, seconds since 1970.
func AppendUnixTimestamp(dst []byte, v int64) []byte {
	return binary.AppendUvarint(append(dst, 8<<3), uint64(v))
}

// AppendString appends a STRING Value.
func AppendString(dst []byte, v string) []byte { return AppendText(dst, types.ValueType_STRING, v) }

// AppendText appends a Value of a type that is kept as text: STRING, JSON,
// UUID, TIME_UUID or DECIMAL.
func AppendText(dst []byte, t types.ValueType_Enum, v string) []byte {
	dst = protowire.AppendTag(dst, protowire.Number(t), protowire.BytesType)
	return protowire.AppendString(dst, v)
}

// AppendBytes appends a BYTES Value.
func AppendBytes(dst, v []byte) []byte {
	return protowire.AppendBytes(append(dst, 1<<3|2), v)
}

// AppendDouble appends a DOUBLE Value.
func AppendDouble(dst []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(append(dst, 5<<3|1), math.Float64bits(v))
}

// AppendFloat appends a FLOAT Value.
func AppendFloat(dst []byte, v float32) []byte {
	return binary.LittleEndian.AppendUint32(append(dst, 6<<3|5), math.Float32bits(v))
}

// AppendBool appends a BOOL Value.
func AppendBool(dst []byte, v bool) []byte {
	b := byte(0)
	if v {
		b = 1
	}
	return append(dst, 7<<3, b)
}

// appendSized appends a field of a Value whose content is a message.
func appendSized(dst []byte, t types.ValueType_Enum, content []byte) []byte {
	dst = protowire.AppendTag(dst, protowire.Number(t), protowire.BytesType)
	return protowire.AppendBytes(dst, content)
}

// Int64 gives the integer of an INT32, INT64 or UNIX_TIMESTAMP Value.
func Int64(b []byte) (int64, bool) {
	if len(b) < 2 {
		return 0, false
	}
	switch b[0] {
	case 3 << 3, 4 << 3, 8 << 3:
		v, n := uvarint(b[1:])
		return int64(v), n > 0
	}
	return 0, false
}

// String gives the text of a STRING Value.
func String(b []byte) (string, bool) {
	if len(b) < 2 || b[0] != 2<<3|2 {
		return "", false
	}
	piece, _, ok := sized(b[1:])
	return string(piece), ok
}
