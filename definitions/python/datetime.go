package python

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

const (
	microsecond Timedelta = 1
	second                = 1_000_000 * microsecond
	day                   = 86_400 * second
	// maxDelta is Python's bound of a timedelta: 999999999 days fit 64 bits of
	// microseconds 100 times.
	maxDays = 999_999_999
)

// Duration gives whole seconds and the nanoseconds left, both of the same sign.
func (d Timedelta) Duration() (seconds int64, nanos int32) {
	return int64(d / second), int32(d%second) * 1000
}

func (d Timedelta) parts() (days, seconds, micros Timedelta) {
	days = d / day
	if d%day < 0 {
		days--
	}
	rest := d - days*day
	return days, rest / second, rest % second
}

func (d Timedelta) repr() string {
	days, seconds, micros := d.parts()
	var args []string
	for _, p := range []struct {
		name string
		n    Timedelta
	}{{"days", days}, {"seconds", seconds}, {"microseconds", micros}} {
		if p.n != 0 {
			args = append(args, fmt.Sprintf("%s=%d", p.name, int64(p.n)))
		}
	}
	if args == nil {
		args = []string{"0"}
	}
	return "datetime.timedelta(" + strings.Join(args, ", ") + ")"
}

func (d Timedelta) text() string {
	days, seconds, micros := d.parts()
	s := fmt.Sprintf("%d:%02d:%02d", int64(seconds/3600), int64(seconds/60%60), int64(seconds%60))
	if micros != 0 {
		s += fmt.Sprintf(".%06d", int64(micros))
	}
	switch int64(days) {
	case 0:
		return s
	case 1, -1:
		return fmt.Sprintf("%d day, %s", int64(days), s)
	}
	return fmt.Sprintf("%d days, %s", int64(days), s)
}

func (d Timedelta) attr(name string) (any, bool) {
	days, seconds, micros := d.parts()
	switch name {
	case "days":
		return int64(days), true
	case "seconds":
		return int64(seconds), true
	case "microseconds":
		return int64(micros), true
	case "total_seconds":
		return &Builtin{Name: name, Call: func(*Call) (any, error) { return ratio(int64(d), int64(second)), nil }}, true
	}
	return nil, false
}

func newTimedelta(c *Call) (any, error) {
	if u := c.unknown(); u != nil {
		return u, nil
	}
	whole, left := Timedelta(0), 0.0
	known, size := 0, 0.0
	for _, u := range []struct { // in the order in which Python adds up what is left
		name string
		at   int
		unit Timedelta
	}{
		{"microseconds", 2, microsecond},
		{"milliseconds", 3, 1000 * microsecond},
		{"seconds", 1, second},
		{"minutes", 4, 60 * second},
		{"hours", 5, 3600 * second},
		{"days", 0, day},
		{"weeks", 6, 7 * day},
	} {
		if _, named := c.Arg(u.name); named {
			known++
		}
		v, ok := c.take(u.at, u.name)
		if !ok {
			continue
		}
		n, isNumber := asFloat(v)
		if !isNumber {
			return nil, raise("TypeError", "unsupported type for timedelta %s component: %s", u.name, TypeName(v))
		}
		if size += math.Abs(n) * float64(u.unit); size > 9e18 || math.IsNaN(n) {
			return nil, fmt.Errorf("a timedelta of more than 285 thousand years is not read")
		}
		if n, isInt := asInt(v); isInt {
			whole += Timedelta(n) * u.unit
			continue
		}
		units, fraction := math.Modf(n)
		micros, rest := math.Modf(fraction * float64(u.unit))
		whole += Timedelta(units)*u.unit + Timedelta(micros)
		left += rest
	}
	if known < len(c.Names) || len(c.Args) > 7 {
		return nil, raise("TypeError", "timedelta() got an argument that it does not take")
	}
	rounded := math.Round(left)
	if math.Abs(rounded-left) == 0.5 { // half to even, of the sum
		odd := float64(whole & 1)
		rounded = 2*math.Round((left+odd)*0.5) - odd
	}
	d := whole + Timedelta(rounded)
	if days, _, _ := d.parts(); days > maxDays || days < -maxDays {
		return nil, raise("OverflowError", "days=%d; must have magnitude <= 999999999", int64(days))
	}
	return d, nil
}

// datetimeParts are what a datetime is made of, in order.
func datetimeParts() []string {
	return []string{"year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo"}
}

