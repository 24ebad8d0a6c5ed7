package postgres

import (
	"context"
	"encoding/binary"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/offline"
)

// Span asks the database for the extent of a query. It ignores infinite times.
func (s *Store) Span(ctx context.Context, query offline.Query) (offline.Span, error) {
	if err := query.Check(); err != nil {
		return offline.Span{}, err
	}
	from, err := newRelation(query.Source)
	if err != nil {
		return offline.Span{}, err
	}
	t, err := s.begin(ctx)
	if err != nil {
		return offline.Span{}, err
	}
	defer t.end()
	d, err := t.describe(from)
	if err != nil {
		return offline.Span{}, err
	}
	times, err := t.timesOf(d, query)
	if err != nil {
		return offline.Span{}, err
	}
	for _, c := range times {
		if !c.compares() {
			return t.spanOfText(from, times)
		}
	}
	return t.span(from, times)
}

func (t *transaction) span(from *relation, times []*timeColumn) (offline.Span, error) {
	of := func(aggregate string) string {
		return aggregate + "(" + times[0].sql + ") FILTER (WHERE isfinite(" + times[0].sql + "))"
	}
	s := &command{
		sql:     "SELECT " + of("count") + ", " + times[0].instant(of("min")) + ", " + times[0].instant(of("max")) + "\nFROM " + from.from + " AS source",
		formats: []int16{pgtype.BinaryFormatCode},
	}
	s.where(times)
	rows := t.run(s)
	var span offline.Span
	var err error
	if rows.NextRow() {
		span, err = spanOf(rows.Values())
	}
	if _, closed := rows.Close(); closed != nil {
		return offline.Span{}, t.fault(from.inQuery(closed, len(describeSQL)), from.what())
	}
	if err != nil {
		return offline.Span{}, from.refuse(fault.Invalid, "column %s: %v", times[0].name, err)
	}
	return span, nil
}

// spanOf reads the number of rows, and the first and the last time.
func spanOf(cells [][]byte) (span offline.Span, err error) {
	if len(cells) != 3 || len(cells[0]) != 8 {
		return span, errShort
	}
	if span.Rows = int64(binary.BigEndian.Uint64(cells[0])); span.Rows == 0 {
		return span, nil
	}
	first, err := timestampAt(cells[1])
	if err != nil {
		return offline.Span{}, err
	}
	last, err := timestampAt(cells[2])
	if err != nil {
		return offline.Span{}, err
	}
	span.First, span.Last = time.UnixMicro(first).UTC(), time.UnixMicro(last).UTC()
	return span, nil
}

// spanOfText reads all times, since the server cannot compare them.
func (t *transaction) spanOfText(from *relation, times []*timeColumn) (offline.Span, error) {
	s := &command{}
	var selected []string
	for _, c := range times {
		selected, s.formats = append(selected, c.sql), append(s.formats, c.format)
	}
	s.sql = "SELECT " + strings.Join(selected, ", ") + "\nFROM " + from.from + " AS source"
	s.where(times)
	rows := t.run(s)
	var span offline.Span
	for row := int64(1); rows.NextRow(); row++ {
		at, ok, column, err := readTimes(times, rows.Values())
		if err != nil {
			t.cancel()
			_, _ = rows.Close()
			return offline.Span{}, refuseCell(from.what(), column, row, err)
		}
		if !ok {
			continue
		}
		if span.Rows++; span.First.IsZero() || at.Before(span.First) {
			span.First = at
		}
		if at.After(span.Last) {
			span.Last = at
		}
	}
	if _, err := rows.Close(); err != nil {
		return offline.Span{}, t.fault(err, from.what())
	}
	return span, nil
}

// readTimes reads the event time of a row; ok is false if the query does not
// select the row. An error is about the column.
func readTimes(times []*timeColumn, cells [][]byte) (event time.Time, ok bool, column string, err error) {
	for i, c := range times {
		v, _, ok, err := c.read(cells[i])
		if err != nil || !ok {
			return event, false, c.name, err
		}
		if i == 0 {
			event = v.ToTime(c.dt.Unit)
		}
	}
	return event, true, "", nil
}
