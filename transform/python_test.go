package transform

import (
	"strings"
	"testing"

	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// singleton compiles a function of a singleton with an integer as its result.
func singleton(text string, features []Field) (*Program, error) {
	v := view("python", text, features, nil, []Field{{"o", types.ValueType_INT64}})
	v.Spec.Singleton = true
	return Compile(v, nil)
}

// TestASingletonThatAddsToItsInputs holds that a row sees nothing of the row before,
// also if the dict is large.
func TestASingletonThatAddsToItsInputs(t *testing.T) {
	names := strings.Split("abcdefgh", "")
	var features []Field
	text := "def fn(i):\n"
	for _, n := range names {
		features = append(features, Field{n, types.ValueType_INT64})
	}
	text += "    i['new'] = 1 if 'new' in i else 0\n    return {'o': i['new'] + " + "i['" + strings.Join(names, "'] + i['") + "']}\n"
	p, err := singleton(text, features)
	if err != nil {
		t.Fatal(err)
	}
	const rows = 3
	b := p.Acquire(rows)
	defer p.Release(b)
	for i := range names {
		for row := range rows {
			if err := b.SetValue(i, row, value.AppendInt64(nil, int64(row))); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := p.Run(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	for row := range rows {
		got, err := b.AppendValue(nil, 0, row)
		if n, _ := value.Int64(got); n != int64(8*row) || err != nil {
			t.Errorf("row %d is %d, %v; want %d", row, n, err, 8*row)
		}
	}
}
