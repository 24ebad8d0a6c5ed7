package spool

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Storage is dt with the storage type of each extension type. Arrow's stream
// format reads an extension type back only if the whole process has it
// registered.
func Storage(dt arrow.DataType) arrow.DataType {
	if t, ok := dt.(arrow.ExtensionType); ok {
		return Storage(t.StorageType())
	}
	return WithFields(dt, func(f arrow.Field) arrow.Field {
		f.Type = Storage(f.Type)
		return f
	})
}

// WithFields is dt with other fields, if it is a list, a map or a struct.
func WithFields(dt arrow.DataType, change func(arrow.Field) arrow.Field) arrow.DataType {
	switch t := dt.(type) {
	case *arrow.ListType:
		return arrow.ListOfField(change(t.ElemField()))
	case *arrow.LargeListType:
		return arrow.LargeListOfField(change(t.ElemField()))
	case *arrow.FixedSizeListType:
		return arrow.FixedSizeListOfField(t.Len(), change(t.ElemField()))
	case *arrow.MapType:
		m := arrow.MapOfFields(change(t.KeyField()), change(t.ItemField()))
		m.KeysSorted = t.KeysSorted
		return m
	case *arrow.StructType:
		fields := t.Fields()
		for i, f := range fields {
			fields[i] = change(f)
		}
		return arrow.StructOf(fields...)
	}
	return dt
}

// Retyped gives a column another type of the same storage: dt instead of
// Storage(dt), or the other way round. It shares the memory of d.
func Retyped(d arrow.ArrayData, dt arrow.DataType) arrow.ArrayData {
	if arrow.TypeEqual(d.DataType(), dt) {
		d.Retain()
		return d
	}
	inner := dt
	if t, ok := dt.(arrow.ExtensionType); ok {
		inner = t.StorageType()
	}
	children := slices.Clone(d.Children())
	for i := range children {
		of := children[i].DataType()
		switch t := inner.(type) {
		case arrow.ListLikeType:
			of = t.Elem()
		case *arrow.StructType:
			of = t.Field(i).Type
		}
		children[i] = Retyped(children[i], of)
		defer children[i].Release()
	}
	if dict, ok := d.Dictionary().(*array.Data); ok && dict != nil {
		return array.NewDataWithDictionary(dt, d.Len(), d.Buffers(), d.NullN(), d.Offset(), dict)
	}
	return array.NewData(dt, d.Len(), d.Buffers(), children, d.NullN(), d.Offset())
}

// stored is a schema of storage types, and whether it differs from the schema.
func stored(schema *arrow.Schema) (*arrow.Schema, bool) {
	fields := schema.Fields()
	same := true
	for i, f := range fields {
		fields[i].Type = Storage(f.Type)
		same = same && arrow.TypeEqual(fields[i].Type, f.Type)
	}
	if same {
		return schema, false
	}
	meta := schema.Metadata()
	return arrow.NewSchema(fields, &meta), true
}

// retyped gives the columns of a batch the types of a schema.
func retyped(batch arrow.RecordBatch, schema *arrow.Schema) arrow.RecordBatch {
	columns := make([]arrow.Array, batch.NumCols())
	for i, c := range batch.Columns() {
		d := Retyped(c.Data(), schema.Field(i).Type)
		columns[i] = array.MakeFromData(d)
		d.Release()
		defer columns[i].Release()
	}
	return array.NewRecordBatch(schema, columns, batch.NumRows())
}
