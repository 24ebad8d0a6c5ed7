package parquet

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"os"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/offline"
)

// parquetFile is a Parquet file.
type parquetFile struct {
	place
	info os.FileInfo
	meta *metadata.FileMetaData
	list []fileColumn
	// from and to bound the row groups that are read; to is exclusive.
	from, to int
	// sharers is how many readers share the memory of one batch; 0 is one.
	sharers int64
}

func openParquet(path string) (part, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, broken(path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, broken(path, err)
	}
	if err := checkMagic(f, path, info.Size()); err != nil {
		return nil, err
	}
	p := &parquetFile{place: place{path: path}, info: info}
	err = guard(func() error {
		reader, err := file.NewParquetReader(f, file.WithReadProps(p.props()))
		if err != nil {
			return err
		}
		p.meta = reader.MetaData()
		p.list = fileColumns(p.meta)
		p.to = p.meta.NumRowGroups()
		return nil
	})
	if err != nil {
		return nil, broken(path, err)
	}
	return p, nil
}

// checkMagic distinguishes a file of another format from a damaged Parquet
// file.
func checkMagic(f *os.File, path string, size int64) error {
	const magic, encrypted = "PAR1", "PARE"
	var first, last [4]byte
	if size >= 12 {
		if _, err := f.ReadAt(first[:], 0); err != nil {
			return broken(path, err)
		}
		if _, err := f.ReadAt(last[:], size-4); err != nil {
			return broken(path, err)
		}
	}
	switch {
	case string(last[:]) == encrypted:
		return fault.New(fault.Invalid, "%s is encrypted, which is not supported; write it without encryption", path)
	case string(last[:]) == magic:
		return nil
	case string(first[:]) == magic:
		return fault.New(fault.Invalid, "%s is a Parquet file that lacks its end; it was cut short or is still being written", path)
	}
	return fault.New(fault.Invalid, "%s is not a Parquet file; the name of a CSV file must end in .csv", path)
}

// props make arrow-go read page by page: by default it holds a whole column of
// a row group. They bound the size that a page may claim.
func (p *parquetFile) props() *parquet.ReaderProperties {
	props := parquet.NewReaderProperties(memory.DefaultAllocator)
	props.BufferedStreamEnabled = true
	props.BufferSize = 64 << 10
	props.MaxCompressedPageSize = min(p.info.Size(), math.MaxInt32)
	props.MaxUncompressedPageSize = 1 << 30
	return props
}

func (p *parquetFile) columns(context.Context) ([]offline.Column, error) {
	columns := make([]offline.Column, len(p.list))
	for i, c := range p.list {
		if c.problem != nil {
			columns[i] = offline.Column{Name: c.field.Name, Unmapped: "a type that cannot be read"}
			continue
		}
		columns[i] = columnOf(c.field.Name, c.field.Type)
	}
	return columns, nil
}

func (p *parquetFile) typeOf(_ context.Context, w want) (arrow.DataType, error) {
	c := p.column(w.name)
	switch {
	case c == nil:
		return nil, nil
	case c.problem != nil:
		return nil, fault.New(fault.Invalid, "%s: column %s cannot be read: %s", p.path, w.name, fault.Of(c.problem).Text).Because(c.problem)
	}
	return c.field.Type, nil
}

func (p *parquetFile) column(name string) *fileColumn {
	if i := slices.IndexFunc(p.list, func(c fileColumn) bool { return c.field.Name == name }); i >= 0 {
		return &p.list[i]
	}
	return nil
}

// read reads, one by one, the row groups that their statistics do not rule out,
// so that each row's number in the file is known.
func (p *parquetFile) read(ctx context.Context, wants []want, when bounds) iter.Seq2[*chunk, error] {
	return func(yield func(*chunk, error) bool) {
		f, err := os.Open(p.path)
		if err != nil {
			yield(nil, broken(p.path, err))
			return
		}
		defer f.Close()
		if err := changed(f, p.path, p.info, nil); err != nil { // others read the file that it was
			yield(nil, err)
			return
		}
		s, err := p.scanner(ctx, f, wants)
		if err != nil {
			yield(nil, p.broken(f, p.path, err))
			return
		}
		first := int64(0)
		for g := range p.to {
			rows := p.meta.RowGroup(g).NumRows()
			if g >= p.from && !p.outside(g, when) && !s.group(g, first, rows, yield) {
				return
			}
			first += rows
		}
	}
}

// broken says why reading ended.
func (p *parquetFile) broken(f *os.File, where string, err error) error {
	if late := changed(f, p.path, p.info, err); late != nil {
		return late
	}
	return broken(where, err)
}

// scanner reads row groups of an open file.
type scanner struct {
	ctx    context.Context
	part   *parquetFile
	file   *os.File
	reader *file.Reader
	arrow  *pqarrow.FileReader
	// wanted are the columns of the chunks, nil where the file lacks one.
	wanted []*fileColumn
	size   sizer
}

func (p *parquetFile) scanner(ctx context.Context, f *os.File, wants []want) (*scanner, error) {
	s := &scanner{ctx: ctx, part: p, file: f, size: sizer{sharers: max(1, p.sharers)}}
	for _, w := range wants {
		s.wanted = append(s.wanted, p.column(w.name))
	}
	err := guard(func() error {
		var err error
		s.reader, s.arrow, err = arrowReader(f, p.props(), p.meta, p.list)
		return err
	})
	return s, err
}

