package library

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/banquet-fs/banquet/definitions/python"
)

// strptime parses a point in time with a format, as Python does in the C locale.
func strptime(c *python.Call, a []any) (any, error) {
	if err := c.Charge(100); err != nil {
		return nil, err
	}
	s, err := text(a[0])
	if err != nil {
		return nil, err
	}
	format, err := text(a[1])
	if err != nil {
		return nil, err
	}
	return parseTime(s, format)
}

func parseTime(s, format string) (any, error) {
	if !ascii(s+format) || len(format) > 200 {
		return nil, fmt.Errorf("strptime() is read of short ASCII text only")
	}
	form, err := timeForm(format)
	if err != nil {
		return nil, err
	}
	at := form.FindStringSubmatch(s)
	if at == nil {
		return nil, python.Raise("ValueError", "time data %s does not match format %s", python.Repr(s), python.Repr(format))
	}
	if len(at[0]) != len(s) {
		return nil, python.Raise("ValueError", "unconverted data remains: %s", s[len(at[0]):])
	}
	v := map[string]int{"Y": 1900, "m": 1, "d": 1}
	for i, name := range form.SubexpNames() {
		switch name {
		case "":
		case "f":
			v["f"], err = strconv.Atoi((at[i] + "000000")[:6])
		case "b", "B":
			v["m"] = 1 + strings.Index("janfebmaraprmayjunjulaugsepoctnovdec", strings.ToLower(at[i][:3]))/3
		default:
			v[name], err = strconv.Atoi(strings.TrimSpace(at[i]))
		}
		if err != nil {
			return nil, fmt.Errorf("strptime() does not read %s", python.Brief(s))
		}
	}
	t := time.Date(v["Y"], time.Month(v["m"]), v["d"], v["H"], v["M"], v["S"], v["f"]*1000, time.UTC)
	if t.Day() != v["d"] || v["Y"] < 1 {
		return nil, python.Raise("ValueError", "day is out of range for month")
	}
	if v["S"] > 59 {
		return nil, python.Raise("ValueError", "second must be in 0..59")
	}
	return datetime{at: t}, nil
}

// timeForm is the regular expression of a format.
func timeForm(format string) (*regexp.Regexp, error) {
	short := `jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec`
	directives := map[byte]string{
		'Y': `[0-9]{4}`, 'm': `1[0-2]|0[1-9]|[1-9]`, 'd': `3[0-1]|[1-2][0-9]|0[1-9]|[1-9]| [1-9]`, 'H': `2[0-3]|[0-1][0-9]|[0-9]`,
		'M': `[0-5][0-9]|[0-9]`, 'S': `6[0-1]|[0-5][0-9]|[0-9]`, 'f': `[0-9]{1,6}`, 'b': short,
		'B': `september|february|november|december|january|october|august|march|april|june|july|may`,
	}
	var b strings.Builder
	seen := map[byte]bool{}
	for i := 0; i < len(format); i++ {
		c := format[i]
		switch {
		case strings.IndexByte(" \t\n\r\f\v", c) >= 0:
			for i+1 < len(format) && strings.IndexByte(" \t\n\r\f\v", format[i+1]) >= 0 {
				i++
			}
			b.WriteString(`[ \t-\r\x1c-\x1f]+`)
		case c != '%':
			b.WriteString(regexp.QuoteMeta(string(rune(c))))
		case i+1 < len(format) && format[i+1] == '%':
			i++
			b.WriteByte('%')
		default:
			i++
			if i == len(format) || directives[format[i]] == "" || seen[format[i]] || seen['b'+'B'-format[i]] {
				return nil, fmt.Errorf("strptime() with the format %s is not read", python.Brief(format))
			}
			seen[format[i]] = true
			fmt.Fprintf(&b, "(?P<%c>%s)", format[i], directives[format[i]])
		}
	}
	form, err := regexp.Compile(`(?i)\A(?:` + b.String() + `)`)
	if err != nil {
		return nil, fmt.Errorf("strptime() with the format %s is not read", python.Brief(format))
	}
	return form, nil
}
