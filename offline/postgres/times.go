package postgres

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/value"
)

// The Arrow types of event and created times: the server's have microseconds,
// and texts may be finer.
var (
	micros = &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	nanos  = &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}
)

// bound is one end of the times that a query selects.
type bound struct {
	op string
	t  time.Time
}

// admits does in Go the comparison that the server does for other columns.
func (b bound) admits(t time.Time) bool {
	switch b.op {
	case ">=":
		return !t.Before(b.t)
	case "<=":
		return !t.After(b.t)
	default:
		return t.After(b.t)
	}
}

// timeColumn is the column of the event or the created time.
type timeColumn struct {
	name string
	// field is the server's name of it, which may be shorter.
	field  string
	sql    string
	bounds []bound
	// format is the format in which the server sends the column.
	format int16
	// text reports that the column is text: then the server cannot compare it
	// with a time.
	text bool
	// naive reports that the type has no zone. Its times are in UTC, whatever zone
	// the session has, so it must not be compared with a timestamptz.
	naive bool
	// at reads a cell of a column that is not text.
	at func(raw []byte) (int64, error)
	// dt is the Arrow type that loses nothing of it.
	dt *arrow.TimestampType
}

// newTimeColumn looks up a time column of a relation; any other type is
// refused.
func (t *transaction) newTimeColumn(d *described, name string, bounds ...bound) (*timeColumn, error) {
	f, err := d.column(name)
	if err != nil {
		return nil, err
	}
	c := &timeColumn{name: name, field: f.Name, sql: columnSQL(f), format: pgtype.BinaryFormatCode, at: timestampAt, dt: micros}
	for _, b := range bounds {
		if !b.t.IsZero() {
			c.bounds = append(c.bounds, b)
		}
	}
	k, err := t.kindOf(f.DataTypeOID)
	if err != nil {
		return nil, err
	}
	switch {
	case k.oid == pgtype.TimestamptzOID:
	case k.oid == pgtype.TimestampOID:
		c.naive = true
	case k.oid == pgtype.DateOID:
		c.naive, c.at = true, dateAt
	case k.text:
		c.text, c.format, c.dt = true, pgtype.TextFormatCode, nanos
	default:
		return nil, d.refuse(fault.Invalid, "column %s is %s, not a time; %s", name, k.name, remedy(k.oid, name))
	}
	return c, nil
}

// remedy says what to write instead of a column that is not a time.
func remedy(oid uint32, name string) string {
	quoted := pgx.Identifier{name}.Sanitize()
	switch oid {
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.NumericOID, pgtype.Float4OID, pgtype.Float8OID:
		return "if it holds seconds since 1970, write to_timestamp(" + quoted + ") AS " + quoted + " in the query of the data source (to_timestamp(" + quoted + " / 1000.0) for milliseconds)"
	}
	return "the timestamp_field and the created_timestamp_column must be a timestamp, a date, or text such as 2024-01-31 09:00:00"
}

func columnSQL(f pgconn.FieldDescription) string { return columnName(f.Name) }

func columnName(name string) string { return "source." + pgx.Identifier{name}.Sanitize() }

// compares reports whether the server can apply the bounds.
func (c *timeColumn) compares() bool { return !c.text }

// like converts the SQL of a timestamptz to a form that the column can be compared
// with.
func (c *timeColumn) like(instant string) string {
	if c.naive {
		return "(" + instant + " AT TIME ZONE 'UTC')"
	}
	return instant
}

// instant converts the SQL of a value of the column to a timestamptz.
func (c *timeColumn) instant(sql string) string {
	if c.naive {
		return "((" + sql + ")::timestamp AT TIME ZONE 'UTC')"
	}
	return "(" + sql + ")::timestamptz"
}

var errInfinite = errors.New("the time is infinite; leave such rows out in the query of the data source")

// read reads a cell; ok is false for a null, and for a text outside of the
// bounds.
func (c *timeColumn) read(raw []byte) (v arrow.Timestamp, null, ok bool, err error) {
	if raw == nil {
		return 0, true, len(c.bounds) == 0, nil
	}
	if !c.text {
		at, err := c.at(raw)
		if err == nil && (at == value.Infinity || at == value.MinusInfinity) {
			err = errInfinite
		}
		return arrow.Timestamp(at), false, true, err
	}
	t, err := value.ParseTime(string(raw))
	if err != nil {
		return 0, false, false, err
	}
	for _, b := range c.bounds {
		if !b.admits(t) {
			return 0, false, false, nil
		}
	}
	v, err = nanosecondsOf(t)
	return v, false, true, err
}

var errFarText = errors.New("the time lies outside of the years 1678 to 2261, the range of 64 bits of nanoseconds; cast the column to timestamptz in the query of the data source")

func nanosecondsOf(t time.Time) (arrow.Timestamp, error) {
	if y := t.Year(); y < 1678 || y > 2261 {
		return 0, errFarText
	}
	return arrow.Timestamp(t.UnixNano()), nil
}

// The first and the last second that a timestamp can represent, since 2000:
// https://www.postgresql.org/docs/current/datatype-datetime.html.
const (
	firstSecond = -211813488000
	lastSecond  = 9223371331200 - 1
)

// parameter is a bound in the binary form of a timestamptz. The server's times
// have microseconds: a lower bound between two of them becomes the later one.
func (b bound) parameter() []byte {
	seconds, part := b.t.Unix()-epoch2000/second, b.t.Nanosecond()/1000
	if b.op == ">=" && b.t.Nanosecond()%1000 > 0 {
		part++
	}
	switch {
	case seconds > lastSecond:
		seconds, part = lastSecond, second-1
	case seconds < firstSecond:
		seconds, part = firstSecond, 0
	}
	return binary.BigEndian.AppendUint64(nil, uint64(seconds*second+int64(part)))
}

// timesOf looks up the times of a query: the event time, then the created time
// if the query has one.
func (t *transaction) timesOf(d *described, query offline.Query) ([]*timeColumn, error) {
	switch {
	case query.Timestamp == "":
		return nil, d.refuse(fault.Invalid, "it has no timestamp_field; name the column of the event time")
	case query.Created == "" && !query.CreatedAfter.IsZero():
		return nil, d.refuse(fault.Invalid, "a query of rows by their created time needs a created_timestamp_column, which it lacks; name the column")
	}
	event, err := t.newTimeColumn(d, query.Timestamp, bound{">=", query.Start}, bound{"<=", query.End})
	if err != nil || query.Created == "" {
		return []*timeColumn{event}, err
	}
	created, err := t.newTimeColumn(d, query.Created, bound{">", query.CreatedAfter})
	return []*timeColumn{event, created}, err
}
