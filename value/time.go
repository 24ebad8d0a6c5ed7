package value

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/banquet-fs/banquet/fault"
)

// How a timestamp in a record batch represents PostgreSQL's infinities. Both
// lie outside of the usual range of every Arrow unit, and neither is the lowest
// number, which pandas uses for null.
const (
	Infinity      = math.MaxInt64
	MinusInfinity = -math.MaxInt64
)

// ParseTime reads a time in ISO 8601. All of banquet reads times from text with
// it: a date of the years 1 to 9999, then after a blank or a T the hour,
// minutes, seconds and a fraction of up to nine digits, then an offset of
// hours, minutes and seconds, Z, UTC or GMT. Without a zone the time is UTC,
// whatever the zone of the machine. Other zone names are refused, since they
// mean different offsets in different places. Ambiguous texts and dates that no
// calendar has are refused, too: nothing carries over into the next minute or
// day.
func ParseTime(text string) (time.Time, error) {
	s := scanner{rest: strings.TrimSpace(text)}
	t, why := s.time()
	if why == "" {
		return t, nil
	}
	if hint := hintOf(strings.TrimSpace(text)); hint != "" {
		why = hint
	}
	return time.Time{}, fault.New(fault.Invalid, "%s is not a time%s; use a form such as 2024-01-31T00:00:00", short(strconv.AppendQuote(nil, text)), why)
}

const years = ": only the years 0001 to 9999 in UTC are read"

// scanner reads a text from left to right. Its methods return why they cannot,
// in words that follow "is not a time".
type scanner struct{ rest string }

func (s *scanner) time() (t time.Time, why string) {
	year, month, day, ok := s.date()
	if !ok {
		return t, ": it does not begin with a date, YYYY-MM-DD"
	}
	if year == 0 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return t, ": the calendar has no such day"
	}
	var c clock
	var offset int
	if s.rest != "" {
		if c, why = s.clock(); why != "" {
			return t, why
		}
		if offset, why = s.zone(); why != "" {
			return t, why
		}
	}
	t = time.Date(year, time.Month(month), day, c.hour, c.minute, c.second-offset, c.nanos, time.UTC)
	if t.Year() < 1 || t.Year() > 9999 {
		return t, years
	}
	return t, ""
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month+1), 0, 0, 0, 0, 0, time.UTC).Day()
}

// digits reads exactly n digits.
func (s *scanner) digits(n int) (v int, ok bool) {
	if len(s.rest) < n {
		return 0, false
	}
	for _, c := range []byte(s.rest[:n]) {
		if c < '0' || c > '9' {
			return 0, false
		}
		v = 10*v + int(c-'0')
	}
	s.rest = s.rest[n:]
	return v, true
}

