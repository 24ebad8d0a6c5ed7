package parquet

import (
	"github.com/apache/arrow-go/v18/arrow"
)

// sizer says how many rows the next batch may have. It begins small and grows:
// the sizes in a file are those of its pages, in which a long text that a
// thousand rows share is stored once.
type sizer struct {
	rows     int64
	perRow   int64
	observed bool
	// sharers divide the memory of one batch.
	sharers int64
}

// firstRows is the size of the first batch.
const firstRows = 16

// next returns the rows of the next batch; claimed is the number of bytes per
// row according to the file.
func (s *sizer) next(claimed int64) int64 {
	s.rows = min(batchRows/s.sharers, max(firstRows, s.rows*4))
	perRow := max(claimed, 1)
	if s.observed {
		perRow = max(perRow, s.perRow)
	}
	s.rows = max(1, min(s.rows, batchBytes/s.sharers/perRow))
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
	if d.DataType().ID() == arrow.DICTIONARY { // for all others it is a non-nil interface that holds nil
		bytes += arrayBytes(d.Dictionary())
	}
	return bytes
}

// rowBytes is the size of a row of the requested columns according to a row
// group.
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

// chunkBytes is the size of a column's values in a row group. Newer writers
// store it; otherwise it is the size of the pages, in which each value of a
// dictionary is stored once.
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
