package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/banquet-fs/banquet/fault"
)

// The formats of a training set.
const (
	formatParquet = "parquet"
	formatCSV     = "csv"
	formatArrow   = "arrow"
	formatJSON    = "json" // Feast's, when there is no --output
)

// outputFormat is the format that the flags ask for.
func (f *historicalFlags) outputFormat() (string, error) {
	switch strings.ToLower(f.format) {
	case "":
	case formatParquet, formatCSV, formatArrow:
		if f.output == "" {
			return "", usage("--format needs --output; - is standard output")
		}
		return strings.ToLower(f.format), nil
	default:
		return "", usage("--format %q; want parquet, csv or arrow", f.format)
	}
	switch strings.ToLower(filepath.Ext(f.output)) {
	case ".parquet", ".pq":
		return formatParquet, nil
	case ".csv":
		return formatCSV, nil
	case ".arrow", ".feather":
		return formatArrow, nil
	}
	switch f.output {
	case "":
		return formatJSON, nil
	case "-":
		return formatCSV, nil
	}
	return "", usage("--output %s: the name must end in .parquet, .csv or .arrow, or --format must say what it is", f.output)
}

// tableWriter writes a training set in one format.
type tableWriter interface {
	write(batch arrow.RecordBatch) error
	close() error
}

// output is where a training set goes. A file appears under its name when it is
// complete.
type output struct {
	format string
	// name is the output as the user gave it; empty is Feast's JSON.
	name string
	// target is the name of the file; empty is standard output.
	target string
	stdout io.Writer
	file   *os.File
	// temporary is the name of the file until it is complete; empty if the target is
	// written directly, since it is no regular file.
	temporary string
	buffer    *bufio.Writer
	table     tableWriter
}

// output checks where the training set goes, before anything is read. entities is the
// file of entity rows, if there is one.
func (a *app) output(f *historicalFlags, entities string) (*output, error) {
	format, err := f.outputFormat()
	if err != nil {
		return nil, err
	}
	o := &output{format: format, name: f.output, stdout: a.out}
	if f.output == "" || f.output == "-" {
		if a.terminal && (format == formatParquet || format == formatArrow) {
			return nil, usage("a terminal cannot show %s; redirect the output, or name a file", format)
		}
		return o, nil
	}
	o.target = f.output
	if linked, err := filepath.EvalSymlinks(f.output); err == nil {
		o.target = linked
	}
	return o, o.open(entities)
}

// open opens the file, or the temporary file in its place.
func (o *output) open(entities string) error {
	info, err := os.Stat(o.target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return o.create(nil)
	case err != nil:
		return o.fault(err)
	case info.IsDir():
		return fault.New(fault.Invalid, "%s is a directory; name a file in it", o.name)
	case sameFile(info, entities):
		return fault.New(fault.Invalid, "%s is the file of the entity rows; write the training set to another one", o.name)
	case info.Mode().IsRegular():
		return o.create(info)
	}
	o.file, err = os.OpenFile(o.target, os.O_WRONLY, 0)
	return o.fault(err)
}

func sameFile(info os.FileInfo, path string) bool {
	other, err := os.Stat(path)
	return err == nil && os.SameFile(info, other)
}

// create makes the temporary file beside the target. It has the permissions of the
// file that it replaces.
func (o *output) create(old os.FileInfo) error {
	const tries = 100
	dir, base := filepath.Split(o.target)
	for n := range tries {
		name := filepath.Join(dir, fmt.Sprintf(".%s.%d-%d.tmp", base, os.Getpid(), n))
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) //nolint:gosec // the umask decides
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return o.fault(err)
		}
		o.file, o.temporary = f, name
		if old != nil {
			_ = f.Chmod(old.Mode().Perm())
		}
		return nil
	}
	return o.fault(fs.ErrExist)
}

// start writes what comes before the rows.
func (o *output) start(schema *arrow.Schema) (err error) {
	to := o.stdout
	if o.file != nil {
		to = o.file
	}
	o.buffer = bufio.NewWriterSize(to, 256<<10)
	switch o.format {
	case formatParquet:
		o.table, err = newParquetTable(o.buffer, schema)
	case formatArrow:
		o.table, err = newArrowTable(o.buffer, schema)
	case formatCSV:
		o.table, err = newCSVTable(o.buffer, schema)
	default:
		o.table, err = newJSONTable(o.buffer, schema)
	}
	return o.fault(err)
}

func (o *output) write(batch arrow.RecordBatch) error { return o.fault(o.table.write(batch)) }

// finish completes the output: a file gets its name.
func (o *output) finish() error {
	if err := errors.Join(o.table.close(), o.buffer.Flush()); err != nil {
		return o.fault(err)
	}
	if o.file == nil {
		return nil
	}
	if o.temporary != "" {
		if err := o.file.Sync(); err != nil {
			return o.fault(err)
		}
	}
	err := o.file.Close()
	o.file = nil
	if err == nil && o.temporary != "" {
		err = os.Rename(o.temporary, o.target)
	}
	if err == nil {
		o.temporary = ""
	}
	return o.fault(err)
}

// discard removes what was not finished.
func (o *output) discard() {
	if o.file != nil {
		_ = o.file.Close()
		o.file = nil
	}
	if o.temporary != "" {
		_ = os.Remove(o.temporary)
		o.temporary = ""
	}
}

func (o *output) fault(err error) error { return cannotWrite(o.shown(), err) }

// shown is the name of the output in messages.
func (o *output) shown() string {
	if o.target == "" {
		return "standard output"
	}
	return o.name
}

// cannotWrite says why an output cannot be written. It keeps faults.
func cannotWrite(name string, err error) error {
	var f *fault.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f):
		return f
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fault.New(fault.Unavailable, "%s cannot be written: the disk is full; nothing was replaced", name).Because(err)
	case errors.Is(err, fs.ErrNotExist):
		return fault.New(fault.Invalid, "%s cannot be written: the directory %s does not exist", name, filepath.Dir(name)).Because(err)
	case errors.Is(err, fs.ErrPermission):
		return fault.New(fault.Invalid, "%s cannot be written: permission denied", name).Because(err)
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		return fault.New(fault.Unavailable, "%s cannot be written: %v", name, path.Err).Because(err)
	}
	return fault.New(fault.Unavailable, "%s cannot be written", name).Because(err)
}
