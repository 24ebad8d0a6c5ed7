package value

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// listParts says what a list type's elements are and whether repeats go.
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
	}
	return nil
}

// elements gives the array that a list row's elements lie in, and where.
func elements(a arrow.Array, row int) (values arrow.Array, from, to int) {
	l, ok := a.(array.ListLike)
	if !ok {
		return nil, 0, 0
	}
	start, end := l.ValueOffsets(row)
	return l.ListValues(), int(start), int(end)
}

// listEncoder makes list and set Values of scalars: numbers packed, texts and
// bytes one by one. A null element is the type's zero, as in Feast.
func listEncoder(dt arrow.DataType, t types.ValueType_Enum) appendFunc {
	kind, set, ok := listParts(t)
	elem := elementType(dt)
	if !ok || elem == nil {
		return nil
	}
	inner := encoderOf(elem, kind)
	if inner == nil {
		return nil
	}
	packed := shapeOf(uint64(kind)) != text && kind != types.ValueType_BYTES
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		values, from, to := elements(a, row)
		if values == nil {
			return nil, wrongArray(a)
		}
		var body, one []byte
		seen := map[string]bool{}
		for i := from; i < to; i++ {
			var err error
			if one, err = listElement(one[:0], inner, kind, values, i); err != nil {
				return nil, err
			}
			if set && seen[string(one)] {
				continue
			}
			if set {
				seen[string(one)] = true
			}
			if !packed {
				body = append(body, 1<<3|2)
			}
			body = append(body, one...)
		}
		if packed && len(body) > 0 {
			body = protowire.AppendBytes([]byte{1<<3 | 2}, body)
		}
		return appendSized(dst, t, body), nil
	}
}

// listElement gives an element without its field tag: a Value of one field
// less the tag.
func listElement(dst []byte, inner appendFunc, kind types.ValueType_Enum, values arrow.Array, i int) ([]byte, error) {
	if values.IsNull(i) {
		return zeroElement(dst, kind), nil
	}
	v, err := inner(dst, values, i)
	if err != nil {
		return nil, err
	}
	if len(v) == 0 {
		if kind == types.ValueType_DOUBLE { // a NaN within a list stays one
			return AppendDouble(dst, math.NaN())[1:], nil
		}
		if kind == types.ValueType_FLOAT {
			return AppendFloat(dst, float32(math.NaN()))[1:], nil
		}
		return zeroElement(dst, kind), nil
	}
	_, n := uvarint(v)
	return v[n:], nil
}

func zeroElement(dst []byte, kind types.ValueType_Enum) []byte {
	switch kind {
	case types.ValueType_DOUBLE:
		return append(dst, 0, 0, 0, 0, 0, 0, 0, 0)
	case types.ValueType_FLOAT:
		return append(dst, 0, 0, 0, 0)
	default:
		return append(dst, 0)
	}
}

// mapEncoder makes MAP and STRUCT Values out of Arrow maps, structs and JSON
// text. The types of the entries are those that their cells have.
func mapEncoder(dt arrow.DataType, t types.ValueType_Enum) appendFunc {
	switch dt.ID() {
	case arrow.MAP, arrow.STRUCT:
		return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
			body, err := appendEntries(nil, a, row)
			return appendSized(dst, t, body), err
		}
	case arrow.STRING, arrow.LARGE_STRING, arrow.STRING_VIEW:
		return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
			body, err := entriesFromJSON([]byte(stringAt(a, row)))
			return appendSized(dst, t, body), err
		}
	}
	return nil
}

func mapListEncoder(dt arrow.DataType, t types.ValueType_Enum) appendFunc {
	elem := elementType(dt)
	if elem == nil {
		return nil
	}
	kind := types.ValueType_MAP
	if t == types.ValueType_STRUCT_LIST {
		kind = types.ValueType_STRUCT
	}
	inner := mapEncoder(elem, kind)
	if inner == nil {
		return nil
	}
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		values, from, to := elements(a, row)
		var body []byte
		for i := from; i < to; i++ {
			one, err := inner(nil, values, i)
			if err != nil {
				return nil, err
			}
			_, n := uvarint(one)
			body = append(append(body, 1<<3|2), one[n:]...)
		}
		return appendSized(dst, t, body), nil
	}
}

// appendEntries appends the entries of a map or struct cell.
func appendEntries(dst []byte, a arrow.Array, row int) ([]byte, error) {
	switch c := a.(type) {
	case *array.Map:
		start, end := c.ValueOffsets(row)
		for i := int(start); i < int(end); i++ {
			v, err := appendAny(nil, c.Items(), i)
			if err != nil {
				return nil, err
			}
			dst = appendEntry(dst, stringAt(c.Keys(), i), v)
		}
		return dst, nil
	case *array.Struct:
		fields, ok := c.DataType().(*arrow.StructType)
		if !ok {
			return nil, wrongArray(a)
		}
		for f := range c.NumField() {
			v, err := appendAny(nil, c.Field(f), row)
			if err != nil {
				return nil, err
			}
			dst = appendEntry(dst, fields.Field(f).Name, v)
		}
		return dst, nil
	}
	return nil, wrongArray(a)
}

func appendEntry(dst []byte, key string, v []byte) []byte {
	entry := protowire.AppendString([]byte{1<<3 | 2}, key)
	entry = protowire.AppendBytes(append(entry, 2<<3|2), v)
	return protowire.AppendBytes(append(dst, 1<<3|2), entry)
}

