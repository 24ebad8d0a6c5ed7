package transform

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// texts1 runs a function in the mode pandas over rows of one text.
func texts1(t *testing.T, made string, rows int, text func(row int) string) error {
	t.Helper()
	p, err := Compile(view("pandas", "def fn(df):\n    out = pd.DataFrame()\n    out['o'] = "+made+"\n    return out\n", []Field{{"s", types.ValueType_STRING}}, nil, []Field{{"o", types.ValueType_INT64}}), nil)
	if err != nil {
		t.Fatal(err)
	}
	b := p.Acquire(rows)
	defer p.Release(b)
	for row := range rows {
		if err := b.SetValue(0, row, value.AppendString(nil, text(row))); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	begin := time.Now()
	err = p.Run(ctx, b)
	if d := time.Since(begin); d > 15*time.Second {
		t.Errorf("%s takes %v", made, d)
	}
	return err
}

// TestIsinOfManyValues holds that the time is not the product of both sides.
func TestIsinOfManyValues(t *testing.T) {
	err := texts1(t, "df['s'].isin(df['s']).astype(int)", 50_000, func(row int) string { return "some text " + itoa(int64(row)) })
	if err != nil {
		t.Error(err)
	}
}

// TestListsMadeOfTextsAreBounded holds that the items of lists count as memory.
func TestListsMadeOfTextsAreBounded(t *testing.T) {
	long := strings.Repeat("a,", 1<<19)
	err := texts1(t, "df['s'].str.split(',').str.len()", 4, func(int) string { return long })
	wantError(t, err, "needs more memory than its bound")
}

// TestTextsOfColumnsAreBounded holds that the texts of all rows count together.
func TestTextsOfColumnsAreBounded(t *testing.T) {
	short := func(int) string { return "aa" }
	wantError(t, texts1(t, "(df['s'] * 500000).str.len()", 300, short), "needs more memory than its bound")
	wantError(t, texts1(t, "df['s'].str.replace('a', 'b' * 1000000).str.len()", 1, short), "the text is longer than")
}
