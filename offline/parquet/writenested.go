package parquet

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// fittedNested converts the cells within lists, structs and maps.
func fittedNested(ctx context.Context, a arrow.Array, to arrow.DataType) (arrow.Array, error) {
	if x, ok := a.(array.ExtensionArray); ok {
		return fittedNested(ctx, x.Storage(), to)
	}
	switch a := a.(type) {
	case *array.Map:
		t, ok := to.(*arrow.MapType)
		if !ok {
			return nil, errCell(a)
		}
		return fittedList(ctx, a, t, t.Elem())
	case *array.Struct:
		t, ok := to.(*arrow.StructType)
		if !ok {
			return nil, errCell(a)
		}
		return fittedStruct(ctx, a, t)
	case array.ListLike:
		t, ok := to.(arrow.ListLikeType)
		if !ok {
			return nil, errCell(a)
		}
		return fittedList(ctx, a, to, t.Elem())
	}
	return nil, errCell(a)
}

// validity is the bitmap of an array's nulls, from its first row on.
func validity(a arrow.Array) *memory.Buffer {
	if a.NullN() == 0 {
		return nil
	}
	bits := make([]byte, bitutil.BytesForBits(int64(a.Len())))
	for row := range a.Len() {
		bitutil.SetBitTo(bits, row, a.IsValid(row))
	}
	return memory.NewBufferBytes(bits)
}

func fittedStruct(ctx context.Context, a *array.Struct, to *arrow.StructType) (arrow.Array, error) {
	from, ok := a.DataType().(*arrow.StructType)
	if !ok {
		return nil, errCell(a)
	}
	children := make([]arrow.ArrayData, to.NumFields())
	for i, f := range to.Fields() {
		at, ok := from.FieldIdx(f.Name)
		if !ok {
			return nil, errCell(a)
		}
		child, err := fitted(ctx, a.Field(at), f.Type)
		if err != nil {
			return nil, within(err, "field "+f.Name)
		}
		defer child.Release()
		children[i] = child.Data()
	}
	data := array.NewData(lists(to), a.Len(), []*memory.Buffer{validity(a)}, children, a.NullN(), 0)
	defer data.Release()
	return array.MakeFromData(data), nil
}

func within(err error, where string) error {
	row, why := placeOf(err)
	return &cellError{row, fmt.Errorf("%s: %w", where, why)}
}

// fittedList converts the elements of all rows at once. Elements below a null are
// left out: Parquet has no place for them.
func fittedList(ctx context.Context, a array.ListLike, to, element arrow.DataType) (arrow.Array, error) {
	ends := make([]int64, a.Len()+1)
	var picks []int64
	for row := range a.Len() {
		if !a.IsNull(row) {
			from, end := a.ValueOffsets(row)
			for i := from; i < end; i++ {
				picks = append(picks, i)
			}
		}
		ends[row+1] = int64(len(picks))
	}
	values, err := picked(ctx, a.ListValues(), picks)
	if err != nil {
		return nil, err
	}
	defer values.Release()
	inner, err := fitted(ctx, values, element)
	if err != nil {
		at, why := placeOf(err)
		row := 0
		for ends[row+1] <= int64(at) {
			row++
		}
		return nil, &cellError{row, fmt.Errorf("element %d: %w", int64(at)-ends[row]+1, why)}
	}
	defer inner.Release()
	return listOf(a, to, ends, inner)
}

func picked(ctx context.Context, values arrow.Array, picks []int64) (arrow.Array, error) {
	if len(picks) == 0 {
		return array.NewSlice(values, 0, 0), nil
	}
	run := 1 // how many follow one another from the first
	for run < len(picks) && picks[run] == picks[0]+int64(run) {
		run++
	}
	if run == len(picks) {
		return array.NewSlice(values, picks[0], picks[0]+int64(run)), nil
	}
	b := array.NewInt64Builder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(picks, nil)
	at := b.NewArray()
	defer at.Release()
	return compute.TakeArray(ctx, values, at)
}

// listOf makes lists of elements.
func listOf(a arrow.Array, to arrow.DataType, ends []int64, inner arrow.Array) (arrow.Array, error) {
	if t, ok := to.(*arrow.FixedSizeListType); ok {
		for row := range a.Len() {
			if n := ends[row+1] - ends[row]; a.IsValid(row) && n != int64(t.Len()) {
				return nil, &cellError{row, fmt.Errorf("the list has %d elements, and the column holds %d", n, t.Len())}
			}
		}
	}
	offsets := arrow.Int64Traits.CastToBytes(ends)
	if to.ID() != arrow.LARGE_LIST {
		short := make([]int32, len(ends))
		for i, end := range ends {
			short[i] = int32(end)
		}
		offsets = arrow.Int32Traits.CastToBytes(short)
	}
	data := array.NewData(lists(to), a.Len(), []*memory.Buffer{validity(a), memory.NewBufferBytes(offsets)}, []arrow.ArrayData{inner.Data()}, a.NullN(), 0)
	defer data.Release()
	return array.MakeFromData(data), nil
}
