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
// may be good. What a trigger raises has whatever code its author chose, so that
// only those are left out that are known to be about the connection, the server,
// the table or others who use it.
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

// tooLong is PostgreSQL's code for what exceeds a limit of its own.
const tooLong = "54000"

// refusal says why PostgreSQL does not take a record: of what it has too much,
// where PostgreSQL names an index only.
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
