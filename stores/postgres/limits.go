package postgres

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/value"
)

const (
	// maxMessage is the maximum size of a statement with its parameters, in bytes:
	// PostgreSQL closes the connection when more is sent. A reserve is kept for the
	// statement and the framing of values.
	maxMessage = 1<<30 - 1<<20
	// maxPart is the maximum size of one transaction in bytes, unless a single record
	// has more.
	maxPart = 128 << 20
)

// aroundValue bounds the framing of a value and the text of a number.
const aroundValue = 96

// size is an upper bound of the bytes sent for a record: a value may be sent
// twice, as bytes and as text.
func (w *writing) size(r *stores.Record) int {
	n := len(r.Key)
	for i, v := range r.Values {
		if v != nil {
			n += len(r.Key) + len(w.features[i]) + 2*len(v) + aroundValue
		}
	}
	return n
}

// check refuses a record that is too large for a statement.
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
		return fault.New(fault.Invalid, "its values and texts have %d bytes; PostgreSQL accepts at most 1 GiB per statement", n).
			About("table", w.table.SQLName(), w.table.Project)
	}
	return nil
}

// parts divides records into transactions by size.
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

// refusesRows reports whether PostgreSQL refused the content of a row: other rows
// may be valid. A trigger raises whatever code its author chose, so this excludes
// only the codes known to concern the connection, the server, the table or other
// users.
func refusesRows(err error) bool {
	var server *pgconn.PgError
	if !errors.As(err, &server) || len(server.Code) != 5 {
		return false
	}
	switch server.Code[:2] {
	case "08", "0A", "25", "28", "2D", "3D", "3F", "40", "42", "53", "55", "57", "58", "F0":
		return false
	}
	return true
}

// tooLong is PostgreSQL's code for an exceeded limit.
const tooLong = "54000"

// refusal says why PostgreSQL rejects a record. Where PostgreSQL names only an
// index, it also says what is too large.
func (w *writing) refusal(ctx context.Context, err error, r *stores.Record) error {
	reason := w.store.fault(ctx, err, w.table)
	var server *pgconn.PgError
	if !errors.As(err, &server) || server.Code != tooLong {
		return reason
	}
	table := w.table.SQLName()
	refuse := func(format string, args ...any) error {
		return fault.New(fault.Invalid, format, args...).About("table", table, w.table.Project).Because(err)
	}
	switch {
	case strings.HasPrefix(server.Message, "index row"):
		return refuse("its entity key has %d bytes, too many for the indexes of table %s in PostgreSQL: %s", len(r.Key), table, server.Message)
	case strings.HasSuffix(server.Message, "bytes)") && strings.Contains(server.Message, "tsvector"):
		return refuse("one of its texts is too long for the search index %s_fts_idx in PostgreSQL: %s", table, server.Message)
	}
	return reason
}
