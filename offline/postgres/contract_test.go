package postgres_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/internal/pg"
	"github.com/banquet-fs/banquet/internal/pgtest"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/offlinetest"
	"github.com/banquet-fs/banquet/offline/postgres"
)

// TestContract uses one database, whose settings must not matter, and empties
// it for each sentence.
func TestContract(t *testing.T) {
	opt := pgtest.Options(t)
	pgtest.Exec(t, opt, "ALTER DATABASE "+opt.Database+" SET timezone = 'America/St_Johns'; ALTER DATABASE "+opt.Database+" SET datestyle = 'SQL, DMY'")
	pool, err := pg.Connect(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	fresh := func(tb testing.TB) offlinetest.Backend { return freshBackend(tb, opt, opt, pool) }
	offlinetest.Run(t, fresh,
		offlinetest.Exception{Sentence: "the unit of a time loses nothing of the source's", Reason: "PostgreSQL's times are whole microseconds; those of the check are not"},
	)
	offlinetest.RunQueries(t, fresh)
}

// noNanos is the one sentence of joins that PostgreSQL cannot meet.
var noNanos = offlinetest.Exception{Sentence: "a source's times count to the nanosecond", Reason: "PostgreSQL's times are whole microseconds"}

// TestContractOfJoins joins tables that have no index, and tables that have those
// that MissingIndex asks for, and both through a pooler.
func TestContractOfJoins(t *testing.T) {
	opt := pgtest.Options(t)
	pgtest.Exec(t, opt, "ALTER DATABASE "+opt.Database+" SET timezone = 'America/St_Johns'; ALTER DATABASE "+opt.Database+" SET datestyle = 'SQL, DMY'")
	pool, err := pg.Connect(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	pooler := pgtest.StartPooler(t, "server_round_robin = 1", "default_pool_size = 5").Through(opt)
	plain := func(tb testing.TB) offlinetest.Backend { return freshBackend(tb, opt, opt, pool) }
	indexed := func(through pg.Options) func(testing.TB) offlinetest.Backend {
		return func(tb testing.TB) offlinetest.Backend { return &indexedBackend{freshBackend(tb, opt, through, pool)} }
	}
	const latestMemory = "Latest's memory is bounded by the batch" // Latest uses no index
	throughPooler := offlinetest.Elsewhere("with indexes", latestMemory, "a join's memory is bounded by the batch", "a joined row may be larger than a batch")
	t.Run("without indexes", func(t *testing.T) { offlinetest.RunJoins(t, plain, noNanos) })
	t.Run("with indexes", func(t *testing.T) {
		offlinetest.RunJoins(t, indexed(opt), append(offlinetest.Elsewhere("without indexes", latestMemory), noNanos)...)
	})
	t.Run("behind a pooler", func(t *testing.T) { offlinetest.RunJoins(t, indexed(pooler), append(throughPooler, noNanos)...) })
	t.Run("random without indexes", func(t *testing.T) { offlinetest.JoinsAgainstOracle(t, plain(t), 100) })
	t.Run("random with indexes", func(t *testing.T) { offlinetest.JoinsAgainstOracle(t, indexed(opt)(t), 100) })
}

// freshBackend empties the database. Its store connects with other settings.
func freshBackend(tb testing.TB, opt, through pg.Options, pool *pgxpool.Pool) *backend {
	b := &backend{opt: opt, pool: pool, store: postgres.New(through)}
	b.exec(tb, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
	// After a write that took long, pgx goes on reading from the connection, until a response comes.
	tb.Cleanup(pool.Reset)
	tb.Cleanup(b.store.Close)
	return b
}

// indexedBackend makes the indexes that a join lacks before it joins.
type indexedBackend struct{ *backend }

func (b *indexedBackend) Store() offline.Store {
	return &indexedStore{Store: b.store, pool: b.pool}
}

func (b *indexedBackend) Unreachable(tb testing.TB) offline.Store {
	s, ok := b.backend.Unreachable(tb).(*postgres.Store)
	if !ok {
		tb.Fatal("another store")
	}
	return &indexedStore{Store: s, pool: b.pool}
}

type indexedStore struct {
	*postgres.Store
	pool *pgxpool.Pool
}

// PointInTime makes the indexes. Joins that fail, fail in any case.
func (s *indexedStore) PointInTime(ctx context.Context, join offline.Join) (array.RecordReader, error) {
	for _, v := range join.Views {
		statement, err := s.MissingIndex(ctx, v)
		if err != nil || statement == "" {
			continue
		}
		if _, err := s.pool.Exec(context.WithoutCancel(ctx), statement); err != nil {
			return nil, fmt.Errorf("%s: %w", statement, err)
		}
		if again, err := s.MissingIndex(ctx, v); again != "" && err == nil {
			return nil, fmt.Errorf("%s: the index is not found", statement)
		}
	}
	return s.Store.PointInTime(ctx, join)
}

// backend is the store and its own database.
type backend struct {
	opt   pg.Options
	pool  *pgxpool.Pool // of the test, not of the store
	store *postgres.Store
}

func (b *backend) Store() offline.Store { return b.store }

func (b *backend) exec(tb testing.TB, statements string) {
	tb.Helper()
	if _, err := b.pool.Exec(tb.Context(), statements, pgx.QueryExecModeSimpleProtocol); err != nil {
		tb.Fatalf("%s: %v", statements, err)
	}
}

func (b *backend) Unreachable(tb testing.TB) offline.Store {
	opt := b.opt
	opt.Port = 1
	s := postgres.New(opt)
	tb.Cleanup(s.Close)
	return s
}

// Held counts the connections in a transaction, except the test's own.
func (b *backend) Held(tb testing.TB) (n int) {
	err := b.pool.QueryRow(tb.Context(), "SELECT count(*)::int4 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'").Scan(&n)
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// Write makes a table. The source is that table, or a query of it where names
// repeat or trouble follows.
func (b *backend) Write(tb testing.TB, table offlinetest.Table) *core.DataSource {
	tb.Helper()
	if table.Then == offlinetest.Missing {
		return named(table.Name, table.Name, "")
	}
	relation := pgx.Identifier{table.Name}.Sanitize()
	var heads, list, broken []string
	twins := false
	for i, f := range table.Schema.Fields() {
		name := pgx.Identifier{f.Name}.Sanitize()
		own := name
		if table.Schema.FieldIndices(f.Name)[0] != i {
			own, twins = fmt.Sprintf("twin_%d", i), true
		}
		heads, list = append(heads, own+" "+sqlType(f.Type)), append(list, own+" AS "+name)
		broken = append(broken, "CASE WHEN s.broken THEN NULL::"+sqlType(f.Type)+" END")
	}
	b.exec(tb, "DROP TABLE IF EXISTS "+relation+"; CREATE UNLOGGED TABLE "+relation+" ("+strings.Join(heads, ", ")+")")
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	conn, err := b.pool.Acquire(ctx)
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Release()
	from, to := io.Pipe()
	go func() { to.CloseWithError(copyText(to, table)) }()
	if _, err := conn.Conn().PgConn().CopyFrom(ctx, from, "COPY "+relation+" FROM STDIN"); err != nil {
		tb.Fatal(err)
	}
	rows := fmt.Sprintf("SELECT %s FROM %s", strings.Join(list, ", "), relation)
	switch {
	case table.Then != offlinetest.End:
		return named(table.Name, "", fmt.Sprintf("%s UNION ALL SELECT %s FROM (SELECT %s AS broken OFFSET 0) s", rows, strings.Join(broken, ", "), trouble(table.Then)))
	case twins:
		return named(table.Name, "", rows)
	}
	return named(table.Name, relation, "")
}

// named is a source with a name.
func named(name, table, query string) *core.DataSource {
	src := source(table, query)
	src.Name = name
	return src
}

// trouble is what happens when a row is made. None of it is constant: the
// planner would compute a constant before the rows.
func trouble(then offlinetest.Trouble) string {
	switch then {
	case offlinetest.Loss:
		return "pg_terminate_backend(pg_backend_pid())"
	case offlinetest.Stall:
		return "pg_sleep(30) IS NULL"
	default:
		return "1 / floor(random())::int4 = 1"
	}
}

// sqlType is the PostgreSQL type that holds an Arrow type.
func sqlType(t arrow.DataType) string {
	switch t := t.(type) {
	case *arrow.ListType:
		return sqlType(t.Elem()) + "[]"
	case *arrow.TimestampType:
		if t.TimeZone == "" {
			return "timestamp"
		}
		return "timestamptz"
	}
	return map[arrow.Type]string{
		arrow.INT16: "int2", arrow.INT32: "int4", arrow.INT64: "int8", arrow.FLOAT32: "float4", arrow.FLOAT64: "float8", arrow.DECIMAL128: "numeric",
		arrow.STRING: "text", arrow.NULL: "text", arrow.BINARY: "bytea", arrow.BOOL: "bool", arrow.DATE32: "date",
	}[t.ID()]
}

// copyText writes rows as COPY reads them.
func copyText(w io.Writer, table offlinetest.Table) error {
	escape := strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`)
	var buf bytes.Buffer
	for batch := range table.Rows {
		buf.Reset()
		for i := range int(batch.NumRows()) {
			for c, a := range batch.Columns() {
				if c > 0 {
					buf.WriteByte('\t')
				}
				if text, ok := sqlText(a, i); ok {
					buf.WriteString(escape.Replace(text))
				} else {
					buf.WriteString(`\N`)
				}
			}
			buf.WriteByte('\n')
		}
		if _, err := w.Write(buf.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// sqlText is a cell in the form that PostgreSQL reads; false for a null.
func sqlText(a arrow.Array, row int) (string, bool) {
	text, ok := offlinetest.Text(a, row)
	switch a := a.(type) {
	case *array.Binary:
		return `\x` + text, ok
	case *array.List:
		from, to := a.ValueOffsets(row)
		var cells []string
		for i := int(from); i < int(to); i++ {
			element, ok := sqlText(a.ListValues(), i)
			if !ok {
				cells = append(cells, "NULL")
				continue
			}
			cells = append(cells, `"`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(element)+`"`)
		}
		return "{" + strings.Join(cells, ",") + "}", ok
	}
	return text, ok
}
