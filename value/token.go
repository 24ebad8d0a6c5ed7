package value

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// TokenCells are cells that were sent as JSON: each is one token, such as 1.5, "a",
// null or [1,2], also with the numbers NaN and Infinity that Python writes.
type TokenCells struct {
	tokens [][]byte
	// timed says whether a null is stored as the lowest time: 0 if it is not known yet.
	timed int8
}

// NewTokenCells makes the cells of a column. They keep the tokens.
func NewTokenCells(tokens [][]byte) *TokenCells { return &TokenCells{tokens: tokens} }

// Len is the number of rows.
func (c *TokenCells) Len() int { return len(c.tokens) }

// Append makes the Value of a token. As in Feast, a null time is the lowest time if
// another row of the column has one, else a null.
func (c *TokenCells) Append(dst []byte, row int, t types.ValueType_Enum, use Use) ([]byte, error) {
	before := len(dst)
	dst, err := AppendFromToken(dst, c.tokens[row], t, use)
	if err == nil && len(dst) == before && t == types.ValueType_UNIX_TIMESTAMP && use == AsFeature && c.hasTimes() {
		return AppendUnixTimestamp(dst, noTime), nil
	}
	return dst, err
}

func (c *TokenCells) hasTimes() bool {
	if c.timed == 0 {
		c.timed = -1
		if slices.ContainsFunc(c.tokens, func(token []byte) bool { return !isNull(token) }) {
			c.timed = 1
		}
	}
	return c.timed > 0
}

// Time reads the text of a time.
func (c *TokenCells) Time(row int) (time.Time, bool, error) {
	token := bytes.TrimSpace(c.tokens[row])
	switch {
	case isNull(token):
		return time.Time{}, false, nil
	case token[0] == '"':
		if plainText(token) {
			return textTime(string(token[1 : len(token)-1]))
		}
		s, err := textFrom(token)
		if err != nil {
			return time.Time{}, false, err
		}
		return textTime(s)
	case token[0] == '-' || token[0] >= '0' && token[0] <= '9':
		return time.Time{}, false, noUnit(string(token))
	}
	return time.Time{}, false, fault.New(fault.Invalid, "%s is not a time; send it as text, such as 2024-01-31T00:00:00Z", short(token))
}

// Text shows a token.
func (c *TokenCells) Text(row int) string { return oneLine(string(bytes.TrimSpace(c.tokens[row]))) }

// TextCells are cells that were sent as texts without types, such as Feast's gRPC push
// sends: a number is a number if the feature is one.
type TextCells []string

// Len is the number of rows.
func (c TextCells) Len() int { return len(c) }

// Append makes the Value that the text has as a value of type t.
func (c TextCells) Append(dst []byte, row int, t types.ValueType_Enum, use Use) ([]byte, error) {
	s := c[row]
	switch t {
	case types.ValueType_DOUBLE:
		f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		if err != nil || math.IsNaN(f) || foreignNumber(s) {
			return nil, fault.New(fault.Invalid, "%s is not a number", quoted(s)).Because(err)
		}
		return AppendDouble(dst, f), nil
	case types.ValueType_BOOL:
		switch strings.ToLower(s) {
		case "true", "1":
			return AppendBool(dst, true), nil
		case "false", "0":
			return AppendBool(dst, false), nil
		}
		return nil, fault.New(fault.Invalid, "%s is neither true nor false", quoted(s))
	}
	if listed(t) {
		return AppendFromToken(dst, []byte(s), t, use)
	}
	if !utf8.ValidString(s) {
		return nil, notUTF8(s)
	}
	return AppendFromToken(dst, appendToken(s), t, use)
}

// foreignNumber finds forms of numbers that Go reads and Python does not.
func foreignNumber(s string) bool { return strings.ContainsAny(s, "xXpP_") }

// Time reads the text of a time.
func (c TextCells) Time(row int) (time.Time, bool, error) { return textTime(c[row]) }

// Text shows a text.
func (c TextCells) Text(row int) string { return oneLine(c[row]) }

func appendToken(s string) []byte {
	token, _ := json.Marshal(s) // a string
	return token
}

// listed reports whether the JSON of a type is an array.
func listed(t types.ValueType_Enum) bool {
	_, _, ok := listParts(t)
	return ok || t == types.ValueType_VALUE_LIST || t == types.ValueType_VALUE_SET
}

// isNull reports whether a token means that there is no value.
func isNull(token []byte) bool {
	token = bytes.TrimSpace(token)
	return len(token) == 0 || token[0] == 'n' || token[0] == 'N'
}

