package parquet

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"math"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/banquet-fs/banquet/fault"
)

// A row group ends with whichever of the two it reaches first.
const (
	groupRows  = 128 << 10
	groupBytes = 16 << 20
)

// magicBytes are at the begin and at the end of a Parquet file.
const magicBytes = "PAR1"

// extendParquet writes the old row groups byte by byte and adds new ones: the
// types, the compression and the metadata of the file stay, whatever wrote it. All
// that follows the data of a row group, such as an index, lies before the footer
// and is copied, too.
func (d *draft) extendParquet(ctx context.Context, p part, rows rowReader) (int64, error) {
	old, ok := p.(*parquetFile)
	if !ok {
		return 0, fault.New(fault.Internal, "%s is no Parquet file", p.at().path)
	}
	w, err := d.writerLike(ctx, old, rows)
	if err != nil {
		return 0, err
	}
	data, err := old.dataEnd()
	if err != nil {
		return 0, err
	}
	if err := d.copyPart(ctx, old.path, data); err != nil {
		return 0, err
	}
	n, groups, err := w.write(ctx, rows)
	if err != nil {
		return 0, err
	}
	return n, d.footer(old.meta, data, groups)
}

// imitateParquet writes a file with the columns of another one.
func (d *draft) imitateParquet(ctx context.Context, p part, rows rowReader) (int64, error) {
	like, ok := p.(*parquetFile)
	if !ok {
		return 0, fault.New(fault.Internal, "%s is no Parquet file", p.at().path)
	}
	w, err := d.writerLike(ctx, like, rows)
	if err != nil {
		return 0, err
	}
	if _, err := io.WriteString(d.out, magicBytes); err != nil {
		return 0, unwritable(d.source, d.path, err)
	}
	n, groups, err := w.write(ctx, rows)
	if err != nil {
		return 0, err
	}
	like.meta.RowGroups, like.meta.NumRows = nil, 0
	return n, d.footer(like.meta, int64(len(magicBytes)), groups)
}

// dataEnd is where the footer begins.
func (p *parquetFile) dataEnd() (int64, error) {
	f, err := os.Open(p.path)
	if err != nil {
		return 0, broken(p.path, err)
	}
	defer f.Close()
	var tail [8]byte
	if _, err := f.ReadAt(tail[:], p.info.Size()-int64(len(tail))); err != nil {
		return 0, p.broken(f, p.path, err)
	}
	end := p.info.Size() - int64(len(tail)) - int64(binary.LittleEndian.Uint32(tail[:4]))
	if end < int64(len(magicBytes)) {
		return 0, p.broken(f, p.path, damage{io.ErrUnexpectedEOF})
	}
	return end, nil
}

// footer writes the metadata of a file whose first row groups end at data, where
// more of them follow.
func (d *draft) footer(meta *metadata.FileMetaData, data int64, more *metadata.FileMetaData) error {
	if len(meta.RowGroups)+len(more.RowGroups) > math.MaxInt16 {
		return refuse(d.source, fault.Invalid, "it has %d row groups, and a Parquet file holds %d; write it again with fewer", len(meta.RowGroups), math.MaxInt16)
	}
	shift := data - int64(len(magicBytes)) // each part begins with the magic bytes, the second one without
	end := data
	for _, group := range more.RowGroups {
		ordinal := int16(len(meta.RowGroups))
		group.Ordinal = &ordinal
		moved(group.FileOffset, shift)
		for i, c := range group.Columns {
			c.FileOffset += shift
			m := c.MetaData
			m.PathInSchema = meta.Schema.Column(i).ColumnPath()
			m.DataPageOffset += shift
			start := m.DataPageOffset
			if m.DictionaryPageOffset != nil {
				moved(m.DictionaryPageOffset, shift)
				start = *m.DictionaryPageOffset
			}
			end = max(end, start+m.TotalCompressedSize)
		}
		meta.RowGroups = append(meta.RowGroups, group)
		meta.NumRows += group.NumRows
	}
	if err := d.file.Truncate(end); err != nil { // leaves out the footer of the second part
		return unwritable(d.source, d.path, err)
	}
	if _, err := d.file.Seek(end, io.SeekStart); err != nil {
		return unwritable(d.source, d.path, err)
	}
	var footer bytes.Buffer
	if _, err := meta.WriteTo(&footer, nil); err != nil { // of a later version of the format, or damaged
		return refuse(d.source, fault.Invalid, "its file has metadata that banquet cannot write; write the file again with plain types").Because(err)
	}
	tail := binary.LittleEndian.AppendUint32(nil, uint32(footer.Len()))
	footer.Write(append(tail, magicBytes...))
	if _, err := d.out.Write(footer.Bytes()); err != nil {
		return unwritable(d.source, d.path, err)
	}
	return nil
}

func moved(offset *int64, by int64) {
	if offset != nil {
		*offset += by
	}
}

// groupWriter writes rows as row groups.
type groupWriter struct {
	d *draft
	// schema is that of the batches as they are stored.
	schema *arrow.Schema
	fits   []fitting
	from   []int
	props  *parquet.WriterProperties
	arrow  pqarrow.ArrowWriterProperties
	// bare leaves out the magic bytes.
	bare bool
}

