package postgres

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/jackc/pgx/v5/pgtype"
	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// put writes a cell that is not null as the server reads it. It refuses a cell that
// the column would change. The server itself refuses what its type cannot read.
type put func(dst []byte, a arrow.Array, row int) ([]byte, error)

// isNull reports whether a cell is null, however it is packed.
func isNull(a arrow.Array, row int) bool {
	if d, ok := a.(*array.Dictionary); ok {
		return d.IsNull(row) || isNull(d.Dictionary(), d.GetValueIndex(row))
	}
	return a.DataType().ID() == arrow.NULL || a.IsNull(row)
}

// putFor chooses how cells of an Arrow type are written to a column; nil if the
// column does not hold such cells.
func putFor(k *kind, mod int32, dt arrow.DataType) put {
	switch t := dt.(type) {
	case *arrow.NullType:
		return func([]byte, arrow.Array, int) ([]byte, error) { return nil, fmt.Errorf("the cell has no type") }
	case *arrow.DictionaryType:
		return putPacked(putFor(k, mod, t.ValueType))
	case *value.DecimalText:
	case arrow.ExtensionType:
		return putStored(putFor(k, mod, t.StorageType()))
	}
	switch {
	case k.element != nil:
		return putList(k, mod, dt)
	case isText(dt) && !readsTimes(k):
		return putText(k, mod)
	}
	return putScalar(k, mod, dt)
}

// putScalar is putFor for cells that are not packed.
func putScalar(k *kind, mod int32, dt arrow.DataType) put {
	switch k.oid {
	case pgtype.BoolOID:
		return only(dt.ID() == arrow.BOOL, putBool)
	case pgtype.Int2OID:
		return putInt(dt, 16)
	case pgtype.Int4OID:
		return putInt(dt, 32)
	case pgtype.Int8OID:
		return putInt(dt, 64)
	case pgtype.Float4OID:
		return putFloat(dt, 32)
	case pgtype.Float8OID:
		return putFloat(dt, 64)
	case pgtype.NumericOID:
		return putNumeric(dt, mod)
	case pgtype.ByteaOID:
		return only(isBytes(dt), putBytes)
	}
	return putOther(k, mod, dt)
}

// putOther is putFor for times and for types that have a form of their own.
func putOther(k *kind, mod int32, dt arrow.DataType) put {
	switch k.oid {
	case pgtype.TimestampOID, pgtype.TimestamptzOID:
		return only(isTime(dt), putTime(mod, k.oid == pgtype.TimestamptzOID))
	case pgtype.DateOID:
		return only(isTime(dt), putDate)
	case pgtype.TimeOID:
		return only(dt.ID() == arrow.TIME32 || dt.ID() == arrow.TIME64, putClock(mod))
	case pgtype.IntervalOID:
		return only(dt.ID() == arrow.DURATION, putDuration(mod))
	case pgtype.UUIDOID:
		fixed, ok := dt.(*arrow.FixedSizeBinaryType)
		return only(ok && fixed.ByteWidth == 16, putHex)
	case pgtype.JSONOID, pgtype.JSONBOID:
		return only(arrow.IsNested(dt.ID()), putJSON(dt))
	}
	return nil
}

func only(fits bool, p put) put {
	if !fits {
		return nil
	}
	return p
}

func isText(t arrow.DataType) bool {
	return t.ID() == arrow.STRING || t.ID() == arrow.LARGE_STRING || t.ID() == arrow.STRING_VIEW
}

func isBytes(t arrow.DataType) bool {
	switch t.ID() {
	case arrow.BINARY, arrow.LARGE_BINARY, arrow.BINARY_VIEW, arrow.FIXED_SIZE_BINARY:
		return true
	}
	return false
}

// readsTimes reports whether a column holds times or dates.
func readsTimes(k *kind) bool {
	return k.oid == pgtype.TimestampOID || k.oid == pgtype.TimestamptzOID || k.oid == pgtype.DateOID
}

func isTime(t arrow.DataType) bool {
	return isText(t) || t.ID() == arrow.TIMESTAMP || t.ID() == arrow.DATE32 || t.ID() == arrow.DATE64
}

// putPacked writes the cells of a dictionary.
func putPacked(inner put) put {
	if inner == nil {
		return nil
	}
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		d, ok := a.(*array.Dictionary)
		if !ok {
			return nil, errType(a)
		}
		return inner(dst, d.Dictionary(), d.GetValueIndex(row))
	}
}

// putStored writes the cells of an extension type as those of its storage.
func putStored(inner put) put {
	if inner == nil {
		return nil
	}
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		x, ok := a.(array.ExtensionArray)
		if !ok {
			return nil, errType(a)
		}
		return inner(dst, x.Storage(), row)
	}
}

