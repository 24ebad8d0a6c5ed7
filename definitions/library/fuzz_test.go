package library

import (
	"testing"

	"github.com/banquet-fs/banquet/definitions/python"
)

// No text makes a parser of texts panic; each parsed value can be formatted.
func FuzzTexts(f *testing.F) {
	for _, s := range []string{
		"a: [1, {b: &x c}, *x]\n<<: {d: 012}\n", "- 1:30\n- .inf\n- 2024-01-02\n- 0x_\n- !!str 1\n", "---\n- ? a\n...\n--- b", "a: &a [*a]", "|\n  x\n",
		"a,\"b\"\"c\"\r\n\"d\n", "export A = 'b' # c\nD=\"e\"\nF=${A}\n", `(?P<n>a|b*?)[^\w\]-z]{,3}$`, `(?imsx)[]\d-a] # c`, `\x41\u00e9\N\0`, "%Y-%m-%d %b%%", "{1} {a[0]!r:>{2}}",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if docs, err := readYAML(s); err == nil {
			python.Repr(python.NewList(docs...))
		}
		p := csvParser{comma: ','}
		if _, err := p.line(s); err == nil {
			python.Repr(p.row)
		}
		if d, err := parseDotenv(s); err == nil {
			python.Repr(d)
		}
		if _, err := parseTime(s, s); err == nil {
			t.Log("a time in the form of its own format")
		}
		p2, err := newPattern(s, 0)
		if err != nil {
			return
		}
		m := &found{p2, s, p2.search.FindStringSubmatchIndex(s)}
		if m.at != nil && len(m.groups(nil)) != p2.search.NumSubexp() {
			t.Error("a match has no groups")
		}
	})
}
