package postgres

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/banquet-fs/banquet/gen/feast/types"
)

// match is how the server compares the keys of entity rows with a column of a
// source. It exists only where SQL finds equal what value.NewArrowKeyEncoder
// writes as the same bytes.
type match struct {
	// as is the type of the entity rows' column.
	as string
	// cell appends a key, given as a Value, in the binary form of that type. It
	// returns false for a key that no row of the source can have.
	cell func(dst, key []byte) ([]byte, bool)
}

// collated reports whether the comparison depends on a collation.
func (m *match) collated() bool { return m.as == "text" }

// plain is the SQL of the source's column in a form that compares as the bytes of
// the key, whatever the column's collation.
func (m *match) plain(sql string) string {
	if m.collated() {
		return sql + `::text COLLATE "C"`
	}
	return sql
}

// matchOf returns how the server can compare keys of a value type with a column,
// nil if it cannot. Missing here are all types of which SQL finds equal what has
// different bytes, or the other way round: floats (-0 and 0), character(n) and
// citext (blanks, case), times as seconds, numbers that are kept as text.
func matchOf(k *kind, t types.ValueType_Enum) *match {
	switch k.oid {
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID:
		return integerMatch(t)
	case pgtype.NumericOID:
		if t == types.ValueType_INT32 || t == types.ValueType_INT64 {
			return integerMatch(t)
		}
	case pgtype.TextOID, pgtype.VarcharOID:
		if t == types.ValueType_STRING {
			return &match{"text", textKey}
		}
	case pgtype.UUIDOID:
		if t == types.ValueType_STRING || t == types.ValueType_UUID {
			return &match{"uuid", uuidKey}
		}
	case pgtype.BoolOID:
		if t == types.ValueType_BOOL {
			return &match{"boolean", boolKey}
		}
	case pgtype.ByteaOID:
		if t == types.ValueType_BYTES {
			return &match{"bytea", bytesKey}
		}
	}
	return nil
}

func integerMatch(t types.ValueType_Enum) *match {
	switch t {
	case types.ValueType_INT32, types.ValueType_INT64:
		return &match{"bigint", integerKey}
	case types.ValueType_STRING:
		return &match{"bigint", writtenKey}
	}
	return nil
}

// content is what a Value holds: the bits of a number, or bytes.
func content(key []byte) (number uint64, bytes []byte) {
	_, kind, n := protowire.ConsumeTag(key)
	if n < 0 {
		return 0, nil
	}
	if kind == protowire.BytesType {
		bytes, _ = protowire.ConsumeBytes(key[n:])
		return 0, bytes
	}
	number, _ = protowire.ConsumeVarint(key[n:])
	return number, nil
}

func integerKey(dst, key []byte) ([]byte, bool) {
	number, _ := content(key)
	return binary.BigEndian.AppendUint64(dst, number), true
}

// writtenKey reads a text that is an integer just as the server writes it.
func writtenKey(dst, key []byte) ([]byte, bool) {
	_, text := content(key)
	v, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || strconv.FormatInt(v, 10) != string(text) {
		return dst, false
	}
	return binary.BigEndian.AppendUint64(dst, uint64(v)), true
}

// textKey appends a text. The server's texts have no zero bytes.
func textKey(dst, key []byte) ([]byte, bool) {
	_, text := content(key)
	if strings.IndexByte(string(text), 0) >= 0 {
		return dst, false
	}
	return append(dst, text...), true
}

// uuidKey reads a UUID just as the server writes it.
func uuidKey(dst, key []byte) ([]byte, bool) {
	_, text := content(key)
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' || strings.ToLower(string(text)) != string(text) {
		return dst, false
	}
	digits := strings.ReplaceAll(string(text), "-", "")
	raw, err := hex.DecodeString(digits)
	if err != nil || len(raw) != 16 {
		return dst, false
	}
	return append(dst, raw...), true
}

func boolKey(dst, key []byte) ([]byte, bool) {
	number, _ := content(key)
	return append(dst, byte(number)), true
}

func bytesKey(dst, key []byte) ([]byte, bool) {
	_, bytes := content(key)
	return append(dst, bytes...), true
}
