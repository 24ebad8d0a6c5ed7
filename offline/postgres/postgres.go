// Package postgres is the offline store in PostgreSQL: it reads windows of
// tables and queries as Arrow record batches, in one read-only transaction each,
// with the memory of one batch.
package postgres

import (
	"context"
	"encoding/json"
	"iter"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/internal/pg"
	"github.com/banquet-fs/banquet/offline"
)

// batchRows is how many rows a record batch holds at most.
const batchRows = 16 << 10

// described asks the server for a query's columns before it runs, so that values
// come in their binary form. That takes two round trips, which a pooler may send
// to two servers unless both are in one transaction.
const described = pgx.QueryExecModeDescribeExec

// Store reads data sources in one database. It connects when it is first asked
// for something.
type Store struct {
	opt  pg.Options
	mu   sync.Mutex
	pool *pgxpool.Pool
}

var _ offline.Store = (*Store)(nil)

// New makes a Store.
func New(opt pg.Options) *Store { return &Store{opt: opt} }

// Close closes the connections.
func (s *Store) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pool != nil {
		s.pool.Close()
		s.pool = nil
	}
}

func (s *Store) connect(ctx context.Context) (*pgxpool.Pool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pool == nil {
		pool, err := pg.Connect(ctx, s.opt)
		if err != nil {
			return nil, err
		}
		s.pool = pool
	}
	return s.pool, nil
}

// Check connects and asks the server for nothing.
func (s *Store) Check(ctx context.Context) error {
	pool, err := s.connect(ctx)
	if err != nil {
		return err
	}
	_, err = pool.Exec(ctx, "SELECT 1")
	return s.opt.Fault(err, "offline store")
}

// begin opens a transaction that cannot write. All settings are local to it: a
// pooler may give the next one another server.
func (s *Store) begin(ctx context.Context) (pgx.Tx, error) {
	pool, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	tx, err := pool.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, s.opt.Fault(err, "offline store")
	}
	_, err = tx.Exec(ctx, "SET LOCAL timezone = 'UTC'; SET LOCAL search_path = "+s.opt.SearchPath(), pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		_ = tx.Rollback(ctx)
		return nil, s.opt.Fault(err, "offline store")
	}
	return tx, nil
}

// relation gives what a data source is in FROM, and how errors call it.
func relation(source *core.DataSource) (string, error) {
	refuse := func(why string) error {
		return fault.New(fault.Invalid, "data source %s %s", source.GetName(), why).About("data source", source.GetName(), source.GetProject())
	}
	// Sources of other stores may have the same options: only the class tells.
	class := source.GetDataSourceClassType()
	class = class[strings.LastIndexByte(class, '.')+1:]
	var options struct{ Table, Query string }
	if err := json.Unmarshal(source.GetCustomOptions().GetConfiguration(), &options); err != nil || class != "" && class != "PostgreSQLSource" {
		return "", refuse("is no PostgreSQLSource, and the offline store of this repository is PostgreSQL; set offline_store.type to where it lies")
	}
	if options.Table != "" {
		return tableName(options.Table), nil
	}
	query, problem := oneSelect(options.Query)
	if problem != "" {
		return "", refuse(problem)
	}
	return "(" + query + "\n)", nil
}

// tableName is a table as a definition names it: schema.table and quoted names
// as they are, anything else is quoted.
func tableName(name string) string {
	if regexp.MustCompile(`^("([^"]|"")+"|[A-Za-z_][\w$]*)(\.("([^"]|"")+"|[A-Za-z_][\w$]*))*$`).MatchString(name) && !reserved(name) {
		return name
	}
	return pgx.Identifier(strings.Split(name, ".")).Sanitize()
}

// reserved reports whether a bare name is a word that SQL keeps for itself.
func reserved(name string) bool {
	switch strings.ToLower(name) {
	case "all", "and", "any", "array", "as", "asc", "both", "case", "cast", "check", "collate", "column", "constraint", "create", "default", "desc",
		"distinct", "do", "else", "end", "except", "fetch", "for", "foreign", "from", "grant", "group", "having", "in", "initially", "intersect", "into",
		"lateral", "leading", "limit", "not", "null", "offset", "on", "only", "or", "order", "placing", "primary", "references", "returning", "select",
		"some", "symmetric", "table", "then", "to", "trailing", "true", "union", "unique", "user", "using", "variadic", "when", "where", "window", "with":
		return true
	}
	return false
}

// Range streams the rows of a query.
func (s *Store) Range(ctx context.Context, query offline.Query) (array.RecordReader, error) {
	from, err := relation(query.Source)
	if err != nil {
		return nil, err
	}
	names := append(append([]string{}, query.Columns...), query.Timestamp)
	if query.Created != "" {
		names = append(names, query.Created)
	}
	sql, args := rangeSQL(from, names, query)
	tx, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, sql, append([]any{described}, args...)...)
	if err == nil {
		err = rows.Err()
	}
	if err != nil {
		_ = tx.Rollback(context.WithoutCancel(ctx))
		return nil, s.opt.Fault(err, "data source "+query.Source.GetName())
	}
	r := &reading{store: s, source: query.Source, tx: tx, rows: rows, ctx: ctx}
	if err := r.open(names, len(query.Columns)); err != nil {
		r.close()
		return nil, err
	}
	return array.ReaderFromIter(r.schema, r.batches()), nil
}

