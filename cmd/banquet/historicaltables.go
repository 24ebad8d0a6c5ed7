package main

import (
	"fmt"
	"io"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/banquet-fs/banquet/fault"
)

// arrowTable writes Arrow's file format.
type arrowTable struct{ w *ipc.FileWriter }

func newArrowTable(to io.Writer, schema *arrow.Schema) (tableWriter, error) {
	w, err := ipc.NewFileWriter(to, ipc.WithSchema(schema))
	if err != nil {
		return nil, err
	}
	return arrowTable{w}, nil
}

func (t arrowTable) write(batch arrow.RecordBatch) error { return t.w.Write(batch) }
func (t arrowTable) close() error                        { return t.w.Close() }

// parquetTable writes Parquet. Its row groups are small enough to be held in memory.
type parquetTable struct {
	w    *pqarrow.FileWriter
	rows int64 // of a row group
	used int64
}

// groupCells is the number of cells of a row group.
const groupCells = 1 << 20

func newParquetTable(to io.Writer, schema *arrow.Schema) (tableWriter, error) {
	options := []parquet.WriterProperty{
		parquet.WithCompression(compress.Codecs.Zstd), parquet.WithCreatedBy("banquet " + version), parquet.WithMaxRowGroupLength(math.MaxInt64),
	}
	for _, f := range schema.Fields() {
		// A dictionary of numbers takes more memory than it saves in the file.
		if _, fixed := f.Type.(arrow.FixedWidthDataType); fixed {
			options = append(options, parquet.WithDictionaryFor(f.Name, false))
		}
	}
	props := parquet.NewWriterProperties(options...)
	types := pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema())
	for _, f := range schema.Fields() {
		err := recovered(func() error {
			_, err := pqarrow.ToParquet(arrow.NewSchema([]arrow.Field{f}, nil), props, types)
			return err
		})
		if err != nil {
			return nil, fault.New(fault.Invalid, "Parquet cannot hold column %s (%s); write the training set as .arrow or .csv", f.Name, f.Type).Because(err)
		}
	}
	const least, most = 1 << 10, 256 << 10
	rows := int64(groupCells / max(1, schema.NumFields()))
	t := &parquetTable{rows: min(max(rows, least), most)}
	return t, recovered(func() (err error) {
		t.w, err = pqarrow.NewFileWriter(schema, to, props, types)
		return err
	})
}

func (t *parquetTable) write(batch arrow.RecordBatch) error {
	return recovered(func() error {
		if t.used >= t.rows {
			t.w.NewBufferedRowGroup()
			t.used = 0
		}
		t.used += batch.NumRows()
		return t.w.WriteBuffered(batch)
	})
}

func (t *parquetTable) close() error { return recovered(t.w.Close) }

// recovered turns a panic of the library into an error.
func recovered(write func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	return write()
}
