// Package tokens splits Python source into tokens, and evaluates string literals.
// Positions are byte offsets in the source.
package tokens

import (
	"slices"
	"strings"
)

// Keyword reports whether a word cannot be a name.
func Keyword(word string) bool {
	switch word {
	case "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else",
		"except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise",
		"return", "try", "while", "with", "yield":
		return true
	}
	return false
}

// Source returns the lines of a definition as inspect does, from a byte to the end of the
// list of tokens: including comments that follow at the indentation of the body.
func Source(src string, list []Token, from int) string {
	end, body := from, -1
	for _, t := range slices.Backward(list) {
		if t.Kind != Dedent && t.Kind != Newline && t.Kind != Indent {
			end = t.To
			break
		}
	}
	first, _ := slices.BinarySearchFunc(list, from, func(t Token, at int) int { return t.From - at })
	for _, t := range list[first:] {
		if t.Kind == Indent && t.From > from {
			body = t.From - strings.LastIndexByte(src[:t.From], '\n') - 1
			break
		}
	}
	start := strings.LastIndexByte(src[:from], '\n') + 1
	end = lineEnd(src, end)
	if body >= 0 {
		end = commentsAfter(src, end, body)
	}
	out := strings.ReplaceAll(src[start:end], "\r\n", "\n")
	if !strings.HasSuffix(out, "\n") {
		out += "\n"
	}
	return out
}

// lineEnd is the byte after the line that contains a byte.
func lineEnd(src string, at int) int {
	if i := strings.IndexByte(src[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(src)
}

// commentsAfter extends a body over following comments that are indented at least
// as far.
func commentsAfter(src string, end, body int) int {
	for at := end; at < len(src); {
		next := lineEnd(src, at)
		line := src[at:next]
		content := strings.TrimLeft(line, " \t\f")
		if strings.TrimSpace(content) != "" && content[0] != '#' {
			break
		}
		if strings.HasPrefix(content, "#") && len(line)-len(content) >= body {
			end = next
		}
		at = next
	}
	return end
}
