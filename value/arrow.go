package value

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// appendFunc appends what stands at a row that is not null.
type appendFunc func(dst []byte, a arrow.Array, row int) ([]byte, error)

// ArrowEncoder turns the cells of an Arrow column into Values of one type. It
// is made once for a column's type and safe for concurrent use.
type ArrowEncoder struct {
	scalar appendFunc
	// null is what a feature's null is stored as.
	null []byte
}

// NewArrowEncoder makes an encoder of columns of type dt into Values of type t.
// The conversions are those of Feast's materialization, but exact: integers of
// a column that holds nulls do not go through a float. A pair of types that has
// none is an Invalid fault naming both.
func NewArrowEncoder(dt arrow.DataType, t types.ValueType_Enum) (*ArrowEncoder, error) {
	fn := encoderOf(dt, t)
	if fn == nil {
		return nil, fault.New(fault.Invalid, "Arrow type %s does not fit value type %s", dt, t)
	}
	e := &ArrowEncoder{scalar: fn}
	switch dt.ID() {
	case arrow.TIMESTAMP, arrow.DATE32, arrow.DATE64:
		if t == types.ValueType_UNIX_TIMESTAMP {
			e.null = AppendUnixTimestamp(nil, noTime)
		}
	}
	return e, nil
}

// AppendFeature appends the Value of a feature's row as Feast stores it: the
// null of a time column is the lowest timestamp, which every reader of Feast
// takes for null; any other null appends nothing.
func (e *ArrowEncoder) AppendFeature(dst []byte, a arrow.Array, row int) ([]byte, error) {
	if a.IsNull(row) {
		return append(dst, e.null...), nil
	}
	return e.scalar(dst, a, row)
}

// Append appends the Value of a row; a null appends nothing, which is the null
// Value.
func (e *ArrowEncoder) Append(dst []byte, a arrow.Array, row int) ([]byte, error) {
	if a.IsNull(row) {
		return dst, nil
	}
	return e.scalar(dst, a, row)
}

func encoderOf(dt arrow.DataType, t types.ValueType_Enum) appendFunc {
	if d, ok := dt.(*arrow.DictionaryType); ok {
		return dictionaryEncoder(d, t)
	}
	switch t {
	case types.ValueType_INT32, types.ValueType_INT64, types.ValueType_UNIX_TIMESTAMP, types.ValueType_BOOL:
		return integerEncoder(dt, t)
	case types.ValueType_DOUBLE, types.ValueType_FLOAT:
		return floatEncoder(dt, t)
	case types.ValueType_STRING, types.ValueType_JSON, types.ValueType_UUID, types.ValueType_TIME_UUID, types.ValueType_DECIMAL:
		return textEncoder(dt, t)
	case types.ValueType_BYTES, 30, 31: // 30 and 31 are PDF_BYTES and IMAGE_BYTES, kept as bytes
		return bytesEncoder(dt)
	case types.ValueType_MAP, types.ValueType_STRUCT:
		return mapEncoder(dt, t)
	case types.ValueType_MAP_LIST, types.ValueType_STRUCT_LIST:
		return mapListEncoder(dt, t)
	case types.ValueType_VALUE_LIST, types.ValueType_VALUE_SET:
		return nestedEncoder(dt, t)
	default:
		return listEncoder(dt, t)
	}
}

func dictionaryEncoder(d *arrow.DictionaryType, t types.ValueType_Enum) appendFunc {
	inner := encoderOf(d.ValueType, t)
	if inner == nil {
		return nil
	}
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		dict, ok := a.(*array.Dictionary)
		if !ok {
			return nil, wrongArray(a)
		}
		at := dict.GetValueIndex(row)
		if dict.Dictionary().IsNull(at) {
			return dst, nil
		}
		return inner(dst, dict.Dictionary(), at)
	}
}

func wrongArray(a arrow.Array) error {
	return fault.New(fault.Internal, "an Arrow column of type %s came as %T", a.DataType(), a)
}

