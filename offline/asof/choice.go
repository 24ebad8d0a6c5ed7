package asof

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
)

// choice is the newest row that was seen for something.
type choice struct {
	at, created int64 // in the source's units
	// number of the row on its shelf. A negative number is none, or a row of the
	// batch that is being read: row -2-number.
	number int64
}

// nothing is the choice before any row.
var nothing = choice{number: -1}

// neverCreated is a null created time, the oldest.
const neverCreated = math.MinInt64

// newer reports whether c is chosen rather than other, which was seen before.
func (c choice) newer(other choice) bool {
	return other.number == -1 || c.at > other.at || c.at == other.at && c.created > other.created
}

// picker chooses the newest row of each bucket, and keeps its cells.
type picker struct {
	best  []choice
	shelf *shelf
	// touched are the buckets that have a row of the current batch.
	touched []int32
	rows    []int32
}

// offer considers a row of the current batch for a bucket.
func (p *picker) offer(bucket int32, at, created int64, row int) {
	c := choice{at: at, created: created, number: -2 - int64(row)}
	old := &p.best[bucket]
	if !c.newer(*old) {
		return
	}
	if old.number >= -1 {
		p.touched = append(p.touched, bucket)
	}
	*old = c
}

// settle keeps the rows of the current batch that are in a bucket.
func (p *picker) settle(columns []arrow.ArrayData) error {
	p.rows = p.rows[:0]
	for i, bucket := range p.touched {
		c := &p.best[bucket]
		p.rows = append(p.rows, int32(-2-c.number))
		c.number = p.shelf.n + int64(i)
	}
	p.touched = p.touched[:0]
	return p.shelf.add(columns, p.rows)
}
