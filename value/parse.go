package value

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// maxNumber bounds the length of a number token: a longer one is not a key, and
// exact arithmetic on it would cost too much.
const maxNumber = 100

// FromJSON makes a Value of type t from one JSON token, by Feast's rules for
// entity values: integers come exactly from numbers without a fraction, from
// texts that hold an integer and from booleans; texts come from any scalar.
// null, NaN, lists and objects are null, as in Feast. Unlike Feast, it refuses
// to cut a number with a fraction to an integer: that would be another key.
func FromJSON(token []byte, t types.ValueType_Enum) ([]byte, error) {
	token = bytes.TrimSpace(token)
	if len(token) == 0 || token[0] == 'n' || token[0] == 'N' || token[0] == '[' || token[0] == '{' {
		return nil, nil
	}
	switch t {
	case types.ValueType_INT32, types.ValueType_INT64, types.ValueType_UNIX_TIMESTAMP:
		return integerFrom(token, t)
	case types.ValueType_STRING:
		s, err := textFrom(token)
		return AppendString(nil, s), err
	case types.ValueType_DOUBLE, types.ValueType_FLOAT:
		return floatFrom(token, t)
	case types.ValueType_BOOL:
		return boolFrom(token)
	case types.ValueType_UUID, types.ValueType_TIME_UUID, types.ValueType_DECIMAL:
		if token[0] != '"' {
			return nil, mismatch(token, t)
		}
		s, err := textFrom(token)
		return AppendText(nil, t, s), err
	default:
		return nil, fault.New(fault.Invalid, "a value of type %s cannot be given as an entity value", t)
	}
}

// AppendFromJSON appends what FromJSON makes. Plain integers and plain texts,
// the usual keys, cost no allocation.
func AppendFromJSON(dst, token []byte, t types.ValueType_Enum) ([]byte, error) {
	switch {
	case t == types.ValueType_INT64 && plainInteger(token):
		v := int64(0)
		for _, c := range token {
			v = v*10 + int64(c-'0')
		}
		return AppendInt64(dst, v), nil
	case t == types.ValueType_STRING && plainText(token):
		piece := token[1 : len(token)-1]
		return append(binary.AppendUvarint(append(dst, 2<<3|2), uint64(len(piece))), piece...), nil
	}
	v, err := FromJSON(token, t)
	return append(dst, v...), err
}

