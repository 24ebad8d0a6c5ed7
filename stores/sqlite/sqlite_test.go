package sqlite_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/retry"
	"github.com/banquet-fs/banquet/stores/sqlite"
	"github.com/banquet-fs/banquet/stores/storetest"
)

func open(t testing.TB) stores.Store {
	t.Helper()
	s, err := sqlite.Open(filepath.Join(t.TempDir(), "data", "online.db"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestContract(t *testing.T) {
	for name, open := range map[string]func(testing.TB) stores.Store{
		"alone":          open,
		"behind retries": func(t testing.TB) stores.Store { return retry.New(open(t), retry.Options{}) },
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, open,
				storetest.Exception{Sentence: "in mode Newer an event newer by less than a second wins", Reason: "Feast's layout keeps whole seconds"})
		})
	}
}

const goldenDB = "../../testdata/golden/all_types/online/2_materialize.online.db"

// rowsOf lists what a table of a SQLite file holds.
func rowsOf(t *testing.T, path, table string) []string {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `SELECT hex(entity_key), feature_name, typeof(value), hex(value), value_text, typeof(vector_value),
		typeof(event_ts), CAST(event_ts AS TEXT), typeof(created_ts), CAST(created_ts AS TEXT) FROM "`+table+`" ORDER BY 1, 2`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var cells [10]sql.NullString
		var dest [10]any
		for i := range cells {
			dest[i] = &cells[i]
		}
		if err := rows.Scan(dest[:]...); err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprint(cells))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// Every row that Feast wrote in UTC is read and written again into another file,
// which must then hold the same, cell by cell and type by type.
func TestTheLayoutIsFeasts(t *testing.T) {
	db, err := sql.Open("sqlite", goldenDB)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for table, features := range map[string][]string{
		"scalars": {"f_int32", "f_int64", "f_float32", "f_float64", "f_string", "f_bytes", "f_bool", "f_timestamp"},
		"arrays":  {"a_int32", "a_int64", "a_float32", "a_float64", "a_string", "a_bytes", "a_bool", "a_timestamp"},
		"triple":  {"trips", "f_string"},
	} {
		feast, err := sqlite.OpenIn(goldenDB, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		keys := distinct(t, db, "all_types_"+table)
		view := stores.Table{Project: "all_types", View: table}
		selection := stores.NewSelection(features...)
		rows, err := feast.Read(t.Context(), []stores.Read{{Table: view, Features: selection, Keys: keys}})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "online.db")
		ours, err := sqlite.OpenIn(path, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := storetest.Update(t.Context(), ours, stores.Tables{Keep: []stores.TableSpec{{Table: view}}}); err != nil {
			t.Fatal(err)
		}
		records := make([]stores.Record, len(keys))
		for i, r := range rows.Reads[0] {
			if !r.Found || r.Err != nil {
				t.Fatalf("%s: a stored key gives %+v", table, r)
			}
			records[i] = stores.Record{Key: keys[i], Event: r.Event, Created: created(t, db, "all_types_"+table, keys[i]), Values: r.Values}
		}
		if _, err := ours.Write(t.Context(), view, selection, records, stores.Replace); err != nil {
			t.Fatal(err)
		}
		rows.Release()
		if diff := cmp.Diff(rowsOf(t, goldenDB, "all_types_"+table), rowsOf(t, path, "all_types_"+table)); diff != "" {
			t.Errorf("%s (-Feast +banquet)\n%s", table, diff)
		}
		_, _ = feast.Close(), ours.Close()
	}
}

func distinct(t *testing.T, db *sql.DB, table string) [][]byte {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT DISTINCT entity_key FROM "+table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var keys [][]byte
	for rows.Next() {
		var k []byte
		if err := rows.Scan(&k); err != nil {
			t.Fatal(err)
		}
		keys = append(keys, k)
	}
	if err := rows.Err(); err != nil || len(keys) == 0 {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	return keys
}

func created(t *testing.T, db *sql.DB, table string, key []byte) time.Time {
	t.Helper()
	var at sql.NullInt64
	if err := db.QueryRowContext(t.Context(), "SELECT CAST(created_ts AS INTEGER) FROM "+table+" WHERE entity_key = ?", key).Scan(&at); err != nil {
		t.Fatal(err)
	}
	if !at.Valid {
		return time.Time{}
	}
	return time.Unix(at.Int64, 0)
}

func TestAMissingTableIsNoMissingRow(t *testing.T) {
	s := open(t)
	defer s.Close()
	there, gone := stores.Table{Project: "p", View: "there"}, stores.Table{Project: "p", View: "gone"}
	if _, err := storetest.Update(t.Context(), s, stores.Tables{Keep: []stores.TableSpec{{Table: there}}}); err != nil {
		t.Fatal(err)
	}
	f := stores.NewSelection("a")
	rows, err := s.Read(t.Context(), []stores.Read{{Table: gone, Features: f, Keys: [][]byte{{1}}}, {Table: there, Features: f, Keys: [][]byte{{1}}}})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Release()
	err = rows.Reads[0][0].Err
	if fault.KindOf(err) != fault.NotFound || !strings.Contains(err.Error(), "p_gone") || !strings.Contains(err.Error(), "banquet apply") {
		t.Errorf("the missing table gives %v", err)
	}
	if rows.Reads[1][0].Err != nil {
		t.Errorf("the other table gives %v", rows.Reads[1][0].Err)
	}
}

func TestReadingMakesNoFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "online.db")
	s, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	rows, err := s.Read(t.Context(), []stores.Read{{Table: stores.Table{Project: "p", View: "v"}, Features: stores.NewSelection("a"), Keys: [][]byte{{1}}}})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Release()
	if err := rows.Reads[0][0].Err; fault.KindOf(err) != fault.NotFound || !strings.Contains(err.Error(), "banquet apply") {
		t.Errorf("without a file a row gives %v", err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("reading created the file: %v", err)
	}
}

func TestATableOfAnotherShapeFailsAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "online.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `CREATE TABLE p_odd (id INTEGER)`); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	odd, there := stores.Table{Project: "p", View: "odd"}, stores.Table{Project: "p", View: "there"}
	if _, err := storetest.Update(t.Context(), s, stores.Tables{Keep: []stores.TableSpec{{Table: there}}}); err != nil {
		t.Fatal(err)
	}
	f := stores.NewSelection("a")
	rows, err := s.Read(t.Context(), []stores.Read{{Table: odd, Features: f, Keys: [][]byte{{1}}}, {Table: there, Features: f, Keys: [][]byte{{1}}}})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Release()
	if err := rows.Reads[0][0].Err; fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "p_odd") || !strings.Contains(err.Error(), "banquet apply") {
		t.Errorf("the table with other columns gives %v", err)
	}
	if r := rows.Reads[1][0]; r.Err != nil || r.Found {
		t.Errorf("the other table gives %+v", r)
	}
}

