package postgres

import (
	"encoding/binary"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/internal/pg"
	"github.com/banquet-fs/banquet/value"
)

// entityKey is a column of the server's entity rows: a column of the caller's
// entity rows as one value type, in the form that a source is compared with.
type entityKey struct {
	entity int
	t      types.ValueType_Enum
	*match
	encoder *value.ArrowEncoder
}

// entityRows is the table of the entity rows in the transaction: the row number i,
// the event time t, for each TTL the oldest event time s0, s1, ... of a row that
// is not too old, and the keys k0, k1, ...
//
// A time that no row of a source can fulfil is null.
type entityRows struct {
	table string
	keys  []*entityKey
	ttls  []time.Duration
	// rows is how many rows were loaded. last is the latest event time, and first
	// for each TTL the oldest, in microseconds since 2000; without any, they are
	// the ends of all numbers.
	rows  int64
	last  int64
	first []int64
	// long reports keys that an index may not take.
	long bool
}

// key finds or adds a column, and returns its number.
func (e *entityRows) key(entity int, dt arrow.DataType, t types.ValueType_Enum, m *match) int {
	for i, k := range e.keys {
		if k.entity == entity && k.t == t && k.as == m.as {
			return i
		}
	}
	e.keys = append(e.keys, &entityKey{entity, t, m, value.NewArrowKeyEncoder(dt, t)})
	return len(e.keys) - 1
}

// since finds or adds a TTL, and returns the number of its column.
func (e *entityRows) since(ttl time.Duration) int {
	if i := slices.Index(e.ttls, ttl); i >= 0 {
		return i
	}
	e.ttls, e.first = append(e.ttls, ttl), append(e.first, math.MaxInt64)
	return len(e.ttls) - 1
}

// create is the statement that makes the table.
func (e *entityRows) create() string {
	columns := []string{"i bigint", "t timestamptz"}
	for i := range e.ttls {
		columns = append(columns, "s"+strconv.Itoa(i)+" timestamptz")
	}
	for i, k := range e.keys {
		columns = append(columns, "k"+strconv.Itoa(i)+" "+k.as)
	}
	return "CREATE TEMP TABLE " + e.table + " (" + strings.Join(columns, ", ") + ") ON COMMIT DROP"
}

// loader is the entity rows in the binary form of COPY:
// https://www.postgresql.org/docs/current/sql-copy.html. Errors of the caller's
// reader and of its cells stay in err, since COPY wraps them.
type loader struct {
	*entityRows
	from  array.RecordReader
	batch arrow.RecordBatch
	next  int
	buf   []byte
	sent  int
	key   []byte
	done  bool
	err   error
}

const (
	copyHeader = "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	// chunk is about how many bytes are encoded at a time.
	chunk = 64 << 10
)

func newLoader(e *entityRows, from array.RecordReader) *loader {
	return &loader{entityRows: e, from: from, buf: append(make([]byte, 0, chunk+chunk/4), copyHeader...)}
}

func (l *loader) Read(p []byte) (int, error) {
	for l.sent == len(l.buf) {
		if l.err != nil {
			return 0, l.err
		}
		if l.done {
			return 0, io.EOF
		}
		l.buf, l.sent = l.buf[:0], 0
		l.err = l.fill()
	}
	n := copy(p, l.buf[l.sent:])
	l.sent += n
	return n, nil
}

func (l *loader) fill() error {
	for len(l.buf) < chunk {
		if l.batch == nil || l.next == int(l.batch.NumRows()) {
			if !l.from.Next() {
				l.buf, l.done = binary.BigEndian.AppendUint16(l.buf, 0xffff), true
				if err := l.from.Err(); err != nil {
					return fault.Of(err)
				}
				return nil
			}
			l.batch, l.next = l.from.RecordBatch(), 0
			continue
		}
		if err := l.row(); err != nil {
			return err
		}
		l.next++
		l.rows++
	}
	return nil
}

