package proto_test

import (
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// snapshotPath is what conformance/descriptors.py wrote of the released Feast.
const snapshotPath = "../testdata/golden/feast_descriptors.json.gz"

// A snapshot says what messages look like on the wire, as
// conformance/descriptors.py describes it.
type snapshot struct {
	Feast string         `json:"feast"`
	Files []fileSnapshot `json:"files"`
}

type fileSnapshot struct {
	Name     string            `json:"name"`
	Package  string            `json:"package"`
	Messages []messageSnapshot `json:"messages"`
	Enums    []enumSnapshot    `json:"enums"`
	Services []serviceSnapshot `json:"services"`
}

type messageSnapshot struct {
	Name          string          `json:"name"`
	Fields        []fieldSnapshot `json:"fields"`
	Reserved      [][2]int32      `json:"reserved"` // both ends inclusive
	ReservedNames []string        `json:"reserved_names"`
	MapEntry      bool            `json:"map_entry"`
	Deprecated    bool            `json:"deprecated"`
}

type fieldSnapshot struct {
	Name       string `json:"name"`
	Number     int32  `json:"number"`
	Type       string `json:"type"` // "int64", or "message feast.types.Value"
	Label      string `json:"label"`
	Oneof      string `json:"oneof"`
	Deprecated bool   `json:"deprecated"`
}

type enumSnapshot struct {
	Name          string          `json:"name"`
	Values        []valueSnapshot `json:"values"`
	Reserved      [][2]int32      `json:"reserved"` // both ends inclusive
	ReservedNames []string        `json:"reserved_names"`
}

type valueSnapshot struct {
	Name   string `json:"name"`
	Number int32  `json:"number"`
}

type serviceSnapshot struct {
	Name    string           `json:"name"`
	Methods []methodSnapshot `json:"methods"`
}

type methodSnapshot struct {
	Name            string `json:"name"`
	Input           string `json:"input"`
	Output          string `json:"output"`
	ClientStreaming bool   `json:"client_streaming"`
	ServerStreaming bool   `json:"server_streaming"`
}

// readSnapshot reads the committed snapshot of Feast.
func readSnapshot(tb testing.TB) *snapshot {
	tb.Helper()
	f, err := os.Open(snapshotPath)
	if err != nil {
		tb.Fatalf("no snapshot of Feast: %v; conformance/descriptors.py --write makes it", err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatalf("%s: %v", snapshotPath, err)
	}
	d := json.NewDecoder(z)
	d.DisallowUnknownFields()
	s := new(snapshot)
	if err := d.Decode(s); err != nil {
		tb.Fatalf("%s: %v", snapshotPath, err)
	}
	return s
}

// linked describes the files under feast/ that are linked into this program.
func linked() *snapshot {
	s := new(snapshot)
	protoregistry.GlobalFiles.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		if strings.HasPrefix(f.Path(), "feast/") {
			s.Files = append(s.Files, describeFile(protodesc.ToFileDescriptorProto(f)))
		}
		return true
	})
	slices.SortFunc(s.Files, func(a, b fileSnapshot) int { return cmp.Compare(a.Name, b.Name) })
	return s
}

func describeFile(f *descriptorpb.FileDescriptorProto) fileSnapshot {
	out := fileSnapshot{Name: f.GetName(), Package: f.GetPackage()}
	out.addEnums(f.GetPackage(), f.GetEnumType())
	out.addMessages(f.GetPackage(), f.GetMessageType())
	for _, s := range f.GetService() {
		service := serviceSnapshot{Name: fullName(f.GetPackage(), s.GetName())}
		for _, m := range s.GetMethod() {
			service.Methods = append(service.Methods, methodSnapshot{
				Name: m.GetName(), Input: strings.TrimPrefix(m.GetInputType(), "."), Output: strings.TrimPrefix(m.GetOutputType(), "."),
				ClientStreaming: m.GetClientStreaming(), ServerStreaming: m.GetServerStreaming(),
			})
		}
		out.Services = append(out.Services, service)
	}
	return out
}

func (f *fileSnapshot) addEnums(scope string, list []*descriptorpb.EnumDescriptorProto) {
	for _, e := range list {
		out := enumSnapshot{Name: fullName(scope, e.GetName()), ReservedNames: e.GetReservedName()}
		for _, v := range e.GetValue() {
			out.Values = append(out.Values, valueSnapshot{Name: v.GetName(), Number: v.GetNumber()})
		}
		for _, r := range e.GetReservedRange() {
			out.Reserved = append(out.Reserved, [2]int32{r.GetStart(), r.GetEnd()})
		}
		f.Enums = append(f.Enums, out)
	}
}

