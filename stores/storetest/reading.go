package storetest

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
)

func order(t testing.TB, s stores.Store) {
	prepare(t, s, table)
	for i := range 5 {
		write(t, s, table, []string{"a"}, stores.Replace, record(key(i), moment, text(strconv.Itoa(i))))
	}
	asked := []int{3, 0, 3, 4, 9, 0, 1, 9}
	keys := make([][]byte, len(asked))
	for i, k := range asked {
		keys[i] = key(k)
	}
	for i, row := range read(t, s, table, []string{"a"}, keys...) {
		if asked[i] == 9 {
			if row.Found {
				t.Errorf("row %d is found", i)
			}
			continue
		}
		want(t, row, text(strconv.Itoa(asked[i])))
	}
}

func absentKey(t testing.TB, s stores.Store) {
	prepare(t, s, table)
	row := read(t, s, table, []string{"a"}, key(1))[0]
	if row.Found || row.Values != nil || row.Err != nil {
		t.Errorf("an absent key gives %+v", row)
	}
}

func absentFeature(t testing.TB, s stores.Store) {
	prepare(t, s, table)
	write(t, s, table, []string{"a", "b"}, stores.Replace, record(key(1), moment, text("x"), nil))
	want(t, read(t, s, table, []string{"a", "b", "never"}, key(1))[0], text("x"), nil, nil)
	want(t, read(t, s, table, []string{"never"}, key(1))[0], nil)
}

func storedNull(t testing.TB, s stores.Store) {
	prepare(t, s, table)
	write(t, s, table, []string{"a", "b"}, stores.Replace, record(key(1), moment, []byte{}, text("x")))
	want(t, read(t, s, table, []string{"a", "b"}, key(1))[0], []byte{}, text("x"))
}

func unrequested(t testing.TB, s stores.Store) {
	prepare(t, s, table)
	write(t, s, table, []string{"a", "b", "c"}, stores.Replace, record(key(1), moment, text("x"), text("y"), text("z")))
	want(t, read(t, s, table, []string{"b"}, key(1))[0], text("y"))
}

func selectionOrder(t testing.TB, s stores.Store) {
	prepare(t, s, table)
	write(t, s, table, []string{"a", "b", "c"}, stores.Replace, record(key(1), moment, text("x"), text("y"), text("z")))
	want(t, read(t, s, table, []string{"c", "a", "b"}, key(1))[0], text("z"), text("x"), text("y"))
}

func opaqueKeys(t testing.TB, s stores.Store) {
	prepare(t, s, table)
	keys := [][]byte{{0, 0, 0, 0}, {0xff, 0xfe, '"', '\''}, {0}, {0, 0}, []byte("plain"), []byte("é")}
	for i, k := range keys {
		write(t, s, table, []string{"a"}, stores.Replace, record(k, moment, text(strconv.Itoa(i))))
	}
	for i, row := range read(t, s, table, []string{"a"}, keys...) {
		want(t, row, text(strconv.Itoa(i)))
	}
}

func opaqueValues(t testing.TB, s stores.Store) {
	prepare(t, s, table)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	value := append([]byte{1<<3 | 2, 0x80, 0x02}, all...)
	write(t, s, table, []string{"a"}, stores.Replace, record(key(1), moment, value))
	want(t, read(t, s, table, []string{"a"}, key(1))[0], value)
}

func manyKeys(t testing.TB, s stores.Store) {
	prepare(t, s, table)
	const n = 1234
	records, keys := make([]stores.Record, n), make([][]byte, n)
	for i := range n {
		records[i], keys[i] = record(key(i), moment, text(strconv.Itoa(i))), key(i)
	}
	write(t, s, table, []string{"a"}, stores.Replace, records...)
	for i, row := range read(t, s, table, []string{"a"}, keys...) {
		want(t, row, text(strconv.Itoa(i)))
	}
	if rows := read(t, s, table, []string{"a"}); len(rows) != 0 {
		t.Errorf("no keys give %d rows", len(rows))
	}
}

func sameTableTwice(t testing.TB, s stores.Store) {
	prepare(t, s, table)
	write(t, s, table, []string{"a", "b"}, stores.Replace, record(key(1), moment, text("x"), text("y")), record(key(2), moment, text("v"), text("w")))
	rows := readAll(t, s,
		stores.Read{Table: table, Features: stores.NewSelection("a"), Keys: [][]byte{key(1)}},
		stores.Read{Table: table, Features: stores.NewSelection("b"), Keys: [][]byte{key(2), key(1)}},
	)
	want(t, rows[0][0], text("x"))
	want(t, rows[1][0], text("w"))
	want(t, rows[1][1], text("y"))
}

func manyTables(t testing.TB, s stores.Store) {
	prepare(t, s, table, other)
	write(t, s, table, []string{"a"}, stores.Replace, record(key(1), moment, text("zip")))
	write(t, s, other, []string{"a", "b"}, stores.Replace, record(key(1), moment.Add(time.Second), text("hist"), text("b")))
	rows := readAll(t, s,
		stores.Read{Table: other, Features: stores.NewSelection("b", "a"), Keys: [][]byte{key(2), key(1)}},
		stores.Read{Table: table, Features: stores.NewSelection("a"), Keys: [][]byte{key(1)}},
	)
	if rows[0][0].Found {
		t.Error("an absent key is found")
	}
	want(t, rows[0][1], text("b"), text("hist"))
	want(t, rows[1][0], text("zip"))
}

