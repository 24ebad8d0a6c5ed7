package parquet

import (
	"context"
	"os"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/offline"
)

var _ offline.Slicer = (*Store)(nil)

const (
	// sliceBytes is the least content of a reader's files: less is read before a
	// second reader has opened its own.
	sliceBytes = 8 << 20
	// mostBytes bounds the size that a file claims for a unit.
	mostBytes = 1 << 36
)

// Slices divides row groups of Parquet files, and whole files of other formats, in
// their order. Row groups outside of the query's bounds, which are not read, do
// not count.
func (s *Store) Slices(ctx context.Context, query offline.Query, n int) ([]array.RecordReader, error) {
	if err := query.Check(); err != nil {
		return nil, err
	}
	parts, err := s.open(query.Source)
	if err != nil {
		return nil, err
	}
	plan, err := newScan(ctx, query, parts)
	if err != nil {
		return nil, err
	}
	var readers []array.RecordReader
	for _, list := range divide(parts, plan.bounds(), n, s.sliceBytes) {
		some := *plan
		some.parts = list
		readers = append(readers, offline.NewReader(some.schema, some.batches(ctx), nil))
	}
	return readers, nil
}

// divide makes at most n lists of parts, of about as many bytes each and of no less
// than least.
func divide(parts []part, when bounds, n int, least int64) [][]part {
	sizes, total := make([][]int64, len(parts)), int64(0)
	for i, p := range parts {
		sizes[i] = p.units(when)
		for _, size := range sizes[i] {
			total += size
		}
	}
	n = int(max(1, min(int64(n), total/least)))
	if n == 1 {
		return [][]part{parts}
	}
	lists, shares := make([][]part, n), make([]int64, n)
	done := int64(0)
	for i, p := range parts {
		first, to := 0, 0 // the units that go to one list, which has the number to
		for unit, size := range sizes[i] {
			// A unit belongs to the list in whose share its middle lies.
			at := min(n-1, int((done+size/2)*int64(n)/total))
			if unit > 0 && at != to {
				lists[to] = append(lists[to], p.slice(first, unit, n))
				first = unit
			}
			to, done = at, done+size
			shares[at] += size
		}
		if first < len(sizes[i]) {
			lists[to] = append(lists[to], p.slice(first, len(sizes[i]), n))
		}
	}
	kept := lists[:0]
	for i, list := range lists {
		if shares[i] > 0 {
			kept = append(kept, list)
		}
	}
	return kept
}

func (c *csvFile) units(bounds) []int64 {
	info, err := os.Stat(c.path)
	if err != nil {
		return []int64{1} // reading tells it
	}
	return []int64{max(1, min(info.Size(), mostBytes))}
}

// slice returns the whole file, which is one unit.
func (c *csvFile) slice(_, _, sharers int) part {
	whole := *c
	whole.sharers = sharers
	return &whole
}

// units are the row groups.
func (p *parquetFile) units(when bounds) []int64 {
	sizes := make([]int64, p.meta.NumRowGroups())
	for g := range sizes {
		if !p.outside(g, when) {
			sizes[g] = max(1, min(p.meta.RowGroup(g).TotalByteSize(), mostBytes))
		}
	}
	return sizes
}

// slice returns some of the row groups, as a file of its own.
func (p *parquetFile) slice(from, to, sharers int) part {
	some := *p
	some.from, some.to, some.sharers = from, to, int64(sharers)
	return &some
}