// group reads one row group; first is the number of its first row in the file.
func (s *scanner) group(g int, first, rows int64, yield func(*chunk, error) bool) bool {
	readers := make([]*pqarrow.ColumnReader, len(s.wanted))
	defer func() {
		for _, r := range readers {
			if r != nil {
				r.Release()
			}
		}
	}()
	for i, c := range s.wanted {
		if c == nil {
			continue
		}
		var err error
		if readers[i], err = s.open(c, g); err != nil {
			yield(nil, s.part.broken(s.file, s.part.path+", column "+c.field.Name, err))
			return false
		}
	}
	for at := int64(0); at < rows; {
		n := min(s.size.next(s.part.rowBytes(g, s.wanted)), rows-at)
		c, err := s.chunk(readers, g, first, at, n)
		if err != nil {
			yield(nil, err)
			return false
		}
		s.size.saw(c)
		if !yield(c, nil) {
			return false
		}
		at += n
	}
	return true
}

// chunk reads the next n rows of all columns.
func (s *scanner) chunk(readers []*pqarrow.ColumnReader, g int, first, at, n int64) (*chunk, error) {
	c := &chunk{columns: make([]arrow.Array, len(readers)), rows: int(n), place: func(row int) string {
		return fmt.Sprintf("%s, row %d", s.part.path, first+at+int64(row)+1)
	}}
	for i, r := range readers {
		if r == nil {
			continue
		}
		if err := s.ctx.Err(); err != nil {
			c.release()
			return nil, fault.Of(err)
		}
		var err error
		if c.columns[i], err = next(r, n); err == nil {
			c.columns[i], err = restore(c.columns[i], s.wanted[i].field.Type)
		}
		if err != nil {
			c.release()
			return nil, s.cellFault(s.wanted[i], g, first, at, n, err)
		}
	}
	return c, nil
}

// next reads n rows of a column into one array.
func next(r *pqarrow.ColumnReader, n int64) (arrow.Array, error) {
	var a arrow.Array
	err := guard(func() error {
		chunked, err := r.NextBatch(n)
		if err != nil {
			return err
		}
		defer chunked.Release()
		if int64(chunked.Len()) != n {
			return damage{fmt.Errorf("a column has %d of %d rows", chunked.Len(), n)}
		}
		if len(chunked.Chunks()) == 1 {
			a = chunked.Chunk(0)
			a.Retain()
			return nil
		}
		a, err = array.Concatenate(chunked.Chunks(), memory.DefaultAllocator)
		return err
	})
	return a, err
}

// open makes the reader of a column in a row group.
func (s *scanner) open(c *fileColumn, g int) (*pqarrow.ColumnReader, error) {
	var r *pqarrow.ColumnReader
	err := guard(func() error {
		for leaf := range c.leaves {
			if err := s.openable(g, leaf); err != nil {
				return err
			}
			// arrow-go opens the columns of structs in goroutines of its own,
			// where a panic cannot be recovered. What would panic there panics
			// here first.
			if _, err := s.reader.RowGroup(g).GetColumnPageReader(leaf); err != nil {
				return err
			}
		}
		var err error
		r, err = s.arrow.GetFieldReader(s.ctx, c.index, c.leaves, []int{g})
		return err
	})
	return r, err
}

// openable refuses columns that are known to be unreadable.
func (s *scanner) openable(g, leaf int) error {
	chunk, err := s.part.meta.RowGroup(g).ColumnChunk(leaf)
	if err != nil {
		return err
	}
	where := fmt.Sprintf("%s: column %s", s.part.path, s.part.meta.Schema.Column(leaf).Path())
	if chunk.CryptoMetadata() != nil {
		return fault.New(fault.Invalid, "%s is encrypted, which is not supported; write it without encryption", where)
	}
	if _, err := compress.GetCodec(chunk.Compression()); err != nil {
		return fault.New(fault.Invalid, "%s is compressed with %s, which is not supported; write it with snappy or zstd", where, chunk.Compression()).Because(err)
	}
	return nil
}

// cellFault finds the row at which reading a column failed: it reads the rows
// again, one by one, until one fails.
func (s *scanner) cellFault(c *fileColumn, g int, first, at, n int64, cause error) error {
	where := s.part.path + ", column " + c.field.Name
	if r, err := s.open(c, g); err == nil {
		if row := failing(s.ctx, r, at, n); row < n {
			where = fmt.Sprintf("%s, row %d, column %s", s.part.path, first+at+row+1, c.field.Name)
		}
		r.Release()
	}
	if c.int96 && errors.Is(cause, arrow.ErrInvalid) {
		return fault.New(fault.Invalid, "%s: the time does not fit nanoseconds, the years 1677 to 2262; write the column as a timestamp of microseconds", where).Because(cause)
	}
	return s.part.broken(s.file, where, cause)
}

// failing counts the rows that can be read from at, up to n.
func failing(ctx context.Context, r *pqarrow.ColumnReader, at, n int64) int64 {
	read := func(rows int64) bool {
		a, err := next(r, rows)
		if err != nil || ctx.Err() != nil {
			return false
		}
		a.Release()
		return true
	}
	for skipped := int64(0); skipped < at; skipped += n {
		if !read(min(n, at-skipped)) {
			return n
		}
	}
	for row := range n {
		if !read(1) {
			return row
		}
	}
	return n
}
