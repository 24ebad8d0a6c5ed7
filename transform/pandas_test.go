package transform

import (
	"testing"

	"github.com/banquet-fs/banquet/gen/feast/types"
)

// TestArgumentsAreNotPassedOver holds that an argument changes the result as in
// pandas, or is refused; a is 3.
func TestArgumentsAreNotPassedOver(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		want       int64
		err        string
	}{
		{"digits of round", "df['o'] = round((df['a'] + 0.26), ndigits=1) * 10", 33, ""},
		{"fillna of a dict in place", "df['o'] = df['a']\n    df.fillna({'a': 0}, inplace=True)", 0, "argument inplace of fillna() is not supported"},
		{"types of a dict with errors", "df = df.astype({'a': float}, errors='ignore')\n    df['o'] = 1", 0, "argument errors of astype() is not supported"},
		{"the type of a column that is not there", "df['o'] = df['a']\n    df = df.astype({'zz': float})", 0, "KeyError: there is no 'zz'"},
		{"another index", "df['o'] = df['a'].rename({0: 1})", 0, "rename() of a column to other than a text is not supported"},
		{"another name", "df['o'] = df['a'].rename('b')", 3, ""},
		{"integers of a row", "df['o'] = df['a'].apply(lambda x: np.round(x, 1))", 3, ""},
	} {
		p, err := Compile(view("pandas", "def fn(df):\n    "+tt.body+"\n    return df\n", []Field{{"a", types.ValueType_INT64}}, nil, []Field{{"o", types.ValueType_INT64}}), nil)
		if err != nil || tt.err != "" {
			wantError(t, err, tt.err)
			continue
		}
		if got := runOne(t, p, 3); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}
