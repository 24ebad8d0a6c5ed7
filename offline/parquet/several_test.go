package parquet_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet/file"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/parquet"
	"github.com/banquet-fs/banquet/value"
)

// TestFilesThatDiffer gives one type that holds the cells of both as they are,
// or an error that names both files or the row.
func TestFilesThatDiffer(t *testing.T) {
	micro := &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	for _, c := range []struct {
		a     arrow.DataType
		cellA string
		b     arrow.DataType
		cellB string
		want  string // "!" is a refusal
	}{
		{arrow.Null, "null", arrow.PrimitiveTypes.Int64, "7", "int64 [(null)] [7]"},
		{arrow.Null, "null", arrow.Null, "null", "null [(null)] [(null)]"},
		{arrow.PrimitiveTypes.Int32, "1", arrow.PrimitiveTypes.Int64, "9007199254740993", "int64 [1] [9007199254740993]"},
		{arrow.PrimitiveTypes.Uint8, "1", arrow.PrimitiveTypes.Uint64, "18446744073709551615", "uint64 [1] [18446744073709551615]"},
		{arrow.PrimitiveTypes.Int64, "-1", arrow.PrimitiveTypes.Uint64, "5", "int64 [-1] [5]"},
		{arrow.PrimitiveTypes.Int64, "-1", arrow.PrimitiveTypes.Uint64, "18446744073709551615", "!b.parquet, row 1, column x: 18446744073709551615 does not fit int64"},
		{arrow.PrimitiveTypes.Int64, "3", arrow.PrimitiveTypes.Float64, "2.5", "float64 [3] [2.5]"},
		{arrow.PrimitiveTypes.Int64, "9007199254740993", arrow.PrimitiveTypes.Float64, "2.5", "!a.parquet, row 1, column x: 9007199254740993 does not fit float64"},
		{arrow.PrimitiveTypes.Float32, "1.5", arrow.PrimitiveTypes.Float64, "2.5", "float64 [1.5] [2.5]"},
		{&arrow.Decimal128Type{Precision: 9, Scale: 2}, `"12.30"`, &arrow.Decimal128Type{Precision: 12, Scale: 3}, `"1.500"`, `decimal (decimal)["12.30"] (decimal)["1.500"]`},
		{&arrow.Decimal128Type{Precision: 9, Scale: 2}, `"-0.05"`, &arrow.Decimal256Type{Precision: 60, Scale: 1}, `"1.0"`, `decimal (decimal)["-0.05"] (decimal)["1.0"]`},
		{&arrow.Decimal128Type{Precision: 9, Scale: 2}, `"12.30"`, arrow.PrimitiveTypes.Int64, "7", `decimal (decimal)["12.30"] (decimal)["7"]`},
		{&arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}, `"2024-01-01T00:00:00.001Z"`, &arrow.TimestampType{Unit: arrow.Nanosecond}, `"2024-01-01T00:00:00.000000001"`, "timestamp[ns, tz=UTC] [1704067200001000000] [1704067200000000001]"},
		{&arrow.TimestampType{Unit: arrow.Nanosecond}, `"2024-01-01T00:00:00"`, micro, `"9999-12-31T00:00:00Z"`, "!b.parquet, row 1, column x: the time 9999-12-31T00:00:00Z does not fit a timestamp of ns"},
		{arrow.FixedWidthTypes.Date32, `"2024-01-01"`, micro, `"2024-01-01T00:00:01Z"`, "timestamp[us, tz=UTC] [1704067200000000] [1704067201000000]"},
		{&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, `"a"`, arrow.BinaryTypes.String, `"b"`, `utf8 ["a"] ["b"]`},
		{arrow.BinaryTypes.String, `"b"`, &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, `"a"`, `utf8 ["b"] ["a"]`},
		{arrow.BinaryTypes.String, `"a"`, arrow.BinaryTypes.LargeString, `"b"`, `utf8 ["a"] ["b"]`},
		{arrow.BinaryTypes.Binary, `"YQ=="`, arrow.BinaryTypes.LargeBinary, `"Yg=="`, `binary ["a"] ["b"]`},
		{arrow.ListOf(arrow.Null), "[null]", arrow.ListOf(arrow.PrimitiveTypes.Int64), "[1]", "list<element: int64, nullable> [[(null)]] [[1]]"},
		{arrow.ListOf(arrow.PrimitiveTypes.Int32), "[2]", arrow.ListOf(arrow.PrimitiveTypes.Int64), "[1]", "list<element: int64, nullable> [[2]] [[1]]"},
		{arrow.BinaryTypes.String, `"a"`, arrow.PrimitiveTypes.Int64, "1", "!column x is utf8 in "},
		{arrow.FixedWidthTypes.Boolean, "true", arrow.PrimitiveTypes.Int64, "1", "!rewrite one of them"},
		{arrow.ListOf(arrow.PrimitiveTypes.Int32), "[2]", arrow.PrimitiveTypes.Int32, "1", "!rewrite one of them"},
	} {
		t.Run(fmt.Sprintf("%s and %s", c.a, c.b), func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "a.parquet"), c.a, group(1, c.cellA))
			write(t, filepath.Join(dir, "b.parquet"), c.b, group(1, c.cellB))
			got, err := typed(t, parquet.New(dir), ask("."))
			if refused, ok := strings.CutPrefix(c.want, "!"); ok {
				if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), refused) {
					t.Errorf("%s, %v, want %q", got, err, refused)
				}
				return
			}
			if err != nil || got != c.want {
				t.Errorf("%s, %v, want %s", got, err, c.want)
			}
		})
	}
}

