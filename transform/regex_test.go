package transform

import (
	"strings"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/gen/feast/types"
)

// TestRegularExpressionsThatAreRefused holds that one that Python and Go may read
// differently is refused, when the view is compiled or for the text.
func TestRegularExpressionsThatAreRefused(t *testing.T) {
	for made, want := range map[string]string{
		`re.search(r'(?=a)', s)`:              "(?= in a regular expression",
		`re.search(r'(?!a)', s)`:              "(?! in a regular expression",
		`re.search(r'(?<!a)b', s)`:            "(?< in a regular expression",
		`re.search(r'(a)\1', s)`:              `\1 in a regular expression`,
		`re.search(r'(?P=x)', s)`:             "(?P in a regular expression",
		`re.search(r'(?s).', s)`:              "(?s in a regular expression",
		`re.search(r'a++', s)`:                "is not supported",
		`re.search(r'(a*)*', s)`:              "repeats what may be empty",
		`re.search(r'(?:a|b?)+', s)`:          "repeats what may be empty",
		`re.search(r'(a)+', s)`:               "or a group",
		`re.search(r'a{,3}', s)`:              "{,n} in a regular expression",
		`re.search(r'[\D]', s)`:               `\D in a regular expression`,
		`re.search(r'[[:alpha:]]', 'a')`:      "",
		`re.search(r'\pL', s)`:                `\p in a regular expression`,
		`re.search(r'\x41', s)`:               `\x in a regular expression`,
		`re.search(r'[a', s)`:                 "a set without an end",
		`re.search(r'(a', s)`:                 "is not supported",
		`re.search('a\\', s)`:                 "a backslash at the end",
		`re.search(r'a{1001}', s)`:            "is not supported",
		`re.search('a' * 2000, s)`:            "of more than 1000 bytes",
		`re.search('A', s, re.MULTILINE)`:     "re.MULTILINE is not supported",
		`re.search('A', s, flags=re.M)`:       "re.M is not supported",
		`re.sub('x*', '-', s)`:                "that may match nothing",
		`re.findall('x*', s)`:                 "that may match nothing",
		`re.split('(,)', s)`:                  "re.split() with groups",
		`re.sub('a', lambda m: 'b', s)`:       "as the replacement",
		`re.sub('a', r'\g<1>', s)`:            "invalid group reference",
		`re.sub('a', r'\d', s)`:               `\d in a replacement`,
		`re.match('(a)', 'a').group(2)`:       "no such group",
		`re.search('a', 'a') == 1`:            "comparing a match with a int",
		`re.search(r'\w', 'é')`:               "on other than ASCII",
		`re.search(r'a$', 'a' + chr10)`:       "on a text that ends in a line feed",
		`s.encode() + 'a'`:                    "operator + of a bytes",
		`hashlib.md5(s)`:                      "encode texts",
		`int('ffffffffffffffffff', 16)`:       "integer of more than 64 bits",
		`int('ffffffffffffffffff', 16) + 1`:   "operator + of a integer of more than 64 bits",
		`int('1_0', 16)`:                      "is not supported",
		`int('g', 16)`:                        "invalid literal for int() with base 16",
		`int(s, 7)`:                           "in the base 7",
		`json.loads('[NaN]')`:                 "of NaN and Infinity",
		`json.loads('{a}')`:                   "JSONDecodeError: the text is not JSON",
		`json.loads('"' + bs + 'ud83d"')`:     "half a character",
		`json.loads('[' * 100 + ']' * 100)`:   "JSON nested deeper",
		`json.loads('123456789012345678901')`: "64 bits",
		`json.dumps({1: 2})`:                  "a key that is a int",
	} {
		text := "def fn(i):\n    import re, json, hashlib\n    s = i['s']\n    chr10 = '\\n'\n    bs = '\\\\'\n    x = " + made + "\n    return {'o': 1 if x is None else 2}\n"
		v := view("python", text, corpusInputs, nil, []Field{{"o", types.ValueType_INT64}})
		v.Spec.Singleton = true
		p, err := Compile(v, nil)
		if err == nil {
			b := p.Acquire(1)
			err = p.Run(t.Context(), b)
			p.Release(b)
		}
		if strings.HasPrefix(made, "int('ffffffffffffffffff', 16)") && err == nil {
			continue // it is an error only where it is used
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			if want != "" {
				t.Errorf("%s: error %v, want %q", made, err, want)
			}
		}
	}
}

// TestAPatternCannotTakeLong holds that the expressions that make Python's matcher slow are
// matched in time that grows with the text.
func TestAPatternCannotTakeLong(t *testing.T) {
	text := "def fn(i):\n    import re\n    return {'o': 1 if re.search(r'(?:a|aa)+$', i['s'] * 200000 + 'b') else 0}\n"
	v := view("python", text, corpusInputs, nil, []Field{{"o", types.ValueType_INT64}})
	v.Spec.Singleton = true
	begin := time.Now()
	if _, err := Compile(v, nil); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(begin); d > 5*time.Second {
		t.Errorf("it takes %v", d)
	}
}
