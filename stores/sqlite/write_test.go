package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/sqlite"
	"github.com/banquet-fs/banquet/stores/storetest"
)

var loaded = stores.Table{Project: "p", View: "loaded"}

// rowsToLoad returns rows of six features.
func rowsToLoad(n int, text string) (*stores.Selection, []stores.Record) {
	records := make([]stores.Record, n)
	for i := range records {
		records[i] = stores.Record{Key: fmt.Appendf(nil, "key-%06d", i), Event: time.Unix(1.7e9, 0)}
		for range 6 {
			records[i].Values = append(records[i].Values, append([]byte{2<<3 | 2, byte(len(text))}, text...))
		}
	}
	return stores.NewSelection("a", "b", "c", "d", "it's", `"f"`), records
}

func openLoaded(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, err := storetest.Update(t.Context(), s, stores.Tables{Keep: []stores.TableSpec{{Table: loaded}}}); err != nil {
		t.Fatal(err)
	}
	return s
}

// A process that is killed right after Write returned leaves every row stored, in
// a file of Feast's form, and SQLite has waited for the disk.
func TestAWriteOutlivesItsProcess(t *testing.T) {
	const n = 3000
	features, records := rowsToLoad(n, "x")
	if path := os.Getenv("WRITE_AND_DIE"); path != "" {
		s := openLoaded(t, path)
		if w, err := s.Write(t.Context(), loaded, features, records, stores.Replace); err != nil || len(w.Failed.Indexes) > 0 {
			t.Fatal(w, err)
		}
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	path := filepath.Join(t.TempDir(), "online.db")
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAWriteOutlivesItsProcess$")
	child.Env = append(os.Environ(), "WRITE_AND_DIE="+path)
	out, err := child.CombinedOutput()
	if err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("%v: %s", err, out)
	}
	header, err := os.ReadFile(path)
	if err != nil || header[18] != 1 || header[19] != 1 { // 2 is write-ahead
		t.Errorf("the file is of form %v, %v", header[18:20], err)
	}
	s := openLoaded(t, path)
	for name, want := range map[string]string{"synchronous": "2", "journal_mode": "delete"} {
		if got, err := s.Pragma(t.Context(), name); err != nil || got != want {
			t.Errorf("%s is %s, %v", name, got, err)
		}
	}
	keys := make([][]byte, n)
	for i := range records {
		keys[i] = records[i].Key
	}
	rows, err := s.Read(t.Context(), []stores.Read{{Table: loaded, Features: features, Keys: keys}})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Release()
	for i, r := range rows.Reads[0] {
		if diff := cmp.Diff(records[i].Values, r.Values); diff != "" || !r.Found {
			t.Fatalf("row %d (-written +read)\n%s", i, diff)
		}
	}
}

// Another program, as patient as Feast's Python, reads at the same time and sees
// each write as a whole.
func TestOtherProgramsReadDuringWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "online.db")
	s := openLoaded(t, path)
	other, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	const n, writes = 2000, 4
	ctx, done := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() {
		defer done()
		for i := range writes {
			features, records := rowsToLoad(n, strconv.Itoa(i))
			if w, err := s.Write(t.Context(), loaded, features, records, stores.Replace); err != nil || len(w.Failed.Indexes) > 0 {
				t.Error(w, err)
			}
		}
	})
	for reads := 0; ctx.Err() == nil || reads == 0; reads++ {
		var cells, versions int
		if err := other.QueryRowContext(t.Context(), "SELECT count(*), count(DISTINCT value_text) FROM p_loaded").Scan(&cells, &versions); err != nil {
			t.Error(err)
			break
		}
		if cells != 0 && (cells != 6*n || versions != 1) {
			t.Errorf("%d cells of %d writes are seen", cells, versions)
		}
	}
	group.Wait()
}

// A write replaces whole rows whatever they hold: more features, fewer, or
// columns that only Feast fills with other settings.
func TestWritesLeaveNothingOld(t *testing.T) {
	path := filepath.Join(t.TempDir(), "online.db")
	s := openLoaded(t, path)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	write := func(names []string, records ...stores.Record) {
		t.Helper()
		if w, err := s.Write(t.Context(), loaded, stores.NewSelection(names...), records, stores.Replace); err != nil || len(w.Failed.Indexes) > 0 {
			t.Fatal(w, err)
		}
	}
	record := func(key string, values ...[]byte) stores.Record {
		return stores.Record{Key: []byte(key), Event: time.Unix(1.7e9, 0), Values: values}
	}
	text := func(s string) []byte { return append([]byte{2<<3 | 2, byte(len(s))}, s...) }
	cells := func(more string) (out []string) {
		t.Helper()
		rows, err := db.QueryContext(t.Context(), "SELECT entity_key || ' ' || feature_name || ' ' || coalesce(value_text, '') || coalesce(vector_value, '')"+more+" FROM p_loaded ORDER BY 1")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				t.Fatal(err)
			}
			out = append(out, s)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return out
	}
	write([]string{"a", "b"}, record("k1", text("1"), text("1")), record("k2", text("1"), text("1")), record("k3", text("1"), text("1")))
	if _, err := db.ExecContext(t.Context(), "UPDATE p_loaded SET vector_value = 'old'"); err != nil {
		t.Fatal(err)
	}
	write([]string{"b", "c"}, record("k1", text("2"), text("2")), record("k2", nil, text("2")), record("k3", nil, nil))
	if diff := cmp.Diff([]string{"k1 b 2", "k1 c 2", "k2 c 2"}, cells("")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if _, err := db.ExecContext(t.Context(), "ALTER TABLE p_loaded ADD COLUMN value_num REAL; UPDATE p_loaded SET value_num = 7"); err != nil {
		t.Fatal(err)
	}
	write([]string{"b", "c"}, record("k1", text("3"), text("3")))
	if diff := cmp.Diff([]string{"k1 b 3-", "k1 c 3-", "k2 c 27.0"}, cells(" || coalesce(value_num, '-')")); diff != "" {
		t.Errorf("with value_num (-want +got)\n%s", diff)
	}
}