// integerEncoder makes INT32, INT64, UNIX_TIMESTAMP and BOOL Values.
func integerEncoder(dt arrow.DataType, t types.ValueType_Enum) appendFunc {
	get := integerGetter(dt)
	if get == nil {
		return nil
	}
	switch t {
	case types.ValueType_INT32:
		return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
			v, err := get(a, row)
			if err != nil {
				return nil, err
			}
			if v < math.MinInt32 || v > math.MaxInt32 {
				return nil, fault.New(fault.Invalid, "%d does not fit value type INT32", v)
			}
			return AppendInt32(dst, int32(v)), nil
		}
	case types.ValueType_BOOL:
		return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
			v, err := get(a, row)
			return AppendBool(dst, v != 0), err
		}
	}
	build := AppendInt64
	if t == types.ValueType_UNIX_TIMESTAMP {
		build = AppendUnixTimestamp
	}
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		v, err := get(a, row)
		if err != nil {
			return nil, err
		}
		return build(dst, v), nil
	}
}

// integerGetter reads a column as integers: numbers cut to integers, as Feast
// does with features, numeric text, booleans, times as seconds since 1970.
func integerGetter(dt arrow.DataType) func(a arrow.Array, row int) (int64, error) {
	switch dt.ID() {
	case arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64, arrow.BOOL:
		return func(a arrow.Array, row int) (int64, error) { return integerAt(a, row) }
	case arrow.FLOAT16, arrow.FLOAT32, arrow.FLOAT64:
		return func(a arrow.Array, row int) (int64, error) {
			f := floatAt(a, row)
			if math.IsNaN(f) || f < -math.MaxInt64 || f >= math.MaxInt64 {
				return 0, fault.New(fault.Invalid, "%v is no integer", f)
			}
			return int64(f), nil
		}
	case arrow.DECIMAL32, arrow.DECIMAL64, arrow.DECIMAL128, arrow.DECIMAL256:
		return decimalInt
	case arrow.TIMESTAMP, arrow.DATE32, arrow.DATE64:
		return secondsAt
	case arrow.STRING, arrow.LARGE_STRING, arrow.STRING_VIEW:
		return func(a arrow.Array, row int) (int64, error) {
			text := stringAt(a, row)
			v, err := strconv.ParseInt(pythonInteger(text), 10, 64)
			if err != nil {
				return 0, fault.New(fault.Invalid, "%q is no integer", text).Because(err)
			}
			return v, nil
		}
	}
	return nil
}

func integerAt(a arrow.Array, row int) (int64, error) {
	switch c := a.(type) {
	case *array.Int8:
		return int64(c.Value(row)), nil
	case *array.Int16:
		return int64(c.Value(row)), nil
	case *array.Int32:
		return int64(c.Value(row)), nil
	case *array.Int64:
		return c.Value(row), nil
	case *array.Uint8:
		return int64(c.Value(row)), nil
	case *array.Uint16:
		return int64(c.Value(row)), nil
	case *array.Uint32:
		return int64(c.Value(row)), nil
	case *array.Uint64:
		if v := c.Value(row); v <= math.MaxInt64 {
			return int64(v), nil
		}
		return 0, fault.New(fault.Invalid, "%d does not fit a signed integer", c.Value(row))
	case *array.Boolean:
		if c.Value(row) {
			return 1, nil
		}
		return 0, nil
	}
	return 0, wrongArray(a)
}

func decimalInt(a arrow.Array, row int) (int64, error) {
	r, ok := new(big.Rat).SetString(a.ValueStr(row))
	if !ok {
		return 0, wrongArray(a)
	}
	whole := new(big.Int).Quo(r.Num(), r.Denom())
	if !whole.IsInt64() {
		return 0, fault.New(fault.Invalid, "%s does not fit a signed integer", a.ValueStr(row))
	}
	return whole.Int64(), nil
}