// A request sees all tables at the same time: a table that is written after
// another is never seen in a newer state.
func TestTablesAreReadAtOneTime(t *testing.T) {
	s := open(t)
	defer s.Close()
	first, second := stores.Table{Project: "p", View: "first"}, stores.Table{Project: "p", View: "second"}
	if _, err := storetest.Update(t.Context(), s, stores.Tables{Keep: []stores.TableSpec{{Table: first}, {Table: second}}}); err != nil {
		t.Fatal(err)
	}
	f := stores.NewSelection("a")
	const writes = 100
	var written sync.WaitGroup
	written.Go(func() {
		for n := range writes {
			for _, table := range []stores.Table{first, second} {
				record := stores.Record{Key: []byte{1}, Values: [][]byte{{byte(n + 1)}}, Event: time.Unix(int64(n), 0)}
				if _, err := s.Write(t.Context(), table, f, []stores.Record{record}, stores.Replace); err != nil {
					t.Error(err)
				}
			}
		}
	})
	value := func(r stores.Row) int {
		if r.Err != nil {
			t.Error(r.Err)
		}
		if !r.Found {
			return 0
		}
		return int(r.Values[0][0])
	}
	for seen := 0; seen < writes && !t.Failed(); {
		rows, err := s.Read(t.Context(), []stores.Read{{Table: first, Features: f, Keys: [][]byte{{1}}}, {Table: second, Features: f, Keys: [][]byte{{1}}}})
		if err != nil {
			t.Fatal(err)
		}
		a, b := value(rows.Reads[0][0]), value(rows.Reads[1][0])
		if b > a {
			t.Errorf("the second table is seen at %d, the first at %d", b, a)
		}
		seen = b
		rows.Release()
	}
	written.Wait()
}

func TestFaultsNameTheFile(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("no database ", 100)), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"a file that is not a database": garbage, "a directory": dir} {
		s, err := sqlite.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Plan(t.Context(), stores.Tables{}); err == nil || !strings.Contains(err.Error(), path) || fault.KindOf(err) == fault.Internal {
			t.Errorf("%s: %v", name, err)
		}
		_ = s.Close()
	}
}

func TestTablesThatWouldShareANameAreRefused(t *testing.T) {
	s := open(t)
	defer s.Close()
	p, err := s.Plan(t.Context(), stores.Tables{
		Keep: []stores.TableSpec{
			{Table: stores.Table{Project: "ab", View: "c_d"}},
			{Table: stores.Table{Project: "ab", View: "x_v1"}},
			{Table: stores.Table{Project: "ab", View: "x", Version: 1}},
			{Table: stores.Table{Project: "ab", View: "fine"}},
		},
		Others: []stores.TableSpec{
			{Table: stores.Table{Project: "ab_c", View: "d"}},
			{Table: stores.Table{Project: "x_y", View: "z"}},
			{Table: stores.Table{Project: "x", View: "y_z"}}, // theirs, not ours to refuse
		},
	})
	findings := p.Findings
	if err != nil || len(findings) != 2 || !findings[0].Refused || !findings[1].Refused {
		t.Errorf("findings %+v, %v", findings, err)
	}
}
