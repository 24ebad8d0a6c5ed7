package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/pg"
	"github.com/banquet-fs/banquet/internal/pgtest"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/postgres"
)

// soon is the time within which a failure is reported and its work ended, on a busy machine,
// too: what does not end it goes on for 30 seconds or more.
const soon = 10 * time.Second

// moments are the rows at which a source fails: before any row is read, after
// more than two batches, at the last row.
var moments = []struct {
	name string
	row  int
	// batches is the number of batches before that row.
	batches int64
}{{"before the first row", 1, 0}, {"in the middle", 700, 3}, {"at the end", 1000, 4}}

const (
	rowsOfSource = 1000
	rowsOfBatch  = 200
)

// failing is a query that runs a statement when it reaches a row.
func failing(row int, statement string) string {
	return fmt.Sprintf("SELECT at_row(i, %d, $q$%s$q$) AS v, timestamptz '2024-01-01' AS ts FROM generate_series(1, %d) i", row, statement, rowsOfSource)
}

// failures are what can go wrong within a query: a statement fails at some row,
// or the query that is the source fails.
var failures = []struct {
	name string
	// statement fails, with the given settings of the role.
	statement, settings string
	// whole is a source whose query fails, or whose columns fail in the first
	// row.
	whole string
	kind  fault.Kind
	says  string
}{
	{"no right to a table", "SELECT * FROM secret", "", "SELECT id AS v, ts FROM secret", fault.Denied, "permission denied for table secret"},
	{"no right to a schema", "SELECT * FROM hidden.t", "", "SELECT 1 AS v, ts FROM hidden.t", fault.Denied, "permission denied for schema hidden"},
	{"no right to a column", "SELECT b FROM partly", "", "SELECT b AS v, ts FROM partly", fault.Denied, "permission denied for table partly"},
	{"no right to a sequence", "SELECT last_value FROM counter", "", "SELECT last_value AS v, timestamptz '2024-01-01' AS ts FROM counter", fault.Denied, "permission denied for sequence counter"},
	{"no right to a function", "SELECT private()", "", "SELECT private() AS v, timestamptz '2024-01-01' AS ts", fault.Denied, "permission denied for function private"},
	{"row security that is off", "SELECT * FROM guarded", "row_security = off", "SELECT * FROM guarded", fault.Denied, "row-level security policy"},
	{"row security without end", "SELECT * FROM circular", "", "SELECT * FROM circular", fault.Invalid, "infinite recursion detected in policy"},
	{"division by zero", "SELECT 1 / (random() * 0)::int", "", "SELECT 1 / (i - 1) AS v, timestamptz '2024-01-01' AS ts FROM generate_series(1, 3) i", fault.Invalid, "division by zero"},
	{"text that is no integer", "SELECT ('x' || random())::int", "", "SELECT ('x' || i)::int AS v, timestamptz '2024-01-01' AS ts FROM generate_series(1, 3) i", fault.Invalid, "invalid input syntax for type integer"},
	{"text that is no date", "SELECT ('x' || random())::date", "", "SELECT ('x' || i)::date AS v, timestamptz '2024-01-01' AS ts FROM generate_series(1, 3) i", fault.Invalid, "invalid input syntax for type date"},
	{"text that is no JSON", "SELECT ('{' || random())::json", "", "SELECT ('{' || i)::json AS v, timestamptz '2024-01-01' AS ts FROM generate_series(1, 3) i", fault.Invalid, "invalid input syntax for type json"},
	{"text that is no UUID", "SELECT ('x' || random())::uuid", "", "SELECT '{'::uuid AS v, timestamptz '2024-01-01' AS ts", fault.Invalid, "invalid input syntax for type uuid"},
	{"text that is no boolean", "SELECT ('x' || random())::bool", "", "", fault.Invalid, "invalid input syntax for type boolean"},
	{"a number without its place", "SELECT (12345 + random())::numeric(4, 2)", "", "", fault.Invalid, "numeric field overflow"},
	{"an integer out of range", "SELECT (3000000000 + random() * 0)::int", "", "", fault.Invalid, "integer out of range"},
	{"a date out of range", "SELECT date '5874897-12-31' + (1 + random() * 0)::int", "", "", fault.Invalid, "date out of range"},
	{"bytes that are no text", "SELECT convert_from(decode('ff', 'hex') || random()::text::bytea, 'UTF8')", "", "", fault.Invalid, "invalid byte sequence"},
	{"an array's bounds", "SELECT ('{1,2' || random())::int[]", "", "", fault.Invalid, "malformed array literal"},
	{"an error of a function", "SELECT complain()", "", "SELECT complain() AS v, timestamptz '2024-01-01' AS ts", fault.Invalid, "the moon is full"},
	{"a missing table", "SELECT * FROM nope", "", "SELECT * FROM nope", fault.NotFound, `relation "nope" does not exist`},
	{"a missing schema", "SELECT nope.f()", "", "SELECT nope.f() AS v", fault.NotFound, `schema "nope" does not exist`},
	{"a missing column", "SELECT nope FROM partly", "", "SELECT nope FROM partly", fault.NotFound, `column "nope" does not exist`},
	{"a missing function", "SELECT nope()", "", "SELECT nope() AS v", fault.NotFound, "function nope() does not exist"},
	{"a missing type", "SELECT NULL::nope", "", "SELECT NULL::nope AS v", fault.NotFound, `type "nope" does not exist`},
	{"a broken query", "SELECT FROM WHERE", "", "SELECT FROM WHERE", fault.Invalid, "syntax error"},
	{"a write", "INSERT INTO partly VALUES (1)", "", "SELECT nextval('counter') AS v, timestamptz '2024-01-01' AS ts", fault.Denied, "read-only transaction"},
	{"a statement's time", "SELECT pg_sleep(30)", "statement_timeout = '400ms'", "SELECT pg_sleep(30) AS v, timestamptz '2024-01-01' AS ts", fault.TimedOut, "statement timeout"},
	{"a lock's time", "SELECT * FROM locked", "lock_timeout = '50ms'", "SELECT * FROM locked", fault.TimedOut, "lock timeout"},
	{"a cancelled query", "SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(30)", "", "", fault.Unavailable, "user request"},
	{"a terminated connection", "SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(30)", "", "", fault.Unavailable, "terminating connection due to administrator command"},
	{"temporary files", "SELECT count(*) FROM (SELECT i FROM generate_series(1, 200000) i ORDER BY i::text) x", "temp_file_limit = '4MB'; work_mem = '64kB'", "", fault.Overloaded, "temp_file_limit"},
	{"a value beyond all memory", "SELECT repeat('x', 1 << 30)", "", "", fault.Invalid, "requested length too large"},
	{"functions without end", "SELECT deep()", "max_stack_depth = '100kB'", "", fault.Invalid, "stack depth limit exceeded"},
}

