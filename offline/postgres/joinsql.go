package postgres

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

func newEntityRows(table string) *entityRows {
	return &entityRows{table: table, last: math.MinInt64}
}

// sql is the statement that joins views. Each view adds its features to each entity
// row; the order is that of the index on i.
func (p *plan) sql(views []*joined) string {
	var selected, joins, infinite []string
	for _, v := range views {
		if len(v.features) == 0 {
			continue
		}
		n := v.number
		view := "v" + strconv.Itoa(n)
		for _, at := range v.features {
			selected = append(selected, view+".c"+strconv.Itoa(at))
		}
		infinite = append(infinite, fmt.Sprintf("WHEN %s.infinite THEN %d", view, n))
		if v.order == nil {
			joins = append(joins, v.probeRows(n))
		} else {
			joins = append(joins, v.probeTable(n))
		}
	}
	selected = append(selected, "e.i")
	if len(infinite) == 0 {
		selected = append(selected, "NULL::int AS infinite")
	} else {
		selected = append(selected, "CASE "+strings.Join(infinite, " ")+" END AS infinite")
	}
	return "SELECT " + strings.Join(selected, ", ") + "\nFROM " + p.entities.table + " AS e\n" + strings.Join(joins, "") + "ORDER BY e.i"
}

// equals are the conditions that a row has the keys of the entity row e.
func (v *joined) equals(column func(i int, k joinedKey) string) (conditions []string) {
	for i, k := range v.keys {
		conditions = append(conditions, column(i, k)+" = e.k"+strconv.Itoa(k.entity))
	}
	return conditions
}

// times are the conditions on a row's event time and created time.
func (v *joined) times(event, created string) []string {
	conditions := []string{event + " <= " + v.event.like("e.t")}
	if v.since >= 0 {
		conditions = append(conditions, event+" >= "+v.event.like("e.s"+strconv.Itoa(v.since)))
	}
	if v.CreatedBefore {
		conditions = append(conditions, v.createdBefore(created))
	}
	return conditions
}

func (v *joined) createdBefore(created string) string {
	return created + " <= " + v.created.like("e.t")
}

// probeTable joins a table by two probes of its index for each entity row: one
// finds the newest event time, the other its rows. A single probe ordered by
// created time, too, would read all older rows of the key.
//
// The first probe is ordered by the index's first column, too, which ANY keeps
// the planner from taking for a constant. An index by event time alone does not
// have this order: it would have to read the rows of all other keys.
func (v *joined) probeTable(n int) string {
	same := v.equals(func(_ int, k joinedKey) string { return k.sql })
	newest := v.equals(func(_ int, k joinedKey) string { return k.sql })
	for i, k := range v.keys {
		if k.name == v.order.first {
			newest[i] = k.sql + " = ANY (ARRAY[e.k" + strconv.Itoa(k.entity) + "])"
			break
		}
	}
	newest = append(newest, v.times(v.event.sql, v.createdSQL())...)
	row := append(slices.Clone(same), v.event.sql+fmt.Sprintf(" = n%d.at", n))
	if v.CreatedBefore {
		row = append(row, v.createdBefore(v.created.sql))
	}
	order := v.table.place
	if v.created != nil {
		order = v.created.sql + " DESC NULLS LAST, " + order
	}
	return lateral("n"+strconv.Itoa(n), v.event.sql+" AS at", v.from+" AS source", newest, strings.Join(v.order.newest, ", ")) +
		lateral("v"+strconv.Itoa(n), strings.Join(v.selected(v.event.sql, v.createdSQL()), ", "), v.from+" AS source", row, order)
}

func (v *joined) createdSQL() string {
	if v.created == nil {
		return ""
	}
	return v.created.sql
}

// selected are the view's columns, and whether one of its times is infinite.
func (v *joined) selected(event, created string) (list []string) {
	for i, c := range v.columns {
		list = append(list, c.sql+" AS c"+strconv.Itoa(i))
	}
	return append(list, infiniteSQL(event, created)+" AS infinite")
}

func infiniteSQL(event, created string) string {
	sql := "NOT isfinite(" + event + ")"
	if created != "" {
		sql += " OR NOT isfinite(" + created + ")"
	}
	return sql
}

