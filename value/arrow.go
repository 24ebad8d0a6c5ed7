package value

import (
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/extensions"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// appendFunc appends the Value of a row that is not null. If it appends
// nothing, the Value is null.
type appendFunc func(dst []byte, a arrow.Array, row int) ([]byte, error)

// ArrowEncoder turns the cells of an Arrow column into Values of one type. It
// is made once for a column's type and safe for concurrent use.
//
// The conversions are those of Feast's materialization, but exact: integers of
// a column that holds nulls do not pass through a float, and where Feast would
// cut, guess or lose something, the result is an Invalid fault that shows the
// cell. An encoder can be made for any pair of types: where the types do not
// fit, nulls still become null, and the first cell that is not null is refused.
type ArrowEncoder struct {
	scalar appendFunc
	// null is how a feature's null is stored.
	null []byte
}

// NewArrowEncoder makes an encoder of columns of type dt into features of type
// t. Numbers are cut to integers, as Feast does with features.
func NewArrowEncoder(dt arrow.DataType, t types.ValueType_Enum) *ArrowEncoder {
	return newEncoder(dt, t, cut)
}

// NewArrowKeyEncoder makes an encoder of columns of type dt into join keys of
// type t. It refuses a number with a fraction as an integer key, since cutting
// the fraction would give another row's key.
func NewArrowKeyEncoder(dt arrow.DataType, t types.ValueType_Enum) *ArrowEncoder {
	return newEncoder(dt, t, exact)
}

func newEncoder(dt arrow.DataType, t types.ValueType_Enum, how fraction) *ArrowEncoder {
	e := &ArrowEncoder{scalar: encoderOf(dt, t, how)}
	if e.scalar == nil {
		e.scalar = misfit(dt, t)
	}
	if t == types.ValueType_UNIX_TIMESTAMP && nullIsTime(plain(dt)) {
		e.null = AppendUnixTimestamp(nil, noTime)
	}
	return e
}

// misfit refuses the first cell that is not null.
func misfit(dt arrow.DataType, t types.ValueType_Enum) appendFunc {
	return unpacked(dt, func([]byte, arrow.Array, int) ([]byte, error) {
		return nil, fault.New(fault.Invalid, "a column of type %s does not fit value type %s", plain(dt), t)
	})
}

// nullIsTime reports whether Feast stores a column's null as the lowest
// timestamp, which every reader of Feast treats as null.
func nullIsTime(dt arrow.DataType) bool {
	switch dt.ID() {
	case arrow.TIMESTAMP, arrow.DATE32, arrow.DATE64, arrow.FLOAT16, arrow.FLOAT32, arrow.FLOAT64:
		return true
	default:
		return arrow.IsInteger(dt.ID())
	}
}

// plain is the type of a column's values, however they are packed.
func plain(dt arrow.DataType) arrow.DataType {
	switch d := dt.(type) {
	case *arrow.DictionaryType:
		return plain(d.ValueType)
	case *arrow.RunEndEncodedType:
		return plain(d.Encoded())
	}
	return dt
}

// AppendFeature appends the Value of a feature's row as Feast stores it: the
// null of a time column is the lowest timestamp, which every reader of Feast
// treats as null; any other null appends nothing.
func (e *ArrowEncoder) AppendFeature(dst []byte, a arrow.Array, row int) ([]byte, error) {
	if !a.IsNull(row) {
		before := len(dst)
		out, err := e.scalar(dst, a, row)
		if err != nil || len(out) > before {
			return out, err
		}
		dst = out
	}
	return append(dst, e.null...), nil
}

// Append appends the Value of a row; a null appends nothing, which is the null
// Value.
func (e *ArrowEncoder) Append(dst []byte, a arrow.Array, row int) ([]byte, error) {
	if a.IsNull(row) {
		return dst, nil
	}
	return e.scalar(dst, a, row)
}

// encoderOf returns the conversion between two types, nil if none exists.
func encoderOf(dt arrow.DataType, t types.ValueType_Enum, how fraction) appendFunc {
	switch d := dt.(type) {
	case *arrow.NullType:
		return func(dst []byte, _ arrow.Array, _ int) ([]byte, error) { return dst, nil }
	case *arrow.DictionaryType:
		return dictionaryEncoder(encoderOf(d.ValueType, t, how))
	case *arrow.RunEndEncodedType:
		return runsEncoder(encoderOf(d.Encoded(), t, how))
	case arrow.ExtensionType:
		return extensionEncoder(d, t, how)
	}
	switch t {
	case types.ValueType_INT32, types.ValueType_INT64:
		return integerEncoder(dt, t, how)
	case types.ValueType_UNIX_TIMESTAMP:
		return timeEncoder(dt, how)
	case types.ValueType_BOOL:
		return boolEncoder(dt)
	case types.ValueType_DOUBLE, types.ValueType_FLOAT:
		return floatEncoder(dt, t)
	case types.ValueType_STRING, types.ValueType_UUID, types.ValueType_TIME_UUID, types.ValueType_DECIMAL:
		return textEncoder(dt, t)
	case types.ValueType_JSON:
		return jsonEncoder(dt)
	case types.ValueType_BYTES, 30, 31: // 30 and 31 are PDF_BYTES and IMAGE_BYTES, kept as bytes
		return bytesEncoder(dt)
	case types.ValueType_MAP, types.ValueType_STRUCT:
		return mapEncoder(dt, t)
	case types.ValueType_MAP_LIST, types.ValueType_STRUCT_LIST:
		return mapListEncoder(dt, t)
	case types.ValueType_VALUE_LIST, types.ValueType_VALUE_SET:
		return nestedEncoder(dt, t)
	default:
		return listEncoder(dt, t, false)
	}
}

// unpacked lets an encoder of plain cells read packed ones.
func unpacked(dt arrow.DataType, inner appendFunc) appendFunc {
	switch d := dt.(type) {
	case *arrow.DictionaryType:
		return dictionaryEncoder(unpacked(d.ValueType, inner))
	case *arrow.RunEndEncodedType:
		return runsEncoder(unpacked(d.Encoded(), inner))
	}
	return inner
}

func dictionaryEncoder(inner appendFunc) appendFunc {
	if inner == nil {
		return nil
	}
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		dict, ok := a.(*array.Dictionary)
		if !ok {
			return nil, wrongArray(a)
		}
		return orNull(inner, dst, dict.Dictionary(), dict.GetValueIndex(row))
	}
}