// typed prints the type and the cells of the first column, batch by batch.
func typed(t *testing.T, store *parquet.Store, query offline.Query) (string, error) {
	t.Helper()
	reader, err := store.Range(t.Context(), query)
	if err != nil {
		return "", err
	}
	defer reader.Release()
	got := reader.Schema().Field(0).Type.String()
	for reader.Next() {
		got += " " + text(reader.RecordBatch().Column(0))
	}
	return got, reader.Err()
}

// TestScalesThatDiffer shows that what a decimal becomes does not depend on the
// other files of its source: a key of 7.50 is 7.50 beside a file of thousandths.
func TestScalesThatDiffer(t *testing.T) {
	cents, small := &arrow.Decimal128Type{Precision: 9, Scale: 2}, &arrow.Decimal128Type{Precision: 12, Scale: 8}
	for _, c := range []struct {
		cents, small         arrow.DataType
		cellCents, cellSmall string
		kinds                []types.ValueType_Enum
	}{
		{cents, small, `"7.50"`, `"0.00000010"`, []types.ValueType_Enum{types.ValueType_STRING, types.ValueType_DECIMAL, types.ValueType_DOUBLE, types.ValueType_FLOAT}},
		{cents, small, `"100.00"`, `"7.00000000"`, []types.ValueType_Enum{types.ValueType_STRING, types.ValueType_DECIMAL, types.ValueType_INT64, types.ValueType_UNIX_TIMESTAMP}},
		{arrow.ListOf(cents), arrow.ListOf(small), `["7.50", "-0.50"]`, `["0.00000010"]`, []types.ValueType_Enum{types.ValueType_STRING_LIST, types.ValueType_DECIMAL_LIST, types.ValueType_STRING_SET}},
		{arrow.ListOf(cents), arrow.ListOf(small), `["7.50", null]`, `["1.00000000"]`, []types.ValueType_Enum{types.ValueType_DECIMAL_LIST}},
	} {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "both"), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "both", "a.parquet"), c.cents, group(1, c.cellCents))
		write(t, filepath.Join(dir, "both", "b.parquet"), c.small, group(1, c.cellSmall))
		write(t, filepath.Join(dir, "a.parquet"), c.cents, group(1, c.cellCents))
		write(t, filepath.Join(dir, "b.parquet"), c.small, group(1, c.cellSmall))
		for _, kind := range c.kinds {
			alone := append(stored(t, dir, "a.parquet", kind), stored(t, dir, "b.parquet", kind)...)
			if both := stored(t, dir, "both", kind); !slices.Equal(both, alone) {
				t.Errorf("%s as %s: %q, alone %q", c.cellCents, kind, both, alone)
			}
		}
	}
}

