package library

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/banquet-fs/banquet/definitions/python"
)

// datetime is a datetime.datetime; it is aware if it has a zone, which is always
// UTC. With dateOnly it is a datetime.date.
type datetime struct {
	at              time.Time // in UTC
	aware, dateOnly bool
}

// utcZone is timezone.utc.
type utcZone struct{}

// Kinds lists the types of a zone.
func (*utcZone) Kinds() []string { return []string{"timezone", "tzinfo"} }

// Attr returns nothing.
func (*utcZone) Attr(string) (any, bool) { return nil, false }

func datetimeModule(run *python.Interpreter) names {
	utc := &utcZone{}
	units := "days? seconds? microseconds? milliseconds? minutes? hours? weeks?"
	types := []*python.Builtin{
		python.NewFunction("timedelta", units, newTimedelta),
		python.NewFunction("datetime", "year month day hour? minute? second? microsecond? tzinfo?", func(c *python.Call, a []any) (any, error) {
			return made(filled(c, a, []any{nil, nil, nil, int64(0), int64(0), int64(0), int64(0), nil}))
		}),
		python.NewFunction("date", "year month day", func(_ *python.Call, a []any) (any, error) { return madeDate(a) }),
		{Name: "timezone", Members: names{"utc": utc}, Kinds: []string{"tzinfo"}, Call: func(*python.Call) (any, error) {
			return nil, fmt.Errorf("another zone than timezone.utc is not read; write the time in UTC")
		}},
	}
	out := names{"UTC": utc}
	for _, t := range types {
		run.SetType(t)
		out[t.Name] = t
	}
	types[1].Kinds = []string{"date"}
	types[1].Members = names{
		"fromisoformat": python.NewFunction("fromisoformat", "date_string", fromISO),
		"strptime":      python.NewFunction("strptime", "date_string format", strptime),
	}
	for _, n := range []string{"now", "utcnow", "today"} {
		types[1].Members[n] = python.Elsewhere("datetime", "datetime."+n)
	}
	types[2].Members = names{
		"today": python.Elsewhere("datetime", "date.today"),
		"fromisoformat": python.NewFunction("fromisoformat", "date_string", func(_ *python.Call, a []any) (any, error) {
			t, err := time.Parse(time.DateOnly, python.Str(a[0]))
			if err != nil || t.Year() < 1 {
				return nil, fmt.Errorf("date.fromisoformat(%s) is not read; write YYYY-MM-DD", python.Brief(a[0]))
			}
			return dateOf(t), nil
		}),
	}
	return out
}

// datetimeParts are the parts of a datetime, in order.
func datetimeParts() []string {
	return []string{"year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo"}
}

// filled overrides parts with the arguments of a call.
func filled(c *python.Call, a, parts []any) []any {
	for i, n := range datetimeParts()[:len(parts)] {
		if given(c, i, n) {
			parts[i] = a[i]
		}
	}
	return parts
}

// made makes a datetime from its parts.
func made(parts []any) (any, error) {
	var want, got [7]int64
	for i := range want {
		n, isInt := python.Int(parts[i])
		if !isInt {
			return nil, python.Raise("TypeError", "'%s' object cannot be interpreted as an integer", python.TypeName(parts[i]))
		}
		want[i] = n
	}
	_, utc := parts[7].(*utcZone)
	if parts[7] != nil && !utc {
		return nil, fmt.Errorf("a datetime in another zone than timezone.utc is not read; write it in UTC")
	}
	t := datetime{aware: utc, at: time.Date(int(want[0]), time.Month(want[1]), int(want[2]), int(want[3]), int(want[4]), int(want[5]), int(want[6])*1000, time.UTC)}
	for i, n := range t.numbers() {
		got[i] = int64(n)
	}
	if got != want || got[0] < 1 || got[0] > 9999 {
		return nil, python.Raise("ValueError", "this is no date and time")
	}
	return t, nil
}

