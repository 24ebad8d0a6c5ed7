package postgres

import (
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/banquet-fs/banquet/fault"
)

// wide starts statements that are read side by side, each for some of the views.
func (p *plan) wide(groups [][]*joined) *cursors {
	w := &cursors{t: p.t, limit: p.t.store.batch.bytes}
	var declare []string
	for n, views := range groups {
		c := &cursor{name: "join_" + strconv.Itoa(n), formats: p.formats(views)}
		declare = append(declare, "DECLARE "+c.name+" NO SCROLL CURSOR FOR "+p.sql(views))
		w.each = append(w.each, c)
	}
	w.err = p.t.batch(strings.Join(declare, ";\n"))
	return w
}

// cursors are statements of which each returns some of the columns of the same
// rows. It reads them by turns, a few rows at a time.
type cursors struct {
	t    *transaction
	each []*cursor
	// next is the number of the next row among those that were fetched, and limit
	// is about how many bytes are fetched at a time.
	next, limit int
	cells       [][]byte
	err         error
}

type cursor struct {
	name    string
	formats []int16
	rows    [][][]byte
	bytes   int
}

// fewestFetched is the number of rows that are fetched first, before their size is
// known.
const fewestFetched = 8

// NextRow reads a row.
func (w *cursors) NextRow() bool {
	if w.err == nil && w.next == len(w.each[0].rows) {
		w.err = w.fetch()
	}
	if w.err != nil || len(w.each[0].rows) == 0 {
		return false
	}
	w.cells = w.cells[:0]
	var hidden [hiddenColumns][]byte
	for n, c := range w.each {
		row := c.rows[w.next]
		end := len(row) - hiddenColumns
		w.cells = append(w.cells, row[:end]...)
		if n > 0 && string(row[end]) != string(hidden[0]) {
			w.err = fault.New(fault.Internal, "the statements of a join returned other rows")
			return false
		}
		hidden[0] = row[end]
		if hidden[1] == nil {
			hidden[1] = row[end+1]
		}
	}
	w.cells = append(w.cells, hidden[:]...)
	w.next++
	return true
}

// Values are the cells of the row.
func (w *cursors) Values() [][]byte { return w.cells }

// Close tells how the rows ended.
func (w *cursors) Close() (pgconn.CommandTag, error) { return pgconn.CommandTag{}, w.err }

// fetch reads about as many rows of each statement as the limit allows.
func (w *cursors) fetch() error {
	rows, size := fewestFetched, 0
	if before := len(w.each[0].rows); before > 0 {
		for _, c := range w.each {
			size += c.bytes
		}
		rows = min(max(1, w.limit/max(1, size/before)), 2*before)
	}
	w.next = 0
	for _, c := range w.each {
		if err := c.fetch(w.t, rows); err != nil {
			return err
		}
		if len(c.rows) != len(w.each[0].rows) {
			return fault.New(fault.Internal, "the statements of a join returned %d and %d rows", len(w.each[0].rows), len(c.rows))
		}
	}
	return nil
}

func (c *cursor) fetch(t *transaction, rows int) error {
	c.rows, c.bytes = c.rows[:0], 0
	found := t.run(&command{sql: "FETCH FORWARD " + strconv.Itoa(rows) + " FROM " + c.name, formats: c.formats})
	for found.NextRow() {
		values := found.Values()
		size := 0
		for _, v := range values {
			size += len(v)
		}
		content := make([]byte, 0, size)
		row := make([][]byte, len(values))
		for i, v := range values {
			if v == nil {
				continue
			}
			at := len(content)
			content = append(content, v...)
			row[i] = content[at:len(content):len(content)]
		}
		c.rows, c.bytes = append(c.rows, row), c.bytes+size+len(row)*cellBytes
	}
	_, err := found.Close()
	return err
}
