package value_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// unlike are the recorded columns of which a write makes something else than Feast, with
// the reason.
var unlike = map[string]string{
	"INT64 [[1]]":                   "Feast stores a null and loses the list",
	"INT64 [{}]":                    "Feast stores a null and loses the object",
	"STRING [[1]]":                  "Feast stores a null and loses the list",
	`STRING [{"a":1}]`:              "Feast stores a null and loses the object",
	`FLOAT ["nan"]`:                 "a NaN in text is not a number, as in materialize",
	"FLOAT [1e+300]":                "Feast stores an infinity",
	"UNIX_TIMESTAMP [1700000000.9]": "Feast stores the lowest time",
	"INT64_LIST [[1,null]]":         "Feast stores a 0 for the null",
	`STRING_LIST ["abc"]`:           "Feast makes a list of letters",
	"DOUBLE_LIST [[1.0,2]]":         "Feast refuses integers in lists of floats, which clients in JavaScript send",
	"DOUBLE_LIST [[null,1.0]]":      "Feast stores a 0 for the null, and materialize a NaN",
	"INT64_SET [[3,1,3]]":           "the order of a Python set",
}

// Cells of a written row become the Values that Feast makes of them.
func TestTokensAsRecorded(t *testing.T) {
	type row struct {
		Type   string            `json:"value_type"`
		Column []json.RawMessage `json:"column"`
		Values []string          `json:"values_hex"`
		Error  string            `json:"error"`
		NaN    bool              `json:"column_is_float_nan"`
	}
	for _, r := range golden[row](t, "value_conversion.jsonl") {
		kind, ok := types.ValueType_Enum_value[r.Type]
		if !ok || r.Type == "UNKNOWN" {
			continue
		}
		column, _ := json.Marshal(r.Column)
		t.Run(r.Type+" "+string(column), func(t *testing.T) {
			tokens := make([][]byte, len(r.Column))
			for i, c := range r.Column {
				if tokens[i] = c; r.NaN {
					tokens[i] = []byte("NaN")
				}
			}
			cells := value.NewTokenCells(tokens)
			var got []string
			var failed error
			for i := range tokens {
				v, err := cells.Append(nil, i, types.ValueType_Enum(kind), value.AsFeature)
				if err != nil {
					failed = err
				}
				got = append(got, hex.EncodeToString(v))
			}
			same := (failed != nil) == (r.Error != "") && (failed != nil || cmp.Equal(got, r.Values))
			if why := unlike[r.Type+" "+string(column)]; (why == "") != same {
				t.Errorf("%v, %v; Feast: %v, %s; known difference: %q", got, failed, r.Values, r.Error, why)
			}
		})
	}
}