func (f *fileSnapshot) addMessages(scope string, list []*descriptorpb.DescriptorProto) {
	for _, m := range list {
		out := messageSnapshot{
			Name: fullName(scope, m.GetName()), ReservedNames: m.GetReservedName(),
			MapEntry: m.GetOptions().GetMapEntry(), Deprecated: m.GetOptions().GetDeprecated(),
		}
		for _, field := range m.GetField() {
			out.Fields = append(out.Fields, describeField(field, m))
		}
		for _, r := range m.GetReservedRange() {
			out.Reserved = append(out.Reserved, [2]int32{r.GetStart(), r.GetEnd() - 1}) // exclusive in descriptors
		}
		f.Messages = append(f.Messages, out)
		f.addEnums(out.Name, m.GetEnumType())
		f.addMessages(out.Name, m.GetNestedType())
	}
}

func describeField(f *descriptorpb.FieldDescriptorProto, m *descriptorpb.DescriptorProto) fieldSnapshot {
	kind := strings.ToLower(strings.TrimPrefix(f.GetType().String(), "TYPE_"))
	out := fieldSnapshot{
		Name: f.GetName(), Number: f.GetNumber(), Deprecated: f.GetOptions().GetDeprecated(),
		Type: strings.TrimSpace(kind + " " + strings.TrimPrefix(f.GetTypeName(), ".")),
	}
	switch {
	case f.GetProto3Optional():
		out.Label = "optional"
	case f.GetLabel() == descriptorpb.FieldDescriptorProto_LABEL_REPEATED:
		out.Label = "repeated"
	case f.GetLabel() == descriptorpb.FieldDescriptorProto_LABEL_REQUIRED:
		out.Label = "required"
	default:
		out.Label = "singular"
	}
	if f.OneofIndex != nil && !f.GetProto3Optional() {
		out.Oneof = m.GetOneofDecl()[f.GetOneofIndex()].GetName()
	}
	return out
}

func fullName(scope, name string) string {
	if scope == "" {
		return name
	}
	return scope + "." + name
}

// facts is one line of text per thing that is declared, by its name.
func (s *snapshot) facts() map[string]string {
	out := make(map[string]string)
	for _, f := range s.Files {
		out["file "+f.Name] = "package " + f.Package
		for _, m := range f.Messages {
			out["message "+m.Name] = fmt.Sprintf("in %s, reserved %v, reserved names %q, map entry %t, deprecated %t",
				f.Name, ranges(m.Reserved), sorted(m.ReservedNames), m.MapEntry, m.Deprecated)
			for _, x := range m.Fields {
				out["field "+m.Name+"."+x.Name] = fmt.Sprintf("number %d, type %s, %s, oneof %q, deprecated %t",
					x.Number, x.Type, x.Label, x.Oneof, x.Deprecated)
			}
		}
		for _, e := range f.Enums {
			out["enum "+e.Name] = fmt.Sprintf("in %s, reserved %v, reserved names %q", f.Name, ranges(e.Reserved), sorted(e.ReservedNames))
			for _, v := range e.Values {
				out["enum value "+e.Name+"."+v.Name] = fmt.Sprintf("number %d", v.Number)
			}
		}
		for _, x := range f.Services {
			out["service "+x.Name] = "in " + f.Name
			for _, m := range x.Methods {
				out["method "+x.Name+"."+m.Name] = fmt.Sprintf("takes %s (stream %t), answers %s (stream %t)",
					m.Input, m.ClientStreaming, m.Output, m.ServerStreaming)
			}
		}
	}
	return out
}

func ranges(list [][2]int32) [][2]int32 {
	return slices.SortedFunc(slices.Values(list), func(a, b [2]int32) int { return cmp.Compare(a[0], b[0]) })
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

// differences names everything in which ours is not as Feast's, in order.
func differences(feast, ours *snapshot) []string {
	want, have := feast.facts(), ours.facts()
	names := maps.Clone(want)
	maps.Copy(names, have)
	var out []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		w, inFeast := want[name]
		h, inOurs := have[name]
		switch {
		case !inOurs:
			out = append(out, fmt.Sprintf("%s: missing; Feast has %s", name, w))
		case !inFeast:
			out = append(out, fmt.Sprintf("%s: Feast has none; ours is %s", name, h))
		case w != h:
			out = append(out, fmt.Sprintf("%s: Feast has %s; ours is %s", name, w, h))
		}
	}
	return out
}
