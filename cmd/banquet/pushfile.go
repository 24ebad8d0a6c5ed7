package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/offline/parquet"
	"github.com/banquet-fs/banquet/value"
)

// pushFile is the file of a push.
type pushFile struct {
	path string
	name string // in messages
	json bool
	// kinds are the value types of columns, for cells of CSV.
	kinds map[string]types.ValueType_Enum
	close func()
}

// openPushFile finds out what a file is: by its name, or, for standard input, by its first
// bytes. Standard input and pipes are copied to a temporary file, since they may be read twice.
func (a *app) openPushFile(ctx context.Context, path string) (*pushFile, error) {
	if path == "-" {
		return spoolInput(ctx, &stoppable{ctx: ctx, from: a.in}, "standard input")
	}
	f := &pushFile{path: path, name: path, close: func() {}}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fault.New(fault.NotFound, "the file %s does not exist", path).Because(err)
	case err != nil:
		return nil, fault.New(fault.Unavailable, "the file %s cannot be read", path).Because(err)
	case info.IsDir():
		return nil, fault.New(fault.Invalid, "%s is a directory; push its files one by one", path)
	case info.Mode().Type() == fs.ModeNamedPipe: // such as the output of a command, <(...) in a shell
		in := &pipe{path: path}
		defer in.close()
		return spoolInput(ctx, &stoppable{ctx: ctx, from: in}, path)
	case !info.Mode().IsRegular():
		return nil, fault.New(fault.Invalid, "%s is neither a file nor a pipe", path)
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".json", ".jsonl", ".ndjson":
		f.json = true
	default:
		if !parquet.IsTable(path) {
			return nil, fault.New(fault.Invalid, "%s: its name must end in .json, .jsonl, .csv, .parquet or .arrow, so that its form is known; the form of standard input, -, is found out", path)
		}
	}
	return f, nil
}

// pipe is a pipe with a name, which the first Read opens: it waits until somebody writes.
type pipe struct {
	path string
	file atomic.Pointer[os.File] // a Read that is given up still runs when the pipe is closed
}

// Read reads what has arrived.
func (p *pipe) Read(b []byte) (int, error) {
	if p.file.Load() == nil {
		f, err := os.Open(p.path)
		if err != nil {
			return 0, err
		}
		p.file.Store(f)
	}
	return p.file.Load().Read(b)
}

func (p *pipe) close() {
	if f := p.file.Load(); f != nil {
		_ = f.Close() // it was only read
	}
}

// spoolInput copies a pipe to a temporary file with the ending of its form. name is what
// messages call it.
func spoolInput(ctx context.Context, in io.Reader, name string) (*pushFile, error) {
	head := make([]byte, 8)
	n, err := io.ReadFull(in, head)
	if ctx.Err() != nil {
		return nil, fault.Of(ctx.Err())
	}
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fault.New(fault.Unavailable, "%s cannot be read", name).Because(err)
	}
	head = head[:n]
	ending := ".csv"
	switch text := bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\ufeff"))); {
	case bytes.HasPrefix(head, []byte("PAR1")):
		ending = ".parquet"
	case bytes.HasPrefix(head, []byte("ARROW1")):
		ending = ".arrow"
	case len(text) == 0, text[0] == '[', text[0] == '{':
		ending = ".json"
	}
	file, err := os.CreateTemp("", "banquet-push-*"+ending)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "a temporary file for %s cannot be made; set TMPDIR to a directory with room", name).Because(err)
	}
	f := &pushFile{path: file.Name(), name: name, json: ending == ".json", close: func() { _ = os.Remove(file.Name()) }}
	_, err = io.Copy(file, io.MultiReader(bytes.NewReader(head), in))
	if err = errors.Join(err, file.Close()); err != nil {
		f.close()
		if ctx.Err() != nil {
			return nil, fault.Of(ctx.Err())
		}
		return nil, fault.New(fault.Unavailable, "%s cannot be copied to a temporary file; set TMPDIR to a directory with room", name).Because(err)
	}
	return f, nil
}

// chunks reads the rows from the start.
func (f *pushFile) chunks(ctx context.Context) iter.Seq2[[]ingest.Column, error] {
	if f.json {
		return f.jsonRows(ctx)
	}
	return f.tableRows(ctx)
}

func (f *pushFile) tableRows(ctx context.Context) iter.Seq2[[]ingest.Column, error] {
	return func(yield func([]ingest.Column, error) bool) {
		bad := refusedCells{}
		rows, err := parquet.Cells(ctx, f.path, f.kinds, bad.add)
		if err != nil {
			yield(nil, f.renamed(err))
			return
		}
		defer rows.Release()
		first := int64(0) // of the batch
		for rows.Next() {
			batch := rows.RecordBatch()
			for from := int64(0); from < batch.NumRows(); from += tableChunk {
				part := batch.NewSlice(from, min(from+tableChunk, batch.NumRows()))
				more := yield(bad.columns(part, first+from), nil)
				part.Release()
				if !more {
					return
				}
			}
			first += batch.NumRows()
			clear(bad)
		}
		switch err := rows.Err(); {
		case err != nil:
			yield(nil, f.renamed(err))
		case first == 0: // the columns of a file without rows are checked, too
			columns := make([]ingest.Column, rows.Schema().NumFields())
			for i, field := range rows.Schema().Fields() {
				columns[i] = ingest.Column{Name: field.Name, Cells: value.TextCells{}}
			}
			yield(columns, nil)
		}
	}
}

// tableChunk is how many rows of a table are pushed at once.
const tableChunk = 5000

// renamed replaces the temporary file in an error by what was copied to it.
func (f *pushFile) renamed(err error) error {
	if f.name == f.path {
		return err
	}
	e := *fault.Of(err)
	e.Text = strings.ReplaceAll(e.Text, f.path, f.name)
	return e.Because(err)
}

func (f *pushFile) jsonRows(ctx context.Context) iter.Seq2[[]ingest.Column, error] {
	return func(yield func([]ingest.Column, error) bool) {
		file, err := os.Open(f.path)
		if err != nil {
			yield(nil, fault.New(fault.Unavailable, "the file %s cannot be read", f.name).Because(err))
			return
		}
		defer file.Close()
		for columns, err := range jsonChunks(f.name, file) {
			if err == nil && ctx.Err() != nil {
				err = fault.Of(ctx.Err())
			}
			if !yield(columns, err) || err != nil {
				return
			}
		}
	}
}
