package parquet

import (
	"context"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// unify finds the type of a column over all files. A file that lacks it gives
// nulls as long as another has it.
func unify(ctx context.Context, source *core.DataSource, w want, parts []part) (arrow.DataType, error) {
	var found arrow.DataType
	from := ""
	for _, p := range parts {
		t, err := p.typeOf(ctx, w)
		if err != nil {
			return nil, err
		}
		if t == nil {
			if _, ok := p.at().partitions()[w.name]; !ok {
				continue
			}
			t = partitionType(w, parts)
		}
		if w.time {
			if t, err = timeType(t, w.name, p.at().path); err != nil {
				return nil, fault.New(fault.Invalid, "data source %s: %s", source.GetName(), fault.Of(err).Text).
					About("data source", source.GetName(), source.GetProject())
			}
		}
		if found == nil {
			found, from = t, p.at().path
			continue
		}
		wider, ok := widen(found, t)
		if !ok {
			return nil, fault.New(fault.Invalid, "data source %s: column %s is %s in %s and %s in %s; rewrite one of them",
				source.GetName(), w.name, found, from, t, p.at().path).About("data source", source.GetName(), source.GetProject())
		}
		found = wider
	}
	if found == nil {
		return nil, missing(ctx, source, w.name, parts[0])
	}
	return found, nil
}

// missing names the columns that the source has instead.
func missing(ctx context.Context, source *core.DataSource, name string, first part) error {
	about := func(format string, args ...any) error {
		return fault.New(fault.NotFound, "data source "+source.GetName()+": "+format, args...).About("data source", source.GetName(), source.GetProject())
	}
	if c, ok := first.(*csvFile); ok {
		return about("%s has no column %s%s", first.at().path, name, c.hint())
	}
	columns, err := first.columns(ctx)
	if err != nil {
		return err
	}
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = c.Name
	}
	return about("%s has no column %s; its columns are %s", first.at().path, name, names(list))
}

// partitionType is the type of a column that directory names give. Their values
// are text, as CSV cells are, and are read as the requested type; without one
// they are integers if each is written exactly as an integer is, otherwise
// text, so that 01 stays 01.
func partitionType(w want, parts []part) arrow.DataType {
	switch {
	case w.time:
		return arrow.BinaryTypes.String
	case w.kind != types.ValueType_INVALID:
		return cellType(w.kind)
	}
	for _, p := range parts {
		if v := p.at().partitions()[w.name]; v != "" && !plainInteger(v) {
			return arrow.BinaryTypes.String
		}
	}
	return arrow.PrimitiveTypes.Int64
}

// plainInteger reports whether text is exactly how a 64-bit integer is written.
func plainInteger(text string) bool {
	v, err := strconv.ParseInt(text, 10, 64)
	return err == nil && strconv.FormatInt(v, 10) == text
}

// widen finds the type that holds the values of both, each as it was written.
func widen(a, b arrow.DataType) (arrow.DataType, bool) {
	switch {
	case arrow.TypeEqual(a, b):
		return a, true
	case a.ID() == arrow.NULL:
		return b, true
	case b.ID() == arrow.NULL:
		return a, true
	}
	if d, ok := a.(*arrow.DictionaryType); ok {
		return widen(d.ValueType, b)
	}
	if d, ok := b.(*arrow.DictionaryType); ok {
		return widen(a, d.ValueType)
	}
	return widenScalar(a, b)
}

// widenScalar is widen of two types that are neither null nor a dictionary.
func widenScalar(a, b arrow.DataType) (arrow.DataType, bool) {
	switch {
	case isInt(a) && isInt(b):
		return wideInt(a, b), true
	case isNumber(a) && isNumber(b):
		return arrow.PrimitiveTypes.Float64, true
	case isDecimal(a) && (isDecimal(b) || isInt(b)), isInt(a) && isDecimal(b):
		return value.NewScaledDecimalText(), true
	case isTime(a) && isTime(b):
		return &arrow.TimestampType{Unit: finer(a, b), TimeZone: zone(a, b)}, true
	case isText(a) && isText(b):
		return arrow.BinaryTypes.String, true
	case isBytes(a) && isBytes(b):
		return arrow.BinaryTypes.Binary, true
	}
	return widenNested(a, b)
}

// widenNested finds the type of two lists, structs or maps of one layout.
func widenNested(a, b arrow.DataType) (arrow.DataType, bool) {
	switch a := a.(type) {
	case *arrow.ListType:
		if b, ok := b.(*arrow.ListType); ok {
			elem, ok := widen(a.Elem(), b.Elem())
			return arrow.ListOfField(arrow.Field{Name: a.ElemField().Name, Type: elem, Nullable: true}), ok
		}
	case *arrow.StructType:
		b, ok := b.(*arrow.StructType)
		if !ok || a.NumFields() != b.NumFields() {
			return nil, false
		}
		fields := a.Fields()
		for i := range fields {
			t, ok := widen(fields[i].Type, b.Field(i).Type)
			if !ok || b.Field(i).Name != fields[i].Name {
				return nil, false
			}
			fields[i].Type, fields[i].Nullable = t, true
		}
		return arrow.StructOf(fields...), true
	case *arrow.MapType:
		if b, ok := b.(*arrow.MapType); ok {
			key, okKey := widen(a.KeyType(), b.KeyType())
			item, okItem := widen(a.ItemType(), b.ItemType())
			if okKey && okItem {
				return arrow.MapOf(key, item), true
			}
		}
	}
	return nil, false
}

