package postgres

import (
	"errors"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/pg"
)

// copyPlace finds the row of a COPY, and its column if the server knows it, in the
// context of an error: `COPY loans, line 3, column amount: "x"`. A line is a row.
// A server that speaks another language than English has other words there, and
// its errors name no row.
func copyPlace(context, table string, names []string) (column string, row int64) {
	_, rest, ok := strings.Cut("\n"+context, "\nCOPY "+table+", line ")
	if !ok {
		return "", 0
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(rest)
	}
	row, _ = strconv.ParseInt(rest[:end], 10, 64)
	for _, name := range names {
		if after, ok := strings.CutPrefix(rest[end:], ", column "+name); ok && (after == "" || after[0] == ':' || after[0] == '\n') {
			return name, row
		}
	}
	return "", row
}

// copyFault says which row and column of a table the server refused.
func (t *transaction) copyFault(err error, table string, w *feed) error {
	var server *pgconn.PgError
	if !errors.As(err, &server) || t.ctx.Err() != nil {
		return t.fault(err, w.what)
	}
	about := w.what
	column, row := copyPlace(server.Where, table, w.names)
	if column == "" {
		column = server.ColumnName
	}
	if column != "" {
		about += ", column " + pg.Line(column)
	}
	if row > 0 {
		about += ", row " + strconv.FormatInt(row, 10)
	}
	code := server.Code
	if code != "23502" && server.ConstraintName == "" {
		code = "" // the server's own words say more
	}
	switch code {
	case "23505", "23P01": // a unique or an exclusion constraint
		return fault.New(fault.Conflict, "%s: a row with this key is there already, or comes twice (constraint %s); none was added", about, pg.Line(server.ConstraintName)).Because(err)
	case "23502":
		return fault.New(fault.Invalid, "%s: the cell is null, and the column must not be; none was added", about).Because(err)
	case "23514", "23503":
		return fault.New(fault.Invalid, "%s: the row violates constraint %s; none was added", about, pg.Line(server.ConstraintName)).Because(err)
	}
	return t.fault(err, about)
}