const failureSchema = `
	CREATE FUNCTION at_row(i int, at int, what text) RETURNS int LANGUAGE plpgsql AS 'BEGIN IF i = at THEN EXECUTE what; END IF; RETURN i; END';
	CREATE TABLE secret (id int8, ts timestamptz);
	CREATE SCHEMA hidden; CREATE TABLE hidden.t (id int8, ts timestamptz);
	CREATE TABLE partly (a int8, b int8, ts timestamptz);
	CREATE SEQUENCE counter;
	CREATE FUNCTION private() RETURNS int LANGUAGE sql AS 'SELECT 1'; REVOKE ALL ON FUNCTION private() FROM PUBLIC;
	CREATE FUNCTION complain() RETURNS int LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''the moon is full''; END';
	CREATE FUNCTION deep() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN deep() + 1; END';
	CREATE TABLE guarded (v int8, ts timestamptz); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON guarded USING (v > 1);
	CREATE TABLE circular (v int8, ts timestamptz); ALTER TABLE circular ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON circular USING (EXISTS (SELECT FROM circular));
	CREATE TABLE locked (v int8, ts timestamptz);
	CREATE ROLE %[1]s LOGIN PASSWORD 'secret'; GRANT SELECT ON guarded, circular, locked TO %[1]s; GRANT SELECT (a, ts) ON partly TO %[1]s; GRANT USAGE ON SEQUENCE counter TO %[1]s`

// failureDatabase makes a database for failures. It returns the settings of a
// user with few rights.
func failureDatabase(t *testing.T) (admin, user pg.Options) {
	t.Helper()
	admin = pgtest.Options(t)
	user = admin
	user.User, user.Password, user.Schema = "reader_"+admin.Database, "secret", "public"
	pgtest.Exec(t, admin, fmt.Sprintf(failureSchema, user.User))
	return admin, user
}