// natural is the value type that a cell of an Arrow type has by itself.
func natural(dt arrow.DataType) types.ValueType_Enum {
	switch dt.ID() {
	case arrow.INT8, arrow.INT16, arrow.INT32, arrow.UINT8, arrow.UINT16, arrow.INT64, arrow.UINT32, arrow.UINT64:
		return types.ValueType_INT64
	case arrow.FLOAT16, arrow.FLOAT32, arrow.FLOAT64, arrow.DECIMAL32, arrow.DECIMAL64, arrow.DECIMAL128, arrow.DECIMAL256:
		return types.ValueType_DOUBLE
	case arrow.BOOL:
		return types.ValueType_BOOL
	case arrow.BINARY, arrow.LARGE_BINARY, arrow.BINARY_VIEW, arrow.FIXED_SIZE_BINARY:
		return types.ValueType_BYTES
	case arrow.TIMESTAMP, arrow.DATE32, arrow.DATE64:
		return types.ValueType_UNIX_TIMESTAMP
	case arrow.MAP, arrow.STRUCT:
		return types.ValueType_MAP
	}
	elem := elementType(dt)
	if elem == nil {
		return types.ValueType_STRING
	}
	switch kind := natural(elem); {
	case kind == types.ValueType_MAP:
		return types.ValueType_MAP_LIST
	case kind <= types.ValueType_UNIX_TIMESTAMP:
		return kind + 10
	default:
		return types.ValueType_VALUE_LIST
	}
}

// appendAny appends a cell as a Value of its natural type.
func appendAny(dst []byte, a arrow.Array, row int) ([]byte, error) {
	e, err := NewArrowEncoder(a.DataType(), natural(a.DataType()))
	if err != nil {
		return nil, err
	}
	return e.Append(dst, a, row)
}

// nestedEncoder makes lists and sets of Values, such as lists of lists.
func nestedEncoder(dt arrow.DataType, t types.ValueType_Enum) appendFunc {
	if elementType(dt) == nil {
		return nil
	}
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		values, from, to := elements(a, row)
		var body []byte
		for i := from; i < to; i++ {
			v, err := appendAny(nil, values, i)
			if err != nil {
				return nil, err
			}
			body = protowire.AppendBytes(append(body, 1<<3|2), v)
		}
		return appendSized(dst, t, body), nil
	}
}

// jsonEncoder makes JSON Values out of nested cells: the text that Python's
// json module gives.
func jsonEncoder(dt arrow.DataType) appendFunc {
	switch dt.ID() {
	case arrow.MAP, arrow.STRUCT, arrow.LIST, arrow.LARGE_LIST, arrow.FIXED_SIZE_LIST:
		return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
			v, err := appendAny(nil, a, row)
			if err != nil {
				return nil, err
			}
			text, err := AppendJSON(nil, v)
			if err != nil {
				return nil, err
			}
			return AppendText(dst, types.ValueType_JSON, spaced(text)), nil
		}
	}
	return nil
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

// spaced puts the blanks into compact JSON that Python's json module writes.
func spaced(compact []byte) string {
	var out bytes.Buffer
	quoted, escaped := false, false
	for _, c := range compact {
		out.WriteByte(c)
		switch {
		case escaped:
			escaped = false
		case c == '\\':
			escaped = quoted
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ',' || c == ':'):
			out.WriteByte(' ')
		}
	}
	return out.String()
}

// entriesFromJSON reads a JSON object into the entries of a MAP.
func entriesFromJSON(b []byte) ([]byte, error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var object map[string]any
	if err := dec.Decode(&object); err != nil {
		return nil, fault.New(fault.Invalid, "the text is no JSON object").Because(err)
	}
	return appendObjectEntries(nil, object)
}

func appendObjectEntries(dst []byte, object map[string]any) ([]byte, error) {
	for _, key := range sortedKeys(object) {
		v, err := fromAny(object[key])
		if err != nil {
			return nil, err
		}
		dst = appendEntry(dst, key, v)
	}
	return dst, nil
}

// fromAny makes the Value that Feast infers for decoded JSON.
func fromAny(v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		return AppendString(nil, v), nil
	case bool:
		return AppendBool(nil, v), nil
	case json.Number:
		return FromJSON([]byte(v), Infer([][]byte{[]byte(v)}))
	case map[string]any:
		body, err := appendObjectEntries(nil, v)
		return appendSized(nil, types.ValueType_MAP, body), err
	case []any:
		return listFromAny(v)
	}
	return nil, corrupt("JSON of an unknown form")
}

// listFromAny makes a list of the type of its first element; a mixed or nested
// one is a list of Values.
func listFromAny(list []any) ([]byte, error) {
	kind := types.ValueType_INVALID
	values := make([][]byte, len(list))
	for i, e := range list {
		v, err := fromAny(e)
		if err != nil {
			return nil, err
		}
		values[i] = v
		switch k := Kind(v); {
		case i == 0:
			kind = k
		case k != kind:
			kind = types.ValueType_INVALID
		}
	}
	var body []byte
	scalar := kind >= types.ValueType_BYTES && kind <= types.ValueType_UNIX_TIMESTAMP
	for _, v := range values {
		if !scalar {
			body = protowire.AppendBytes(append(body, 1<<3|2), v)
			continue
		}
		if kind == types.ValueType_STRING {
			body = append(body, 1<<3|2)
		}
		body = append(body, v[1:]...)
	}
	if !scalar {
		return appendSized(nil, types.ValueType_VALUE_LIST, body), nil
	}
	if kind != types.ValueType_STRING {
		body = protowire.AppendBytes([]byte{1<<3 | 2}, body)
	}
	return appendSized(nil, kind+10, body), nil
}