func lateral(name, selected, from string, conditions []string, order string) string {
	return "LEFT JOIN LATERAL (\n  SELECT " + selected + "\n  FROM " + from + "\n  WHERE " + strings.Join(conditions, "\n    AND ") +
		"\n  ORDER BY " + order + "\n  LIMIT 1\n) AS " + name + " ON true\n"
}

// probeRows joins the copied rows of a view by one probe of their index.
func (v *joined) probeRows(n int) string {
	same := v.equals(func(i int, _ joinedKey) string { return "source.k" + strconv.Itoa(i) })
	order, created := "source.at DESC", ""
	if v.created != nil {
		order, created = order+", source.made DESC NULLS LAST", "source.made"
	}
	for i := range v.table.places() {
		order += ", source.place" + strconv.Itoa(i)
	}
	var list []string
	for i := range v.columns {
		list = append(list, "source.c"+strconv.Itoa(i))
	}
	list = append(list, infiniteSQL("source.at", created)+" AS infinite")
	return lateral("v"+strconv.Itoa(n), strings.Join(list, ", "), v.rows+" AS source", append(same, v.times("source.at", created)...), order)
}

// rowsOf selects what is copied of a view: keys, times, the place of the row in the
// source's order, and features.
func (v *joined) rowsOf(conditions ...string) string {
	var list []string
	for i, k := range v.keys {
		list = append(list, k.plain(k.sql)+" AS k"+strconv.Itoa(i))
	}
	list = append(list, v.event.sql+" AS at")
	if v.created != nil {
		list = append(list, v.created.sql+" AS made")
	}
	for i, place := range v.table.places() {
		list = append(list, place+" AS place"+strconv.Itoa(i))
	}
	for i, c := range v.columns {
		list = append(list, c.sql+" AS c"+strconv.Itoa(i))
	}
	sql := "SELECT " + strings.Join(list, ", ") + "\nFROM " + v.from + " AS source"
	if len(conditions) > 0 {
		sql += "\nWHERE " + strings.Join(conditions, " AND ")
	}
	return sql
}

func (v *joined) createRows() string {
	return "CREATE TEMP TABLE " + v.rows + " ON COMMIT DROP AS\n" + v.rowsOf() + "\nWITH NO DATA"
}

// copyRows copies the rows whose keys some entity row has and whose times lie
// within those of all entity rows. The rows of a query are numbered before the
// server may change their order.
func (v *joined) copyRows(e *entityRows) (sql string, params [][]byte) {
	conditions := []string{v.event.sql + " <= " + v.event.like("$1::timestamptz")}
	params = append(params, nil)
	if e.last != math.MinInt64 {
		params[0] = binary.BigEndian.AppendUint64(nil, uint64(e.last))
	}
	if v.since >= 0 {
		conditions = append(conditions, v.event.sql+" >= "+v.event.like("$2::timestamptz"))
		params = append(params, nil)
		if first := e.first[v.since]; first != math.MaxInt64 {
			params[1] = binary.BigEndian.AppendUint64(nil, uint64(first))
		}
	}
	sql = "INSERT INTO " + v.rows + "\nSELECT taken.*\nFROM (\n" + v.rowsOf(conditions...) + "\n) AS taken"
	if same := v.equals(func(i int, _ joinedKey) string { return "taken.k" + strconv.Itoa(i) }); len(same) > 0 {
		sql += "\nWHERE EXISTS (SELECT FROM " + e.table + " AS e WHERE " + strings.Join(same, " AND ") + ")"
	}
	return sql, params
}

// indexRows makes the index of copied rows in the order in which they are chosen.
// Keys that are too long for an index are left out of it.
func (v *joined) indexRows(long bool) string {
	var columns []string
	for i, k := range v.keys {
		if !long || k.as != "text" && k.as != "bytea" {
			columns = append(columns, "k"+strconv.Itoa(i))
		}
	}
	columns = append(columns, "at DESC")
	if v.created != nil {
		columns = append(columns, "made DESC NULLS LAST")
	}
	for i := range v.table.places() {
		columns = append(columns, "place"+strconv.Itoa(i))
	}
	return "CREATE INDEX ON " + v.rows + " (" + strings.Join(columns, ", ") + ")"
}
