package value_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// FuzzValue checks what Check accepts: protobuf reads it, it renders as JSON,
// and its key is that of what protobuf reads.
func FuzzValue(f *testing.F) {
	b, err := os.ReadFile(filepath.Join("..", "testdata", "golden", "values.jsonl"))
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		var row struct {
			Hex string `json:"value_hex"`
		}
		if json.Unmarshal([]byte(line), &row) == nil {
			b, _ := hex.DecodeString(row.Hex)
			f.Add(b)
		}
	}
	f.Add([]byte{0xa0, 0, 0xe8, 7})                // the tag in two bytes
	f.Add([]byte{4 << 3, 0xe8, 0x87, 0x80, 0})     // the number in four
	f.Add([]byte{3 << 3, 0xe8, 7, 4 << 3, 1})      // two fields
	f.Add([]byte{2<<3 | 2, 0x81, 0, 'a'})          // the length in two
	f.Add([]byte{3 << 3, 255, 255, 255, 255, 127}) // more than 32 bits
	f.Fuzz(func(t *testing.T, b []byte) {
		if value.Check(b) != nil {
			return
		}
		var m types.Value
		if err := proto.Unmarshal(b, &m); err != nil {
			t.Fatalf("Check lets %x pass, protobuf says %v", b, err)
		}
		plain, err := proto.Marshal(&m)
		if err != nil {
			t.Fatal(err)
		}
		layout := value.NewKeyLayout(3, []string{"k"})
		got, failed := layout.Append(nil, [][]byte{b})
		want, _ := layout.Append(nil, [][]byte{plain})
		if failed == nil && !bytes.Equal(got, want) {
			t.Fatalf("%x gives the key %x, as protobuf reads it %x", b, got, want)
		}
		text, err := value.AppendJSON(nil, b)
		if err == nil && !json.Valid(text) {
			t.Fatalf("%x renders as %q", b, text)
		}
	})
}

// FuzzFromJSON gives tokens of all kinds to all types: an accepted token gives
// a value that passes Check.
func FuzzFromJSON(f *testing.F) {
	for _, s := range []string{"1", "-0", "1e3", "1.5", `"76104"`, "true", "null", "[1,2]", "{}", "NaN", "9007199254740993", `"é"`} {
		for _, kind := range []int32{1, 2, 3, 4, 5, 6, 7, 8, 12} {
			f.Add([]byte(s), kind)
		}
	}
	f.Fuzz(func(t *testing.T, token []byte, kind int32) {
		if !json.Valid(token) {
			return // the scanner gives tokens only
		}
		v, err := value.FromJSON(token, types.ValueType_Enum(kind))
		if quick, failed := value.AppendFromJSON(nil, token, types.ValueType_Enum(kind)); (err == nil) != (failed == nil) || err == nil && !bytes.Equal(quick, v) {
			t.Fatalf("%s as %d gives %x (%v), appended %x (%v)", token, kind, v, err, quick, failed)
		}
		if err == nil && value.Check(v) != nil {
			t.Fatalf("%s as %d gives %x", token, kind, v)
		}
	})
}