// stored are the Values that the first column of a source becomes.
func stored(t *testing.T, dir, path string, kind types.ValueType_Enum) []string {
	t.Helper()
	query := ask(path)
	query.Types = []types.ValueType_Enum{kind}
	reader, err := parquet.New(dir).Range(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Release()
	var found []string
	encoder := value.NewArrowEncoder(reader.Schema().Field(0).Type, kind)
	for reader.Next() {
		for row := range int(reader.RecordBatch().NumRows()) {
			v, err := encoder.AppendFeature(nil, reader.RecordBatch().Column(0), row)
			if err != nil {
				t.Errorf("%s as %s: %v", path, kind, err)
			}
			found = append(found, string(v))
		}
	}
	if err := reader.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}

// TestATextAndAParquetFile make one source: text is read as what the other has.
func TestATextAndAParquetFile(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.parquet"), arrow.PrimitiveTypes.Int64, group(1, "7"))
	if err := os.WriteFile(filepath.Join(dir, "b.csv"), []byte("at,x\n2024-01-01,8\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	query := ask(".")
	query.Types = []types.ValueType_Enum{types.ValueType_INT64}
	if got, err := typed(t, parquet.New(dir), query); err != nil || got != "int64 [7] [8]" {
		t.Error(got, err)
	}
}

// Only directories below the source's own directory, or below what is before its
// pattern, give columns: those above say where the repository is. The columns are those of
// pyarrow.parquet.ParquetDataset, which has no patterns.
func TestDirectoriesAboveASource(t *testing.T) {
	top := filepath.Join(t.TempDir(), "env=prod", "repo")
	for _, file := range []string{"plain.parquet", "dir/day=1/x.parquet", "dir/day=2/x.parquet", "top=9/dir/day=1/x.parquet", "only/x.parquet", "day=3/x.parquet"} {
		if err := os.MkdirAll(filepath.Join(top, filepath.Dir(file)), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(top, file), arrow.PrimitiveTypes.Int64, group(1, "7"))
	}
	for path, want := range map[string]string{
		"plain.parquet": "", "dir": "day", "dir/": "day", "dir/day=1": "", "dir/day=1/x.parquet": "", "top=9/dir": "day", "top=9": "day", "top=9/dir/day=1/x.parquet": "", "only": "",
		"day=*": "day", "day=*/x.parquet": "day", "dir/*/x.parquet": "day", "dir/**/*.parquet": "day", "top=9/**/*.parquet": "day", "dir/day=1/*.parquet": "", "d?y=3/x.parquet": "day", "only/*": "",
		filepath.Join(top, "dir"): "day", "file://" + filepath.Join(top, "plain.parquet"): "",
	} {
		columns, err := parquet.New(top).Columns(t.Context(), ask(path).Source)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		var added []string
		for _, c := range columns {
			if c.Name == "day" || c.Name == "env" || c.Name == "top" {
				added = append(added, c.Name)
			}
		}
		if got := strings.Join(added, " "); got != want {
			t.Errorf("%s has the columns %q, want %q", path, got, want)
		}
	}
}

// TestDirectoriesGiveColumns: integers where all are written as integers,
// otherwise text.
func TestDirectoriesGiveColumns(t *testing.T) {
	for _, c := range []struct {
		dirs []string
		kind types.ValueType_Enum
		want string
	}{
		{[]string{"day=1", "day=2"}, types.ValueType_INVALID, "int64 [1] [2]"},
		{[]string{"day=01", "day=10"}, types.ValueType_INVALID, `utf8 ["01"] ["10"]`},
		{[]string{"day=01", "day=10"}, types.ValueType_INT64, "int64 [1] [10]"},
		{[]string{"day=1", "day=2"}, types.ValueType_STRING, `utf8 ["1"] ["2"]`},
		{[]string{"day=a%20b", "day=__HIVE_DEFAULT_PARTITION__"}, types.ValueType_STRING, `utf8 [(null)] ["a b"]`},
		{[]string{"day=1.50"}, types.ValueType_DOUBLE, "float64 [1.5]"},
		{[]string{"day=x"}, types.ValueType_INT64, `!a.parquet, column day: "x" is not a 64-bit integer`},
	} {
		t.Run(strings.Join(c.dirs, " "), func(t *testing.T) {
			dir := t.TempDir()
			for _, d := range c.dirs {
				if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
					t.Fatal(err)
				}
				write(t, filepath.Join(dir, d, "a.parquet"), arrow.PrimitiveTypes.Int64, group(1, "7"))
			}
			query := ask(".")
			query.Columns, query.Types = []string{"day"}, []types.ValueType_Enum{c.kind}
			got, err := typed(t, parquet.New(dir), query)
			if refused, ok := strings.CutPrefix(c.want, "!"); ok {
				if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), refused) {
					t.Errorf("%s, %v, want %q", got, err, refused)
				}
				return
			}
			if err != nil || got != c.want {
				t.Errorf("%s, %v, want %s", got, err, c.want)
			}
		})
	}
}

