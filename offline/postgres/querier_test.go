package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/internal/pgtest"
	"github.com/banquet-fs/banquet/offline/postgres"
)

// The SQL of entity rows is any one SELECT, and runs as it is.
func TestQuery(t *testing.T) {
	s := open(t, `CREATE TABLE t AS SELECT i AS k, timestamptz '2024-01-01' + i * interval '1 day' AS ts FROM generate_series(1::int8, 3) i; CREATE SEQUENCE counter;
		CREATE FUNCTION writing() RETURNS int8 LANGUAGE sql AS 'INSERT INTO t VALUES (9) RETURNING k'`)
	for sql, want := range map[string][]string{
		"SELECT * FROM t ORDER BY k DESC":                           {"3|2024-01-04T00:00:00Z", "2|2024-01-03T00:00:00Z", "1|2024-01-02T00:00:00Z"},
		"WITH a AS (SELECT k FROM t WHERE k < 3) SELECT k FROM a;":  {"1", "2"},
		"SELECT k FROM t LIMIT 1 -- a note":                         {"1"},
		"-- a note\nSELECT k FROM t LIMIT 1 ; ; /* and */ -- more":  {"1"},
		`SELECT '%s ? :name $1 ; -- no' AS a, E'\';' AS b, $$;$$ c`: {"%s ? :name $1 ; -- no|';|;"},
		"SELECT k % 2 AS odd FROM t WHERE k::text LIKE '%1%'":       {"1"},
		"(SELECT k FROM t) EXCEPT (SELECT 1)  ORDER BY k":           {"2", "3"},
		"VALUES (1, 'a'), (2, NULL)":                                {"1|a", "2|(null)"},
		"TABLE t ORDER BY ts LIMIT 1":                               {"1|2024-01-02T00:00:00Z"},
		"SELECT k FROM t WHERE false":                               nil,
	} {
		got, err := query(t.Context(), s, sql)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got)\n%s", sql, err, diff)
		}
	}
	for sql, says := range map[string]string{
		"":                             "is an empty query",
		"-- nothing":                   "is an empty query",
		"SELECT 1 AS a; SELECT 2 AS b": "more than one statement",
		"INSERT INTO t VALUES (7)":     "no SELECT",
		"DELETE FROM t":                "no SELECT",
		"EXPLAIN SELECT 1":             "no SELECT",
		"SHOW search_path":             "no SELECT",
		"WITH a AS (INSERT INTO t VALUES (7) RETURNING k) SELECT k FROM a": "must be at the top level",
		"WITH a AS (SELECT 7) INSERT INTO t SELECT * FROM a":               "syntax error",
		"SELECT k INTO u FROM t":                                           "INTO",
		"SELECT 1":                                                         "column 1 has no name",
		"SELECT k, count(*) + 1, max(ts) FROM t GROUP BY k":                "column 2 has no name",
		"SELECT k, k FROM t":                                               "two columns k",
		"SELECT FROM t":                                                    "no columns",
		"SELECT k FROM t WHERE k = $1":                                     "parameter",
		"SELECT k FROM t WHERE k = :name":                                  "syntax error",
		"SELECT nextval('counter') AS n":                                   "read-only",
		"SELECT writing() AS n":                                            "read-only",
		"SELECT k FROM t FOR UPDATE":                                       "read-only",
		"SELECT k FROM nope":                                               `relation "nope" does not exist`,
		"SELECT nope FROM t":                                               `column "nope" does not exist (character 8)`,
		"SELECT 1 / (k - k) AS x FROM t":                                   "division by zero",
		"SELECT set_config('transaction_read_only', 'off', false) AS a":    "read-write mode",
	} {
		got, err := query(t.Context(), s, sql)
		if err == nil || !strings.Contains(err.Error(), says) || !strings.HasPrefix(err.Error(), "the SQL of the entity rows") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, %v", sql, got, err)
		}
	}
	got, err := query(t.Context(), s, "SELECT count(*) AS n FROM t")
	if diff := cmp.Diff([]string{"3"}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}

func query(ctx context.Context, s *postgres.Store, sql string) (out []string, err error) {
	r, err := s.Query(ctx, sql)
	if err != nil {
		return nil, err
	}
	defer r.Release()
	return allTexts(r)
}

// A query ends on the server at the deadline of its context, or at the role's own
// limit if that comes first.
func TestQueryEndsInTime(t *testing.T) {
	opt := pgtest.Options(t)
	for limit, c := range map[string]struct {
		deadline time.Duration
		want     [2]int
	}{"0": {time.Minute, [2]int{50000, 60000}}, "7s": {time.Minute, [2]int{7000, 7000}}, "2min": {time.Minute, [2]int{50000, 60000}}, "3s": {0, [2]int{3000, 3000}}} {
		pgtest.Exec(t, opt, "ALTER DATABASE "+opt.Database+" SET statement_timeout = '"+limit+"'")
		s := postgres.New(opt)
		t.Cleanup(s.Close)
		ctx := t.Context()
		if c.deadline > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, c.deadline)
			defer cancel()
		}
		got, err := query(ctx, s, "SELECT extract(epoch FROM current_setting('statement_timeout')::interval)::numeric * 1000 AS ms")
		if err != nil || len(got) != 1 {
			t.Fatalf("%v, %v", got, err)
		}
		var ms float64
		if _, err := fmt.Sscan(got[0], &ms); err != nil || int(ms) < c.want[0] || int(ms) > c.want[1] {
			t.Errorf("limit %s: %s ms, %v, want %v", limit, got[0], err, c.want)
		}
	}
}