// row appends one row.
func (l *loader) row() error {
	l.buf = binary.BigEndian.AppendUint16(l.buf, uint16(2+len(l.ttls)+len(l.keys)))
	l.buf = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(l.buf, 8), uint64(l.rows))
	if err := l.times(); err != nil {
		return err
	}
	size := 0
	for _, k := range l.keys {
		column := l.batch.Column(k.entity)
		var err error
		if l.key, err = k.encoder.Append(l.key[:0], column, l.next); err != nil {
			return fault.New(fault.Invalid, "entity rows, row %d, column %s: %s", l.rows+1, pg.Line(l.batch.ColumnName(k.entity)), pg.Line(err.Error())).Because(err)
		}
		at := len(l.buf)
		l.buf = append(l.buf, 0xff, 0xff, 0xff, 0xff) // null
		if len(l.key) == 0 {
			continue
		}
		out, ok := k.cell(l.buf, l.key)
		if !ok {
			l.buf = l.buf[:at+4]
			continue
		}
		l.buf = out
		n := len(out) - at - 4
		binary.BigEndian.PutUint32(l.buf[at:], uint32(n))
		size += n
	}
	l.long = l.long || size > longestIndexed
	return nil
}

// longestIndexed is how many bytes of keys an index may take: the server allows a
// third of a page in all.
const longestIndexed = 2000

// times appends the event time, and the oldest event time for each TTL.
func (l *loader) times() error {
	at, known, err := timeOf(l.batch.Column(int(l.batch.NumCols())-1), l.next)
	if err != nil {
		return err
	}
	last, ok := upperTime(at)
	l.buf = appendTime(l.buf, last, known && ok)
	if known && ok {
		l.last = max(l.last, last)
	}
	for i, ttl := range l.ttls {
		first, fits := lowerTime(at.Add(-ttl))
		l.buf = appendTime(l.buf, first, known && fits)
		if known && fits {
			l.first[i] = min(l.first[i], first)
		}
	}
	return nil
}

// farthest bounds the seconds that time.Time computes with; the server's end
// earlier.
const farthest = int64(1e15)

// timeOf reads a timestamp of any unit; known is false for a null.
func timeOf(a arrow.Array, row int) (at time.Time, known bool, err error) {
	c, ok := a.(*array.Timestamp)
	if !ok {
		return at, false, fault.New(fault.Internal, "the event time of the entity rows is a column of type %s, want a timestamp", a.DataType())
	}
	if c.IsNull(row) {
		return at, false, nil
	}
	unit, ok := c.DataType().(*arrow.TimestampType)
	if !ok {
		return at, false, fault.New(fault.Internal, "the event time of the entity rows has type %s", c.DataType())
	}
	v, per := int64(c.Value(row)), int64(time.Second/unit.Unit.Multiplier())
	seconds, part := v/per, v%per
	if part < 0 {
		seconds, part = seconds-1, part+per
	}
	seconds = min(max(seconds, -farthest), farthest)
	return time.Unix(seconds, part*int64(unit.Unit.Multiplier())).UTC(), true, nil
}

// upperTime is the last time of the server that is not after t, in microseconds
// since 2000; false if there is none.
func upperTime(t time.Time) (v int64, ok bool) {
	b := bound{"<=", t}
	return int64(binary.BigEndian.Uint64(b.parameter())), t.Unix()-epoch2000/second >= firstSecond
}

// lowerTime is the first time of the server that is not before t.
func lowerTime(t time.Time) (v int64, ok bool) {
	b := bound{">=", t}
	v = int64(binary.BigEndian.Uint64(b.parameter()))
	return v, t.Unix()-epoch2000/second <= lastSecond && v < (lastSecond+1)*second
}

func appendTime(dst []byte, v int64, known bool) []byte {
	if !known {
		return append(dst, 0xff, 0xff, 0xff, 0xff)
	}
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(dst, 8), uint64(v))
}
