package parquet_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/parquet"
)

// TestTypesOfCSVColumns shows which type the cells of a column give it. Keys
// such as 19530219_5179 are text, though Go would read them as numbers; so are
// codes that begin with a zero, and numbers with too many digits.
func TestTypesOfCSVColumns(t *testing.T) {
	for _, c := range []struct {
		cells string
		want  types.ValueType_Enum
		read  string // the type it is read as when the query names none
	}{
		{"19530219_5179,19781116_7723", types.ValueType_STRING, "utf8"},
		{"1,-2", types.ValueType_INT64, "int64"},
		{"1,NA,3", types.ValueType_INT64, "int64"},
		{"+5,6", types.ValueType_INT64, "utf8"},
		{"1.5,-0.25", types.ValueType_DOUBLE, "float64"},
		{"1.0,NaN,3.0", types.ValueType_DOUBLE, "float64"},
		{"1.5,", types.ValueType_DOUBLE, "float64"},
		{"12.30,1.5", types.ValueType_DOUBLE, "utf8"},
		{"1,2.5", types.ValueType_DOUBLE, "utf8"},
		{"1e5,2.5", types.ValueType_DOUBLE, "utf8"},
		{"inf,2.5", types.ValueType_DOUBLE, "utf8"},
		{"01234,98765", types.ValueType_STRING, "utf8"},
		{"01234,1.5", types.ValueType_STRING, "utf8"},
		{"9223372036854775808,1", types.ValueType_STRING, "utf8"},
		{"True,False", types.ValueType_BOOL, "bool"},
		{"true,False", types.ValueType_BOOL, "bool"},
		{"yes,no", types.ValueType_STRING, "utf8"},
		{"2024-01-05 10:00:00,2024-01-06T10:00:00+09:00", types.ValueType_UNIX_TIMESTAMP, "timestamp[us, tz=UTC]"},
		{"2024-01-05 10:00:00+00,2024-01-06", types.ValueType_UNIX_TIMESTAMP, "timestamp[us, tz=UTC]"},
		{"9999-01-01,2024-01-06", types.ValueType_UNIX_TIMESTAMP, "timestamp[us, tz=UTC]"},
		{"2024-01-05 10:00:00.123456789,2024-01-06", types.ValueType_UNIX_TIMESTAMP, "timestamp[ns, tz=UTC]"},
		{"2024-01-05 10:00:00.123456789,9999-01-06", types.ValueType_STRING, "utf8"},
		{"0x1p4,0x10", types.ValueType_STRING, "utf8"},
		{"1_000,2", types.ValueType_STRING, "utf8"},
		{"1,a", types.ValueType_STRING, "utf8"},
		{",NA,null", types.ValueType_STRING, "null"},
	} {
		t.Run(c.cells, func(t *testing.T) {
			store := csvOf(t, "x,at\n"+strings.ReplaceAll(c.cells, ",", ",2024-01-01\n")+",2024-01-01\n")
			columns, err := store.Columns(t.Context(), sourceOf("rows.csv"))
			if err != nil {
				t.Fatal(err)
			}
			batch := one(t, store, offline.Query{Source: sourceOf("rows.csv"), Columns: []string{"x"}, Timestamp: "at"})
			defer batch.Release()
			if columns[0].Type != c.want || batch.Column(0).DataType().String() != c.read {
				t.Errorf("%s read as %s, want %s and %s", columns[0].Type, batch.Column(0).DataType(), c.want, c.read)
			}
		})
	}
}

// csvOf is a store with one file.
func csvOf(t *testing.T, text string) *parquet.Store {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rows.csv"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return parquet.New(dir)
}

