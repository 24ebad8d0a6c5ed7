package value

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// mapEncoder makes MAP and STRUCT Values from Arrow maps, structs and JSON
// text. The types of the entries follow from their cells.
func mapEncoder(dt arrow.DataType, t types.ValueType_Enum) appendFunc {
	if isText(dt) {
		return fromJSON(t, entriesFromJSON)
	}
	body := mapBody(dt)
	if body == nil {
		return nil
	}
	return checked(func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		b, err := body(nil, a, row)
		if err != nil {
			return nil, err
		}
		return appendSized(dst, t, b), nil
	})
}

// checked refuses Values that are nested too deep for readers of protobuf.
func checked(inner appendFunc) appendFunc {
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		before := len(dst)
		dst, err := inner(dst, a, row)
		if err != nil {
			return nil, err
		}
		if err := Check(dst[before:]); err != nil {
			return nil, fault.New(fault.Invalid, "the value cannot be stored: it is nested too deep").Because(err)
		}
		return dst, nil
	}
}

// mapBody appends the entries of a map or struct.
func mapBody(dt arrow.DataType) appendFunc {
	switch d := dt.(type) {
	case *arrow.MapType:
		return mapEntries(d)
	case *arrow.StructType:
		return structEntries(d)
	}
	if isText(dt) {
		return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
			s, err := textAt(a, row)
			if err != nil {
				return nil, err
			}
			return entriesFromJSON(dst, s)
		}
	}
	return nil
}

// fromJSON makes Values of a type from JSON text. JSON's null is null.
func fromJSON(t types.ValueType_Enum, body func(dst []byte, s string) ([]byte, error)) appendFunc {
	return checked(func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		s, err := textAt(a, row)
		if err != nil || strings.TrimSpace(s) == "null" {
			return dst, err
		}
		b, err := body(nil, s)
		return appendSized(dst, t, b), err
	})
}

// mapEntries appends the entries of an Arrow map. Keys are texts; a repeated
// key is refused, since one of its values would be lost.
func mapEntries(d *arrow.MapType) appendFunc {
	value := naturalEncoder(d.ItemType())
	if value == nil || !isText(plain(d.KeyType())) {
		return nil
	}
	key := encoderOf(d.KeyType(), types.ValueType_STRING, exact)
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		c, ok := a.(*array.Map)
		if !ok {
			return nil, wrongArray(a)
		}
		start, end := c.ValueOffsets(row)
		seen := make(map[string]bool, end-start)
		for i := int(start); i < int(end); i++ {
			k, err := orNull(key, nil, c.Keys(), i)
			if err != nil {
				return nil, err
			}
			name, _ := String(k)
			if seen[name] {
				return nil, fault.New(fault.Invalid, "the map has the key %s twice", quoted(name))
			}
			seen[name] = true
			v, err := orNull(value, nil, c.Items(), i)
			if err != nil {
				return nil, inKey(name, err)
			}
			dst = appendEntry(dst, name, v)
		}
		return dst, nil
	}
}

// inKey adds the key of the map entry to an error.
func inKey(name string, err error) error {
	return fault.New(fault.Of(err).Kind, "key %s: %s", quoted(name), fault.Of(err).Text).Because(err)
}

// ofFields makes the encoders of a struct's fields; nil if a field has none or two
// have the same name.
func ofFields(d *arrow.StructType, encoder func(arrow.DataType) appendFunc) []appendFunc {
	fields := make([]appendFunc, d.NumFields())
	names := make(map[string]bool, len(fields))
	for i, f := range d.Fields() {
		if fields[i] = encoder(f.Type); fields[i] == nil || names[f.Name] {
			return nil
		}
		names[f.Name] = true
	}
	return fields
}

// structEntries appends the fields of an Arrow struct.
func structEntries(d *arrow.StructType) appendFunc {
	fields := ofFields(d, naturalEncoder)
	if fields == nil {
		return nil
	}
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		c, ok := a.(*array.Struct)
		if !ok {
			return nil, wrongArray(a)
		}
		var one []byte
		for i, field := range fields {
			var err error
			name := d.Field(i).Name
			if one, err = orNull(field, one[:0], c.Field(i), row); err != nil {
				return nil, inKey(name, err)
			}
			dst = appendEntry(dst, name, one)
		}
		return dst, nil
	}
}

func appendEntry(dst []byte, key string, v []byte) []byte {
	size := 1 + protowire.SizeBytes(len(key)) + 1 + protowire.SizeBytes(len(v))
	dst = protowire.AppendVarint(append(dst, 1<<3|2), uint64(size))
	dst = protowire.AppendString(append(dst, 1<<3|2), key)
	return protowire.AppendBytes(append(dst, 2<<3|2), v)
}

