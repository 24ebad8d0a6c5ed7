package main

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/banquet-fs/banquet/internal/yaml11"
)

// describe writes an object as `feast … describe` does: the YAML of its
// protobuf JSON, fields in the order of their numbers.
func describe(m proto.Message) string {
	var b strings.Builder
	writeMessage(&b, m.ProtoReflect(), "")
	return b.String()
}

// writeMessage writes the fields that are set.
func writeMessage(b *strings.Builder, m protoreflect.Message, indent string) {
	fields := make([]protoreflect.FieldDescriptor, 0, m.Descriptor().Fields().Len())
	for i := range m.Descriptor().Fields().Len() {
		fields = append(fields, m.Descriptor().Fields().Get(i))
	}
	slices.SortFunc(fields, func(x, y protoreflect.FieldDescriptor) int { return int(x.Number() - y.Number()) })
	for _, f := range fields {
		// Feast's objects have no project when they are described.
		if !m.Has(f) || f.Name() == "project" {
			continue
		}
		v := m.Get(f)
		b.WriteString(indent + f.JSONName() + ":")
		switch {
		case f.IsList():
			b.WriteByte('\n')
			for i := range v.List().Len() {
				writeItem(b, f, v.List().Get(i), indent)
			}
		case f.IsMap():
			b.WriteByte('\n')
			writeMap(b, f, v.Map(), indent+"  ")
		default:
			writeValue(b, f, v, indent+"  ")
		}
	}
}

func writeItem(b *strings.Builder, f protoreflect.FieldDescriptor, v protoreflect.Value, indent string) {
	var inner strings.Builder
	if f.Message() != nil && !wellKnown(f.Message()) {
		writeMessage(&inner, v.Message(), indent+"  ")
		text := inner.String()
		if text == "" {
			b.WriteString(indent + "- {}\n")
			return
		}
		b.WriteString(indent + "- " + strings.TrimPrefix(text, indent+"  "))
		return
	}
	writeValue(&inner, f, v, indent)
	b.WriteString(indent + "-" + inner.String())
}

func writeMap(b *strings.Builder, f protoreflect.FieldDescriptor, m protoreflect.Map, indent string) {
	var keys []string
	m.Range(func(k protoreflect.MapKey, _ protoreflect.Value) bool {
		keys = append(keys, k.String())
		return true
	})
	slices.Sort(keys)
	for _, k := range keys {
		b.WriteString(indent + scalar(k) + ":")
		writeValue(b, f.MapValue(), m.Get(protoreflect.ValueOfString(k).MapKey()), indent+"  ")
	}
}

// writeValue writes what follows a colon.
func writeValue(b *strings.Builder, f protoreflect.FieldDescriptor, v protoreflect.Value, indent string) {
	if f.Message() != nil && !wellKnown(f.Message()) {
		var inner strings.Builder
		writeMessage(&inner, v.Message(), indent)
		if inner.Len() == 0 {
			b.WriteString(" {}\n")
			return
		}
		b.WriteString("\n" + inner.String())
		return
	}
	b.WriteString(" " + leaf(f, v) + "\n")
}

func wellKnown(d protoreflect.MessageDescriptor) bool {
	return d.FullName() == "google.protobuf.Timestamp" || d.FullName() == "google.protobuf.Duration"
}

func leaf(f protoreflect.FieldDescriptor, v protoreflect.Value) string {
	switch f.Kind() {
	case protoreflect.MessageKind:
		j, err := protojson.Marshal(v.Message().Interface())
		if err != nil {
			return "null"
		}
		return scalar(strings.Trim(string(j), `"`))
	case protoreflect.EnumKind:
		if e := f.Enum().Values().ByNumber(v.Enum()); e != nil {
			return scalar(string(e.Name()))
		}
		return strconv.Itoa(int(v.Enum()))
	case protoreflect.BytesKind:
		return scalar(base64.StdEncoding.EncodeToString(v.Bytes()))
	case protoreflect.Int64Kind, protoreflect.Uint64Kind:
		return "'" + v.String() + "'"
	case protoreflect.StringKind:
		return scalar(v.String())
	}
	return v.String()
}

// scalar writes a text as PyYAML does: plain if it can only be read as text, else in
// single quotes, or in double quotes if it contains line breaks or other characters that
// need an escape.
func scalar(s string) string {
	switch {
	case strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }): // line breaks of Unicode, too
		return strconv.Quote(s)
	case plain(s):
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// plain reports whether a text of one line needs no quotes as a value in a block.
func plain(s string) bool {
	if yaml11.Tag(s) != yaml11.Text || s[0] == ' ' || s[len(s)-1] == ' ' ||
		strings.HasPrefix(s, "---") || strings.HasPrefix(s, "...") {
		return false
	}
	if strings.IndexByte("#,[]{}&*!|>'\"%@`", s[0]) >= 0 {
		return false
	}
	if strings.IndexByte("?-", s[0]) >= 0 && (len(s) == 1 || s[1] == ' ') {
		return false
	}
	return !strings.Contains(s, ": ") && !strings.HasSuffix(s, ":") && !strings.Contains(s, " #")
}

// state writes one more line below an object.
func state(key string, v any) string { return fmt.Sprintf("%s: %v\n", key, v) }
