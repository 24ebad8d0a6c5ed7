package ingest

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/gen/feast/types"
)

// arrowTypeOf is the Arrow type of a value type, for cells that become rows of a source;
// INVALID stands for times. known is false for nested types.
func arrowTypeOf(t types.ValueType_Enum) (dt arrow.DataType, known bool) {
	switch t {
	case types.ValueType_INVALID:
		return arrow.FixedWidthTypes.Timestamp_us, true
	case types.ValueType_BOOL:
		return arrow.FixedWidthTypes.Boolean, true
	case types.ValueType_INT32:
		return arrow.PrimitiveTypes.Int32, true
	case types.ValueType_INT64:
		return arrow.PrimitiveTypes.Int64, true
	case types.ValueType_UNIX_TIMESTAMP:
		return &arrow.TimestampType{Unit: arrow.Second, TimeZone: "UTC"}, true
	case types.ValueType_FLOAT:
		return arrow.PrimitiveTypes.Float32, true
	case types.ValueType_DOUBLE:
		return arrow.PrimitiveTypes.Float64, true
	case types.ValueType_STRING, types.ValueType_UUID, types.ValueType_TIME_UUID, types.ValueType_DECIMAL, types.ValueType_JSON:
		return arrow.BinaryTypes.String, true
	case types.ValueType_BYTES:
		return arrow.BinaryTypes.Binary, true
	case types.ValueType_BYTES_LIST, types.ValueType_STRING_LIST, types.ValueType_INT32_LIST, types.ValueType_INT64_LIST, types.ValueType_DOUBLE_LIST,
		types.ValueType_FLOAT_LIST, types.ValueType_BOOL_LIST, types.ValueType_UNIX_TIMESTAMP_LIST:
		element, _ := arrowTypeOf(t - 10) // the numbers of lists are those of their elements plus 10
		return arrow.ListOf(element), true
	case types.ValueType_UUID_LIST:
		return arrow.ListOf(arrow.BinaryTypes.String), true
	}
	return nil, false
}

// appendValue appends a Value to a builder of its Arrow type.
func appendValue(b array.Builder, v *types.Value) {
	switch b := b.(type) {
	case *array.BooleanBuilder:
		b.Append(v.GetBoolVal())
	case *array.Int32Builder:
		b.Append(v.GetInt32Val())
	case *array.Int64Builder:
		b.Append(v.GetInt64Val())
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(v.GetUnixTimestampVal()))
	case *array.Float32Builder:
		b.Append(v.GetFloatVal())
	case *array.Float64Builder:
		b.Append(v.GetDoubleVal())
	case *array.BinaryBuilder:
		b.Append(v.GetBytesVal())
	case *array.StringBuilder:
		b.Append(textOf(v))
	case *array.ListBuilder:
		b.Append(true)
		appendList(b.ValueBuilder(), v)
	}
}

// textOf is the text of a Value that is kept as text.
func textOf(v *types.Value) string {
	switch v := v.GetVal().(type) {
	case *types.Value_UuidVal:
		return v.UuidVal
	case *types.Value_TimeUuidVal:
		return v.TimeUuidVal
	case *types.Value_DecimalVal:
		return v.DecimalVal
	case *types.Value_JsonVal:
		return v.JsonVal
	}
	return v.GetStringVal()
}

// appendList appends the elements of a list.
func appendList(b array.Builder, v *types.Value) {
	switch b := b.(type) {
	case *array.BooleanBuilder:
		b.AppendValues(v.GetBoolListVal().GetVal(), nil)
	case *array.Int32Builder:
		b.AppendValues(v.GetInt32ListVal().GetVal(), nil)
	case *array.Int64Builder:
		b.AppendValues(v.GetInt64ListVal().GetVal(), nil)
	case *array.TimestampBuilder:
		for _, t := range v.GetUnixTimestampListVal().GetVal() {
			b.Append(arrow.Timestamp(t))
		}
	case *array.Float32Builder:
		b.AppendValues(v.GetFloatListVal().GetVal(), nil)
	case *array.Float64Builder:
		b.AppendValues(v.GetDoubleListVal().GetVal(), nil)
	case *array.BinaryBuilder:
		b.AppendValues(v.GetBytesListVal().GetVal(), nil)
	case *array.StringBuilder:
		list := v.GetStringListVal().GetVal()
		if u := v.GetUuidListVal(); u != nil {
			list = u.GetVal()
		}
		b.AppendValues(list, nil)
	}
}