// TestTimeColumns are read in every form that denotes an instant.
func TestTimeColumns(t *testing.T) {
	stamps := func(u arrow.TimeUnit, zone string) arrow.DataType {
		return &arrow.TimestampType{Unit: u, TimeZone: zone}
	}
	dictionary := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	for _, c := range []struct {
		at   arrow.DataType
		cell string
		want string // the instant, "" for a row that is left out, "!" for a refusal
	}{
		{stamps(arrow.Millisecond, "UTC"), `"2024-01-01T00:00:00.5Z"`, "2024-01-01T00:00:00.5Z"},
		{stamps(arrow.Microsecond, ""), `"2024-01-01T00:00:00.5"`, "2024-01-01T00:00:00.5Z"},
		{stamps(arrow.Nanosecond, ""), `"2024-01-01T00:00:00.000000001"`, "2024-01-01T00:00:00.000000001Z"},
		{stamps(arrow.Nanosecond, "Asia/Seoul"), `"2024-01-01T09:00:00+09:00"`, "2024-01-01T00:00:00Z"},
		{stamps(arrow.Microsecond, "UTC"), `"0001-01-01T00:00:00Z"`, "0001-01-01T00:00:00Z"},
		{arrow.FixedWidthTypes.Date32, `"2024-01-01"`, "2024-01-01T00:00:00Z"},
		{arrow.BinaryTypes.String, `"2024-01-01 09:00:00.123456789+09"`, "2024-01-01T00:00:00.123456789Z"},
		{arrow.BinaryTypes.LargeString, `"2024-01-01"`, "2024-01-01T00:00:00Z"},
		{dictionary, `"2024-01-01T00:00:00Z"`, "2024-01-01T00:00:00Z"},
		{arrow.Null, "null", ""},
		{arrow.BinaryTypes.String, "null", ""},
		{arrow.BinaryTypes.String, `"20:00 EST"`, `!rows.parquet, row 1, column t: "20:00 EST" is not a time`},
		{dictionary, `"soon"`, `!rows.parquet, row 1, column t: "soon" is not a time`},
		{arrow.PrimitiveTypes.Int64, "1704067200", `!holds int64, which is not a time; a number does not tell its unit of time; write it as a timestamp, in pandas with pd.to_datetime(df["t"], unit="s", utc=True)`},
		{arrow.PrimitiveTypes.Float64, "1", "!holds float64, which is not a time"},
		{arrow.FixedWidthTypes.Boolean, "true", "!holds bool, which is not a time; write it as a timestamp"},
		{arrow.FixedWidthTypes.Time64us, `"00:00:01"`, "!holds time64[us], which is not a time"},
	} {
		t.Run(fmt.Sprintf("%s %s", c.at, c.cell), func(t *testing.T) {
			dir := t.TempDir()
			schema := arrow.NewSchema([]arrow.Field{{Name: "t", Type: c.at, Nullable: true}}, nil)
			writeAs(t, filepath.Join(dir, "rows.parquet"), schema, `[{"t":`+c.cell+`}]`)
			span, err := parquet.New(dir).Span(t.Context(), offline.Query{Source: sourceOf("rows.parquet"), Timestamp: "t"})
			refused, isRefusal := strings.CutPrefix(c.want, "!")
			switch {
			case isRefusal:
				if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), refused) {
					t.Errorf("%v, %v, want %q", span, err, refused)
				}
			case c.want == "":
				if err != nil || span.Rows != 0 {
					t.Errorf("%v, %v", span, err)
				}
			case err != nil || span.First.Format(time.RFC3339Nano) != c.want:
				t.Errorf("%v, %v, want %s", span, err, c.want)
			}
		})
	}
}

