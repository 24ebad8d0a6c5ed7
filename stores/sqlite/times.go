package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"strconv"
	"time"

	"github.com/banquet-fs/banquet/value"
)

// clock converts the times of one file.
//
// Feast takes the clock time in UTC, reads it as local time and stores the unix
// seconds of that. Such an integer is unambiguous only in the zone where it was
// written, and not even there for the hour that a zone skips in spring. So there
// are three forms:
//
//   - A process in UTC writes Feast's integers, which then are plain unix seconds,
//     and records this in the file (user_version).
//   - Any other process writes a blob: Feast's integer for its zone, followed by
//     the difference, encoded in blanks and tabs. Feast parses the number with
//     Python's int(), which ignores them, and reads the right time in the same
//     zone.
//   - An integer in a file without the note was written by Feast in this process's
//     zone.
type clock struct {
	zone *time.Location // nil on UTC
	unix bool           // integers are unix seconds
}

// noted is the user_version of a file whose integers are unix seconds: "bqtu".
const noted = 0x62717475

// clockOf is the clock of a process in a zone, before the file's note is known.
func clockOf(zone *time.Location) clock {
	// A zone of any name that has kept to UTC since 1970 counts as UTC.
	for at := int64(0); at < 70*365*86400; at += 30 * 86400 {
		if _, offset := time.Unix(at, 0).In(zone).Zone(); offset != 0 {
			return clock{zone: zone}
		}
	}
	return clock{unix: true}
}

// look reads the note, if it matters.
func (c clock) look(ctx context.Context, tx *sql.Tx) (clock, error) {
	if c.unix {
		return c, nil
	}
	var version int64
	err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version)
	c.unix = version == noted
	return c, err
}

// note writes the note. A number of another program stays.
func (c clock) note(ctx context.Context, tx *sql.Tx) error {
	if c.zone != nil {
		return nil
	}
	var version int64
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil || version != 0 {
		return err
	}
	_, err := tx.ExecContext(ctx, "PRAGMA user_version = "+strconv.Itoa(noted))
	return err
}

// seconds are the stored seconds of a time: without the fraction, cut towards
// 1970 as Python's int() does.
func seconds(t time.Time) int64 { return cut(t.Unix(), t) }

func cut(s int64, t time.Time) int64 {
	if s < 0 && t.Nanosecond() > 0 {
		s++
	}
	return s
}

// markBits is the width of a difference: two days and a sign.
const markBits = 20

// stored returns the stored form of a time.
func (c clock) stored(t time.Time) any {
	s := seconds(t)
	if c.zone == nil {
		return s
	}
	local := cut(localSeconds(t.Unix(), c.zone), t)
	off := local - s
	b := strconv.AppendInt(make([]byte, 0, 40), local, 10)
	bits := uint64(off<<1) ^ uint64(off>>63) // as protobuf writes signed numbers
	for i := markBits - 1; i >= 0; i-- {
		b = append(b, " \t"[bits>>i&1])
	}
	return b
}

// event converts a stored time to unix seconds. It returns false for NULL and for
// what is not a time.
func (c clock) event(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return c.integer(v), true
	case float64:
		return c.integer(int64(v)), true
	case []byte:
		return c.marked(v)
	case string: // very old versions of Feast
		t, err := value.ParseTime(v)
		return t.Unix(), err == nil
	}
	return 0, false
}

func (c clock) integer(v int64) int64 {
	if c.unix || c.zone == nil {
		return v
	}
	t := time.Unix(v, 0).In(c.zone)
	_, offset := t.Zone()
	return v + int64(offset)
}

func (c clock) marked(b []byte) (int64, bool) {
	digits := bytes.TrimRight(b, " \t")
	v, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil {
		return 0, false
	}
	mark := b[max(len(b)-markBits, 0):]
	if len(b)-len(digits) < len(mark) {
		return c.integer(v), true
	}
	var bits uint64
	for _, blank := range mark {
		bits <<= 1
		if blank == '\t' {
			bits |= 1
		}
	}
	return v - (int64(bits>>1) ^ -int64(bits&1)), true
}

// localSeconds reads a clock time in UTC as local time, as Python's
// datetime.timestamp does: of a clock time that occurs twice in a zone it takes
// the first, and a skipped one is moved forward by the length of the gap.
func localSeconds(face int64, zone *time.Location) int64 {
	offset := func(at int64) int64 {
		_, s := time.Unix(at, 0).In(zone).Zone()
		return int64(s)
	}
	before, after := face-offset(face-86400), face-offset(face+86400)
	for _, at := range [...]int64{min(before, after), max(before, after)} {
		if at+offset(at) == face {
			return at
		}
	}
	return before
}

// times reads the distinct times of the rows of some keys.
func (c clock) times(ctx context.Context, tx *sql.Tx, table string, keys []any, visit func(key []byte, event int64, ok bool)) error {
	rows, err := tx.QueryContext(ctx, "SELECT DISTINCT entity_key, +event_ts FROM "+table+
		" WHERE entity_key IN ("+marks(len(keys))+")", keys...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key []byte
		var at any
		if err := rows.Scan(&key, &at); err != nil {
			return err
		}
		event, ok := c.event(at)
		visit(key, event, ok)
	}
	return rows.Err()
}
