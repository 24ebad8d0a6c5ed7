package definitions

import (
	"fmt"
	"strings"

	"github.com/banquet-fs/banquet/definitions/library"
	"github.com/banquet-fs/banquet/definitions/python"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// dtype is a type of feast.types.
type dtype struct {
	value  types.ValueType_Enum
	name   string // "Int64", "Array", "Set", "Struct"
	tagged string // the scalar in a tag of Feast: "INT64"
	inner  *dtype
	fields []structField // fields of a Struct
}

type structField struct {
	name string
	kind *dtype
}

// Kinds lists the classes of a type.
func (d *dtype) Kinds() []string {
	if d.inner != nil || d.fields != nil {
		return []string{d.name, "ComplexFeastType"}
	}
	return []string{"PrimitiveFeastType", "Enum"}
}

// String is Python's str of a type.
func (d *dtype) String() string {
	switch {
	case d.inner != nil:
		return d.name + "(" + d.inner.String() + ")"
	case d.fields != nil:
		parts := make([]string, len(d.fields))
		for i, f := range d.fields {
			parts[i] = f.name + ": " + f.kind.String()
		}
		return "Struct({" + strings.Join(parts, ", ") + "})"
	}
	return d.name
}

// Attr returns the element type.
func (d *dtype) Attr(name string) (any, bool) {
	switch {
	case name == "base_type" && d.inner != nil:
		return d.inner, true
	case name == "name" && d.inner == nil && d.fields == nil:
		return d.tagged, true
	}
	return nil, false
}

// Equal is Python's ==.
func (d *dtype) Equal(other any) (equal, known bool) {
	o, ok := other.(*dtype)
	return ok && d.same(o), true
}

func (d *dtype) same(o *dtype) bool {
	if d.name != o.name || d.value != o.value || len(d.fields) != len(o.fields) || (d.inner == nil) != (o.inner == nil) {
		return false
	}
	if d.inner != nil {
		return d.inner.same(o.inner)
	}
	for i, f := range d.fields {
		if f.name != o.fields[i].name || !f.kind.same(o.fields[i].kind) {
			return false
		}
	}
	return true
}

// scalars are the types without parameters, and the numbers of the two that exist
// only in Feast's Python.
func scalars() []*dtype {
	return []*dtype{
		{value: 0, name: "Invalid", tagged: "INVALID"},
		{value: 1, name: "Bytes", tagged: "BYTES"},
		{value: 2, name: "String", tagged: "STRING"},
		{value: 3, name: "Int32", tagged: "INT32"},
		{value: 4, name: "Int64", tagged: "INT64"},
		{value: 5, name: "Float64", tagged: "FLOAT64"},
		{value: 6, name: "Float32", tagged: "FLOAT32"},
		{value: 7, name: "Bool", tagged: "BOOL"},
		{value: 8, name: "UnixTimestamp", tagged: "UNIX_TIMESTAMP"},
		{value: 20, name: "Map", tagged: "MAP"},
		{value: 30, name: "PdfBytes", tagged: "PDF_BYTES"},
		{value: 31, name: "ImageBytes", tagged: "IMAGE_BYTES"},
		{value: 32, name: "Json", tagged: "JSON"},
		{value: 36, name: "Uuid", tagged: "UUID"},
		{value: 37, name: "TimeUuid", tagged: "TIME_UUID"},
		{value: 44, name: "Decimal", tagged: "DECIMAL"},
		{value: 47, name: "ScalarMap", tagged: "SCALAR_MAP"},
		{value: 48, name: "ZonedTimestamp", tagged: "ZONED_TIMESTAMP"},
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
	a := bind(name, c, "base_type!")
	inner := one[*dtype](a, "base_type", "a type of feast.types")
	if a.err != nil {
		return nil, a.err
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
	a := bind("Struct", c, "fields!")
	d := one[*python.Dict](a, "fields", "a dict of types")
	if a.err != nil {
		return nil, a.err
	}
	if d.Len() == 0 {
		return nil, fmt.Errorf("the Struct lacks its fields")
	}
	out := &dtype{value: types.ValueType_STRUCT, name: "Struct"}
	for k, v := range d.All() {
		kind, ok := v.(*dtype)
		name, isText := python.Plain(k).(string)
		if !ok || !isText {
			return nil, fmt.Errorf("field %s of Struct is a %s, want a type of feast.types", python.Brief(k), python.TypeName(v))
		}
		out.fields = append(out.fields, structField{name, kind})
	}
	return out, nil
}

// schema is a Struct as Feast writes it in a tag: field names to types.
func (d *dtype) schema() string {
	fields := &python.Dict{}
	for _, f := range d.fields {
		_ = fields.Put(f.name, f.kind.text())
	}
	text, _ := library.JSON(fields)
	return text
}

// text is the form in which Feast stores a type in a tag.
func (d *dtype) text() string {
	switch {
	case d.inner != nil:
		return d.name + "(" + d.inner.text() + ")"
	case d.fields != nil:
		return `{"__struct__": ` + d.schema() + "}"
	}
	return d.tagged
}

// tags are the tags that store a type beyond its value type; nil if the value
// type is sufficient.
func (d *dtype) tags() map[string]string {
	switch {
	case d.fields != nil:
		return map[string]string{"feast:struct_schema": d.schema()}
	case d.inner == nil:
		return nil
	case d.name == "Array" && d.inner.fields != nil:
		return map[string]string{"feast:struct_schema": d.inner.schema()}
	case d.inner.inner != nil:
		return map[string]string{"feast:nested_inner_type": d.text()}
	}
	return nil
}