func TestTokens(t *testing.T) {
	const (
		i32, i64, text, double, float = types.ValueType_INT32, types.ValueType_INT64, types.ValueType_STRING, types.ValueType_DOUBLE, types.ValueType_FLOAT
		flag, stamp, raw, object      = types.ValueType_BOOL, types.ValueType_UNIX_TIMESTAMP, types.ValueType_BYTES, types.ValueType_MAP
		refused                       = "refused"
	)
	for _, c := range []struct {
		token string
		kind  types.ValueType_Enum
		use   value.Use
		want  string // JSON of the Value, empty for null
	}{
		{"9007199254740993", i64, value.AsFeature, "9007199254740993"},
		{"9007199254740993.0", i64, value.AsFeature, "9007199254740993"},
		{"9007199254740993.5", i64, value.AsFeature, refused}, // a float has lost digits already
		{"-1.5", i64, value.AsFeature, "-1"},
		{"-1.5", i64, value.Exact, refused},
		{"2147483648", i32, value.AsFeature, refused},
		{"1e400", double, value.AsFeature, refused},
		{"1e39", float, value.AsFeature, refused},
		{"Infinity", double, value.AsFeature, `"Infinity"`},
		{"-Infinity", float, value.AsFeature, `"-Infinity"`},
		{"NaN", double, value.AsFeature, ""},
		{"NaN", i64, value.AsFeature, ""},
		{"nul", i64, value.AsFeature, refused},
		{"Nan", i64, value.AsFeature, refused},
		{"", i64, value.AsFeature, ""},
		{"2", flag, value.AsFeature, "true"},
		{"-0", flag, value.AsFeature, "false"},
		{"tru", flag, value.AsFeature, refused},
		{"truth", i64, value.AsFeature, refused},
		{"0x10", double, value.AsFeature, refused},
		{"inf", double, value.AsFeature, refused},
		{"1_0", double, value.AsFeature, refused},
		{"01", i64, value.AsFeature, refused},
		{`"a" "b"`, text, value.AsFeature, refused},
		{`"\ud800"`, text, value.AsFeature, refused},
		{`"aGk="`, raw, value.AsFeature, refused},
		{`"2024-01-01"`, stamp, value.AsFeature, refused},
		{`" 12 "`, stamp, value.AsFeature, "12"},
		{"[1,[2]]", types.ValueType_INT64_LIST, value.AsFeature, refused},
		{"[1, 2 ]", types.ValueType_INT64_LIST, value.AsFeature, "[1,2]"},
		{"[1,,2]", types.ValueType_INT64_LIST, value.AsFeature, refused},
		{"[1,2", types.ValueType_INT64_LIST, value.AsFeature, refused},
		{"[1]]", types.ValueType_INT64_LIST, value.AsFeature, refused},
		{`["a,]","b\"c"]`, types.ValueType_STRING_LIST, value.AsFeature, `["a,]","b\"c"]`},
		{"[0.1,NaN]", types.ValueType_DOUBLE_LIST, value.AsFeature, `[0.1,"NaN"]`},
		{"[9007199254740993]", types.ValueType_DOUBLE_LIST, value.AsFeature, refused},
		{"[16777217]", types.ValueType_FLOAT_LIST, value.AsFeature, refused},
		{"[true,1]", types.ValueType_BOOL_LIST, value.AsFeature, refused},
		{"[1.5]", types.ValueType_INT64_LIST, value.AsFeature, refused},
		{`["{\"a\":1}",{"a":2}]`, types.ValueType_JSON_LIST, value.AsFeature, `["{\"a\":1}","{\"a\": 2}"]`},
		{`{"b":[1,{"c":"\u00e9"}],"a":1.0,"n":1e5}`, types.ValueType_JSON, value.AsFeature, `"{\"b\": [1, {\"c\": \"\\u00e9\"}], \"a\": 1.0, \"n\": 100000.0}"`},
		{"{", types.ValueType_JSON, value.AsFeature, refused},
		{"true", types.ValueType_JSON, value.AsFeature, `"true"`},
		{`{"a":{"b":[1.5,2.5]}}`, object, value.AsFeature, `{"a":{"b":[1.5,2.5]}}`},
		{"[1]", object, value.AsFeature, refused},
		{`[{"a":1}]`, types.ValueType_MAP_LIST, value.AsFeature, `[{"a":1}]`},
		{`[1,["a"],null]`, types.ValueType_VALUE_LIST, value.AsFeature, `[1,["a"],null]`},
		{"1", types.ValueType_INVALID, value.AsFeature, refused},
		{"1", types.ValueType_SCALAR_MAP, value.AsFeature, refused},
		{strings.Repeat("[", 200) + strings.Repeat("]", 200), types.ValueType_VALUE_LIST, value.AsFeature, refused},
	} {
		t.Run(c.kind.String()+" "+c.token[:min(len(c.token), 30)], func(t *testing.T) {
			v, err := value.AppendFromToken(nil, []byte(c.token), c.kind, c.use)
			if err == nil {
				err = value.Check(v)
			}
			got := refused
			switch {
			case err == nil && len(v) == 0:
				got = ""
			case err == nil:
				token, _ := value.AppendJSON(nil, v)
				got = string(token)
			case fault.KindOf(err) != fault.Invalid:
				t.Error(err)
			}
			if got != c.want {
				t.Errorf("%s, %v; want %s", got, err, c.want)
			}
		})
	}
}

