package offline

import (
	"os"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// batch is how many rows are made at once.
const batch = 64 << 10

// arrowTypes are the types of a file's columns, by the type in SQL.
var arrowTypes = map[string]arrow.DataType{
	"bigint": arrow.PrimitiveTypes.Int64, "double precision": arrow.PrimitiveTypes.Float64, "real": arrow.PrimitiveTypes.Float32,
	"text": arrow.BinaryTypes.String, "boolean": arrow.FixedWidthTypes.Boolean, "timestamptz": arrow.FixedWidthTypes.Timestamp_us,
}

// writeFile writes the table as a Parquet file.
func (t size) writeFile(path string) error {
	fields := make([]arrow.Field, len(t.columns))
	for i, c := range t.columns {
		fields[i] = arrow.Field{Name: c.name, Type: arrowTypes[c.sql], Nullable: true}
	}
	schema := arrow.NewSchema(fields, nil)
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	w, err := pqarrow.NewFileWriter(schema, out, parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy)), pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
	if err != nil {
		return err
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for from := 0; from < t.rows; from += batch {
		for i := from; i < min(from+batch, t.rows); i++ {
			for c, f := range b.Fields() {
				build(f, t.columns[c].at(i))
			}
		}
		rows := b.NewRecordBatch()
		err := w.Write(rows)
		rows.Release()
		if err != nil {
			return err
		}
	}
	return w.Close() // closes the file
}

func build(b array.Builder, cell any) {
	if cell == nil {
		b.AppendNull()
		return
	}
	switch b := b.(type) {
	case *array.Int64Builder:
		b.Append(cell.(int64))
	case *array.StringBuilder:
		b.Append(cell.(string))
	case *array.Float32Builder:
		b.Append(cell.(float32))
	case *array.BooleanBuilder:
		b.Append(cell.(bool))
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(cell.(time.Time).UnixMicro()))
	case *array.Float64Builder:
		b.Append(cell.(float64))
	}
}
