package offline

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"
)

// joinFloor is the practical minimum of a training set from PostgreSQL: COPY in, two
// probes of an index for each entity row and view, COPY out. It writes the counts of a
// join as JSON.
func joinFloor(ctx context.Context, out io.Writer, dsn string, rows int) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "CREATE TEMP TABLE e (zipcode bigint, dob_ssn text, at timestamptz, i bigint)"); err != nil {
		return err
	}
	in, to := io.Pipe()
	go func() { to.CloseWithError(size{entities(), rows}.copyTo(to)) }()
	defer in.Close()
	if _, err := conn.PgConn().CopyFrom(ctx, in, "COPY e FROM STDIN (FORMAT binary)"); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "ANALYZE e"); err != nil {
		return err
	}
	from, copied := io.Pipe()
	go func() {
		_, err := conn.PgConn().CopyTo(ctx, copied, "COPY ("+joinStatement()+") TO STDOUT (FORMAT binary)")
		copied.CloseWithError(err)
	}()
	defer from.Close()
	n, err := countCopied(from)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(n)
}

// joinStatement joins each view by two probes: the newest time, for which the index is
// enough, then its row. PostgreSQL 15 would read every older row if one probe ordered by
// both times.
func joinStatement() string {
	var columns []string
	var joins strings.Builder
	for i, t := range []*table{zipcodes(), credits()} {
		columns = append(columns, names(fmt.Sprintf("v%d.", i), t.features())...)
		fmt.Fprintf(&joins, `
LEFT JOIN LATERAL (SELECT f.event_timestamp FROM %[2]s f WHERE f.%[3]s = e.%[3]s AND f.event_timestamp <= e.at
  AND f.event_timestamp >= e.at - interval '3650 days' ORDER BY f.event_timestamp DESC LIMIT 1) m%[1]d ON true
LEFT JOIN LATERAL (SELECT * FROM %[2]s f WHERE f.%[3]s = e.%[3]s AND f.event_timestamp = m%[1]d.event_timestamp
  ORDER BY f.created_timestamp DESC LIMIT 1) v%[1]d ON true`, i, t.name, t.key())
	}
	return "SELECT e.*, " + strings.Join(columns, ", ") + " FROM e" + joins.String()
}

// counts are the rows of a training set, and how many cells of its features are not null.
type counts struct{ Rows, Filled int }

// countCopied counts the rows of a COPY in binary format.
func countCopied(from io.Reader) (n counts, err error) {
	r := bufio.NewReaderSize(from, 256<<10)
	if _, err := r.Discard(19); err != nil {
		return n, err
	}
	var head [4]byte
	for {
		if _, err := io.ReadFull(r, head[:2]); err != nil {
			return n, err
		}
		columns := int16(binary.BigEndian.Uint16(head[:2]))
		if columns < 0 {
			return n, nil
		}
		n.Rows++
		for c := range int(columns) {
			if _, err := io.ReadFull(r, head[:]); err != nil {
				return n, err
			}
			size := int32(binary.BigEndian.Uint32(head[:]))
			if size < 0 {
				continue
			}
			if c >= len(entities().columns) {
				n.Filled++
			}
			if _, err := r.Discard(int(size)); err != nil {
				return n, err
			}
		}
	}
}