// A time is text; what pandas writes for a missing one is none.
func TestTimesOfCells(t *testing.T) {
	at := time.Date(2024, 1, 1, 10, 0, 0, 123456000, time.UTC)
	stamps := func(unit arrow.TimeUnit, v int64) arrow.Array {
		b := array.NewTimestampBuilder(memory.DefaultAllocator, &arrow.TimestampType{Unit: unit})
		defer b.Release()
		b.Append(arrow.Timestamp(v))
		return b.NewArray()
	}
	numbers := array.NewInt64Builder(memory.DefaultAllocator)
	numbers.Append(1)
	token := func(s string) value.Cells { return value.NewTokenCells([][]byte{[]byte(s)}) }
	for name, c := range map[string]struct {
		cells value.Cells
		want  time.Time // zero: none
		bad   bool
	}{
		"json":              {cells: token(`"2024-01-01T10:00:00.123456"`), want: at},
		"json with escapes": {cells: token(`"2024-01-01T19:00:00.123456\u002b09:00"`), want: at},
		"json NaT":          {cells: token(`"NaT"`)},
		"json null":         {cells: token("null")},
		"json empty":        {cells: token(`""`)},
		"json number":       {cells: token("1719828000"), bad: true},
		"json list":         {cells: token("[1]"), bad: true},
		"json bool":         {cells: token("true"), bad: true},
		"json word":         {cells: token(`"yesterday"`), bad: true},
		"text":              {cells: value.TextCells{"2024-01-01 10:00:00.123456Z"}, want: at},
		"text NaT":          {cells: value.TextCells{"NaT"}},
		"text number":       {cells: value.TextCells{"1719828000"}, bad: true},
		"value text":        {cells: value.ValueCells{value.AppendString(nil, "2024-01-01T10:00:00.123456")}, want: at},
		"value seconds":     {cells: value.ValueCells{value.AppendUnixTimestamp(nil, at.Unix())}, want: at.Truncate(time.Second)},
		"value null":        {cells: value.ValueCells{nil}},
		"value lowest":      {cells: value.ValueCells{value.AppendUnixTimestamp(nil, math.MinInt64)}},
		"value number":      {cells: value.ValueCells{value.AppendInt64(nil, 5)}, bad: true},
		"value bool":        {cells: value.ValueCells{value.AppendBool(nil, true)}, bad: true},
		"value cut":         {cells: value.ValueCells{[]byte("\x12\x7fa")}, bad: true},
		"arrow":             {cells: value.NewArrowCells(stamps(arrow.Microsecond, at.UnixMicro())), want: at},
		"arrow NaT":         {cells: value.NewArrowCells(stamps(arrow.Nanosecond, math.MinInt64))},
		"arrow infinity":    {cells: value.NewArrowCells(stamps(arrow.Microsecond, value.Infinity)), bad: true},
		"arrow nulls":       {cells: value.NewArrowCells(array.NewNull(1))},
		"arrow number":      {cells: value.NewArrowCells(numbers.NewArray()), bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok, err := c.cells.Time(0)
			if (err != nil) != c.bad || ok != !c.want.IsZero() || !got.Equal(c.want) {
				t.Errorf("%v, %v, %v", got, ok, err)
			}
			if c.cells.Len() != 1 || strings.ContainsAny(c.cells.Text(0), "\n\x00") {
				t.Errorf("%d cells, %q", c.cells.Len(), c.cells.Text(0))
			}
		})
	}
}

