package value

import (
	"strings"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// Use says what the Values of a column are for.
type Use uint8

const (
	// AsFeature drops the fraction of a number that becomes an integer, and stores
	// nulls, as Feast does with features.
	AsFeature Use = iota
	// Exact is for join keys and for rows of a source. It refuses such a number, since it
	// would be another row's key, and a null within a list of numbers, booleans or times,
	// for which Feast stores a value. A null appends nothing.
	Exact
)

// Cells is a column of rows that somebody writes, in the form in which they were
// sent: JSON tokens, texts, Values or an Arrow array. The same cells give the same
// Values in every form. Only one goroutine at a time may use it.
type Cells interface {
	// Len is the number of rows.
	Len() int
	// Append appends the Value of a row as a value of type t. A null appends nothing,
	// or, for a feature, what Feast stores for it. A cell that would lose something, or
	// does not fit the type, is an Invalid fault that shows the cell.
	Append(dst []byte, row int, t types.ValueType_Enum, use Use) ([]byte, error)
	// Time reads a row as a time; ok is false if it has none: null, an empty text or
	// the NaT of pandas. A number is an Invalid fault, since its unit is unknown.
	Time(row int) (t time.Time, ok bool, err error)
	// Text shows a row in messages, on one line and cut to a length.
	Text(row int) string
}

// textTime reads the text of a time. pandas writes NaT for a missing one.
func textTime(s string) (time.Time, bool, error) {
	switch strings.TrimSpace(s) {
	case "", "NaT", "None", "nan":
		return time.Time{}, false, nil
	}
	t, err := ParseTime(s)
	return t, err == nil, err
}

// noUnit refuses a number as a time.
func noUnit(number string) error {
	return fault.New(fault.Invalid, "%s is a number, whose unit is unknown; send the time as text, such as 2024-01-31T00:00:00Z", shortText(number))
}

// oneLine cuts a long cell and quotes one that is not a single line.
func oneLine(cell string) string {
	if strings.ContainsFunc(cell, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' }) {
		return quoted(cell)
	}
	return shortText(cell)
}

// ValueCells are cells that were sent as serialized Values; an empty one is null.
type ValueCells [][]byte //nolint:revive // its siblings are TokenCells and TextCells

// Len is the number of rows.
func (c ValueCells) Len() int { return len(c) }

// Append converts a Value that has another type than t as the same cell in JSON
// would be.
func (c ValueCells) Append(dst []byte, row int, t types.ValueType_Enum, use Use) ([]byte, error) {
	v := c[row]
	kind := Kind(v)
	switch {
	case kind == types.ValueType_INVALID:
		if len(v) > 0 && Check(v) != nil {
			return nil, corrupt("it cannot be read")
		}
		return dst, nil
	case kind == t:
		if err := Check(v); err != nil {
			return nil, err
		}
		return append(dst, v...), nil
	case shapeOf(uint64(kind)) == bytesList || kind == types.ValueType_BYTES || kind == types.ValueType_ZONED_TIMESTAMP:
		return nil, fault.New(fault.Invalid, "a value of type %s does not fit value type %s", kind, t)
	}
	token, err := AppendJSON(nil, v)
	if err != nil {
		return nil, err
	}
	return AppendFromToken(dst, token, t, use)
}

// Time reads a UNIX_TIMESTAMP, which is seconds, or the text of a time.
func (c ValueCells) Time(row int) (time.Time, bool, error) {
	v := c[row]
	switch kind := Kind(v); kind {
	case types.ValueType_INVALID:
		return time.Time{}, false, nil
	case types.ValueType_UNIX_TIMESTAMP:
		seconds, ok := Int64(v)
		if !ok {
			return time.Time{}, false, corrupt("it cannot be read")
		}
		if seconds == noTime {
			return time.Time{}, false, nil
		}
		return time.Unix(seconds, 0).UTC(), true, nil
	case types.ValueType_STRING:
		s, ok := String(v)
		if !ok {
			return time.Time{}, false, corrupt("it cannot be read")
		}
		return textTime(s)
	case types.ValueType_INT32, types.ValueType_INT64, types.ValueType_DOUBLE, types.ValueType_FLOAT:
		return time.Time{}, false, noUnit(c.Text(row))
	default:
		return time.Time{}, false, fault.New(fault.Invalid, "a value of type %s is not a time", kind)
	}
}

// Text shows a Value as JSON.
func (c ValueCells) Text(row int) string {
	token, err := AppendJSON(nil, c[row])
	if err != nil {
		return "bytes that are not a value"
	}
	return oneLine(string(token))
}

// IsNull reports whether every reader of Feast takes a stored Value for null.
func IsNull(v []byte) bool {
	if len(v) == 0 {
		return true
	}
	seconds, ok := Int64(v)
	return ok && seconds == noTime && Kind(v) == types.ValueType_UNIX_TIMESTAMP
}
