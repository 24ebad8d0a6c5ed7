package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/value"
)

// jsonChunk is how many rows of JSON are pushed at once, and jsonBytes their size at most,
// except that of one row.
const jsonChunk, jsonBytes = 5000, 8 << 20

// jsonChunks reads rows from JSON: a list of objects, objects one after the other (JSON
// Lines), or one object of lists, as Feast's HTTP has them. NaN and Infinity, which Python
// writes, are not JSON; name is the file's.
func jsonChunks(name string, from io.Reader) iter.Seq2[[]ingest.Column, error] {
	return func(yield func([]ingest.Column, error) bool) {
		in := bufio.NewReaderSize(from, 64<<10)
		first, err := firstByte(in)
		switch {
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			yield(nil, unreadable(name, err))
			return
		case first != '[' && first != '{':
			yield(nil, fault.New(fault.Invalid, "%s is not JSON rows: want a list of objects, an object of lists, or an object in each line", name))
			return
		}
		d := json.NewDecoder(in)
		if first == '[' {
			if _, err := d.Token(); err != nil {
				yield(nil, unreadable(name, err))
				return
			}
		}
		readObjects(name, d, first == '[', yield)
	}
}

// firstByte peeks at the first byte that is not blank, and skips a byte order mark.
func firstByte(in *bufio.Reader) (byte, error) {
	if mark, err := in.Peek(3); err == nil && string(mark) == "\ufeff" {
		_, _ = in.Discard(3)
	}
	for {
		b, err := in.ReadByte()
		if err != nil {
			return 0, err
		}
		if !bytes.ContainsRune([]byte(" \t\r\n"), rune(b)) {
			return b, in.UnreadByte()
		}
	}
}

func unreadable(name string, err error) error {
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return fault.New(fault.Invalid, "%s is not JSON, at byte %d: %s", name, syntax.Offset, syntax.Error()).Because(err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fault.New(fault.Invalid, "%s ends within its JSON", name).Because(err)
	}
	return fault.New(fault.Unavailable, "%s cannot be read", name).Because(err)
}

// readObjects reads rows and passes them on in chunks. An only object whose members are
// all lists is the columns of all rows.
func readObjects(name string, d *json.Decoder, list bool, yield func([]ingest.Column, error) bool) {
	t := &jsonChunkRows{index: map[string]int{}}
	for row := 0; d.More(); row++ {
		names, cells, err := nextObject(name, row, d)
		if err != nil {
			yield(nil, err)
			return
		}
		if row == 0 && !list && allLists(cells) && !d.More() {
			yield(columnsOf(names, cells))
			return
		}
		if t.add(names, cells); t.rows >= jsonChunk || t.bytes >= jsonBytes {
			if !yield(t.columns(), nil) {
				return
			}
			t.clear()
		}
	}
	if list {
		if err := listEnd(name, d); err != nil {
			yield(nil, err)
			return
		}
	}
	if t.rows > 0 {
		yield(t.columns(), nil)
	}
}

func nextObject(name string, row int, d *json.Decoder) (names []string, cells []json.RawMessage, err error) {
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		return nil, nil, unreadable(name, err)
	}
	if names, cells, err = members(raw); err != nil {
		return nil, nil, fault.New(fault.Invalid, "%s, row %d: %v", name, row, err)
	}
	return names, cells, nil
}

func allLists(cells []json.RawMessage) bool {
	return len(cells) > 0 && !slices.ContainsFunc(cells, func(c json.RawMessage) bool { return c[0] != '[' })
}

// listEnd reads the end of a list, after which there is nothing.
func listEnd(name string, d *json.Decoder) error {
	if _, err := d.Token(); err != nil {
		return unreadable(name, err)
	}
	if d.More() {
		return fault.New(fault.Invalid, "%s: there is text after the list", name)
	}
	return nil
}

// members are the names and cells of an object, in order. A repeated name is an error: one
// of its cells would be lost.
func members(raw json.RawMessage) (names []string, cells []json.RawMessage, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return nil, nil, errors.New("a row must be an object, such as {\"driver_id\": 1001, \"event_timestamp\": \"2024-01-31T00:00:00Z\"}")
	}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, nil, err
		}
		name, _ := token.(string)
		if slices.Contains(names, name) {
			return nil, nil, fmt.Errorf("it has %q twice", name)
		}
		var cell json.RawMessage
		if err := d.Decode(&cell); err != nil {
			return nil, nil, err
		}
		names, cells = append(names, name), append(cells, cell)
	}
	return names, cells, nil
}

// columnsOf makes columns of an object of lists.
func columnsOf(names []string, cells []json.RawMessage) ([]ingest.Column, error) {
	out := make([]ingest.Column, len(names))
	for i, name := range names {
		var tokens []json.RawMessage
		if err := json.Unmarshal(cells[i], &tokens); err != nil {
			return nil, fault.New(fault.Invalid, "column %q is not a list", name).Because(err)
		}
		out[i] = ingest.Column{Name: name, Cells: tokenCells(tokens)}
	}
	return out, nil
}

func tokenCells(tokens []json.RawMessage) *value.TokenCells {
	list := make([][]byte, len(tokens))
	for i, t := range tokens {
		list[i] = t
	}
	return value.NewTokenCells(list)
}

// jsonChunkRows collects rows as columns. A column that a row lacks is null there, once
// an earlier row had it.
type jsonChunkRows struct {
	names       []string
	index       map[string]int
	cells       [][]json.RawMessage
	rows, bytes int
}

func (t *jsonChunkRows) add(names []string, cells []json.RawMessage) {
	for i, name := range names {
		at, known := t.index[name]
		if !known {
			at = len(t.names)
			t.index[name] = at
			t.names, t.cells = append(t.names, name), append(t.cells, nil)
		}
		t.fill(at)
		t.cells[at] = append(t.cells[at], cells[i])
		t.bytes += len(cells[i])
	}
	t.rows++
}

// fill makes the rows of a column that had none null.
func (t *jsonChunkRows) fill(at int) {
	for len(t.cells[at]) < t.rows {
		t.cells[at] = append(t.cells[at], nil)
	}
}

func (t *jsonChunkRows) columns() []ingest.Column {
	out := make([]ingest.Column, len(t.names))
	for i, name := range t.names {
		t.fill(i)
		out[i] = ingest.Column{Name: name, Cells: tokenCells(t.cells[i])}
	}
	return out
}

// clear begins a chunk; it keeps the names.
func (t *jsonChunkRows) clear() {
	t.rows, t.bytes = 0, 0
	for i := range t.cells {
		t.cells[i] = nil
	}
}