func errType(a arrow.Array) error {
	return fault.New(fault.Internal, "the cell has the type %s", a.DataType())
}

func putBool(dst []byte, a arrow.Array, row int) ([]byte, error) {
	b, ok := a.(*array.Boolean)
	if !ok {
		return nil, errType(a)
	}
	return strconv.AppendBool(dst, b.Value(row)), nil
}

// bytesAt is the content of a cell of bytes.
func bytesAt(a arrow.Array, row int) ([]byte, error) {
	b, ok := a.(interface{ Value(int) []byte })
	if !ok {
		return nil, errType(a)
	}
	return b.Value(row), nil
}

func putBytes(dst []byte, a arrow.Array, row int) ([]byte, error) {
	raw, err := bytesAt(a, row)
	return hex.AppendEncode(append(dst, '\\', 'x'), raw), err
}

func putHex(dst []byte, a arrow.Array, row int) ([]byte, error) {
	raw, err := bytesAt(a, row)
	return hex.AppendEncode(dst, raw), err
}

// textAt is a cell of text, which the server could store.
func textAt(a arrow.Array, row int) (string, error) {
	s, ok := a.(array.StringLike)
	if !ok {
		return "", errType(a)
	}
	text := s.Value(row)
	switch {
	case !utf8.ValidString(text):
		return "", fmt.Errorf("the text is not valid UTF-8")
	case strings.IndexByte(text, 0) >= 0:
		return "", fmt.Errorf("the text has a NUL byte, which PostgreSQL cannot store")
	}
	return text, nil
}

// lengthHeader is what PostgreSQL adds to a length in the limits of a type.
const lengthHeader = 4

// putText writes text to a column of any type: the server reads it as that type.
// Where it would cut or round it without a word, the cell is refused.
func putText(k *kind, mod int32) put {
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		text, err := textAt(a, row)
		if err == nil {
			err = keeps(k, mod, text)
		}
		return append(dst, text...), err
	}
}

// keeps reports what the server would change in a text that it reads as a type.
func keeps(k *kind, mod int32, text string) error {
	switch k.oid {
	case pgtype.VarcharOID:
		if n := utf8.RuneCountInString(text); mod >= lengthHeader && n > int(mod-lengthHeader) {
			return fmt.Errorf("the text has %d characters, and the column holds %d", n, mod-lengthHeader)
		}
	case pgtype.NameOID:
		if len(text) > identifier {
			return fmt.Errorf("the text has %d bytes, and a name holds %d", len(text), identifier)
		}
	case pgtype.QCharOID:
		if len(text) > 1 {
			return fmt.Errorf("the text has %d bytes, and the column holds one", len(text))
		}
	case pgtype.NumericOID:
		return keepsScale(text, mod)
	case pgtype.TimeOID, pgtype.TimetzOID, pgtype.IntervalOID:
		return keepsFraction(text, mod&0xffff)
	}
	return nil
}

// putJSON writes nested cells in the form of Feast's JSON values.
func putJSON(dt arrow.DataType) put {
	encoder := value.NewArrowEncoder(dt, types.ValueType_JSON)
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		raw, err := encoder.Append(nil, a, row)
		if err != nil {
			return nil, err
		}
		var v types.Value
		if err := proto.Unmarshal(raw, &v); err != nil {
			return nil, fault.New(fault.Internal, "a JSON value cannot be read").Because(err)
		}
		return append(dst, v.GetJsonVal()...), nil
	}
}

// putList writes lists as arrays of one dimension.
func putList(k *kind, mod int32, dt arrow.DataType) put {
	if isText(dt) { // the text of an array
		return putText(k, mod)
	}
	list, ok := dt.(arrow.ListLikeType)
	if !ok || dt.ID() == arrow.MAP {
		return nil
	}
	element := putFor(k.element, mod, list.Elem())
	if element == nil || k.element.element != nil {
		return nil
	}
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		l, ok := a.(array.ListLike)
		if !ok {
			return nil, errType(a)
		}
		from, to := l.ValueOffsets(row)
		var cell []byte
		dst = append(dst, '{')
		for i := from; i < to; i++ {
			if i > from {
				dst = append(dst, k.delimiter)
			}
			if isNull(l.ListValues(), int(i)) {
				dst = append(dst, "NULL"...)
				continue
			}
			var err error
			if cell, err = element(cell[:0], l.ListValues(), int(i)); err != nil {
				return nil, fmt.Errorf("element %d: %w", i-from+1, err)
			}
			dst = appendElement(dst, cell)
		}
		return append(dst, '}'), nil
	}
}

// appendElement quotes an element of an array.
func appendElement(dst, cell []byte) []byte {
	dst = append(dst, '"')
	for _, c := range cell {
		if c == '"' || c == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}