func newDatetime(c *Call) (any, error) {
	if u := c.unknown(); u != nil {
		return u, nil
	}
	for _, n := range c.Names {
		if !slices.Contains(datetimeParts(), n) {
			return nil, fmt.Errorf("datetime() with '%s' is not read", n)
		}
	}
	parts := [7]int64{0, 0, 0}
	for i, n := range datetimeParts()[:7] {
		v, ok := c.take(i, n)
		if !ok {
			continue
		}
		number, isInt := asInt(v)
		if !isInt {
			return nil, raise("TypeError", "'%s' object cannot be interpreted as an integer", TypeName(v))
		}
		parts[i] = number
	}
	zone, aware := c.take(7, "tzinfo")
	if _, utc := zone.(*utcZone); aware && zone != nil && !utc {
		return nil, fmt.Errorf("a datetime in another zone than timezone.utc is not read; write it in UTC")
	}
	t := time.Date(int(parts[0]), time.Month(parts[1]), int(parts[2]), int(parts[3]), int(parts[4]), int(parts[5]), int(parts[6])*1000, time.UTC)
	if int64(t.Year()) != parts[0] || int64(t.Month()) != parts[1] || int64(t.Day()) != parts[2] || int64(t.Hour()) != parts[3] || t.Year() < 1 || t.Year() > 9999 {
		return nil, raise("ValueError", "this is no date and time")
	}
	return Datetime{Time: t, Aware: aware && zone != nil}, nil
}

// utcZone is timezone.utc.
type utcZone struct{}

func (*utcZone) Kinds() []string { return []string{"timezone", "tzinfo"} }

// Attr gives nothing.
func (*utcZone) Attr(string) (any, bool) { return nil, false }

func isoDatetime(c *Call) (any, error) {
	s, err := c.text(0, "")
	if err != nil {
		return nil, err
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return Datetime{Time: t}, nil
		}
	}
	for _, suffix := range []string{"Z", "+00:00"} {
		if rest, ok := strings.CutSuffix(s, suffix); ok {
			if t, err := time.Parse("2006-01-02T15:04:05", strings.Replace(rest, " ", "T", 1)); err == nil {
				return Datetime{Time: t, Aware: true}, nil
			}
		}
	}
	return nil, fmt.Errorf("datetime.fromisoformat(%s) is not read; write YYYY-MM-DD HH:MM:SS", quoted(s))
}

func (t Datetime) add(d Timedelta, op string) (any, error) {
	if t.DateOnly { // which counts whole days
		days, _, _ := d.parts()
		d = days * day
	}
	if op == "-" {
		d = -d
	}
	days, seconds, micros := d.parts()
	t.Time = t.AddDate(0, 0, int(days)).Add(time.Duration(seconds*second+micros) * time.Microsecond)
	if days > 4_000_000 || days < -4_000_000 || t.Year() < 1 || t.Year() > 9999 {
		return nil, raise("OverflowError", "date value out of range")
	}
	return t, nil
}

func (t Datetime) text(sep string) string {
	if t.DateOnly {
		return t.Format("2006-01-02")
	}
	s := t.Format("2006-01-02" + sep + "15:04:05")
	if micros := t.Nanosecond() / 1000; micros != 0 {
		s += fmt.Sprintf(".%06d", micros)
	}
	if t.Aware {
		s += "+00:00"
	}
	return s
}

func (t Datetime) repr() string {
	parts := []int{t.Year(), int(t.Month()), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond() / 1000}
	n := len(parts)
	for n > 5 && parts[n-1] == 0 {
		n--
	}
	s := make([]string, n)
	for i := range s {
		s[i] = fmt.Sprint(parts[i])
	}
	if t.Aware {
		s = append(s, "tzinfo=datetime.timezone.utc")
	}
	if t.DateOnly {
		return "datetime.date(" + strings.Join(s[:3], ", ") + ")"
	}
	return "datetime.datetime(" + strings.Join(s, ", ") + ")"
}

