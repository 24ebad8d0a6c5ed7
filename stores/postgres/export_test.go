package postgres

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/banquet-fs/banquet/stores"
)

// SessionLeftovers returns what a connection's session keeps that a pooler would
// lose between two transactions.
func SessionLeftovers(ctx context.Context, s *Store) (string, error) {
	var left []string
	err := s.with(ctx, func(c *pgconn.PgConn) error {
		results, err := c.Exec(ctx, "SELECT 'statement ' || statement FROM pg_prepared_statements WHERE name <> ''; "+
			"SELECT 'setting ' || name FROM pg_settings WHERE source = 'session'; "+
			"SELECT 'lock ' || locktype FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'").ReadAll()
		for _, r := range results {
			for _, row := range r.Rows {
				left = append(left, string(row[0]))
			}
		}
		if err == nil {
			_, err = c.Exec(ctx, "DISCARD ALL").ReadAll() // what the pooler would do
		}
		return err
	})
	return strings.Join(left, ", "), err
}

// Plan returns the server's plan of a read.
func Plan(ctx context.Context, s *Store, reads []stores.Read) (string, error) {
	parts := s.parts(reads, stores.NewRows(reads, nil))
	var plan strings.Builder
	q := newQuery(parts)
	q.sql = "EXPLAIN " + q.sql
	q.results = nil
	err := s.with(ctx, func(c *pgconn.PgConn) error {
		return q.run(ctx, c, func(result *pgconn.ResultReader) error {
			for result.NextRow() {
				plan.Write(result.Values()[0])
				plan.WriteByte('\n')
			}
			_, err := result.Close()
			return err
		})
	})
	return plan.String(), err
}

// Divide returns which records of a write are refused for their size, and how the
// others are divided into transactions.
func Divide(features []string, records []stores.Record) (refused []int, parts [][]int) {
	w := &writing{features: features, records: records}
	var rest []int
	for i := range records {
		if w.check(&records[i]) != nil {
			refused = append(refused, i)
			continue
		}
		rest = append(rest, i)
	}
	return refused, w.parts(rest)
}
