package postgres

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/value"
)

// micros is the Arrow type of event and created times.
var micros = &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}

// bound is one end of the times that a query takes.
type bound struct {
	op string
	t  time.Time
}

// admits compares in Go what the server compares otherwise.
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
	name   string
	sql    string
	bounds []bound
	// format is how the server is asked to send it.
	format int16
	// text tells that it is text: then the server cannot compare it with a time.
	text bool
	// at reads a cell as microseconds since 1970.
	at func(raw []byte) (int64, error)
}

// newTimeColumn looks up a time of a relation; a type that is none is refused.
func (t *transaction) newTimeColumn(d *described, name string, bounds ...bound) (*timeColumn, error) {
	f, err := d.column(name)
	if err != nil {
		return nil, err
	}
	c := &timeColumn{name: name, sql: columnSQL(f), format: pgtype.BinaryFormatCode, at: timestampAt}
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
	case k.oid == pgtype.TimestamptzOID || k.oid == pgtype.TimestampOID:
	case k.oid == pgtype.DateOID:
		c.at = dateAt
	case k.text:
		c.text, c.format, c.at = true, pgtype.TextFormatCode, nil
	default:
		return nil, d.refuse(fault.Invalid, "column %s is %s, and no time; %s", name, k.name, remedy(k.oid, name))
	}
	return c, nil
}

// remedy says what to write for a column that is no time.
func remedy(oid uint32, name string) string {
	quoted := pgx.Identifier{name}.Sanitize()
	switch oid {
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.NumericOID, pgtype.Float4OID, pgtype.Float8OID:
		return "if it holds seconds since 1970, write to_timestamp(" + quoted + ") AS " + quoted + " in the query of the data source (to_timestamp(" + quoted + " / 1000.0) for milliseconds)"
	}
	return "the timestamp_field and the created_timestamp_column must be a timestamp, a date, or text such as 2024-01-31 09:00:00"
}

func columnSQL(f pgconn.FieldDescription) string {
	return "source." + pgx.Identifier{f.Name}.Sanitize()
}

// compares reports whether the server can apply the bounds.
func (c *timeColumn) compares() bool { return !c.text }

var errInfinite = errors.New("the time is infinite; leave such rows out in the query of the data source")

// read reads a cell; ok is false for a null, and for a text that lies outside of
// the bounds.
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
	return arrow.Timestamp(t.UnixMicro()), false, true, nil
}

// The first and the last time that a timestamp can say, in microseconds since
// 2000: https://www.postgresql.org/docs/current/datatype-datetime.html.
const (
	firstTime = -211813488000 * second
	lastTime  = 9223371331200*second - 1
)

// parameter is a bound in the binary form of a timestamptz. The server's times
// have microseconds: a lower bound between two of them is the later one.
func (b bound) parameter() []byte {
	v := b.t.Unix()*second + int64(b.t.Nanosecond()/1000)
	if b.op == ">=" && b.t.Nanosecond()%1000 > 0 {
		v++
	}
	const farSeconds = math.MaxInt64/second - 1
	switch {
	case b.t.Unix() > farSeconds || v > lastTime:
		v = lastTime
	case b.t.Unix() < -farSeconds || v-epoch2000 < firstTime:
		v = firstTime
	default:
		v -= epoch2000
	}
	return binary.BigEndian.AppendUint64(nil, uint64(v))
}

// timesOf looks up the times of a query: the event time, then the created time
// if it has one.
func (t *transaction) timesOf(d *described, query offline.Query) ([]*timeColumn, error) {
	event, err := t.newTimeColumn(d, query.Timestamp, bound{">=", query.Start}, bound{"<=", query.End})
	if err != nil || query.Created == "" {
		return []*timeColumn{event}, err
	}
	created, err := t.newTimeColumn(d, query.Created, bound{">", query.CreatedAfter})
	return []*timeColumn{event, created}, err
}
