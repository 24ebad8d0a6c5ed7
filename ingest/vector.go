package ingest

import (
	"bytes"
	"strconv"

	"github.com/banquet-fs/banquet/encode"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/value"
)

// vectorLengths compares the lengths of a view's vectors over the rows to write. Feast
// has these rows newest first: the first with a vector decides, and the first that
// differs is the error. They come in the order of their keys.
type vectorLengths struct {
	vector *encode.Vector // nil: the view has none
	// first is the newest row with a vector, other the newest whose length is not that
	// of first, or not the declared one.
	first, other sizedRow
}

// sizedRow is a row and the length of its vector; the row is nil if there is none.
type sizedRow struct {
	row    packed
	length int
}

// sooner reports whether r replaces old: whether it is newer.
func (r sizedRow) sooner(old sizedRow) bool { return old.row == nil || r.row.before(old.row) }

// kept is a copy for which the row may change.
func (r sizedRow) kept() sizedRow { return sizedRow{bytes.Clone(r.row), r.length} }

func (l *vectorLengths) add(row packed) {
	if l.vector == nil {
		return
	}
	n, ok := value.ListLen(row.value(l.vector.At))
	if !ok {
		return // a null
	}
	r := sizedRow{row, n}
	switch want := l.vector.Declared(); {
	case want > 0 && n == want:
	case want > 0:
		if r.sooner(l.other) {
			l.other = r.kept()
		}
	case r.sooner(l.first):
		if l.first.row != nil && l.first.length != n {
			l.other = l.first
		}
		l.first = r.kept()
	case n != l.first.length && r.sooner(l.other):
		l.other = r.kept()
	}
}

// check returns the error for the vectors of all rows.
func (l *vectorLengths) check(r *reading) error {
	if l.other.row == nil {
		return nil
	}
	want := l.first.length
	if n := l.vector.Declared(); n > 0 {
		want = n
	}
	rows, err := r.pile.rows()
	if err != nil {
		return err
	}
	place := 0
	for {
		row, err := rows.row()
		if err != nil {
			return err
		}
		if row == nil {
			break
		}
		if row.before(l.other.row) {
			place++
		}
	}
	name := r.layout.RowName(l.other.row.key(), l.other.row.event().time())
	return fault.New(fault.Invalid, "%s It is %s; correct the source, or the vector_length of the feature.",
		fault.Of(l.vector.Mismatch(strconv.Itoa(place), l.other.length, want)).Text, name).About("feature view", r.view.Name, r.view.Project)
}