// TestCSVCellsAreReadAsWhatIsWanted: each cell gives exactly what it says, or is
// refused with file, line and column.
func TestCSVCellsAreReadAsWhatIsWanted(t *testing.T) {
	for _, c := range []struct {
		kind types.ValueType_Enum
		cell string
		want string // "!" is a refusal
	}{
		{types.ValueType_STRING, "01234", `["01234"]`},
		{types.ValueType_STRING, "12.30", `["12.30"]`},
		{types.ValueType_STRING, "123456789012345678901234567890", `["123456789012345678901234567890"]`},
		{types.ValueType_STRING, " a ", `[" a "]`},
		{types.ValueType_STRING, "NA", "[(null)]"},
		{types.ValueType_STRING, `"a,""b"""`, `["a,\"b\""]`},
		{types.ValueType_STRING, "2024-01-01", `["2024-01-01"]`},
		{types.ValueType_STRING, "true", `["true"]`},
		{types.ValueType_STRING, "\xff", "!"},
		{types.ValueType_STRING, "a\x00b", "!"},
		{types.ValueType_DECIMAL, "12.30", `["12.30"]`},
		{types.ValueType_BYTES, "ab", `["ab"]`},
		{types.ValueType_INT64_LIST, `"[1, 2]"`, `["[1, 2]"]`},
		{types.ValueType_INT64, "9223372036854775807", "[9223372036854775807]"},
		{types.ValueType_INT64, "9223372036854775808", "!"},
		{types.ValueType_INT64, "9007199254740993", "[9007199254740993]"},
		{types.ValueType_INT64, "9007199254740993.0", "[9007199254740993]"},
		{types.ValueType_INT64, "007", "[7]"},
		{types.ValueType_INT64, "+5", "[5]"},
		{types.ValueType_INT64, "7.0", "[7]"},
		{types.ValueType_INT64, "7.5", "!"},
		{types.ValueType_INT64, "1e5", "!"},
		{types.ValueType_INT64, "1_000", "!"},
		{types.ValueType_INT64, "0x10", "!"},
		{types.ValueType_INT64, "true", "!"},
		{types.ValueType_INT64, "N/A", "[(null)]"},
		{types.ValueType_INT32, "-3", "[-3]"},
		{types.ValueType_DOUBLE, "0.1", "[0.1]"},
		{types.ValueType_DOUBLE, "1e5", "[100000]"},
		{types.ValueType_DOUBLE, "inf", "[+Inf]"},
		{types.ValueType_DOUBLE, "NaN", "[(null)]"},
		{types.ValueType_DOUBLE, "1e400", "!"},
		{types.ValueType_DOUBLE, "1_0.5", "!"},
		{types.ValueType_DOUBLE, "0x1p4", "!"},
		{types.ValueType_FLOAT, "0.1", "[0.1]"},
		{types.ValueType_FLOAT, "1e39", "!"},
		{types.ValueType_BOOL, "TRUE", "[true]"},
		{types.ValueType_BOOL, "t", "[true]"},
		{types.ValueType_BOOL, "no", "[false]"},
		{types.ValueType_BOOL, "0", "[false]"},
		{types.ValueType_BOOL, "2", "!"},
		{types.ValueType_UNIX_TIMESTAMP, "2024-01-01 00:00:00+00", "[1704067200000000]"},
		{types.ValueType_UNIX_TIMESTAMP, "2024-01-01 09:00:00.5+0900", "[1704067200500000]"},
		{types.ValueType_UNIX_TIMESTAMP, "9999-12-31", "[253402214400000000]"},
		{types.ValueType_UNIX_TIMESTAMP, "1704067200", "[1704067200000000]"},
		{types.ValueType_UNIX_TIMESTAMP, "1704067200.0", "[1704067200000000]"},
		{types.ValueType_UNIX_TIMESTAMP, "1704067200.5", "!"},
		{types.ValueType_UNIX_TIMESTAMP, "2024-01-01 00:00:00.0", "[1704067200000000]"},
		{types.ValueType_UNIX_TIMESTAMP, "99999999999999999", "!"},
		{types.ValueType_UNIX_TIMESTAMP, "20:00 EST", "!"},
	} {
		t.Run(fmt.Sprintf("%s of %q", c.kind, c.cell), func(t *testing.T) {
			store := csvOf(t, "at,x\r\n2024-01-01,\r\n\r\n2024-01-01,"+c.cell+"\r\n")
			got, err := cells(t, store, offline.Query{
				Source: sourceOf("rows.csv"), Columns: []string{"x"}, Types: []types.ValueType_Enum{c.kind}, Timestamp: "at",
			})
			if c.want == "!" {
				if fault.KindOf(err) != fault.Invalid || !strings.Contains(fmt.Sprint(err), "rows.csv, line 4, column x: ") {
					t.Errorf("got %s, %v; want a refusal of line 4 and column x", got, err)
				}
				return
			}
			if want := strings.Replace(c.want, "[", "[(null) ", 1); err != nil || got != want {
				t.Errorf("got %s, %v; want %s", got, err, want)
			}
		})
	}
}

