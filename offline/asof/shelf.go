package asof

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/internal/spool"
)

// shelf keeps rows by their number, which is their place on the shelf: in memory,
// or all in a file when they are too many.
type shelf struct {
	types    []arrow.DataType // as storage
	sinks    []sink
	open     int // rows in the sinks
	segments []segment
	n        int64
	bytes    int64 // of the segments
	// limit is how many bytes stay in memory.
	limit int64
	dir   string
	disk  *spool.Spool // holds all rows, if it is not nil
	// diskBytes is roughly the size of the rows in the file.
	diskBytes int64
}

// segment is some rows of a shelf.
type segment struct {
	first   int64
	columns []arrow.ArrayData
	large   []arrow.ArrayData // the columns whose cells have no fixed size
}

// segmentBytes is when a segment is complete.
const segmentBytes = 1 << 20

// newShelf makes a shelf for columns of some types.
func newShelf(fields []arrow.Field, limit int64, dir string) *shelf {
	s := &shelf{limit: limit, dir: dir}
	for _, f := range fields {
		s.types, s.sinks = append(s.types, storage(f.Type)), append(s.sinks, newSink(f.Type))
	}
	return s
}

// add puts rows of a batch on the shelf, a few at a time: rows may be large.
func (s *shelf) add(columns []arrow.ArrayData, rows []int32) error {
	const step = 1024
	large := variable(columns)
	for len(rows) > 0 {
		n, size := 0, int64(0)
		for n < len(rows) && n < step && size < segmentBytes {
			size += rowBytes(large, int(rows[n]))
			n++
		}
		for i, c := range columns {
			s.sinks[i].rows(c, rows[:n])
		}
		rows = rows[n:]
		if err := s.added(n); err != nil {
			return err
		}
	}
	return nil
}

// added counts n rows that are in the sinks now.
func (s *shelf) added(n int) error {
	s.open, s.n = s.open+n, s.n+int64(n)
	if s.openBytes() < segmentBytes {
		return nil
	}
	return s.flush()
}

func (s *shelf) openBytes() int64 {
	n := 0
	for _, c := range s.sinks {
		n += c.bytes()
	}
	return int64(n)
}

// flush makes a segment of the open rows, or writes them.
func (s *shelf) flush() error {
	if s.open == 0 {
		return nil
	}
	size := s.openBytes()
	columns := make([]arrow.ArrayData, len(s.sinks))
	for i, c := range s.sinks {
		var err error
		if columns[i], err = c.finish(); err != nil {
			return err
		}
	}
	n := s.open
	s.open = 0
	if s.disk != nil {
		s.diskBytes += size
		return s.write(columns, n)
	}
	s.segments = append(s.segments, segment{s.n - int64(n), columns, variable(columns)})
	s.bytes += size
	return nil
}

// write adds rows to the file.
func (s *shelf) write(columns []arrow.ArrayData, n int) error {
	batch := batchOf(s.disk.Schema(), columns, n)
	defer batch.Release()
	return s.disk.Write(batch)
}

func batchOf(schema *arrow.Schema, columns []arrow.ArrayData, n int) arrow.RecordBatch {
	arrays := make([]arrow.Array, len(columns))
	for i, c := range columns {
		arrays[i] = array.MakeFromData(c)
		defer arrays[i].Release()
	}
	return array.NewRecordBatch(schema, arrays, int64(n))
}

// shrink keeps the shelf within its limit. The choices are of its rows.
func (s *shelf) shrink(best []choice) error {
	if s.disk != nil || s.memory() <= s.limit {
		return nil
	}
	if done, err := s.compact(best); done || err != nil {
		return err
	}
	return s.spill()
}

// memory is what the rows take.
func (s *shelf) memory() int64 { return s.bytes + s.openBytes() }

// compact drops the rows that nothing in best has any more, and gives the others
// new numbers; false if they are too few.
func (s *shelf) compact(best []choice) (bool, error) {
	var live []int32 // places in best
	for i, c := range best {
		if c.number >= 0 {
			live = append(live, int32(i))
		}
	}
	if int64(len(live))*4 > s.n*3 {
		return false, nil
	}
	slices.SortFunc(live, func(a, b int32) int { return cmp.Compare(best[a].number, best[b].number) })
	if err := s.flush(); err != nil {
		return false, err
	}
	old := s.segments
	s.segments, s.n, s.bytes = nil, 0, 0
	var rows []int32
	for i, g := range old {
		end := int64(math.MaxInt64)
		if i+1 < len(old) {
			end = old[i+1].first
		}
		rows = rows[:0]
		at := s.n
		for ; len(live) > 0 && best[live[0]].number < end; live = live[1:] {
			c := &best[live[0]]
			rows = append(rows, int32(c.number-g.first))
			c.number = at + int64(len(rows)-1)
		}
		if err := s.add(g.columns, rows); err != nil {
			return false, err
		}
		old[i].columns = nil
	}
	return true, nil
}

// spill puts all rows into a file, and those that follow.
func (s *shelf) spill() error {
	if err := s.flush(); err != nil {
		return err
	}
	s.disk = spool.New(storageSchema(s.types), spool.Options{Dir: s.dir, Memory: 1})
	for i, g := range s.segments {
		n := s.n - g.first
		if i+1 < len(s.segments) {
			n = s.segments[i+1].first - g.first
		}
		if err := s.write(g.columns, int(n)); err != nil {
			return err
		}
		s.segments[i].columns = nil
	}
	s.diskBytes = s.bytes
	s.segments, s.bytes = nil, 0
	return nil
}

// storageSchema names columns by their place: names do not matter in a file.
func storageSchema(types []arrow.DataType) *arrow.Schema {
	fields := make([]arrow.Field, len(types))
	for i, t := range types {
		fields[i] = arrow.Field{Name: strconv.Itoa(i), Type: t, Nullable: true}
	}
	return arrow.NewSchema(fields, nil)
}

// close frees the shelf.
func (s *shelf) close() {
	if s.disk != nil {
		s.disk.Close()
	}
	s.segments, s.sinks = nil, nil
}

// locate finds the segment of a row of a shelf in memory; hint is where the last
// one was.
func (s *shelf) locate(number int64, hint int) int {
	if hint < len(s.segments) && s.segments[hint].first <= number && (hint+1 == len(s.segments) || number < s.segments[hint+1].first) {
		return hint
	}
	return sort.Search(len(s.segments), func(i int) bool { return s.segments[i].first > number }) - 1
}

// take copies rows of a shelf in memory, which must be flushed, into sinks. A
// negative number is a null.
func (s *shelf) take(to []sink, numbers []int64) {
	if len(s.segments) == 0 {
		for _, c := range to {
			c.nulls(len(numbers))
		}
		return
	}
	rows := make([]int32, 0, len(numbers))
	at := 0
	for i := 0; i < len(numbers); {
		if numbers[i] >= 0 {
			at = s.locate(numbers[i], at)
		}
		first, end := s.segments[at].first, s.n
		if at+1 < len(s.segments) {
			end = s.segments[at+1].first
		}
		for rows = rows[:0]; i < len(numbers) && (numbers[i] < 0 || numbers[i] >= first && numbers[i] < end); i++ {
			row := int32(-1)
			if numbers[i] >= 0 {
				row = int32(numbers[i] - first)
			}
			rows = append(rows, row)
		}
		for c, data := range s.segments[at].columns {
			to[c].rows(data, rows)
		}
	}
}
