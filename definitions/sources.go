package definitions

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/definitions/python"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

// source is a data source.
type source struct {
	class  string
	proto  *core.DataSource
	batch  *source // batch source of a stream
	schema []*field
	// module is Feast's module of the class: the path that registries store.
	module string
	tags   *python.Dict
	mapped *python.Dict // field_mapping
	// more are attributes of the class beyond those of all sources.
	more      map[string]any
	reference *connection
	bare      bool // the class omits description, tags and owner from its message
}

// Kinds lists the classes of a source.
func (s *source) Kinds() []string { return []string{s.class, "DataSource"} }

// sourceText returns the getter of a text that every source's message has.
func sourceText(name string) func(*core.DataSource) string {
	switch name {
	case "name":
		return (*core.DataSource).GetName
	case "timestamp_field":
		return (*core.DataSource).GetTimestampField
	case "created_timestamp_column":
		return (*core.DataSource).GetCreatedTimestampColumn
	case "description":
		return (*core.DataSource).GetDescription
	case "owner":
		return (*core.DataSource).GetOwner
	case "date_partition_column":
		return (*core.DataSource).GetDatePartitionColumn
	case "timestamp_field_type":
		return (*core.DataSource).GetTimestampFieldType
	}
	return nil
}

// Attr returns the attributes of a source.
func (s *source) Attr(name string) (any, bool) {
	if v, ok := s.more[name]; ok {
		return v, true
	}
	if get := sourceText(name); get != nil {
		return get(s.proto), true
	}
	switch name {
	case "connection_ref":
		if s.reference == nil {
			return nil, true
		}
		return s.reference, true
	case "path":
		return s.proto.GetFileOptions().GetUri(), s.class == "FileSource"
	case "tags":
		return s.tags, true
	case "field_mapping":
		return s.mapped, s.mapped != nil
	case "batch_source":
		if s.batch == nil {
			return nil, s.streams()
		}
		return s.batch, true
	case "schema":
		l := python.ReadOnlyList("the schema of a source is not changed here; give it to the constructor")
		for _, f := range s.schema {
			l.Items = append(l.Items, f)
		}
		return l, s.class == "RequestSource"
	}
	return nil, false
}

// Equal is Python's ==, based on names.
func (s *source) Equal(other any) (equal, known bool) {
	o, ok := other.(*source)
	return false, !ok || o.proto.GetName() != s.proto.GetName()
}

// streams reports whether a source is a stream with a batch source.
func (s *source) streams() bool {
	switch s.class {
	case "PushSource", "KafkaSource", "KinesisSource":
		return true
	}
	return false
}

// message is what Feast's class serializes. Some classes include their own name.
func (s *source) message() *core.DataSource {
	p, _ := proto.Clone(s.proto).(*core.DataSource)
	if s.batch == nil {
		return p
	}
	p.BatchSource = s.batch.message()
	if s.class == "PushSource" {
		b := p.GetBatchSource()
		p.TimestampField, p.CreatedTimestampColumn = b.GetTimestampField(), b.GetCreatedTimestampColumn()
		p.FieldMapping, p.DatePartitionColumn = b.GetFieldMapping(), b.GetDatePartitionColumn()
	}
	return p
}

// annotated is the message with its class, as registries and views store it.
func (s *source) annotated() *core.DataSource {
	if s == nil {
		return nil
	}
	p := s.message()
	p.DataSourceClassType = s.module + "." + s.class
	return p
}

// newSource sets the common fields of all sources; the parameters are those of
// Feast's class.
func newSource(a *args, class, module string, kind core.DataSource_SourceType) *source {
	s := &source{class: class, module: module}
	s.read(a, kind)
	return s
}

func (s *source) read(a *args, kind core.DataSource_SourceType) {
	p := &core.DataSource{
		Name: a.text("name"), Type: kind, TimestampField: a.text("timestamp_field"), CreatedTimestampColumn: a.text("created_timestamp_column"),
		Description: a.text("description"), Owner: a.text("owner"),
	}
	s.proto = p
	s.checkTimes(a)
	s.reference = one[*connection](a, "connection_ref", "a ConnectionRef")
	s.tags = a.tags("tags", func(t map[string]string) {
		if s.bare {
			t = nil
		}
		for k, v := range s.reference.tags() {
			if t == nil {
				t = map[string]string{}
			}
			t[k] = v
		}
		p.Tags = t
	})
	s.mapped = a.tags("field_mapping", func(t map[string]string) { p.FieldMapping = t })
}

func (s *source) checkTimes(a *args) {
	if t := s.proto.GetTimestampField(); t != "" && t == s.proto.GetCreatedTimestampColumn() {
		a.failAt("created_timestamp_column", "has the same column for 'timestamp_field' and 'created_timestamp_column'")
	}
}

func newFileSource(c *python.Call) (any, error) {
	a := bind("FileSource", c, "*", "path!", "name?", "event_timestamp_column?", "file_format?", "created_timestamp_column?", "field_mapping?",
		"s3_endpoint_override?", "description?", "tags?", "owner?", "timestamp_field?", "connection_ref?")
	s := newSource(a, "FileSource", "feast.infra.offline_stores.file_source", core.DataSource_BATCH_FILE)
	path := a.name("path")
	if s.proto.Name == "" {
		s.proto.Name = path
	}
	options := &core.DataSource_FileOptions{Uri: path, S3EndpointOverride: a.text("s3_endpoint_override")}
	if f := one[*fileFormat](a, "file_format", "ParquetFormat() or DeltaFormat()"); f != nil {
		options.FileFormat = f.proto
	}
	s.proto.Options = &core.DataSource_FileOptions_{FileOptions: options}
	return s, a.err
}