// AppendFromToken appends the Value of type t that a JSON token is for a row that is
// written. The conversions are those of an ArrowEncoder of the column that pandas makes
// of such tokens; null and NaN append nothing.
func AppendFromToken(dst, token []byte, t types.ValueType_Enum, use Use) ([]byte, error) {
	token = bytes.TrimSpace(token)
	if isNull(token) {
		if len(token) > 0 && string(token) != "null" && string(token) != "NaN" {
			return nil, mismatch(token, t)
		}
		return dst, nil
	}
	switch t {
	case types.ValueType_INT64, types.ValueType_STRING:
		if plainInteger(token) || plainText(token) {
			return AppendFromJSON(dst, token, t)
		}
	case types.ValueType_JSON:
		return appendJSONToken(dst, token)
	case types.ValueType_MAP, types.ValueType_STRUCT:
		return appendObjectToken(dst, token, t, '{', entriesFromJSON)
	case types.ValueType_MAP_LIST, types.ValueType_STRUCT_LIST:
		return appendObjectToken(dst, token, t, '[', mapsFromJSON)
	case types.ValueType_VALUE_LIST, types.ValueType_VALUE_SET:
		return appendValuesToken(dst, token, t)
	}
	if _, _, ok := listParts(t); ok {
		return appendListToken(dst, token, t, use)
	}
	return appendScalarToken(dst, token, t, use)
}

// appendScalarToken appends a Value that is not nested.
func appendScalarToken(dst, token []byte, t types.ValueType_Enum, use Use) ([]byte, error) {
	if !isScalar(token) {
		return nil, mismatch(token, t)
	}
	switch t {
	case types.ValueType_BYTES, 30, 31: // 30 and 31 are PDF_BYTES and IMAGE_BYTES
		return nil, fault.New(fault.Invalid, "%s: JSON has no bytes; write them over gRPC or from a Parquet file", short(token))
	case types.ValueType_INT32, types.ValueType_INT64, types.ValueType_UNIX_TIMESTAMP:
		if use == AsFeature && token[0] != '"' {
			token = withoutFraction(token)
		}
	case types.ValueType_BOOL:
		if plainInteger(token) || token[0] == '-' && plainInteger(token[1:]) { // as Feast does
			return AppendBool(dst, strings.Trim(string(token), "-0") != ""), nil
		}
	case types.ValueType_FLOAT, types.ValueType_DOUBLE:
		return appendFloatToken(dst, token, t)
	case types.ValueType_INVALID:
		return nil, fault.New(fault.Invalid, "%s: it has no value type; list it in the view's schema", short(token))
	}
	return appendPlainToken(dst, token, t)
}

// appendPlainToken appends a Value to which Feast's rules for entity values apply.
func appendPlainToken(dst, token []byte, t types.ValueType_Enum) ([]byte, error) {
	v, err := FromJSON(token, t)
	switch {
	case err != nil && t == types.ValueType_UNIX_TIMESTAMP && token[0] == '"':
		return nil, fault.New(fault.Invalid, "%s is not a number of seconds since 1970, which a UNIX_TIMESTAMP is in JSON", short(token)).Because(err)
	case err != nil:
		return nil, err
	}
	return append(dst, v...), nil
}

// withoutFraction drops the fraction of a number, as Feast does with features.
func withoutFraction(token []byte) []byte {
	if !bytes.ContainsAny(token, ".eE") {
		return token
	}
	f, err := strconv.ParseFloat(string(token), 64)
	if err != nil || math.Abs(f) >= 1<<53 || f == math.Trunc(f) {
		return token
	}
	return strconv.AppendInt(nil, int64(f), 10)
}

// appendFloatToken appends a number. A number beyond the range of its type is refused,
// since it would become an infinity.
func appendFloatToken(dst, token []byte, t types.ValueType_Enum) ([]byte, error) {
	var f float64
	var err error
	switch {
	case string(token) == "Infinity":
		f = math.Inf(1)
	case string(token) == "-Infinity":
		f = math.Inf(-1)
	case token[0] == '"' || token[0] == 't' || token[0] == 'f':
		v, err := FromJSON(token, t) // only FLOAT accepts these
		if err != nil {
			return nil, err
		}
		if token[0] == '"' && foreignNumber(string(token)) {
			return nil, mismatch(token, t)
		}
		f = float64(math.Float32frombits(binary.LittleEndian.Uint32(v[1:])))
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, mismatch(token, t)
		}
	default:
		if f, err = strconv.ParseFloat(string(token), 64); err != nil {
			return nil, mismatch(token, t)
		}
	}
	if t == types.ValueType_FLOAT {
		return appendNarrow(dst, f)
	}
	return AppendDouble(dst, f), nil
}

// appendJSONToken appends a JSON Value: text that is JSON, or the text of any other
// token as Python's json module writes it.
func appendJSONToken(dst, token []byte) ([]byte, error) {
	if token[0] != '"' {
		text, err := pythonJSON(token)
		if err != nil {
			return nil, err
		}
		return AppendText(dst, types.ValueType_JSON, text), nil
	}
	s, err := textFrom(token)
	switch {
	case err != nil:
		return nil, err
	case !isJSON(s):
		return nil, fault.New(fault.Invalid, "the text %s is not JSON", quoted(s))
	}
	return AppendText(dst, types.ValueType_JSON, s), nil
}