func runsEncoder(inner appendFunc) appendFunc {
	if inner == nil {
		return nil
	}
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		runs, ok := a.(*array.RunEndEncoded)
		if !ok {
			return nil, wrongArray(a)
		}
		return orNull(inner, dst, runs.Values(), runs.GetPhysicalIndex(row))
	}
}

func orNull(inner appendFunc, dst []byte, a arrow.Array, at int) ([]byte, error) {
	if a.IsNull(at) {
		return dst, nil
	}
	return inner(dst, a, at)
}

// extensionEncoder handles extension types: PostgreSQL's decimals and one-byte
// booleans; any other is converted as its storage type, as in Feast.
func extensionEncoder(d arrow.ExtensionType, t types.ValueType_Enum, how fraction) appendFunc {
	var inner appendFunc
	switch d := d.(type) {
	case *DecimalText:
		return decimalTextEncoder(d, t, how)
	case *extensions.Bool8Type:
		if t != types.ValueType_BOOL {
			return nil
		}
		inner = boolEncoder(d.StorageType())
	default:
		inner = encoderOf(d.StorageType(), t, how)
	}
	if inner == nil {
		return nil
	}
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		ext, ok := a.(array.ExtensionArray)
		if !ok {
			return nil, wrongArray(a)
		}
		return inner(dst, ext.Storage(), row)
	}
}

func wrongArray(a arrow.Array) error {
	return fault.New(fault.Internal, "a column of type %s holds cells of another type", a.DataType())
}

func bytesEncoder(dt arrow.DataType) appendFunc {
	switch dt.ID() {
	case arrow.BINARY, arrow.LARGE_BINARY, arrow.BINARY_VIEW, arrow.FIXED_SIZE_BINARY:
		return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
			b, err := bytesAt(a, row)
			if err != nil {
				return nil, err
			}
			return AppendBytes(dst, b), nil
		}
	}
	return nil
}

func bytesAt(a arrow.Array, row int) ([]byte, error) {
	switch c := a.(type) {
	case *array.Binary:
		return c.Value(row), nil
	case *array.LargeBinary:
		return c.Value(row), nil
	case *array.BinaryView:
		return c.Value(row), nil
	case *array.FixedSizeBinary:
		return c.Value(row), nil
	}
	return nil, wrongArray(a)
}

func isText(dt arrow.DataType) bool {
	switch dt.ID() {
	case arrow.STRING, arrow.LARGE_STRING, arrow.STRING_VIEW:
		return true
	}
	return false
}

// textAt reads a text. It must be UTF-8: text that every reader would refuse is
// refused before it is stored.
func textAt(a arrow.Array, row int) (string, error) {
	var s string
	switch c := a.(type) {
	case *array.String:
		s = c.Value(row)
	case *array.LargeString:
		s = c.Value(row)
	case *array.StringView:
		s = c.Value(row)
	default:
		return "", wrongArray(a)
	}
	if !utf8.ValidString(s) {
		return "", notUTF8(s)
	}
	return s, nil
}

func notUTF8(s string) error {
	return fault.New(fault.Invalid, "the text %s is not UTF-8", quoted(s))
}