func mapListEncoder(dt arrow.DataType, t types.ValueType_Enum) appendFunc {
	if isText(dt) {
		return fromJSON(t, mapsFromJSON)
	}
	elem := elementType(dt)
	if elem == nil {
		return nil
	}
	inner := mapBody(elem)
	if inner == nil {
		return nil
	}
	return checked(func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		values, from, to, err := elements(a, row)
		if err != nil {
			return nil, err
		}
		var body []byte
		for i := from; i < to; i++ {
			if values.IsNull(i) {
				return nil, inElement(i-from, fault.New(fault.Invalid, "a null, which value type %s cannot hold", t))
			}
			one, err := inner(nil, values, i)
			if err != nil {
				return nil, inElement(i-from, err)
			}
			body = protowire.AppendBytes(append(body, 1<<3|2), one)
		}
		return appendSized(dst, t, body), nil
	})
}

// natural is the value type that a cell of an Arrow type has without a declared
// one, within a map or a list of lists.
func natural(dt arrow.DataType) types.ValueType_Enum {
	switch id := dt.ID(); {
	case arrow.IsInteger(id), id == arrow.TIMESTAMP && unitOf(dt) == arrow.Nanosecond: // Feast stores its count
		return types.ValueType_INT64
	case arrow.IsFloating(id):
		return types.ValueType_DOUBLE
	case arrow.IsDecimal(id):
		return types.ValueType_DECIMAL
	case id == arrow.BOOL:
		return types.ValueType_BOOL
	case arrow.IsBinaryLike(id) && !isText(dt), arrow.IsLargeBinaryLike(id) && !isText(dt), id == arrow.FIXED_SIZE_BINARY, id == arrow.BINARY_VIEW:
		return types.ValueType_BYTES
	case id == arrow.TIMESTAMP, id == arrow.DATE32, id == arrow.DATE64:
		return types.ValueType_UNIX_TIMESTAMP
	case id == arrow.MAP, id == arrow.STRUCT:
		return types.ValueType_MAP
	case isText(dt):
		return types.ValueType_STRING
	}
	if ext, ok := dt.(arrow.ExtensionType); ok {
		if isDecimalText(ext) {
			return types.ValueType_DECIMAL
		}
		return natural(ext.StorageType())
	}
	if elem := elementType(dt); elem != nil {
		return naturalList(plain(elem))
	}
	return types.ValueType_INVALID
}

// naturalList is the list type for elements of a type.
func naturalList(elem arrow.DataType) types.ValueType_Enum {
	switch id := elem.ID(); {
	case id == arrow.FLOAT32:
		return types.ValueType_FLOAT_LIST
	case id == arrow.TIMESTAMP:
		return types.ValueType_UNIX_TIMESTAMP_LIST
	case arrow.IsInteger(id) && id != arrow.INT64 && id != arrow.UINT64:
		return types.ValueType_INT32_LIST
	}
	switch kind := natural(elem); {
	case kind == types.ValueType_MAP:
		return types.ValueType_MAP_LIST
	case kind == types.ValueType_DECIMAL:
		return types.ValueType_DECIMAL_LIST
	case kind >= types.ValueType_BYTES && kind <= types.ValueType_UNIX_TIMESTAMP:
		return kind + 10
	default:
		return types.ValueType_VALUE_LIST
	}
}

// naturalEncoder makes Values of a cell's natural type.
func naturalEncoder(dt arrow.DataType) appendFunc {
	kind := natural(plain(dt))
	if dt.ID() == arrow.TIMESTAMP && kind == types.ValueType_UNIX_TIMESTAMP {
		return cutTimes(dt)
	}
	if list := listEncoder(dt, kind, true); list != nil {
		return list
	}
	return encoderOf(dt, kind, exact)
}

// nestedEncoder makes lists and sets of lists. An empty inner list is the null
// Value, as in Feast.
func nestedEncoder(dt arrow.DataType, t types.ValueType_Enum) appendFunc {
	elem := elementType(dt)
	if elem == nil || elementType(elem) == nil && elem.ID() != arrow.NULL {
		return nil
	}
	inner := naturalEncoder(elem)
	if inner == nil {
		return nil
	}
	return checked(func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		values, from, to, err := elements(a, row)
		if err != nil {
			return nil, err
		}
		var body []byte
		for i := from; i < to; i++ {
			var v []byte
			if !emptyList(values, i) {
				if v, err = orNull(inner, nil, values, i); err != nil {
					return nil, inElement(i-from, err)
				}
			}
			body = protowire.AppendBytes(append(body, 1<<3|2), v)
		}
		return appendSized(dst, t, body), nil
	})
}

func emptyList(a arrow.Array, i int) bool {
	l, ok := a.(array.ListLike)
	if !ok {
		return false
	}
	from, to := l.ValueOffsets(i)
	return from == to
}
