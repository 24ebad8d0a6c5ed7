package encode

import (
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/value"
)

// Vector says what the feature of a view that is searched by similarity must be: a
// list, of one length in all rows of a table that are not null. The texts of its
// errors are Feast's.
type Vector struct {
	view    *registry.View
	feature *registry.Feature
	// At is the place of the feature among those of the view.
	At int
}

// NewVector returns the vector of a view, nil if no feature of it is one.
func NewVector(v *registry.View) *Vector {
	at := slices.IndexFunc(v.Features, func(f registry.Feature) bool { return f.Spec.GetVectorIndex() })
	if at < 0 {
		return nil
	}
	return &Vector{view: v, feature: &v.Features[at], At: at}
}

// Declared is the length that the feature declares, 0 if it declares none. Then the
// first row that is not null decides.
func (v *Vector) Declared() int { return int(v.feature.Spec.GetVectorLength()) }

// Column refuses a column whose type cannot hold the vector. A column of Arrow's null
// type is one: nothing but nulls.
func (v *Vector) Column(t arrow.DataType) error {
	switch t := t.(type) {
	case *arrow.ListType, *arrow.LargeListType, *arrow.ListViewType, *arrow.LargeListViewType:
		return nil
	case *arrow.FixedSizeListType:
		if n := v.Declared(); n > 0 && n != int(t.Len()) {
			return v.Mismatch("", int(t.Len()), n)
		}
		return nil
	}
	declares := ""
	if n := v.Declared(); n > 0 {
		declares = fmt.Sprintf(" declares vector_length=%d but", n)
	}
	return v.fault("Vector feature '%s' in feature view '%s'%s has non-list Arrow type %s.", v.feature.Name, v.view.Name, declares, value.ArrowName(v.feature.Name, t))
}

// Mismatch is the error for a row with a vector of another length than it must have.
// row is its place in the table, empty for a whole column.
func (v *Vector) Mismatch(row string, got, want int) error {
	if row != "" {
		row = "Row " + row + ": "
	}
	inferred := ""
	if v.Declared() == 0 {
		inferred = ", inferred from the first row"
	}
	return v.fault("%sVector length %d does not match expected %d%s for feature '%s' in feature view '%s'.", row, got, want, inferred, v.feature.Name, v.view.Name)
}

func (v *Vector) fault(format string, args ...any) error {
	return fault.New(fault.Invalid, format, args...).About("feature view", v.view.Name, v.view.Project)
}

// VectorRows checks the rows of one table, which come in their order.
type VectorRows struct {
	vector *Vector
	want   int // -1: not known yet
}

// Rows begins a table.
func (v *Vector) Rows() *VectorRows {
	r := &VectorRows{vector: v, want: -1}
	if n := v.Declared(); n > 0 {
		r.want = n
	}
	return r
}

// Check looks at the serialized value of the next row; row is its place in the table.
func (r *VectorRows) Check(row string, v []byte) error {
	n, ok := value.ListLen(v)
	switch {
	case !ok: // a null; a type that is no list is an error of its own
		return nil
	case r.want < 0:
		r.want = n
	case n != r.want:
		return r.vector.Mismatch(row, n, r.want)
	}
	return nil
}
