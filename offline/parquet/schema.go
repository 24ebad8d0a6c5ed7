package parquet

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/banquet-fs/banquet/fault"
)

// arrowSchema is the key of a Parquet file under which writers that use Arrow
// keep the original schema; the format itself has fewer types.
const arrowSchema = "ARROW:schema"

// fileColumn is a column of a Parquet file.
type fileColumn struct {
	// field is the column of a chunk, with the type that the writer meant.
	field arrow.Field
	// raw is the type that arrow-go reads.
	raw    pqarrow.SchemaField
	index  int
	leaves map[int]bool
	// int96 marks timestamps of the old INT96 type, which may be out of range.
	int96 bool
	// problem is why the column cannot be read, nil if it can.
	problem error
}

// fileColumns looks at each column separately, so that an unreadable column
// affects only queries that request it.
func fileColumns(meta *metadata.FileMetaData) []fileColumn {
	origin := originOf(meta.KeyValueMetadata())
	root := meta.Schema.Root()
	if origin != nil && origin.NumFields() != root.NumFields() {
		origin = nil
	}
	columns := make([]fileColumn, root.NumFields())
	names := map[string]int{}
	leaf, at := 0, 1
	for i := range columns {
		c := &columns[i]
		c.index = i
		c.field = arrow.Field{Name: root.Field(i).Name(), Nullable: true}
		end := endOf(meta, at)
		own, err := ownSchema(meta, at, end)
		if err == nil {
			var from arrow.DataType
			if origin != nil {
				from = origin.Field(i).Type
			}
			err = c.read(own, from, leaf)
			leaf += own.NumColumns()
		}
		c.problem = err
		at = end
		if names[c.field.Name]++; names[c.field.Name] > 1 {
			for j := range i + 1 {
				if columns[j].field.Name == c.field.Name {
					columns[j].problem = fault.New(fault.Invalid, "the file has two columns of this name; rename one")
				}
			}
		}
	}
	return columns
}

// endOf is the end of the schema elements of the column that begins at at.
func endOf(meta *metadata.FileMetaData, at int) int {
	elements := meta.FileMetaData.Schema
	for left := 1; left > 0 && at < len(elements); at++ {
		left += int(elements[at].GetNumChildren()) - 1
	}
	return at
}

// ownSchema is a schema of one column.
func ownSchema(meta *metadata.FileMetaData, from, to int) (*schema.Schema, error) {
	root := *meta.FileMetaData.Schema[0]
	one := int32(1)
	root.NumChildren = &one
	elements := slices.Clone(meta.FileMetaData.Schema[:1])
	elements[0] = &root
	node, err := schema.FromParquet(append(elements, meta.FileMetaData.Schema[from:to]...))
	if err != nil {
		return nil, err
	}
	group, ok := node.(*schema.GroupNode)
	if !ok {
		return nil, errors.New("the root of the schema is not a group")
	}
	return schema.NewSchema(group), nil
}

// read finds the types of a column; leaf is the file's number of its first
// leaf.
func (c *fileColumn) read(own *schema.Schema, origin arrow.DataType, leaf int) error {
	manifest, err := manifestOf(own, origin)
	if err != nil && origin != nil { // the writer's own schema does not fit its file
		origin = nil
		manifest, err = manifestOf(own, nil)
	}
	if err != nil {
		return fault.New(fault.Invalid, "its type %s is not supported; write it as text, a number or a time",
			strings.TrimSpace(own.Root().Field(0).LogicalType().String())).Because(err)
	}
	c.raw = manifest.Fields[0]
	c.field.Type = declared(&c.raw, origin, own)
	c.leaves = map[int]bool{}
	c.place(&c.raw, own, leaf)
	return nil
}

// place numbers the leaves as the whole file does.
func (c *fileColumn) place(f *pqarrow.SchemaField, own *schema.Schema, first int) {
	if f.ColIndex >= 0 && len(f.Children) == 0 {
		c.int96 = c.int96 || own.Column(f.ColIndex).PhysicalType() == parquet.Types.Int96
		f.ColIndex += first
		c.leaves[f.ColIndex] = true
	}
	for i := range f.Children {
		c.place(&f.Children[i], own, first)
	}
}

func manifestOf(own *schema.Schema, origin arrow.DataType) (m *pqarrow.SchemaManifest, err error) {
	kv := metadata.NewKeyValueMetadata()
	if origin != nil {
		var text bytes.Buffer
		w := ipc.NewWriter(&text, ipc.WithSchema(arrow.NewSchema([]arrow.Field{{Name: own.Root().Field(0).Name(), Type: plainOrigin(origin), Nullable: true}}, nil)))
		if err := w.Close(); err != nil {
			return nil, err
		}
		if err := kv.Append(arrowSchema, base64.StdEncoding.EncodeToString(text.Bytes())); err != nil {
			return nil, err
		}
	}
	err = guard(func() error {
		m, err = pqarrow.NewSchemaManifest(own, kv, &pqarrow.ArrowReadProperties{})
		return err
	})
	return m, err
}

// originOf is the schema that the writer stored, nil if it is missing or cannot
// be parsed: the schema of the format says how the bytes are read.
func originOf(kv metadata.KeyValueMetadata) *arrow.Schema {
	text := kv.FindValue(arrowSchema)
	if text == nil {
		return nil
	}
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(*text, "="))
	if err != nil || checkSchema(raw) != nil {
		return nil
	}
	var origin *arrow.Schema
	if err := guard(func() error {
		r, err := ipc.NewReader(bytes.NewReader(raw), ipc.WithAllocator(memory.DefaultAllocator))
		if err != nil {
			return err
		}
		defer r.Release()
		origin = r.Schema()
		return nil
	}); err != nil {
		return nil
	}
	return origin
}

// arrowReader makes a reader of the columns. arrow-go's own constructor
// converts all columns and fails at the first unknown one, so it gets a file
// without columns.
func arrowReader(from parquet.ReaderAtSeeker, props *parquet.ReaderProperties, meta *metadata.FileMetaData, columns []fileColumn) (*file.Reader, *pqarrow.FileReader, error) {
	shown, bare := *meta, *meta.FileMetaData
	bare.KeyValueMetadata = nil
	shown.FileMetaData = &bare
	none, err := schema.NewGroupNode("schema", parquet.Repetitions.Required, nil, -1)
	if err != nil {
		return nil, nil, err
	}
	shown.Schema = schema.NewSchema(none)
	reader, err := file.NewParquetReader(from, file.WithReadProps(props), file.WithMetadata(&shown))
	if err != nil {
		return nil, nil, err
	}
	arrow, err := pqarrow.NewFileReader(reader, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		return nil, nil, err
	}
	shown.Schema = meta.Schema
	arrow.Manifest = &pqarrow.SchemaManifest{}
	for _, c := range columns {
		arrow.Manifest.Fields = append(arrow.Manifest.Fields, c.raw)
	}
	return reader, arrow, nil
}
