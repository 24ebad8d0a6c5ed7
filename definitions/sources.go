package definitions

import (
	"fmt"
	"strings"

	"github.com/banquet-fs/banquet/definitions/python"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

// The Python classes that Feast writes into data sources.
const (
	classFile     = "feast.infra.offline_stores.file_source.FileSource"
	classPostgres = "feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source.PostgreSQLSource"
	classKafka    = "feast.data_source.KafkaSource"
	classKinesis  = "feast.data_source.KinesisSource"
	classPush     = "feast.data_source.PushSource"
	classRequest  = "feast.data_source.RequestSource"
)

// source is a data source.
type source struct {
	proto *core.DataSource
}

func (s *source) String() string { return "DataSource" }

// Attr gives what factories read of a source.
func (s *source) Attr(name string) (any, bool) {
	switch name {
	case "name":
		return s.proto.GetName(), true
	case "timestamp_field":
		return s.proto.GetTimestampField(), true
	}
	return nil, false
}

// common fills what all batch sources take.
func common(a *args, class string) *core.DataSource {
	return &core.DataSource{
		Name: a.text("name"), TimestampField: a.text("timestamp_field"), CreatedTimestampColumn: a.text("created_timestamp_column"),
		FieldMapping: a.tags("field_mapping"), Description: a.text("description"), Tags: a.tags("tags"), Owner: a.text("owner"),
		DataSourceClassType: class,
	}
}

func newFileSource(c *python.Call) (any, error) {
	a := bind("FileSource", c, "*", "path", "name", "event_timestamp_column", "file_format", "created_timestamp_column", "field_mapping",
		"s3_endpoint_override", "description", "tags", "owner", "timestamp_field", "connection_ref")
	p := common(a, classFile)
	p.Type = core.DataSource_BATCH_FILE
	path := a.must("path")
	if p.Name == "" {
		p.Name = path
	}
	options := &core.DataSource_FileOptions{Uri: path, S3EndpointOverride: a.text("s3_endpoint_override")}
	if f := one[*fileFormat](a, "file_format", "ParquetFormat() or DeltaFormat()"); f != nil {
		options.FileFormat = f.proto
	}
	p.Options = &core.DataSource_FileOptions_{FileOptions: options}
	a.connection()
	return &source{p}, a.err
}

// connection refuses what is read nowhere yet.
func (a *args) connection() {
	if _, ok := a.get("connection_ref"); ok {
		a.fail("argument 'connection_ref' is not read; connection settings belong into feature_store.yaml")
	}
}

func newPostgres(c *python.Call) (any, error) {
	a := bind("PostgreSQLSource", c, "name", "query", "table", "timestamp_field", "created_timestamp_column", "field_mapping", "description", "tags", "owner", "connection_ref")
	p := common(a, classPostgres)
	p.Type = core.DataSource_CUSTOM_SOURCE
	name, query, table := p.Name, a.text("query"), a.text("table")
	if name == "" && table == "" {
		a.fail("needs a name or a table")
	}
	if p.Name == "" {
		p.Name = table
	}
	if query == "" && table == "" {
		table = name
		a.fail("%q needs a table or a query", name)
	}
	config := `{"name": ` + pythonJSON(name) + `, "query": ` + pythonJSON(query) + `, "table": ` + pythonJSON(table) + `}`
	p.Options = &core.DataSource_CustomOptions{CustomOptions: &core.DataSource_CustomSourceOptions{Configuration: []byte(config)}}
	a.connection()
	return &source{p}, a.err
}

func newPushSource(c *python.Call) (any, error) {
	a := bind("PushSource", c, "*", "name", "batch_source", "description", "tags", "owner", "timestamp_field", "created_timestamp_column", "field_mapping")
	p := common(a, classPush)
	p.Type = core.DataSource_PUSH_SOURCE
	a.must("name")
	own := p.TimestampField != "" || p.CreatedTimestampColumn != "" || len(p.FieldMapping) > 0
	p.TimestampField, p.CreatedTimestampColumn, p.FieldMapping = "", "", nil
	if batch := one[*source](a, "batch_source", "a data source"); batch != nil {
		p.BatchSource = batch.proto
		if !own {
			p.TimestampField, p.CreatedTimestampColumn = batch.proto.GetTimestampField(), batch.proto.GetCreatedTimestampColumn()
			p.FieldMapping, p.DatePartitionColumn = batch.proto.GetFieldMapping(), batch.proto.GetDatePartitionColumn()
		}
	}
	return &source{p}, a.err
}

func newRequestSource(c *python.Call) (any, error) {
	a := bind("RequestSource", c, "*", "name", "schema", "description", "tags", "owner", "timestamp_field")
	p := common(a, classRequest)
	p.Type = core.DataSource_REQUEST_SOURCE
	a.must("name")
	options := &core.DataSource_RequestDataOptions{}
	for _, f := range each[*field](a, "schema", "fields") {
		options.Schema = append(options.Schema, f.spec)
	}
	p.Options = &core.DataSource_RequestDataOptions_{RequestDataOptions: options}
	return &source{p}, a.err
}

func newKafkaSource(c *python.Call) (any, error) {
	a := bind("KafkaSource", c, "*", "name", "timestamp_field", "message_format", "bootstrap_servers", "kafka_bootstrap_servers", "topic",
		"created_timestamp_column", "field_mapping", "description", "tags", "owner", "batch_source", "watermark_delay_threshold")
	p := common(a, classKafka)
	p.Type = core.DataSource_STREAM_KAFKA
	a.must("name")
	servers := a.text("kafka_bootstrap_servers")
	if servers == "" {
		servers = a.text("bootstrap_servers")
	}
	options := &core.DataSource_KafkaOptions{KafkaBootstrapServers: servers, Topic: a.text("topic"), WatermarkDelayThreshold: a.duration("watermark_delay_threshold")}
	if f := one[*streamFormat](a, "message_format", "a stream format"); f != nil {
		options.MessageFormat = f.proto
	}
	p.Options = &core.DataSource_KafkaOptions_{KafkaOptions: options}
	if batch := one[*source](a, "batch_source", "a data source"); batch != nil {
		p.BatchSource = batch.proto
	}
	return &source{p}, a.err
}

func newKinesisSource(c *python.Call) (any, error) {
	a := bind("KinesisSource", c, "*", "name", "record_format", "region", "stream_name", "timestamp_field", "created_timestamp_column",
		"field_mapping", "description", "tags", "owner", "batch_source")
	p := common(a, classKinesis)
	p.Type = core.DataSource_STREAM_KINESIS
	a.must("name")
	options := &core.DataSource_KinesisOptions{Region: a.text("region"), StreamName: a.text("stream_name")}
	if f := one[*streamFormat](a, "record_format", "a stream format"); f != nil {
		options.RecordFormat = f.proto
	}
	p.Options = &core.DataSource_KinesisOptions_{KinesisOptions: options}
	if batch := one[*source](a, "batch_source", "a data source"); batch != nil {
		p.BatchSource = batch.proto
	}
	return &source{p}, a.err
}

// fileFormat is ParquetFormat() and the like.
type fileFormat struct{ proto *core.FileFormat }

func (f *fileFormat) String() string { return "FileFormat" }

func newParquetFormat(*python.Call) (any, error) {
	return &fileFormat{&core.FileFormat{Format: &core.FileFormat_ParquetFormat_{ParquetFormat: &core.FileFormat_ParquetFormat{}}}}, nil
}

// streamFormat is AvroFormat(…), JsonFormat(…) or ProtoFormat(…).
type streamFormat struct{ proto *core.StreamFormat }

func (f *streamFormat) String() string { return "StreamFormat" }

func newStreamFormat(name string) func(*python.Call) (any, error) {
	return func(c *python.Call) (any, error) {
		param := "schema_json"
		if name == "ProtoFormat" {
			param = "class_path"
		}
		a := bind(name, c, param)
		text := a.text(param)
		f := &core.StreamFormat{}
		switch name {
		case "AvroFormat":
			f.Format = &core.StreamFormat_AvroFormat_{AvroFormat: &core.StreamFormat_AvroFormat{SchemaJson: text}}
		case "JsonFormat":
			f.Format = &core.StreamFormat_JsonFormat_{JsonFormat: &core.StreamFormat_JsonFormat{SchemaJson: text}}
		default:
			f.Format = &core.StreamFormat_ProtoFormat_{ProtoFormat: &core.StreamFormat_ProtoFormat{ClassPath: text}}
		}
		return &streamFormat{f}, a.err
	}
}

// unsupported is a data source of a store that banquet does not read.
func unsupported(name string) func(*python.Call) (any, error) {
	return func(*python.Call) (any, error) {
		return nil, fmt.Errorf("%s is not supported; banquet reads %s", name, strings.Join([]string{"PostgreSQLSource", "FileSource"}, " and "))
	}
}