// untilRelease keeps rows while others are read, released and changed.
func untilRelease(t testing.TB, s stores.Store) {
	prepare(t, s, table)
	features := []string{"a", "b"}
	write(t, s, table, features, stores.Replace, record(key(1), moment, text("kept"), text("too")), record(key(2), moment, text("other"), text("value")))
	rows, err := s.Read(t.Context(), []stores.Read{{Table: table, Features: stores.NewSelection(features...), Keys: [][]byte{key(1)}}})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Release()
	for range 20 {
		want(t, read(t, s, table, features, key(2))[0], text("other"), text("value"))
	}
	write(t, s, table, features, stores.Replace, record(key(1), moment.Add(time.Second), text("gone"), text("now")))
	want(t, read(t, s, table, features, key(1))[0], text("gone"), text("now"))
	want(t, rows.Reads[0][0], text("kept"), text("too"))
}

func doneRead(t testing.TB, s stores.Store) {
	prepare(t, s, table)
	rows, err := s.Read(canceled(t), []stores.Read{{Table: table, Features: stores.NewSelection("a"), Keys: [][]byte{key(1)}}})
	if err != nil {
		if rows != nil {
			t.Error("an error comes with rows")
		}
		return
	}
	defer rows.Release()
	if rows.Reads[0][0].Err == nil {
		t.Error("a read with a done context gives a row without an error")
	}
}

func doneWrite(t testing.TB, s stores.Store) {
	prepare(t, s, table)
	w, err := s.Write(canceled(t), table, stores.NewSelection("a"), []stores.Record{record(key(1), moment, text("x"))}, stores.Replace)
	if err == nil && len(w.Failed.Indexes) != 1 {
		t.Errorf("a write with a done context is acknowledged: %v", w)
	}
}

func eventTime(t testing.TB, s stores.Store) {
	prepare(t, s, table)
	write(t, s, table, []string{"a"}, stores.Replace, record(key(1), moment, text("x")), record(key(2), moment.Add(-time.Hour), text("x")))
	rows := read(t, s, table, []string{"a"}, key(1), key(2))
	for i, at := range []time.Time{moment, moment.Add(-time.Hour)} {
		if !rows[i].Event.Equal(at) {
			t.Errorf("event time %v, want %v", rows[i].Event, at)
		}
	}
}

// withinBudget exceeds the budget of a backend, once with one read and once with
// several; decorators are not checked.
func withinBudget(t testing.TB, s stores.Store) {
	backend, ok := s.(stores.Backend)
	if !ok {
		return
	}
	const n, limit = 300, 64 << 10
	budget := stores.NewBudget(limit, limit*3/2)
	backend.Limit(budget)
	prepare(t, s, table)
	value := text(strings.Repeat("x", 100))
	records, keys := make([]stores.Record, n), make([][]byte, n)
	for i := range n {
		records[i], keys[i] = record(key(i), moment, value, value, value), key(i)
	}
	write(t, s, table, []string{"a", "b", "c"}, stores.Replace, records...)
	ask := func(keys [][]byte) (*stores.Rows, error) {
		return s.Read(t.Context(), []stores.Read{{Table: table, Features: stores.NewSelection("a", "b", "c"), Keys: keys, Distinct: true}})
	}
	refused := func(keys [][]byte, kind fault.Kind) {
		t.Helper()
		rows, err := ask(keys)
		if fault.KindOf(err) != kind || fault.Of(err).Whose != fault.Request || !strings.Contains(err.Error(), "banquet.limits.store_bytes") {
			t.Errorf("%d rows: %v, want %v", len(keys), err, kind)
		}
		if rows != nil {
			t.Error("an error comes with rows")
		}
	}
	held := budget.Used()
	refused(keys, fault.TooLarge)
	var all []*stores.Rows
	for budget.Used() < limit { // a read uses less than a third of the total budget
		rows, err := ask(keys[:50])
		if err != nil {
			t.Fatal(err)
		}
		if len(all) == 100 {
			t.Fatalf("100 reads of 50 rows have %d bytes", budget.Used())
		}
		all = append(all, rows)
	}
	refused(keys[:100], fault.Overloaded)
	for _, rows := range all {
		rows.Release()
	}
	if budget.Used() != held {
		t.Errorf("%d bytes were not returned to the budget", budget.Used())
	}
	rows, err := ask(keys[:50])
	if err != nil {
		t.Fatal(err)
	}
	rows.Release()
}

func concurrent(t testing.TB, s stores.Store) {
	prepare(t, s, table)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 10 {
				k := key(g*100 + i)
				w, err := s.Write(t.Context(), table, stores.NewSelection("a"), []stores.Record{record(k, moment, text(strconv.Itoa(i)))}, stores.Replace)
				if err != nil || w.Stored(1) != 1 {
					t.Errorf("Write: %v, %v", w, err)
					return
				}
				rows, err := s.Read(t.Context(), []stores.Read{{Table: table, Features: stores.NewSelection("a"), Keys: [][]byte{k}, Consistent: true}})
				if err != nil {
					t.Errorf("Read: %v", err)
					return
				}
				if row := rows.Reads[0][0]; !row.Found || string(row.Values[0]) != string(text(strconv.Itoa(i))) {
					t.Errorf("the written row is not read: %+v", row)
				}
				rows.Release()
			}
		})
	}
	wg.Wait()
}
