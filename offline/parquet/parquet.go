// Package parquet is the embedded offline store: data sources that are Parquet
// or CSV files, read column by column as Arrow record batches.
//
// A source's path is a file, a directory, whose files are read as one, or a
// glob, in which ** stands for directories of any depth. Links are followed.
// Within directories hidden files, files whose name starts with an underscore,
// and empty files are skipped; directories named key=value add a column of that
// name. Times without a zone are UTC; a time column keeps its own unit, and an
// integer without a time unit is not a time.
//
// A cell of a CSV file is text. It is read as the value type that the query
// asks for; where the query names no type, a column holds numbers only if
// these, written back, give the same text. The cells that pandas treats as null
// are null.
package parquet

import (
	"context"
	"io"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/asof"
	"github.com/banquet-fs/banquet/value"
)

// A batch ends with whichever of the two it reaches first.
const (
	batchRows  = 32 << 10
	batchBytes = 8 << 20
)

// Store reads files below a root directory, and joins them.
type Store struct {
	*asof.Joiner
	root string
	// through is what written bytes pass through, for tests; nil for nothing.
	through func(io.Writer) io.Writer
	// sliceBytes is the least content of each of several readers.
	sliceBytes int64
}

var (
	_ offline.Store  = (*Store)(nil)
	_ offline.Joiner = (*Store)(nil)
)

// New makes a Store. Relative paths of sources are relative to root, the
// feature repository.
func New(root string) *Store {
	s := &Store{root: root, sliceBytes: sliceBytes}
	s.Joiner = asof.New(s, asof.Options{})
	return s
}

// Check makes sure that the root directory exists.
func (s *Store) Check(context.Context) error {
	if _, err := os.Stat(s.root); err != nil {
		return fault.New(fault.Unavailable, "the directory %s of the feature repository cannot be read", s.root).Because(err)
	}
	return nil
}

// part is one file of a source.
type part interface {
	// columns lists the file's columns with the types that they are inferred to have.
	columns(ctx context.Context) ([]offline.Column, error)
	// typeOf is the type in which read returns a column, nil if the file lacks
	// it.
	typeOf(ctx context.Context, w want) (arrow.DataType, error)
	// read streams the requested columns, in that order. It may skip row groups
	// in which no time of the column lies within the bounds.
	read(ctx context.Context, wants []want, when bounds) iter.Seq2[*chunk, error]
	// units lists the sizes in bytes of what can be read apart; what the bounds
	// rule out has none. slice is a part of the units from one to before another,
	// for one of several readers, which share the memory of one batch.
	units(when bounds) []int64
	slice(from, to, sharers int) part
	// at is where the file is.
	at() *place
}

// place is the path of a file, and the directory that its source names, or that is before
// its source's pattern; empty if the source names the file.
type place struct{ path, root string }

func (p *place) at() *place { return p }

// partitions reads the key=value directories between the source's directory and the file.
// Others are none of the source's columns, as for PyArrow.
func (p *place) partitions() map[string]string {
	if p.root == "" {
		return nil
	}
	return partitionsOf(strings.TrimPrefix(p.path, p.root))
}

// want is a requested column.
type want struct {
	name string
	// kind is the value type that its cells become; INVALID leaves it to the file.
	kind types.ValueType_Enum
	// time marks event and created times.
	time bool
}

// chunk is some rows of a file.
type chunk struct {
	columns []arrow.Array
	rows    int
	// place names a row by its file and number, for error messages.
	place func(row int) string
}

func (c *chunk) release() {
	for _, a := range c.columns {
		if a != nil {
			a.Release()
		}
	}
}

// bounds are those of a query on its time column.
type bounds struct {
	column     string
	start, end time.Time // inclusive; zero means no bound
}

// open looks at all files of a source. It keeps none open: a source may have
// more files than a process may open.
func (s *Store) open(source *core.DataSource) ([]part, error) {
	paths, err := s.paths(source)
	if err != nil {
		return nil, err
	}
	root, err := s.base(source)
	if err != nil {
		return nil, err
	}
	parts := make([]part, 0, len(paths))
	for _, path := range paths {
		p, err := openPart(path)
		if err != nil {
			return nil, err
		}
		p.at().root = root
		parts = append(parts, p)
	}
	return parts, nil
}

func openPart(path string) (part, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, broken(path, err)
	case !info.Mode().IsRegular(): // reading a pipe could wait forever
		return nil, fault.New(fault.Invalid, "%s is not a regular file", path)
	case strings.EqualFold(filepath.Ext(path), ".csv"):
		return openCSV(path)
	}
	return openParquet(path)
}

// Columns lists the columns of a source: those of its first file, then the
// columns that directories give.
func (s *Store) Columns(ctx context.Context, source *core.DataSource) ([]offline.Column, error) {
	parts, err := s.open(source)
	if err != nil {
		return nil, err
	}
	columns, err := parts[0].columns(ctx)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, c := range columns {
		known[c.Name] = true
	}
	for _, p := range parts {
		for _, key := range slices.Sorted(maps.Keys(p.at().partitions())) {
			if !known[key] {
				known[key] = true
				t := partitionType(want{name: key}, parts)
				columns = append(columns, columnOf(key, &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: t}))
			}
		}
	}
	return columns, nil
}

func columnOf(name string, dt arrow.DataType) offline.Column {
	c := offline.Column{Name: name, Native: value.ArrowName(name, dt)}
	var ok bool
	if c.Type, ok = valueType(dt); !ok {
		c.Unmapped = dt.String()
	}
	return c
}

// Span reads the times of a query.
func (s *Store) Span(ctx context.Context, query offline.Query) (offline.Span, error) {
	query.Columns, query.Types = nil, nil
	reader, err := s.Range(ctx, query)
	if err != nil {
		return offline.Span{}, err
	}
	defer reader.Release()
	var span offline.Span
	for reader.Next() {
		ts, ok := reader.RecordBatch().Column(0).(*array.Timestamp)
		if !ok {
			continue
		}
		unit := timeUnit(ts)
		for i := range ts.Len() {
			t := ts.Value(i).ToTime(unit)
			if span.Rows == 0 || t.Before(span.First) {
				span.First = t
			}
			if span.Rows == 0 || t.After(span.Last) {
				span.Last = t
			}
			span.Rows++
		}
	}
	return span, reader.Err()
}
