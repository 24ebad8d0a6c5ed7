package server

import (
	"encoding/binary"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/serving"
	"github.com/banquet-fs/banquet/value"
)

// encoder writes answers; its memory is used again.
type encoder struct {
	values   [][]byte
	statuses []serving.Status
	times    [][]byte // by view, and those of entity columns last
}

var encoders = sync.Pool{New: func() any { return new(encoder) }}

func newEncoder(r *serving.Response) *encoder {
	e := encoders.Get().(*encoder) // the pool holds nothing else
	rows, views := r.Rows(), r.Views()+1
	e.values = slices.Grow(e.values[:0], rows)[:rows]
	e.statuses = slices.Grow(e.statuses[:0], rows)[:rows]
	e.times = slices.Grow(e.times[:0], views)[:views]
	for i := range e.times {
		e.times[i] = e.times[i][:0]
	}
	return e
}

// release lets go of the answer's values.
func (e *encoder) release() {
	clear(e.values)
	encoders.Put(e)
}

// eventTimes gives the event times of a column as write writes them, which it does
// once for all columns of a view.
func (e *encoder) eventTimes(r *serving.Response, view int, write func(dst []byte, r *serving.Response, view int) []byte) []byte {
	at := view
	if view < 0 {
		at = len(e.times) - 1
	}
	if len(e.times[at]) == 0 {
		e.times[at] = write(e.times[at], r, view)
	}
	return e.times[at]
}

// appendResults appends the results of an answer in the wire form of
// GetOnlineFeaturesResponse: stored values go in as they are, undecoded.
func appendResults(dst []byte, r *serving.Response) []byte {
	e := newEncoder(r)
	defer e.release()
	for i := range r.Columns() {
		r.Gather(i, e.values, e.statuses)
		dst = appendVector(dst, e.values, e.statuses, e.eventTimes(r, r.Column(i).View, appendTimes))
	}
	return dst
}

// appendVector appends one column as field 2: its values, statuses and times.
func appendVector(dst []byte, values [][]byte, statuses []serving.Status, stamps []byte) []byte {
	rows := len(values)
	size := len(stamps) + 1 + protowire.SizeVarint(uint64(rows)) + rows
	for _, v := range values {
		size += 1 + protowire.SizeBytes(len(v))
	}
	dst = append(dst, 2<<3|2)
	dst = binary.AppendUvarint(dst, uint64(size))
	dst = slices.Grow(dst, size)
	for _, v := range values {
		if n := len(v); n < 0x80 {
			dst = append(dst, 1<<3|2, byte(n))
		} else {
			dst = binary.AppendUvarint(append(dst, 1<<3|2), uint64(n))
		}
		dst = append(dst, v...)
	}
	dst = append(dst, 2<<3|2)
	dst = binary.AppendUvarint(dst, uint64(rows))
	for _, s := range statuses {
		dst = append(dst, byte(s)) // every status is below 128: one byte
	}
	return append(dst, stamps...)
}

// appendTimes appends the event times of a view's rows; those of entity columns
// (view -1) are empty timestamps.
func appendTimes(dst []byte, r *serving.Response, view int) []byte {
	if view < 0 {
		for range r.Rows() {
			dst = append(dst, 3<<3|2, 0)
		}
		return dst
	}
	var scratch [32]byte
	for row := range r.Rows() {
		stamp := appendTimestamp(scratch[:0], r.Event(view, row))
		dst = append(dst, 3<<3|2)
		dst = binary.AppendUvarint(dst, uint64(len(stamp)))
		dst = append(dst, stamp...)
	}
	return dst
}

// appendTimestamp appends a google.protobuf.Timestamp; the zero time is 1970.
func appendTimestamp(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return dst
	}
	if sec := t.Unix(); sec != 0 {
		dst = binary.AppendUvarint(append(dst, 1<<3), uint64(sec))
	}
	if nanos := t.Nanosecond(); nanos != 0 {
		dst = binary.AppendUvarint(append(dst, 2<<3), uint64(nanos))
	}
	return dst
}

// cellSize remembers how large the cells of the last answer were, so that the
// next one has room from the start: an answer that grows while it is written
// leaves its smaller forms to the garbage collector.
type cellSize struct{ sixteenths atomic.Int64 }

// maxEstimate bounds what is made room for beforehand: an answer of large values
// says nothing about the next, which may have many more cells.
const maxEstimate = 2 << 20

func (c *cellSize) estimate(r *serving.Response) int {
	return 64 + int(min(min(max(c.sixteenths.Load(), 16), 16*maxEstimate)*cells(r)/16, maxEstimate))
}

func (c *cellSize) record(r *serving.Response, size int) {
	c.sixteenths.Store(int64(size) * 17 / cells(r))
}

