package transform

import (
	"context"
	"fmt"
	"math"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/cost"
	celtypes "cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// nullValue stands for null. It is CEL's unknown value: an operation on it is
// unknown, and && and || need only the side that decides, as in SQL.
func nullValue() ref.Val { return celtypes.NewUnknown(1, nil) }

func isNull(v ref.Val) ref.Val {
	if celtypes.IsError(v) {
		return v
	}
	return celtypes.Bool(null(v))
}

// null reports whether a value is null or NaN, which Feast stores for null.
func null(v ref.Val) bool {
	d, ok := v.(celtypes.Double)
	return celtypes.IsUnknown(v) || ok && math.IsNaN(float64(d))
}

func coalesce(list ...ref.Val) ref.Val {
	for _, v := range list {
		if !null(v) {
			return v
		}
	}
	return list[len(list)-1]
}

func nullIf(v, other, null ref.Val) ref.Val {
	if v.Equal(other) == celtypes.True {
		return null
	}
	return v
}

// unknownSizes estimates nothing about texts and lists.
type unknownSizes struct{}

func (unknownSizes) EstimateSize(cost.AstNode) *cost.SizeEstimate { return nil }
func (unknownSizes) EstimateCallCost(_, _ string, _ *cost.AstNode, _ []cost.AstNode) *cost.CallEstimate {
	return nil
}

// exprRow is the row that expressions read.
type exprRow struct {
	places map[string]int
	values []ref.Val
}

func (r *exprRow) ResolveName(name string) (any, bool) {
	i, ok := r.places[name]
	if !ok {
		return nil, false
	}
	return r.values[i], true
}

func (r *exprRow) Parent() cel.Activation { return nil }

// runExpressions computes the outputs row by row.
func (b *Batch) runExpressions(text string) error {
	row := b.row
	if row == nil {
		row = &exprRow{places: map[string]int{}, values: make([]ref.Val, len(b.cells))}
		for i, names := range b.p.names {
			for _, n := range names {
				row.places[n] = i
			}
		}
		b.row = row
	}
	for j := range b.outs {
		b.outs[j] = b.m.mem.column(dObject, b.rows)
	}
	none := nullValue()
	for i := range b.rows {
		for j := range b.cells {
			v, err := b.exprCell(j, i, text, none)
			if err != nil {
				return err
			}
			row.values[j] = v
		}
		if err := b.exprRow(b.m.ctx, row, i); err != nil {
			return err
		}
	}
	clear(row.values)
	return nil
}

// exprRow computes one row.
func (b *Batch) exprRow(ctx context.Context, row *exprRow, i int) error {
	for j := range b.p.exprs {
		x := &b.p.exprs[j]
		if x.counted || i%64 == 0 {
			if err := ctx.Err(); err != nil {
				return fault.Of(err)
			}
		}
		out, _, err := x.program.Eval(row)
		if err == nil {
			b.outs[j].objs[i], err = b.exprResult(x.out.Type, out)
		}
		if err != nil {
			return b.p.error(fault.Invalid, fmt.Sprintf("cannot be computed: feature %q, row %d: %s", x.Feature, i, oneLine(err.Error()))).Because(err)
		}
		if b.m.mem.used > b.m.limit {
			return b.p.error(fault.Invalid, fmt.Sprintf("cannot be computed: feature %q, row %d: the results need too much memory", x.Feature, i))
		}
	}
	return nil
}

// exprCell is a cell in the exact form of its type, whatever it comes from, so that
// training sets and requests have the same inputs: times in whole seconds, Float32
// with 32 bits.
func (b *Batch) exprCell(input, row int, text string, none ref.Val) (ref.Val, error) {
	in := b.p.inputs[input]
	v := b.cell(&b.cells[input], row, text)
	if v.null() {
		return none, nil
	}
	if out := exprValue(in.Type, v, none); out != nil {
		return out, nil
	}
	return nil, b.p.error(fault.Invalid, fmt.Sprintf("cannot be computed: column %q, row %d: %s is no %s", in.Name, row, shown(v), in.Type))
}

// exprValue is a value of a type; nil if it is none.
func exprValue(t types.ValueType_Enum, v val, none ref.Val) ref.Val {
	switch t {
	case types.ValueType_INT32, types.ValueType_INT64:
		return exprInt(t, v)
	case types.ValueType_FLOAT, types.ValueType_DOUBLE:
		if v.k != kFloat && v.k != kInt {
			return nil
		}
		f := v.float()
		if t == types.ValueType_FLOAT {
			f = float64(float32(f))
		}
		return celtypes.Double(f)
	case types.ValueType_STRING:
		if v.k == kText {
			return celtypes.String(v.s)
		}
	case types.ValueType_BOOL:
		if v.k == kBool {
			return celtypes.Bool(v.i != 0)
		}
	case types.ValueType_UNIX_TIMESTAMP:
		if v.k == kTime {
			return celtypes.Timestamp{Time: time.Unix(floorDiv(v.i, 1_000_000), 0).UTC()}
		}
	default:
		return exprList(t, v, none)
	}
	return nil
}

func exprInt(t types.ValueType_Enum, v val) ref.Val {
	switch {
	case v.k == kFloat && v.f == math.Trunc(v.f) && math.Abs(v.f) < 1<<53: // integers that a file has as floats
		v.i = int64(v.f)
	case v.k != kInt:
		return nil
	}
	if t == types.ValueType_INT32 && v.i != int64(int32(v.i)) {
		return nil
	}
	return celtypes.Int(v.i)
}

func exprList(t types.ValueType_Enum, v val, none ref.Val) ref.Val {
	l, ok := v.ref.(*list)
	if !ok {
		return nil
	}
	items := make([]ref.Val, len(l.items))
	for i, x := range l.items {
		if items[i] = none; x.k == kNone {
			continue
		}
		if items[i] = exprValue(itemType(t), x, none); items[i] == nil {
			return nil
		}
	}
	return celtypes.NewRefValList(celtypes.DefaultTypeAdapter, items)
}

// exprResult is the result of an expression as a value of the run.
func (b *Batch) exprResult(t types.ValueType_Enum, v ref.Val) (val, error) {
	switch v := v.(type) {
	case *celtypes.Unknown:
		return val{}, nil
	case celtypes.Int:
		return intVal(int64(v)), nil
	case celtypes.Double:
		f := float64(v)
		if (t == types.ValueType_FLOAT || t == types.ValueType_FLOAT_LIST) && !math.IsInf(f, 0) && math.IsInf(float64(float32(f)), 0) {
			return val{}, fmt.Errorf("%g is out of range of Float32", f)
		}
		return floatVal(f), nil
	case celtypes.Bool:
		return boolVal(bool(v)), nil
	case celtypes.String:
		b.m.mem.used += len(v)
		return textVal(string(v)), nil
	case celtypes.Timestamp:
		return val{k: kTime, w: dTime, i: v.Unix() * 1_000_000}, nil
	case traits.Lister:
		return b.exprItems(t, v)
	}
	return val{}, fmt.Errorf("the result has type %s", v.Type())
}

func (b *Batch) exprItems(t types.ValueType_Enum, l traits.Lister) (val, error) {
	n, _ := l.Size().(celtypes.Int)
	items := make([]val, 0, n)
	b.m.mem.used += 64 * int(n)
	for it := l.Iterator(); it.HasNext() == celtypes.True; {
		v, err := b.exprResult(t, it.Next())
		if err != nil {
			return val{}, err
		}
		if v.k == kNone { // a list of Feast has no nulls
			return val{}, nil
		}
		items = append(items, v)
	}
	return listVal(items), nil
}