func (t Datetime) attr(name string) (any, bool) {
	if v, ok := map[string]int{"year": t.Year(), "month": int(t.Month()), "day": t.Day()}[name]; ok {
		return int64(v), true
	}
	v, ok := map[string]int{"hour": t.Hour(), "minute": t.Minute(), "second": t.Second(), "microsecond": t.Nanosecond() / 1000}[name]
	if ok && !t.DateOnly {
		return int64(v), true
	}
	var call func(a []any) (any, error)
	signature := ""
	switch {
	case name == "isoformat":
		call = func([]any) (any, error) { return t.text("T"), nil }
	case name == "strftime":
		signature = "format"
		call = func(a []any) (any, error) { return t.strftime(Str(a[0])) }
	case name == "weekday" || name == "isoweekday":
		call = func([]any) (any, error) {
			n := int64(t.Weekday()+6) % 7
			if name == "isoweekday" {
				n++
			}
			return n, nil
		}
	case name == "date" && !t.DateOnly:
		call = func([]any) (any, error) { return dateOf(t.Time), nil }
	case name == "timestamp" && t.Aware:
		call = func([]any) (any, error) { return float64(t.UnixMicro()) / 1e6, nil }
	case name == "replace":
		return &Builtin{Name: name, Call: t.replace}, true
	default:
		return nil, false
	}
	return NewFunction(name, signature, func(_ *Call, a []any) (any, error) { return call(a) }), true
}

func dateOf(t time.Time) Datetime {
	return Datetime{Time: time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC), DateOnly: true}
}

// replace makes another one with some parts changed.
func (t Datetime) replace(c *Call) (any, error) {
	parts := []any{int64(t.Year()), int64(t.Month()), int64(t.Day()), int64(t.Hour()), int64(t.Minute()), int64(t.Second()), int64(t.Nanosecond() / 1000)}
	made, names := newDatetime, datetimeParts()
	switch {
	case t.DateOnly:
		made, names, parts = newDate, names[:3], parts[:3]
	case t.Aware:
		parts = append(parts, &utcZone{})
	default:
		parts = append(parts, nil)
	}
	for i, n := range names {
		if v, ok := c.take(i, n); ok {
			parts[i] = v
		}
	}
	return made(&Call{Args: parts, run: c.run})
}

// strftime formats a point in time as in the C locale.
func (t Datetime) strftime(format string) (any, error) {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		if i++; i == len(format) || t.Year() < 1000 {
			return nil, fmt.Errorf("the format %s is not read; write the text out", quoted(format))
		}
		layout, ok := map[byte]string{
			'Y': "2006", 'm': "01", 'd': "02", 'H': "15", 'I': "03", 'M': "04", 'S': "05", 'y': "06", 'j': "002", 'b': "Jan", 'B': "January", 'a': "Mon",
			'A': "Monday", 'p': "PM", 'F': "2006-01-02", 'T': "15:04:05",
		}[format[i]]
		switch {
		case ok:
			b.WriteString(t.Format(layout))
		case format[i] == 'f':
			fmt.Fprintf(&b, "%06d", t.Nanosecond()/1000)
		case format[i] == '%':
			b.WriteByte('%')
		default:
			return nil, fmt.Errorf("the format %s is not read; write the text out", quoted(format))
		}
	}
	return b.String(), nil
}

func newDate(c *Call) (any, error) {
	for _, n := range c.Names {
		if len(c.Args)+len(c.Names) != 3 || !slices.Contains(datetimeParts()[:3], n) {
			return nil, raise("TypeError", "date() takes year, month and day")
		}
	}
	v, err := newDatetime(c)
	if t, ok := v.(Datetime); ok {
		return dateOf(t.Time), nil
	}
	return v, err
}

func datetimeModule() map[string]any {
	utc := &utcZone{}
	return map[string]any{
		"timedelta": &Builtin{Name: "timedelta", Call: newTimedelta},
		"datetime": &Builtin{Name: "datetime", Call: newDatetime, Members: map[string]any{
			"fromisoformat": &Builtin{Name: "fromisoformat", Call: isoDatetime},
			"now":           elsewhere("datetime", "datetime.now"), "utcnow": elsewhere("datetime", "datetime.utcnow"), "today": elsewhere("datetime", "datetime.today"),
		}},
		"timezone": &Builtin{Name: "timezone", Members: map[string]any{"utc": utc}, Call: func(*Call) (any, error) {
			return nil, fmt.Errorf("another zone than timezone.utc is not read; write the time in UTC")
		}},
		"UTC": utc,
		"date": &Builtin{Name: "date", Call: newDate, Members: map[string]any{
			"today": elsewhere("datetime", "date.today"),
			"fromisoformat": NewFunction("fromisoformat", "date_string", func(_ *Call, a []any) (any, error) {
				t, err := time.Parse("2006-01-02", Str(a[0]))
				if err != nil {
					return nil, fmt.Errorf("date.fromisoformat(%s) is not read; write YYYY-MM-DD", Repr(a[0]))
				}
				return dateOf(t), nil
			}),
		}},
	}
}