// cells reads the first column of a query with one batch.
func cells(t *testing.T, store *parquet.Store, query offline.Query) (string, error) {
	t.Helper()
	reader, err := store.Range(t.Context(), query)
	if err != nil {
		return "", err
	}
	defer reader.Release()
	got := ""
	for reader.Next() {
		got += text(reader.RecordBatch().Column(0))
	}
	return got, reader.Err()
}

// TestNullsOfCSV: null cells are those of pandas.
func TestNullsOfCSV(t *testing.T) {
	words := []string{
		"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
		"<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
	}
	store := csvOf(t, "x,at\n"+strings.Join(words, ",2024-01-01\n")+",2024-01-01\nNone.,NA\nno,2024-01-01\n")
	batch := one(t, store, offline.Query{Source: sourceOf("rows.csv"), Columns: []string{"x"}, Types: []types.ValueType_Enum{types.ValueType_STRING}, Timestamp: "at"})
	defer batch.Release()
	if x := batch.Column(0); x.Len() != len(words)+1 || x.NullN() != len(words) || x.ValueStr(len(words)) != "no" {
		t.Errorf("got %s", text(x))
	}
}

// TestCSVFilesThatCannotBeRead: errors name the problem and the remedy.
func TestCSVFilesThatCannotBeRead(t *testing.T) {
	const head = "at,x\n2024-01-01,1\n"
	for _, c := range []struct{ name, content, want string }{
		{"0 bytes", "", "is empty; its first line must name the columns"},
		{"only empty lines", "\n\r\n", "has only empty lines"},
		{"no header", "2024-01-01,1\n", `has no column x; its first line, which must name the columns, has ["2024-01-01" "1"]`},
		{"semicolons", "at;x\n2024-01-01;1\n", "has no column x; its columns are separated by semicolons, and must be by commas"},
		{"tabs", "at\tx\n2024-01-01\t1\n", "separated by tabs, and must be by commas"},
		{"two columns of a name", "at,x,x\n2024-01-01,1,2\n", "two columns are called x in its first line; rename one"},
		{"a row too short", head + "2024-01-02\n", "line 3: the row does not have 2 cells, as the first line has"},
		{"a row too long", head + "2024-01-02,1,2\n", "line 3: the row does not have 2 cells"},
		{"a quote never closed", head + "2024-01-02,\"1\n2024-01-03,2\n", "line 3, character"},
		{"a quote inside", head + "2024-01-02,5\" pipe\n", "line 3, character 13: a quote stands in a cell that is not quoted"},
		{"UTF-16", "\xff\xfea\x00t\x00", "is UTF-16; save it as UTF-8"},
		{"UTF-16 without a mark", "a\x00t\x00,\x00x\x00\n\x00", "is the file UTF-16? Save it as UTF-8"},
		{"Latin-1 in the header", "at,x,caf\xe9\n", "line 1, column 3:"},
		{"CR alone", "at,x\r2024-01-01,1\r", "ends its lines with CR"},
		{"a Parquet file", "PAR1....", "is a Parquet file; its name must not end in .csv"},
		{"a packed file", "\x1f\x8b\x08\x00...", "is compressed; unpack it"},
		{"an event time that is none", head + "\n2024-01-02 25:00,1\n", `rows.csv, line 4, column at: "2024-01-02 25:00" is not a time`},
		{"an event time out of range", head + "9999-12-31,1\n", "rows.csv, line 3, column at: the time 9999-12-31T00:00:00Z does not fit a timestamp of ns"},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := csvOf(t, c.content)
			_, err := cells(t, store, offline.Query{Source: sourceOf("rows.csv"), Columns: []string{"x"}, Types: []types.ValueType_Enum{types.ValueType_INT64}, Timestamp: "at"})
			if kind := fault.KindOf(err); kind != fault.Invalid && kind != fault.NotFound || !strings.Contains(err.Error(), "rows.csv") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// TestAQuoteThatNeverEnds: it does not make one cell of the rest of a large
// file.
func TestAQuoteThatNeverEnds(t *testing.T) {
	line := strings.Repeat("2024-01-03,2 ", 10000) + "\n"
	store := csvOf(t, "at,x\n2024-01-01,1\n2024-01-02,\"1\n"+strings.Repeat(line, (70<<20)/len(line)))
	_, err := cells(t, store, offline.Query{Source: sourceOf("rows.csv"), Columns: []string{"x"}, Types: []types.ValueType_Enum{types.ValueType_INT64}, Timestamp: "at"})
	if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "the row after line 2 does not end within 64 MB; is a quote missing?") {
		t.Error(err)
	}
}

// TestCSVFilesThatAreRead although they look odd.
func TestCSVFilesThatAreRead(t *testing.T) {
	for _, c := range []struct{ name, content, want string }{
		{"a byte order mark", "\xef\xbb\xbfat,x\n2024-01-01,1\n", "[1]"},
		{"only a header", "at,x\n", ""},
		{"no line end at the end", "at,x\n2024-01-01,1", "[1]"},
		{"an index of pandas", ",at,x\n0,2024-01-01,1\n", "[1]"},
		{"a line break in a cell", "at,note,x\n2024-01-01,\"a\nb\",1\n2024-01-01,c,2\n", "[1 2]"},
		{"Latin-1 in a column that is not requested", "at,note,x\n2024-01-01,caf\xe9,1\n", "[1]"},
		{"nulls for times", "at,x\nNA,1\n,2\n2024-01-01,3\n", "[3]"},
		{"times as psql writes them", "at,x\n2024-01-01 00:00:00.123456+00,1\n", "[1]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := cells(t, csvOf(t, c.content), offline.Query{
				Source: sourceOf("rows.csv"), Columns: []string{"x"}, Types: []types.ValueType_Enum{types.ValueType_INT64}, Timestamp: "at",
			})
			if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

// TestLinesWithinCells keeps each as its writer ended it, wherever a block of
// what is read ends.
func TestLinesWithinCells(t *testing.T) {
	for _, cell := range []string{"a\r\nb", "a\nb", "a\rb", "\r\n", "a\r\n\r\r\nb\n", "\r", `say "` + "\r\n" + `"`} {
		for _, end := range []string{"\n", "\r\n"} {
			filler := strings.Repeat("x", 64<<10-len("x,at"+end)-1)
			quoted := `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
			store := csvOf(t, "x,at"+end+quoted+",2024-01-01"+end+filler+",2024-01-01"+end+quoted+",2024-01-01"+end)
			batch := one(t, store, offline.Query{Source: sourceOf("rows.csv"), Columns: []string{"x"}, Types: []types.ValueType_Enum{types.ValueType_STRING}, Timestamp: "at"})
			for _, row := range []int{0, 2} {
				if got := batch.Column(0).ValueStr(row); got != cell {
					t.Errorf("lines end with %q: %q, want %q", end, got, cell)
				}
			}
			batch.Release()
		}
	}
	store := csvOf(t, "x,at\n\"\r\n\xff\",2024-01-01\n")
	query := offline.Query{Source: sourceOf("rows.csv"), Columns: []string{"x"}, Types: []types.ValueType_Enum{types.ValueType_STRING}, Timestamp: "at"}
	if _, err := typed(t, store, query); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "rows.csv, line 2, column x") {
		t.Error(err)
	}
}
