package postgres

import (
	"fmt"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// column turns the cells of one column of PostgreSQL into Arrow.
type column struct {
	// dt is the Arrow type: the one that Feast gives the type if it has one,
	// DecimalText for decimals, and text for all other types.
	dt arrow.DataType
	// format is the format in which the server sends the cells.
	format int16
	// read appends a cell that is not null.
	read func(b array.Builder, raw []byte) error
}

// append appends a cell; nil is a null.
func (c *column) append(b array.Builder, raw []byte) error {
	if raw == nil {
		b.AppendNull()
		return nil
	}
	return c.read(b, raw)
}

// moment is the Arrow type that Feast gives PostgreSQL's times and dates.
var moment = &arrow.TimestampType{Unit: arrow.Microsecond}

// newColumn chooses how a type is read.
func newColumn(k *kind) *column {
	switch {
	case k.element == nil:
		return newScalar(k)
	case inBinary(k.element):
		return binaryList(newScalar(k.element))
	}
	return textList(k)
}

// inBinary reports whether the binary form of a type is known. Other types may
// lack one, even kinds of text.
func inBinary(k *kind) bool {
	switch k.oid {
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.BPCharOID:
		return true
	}
	return k.element == nil && newScalar(k).format == pgtype.BinaryFormatCode
}

func newScalar(k *kind) *column {
	c := &column{format: pgtype.BinaryFormatCode}
	switch k.oid {
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
	case pgtype.ByteaOID:
		c.dt, c.read = arrow.BinaryTypes.Binary, readBytes
	case pgtype.TimestamptzOID, pgtype.TimestampOID:
		c.dt, c.read = moment, readTime
	case pgtype.DateOID:
		c.dt, c.read = moment, readDate
	case pgtype.NumericOID:
		return &column{dt: value.NewDecimalText(), format: pgtype.TextFormatCode, read: readDecimal}
	default:
		return textColumn()
	}
	return c
}

// readAs is the column for a value type. Bits are text of zeros and ones, which
// every other value type would read as decimal digits.
func (c *column) readAs(k *kind, asked types.ValueType_Enum) *column {
	if k.element != nil {
		k = k.element
	}
	if k.oid != pgtype.BitOID && k.oid != pgtype.VarbitOID {
		return c
	}
	switch asked {
	case types.ValueType_INVALID, types.ValueType_STRING, types.ValueType_STRING_LIST, types.ValueType_STRING_SET:
		return c
	}
	return &column{dt: c.dt, format: c.format, read: func(array.Builder, []byte) error {
		return fmt.Errorf("bits are text, not %s; convert them in the query, such as CAST(CAST(bits AS bit(32)) AS int)", asked)
	}}
}

func textColumn() *column {
	return &column{dt: arrow.BinaryTypes.String, format: pgtype.TextFormatCode, read: readText}
}

// readText reads text, or the text form that the server gives other types.
func readText(b array.Builder, raw []byte) error {
	if !utf8.Valid(raw) {
		return fmt.Errorf("the text is not valid UTF-8")
	}
	b.(*array.StringBuilder).BinaryBuilder.Append(raw)
	return nil
}

// readDecimal reads a number with its own scale.
func readDecimal(b array.Builder, raw []byte) error {
	return readText(b.(*array.ExtensionBuilder).Builder, raw)
}

// listOf makes a column of lists from the column of their elements.
func listOf(element *column, format int16, each func(raw []byte, visit func([]byte) error) error) *column {
	return &column{dt: arrow.ListOf(element.dt), format: format, read: func(b array.Builder, raw []byte) error {
		list := b.(*array.ListBuilder)
		list.Append(true)
		return each(raw, func(v []byte) error { return element.append(list.ValueBuilder(), v) })
	}}
}

func binaryList(element *column) *column {
	return listOf(element, pgtype.BinaryFormatCode, eachElement)
}

// textList reads arrays whose elements arrive as text.
func textList(k *kind) *column {
	element := textColumn()
	if k.element.oid == pgtype.NumericOID {
		element = newScalar(k.element)
	}
	return listOf(element, pgtype.TextFormatCode, func(raw []byte, visit func([]byte) error) error {
		return eachText(raw, k.delimiter, visit)
	})
}
