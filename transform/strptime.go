package transform

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// timeFormat is a format of strptime: directives and the texts between them.
type timeFormat struct {
	parts   []formatPart
	letters bool // among the texts, which Python compares without case
}

type formatPart struct {
	code byte // of a directive; 0 for a text
	text string
}

// parseFormat parses a format of which all directives are numbers.
func parseFormat(s string) (timeFormat, error) {
	var f timeFormat
	for s != "" {
		i := strings.IndexByte(s, '%')
		if i != 0 {
			if i < 0 {
				i = len(s)
			}
			f.parts = append(f.parts, formatPart{text: s[:i]})
			s = s[i:]
			continue
		}
		if len(s) < 2 || !strings.Contains("YmdHMSfyj%", s[1:2]) {
			return f, outside("the directive %s of a format of times is not supported", strconv.Quote(s[:min(2, len(s))]))
		}
		if s[1] == '%' {
			f.parts = append(f.parts, formatPart{text: "%"})
		} else {
			f.parts = append(f.parts, formatPart{code: s[1]})
		}
		s = s[2:]
	}
	seen := ""
	for _, p := range f.parts {
		switch {
		case strings.ContainsAny(p.text, "\t\n\r\v\f0123456789"):
			return f, outside("this format of times is not supported")
		case p.code != 0 && strings.IndexByte(seen, p.code) >= 0:
			return f, outside("a format of times with a directive twice is not supported")
		case p.code != 0:
			seen += string(p.code)
		}
		f.letters = f.letters || strings.ContainsFunc(p.text, isLetter)
	}
	if strings.Contains(seen, "j") && strings.ContainsAny(seen, "md") {
		return f, outside("a format of times with %%j and %%m or %%d is not supported")
	}
	return f, nil
}

// read reads a text whose numbers have all their digits. Python reads numbers with fewer,
// too; such a text is not supported.
func (f timeFormat) read(x val) (writtenTime, error) {
	r := digitsOf{rest: x.s}
	part, nanos := f.numbers(&r)
	switch {
	case !r.bad && r.rest == "":
	case !f.letters && strings.ContainsFunc(x.s, isLetter):
		return writtenTime{}, valueError("time data %s does not match the format", repr(x))
	default:
		return writtenTime{}, tooMuch("%s is not read by this format; numbers need all their digits", repr(x))
	}
	month, day := part['m'], part['d']
	if j, ok := part['j']; ok {
		month, day = 1, j
	}
	t := time.Date(part['Y'], time.Month(month), day, part['H'], part['M'], part['S'], 0, time.UTC)
	_, ofYear := part['j']
	exists := ofYear && t.Year() == part['Y'] && day > 0 || t.Day() == day && int(t.Month()) == month
	if !exists || part['Y'] < 1 || part['H'] > 23 || part['M'] > 59 || part['S'] > 59 {
		return writtenTime{}, valueError("time data %s does not match the format", repr(x))
	}
	return writtenTime{unix: t.Unix(), nanos: nanos}, nil
}

// numbers reads the numbers of a text by their directives.
func (f timeFormat) numbers(r *digitsOf) (part map[byte]int, nanos int) {
	part = map[byte]int{'Y': 1900, 'm': 1, 'd': 1}
	for _, p := range f.parts {
		switch p.code {
		case 0:
			r.bad = r.bad || !strings.HasPrefix(r.rest, p.text)
			r.rest = strings.TrimPrefix(r.rest, p.text)
		case 'Y':
			part['Y'] = r.number(4)
		case 'j':
			part['j'] = r.number(3)
		case 'f':
			r.rest = "." + r.rest
			nanos = r.fraction()
			r.bad = r.bad || nanos%1000 != 0
		case 'y':
			if part['Y'] = r.number(2) + 1900; part['Y'] < 1969 {
				part['Y'] += 100
			}
		default:
			part[p.code] = r.number(2)
		}
	}
	return part, nanos
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 0x7f }

// asValueError reports whether an error is one that Python raises.
func asValueError(err error, f **failure) bool { return errors.As(err, f) && !(*f).outside }