// TestStatisticsNeverLoseRows: the same rows are read with statistics, with
// doubtful ones, and without.
func TestStatisticsNeverLoseRows(t *testing.T) {
	groups := []string{`[{"at":"1969-12-31T23:59:59.999Z"},{"at":null}]`, `[{"at":"2024-01-01T00:00:00.000Z"},{"at":"2024-01-01T00:00:00.001Z"}]`, `[{"at":null}]`, `[{"at":"2024-01-02T00:00:00Z"}]`}
	units := []arrow.DataType{
		&arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}, &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "Asia/Seoul"}, &arrow.TimestampType{Unit: arrow.Microsecond},
	}
	whole := func(s string) time.Time {
		at, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for _, unit := range units {
		dir := t.TempDir()
		schema := arrow.NewSchema([]arrow.Field{{Name: "at", Type: unit, Nullable: true}}, nil)
		write := func(name string, change func(r *file.Reader)) {
			path := filepath.Join(dir, name)
			texts := groups
			if unit.(*arrow.TimestampType).TimeZone == "" {
				texts = strings.Split(strings.ReplaceAll(strings.Join(groups, "\n"), "Z", ""), "\n")
			}
			writeAs(t, path, schema, texts...)
			rewrite(t, path, change)
		}
		write("with", func(*file.Reader) {})
		write("without", func(r *file.Reader) {
			for _, g := range r.MetaData().RowGroups {
				g.Columns[0].MetaData.Statistics = nil
			}
		})
		write("short", func(r *file.Reader) {
			for _, g := range r.MetaData().RowGroups {
				if s := g.Columns[0].MetaData.Statistics; s != nil {
					s.MinValue, s.MaxValue, s.Min, s.Max = []byte{1}, []byte{2}, []byte{1}, []byte{2}
				}
			}
		})
		for _, c := range []struct {
			start, end string
			want       int64
		}{
			{"1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z", 1},
			{"1969-12-31T23:59:59.9995Z", "2023-12-31T23:59:59.999999Z", 0},
			{"2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z", 1},
			{"2024-01-01T00:00:00.0005Z", "2024-01-01T23:00:00Z", 1},
			{"2024-01-01T00:00:00.001Z", "2024-01-02T00:00:00Z", 2},
			{"0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z", 4},
		} {
			for _, name := range []string{"with", "without", "short"} {
				span, err := parquet.New(dir).Span(t.Context(), offline.Query{Source: sourceOf(name), Timestamp: "at", Start: whole(c.start), End: whole(c.end)})
				if err != nil || span.Rows != c.want {
					t.Errorf("%s %s from %s to %s: %d rows, %v; want %d", unit, name, c.start, c.end, span.Rows, err, c.want)
				}
			}
		}
	}
}

