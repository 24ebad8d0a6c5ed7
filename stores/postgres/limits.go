package postgres

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/value"
)

const (
	// maxMessage is the size of a statement with its parameters at most, in bytes:
	// PostgreSQL ends the connection that sends more. Some are left for the
	// statement, and for what is around a value.
	maxMessage = 1<<30 - 1<<20
	// maxPart is how many bytes go into one transaction, unless a record has more.
	maxPart = 128 << 20
)

// aroundValue is what a value has around it, and the text of a number at most.
const aroundValue = 96

// size bounds the bytes that a record sends: a value may be sent twice, as it is
// and as text.
func (w *writing) size(r *stores.Record) int {
	n := len(r.Key)
	for i, v := range r.Values {
		if v != nil {
			n += len(r.Key) + len(w.features[i]) + 2*len(v) + aroundValue
		}
	}
	return n
}

// check refuses a record that no statement can carry.
func (w *writing) check(r *stores.Record) error {
	n := w.size(r)
	if n <= maxMessage {
		return nil
	}
	for _, v := range r.Values {
		if _, ok := value.Text(v); !ok {
			n -= len(v) // it is sent once
		}
	}
	if n > maxMessage {
		return fault.New(fault.Invalid, "its values and texts have %d bytes, and PostgreSQL takes 1 GiB in a statement", n).
			About("table", w.table.SQLName(), w.table.Project)
	}
	return nil
}

// parts divides records among transactions by what they send.
func (w *writing) parts(indexes []int) [][]int {
	var parts [][]int
	start, size := 0, 0
	for i, at := range indexes {
		n := w.size(&w.records[at])
		if size+n > maxPart && i > start {
			parts = append(parts, indexes[start:i])
			start, size = i, 0
		}
		size += n
	}
	return append(parts, indexes[start:])
}

// refusesRows reports whether PostgreSQL refused what a row holds: another one
// may be good.
func refusesRows(err error) bool {
	var server *pgconn.PgError
	if !errors.As(err, &server) || len(server.Code) != 5 {
		return false
	}
	switch server.Code[:2] {
	case "22", "23", "44", "54", "P0": // data, constraint, view's check, limit, raised by a trigger
		return true
	}
	return false
}
