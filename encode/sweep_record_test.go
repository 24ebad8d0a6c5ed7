package encode_test

import (
	"bufio"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/banquet-fs/banquet/gen/feast/types"
)

// recordDir holds the results of Feast that conformance/conversions.py
// recorded.
const recordDir = "../testdata/conversions"

// column is a column of a source with Feast's results for it.
type column struct {
	Source, Case string
	Query        string   // of PostgreSQL
	File, Column string   // of Parquet
	CSV          []string // its cells, if it has text
	// Unread is why Feast cannot read the column at all.
	Unread         string
	Features, Keys outcomes
}

// outcomes are by value type: the rows in order, or the error that replaces
// them.
type outcomes struct {
	Stored map[string][]*string
	Failed map[string][]string
}

// of returns the rows of a value type, or Feast's error.
func (o outcomes) of(kind string) (rows []*string, failed string) {
	for text, kinds := range o.Failed {
		if slices.Contains(kinds, kind) {
			return nil, text
		}
	}
	return o.Stored[kind], ""
}

func columns(t *testing.T, backend string) []column {
	t.Helper()
	file, err := os.Open(filepath.Join(recordDir, backend+".jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var list []column
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c column
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	if err := lines.Err(); err != nil || len(list) < 400 {
		t.Fatalf("%d columns of %s: %v", len(list), backend, err)
	}
	return list
}

// kinds are the value types that a feature can have in Feast, by Feast's names.
// Two of them have no name in the wire format.
func kinds() []string {
	list := []string{"PDF_BYTES", "IMAGE_BYTES"}
	for name, number := range types.ValueType_Enum_value {
		if number != int32(types.ValueType_INVALID) && number != int32(types.ValueType_NULL) {
			list = append(list, name)
		}
	}
	slices.SortFunc(list, func(a, b string) int { return int(kindOf(a)) - int(kindOf(b)) })
	return list
}

func kindOf(name string) types.ValueType_Enum {
	switch name {
	case "PDF_BYTES":
		return 30
	case "IMAGE_BYTES":
		return 31
	}
	return types.ValueType_Enum(types.ValueType_Enum_value[name])
}

// sameValue compares Values by their bytes; it compares maps and sets, which
// have no order, by their content.
func sameValue(want *string, got []byte) bool {
	if want == nil {
		return false
	}
	raw, err := hex.DecodeString(*want)
	if err != nil {
		return false
	}
	return string(raw) == string(got) || unordered(raw) && normal(raw) == normal(got)
}

// unordered reports whether a Value contains a map or a set.
func unordered(raw []byte) bool {
	var v types.Value
	if proto.Unmarshal(raw, &v) != nil {
		return false
	}
	text := prototext.Format(&v)
	return strings.Contains(text, "map") || strings.Contains(text, "struct") || strings.Contains(text, "set_val")
}

func normal(raw []byte) string {
	var v types.Value
	if err := proto.Unmarshal(raw, &v); err != nil {
		return "no Value: " + err.Error()
	}
	sortSets(v.ProtoReflect())
	text, err := proto.MarshalOptions{Deterministic: true}.Marshal(&v)
	if err != nil {
		return "no Value: " + err.Error()
	}
	return string(text)
}

// sortSets sorts the elements of a set of scalars.
func sortSets(m protoreflect.Message) {
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if !strings.HasSuffix(string(field.Name()), "_set_val") {
			return true
		}
		set := value.Message()
		of := set.Descriptor().Fields().ByName("val")
		list := set.Mutable(of).List()
		values := make([]protoreflect.Value, list.Len())
		for i := range values {
			values[i] = list.Get(i)
		}
		slices.SortFunc(values, func(a, b protoreflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for i, v := range values {
			list.Set(i, v)
		}
		return true
	})
}

// readable shows a Value as text.
func readable(raw []byte) string {
	var v types.Value
	if len(raw) == 0 {
		return "null"
	}
	if err := proto.Unmarshal(raw, &v); err != nil {
		return "no Value " + hex.EncodeToString(raw)
	}
	text := strings.Join(strings.Fields(prototext.MarshalOptions{}.Format(&v)), " ")
	return cut(text, 150)
}

func cut(text string, n int) string {
	if len(text) > n {
		return text[:n] + "…"
	}
	return text
}
