package value

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// nativeNames are Arrow's own names of the types without parameters. Go's Arrow
// calls some of them otherwise.
var nativeNames = map[arrow.Type]string{
	arrow.NULL: "null", arrow.BOOL: "bool", arrow.FLOAT16: "halffloat", arrow.FLOAT32: "float", arrow.FLOAT64: "double",
	arrow.STRING: "string", arrow.LARGE_STRING: "large_string", arrow.STRING_VIEW: "string_view",
	arrow.BINARY: "binary", arrow.LARGE_BINARY: "large_binary", arrow.BINARY_VIEW: "binary_view",
	arrow.DATE32: "date32[day]", arrow.DATE64: "date64[ms]",
}

// ArrowName is Arrow's name of a column's type, as Feast shows it.
func ArrowName(column string, dt arrow.DataType) string {
	if name, ok := nativeNames[dt.ID()]; ok {
		return name
	}
	switch t := dt.(type) {
	case arrow.DecimalType:
		return fmt.Sprintf("decimal%d(%d, %d)", t.BitWidth(), t.GetPrecision(), t.GetScale())
	case *arrow.DictionaryType:
		ordered := 0
		if t.Ordered {
			ordered = 1
		}
		return fmt.Sprintf("dictionary<values=%s, indices=%s, ordered=%d>", ArrowName(column, t.ValueType), ArrowName(column, t.IndexType), ordered)
	case *arrow.ListType:
		return "list<" + nativeField(t.ElemField()) + ">"
	case *arrow.LargeListType:
		return "large_list<" + nativeField(t.ElemField()) + ">"
	case *arrow.FixedSizeListType:
		return fmt.Sprintf("fixed_size_list<%s>[%d]", nativeField(t.ElemField()), t.Len())
	case *arrow.MapType: // Arrow calls the items of a file's map like its column, and shows any name but value
		name := " ('" + column + "')"
		if column == "value" {
			name = ""
		}
		return fmt.Sprintf("map<%s, %s%s>", ArrowName("key", t.KeyType()), ArrowName("value", t.ItemType()), name)
	case *arrow.StructType:
		fields := make([]string, t.NumFields())
		for i, f := range t.Fields() {
			fields[i] = nativeField(f)
		}
		return "struct<" + strings.Join(fields, ", ") + ">"
	}
	return dt.String()
}

func nativeField(f arrow.Field) string {
	name := f.Name + ": " + ArrowName(f.Name, f.Type)
	if !f.Nullable {
		name += " not null"
	}
	return name
}
