package value

import (
	"encoding/binary"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// listParts describes a list type: the type of its elements, and whether
// repeats are removed.
func listParts(t types.ValueType_Enum) (element types.ValueType_Enum, set, ok bool) {
	switch {
	case t >= types.ValueType_BYTES_LIST && t <= types.ValueType_UNIX_TIMESTAMP_LIST:
		return t - 10, false, true
	case t >= types.ValueType_BYTES_SET && t <= types.ValueType_UNIX_TIMESTAMP_SET:
		return t - 21, true, true
	}
	switch t {
	case types.ValueType_JSON_LIST:
		return types.ValueType_JSON, false, true
	case types.ValueType_UUID_LIST, types.ValueType_UUID_SET:
		return types.ValueType_UUID, t == types.ValueType_UUID_SET, true
	case types.ValueType_TIME_UUID_LIST, types.ValueType_TIME_UUID_SET:
		return types.ValueType_TIME_UUID, t == types.ValueType_TIME_UUID_SET, true
	case types.ValueType_DECIMAL_LIST, types.ValueType_DECIMAL_SET:
		return types.ValueType_DECIMAL, t == types.ValueType_DECIMAL_SET, true
	default:
		return 0, false, false
	}
}

// elementType is the Arrow type of a list's elements, nil for other types.
func elementType(dt arrow.DataType) arrow.DataType {
	switch l := dt.(type) {
	case *arrow.ListType:
		return l.Elem()
	case *arrow.LargeListType:
		return l.Elem()
	case *arrow.FixedSizeListType:
		return l.Elem()
	case *arrow.ListViewType:
		return l.Elem()
	case *arrow.LargeListViewType:
		return l.Elem()
	}
	return nil
}

// elements returns the array of a list row's elements, and their range in it.
func elements(a arrow.Array, row int) (values arrow.Array, from, to int, err error) {
	l, ok := a.(array.ListLike)
	if !ok {
		return nil, 0, 0, wrongArray(a)
	}
	start, end := l.ValueOffsets(row)
	return l.ListValues(), int(start), int(end), nil
}

// inElement adds the number of the element, counted from one, to an error.
func inElement(i int, err error) error {
	return fault.New(fault.Of(err).Kind, "element %d: %s", i+1, fault.Of(err).Text).Because(err)
}

// elementEncoder makes the elements of lists and sets of kind. It accepts less
// than a column does: Feast does not convert within lists, so an element must
// be exactly representable, and no fraction is cut.
func elementEncoder(dt arrow.DataType, kind types.ValueType_Enum, set bool) appendFunc {
	inner := plain(dt)
	id := inner.ID()
	switch {
	case isDecimalText(dt) && kind != types.ValueType_JSON:
		return decimalElement(decimalText(dt), kind)
	case kind == types.ValueType_JSON && id != arrow.NULL:
		return jsonElement(dt)
	case id == arrow.NULL, id == arrow.EXTENSION:
	case !elementFits(inner, kind):
		return nil
	case id == arrow.TIMESTAMP && !set:
		return cutTimes(dt)
	case arrow.IsInteger(id) && (kind == types.ValueType_DOUBLE || kind == types.ValueType_FLOAT):
		return exactFloats(dt, kind)
	}
	return encoderOf(dt, kind, exact)
}

// elementFits reports whether Feast converts elements of an Arrow type to kind
// within lists; single values of the type may be converted to more kinds.
func elementFits(dt arrow.DataType, kind types.ValueType_Enum) bool {
	id := dt.ID()
	switch {
	case id == arrow.TIMESTAMP:
		return kind == types.ValueType_UNIX_TIMESTAMP
	case kind == types.ValueType_STRING:
		return isText(dt) || arrow.IsInteger(id) || arrow.IsDecimal(id)
	case packed(kind) && isText(dt):
		return false
	}
	return (id == arrow.BOOL) == (kind == types.ValueType_BOOL)
}

// packed reports whether the elements of a kind are packed into one field;
// texts and bytes have one field each.
func packed(kind types.ValueType_Enum) bool {
	return shapeOf(uint64(kind)) != text && kind != types.ValueType_BYTES
}

// listEncoder makes list and set Values of scalars. A list within a map or
// another list is nested.
func listEncoder(dt arrow.DataType, t types.ValueType_Enum, nested bool) appendFunc {
	kind, set, ok := listParts(t)
	elem := elementType(dt)
	if !ok || elem == nil {
		return nil
	}
	inner := elementEncoder(elem, kind, set)
	if inner == nil {
		return nil
	}
	l := &list{kind: kind, set: set, packed: packed(kind), full: nested || set || noText(plain(elem), kind), inner: inner}
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		body, err := l.body(a, row)
		if err != nil {
			return nil, err
		}
		if !l.packed || len(body) == 0 {
			return appendSized(dst, t, body), nil
		}
		dst = protowire.AppendTag(dst, protowire.Number(t), protowire.BytesType)
		dst = protowire.AppendVarint(dst, uint64(1+protowire.SizeBytes(len(body))))
		return protowire.AppendBytes(append(dst, 1<<3|2), body), nil
	}
}

