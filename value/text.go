package value

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/banquet-fs/banquet/gen/feast/types"
)

// Text is the content of the value_text column, which Feast's SQL online stores
// keep beside a Value: a STRING as it is, a number or BOOL as Python prints it.
// Other types have no text.
func Text(b []byte) (string, bool) {
	kind := Kind(b)
	switch kind {
	case types.ValueType_STRING:
		return String(b)
	case types.ValueType_INT32, types.ValueType_INT64:
		v, ok := Int64(b)
		return strconv.FormatInt(v, 10), ok
	case types.ValueType_BOOL:
		if len(b) == 2 && b[1] != 0 {
			return "True", true
		}
		return "False", true
	case types.ValueType_DOUBLE, types.ValueType_FLOAT:
		f, ok := Float64(b)
		return pythonFloat(f), ok
	default:
		return "", false
	}
}

// Float64 returns the number of a DOUBLE or FLOAT Value.
func Float64(b []byte) (float64, bool) {
	switch {
	case len(b) == 9 && b[0] == 5<<3|1:
		return math.Float64frombits(binary.LittleEndian.Uint64(b[1:])), true
	case len(b) == 5 && b[0] == 6<<3|5:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b[1:]))), true
	}
	return 0, false
}

// pythonFloat is Python's str of a float.
func pythonFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	return string(appendRepr(nil, f))
}
