package parquet

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/google/uuid"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
)

var (
	_ offline.Writer   = (*Store)(nil)
	_ offline.Declarer = (*Store)(nil)
)

// Append adds rows to a file or to a directory of files.
//
// A file is written again, under a hidden name beside it, and renamed: its old
// bytes stay as they are, whoever wrote them, and the new rows follow as row
// groups or lines of their own. A lock on the file keeps other writers of banquet
// waiting; a writer that does not take it, such as pandas, is noticed when the
// file has changed before the rename, and nothing is added. A directory gets a
// new file. One with key=value directories is refused, since rows of several
// values would need several files, which cannot appear at once.
func (s *Store) Append(ctx context.Context, source *core.DataSource, rows array.RecordReader) (int64, error) {
	return s.AppendAs(ctx, source, rows, nil)
}

// AppendAs is Append for a source whose columns have value types, by their names. A cell
// of CSV that would not be read as that type is refused: see offline.Declarer.
func (s *Store) AppendAs(ctx context.Context, source *core.DataSource, rows array.RecordReader, kinds map[string]types.ValueType_Enum) (int64, error) {
	if err := s.Check(ctx); err != nil {
		return 0, err
	}
	path, err := s.path(source)
	if err != nil {
		return 0, err
	}
	files, err := s.paths(source)
	if err != nil {
		return 0, err
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return 0, refuse(source, fault.Invalid, "%s is a pattern, to which nothing can be written; name a file or a directory in the data source", path)
	case info.IsDir():
		return s.appendFile(ctx, source, path, files, rows, kinds)
	}
	if path, err = filepath.EvalSymlinks(path); err != nil { // a rename would replace the link
		return 0, unwritable(source, path, err)
	}
	held, err := lock(ctx, path)
	if err != nil {
		return 0, unwritable(source, path, err)
	}
	defer held.Close()
	d, err := s.draft(source, path, true)
	if err != nil {
		return 0, err
	}
	defer d.drop()
	d.kinds = kinds
	n, err := d.extend(ctx, path, rows)
	if err != nil {
		return 0, err
	}
	return n, d.replace(ctx, path, held)
}

// appendFile adds a file to a directory, like the first one that it has.
func (s *Store) appendFile(ctx context.Context, source *core.DataSource, dir string, files []string, rows array.RecordReader, kinds map[string]types.ValueType_Enum) (int64, error) {
	for _, f := range files {
		below, err := filepath.Rel(dir, f)
		if err == nil && len(partitionsOf(below)) > 0 {
			return 0, refuse(source, fault.Unimplemented, "%s has directories that hold the value of a column, as in %s; rows cannot be added to such a source; write a file into one of its directories", dir, below)
		}
	}
	first := files[0]
	target := filepath.Join(dir, "banquet-"+uuid.NewString()+strings.ToLower(filepath.Ext(first)))
	d, err := s.draft(source, target, false)
	if err != nil {
		return 0, err
	}
	defer d.drop()
	d.kinds = kinds
	n, err := d.imitate(ctx, first, rows)
	if err != nil || n == 0 {
		return n, err
	}
	return n, d.publish(ctx, target)
}

// Create makes a Parquet file. A file that Create made has a mark in its metadata.
func (s *Store) Create(ctx context.Context, source *core.DataSource, rows array.RecordReader, replace bool) (int64, error) {
	if err := s.Check(ctx); err != nil {
		return 0, err
	}
	path, err := s.path(source)
	if err != nil {
		return 0, err
	}
	held, err := s.existing(ctx, source, path, replace)
	if err != nil {
		return 0, err
	}
	if held != nil {
		defer held.Close()
	}
	if strings.EqualFold(filepath.Ext(path), ".csv") {
		return 0, refuse(source, fault.Invalid, "%s would be a CSV file, which keeps no types; let the name end in .parquet", path)
	}
	d, err := s.draft(source, path, held != nil)
	if err != nil {
		return 0, err
	}
	defer d.drop()
	n, err := d.create(ctx, rows)
	if err != nil {
		return 0, err
	}
	if held != nil {
		return n, d.replace(ctx, path, held)
	}
	return n, d.publish(ctx, path)
}

// existing locks the file that is replaced; nil if there is none.
func (s *Store) existing(ctx context.Context, source *core.DataSource, path string, replace bool) (*locked, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, unwritable(source, path, err)
	case !replace:
		return nil, refuse(source, fault.Conflict, "%s exists already; choose another path, or allow that it is replaced", path)
	}
	foreign := refuse(source, fault.Conflict, "%s exists already, and was not made by banquet, so it is not replaced; choose another path", path)
	if !info.Mode().IsRegular() {
		return nil, foreign
	}
	held, err := lock(ctx, path)
	if err != nil {
		return nil, unwritable(source, path, err)
	}
	if opened, err := openParquet(path); err != nil || !isMade(opened) {
		_ = held.Close()
		return nil, foreign
	}
	return held, nil
}

// mark is the key in the metadata of files that Create made.
const mark = "banquet:made"

func isMade(p part) bool {
	file, ok := p.(*parquetFile)
	return ok && slices.Contains(file.meta.KeyValueMetadata().Keys(), mark)
}
