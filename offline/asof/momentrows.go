package asof

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/internal/spool"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/value"
)

// momentRows makes batches of moments.
type momentRows struct {
	schema *arrow.Schema
	unit   arrow.TimeUnit
	sinks  []sink // of the keys
	times  *array.TimestampBuilder
	rows   int
	size   int // about the bytes of the keys and times
}

func newMomentRows(schema *arrow.Schema) (*momentRows, error) {
	fields := schema.Fields()
	last := fields[len(fields)-1]
	unit, err := unitOf(last)
	if err != nil {
		return nil, err
	}
	out := &momentRows{schema: schema, unit: unit}
	for _, f := range fields[:len(fields)-1] {
		out.sinks = append(out.sinks, newSink(f.Type))
	}
	t, _ := last.Type.(*arrow.TimestampType)
	out.times = array.NewTimestampBuilder(memory.DefaultAllocator, t)
	return out, nil
}

// add adds the moment at a cursor.
func (out *momentRows) add(c *cursor) error {
	order := c.order()
	at := instant{int64(binary.BigEndian.Uint64(order) ^ 1<<63), int64(binary.BigEndian.Uint32(order[8:]))}
	n := per(out.unit)
	if at.seconds > math.MaxInt64/n-1 || at.seconds < math.MinInt64/n+1 {
		return fault.New(fault.Invalid, "the event time %s does not fit the nanoseconds of another view's times; ask for the views one by one", at.bound().Format("2006-01-02 15:04:05"))
	}
	for i, s := range out.sinks {
		s.rows(c.columns[i+1], []int32{int32(c.row)})
	}
	out.times.Append(arrow.Timestamp(at.seconds*n + at.nanos/int64(out.unit.Multiplier())))
	out.rows++
	out.size += len(order)
	return nil
}

// full reports whether the batch is large enough.
func (out *momentRows) full() bool { return out.rows >= batchRows || out.size >= batchBytes }

func (out *momentRows) finish() (arrow.RecordBatch, error) {
	columns := make([]arrow.Array, 0, len(out.sinks)+1)
	for i, s := range out.sinks {
		d, err := s.finish()
		if err != nil {
			return nil, err
		}
		columns = append(columns, array.MakeFromData(spool.Retyped(d, out.schema.Field(i).Type)))
	}
	n := out.rows
	out.rows, out.size = 0, 0
	return array.NewRecordBatch(out.schema, append(columns, out.times.NewArray()), int64(n)), nil
}

// keys gives the key columns of a view the types of the first view's.
func (m *moments) keys(v offline.JoinView, columns []arrow.Array) ([]arrow.ArrayData, error) {
	all := make([]arrow.ArrayData, len(columns))
	for i, a := range columns {
		of := m.schema.Field(i).Type
		if arrow.TypeEqual(plain(a.DataType()), of) {
			all[i] = a.Data()
			continue
		}
		c, err := converted(a, m.kinds[i], of)
		if err != nil {
			return nil, fault.New(fault.Invalid, "view %s, column %s: %s", v.Name, v.Keys[i].Column, fault.Of(err).Text).Because(err)
		}
		all[i] = c.Data()
	}
	return all, nil
}

// converted gives keys of a value type another Arrow type. What is no key becomes
// null.
func converted(a arrow.Array, kind types.ValueType_Enum, to arrow.DataType) (arrow.Array, error) {
	e := value.NewArrowKeyEncoder(a.DataType(), kind)
	b := array.NewBuilder(memory.DefaultAllocator, to)
	defer b.Release()
	keys := make([][]byte, a.Len())
	misfit := func(err error) error {
		return fault.New(fault.Invalid, "its keys, of type %s, do not fit the type %s of another view's keys", a.DataType(), to).Because(err)
	}
	for row := range keys {
		key, err := e.Append(nil, a, row)
		if err != nil || len(key) == 0 {
			b.AppendNull()
			continue
		}
		keys[row] = key
		text, err := keyText(key, to)
		if err == nil {
			err = b.AppendValueFromString(text)
		}
		if err != nil {
			return nil, misfit(err)
		}
	}
	made := b.NewArray()
	back := value.NewArrowKeyEncoder(to, kind)
	for row, key := range keys {
		if key == nil {
			continue
		}
		if again, err := back.Append(nil, made, row); err != nil || !bytes.Equal(again, key) {
			return nil, misfit(err)
		}
	}
	return made, nil
}

// keyText writes a Value in the form that the builders of a type read.
func keyText(encoded []byte, to arrow.DataType) (string, error) {
	var v types.Value
	if err := proto.Unmarshal(encoded, &v); err != nil {
		return "", err
	}
	switch val := v.GetVal().(type) {
	case *types.Value_Int32Val:
		return strconv.Itoa(int(val.Int32Val)), nil
	case *types.Value_Int64Val:
		return strconv.FormatInt(val.Int64Val, 10), nil
	case *types.Value_BoolVal:
		return strconv.FormatBool(val.BoolVal), nil
	case *types.Value_DoubleVal:
		return strconv.FormatFloat(val.DoubleVal, 'g', -1, 64), nil
	case *types.Value_FloatVal:
		return strconv.FormatFloat(float64(val.FloatVal), 'g', -1, 32), nil
	case *types.Value_StringVal:
		return val.StringVal, nil
	case *types.Value_UuidVal:
		return val.UuidVal, nil
	case *types.Value_TimeUuidVal:
		return val.TimeUuidVal, nil
	case *types.Value_BytesVal:
		return base64.StdEncoding.EncodeToString(val.BytesVal), nil
	case *types.Value_UnixTimestampVal:
		layout := time.RFC3339
		if t, ok := to.(*arrow.TimestampType); ok && t.TimeZone == "" {
			layout = "2006-01-02 15:04:05"
		}
		if arrow.IsInteger(to.ID()) {
			return strconv.FormatInt(val.UnixTimestampVal, 10), nil
		}
		return time.Unix(val.UnixTimestampVal, 0).UTC().Format(layout), nil
	}
	return "", fmt.Errorf("a key of type %T", v.GetVal())
}
