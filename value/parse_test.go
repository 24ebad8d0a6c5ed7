package value_test

import (
	"testing"

	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// columnOf makes Values from JSON tokens as the server does for a request's column.
func columnOf(tokens [][]byte, t types.ValueType_Enum) ([][]byte, error) {
	if t == types.ValueType_INVALID {
		t = value.Infer(tokens)
	}
	values := make([][]byte, len(tokens))
	for i, token := range tokens {
		v, err := value.FromJSON(token, t)
		if err != nil {
			return nil, err
		}
		values[i] = v
	}
	return values, nil
}

// A column without a declared type has the type of its first value.
func TestInfinitiesAreDoubles(t *testing.T) {
	got, err := columnOf([][]byte{[]byte("-Infinity"), []byte("3")}, types.ValueType_INVALID)
	if err != nil || string(got[1]) != string(value.AppendDouble(nil, 3)) {
		t.Errorf("%q, %v", got, err)
	}
}

// A JSON reader replaces half of a surrogate pair by another character.
func TestHalfOfASurrogatePairIsNoText(t *testing.T) {
	for token, fine := range map[string]bool{
		`"\ud83d\ude00"`: true, `"\\ud800"`: true, `"\ufffd"`: true, `"\u00fc\n"`: true,
		`"\ud800"`: false, `"a\ud800b"`: false, `"\ud800\n"`: false, `"\ude00\ud83d"`: false, `"\ud83d\ud83d\ude00"`: false, `"\ud800\u0041"`: false,
	} {
		if _, err := value.FromJSON([]byte(token), types.ValueType_STRING); (err == nil) != fine {
			t.Errorf("%s: %v", token, err)
		}
	}
}

// A text key that is given as a number becomes Python's text of the number.
func TestTextFromNumbersIsPythons(t *testing.T) {
	for token, want := range map[string]string{
		"-0": "0", "0": "0", "-0.0": "-0.0", "1E+3": "1000.0", "Infinity": "inf", "-Infinity": "-inf", "true": "True",
		"9223372036854775808": "9223372036854775808",
	} {
		got, err := value.FromJSON([]byte(token), types.ValueType_STRING)
		if err != nil || string(got) != string(value.AppendString(nil, want)) {
			t.Errorf("%s: %q, %v; want %q", token, got, err, want)
		}
	}
	if got, err := value.FromJSON([]byte("NaN"), types.ValueType_STRING); got != nil || err != nil {
		t.Errorf("NaN: %q, %v; want null", got, err)
	}
}
