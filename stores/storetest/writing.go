package storetest

import (
	"strings"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/stores"
)

func replace(t testing.TB, s stores.Store) {
	prepare(t, s, table)
	write(t, s, table, []string{"a"}, stores.Replace, record(key(1), moment, text("new")))
	write(t, s, table, []string{"a"}, stores.Replace, record(key(1), moment.Add(-time.Hour), text("last")))
	want(t, read(t, s, table, []string{"a"}, key(1))[0], text("last"))
}

func newer(t testing.TB, s stores.Store) {
	prepare(t, s, table)
	write(t, s, table, []string{"a"}, stores.Newer, record(key(1), moment, text("new")))
	write(t, s, table, []string{"a"}, stores.Newer, record(key(1), moment.Add(-time.Hour), text("old")), record(key(2), moment, text("first")))
	rows := read(t, s, table, []string{"a"}, key(1), key(2))
	want(t, rows[0], text("new"))
	want(t, rows[1], text("first"))
	if !rows[0].Event.Equal(moment) {
		t.Errorf("event time %v, want that of the newer row %v", rows[0].Event, moment)
	}
	write(t, s, table, []string{"a"}, stores.Newer, record(key(1), moment.Add(time.Hour), text("newest")))
	want(t, read(t, s, table, []string{"a"}, key(1))[0], text("newest"))
}

func newerBySubsecond(t testing.TB, s stores.Store) {
	prepare(t, s, table)
	write(t, s, table, []string{"a"}, stores.Newer, record(key(1), moment.Add(500*time.Millisecond), text("new")))
	write(t, s, table, []string{"a"}, stores.Newer, record(key(1), moment, text("old")))
	want(t, read(t, s, table, []string{"a"}, key(1))[0], text("new"))
	write(t, s, table, []string{"a"}, stores.Newer, record(key(1), moment.Add(500*time.Millisecond+time.Microsecond), text("newest")))
	want(t, read(t, s, table, []string{"a"}, key(1))[0], text("newest"))
}

func newerTie(t testing.TB, s stores.Store) {
	prepare(t, s, table)
	write(t, s, table, []string{"a"}, stores.Newer, record(key(1), moment, text("first")))
	write(t, s, table, []string{"a"}, stores.Newer, record(key(1), moment, text("second")))
	want(t, read(t, s, table, []string{"a"}, key(1))[0], text("second"))
}

func wholeRow(t testing.TB, s stores.Store) {
	prepare(t, s, table)
	for i, mode := range []stores.Mode{stores.Replace, stores.Newer} {
		write(t, s, table, []string{"a", "b"}, mode, record(key(i), moment, text("x"), text("y")))
		write(t, s, table, []string{"a"}, mode, record(key(i), moment.Add(time.Second), text("z")))
		want(t, read(t, s, table, []string{"a", "b"}, key(i))[0], text("z"), nil)
	}
}

func twice(t testing.TB, s stores.Store) {
	prepare(t, s, table)
	for range 2 {
		write(t, s, table, []string{"a", "b"}, stores.Replace, record(key(1), moment, text("x"), []byte{}))
		write(t, s, table, []string{"a", "b"}, stores.Newer, record(key(2), moment, text("x"), nil))
	}
	rows := read(t, s, table, []string{"a", "b"}, key(1), key(2))
	want(t, rows[0], text("x"), []byte{})
	want(t, rows[1], text("x"), nil)
}

func repeatsInWrite(t testing.TB, s stores.Store) {
	prepare(t, s, table)
	write(t, s, table, []string{"a"}, stores.Replace,
		record(key(1), moment.Add(time.Hour), text("first")), record(key(2), moment, text("other")), record(key(1), moment, text("last")))
	write(t, s, table, []string{"a"}, stores.Newer,
		record(key(3), moment.Add(time.Hour), text("newest")), record(key(3), moment, text("last")))
	rows := read(t, s, table, []string{"a"}, key(1), key(2), key(3))
	want(t, rows[0], text("last"))
	want(t, rows[1], text("other"))
	want(t, rows[2], text("newest"))
}

