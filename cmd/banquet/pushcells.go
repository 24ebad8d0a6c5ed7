package main

import (
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/offline/parquet"
	"github.com/banquet-fs/banquet/value"
)

// refusedCells are the cells of a file that do not fit their column, by column and by the
// number of the row within the file.
type refusedCells map[string]map[int64]parquet.RefusedCell

func (r refusedCells) add(c parquet.RefusedCell) {
	if r[c.Column] == nil {
		r[c.Column] = map[int64]parquet.RefusedCell{}
	}
	r[c.Column][c.Row] = c
}

// columns are the columns of a batch whose first row has a number within the file.
func (r refusedCells) columns(batch arrow.RecordBatch, first int64) []ingest.Column {
	columns := make([]ingest.Column, batch.NumCols())
	for i := range columns {
		name := batch.ColumnName(i)
		cells := value.NewArrowCells(batch.Column(i))
		columns[i] = ingest.Column{Name: name, Cells: cells}
		if bad := r[name]; len(bad) > 0 { // other columns stay arrays, which are written to a source without a copy
			columns[i].Cells = &checkedCells{ArrowCells: cells, bad: bad, first: first}
		}
	}
	return columns
}

// checkedCells are cells of which some do not fit their column.
type checkedCells struct {
	*value.ArrowCells
	bad   map[int64]parquet.RefusedCell
	first int64
}

// Append refuses a cell that does not fit.
func (c *checkedCells) Append(dst []byte, row int, t types.ValueType_Enum, use value.Use) ([]byte, error) {
	if cell, bad := c.bad[c.first+int64(row)]; bad {
		return nil, cell.Err
	}
	return c.ArrowCells.Append(dst, row, t, use)
}

// Time refuses a cell that does not fit.
func (c *checkedCells) Time(row int) (time.Time, bool, error) {
	if cell, bad := c.bad[c.first+int64(row)]; bad {
		return time.Time{}, false, cell.Err
	}
	return c.ArrowCells.Time(row)
}

// Text shows a cell that does not fit as it is in the file.
func (c *checkedCells) Text(row int) string {
	if cell, bad := c.bad[c.first+int64(row)]; bad {
		return strconv.Quote(cell.Text)
	}
	return c.ArrowCells.Text(row)
}
