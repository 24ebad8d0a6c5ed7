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
		return &Builtin{Name: name, Call: func(*Call) (any, error) { return float64(d) / float64(second), nil }}, true
	}
	return nil, false
}

func newTimedelta(c *Call) (any, error) {
	if u := c.unknown(); u != nil {
		return u, nil
	}
	whole, fraction := Timedelta(0), 0.0
	for i, u := range []struct {
		name string
		unit Timedelta
	}{
		{"days", day},
		{"seconds", second},
		{"microseconds", microsecond},
		{"milliseconds", 1000 * microsecond},
		{"minutes", 60 * second},
		{"hours", 3600 * second},
		{"weeks", 7 * day},
	} {
		v, ok := c.take(i, u.name)
		if !ok {
			continue
		}
		n, isNumber := asFloat(v)
		if !isNumber {
			return nil, raise("TypeError", "unsupported type for timedelta %s component: %s", u.name, TypeName(v))
		}
		if math.Abs(n)*float64(u.unit) > 9e18 {
			return nil, raise("OverflowError", "a timedelta of more than 292 thousand years cannot be read")
		}
		if n, isInt := asInt(v); isInt {
			whole += Timedelta(n) * u.unit
			continue
		}
		floor := math.Trunc(n)
		whole += Timedelta(floor) * u.unit
		fraction += (n - floor) * float64(u.unit)
	}
	for _, n := range c.Names {
		if !slices.Contains([]string{"days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks"}, n) {
			return nil, raise("TypeError", "'%s' is an invalid keyword argument for timedelta()", n)
		}
	}
	d := whole + Timedelta(math.RoundToEven(fraction))
	if days, _, _ := d.parts(); days > maxDays || days < -maxDays {
		return nil, raise("OverflowError", "days=%d; must have magnitude <= 999999999", int64(days))
	}
	return d, nil
}

func newDatetime(c *Call) (any, error) {
	if u := c.unknown(); u != nil && !strings.HasPrefix(u.Why, "datetime.timezone") {
		return u, nil
	}
	parts := [7]int64{0, 0, 0}
	for i, n := range [...]string{"year", "month", "day", "hour", "minute", "second", "microsecond"} {
		v, ok := c.take(i, n)
		if !ok {
			continue
		}
		number, isInt := asInt(v)
		if !isInt {
			return &Unknown{Why: "datetime()"}, nil
		}
		parts[i] = number
	}
	zone, aware := c.take(7, "tzinfo")
	if _, utc := zone.(*utcZone); aware && zone != nil && !utc {
		return &Unknown{Why: "a datetime with a zone"}, nil
	}
	t := time.Date(int(parts[0]), time.Month(parts[1]), int(parts[2]), int(parts[3]), int(parts[4]), int(parts[5]), int(parts[6])*1000, time.UTC)
	if int64(t.Year()) != parts[0] || int64(t.Month()) != parts[1] || int64(t.Day()) != parts[2] || int64(t.Hour()) != parts[3] || t.Year() < 1 || t.Year() > 9999 {
		return nil, raise("ValueError", "this is no date and time")
	}
	return Datetime{t, aware && zone != nil}, nil
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
			return Datetime{t, false}, nil
		}
	}
	for _, suffix := range []string{"Z", "+00:00"} {
		if rest, ok := strings.CutSuffix(s, suffix); ok {
			if t, err := time.Parse("2006-01-02T15:04:05", strings.Replace(rest, " ", "T", 1)); err == nil {
				return Datetime{t, true}, nil
			}
		}
	}
	return &Unknown{Why: "datetime.fromisoformat(" + quoted(s) + ")"}, nil
}

func (t Datetime) add(d Timedelta, op string) any {
	if op == "-" {
		d = -d
	}
	seconds, nanos := d.Duration()
	for ; seconds > 1<<33; seconds -= 1 << 33 {
		t.Time = t.Add(time.Duration(1<<33) * time.Second)
	}
	for ; seconds < -(1 << 33); seconds += 1 << 33 {
		t.Time = t.Add(-time.Duration(1<<33) * time.Second)
	}
	return Datetime{t.Add(time.Duration(seconds)*time.Second + time.Duration(nanos)), t.Aware}
}

func (t Datetime) text(sep string) string {
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
	return "datetime.datetime(" + strings.Join(s, ", ") + ")"
}

func (t Datetime) attr(name string) (any, bool) {
	switch name {
	case "year":
		return int64(t.Year()), true
	case "month":
		return int64(t.Month()), true
	case "day":
		return int64(t.Day()), true
	case "hour":
		return int64(t.Hour()), true
	case "minute":
		return int64(t.Minute()), true
	case "second":
		return int64(t.Second()), true
	case "isoformat":
		return &Builtin{Name: name, Call: func(*Call) (any, error) { return t.text("T"), nil }}, true
	case "replace":
		return &Builtin{Name: name, Call: func(c *Call) (any, error) {
			if zone, ok := c.Arg("tzinfo"); ok && len(c.Names) == 1 && len(c.Args) == 0 {
				if _, utc := zone.(*utcZone); utc || zone == nil {
					return Datetime{t.Time, zone != nil}, nil
				}
			}
			return &Unknown{Why: "datetime.replace"}, nil
		}}, true
	case "astimezone":
		return &Builtin{Name: name}, true
	}
	return nil, false
}

func datetimeModule() map[string]any {
	utc := &utcZone{}
	return map[string]any{
		"timedelta": &Builtin{Name: "timedelta", Call: newTimedelta},
		"datetime": &Builtin{Name: "datetime", Call: newDatetime, Members: map[string]any{
			"fromisoformat": &Builtin{Name: "fromisoformat", Call: isoDatetime},
			"now":           &Builtin{Name: "datetime.now"}, "utcnow": &Builtin{Name: "datetime.utcnow"},
		}},
		"timezone": &Builtin{Name: "timezone", Members: map[string]any{"utc": utc}},
		"UTC":      utc, "date": &Builtin{Name: "date"}, "time": &Builtin{Name: "time"},
	}
}
