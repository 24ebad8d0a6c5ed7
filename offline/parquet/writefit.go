package parquet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/value"
)

// fitting converts a column of rows to a column of a file.
type fitting struct {
	from arrow.DataType
	// to is the type that the column declares, stored the one that holds it.
	to, stored arrow.DataType
	nullable   bool
}

// fittingOf is the fitting to a column of a file, and the field of it as it is
// stored. A dictionary is written as its values: each row group of Parquet has
// its own.
func fittingOf(c *fileColumn) (fitting, arrow.Field) {
	f := fitting{to: unpacked(c.field.Type), stored: lists(unpacked(c.raw.Field.Type)), nullable: c.raw.Field.Nullable}
	return f, arrow.Field{Name: c.field.Name, Type: f.stored, Nullable: f.nullable}
}

func unpacked(t arrow.DataType) arrow.DataType {
	if d, ok := t.(*arrow.DictionaryType); ok {
		return unpacked(d.ValueType)
	}
	return t
}

// kept is the type in which Create keeps cells of a type.
func kept(t arrow.DataType) arrow.DataType {
	switch t := t.(type) {
	case *value.DecimalText, *arrow.StringViewType:
		return arrow.BinaryTypes.String
	case *arrow.BinaryViewType:
		return arrow.BinaryTypes.Binary
	case *arrow.DictionaryType:
		return kept(t.ValueType)
	case *arrow.ListType:
		return arrow.ListOfField(retyped(t.ElemField(), kept(t.Elem())))
	}
	return lists(t)
}

// lists replaces lists of a fixed length: Parquet stores them as others, and
// arrow-go does not write a null of them.
func lists(t arrow.DataType) arrow.DataType {
	switch t := t.(type) {
	case *arrow.FixedSizeListType:
		return arrow.ListOfField(retyped(t.ElemField(), lists(t.Elem())))
	case *arrow.MapType:
		return arrow.MapOfFields(retyped(t.KeyField(), lists(t.KeyType())), retyped(t.ItemField(), lists(t.ItemType())))
	case *arrow.ListType:
		return arrow.ListOfField(retyped(t.ElemField(), lists(t.Elem())))
	case *arrow.LargeListType:
		return arrow.LargeListOfField(retyped(t.ElemField(), lists(t.Elem())))
	case *arrow.StructType:
		fields := t.Fields()
		for i := range fields {
			fields[i].Type = lists(fields[i].Type)
		}
		return arrow.StructOf(fields...)
	}
	return t
}

// cellError is a cell that does not fit.
type cellError struct {
	row int
	why error
}

func (e *cellError) Error() string { return e.why.Error() }

// placeOf is the row of an error.
func placeOf(err error) (int, error) {
	var cell *cellError
	if errors.As(err, &cell) {
		return cell.row, cell.why
	}
	return 0, err
}

// nullAt reports whether a cell is null, however it is packed.
func nullAt(a arrow.Array, row int) bool {
	if d, ok := a.(*array.Dictionary); ok {
		return d.IsNull(row) || nullAt(d.Dictionary(), d.GetValueIndex(row))
	}
	return a.DataType().ID() == arrow.NULL || a.IsNull(row)
}

var errNull = errors.New("the cell is null, and the column must not be")

// convert makes a column as it is stored. The caller releases it.
func (f *fitting) convert(ctx context.Context, a arrow.Array) (arrow.Array, error) {
	if !f.nullable {
		for row := range a.Len() {
			if nullAt(a, row) {
				return nil, &cellError{row, errNull}
			}
		}
	}
	out, err := fitted(ctx, a, f.to)
	if err != nil || arrow.TypeEqual(out.DataType(), f.stored) {
		return out, err
	}
	defer out.Release()
	if f.to.ID() == arrow.BOOL { // stored as bytes
		return compute.CastArray(ctx, out, compute.SafeCastOptions(f.stored))
	}
	data := restored(out.Data(), f.stored)
	defer data.Release()
	return array.MakeFromData(data), nil
}

// fits reports whether cells of one type may be written to a column of another.
func fits(from, to arrow.DataType) bool {
	if d, ok := from.(*arrow.DictionaryType); ok {
		return fits(d.ValueType, to)
	}
	switch {
	case arrow.TypeEqual(from, to), from.ID() == arrow.NULL:
		return true
	case isTime(to):
		return isTime(from) || isText(from)
	case isDecimal(to), isNumber(to) || isInt(to):
		return isNumber(from) || isDecimal(from)
	case isText(to):
		_, decimal := from.(*value.DecimalText)
		return isText(from) || decimal
	case isBytes(to):
		return isBytes(from)
	}
	if x, ok := from.(arrow.ExtensionType); ok {
		return fits(x.StorageType(), to)
	}
	return fitsNested(from, to)
}

// fitsNested is fits for nested types and those that differ in their unit alone.
func fitsNested(from, to arrow.DataType) bool {
	switch t := to.(type) {
	case *arrow.StructType:
		s, ok := from.(*arrow.StructType)
		if !ok || s.NumFields() != t.NumFields() {
			return false
		}
		for _, f := range t.Fields() {
			own, ok := s.FieldByName(f.Name)
			if !ok || !fits(own.Type, f.Type) {
				return false
			}
		}
		return true
	case *arrow.MapType:
		m, ok := from.(*arrow.MapType)
		return ok && fits(m.KeyType(), t.KeyType()) && fits(m.ItemType(), t.ItemType())
	case *arrow.ListType, *arrow.LargeListType, *arrow.FixedSizeListType:
		switch from.ID() {
		case arrow.LIST, arrow.LARGE_LIST, arrow.FIXED_SIZE_LIST:
			return fits(from.(arrow.ListLikeType).Elem(), to.(arrow.ListLikeType).Elem())
		}
		return false
	case *arrow.DurationType:
		return from.ID() == arrow.DURATION
	case *arrow.Time32Type, *arrow.Time64Type:
		return from.ID() == arrow.TIME32 || from.ID() == arrow.TIME64
	}
	return false
}

