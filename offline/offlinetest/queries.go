package offlinetest

import (
	"context"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/offline"
)

// QuerySentences lists the contract of offline.Querier, in SQL that all
// databases know.
func QuerySentences() []Sentence {
	return []Sentence{
		{"a query streams the rows of one SELECT in its order", queryRows},
		{"the cells of a query are those of Range", queryCells},
		{"a query may have any form of SELECT", queryForms},
		{"any other statement is Invalid before anything runs", queryOthers},
		{"more than one statement is Invalid before anything runs", querySeveral},
		{"a query cannot write", queryWrites},
		{"a query that is wrong is Invalid in one line", queryWrong},
		{"a query ends at the deadline of its context", queryDeadline},
		{"a query in an unreachable store is Unavailable", queryUnreachable},
		{"nothing is held after a query", queryReleased},
	}
}

// RunQueries checks every sentence of offline.Querier, each with a fresh store.
// The backend's Store is an offline.Querier, too, and Write makes tables of the
// name that it is given.
func RunQueries(t *testing.T, open func(testing.TB) Backend, exceptions ...Exception) {
	t.Helper()
	run(t, QuerySentences(), open, exceptions)
}

func attemptQuery(t testing.TB, ctx context.Context, s offline.Store, sql string) ([]string, error) { //nolint:revive // t first, as everywhere here
	t.Helper()
	q, ok := s.(offline.Querier)
	if !ok {
		t.Fatalf("the store, a %T, is no offline.Querier", s)
	}
	return gather(t, func() (array.RecordReader, error) { return q.Query(ctx, sql) })
}

func wantQuery(t testing.TB, b Backend, sql string, rows ...string) {
	t.Helper()
	got, err := attemptQuery(t, t.Context(), b.Store(), sql)
	if err != nil {
		t.Errorf("%s: %v", sql, err)
		return
	}
	wantInOrder(t, got, rows...)
}

// five is a table src of five rows.
func five(t testing.TB, b Backend) {
	t.Helper()
	past(t, b, "src", "1 10 05:00", "2 - 04:00", "3 30 03:00", "4 40 02:00", "5 50 01:00")
}

func queryRows(t testing.TB, b Backend) {
	five(t, b)
	wantQuery(t, b, "SELECT k, f FROM src ORDER BY ts", "int 5 | int 50", "int 4 | int 40", "int 3 | int 30", "int 2 | null", "int 1 | int 10")
	wantQuery(t, b, "SELECT f AS \"the feature\", k FROM src WHERE k < 3 ORDER BY k DESC", "null | int 2", "int 10 | int 1")
	wantQuery(t, b, "SELECT k FROM src WHERE k > 100")
}

func queryCells(t testing.TB, b Backend) {
	src := writeNamed(t, b, "src", End, ints("k", "9007199254740993", null), strs("s", "größe", ""), times("ts", "05:00", "06:00"))
	rows := read(t, b.Store(), offline.Query{Source: src, Columns: []string{"k", "s"}, Timestamp: "ts"})
	got, err := attemptQuery(t, t.Context(), b.Store(), "SELECT k, s, ts FROM src")
	if err != nil {
		t.Fatal(err)
	}
	want(t, sorted(got), rows...)
}

func queryForms(t testing.TB, b Backend) {
	five(t, b)
	for _, sql := range []string{
		"SELECT k FROM src WHERE k = 3",
		"  \n select k from src where k = 3 ;  ",
		"SELECT k FROM src WHERE k = 3 -- a note without an end of its line",
		"-- a note\nSELECT k FROM src WHERE k = 3",
		"/* a note; */ SELECT k FROM src WHERE k = 3;\n-- another; note\n",
		"WITH few AS (SELECT k FROM src WHERE k < 4) SELECT k FROM few WHERE k > 2",
		"(SELECT k FROM src WHERE k = 3)",
		"SELECT k FROM src WHERE 'a;b' <> 'c' AND '100%' LIKE '%' AND '?' <> ':x' AND '$1' <> '' AND k = 3",
		"SELECT 3 AS k UNION SELECT k FROM src WHERE k = 3",
	} {
		wantQuery(t, b, sql, "int 3")
	}
}