func separateTables(t testing.TB, s stores.Store) {
	tables := []stores.Table{
		{Project: "credit", View: "v"},
		{Project: "credit", View: "w"},
		{Project: "risk", View: "v"},
		{Project: "credit", View: "v", Version: 1},
		{Project: "credit", View: "v", Version: 2},
		{Project: "credit", View: "V2"},
	}
	prepare(t, s, tables...)
	for i, tb := range tables {
		write(t, s, tb, []string{"a"}, stores.Replace, record(key(1), moment, text(string(rune('0'+i)))))
	}
	for i, tb := range tables {
		want(t, read(t, s, tb, []string{"a"}, key(1))[0], text(string(rune('0'+i))))
	}
}

func deleted(t testing.TB, s stores.Store) {
	prepare(t, s, table)
	write(t, s, table, []string{"a"}, stores.Replace, record(key(1), moment, text("x")), record(key(2), moment, text("y")))
	for range 2 {
		left, err := s.Delete(t.Context(), table, [][]byte{key(1), key(7)})
		if err != nil || len(left.Indexes) > 0 {
			t.Fatalf("Delete: %v, %v", left, err)
		}
	}
	rows := read(t, s, table, []string{"a"}, key(1), key(2))
	if rows[0].Found {
		t.Error("a deleted row is found")
	}
	want(t, rows[1], text("y"))
}

func updateAgain(t testing.TB, s stores.Store) {
	prepare(t, s, table, other)
	write(t, s, table, []string{"a"}, stores.Replace, record(key(1), moment, text("x")))
	prepare(t, s, table, other)
	want(t, read(t, s, table, []string{"a"}, key(1))[0], text("x"))
	drop := []stores.Change{{Action: stores.Drop, Spec: stores.TableSpec{Table: other}}}
	for range 2 {
		if _, err := s.Do(t.Context(), append(drop, stores.Change{Action: stores.Create, Spec: stores.TableSpec{Table: table}})); err != nil {
			t.Errorf("Do: %v", err)
		}
	}
	want(t, read(t, s, table, []string{"a"}, key(1))[0], text("x"))
}

func planned(t testing.TB, s stores.Store) {
	third := stores.Table{Project: "credit", View: "loans"}
	specs := func(tables ...stores.Table) []stores.TableSpec {
		var list []stores.TableSpec
		for _, tb := range tables {
			list = append(list, stores.TableSpec{Table: tb, Features: []stores.Feature{{Name: "a", Type: "STRING"}}})
		}
		return list
	}
	steps := []struct {
		tables stores.Tables
		want   string
	}{
		{stores.Tables{Drop: []stores.Table{table}}, ""},
		{stores.Tables{Keep: specs(table, other)}, "create zipcode_features, create history"},
		{stores.Tables{Keep: specs(table, other)}, ""},
		{stores.Tables{Keep: specs(third, table), Drop: []stores.Table{other}}, "create loans, drop history"},
		{stores.Tables{Keep: specs(third, table), Drop: []stores.Table{other}}, ""},
	}
	for i, step := range steps {
		p, err := s.Plan(t.Context(), step.tables)
		if err != nil {
			t.Fatalf("Plan: %v", err)
		}
		if got := changes(p.Changes); got != step.want {
			t.Errorf("step %d plans %q, want %q", i, got, step.want)
		}
		again, err := s.Plan(t.Context(), step.tables)
		if err != nil || changes(again.Changes) != changes(p.Changes) {
			t.Errorf("step %d: planning has changed something: %q, %v", i, changes(again.Changes), err)
		}
		if _, err := s.Do(t.Context(), p.Changes); err != nil {
			t.Fatalf("Do: %v", err)
		}
		after, err := s.Plan(t.Context(), step.tables)
		if err != nil || len(after.Changes) > 0 {
			t.Errorf("step %d: after Do, Plan has %q, %v", i, changes(after.Changes), err)
		}
	}
}

func changes(list []stores.Change) string {
	var texts []string
	for _, c := range list {
		texts = append(texts, []string{"create", "alter", "drop"}[c.Action]+" "+c.Spec.Table.View)
	}
	return strings.Join(texts, ", ")
}

func dropped(t testing.TB, s stores.Store) {
	prepare(t, s, table, other)
	write(t, s, table, []string{"a"}, stores.Replace, record(key(1), moment, text("x")))
	write(t, s, other, []string{"a"}, stores.Replace, record(key(1), moment, text("x")))
	update(t, s, stores.Tables{Drop: []stores.Table{table}})
	prepare(t, s, table)
	if read(t, s, table, []string{"a"}, key(1))[0].Found {
		t.Error("a row outlived its table")
	}
	want(t, read(t, s, other, []string{"a"}, key(1))[0], text("x"))
}
