package parquet

import (
	"math"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// isNull reports whether a cell is null: it has the list of pandas.read_csv,
// since most users of CSV files read them with pandas. It holds for quoted
// cells and for text as well.
func isNull(cell string) bool {
	switch cell {
	case "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
		"<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null":
		return true
	}
	return false
}

// cellType is the Arrow type in which to read cells that become a value type.
// Text keeps each cell as it is written.
func cellType(kind types.ValueType_Enum) arrow.DataType {
	switch kind {
	case types.ValueType_INT32, types.ValueType_INT64:
		return arrow.PrimitiveTypes.Int64
	case types.ValueType_DOUBLE:
		return arrow.PrimitiveTypes.Float64
	case types.ValueType_FLOAT:
		return arrow.PrimitiveTypes.Float32
	case types.ValueType_BOOL:
		return arrow.FixedWidthTypes.Boolean
	case types.ValueType_BYTES:
		return arrow.BinaryTypes.Binary
	case types.ValueType_UNIX_TIMESTAMP:
		return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	}
	return arrow.BinaryTypes.String
}

// appendCell reads a cell that is not null.
func appendCell(b array.Builder, cell string) error {
	plain := strings.TrimSpace(cell)
	switch b := b.(type) {
	case *array.StringBuilder:
		b.Append(cell)
	case *array.BinaryBuilder:
		b.AppendString(cell)
	case *array.Int64Builder:
		v, err := parseInt(plain)
		if err != nil {
			return err
		}
		b.Append(v)
	case *array.Float64Builder:
		v, err := parseFloat(plain, 64)
		if err != nil {
			return err
		}
		b.Append(v)
	case *array.Float32Builder: // parsed directly: through a double it would be rounded twice
		v, err := parseFloat(plain, 32)
		if err != nil {
			return err
		}
		b.Append(float32(v))
	case *array.BooleanBuilder:
		v, err := parseBool(plain)
		if err != nil {
			return err
		}
		b.Append(v)
	case *array.TimestampBuilder:
		v, err := parseStamp(plain, b)
		if err != nil {
			return err
		}
		b.Append(v)
	default:
		return fault.New(fault.Internal, "cells are not read as %s", b.Type())
	}
	return nil
}

// parseInt reads an integer. It accepts 7.0, which pandas writes once a column
// has a null, but not 7.5.
func parseInt(cell string) (int64, error) {
	whole, fraction, _ := strings.Cut(cell, ".")
	v, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || strings.Trim(fraction, "0") != "" {
		return 0, fault.New(fault.Invalid, "%q is not a 64-bit integer", cut(cell)).Because(err)
	}
	return v, nil
}

// parseFloat reads a number in decimal notation.
func parseFloat(cell string, bits int) (float64, error) {
	v, err := strconv.ParseFloat(cell, bits)
	if err != nil || strings.ContainsAny(cell, "_xXpP") { // Go reads 1_0 and 0x1p4, which no data file means
		return 0, fault.New(fault.Invalid, "%q is not a %d-bit number", cut(cell), bits).Because(err)
	}
	return v, nil
}

// parseBool reads the words that pandas, PostgreSQL and spreadsheets write.
func parseBool(cell string) (bool, error) {
	switch strings.ToLower(cell) {
	case "true", "t", "yes", "y", "on", "1", "1.0":
		return true, nil
	case "false", "f", "no", "n", "off", "0", "0.0":
		return false, nil
	}
	return false, fault.New(fault.Invalid, "%q is neither true nor false", cut(cell))
}

// parseStamp reads a time, or a number as seconds since 1970, which is how the
// online store keeps times.
func parseStamp(cell string, b *array.TimestampBuilder) (arrow.Timestamp, error) {
	t, ok := b.Type().(*arrow.TimestampType)
	if !ok {
		return 0, fault.New(fault.Internal, "cells are not read as %s", b.Type())
	}
	if v, err := parseInt(cell); err == nil {
		per := perSecond(t.Unit)
		if v > math.MaxInt64/per || v < math.MinInt64/per {
			return 0, fault.New(fault.Invalid, "%q lies outside the range of times that can be stored", cell)
		}
		return arrow.Timestamp(v * per), nil
	}
	return parsed(cell, t.Unit)
}

// cellKinds is the set of types that all cells of a column have fitted so far,
// and the set of those types from which the cells can be written back
// unchanged.
type cellKinds uint16

const (
	intKind cellKinds = 1 << iota
	floatKind
	boolKind
	microTime // times that microseconds can represent
	nanoTime  // times that nanoseconds can represent
	sameInt
	sameFloat
	seen
	anyKind = intKind | floatKind | boolKind | microTime | nanoTime | sameInt | sameFloat
)

// after removes the types that a cell does not fit.
func (k cellKinds) after(cell string) cellKinds {
	k |= seen
	if k&(intKind|floatKind) != 0 {
		k &^= notNumber(cell)
	}
	if k&boolKind != 0 {
		switch cell {
		case "true", "false", "True", "False", "TRUE", "FALSE":
		default:
			k &^= boolKind
		}
	}
	if k&(microTime|nanoTime) != 0 {
		k &^= notTime(cell)
	}
	return k
}

// notTime returns the units that cannot represent a cell.
func notTime(cell string) cellKinds {
	t, err := value.ParseTime(cell)
	if err != nil {
		return microTime | nanoTime
	}
	out := cellKinds(0)
	if t.Nanosecond()%1000 != 0 {
		out |= microTime
	}
	if t.Year() < 1678 || t.Year() > 2261 {
		out |= nanoTime
	}
	return out
}

// notNumber returns the kinds of number that a cell rules out. Digits after a
// leading zero are a code, such as a postal code; so are more digits than
// integers have.
func notNumber(cell string) cellKinds {
	out := cellKinds(0)
	if !plainInteger(cell) {
		out |= sameInt
	}
	digits := strings.TrimLeft(cell, "+-")
	padded := len(digits) > 1 && digits[0] == '0'
	whole := strings.Trim(digits, "0123456789") == "" && digits != ""
	if _, err := strconv.ParseInt(cell, 10, 64); err != nil || padded {
		out |= intKind | sameInt
	}
	v, err := parseFloat(cell, 64)
	if err != nil || whole && out&intKind != 0 || padded && digits[1] >= '0' && digits[1] <= '9' {
		return out | floatKind | sameFloat
	}
	if whole || !plainFloat(cell, v) {
		out |= sameFloat
	}
	return out
}

// plainFloat reports whether a cell is exactly how a float without an exponent is
// written.
func plainFloat(cell string, v float64) bool {
	if math.Abs(v) >= 1e16 || v != 0 && math.Abs(v) < 1e-4 {
		return false
	}
	text := strconv.FormatFloat(v, 'f', -1, 64)
	return text == cell || text+".0" == cell
}

// inferred is the type that Columns reports for a column.
func (k cellKinds) inferred() arrow.DataType {
	switch {
	case k&seen == 0:
		return arrow.BinaryTypes.String
	case k&intKind != 0:
		return arrow.PrimitiveTypes.Int64
	case k&floatKind != 0:
		return arrow.PrimitiveTypes.Float64
	}
	return k.notNumeric()
}

// exact is the type in which a column is read when the query does not name one:
// a number only if writing the cells back gives the same text.
func (k cellKinds) exact() arrow.DataType {
	switch {
	case k&seen == 0:
		return arrow.Null
	case k&sameInt != 0:
		return arrow.PrimitiveTypes.Int64
	case k&sameFloat != 0:
		return arrow.PrimitiveTypes.Float64
	}
	return k.notNumeric()
}

// notNumeric is the type of a column whose cells are not all numbers.
func (k cellKinds) notNumeric() arrow.DataType {
	switch {
	case k&boolKind != 0:
		return arrow.FixedWidthTypes.Boolean
	case k&microTime != 0:
		return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	case k&nanoTime != 0:
		return &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}
	}
	return arrow.BinaryTypes.String
}