// noText reports whether texts are made of a list of numbers, other than
// Arrow's decimals in a list of decimals: Feast has no null there.
func noText(dt arrow.DataType, kind types.ValueType_Enum) bool {
	d := decimalText(dt)
	scaled := arrow.IsDecimal(dt.ID()) || d != nil && d.scaled
	return arrow.IsInteger(dt.ID()) || d != nil && !scaled || scaled && kind != types.ValueType_DECIMAL
}

// list makes the elements of one list type.
type list struct {
	kind        types.ValueType_Enum
	set, packed bool
	full        bool // a null is not an empty text
	inner       appendFunc
}

// body is the elements of a row, without repeats for a set.
func (l *list) body(a arrow.Array, row int) ([]byte, error) {
	values, from, to, err := elements(a, row)
	if err != nil {
		return nil, err
	}
	body := make([]byte, 0, (to-from)*8)
	var seen map[string]bool
	if l.set {
		seen = make(map[string]bool, to-from)
	} else if done, ok := l.floats(body, values, from, to); ok {
		return done, nil
	}
	for i := from; i < to; i++ {
		end := len(body)
		if !l.packed {
			body = append(body, 1<<3|2)
		}
		start := len(body)
		var known bool
		if body, known, err = l.element(body, values, i); err != nil {
			return nil, inElement(i-from, err)
		}
		if !l.set || !known {
			continue
		}
		if id := l.identity(body[start:]); seen[id] {
			body = body[:end]
		} else {
			seen[id] = true
		}
	}
	return body, nil
}

// floats appends lists of floats, usually embeddings, without checking the type
// of each element.
func (l *list) floats(dst []byte, values arrow.Array, from, to int) ([]byte, bool) {
	switch c := values.(type) {
	case *array.Float64:
		if l.kind != types.ValueType_DOUBLE {
			return nil, false
		}
		for i := from; i < to; i++ {
			bits := uint64(quietNaN)
			if c.IsValid(i) {
				bits = math.Float64bits(c.Value(i))
			}
			dst = binary.LittleEndian.AppendUint64(dst, bits)
		}
		return dst, true
	case *array.Float32:
		if l.kind != types.ValueType_FLOAT {
			return nil, false
		}
		for i := from; i < to; i++ {
			f := float32(math.NaN())
			if c.IsValid(i) {
				f = c.Value(i)
			}
			dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(f))
		}
		return dst, true
	}
	return nil, false
}

// identity decides which elements of a set are equal: as in Python, zero equals
// zero whatever its sign.
func (l *list) identity(one []byte) string {
	if l.kind == types.ValueType_DOUBLE && string(one) == "\x00\x00\x00\x00\x00\x00\x00\x80" {
		return "\x00\x00\x00\x00\x00\x00\x00\x00"
	}
	if l.kind == types.ValueType_FLOAT && string(one) == "\x00\x00\x00\x80" {
		return "\x00\x00\x00\x00"
	}
	return string(one)
}

// element appends an element without its field tag: a Value of one field, minus
// the tag. Nulls and NaN have known false: none equals another, so that a set
// keeps them all, as in Python.
func (l *list) element(dst []byte, values arrow.Array, i int) (out []byte, known bool, err error) {
	if values.IsNull(i) {
		out, err = l.null(dst)
		return out, false, err
	}
	start := len(dst)
	if dst, err = l.inner(dst, values, i); err != nil {
		return nil, false, err
	}
	if len(dst) == start {
		out, err = l.null(dst)
		return out, false, err
	}
	_, n := uvarint(dst[start:])
	return append(dst[:start], dst[start+n:]...), true, nil
}

// quietNaN has the bits of Python's NaN, which differ from those of Go's.
const quietNaN = 0x7ff8000000000000

// null is how Feast stores a null within a list. It is refused where Feast
// refuses it, and where Feast would invent a number or a text.
func (l *list) null(dst []byte) ([]byte, error) {
	switch l.kind {
	case types.ValueType_DOUBLE:
		return binary.LittleEndian.AppendUint64(dst, quietNaN), nil
	case types.ValueType_FLOAT:
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(math.NaN()))), nil
	case types.ValueType_UNIX_TIMESTAMP:
		return protowire.AppendVarint(dst, 1<<63), nil // the lowest number, noTime
	case types.ValueType_BOOL:
		if l.full && !l.set {
			break
		}
		return append(dst, 0), nil
	case types.ValueType_JSON:
		return append(dst, "\x04null"...), nil
	}
	if l.packed || l.full {
		return nil, fault.New(fault.Invalid, "a null, which value type %s cannot hold within a list or set", l.kind)
	}
	return append(dst, 0), nil
}
