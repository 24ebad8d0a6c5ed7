package value

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/banquet-fs/banquet/gen/feast/types"
)

// longestKeyText is how much of one join key's value a text shows.
const longestKeyText = 60

// Text writes a serialized entity key for messages, on one line: each join key,
// in the caller's order, with its value. A long value is cut. Bytes that are
// not a key of this layout are shown in hex.
func (l *KeyLayout) Text(key []byte) string {
	parts, ok := l.texts(key)
	if !ok {
		return "the key " + clip(hex.EncodeToString(key))
	}
	return strings.Join(parts, " ")
}

func (l *KeyLayout) texts(key []byte) ([]string, bool) {
	rest, ok := strings.CutPrefix(string(key), string(l.head))
	if !ok {
		return nil, false
	}
	b := []byte(rest)
	parts := make([]string, len(l.order))
	for _, i := range l.order {
		if len(b) < 8 {
			return nil, false
		}
		kind, size := types.ValueType_Enum(binary.LittleEndian.Uint32(b)), int64(binary.LittleEndian.Uint32(b[4:]))
		b = b[8:]
		if size > int64(len(b)) {
			return nil, false
		}
		text, ok := keyText(kind, b[:size])
		if !ok {
			return nil, false
		}
		parts[i] = l.names[i] + "=" + text
		b = b[size:]
	}
	return parts, len(b) == 0
}

func keyText(kind types.ValueType_Enum, b []byte) (string, bool) {
	var number int64
	switch {
	case kind == types.ValueType_STRING:
		text := string(b)
		if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			text = strconv.Quote(text)
		}
		return clip(text), true
	case kind == types.ValueType_BYTES:
		return "0x" + clip(hex.EncodeToString(b)), true
	case len(b) == 4:
		number = int64(int32(binary.LittleEndian.Uint32(b)))
	case len(b) == 8:
		number = int64(binary.LittleEndian.Uint64(b))
	default:
		return "", false
	}
	switch kind {
	case types.ValueType_INT32, types.ValueType_INT64:
		return strconv.FormatInt(number, 10), true
	case types.ValueType_UNIX_TIMESTAMP:
		if number < math.MinInt32*1e3 || number > math.MaxInt32*1e3 {
			return strconv.FormatInt(number, 10), true
		}
		return time.Unix(number, 0).UTC().Format(time.RFC3339), true
	default:
		return "", false
	}
}

// clip shortens a text at the end of a character.
func clip(s string) string {
	if len(s) <= longestKeyText {
		return s
	}
	n := longestKeyText
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "..."
}
