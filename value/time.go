package value

import (
	"math"
	"strings"
	"time"

	"github.com/banquet-fs/banquet/fault"
)

// What a timestamp in a record batch says when it is no time: PostgreSQL's
// infinities. Both lie outside of what any unit of Arrow is used for, and neither
// is the lowest number, which pandas uses for a null.
const (
	Infinity      = math.MaxInt64
	MinusInfinity = -math.MaxInt64
)

// ParseTime reads a time in ISO 8601, the one way in which all of banquet reads
// times from text: a date, then after a blank or a T the hour, minutes, seconds
// and a fraction, then an offset, Z, UTC or GMT. Without a zone it is UTC. Other
// names of zones are refused: they mean different offsets in different places.
func ParseTime(text string) (time.Time, error) {
	s := strings.TrimSpace(text)
	for _, name := range [...]string{"UTC", "GMT"} {
		if at, ok := strings.CutSuffix(s, name); ok {
			s = strings.TrimRight(at, " ") + "Z"
			break
		}
	}
	for _, layout := range [...]string{
		"2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02T15:04:05",
		"2006-01-02 15:04:05Z0700", "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05Z07", "2006-01-02T15:04:05Z07",
		"2006-01-02 15:04:05 Z07:00", "2006-01-02 15:04:05 Z0700", "2006-01-02", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02T15",
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fault.New(fault.Invalid, "%q is no time; want one such as 2024-01-31T00:00:00", text)
}