// rangeSQL selects the columns, each under its own name, within the bounds.
func rangeSQL(from string, names []string, query offline.Query) (sql string, args []any) {
	var b strings.Builder
	b.WriteString("SELECT ")
	for i, n := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("source." + pgx.Identifier{n}.Sanitize())
	}
	where, args := condition(query)
	b.WriteString("\nFROM " + from + " AS source\nWHERE " + where)
	return b.String(), args
}

// condition says which rows belong to a query.
func condition(query offline.Query) (sql string, args []any) {
	var b strings.Builder
	ts := "source." + pgx.Identifier{query.Timestamp}.Sanitize()
	b.WriteString(ts + " IS NOT NULL")
	for _, bound := range []struct {
		column, op string
		t          time.Time
	}{{ts, ">=", query.Start}, {ts, "<=", query.End}, {"source." + pgx.Identifier{query.Created}.Sanitize(), ">", query.CreatedAfter}} {
		if bound.t.IsZero() {
			continue
		}
		args = append(args, bound.t)
		b.WriteString(" AND " + bound.column + " " + bound.op + " $" + strconv.Itoa(len(args)) + "::timestamptz")
	}
	return b.String(), args
}

// Columns describes a source.
func (s *Store) Columns(ctx context.Context, source *core.DataSource) ([]offline.Column, error) {
	from, err := relation(source)
	if err != nil {
		return nil, err
	}
	tx, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	rows, err := tx.Query(ctx, "SELECT * FROM "+from+" AS source LIMIT 0", described)
	if err != nil {
		return nil, s.opt.Fault(err, "data source "+source.GetName())
	}
	defer rows.Close()
	var columns []offline.Column
	for _, f := range rows.FieldDescriptions() {
		columns = append(columns, offline.Column{Name: f.Name, Type: valueType(f.DataTypeOID)})
	}
	rows.Close()
	return columns, s.opt.Fault(rows.Err(), "data source "+source.GetName())
}

// Span asks the database for the extent of a query.
func (s *Store) Span(ctx context.Context, query offline.Query) (offline.Span, error) {
	var span offline.Span
	from, err := relation(query.Source)
	if err != nil {
		return span, err
	}
	tx, err := s.begin(ctx)
	if err != nil {
		return span, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	ts := "source." + pgx.Identifier{query.Timestamp}.Sanitize()
	where, args := condition(query)
	var first, last *time.Time
	err = tx.QueryRow(ctx, "SELECT count("+ts+"), min("+ts+")::timestamptz, max("+ts+")::timestamptz FROM "+from+" AS source WHERE "+where, append([]any{described}, args...)...).
		Scan(&span.Rows, &first, &last)
	if err != nil {
		return offline.Span{}, s.opt.Fault(err, "data source "+query.Source.GetName())
	}
	if first != nil && last != nil {
		span.First, span.Last = *first, *last
	}
	return span, nil
}

// reading is one query on its way.
type reading struct {
	store   *Store
	source  *core.DataSource
	tx      pgx.Tx
	rows    pgx.Rows
	ctx     context.Context //nolint:containedctx // lives as long as the reader
	schema  *arrow.Schema
	columns []*column
}

func (r *reading) close() {
	r.rows.Close()
	_ = r.tx.Rollback(context.WithoutCancel(r.ctx))
}

// open works out the schema from what the server described.
func (r *reading) open(names []string, times int) error {
	fields := make([]arrow.Field, len(names))
	for i, f := range r.rows.FieldDescriptions() {
		c := newColumn(f.DataTypeOID, i >= times)
		if c == nil {
			return fault.New(fault.Invalid, "data source %s: column %s is no time; timestamp_field and created_timestamp_column must name times", r.source.GetName(), names[i]).
				About("data source", r.source.GetName(), r.source.GetProject())
		}
		if f.DataTypeOID == pgtype.JSONBOID && f.Format == pgtype.TextFormatCode {
			c.read = readText
		}
		r.columns = append(r.columns, c)
		fields[i] = arrow.Field{Name: names[i], Type: c.dt, Nullable: true}
	}
	r.schema = arrow.NewSchema(fields, nil)
	return nil
}

// batches turns the rows into record batches as they arrive.
func (r *reading) batches() iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		defer r.close()
		b := newBuilder(r.schema)
		defer b.Release()
		types := r.rows.Conn().TypeMap()
		n := 0
		for r.rows.Next() {
			for i, raw := range r.rows.RawValues() {
				if err := r.columns[i].append(b.Field(i), types, raw); err != nil {
					yield(nil, fault.New(fault.Invalid, "data source %s, column %s: a value cannot be read", r.source.GetName(), r.schema.Field(i).Name).Because(err))
					return
				}
			}
			if n++; n == batchRows {
				n = 0
				if !yield(b.NewRecordBatch(), nil) {
					return
				}
			}
		}
		if err := r.rows.Err(); err != nil {
			yield(nil, r.store.opt.Fault(err, "data source "+r.source.GetName()))
			return
		}
		if n > 0 {
			yield(b.NewRecordBatch(), nil)
		}
	}
}
