package training

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Coverage says how much of a training set has values.
type Coverage struct {
	// Rows is how many rows were read.
	Rows int64
	// Features are in the order of the set's.
	Features []FeatureCoverage
	Views    []ViewCoverage
}

// FeatureCoverage counts the rows in which a feature is null.
type FeatureCoverage struct {
	Name  string
	Nulls int64
}

// ViewCoverage counts the rows in which all requested features of a view are null:
// those for which the view has no row, and those whose row has only nulls.
type ViewCoverage struct {
	Name  string
	Empty int64
}

// Count counts the rows of a set while they are read. The coverage is complete when the
// last row has been read.
func (s *Set) Count() *Coverage {
	c := &Coverage{}
	for _, v := range s.views {
		c.Views = append(c.Views, ViewCoverage{Name: v.name})
	}
	for _, name := range s.Features {
		c.Features = append(c.Features, FeatureCoverage{Name: name})
	}
	s.RecordReader = &counted{RecordReader: s.RecordReader, views: s.views, coverage: c}
	return c
}

// counted counts what another reader reads.
type counted struct {
	array.RecordReader
	views    []viewColumns
	coverage *Coverage
}

// Next reads the next batch.
func (c *counted) Next() bool {
	if !c.RecordReader.Next() {
		return false
	}
	batch := c.RecordBatch()
	c.coverage.Rows += batch.NumRows()
	feature := 0
	for i, v := range c.views {
		for n := range v.count {
			c.coverage.Features[feature].Nulls += int64(batch.Column(v.from + n).NullN())
			feature++
		}
		c.coverage.Views[i].Empty += empty(batch.Columns()[v.from : v.from+v.count])
	}
	return true
}

// empty counts the rows in which all columns are null.
func empty(columns []arrow.Array) int64 {
	var n int64
rows:
	for row := range columns[0].Len() {
		for _, c := range columns {
			if c.IsValid(row) && c.DataType().ID() != arrow.NULL { // an array of this type reports no row as null
				continue rows
			}
		}
		n++
	}
	return n
}
