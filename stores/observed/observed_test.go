package observed_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/memory"
	"github.com/banquet-fs/banquet/stores/observed"
	"github.com/banquet-fs/banquet/stores/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(testing.TB) stores.Store { return observed.New(new(memory.Store), prometheus.NewRegistry()) })
}

func TestRowsAreCounted(t *testing.T) {
	reg := prometheus.NewRegistry()
	s := observed.New(new(memory.Store), reg)
	table, features := stores.Table{Project: "p", View: "v"}, stores.NewSelection("a")
	if _, err := s.Write(t.Context(), table, features, []stores.Record{{Key: []byte{1}, Event: time.Unix(1, 0), Values: [][]byte{{}}}}, stores.Replace); err != nil {
		t.Fatal(err)
	}
	outcomes, err := s.Write(t.Context(), table, features, []stores.Record{
		{Key: []byte{1}, Event: time.Unix(0, 0), Values: [][]byte{{}}},
		{Key: []byte{3}, Event: time.Unix(1<<50, 0), Values: [][]byte{{}}},
	}, stores.Newer)
	if err != nil || len(outcomes.Older) != 1 || len(outcomes.Failed.Indexes) != 1 {
		t.Fatal(outcomes, err)
	}
	rows, err := s.Read(t.Context(), []stores.Read{{Table: table, Features: features, Keys: [][]byte{{1}, {2}, {2}}}})
	if err != nil {
		t.Fatal(err)
	}
	rows.Release()
	if _, err := s.Delete(t.Context(), table, [][]byte{{1}}); err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.Metric {
			if f.GetName() == "banquet_store_rows_total" {
				got[m.Label[0].GetValue()+" "+m.Label[1].GetValue()] = m.Counter.GetValue()
			}
		}
	}
	for name, want := range map[string]float64{"read found": 1, "read missing": 2, "write stored": 1, "write older": 1, "write failed": 1, "delete deleted": 1} {
		if got[name] != want {
			t.Errorf("%s: %v, want %v", name, got[name], want)
		}
	}
}
