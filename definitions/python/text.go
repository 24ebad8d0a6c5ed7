package python

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

func (c *Call) text(i int, fallback string) (string, error) {
	if i >= len(c.Args) || c.Args[i] == nil {
		return fallback, nil
	}
	s, ok := asText(c.Args[i])
	if !ok {
		return "", raise("TypeError", "a text is wanted, not a %s", TypeName(c.Args[i]))
	}
	return s, nil
}

// textMethod finds a method of text; nil when there is none.
func textMethod(s, name string) func(*Call) (any, error) {
	if fn := plainText(s, name); fn != nil {
		return func(*Call) (any, error) {
			foreign := strings.IndexFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) >= 0
			if name == "casefold" && foreign || name != "isascii" && strings.ContainsFunc(s, specialCase) {
				return nil, fmt.Errorf("%s() of these characters is not read; write its result out", name)
			}
			return fn(), nil
		}
	}
	var call func(*Call) (any, error)
	switch name {
	case "strip", "lstrip", "rstrip", "removeprefix", "removesuffix":
		call = func(c *Call) (any, error) { return trimmed(name, s, c) }
	case "startswith", "endswith":
		call = func(c *Call) (any, error) { return affixed(name, s, c) }
	case "replace":
		call = func(c *Call) (any, error) { return replaced(s, c) }
	case "count", "find", "rfind", "index", "rindex":
		call = func(c *Call) (any, error) { return found(name, s, c) }
	case "zfill", "ljust", "rjust", "center":
		call = func(c *Call) (any, error) { return padded(name, s, c) }
	case "split", "rsplit", "partition", "rpartition", "splitlines":
		call = func(c *Call) (any, error) {
			v, err := splitText(name, s, c)
			if l, ok := v.(*List); ok && err == nil {
				err = c.run.charge(len(l.Items))
			}
			return v, err
		}
	case "join":
		call = func(c *Call) (any, error) { return joinText(s, c) }
	case "format":
		return func(c *Call) (any, error) { return (&formatting{run: c.run, call: c}).text(s, 0) }
	case "format_map":
		call = func(c *Call) (any, error) {
			v, err := c.one(name)
			if err != nil {
				return nil, err
			}
			return (&formatting{run: c.run, call: c, mapping: v}).text(s, 0)
		}
	case "encode":
		return func(c *Call) (any, error) {
			enc, err := c.text(0, "utf-8")
			if e := strings.ToLower(strings.ReplaceAll(enc, "-", "")); err != nil || e != "utf8" {
				return &Unknown{Why: "str.encode"}, err
			}
			return Bytes(s), nil
		}
	default:
		return nil
	}
	return func(c *Call) (any, error) {
		if u := c.unknown(); u != nil {
			return u, nil
		}
		return call(c)
	}
}

// specialCase reports whether a letter changes its case in a way of its own,
// as ß does, which becomes two.
func specialCase(r rune) bool {
	switch r {
	case 'ß', 'İ', 'ŉ', 'ǰ', 'ΐ', 'ΰ', 'Σ', 'և':
		return true
	}
	if r >= unicode.MaxASCII && !unicode.Is(unicode.Lu, r) && !unicode.Is(unicode.Ll, r) { // letters without case, and signs
		caseless := unicode.ToUpper(r) == r && unicode.ToLower(r) == r && r != 'ª' && r != 'º' && r != '·' && r != '\u0387'
		return !caseless || !unicode.Is(unicode.Lo, r) && !unicode.IsSpace(r) && !unicode.IsSymbol(r) && (!unicode.IsPunct(r) || unicode.Is(unicode.Pc, r))
	}
	return unicode.IsTitle(r) || r >= 0x1e96 && r <= 0x1e9e || r >= 0x1f50 && r <= 0x1ffc || r >= 0xfb00 && r <= 0xfb17
}

