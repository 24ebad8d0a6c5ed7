package transform

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/definitions/python"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// fakeService is a Service in the same process.
type fakeService func(*Call) (arrow.Table, error)

func (f fakeService) Transform(_ context.Context, call *Call) (arrow.Table, error) { return f(call) }
func (f fakeService) Address() string                                              { return "functions:6569" }

// unusedService fails when it is called.
func unusedService(t *testing.T) Service {
	return fakeService(func(*Call) (arrow.Table, error) {
		t.Error("the service was called")
		return nil, errors.New("called")
	})
}

// rolled is a function that banquet does not compile.
func rolled(expression string) string {
	return "@on_demand_feature_view(schema=[Field(name=\"o\", dtype=Float64)])\ndef fn(df):\n    out = pd.DataFrame()\n    out[\"o\"] = " + expression + "\n    return out\n"
}

// tableOf is a result with one column.
func tableOf(name string, columns ...arrow.Array) arrow.Table {
	chunked := arrow.NewChunked(columns[0].DataType(), columns)
	schema := arrow.NewSchema([]arrow.Field{{Name: name, Type: columns[0].DataType(), Nullable: true}}, nil)
	return array.NewTable(schema, []arrow.Column{*arrow.NewColumn(schema.Field(0), chunked)}, -1)
}

