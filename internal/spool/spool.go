// Package spool keeps record batches for a second reading: in memory as long as
// they are few, then in a temporary file that no one else can see and that is gone
// when the process ends.
package spool

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"sync/atomic"
	"syscall"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/banquet-fs/banquet/fault"
)

// Options configure a Spool.
type Options struct {
	// Dir is the directory of the temporary file; empty is the system's.
	Dir string
	// Memory is how many bytes stay in memory before a file is used; 0 is 16 MB.
	Memory int64
}

const defaultMemory = 16 << 20

// Spool holds record batches of one schema. Write is called by one goroutine, and
// before the first Reader.
type Spool struct {
	schema *arrow.Schema
	// disk is the schema in the file. It differs if the batches have extension
	// types.
	disk   *arrow.Schema
	differ bool
	opt    Options
	rows   int64
	bytes  int64
	memory []arrow.RecordBatch
	file   *os.File
	buffer *bufio.Writer
	writer *ipc.Writer
	err    error
}

// New makes an empty Spool.
func New(schema *arrow.Schema, opt Options) *Spool {
	if opt.Memory == 0 {
		opt.Memory = defaultMemory
	}
	s := &Spool{schema: schema, opt: opt}
	s.disk, s.differ = stored(schema)
	return s
}

// Schema is the schema of the batches.
func (s *Spool) Schema() *arrow.Schema { return s.schema }

// Rows is how many rows were written.
func (s *Spool) Rows() int64 { return s.rows }

// Write adds a batch. The caller still owns it.
func (s *Spool) Write(batch arrow.RecordBatch) error {
	if s.err != nil {
		return s.err
	}
	s.rows += batch.NumRows()
	if s.file == nil {
		s.bytes += size(batch)
		if s.bytes <= s.opt.Memory {
			batch.Retain()
			s.memory = append(s.memory, batch)
			return nil
		}
		if s.err = s.overflow(); s.err != nil {
			return s.err
		}
	}
	s.err = s.store(batch)
	return s.err
}

// store writes a batch to the file.
func (s *Spool) store(batch arrow.RecordBatch) error {
	if s.differ {
		batch = retyped(batch, s.disk)
		defer batch.Release()
	}
	return s.fault(s.writer.Write(batch))
}

// ReadFrom writes all batches of a reader, which the caller still owns.
func (s *Spool) ReadFrom(ctx context.Context, rows array.RecordReader) error {
	for rows.Next() {
		if ctx.Err() != nil {
			return fault.Of(ctx.Err())
		}
		if err := s.Write(rows.RecordBatch()); err != nil {
			return err
		}
	}
	return rows.Err()
}

// overflow moves what is in memory to a file.
func (s *Spool) overflow() error {
	file, err := TempFile(s.opt.Dir)
	if err != nil {
		return err
	}
	s.file, s.buffer = file, bufio.NewWriterSize(file, 256<<10)
	s.writer = ipc.NewWriter(s.buffer, ipc.WithSchema(s.disk))
	for _, batch := range s.memory {
		if err := s.store(batch); err != nil {
			return err
		}
	}
	s.forget()
	return nil
}

func (s *Spool) forget() {
	for _, batch := range s.memory {
		batch.Release()
	}
	s.memory = nil
}

func (s *Spool) fault(err error) error { return Fault(err, s.opt.Dir) }

// Reader reads all batches from the first. Several readers may be in use at once;
// the caller releases each, before it closes the Spool.
func (s *Spool) Reader() (array.RecordReader, error) {
	if s.err != nil {
		return nil, s.err
	}
	if s.file == nil {
		r, err := array.NewRecordReader(s.schema, s.memory)
		return r, s.fault(err)
	}
	if s.writer != nil {
		if s.err = s.fault(errors.Join(s.writer.Close(), s.buffer.Flush())); s.err != nil {
			return nil, s.err
		}
		s.writer, s.buffer = nil, nil
	}
	r := &reader{schema: s.schema, differ: s.differ, dir: s.opt.Dir}
	r.count.Store(1)
	in, err := ipc.NewReader(bufio.NewReaderSize(&whole{file: s.file}, 256<<10))
	if err != nil {
		return nil, s.fault(err)
	}
	r.in = in
	return r, nil
}