// appendObjectToken appends a Value of maps from a token that begins with open, or from
// a text with such JSON.
func appendObjectToken(dst, token []byte, t types.ValueType_Enum, open byte, body func([]byte, string) ([]byte, error)) ([]byte, error) {
	s := string(token)
	switch token[0] {
	case open:
	case '"':
		var err error
		if s, err = textFrom(token); err != nil {
			return nil, err
		}
		if strings.TrimSpace(s) == "null" {
			return dst, nil
		}
	default:
		return nil, mismatch(token, t)
	}
	b, err := body(nil, s)
	if err != nil {
		return nil, err
	}
	return appendChecked(dst, appendSized(nil, t, b))
}

// appendChecked appends a nested Value if readers of protobuf can read it.
func appendChecked(dst, v []byte) ([]byte, error) {
	if err := Check(v); err != nil {
		return nil, fault.New(fault.Invalid, "the value cannot be stored: it is nested too deep").Because(err)
	}
	return append(dst, v...), nil
}

// appendValuesToken appends a list of Values, whose types follow from the tokens.
func appendValuesToken(dst, token []byte, t types.ValueType_Enum) ([]byte, error) {
	if token[0] != '[' {
		return nil, mismatch(token, t)
	}
	var list []any
	if err := decodeJSON(string(token), &list, "a JSON array"); err != nil {
		return nil, err
	}
	var body []byte
	for i, e := range list {
		v, err := fromAny(e)
		if err != nil {
			return nil, inElement(i, err)
		}
		body = protowire.AppendBytes(append(body, 1<<3|2), v)
	}
	return appendChecked(dst, appendSized(nil, t, body))
}

// appendListToken appends a list or set of scalars.
func appendListToken(dst, token []byte, t types.ValueType_Enum, use Use) ([]byte, error) {
	kind, set, _ := listParts(t)
	if token[0] != '[' {
		return nil, mismatch(token, t)
	}
	elements, err := splitArray(token)
	if err != nil {
		return nil, err
	}
	l := &list{kind: kind, set: set, packed: packed(kind), full: set}
	if at := slices.IndexFunc(elements, isNull); at >= 0 && use == Exact {
		return nil, inElement(at, fault.New(fault.Invalid, "a null, which would be stored as another value"))
	}
	body, err := l.tokens(elements)
	if err != nil {
		return nil, err
	}
	if !l.packed || len(body) == 0 {
		return appendSized(dst, t, body), nil
	}
	return appendSized(dst, t, protowire.AppendBytes([]byte{1<<3 | 2}, body)), nil
}

// tokens is the elements of a list, without repeats for a set.
func (l *list) tokens(elements [][]byte) ([]byte, error) {
	body := make([]byte, 0, 8*len(elements))
	seen := map[string]bool{}
	for i, e := range elements {
		end := len(body)
		if !l.packed {
			body = append(body, 1<<3|2)
		}
		start := len(body)
		var err error
		if body, err = l.token(body, e); err != nil {
			return nil, inElement(i, err)
		}
		if !l.set || isNull(e) {
			continue
		}
		if id := l.identity(body[start:]); seen[id] {
			body = body[:end]
		} else {
			seen[id] = true
		}
	}
	return body, nil
}

// token appends an element without its field tag. Feast does not convert within lists:
// an element must have the JSON form of its type, and no fraction is cut.
func (l *list) token(dst, token []byte) ([]byte, error) {
	if isNull(token) {
		return l.null(dst)
	}
	isText := token[0] == '"'
	switch l.kind {
	case types.ValueType_BOOL:
		if token[0] != 't' && token[0] != 'f' {
			return nil, mismatch(token, l.kind)
		}
	case types.ValueType_STRING, types.ValueType_UUID, types.ValueType_TIME_UUID, types.ValueType_DECIMAL:
		if !isText {
			return nil, mismatch(token, l.kind)
		}
	case types.ValueType_INT32, types.ValueType_INT64, types.ValueType_UNIX_TIMESTAMP, types.ValueType_FLOAT, types.ValueType_DOUBLE:
		if isText || token[0] == 't' || token[0] == 'f' {
			return nil, mismatch(token, l.kind)
		}
		if float := l.kind == types.ValueType_FLOAT || l.kind == types.ValueType_DOUBLE; float && !exactFloat(token, l.kind) {
			return nil, fault.New(fault.Invalid, "%s does not fit value type %s exactly", short(token), l.kind)
		}
	}
	start := len(dst)
	dst, err := AppendFromToken(dst, token, l.kind, Exact)
	if err != nil {
		return nil, err
	}
	_, n := uvarint(dst[start:])
	return append(dst[:start], dst[start+n:]...), nil
}

// exactFloat reports whether an integer keeps its digits as a float; a number with a
// fraction or an exponent is a float already.
func exactFloat(token []byte, t types.ValueType_Enum) bool {
	limit := int64(1) << 53
	if t == types.ValueType_FLOAT {
		limit = 1 << 24
	}
	if bytes.ContainsAny(token, ".eEI") {
		return true
	}
	v, err := strconv.ParseInt(string(token), 10, 64)
	return err == nil && v <= limit && v >= -limit
}