// plainText are the methods without arguments.
func plainText(s, name string) func() any {
	all := func(ok func(rune) bool) func() any {
		return func() any { return s != "" && strings.IndexFunc(s, func(r rune) bool { return !ok(r) }) < 0 }
	}
	switch name {
	case "lower", "casefold":
		return func() any { return strings.ToLower(s) }
	case "upper":
		return func() any { return strings.ToUpper(s) }
	case "title":
		return func() any { return titled(s) }
	case "capitalize":
		return func() any { return capitalized(s) }
	case "swapcase":
		return func() any {
			return strings.Map(func(r rune) rune {
				if unicode.IsUpper(r) {
					return unicode.ToLower(r)
				}
				return unicode.ToUpper(r)
			}, s)
		}
	case "isdigit":
		return all(unicode.IsDigit)
	case "isalpha":
		return all(unicode.IsLetter)
	case "isalnum":
		return all(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) })
	case "isspace":
		return all(isSpace)
	case "isupper":
		return func() any { return strings.ToUpper(s) == s && strings.ToLower(s) != s }
	case "islower":
		return func() any { return strings.ToLower(s) == s && strings.ToUpper(s) != s }
	case "isascii":
		return func() any { return strings.IndexFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) < 0 }
	case "isidentifier":
		return func() any {
			first := true
			return s != "" && strings.IndexFunc(s, func(r rune) bool {
				ok := r == '_' || unicode.IsLetter(r) || !first && unicode.IsDigit(r)
				first = false
				return !ok
			}) < 0
		}
	}
	return nil
}

func titled(s string) string {
	start := true
	return strings.Map(func(r rune) rune {
		was := start
		start = !unicode.IsLetter(r)
		if was {
			return unicode.ToTitle(r)
		}
		return unicode.ToLower(r)
	}, s)
}

func capitalized(s string) string {
	r := []rune(strings.ToLower(s))
	if len(r) > 0 {
		r[0] = unicode.ToTitle(r[0])
	}
	return string(r)
}

func texts(parts []string) *List {
	l := &List{}
	for _, p := range parts {
		l.Items = append(l.Items, p)
	}
	return l
}

func trimmed(name, s string, c *Call) (any, error) {
	cut, err := c.text(0, "")
	if err != nil {
		return nil, err
	}
	switch name {
	case "removeprefix":
		return strings.TrimPrefix(s, cut), nil
	case "removesuffix":
		return strings.TrimSuffix(s, cut), nil
	}
	in := func(r rune) bool { return strings.ContainsRune(cut, r) }
	if len(c.Args) == 0 || c.Args[0] == nil {
		in = isSpace
	}
	if name != "rstrip" {
		s = strings.TrimLeftFunc(s, in)
	}
	if name != "lstrip" {
		s = strings.TrimRightFunc(s, in)
	}
	return s, nil
}

func affixed(name, s string, c *Call) (any, error) {
	v, err := c.one(name)
	if err != nil {
		return nil, err
	}
	options := []any{v}
	if t, ok := v.(Tuple); ok {
		options = t
	}
	if len(c.Args) > 1 {
		return nil, fmt.Errorf("%s() with bounds is not read; slice the text", name)
	}
	for _, o := range options {
		affix, ok := asText(o)
		if !ok {
			return nil, raise("TypeError", "%s first arg must be str or a tuple of str, not %s", name, TypeName(o))
		}
		if name == "startswith" && strings.HasPrefix(s, affix) || name == "endswith" && strings.HasSuffix(s, affix) {
			return true, nil
		}
	}
	return false, nil
}

func replaced(s string, c *Call) (any, error) {
	if len(c.Args) < 2 {
		return nil, raise("TypeError", "replace() takes what to replace and by what")
	}
	old, err := c.text(0, "")
	if err != nil {
		return nil, err
	}
	by, err := c.text(1, "")
	if err != nil {
		return nil, err
	}
	n := int64(-1)
	if v, ok := c.take(2, "count"); ok {
		n, _ = asInt(v)
	}
	if (strings.Count(s, old)+1)*len(by)+len(s) > maxText {
		return nil, fmt.Errorf("this text is too long")
	}
	return strings.Replace(s, old, by, int(max(n, -1))), c.run.charge(len(s) / 64)
}

// found is find and its siblings; positions count characters.
func found(name, s string, c *Call) (any, error) {
	if len(c.Args) != 1 {
		return nil, fmt.Errorf("%s() with bounds is not read; slice the text", name)
	}
	part, err := c.text(0, "")
	if err != nil {
		return nil, err
	}
	if name == "count" {
		return int64(strings.Count(s, part)), nil
	}
	at := strings.Index(s, part)
	if name[0] == 'r' {
		at = strings.LastIndex(s, part)
	}
	if at < 0 {
		if strings.HasSuffix(name, "index") {
			return nil, raise("ValueError", "substring not found")
		}
		return int64(-1), nil
	}
	return int64(len([]rune(s[:at]))), nil
}

