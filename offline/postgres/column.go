package postgres

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/banquet-fs/banquet/value"
)

// column turns one column of PostgreSQL, in its binary form, into Arrow.
type column struct {
	dt   arrow.DataType
	oid  uint32
	read func(b array.Builder, m *pgtype.Map, oid uint32, raw []byte) error
}

func newBuilder(schema *arrow.Schema) *array.RecordBuilder {
	return array.NewRecordBuilder(memory.DefaultAllocator, schema)
}

func (c *column) append(b array.Builder, m *pgtype.Map, raw []byte) error {
	if raw == nil {
		b.AppendNull()
		return nil
	}
	return c.read(b, m, c.oid, raw)
}

var micros = &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}

// newColumn chooses the Arrow type of a PostgreSQL type. wantTime asks for a
// time: nil when the type is none.
func newColumn(oid uint32, wantTime bool) *column {
	c := &column{oid: oid}
	switch oid {
	case pgtype.TimestamptzOID, pgtype.TimestampOID:
		c.dt, c.read = micros, readTime
	case pgtype.DateOID:
		c.dt, c.read = micros, readDate
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.BPCharOID, pgtype.NameOID, pgtype.UnknownOID, pgtype.JSONOID:
		c.dt, c.read = arrow.BinaryTypes.String, readText
		if wantTime {
			c.dt, c.read = micros, readTextTime
		}
	}
	if wantTime || c.dt != nil {
		if c.dt == nil {
			return nil
		}
		return c
	}
	c.scalar(oid)
	if c.dt == nil {
		c.list(oid)
	}
	if c.dt == nil {
		c.dt, c.read = arrow.BinaryTypes.String, readAny
	}
	return c
}

func (c *column) scalar(oid uint32) {
	switch oid {
	case pgtype.BoolOID:
		c.dt, c.read = arrow.FixedWidthTypes.Boolean, readBool
	case pgtype.Int2OID, pgtype.Int4OID:
		c.dt, c.read = arrow.PrimitiveTypes.Int32, readInt32
	case pgtype.Int8OID:
		c.dt, c.read = arrow.PrimitiveTypes.Int64, readInt64
	case pgtype.Float4OID:
		c.dt, c.read = arrow.PrimitiveTypes.Float32, readFloat32
	case pgtype.Float8OID:
		c.dt, c.read = arrow.PrimitiveTypes.Float64, readFloat64
	case pgtype.NumericOID:
		c.dt, c.read = arrow.PrimitiveTypes.Float64, readNumeric
	case pgtype.ByteaOID:
		c.dt, c.read = arrow.BinaryTypes.Binary, readBytes
	case pgtype.JSONBOID:
		c.dt, c.read = arrow.BinaryTypes.String, readJSONB
	case pgtype.UUIDOID:
		c.dt, c.read = arrow.BinaryTypes.String, readUUID
	}
}

// list handles one-dimensional arrays of the scalar types.
func (c *column) list(oid uint32) {
	element, ok := map[uint32]uint32{
		pgtype.Int8ArrayOID: pgtype.Int8OID, pgtype.Int4ArrayOID: pgtype.Int4OID, pgtype.Int2ArrayOID: pgtype.Int2OID,
		pgtype.TextArrayOID: pgtype.TextOID, pgtype.VarcharArrayOID: pgtype.TextOID, pgtype.BPCharArrayOID: pgtype.TextOID,
		pgtype.Float4ArrayOID: pgtype.Float4OID, pgtype.Float8ArrayOID: pgtype.Float8OID, pgtype.NumericArrayOID: pgtype.NumericOID,
		pgtype.BoolArrayOID: pgtype.BoolOID, pgtype.TimestamptzArrayOID: pgtype.TimestamptzOID, pgtype.TimestampArrayOID: pgtype.TimestampOID,
		pgtype.DateArrayOID: pgtype.DateOID, pgtype.ByteaArrayOID: pgtype.ByteaOID, pgtype.UUIDArrayOID: pgtype.UUIDOID,
	}[oid]
	if !ok {
		return
	}
	inner := newColumn(element, false)
	c.dt = arrow.ListOf(inner.dt)
	c.read = func(b array.Builder, m *pgtype.Map, _ uint32, raw []byte) error {
		l, ok := b.(*array.ListBuilder)
		if !ok {
			return fmt.Errorf("a list came into a %T", b)
		}
		l.Append(true)
		return eachElement(raw, func(v []byte) error { return inner.append(l.ValueBuilder(), m, v) })
	}
}

// eachElement visits the elements of an array in PostgreSQL's binary form:
// dimensions, a flag for nulls, the element type, then for each dimension its
// size and lower bound, then each element with its length, -1 for null.
func eachElement(raw []byte, visit func([]byte) error) error {
	cut := fmt.Errorf("a cut array")
	if len(raw) < 12 {
		return cut
	}
	dims := int(binary.BigEndian.Uint32(raw))
	raw = raw[12:]
	if dims == 0 {
		return nil
	}
	if dims != 1 || len(raw) < 8 {
		return fmt.Errorf("an array of %d dimensions; one is read", dims)
	}
	n := int(binary.BigEndian.Uint32(raw))
	raw = raw[8:]
	for range n {
		if len(raw) < 4 {
			return cut
		}
		size := int(int32(binary.BigEndian.Uint32(raw)))
		raw = raw[4:]
		var v []byte
		if size >= 0 {
			if size > len(raw) {
				return cut
			}
			v, raw = raw[:size:size], raw[size:]
		}
		if err := visit(v); err != nil {
			return err
		}
	}
	return nil
}

