// Package parquet is the embedded offline store: data sources that are Parquet
// or CSV files, read column by column as Arrow record batches.
//
// A source's path is a file, a directory, whose files are read as one, or a
// glob. Hidden files, those whose name starts with an underscore, and empty
// ones are passed over; directories named key=value give a column of that name.
// Times without a zone are UTC; a column's own unit counts, and an integer
// without a time unit is no time.
package parquet

import (
	"context"
	"errors"
	"io/fs"
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
	"github.com/banquet-fs/banquet/offline"
)

// batchRows is how many rows a record batch holds at most.
const batchRows = 64 << 10

// Store reads files below a root directory.
type Store struct {
	root string
}

var _ offline.Store = (*Store)(nil)

// New makes a Store; relative paths of sources are relative to root, the
// feature repository.
func New(root string) *Store { return &Store{root: root} }

// Check makes sure that the root is there.
func (s *Store) Check(context.Context) error {
	if _, err := os.Stat(s.root); err != nil {
		return fault.New(fault.Unavailable, "the directory %s of the feature repository cannot be read", s.root).Because(err)
	}
	return nil
}

// part is one file of a source.
type part interface {
	// fields are the file's columns.
	fields() []arrow.Field
	// batches reads the named columns, which the file has; a file may leave out
	// row groups in which no time of the column lies within the bounds.
	batches(ctx context.Context, columns []string, when bounds) iter.Seq2[arrow.RecordBatch, error]
	// name is the file's path.
	name() string
	// partitions are the columns that the path gives.
	partitions() map[string]string
	close() error
}

// bounds are those of a query on its time column.
type bounds struct {
	column     string
	start, end time.Time // inclusive; zero is no bound
}

// open opens all files of a source.
func (s *Store) open(source *core.DataSource) ([]part, error) {
	paths, err := s.paths(source)
	if err != nil {
		return nil, err
	}
	parts := make([]part, 0, len(paths))
	for _, path := range paths {
		p, err := openPart(path)
		if err != nil {
			closeAll(parts)
			return nil, err
		}
		parts = append(parts, p)
	}
	return parts, nil
}

func openPart(path string) (part, error) {
	if strings.EqualFold(filepath.Ext(path), ".csv") {
		return openCSV(path)
	}
	return openParquet(path)
}

func closeAll(parts []part) {
	for _, p := range parts {
		_ = p.close()
	}
}

// paths lists the files of a source, sorted.
func (s *Store) paths(source *core.DataSource) ([]string, error) {
	uri := source.GetFileOptions().GetUri()
	refuse := func(kind fault.Kind, format string, args ...any) *fault.Error {
		return fault.New(kind, "data source "+source.GetName()+": "+format, args...).About("data source", source.GetName(), source.GetProject())
	}
	if source.GetType() != core.DataSource_BATCH_FILE || uri == "" {
		return nil, refuse(fault.Invalid, "it is no file, and the offline store of this repository reads files; set offline_store.type to where it lies")
	}
	path := uri
	if scheme, rest, ok := strings.Cut(uri, "://"); ok {
		if scheme != "file" {
			return nil, refuse(fault.Unimplemented, "%s:// paths are not read yet; copy the file to a local path", scheme)
		}
		path = rest
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(s.root, path)
	}
	paths, err := expand(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, refuse(fault.NotFound, "file %s does not exist", path).Because(err)
	case err != nil:
		return nil, refuse(fault.Unavailable, "file %s cannot be read", path).Because(err)
	case len(paths) == 0:
		return nil, refuse(fault.NotFound, "%s holds no Parquet or CSV file", path)
	}
	return paths, nil
}

// expand lists the files that a path stands for.
func expand(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		return []string{path}, nil
	}
	if err == nil {
		return walk(path)
	}
	if !strings.ContainsAny(path, "*?[") {
		return nil, err
	}
	matches, globErr := filepath.Glob(path)
	if globErr != nil || len(matches) == 0 {
		return nil, err
	}
	var paths []string
	for _, m := range matches {
		more, err := expand(m)
		if err != nil {
			return nil, err
		}
		paths = append(paths, more...)
	}
	slices.Sort(paths)
	return slices.Compact(paths), nil
}

func walk(root string) ([]string, error) {
	var paths []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_")
		switch {
		case d.IsDir() && hidden && path != root:
			return filepath.SkipDir
		case d.IsDir() || hidden:
			return nil
		}
		info, err := os.Stat(path)
		if err != nil || info.Size() == 0 {
			return err
		}
		paths = append(paths, path)
		return nil
	})
	slices.Sort(paths)
	return paths, err
}

// partitionsOf reads the key=value directories of a path.
func partitionsOf(path string) map[string]string {
	found := map[string]string{}
	for dir := range strings.SplitSeq(filepath.ToSlash(filepath.Dir(path)), "/") {
		if key, v, ok := strings.Cut(dir, "="); ok && key != "" {
			found[key] = v
		}
	}
	return found
}

// Columns lists the columns of a source: those of its first file, then the
// columns that directories give.
func (s *Store) Columns(_ context.Context, source *core.DataSource) ([]offline.Column, error) {
	parts, err := s.open(source)
	if err != nil {
		return nil, err
	}
	defer closeAll(parts)
	var columns []offline.Column
	add := func(name string, dt arrow.DataType) {
		if !slices.ContainsFunc(columns, func(c offline.Column) bool { return c.Name == name }) {
			c := offline.Column{Name: name}
			if t, ok := valueType(dt); ok {
				c.Type = t
			} else {
				c.Unmapped = dt.String()
			}
			columns = append(columns, c)
		}
	}
	for _, f := range parts[0].fields() {
		add(f.Name, f.Type)
	}
	for _, p := range parts {
		for _, key := range slices.Sorted(maps.Keys(p.partitions())) {
			add(key, &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: partitionType(p.partitions()[key])})
		}
	}
	return columns, nil
}

// Span reads the times of a query.
func (s *Store) Span(ctx context.Context, query offline.Query) (offline.Span, error) {
	query.Columns = nil
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
