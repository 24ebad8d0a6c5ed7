package definitions

import (
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