func cells(r *serving.Response) int64 { return max(int64(r.Columns())*int64(r.Rows()), 1) }

// splice puts the results into a generated response message as fields that it
// does not know: they go out on the wire as they are, without being decoded
// first. Within the process the fields look empty. Their memory is of the pool of
// messages; the codec gives it back once they are written, but for chunks of a
// stream.
func splice(m proto.Message, r *serving.Response, size *cellSize, pool mem.BufferPool) {
	buffer := pool.Get(size.estimate(r))
	results := appendResults((*buffer)[:0], r)
	if cap(results) != cap(*buffer) { // it grew out of it
		pool.Put(buffer)
	}
	size.record(r, len(results))
	m.ProtoReflect().SetUnknown(results)
}

// names lists the columns of an answer.
func names(r *serving.Response) []string {
	out := make([]string, r.Columns())
	for i := range out {
		out[i] = r.Column(i).Name
	}
	return out
}

// jsonOptions is in what an answer differs from that of Feast's HTTP server, byte
// for byte.
type jsonOptions struct {
	versions  bool // the versions of the views are told
	nullTimes bool // a null time is null, and not the lowest number
}

// appendResponse appends an answer as JSON.
func appendResponse(dst []byte, r *serving.Response, d jsonOptions) ([]byte, error) {
	write := value.AppendJSON
	if d.nullTimes {
		write = value.AppendOwnJSON
	}
	e := newEncoder(r)
	defer e.release()
	dst = append(dst, `{"results":[`...)
	for i := range r.Columns() {
		if i > 0 {
			dst = append(dst, ',')
		}
		r.Gather(i, e.values, e.statuses)
		var err error
		if dst, err = appendJSONColumn(dst, e.values, e.statuses, write); err != nil {
			return nil, err
		}
		dst = append(append(dst, e.eventTimes(r, r.Column(i).View, appendJSONTimes)...), '}')
	}
	dst = append(dst, `],"metadata":{"feature_names":[`...)
	for i := range r.Columns() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = value.AppendQuoted(dst, r.Column(i).Name)
	}
	dst = append(dst, ']')
	if d.versions {
		dst = appendVersions(append(dst, `,"feature_view_metadata":`...), r)
	}
	return append(dst, `}}`...), nil
}

// appendVersions appends the views of an answer with the versions that were read.
func appendVersions(dst []byte, r *serving.Response) []byte {
	dst = append(dst, '[')
	for v := range r.Views() {
		if v > 0 {
			dst = append(dst, ',')
		}
		name, version := r.ViewVersion(v)
		dst = value.AppendQuoted(append(dst, `{"name":`...), name)
		dst = append(itoa(append(dst, `,"version":`...), version), '}')
	}
	return append(dst, ']')
}

func appendJSONColumn(dst []byte, values [][]byte, statuses []serving.Status, write func(dst, v []byte) ([]byte, error)) ([]byte, error) {
	dst = append(dst, `{"values":[`...)
	for row, v := range values {
		if row > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = write(dst, v); err != nil {
			return nil, err
		}
	}
	dst = append(dst, `],"statuses":[`...)
	for row, s := range statuses {
		if row > 0 {
			dst = append(dst, ',')
		}
		if s == serving.Present {
			dst = append(dst, `"PRESENT"`...)
			continue
		}
		dst = append(dst, statusName(s)...)
	}
	return append(dst, ']'), nil
}

// statusName is a status as a JSON string.
func statusName(s serving.Status) string {
	switch s {
	case serving.Present:
		return `"PRESENT"`
	case serving.NotFound:
		return `"NOT_FOUND"`
	case serving.OutsideMaxAge:
		return `"OUTSIDE_MAX_AGE"`
	case serving.NullValue:
		return `"NULL_VALUE"`
	case serving.TimedOut:
		return `"TIMED_OUT"`
	case serving.Throttled:
		return `"THROTTLED"`
	case serving.Stale:
		return `"STALE"`
	case serving.Unreadable:
		return `"UNREADABLE"`
	default:
		return `"INVALID"`
	}
}

func appendJSONTimes(dst []byte, r *serving.Response, view int) []byte {
	dst = append(dst, `,"event_timestamps":[`...)
	for row := range r.Rows() {
		if row > 0 {
			dst = append(dst, ',')
		}
		var t time.Time
		if view >= 0 {
			t = r.Event(view, row)
		}
		if t.IsZero() {
			dst = append(dst, `"1970-01-01T00:00:00Z"`...)
			continue
		}
		dst = value.AppendTimestamp(dst, t.Unix(), int32(t.Nanosecond()))
	}
	return append(dst, ']')
}

// itoa is strconv.Itoa, appended.
func itoa(dst []byte, n int) []byte { return strconv.AppendInt(dst, int64(n), 10) }
