package transform

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// AppendValue appends a cell of an output as a serialized Value of the feature's
// type; it appends nothing for null. The error is a fault that names the view, the
// feature and the row.
func (b *Batch) AppendValue(dst []byte, output, row int) ([]byte, error) {
	v, err := b.result(output, row)
	if err != nil {
		return dst, err
	}
	return appendTyped(dst, b.p.outputs[output].Type, v), nil
}

// result is a cell of an output as a value of the feature's type.
func (b *Batch) result(output, row int) (val, error) {
	o := b.p.outputs[output]
	v, err := coerce(o.Type, b.outs[output].at(row))
	if err != nil {
		text := "returned for feature \"" + o.Name + "\" in row " + itoa(int64(row)) + " what is no " + o.Type.String() + ": " + oneLine(err.Error())
		if at, _ := b.p.Remote(); at != "" {
			text += " (transformation service at " + at + ")"
		}
		return val{}, b.p.error(fault.Invalid, text)
	}
	return v, nil
}

// coerce converts a value to the type of a feature as Feast does, except that
// numbers out of the range of the type are errors. The result is None for null, or
// of the kind that belongs to the type; times are whole seconds.
func coerce(t types.ValueType_Enum, v val) (val, error) {
	if v.null() {
		if t == types.ValueType_UNIX_TIMESTAMP && v.k != kNone {
			return val{k: kNaT}, nil
		}
		return val{}, nil
	}
	switch t {
	case types.ValueType_INT32, types.ValueType_INT64:
		return coerceInt(t, v)
	case types.ValueType_FLOAT:
		f, err := floatOf(v)
		return floatVal(float64(float32(f))), err
	case types.ValueType_STRING:
		s, err := str(v)
		return textVal(s), err
	case types.ValueType_DOUBLE, types.ValueType_BOOL, types.ValueType_UNIX_TIMESTAMP:
		if out, ok := coerceExact(t, v); ok {
			return out, nil
		}
		return val{}, typeError("%s", shown(v))
	}
	return coerceList(t, v)
}

func coerceInt(t types.ValueType_Enum, v val) (val, error) {
	x, err := toInt(v)
	if err == nil && t == types.ValueType_INT32 && !dInt32.fits(x.i) {
		err = valueError("%d is out of range", x.i)
	}
	return x, err
}

// coerceExact converts to the types that accept only some types of Python.
func coerceExact(t types.ValueType_Enum, v val) (val, bool) {
	switch {
	case t == types.ValueType_DOUBLE:
		return floatVal(v.float()), v.k == kFloat || v.k == kInt
	case t == types.ValueType_BOOL:
		return boolVal(v.i != 0), v.k == kBool || v.k == kInt
	case v.k == kTime && v.w == dDate:
		return val{}, false
	case v.k == kTime:
		return val{k: kTime, i: floorDiv(v.i, 1_000_000)}, true
	}
	return val{k: kTime, i: v.i}, v.k == kInt
}

func shown(v val) string { return "the " + v.typeName() + " " + repr(v) }

// itemType is the type of the items of a list.
func itemType(t types.ValueType_Enum) types.ValueType_Enum {
	switch t {
	case types.ValueType_INT32_LIST:
		return types.ValueType_INT32
	case types.ValueType_INT64_LIST:
		return types.ValueType_INT64
	case types.ValueType_FLOAT_LIST:
		return types.ValueType_FLOAT
	case types.ValueType_DOUBLE_LIST:
		return types.ValueType_DOUBLE
	case types.ValueType_BOOL_LIST:
		return types.ValueType_BOOL
	case types.ValueType_STRING_LIST:
		return types.ValueType_STRING
	}
	return types.ValueType_INVALID
}

// coerceList converts a list; its items must be of the type already.
func coerceList(t types.ValueType_Enum, v val) (val, error) {
	of := itemType(t)
	if of == types.ValueType_INVALID {
		return val{}, outside("features of type %s are not supported", t)
	}
	var in []val
	switch r := v.ref.(type) {
	case *list:
		if v.k != kList && v.k != kTuple {
			return val{}, typeError("%s", shown(v))
		}
		in = r.items
	case *ndarray:
		in = r.items
	default:
		return val{}, typeError("%s", shown(v))
	}
	out := make([]val, len(in))
	for i, x := range in {
		if !isItem(of, x.k) {
			return val{}, typeError("%s in a list", shown(x))
		}
		y, err := coerce(of, x)
		if err != nil {
			return val{}, err
		}
		if x.null() { // a NaN within a list stays
			y = floatVal(math.NaN())
		}
		out[i] = y
	}
	return listVal(out), nil
}

// isItem reports whether a value of a kind may be in a list of a type.
func isItem(of types.ValueType_Enum, k kind) bool {
	switch of {
	case types.ValueType_STRING:
		return k == kText
	case types.ValueType_BOOL:
		return k == kBool
	case types.ValueType_DOUBLE, types.ValueType_FLOAT:
		return k == kFloat || k == kInt
	}
	return k == kInt
}

// appendTyped appends a value that coerce made as a serialized Value.
func appendTyped(dst []byte, t types.ValueType_Enum, v val) []byte {
	if v.k == kNone {
		return dst
	}
	switch t {
	case types.ValueType_INT32:
		return value.AppendInt32(dst, int32(v.i))
	case types.ValueType_INT64:
		return value.AppendInt64(dst, v.i)
	case types.ValueType_FLOAT:
		return value.AppendFloat(dst, float32(v.f))
	case types.ValueType_DOUBLE:
		return value.AppendDouble(dst, v.f)
	case types.ValueType_STRING:
		return value.AppendString(dst, v.s)
	case types.ValueType_BOOL:
		return value.AppendBool(dst, v.i != 0)
	case types.ValueType_UNIX_TIMESTAMP:
		if v.k == kNaT {
			return value.AppendUnixTimestamp(dst, math.MinInt64)
		}
		return value.AppendUnixTimestamp(dst, v.i)
	}
	var body []byte
	of := itemType(t)
	for _, x := range v.ref.(*list).items {
		body = appendItem(body, of, x)
	}
	if of != types.ValueType_STRING && len(body) > 0 {
		body = protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), body)
	}
	return protowire.AppendBytes(protowire.AppendTag(dst, protowire.Number(t), protowire.BytesType), body)
}

// appendItem appends an item of a list: texts as fields, numbers packed.
func appendItem(body []byte, of types.ValueType_Enum, x val) []byte {
	switch of {
	case types.ValueType_STRING:
		return protowire.AppendString(protowire.AppendTag(body, 1, protowire.BytesType), x.s)
	case types.ValueType_FLOAT:
		return binary.LittleEndian.AppendUint32(body, math.Float32bits(float32(x.f)))
	case types.ValueType_DOUBLE:
		return binary.LittleEndian.AppendUint64(body, math.Float64bits(x.f))
	case types.ValueType_BOOL:
		return append(body, byte(x.i))
	}
	return binary.AppendUvarint(body, uint64(x.i))
}
