package sqlite_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/retry"
	"github.com/banquet-fs/banquet/stores/sqlite"
)

// openWith opens a file whose table another program changed.
func openWith(t *testing.T, statement string) (*sqlite.Store, *sql.DB) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "online.db")
	s := openLoaded(t, path)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
	return s, db
}

// onBad is a trigger for values whose text is "bad".
func onBad(do string) string {
	return "CREATE TRIGGER bad BEFORE INSERT ON p_loaded WHEN NEW.value_text = 'bad' BEGIN SELECT " + do + "; END"
}

// Rows that SQLite rejects fail alone; the others are stored, in one transaction.
func TestRowsThatAreRefusedFailAlone(t *testing.T) {
	for name, c := range map[string]struct{ prepare, says string }{
		"a trigger":   {onBad("RAISE(ABORT, 'no')"), "breaks a constraint"},
		"a failure":   {onBad("RAISE(FAIL, 'no')"), "breaks a constraint"},
		"too large":   {onBad("length(zeroblob(2000000000))"), "too large"},
		"a condition": {"CREATE UNIQUE INDEX once ON p_loaded (value_text) WHERE value_text = 'bad' OR entity_key IS NULL; INSERT INTO p_loaded (entity_key, feature_name, value_text) VALUES (x'00', 'a', 'bad')", "breaks a constraint"},
	} {
		t.Run(name, func(t *testing.T) {
			s, db := openWith(t, c.prepare)
			for name, mode := range map[string]stores.Mode{"Replace": stores.Replace, "Newer": stores.Newer} {
				for _, s := range []stores.Store{s, retry.New(s, retry.Options{})} {
					features, recs := rowsToLoad(1203, "x")
					recs[1202].Key = recs[7].Key
					bad := []int{0, 600, 601, 1202}
					for _, i := range bad {
						recs[i].Values[3] = []byte("\x12\x03bad")
					}
					w, err := s.Write(t.Context(), loaded, features, recs, mode)
					if err != nil || !slices.Equal(w.Failed.Indexes, bad) || len(w.Older) > 0 {
						t.Fatalf("%s: %v, %v; want %v to fail", name, w, err, bad)
					}
					for _, err := range w.Failed.Errs {
						if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), c.says) {
							t.Errorf("%s: %v: %v", name, fault.KindOf(err), err)
						}
					}
					var keys, cells int
					if err := db.QueryRowContext(t.Context(), "SELECT count(DISTINCT entity_key), count(*) FROM p_loaded WHERE entity_key <> x'00'").Scan(&keys, &cells); err != nil || keys != 1199 || cells != 6*keys {
						t.Errorf("%s: %d keys and %d cells are stored: %v", name, keys, cells, err)
					}
					if _, err := db.ExecContext(t.Context(), "DELETE FROM p_loaded WHERE entity_key <> x'00'"); err != nil {
						t.Fatal(err)
					}
				}
			}
		})
	}
}

// Older rows are also reported while bad ones are searched.
func TestOlderBesideBad(t *testing.T) {
	s, _ := openWith(t, onBad("RAISE(ABORT, 'no')"))
	features, recs := rowsToLoad(9, "x")
	if w, err := s.Write(t.Context(), loaded, features, recs[:3], stores.Replace); err != nil || w.Stored(3) != 3 {
		t.Fatal(w, err)
	}
	recs[1].Event, recs[5].Values[0] = recs[1].Event.Add(-time.Second), []byte("\x12\x03bad")
	w, err := s.Write(t.Context(), loaded, features, recs, stores.Newer)
	if err != nil || !slices.Equal(w.Older, []int{1}) || !slices.Equal(w.Failed.Indexes, []int{5}) {
		t.Errorf("%v, %v", w, err)
	}
}

// An interrupted write leaves nothing behind and returns an error: it is one
// transaction.
func TestAnInterruptedWriteStoresNothing(t *testing.T) {
	for name, trigger := range map[string]string{
		"rolled back by a trigger": onBad("RAISE(ROLLBACK, 'no')"),
		"out of time":              onBad("(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n)"),
	} {
		s, db := openWith(t, trigger)
		features, recs := rowsToLoad(1000, "x")
		recs[990].Values[0] = []byte("\x12\x03bad")
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		w, err := s.Write(ctx, loaded, features, recs, stores.Replace)
		cancel()
		if err == nil || len(w.Failed.Indexes) > 0 {
			t.Errorf("%s: %v, %v", name, w, err)
		}
		var n int
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM p_loaded").Scan(&n); err != nil || n > 0 {
			t.Errorf("%s: %d cells are there: %v", name, n, err)
		}
	}
}

// A plan names all that an older table lacks, and Do adds it.
func TestATableOfAnOlderFeast(t *testing.T) {
	for name, want := range map[string]string{
		"DROP INDEX p_loaded_ek":                                              "index p_loaded_ek",
		"ALTER TABLE p_loaded DROP COLUMN value_text":                         "column value_text",
		"DROP INDEX p_loaded_ek; ALTER TABLE p_loaded DROP COLUMN value_text": "column value_text, index p_loaded_ek",
	} {
		s, _ := openWith(t, name)
		tables := stores.Tables{Keep: []stores.TableSpec{{Table: loaded}}}
		p, err := s.Plan(t.Context(), tables)
		if err != nil || len(p.Changes) != 1 || p.Changes[0].Action != stores.Alter || p.Changes[0].Detail != want {
			t.Errorf("%s: %+v, %v", name, p.Changes, err)
		}
		if _, err := s.Do(t.Context(), p.Changes); err != nil {
			t.Error(err)
		}
		if p, err := s.Plan(t.Context(), tables); err != nil || len(p.Changes) != 0 {
			t.Errorf("%s: then %+v, %v", name, p.Changes, err)
		}
	}
}
