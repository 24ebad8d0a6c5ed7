package server

import (
	"fmt"
	"unicode/utf8"
)

// appendASCII appends a JSON string as Python's json.dumps does: characters outside
// ASCII are escaped.
func appendASCII(dst []byte, text string) []byte { return appendQuoted(dst, text, true) }

// appendJSONText appends a JSON string as Starlette writes it: only characters that
// JSON requires to be escaped are escaped.
func appendJSONText(dst []byte, text string) []byte { return appendQuoted(dst, text, false) }

func appendQuoted(dst []byte, text string, ascii bool) []byte {
	dst = append(dst, '"')
	for _, r := range text { // invalid UTF-8 becomes U+FFFD
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r < 0x20:
			dst = appendControl(dst, r)
		case r < 0x7f || !ascii:
			dst = utf8.AppendRune(dst, r)
		case r <= 0xffff:
			dst = fmt.Appendf(dst, `\u%04x`, r)
		default:
			r -= 0x10000
			dst = fmt.Appendf(dst, `\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		}
	}
	return append(dst, '"')
}

// appendControl escapes a control character; some have a short form.
func appendControl(dst []byte, r rune) []byte {
	const short = "btn\x00fr" // for 8 to 13
	if r >= 8 && r <= 13 && short[r-8] != 0 {
		return append(dst, '\\', short[r-8])
	}
	return fmt.Appendf(dst, `\u%04x`, r)
}

// pythonRepr is Python's repr of a string.
func pythonRepr(text string) string {
	single, double := false, false
	for _, c := range text {
		single, double = single || c == '\'', double || c == '"'
	}
	if single && !double {
		return `"` + text + `"`
	}
	out := []byte{'\''}
	for i := range len(text) {
		if text[i] == '\'' || text[i] == '\\' {
			out = append(out, '\\')
		}
		out = append(out, text[i])
	}
	return string(append(out, '\''))
}

// maxEcho bounds how much of a request an error repeats.
const maxEcho = 1 << 10

// appendEcho appends JSON that a caller sent, without white space. NaN and the
// infinities, which are not JSON, become strings. Of JSON longer than maxEcho it
// appends the first part, as a string.
func appendEcho(dst, raw []byte) []byte {
	if len(raw) > maxEcho {
		return appendJSONText(dst, bounded(string(raw[:min(len(raw), 2*maxEcho)]), maxEcho))
	}
	quoted, escaped := false, false
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if word := wordAt(raw[i:]); !quoted && word != "" {
			dst = append(append(append(dst, '"'), word...), '"')
			i += len(word) - 1
			continue
		}
		if !quoted && (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
			continue
		}
		switch {
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		}
		dst = append(dst, c)
	}
	return dst
}

// wordAt returns NaN or an infinity, if b starts with it, else "".
func wordAt(b []byte) string {
	for _, word := range [...]string{"NaN", "Infinity", "-Infinity"} {
		if len(b) >= len(word) && string(b[:len(word)]) == word {
			return word
		}
	}
	return ""
}
