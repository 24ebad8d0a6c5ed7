package transform

import (
	"math"
	"sort"
)

// edges are the ascending bounds of intervals.
func (m *machine) edges(fn string, v val) ([]float64, error) {
	if v.k != kColumn && !v.isSequence() {
		return nil, outside("%s without a list of bounds is not supported", fn)
	}
	all, err := m.listed(v)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(all))
	for i, x := range all {
		if !x.isNumber() || x.k == kInt && math.Abs(float64(x.i)) > 1<<53 {
			return nil, outside("%s with a bound that is a %s is not supported", fn, x.typeName())
		}
		if out[i] = x.float(); i > 0 && !(out[i-1] <= out[i]) {
			return nil, outside("%s with bounds that do not increase is not supported", fn)
		}
	}
	return out, nil
}

// searched is the place of each row among bounds: of the first that is not below it, or
// with right of the first that is above it. A null is behind all.
func (m *machine) searched(fn string, v val, bounds []float64, right bool) (*column, error) {
	c := v.col()
	if v.k == kColumn && c.n == 0 {
		return m.mem.column(dInt64, 0), nil
	}
	if v.k != kColumn || !c.dt.isNumber() {
		return nil, &failure{class: "TypeError", text: fn + " of a " + v.typeName() + " is not supported", outside: v.k != kColumn, data: v.k == kColumn && c.dt == dObject}
	}
	out := m.mem.column(dInt64, c.n)
	for i, x := range m.floats(operandOf(v)) {
		out.ints[i] = int64(sort.Search(len(bounds), func(j int) bool { return bounds[j] > x || !right && bounds[j] == x }))
		if x != x {
			out.ints[i] = int64(len(bounds))
		}
	}
	return out, nil
}

// npDigitize is numpy.digitize with ascending bounds.
func npDigitize(m *machine, a *args) (val, error) {
	if err := a.known("np.digitize()", 3, "x", "bins", "right"); err != nil {
		return val{}, err
	}
	x, ok := a.get(0, "x")
	bins, ok2 := a.get(1, "bins")
	right, _ := a.get(2, "right")
	if !ok || !ok2 {
		return val{}, orMissing(nil, "np.digitize()")
	}
	bounds, err := m.edges("np.digitize()", bins)
	if err != nil {
		return val{}, err
	}
	return m.placed("np.digitize()", x, bounds, right.i == 0)
}

// placed is searched, as an array, or as a number for a number.
func (m *machine) placed(fn string, x val, bounds []float64, right bool) (val, error) {
	scalar := x.isNumber()
	if scalar || x.isSequence() {
		items := []val{x}
		if !scalar {
			items = x.ref.(*list).items
		}
		c, err := m.array(listVal(items))
		if err != nil {
			return val{}, err
		}
		x = colVal(c)
	}
	out, err := m.searched(fn, x, bounds, right)
	if err != nil {
		return val{}, err
	}
	if scalar {
		return val{k: kInt, w: dInt64, i: out.ints[0]}, nil
	}
	out.array = true
	return colVal(out), nil
}

// npSearchsorted is numpy.searchsorted.
func npSearchsorted(m *machine, a *args) (val, error) {
	if err := a.known("np.searchsorted()", 2, "a", "v", "side"); err != nil {
		return val{}, err
	}
	bins, ok := a.get(0, "a")
	x, ok2 := a.get(1, "v")
	side, given := a.get(-1, "side")
	if !ok || !ok2 || given && side.s != "left" && side.s != "right" {
		return val{}, outside("np.searchsorted() with these arguments is not supported")
	}
	bounds, err := m.edges("np.searchsorted()", bins)
	if err != nil {
		return val{}, err
	}
	return m.placed("np.searchsorted()", x, bounds, side.s == "right")
}

// pdCut is pandas.cut with bounds, and with labels or numbers of the intervals.
func pdCut(m *machine, a *args) (val, error) {
	if err := a.known("pd.cut()", 2, "x", "bins", "right", "labels", "include_lowest", "ordered"); err != nil {
		return val{}, err
	}
	x, ok := a.get(0, "x")
	if !ok || x.k != kColumn || x.col().array {
		return val{}, outside("pd.cut() is supported for a column and a list of bounds")
	}
	bounds, err := m.distinctEdges(a)
	if err != nil {
		return val{}, err
	}
	at, err := m.intervals(x, bounds, a)
	if err != nil {
		return val{}, err
	}
	labels, ok := a.get(-1, "labels")
	switch {
	case !ok || labels.k == kNone:
		return val{}, outside("pd.cut() without labels= is not supported")
	case labels.k == kBool && labels.i == 0:
		return m.numbered(at, len(bounds)), nil
	}
	return m.labelled(at, labels, len(bounds))
}

// distinctEdges are the bounds of pd.cut.
func (m *machine) distinctEdges(a *args) ([]float64, error) {
	bins, ok := a.get(1, "bins")
	if !ok {
		return nil, orMissing(nil, "pd.cut()")
	}
	bounds, err := m.edges("pd.cut()", bins)
	for i, b := range bounds {
		if i > 0 && b == bounds[i-1] {
			return nil, &failure{class: "ValueError", text: "Bin edges must be unique"}
		}
	}
	return bounds, err
}

// intervals is the number of each row's interval from 1; others are outside of all.
func (m *machine) intervals(x val, bounds []float64, a *args) (*column, error) {
	right, err := flagOf(a, "right", true)
	if err != nil {
		return nil, err
	}
	lowest, err := flagOf(a, "include_lowest", false)
	if err != nil {
		return nil, err
	}
	at, err := m.searched("pd.cut()", x, bounds, !right)
	if err != nil || !lowest || len(bounds) == 0 {
		return at, err
	}
	for i := range at.ints {
		if x.col().at(i).float() == bounds[0] {
			at.ints[i] = 1
		}
	}
	return at, nil
}

// inInterval reports whether an interval is one of those between bounds.
func inInterval(n int64, bounds int) bool { return n > 0 && n < int64(bounds) }

// numbered gives each row the number of its interval from 0.
func (m *machine) numbered(at *column, bounds int) val {
	out := m.mem.column(dFloat64, at.n)
	nulls := false
	for i, n := range at.ints {
		out.floats[i] = float64(n - 1)
		at.ints[i]--
		if !inInterval(n, bounds) {
			out.floats[i], nulls = math.NaN(), true
		}
	}
	if !nulls {
		return colVal(at)
	}
	return colVal(out)
}

// labelled gives each row the label of its interval.
func (m *machine) labelled(at *column, labels val, bounds int) (val, error) {
	if !labels.isSequence() {
		return val{}, outside("labels= of pd.cut() other than a list or False is not supported")
	}
	all := labels.ref.(*list).items
	if err := distinctLabels(all, bounds-1); err != nil {
		return val{}, err
	}
	out := m.mem.column(dObject, at.n)
	out.ext = extCategory
	for i, n := range at.ints {
		if out.objs[i] = floatVal(math.NaN()); inInterval(n, bounds) {
			out.objs[i] = all[n-1]
		}
	}
	return colVal(out), nil
}

// distinctLabels checks labels as pandas does.
func distinctLabels(all []val, n int) error {
	if len(all) != n {
		return &failure{class: "ValueError", text: "Bin labels must be one fewer than the number of bin edges"}
	}
	s := look(all)
	if s.others != n && s.ints != n && s.floats != n {
		return outside("labels= of pd.cut() of several types are not supported")
	}
	if d, err := setOf(all); err != nil || len(d.ref.(*list).items) != n {
		return &failure{class: "ValueError", text: "labels must be unique if ordered=True"}
	}
	return nil
}