// A query that fails at any moment ends the read at once, with the server's
// words, and leaves no connection.
func TestFailuresOfAQuery(t *testing.T) {
	admin, user := failureDatabase(t)
	locker := connectAdmin(t, admin)
	if _, err := locker.Exec(t.Context(), "BEGIN; LOCK TABLE locked", pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	watch := connectAdmin(t, admin)
	for _, c := range failures {
		t.Run(c.name, func(t *testing.T) {
			set(t, watch, admin, user, c.settings)
			check := func(t *testing.T, query string, batches int64) {
				t.Helper()
				opt := user
				opt.ApplicationName = "failing"
				store := postgres.SmallBatches(postgres.New(opt), rowsOfBatch)
				told := readAll(t.Context(), store, query, nil)
				checkFailure(t, told, c.kind, "data source src", c.says)
				if told.rows != batches*rowsOfBatch {
					t.Errorf("%d rows were read, want %d batches", told.rows, batches)
				}
				checkGone(t, watch, store)
			}
			for _, m := range moments {
				t.Run(m.name, func(t *testing.T) { check(t, failing(m.row, c.statement), m.batches) })
			}
			if c.whole != "" {
				t.Run("as a whole", func(t *testing.T) { check(t, c.whole, 0) })
			}
		})
	}
}

// connectAdmin connects without the code under test.
func connectAdmin(t *testing.T, opt pg.Options) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), fmt.Sprintf("host=%s port=%d user=%s password=%s dbname=%s", opt.Host, opt.Port, opt.User, opt.Password, opt.Database))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// set changes the settings of a role for one test.
func set(t *testing.T, conn *pgx.Conn, admin, user pg.Options, settings string) {
	t.Helper()
	alter := "ALTER ROLE " + user.User + " IN DATABASE " + admin.Database + " "
	statements := alter + "RESET ALL"
	for s := range strings.SplitSeq(settings, "; ") {
		if s != "" {
			statements += "; " + alter + "SET " + s
		}
	}
	if _, err := conn.Exec(t.Context(), statements, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
}

// outcome is how a read ended.
type outcome struct {
	rows int64
	err  error
	// late is how long after the last batch, or after the interference, it
	// ended.
	late time.Duration
}

// readAll reads a query to its end. done, if any, gives the time of the
// interference with the read.
func readAll(ctx context.Context, store *postgres.Store, query string, done func() time.Time) (o outcome) {
	last := time.Now()
	r, err := store.Range(ctx, offline.Query{Source: source("", query), Columns: []string{"v"}, Timestamp: "ts"})
	if err != nil {
		o.err = err
	} else {
		for r.Next() {
			o.rows += r.RecordBatch().NumRows()
			last = time.Now()
		}
		o.err = r.Err()
		r.Release()
	}
	if done != nil {
		last = done()
	}
	o.late = time.Since(last)
	return o
}

func checkFailure(t *testing.T, told outcome, kind fault.Kind, says ...string) {
	t.Helper()
	if told.err == nil || fault.KindOf(told.err) != kind {
		t.Fatalf("%v (%v), want %v", told.err, fault.KindOf(told.err), kind)
	}
	for _, text := range says {
		if !strings.Contains(told.err.Error(), text) {
			t.Errorf("%q does not say %q", told.err, text)
		}
	}
	if strings.Contains(told.err.Error(), "\n") || strings.Contains(told.err.Error(), "SQLSTATE") {
		t.Errorf("%q is not one plain line", told.err)
	}
	if told.late > soon {
		t.Errorf("it was told after %v", told.late)
	}
}

// checkGone closes a store and checks that it has no connection.
func checkGone(t *testing.T, watch *pgx.Conn, store *postgres.Store) {
	t.Helper()
	began := time.Now()
	store.Close()
	if took := time.Since(began); took > soon {
		t.Errorf("closing took %v", took)
	}
	for {
		var n int
		if err := watch.QueryRow(t.Context(), "SELECT count(*)::int4 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'failing'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
		if time.Since(began) > soon {
			t.Fatalf("%d connections are left", n)
		}
		<-time.After(5 * time.Millisecond)
	}
}