// secondsAt reads a time as whole seconds since 1970, rounded down.
func secondsAt(a arrow.Array, row int) (int64, error) {
	switch c := a.(type) {
	case *array.Timestamp:
		unit, ok := a.DataType().(*arrow.TimestampType)
		if !ok {
			return 0, wrongArray(a)
		}
		per := int64(unit.Unit.Multiplier())
		return floorDiv(int64(c.Value(row)), int64(1e9)/per), nil
	case *array.Date32:
		return int64(c.Value(row)) * 86400, nil
	case *array.Date64:
		return floorDiv(int64(c.Value(row)), 1000), nil
	}
	return 0, wrongArray(a)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// floatEncoder makes DOUBLE and FLOAT Values.
func floatEncoder(dt arrow.DataType, t types.ValueType_Enum) appendFunc {
	var get func(a arrow.Array, row int) (float64, error)
	switch dt.ID() {
	case arrow.FLOAT16, arrow.FLOAT32, arrow.FLOAT64:
		get = func(a arrow.Array, row int) (float64, error) { return floatAt(a, row), nil }
	case arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.UINT8, arrow.UINT16, arrow.UINT32:
		get = func(a arrow.Array, row int) (float64, error) {
			v, err := integerAt(a, row)
			return float64(v), err
		}
	case arrow.DECIMAL32, arrow.DECIMAL64, arrow.DECIMAL128, arrow.DECIMAL256:
		get = func(a arrow.Array, row int) (float64, error) { return strconv.ParseFloat(a.ValueStr(row), 64) }
	default:
		return nil
	}
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		f, err := get(a, row)
		switch {
		case err != nil:
			return nil, err
		case math.IsNaN(f):
			return dst, nil // a NaN of a column is a null, as in Feast
		case t == types.ValueType_FLOAT:
			return AppendFloat(dst, float32(f)), nil
		}
		return AppendDouble(dst, f), nil
	}
}

func floatAt(a arrow.Array, row int) float64 {
	switch c := a.(type) {
	case *array.Float64:
		return c.Value(row)
	case *array.Float32:
		return float64(c.Value(row))
	case *array.Float16:
		return float64(c.Value(row).Float32())
	}
	return math.NaN()
}

// textEncoder makes Values that are kept as text.
func textEncoder(dt arrow.DataType, t types.ValueType_Enum) appendFunc {
	switch dt.ID() {
	case arrow.STRING, arrow.LARGE_STRING, arrow.STRING_VIEW:
		return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
			return AppendText(dst, t, stringAt(a, row)), nil
		}
	case arrow.DECIMAL32, arrow.DECIMAL64, arrow.DECIMAL128, arrow.DECIMAL256:
		return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
			return AppendText(dst, t, a.ValueStr(row)), nil
		}
	}
	switch {
	case t == types.ValueType_STRING:
		return scalarText(dt)
	case t == types.ValueType_JSON:
		return jsonEncoder(dt)
	case dt.ID() == arrow.FIXED_SIZE_BINARY && (t == types.ValueType_UUID || t == types.ValueType_TIME_UUID),
		dt.ID() == arrow.EXTENSION:
		return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
			s, err := uuidText(a, row)
			return AppendText(dst, t, s), err
		}
	}
	return nil
}

func uuidText(a arrow.Array, row int) (string, error) {
	b, ok := a.(*array.FixedSizeBinary)
	if !ok || len(b.Value(row)) != 16 {
		return a.ValueStr(row), nil
	}
	v := b.Value(row)
	return fmt.Sprintf("%x-%x-%x-%x-%x", v[:4], v[4:6], v[6:8], v[8:10], v[10:]), nil
}

// scalarText prints numbers and booleans as Python does.
func scalarText(dt arrow.DataType) appendFunc {
	switch dt.ID() {
	case arrow.BOOL:
		return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
			v, err := integerAt(a, row)
			if v != 0 {
				return AppendString(dst, "True"), err
			}
			return AppendString(dst, "False"), err
		}
	case arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64:
		return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
			return AppendString(dst, a.ValueStr(row)), nil
		}
	case arrow.FLOAT16, arrow.FLOAT32, arrow.FLOAT64:
		return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
			return AppendString(dst, pythonFloat(floatAt(a, row))), nil
		}
	}
	return nil
}

func stringAt(a arrow.Array, row int) string {
	switch c := a.(type) {
	case *array.String:
		return c.Value(row)
	case *array.LargeString:
		return c.Value(row)
	case *array.StringView:
		return c.Value(row)
	}
	return a.ValueStr(row)
}

func bytesEncoder(dt arrow.DataType) appendFunc {
	switch dt.ID() {
	case arrow.BINARY, arrow.LARGE_BINARY, arrow.BINARY_VIEW, arrow.FIXED_SIZE_BINARY:
		return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
			return AppendBytes(dst, bytesAt(a, row)), nil
		}
	}
	return nil
}

func bytesAt(a arrow.Array, row int) []byte {
	switch c := a.(type) {
	case *array.Binary:
		return c.Value(row)
	case *array.LargeBinary:
		return c.Value(row)
	case *array.BinaryView:
		return c.Value(row)
	case *array.FixedSizeBinary:
		return c.Value(row)
	}
	return []byte(strings.Clone(a.ValueStr(row)))
}
