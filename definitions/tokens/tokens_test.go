package tokens

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// recorded is what Python finds in a source or a literal, written by
// testdata/record.py.
type recorded struct {
	Source  string   `json:"source"`
	Tokens  [][2]any `json:"tokens"`
	Literal string   `json:"literal"`
	Says    string   `json:"says"`
	Wrong   bool     `json:"wrong"`
}

func recordings(tb testing.TB) []recorded {
	tb.Helper()
	b, err := os.ReadFile("testdata/cases.jsonl")
	if err != nil {
		tb.Fatal(err)
	}
	var list []recorded
	for line := range bytes.Lines(b) {
		var r recorded
		if err := json.Unmarshal(line, &r); err != nil {
			tb.Fatal(err)
		}
		list = append(list, r)
	}
	return list
}

// kinds formats tokens as in the recordings: line ends and blocks have no text,
// and the last line always has an end.
func kinds(src string, list []Token) string {
	var b strings.Builder
	for _, t := range list {
		s := src[t.From:t.To]
		if t.Kind == Newline || t.Kind == Indent || t.Kind == Dedent {
			s = ""
		}
		writeKind(&b, int(t.Kind), s)
	}
	return strings.ReplaceAll(b.String(), "5:\n5:\n", "5:\n")
}

func writeKind(b *strings.Builder, kind int, text string) {
	b.WriteByte(byte('0' + kind))
	b.WriteString(":" + text + "\n")
}

func TestTokensArePythons(t *testing.T) {
	for _, r := range recordings(t) {
		if r.Literal != "" {
			continue
		}
		list, err := Lex(r.Source)
		if (err != nil) != r.Wrong {
			t.Errorf("%q ends with %v", r.Source, err)
		}
		if r.Wrong {
			continue
		}
		var want strings.Builder
		for _, k := range r.Tokens {
			kind, _ := k[0].(float64)
			s, _ := k[1].(string)
			writeKind(&want, int(kind), s)
		}
		got := kinds(r.Source, list)
		if w := strings.TrimPrefix(want.String()+"0:\n", "5:\n"); strings.TrimPrefix(endedBefore(got), "5:\n") != endedBefore(w) {
			t.Errorf("%q is cut into\n%s\nwant\n%s", r.Source, got, w)
		}
	}
}

// endedBefore moves the end of the last line behind the ends of blocks, where
// either order is possible.
func endedBefore(s string) string {
	for strings.Contains(s, "7:\n5:\n") {
		s = strings.ReplaceAll(s, "7:\n5:\n", "5:\n7:\n")
	}
	return strings.ReplaceAll(s, "5:\n5:\n", "5:\n")
}

func TestLiteralsSayWhatPythonReads(t *testing.T) {
	for _, r := range recordings(t) {
		if r.Literal == "" {
			continue
		}
		list, err := Lex(r.Literal)
		if err != nil && r.Wrong {
			continue
		}
		if err != nil || len(list) != 3 {
			t.Errorf("%s is not a literal: %v", r.Literal, err)
			continue
		}
		if Strange(list[0].Text) {
			continue // refused
		}
		got, problem := Unescape(list[0].Text, list[0].Prefix)
		if strings.Contains(list[0].Prefix, "b") {
			var b strings.Builder
			for _, c := range []byte(got) {
				b.WriteRune(rune(c))
			}
			got = b.String()
		}
		if (problem != "") != r.Wrong || problem == "" && got != r.Says {
			t.Errorf("%s says %q (%s), want %q", r.Literal, got, problem, r.Says)
		}
	}
}

func TestFieldsOfFStrings(t *testing.T) {
	for _, c := range []struct {
		src        string
		end        int
		conversion byte
		format     int
	}{
		{"a", 1, 0, -1}, {"a!r", 1, 'r', -1}, {"a!r:x", 1, 'r', 4}, {"a:>{w}", 1, 0, 2}, {"a!=b", 4, 0, -1}, {"d['a:b']", 8, 0, -1}, {"f(x, y=':')[1:2]:3", 16, 0, 17},
	} {
		end, conversion, format := SplitField(c.src, 0, len(c.src))
		if end != c.end || conversion != c.conversion || format != c.format {
			t.Errorf("%s: %d %q %d", c.src, end, conversion, format)
		}
		if at := FieldEnd("{"+c.src+"}", 0, 0); at != len(c.src)+1 {
			t.Errorf("{%s} ends at %d", c.src, at)
		}
	}
}

func TestSourceOfADefinition(t *testing.T) {
	src := "x = 1\n@a\ndef f():\n    return 1\n    # of f\n# not of f\ny = 2\n"
	list, err := Lex(src)
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	for i, tok := range list {
		if tok.Kind == Dedent {
			at = i + 1
		}
	}
	if got, want := Source(src, list[:at], strings.Index(src, "@")), "@a\ndef f():\n    return 1\n    # of f\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// No text makes the lexer panic; tokens are in order.
func FuzzLex(f *testing.F) {
	for _, r := range recordings(f) {
		f.Add(r.Source + r.Literal)
	}
	f.Fuzz(func(t *testing.T, src string) {
		list, err := Lex(src)
		if err != nil {
			return
		}
		at := 0
		for _, tok := range list {
			if tok.From < at || tok.To < tok.From || tok.To > len(src) {
				t.Fatalf("a token stands at %d to %d", tok.From, tok.To)
			}
			at = tok.To
			if tok.Kind == Text && !Strange(tok.Text) {
				_, _ = Unescape(tok.Text, tok.Prefix)
				_, _, _ = SplitField(src, tok.Body, tok.To)
				_, _ = LexPart(src, tok.Body, tok.To)
			}
		}
	})
}
