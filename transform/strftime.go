package transform

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// strftime writes a time of UTC by a format. zone is the name that %Z has; it is empty for
// a time without a zone.
func strftime(micros int64, format, zone string) (string, error) {
	t := time.UnixMicro(micros).UTC()
	if t.Year() < 1000 || t.Year() > 9999 {
		return "", tooMuch("strftime() of the year %d is not supported", t.Year())
	}
	var b strings.Builder
	for format != "" {
		i := strings.IndexByte(format, '%')
		if i != 0 {
			if i < 0 {
				i = len(format)
			}
			b.WriteString(format[:i])
			format = format[i:]
			continue
		}
		n := 2
		if strings.HasPrefix(format, "%-") {
			n = 3
		}
		if len(format) < n {
			return "", outside("the format of strftime() ends in %%")
		}
		s, ok := directive(t, format[1:n], zone)
		if !ok {
			return "", outside("the directive %s of strftime() is not supported", strconv.Quote(format[:n]))
		}
		b.WriteString(s)
		format = format[n:]
	}
	return b.String(), nil
}

// directive is the text of a directive of strftime.
func directive(t time.Time, name, zone string) (string, bool) {
	if rest, ok := strings.CutPrefix(name, "-"); ok {
		s, ok := directive(t, rest, zone)
		if !ok || !strings.Contains("mdHMSIjyUWV", rest) {
			return "", false
		}
		if s = strings.TrimLeft(s, "0"); s == "" {
			s = "0"
		}
		return s, true
	}
	if format, ok := map[string]string{
		"Y": "2006", "m": "01", "d": "02", "H": "15", "M": "04", "S": "05", "y": "06", "b": "Jan", "h": "Jan", "B": "January", "a": "Mon", "A": "Monday",
		"p": "PM", "I": "03", "j": "002", "F": "2006-01-02", "T": "15:04:05", "R": "15:04", "D": "01/02/06", "e": "_2",
	}[name]; ok {
		return t.Format(format), true
	}
	switch name {
	case "Z":
		return zone, true
	case "z":
		if zone != "" {
			return "+0000", true
		}
		return "", true
	case "%":
		return "%", true
	}
	return numberDirective(t, name)
}

// numberDirective is the text of a directive that time.Format does not have.
func numberDirective(t time.Time, name string) (string, bool) {
	year, week := t.ISOWeek()
	switch name {
	case "f":
		return fmt.Sprintf("%06d", t.Nanosecond()/1000), true
	case "w":
		return strconv.Itoa(int(t.Weekday())), true
	case "u":
		return strconv.Itoa(weekday(t) + 1), true
	case "U":
		return fmt.Sprintf("%02d", (t.YearDay()-1+7-int(t.Weekday()))/7), true
	case "W":
		return fmt.Sprintf("%02d", (t.YearDay()-1+7-weekday(t))/7), true
	case "V":
		return fmt.Sprintf("%02d", week), true
	case "G":
		return strconv.Itoa(year), true
	}
	return "", false
}

// formatOf is the format of a call of strftime.
func formatOf(a *args) (string, error) {
	if err := a.known("strftime()", 1, "date_format", "format"); err != nil {
		return "", err
	}
	v, ok := a.get(0, "date_format")
	if !ok {
		v, ok = a.get(-1, "format")
	}
	if !ok || v.k != kText {
		return "", outside("strftime() needs a format")
	}
	return v.s, nil
}

// zoneOf is the name of the zone of times.
func zoneOf(utc bool) string {
	if utc {
		return "UTC"
	}
	return ""
}

// timesStrftime is .dt.strftime.
func timesStrftime(m *machine, v val, a *args) (val, error) {
	format, err := formatOf(a)
	if err != nil {
		return val{}, err
	}
	c := v.col()
	if c.ext == extZoned && (strings.Contains(format, "%Z") || strings.Contains(format, "%z")) {
		return val{}, outside("strftime() with the name of a zone is not supported")
	}
	return m.timeTexts(c, "strftime()", func(micros int64) (string, error) { return strftime(micros, format, zoneOf(c.utc)) })
}

// timeTexts makes a text of each time.
func (m *machine) timeTexts(c *column, fn string, text func(int64) (string, error)) (val, error) {
	if c.dt != dTime {
		return val{}, outside("%s of %s is not supported", fn, c.dt)
	}
	out := m.mem.column(dObject, c.n)
	for i := range out.objs {
		t := c.timeAt(i)
		if t.k == kNaT {
			out.objs[i] = floatVal(math.NaN())
			continue
		}
		s, err := text(t.i)
		if err != nil {
			return val{}, err
		}
		out.objs[i] = textVal(s)
		if err := m.grow(out.objs[i]); err != nil {
			return val{}, err
		}
	}
	return colVal(out), nil
}

// timesName is day_name or month_name.
func timesName(name, format string) method {
	return func(m *machine, v val, a *args) (val, error) {
		if err := a.known(name+"()", 0); err != nil {
			return val{}, err
		}
		return m.timeTexts(v.col(), name+"()", func(micros int64) (string, error) { return time.UnixMicro(micros).UTC().Format(format), nil })
	}
}

// scalarStrftime is strftime of a single time.
func scalarStrftime(_ *machine, v val, a *args) (val, error) {
	if v.k != kTime {
		return val{}, noAttribute(v, "strftime")
	}
	format, err := formatOf(a)
	if err != nil {
		return val{}, err
	}
	s, err := strftime(v.i, format, zoneOf(v.w == dTime))
	return textVal(s), err
}

// scalarISO is isoformat of a single time.
func scalarISO(_ *machine, v val, a *args) (val, error) {
	if v.k != kTime {
		return val{}, noAttribute(v, "isoformat")
	}
	s := strTime(v)
	if v.w != dDate {
		s = strings.Replace(s, " ", "T", 1)
	}
	return textVal(s), a.known("isoformat()", 0)
}
