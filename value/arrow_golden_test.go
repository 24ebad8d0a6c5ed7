package value_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// recorded is a column and what Feast 0.67 stores for it, by value type.
type recorded struct {
	Name   string
	Column string
	Feast  map[string][]string
	array  arrow.Array
}

func recordedCells(t *testing.T) []recorded {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "cells.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 1<<22)
	var list []recorded
	for lines.Scan() {
		var r recorded
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		r.array = readColumn(t, r.Column)
		list = append(list, r)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if len(list) < 500 {
		t.Fatalf("only %d columns are recorded", len(list))
	}
	return list
}

func readColumn(t *testing.T, text string) arrow.Array {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := ipc.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(reader.Release)
	if !reader.Next() {
		t.Fatal("the stream has no batch", reader.Err())
	}
	column := reader.RecordBatch().Column(0)
	column.Retain()
	t.Cleanup(column.Release)
	return column
}

// kinds are the value types that Feast has, with their names there.
func kinds() map[string]types.ValueType_Enum {
	all := map[string]types.ValueType_Enum{"PDF_BYTES": 30, "IMAGE_BYTES": 31}
	for number, name := range types.ValueType_Enum_name {
		if number != 0 && number != int32(types.ValueType_NULL) {
			all[name] = types.ValueType_Enum(number)
		}
	}
	return all
}

// difference is a kind of cell that is stored differently from Feast.
type difference struct{ kinds, columns, why string }

// deliberate are the cells for which Feast stores one Value and banquet
// another: only where Feast loses or invents something.
var deliberate = []difference{ //nolint:gochecknoglobals // a table of the test
	{"UNIX_TIMESTAMP", `^double`, "numbers of a double column are all null in Feast"},
	{"UNIX_TIMESTAMP|INT64|STRING", `^u?int\d+:\[\d+, None`, "integers beside a null go through a double in Feast"},
	{"BYTES|IMAGE_BYTES|STRING", `^binary:b''$`, "a column of empty bytes alone is null in Feast"},
	{"DOUBLE_LIST|FLOAT_LIST", `null|decimal.*\[none\]|halffloat.*\[none\]`, "in a list of only nulls, these are zeros in Feast, or NaN with other bits"},
	{"UNIX_TIMESTAMP_LIST", `timestamp\[ns`, "nanoseconds are stored as seconds in Feast"},
	{"UNIX_TIMESTAMP", `^timestamp\[ns.*-9223372036854775807`, "the first time of pandas overflows in numpy"},
	{"UNIX_TIMESTAMP", `^date32\[day\]:\[None\]`, "a null date is not the null time in Feast when all dates are null"},
	{"JSON_LIST", `None|none`, "a null beside numbers is the text NaN in Feast, which is not JSON"},
	{"JSON|STRUCT", `None`, "a null of numbers and times is the text NaN or NaT in Feast"},
	{"JSON|STRUCT", `nan|timestamp.*-9223372036854775808`, "a NaN is the text nan in Feast"},
	{"STRUCT", `^(json:null|string:'null')$`, "JSON's null is the text None in Feast"},
	{"STRUCT", `^map<`, "an Arrow map is the text of numpy's array in Feast"},
}

// obvious are the cells for which Feast fails although one Value is clearly
// right.
var obvious = []difference{ //nolint:gochecknoglobals // a table of the test
	{"BOOL", `int.*:(0|1|\[)|ree`, "0 and 1 of every integer type"},
	{"DOUBLE", `int|halffloat|^float|null value`, "numbers of every width"},
	{"FLOAT|INT32|INT64|UNIX_TIMESTAMP|STRING", `^dict`, "the rows beside one that cannot be converted, and nulls in a dictionary"},
	{"DECIMAL", `int|ree|null value`, "integers have an exact text"},
	{"UUID|TIME_UUID", `fixed_size_binary\[16\]|uuid|null value`, "the 16 bytes of a UUID"},
	{"PDF_BYTES", `binary|uuid`, "bytes are bytes"},
	{"UNIX_TIMESTAMP", `float|halffloat`, "the NaN that pandas writes for null"},
	{".*_LIST|.*_SET", `int|decimal|halffloat|float|fsl null|list_view|null`, "numbers within lists that are exactly of the type"},
	{"BYTES_LIST|BYTES_SET", `fixed_size_binary`, "bytes of a fixed size in lists"},
	{"JSON_LIST|STRING_LIST|STRING_SET", `list`, "texts within lists, and what JSON has a form for"},
	{"JSON", `list|struct|map|fsl|^dict`, "nested cells that JSON has a form for"},
	{"UNIX_TIMESTAMP_LIST|UNIX_TIMESTAMP_SET", `date|timestamp|double`, "dates within lists, years before 1, whole seconds"},
	{"MAP|STRUCT|MAP_LIST|STRUCT_LIST", `struct|map|json|list`, "Arrow maps, and lists within maps"},
	{"VALUE_LIST|VALUE_SET", `list<item: list`, "lists of lists"},
}

func (d difference) is(kind, column string) bool {
	return regexp.MustCompile(`^(`+d.kinds+`)$`).MatchString(kind) && regexp.MustCompile(d.columns).MatchString(column)
}

// TestArrowCellsAreFeasts compares every recorded cell: its Value is Feast's,
// or it is refused, or it is in one of the two tables above; and each row of
// the tables is needed.
func TestArrowCellsAreFeasts(t *testing.T) {
	used := map[string]bool{}
	equal := 0
	for _, r := range recordedCells(t) {
		for name, kind := range kinds() {
			e := value.NewArrowEncoder(r.array.DataType(), kind)
			for row := range r.array.Len() {
				got, err := e.AppendFeature(nil, r.array, row)
				if err != nil {
					continue
				}
				if err := value.Check(got); err != nil {
					t.Errorf("%s as %s: %v", r.Name, name, err)
				}
				table := obvious
				if feast, ok := r.Feast[name]; ok {
					if sameValue(t, name, got, unhex(t, feast[row])) {
						equal++
						continue
					}
					table = deliberate
				} else if len(got) == 0 {
					continue // a null beside cells at which Feast fails
				}
				at := slices.IndexFunc(table, func(d difference) bool { return d.is(name, r.Name) })
				if at < 0 {
					t.Errorf("%s as %s, row %d: %x; Feast: %v", r.Name, name, row, got, r.Feast[name])
					continue
				}
				used[table[at].why] = true
			}
		}
	}
	if equal < 2500 {
		t.Errorf("only %d cells are Feast's", equal)
	}
	for _, d := range slices.Concat(deliberate, obvious) {
		if !used[d.why] {
			t.Errorf("no cell differs for this reason any more: %s", d.why)
		}
	}
}

// sameValue compares Values byte by byte, but maps by their entries and sets by
// their distinct elements, since neither have an order.
func sameValue(t *testing.T, kind string, got, want []byte) bool {
	t.Helper()
	if bytes.Equal(got, want) {
		return true
	}
	var a, b types.Value
	if proto.Unmarshal(got, &a) != nil || proto.Unmarshal(want, &b) != nil {
		return false
	}
	switch {
	case strings.HasPrefix(kind, "MAP"), strings.HasPrefix(kind, "STRUCT"):
		return proto.Equal(&a, &b)
	case strings.HasSuffix(kind, "_SET"):
		return slices.Equal(words(&a), words(&b))
	}
	return false
}

func words(v *types.Value) []string {
	list := strings.Fields(strings.NewReplacer("{", " { ", "}", " } ").Replace(v.String()))
	slices.Sort(list)
	return slices.Compact(list)
}

// TestPackedCellsAreTheSame expects the same Value however a cell is packed: in
// a slice of a longer column, in a dictionary, in a run.
func TestPackedCellsAreTheSame(t *testing.T) {
	packings := map[string]func(*testing.T, arrow.Array) arrow.Array{"sliced": sliced, "dictionary": dictionary, "runs": runs}
	for _, r := range recordedCells(t) {
		for how, pack := range packings {
			packed := pack(t, r.array)
			if packed == nil {
				continue
			}
			for name, kind := range kinds() {
				plain, wrapped := value.NewArrowEncoder(r.array.DataType(), kind), value.NewArrowEncoder(packed.DataType(), kind)
				for row := range r.array.Len() {
					want, err := plain.AppendFeature(nil, r.array, row)
					got, packedErr := wrapped.AppendFeature(nil, packed, row)
					if (err == nil) != (packedErr == nil) || err == nil && !bytes.Equal(got, want) {
						t.Fatalf("%s %s as %s, row %d: %x, %v; want %x, %v", how, r.Name, name, row, got, packedErr, want, err)
					}
				}
			}
			packed.Release()
		}
	}
}

func sliced(t *testing.T, a arrow.Array) arrow.Array {
	t.Helper()
	twice, err := array.Concatenate([]arrow.Array{a, a}, memory.DefaultAllocator)
	if err != nil {
		return nil // Arrow cannot append columns of this type
	}
	defer twice.Release()
	return array.NewSlice(twice, int64(a.Len()), int64(2*a.Len()))
}

func dictionary(t *testing.T, a arrow.Array) arrow.Array {
	t.Helper()
	switch a.DataType().ID() {
	case arrow.DICTIONARY, arrow.RUN_END_ENCODED, arrow.EXTENSION:
		return nil
	}
	b := array.NewInt8Builder(memory.DefaultAllocator)
	defer b.Release()
	for i := range a.Len() {
		b.Append(int8(i))
	}
	indexes := b.NewArray()
	defer indexes.Release()
	return array.NewDictionaryArray(&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: a.DataType()}, indexes, a)
}

func runs(t *testing.T, a arrow.Array) arrow.Array {
	t.Helper()
	switch a.DataType().ID() {
	case arrow.DICTIONARY, arrow.RUN_END_ENCODED, arrow.EXTENSION:
		return nil
	}
	b := array.NewInt32Builder(memory.DefaultAllocator)
	defer b.Release()
	for i := range a.Len() {
		b.Append(int32(i + 1))
	}
	ends := b.NewArray()
	defer ends.Release()
	return array.NewRunEndEncodedArray(ends, a, a.Len(), 0)
}
