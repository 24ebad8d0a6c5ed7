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

// encoder holds the memory for encoding a response; a pool keeps encoders.
type encoder struct {
	values   [][]byte
	statuses []serving.Status
	times    [][]byte // encoded event times by view; those of entity columns are last
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

// release drops the response's values and returns the encoder to the pool.
func (e *encoder) release() {
	clear(e.values)
	encoders.Put(e)
}

// eventTimes returns the event times of a column, encoded by write once for all
// columns of a view.
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

// appendResults appends the results in the wire format of GetOnlineFeaturesResponse:
// stored values are copied without being decoded.
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

// cellSize remembers how large the cells of the last response were, to estimate the
// size of the next one: a buffer that grows while a response is encoded leaves its
// smaller versions to the garbage collector.
type cellSize struct{ sixteenths atomic.Int64 }

// maxEstimate bounds the estimate: a response of large values says nothing about the
// next one, which may have many more cells.
const maxEstimate = 2 << 20

func (c *cellSize) estimate(r *serving.Response) int {
	return 64 + int(min(min(max(c.sixteenths.Load(), 16), 16*maxEstimate)*cells(r)/16, maxEstimate))
}

func (c *cellSize) record(r *serving.Response, size int) {
	c.sixteenths.Store(int64(size) * 17 / cells(r))
}

func cells(r *serving.Response) int64 { return max(int64(r.Columns())*int64(r.Rows()), 1) }

// splice puts the encoded results into a response message as unknown fields, which
// are sent unchanged: nothing is decoded and encoded again. To code in this process
// the fields look empty. Their memory is from the pool of messages; the codec returns
// it once they are written, except for chunks of a stream.
func splice(m proto.Message, r *serving.Response, size *cellSize, pool mem.BufferPool) {
	buffer := pool.Get(size.estimate(r))
	results := appendResults((*buffer)[:0], r)
	if cap(results) != cap(*buffer) { // results did not fit and have a new buffer
		pool.Put(buffer)
	}
	size.record(r, len(results))
	m.ProtoReflect().SetUnknown(results)
}

// names lists the column names of a response.
func names(r *serving.Response) []string {
	out := make([]string, r.Columns())
	for i := range out {
		out[i] = r.Column(i).Name
	}
	return out
}

// jsonOptions are the differences from the JSON of Feast's HTTP server. The zero value
// is the same JSON, byte for byte.
type jsonOptions struct {
	versions  bool // with the versions of the views
	own       bool // banquet's API: all versions, which Feast leaves out of services, and empty lists of times
	nullTimes bool // a null time is null, not the lowest number
}

// appendResponse appends a response as JSON.
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
		if d.own || r.Rows() > 0 { // Feast leaves out an empty list of times, and only this list
			dst = append(dst, e.eventTimes(r, r.Column(i).View, appendJSONTimes)...)
		}
		dst = append(dst, '}')
	}
	dst = append(dst, `],"metadata":{"feature_names":[`...)
	for i := range r.Columns() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = value.AppendQuoted(dst, r.Column(i).Name)
	}
	dst = append(dst, ']')
	switch {
	case d.versions && d.own:
		dst = appendVersions(append(dst, `,"feature_view_metadata":`...), r)
	case d.versions && r.Views() > 0:
		dst = appendFeastVersions(append(dst, `,"feature_view_metadata":`...), r)
	}
	return append(dst, `}}`...), nil
}

// appendVersions appends the views of a response with the versions that were read.
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

// appendFeastVersions appends what Feast's server tells of the views: each name once,
// with the version that is read first under it, unless that is 0, and never a version
// of a view that a feature service names.
func appendFeastVersions(dst []byte, r *serving.Response) []byte {
	dst = append(dst, '[')
	for v := range r.Views() {
		if nameBefore(r, v) {
			continue
		}
		if v > 0 {
			dst = append(dst, ',')
		}
		dst = value.AppendQuoted(append(dst, `{"name":`...), r.ViewName(v))
		if _, version := r.ViewVersion(v); version != 0 && !r.Projected(v) {
			dst = itoa(append(dst, `,"version":`...), version)
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// nameBefore reports whether an earlier view has the name of a view.
func nameBefore(r *serving.Response, view int) bool {
	for v := range view {
		if r.ViewName(v) == r.ViewName(view) {
			return true
		}
	}
	return false
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
