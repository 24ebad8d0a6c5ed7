package parquet

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/banquet-fs/banquet/gen/feast/types"
)

// valueType is the value type that Feast gives an Arrow type; false for types
// that Feast cannot infer. Feast looks at the name of a list's element: lists
// whose element is called item, as old writers call it, are read with every
// type, those with element only with five types, and if they have no fixed size.
func valueType(dt arrow.DataType) (types.ValueType_Enum, bool) {
	var element arrow.Field
	switch list := dt.(type) {
	case *arrow.ListType:
		element = list.ElemField()
	case *arrow.FixedSizeListType:
		if element = list.ElemField(); element.Name != "item" {
			return 0, false
		}
	default:
		return plainType(dt)
	}
	inner, isList := element.Type.(*arrow.ListType)
	switch {
	case element.Name != "item":
		return elementType(element)
	case isList && inner.ElemField().Name == "item":
		return types.ValueType_VALUE_LIST, true
	case isList || !element.Nullable:
		return 0, false
	}
	t, ok := plainType(element.Type)
	if !ok {
		return 0, false
	}
	switch t {
	case types.ValueType_MAP:
		return types.ValueType_MAP_LIST, true
	case types.ValueType_STRUCT:
		return types.ValueType_STRUCT_LIST, true
	case types.ValueType_JSON:
		return types.ValueType_JSON_LIST, true
	}
	return t + types.ValueType_BYTES_LIST - types.ValueType_BYTES, true
}

// elementType is the type of a list whose element is called element.
func elementType(f arrow.Field) (types.ValueType_Enum, bool) {
	if f.Name != "element" || !f.Nullable {
		return 0, false
	}
	switch f.Type.ID() {
	case arrow.FLOAT64:
		return types.ValueType_DOUBLE_LIST, true
	case arrow.INT64:
		return types.ValueType_INT64_LIST, true
	case arrow.INT32:
		return types.ValueType_INT32_LIST, true
	case arrow.BOOL:
		return types.ValueType_BOOL_LIST, true
	case arrow.FLOAT32:
		return types.ValueType_FLOAT_LIST, true
	}
	return 0, false
}

func plainType(dt arrow.DataType) (types.ValueType_Enum, bool) {
	switch dt.ID() {
	case arrow.INT8, arrow.INT16, arrow.INT32, arrow.UINT8, arrow.UINT16:
		return types.ValueType_INT32, true
	case arrow.INT64, arrow.UINT32, arrow.UINT64:
		return types.ValueType_INT64, true
	case arrow.FLOAT64:
		return types.ValueType_DOUBLE, true
	case arrow.FLOAT32:
		return types.ValueType_FLOAT, true
	case arrow.STRING:
		return types.ValueType_STRING, true
	case arrow.LARGE_STRING:
		return types.ValueType_JSON, true
	case arrow.BINARY:
		return types.ValueType_BYTES, true
	case arrow.BOOL:
		return types.ValueType_BOOL, true
	case arrow.TIMESTAMP:
		return types.ValueType_UNIX_TIMESTAMP, true
	case arrow.MAP:
		return types.ValueType_MAP, true
	case arrow.STRUCT:
		return types.ValueType_STRUCT, true
	}
	return 0, false
}
