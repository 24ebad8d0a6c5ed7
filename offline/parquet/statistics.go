package parquet

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet/metadata"
)

// integerStatistics are the statistics of a column with one leaf in a row group;
// nil when they are missing or unreliable.
func (p *parquetFile) integerStatistics(group int, c *fileColumn) (out *metadata.Int64Statistics) {
	err := guard(func() error {
		for leaf := range c.leaves {
			chunk, err := p.meta.RowGroup(group).ColumnChunk(leaf)
			if err != nil {
				return err
			}
			stats, err := chunk.Statistics()
			if err != nil || stats == nil || !stats.HasMinMax() {
				return err
			}
			out, _ = stats.(*metadata.Int64Statistics) // the order of INT96 is undefined
		}
		return nil
	})
	if err != nil {
		return nil
	}
	return out
}

// outside reports whether the statistics of a row group rule out every row.
// Doubtful statistics rule out nothing.
func (p *parquetFile) outside(group int, when bounds) bool {
	c := p.column(when.column)
	if c == nil || c.problem != nil || len(c.leaves) != 1 {
		return false
	}
	t, ok := c.field.Type.(*arrow.TimestampType)
	if !ok {
		return false
	}
	times := p.integerStatistics(group, c)
	if times == nil || times.Min() > times.Max() {
		return false
	}
	first, last := arrow.Timestamp(times.Min()).ToTime(t.Unit), arrow.Timestamp(times.Max()).ToTime(t.Unit)
	return !when.start.IsZero() && last.Before(when.start) || !when.end.IsZero() && first.After(when.end)
}