var errShort = fmt.Errorf("a value of another length than its type has")

func readBool(b array.Builder, _ *pgtype.Map, _ uint32, raw []byte) error {
	if len(raw) != 1 {
		return errShort
	}
	b.(*array.BooleanBuilder).Append(raw[0] != 0)
	return nil
}

func readInt32(b array.Builder, _ *pgtype.Map, _ uint32, raw []byte) error {
	switch len(raw) {
	case 2:
		b.(*array.Int32Builder).Append(int32(int16(binary.BigEndian.Uint16(raw))))
	case 4:
		b.(*array.Int32Builder).Append(int32(binary.BigEndian.Uint32(raw)))
	default:
		return errShort
	}
	return nil
}

func readInt64(b array.Builder, _ *pgtype.Map, _ uint32, raw []byte) error {
	if len(raw) != 8 {
		return errShort
	}
	b.(*array.Int64Builder).Append(int64(binary.BigEndian.Uint64(raw)))
	return nil
}

func readFloat32(b array.Builder, _ *pgtype.Map, _ uint32, raw []byte) error {
	if len(raw) != 4 {
		return errShort
	}
	b.(*array.Float32Builder).Append(math.Float32frombits(binary.BigEndian.Uint32(raw)))
	return nil
}

func readFloat64(b array.Builder, _ *pgtype.Map, _ uint32, raw []byte) error {
	if len(raw) != 8 {
		return errShort
	}
	b.(*array.Float64Builder).Append(math.Float64frombits(binary.BigEndian.Uint64(raw)))
	return nil
}

func readNumeric(b array.Builder, m *pgtype.Map, _ uint32, raw []byte) error {
	var n pgtype.Numeric
	if err := m.Scan(pgtype.NumericOID, pgtype.BinaryFormatCode, raw, &n); err != nil {
		return err
	}
	f, err := n.Float64Value()
	if err != nil {
		return err
	}
	b.(*array.Float64Builder).Append(f.Float64)
	return nil
}

func readText(b array.Builder, _ *pgtype.Map, _ uint32, raw []byte) error {
	b.(*array.StringBuilder).Append(string(raw))
	return nil
}

func readBytes(b array.Builder, _ *pgtype.Map, _ uint32, raw []byte) error {
	b.(*array.BinaryBuilder).Append(raw)
	return nil
}

// readJSONB takes off the version that the binary form begins with.
func readJSONB(b array.Builder, _ *pgtype.Map, _ uint32, raw []byte) error {
	if len(raw) == 0 || raw[0] != 1 {
		return errShort
	}
	b.(*array.StringBuilder).Append(string(raw[1:]))
	return nil
}

func readUUID(b array.Builder, _ *pgtype.Map, _ uint32, raw []byte) error {
	if len(raw) != 16 {
		return errShort
	}
	b.(*array.StringBuilder).Append(fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:]))
	return nil
}

// readAny reads a type that has no Arrow type of its own as the text that pgx
// gives for it.
func readAny(b array.Builder, m *pgtype.Map, oid uint32, raw []byte) error {
	var v any
	if t, ok := m.TypeForOID(oid); ok {
		decoded, err := t.Codec.DecodeValue(m, oid, pgtype.BinaryFormatCode, raw)
		if err != nil {
			return err
		}
		v = decoded
	} else {
		v = string(raw)
	}
	b.(*array.StringBuilder).Append(fmt.Sprint(v))
	return nil
}

// epoch2000 is PostgreSQL's zero time in microseconds since 1970.
const epoch2000 = 946684800 * 1_000_000

// readTime reads a timestamp; infinity, which Arrow cannot say, is null.
func readTime(b array.Builder, _ *pgtype.Map, _ uint32, raw []byte) error {
	if len(raw) != 8 {
		return errShort
	}
	v := int64(binary.BigEndian.Uint64(raw))
	if v == math.MaxInt64 || v == math.MinInt64 {
		b.AppendNull()
		return nil
	}
	b.(*array.TimestampBuilder).Append(arrow.Timestamp(v + epoch2000))
	return nil
}

func readDate(b array.Builder, _ *pgtype.Map, _ uint32, raw []byte) error {
	if len(raw) != 4 {
		return errShort
	}
	days := int32(binary.BigEndian.Uint32(raw))
	if days == math.MaxInt32 || days == math.MinInt32 {
		b.AppendNull()
		return nil
	}
	b.(*array.TimestampBuilder).Append(arrow.Timestamp(int64(days)*86400*1_000_000 + epoch2000))
	return nil
}

// readTextTime reads a time kept as text, in UTC unless it says otherwise.
func readTextTime(b array.Builder, _ *pgtype.Map, _ uint32, raw []byte) error {
	t, err := value.ParseTime(string(raw))
	if err != nil {
		return err
	}
	b.(*array.TimestampBuilder).Append(arrow.Timestamp(t.UnixMicro()))
	return nil
}