// The same cell gives the same Value in every form.
func TestFormsOfCellsAgree(t *testing.T) {
	of := func(kind types.ValueType_Enum, want []byte, forms ...value.Cells) {
		t.Helper()
		for _, c := range forms {
			if got, err := c.Append(nil, 0, kind, value.AsFeature); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s of %T: %x, %v; want %x", kind, c, got, err, want)
			}
		}
	}
	token := func(s string) value.Cells { return value.NewTokenCells([][]byte{[]byte(s)}) }
	of(types.ValueType_INT64, value.AppendInt64(nil, 7), token("7"), token(`"7"`), value.TextCells{"7"}, value.ValueCells{value.AppendInt32(nil, 7)}, value.ValueCells{value.AppendString(nil, "7")}, value.ValueCells{value.AppendDouble(nil, 7)})
	of(types.ValueType_INT32, value.AppendInt32(nil, -7), token("-7"), value.TextCells{"-7"}, value.ValueCells{value.AppendInt64(nil, -7)})
	of(types.ValueType_DOUBLE, value.AppendDouble(nil, 12.5), token("12.5"), value.TextCells{"12.5"}, value.ValueCells{value.AppendFloat(nil, 12.5)})
	of(types.ValueType_DOUBLE, value.AppendDouble(nil, 0.1), value.TextCells{" 0.1 "})
	of(types.ValueType_FLOAT, value.AppendFloat(nil, 0.1), token("0.1"), token("0.10000000149011612"), value.TextCells{"0.1"}, value.ValueCells{value.AppendDouble(nil, 0.1)})
	of(types.ValueType_BOOL, value.AppendBool(nil, true), token("true"), value.TextCells{"true"}, value.TextCells{"True"}, value.TextCells{"1"}, value.ValueCells{value.AppendBool(nil, true)}, value.ValueCells{value.AppendInt64(nil, 1)})
	of(types.ValueType_STRING, value.AppendString(nil, "é\"\n"), token(`"é\"\n"`), value.TextCells{"é\"\n"})
	of(types.ValueType_BYTES, value.AppendBytes(nil, []byte{0, 255}), value.ValueCells{value.AppendBytes(nil, []byte{0, 255})})
	for name, c := range map[string]struct {
		cells value.Cells
		kind  types.ValueType_Enum
	}{
		"bytes as text":     {value.ValueCells{value.AppendBytes(nil, []byte("a"))}, types.ValueType_STRING},
		"text as bytes":     {value.ValueCells{value.AppendString(nil, "a")}, types.ValueType_BYTES},
		"bad framing":       {value.ValueCells{[]byte("\x12\x7fa")}, types.ValueType_STRING},
		"a word as number":  {value.TextCells{"NaN"}, types.ValueType_DOUBLE},
		"hex":               {value.TextCells{"0x10"}, types.ValueType_DOUBLE},
		"a word as boolean": {value.TextCells{"yes"}, types.ValueType_BOOL},
		"a binary exponent": {value.TextCells{"0x1p4"}, types.ValueType_DOUBLE},
		"the same in JSON":  {token(`"0x1p4"`), types.ValueType_FLOAT},
		"not UTF-8":         {value.TextCells{"\xff"}, types.ValueType_STRING},
	} {
		if v, err := c.cells.Append(nil, 0, c.kind, value.AsFeature); fault.KindOf(err) != fault.Invalid || err == nil {
			t.Errorf("%s: %x, %v", name, v, err)
		}
	}
}

func FuzzTokens(f *testing.F) {
	for _, s := range []string{"1", "[1,2]", `{"a":[1]}`, `"x"`, "NaN", `"\ud800"`, "[[", "{}", "-", `"`, "[\"]"} {
		for _, kind := range []int32{1, 2, 3, 5, 7, 8, 14, 15, 20, 24, 32, 33, 35, 42} {
			f.Add([]byte(s), kind)
		}
	}
	f.Fuzz(func(t *testing.T, token []byte, kind int32) {
		cells := value.NewTokenCells([][]byte{token})
		for _, use := range []value.Use{value.AsFeature, value.Exact} {
			v, err := cells.Append(nil, 0, types.ValueType_Enum(kind), use)
			switch {
			case err == nil && value.Check(v) != nil:
				t.Errorf("%q as %d: %x is not a Value: %v", token, kind, v, value.Check(v))
			case err != nil && fault.KindOf(err) != fault.Invalid:
				t.Error(err)
			}
		}
		if _, _, err := cells.Time(0); err != nil && fault.KindOf(err) != fault.Invalid {
			t.Error(err)
		}
		if text := cells.Text(0); strings.Contains(text, "\n") {
			t.Errorf("%q", text)
		}
	})
}
