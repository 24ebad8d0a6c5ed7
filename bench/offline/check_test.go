package offline

import (
	"bufio"
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/bench/fake"
)

// set is the training set of a few entity rows as a table, which a test may spoil.
func set(e *expected) *table {
	t := &table{name: "set", columns: entities().columns}
	for v, view := range e.views {
		for _, c := range view.features() {
			t.columns = append(t.columns, column{c.name, c.sql, func(i int) any {
				if row := e.rows[v][i]; row >= 0 {
					return c.at(row)
				}
				return nil
			}})
		}
	}
	return t
}

func TestNewestIsTheLastRowThatIsNotLater(t *testing.T) {
	const rows = 100_000
	for i := range 200 {
		e := entityOf(i)
		got := newest(rows, e.zip, e.at)
		if got >= 0 && (got%keys != e.zip || spread(got).After(e.at)) {
			t.Fatalf("entity row %d: row %d at %s, for %s", i, got, spread(got), e.at)
		}
		for j := e.zip; j < rows; j += keys {
			if at := spread(j); !at.After(e.at) && (got < 0 || at.After(spread(got))) {
				t.Fatalf("entity row %d: row %d, but %d is newer", i, got, j)
			}
		}
		if got >= 0 && newest(rows, e.zip, spread(got)) != got {
			t.Errorf("entity row %d: a row at exactly the time is left out", i)
		}
	}
}

func TestCheckFindsEveryDifference(t *testing.T) {
	const rows = 3_000
	want := expect(rows, 100_000)
	if want.total.Filled == 0 || want.total.Filled == rows*20 {
		t.Fatalf("%d of %d features: the data has no entity rows without a row, or only these", want.total.Filled, rows*20)
	}
	check := func(name string, change func(*size)) error {
		s := size{set(want), rows}
		s.columns = slices.Clone(s.columns)
		change(&s)
		path := filepath.Join(t.TempDir(), name+".parquet")
		if err := s.writeFile(path); err != nil {
			t.Fatal(err)
		}
		_, err := want.check(t.Context(), path)
		return err
	}
	at := func(s *size, name string) *column {
		return &s.columns[slices.IndexFunc(s.columns, func(c column) bool { return c.name == name })]
	}
	if err := check("same", func(*size) {}); err != nil {
		t.Error(err)
	}
	reversed := func(s *size) {
		for i, c := range s.columns {
			s.columns[i].at = func(i int) any { return c.at(rows - 1 - i) }
		}
	}
	if err := check("reversed", reversed); err != nil {
		t.Error("another order is allowed:", err)
	}
	for name, change := range map[string]func(*size){
		"one row less": func(s *size) { s.rows-- },
		"a row twice":  func(s *size) { at(s, "entity_row").at = func(i int) any { return int64(max(i, 1)) } },
		"a cell": func(s *size) {
			was := at(s, "hard_pulls").at
			at(s, "hard_pulls").at = func(i int) any {
				if v := was(i); i != 2_500 || v == nil {
					return v
				}
				return int64(11)
			}
		},
		"no column": func(s *size) { at(s, "city").name = "town" },
		"another type": func(s *size) {
			*at(s, "population") = column{"population", "double precision", func(int) any { return 1.0 }}
		},
	} {
		if check(name, change) == nil {
			t.Errorf("%s: not found", name)
		}
	}
}

// The floor of materialize makes the items that are expected, and a wrong or missing item
// is found.
func TestCheckOfItems(t *testing.T) {
	const rows = 20_000
	b := balances()
	selected := &table{columns: append(slices.Clone(b.columns[:2]), b.features()...)}
	var copied bytes.Buffer
	if err := (size{selected, rows}).copyTo(&copied); err != nil {
		t.Fatal(err)
	}
	w, err := newItems(b)
	if err != nil {
		t.Fatal(err)
	}
	bodies := make(chan []byte, rows)
	if err := w.read(t.Context(), bufio.NewReader(&copied), bodies); err != nil {
		t.Fatal(err)
	}
	close(bodies)
	var got fake.Written
	for body := range bodies {
		var request struct {
			RequestItems map[string][]struct {
				PutRequest struct{ Item json.RawMessage }
			}
		}
		if err := json.Unmarshal(body, &request); err != nil {
			t.Fatal(err)
		}
		for _, put := range request.RequestItems["credit_bench.account_balance"] {
			if got.Items++; got.Items%500 == 0 {
				got.Sample = append(got.Sample, put.PutRequest.Item)
			}
		}
	}
	if err := checkItems(b, rows, got); err != nil {
		t.Error(err)
	}
	other := balances()
	other.columns[14].at = func(i int) any { return i%3 == 0 }
	later := balances()
	later.columns[1].at = func(i int) any { return b.time(i).Add(time.Microsecond) }
	fewer := got
	fewer.Items--
	for name, err := range map[string]error{
		"another value": checkItems(other, rows, got),
		"another time":  checkItems(later, rows, got),
		"an item less":  checkItems(b, rows, fewer),
		"unknown keys":  checkItems(b, 5_000, fake.Written{Items: 5_000, Sample: got.Sample}),
	} {
		if err == nil {
			t.Errorf("%s: not found", name)
		}
	}
}
