package transform

import "testing"

// TestUpperAndLowerAreThoseOfPython has words whose characters change in number, or
// with their place; Python printed the results.
func TestUpperAndLowerAreThoseOfPython(t *testing.T) {
	for _, c := range []struct{ text, upper, lower string }{
		{"Straße", "STRASSE", "straße"},
		{"ΟΔΟΣ ΣΑΣ.", "ΟΔΟΣ ΣΑΣ.", "οδος σας."},
		{"İzmir", "İZMIR", "i\u0307zmir"},
		{"ǆ ŉ ﬁ", "Ǆ ʼN FI", "ǆ ŉ ﬁ"},
		{"ünï çødé", "ÜNÏ ÇØDÉ", "ünï çødé"},
		{"日本", "日本", "日本"},
		{"", "", ""},
	} {
		if upper(c.text) != c.upper || lower(c.text) != c.lower {
			t.Errorf("%q is %q and %q, want %q and %q", c.text, upper(c.text), lower(c.text), c.upper, c.lower)
		}
	}
}
