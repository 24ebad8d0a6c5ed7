package parquet

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/banquet-fs/banquet/fault"
)

// csvRows reads the rows of a CSV file, one by one. It skips empty lines.
type csvRows struct {
	path   string
	file   *os.File
	info   os.FileInfo
	reader *csv.Reader
	limit  *limited
	header []string
	// cells are the cells of the row, valid until the next row; line is where
	// the row begins.
	cells []string
	line  int
	count int
	err   error
}

// maxRow bounds the length of a row: without it, a quote that is never closed
// would make one cell of the rest of the file.
const maxRow = 64 << 20

func openRows(path string) (*csvRows, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, broken(path, err)
	}
	r := &csvRows{path: path, file: f}
	if r.info, err = f.Stat(); err == nil {
		err = r.readHeader()
	}
	if err != nil {
		_ = f.Close()
		return nil, broken(path, err)
	}
	return r, nil
}

func (r *csvRows) close() { _ = r.file.Close() }

func (r *csvRows) readHeader() error {
	r.limit = &limited{r: r.file, left: maxRow}
	in := bufio.NewReaderSize(r.limit, 64<<10)
	start, err := in.Peek(4)
	switch {
	case len(start) == 0 && errors.Is(err, io.EOF):
		return fault.New(fault.Invalid, "%s is empty; its first line must name the columns", r.path)
	case err != nil && !errors.Is(err, io.EOF):
		return broken(r.path, err)
	case bytes.HasPrefix(start, []byte("\xef\xbb\xbf")):
		_, _ = in.Discard(3)
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")):
		return fault.New(fault.Invalid, "%s is UTF-16; save it as UTF-8", r.path)
	case bytes.HasPrefix(start, []byte("PAR1")):
		return fault.New(fault.Invalid, "%s is a Parquet file; its name must not end in .csv", r.path)
	case bytes.HasPrefix(start, []byte("\x1f\x8b")), bytes.HasPrefix(start, []byte("PK\x03\x04")):
		return fault.New(fault.Invalid, "%s is compressed; unpack it", r.path)
	}
	r.reader = csv.NewReader(&returns{r: in})
	r.reader.ReuseRecord = true
	header, err := r.reader.Read()
	if errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "%s has only empty lines; its first line must name the columns", r.path)
	}
	if err != nil {
		return r.fail(err)
	}
	for i, name := range header {
		if strings.Contains(name, "\r") {
			return fault.New(fault.Invalid, "%s ends its lines with CR; they must end with LF or CR LF", r.path)
		}
		name = putBack(name)
		if err := checkText(name); err != nil {
			return fault.New(fault.Invalid, "%s, line 1, column %d: %s", r.path, i+1, fault.Of(err).Text)
		}
		header[i] = strings.Clone(name)
	}
	r.header = append([]string(nil), header...)
	return nil
}

// next reads the next row; err tells how the rows ended.
func (r *csvRows) next(ctx context.Context) bool {
	const often = 1024 // rows between two checks of the context
	if r.count++; r.count%often == 0 && ctx.Err() != nil {
		r.err = fault.Of(ctx.Err())
		return false
	}
	r.limit.left = maxRow
	cells, err := r.reader.Read()
	if err != nil {
		r.err = r.end(err)
		return false
	}
	for i, cell := range cells {
		cells[i] = putBack(cell)
	}
	r.cells = cells
	r.line, _ = r.reader.FieldPos(0)
	return true
}

// end tells how the rows ended. Rows may be appended to a file while it is read,
// but a file that was cut short has lost rows, and a row that is still being
// written may have only the first digits of a number.
func (r *csvRows) end(err error) error {
	if errors.Is(err, io.EOF) {
		now, statErr := r.file.Stat()
		grown := statErr == nil && now.Size() > r.info.Size()
		if statErr == nil && now.Size() >= r.info.Size() && (!grown || r.limit.last == '\n') {
			return nil
		}
	}
	if late := changed(r.file, r.path, r.info, err); late != nil {
		return late
	}
	return r.fail(err)
}

func (r *csvRows) fail(err error) error {
	var at *csv.ParseError
	switch {
	case errors.Is(err, errLongRow):
		return fault.New(fault.Invalid, "%s: the row after line %d does not end within %d MB; is a quote missing?", r.path, r.line, maxRow>>20).Because(err)
	case !errors.As(err, &at):
		return broken(r.path, err)
	case errors.Is(err, csv.ErrFieldCount):
		return fault.New(fault.Invalid, "%s, line %d: the row does not have %d cells, as the first line has", r.path, at.StartLine, r.reader.FieldsPerRecord).Because(err)
	case errors.Is(err, csv.ErrQuote):
		return fault.New(fault.Invalid, "%s, line %d, character %d: a quoted cell does not end with a quote and a comma, or never ends", r.path, at.StartLine, at.Column).Because(err)
	case errors.Is(err, csv.ErrBareQuote):
		return fault.New(fault.Invalid, "%s, line %d, character %d: a quote stands in a cell that is not quoted; write the cell in quotes and the quote twice", r.path, at.Line, at.Column).Because(err)
	}
	return fault.New(fault.Invalid, "%s, line %d: %v", r.path, at.Line, at.Err).Because(err)
}

// limited ends a row that is too long.
type limited struct {
	r    io.Reader
	left int
	last byte // of what was read
}

var errLongRow = errors.New("the row is too long")

func (l *limited) Read(b []byte) (int, error) {
	if l.left <= 0 {
		return 0, errLongRow
	}
	n, err := l.r.Read(b)
	if n > 0 {
		l.last = b[n-1]
	}
	l.left -= n
	return n, err
}
