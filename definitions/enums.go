package definitions

import (
	"fmt"
	"slices"
	"strings"

	"github.com/banquet-fs/banquet/definitions/python"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// member is a value of one of Feast's enumerations.
type member struct {
	enum   string
	name   string
	value  any
	number int32 // value in the protobuf enumeration
}

// Kinds lists the classes of a member.
func (m *member) Kinds() []string { return []string{m.enum, "Enum"} }

// String is Python's str of a member.
func (m *member) String() string { return m.enum + "." + m.name }

// Attr returns name and value.
func (m *member) Attr(name string) (any, bool) {
	switch name {
	case "name":
		return m.name, true
	case "value":
		return m.value, true
	}
	return nil, false
}

// enumeration makes a class of members.
func enumeration(name string, list []*member) *python.Builtin {
	members := map[string]any{}
	var order python.Tuple
	for _, m := range list {
		m.enum = name
		members[m.name] = m
		order = append(order, m)
	}
	members["__members__"] = order
	return &python.Builtin{Name: name, Members: members, Call: func(c *python.Call) (any, error) {
		a := bind(name, c, "value!")
		v, _ := a.get("value")
		if a.err != nil {
			return nil, a.err
		}
		for _, m := range list {
			if v == m || v == m.value {
				return m, nil
			}
		}
		return nil, fmt.Errorf("%s is not a valid %s", python.Brief(v), name)
	}}
}

// valueTypes are the members of ValueType, by number: those of protobuf, and
// those that exist only in Python.
func valueTypes() []*member {
	list := []*member{{name: "UNKNOWN", value: int64(0)}, {name: "PDF_BYTES", value: int64(30), number: 30}, {name: "IMAGE_BYTES", value: int64(31), number: 31}}
	for n, v := range types.ValueType_Enum_value {
		if v != 0 {
			list = append(list, &member{name: n, value: int64(v), number: v})
		}
	}
	slices.SortFunc(list, func(a, b *member) int { return int(a.number - b.number) })
	return list
}

// numbered returns members whose Python value is the lower-case name and whose
// number is protobuf's.
func numbered(values map[string]int32, names ...string) []*member {
	list := make([]*member, len(names))
	for i, n := range names {
		list[i] = &member{name: n, value: strings.ToLower(n), number: values[n]}
	}
	return list
}

func actions() []*member {
	return numbered(core.PermissionSpec_AuthzedAction_value, "CREATE", "DESCRIBE", "UPDATE", "DELETE", "READ_ONLINE", "READ_OFFLINE", "WRITE_ONLINE", "WRITE_OFFLINE")
}

func conflictPolicies() []*member {
	return numbered(core.ConflictResolutionPolicy_value, "LAST_WRITE_WINS", "LABELER_PRIORITY", "MAJORITY_VOTE")
}

func transformationModes() []*member {
	return numbered(nil, "PYTHON", "PANDAS", "SPARK_SQL", "SPARK", "FLINK", "RAY", "SQL", "SUBSTRAIT")
}

// mode is the argument mode, a transformation mode: a text or a member of TransformationMode.
func (a *args) mode(fallback string) string {
	v, ok := a.get("mode")
	if !ok {
		return fallback
	}
	if m, isMember := v.(*member); isMember && m.enum == "TransformationMode" {
		text, _ := m.value.(string)
		return text
	}
	return a.text("mode")
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
