package asof

import "github.com/apache/arrow-go/v18/arrow"

// variable are the columns whose cells have no fixed size.
func variable(columns []arrow.ArrayData) []arrow.ArrayData {
	var some []arrow.ArrayData
	for _, c := range columns {
		if _, ok := width(c.DataType()); !ok {
			some = append(some, c)
		}
	}
	return some
}

// width is the bytes of each cell of a type; false if they differ.
func width(dt arrow.DataType) (int, bool) {
	switch t := under(dt).(type) {
	case *arrow.NullType, *arrow.BooleanType:
		return 1, true
	case *arrow.DictionaryType:
		return 0, false
	case *arrow.FixedSizeListType:
		n, ok := width(t.Elem())
		return n * int(t.Len()), ok
	case *arrow.StructType:
		sum := 0
		for _, f := range t.Fields() {
			n, ok := width(f.Type)
			if !ok {
				return 0, false
			}
			sum += n
		}
		return sum, true
	case arrow.FixedWidthDataType:
		return t.Bytes(), true
	}
	return 0, false
}

// under is what stores an extension type.
func under(dt arrow.DataType) arrow.DataType {
	for {
		t, ok := dt.(arrow.ExtensionType)
		if !ok {
			return dt
		}
		dt = t.StorageType()
	}
}

// rowBytes is about how many bytes a row of some columns has.
func rowBytes(columns []arrow.ArrayData, row int) int64 {
	n := int64(0)
	if row < 0 {
		return n
	}
	for _, c := range columns {
		n += spanBytes(c, row, row+1)
	}
	return n
}

// spanBytes is about how many bytes the rows from first to end of a column have.
func spanBytes(d arrow.ArrayData, first, end int) int64 {
	if first >= end {
		return 0
	}
	if n, ok := width(d.DataType()); ok {
		return int64(n) * int64(end-first)
	}
	switch t := under(d.DataType()).(type) {
	case *arrow.StringType, *arrow.BinaryType:
		o := offsetsOf[int32](d)
		return int64(o[end] - o[first])
	case *arrow.LargeStringType, *arrow.LargeBinaryType:
		o := offsetsOf[int64](d)
		return o[end] - o[first]
	case *arrow.ListType, *arrow.MapType:
		o := offsetsOf[int32](d)
		return spanBytes(d.Children()[0], int(o[first]), int(o[end]))
	case *arrow.LargeListType:
		o := offsetsOf[int64](d)
		return spanBytes(d.Children()[0], int(o[first]), int(o[end]))
	case *arrow.FixedSizeListType:
		n := int(t.Len())
		return spanBytes(d.Children()[0], (d.Offset()+first)*n, (d.Offset()+end)*n)
	case *arrow.StructType:
		n := int64(0)
		for _, c := range d.Children() {
			n += spanBytes(c, d.Offset()+first, d.Offset()+end)
		}
		return n
	case *arrow.DictionaryType:
		values := d.Dictionary()
		return (spanBytes(values, 0, values.Len())/int64(max(values.Len(), 1)) + 1) * int64(end-first)
	}
	return 16 * int64(end-first)
}
