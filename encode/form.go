package encode

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/value"
)

const (
	// SentEvent is the column of event times in rows that Feast's SDK sends, whatever the
	// source calls its own.
	SentEvent = "event_timestamp"
	// SentCreated is its column of created times.
	SentCreated = "created"
)

// Column is a column of rows that somebody writes. A Scalar has one cell, which
// all rows share.
type Column struct {
	Name   string
	Cells  value.Cells
	Scalar bool
}

// Form says which columns of rows that somebody writes make the rows of a view,
// and the type of each. It is made once for a view and safe for concurrent use.
type Form struct {
	view           *registry.View
	keys, cells    []field
	event, created []string // the names under which a time may be sent, best first
	key            *value.KeyLayout
	dummy          []byte
	// lenient is set for an on-demand view: as in Feast, a feature that is not sent is null,
	// and a row without an event time has the time of the write.
	lenient bool
}

// field is a join key or a feature, with the names under which it may be sent.
type field struct {
	names []string
	kind  types.ValueType_Enum
}

// NewForm makes the form of a view. Columns have the names of the view or those of
// its batch source. A view without entities has no key column.
func NewForm(v *registry.View, keyVersion int) (*Form, error) {
	original := Originals(v.Batch.GetFieldMapping())
	f := &Form{view: v, lenient: v.Kind == registry.OnDemandView}
	joinKeys := make([]string, 0, len(v.JoinKeys))
	for _, k := range v.JoinKeys {
		joinKeys = append(joinKeys, k.Name)
		if !v.Entityless {
			f.keys = append(f.keys, field{distinct(k.Name, original(k.Name)), k.Type})
		}
	}
	for _, feature := range v.Features {
		f.cells = append(f.cells, field{distinct(feature.Name, original(feature.Name)), feature.Type})
	}
	f.event = f.timeNames(v.Batch.GetTimestampField(), SentEvent, original)
	if c := v.Batch.GetCreatedTimestampColumn(); c != "" {
		f.created = f.timeNames(c, SentCreated, original)
	}
	f.key = value.NewKeyLayout(keyVersion, joinKeys)
	if v.Entityless {
		var err error
		if f.dummy, err = f.key.Append(nil, [][]byte{value.AppendString(nil, "")}); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// timeNames are the names under which a time may be sent. The source's name of a time
// that is also a feature or a key comes last: Feast's SDK sends such a feature under it,
// and the time under its own name.
func (f *Form) timeNames(name, sent string, original func(string) string) []string {
	if name == "" {
		return []string{sent}
	}
	own := distinct(original(name), name)
	for _, list := range [][]field{f.keys, f.cells} {
		for _, c := range list {
			if slices.Contains(own, c.names[0]) {
				return distinct(append([]string{sent}, own...)...)
			}
		}
	}
	return distinct(append(own, sent)...)
}

func distinct(names ...string) []string {
	var out []string
	for _, n := range names {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// Rows are rows that somebody writes, bound to the form of a view. Only one goroutine
// at a time may use them.
type Rows struct {
	// First is the number of the first row in messages.
	First int
	// Now is the time of rows of an on-demand view that have none.
	Now time.Time

	form           *Form
	rows           int
	keys, cells    []bound
	event, created bound // without Cells: there is none
	parts          [][]byte
	scratch        []byte
}

// bound is a field with its column.
type bound struct {
	Column
	kind   types.ValueType_Enum
	paired bool // each row has two cells, which are equal
}

func (b *bound) at(row int) int {
	switch {
	case b.Scalar:
		return 0
	case b.paired:
		return 2 * row
	}
	return row
}

// Bind finds the columns of the form. A column that is missing, repeated, or has another
// length than the others is an Invalid fault. Other columns are ignored.
func (f *Form) Bind(columns []Column) (*Rows, error) {
	r := &Rows{form: f, parts: make([][]byte, len(f.keys))}
	var missing []string
	find := func(names []string, kind types.ValueType_Enum, optional bool) bound {
		for _, name := range names {
			if i := slices.IndexFunc(columns, func(c Column) bool { return c.Name == name }); i >= 0 {
				return bound{Column: columns[i], kind: kind}
			}
		}
		if !optional {
			missing = append(missing, names[0])
		}
		return bound{Column: Column{Name: names[0]}, kind: kind}
	}
	for _, k := range f.keys {
		r.keys = append(r.keys, find(k.names, k.kind, false))
	}
	for _, c := range f.cells {
		r.cells = append(r.cells, find(c.names, c.kind, f.lenient))
	}
	r.event = find(f.event, types.ValueType_UNIX_TIMESTAMP, f.lenient)
	if f.created != nil {
		r.created = find(f.created, types.ValueType_UNIX_TIMESTAMP, f.lenient)
	}
	if len(missing) > 0 {
		return nil, f.fault("the rows lack %s", listOf("column", missing))
	}
	if err := f.checkRepeats(columns); err != nil {
		return nil, err
	}
	return r, r.measure(columns)
}

// listOf names columns.
func listOf(what string, names []string) string {
	const most = 10
	more := ""
	if len(names) > most {
		names, more = names[:most], fmt.Sprintf(" and %d more", len(names)-most)
	}
	if len(names) > 1 {
		what += "s"
	}
	return what + " " + strings.Join(names, ", ") + more
}

func (f *Form) fault(format string, args ...any) error {
	return fault.New(fault.Invalid, "feature view %s: %s", f.view.Name, fmt.Sprintf(format, args...)).
		About("feature view", f.view.Name, f.view.Project)
}

func (f *Form) checkRepeats(columns []Column) error {
	seen := make(map[string]bool, len(columns))
	for _, c := range columns {
		if seen[c.Name] {
			return f.fault("the rows have two columns %s; send each column once", c.Name)
		}
		seen[c.Name] = true
	}
	return nil
}

// measure checks the lengths of the columns. Feast's SDK sends each key of an on-demand
// view twice: 1, 1, 2, 2.
func (r *Rows) measure(columns []Column) error {
	first := -1
	for i := range columns {
		if !columns[i].Scalar && !r.isKey(columns[i].Name) {
			first = i
			break
		}
	}
	if first < 0 {
		first = slices.IndexFunc(columns, func(c Column) bool { return !c.Scalar })
	}
	if first < 0 {
		return r.form.fault("each column is a single value; send at least one of them as a list")
	}
	r.rows = columns[first].Cells.Len()
	for _, c := range columns {
		if c.Scalar || c.Cells.Len() == r.rows {
			continue
		}
		if r.pair(c.Name) {
			continue
		}
		return r.form.fault("column %s has %d rows, column %s has %d; all columns of a frame must have the same number", columns[first].Name, r.rows, c.Name, c.Cells.Len())
	}
	return nil
}

func (r *Rows) isKey(name string) bool {
	return slices.ContainsFunc(r.keys, func(b bound) bool { return b.Name == name })
}

// pair reports whether a column is a join key of an on-demand view with two equal cells
// for each row, and then reads one of them.
func (r *Rows) pair(name string) bool {
	i := slices.IndexFunc(r.keys, func(b bound) bool { return b.Name == name })
	if i < 0 || r.form.view.Kind != registry.OnDemandView {
		return false
	}
	b := &r.keys[i]
	if b.Cells.Len() != 2*r.rows {
		return false
	}
	for row := range r.rows {
		first, err := b.Cells.Append(nil, 2*row, b.kind, value.Exact)
		second, other := b.Cells.Append(nil, 2*row+1, b.kind, value.Exact)
		if err != nil || other != nil || !bytes.Equal(first, second) {
			return false
		}
	}
	b.paired = true
	return true
}

// Len is the number of rows.
func (r *Rows) Len() int { return r.rows }

// Times returns the event time of a row and its created time, zero when it has none. A
// row without an event time is an Invalid fault.
func (r *Rows) Times(row int) (event, created time.Time, err error) {
	event, ok, err := r.time(&r.event, row)
	switch {
	case err != nil:
		return event, created, err
	case !ok && r.form.lenient:
		event = r.Now
	case !ok:
		return event, created, r.rowFault(row, "column "+r.event.Name+" has no event time")
	}
	created, ok, err = r.time(&r.created, row)
	if !ok {
		created = time.Time{}
		if r.form.lenient {
			created = event
		}
	}
	return event, created, err
}

func (r *Rows) time(b *bound, row int) (time.Time, bool, error) {
	if b.Cells == nil {
		return time.Time{}, false, nil
	}
	t, ok, err := b.Cells.Time(b.at(row))
	if err != nil {
		return t, false, r.cellFault(b, row, err)
	}
	return t, ok, nil
}

// AppendKey appends the entity key of a row. A null join key is an Invalid fault.
func (r *Rows) AppendKey(dst []byte, row int) ([]byte, error) {
	if r.form.dummy != nil {
		return append(dst, r.form.dummy...), nil
	}
	r.scratch = r.scratch[:0]
	var ends [8]int
	bounds := ends[:0]
	for i := range r.keys {
		b := &r.keys[i]
		start := len(r.scratch)
		var err error
		if r.scratch, err = b.Cells.Append(r.scratch, b.at(row), b.kind, value.Exact); err != nil {
			return nil, r.cellFault(b, row, err)
		}
		if len(r.scratch) == start {
			return nil, r.rowFault(row, "join key "+b.Name+" is null")
		}
		bounds = append(bounds, len(r.scratch))
	}
	start := 0
	for i, end := range bounds {
		r.parts[i] = r.scratch[start:end]
		start = end
	}
	dst, err := r.form.key.Append(dst, r.parts)
	if err != nil {
		return nil, r.rowFault(row, fault.Of(err).Text)
	}
	return dst, nil
}

// AppendValues appends the serialized features of a row, in the view's order, to dst,
// and the length of dst after each of them to ends.
func (r *Rows) AppendValues(dst []byte, ends []int, row int) ([]byte, []int, error) {
	for i := range r.cells {
		b := &r.cells[i]
		if b.Cells == nil {
			ends = append(ends, len(dst))
			continue
		}
		start := len(dst)
		var err error
		if dst, err = b.Cells.Append(dst, b.at(row), b.kind, value.AsFeature); err == nil {
			err = value.CheckTimes(dst[start:])
		}
		if err != nil {
			return nil, nil, r.cellFault(b, row, err)
		}
		ends = append(ends, len(dst))
	}
	return dst, ends, nil
}

// cellFault names the cell of an error.
func (r *Rows) cellFault(b *bound, row int, err error) error {
	return r.fault(row, "column "+b.Name+", ", fault.Of(err).Text, err)
}

func (r *Rows) rowFault(row int, why string) error { return r.fault(row, "", why, nil) }

func (r *Rows) fault(row int, column, why string, err error) error {
	v := r.form.view
	kind := fault.Invalid
	if err != nil {
		kind = fault.KindOf(err)
	}
	return fault.New(kind, "feature view %s, %s%s: %s", v.Name, column, r.RowName(row), why).
		About("feature view", v.Name, v.Project).Because(err)
}

// RowName names a row in messages: by its number, from First, and its join keys.
func (r *Rows) RowName(row int) string {
	name := fmt.Sprintf("row %d", r.First+row)
	if len(r.keys) == 0 {
		return name
	}
	keys := make([]string, len(r.keys))
	for i := range r.keys {
		keys[i] = r.keys[i].Name + "=" + r.keys[i].Cells.Text(r.keys[i].at(row))
	}
	return name + " (" + strings.Join(keys, ", ") + ")"
}