// fitted converts an array to a type that it fits, cell by cell; lists of a fixed
// length become others. A cell that would lose something is a cellError.
func fitted(ctx context.Context, a arrow.Array, to arrow.DataType) (arrow.Array, error) {
	from := a.DataType()
	switch {
	case from.ID() == arrow.NULL:
		return array.MakeArrayOfNull(memory.DefaultAllocator, lists(to), a.Len()), nil
	case arrow.TypeEqual(from, to) && !arrow.IsNested(to.ID()):
		a.Retain()
		return a, nil
	}
	switch t := to.(type) {
	case *arrow.StructType, *arrow.MapType, *arrow.ListType, *arrow.LargeListType, *arrow.FixedSizeListType:
		return fittedNested(ctx, a, t)
	}
	if put := fitCell(to); put != nil {
		return eachCell(a, to, put)
	}
	if x, ok := a.(array.ExtensionArray); ok {
		return fitted(ctx, x.Storage(), to)
	}
	cast, err := compute.CastArray(ctx, a, compute.SafeCastOptions(to))
	if err != nil {
		return nil, &cellError{failingCell(ctx, a, to), fmt.Errorf("the cell does not fit %s", to)}
	}
	return cast, nil
}

// failingCell finds the cell that a cast refuses.
func failingCell(ctx context.Context, a arrow.Array, to arrow.DataType) int {
	for row := range a.Len() {
		one := array.NewSlice(a, int64(row), int64(row+1))
		cast, err := compute.CastArray(ctx, one, compute.SafeCastOptions(to))
		one.Release()
		if err != nil {
			return row
		}
		cast.Release()
	}
	return 0
}

// eachCell builds an array out of cells that are not packed and not null.
func eachCell(a arrow.Array, to arrow.DataType, put func(b array.Builder, a arrow.Array, row int) error) (arrow.Array, error) {
	b := array.NewBuilder(memory.DefaultAllocator, to)
	defer b.Release()
	b.Reserve(a.Len())
	for row := range a.Len() {
		if nullAt(a, row) {
			b.AppendNull()
			continue
		}
		cells, at := a, row
		for {
			d, ok := cells.(*array.Dictionary)
			if !ok {
				break
			}
			cells, at = d.Dictionary(), d.GetValueIndex(at)
		}
		if err := put(b, cells, at); err != nil {
			return nil, &cellError{row, err}
		}
	}
	return b.NewArray(), nil
}

// fitCell chooses how a cell is added to a column of a type; nil for types that a
// cast converts.
func fitCell(to arrow.DataType) func(b array.Builder, a arrow.Array, row int) error {
	switch {
	case isTime(to):
		return fitTime
	case arrow.IsDecimal(to.ID()):
		return fitDecimal
	case isInt(to):
		return fitInt
	case arrow.IsFloating(to.ID()):
		return fitFloat
	case isText(to):
		return fitText
	case isBytes(to):
		return fitBytes
	}
	return nil
}

func fitText(b array.Builder, a arrow.Array, row int) error {
	to, ok := b.(array.StringLikeBuilder)
	if !ok {
		return errCell(a)
	}
	switch a := a.(type) {
	case array.StringLike:
		to.Append(a.Value(row))
	case *value.DecimalTextArray:
		to.Append(a.Value(row))
	default:
		return errCell(a)
	}
	return nil
}

func fitBytes(b array.Builder, a arrow.Array, row int) error {
	from, ok := a.(interface{ Value(int) []byte })
	if !ok {
		return errCell(a)
	}
	to, ok := b.(*array.BinaryBuilder)
	if !ok {
		return errCell(a)
	}
	to.Append(from.Value(row))
	return nil
}

// instantAt is a time or a date.
func instantAt(a arrow.Array, row int) (time.Time, error) {
	switch c := a.(type) {
	case *array.Timestamp:
		if v := int64(c.Value(row)); v == value.Infinity || v == value.MinusInfinity {
			return time.Time{}, errors.New("the time is infinite, which files do not hold")
		}
		return c.Value(row).ToTime(timeUnit(c)), nil
	case *array.Date32:
		return c.Value(row).ToTime(), nil
	case *array.Date64:
		return c.Value(row).ToTime(), nil
	case array.StringLike:
		return value.ParseTime(c.Value(row))
	}
	return time.Time{}, errCell(a)
}

func fitTime(b array.Builder, a arrow.Array, row int) error {
	at, err := instantAt(a, row)
	if err != nil {
		return err
	}
	switch b := b.(type) {
	case *array.TimestampBuilder:
		t, ok := b.Type().(*arrow.TimestampType)
		if !ok {
			return errCell(a)
		}
		v, err := toUnit(at, t.Unit)
		if err != nil {
			return err
		}
		if !v.ToTime(t.Unit).Equal(at) {
			return fmt.Errorf("the time %s is finer than the unit of the column, %s", at.Format(time.RFC3339Nano), t.Unit)
		}
		b.Append(v)
	case *array.Date32Builder:
		v := arrow.Date32FromTime(at)
		if !v.ToTime().Equal(at) {
			return fmt.Errorf("the time %s is not a midnight in UTC, and the column holds dates", at.Format(time.RFC3339Nano))
		}
		b.Append(v)
	default:
		return errCell(a)
	}
	return nil
}
