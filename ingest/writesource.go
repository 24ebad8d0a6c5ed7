package ingest

import (
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/value"
)

// sourceColumn is a column of the rows with what the column of the batch source needs: an
// Arrow array of its type. The offline store itself fits the cells to its column.
type sourceColumn struct {
	Column
	// kind is the value type that cells get; INVALID for times.
	kind types.ValueType_Enum
	// nested says that the column needs cells that only an Arrow array has.
	nested  string
	whole   bool // times are whole microseconds
	scratch []byte
}

// newSourceColumn chooses the type of a column.
func newSourceColumn(c offline.Column, sent Column, isTime bool) sourceColumn {
	s := sourceColumn{Column: sent, kind: c.Type, whole: true}
	switch {
	case isTime:
		s.kind = types.ValueType_INVALID
	case c.Unmapped != "" && strings.HasPrefix(c.Native, "list<"):
		s.kind = unmappedList(c.Native)
	case c.Unmapped != "", strings.HasPrefix(c.Native, "numeric"), strings.HasPrefix(c.Native, "time ") || c.Native == "time":
		s.kind = types.ValueType_STRING // the store reads the text as its type, exactly
	case c.Native == "json" || c.Native == "jsonb":
		s.kind = types.ValueType_JSON
	case c.Type == types.ValueType_UNIX_TIMESTAMP:
		s.kind = types.ValueType_INVALID
	}
	if _, known := arrowTypeOf(s.kind); !known {
		s.nested = c.Native
	}
	return s
}

// unmappedList is the type of a file's list that has no value type in Feast, since its
// elements are not called item. VALUE_LIST stands for lists that can only be written from
// Arrow.
func unmappedList(native string) types.ValueType_Enum {
	_, element, _ := strings.Cut(strings.TrimSuffix(native, ">"), ": ")
	switch {
	case element == "string" || element == "large_string":
		return types.ValueType_STRING_LIST
	case strings.HasPrefix(element, "timestamp["):
		return types.ValueType_UNIX_TIMESTAMP_LIST
	}
	return types.ValueType_VALUE_LIST
}

// own is the array of cells that are an Arrow array already.
func (s *sourceColumn) own() (arrow.Array, bool) {
	c, ok := s.Cells.(*value.ArrowCells)
	if !ok || s.Scalar {
		return nil, false
	}
	return c.Array(), true
}

func (s *sourceColumn) at(row int) int {
	if s.Scalar {
		return 0
	}
	return row
}

// check returns an error if a cell does not fit the type.
func (s *sourceColumn) check(row int) error {
	if _, ok := s.own(); ok {
		return nil
	}
	if s.kind == types.ValueType_INVALID && s.nested == "" {
		t, ok, err := s.time(row)
		s.whole = s.whole && (!ok || t.Nanosecond()%1000 == 0)
		if err == nil && ok && t.Nanosecond()%1000 != 0 && !time.Unix(0, t.UnixNano()).Equal(t) {
			return fault.New(fault.Invalid, "the time %s is too far for its nanoseconds", t.Format(time.RFC3339Nano))
		}
		return err
	}
	v, err := s.value(row)
	if err == nil && len(v) > 0 && s.nested != "" {
		err = fault.New(fault.Invalid, "a column of type %s can only be written from Arrow or Parquet", s.nested)
	}
	return err
}

// value is the Value of a cell. No fraction is dropped: what is stored is what was sent.
func (s *sourceColumn) value(row int) ([]byte, error) {
	kind := s.kind
	if s.nested != "" {
		kind = types.ValueType_JSON
	}
	var err error
	s.scratch, err = s.Cells.Append(s.scratch[:0], s.at(row), kind, value.Exact)
	return s.scratch, err
}

// time reads a time, or, of a feature, the seconds that JSON has for it.
func (s *sourceColumn) time(row int) (time.Time, bool, error) {
	t, ok, err := s.Cells.Time(s.at(row))
	if err == nil {
		return t, ok, nil
	}
	v, failed := s.Cells.Append(nil, s.at(row), types.ValueType_UNIX_TIMESTAMP, value.Exact)
	if seconds, ok := value.Int64(v); failed == nil && ok {
		return time.Unix(seconds, 0).UTC(), true, nil
	}
	return time.Time{}, false, err
}

// array makes the array of some rows.
func (s *sourceColumn) array(rows []int) (arrow.Array, error) {
	if a, ok := s.own(); ok && len(rows) == a.Len() {
		a.Retain()
		return a, nil
	} else if ok {
		return picked(a, rows)
	}
	if s.kind == types.ValueType_INVALID || s.nested != "" {
		return s.times(rows)
	}
	dt, _ := arrowTypeOf(s.kind)
	b := array.NewBuilder(memory.DefaultAllocator, dt)
	defer b.Release()
	var v types.Value
	for _, row := range rows {
		raw, err := s.value(row)
		if err != nil {
			return nil, err
		}
		if len(raw) == 0 {
			b.AppendNull()
			continue
		}
		if err := proto.Unmarshal(raw, &v); err != nil {
			return nil, fault.New(fault.Internal, "a value that was just made cannot be read").Because(err)
		}
		appendValue(b, &v)
	}
	return b.NewArray(), nil
}

// times makes an array of times in UTC; of nulls for a nested column, which has no others.
func (s *sourceColumn) times(rows []int) (arrow.Array, error) {
	if s.nested != "" {
		return array.NewNull(len(rows)), nil
	}
	unit := arrow.Nanosecond
	if s.whole {
		unit = arrow.Microsecond
	}
	b := array.NewTimestampBuilder(memory.DefaultAllocator, &arrow.TimestampType{Unit: unit, TimeZone: "UTC"})
	defer b.Release()
	for _, row := range rows {
		t, ok, err := s.time(row)
		switch {
		case err != nil:
			return nil, err
		case !ok:
			b.AppendNull()
		case s.whole:
			b.Append(arrow.Timestamp(t.UnixMicro()))
		case !time.Unix(0, t.UnixNano()).Equal(t):
			return nil, fault.New(fault.Invalid, "the time %s is too far beside times with nanoseconds", t.Format(time.RFC3339Nano))
		default:
			b.Append(arrow.Timestamp(t.UnixNano()))
		}
	}
	return b.NewArray(), nil
}

// picked is the array of some rows of another, in order.
func picked(a arrow.Array, rows []int) (arrow.Array, error) {
	var parts []arrow.Array
	defer func() {
		for _, p := range parts {
			p.Release()
		}
	}()
	for i := 0; i < len(rows); {
		end := i + 1
		for end < len(rows) && rows[end] == rows[end-1]+1 {
			end++
		}
		parts = append(parts, array.NewSlice(a, int64(rows[i]), int64(rows[end-1]+1)))
		i = end
	}
	if len(parts) == 0 {
		return array.NewSlice(a, 0, 0), nil
	}
	out, err := array.Concatenate(parts, memory.DefaultAllocator)
	if err != nil {
		return nil, fault.New(fault.Internal, "rows cannot be left out of a column").Because(err)
	}
	return out, nil
}
