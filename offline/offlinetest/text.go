package offlinetest

import (
	"encoding/hex"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/value"
)

// Text writes a cell as it is written in SQL and CSV, for backends whose
// sources are made of text; false for a null. Bytes are in hex; the backend
// writes lists.
func Text(a arrow.Array, row int) (string, bool) {
	if isNull(a, row) {
		return "", false
	}
	return plain(a, row), true
}

// isNull also holds for arrays of the null type, which report no row as null.
func isNull(a arrow.Array, row int) bool { return a.DataType().ID() == arrow.NULL || a.IsNull(row) }

func plain(a arrow.Array, row int) string {
	switch a := a.(type) {
	case *array.Binary:
		return hex.EncodeToString(a.Value(row))
	case *array.Timestamp:
		switch int64(a.Value(row)) {
		case value.Infinity:
			return "infinity"
		case value.MinusInfinity:
			return "-infinity"
		}
		unit, ok := a.DataType().(*arrow.TimestampType)
		if !ok {
			return a.ValueStr(row)
		}
		layout := "2006-01-02 15:04:05.999999999"
		if unit.TimeZone != "" {
			layout += "Z07:00"
		}
		return a.Value(row).ToTime(unit.Unit).In(zone(unit)).Format(layout)
	case *array.Float32, *array.Float64:
		return strings.TrimPrefix(a.ValueStr(row), "+")
	case *array.Decimal128:
		if t, ok := a.DataType().(arrow.DecimalType); ok {
			return a.Value(row).ToString(t.GetScale()) // ValueStr converts through a float
		}
	}
	return a.ValueStr(row)
}

// zone is the zone in which a column's times are written.
func zone(unit *arrow.TimestampType) *time.Location {
	if at, err := unit.GetZone(); err == nil && unit.TimeZone != "" {
		return at
	}
	return time.UTC
}
