package transform

import (
	"math"
	"strings"
	"time"
)

// writtenTime is a time in a text of ISO 8601.
type writtenTime struct {
	unix   int64 // seconds of its wall clock
	nanos  int
	offset int // of its zone, in seconds
	zoned  bool
	layout string // what texts of one form have in common
}

// isoTime reads YYYY-MM-DD, and after T or a space HH:MM, HH:MM:SS or HH:MM:SS.fff with or
// without a zone. Other forms, which pandas may read as well, are not read.
func isoTime(s string) (t writtenTime, ok bool) {
	r := digitsOf{rest: s}
	year, month, day := r.number(4), r.after("-"), r.after("-")
	t.layout = "date"
	var hour, minute, sec int
	if r.rest != "" {
		sep := r.rest[:1]
		if sep != "T" && sep != " " {
			return t, false
		}
		hour, minute = r.after(sep), r.after(":")
		t.layout = sep + "minutes"
		if strings.HasPrefix(r.rest, ":") {
			sec = r.after(":")
			t.layout = sep + "seconds"
		}
		if strings.HasPrefix(r.rest, ".") {
			t.nanos = r.fraction()
			t.layout = sep + "fraction"
		}
		t.zone(&r)
	}
	if r.bad || r.rest != "" || year < 1 || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || sec > 59 {
		return t, false
	}
	date := time.Date(year, time.Month(month), day, hour, minute, sec, 0, time.UTC)
	t.unix = date.Unix()
	return t, date.Day() == day
}

// zone reads Z, or an offset such as +01:00 or +0100.
func (t *writtenTime) zone(r *digitsOf) {
	switch {
	case r.rest == "":
		return
	case r.rest == "Z":
		r.rest = ""
	case r.rest[0] == '+' || r.rest[0] == '-':
		sign := 1
		if r.rest[0] == '-' {
			sign = -1
		}
		r.rest = r.rest[1:]
		hours := r.number(2)
		r.rest = strings.TrimPrefix(r.rest, ":")
		minutes := r.number(2)
		r.bad = r.bad || hours > 23 || minutes > 59
		t.offset = sign * (hours*3600 + minutes*60)
	default:
		r.bad = true
	}
	t.zoned = true
	t.layout += " zone"
}

// digitsOf reads numbers of fixed widths.
type digitsOf struct {
	rest string
	bad  bool
}

// after reads two digits after a separator.
func (r *digitsOf) after(sep string) int {
	if !strings.HasPrefix(r.rest, sep) {
		r.bad = true
		return 0
	}
	r.rest = r.rest[len(sep):]
	return r.number(2)
}

func (r *digitsOf) number(n int) int {
	out := 0
	if len(r.rest) < n {
		r.bad = true
		return 0
	}
	for i := range n {
		d := r.rest[i]
		r.bad = r.bad || d < '0' || d > '9'
		out = out*10 + int(d-'0')
	}
	r.rest = r.rest[n:]
	return out
}

// fraction reads one to nine digits after a point, as nanoseconds.
func (r *digitsOf) fraction() int {
	n := 1
	for n < len(r.rest) && r.rest[n] >= '0' && r.rest[n] <= '9' {
		n++
	}
	if n == 1 || n > 10 {
		r.bad = true
		return 0
	}
	digits := r.rest[1:n]
	r.rest = r.rest[n:]
	f := digitsOf{rest: digits + strings.Repeat("0", 9-len(digits))}
	return f.number(9)
}

// value is the time as a value; utc makes one without a zone one of UTC.
func (t writtenTime) value(utc bool) (val, error) {
	if t.nanos%1000 != 0 {
		return val{}, tooMuch("a single time with nanoseconds is not supported")
	}
	if t.offset != 0 && !utc {
		return val{}, tooMuch("a time of a zone other than UTC is not supported; use utc=True")
	}
	v := val{k: kTime, i: (t.unix-int64(t.offset))*1_000_000 + int64(t.nanos)/1000}
	if utc || t.zoned {
		v.w = dTime
	}
	return v, nil
}

// nanoseconds is the time in nanoseconds; false if they do not fit.
func (t writtenTime) nanoseconds() (int64, bool) {
	s := t.unix - int64(t.offset)
	if s > math.MaxInt64/second-1 || s < math.MinInt64/second+1 {
		return 0, false
	}
	return s*second + int64(t.nanos), true
}

// noTime reports whether pandas certainly reads no time in a text.
func noTime(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool {
		return r >= 'a' && r <= 'z' && r != 't' && r != 'z' || r >= 'A' && r <= 'Z' && r != 'T' && r != 'Z' || r > 0x7f
	}) >= 0 && s != "now" && s != "today"
}

// missingTime reports whether pandas reads a text as NaT.
func missingTime(s string) bool {
	switch s {
	case "", "NaT", "nat", "NAT", "nan", "NaN", "NAN":
		return true
	}
	return false
}

// textReader reads texts as times in nanoseconds, as pandas.to_datetime does: all have the
// form of the first.
type textReader struct {
	utc, coerce, anyForm bool
	layout               string
	zoned                bool
}

// read reads a text; NaT is one that is missing, or that does not fit with errors="coerce".
func (r *textReader) read(x val) (int64, error) {
	if missingTime(x.s) {
		return nat, nil
	}
	t, ok := isoTime(x.s)
	first := r.layout == ""
	switch {
	case !ok && (first || !noTime(x.s)):
		return r.unread(x)
	case !ok || !first && !r.anyForm && t.layout != r.layout:
		if r.coerce {
			return nat, nil
		}
		return 0, valueError("time data %s doesn't match the form of the first one", repr(x))
	case first:
		r.layout, r.zoned = t.layout, t.zoned
	}
	if !r.utc && (t.offset != 0 || t.zoned != r.zoned) {
		return 0, tooMuch("pd.to_datetime() of times of a zone other than UTC, or of times with and without a zone, is not supported; use utc=True")
	}
	return r.fit(t.nanoseconds())
}

// unread is the error of a text that pandas may read, or that is no time.
func (r *textReader) unread(x val) (int64, error) {
	if !r.coerce && noTime(x.s) {
		return 0, valueError("%s is no time", repr(x))
	}
	return 0, tooMuch("pd.to_datetime() of %s is not supported; write times as YYYY-MM-DD HH:MM:SS", repr(x))
}

// fit is the number of nanoseconds, or what takes its place.
func (r *textReader) fit(n int64, ok bool) (int64, error) {
	switch {
	case ok:
		return n, nil
	case r.coerce:
		return nat, nil
	}
	return 0, &failure{class: "OutOfBoundsDatetime", text: "Out of bounds nanosecond timestamp", data: true}
}
