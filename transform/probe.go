package transform

import (
	"context"
	"errors"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// probeSteps bounds the probe: it is part of the first request that needs the view.
const probeSteps = 1 << 13

// probe runs the function with sample rows, so that a function that cannot work
// with the types of its inputs is refused when it is compiled. Errors that depend
// on the values are none.
func (p *Program) probe() error {
	const rows = 2
	b := p.Acquire(rows)
	defer p.Release(b)
	missing := false
	for i, in := range p.inputs {
		for row := range rows {
			v := sample(in.Type, row)
			missing = missing || v == nil
			if err := b.SetValue(i, row, v); err != nil {
				return p.fault(err)
			}
		}
	}
	b.probe = true
	err := b.run(context.Background())
	b.probe = false
	var f *failure
	if errors.As(err, &f) && (f.data || missing && !f.outside) {
		return nil // a type without a sample is null here, which says nothing about its values
	}
	if err != nil {
		return p.fault(err)
	}
	return nil
}

// sample is a usual Value of a type.
func sample(t types.ValueType_Enum, row int) []byte {
	n := int64(row + 1)
	switch t {
	case types.ValueType_INT32:
		return value.AppendInt32(nil, int32(n))
	case types.ValueType_INT64:
		return value.AppendInt64(nil, n)
	case types.ValueType_DOUBLE:
		return value.AppendDouble(nil, float64(n)+0.5)
	case types.ValueType_FLOAT:
		return value.AppendFloat(nil, float32(n)+0.5)
	case types.ValueType_BOOL:
		return value.AppendBool(nil, row == 0)
	case types.ValueType_STRING:
		return value.AppendString(nil, "a")
	case types.ValueType_UNIX_TIMESTAMP:
		return value.AppendUnixTimestamp(nil, 1_700_000_000+n)
	}
	return sampleList(t, n)
}

// sampleList is a Value of a type of lists that functions can read; nil for other types.
func sampleList(t types.ValueType_Enum, n int64) []byte {
	v := &types.Value{}
	switch t {
	case types.ValueType_INT32_LIST:
		v.Val = &types.Value_Int32ListVal{Int32ListVal: &types.Int32List{Val: []int32{1, int32(n)}}}
	case types.ValueType_INT64_LIST:
		v.Val = &types.Value_Int64ListVal{Int64ListVal: &types.Int64List{Val: []int64{1, n}}}
	case types.ValueType_FLOAT_LIST:
		v.Val = &types.Value_FloatListVal{FloatListVal: &types.FloatList{Val: []float32{0.5, float32(n)}}}
	case types.ValueType_DOUBLE_LIST:
		v.Val = &types.Value_DoubleListVal{DoubleListVal: &types.DoubleList{Val: []float64{0.5, float64(n)}}}
	case types.ValueType_BOOL_LIST:
		v.Val = &types.Value_BoolListVal{BoolListVal: &types.BoolList{Val: []bool{true, false}}}
	case types.ValueType_STRING_LIST:
		v.Val = &types.Value_StringListVal{StringListVal: &types.StringList{Val: []string{"a", "b"}}}
	default:
		return nil
	}
	b, err := proto.Marshal(v)
	if err != nil {
		return nil
	}
	return b
}
