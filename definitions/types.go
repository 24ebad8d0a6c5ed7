package definitions

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/banquet-fs/banquet/definitions/python"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// dtype is a type of feast.types.
type dtype struct {
	value  types.ValueType_Enum
	name   string // "Int64", "Array", "Set", "Struct"
	inner  *dtype
	fields []structField // of a Struct
}

type structField struct {
	name string
	kind *dtype
}

func (d *dtype) String() string {
	if d.inner != nil {
		return d.name + "(" + d.inner.String() + ")"
	}
	return d.name
}

// scalars are the types without parameters, with the numbers of the two that
// only Feast's Python knows.
func scalars() map[string]types.ValueType_Enum {
	return map[string]types.ValueType_Enum{
		"Invalid": 0, "Bytes": 1, "String": 2, "Int32": 3, "Int64": 4, "Float64": 5, "Float32": 6, "Bool": 7, "UnixTimestamp": 8,
		"Map": 20, "PdfBytes": 30, "ImageBytes": 31, "Json": 32, "Uuid": 36, "TimeUuid": 37, "Decimal": 44, "ScalarMap": 47, "ZonedTimestamp": 48,
	}
}

// newArray is Array(X).
func newArray(c *python.Call) (any, error) {
	return collection("Array", c, map[string]types.ValueType_Enum{
		"Map": types.ValueType_MAP_LIST, "Json": types.ValueType_JSON_LIST, "Struct": types.ValueType_STRUCT_LIST,
		"Uuid": types.ValueType_UUID_LIST, "TimeUuid": types.ValueType_TIME_UUID_LIST, "Decimal": types.ValueType_DECIMAL_LIST,
		"Array": types.ValueType_VALUE_LIST, "Set": types.ValueType_VALUE_LIST,
	}, types.ValueType_BYTES_LIST-1)
}

// newSet is Set(X).
func newSet(c *python.Call) (any, error) {
	return collection("Set", c, map[string]types.ValueType_Enum{
		"Uuid": types.ValueType_UUID_SET, "TimeUuid": types.ValueType_TIME_UUID_SET, "Decimal": types.ValueType_DECIMAL_SET,
		"Array": types.ValueType_VALUE_SET, "Set": types.ValueType_VALUE_SET,
	}, types.ValueType_BYTES_SET-1)
}

func collection(name string, c *python.Call, special map[string]types.ValueType_Enum, offset types.ValueType_Enum) (any, error) {
	a := bind(name, c, "base_type")
	inner := one[*dtype](a, "base_type", "a type of feast.types")
	if a.err != nil {
		return nil, a.err
	}
	if inner == nil {
		return nil, fmt.Errorf("%s lacks its element type", name)
	}
	if v, ok := special[inner.name]; ok {
		return &dtype{value: v, name: name, inner: inner}, nil
	}
	if inner.value < types.ValueType_BYTES || inner.value > types.ValueType_UNIX_TIMESTAMP {
		return nil, fmt.Errorf("%s(%s) is not a type that Feast has", name, inner)
	}
	return &dtype{value: offset + inner.value, name: name, inner: inner}, nil
}

// newStruct is Struct({name: type}).
func newStruct(c *python.Call) (any, error) {
	a := bind("Struct", c, "fields")
	d := one[*python.Dict](a, "fields", "a dict of types")
	if a.err != nil {
		return nil, a.err
	}
	if d == nil || len(d.Keys) == 0 {
		return nil, fmt.Errorf("type Struct lacks its fields")
	}
	out := &dtype{value: types.ValueType_STRUCT, name: "Struct"}
	for i := range d.Keys {
		kind, ok := d.Values[i].(*dtype)
		if !ok {
			return nil, fmt.Errorf("field %s of Struct is a %s, want a type of feast.types", python.Repr(d.Keys[i]), python.TypeName(d.Values[i]))
		}
		out.fields = append(out.fields, structField{python.Str(d.Keys[i]), kind})
	}
	return out, nil
}

// text is the form in which Feast keeps a type in a tag.
func (d *dtype) text() string {
	if d.inner != nil {
		return d.name + "(" + d.inner.text() + ")"
	}
	if d.name == "Struct" {
		parts := make([]string, len(d.fields))
		for i, f := range d.fields {
			parts[i] = pythonJSON(f.name) + ": " + pythonJSON(f.kind.text())
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	upper := map[string]string{
		"Invalid": "INVALID", "Bytes": "BYTES", "String": "STRING", "Int32": "INT32", "Int64": "INT64", "Float64": "FLOAT64", "Float32": "FLOAT32",
		"Bool": "BOOL", "UnixTimestamp": "UNIX_TIMESTAMP", "Map": "MAP", "PdfBytes": "PDF_BYTES", "ImageBytes": "IMAGE_BYTES", "Json": "JSON",
		"Uuid": "UUID", "TimeUuid": "TIME_UUID", "Decimal": "DECIMAL", "ScalarMap": "SCALAR_MAP", "ZonedTimestamp": "ZONED_TIMESTAMP",
	}
	return upper[d.name]
}

// field is a Field.
type field struct {
	spec *core.FeatureSpecV2
}

func (f *field) String() string { return "Field" }

// Attr gives the name, which factories read.
func (f *field) Attr(name string) (any, bool) { return f.spec.GetName(), name == "name" }

func newField(c *python.Call) (any, error) {
	a := bind("Field", c, "*", "name", "dtype", "description", "tags", "vector_index", "vector_length", "vector_search_metric")
	kind := one[*dtype](a, "dtype", "a type of feast.types, such as Int64")
	spec := &core.FeatureSpecV2{
		Name: a.must("name"), Description: a.text("description"), Tags: a.tags("tags"),
		VectorIndex: a.flag("vector_index", false), VectorLength: int32(a.integer("vector_length")), VectorSearchMetric: a.text("vector_search_metric"),
	}
	if kind == nil {
		a.fail("%q lacks its dtype", spec.Name)
		return nil, a.err
	}
	spec.ValueType = kind.value
	kind.tag(spec)
	return &field{spec}, a.err
}

// tag keeps in a field's tags what its value type alone does not say.
func (d *dtype) tag(spec *core.FeatureSpecV2) {
	set := func(key, v string) {
		if spec.Tags == nil {
			spec.Tags = map[string]string{}
		}
		spec.Tags[key] = v
	}
	switch {
	case d.name == "Struct":
		set("feast:struct_schema", d.text())
	case d.inner != nil && d.name == "Array" && d.inner.name == "Struct":
		set("feast:struct_schema", d.inner.text())
	case d.inner != nil && d.inner.inner != nil:
		set("feast:nested_inner_type", d.text())
	}
}

// pythonJSON is a text as Python's json.dumps writes it.
func pythonJSON(s string) string {
	b, _ := json.Marshal(s)
	var out strings.Builder
	for _, r := range string(b) {
		switch {
		case r < 0x7f:
			out.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&out, `\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(out.String())
}

// member is a value of one of Feast's enumerations.
type member struct {
	enum   string
	text   string
	number int32
}

func (m *member) String() string { return m.enum + "." + m.text }

// Attr gives name and value.
func (m *member) Attr(name string) (any, bool) {
	switch name {
	case "name":
		return m.text, true
	case "value":
		return int64(m.number), true
	}
	return nil, false
}

// enumeration makes a class of members.
func enumeration(name string, values map[string]int32) *python.Builtin {
	members := map[string]any{}
	for text, n := range values {
		members[text] = &member{name, text, n}
	}
	return &python.Builtin{Name: name, Members: members}
}