func padded(name, s string, c *Call) (any, error) {
	v, err := c.one(name)
	if err != nil {
		return nil, err
	}
	width, ok := asInt(v)
	if !ok || width > 100_000 {
		return nil, raise("TypeError", "%s() takes a width", name)
	}
	fill, err := c.text(1, " ")
	if err != nil || len([]rune(fill)) != 1 {
		return nil, raise("TypeError", "the fill character must be exactly one character long")
	}
	missing := max(int(width)-len([]rune(s)), 0)
	switch name {
	case "ljust":
		return s + strings.Repeat(fill, missing), nil
	case "rjust":
		return strings.Repeat(fill, missing) + s, nil
	case "center":
		left := missing/2 + missing&int(width)&1
		return strings.Repeat(fill, left) + s + strings.Repeat(fill, missing-left), nil
	}
	if s != "" && (s[0] == '-' || s[0] == '+') {
		return s[:1] + strings.Repeat("0", missing) + s[1:], nil
	}
	return strings.Repeat("0", missing) + s, nil
}

func splitText(name, s string, c *Call) (any, error) {
	if name == "splitlines" {
		return splitLines(s, c)
	}
	sepArg, _ := c.take(0, "sep")
	sep, isText := asText(sepArg)
	if sepArg != nil && !isText {
		return nil, raise("TypeError", "must be str or None, not %s", TypeName(sepArg))
	}
	if isText && sep == "" {
		return nil, raise("ValueError", "empty separator")
	}
	if strings.HasSuffix(name, "partition") {
		return partitioned(name, s, sep), nil
	}
	limit := int64(-1)
	if v, ok := c.take(1, "maxsplit"); ok {
		limit, _ = asInt(v)
	}
	n := -1
	if limit >= 0 {
		n = int(min(limit, int64(len(s)))) + 1
	}
	switch {
	case !isText:
		return texts(fields(s, n, name == "rsplit")), nil
	case name == "split" || n < 0:
		return texts(strings.SplitN(s, sep, n)), nil
	}
	parts := strings.Split(s, sep)
	if keep := len(parts) - n + 1; keep > 1 {
		parts = append([]string{strings.Join(parts[:keep], sep)}, parts[keep:]...)
	}
	return texts(parts), nil
}

// isSpace reports whether a character is a blank for Python.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// fields splits at blanks, into n parts at most unless n is negative; the last
// or, from the right, the first part keeps its blanks.
func fields(s string, n int, right bool) []string {
	trim := strings.TrimLeftFunc
	if right {
		trim = strings.TrimRightFunc
	}
	var parts []string
	for s = trim(s, isSpace); s != ""; {
		at := strings.IndexFunc(s, isSpace)
		if right {
			at = strings.LastIndexFunc(s, isSpace)
		}
		if at < 0 || n >= 0 && len(parts) == n-1 {
			parts = append(parts, s)
			break
		}
		_, size := utf8.DecodeRuneInString(s[at:])
		part, rest := s[:at], s[at+size:]
		if right {
			part, rest = rest, part
		}
		parts, s = append(parts, part), trim(rest, isSpace)
	}
	if right {
		slices.Reverse(parts)
	}
	return parts
}

func splitLines(s string, c *Call) (any, error) {
	keep, _ := c.take(0, "keepends")
	kept, known := truth(keep)
	if !known {
		return nil, fmt.Errorf("splitlines(keepends) is not known without running Python")
	}
	l := &List{}
	for s != "" {
		at := strings.IndexAny(s, "\n\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029")
		if at < 0 {
			l.Items = append(l.Items, s)
			break
		}
		_, size := utf8.DecodeRuneInString(s[at:])
		if strings.HasPrefix(s[at:], "\r\n") {
			size = 2
		}
		line := s[:at]
		if kept {
			line = s[:at+size]
		}
		l.Items, s = append(l.Items, line), s[at+size:]
	}
	return l, nil
}

func partitioned(name, s, sep string) Tuple {
	if name == "partition" {
		before, after, found := strings.Cut(s, sep)
		if !found {
			return Tuple{s, "", ""}
		}
		return Tuple{before, sep, after}
	}
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return Tuple{"", "", s}
	}
	return Tuple{s[:i], sep, s[i+len(sep):]}
}

func joinText(sep string, c *Call) (any, error) {
	v, err := c.one("join")
	if err != nil {
		return nil, err
	}
	items, err := c.run.items(v)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(items, func(v any) bool { _, ok := v.(*Unknown); return ok }); i >= 0 {
		return items[i], nil
	}
	parts := make([]string, len(items))
	size := 0
	for i, v := range items {
		s, ok := asText(v)
		if !ok {
			return nil, raise("TypeError", "sequence item %d: expected str instance, %s found", i, TypeName(v))
		}
		parts[i] = s
		if size += len(s) + len(sep); size > maxText {
			return nil, fmt.Errorf("this text is too long")
		}
	}
	return strings.Join(parts, sep), c.run.charge(size / 64)
}
