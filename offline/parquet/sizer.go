package parquet

import (
	"github.com/apache/arrow-go/v18/arrow"
)

// sizer says how many rows the next batch may have. It begins small and grows:
// what a file tells of its sizes is that of its pages, in which a long text that
// a thousand rows share stands once.
type sizer struct {
	rows     int64
	perRow   int64
	observed bool
}

// firstRows is the size of the first batch.
const firstRows = 16

// next gives the rows of a batch; claimed is how many bytes the file says that a
// row has.
func (s *sizer) next(claimed int64) int64 {
	s.rows = min(batchRows, max(firstRows, s.rows*4))
	perRow := max(claimed, 1)
	if s.observed {
		perRow = max(perRow, s.perRow)
	}
	s.rows = max(1, min(s.rows, batchBytes/perRow))
	return s.rows
}

func (s *sizer) saw(c *chunk) {
	bytes := int64(0)
	for _, a := range c.columns {
		if a != nil {
			bytes += arrayBytes(a.Data())
		}
	}
	s.perRow, s.observed = bytes/int64(max(c.rows, 1)), true
}

func arrayBytes(d arrow.ArrayData) int64 {
	bytes := int64(0)
	for _, b := range d.Buffers() {
		if b != nil {
			bytes += int64(b.Len())
		}
	}
	for _, child := range d.Children() {
		bytes += arrayBytes(child)
	}
	if d.DataType().ID() == arrow.DICTIONARY { // of all others it is a nil that is none
		bytes += arrayBytes(d.Dictionary())
	}
	return bytes
}

// rowBytes is what a row group says that a row of the wanted columns has.
func (p *parquetFile) rowBytes(g int, wanted []*fileColumn) int64 {
	bytes := int64(0)
	for _, c := range wanted {
		if c == nil {
			continue
		}
		for leaf := range c.leaves {
			bytes += p.chunkBytes(g, leaf)
		}
	}
	return bytes / max(p.meta.RowGroups[g].NumRows, 1)
}

// chunkBytes is what the values of a column take in a row group. Newer writers
// say it; else it is the size of the pages, in which each value of a dictionary
// stands once.
func (p *parquetFile) chunkBytes(g, leaf int) int64 {
	columns := p.meta.RowGroups[g].Columns
	if leaf >= len(columns) || columns[leaf].MetaData == nil {
		return 0
	}
	meta := columns[leaf].MetaData
	bytes := meta.TotalUncompressedSize
	if s := meta.SizeStatistics; s != nil && s.UnencodedByteArrayDataBytes != nil {
		bytes = max(bytes, *s.UnencodedByteArrayDataBytes)
	}
	return max(bytes, 0)
}
