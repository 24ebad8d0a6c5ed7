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
// each object, sorted by kind and name, without the project they all belong to
// and with source text in the place of pickled functions. Indented by two, keys
// sorted, ASCII only.
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

// dumpProject writes what the project says of itself beside its name.
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

// asPython makes the differences that come from Feast writing its own objects
// instead of the stored messages: a data source of a built-in type says no
// class, a stream source of a view always does, and an on-demand view says its
// function in the field of old, too.
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

// SaysClass reports whether Feast's class for sources of a type writes its name
// when it writes itself; the registry holds the name of all.
func SaysClass(t core.DataSource_SourceType) bool {
	switch t {
	case core.DataSource_CUSTOM_SOURCE, core.DataSource_BATCH_SPARK, core.DataSource_BATCH_ICEBERG:
		return true
	}
	return false
}

// sourceClass is the Python class of a stream source, which Feast leaves out of
// the registry when it updates a view in place and knows all the same.
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

// readable puts the source text of functions in the place of their pickles.
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

// Tree gives an object as decoded protobuf JSON: camelCase keys, defaults left
// out, 64-bit integers as text.
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

// asciiJSON escapes what is not ASCII, as Python does; the rest of JSON's
// escapes are the same.
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
