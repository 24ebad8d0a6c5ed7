package registry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf16"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

// Dump writes a project as Feast's registry-dump does: the protobuf JSON of
// each object, sorted by kind and name, without the project and with source text
// instead of pickled functions. Indented by two, keys sorted, ASCII only.
func (p *Project) Dump() ([]byte, error) {
	out := map[string]any{"project": p.Name}
	if p.message != nil {
		p.dumpProject(out)
	}
	for _, list := range []struct {
		key  string
		objs []proto.Message
	}{
		{"dataSources", messages(p.sources)},
		{"entities", messages(p.entities)},
		{"featureViews", messages(p.batch)},
		{"featureServices", messages(p.services)},
		{"onDemandFeatureViews", messages(p.onDemand)},
		{"streamFeatureViews", messages(p.stream)},
		{"labelViews", messages(p.labels)},
		{"savedDatasets", messages(p.datasets)},
		{"permissions", messages(p.grants)},
	} {
		if len(list.objs) == 0 {
			continue
		}
		objects, err := dumpList(list.objs)
		if err != nil {
			return nil, err
		}
		out[list.key] = objects
	}
	return pythonJSON(out)
}

// dumpProject writes the project's description.
func (p *Project) dumpProject(out map[string]any) {
	if text := p.message.GetSpec().GetDescription(); text != "" {
		out["projectDescription"] = text
	}
}

func messages[M proto.Message](list []M) []proto.Message {
	out := make([]proto.Message, len(list))
	for i, m := range list {
		out[i] = m
	}
	return out
}

func dumpList(list []proto.Message) ([]any, error) {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b proto.Message) int {
		return bytes.Compare([]byte(objectOf(a).name()), []byte(objectOf(b).name()))
	})
	out := make([]any, len(list))
	for i, m := range list {
		tree, err := Tree(m)
		if err != nil {
			return nil, err
		}
		if spec, ok := tree["spec"].(map[string]any); ok {
			delete(spec, "project")
		}
		delete(tree, "project")
		asPython(m, tree)
		readable(tree)
		out[i] = tree
	}
	return out, nil
}

// asPython changes the stored message into what Feast's Python objects write: a data
// source of a built-in type has no class, a stream source of a view always has one,
// and an on-demand view has its function in the deprecated field, too.
func asPython(m proto.Message, tree map[string]any) {
	switch v := m.(type) {
	case *core.DataSource:
		if !SaysClass(v.GetType()) {
			delete(tree, "dataSourceClassType")
		}
	case *core.FeatureView:
		spec, _ := tree["spec"].(map[string]any)
		if stream, ok := spec["streamSource"].(map[string]any); ok && v.GetSpec().GetStreamSource().GetDataSourceClassType() == "" {
			stream["dataSourceClassType"] = sourceClass(v.GetSpec().GetStreamSource().GetType())
		}
	case *core.OnDemandFeatureView:
		udf := v.GetSpec().GetFeatureTransformation().GetUserDefinedFunction()
		if spec, ok := tree["spec"].(map[string]any); ok && udf != nil {
			spec["userDefinedFunction"] = map[string]any{"body": udf.GetBodyText()}
		}
	}
}

// SaysClass reports whether Feast's Python class for a type of source writes its class
// name. The registry has the class name of all sources.
func SaysClass(t core.DataSource_SourceType) bool {
	switch t {
	case core.DataSource_CUSTOM_SOURCE, core.DataSource_BATCH_SPARK, core.DataSource_BATCH_ICEBERG:
		return true
	}
	return false
}

// sourceClass is the Python class of a stream source. Feast omits it from the registry
// when it updates a view in place, but still writes it here.
func sourceClass(t core.DataSource_SourceType) string {
	switch t {
	case core.DataSource_STREAM_KAFKA:
		return "feast.data_source.KafkaSource"
	case core.DataSource_STREAM_KINESIS:
		return "feast.data_source.KinesisSource"
	default:
		return "feast.data_source.PushSource"
	}
}

// readable replaces the pickles of functions by their source text.
func readable(v any) {
	switch v := v.(type) {
	case map[string]any:
		if text, ok := v["bodyText"]; ok {
			v["body"] = text
		}
		for _, e := range v {
			readable(e)
		}
	case []any:
		for _, e := range v {
			readable(e)
		}
	}
}

// Tree returns an object as decoded protobuf JSON: camelCase keys, without defaults,
// 64-bit integers as strings.
func Tree(m proto.Message) (map[string]any, error) {
	b, err := protojson.Marshal(m)
	if err != nil {
		return nil, fault.New(fault.Internal, "an object of the registry cannot be written as JSON").Because(err)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var tree map[string]any
	if err := dec.Decode(&tree); err != nil {
		return nil, fault.New(fault.Internal, "an object of the registry cannot be written as JSON").Because(err)
	}
	return tree, nil
}

// pythonJSON writes JSON as Python's json.dumps(indent=2, sort_keys=True).
func pythonJSON(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return nil, fault.New(fault.Internal, "the registry cannot be written as JSON").Because(err)
	}
	return asciiJSON(out.Bytes()), nil
}

// asciiJSON escapes characters outside ASCII, as Python does; JSON's other escapes
// are the same.
func asciiJSON(b []byte) []byte {
	var out []byte
	for _, r := range string(b) {
		switch {
		case r < 0x7f:
			out = append(out, byte(r))
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, hi, lo)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}
