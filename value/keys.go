package value

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/twmb/murmur3"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// KeyLayout is the part of a serialized entity key that does not depend on the
// values. It is made once for a list of join keys, and safe for concurrent use.
//
// In version 3 a key consists of: the number of join keys; for each join key,
// sorted, the type number of STRING, the length and the name; for each value in
// the same order its type number, its length and its bytes. Version 2 lacks the
// count and the lengths of the names; versions 0 and 1 also pack an INT64 into
// four bytes. Numbers are little-endian and 32 bits wide.
type KeyLayout struct {
	version int
	names   []string
	order   []int // sorted position -> position in the caller's list
	head    []byte
}

// NewKeyLayout makes the layout for an entity_key_serialization_version and the
// caller's order of join keys. A version above 3 is like 3.
func NewKeyLayout(version int, joinKeys []string) *KeyLayout {
	l := &KeyLayout{version: version, names: joinKeys, order: make([]int, len(joinKeys))}
	for i := range l.order {
		l.order[i] = i
	}
	slices.SortStableFunc(l.order, func(a, b int) int {
		switch {
		case joinKeys[a] < joinKeys[b]:
			return -1
		case joinKeys[a] > joinKeys[b]:
			return 1
		}
		return 0
	})
	if version > 2 {
		l.head = le32(l.head, len(joinKeys))
	}
	for _, i := range l.order {
		l.head = le32(l.head, int(types.ValueType_STRING))
		if version > 2 {
			l.head = le32(l.head, len(joinKeys[i]))
		}
		l.head = append(l.head, joinKeys[i]...)
	}
	return l
}

func le32(b []byte, n int) []byte { return binary.LittleEndian.AppendUint32(b, uint32(n)) }

// Append appends the serialized entity key. values are serialized Values in the
// caller's order of join keys. Keys can be STRING, BYTES, INT32, INT64 and
// UNIX_TIMESTAMP; anything else, null included, is an Invalid fault.
func (l *KeyLayout) Append(dst []byte, values [][]byte) ([]byte, error) {
	if len(values) != len(l.order) {
		return nil, fault.New(fault.Invalid, "an entity key of %d join keys was given %d values", len(l.order), len(values))
	}
	dst = append(dst, l.head...)
	for _, i := range l.order {
		var err error
		if dst, err = l.appendValue(dst, i, values[i]); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

func (l *KeyLayout) appendValue(dst []byte, at int, b []byte) ([]byte, error) {
	kind := Kind(b)
	refuse := func(why string) ([]byte, error) {
		return nil, fault.New(fault.Invalid, "join key %s: %s", l.names[at], why)
	}
	switch kind {
	case types.ValueType_STRING, types.ValueType_BYTES:
		piece, _, ok := sized(b[1:])
		if !ok {
			return refuse("the bytes are not a feast.types.Value")
		}
		return append(le32(le32(dst, int(kind)), len(piece)), piece...), nil
	case types.ValueType_INT32, types.ValueType_INT64, types.ValueType_UNIX_TIMESTAMP:
	case types.ValueType_INVALID:
		return refuse("the value is null; a key needs a value")
	default:
		return refuse("a value of type " + kind.String() + " cannot be a key")
	}
	v, n := uvarint(b[1:])
	if n == 0 {
		return refuse("the bytes are not a feast.types.Value")
	}
	dst = le32(dst, int(kind))
	narrow := kind == types.ValueType_INT64 && l.version <= 1
	if narrow && (int64(v) > math.MaxInt32 || int64(v) < math.MinInt32) {
		return refuse("the value does not fit in the 4 bytes that key versions 0 and 1 have")
	}
	if narrow || kind == types.ValueType_INT32 {
		return binary.LittleEndian.AppendUint32(le32(dst, 4), uint32(v)), nil
	}
	return binary.LittleEndian.AppendUint64(le32(dst, 8), v), nil
}

// EntityIDLen is the length of an entity id.
const EntityIDLen = 32

// AppendEntityID appends the entity id of a serialized key: its 128-bit
// MurmurHash3 (x64, seed 0), both halves little-endian, in lower-case hex. It
// is the key of DynamoDB items.
func AppendEntityID(dst, key []byte) []byte {
	const digits = "0123456789abcdef"
	h1, h2 := murmur3.Sum128(key)
	for _, h := range [2]uint64{h1, h2} {
		for range 8 {
			dst = append(dst, digits[h>>4&15], digits[h&15])
			h >>= 8
		}
	}
	return dst
}
