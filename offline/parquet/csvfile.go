package parquet

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
)

// csvFile is a CSV file with a header line.
type csvFile struct {
	place
	header []string
	// kinds are the types that the cells of each column fit, once they were
	// inferred.
	kinds []cellKinds
	// sharers is how many readers share the memory of one batch; 0 is one.
	sharers int
	// refused, if set, is told of cells that do not fit their column, which are then null.
	refused func(RefusedCell)
}

func openCSV(path string) (part, error) {
	rows, err := openRows(path)
	if err != nil {
		return nil, err
	}
	defer rows.close()
	seen := map[string]bool{}
	for _, name := range rows.header {
		if name != "" && seen[name] {
			return nil, fault.New(fault.Invalid, "%s: two columns are called %s in its first line; rename one", path, name)
		}
		seen[name] = true
	}
	return &csvFile{place: place{path: path}, header: rows.header}, nil
}

// hint says what the header has when a requested column is missing.
func (c *csvFile) hint() string {
	if other := c.separator(); other != "" {
		return "; its columns are separated by " + other + ", and must be by commas"
	}
	return fmt.Sprintf("; its first line, which must name the columns, has %s", names(c.header))
}

// separator names what seems to separate the columns if no comma does.
func (c *csvFile) separator() string {
	if len(c.header) != 1 {
		return ""
	}
	for _, other := range []struct{ char, name string }{{";", "semicolons"}, {"\t", "tabs"}, {"|", "bars"}} {
		if strings.Contains(c.header[0], other.char) {
			return other.name
		}
	}
	return ""
}

// fit reads the whole file to find out which types its cells fit.
func (c *csvFile) fit(ctx context.Context) error {
	if c.kinds != nil {
		return nil
	}
	kinds := make([]cellKinds, len(c.header))
	for i := range kinds {
		kinds[i] = anyKind
	}
	rows, err := openRows(c.path)
	if err != nil {
		return err
	}
	defer rows.close()
	for rows.next(ctx) {
		for i, cell := range rows.cells {
			if !isNull(cell) {
				kinds[i] = kinds[i].after(cell)
			}
		}
	}
	if rows.err == nil {
		c.kinds = kinds
	}
	return rows.err
}

func (c *csvFile) columns(ctx context.Context) ([]offline.Column, error) {
	if err := c.fit(ctx); err != nil {
		return nil, err
	}
	columns := make([]offline.Column, len(c.header))
	for i, name := range c.header {
		columns[i] = columnOf(name, c.kinds[i].inferred())
	}
	return columns, nil
}

func (c *csvFile) typeOf(ctx context.Context, w want) (arrow.DataType, error) {
	at := slices.Index(c.header, w.name)
	if at < 0 {
		return nil, nil
	}
	if w.time {
		return arrow.BinaryTypes.String, nil
	}
	if w.kind == types.ValueType_INVALID {
		if err := c.fit(ctx); err != nil {
			return nil, err
		}
		return c.kinds[at].exact(), nil
	}
	return cellType(w.kind), nil
}

// read reads the requested columns. It reads the whole file, whatever the
// bounds.
func (c *csvFile) read(ctx context.Context, wants []want, _ bounds) iter.Seq2[*chunk, error] {
	return func(yield func(*chunk, error) bool) {
		rows, err := openRows(c.path)
		if err == nil && !slices.Equal(rows.header, c.header) {
			rows.close()
			err = fault.New(fault.Unavailable, "%s was changed while it was read; run again when nothing writes to it", c.path)
		}
		var b *csvBuilder
		if err == nil {
			defer rows.close()
			b, err = c.builder(ctx, wants)
		}
		if err != nil {
			yield(nil, err)
			return
		}
		defer b.release()
		for rows.next(ctx) {
			if err := b.add(rows.cells, rows.line); err != nil {
				yield(nil, err)
				return
			}
			if b.full() && !yield(b.chunk(), nil) {
				return
			}
		}
		switch {
		case rows.err != nil:
			yield(nil, rows.err)
		case len(b.lines) > 0:
			yield(b.chunk(), nil)
		}
	}
}

// csvBuilder collects the rows of a chunk.
type csvBuilder struct {
	file     *csvFile
	wants    []want
	at       []int // index of each requested column, -1 if the file lacks it
	builders []array.Builder
	lines    []int
	bytes    int
	rows     int64 // of all chunks
}

func (c *csvFile) builder(ctx context.Context, wants []want) (*csvBuilder, error) {
	b := &csvBuilder{file: c, wants: wants, at: make([]int, len(wants)), builders: make([]array.Builder, len(wants))}
	for i, w := range wants {
		t, err := c.typeOf(ctx, w)
		if err != nil {
			return nil, err
		}
		if b.at[i] = slices.Index(c.header, w.name); t != nil {
			b.builders[i] = array.NewBuilder(memory.DefaultAllocator, t)
		}
	}
	return b, nil
}

func (b *csvBuilder) release() {
	for _, builder := range b.builders {
		if builder != nil {
			builder.Release()
		}
	}
}

func (b *csvBuilder) add(cells []string, line int) error {
	for i, builder := range b.builders {
		if builder == nil {
			continue
		}
		cell := cells[b.at[i]]
		if isNull(cell) {
			builder.AppendNull()
			continue
		}
		err := checkText(cell)
		if err == nil {
			err = appendCell(builder, cell)
		}
		switch {
		case err != nil && b.file.refused != nil:
			b.file.refused(RefusedCell{Column: b.wants[i].name, Row: b.rows, Text: cut(cell), Err: err})
			builder.AppendNull()
		case err != nil:
			return fault.New(fault.Invalid, "%s, line %d, column %s: %s", b.file.path, line, b.wants[i].name, fault.Of(err).Text).Because(err)
		}
		b.bytes += len(cell) + 8
	}
	b.rows++
	b.lines = append(b.lines, line)
	return nil
}

// checkText refuses text that no store could return as text.
func checkText(cell string) error {
	switch {
	case !utf8.ValidString(cell):
		return fault.New(fault.Invalid, "%q is not UTF-8 text; save the file as UTF-8", cut(cell))
	case strings.IndexByte(cell, 0) >= 0:
		return fault.New(fault.Invalid, "%q holds a NUL byte; is the file UTF-16? Save it as UTF-8", cut(cell))
	}
	return nil
}

// cut shortens a cell for a message.
func cut(cell string) string {
	const most = 60
	if len(cell) <= most {
		return cell
	}
	return cell[:most] + "..."
}

func (b *csvBuilder) full() bool {
	n := max(1, b.file.sharers)
	return len(b.lines) >= batchRows/n || b.bytes >= batchBytes/n
}

func (b *csvBuilder) chunk() *chunk {
	lines, path := b.lines, b.file.path
	c := &chunk{rows: len(lines), columns: make([]arrow.Array, len(b.builders)), place: func(row int) string {
		return fmt.Sprintf("%s, line %d", path, lines[row])
	}}
	for i, builder := range b.builders {
		if builder != nil {
			c.columns[i] = builder.NewArray()
		}
	}
	b.lines, b.bytes = make([]int, 0, len(lines)), 0
	return c
}