// madeDate makes a date from year, month and day.
func madeDate(parts []any) (any, error) {
	v, err := made(append(slices.Clone(parts), int64(0), int64(0), int64(0), int64(0), nil))
	if t, ok := v.(datetime); ok {
		return dateOf(t.at), nil
	}
	return nil, err
}

func dateOf(t time.Time) datetime {
	return datetime{at: time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC), dateOnly: true}
}

// fromISO parses the most common of the forms that Python accepts.
func fromISO(_ *python.Call, a []any) (any, error) {
	s, err := text(a[0])
	if err != nil {
		return nil, err
	}
	rest, aware := strings.CutSuffix(s, "Z")
	if !aware {
		rest, aware = strings.CutSuffix(s, "+00:00")
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly} {
		whole := len(rest) == len(layout) || strings.IndexByte(rest, '.') == len(layout)
		if t, err := time.Parse(layout, rest); err == nil && whole && t.Year() > 0 && (!aware || layout != time.DateOnly) {
			return datetime{at: t.Truncate(time.Microsecond), aware: aware}, nil
		}
	}
	return nil, fmt.Errorf("datetime.fromisoformat(%s) is not read; write YYYY-MM-DD HH:MM:SS", python.Brief(s))
}

// numbers are the parts of a datetime without its zone.
func (t datetime) numbers() []int {
	at := t.at
	return []int{at.Year(), int(at.Month()), at.Day(), at.Hour(), at.Minute(), at.Second(), at.Nanosecond() / 1000}
}

// Kinds lists the types of a point in time.
func (t datetime) Kinds() []string {
	if t.dateOnly {
		return []string{"date"}
	}
	return []string{"datetime", "date"}
}

// Key is equal for equal points in time.
func (t datetime) Key() string { return fmt.Sprint(t.at.UnixMicro(), t.aware, t.dateOnly) }

// Compare orders values of the same kind by time.
func (t datetime) Compare(other any) (int, bool) {
	o, ok := other.(datetime)
	return t.at.Compare(o.at), ok && t.aware == o.aware && t.dateOnly == o.dateOnly
}

// Binary adds and subtracts durations, and computes the duration between two times.
func (t datetime) Binary(op string, other any, swapped bool) (any, bool, error) {
	switch o := other.(type) {
	case Timedelta:
		if op == "+" || op == "-" && !swapped {
			v, err := t.add(o, op)
			return v, true, err
		}
	case datetime:
		if op == "-" && t.aware == o.aware && t.dateOnly == o.dateOnly {
			return Timedelta(t.at.UnixMicro() - o.at.UnixMicro()), true, nil
		}
	}
	return nil, false, nil
}

func (t datetime) add(d Timedelta, op string) (any, error) {
	if t.dateOnly { // dates count whole days
		days, _, _ := d.parts()
		d = Timedelta(days) * day
	}
	if op == "-" {
		d = -d
	}
	days, seconds, micros := d.parts()
	t.at = t.at.AddDate(0, 0, int(days)).Add(time.Duration(seconds*int64(second)+micros) * time.Microsecond)
	if days > 4_000_000 || days < -4_000_000 || t.at.Year() < 1 || t.at.Year() > 9999 {
		return nil, python.Raise("OverflowError", "date value out of range")
	}
	return t, nil
}

// String is the str of a point in time.
func (t datetime) String() string { return t.text(" ") }

func (t datetime) text(sep string) string {
	if t.dateOnly {
		return t.at.Format(time.DateOnly)
	}
	s := t.at.Format("2006-01-02" + sep + "15:04:05")
	if micros := t.at.Nanosecond() / 1000; micros != 0 {
		s += fmt.Sprintf(".%06d", micros)
	}
	if t.aware {
		s += "+00:00"
	}
	return s
}

