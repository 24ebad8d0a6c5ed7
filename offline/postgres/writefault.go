package postgres

import (
	"errors"
	"regexp"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/pg"
)

// copyPlace finds the line of a COPY, and its column if the server knows it, in the
// context of an error: "COPY loans, line 3, column amount: "x"". The words are in
// the language of the server; the numbers are not.
var copyPlace = regexp.MustCompile(`(?m)^COPY .*?, line (\d+)(?:, column (.*?)(?::|$))?`)

// copyFault says which row and column the server refused: a line of a COPY is a
// row.
func (t *transaction) copyFault(err error, w *feed) error {
	var server *pgconn.PgError
	if !errors.As(err, &server) || t.ctx.Err() != nil {
		return t.fault(err, w.what)
	}
	about := w.what
	place := copyPlace.FindStringSubmatch(server.Where)
	column := server.ColumnName
	if column == "" && len(place) > 2 {
		column = place[2]
	}
	if column != "" {
		about += ", column " + pg.Line(column)
	}
	if len(place) > 1 {
		if row, err := strconv.ParseInt(place[1], 10, 64); err == nil {
			about += ", row " + strconv.FormatInt(row, 10)
		}
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