// writerLike makes a writer of row groups that fit to those of a file.
func (d *draft) writerLike(ctx context.Context, like *parquetFile, rows rowReader) (*groupWriter, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Of(err)
	}
	names := make([]string, len(like.list))
	for i, c := range like.list {
		names[i] = c.field.Name
	}
	w := &groupWriter{d: d, bare: true}
	var err error
	if w.from, err = d.match(names, rows); err != nil {
		return nil, err
	}
	if like.meta.IsSetEncryptionAlgorithm() {
		return nil, refuse(d.source, fault.Invalid, "%s is encrypted, which is not supported; write it without encryption", like.path)
	}
	var fields []arrow.Field
	for i := range like.list {
		c := &like.list[i]
		if c.problem != nil {
			return nil, refuse(d.source, fault.Invalid, "%s: column %s cannot be written: %s", like.path, c.field.Name, fault.Of(c.problem).Text).Because(c.problem)
		}
		fit, field := fittingOf(c)
		fit.from = rows.Schema().Field(w.from[i]).Type
		if !fits(fit.from, fit.to) {
			return nil, refuse(d.source, fault.Invalid, "column %s is %s, which does not hold cells of type %s; convert the column of the rows", c.field.Name, fit.to, fit.from)
		}
		w.fits, fields = append(w.fits, fit), append(fields, field)
	}
	w.schema = arrow.NewSchema(fields, nil)
	return w, w.imitate(like)
}

// imitate chooses the physical types and the compression of a file, and makes
// sure that arrow-go writes each column as the file has it.
func (w *groupWriter) imitate(like *parquetFile) error {
	leaves := like.meta.Schema
	int96, integers := false, false
	for i := range leaves.NumColumns() {
		leaf := leaves.Column(i)
		_, decimal := leaf.LogicalType().(schema.DecimalLogicalType)
		int96 = int96 || leaf.PhysicalType() == parquet.Types.Int96
		integers = integers || decimal && (leaf.PhysicalType() == parquet.Types.Int32 || leaf.PhysicalType() == parquet.Types.Int64)
	}
	w.arrow = pqarrow.NewArrowWriterProperties(pqarrow.WithDeprecatedInt96Timestamps(int96))
	options := []parquet.WriterProperty{parquet.WithStoreDecimalAsInteger(integers)}
	var own *schema.Schema
	if err := guard(func() (err error) {
		own, err = pqarrow.ToParquet(w.schema, parquet.NewWriterProperties(options...), w.arrow)
		return err
	}); err != nil || own.NumColumns() != leaves.NumColumns() {
		return refuse(w.d.source, fault.Invalid, "%s has columns that banquet cannot write; write the file again with plain types", like.path).Because(err)
	}
	for i := range leaves.NumColumns() {
		if !alike(leaves.Column(i), own.Column(i)) {
			return refuse(w.d.source, fault.Invalid, "%s: column %s is stored as %s, which banquet does not write; write the file again with a plain type", like.path, leaves.Column(i).Path(), stored(leaves.Column(i)))
		}
		options = append(options, parquet.WithCompressionPath(own.Column(i).ColumnPath(), like.codec(i)))
	}
	w.props = parquet.NewWriterProperties(options...)
	return nil
}

// alike reports whether pages of one column can be read as those of the other.
func alike(a, b *schema.Column) bool {
	if a.PhysicalType() == parquet.Types.FixedLenByteArray && a.TypeLength() != b.TypeLength() {
		return false
	}
	return a.PhysicalType() == b.PhysicalType() &&
		a.MaxDefinitionLevel() == b.MaxDefinitionLevel() && a.MaxRepetitionLevel() == b.MaxRepetitionLevel() &&
		(a.LogicalType().Equals(b.LogicalType()) || isLabel(a.LogicalType()))
}

// isLabel reports whether a logical type does not change what the bytes mean:
// plain integers have one or none, and some say more about a text.
func isLabel(t schema.LogicalType) bool {
	switch t.(type) {
	case schema.NoLogicalType, schema.IntLogicalType, schema.JSONLogicalType, schema.EnumLogicalType:
		return true
	}
	return false
}

func stored(c *schema.Column) string {
	if text := c.LogicalType().String(); text != "None" {
		return c.PhysicalType().String() + " (" + text + ")"
	}
	return c.PhysicalType().String()
}

// codec is the compression of a column, Snappy if there is none yet, or if it can
// only be read.
func (p *parquetFile) codec(column int) compress.Compression {
	if p.meta.NumRowGroups() > 0 {
		if chunk, err := p.meta.RowGroup(0).ColumnChunk(column); err == nil {
			if _, err := compress.GetCodec(chunk.Compression()); err == nil {
				return chunk.Compression()
			}
		}
	}
	return compress.Codecs.Snappy
}

