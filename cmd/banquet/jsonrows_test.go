package main

import (
	"strings"
	"testing"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

func TestJSONRows(t *testing.T) {
	for text, want := range map[string]string{
		`[{"b": 1, "a": "x"}, {"a": null, "c": true}, {"b": 9007199254740993}]`: "b int64: 1 (null) 9007199254740993; a utf8: x (null) (null); c bool: (null) true (null)",
		`[{"x": 1, "y": null}, {"x": 0.5}]`:                                     "x float64: 1 0.5; y null: (null) (null)",
		`[]`:                                                                    "",
		`[{}, {"k": 1, "k": 2}]`:                                                "k int64: (null) 2",
		` [ {"k" : "\u00e9\n"} ]`:                                               "k utf8: é\n",
	} {
		r, err := jsonRows(text, nil)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var columns []string
		r.Next()
		for i, c := range r.RecordBatch().Columns() {
			cells := []string{r.Schema().Field(i).Name + " " + c.DataType().String() + ":"}
			for row := range c.Len() {
				cells = append(cells, c.ValueStr(row))
			}
			columns = append(columns, strings.Join(cells, " "))
		}
		if got := strings.Join(columns, "; "); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
		r.Release()
	}
}

func TestJSONRowsRefuses(t *testing.T) {
	for text, want := range map[string]string{
		``:                                      "the text ends too early",
		`[{"k": 1}`:                             "the text ends too early",
		`[{"k": `:                               "the text ends too early",
		`{"k": 1}`:                              "Entities must be a list of dictionaries.",
		`[1]`:                                   "Entities must be a list of dictionaries.",
		`[[1]]`:                                 "Entities must be a list of dictionaries.",
		`[{"k": [1]}]`:                          `row 1, column "k": lists and objects cannot be entity columns`,
		`[{"k": 1}, {"k": "x"}]`:                `column "k": row 1: 1 is no text, as other cells of the column are; write all of them alike`,
		`[{"k": true}, {"k": 2}]`:               `column "k": row 2: 2 is neither true nor false, as other cells of the column are; write all of them alike`,
		`[{"k": 1e999}]`:                        `column "k": row 1: 1e999 is not a 64-bit number`,
		`[{"k": 9223372036854775808}]`:          `column "k": row 1: 9223372036854775808 is not a 64-bit integer`,
		`[{"k": 9007199254740993}, {"k": 0.5}]`: `column "k": row 1: 9007199254740993 would lose digits beside numbers with a fraction`,
		`[{"k": 1}] x`:                          "there is text after the list",
		`[{"k": NaN}]`:                          "invalid character 'N'",
		"[" + strings.Repeat(`{"a":`, 20000) + "1": "lists and objects cannot be entity columns",
		strings.Repeat("[", 20000):                 "Entities must be a list of dictionaries.",
		`[{'k': 1}]`:                               "invalid character '\\''",
	} {
		_, err := jsonRows(text, nil)
		if fault.KindOf(err) != fault.Invalid || !strings.HasPrefix(err.Error(), "Error parsing entities JSON: ") || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.40s: %v, want %s", text, err, want)
		}
	}
}

// Numbers of an integer join key are exact, however they are written: through a float
// they would become the key of another entity.
func TestJSONRowsOfIntegerKeys(t *testing.T) {
	kinds := map[string]types.ValueType_Enum{"k": types.ValueType_INT64, "s": types.ValueType_STRING}
	for text, want := range map[string]string{
		`[{"k": 9007199254740993.0}, {"k": 1e3}, {"k": null}, {}]`: "int64 [9007199254740993 1000 (null) (null)]",
		`[{"k": "9007199254740993"}, {"k": 1}, {"k": 2.0}]`:        "int64 [9007199254740993 1 2]",
		`[{"k": "1"}, {"k": "x"}]`:                                 "utf8 [1 x]", // as it is: the join says what is wrong
		`[{"k": true}]`:                                            "bool [true]",
		`[{"s": 1.0}]`:                                             "float64 [1]",
		`[{"k": 9007199254740993}, {"k": 1.5}]`:                    `Error parsing entities JSON: column "k": row 2: 1.5 has a fraction, which a value of type INT64 cannot have`,
		`[{"k": 1}, {"k": "x"}]`:                                   `Error parsing entities JSON: column "k": row 2: invalid literal for int() with base 10: 'x'`,
		`[{"k": 9223372036854775808}]`:                             `Error parsing entities JSON: column "k": row 1: Value out of range: 9223372036854775808`,
		`[{"k": 1e` + strings.Repeat("9", 100) + `}]`:              `Error parsing entities JSON: column "k": row 1: Value out of range: `,
	} {
		r, err := jsonRows(text, kinds)
		if err != nil {
			if !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%s: %v, want %s", text, err, want)
			}
			continue
		}
		r.Next()
		c := r.RecordBatch().Column(0)
		var cells []string
		for row := range c.Len() {
			cells = append(cells, c.ValueStr(row))
		}
		if got := c.DataType().String() + " [" + strings.Join(cells, " ") + "]"; got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
		r.Release()
	}
}

func FuzzJSONRows(f *testing.F) {
	f.Add(`[{"b": 1, "a": "x"}, {"a": null, "c": true}]`)
	f.Add(`[{"k": 1e5}, {"k": 9007199254740993}]`)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := jsonRows(text, map[string]types.ValueType_Enum{"k": types.ValueType_INT64})
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("%v", err)
			}
			return
		}
		r.Release()
	})
}