// plainInteger accepts up to 18 digits, which always fit.
func plainInteger(token []byte) bool {
	for _, c := range token {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(token) > 0 && len(token) <= 18 && (token[0] != '0' || len(token) == 1)
}

// plainText accepts a JSON string of ASCII without escapes.
func plainText(token []byte) bool {
	n := len(token)
	if n < 2 || token[0] != '"' || token[n-1] != '"' {
		return false
	}
	for _, c := range token[1 : n-1] {
		if c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// Infer returns the type of a column of JSON tokens: as in Feast, that of the
// first token that is not null.
func Infer(tokens [][]byte) types.ValueType_Enum {
	for _, token := range tokens {
		token = bytes.TrimSpace(token)
		if len(token) == 0 {
			continue
		}
		switch token[0] {
		case 'n':
			continue
		case '"':
			return types.ValueType_STRING
		case 't', 'f':
			return types.ValueType_BOOL
		}
		if bytes.ContainsAny(token, ".eENI") { // NaN and Infinity, too
			return types.ValueType_DOUBLE
		}
		return types.ValueType_INT64
	}
	return types.ValueType_STRING
}

func mismatch(token []byte, t types.ValueType_Enum) error {
	return fault.New(fault.Invalid, "%s is not a value of type %s", short(token), t)
}

// short quotes a token in an error, and cuts a long one.
func short(token []byte) string {
	const longest = 60
	if len(token) > longest {
		return strings.ToValidUTF8(string(token[:longest]), "") + "..."
	}
	return string(token)
}

func textFrom(token []byte) (string, error) {
	switch token[0] {
	case '"':
		var s string
		if err := json.Unmarshal(token, &s); err != nil {
			return "", fault.New(fault.Invalid, "%s is not a JSON string", short(token)).Because(err)
		}
		if halfPair(token) {
			return "", fault.New(fault.Invalid, "%s holds half of a surrogate pair", short(token))
		}
		return s, nil
	case 't':
		return "True", nil
	case 'f':
		return "False", nil
	}
	switch string(token) {
	case "Infinity":
		return "inf", nil
	case "-Infinity":
		return "-inf", nil
	case "-0":
		return "0", nil
	}
	if !bytes.ContainsAny(token, ".eE") {
		return string(token), nil
	}
	f, err := strconv.ParseFloat(string(token), 64)
	if err != nil && !math.IsInf(f, 0) {
		return "", fault.New(fault.Invalid, "%s is not a number", short(token)).Because(err)
	}
	return pythonFloat(f), nil
}

// halfPair finds an escape such as \ud800 that is not a character: JSON readers
// replace it by another character, which would give another key. The token must
// be valid JSON.
func halfPair(token []byte) bool {
	for i := 0; i+1 < len(token); i++ {
		if token[i] != '\\' {
			continue
		}
		if i++; token[i] != 'u' {
			continue
		}
		r := escaped(token, i+1)
		i += 4
		if !utf16.IsSurrogate(r) {
			continue
		}
		if i+6 >= len(token) || token[i+1] != '\\' || token[i+2] != 'u' || utf16.DecodeRune(r, escaped(token, i+3)) == utf8.RuneError {
			return true
		}
		i += 6
	}
	return false
}

// escaped reads the four hex digits of an escape.
func escaped(token []byte, at int) rune {
	v, _ := strconv.ParseUint(string(token[at:min(at+4, len(token))]), 16, 32)
	return rune(v)
}

func integerFrom(token []byte, t types.ValueType_Enum) ([]byte, error) {
	v, err := exactInteger(token, t)
	if err != nil {
		return nil, err
	}
	switch t {
	case types.ValueType_INT32:
		if v < math.MinInt32 || v > math.MaxInt32 {
			return nil, fault.New(fault.Invalid, "Value out of range: %d", v)
		}
		return AppendInt32(nil, int32(v)), nil
	case types.ValueType_UNIX_TIMESTAMP:
		return AppendUnixTimestamp(nil, v), nil
	default:
		return AppendInt64(nil, v), nil
	}
}

// exactInteger reads an integer without a float in between.
func exactInteger(token []byte, t types.ValueType_Enum) (int64, error) {
	s := string(token)
	switch token[0] {
	case 't':
		return 1, nil
	case 'f':
		return 0, nil
	case '"':
		text, err := textFrom(token)
		if err != nil {
			return 0, err
		}
		if s = pythonInteger(text); s == "" {
			return 0, fault.New(fault.Invalid, "invalid literal for int() with base 10: '%s'", short([]byte(text)))
		}
	}
	if v, err := strconv.ParseInt(s, 10, 64); err == nil {
		return v, nil
	}
	if len(s) > maxNumber {
		return 0, fault.New(fault.Invalid, "Value out of range: %s", short([]byte(s)))
	}
	return decimalInteger(s, t)
}

// pythonInteger returns the integer that Python's int() reads from text, or "":
// surrounding blanks, single underscores between digits and a sign are allowed.
func pythonInteger(s string) string {
	s = strings.TrimSpace(s)
	digits := strings.TrimLeft(s, "+-")
	if len(s)-len(digits) > 1 || digits == "" || digits[0] == '_' || digits[len(digits)-1] == '_' || strings.Contains(digits, "__") {
		return ""
	}
	digits = strings.ReplaceAll(digits, "_", "")
	for _, c := range digits {
		if c < '0' || c > '9' {
			return ""
		}
	}
	if s[0] == '-' {
		return "-" + digits
	}
	return digits
}

// decimalInteger reads an integer that is written with a fraction or an
// exponent, such as 1001.0 and 1e3.
func decimalInteger(s string, t types.ValueType_Enum) (int64, error) {
	if at := strings.IndexAny(s, "eE"); at >= 0 {
		if e, err := strconv.Atoi(s[at+1:]); err != nil || e > maxNumber || e < -maxNumber {
			return 0, fault.New(fault.Invalid, "Value out of range: %s", s)
		}
	}
	r, ok := new(big.Rat).SetString(s)
	switch {
	case !ok:
		return 0, mismatch([]byte(s), t)
	case !r.IsInt():
		return 0, fault.New(fault.Invalid, "%s has a fraction, which a value of type %s cannot have", s, t)
	case !r.Num().IsInt64():
		return 0, fault.New(fault.Invalid, "Value out of range: %s", r.Num())
	}
	return r.Num().Int64(), nil
}

func floatFrom(token []byte, t types.ValueType_Enum) ([]byte, error) {
	s := string(token)
	if t == types.ValueType_FLOAT {
		switch token[0] {
		case 't':
			s = "1"
		case 'f':
			s = "0"
		case '"':
			text, err := textFrom(token)
			if err != nil {
				return nil, err
			}
			s = strings.TrimSpace(text)
		}
	} else if token[0] == '"' || token[0] == 't' || token[0] == 'f' {
		return nil, mismatch(token, t)
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(f, 0) {
		return nil, mismatch(token, t)
	}
	if t == types.ValueType_FLOAT {
		return AppendFloat(nil, float32(f)), nil
	}
	return AppendDouble(nil, f), nil
}

func boolFrom(token []byte) ([]byte, error) {
	switch string(token) {
	case "true", "1":
		return AppendBool(nil, true), nil
	case "false", "0":
		return AppendBool(nil, false), nil
	}
	return nil, mismatch(token, types.ValueType_BOOL)
}

// Coerce converts a typed value to type t if that loses nothing: between the
// integer types within their range, from text that holds an integer, and from
// numbers to text. A value of type t is returned as it is, null stays null.
func Coerce(b []byte, t types.ValueType_Enum) ([]byte, error) {
	kind := Kind(b)
	if kind == t || t == types.ValueType_INVALID || kind == types.ValueType_INVALID {
		return b, nil
	}
	token, err := AppendJSON(nil, b)
	if err != nil {
		return nil, err
	}
	switch kind {
	case types.ValueType_INT32, types.ValueType_INT64, types.ValueType_UNIX_TIMESTAMP, types.ValueType_STRING, types.ValueType_DOUBLE, types.ValueType_FLOAT:
		return FromJSON(token, t)
	default:
		return nil, fault.New(fault.Invalid, "a value of type %s cannot become one of type %s", kind, t)
	}
}