// create writes a new file.
func (d *draft) create(ctx context.Context, rows rowReader) (int64, error) {
	w := &groupWriter{d: d, props: parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy)), arrow: pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema())}
	var fields []arrow.Field
	names := rows.Schema()
	if names.NumFields() == 0 {
		return 0, refuse(d.source, fault.Invalid, "the rows have no columns")
	}
	for i, f := range names.Fields() {
		if names.FieldIndices(f.Name)[0] != i {
			return 0, refuse(d.source, fault.Invalid, "the rows have two columns %s; rename one", f.Name)
		}
		fit := fitting{from: f.Type, to: kept(f.Type), nullable: true}
		fit.stored = fit.to
		field := arrow.Field{Name: f.Name, Type: fit.to, Nullable: true}
		if err := guard(func() error {
			_, err := pqarrow.ToParquet(arrow.NewSchema([]arrow.Field{field}, nil), w.props, w.arrow)
			return err
		}); err != nil || !fits(fit.from, fit.to) {
			return 0, refuse(d.source, fault.Invalid, "column %s is of type %s, which Parquet does not hold; convert it", f.Name, f.Type).Because(err)
		}
		w.fits, w.from, fields = append(w.fits, fit), append(w.from, i), append(fields, field)
	}
	made := arrow.NewMetadata([]string{mark}, []string{"its content may be replaced by banquet"})
	w.schema = arrow.NewSchema(fields, &made)
	n, _, err := w.write(ctx, rows)
	return n, err
}

// write writes all rows and returns how many, and the metadata of their groups.
func (w *groupWriter) write(ctx context.Context, rows rowReader) (n int64, meta *metadata.FileMetaData, err error) {
	out := bufio.NewWriterSize(w.d.out, 256<<10)
	to := &sink{w: out}
	if w.bare {
		to.skip = len(magicBytes)
	}
	var wr *pqarrow.FileWriter
	if err = guard(func() (err error) {
		wr, err = pqarrow.NewFileWriter(w.schema, to, w.props, w.arrow)
		return err
	}); err != nil {
		return 0, nil, w.failed(to, err)
	}
	for rows.Next() {
		if err := ctx.Err(); err != nil {
			return 0, nil, fault.Of(err)
		}
		if err := w.batch(ctx, wr, to, rows.RecordBatch(), n); err != nil {
			return 0, nil, err
		}
		n += rows.RecordBatch().NumRows()
	}
	if err := rows.Err(); err != nil {
		return 0, nil, err
	}
	if err := guard(func() (err error) {
		if err = wr.Close(); err == nil {
			meta, err = wr.FileMetadata()
		}
		return err
	}); err != nil {
		return 0, nil, w.failed(to, err)
	}
	if err := out.Flush(); err != nil {
		return 0, nil, unwritable(w.d.source, w.d.path, err)
	}
	return n, meta, nil
}

// batch writes a batch in pieces of which each fits into a row group.
func (w *groupWriter) batch(ctx context.Context, wr *pqarrow.FileWriter, to *sink, batch arrow.RecordBatch, before int64) error {
	const piece = 8 << 10
	for at := int64(0); at < batch.NumRows(); at += piece {
		part := batch.NewSlice(at, min(at+piece, batch.NumRows()))
		columns, err := w.columns(ctx, part, before+at)
		part.Release()
		if err != nil {
			return err
		}
		made := array.NewRecordBatch(w.schema, columns, int64(columns[0].Len()))
		for _, c := range columns {
			c.Release()
		}
		err = guard(func() error {
			rows, err := wr.RowGroupNumRows()
			if err == nil && (rows >= groupRows || wr.RowGroupTotalBytesWritten()+wr.RowGroupTotalCompressedBytes() >= groupBytes) {
				err = wr.NewBufferedRowGroupChecked()
			}
			if err != nil {
				return err
			}
			return wr.WriteBuffered(made)
		})
		made.Release()
		if err != nil {
			return w.failed(to, err)
		}
	}
	return nil
}

// columns converts the columns of a batch.
func (w *groupWriter) columns(ctx context.Context, batch arrow.RecordBatch, before int64) (columns []arrow.Array, err error) {
	for i, at := range w.from {
		a, err := w.fits[i].convert(ctx, batch.Column(at))
		if err != nil {
			for _, c := range columns {
				c.Release()
			}
			if ctx.Err() != nil {
				return nil, fault.Of(ctx.Err())
			}
			row, why := placeOf(err)
			return nil, w.d.cellFault(w.schema.Field(i).Name, before+int64(row)+1, why)
		}
		columns = append(columns, a)
	}
	return columns, nil
}

func (w *groupWriter) failed(to *sink, err error) error {
	if to.err != nil {
		err = to.err
	}
	return unwritable(w.d.source, w.d.path, err)
}

// sink leaves out the first bytes, and keeps the error of the file.
type sink struct {
	w    io.Writer
	skip int
	err  error
}

func (s *sink) Write(p []byte) (int, error) {
	left := min(s.skip, len(p))
	s.skip -= left
	n, err := s.w.Write(p[left:])
	if err != nil {
		s.err = err
	}
	return n + left, err
}
