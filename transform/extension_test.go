package transform

import (
	"testing"

	"github.com/banquet-fs/banquet/gen/feast/types"
)

// TestOperationsOfExtensionTypesAreRefused holds that a column of an extension type, or
// pd.NA, is never taken for one of NumPy: their nulls behave otherwise.
func TestOperationsOfExtensionTypesAreRefused(t *testing.T) {
	for made, want := range map[string]string{
		"s == 'a'":                                     "comparing a Series of type string with a str",
		"'a' != s":                                     "comparing a str with a Series of type string",
		"s + 'b'":                                      "operator + of a Series of type string",
		"-s":                                           "operator - of a Series of type string",
		"s.str.lower()":                                "attribute 'str' of a Series of type string",
		"s.map({'a': 1})":                              "method .map() of a Series of type string",
		"s.astype(float)":                              "of a column of type string is not supported",
		"len(s)":                                       "a loop over a Series of type string",
		"[1 if s else 2, 3]":                           "the truth of a Series of type string",
		"np.where(i['a'] > 1, s, 'b')":                 "np.where with a Series of type string",
		"pd.DataFrame({'s': s}).isna()":                "of a column of type string is not supported",
		"c.astype('string')":                           "of a column of type category is not supported",
		"c.fillna('a')":                                "fillna() of a column of type category",
		"c == 'x'":                                     "comparing a Series of type category with a str",
		"i['a'] + pd.NA":                               "operator + of a Series of int64 and a NAType",
		"i['a'] == pd.NA":                              "comparing a Series of int64 with a NAType",
		"[0 if pd.NA else 1, 2]":                       "the truth of a NAType",
		"i.apply(lambda r: r['s2'], axis=1)":           "a row of a column of type string is not supported",
		"-pd.DataFrame({'s': s, 'a': i['a']})":         "of a column of type string is not supported",
		"pd.DataFrame({'s': s}) * 2":                   "of a column of type string is not supported",
		"pd.cut(i['a'], 3, labels=False)":              "pd.cut() without a list of bounds",
		"pd.cut(i['a'], [3, 1], labels=False)":         "pd.cut() with bounds that do not increase",
		"pd.cut(i['a'], [1, 1], labels=False)":         "Bin edges must be unique",
		"pd.cut(i['a'], [1, 2])":                       "pd.cut() without labels=",
		"pd.cut(i['a'], [1, 2, 3], labels=['a'])":      "Bin labels must be one fewer",
		"pd.cut(i['a'], [1, 2, 3], labels=['a', 'a'])": "labels must be unique",
		"i['a'].map({np.nan: 1, 1: 2})":                "the key NaN",
	} {
		text := "def fn(i):\n    s = i['s'].astype('string')\n    c = pd.cut(i['a'], [0, 1, 5], labels=['x', 'y'])\n    i['s2'] = s\n    return pd.DataFrame({'o': " + made + "})\n"
		_, err := Compile(view("pandas", text, corpusInputs, nil, []Field{{"o", types.ValueType_STRING}}), nil)
		wantError(t, err, want)
	}
}
