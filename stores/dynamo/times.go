package dynamo

import (
	"time"

	"github.com/banquet-fs/banquet/value"
)

// Event times are texts as Python prints a datetime.
const (
	stampSeconds  = "2006-01-02 15:04:05-07:00"
	stampFraction = "2006-01-02 15:04:05.000000-07:00"
)

// stamp formats an event time: UTC, with no fraction or six digits.
func stamp(t time.Time) string {
	t = t.UTC().Truncate(time.Microsecond)
	if t.Nanosecond() == 0 {
		return t.Format(stampSeconds)
	}
	return t.Format(stampFraction)
}

// stampSize is the length of stamp's result.
func stampSize(t time.Time) int {
	if t.Nanosecond() < int(time.Microsecond) {
		return len(stampSeconds)
	}
	return len(stampFraction)
}

// parseStamp parses an event time of any UTC offset; without an offset it is UTC.
func parseStamp(s string) (time.Time, bool) {
	t, err := value.ParseTime(s)
	return t, err == nil
}

// quickStamp parses an event time in the usual form: UTC, with six fractional
// digits or none.
func quickStamp(b []byte) (time.Time, bool) {
	if !isQuick(b) {
		return time.Time{}, false
	}
	ok := true
	two := func(at int) int {
		hi, lo := b[at]-'0', b[at+1]-'0'
		ok = ok && hi <= 9 && lo <= 9
		return int(hi)*10 + int(lo)
	}
	year, month, day := two(0)*100+two(2), two(5), two(8)
	hour, minute, second, micros := two(11), two(14), two(17), 0
	if len(b) == 32 {
		micros = two(20)*10000 + two(22)*100 + two(24)
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, micros*1000, time.UTC)
	// Date turns the 30th of February into a day of March, and so on.
	date := t.Year() == year && int(t.Month()) == month && t.Day() == day
	clock := t.Hour() == hour && t.Minute() == minute && t.Second() == second
	return t, ok && date && clock && year > 0
}

// isQuick reports whether a text has the separators of that form.
func isQuick(b []byte) bool {
	if len(b) != 25 && (len(b) != 32 || b[19] != '.') {
		return false
	}
	return b[4] == '-' && b[7] == '-' && b[10] == ' ' && b[13] == ':' && b[16] == ':' && string(b[len(b)-6:]) == "+00:00"
}