// one reads one of the given characters.
func (s *scanner) one(of string) bool {
	if s.rest == "" || strings.IndexByte(of, s.rest[0]) < 0 {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

func (s *scanner) date() (year, month, day int, ok bool) {
	if year, ok = s.digits(4); !ok || !s.one("-") {
		return 0, 0, 0, false
	}
	if month, ok = s.digits(2); !ok || !s.one("-") {
		return 0, 0, 0, false
	}
	day, ok = s.digits(2)
	return year, month, day, ok
}

// clock is a time of day.
type clock struct{ hour, minute, second, nanos int }

const clockShape = ": the date must be followed by a blank or a T, then HH:MM:SS"

func (s *scanner) clock() (c clock, why string) {
	blank := strings.HasPrefix(s.rest, " ")
	if !s.one(" Tt") {
		return c, clockShape
	}
	var ok bool
	if c.hour, ok = s.hour(); !ok {
		return c, clockShape
	}
	if blank && !strings.HasPrefix(s.rest, ":") {
		return c, clockShape // a number after a day may mean anything
	}
	if s.one(":") {
		if why = s.minutes(&c); why != "" {
			return c, why
		}
	}
	return c, c.impossible()
}

// hour reads two digits, or the one digit of 9:30, as spreadsheets write it.
func (s *scanner) hour() (int, bool) {
	if h, ok := s.digits(2); ok {
		return h, true
	}
	h, ok := s.digits(1)
	return h, ok && strings.HasPrefix(s.rest, ":")
}

// minutes reads the text after the colon of the hour: MM, MM:SS or more.
func (s *scanner) minutes(c *clock) (why string) {
	var ok bool
	if c.minute, ok = s.digits(2); !ok {
		return clockShape
	}
	if !s.one(":") {
		return ""
	}
	if c.second, ok = s.digits(2); !ok {
		return clockShape
	}
	c.nanos, why = s.fraction()
	return why
}

// impossible says why no day has such a time; "" if it is valid.
func (c clock) impossible() string {
	switch {
	case c.hour == 24 && c.minute == 0 && c.second == 0:
		return ": a day has no hour 24; write hour 00 of the next day"
	case c.minute < 60 && c.second == 60:
		return ": a minute has no second 60; write second 00 of the next minute"
	case c.hour > 23 || c.minute > 59 || c.second > 59:
		return ": a day has no such hour, minute or second"
	}
	return ""
}

func (s *scanner) fraction() (nanos int, why string) {
	if !s.one(".,") {
		return 0, ""
	}
	n := len(s.rest) - len(strings.TrimLeft(s.rest, "0123456789"))
	if n == 0 {
		return 0, ": the digits of the fraction are missing"
	}
	digits := strings.TrimRight(s.rest[:n], "0")
	if len(digits) > 9 {
		return 0, ": a fraction can have up to nine digits, and is not rounded"
	}
	s.rest = s.rest[n:]
	nanos, _ = strconv.Atoi((digits + "000000000")[:9])
	return nanos, ""
}

// zone reads the rest of the text: seconds east of Greenwich.
func (s *scanner) zone() (offset int, why string) {
	s.rest = strings.TrimLeft(s.rest, " ")
	switch strings.ToUpper(s.rest) {
	case "", "Z", "UTC", "GMT":
		return 0, ""
	}
	sign := 1
	if strings.HasPrefix(s.rest, "-") {
		sign = -1
	}
	if !s.one("+-") {
		return 0, noOffset(s.rest)
	}
	const shape = ": the offset must be written as +09:00"
	hour, ok := s.digits(2)
	if !ok {
		return 0, shape
	}
	var parts [2]int
	colon := strings.HasPrefix(s.rest, ":")
	for i := range parts {
		if s.rest == "" {
			break
		}
		if colon && !s.one(":") {
			return 0, shape
		}
		if parts[i], ok = s.digits(2); !ok {
			return 0, shape
		}
	}
	if s.rest != "" || hour > 23 || parts[0] > 59 || parts[1] > 59 {
		return 0, shape
	}
	return sign * (3600*hour + 60*parts[0] + parts[1]), ""
}

// noOffset says what is wrong with a text in place of an offset.
func noOffset(s string) string {
	if letter(s[0]) || s[0] == '[' {
		return ": zone names mean different offsets in different places; write the offset, such as +09:00"
	}
	return ": the time of day is followed by more than an offset"
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// hintOf recognizes common forms that are not ISO 8601.
func hintOf(s string) string {
	lower := strings.ToLower(s)
	number := strings.TrimLeft(s, "+-")
	_, err := strconv.ParseFloat(number, 64)
	digits := len(number) - len(strings.TrimLeft(number, "0123456789"))
	switch {
	case s == "":
		return ": it is empty"
	case lower == "infinity" || lower == "-infinity":
		return ""
	case err == nil && digits > 0:
		return ": a number may count seconds or milliseconds, or be a date"
	case strings.HasSuffix(lower, " bc") || digits > 4 && strings.HasPrefix(number[digits:], "-"):
		return years
	}
	return dateHint(number, digits)
}

// dateHint recognizes dates that are not ISO 8601, or in a form of it that is
// not supported. digits is how many digits the text begins with.
func dateHint(number string, digits int) string {
	switch {
	case (digits == 1 || digits == 2) && len(number) > digits && strings.IndexByte("/-.", number[digits]) >= 0:
		return ": it is unclear which number is the day and which the month; begin with the year"
	case digits == 4 && len(number) > 4 && strings.IndexByte("/.", number[4]) >= 0:
		return ": year, month and day must be separated by -"
	case digits == 8 && len(number) > 8 && (number[8] == 'T' || number[8] == 't'), digits == 4 && strings.HasPrefix(strings.ToLower(number[4:]), "-w"):
		return ": only the ISO 8601 form with - and : can be read"
	}
	return ""
}
