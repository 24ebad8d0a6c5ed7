package value

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// decodeJSON reads one JSON text with exact numbers; what names the expected
// form.
func decodeJSON(s string, into any, what string) error {
	refuse := func(err error) error {
		return fault.New(fault.Invalid, "the text %s is not %s", quoted(s), what).Because(err)
	}
	dec := json.NewDecoder(strings.NewReader(s))
	dec.UseNumber()
	if err := dec.Decode(into); err != nil {
		return refuse(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return refuse(err)
	}
	if strings.Contains(s, `\u`) && halfPair([]byte(s)) {
		return fault.New(fault.Invalid, "the text %s holds half of a surrogate pair", quoted(s))
	}
	return nil
}

// entriesFromJSON appends the entries of a JSON object. Of a repeated key the
// last one counts, as in Feast.
func entriesFromJSON(dst []byte, s string) ([]byte, error) {
	var object map[string]any
	if err := decodeJSON(s, &object, "a JSON object"); err != nil {
		return nil, err
	}
	if object == nil {
		return nil, fault.New(fault.Invalid, "the text %s is not a JSON object", quoted(s))
	}
	return appendObjectEntries(dst, object)
}

// mapsFromJSON appends the objects of a JSON array.
func mapsFromJSON(dst []byte, s string) ([]byte, error) {
	var objects []map[string]any
	if err := decodeJSON(s, &objects, "a JSON array of objects"); err != nil {
		return nil, err
	}
	if objects == nil {
		return nil, fault.New(fault.Invalid, "the text %s is not a JSON array of objects", quoted(s))
	}
	for i, object := range objects {
		if object == nil {
			return nil, inElement(i, fault.New(fault.Invalid, "a null, which a list of maps cannot hold"))
		}
		body, err := appendObjectEntries(nil, object)
		if err != nil {
			return nil, inElement(i, err)
		}
		dst = protowire.AppendBytes(append(dst, 1<<3|2), body)
	}
	return dst, nil
}

func appendObjectEntries(dst []byte, object map[string]any) ([]byte, error) {
	for _, key := range slices.Sorted(maps.Keys(object)) {
		v, err := fromAny(object[key])
		if err != nil {
			return nil, inKey(key, err)
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
		return fromNumber(v.String())
	case map[string]any:
		body, err := appendObjectEntries(nil, v)
		return appendSized(nil, types.ValueType_MAP, body), err
	case []any:
		return listFromAny(v)
	}
	return nil, corrupt("JSON of an unknown form")
}

// fromNumber makes an INT64 from an integer and a DOUBLE from any other number,
// and refuses numbers out of their range.
func fromNumber(s string) ([]byte, error) {
	if !strings.ContainsAny(s, ".eE") {
		v, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return nil, fault.New(fault.Invalid, "%s does not fit a signed integer", shortText(s)).Because(err)
		}
		return AppendInt64(nil, v), nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil, fault.New(fault.Invalid, "%s does not fit value type DOUBLE", shortText(s)).Because(err)
	}
	return AppendDouble(nil, f), nil
}

// listFromAny makes a list of the type of its elements; a mixed, nested or
// empty list, which Feast refuses, becomes a list of Values.
func listFromAny(list []any) ([]byte, error) {
	kind := types.ValueType_INVALID
	values := make([][]byte, len(list))
	for i, e := range list {
		v, err := fromAny(e)
		if err != nil {
			return nil, inElement(i, err)
		}
		values[i] = v
		switch k := Kind(v); {
		case i == 0:
			kind = k
		case k != kind:
			kind = types.ValueType_INVALID
		}
	}
	switch kind {
	case types.ValueType_STRING, types.ValueType_MAP:
		return sizedList(values, kind), nil
	case types.ValueType_INT64, types.ValueType_DOUBLE, types.ValueType_BOOL:
		var body []byte
		for _, v := range values {
			body = append(body, v[1:]...)
		}
		return appendSized(nil, kind+10, protowire.AppendBytes([]byte{1<<3 | 2}, body)), nil
	}
	var body []byte
	for _, v := range values {
		body = protowire.AppendBytes(append(body, 1<<3|2), v)
	}
	return appendSized(nil, types.ValueType_VALUE_LIST, body), nil
}

// sizedList makes a list of texts or maps from Values.
func sizedList(values [][]byte, kind types.ValueType_Enum) []byte {
	t := types.ValueType_STRING_LIST
	if kind == types.ValueType_MAP {
		t = types.ValueType_MAP_LIST
	}
	var body []byte
	for _, v := range values {
		_, n := uvarint(v)
		body = append(append(body, 1<<3|2), v[n:]...)
	}
	return appendSized(nil, t, body)
}
