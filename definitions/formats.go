package definitions

import (
	"strconv"

	"github.com/banquet-fs/banquet/definitions/python"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

// fileFormat is ParquetFormat() or DeltaFormat().
type fileFormat struct {
	class string
	proto *core.FileFormat
}

// Kinds lists the classes of a format.
func (f *fileFormat) Kinds() []string { return []string{f.class, "FileFormat"} }

func newParquetFormat(c *python.Call) (any, error) {
	a := bind("ParquetFormat", c)
	return &fileFormat{"ParquetFormat", &core.FileFormat{Format: &core.FileFormat_ParquetFormat_{ParquetFormat: &core.FileFormat_ParquetFormat{}}}}, a.err
}

func newDeltaFormat(c *python.Call) (any, error) {
	a := bind("DeltaFormat", c)
	return &fileFormat{"DeltaFormat", &core.FileFormat{Format: &core.FileFormat_DeltaFormat{DeltaFormat: &core.TableFormat_DeltaFormat{}}}}, a.err
}

// streamFormat is AvroFormat(…), JsonFormat(…) or ProtoFormat(…).
type streamFormat struct {
	class string
	proto *core.StreamFormat
}

// Kinds lists the classes of a format.
func (f *streamFormat) Kinds() []string { return []string{f.class, "StreamFormat"} }

func newAvroFormat(c *python.Call) (any, error) {
	a := bind("AvroFormat", c, "schema_json!")
	return &streamFormat{"AvroFormat", &core.StreamFormat{Format: &core.StreamFormat_AvroFormat_{
		AvroFormat: &core.StreamFormat_AvroFormat{SchemaJson: a.text("schema_json")},
	}}}, a.err
}

func newJSONFormat(c *python.Call) (any, error) {
	a := bind("JsonFormat", c, "schema_json!")
	return &streamFormat{"JsonFormat", &core.StreamFormat{Format: &core.StreamFormat_JsonFormat_{
		JsonFormat: &core.StreamFormat_JsonFormat{SchemaJson: a.text("schema_json")},
	}}}, a.err
}

func newProtoFormat(c *python.Call) (any, error) {
	a := bind("ProtoFormat", c, "class_path!")
	return &streamFormat{"ProtoFormat", &core.StreamFormat{Format: &core.StreamFormat_ProtoFormat_{
		ProtoFormat: &core.StreamFormat_ProtoFormat{ClassPath: a.text("class_path")},
	}}}, a.err
}

// tableFormat is a format of feast.table_format for the table of a SparkSource.
type tableFormat struct {
	class string
	proto *core.TableFormat
	texts map[string]any
}

// Kinds lists the classes of a format.
func (f *tableFormat) Kinds() []string { return []string{f.class, "TableFormat"} }

// Attr returns the attributes of a format, and its methods.
func (f *tableFormat) Attr(name string) (any, bool) {
	v, ok := f.texts[name]
	return v, ok
}

// newTable reads the texts that are also properties, under the given names, and
// the properties. Like Feast's class it writes into the caller's dict.
func newTable(a *args, set func(map[string]string), names ...[2]string) *tableFormat {
	d := a.tags("properties", set)
	f := &tableFormat{class: a.of, texts: map[string]any{"properties": d}}
	for _, n := range names {
		f.texts[n[0]] = a.orNone(n[0])
		if v := a.text(n[0]); v != "" {
			_ = d.Put(n[1], v)
		}
	}
	f.texts["set_property"] = &python.Builtin{Name: "set_property", Call: func(c *python.Call) (any, error) {
		b := bind("set_property", c, "key!", "value!")
		_ = d.Put(b.text("key"), b.text("value"))
		return nil, b.err
	}}
	return f
}

func newIcebergTable(c *python.Call) (any, error) {
	a := bind("IcebergFormat", c, "catalog?", "namespace?", "properties?")
	p := &core.TableFormat_IcebergFormat{Catalog: a.text("catalog"), Namespace: a.text("namespace")}
	f := newTable(a, func(t map[string]string) { p.Properties = t }, [2]string{"catalog", "iceberg.catalog"}, [2]string{"namespace", "iceberg.namespace"})
	f.proto = &core.TableFormat{Format: &core.TableFormat_IcebergFormat_{IcebergFormat: p}}
	return f, a.err
}

func newDeltaTable(c *python.Call) (any, error) {
	a := bind("DeltaFormat", c, "checkpoint_location?", "properties?")
	p := &core.TableFormat_DeltaFormat{CheckpointLocation: a.text("checkpoint_location")}
	f := newTable(a, func(t map[string]string) { p.Properties = t }, [2]string{"checkpoint_location", "delta.checkpointLocation"})
	f.proto = &core.TableFormat{Format: &core.TableFormat_DeltaFormat_{DeltaFormat: p}}
	return f, a.err
}

func newHudiTable(c *python.Call) (any, error) {
	a := bind("HudiFormat", c, "table_type?", "record_key?", "precombine_field?", "properties?")
	p := &core.TableFormat_HudiFormat{TableType: a.text("table_type"), RecordKey: a.text("record_key"), PrecombineField: a.text("precombine_field")}
	f := newTable(a, func(t map[string]string) { p.Properties = t }, [2]string{"table_type", "hoodie.datasource.write.table.type"},
		[2]string{"record_key", "hoodie.datasource.write.recordkey.field"}, [2]string{"precombine_field", "hoodie.datasource.write.precombine.field"})
	f.proto = &core.TableFormat{Format: &core.TableFormat_HudiFormat_{HudiFormat: p}}
	return f, a.err
}

func newLanceTable(c *python.Call) (any, error) {
	a := bind("LanceFormat", c, "catalog?", "namespace?", "version?", "tag?", "properties?")
	version, tag := a.integer("version"), a.text("tag")
	if a.has("version") {
		switch {
		case tag != "":
			a.failAt("tag", "takes a version or a tag, not both; a tag stands for a version")
		case version < 1:
			a.failAt("version", "argument 'version' is %d; versions start at 1, leave it out for the latest", version)
		}
	}
	p := &core.TableFormat_LanceFormat{Catalog: a.text("catalog"), Namespace: a.text("namespace"), Version: uint64(version), Tag: tag}
	f := newTable(a, func(t map[string]string) { p.Properties = t }, [2]string{"catalog", "lance.catalog"}, [2]string{"namespace", "lance.namespace"})
	properties, _ := f.texts["properties"].(*python.Dict)
	f.texts["version"], f.texts["tag"] = a.bound["version"], a.orNone("tag")
	if a.has("version") {
		_ = properties.Put("lance.version", strconv.Itoa(int(version)))
	}
	if tag != "" {
		_ = properties.Put("lance.tag", tag)
	}
	f.texts["is_pinned"] = a.has("version") || tag != ""
	f.proto = &core.TableFormat{Format: &core.TableFormat_LanceFormat_{LanceFormat: p}}
	return f, a.err
}