func isInt(t arrow.DataType) bool    { return arrow.IsInteger(t.ID()) }
func isNumber(t arrow.DataType) bool { return isInt(t) || arrow.IsFloating(t.ID()) }
func isDecimal(t arrow.DataType) bool {
	_, ok := t.(*value.DecimalText)
	return ok || arrow.IsDecimal(t.ID())
}

func isTime(t arrow.DataType) bool {
	return t.ID() == arrow.TIMESTAMP || t.ID() == arrow.DATE32 || t.ID() == arrow.DATE64
}

func isText(t arrow.DataType) bool {
	return t.ID() == arrow.STRING || t.ID() == arrow.LARGE_STRING || t.ID() == arrow.STRING_VIEW
}

func isBytes(t arrow.DataType) bool {
	return t.ID() == arrow.BINARY || t.ID() == arrow.LARGE_BINARY || t.ID() == arrow.BINARY_VIEW
}

// wideInt holds the values of two integer types; a value that does not fit is
// refused with its row.
func wideInt(a, b arrow.DataType) arrow.DataType {
	if a.ID() == arrow.UINT64 && arrow.IsUnsignedInteger(b.ID()) || b.ID() == arrow.UINT64 && arrow.IsUnsignedInteger(a.ID()) {
		return arrow.PrimitiveTypes.Uint64
	}
	return arrow.PrimitiveTypes.Int64
}

func zone(a, b arrow.DataType) string {
	ta, okA := a.(*arrow.TimestampType)
	tb, okB := b.(*arrow.TimestampType)
	if okA && okB && ta.TimeZone == tb.TimeZone {
		return ta.TimeZone
	}
	return "UTC"
}

// adapt converts a column to the type that widen found.
func adapt(ctx context.Context, a arrow.Array, want arrow.DataType, place func(int) string) (arrow.Array, error) {
	from := a.DataType()
	switch {
	case arrow.TypeEqual(from, want):
		a.Retain()
		return a, nil
	case from.ID() == arrow.NULL:
		return array.MakeArrayOfNull(memory.DefaultAllocator, want, a.Len()), nil
	case isTime(want):
		return toTimes(a, want, place)
	case isDecimal(want):
		return decimals(a, want)
	case isNested(want) && isNested(from):
		return adaptNested(ctx, a, want, place)
	}
	cast, err := compute.CastArray(ctx, a, compute.SafeCastOptions(want))
	if err == nil {
		return cast, nil
	}
	if ctx.Err() != nil {
		return nil, fault.Of(ctx.Err())
	}
	for i := range a.Len() { // find the row that failed
		one := array.NewSlice(a, int64(i), int64(i+1))
		single, oneErr := compute.CastArray(ctx, one, compute.SafeCastOptions(want))
		one.Release()
		if oneErr != nil {
			return nil, fault.New(fault.Invalid, "%s: %s does not fit %s, the type of the column in another file", place(i), a.ValueStr(i), want).Because(err)
		}
		single.Release()
	}
	return nil, fault.New(fault.Invalid, "%s: the column cannot be read as %s, its type in another file", place(0), want).Because(err)
}

func isNested(t arrow.DataType) bool {
	return t.ID() == arrow.LIST || t.ID() == arrow.STRUCT || t.ID() == arrow.MAP
}

// childType is the type of a child of a nested type; own if the type says nothing.
func childType(t arrow.DataType, i int, own arrow.DataType) arrow.DataType {
	switch t := t.(type) {
	case *arrow.StructType:
		return t.Field(i).Type
	case arrow.ListLikeType:
		return t.Elem()
	}
	return own
}

func adaptNested(ctx context.Context, a arrow.Array, want arrow.DataType, place func(int) string) (arrow.Array, error) {
	inside := func(int) string { return place(0) + ", or a later row" }
	d := a.Data()
	children := make([]arrow.ArrayData, len(d.Children()))
	for i, child := range d.Children() {
		t := childType(want, i, child.DataType())
		whole := array.MakeFromData(child)
		adapted, err := adapt(ctx, whole, t, inside)
		whole.Release()
		if err != nil {
			return nil, err
		}
		defer adapted.Release()
		children[i] = adapted.Data()
	}
	out := array.NewData(want, d.Len(), d.Buffers(), children, d.NullN(), d.Offset())
	defer out.Release()
	return array.MakeFromData(out), nil
}

// decimals writes numbers out as text, each with its own scale.
func decimals(a arrow.Array, want arrow.DataType) (arrow.Array, error) {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	for i := range a.Len() {
		if a.IsNull(i) {
			b.AppendNull()
			continue
		}
		b.Append(decimalText(a, i))
	}
	text := b.NewArray()
	defer text.Release()
	ext, ok := want.(arrow.ExtensionType)
	if !ok {
		return nil, fault.New(fault.Internal, "decimals are requested as %s", want)
	}
	return array.NewExtensionArrayWithStorage(ext, text), nil
}

func decimalText(a arrow.Array, i int) string {
	switch d := a.(type) {
	case *array.Dictionary:
		return decimalText(d.Dictionary(), d.GetValueIndex(i))
	case *array.Decimal128:
		if t, ok := d.DataType().(*arrow.Decimal128Type); ok {
			return d.Value(i).ToString(t.Scale)
		}
	case *array.Decimal256:
		if t, ok := d.DataType().(*arrow.Decimal256Type); ok {
			return d.Value(i).ToString(t.Scale)
		}
	}
	return a.ValueStr(i)
}
