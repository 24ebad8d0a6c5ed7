package postgres

import "strings"

// oneSelect removes the end of a query: blanks, comments and semicolons.
// problem says what the query is instead if it is not one SELECT.
func oneSelect(query string) (sql, problem string) {
	end, rest := statement(query)
	if strings.TrimSpace(stripComments(query[:end])) == "" {
		return "", "an empty query"
	}
	if strings.Trim(strings.TrimSpace(stripComments(query[rest:])), "; \t\r\n") != "" {
		return "", "a query of more than one statement; leave one SELECT"
	}
	first := strings.ToLower(strings.TrimLeft(strings.TrimSpace(stripComments(query[:end])), "("))
	for _, word := range []string{"select", "with", "values", "table"} {
		if strings.HasPrefix(first, word) {
			return query[:end], ""
		}
	}
	return "", "a query that is no SELECT"
}

// statement finds where the first statement ends and what follows begins.
func statement(q string) (end, rest int) {
	for i := 0; i < len(q); {
		if n := skipQuoted(q[i:]); n > 0 {
			i += n
			continue
		}
		if q[i] == ';' {
			return i, i + 1
		}
		i++
	}
	return len(q), len(q)
}

// skipQuoted gives the length of a literal, a quoted name or a comment at the
// start of q, 0 when there is none.
func skipQuoted(q string) int {
	switch {
	case strings.HasPrefix(q, "--"):
		if i := strings.IndexByte(q, '\n'); i >= 0 {
			return i + 1
		}
		return len(q)
	case strings.HasPrefix(q, "/*"):
		return comment(q)
	case q[0] == '\'' || q[0] == '"':
		return literal(q, q[0], false)
	case (q[0] == 'e' || q[0] == 'E') && len(q) > 1 && q[1] == '\'':
		return 1 + literal(q[1:], '\'', true)
	case q[0] == '$':
		return dollar(q)
	case word(q[0]): // a whole word, so that an e within one starts no literal
		return wordLen(q)
	}
	return 0
}

func wordLen(q string) int {
	n := 1
	for n < len(q) && (word(q[n]) || q[n] == '$' || q[n] >= '0' && q[n] <= '9') {
		n++
	}
	return n
}

func word(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80 }

// comment measures a /* */ comment, which may hold others.
func comment(q string) int {
	depth := 0
	for i := 0; i < len(q); i++ {
		switch {
		case strings.HasPrefix(q[i:], "/*"):
			depth++
			i++
		case strings.HasPrefix(q[i:], "*/"):
			depth--
			i++
			if depth == 0 {
				return i + 1
			}
		}
	}
	return len(q)
}

func literal(q string, quote byte, escapes bool) int {
	for i := 1; i < len(q); i++ {
		switch {
		case escapes && q[i] == '\\':
			i++
		case q[i] == quote:
			if i+1 < len(q) && q[i+1] == quote {
				i++
				continue
			}
			return i + 1
		}
	}
	return len(q)
}

// dollar measures a $tag$…$tag$ literal; $1 is not one.
func dollar(q string) int {
	end := strings.IndexByte(q[1:], '$')
	if end < 0 {
		return 0
	}
	tag := q[:end+2]
	for i := 1; i < len(tag)-1; i++ {
		if c := tag[i]; !word(c) && (i == 1 || c < '0' || c > '9') {
			return 0
		}
	}
	if close := strings.Index(q[len(tag):], tag); close >= 0 {
		return 2*len(tag) + close
	}
	return len(q)
}

// stripComments removes comments.
func stripComments(q string) string {
	var b strings.Builder
	for i := 0; i < len(q); {
		n := skipQuoted(q[i:])
		isComment := strings.HasPrefix(q[i:], "--") || strings.HasPrefix(q[i:], "/*")
		if !isComment {
			b.WriteString(q[i : i+max(n, 1)])
		} else {
			b.WriteByte(' ')
		}
		i += max(n, 1)
	}
	return b.String()
}
