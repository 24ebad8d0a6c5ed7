package value

import (
	"reflect"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
)

// DecimalText is the Arrow type of decimal numbers of any size, each with its
// own scale, such as PostgreSQL's numeric: text in plain notation ("12.30"),
// and NaN. Arrow's own decimals have one scale per column and a limited size.
type DecimalText struct {
	arrow.ExtensionBase
	// scaled marks decimals that Feast reads as Python's: their text has their scale.
	scaled bool
}

// NewDecimalText makes the type of PostgreSQL's numeric.
func NewDecimalText() *DecimalText {
	return &DecimalText{ExtensionBase: arrow.ExtensionBase{Storage: arrow.BinaryTypes.String}}
}

// NewScaledDecimalText makes the type of Arrow's decimals of several scales in
// one column. They become what they would become each in a column of its scale.
func NewScaledDecimalText() *DecimalText {
	t := NewDecimalText()
	t.scaled = true
	return t
}

// ArrayType is the type of the arrays.
func (*DecimalText) ArrayType() reflect.Type { return reflect.TypeFor[DecimalTextArray]() }

// ExtensionName names the type.
func (*DecimalText) ExtensionName() string { return "banquet.decimal_text" }

// String is the name of the type in messages.
func (*DecimalText) String() string { return "decimal" }

// ExtensionEquals reports whether other is the same type.
func (t *DecimalText) ExtensionEquals(other arrow.ExtensionType) bool {
	o, same := other.(*DecimalText)
	return same && o.scaled == t.scaled
}

const scaledMark = "scaled"

// Serialize returns the parameters of the type.
func (t *DecimalText) Serialize() string {
	if t.scaled {
		return scaledMark
	}
	return ""
}

// Deserialize restores the type.
func (*DecimalText) Deserialize(storage arrow.DataType, parameters string) (arrow.ExtensionType, error) {
	if storage.ID() != arrow.STRING {
		return nil, fault.New(fault.Invalid, "decimals are kept as text, not as %s", storage)
	}
	if parameters == scaledMark {
		return NewScaledDecimalText(), nil
	}
	return NewDecimalText(), nil
}

// DecimalTextArray is a column of decimals.
type DecimalTextArray struct {
	array.ExtensionArrayBase
}

// Value gives a decimal that is not null.
func (a *DecimalTextArray) Value(row int) string {
	text, ok := a.Storage().(*array.String)
	if !ok {
		return ""
	}
	return text.Value(row)
}

// ValueStr gives the text of a row.
func (a *DecimalTextArray) ValueStr(row int) string {
	if a.IsNull(row) {
		return array.NullValueStr
	}
	return a.Value(row)
}