// Repr prints the necessary parts.
func (t datetime) Repr() string {
	parts := t.numbers()
	n := len(parts)
	for n > 5 && parts[n-1] == 0 {
		n--
	}
	s := make([]string, n)
	for i := range s {
		s[i] = fmt.Sprint(parts[i])
	}
	if t.dateOnly {
		return "datetime.date(" + strings.Join(s[:3], ", ") + ")"
	}
	if t.aware {
		s = append(s, "tzinfo=datetime.timezone.utc")
	}
	return "datetime.datetime(" + strings.Join(s, ", ") + ")"
}

// Unread names the other attributes of Python's points in time.
func (datetime) Unread(name string) bool {
	return isSpecial(name) || slices.Contains(strings.Fields("timestamp time timetuple utctimetuple isocalendar ctime tzinfo utcoffset toordinal timetz fold "+
		"tzname dst min max resolution astimezone today now utcnow strptime combine fromtimestamp utcfromtimestamp fromisoformat fromordinal fromisocalendar"), name)
}

// Attr returns the attributes of a point in time.
func (t datetime) Attr(name string) (any, bool) {
	parts := t.numbers()
	if t.dateOnly {
		parts = parts[:3]
	}
	if i := slices.Index(datetimeParts()[:len(parts)], name); i >= 0 {
		return int64(parts[i]), true
	}
	switch name {
	case "strftime":
		return python.NewFunction(name, "format", func(c *python.Call, a []any) (any, error) {
			format, err := text(a[0])
			if err == nil {
				err = c.Charge(8 * len(format))
			}
			if err != nil {
				return nil, err
			}
			return t.Format(format)
		}), true
	case "replace":
		signature := "year? month? day?"
		if !t.dateOnly {
			signature += " hour? minute? second? microsecond? tzinfo?"
		}
		return python.NewFunction(name, signature, t.replace), true
	}
	var v any
	switch {
	case name == "isoformat":
		v = t.text("T")
	case name == "weekday":
		v = int64(t.at.Weekday()+6) % 7
	case name == "isoweekday":
		v = int64(t.at.Weekday()+6)%7 + 1
	case name == "date" && !t.dateOnly:
		v = dateOf(t.at)
	case name == "timestamp" && t.aware:
		v = ratio(Timedelta(t.at.UnixMicro()), second)
	default:
		return nil, false
	}
	return python.NewFunction(name, "", func(*python.Call, []any) (any, error) { return v, nil }), true
}

// replace makes a copy with some parts changed.
func (t datetime) replace(c *python.Call, a []any) (any, error) {
	var parts []any
	for _, n := range t.numbers() {
		parts = append(parts, int64(n))
	}
	switch {
	case t.dateOnly:
		return madeDate(filled(c, a, parts[:3]))
	case t.aware:
		return made(filled(c, a, append(parts, &utcZone{})))
	}
	return made(filled(c, a, append(parts, nil)))
}

// Format formats a point in time as in the C locale.
func (t datetime) Format(format string) (any, error) {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		if i++; i == len(format) || t.at.Year() < 1000 {
			return nil, fmt.Errorf("the format %s is not read; write the text out", python.Brief(format))
		}
		layout, ok := map[byte]string{
			'Y': "2006", 'm': "01", 'd': "02", 'H': "15", 'I': "03", 'M': "04", 'S': "05", 'y': "06", 'j': "002", 'b': "Jan", 'B': "January", 'a': "Mon",
			'A': "Monday", 'p': "PM", 'F': time.DateOnly, 'T': time.TimeOnly,
		}[format[i]]
		switch {
		case ok:
			b.WriteString(t.at.Format(layout))
		case format[i] == 'f':
			fmt.Fprintf(&b, "%06d", t.at.Nanosecond()/1000)
		case format[i] == '%':
			b.WriteByte('%')
		default:
			return nil, fmt.Errorf("the format %s is not read; write the text out", python.Brief(format))
		}
	}
	return b.String(), nil
}