// Close frees the memory and the file. It may be called twice.
func (s *Spool) Close() {
	s.forget()
	s.err = fault.New(fault.Internal, "the spool is closed")
	if s.file != nil {
		remove(s.file)
		s.file = nil
	}
}

// whole reads a file from its beginning without moving its offset.
type whole struct {
	file *os.File
	at   int64
}

func (w *whole) Read(p []byte) (int, error) {
	n, err := w.file.ReadAt(p, w.at)
	w.at += int64(n)
	if n > 0 && errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// reader is an ipc.Reader whose errors are faults.
type reader struct {
	schema *arrow.Schema
	differ bool
	dir    string
	in     *ipc.Reader
	batch  arrow.RecordBatch
	count  atomic.Int64
}

func (r *reader) Retain() { r.count.Add(1) }

func (r *reader) Release() {
	if r.count.Add(-1) == 0 {
		r.drop()
		r.in.Release()
	}
}

func (r *reader) drop() {
	if r.batch != nil {
		r.batch.Release()
		r.batch = nil
	}
}

func (r *reader) Next() bool {
	r.drop()
	if !r.in.Next() {
		return false
	}
	if r.batch = r.in.RecordBatch(); r.differ {
		r.batch = retyped(r.batch, r.schema)
		return true
	}
	r.batch.Retain()
	return true
}

func (r *reader) Schema() *arrow.Schema          { return r.schema }
func (r *reader) RecordBatch() arrow.RecordBatch { return r.batch }
func (r *reader) Record() arrow.RecordBatch      { return r.batch }

func (r *reader) Err() error {
	if err := r.in.Err(); err != nil && !errors.Is(err, io.EOF) {
		return Fault(err, r.dir)
	}
	return nil
}

// TempFile makes a temporary file without a name, where the system allows it.
// Errors are faults.
func TempFile(dir string) (*os.File, error) {
	if file, err := unnamed(dir); err == nil {
		return file, nil
	}
	file, err := os.CreateTemp(dir, "banquet-*.tmp") // says what is wrong with the directory
	if err != nil {
		return nil, Fault(err, dir)
	}
	_ = os.Remove(file.Name()) // Windows removes only closed files: see remove
	return file, nil
}

func remove(file *os.File) {
	_ = file.Close()
	_ = os.Remove(file.Name())
}

// Fault says what failed with a temporary file in dir.
func Fault(err error, dir string) error {
	if err == nil {
		return nil
	}
	if dir == "" {
		dir = os.TempDir()
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault.New(fault.Unavailable, "the temporary directory %s does not exist; make it, or set TMPDIR to another one", dir).Because(err)
	case errors.Is(err, fs.ErrPermission):
		return fault.New(fault.Unavailable, "the temporary directory %s cannot be written to; set TMPDIR to another one", dir).Because(err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fault.New(fault.Unavailable, "the temporary directory %s is full; free some space, or set TMPDIR to a directory with more", dir).Because(err)
	}
	return fault.New(fault.Unavailable, "a temporary file in %s cannot be used; set TMPDIR to another directory", dir).Because(err)
}

// size is how many bytes the buffers of a batch have. Batches that share buffers
// count them each.
func size(batch arrow.RecordBatch) int64 {
	var n int64
	for _, column := range batch.Columns() {
		n += dataSize(column.Data())
	}
	return n
}

func dataSize(d arrow.ArrayData) int64 {
	var n int64
	for _, b := range d.Buffers() {
		if b != nil {
			n += int64(b.Len())
		}
	}
	for _, child := range d.Children() {
		n += dataSize(child)
	}
	if d.DataType().ID() == arrow.DICTIONARY {
		n += dataSize(d.Dictionary())
	}
	return n
}
