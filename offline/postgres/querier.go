package postgres

import (
	"context"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/pg"
	"github.com/banquet-fs/banquet/offline"
)

var _ offline.Querier = (*Store)(nil)

// Query streams the rows of a query that a caller gives. The server checks it as a
// subquery first, where nothing that writes is allowed, but then runs it as it is,
// so that its rows keep their order.
func (s *Store) Query(ctx context.Context, sql string) (array.RecordReader, error) {
	one, problem := oneSelect(sql)
	if problem != "" {
		return nil, fault.New(fault.Invalid, "%s is %s", callersSQL, problem)
	}
	from := &relation{from: "(" + one + "\n)", query: true}
	return s.stream(ctx, from, timeout(ctx), func(r *reader) error { return r.run(from, one) })
}

// timeout ends a statement on the server at the deadline of the context, unless
// the role has a shorter limit.
func timeout(ctx context.Context) string {
	deadline, ok := ctx.Deadline()
	if !ok {
		return ""
	}
	left := strconv.FormatInt(max(1, time.Until(deadline).Milliseconds()), 10)
	return "; SELECT pg_catalog.set_config('statement_timeout', '" + left + "', true)" +
		" WHERE pg_catalog.current_setting('statement_timeout')::interval NOT BETWEEN interval '1 ms' AND interval '" + left + " ms'"
}

// run starts a caller's query.
func (r *reader) run(from *relation, sql string) error {
	d, err := r.t.describe(from)
	if err != nil {
		return err
	}
	if len(d.fields) == 0 {
		return d.refuse(fault.Invalid, "it has no columns")
	}
	s := &command{sql: sql}
	seen := map[string]bool{}
	var names []string
	for i, f := range d.fields {
		switch {
		case f.Name == "?column?":
			return d.refuse(fault.Invalid, "column %d has no name; add AS and a name", i+1)
		case seen[f.Name]:
			return d.refuse(fault.Invalid, "it has two columns %s; give each column a name of its own with AS", pg.Line(f.Name))
		}
		seen[f.Name] = true
		k, err := r.t.kindOf(f.DataTypeOID)
		if err != nil {
			return err
		}
		c := newColumn(k)
		r.columns, names, s.formats = append(r.columns, c), append(names, f.Name), append(s.formats, c.format)
	}
	r.build(names)
	r.rows = r.t.run(s)
	return nil
}