func queryOthers(t testing.TB, b Backend) {
	five(t, b)
	for _, sql := range []string{
		"", "  ;", "-- nothing", "DELETE FROM src", "INSERT INTO src (k) VALUES (6)", "UPDATE src SET k = 1", "DROP TABLE src", "CREATE TABLE two AS SELECT k FROM src",
		"/* SELECT */ DELETE FROM src", "COMMIT", "this is no SQL",
	} {
		_, err := attemptQuery(t, t.Context(), b.Store(), sql)
		refused(t, err, invalid)
	}
	unchanged(t, b)
}

// unchanged checks that five is what it was.
func unchanged(t testing.TB, b Backend) {
	t.Helper()
	wantQuery(t, b, "SELECT count(*) AS n, max(k) AS s, count(f) AS f FROM src WHERE k < 6", "int 5 | int 5 | int 4")
}

func querySeveral(t testing.TB, b Backend) {
	five(t, b)
	for _, sql := range []string{
		"SELECT k FROM src; SELECT k FROM src", "SELECT k FROM src; DELETE FROM src", "SELECT k FROM src;;DROP TABLE src", "COMMIT; DELETE FROM src; SELECT 1 AS k",
	} {
		_, err := attemptQuery(t, t.Context(), b.Store(), sql)
		refused(t, err, invalid)
	}
	unchanged(t, b)
}

func queryWrites(t testing.TB, b Backend) {
	five(t, b)
	_, err := attemptQuery(t, t.Context(), b.Store(), "WITH gone AS (DELETE FROM src RETURNING k) SELECT k FROM gone")
	refused(t, err, invalid)
	unchanged(t, b)
}

func queryWrong(t testing.TB, b Backend) {
	five(t, b)
	_, err := attemptQuery(t, t.Context(), b.Store(), "SELECT elsewhere FROM src")
	refused(t, err, absent, "elsewhere")
	_, err = attemptQuery(t, t.Context(), b.Store(), "SELECT k FROM nowhere")
	refused(t, err, absent, "nowhere")
	_, err = attemptQuery(t, t.Context(), b.Store(), "SELECT 1 / (k - 3) AS x FROM src")
	refused(t, err, unread)
	_, err = attemptQuery(t, t.Context(), b.Store(), "SELECT k, f AS k FROM src")
	refused(t, err, invalid, "k")
}

// endless counts for longer than any test waits.
const endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i FROM n WHERE i < 2) SELECT count(*) AS c FROM n"

func queryDeadline(t testing.TB, b Backend) {
	const wait = 300 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	within(t, wait+second, "a query whose context is done", func() {
		_, err := attemptQuery(t, ctx, b.Store(), endless)
		refused(t, err, timedOut)
	})
	nothingHeld(t, b, "after the deadline of a query")
	ctx, cancel = context.WithCancel(t.Context())
	timer := time.AfterFunc(wait, cancel)
	defer timer.Stop()
	within(t, wait+second, "a query whose context is done", func() {
		_, err := attemptQuery(t, ctx, b.Store(), endless)
		refused(t, err, canceled)
	})
	nothingHeld(t, b, "after a query that was canceled")
}

func queryUnreachable(t testing.TB, b Backend) {
	_, err := attemptQuery(t, t.Context(), b.Unreachable(t), "SELECT 1 AS k")
	refused(t, err, gone)
}

func queryReleased(t testing.TB, b Backend) {
	long(t, b, End)
	q, ok := b.Store().(offline.Querier)
	if !ok {
		t.Fatalf("the store, a %T, is no offline.Querier", b.Store())
	}
	for _, read := range []int{0, 1, 1 << 30} {
		halfway(t, b, read, func() (array.RecordReader, error) { return q.Query(t.Context(), "SELECT k FROM src") })
	}
	_, _ = attemptQuery(t, t.Context(), b.Store(), "SELECT 1 / (length(k) - 3) AS x FROM src")
	nothingHeld(t, b, "after a query that failed")
}