func newPushSource(c *python.Call) (any, error) {
	a := bind("PushSource", c, "*", "name!", "batch_source?", "description?", "tags?", "owner?")
	s := newSource(a, "PushSource", "feast.data_source", core.DataSource_PUSH_SOURCE)
	a.name("name")
	s.batch = one[*source](a, "batch_source", "a data source")
	s.mapped = nil
	return s, a.err
}

func newRequestSource(c *python.Call) (any, error) {
	a := bind("RequestSource", c, "*", "name!", "schema!", "timestamp_field?", "description?", "tags?", "owner?")
	s := newSource(a, "RequestSource", "feast.data_source", core.DataSource_REQUEST_SOURCE)
	a.name("name")
	s.schema = each[*field](a, "schema", "fields")
	a.keep("schema")
	s.proto.Options = requestOptions(s.schema)
	return s, a.err
}

func requestOptions(schema []*field) *core.DataSource_RequestDataOptions_ {
	return &core.DataSource_RequestDataOptions_{RequestDataOptions: &core.DataSource_RequestDataOptions{Schema: specs(schema)}}
}

// specs returns the messages of fields.
func specs(fields []*field) []*core.FeatureSpecV2 {
	var out []*core.FeatureSpecV2
	for _, f := range fields {
		out = append(out, f.spec)
	}
	return out
}

func newKafkaSource(c *python.Call) (any, error) {
	a := bind("KafkaSource", c, "*", "name!", "timestamp_field!", "message_format!", "bootstrap_servers?", "kafka_bootstrap_servers?", "topic?",
		"created_timestamp_column?", "field_mapping?", "description?", "tags?", "owner?", "batch_source?", "watermark_delay_threshold?")
	s := newSource(a, "KafkaSource", "feast.data_source", core.DataSource_STREAM_KAFKA)
	a.name("name")
	servers := a.text("kafka_bootstrap_servers")
	if servers == "" {
		servers = a.text("bootstrap_servers")
	}
	options := &core.DataSource_KafkaOptions{KafkaBootstrapServers: servers, Topic: a.text("topic"), WatermarkDelayThreshold: a.duration("watermark_delay_threshold")}
	if f := one[*streamFormat](a, "message_format", "AvroFormat(…), JsonFormat(…) or ProtoFormat(…)"); f != nil {
		options.MessageFormat = f.proto
	}
	s.proto.Options = &core.DataSource_KafkaOptions_{KafkaOptions: options}
	s.batch = one[*source](a, "batch_source", "a data source")
	return s, a.err
}

func newKinesisSource(c *python.Call) (any, error) {
	a := bind("KinesisSource", c, "*", "name!", "record_format!", "region!", "stream_name!", "timestamp_field?", "created_timestamp_column?",
		"field_mapping?", "description?", "tags?", "owner?", "batch_source?")
	s := newSource(a, "KinesisSource", "feast.data_source", core.DataSource_STREAM_KINESIS)
	a.name("name")
	options := &core.DataSource_KinesisOptions{Region: a.text("region"), StreamName: a.text("stream_name")}
	if f := one[*streamFormat](a, "record_format", "AvroFormat(…), JsonFormat(…) or ProtoFormat(…)"); f != nil {
		options.RecordFormat = f.proto
	}
	s.proto.Options = &core.DataSource_KinesisOptions_{KinesisOptions: options}
	s.batch = one[*source](a, "batch_source", "a data source")
	return s, a.err
}

// connection is a ConnectionRef: Feast stores it in the tags of its source.
type connection struct {
	texts  map[string]string
	params map[string]string
}

// Kinds lists the classes of a reference.
func (c *connection) Kinds() []string { return []string{"ConnectionRef"} }

// Attr returns the texts of a reference.
func (c *connection) Attr(name string) (any, bool) {
	v, ok := c.texts[name]
	return v, ok
}

func newConnectionRef(c *python.Call) (any, error) {
	a := bind("ConnectionRef", c, "provider!", "name!", "namespace", "connection_type", "auth_type", "params")
	ref := &connection{texts: map[string]string{
		"provider": a.name("provider"), "name": a.name("name"), "namespace": a.text("namespace"),
		"connection_type": a.text("connection_type"), "auth_type": a.textOr("auth_type", "secret"),
	}}
	a.tags("params", func(t map[string]string) { ref.params = t })
	return ref, a.err
}

func (c *connection) tags() map[string]string {
	if c == nil {
		return nil
	}
	const prefix = "feast.connection-ref."
	out := map[string]string{prefix + "provider": c.texts["provider"], prefix + "name": c.texts["name"]}
	for tag, key := range map[string]string{"namespace": "namespace", "connection-type": "connection_type", "auth-type": "auth_type"} {
		if v := c.texts[key]; v != "" && (key != "auth_type" || v != "secret") {
			out[prefix+tag] = v
		}
	}
	for k, v := range c.params {
		out[prefix+"param."+k] = v
	}
	return out
}

// oldFeature is the class of features before Feast 0.21.
func oldFeature() *python.Builtin {
	return &python.Builtin{Name: "Feature", Definer: true, Call: func(*python.Call) (any, error) {
		return nil, errors.New("views no longer accept Feature; write Field(name=…, dtype=…) instead, with a type of feast.types")
	}}
}

// unsupported is a Feast class for stores that banquet does not support.
func unsupported(name string) *python.Builtin {
	return &python.Builtin{Name: name, Definer: true, Call: func(*python.Call) (any, error) {
		return nil, fmt.Errorf("%s is not supported", name)
	}}
}
