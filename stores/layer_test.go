package stores_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
)

// driver returns for each key its own text and the feature's name, and records
// what it was asked.
type driver struct {
	asked [][]stores.Read
	bytes int // of each value
}

func (d *driver) Fetch(_ context.Context, reads []stores.Read, meter *stores.Meter) (*stores.Rows, error) {
	d.asked = append(d.asked, reads)
	rows := stores.NewRows(reads, nil)
	for i, read := range reads {
		for j, key := range read.Keys {
			row := &rows.Reads[i][j]
			row.Found = true
			for _, f := range read.Features.Features {
				if err := meter.Count(d.bytes); err != nil {
					return nil, err
				}
				row.Values = append(row.Values, []byte(read.Table.View+"/"+string(key)+"/"+f))
			}
		}
	}
	return rows, nil
}

func keysOf(texts ...string) (keys [][]byte) {
	for _, s := range texts {
		keys = append(keys, []byte(s))
	}
	return keys
}

// A driver gets each repeated key once, and each of the caller's reads gets its own
// rows.
func TestADriverGetsDistinctKeysAndTables(t *testing.T) {
	for name, reads := range map[string][]stores.Read{
		"nothing":       {},
		"no keys":       {{Table: stores.Table{View: "v"}, Features: stores.NewSelection("a")}},
		"distinct":      {{Table: stores.Table{View: "v"}, Features: stores.NewSelection("a", "b"), Keys: keysOf("1", "2")}},
		"repeated keys": {{Table: stores.Table{View: "v"}, Features: stores.NewSelection("a", "b"), Keys: keysOf("1", "2", "1", "1", "3")}},
		"one table by several reads": {
			{Table: stores.Table{View: "v"}, Features: stores.NewSelection("a", "b"), Keys: keysOf("1", "2")},
			{Table: stores.Table{View: "w"}, Features: stores.NewSelection("a"), Keys: keysOf("9", "9")},
			{Table: stores.Table{View: "v"}, Features: stores.NewSelection("c", "b"), Keys: keysOf("3", "2", "3"), Consistent: true},
			{Table: stores.Table{View: "v"}, Features: stores.NewSelection(), Keys: keysOf("1")},
			{Table: stores.Table{View: "v"}, Features: stores.NewSelection("b", "a"), Keys: keysOf("2", "1")},
			{Table: stores.Table{View: "v", Version: 1}, Features: stores.NewSelection("b"), Keys: keysOf("1")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := new(driver)
			rows, err := stores.NewLayer(d).Read(t.Context(), reads)
			if err != nil {
				t.Fatal(err)
			}
			checkAsked(t, d.asked)
			for i, read := range reads {
				for j, key := range read.Keys {
					row := rows.Reads[i][j]
					if !row.Found || len(row.Values) != len(read.Features.Features) {
						t.Fatalf("read %d, key %d: %+v", i, j, row)
					}
					for k, f := range read.Features.Features {
						if want := read.Table.View + "/" + string(key) + "/" + f; string(row.Values[k]) != want {
							t.Errorf("read %d, key %d: %s, want %s", i, j, row.Values[k], want)
						}
					}
				}
			}
			rows.Release()
		})
	}
}

func checkAsked(t *testing.T, asked [][]stores.Read) {
	t.Helper()
	if len(asked) != 1 {
		t.Fatalf("the driver was asked %d times", len(asked))
	}
	tables := map[stores.Table]bool{}
	for _, read := range asked[0] {
		if tables[read.Table] {
			t.Errorf("table %v was asked twice", read.Table)
		}
		tables[read.Table] = true
		seen := map[string]bool{}
		for _, k := range read.Keys {
			if seen[string(k)] {
				t.Errorf("key %s was asked twice", k)
			}
			seen[string(k)] = true
		}
		names := map[string]bool{}
		for _, f := range read.Features.Features {
			if names[f] {
				t.Errorf("feature %s was asked twice", f)
			}
			names[f] = true
		}
	}
}

// A read marked Distinct goes to the driver unchanged and without allocations.
func TestTheLayerCostsNothing(t *testing.T) {
	d := new(idle)
	l := stores.NewLayer(d)
	l.Limit(stores.NewBudget(1<<20, 1<<20))
	var reads []stores.Read
	for i := range 20 {
		reads = append(reads, stores.Read{Table: stores.Table{Project: "p", View: fmt.Sprint(i)}, Features: stores.NewSelection("a"), Keys: keysOf("1", "2", "3"), Distinct: true})
	}
	if n := testing.AllocsPerRun(50, func() {
		if _, err := l.Read(t.Context(), reads); err == nil {
			t.Error("no error")
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// idle is a driver whose reads fail.
type idle struct{}

var errIdle = fault.Store(fault.Unavailable, "idle")

func (*idle) Fetch(_ context.Context, _ []stores.Read, meter *stores.Meter) (*stores.Rows, error) {
	_ = meter.Count(100)
	return nil, errIdle
}

func TestBudgets(t *testing.T) {
	d := &driver{bytes: 100}
	l := stores.NewLayer(d)
	b := stores.NewBudget(350, 500)
	l.Limit(b)
	ask := func(n int) (*stores.Rows, error) {
		read := stores.Read{Table: stores.Table{View: "v"}, Features: stores.NewSelection("a")}
		for i := range n {
			read.Keys = append(read.Keys, []byte{byte(i)})
		}
		return l.Read(t.Context(), []stores.Read{read})
	}
	want := func(n int, kind fault.Kind) {
		t.Helper()
		if _, err := ask(n); fault.KindOf(err) != kind || fault.Of(err).Whose != fault.Request {
			t.Errorf("%d bytes: %v (%v), want %v", 100*n, err, fault.KindOf(err), kind)
		}
	}
	want(4, fault.TooLarge)
	first, err := ask(3)
	if err != nil {
		t.Fatal(err)
	}
	want(3, fault.Overloaded)
	second, err := ask(2)
	if err != nil {
		t.Fatal(err)
	}
	first.Release()
	second.Release()
	if b.Used() != 0 {
		t.Errorf("%d bytes were not returned to the budget", b.Used())
	}
	third, err := ask(3)
	if err != nil {
		t.Fatal(err)
	}
	third.Release()
}
