package main

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/banquet-fs/banquet/internal/pgtest"
)

// TestMaterializeFromAFailingSource ends at once with exit code 1 and the server's
// message when PostgreSQL fails, before or after the first row; nothing is
// recorded and no connection is left.
func TestMaterializeFromAFailingSource(t *testing.T) {
	opt := pgtest.Options(t)
	pgtest.Exec(t, opt, "CREATE TABLE carts AS SELECT 1::int8 AS shopper, 2::int8 AS items, timestamptz '2024-01-15 10:00Z' AS at; CREATE ROLE guest_"+opt.Database+" LOGIN PASSWORD 'guest'")
	yaml := "project: shop\nprovider: local\nregistry: registry.db\nonline_store:\n  type: sqlite\n  path: online.db\noffline_store:\n  type: postgres\n  host: " + opt.Host +
		"\n  port: " + strconv.Itoa(opt.Port) + "\n  database: " + opt.Database + "\n  db_schema: public\n  user: guest_" + opt.Database + "\n  password: guest\nentity_key_serialization_version: 3\n"
	watch, err := pgx.Connect(t.Context(), "host="+opt.Host+" port="+strconv.Itoa(opt.Port)+" dbname="+opt.Database+" user="+opt.User+" password="+opt.Password)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = watch.Close(context.WithoutCancel(t.Context())) }()
	const columns = "SELECT i::int8 AS shopper, i::int8 AS items, timestamptz '2024-01-15 10:00Z' AS at FROM generate_series(1, 40000) i WHERE "
	for query, want := range map[string]string{
		"SELECT * FROM carts":                                            "data source carts_source: user guest_" + opt.Database + " has no right: permission denied for table carts",
		columns + "1 / (i - 1) > -1":                                     "data source carts_source: division by zero",
		columns + "1 / (i - 40000) > -1":                                 "data source carts_source: division by zero",
		columns + "('x' || i)::int > 0":                                  `data source carts_source: invalid input syntax for type integer: "x1"`,
		columns + "i = 5 AND (SELECT i FROM nope) = 1":                   `data source carts_source: relation "nope" does not exist in database ` + opt.Database,
		"SELECT 1::int8 AS shopper, 2 AS items, 1705312800 AS at":        `data source carts_source: column at is integer, not a time; if it holds seconds since 1970, write to_timestamp("at") AS "at" in the query`,
		"SELECT 1::int8 AS shopper, 2 AS items, 'yesterday' AS at":       `data source carts_source, column at, row 1: "yesterday" is not a time`,
		"SELECT 1::int8 AS shopper, 2 AS items, 3 AS items, now() AS at": "data source carts_source: it has two columns items",
	} {
		t.Run(want, func(t *testing.T) {
			dir := newRepo(t, yaml, strings.ReplaceAll(oneView, "SOURCE", "PostgreSQLSource(name=\"carts_source\", query="+strconv.Quote(query)+", timestamp_field=\"at\")"))
			if code, _, errText := command(t, nil, "-c", dir, "apply"); code != 0 {
				t.Fatal(errText)
			}
			before := snapshot(t, dir)
			began := time.Now()
			code, _, errText := command(t, nil, "-c", dir, "materialize", "2024-01-01", "2024-02-01")
			if took := time.Since(began); code != 1 || took > 10*time.Second {
				t.Errorf("exit %d after %v", code, took)
			}
			if !strings.HasPrefix(errText, "banquet: ") || !strings.Contains(errText, want) || strings.Count(errText, "\n") != 1 {
				t.Errorf("%s\nwant %s", errText, want)
			}
			if after := snapshot(t, dir); after != before {
				t.Error("the registry or the online store has changed")
			}
			for n, until := 1, time.Now().Add(10*time.Second); n > 0; {
				<-time.After(10 * time.Millisecond)
				if err := watch.QueryRow(t.Context(), "SELECT count(*)::int4 FROM pg_stat_activity WHERE usename LIKE 'guest_%'").Scan(&n); err != nil || time.Now().After(until) {
					t.Fatalf("%d connections are left, %v", n, err)
				}
			}
		})
	}
}
