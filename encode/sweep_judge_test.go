package encode_test

import (
	"encoding/hex"
	"errors"
	"testing"

	"github.com/banquet-fs/banquet/value"
)

// TestJudge shows that the sweep can fail: it detects each way to differ from
// Feast, and accepts what is equal.
func TestJudge(t *testing.T) {
	seven, eight := value.AppendInt64(nil, 7), value.AppendInt64(nil, 8)
	recorded := func(raw []byte) *string {
		text := hex.EncodeToString(raw)
		return &text
	}
	c := column{Column: "c001"}
	named, unnamedFault := cell{err: errors.New("column c001, row k=1: no")}, cell{err: errors.New("no")}
	for _, test := range []struct {
		name, use string
		want      []*string
		failed    string
		cells     []cell
		how       string
	}{
		{name: "equal", use: "features", want: []*string{recorded(seven)}, cells: []cell{{bytes: seven}}},
		{name: "another value", use: "features", want: []*string{recorded(seven)}, cells: []cell{{bytes: eight}}, how: otherValue},
		{name: "a null", use: "features", want: []*string{recorded(seven)}, cells: []cell{{}}, how: otherValue},
		{name: "a row less", use: "features", want: []*string{recorded(seven), recorded(eight)}, cells: []cell{{bytes: seven}}, how: otherValue},
		{name: "refused", use: "features", want: []*string{recorded(seven)}, cells: []cell{named}, how: refused},
		{name: "refused as Feast", use: "features", failed: "TypeError", cells: []cell{named}},
		{name: "refused as Feast without its row", use: "features", failed: "TypeError", cells: []cell{unnamedFault}, how: unnamed},
		{name: "stored where Feast fails", use: "features", failed: "TypeError", cells: []cell{{bytes: seven}}, how: stored},
		{name: "one of two refused where Feast fails", use: "features", failed: "TypeError", cells: []cell{{bytes: seven}, named}},
		{name: "equal keys in any order", use: "keys", want: []*string{recorded(seven), recorded(eight)}, cells: []cell{{bytes: eight}, {bytes: seven}}},
		{name: "another key", use: "keys", want: []*string{recorded(seven)}, cells: []cell{{bytes: eight}}, how: otherValue},
		{name: "a key too many", use: "keys", want: []*string{recorded(seven)}, cells: []cell{{bytes: seven}, {bytes: eight}}, how: otherValue},
		{name: "no key, as in Feast", use: "keys", want: []*string{nil}, cells: []cell{{none: true}}},
		{name: "a key where Feast has none", use: "keys", want: []*string{nil}, cells: []cell{{bytes: seven}}, how: stored},
	} {
		d := difference{use: test.use}
		if differs := d.judge(c, test.want, test.failed, test.cells); differs != (test.how != "") || differs && d.how != test.how {
			t.Errorf("%s: differs %v as %q, want %q", test.name, differs, d.how, test.how)
		}
	}
}

// TestPatterns tests which lines of differences.txt match a difference.
func TestPatterns(t *testing.T) {
	d := difference{use: "features", backend: "parquet", source: "list<int64> (bare)", title: "null within", kind: "INT64_LIST", how: stored}
	for line, want := range map[string]bool{
		"features | parquet | list<int64> | null within | INT64_LIST | stored":            true,
		"features / keys | * | list<* | null* | INT*_LIST / X | stored":                   true,
		"features | * | !string | !ordinary / !nulls alone | !INT32_LIST | stored":        true,
		"features | * | * / !list<int64>* | null within | INT64_LIST | stored":            false,
		"features | * | * | !null* | INT64_LIST | stored":                                 false,
		"features | parquet | list<int64> (list of items) | null within | * | stored":     false,
		"keys | parquet | list<int64> | null within | INT64_LIST | stored":                false,
		"features | parquet | list<int64> | null within | INT64_LIST | value / refused":   false,
		"features | postgres | list<int64> | null within | INT64_LIST | stored / refused": false,
	} {
		if got := parsePattern(t, line).matches(d); got != want {
			t.Errorf("%s: %v, want %v", line, got, want)
		}
	}
}
