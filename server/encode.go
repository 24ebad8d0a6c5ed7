package server

import (
	"encoding/binary"
	"strconv"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/serving"
	"github.com/banquet-fs/banquet/value"
)

// appendResults appends the results of an answer in the wire form of
// GetOnlineFeaturesResponse: stored values go in as they are, undecoded.
func appendResults(dst []byte, r *serving.Response) []byte {
	times := make([][]byte, r.Views())
	var epochs []byte
	for i := range r.Columns() {
		c := r.Column(i)
		var stamps []byte
		if c.View < 0 {
			if epochs == nil {
				epochs = appendEpochs(nil, r.Rows())
			}
			stamps = epochs
		} else {
			if times[c.View] == nil {
				times[c.View] = appendTimes(nil, r, c.View)
			}
			stamps = times[c.View]
		}
		dst = appendVector(dst, &c, r.Rows(), stamps)
	}
	return dst
}

// appendVector appends one column as field 2: its values, statuses and times.
func appendVector(dst []byte, c *serving.ResponseColumn, rows int, stamps []byte) []byte {
	size := len(stamps) + 1 + protowire.SizeVarint(uint64(rows)) + rows
	for row := range rows {
		v, _ := c.At(row)
		size += 1 + protowire.SizeBytes(len(v))
	}
	dst = append(dst, 2<<3|2)
	dst = binary.AppendUvarint(dst, uint64(size))
	start := len(dst)
	for row := range rows {
		v, _ := c.At(row)
		dst = append(dst, 1<<3|2)
		dst = binary.AppendUvarint(dst, uint64(len(v)))
		dst = append(dst, v...)
	}
	dst = append(dst, 2<<3|2)
	dst = binary.AppendUvarint(dst, uint64(rows))
	for row := range rows {
		_, s := c.At(row)
		dst = append(dst, byte(s)) // every status is below 128: one byte
	}
	dst = append(dst, stamps...)
	_ = dst[start : start+size] // the size was right
	return dst
}

// appendEpochs appends the times of an entity column: empty timestamps.
func appendEpochs(dst []byte, rows int) []byte {
	for range rows {
		dst = append(dst, 3<<3|2, 0)
	}
	return dst
}

// appendTimes appends the event times of a view's rows.
func appendTimes(dst []byte, r *serving.Response, view int) []byte {
	var scratch [32]byte
	for row := range r.Rows() {
		stamp := appendStamp(scratch[:0], r.Event(view, row))
		dst = append(dst, 3<<3|2)
		dst = binary.AppendUvarint(dst, uint64(len(stamp)))
		dst = append(dst, stamp...)
	}
	return dst
}

// appendStamp appends a google.protobuf.Timestamp; the zero time is 1970.
func appendStamp(dst []byte, t time.Time) []byte {
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

// estimate is about how long the results are, so that they are written into one
// piece of memory.
func estimate(r *serving.Response) int {
	return 64 + r.Columns()*(16+r.Rows()*24)
}

// splice puts the results into a generated response message as fields that it
// does not know: they go out on the wire as they are, without being decoded
// first. Within the process the fields look empty.
func splice(m proto.Message, r *serving.Response) {
	m.ProtoReflect().SetUnknown(appendResults(make([]byte, 0, estimate(r)), r))
}

// names lists the columns of an answer.
func names(r *serving.Response) []string {
	out := make([]string, r.Columns())
	for i := range out {
		out[i] = r.Column(i).Name
	}
	return out
}

// appendAnswer appends an answer as Feast's HTTP server writes it.
func appendAnswer(dst []byte, r *serving.Response) ([]byte, error) {
	dst = append(dst, `{"results":[`...)
	var stamps [][]byte
	var epochs []byte
	stamps = make([][]byte, r.Views())
	for i := range r.Columns() {
		c := r.Column(i)
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = appendJSONValues(dst, &c, r.Rows()); err != nil {
			return nil, err
		}
		at := &epochs
		if c.View >= 0 {
			at = &stamps[c.View]
		}
		if *at == nil {
			*at = appendJSONTimes(nil, r, c.View)
		}
		dst = append(append(dst, *at...), '}')
	}
	dst = append(dst, `],"metadata":{"feature_names":[`...)
	for i := range r.Columns() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = value.AppendQuoted(dst, r.Column(i).Name)
	}
	return append(dst, `]}}`...), nil
}

func appendJSONValues(dst []byte, c *serving.ResponseColumn, rows int) ([]byte, error) {
	dst = append(dst, `{"values":[`...)
	for row := range rows {
		if row > 0 {
			dst = append(dst, ',')
		}
		v, _ := c.At(row)
		var err error
		if dst, err = value.AppendJSON(dst, v); err != nil {
			return nil, err
		}
	}
	dst = append(dst, `],"statuses":[`...)
	for row := range rows {
		if row > 0 {
			dst = append(dst, ',')
		}
		_, s := c.At(row)
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

// wireValue serializes a Value that came by gRPC.
func wireValue(v *types.Value) ([]byte, error) {
	switch x := v.GetVal().(type) {
	case *types.Value_Int64Val:
		return value.AppendInt64(make([]byte, 0, 11), x.Int64Val), nil
	case *types.Value_StringVal:
		return value.AppendString(make([]byte, 0, len(x.StringVal)+4), x.StringVal), nil
	case *types.Value_Int32Val:
		return value.AppendInt32(make([]byte, 0, 11), x.Int32Val), nil
	case nil:
		return nil, nil
	}
	return proto.Marshal(v)
}

// itoa is strconv.Itoa, appended.
func itoa(dst []byte, n int) []byte { return strconv.AppendInt(dst, int64(n), 10) }
