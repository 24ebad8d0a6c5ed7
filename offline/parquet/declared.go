package parquet

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// plainOrigin replaces the declared types that arrow-go recognizes but cannot
// read, such as durations, with the types in which they are stored.
func plainOrigin(t arrow.DataType) arrow.DataType {
	plain := func(f arrow.Field) arrow.Field {
		if d, ok := f.Type.(*arrow.DictionaryType); ok { // arrow-go makes none for lists that are all empty
			f.Type = d.ValueType
		}
		f.Type = plainOrigin(f.Type)
		return f
	}
	switch t := t.(type) {
	case *arrow.DurationType:
		return arrow.PrimitiveTypes.Int64
	case arrow.ExtensionType:
		return plainOrigin(t.StorageType())
	case *arrow.ListType:
		return arrow.ListOfField(plain(t.ElemField()))
	case *arrow.LargeListType:
		return arrow.LargeListOfField(plain(t.ElemField()))
	case *arrow.FixedSizeListType:
		return arrow.FixedSizeListOfField(t.Len(), plain(t.ElemField()))
	case *arrow.MapType:
		return arrow.MapOfFields(plain(t.KeyField()), plain(t.ItemField()))
	case *arrow.StructType:
		fields := t.Fields()
		for i := range fields {
			fields[i] = plain(fields[i])
		}
		return arrow.StructOf(fields...)
	}
	return t
}

// declared is the type that the writer of a column meant: the type that
// arrow-go reads, with durations, time zones, one-byte booleans and JSON text
// restored.
func declared(f *pqarrow.SchemaField, origin arrow.DataType, own *schema.Schema) arrow.DataType {
	if ext, ok := origin.(arrow.ExtensionType); ok && ext.ExtensionName() != "arrow.bool8" {
		origin = ext.StorageType()
	}
	elem := func() arrow.DataType {
		if list, ok := origin.(arrow.ListLikeType); ok {
			return list.Elem()
		}
		return nil
	}
	switch t := f.Field.Type.(type) {
	case *arrow.MapType:
		if pair, ok := declared(&f.Children[0], elem(), own).(*arrow.StructType); ok && pair.NumFields() == 2 {
			return arrow.MapOfFields(pair.Field(0), pair.Field(1))
		}
	case *arrow.ListType:
		return arrow.ListOfField(retyped(t.ElemField(), declared(&f.Children[0], elem(), own)))
	case *arrow.LargeListType:
		return arrow.LargeListOfField(retyped(t.ElemField(), declared(&f.Children[0], elem(), own)))
	case *arrow.FixedSizeListType:
		return arrow.FixedSizeListOfField(t.Len(), retyped(t.ElemField(), declared(&f.Children[0], elem(), own)))
	case *arrow.StructType:
		return declaredStruct(f, t, origin, own)
	default:
		if f.ColIndex >= 0 {
			return declaredLeaf(t, origin, own.Column(f.ColIndex))
		}
	}
	return f.Field.Type
}

func retyped(f arrow.Field, t arrow.DataType) arrow.Field {
	f.Type = t
	return f
}

func declaredStruct(f *pqarrow.SchemaField, t *arrow.StructType, origin arrow.DataType, own *schema.Schema) arrow.DataType {
	from, ok := origin.(*arrow.StructType)
	fields := t.Fields()
	for i := range f.Children {
		var child arrow.DataType
		if ok && from.NumFields() == len(fields) {
			child = from.Field(i).Type
		}
		fields[i].Type = declared(&f.Children[i], child, own)
	}
	return arrow.StructOf(fields...)
}

func declaredLeaf(t, origin arrow.DataType, leaf *schema.Column) arrow.DataType {
	if leaf.PhysicalType() == parquet.Types.Int96 {
		return &arrow.TimestampType{Unit: arrow.Nanosecond} // as Feast reads it: without a zone
	}
	_, isJSON := leaf.LogicalType().(schema.JSONLogicalType)
	switch from := origin.(type) {
	case *arrow.DurationType:
		if t.ID() == arrow.INT64 {
			return from
		}
	case arrow.ExtensionType: // only one-byte booleans get here
		if t.ID() == arrow.INT8 {
			return arrow.FixedWidthTypes.Boolean
		}
	case *arrow.TimestampType:
		if ts, ok := t.(*arrow.TimestampType); ok && ts.TimeZone == "UTC" && from.TimeZone != "" {
			return &arrow.TimestampType{Unit: ts.Unit, TimeZone: from.TimeZone}
		}
	}
	if isJSON && t.ID() == arrow.BINARY {
		return arrow.BinaryTypes.String
	}
	return t
}

// restore converts an array to the type that its column declares. It takes
// ownership of a.
func restore(a arrow.Array, want arrow.DataType) (arrow.Array, error) {
	if arrow.TypeEqual(a.DataType(), want) {
		return a, nil
	}
	defer a.Release()
	var out arrow.Array
	err := guard(func() error {
		d := restored(a.Data(), want)
		defer d.Release()
		out = array.MakeFromData(d)
		return nil
	})
	return out, err
}

// restored shares the buffers: all types but booleans have the layout of the
// type in which they were read.
func restored(d arrow.ArrayData, want arrow.DataType) arrow.ArrayData {
	if arrow.TypeEqual(d.DataType(), want) {
		d.Retain()
		return d
	}
	if want.ID() == arrow.BOOL {
		return booleans(d)
	}
	children := make([]arrow.ArrayData, len(d.Children()))
	for i, child := range d.Children() {
		t := childType(want, i, child.DataType())
		children[i] = restored(child, t)
	}
	defer func() {
		for _, child := range children {
			child.Release()
		}
	}()
	return array.NewData(want, d.Len(), d.Buffers(), children, d.NullN(), d.Offset())
}

func booleans(d arrow.ArrayData) arrow.ArrayData {
	from := array.NewInt8Data(d)
	defer from.Release()
	b := array.NewBooleanBuilder(memory.DefaultAllocator)
	defer b.Release()
	for i := range from.Len() {
		if from.IsNull(i) {
			b.AppendNull()
			continue
		}
		b.Append(from.Value(i) != 0)
	}
	a := b.NewBooleanArray()
	defer a.Release()
	a.Data().Retain()
	return a.Data()
}