// TestTheSchemaOfArrowIsAHint: where it disagrees with the file, or cannot be
// parsed, the file's own types and units count.
func TestTheSchemaOfArrowIsAHint(t *testing.T) {
	dir := t.TempDir()
	of := func(name string, x, at arrow.DataType) string {
		path := filepath.Join(dir, name)
		schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: x, Nullable: true}, {Name: "at", Type: at, Nullable: true}}, nil)
		writeAs(t, path, schema, `[{"x":1,"at":"2024-01-01T00:00:00Z"}]`)
		return path
	}
	hint := func(path string) *string {
		r, err := file.OpenParquetFile(path, false)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		return r.MetaData().KeyValueMetadata().FindValue("ARROW:schema")
	}
	other := hint(of("other", arrow.PrimitiveTypes.Int32, &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}))
	cut, noText := (*other)[:len(*other)/2], "?"
	for name, schema := range map[string]*string{"another unit": other, "cut": &cut, "no base64": &noText, "none": nil} {
		path := of("rows", arrow.PrimitiveTypes.Int64, &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"})
		rewrite(t, path, func(r *file.Reader) {
			for _, kv := range r.MetaData().KeyValueMetadata() {
				if kv.Key == "ARROW:schema" {
					kv.Value = schema
				}
			}
		})
		got, err := typed(t, parquet.New(dir), ask("rows"))
		span, spanErr := parquet.New(dir).Span(t.Context(), ask("rows"))
		if err != nil || spanErr != nil || got != "int64 [1]" || span.First.Year() != 2024 {
			t.Errorf("%s: %s, %v, %v, %v", name, got, span, err, spanErr)
		}
	}
}

// TestFilesThatLackAColumn give nulls for it. A file without an event time
// gives no rows, unless a directory name is the time.
func TestFilesThatLackAColumn(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "at=2024-01-05"), 0o700); err != nil {
		t.Fatal(err)
	}
	x := arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Int64, Nullable: true}
	at := arrow.Field{Name: "at", Type: stamp, Nullable: true}
	writeAs(t, filepath.Join(dir, "a"), arrow.NewSchema([]arrow.Field{at, x}, nil), `[{"x":1,"at":"2024-01-01T00:00:00Z"}]`)
	writeAs(t, filepath.Join(dir, "b"), arrow.NewSchema([]arrow.Field{at}, nil), `[{"at":"2024-01-01T00:00:00Z"}]`)
	writeAs(t, filepath.Join(dir, "c"), arrow.NewSchema([]arrow.Field{x}, nil), `[{"x":3}]`)
	writeAs(t, filepath.Join(dir, "at=2024-01-05", "d"), arrow.NewSchema([]arrow.Field{x}, nil), `[{"x":4}]`)
	got, err := typed(t, parquet.New(dir), ask("."))
	span, spanErr := parquet.New(dir).Span(t.Context(), ask("."))
	if err != nil || spanErr != nil || got != "int64 [1] [4] [(null)]" || span.Rows != 3 || span.Last.Day() != 5 {
		t.Error(got, err, span, spanErr)
	}
}

// TestTwoColumnsOfOneName matter only to queries that request them.
func TestTwoColumnsOfOneName(t *testing.T) {
	dir := t.TempDir()
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Int64}, {Name: "y", Type: arrow.PrimitiveTypes.Int64}, {Name: "at", Type: stamp}}, nil)
	writeAs(t, filepath.Join(dir, "rows"), schema, `[{"x":1,"y":2,"at":"2024-01-01T00:00:00Z"}]`)
	rewrite(t, filepath.Join(dir, "rows"), func(r *file.Reader) { r.MetaData().FileMetaData.Schema[2].Name = "x" })
	if _, err := typed(t, parquet.New(dir), ask("rows")); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "column x cannot be read: the file has two columns of this name; rename one") {
		t.Error(err)
	}
	if span, err := parquet.New(dir).Span(t.Context(), ask("rows")); err != nil || span.Rows != 1 {
		t.Error(span, err)
	}
}

// TestQueriesThatNoFileAnswers are refused before any file is opened.
func TestQueriesThatNoFileAnswers(t *testing.T) {
	noTime, noCreated := ask("none"), ask("none")
	noTime.Timestamp = ""
	noCreated.CreatedAfter = time.Unix(0, 0)
	for want, query := range map[string]offline.Query{"timestamp_field": noTime, "created_timestamp_column": noCreated} {
		if _, err := parquet.New(t.TempDir()).Range(t.Context(), query); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), want) {
			t.Error(err)
		}
	}
}
