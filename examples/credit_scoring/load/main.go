// Command load fills the tables of the credit-scoring example: it makes them
// from a schema if they are missing, and copies a Parquet or CSV file into one.
//
//	go run ./examples/credit_scoring/load -dsn postgres://feast:password@localhost:5432/feast \
//	    -schema examples/credit_scoring/schema.sql zipcode_features=FILE credit_history=FILE
package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/jackc/pgx/v5"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/parquet"
)

// null stands for NULL in what is sent to PostgreSQL.
const null = `\N`

func main() {
	dsn := flag.String("dsn", "postgres://feast:password@localhost:5432/feast", "the database")
	schema := flag.String("schema", "", "SQL that makes the tables")
	flag.Parse()
	if err := run(context.Background(), *dsn, *schema, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dsn, schema string, pairs []string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if schema != "" {
		sql, err := os.ReadFile(schema)
		if err != nil {
			return err
		}
		if _, err := conn.Exec(ctx, string(sql), pgx.QueryExecModeSimpleProtocol); err != nil {
			return err
		}
	}
	for _, pair := range pairs {
		table, path, ok := strings.Cut(pair, "=")
		if !ok {
			return fmt.Errorf("%s: want TABLE=FILE", pair)
		}
		began := time.Now()
		n, err := load(ctx, conn, table, path)
		if err != nil {
			return fmt.Errorf("%s into %s: %w", path, table, err)
		}
		fmt.Printf("%s: %d rows in %s\n", table, n, time.Since(began).Round(time.Millisecond))
	}
	return nil
}

// load copies a file into a table, column by name.
func load(ctx context.Context, conn *pgx.Conn, table, path string) (int64, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return 0, err
	}
	source := &core.DataSource{
		Type: core.DataSource_BATCH_FILE, TimestampField: "event_timestamp",
		Options: &core.DataSource_FileOptions_{FileOptions: &core.DataSource_FileOptions{Uri: abs}},
	}
	store := parquet.New(filepath.Dir(abs))
	columns, err := store.Columns(ctx, source)
	if err != nil {
		return 0, err
	}
	var names, quoted []string
	for _, c := range columns {
		if c.Name != "event_timestamp" {
			names = append(names, c.Name)
		}
	}
	reader, err := store.Range(ctx, offline.Query{Source: source, Columns: names, Timestamp: "event_timestamp"})
	if err != nil {
		return 0, err
	}
	defer reader.Release()
	for _, name := range append(names, "event_timestamp") {
		quoted = append(quoted, pgx.Identifier{name}.Sanitize())
	}
	from, to := io.Pipe()
	go func() { to.CloseWithError(writeCSV(to, reader)) }()
	tag, err := conn.PgConn().CopyFrom(ctx, from, fmt.Sprintf(`COPY %s (%s) FROM STDIN WITH (FORMAT csv, NULL '%s')`,
		pgx.Identifier{table}.Sanitize(), strings.Join(quoted, ", "), null))
	return tag.RowsAffected(), errors.Join(err, from.Close())
}

func writeCSV(w io.Writer, reader array.RecordReader) error {
	buffered := bufio.NewWriterSize(w, 1<<20)
	out := csv.NewWriter(buffered)
	for reader.Next() {
		batch := reader.RecordBatch()
		cells := make([]string, batch.NumCols())
		for row := range int(batch.NumRows()) {
			for i, column := range batch.Columns() {
				cells[i] = null
				if column.IsValid(row) {
					cells[i] = column.ValueStr(row)
				}
			}
			if err := out.Write(cells); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return errors.Join(reader.Err(), out.Error(), buffered.Flush())
}
