package registry

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// fieldChanges lists the fields of the definition that differ.
func fieldChanges(old, next object) []FieldChange {
	a, b := object{old.normal()}.spec(), object{next.normal()}.spec()
	var changes []FieldChange
	fields := a.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if f.Name() == "project" || a.Get(f).Equal(b.Get(f)) && a.Has(f) == b.Has(f) {
			continue
		}
		changes = append(changes, FieldChange{Field: string(f.Name()), Old: show(f, a), New: show(f, b)})
	}
	return changes
}

// show writes a field's value on one line; lists and maps in brackets.
func show(f protoreflect.FieldDescriptor, m protoreflect.Message) string {
	if !m.Has(f) && (f.Message() != nil || f.IsList() || f.IsMap()) {
		return "none"
	}
	v := m.Get(f)
	switch {
	case f.IsList():
		parts := make([]string, v.List().Len())
		for i := range parts {
			parts[i] = showValue(f, v.List().Get(i))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case f.IsMap():
		byKey := map[string]string{}
		v.Map().Range(func(k protoreflect.MapKey, e protoreflect.Value) bool {
			byKey[k.String()] = k.String() + ": " + showValue(f.MapValue(), e)
			return true
		})
		parts := make([]string, 0, len(byKey))
		for _, k := range sortedKeys(byKey) {
			parts = append(parts, byKey[k])
		}
		return "{" + strings.Join(parts, ", ") + "}"
	default:
		return showValue(f, v)
	}
}

func showValue(f protoreflect.FieldDescriptor, v protoreflect.Value) string {
	switch f.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return oneLine(prototext.MarshalOptions{}.Format(v.Message().Interface()))
	case protoreflect.EnumKind:
		if e := f.Enum().Values().ByNumber(v.Enum()); e != nil {
			return string(e.Name())
		}
	}
	return v.String()
}

// oneLine reduces white space: protobuf's text form varies it on purpose.
func oneLine(s string) string {
	return strings.TrimSpace(regexp.MustCompile(`\s+`).ReplaceAllString(s, " "))
}

// Loud reports whether a plan prints any change.
func (c Changes) Loud() bool {
	for i := range c {
		if !c[i].Quiet {
			return true
		}
	}
	return false
}

// WriteText writes the changes as Feast's plan does: a line for each object,
// and below an updated one a line for each field.
func (c Changes) WriteText(w io.Writer, colors bool) {
	if !c.Loud() {
		fmt.Fprintln(w, "No changes to registry")
		return
	}
	for i := range c {
		if c[i].Quiet {
			continue
		}
		line := fmt.Sprintf("%s %s %s", c[i].Action, c[i].Kind, c[i].Name)
		if colors {
			line = [...]string{"\x1b[32m", "\x1b[33m", "\x1b[31m"}[c[i].Action] + line + "\x1b[0m"
		}
		fmt.Fprintln(w, line)
		for _, f := range c[i].Fields {
			fmt.Fprintf(w, "\t%s: %s -> %s\n", f.Field, f.Old, f.New)
		}
	}
}