// What a service computes, and what stays as it is.
func TestCompileFor(t *testing.T) {
	n := []Field{{"n", types.ValueType_INT64}}
	out := []Field{{"o", types.ValueType_DOUBLE}}
	withoutText := view("pandas", "", n, nil, out)
	substrait := view("substrait", "", n, nil, out)
	aggregations := view("pandas", rolled(`df["n"] * 2`), n, nil, out)
	aggregations.Spec.Aggregations = []*core.Aggregation{{Column: "n"}}
	for _, c := range []struct {
		name    string
		view    *core.OnDemandFeatureView
		remote  bool
		err     string
		invalid bool
	}{
		{"a function that is compiled", view("pandas", rolled(`df["n"] * 2`), n, nil, out), false, "", false},
		{"a method outside the subset", view("pandas", rolled(`df["n"].rolling(2).mean()`), n, nil, out), true, "", false},
		{"text that is not read", view("pandas", "def fn(df):\n    match df:\n        case _: return df\n", n, nil, out), true, "", false},
		{"only a pickle", withoutText, true, "", false},
		{"an older registry without a mode", view("", rolled(`df["n"].rolling(2).mean()`), n, nil, out), true, "", false},
		{"mode python", view("python", "def fn(d):\n    import re\n    return {'o': [re.purge()]}\n", n, nil, out), false, "; the transformation service at functions:6569 computes the mode pandas only", false},
		{"substrait", substrait, false, "computes the mode pandas only", false},
		{"aggregations", aggregations, false, "computes no aggregations", false},
		{"a column that no source has", view("pandas", rolled(`df["none"] * 2`), n, nil, out), false, "no source of the view has the column", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := CompileFor(unusedService(t), c.view, nil, nil)
			if c.err != "" {
				kind := fault.Unimplemented
				if c.invalid {
					kind = fault.Invalid
				}
				if fault.KindOf(err) != kind || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("%v: %v", fault.KindOf(err), err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			address, why := p.Remote()
			if (address == "functions:6569") != c.remote || (why != nil) != c.remote {
				t.Errorf("computed by %q, because %v", address, why)
			}
			if _, err := CompileFor(nil, c.view, nil, nil); (err != nil) != c.remote {
				t.Errorf("without a service: %v", err)
			}
		})
	}
}

// The reason that the service is no help is also in the error about the line.
func TestTheReasonHasAPlace(t *testing.T) {
	_, err := CompileFor(unusedService(t), view("python", "def fn(d):\n    return {'o': d['n'].explode()}\n", nil, nil, nil), nil, nil)
	var p *PlaceError
	if !errors.As(err, &p) || p.Line != 2 || !strings.HasSuffix(p.Text, "computes the mode pandas only") {
		t.Errorf("%v", p)
	}
}

// A service gets what Feast gives a function: all features and request data; keys only if
// the function names them.
func TestInputsOfAService(t *testing.T) {
	key := func(names ...string) (out []*core.FeatureSpecV2) {
		for _, n := range names {
			out = append(out, &core.FeatureSpecV2{Name: n, ValueType: types.ValueType_INT64})
		}
		return out
	}
	features := []Field{{"n", types.ValueType_INT64}, {"unused", types.ValueType_INT64}, {"both", types.ValueType_INT64}, {"raw", types.ValueType_BYTES}}
	request := []Field{{"x", types.ValueType_DOUBLE}, {"both", types.ValueType_INT64}}
	for _, c := range []struct {
		name, body string
		want       []string // names, with ? if it is optional
		err        string
	}{
		{"all features", `df["n"].rolling(2).mean()`, []string{"x?", "n", "unused?"}, ""},
		{"a key", `df["n"].rolling(2).mean() + df["id"]`, []string{"x?", "n", "unused?", "id"}, ""},
		{"a key of others", `df["n"].rolling(2).mean() + df.other`, []string{"x?", "n", "unused?", "other"}, ""},
		{"a full name", `df["v__both"].rolling(2).mean()`, []string{"x?", "n?", "unused?", "v__both"}, ""},
		{"a column of several sources", `df["both"].rolling(2).mean()`, nil, `reads the column "both", which several of its sources have; write view__both`},
		{"a type that is not sent", `df["raw"].rolling(2).mean()`, nil, `reads the column "raw" of type BYTES, which cannot be sent to the transformation service at functions:6569`},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := rolled(c.body)
			p, err := CompileFor(unusedService(t), view("pandas", text, features, request, []Field{{"o", types.ValueType_DOUBLE}}), key("id"), key("other"))
			if c.err != "" {
				if fault.KindOf(err) != fault.Unimplemented || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i, in := range p.Inputs() {
				name := p.names[i][0]
				if in.Optional {
					name += "?"
				}
				got = append(got, name)
			}
			slices.Sort(got)
			if slices.Sort(c.want); !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// Whether a table may be divided: in doubt not.
func TestServiceFunctionsThatMixRows(t *testing.T) {
	for body, want := range map[string]bool{
		`df["s"].str.extract(r"(\d+)")`:                                 false,
		`df["s"].str.contains("^a").astype(int)`:                        false,
		`df["s"].map(lambda s: float(s)) + df["n"].clip(0, 1)`:          false,
		`df["s"].apply(lambda s: len2(s))`:                              true,
		`df.apply(lambda r: r["n"] * 2, axis=1)`:                        false,
		`df.apply(lambda c: c)`:                                         true,
		`df["n"].rolling(2).mean()`:                                     true,
		`df["n"].shift(1)`:                                              true,
		`df["n"].rank()`:                                                true,
		`df["n"] - df["n"].mean()`:                                      true,
		`df.groupby("s")["n"].transform("first")`:                       true,
		`df["s"].str.cat()`:                                             true,
		`pd.to_datetime(df["s"])`:                                       true,
		`pd.cut(df["n"], 3)`:                                            true,
		`df["s"].str.normalize("NFC")`:                                  false,
		`df["n"].diff()`:                                                true,
		`df["n"].cumsum()`:                                              true,
		`df["s"].str.extract(r"(\d+)") if (yield) else 1`:               true,
		`df["s"].str.get_dummies()`:                                     true,
		`df["n"].interpolate()`:                                         true,
		`df["s"].str.extract(r"(\d+)")[0].fillna(df["s"].mode()[0])`:    true,
		`df["s"].str.replace(r"\s+", " ", regex=True).str.strip()`:      false,
		`df["n"].apply(lambda n: n ** 2).sort_values()`:                 true,
		`df["n"].pipe(lambda c: c)`:                                     true,
		`df["s"].str.findall("a").str.len()`:                            false,
		`np.random.permutation(df["n"])`:                                true,
		`df["s"].map({"a": 1}).fillna(0) + df["n"].replace(1, 2).sum()`: true,
	} {
		text := rolled(body)
		tree, err := python.Tree(&python.File{Name: "fn", Source: text})
		if err != nil {
			t.Fatal(err)
		}
		f := &functionText{text: text, tree: tree}
		if f.mixesRows() != want {
			t.Errorf("%s: mixes rows: %t", body, !want)
		}
	}
	if !new(functionText).mixesRows() {
		t.Error("a function without text mixes no rows")
	}
	bools, err := CompileFor(unusedService(t), view("pandas", rolled(`df["b"].map(lambda x: re.purge())`), []Field{{"b", types.ValueType_BOOL}}, nil, []Field{{"o", types.ValueType_DOUBLE}}), nil, nil)
	if err != nil || !bools.MixesRows() {
		t.Errorf("a column of booleans has another type if it has a null: %v", err)
	}
}

// pandas must read each column as the type that it has in Feast.
func TestColumnsForAService(t *testing.T) {
	us := &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	for _, c := range []struct {
		name   string
		t      types.ValueType_Enum
		values []string // Values as text; empty is null
		want   arrow.DataType
		cells  string
	}{
		{"integers", types.ValueType_INT64, []string{"int64_val: 9007199254740993"}, arrow.PrimitiveTypes.Int64, `[9007199254740993]`},
		{"integers with a null", types.ValueType_INT64, []string{"int64_val: 1", ""}, arrow.PrimitiveTypes.Float64, `[1,null]`},
		{"narrow integers", types.ValueType_INT32, []string{"int32_val: -1"}, arrow.PrimitiveTypes.Int64, `[-1]`},
		{"floats", types.ValueType_FLOAT, []string{"float_val: 0.5", ""}, arrow.PrimitiveTypes.Float64, `[0.5,null]`},
		{"doubles", types.ValueType_DOUBLE, []string{"double_val: 0.25"}, arrow.PrimitiveTypes.Float64, `[0.25]`},
		{"texts", types.ValueType_STRING, []string{`string_val: "é"`, ""}, arrow.BinaryTypes.String, `["é",null]`},
		{"booleans", types.ValueType_BOOL, []string{"bool_val: true", ""}, arrow.FixedWidthTypes.Boolean, `[true,null]`},
		{"times", types.ValueType_UNIX_TIMESTAMP, []string{"unix_timestamp_val: 1709208000", ""}, us, `["2024-02-29T12:00:00Z",null]`},
		{"only nulls", types.ValueType_INT64, []string{"", ""}, arrow.Null, `[null,null]`},
		{"lists of texts", types.ValueType_STRING_LIST, []string{`string_list_val: {val: "a" val: ""}`, ""}, arrow.ListOf(arrow.BinaryTypes.String), `[["a",""],null]`},
		{"lists of integers", types.ValueType_INT32_LIST, []string{`int32_list_val: {val: 1 val: -2}`}, arrow.ListOf(arrow.PrimitiveTypes.Int64), `[[1,-2]]`},
		{"lists of floats", types.ValueType_FLOAT_LIST, []string{`float_list_val: {val: 0.5}`, `float_list_val: {}`}, arrow.ListOf(arrow.PrimitiveTypes.Float64), `[[0.5],[]]`},
		{"lists of booleans", types.ValueType_BOOL_LIST, []string{`bool_list_val: {val: true}`}, arrow.ListOf(arrow.FixedWidthTypes.Boolean), `[[true]]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got arrow.Array
			p := remoteProgram(t, c.t, types.ValueType_DOUBLE, func(call *Call) (arrow.Table, error) {
				got = call.Rows.Column(0)
				got.Retain()
				return tableOf("odfv__o", columnOf(t, arrow.PrimitiveTypes.Float64, "["+strings.Repeat(",0", len(c.values))[1:]+"]")), nil
			})
			b := p.Acquire(len(c.values))
			defer p.Release(b)
			for row, text := range c.values {
				if err := b.SetValue(0, row, valueOf(t, text)); err != nil {
					t.Fatal(err)
				}
			}
			if err := p.Run(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			if want := columnOf(t, c.want, c.cells); !array.Equal(got, want) {
				t.Errorf("%s %s, want %s %s", got.DataType(), got, want.DataType(), want)
			}
		})
	}
}

func valueOf(t *testing.T, text string) []byte {
	t.Helper()
	v := &types.Value{}
	if err := prototext.Unmarshal([]byte(text), v); err != nil {
		t.Fatal(err)
	}
	b, err := proto.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// remoteProgram has one input "n" and one output "o".
func remoteProgram(t *testing.T, in, out types.ValueType_Enum, f fakeService) *Program {
	t.Helper()
	p, err := CompileFor(f, view("pandas", rolled(`df["n"].map(lambda x: re.purge())`), []Field{{"n", in}}, nil, []Field{{"o", out}}), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Columns of training sets keep their types.
func TestArrowForAService(t *testing.T) {
	for _, c := range []struct {
		name      string
		in, want  arrow.DataType
		t         types.ValueType_Enum
		cells     string
		nulls     bool
		wantCells string
	}{
		{"narrow integers", arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int16, types.ValueType_INT64, `[1,-2]`, false, ""},
		{"integers with a null", arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Float64, types.ValueType_INT64, `[1,null]`, false, ""},
		{"integers with a null in other rows", arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Float64, types.ValueType_INT64, `[1,2]`, true, ""},
		{"only nulls", arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Float64, types.ValueType_INT64, `[null]`, false, ""},
		{"float32", arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float32, types.ValueType_FLOAT, `[0.5,null]`, false, ""},
		{"times", &arrow.TimestampType{Unit: arrow.Millisecond}, &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}, types.ValueType_UNIX_TIMESTAMP, `["2024-02-29T12:00:00",null]`, false, `["2024-02-29T12:00:00Z",null]`},
		{"texts", arrow.BinaryTypes.LargeString, arrow.BinaryTypes.String, types.ValueType_STRING, `["a",null]`, false, ""},
		{"no texts", arrow.BinaryTypes.String, arrow.Null, types.ValueType_STRING, `[null]`, false, ""},
		{"lists", arrow.ListOf(arrow.PrimitiveTypes.Float64), arrow.ListOf(arrow.PrimitiveTypes.Float64), types.ValueType_DOUBLE_LIST, `[[1],null]`, false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := columnOf(t, c.in, c.cells)
			var got arrow.Array
			p := remoteProgram(t, c.t, types.ValueType_DOUBLE, func(call *Call) (arrow.Table, error) {
				got = call.Rows.Column(0)
				got.Retain()
				return tableOf("o", columnOf(t, arrow.PrimitiveTypes.Float64, "["+strings.Repeat(",0", a.Len())[1:]+"]")), nil
			})
			b := p.Acquire(a.Len())
			if err := b.SetArrow(0, a); err != nil {
				t.Fatal(err)
			}
			if c.nulls {
				b.SetNull(0)
			}
			if err := p.Run(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			if c.wantCells == "" {
				c.wantCells = c.cells
			}
			if want := columnOf(t, c.want, c.wantCells); !array.Equal(got, want) {
				t.Errorf("%s %s, want %s %s", got.DataType(), got, want.DataType(), want)
			}
		})
	}
}

// What a service returns becomes the declared type as Feast's server makes it, or is an
// error.
func TestResultsOfAService(t *testing.T) {
	dictionary := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	for _, c := range []struct {
		name  string
		dt    arrow.DataType
		cells string
		out   types.ValueType_Enum
		want  string // one Value as text for each row; "null" is none
		err   string
	}{
		{"integers", arrow.PrimitiveTypes.Int64, `[1,null]`, types.ValueType_INT64, "int64_val:1|null", ""},
		{"narrow integers", arrow.PrimitiveTypes.Uint8, `[255]`, types.ValueType_INT32, "int32_val:255", ""},
		{"large integers", arrow.PrimitiveTypes.Uint64, `[18446744073709551615]`, types.ValueType_INT64, "", "what is no INT64"},
		{"out of range", arrow.PrimitiveTypes.Int64, `[4294967296]`, types.ValueType_INT32, "", "what is no INT32"},
		{"floats as integers are cut", arrow.PrimitiveTypes.Float64, `[1.9,null]`, types.ValueType_INT64, "int64_val:1|null", ""},
		{"integers as floats", arrow.PrimitiveTypes.Int32, `[2]`, types.ValueType_DOUBLE, "double_val:2", ""},
		{"nulls", arrow.Null, `[null,null]`, types.ValueType_DOUBLE, "null|null", ""},
		{"texts", arrow.BinaryTypes.LargeString, `["a",null]`, types.ValueType_STRING, `string_val:"a"|null`, ""},
		{"a category", dictionary, `["a","b","a"]`, types.ValueType_STRING, `string_val:"a"|string_val:"b"|string_val:"a"`, ""},
		{"text as a number", arrow.BinaryTypes.String, `["1"]`, types.ValueType_DOUBLE, "", `returned for feature "o" in row 0 what is no DOUBLE: TypeError: the str '1' (transformation service at functions:6569)`},
		{"booleans", arrow.FixedWidthTypes.Boolean, `[true,null,false]`, types.ValueType_BOOL, "bool_val:true|null|bool_val:false", ""},
		{"times", &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}, `["2024-02-29T12:00:00.9Z"]`, types.ValueType_UNIX_TIMESTAMP, "unix_timestamp_val:1709208000", ""},
		{"dates", arrow.FixedWidthTypes.Date32, `["2024-02-29"]`, types.ValueType_UNIX_TIMESTAMP, "unix_timestamp_val:1709164800", ""},
		{"lists", arrow.ListOf(arrow.PrimitiveTypes.Float64), `[[1,2.5],null]`, types.ValueType_DOUBLE_LIST, "double_list_val:{val:1 val:2.5}|null", ""},
		{"lists of another type", arrow.ListOf(arrow.BinaryTypes.String), `[["a"]]`, types.ValueType_DOUBLE_LIST, "", "what is no DOUBLE_LIST"},
		{"bytes", arrow.BinaryTypes.Binary, `["YQ=="]`, types.ValueType_INT64, "", "what is no INT64"},
	} {
		t.Run(c.name, func(t *testing.T) {
			result := columnOf(t, c.dt, c.cells)
			p := remoteProgram(t, types.ValueType_INT64, c.out, func(*Call) (arrow.Table, error) { return tableOf("odfv__o", result), nil })
			b := p.Acquire(result.Len())
			if err := p.Run(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			var got []string
			for row := range result.Len() {
				v, err := b.AppendValue(nil, 0, row)
				if err != nil {
					if c.err == "" || !strings.Contains(err.Error(), c.err) || fault.KindOf(err) != fault.Invalid {
						t.Errorf("%v", err)
					}
					return
				}
				got = append(got, shownValue(t, v))
			}
			if c.err != "" || strings.Join(got, "|") != c.want {
				t.Errorf("%q, want %q, or the error %q", got, c.want, c.err)
			}
		})
	}
}

func shownValue(t *testing.T, b []byte) string {
	t.Helper()
	if len(b) == 0 {
		return "null"
	}
	v := &types.Value{}
	if err := proto.Unmarshal(b, v); err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(strings.ReplaceAll(prototext.MarshalOptions{}.Format(v), "  ", " "), ": ", ":")
}

// A table that is too large for one call is divided if no row depends on others.
func TestLargeTablesAreDivided(t *testing.T) {
	const rows = 200_000
	for _, c := range []struct {
		expression string
		divided    bool
	}{{`df["n"].map(lambda x: re.purge())`, true}, {`df["n"].map(lambda x: re.purge()).cumsum()`, false}} {
		calls, most := 0, int64(0)
		service := fakeService(func(call *Call) (arrow.Table, error) {
			calls++
			most = max(most, recordBytes(call.Rows))
			return array.NewTableFromRecords(call.Rows.Schema(), []arrow.RecordBatch{call.Rows}), nil
		})
		p, err := CompileFor(service, view("pandas", rolled(c.expression), []Field{{"n", types.ValueType_STRING}}, nil, []Field{{"n", types.ValueType_STRING}}), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		b := p.Acquire(rows)
		for row := range rows {
			if err := b.SetValue(0, row, value.AppendString(nil, fmt.Sprintf("%0*d", 1+row%40, row))); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Run(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		for row := range rows {
			if got, want := b.outs[0].at(row).s, fmt.Sprintf("%0*d", 1+row%40, row); got != want {
				t.Fatalf("row %d: %q, want %q", row, got, want)
			}
		}
		if (calls > 1) != c.divided || c.divided && most > maxCallBytes {
			t.Errorf("%s: %d calls, of %d bytes at most", c.expression, calls, most)
		}
	}
}

// What does not fit to the rows is never spread over them.
func TestResultsThatDoNotFit(t *testing.T) {
	two := columnOf(t, arrow.PrimitiveTypes.Float64, `[1,2]`)
	failed := fault.Store(fault.Unavailable, "the service is down")
	for _, c := range []struct {
		name   string
		result fakeService
		err    string
		kind   fault.Kind
	}{
		{"fewer rows", func(*Call) (arrow.Table, error) { return tableOf("o", two), nil }, `on-demand feature view "odfv" cannot be computed: its function returned 2 rows for 3 (transformation service at functions:6569)`, fault.Invalid},
		{"more rows", func(*Call) (arrow.Table, error) { return tableOf("o", two, two), nil }, "returned 4 rows for 3", fault.Invalid},
		{"another column", func(*Call) (arrow.Table, error) {
			return tableOf("p", two, columnOf(t, arrow.PrimitiveTypes.Float64, `[3]`)), nil
		}, `its function returned no column "o" (transformation service at functions:6569)`, fault.Invalid},
		{"an outage", func(*Call) (arrow.Table, error) { return nil, failed }, "the service is down", fault.Unavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := remoteProgram(t, types.ValueType_INT64, types.ValueType_DOUBLE, c.result)
			b := p.Acquire(3)
			defer p.Release(b)
			if err := p.Run(t.Context(), b); fault.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%v: %v", fault.KindOf(err), err)
			}
		})
	}
	p := remoteProgram(t, types.ValueType_INT64, types.ValueType_DOUBLE, unusedService(t).(fakeService))
	if err := p.Run(t.Context(), p.Acquire(0)); err != nil {
		t.Errorf("no rows: %v", err)
	}
}

// A call names the view and its project, leaves out what the rows lack, and wants the
// outputs alone.
func TestTheCallOfAService(t *testing.T) {
	v := view("pandas", rolled(`df["n"].map(lambda x: re.purge())`), []Field{{"n", types.ValueType_INT64}, {"left", types.ValueType_INT64}}, nil, []Field{{"o", types.ValueType_DOUBLE}})
	v.Spec.Project = "shop"
	p, err := CompileFor(fakeService(func(c *Call) (arrow.Table, error) {
		if c.Project != "shop" || c.View != "odfv" || c.Rows.NumCols() != 1 || c.Rows.ColumnName(0) != "n" || !c.Want("o") || !c.Want("odfv__o") || c.Want("n") {
			t.Errorf("%+v", c)
		}
		return tableOf("o", array.MakeArrayOfNull(memory.DefaultAllocator, arrow.Null, 1)), nil
	}), v, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := p.Acquire(1)
	b.LeaveOut(1)
	if err := p.Run(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if text := p.String(); !strings.Contains(text, "odfv (computed by the transformation service at functions:6569)") || strings.Contains(text, "@on_demand") {
		t.Error(text)
	}
}

// Of an input and an output of one name, the input is stored, as in the mode pandas.
func TestAServiceDoesNotReplaceStoredInputs(t *testing.T) {
	p, err := CompileFor(fakeService(func(*Call) (arrow.Table, error) {
		return tableOf("odfv__n", columnOf(t, arrow.PrimitiveTypes.Int64, `[70]`)), nil
	}), view("pandas", rolled(`df["n"].explode()`), []Field{{"n", types.ValueType_INT64}}, nil, []Field{{"n", types.ValueType_INT64}}), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for stored, want := range map[bool]string{false: "int64_val:70", true: "int64_val:7"} {
		b := p.Acquire(1)
		if stored {
			b.Store()
		}
		if err := b.SetValue(0, 0, value.AppendInt64(nil, 7)); err != nil {
			t.Fatal(err)
		}
		if err := p.Run(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		v, err := b.AppendValue(nil, 0, 0)
		if got := shownValue(t, v); err != nil || got != want {
			t.Errorf("stored %t: %s, %v", stored, got, err)
		}
		p.Release(b)
	}
}
