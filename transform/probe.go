package transform

import (
	"context"
	"errors"

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
	for i, in := range p.inputs {
		for row := range rows {
			if err := b.SetValue(i, row, sample(in.Type, row)); err != nil {
				return p.fault(err)
			}
		}
	}
	b.probe = true
	err := b.run(context.Background())
	b.probe = false
	var f *failure
	if errors.As(err, &f) && f.data {
		return nil
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
	return nil
}
