package library

import (
	"fmt"
	"strings"

	"github.com/banquet-fs/banquet/definitions/python"
)

func csvModule() names {
	return names{
		"reader": python.NewFunction("reader", "iterable dialect? * delimiter?", func(c *python.Call, a []any) (any, error) {
			r, err := newReader(c, a[0], a[1], a[2])
			if err != nil {
				return nil, err
			}
			return r, nil
		}),
		"DictReader": python.NewFunction("DictReader", "f fieldnames? restkey? restval? dialect? * delimiter?", func(c *python.Call, a []any) (any, error) {
			rows, err := newReader(c, a[0], a[4], a[5])
			if err != nil {
				return nil, err
			}
			return newDictReader(c, rows, a[1], a[2], a[3])
		}),
		"excel": &python.Builtin{Name: "excel"},
	}
}

// csvReader parses rows as Python's default dialect does: fields in double quotes
// may contain commas, doubled quotes, and line ends.
type csvReader struct {
	call  *python.Call
	lines *python.Iterator
	p     csvParser
	ended bool
}

func newReader(c *python.Call, source, dialect, delimiter any) (*csvReader, error) {
	if dialect != nil && dialect != "excel" {
		return nil, fmt.Errorf("csv by another dialect is not read")
	}
	comma, ok := python.Text(delimiter)
	if delimiter == nil {
		comma, ok = ",", true
	}
	if !ok || len(comma) != 1 || strings.Contains("\"\r\n ", comma) {
		return nil, fmt.Errorf("csv with delimiter=%s is not read", python.Brief(delimiter))
	}
	lines, err := c.Iterator(source)
	return &csvReader{call: c, lines: lines, p: csvParser{comma: comma[0]}}, err
}

// Kinds lists the types of a reader.
func (*csvReader) Kinds() []string { return []string{"reader", "Iterator", "Iterable"} }

// Next returns the next row.
func (r *csvReader) Next() (any, bool, error) {
	row, err := r.next()
	return row, row != nil && err == nil, err
}

// next returns the next row; nil at the end.
func (r *csvReader) next() (*python.List, error) {
	for !r.ended {
		v, more, err := r.lines.Next()
		if err != nil {
			return nil, err
		}
		if !more {
			r.ended = true
			if r.p.state == csvQuoted { // accepted as Python does without strict
				r.p.save()
				return r.p.row, nil
			}
			return nil, nil
		}
		line, ok := python.Text(v)
		if !ok || strings.ContainsRune(line, 0) {
			return nil, fmt.Errorf("csv is read of lines of text, not of a %s", python.TypeName(v))
		}
		if err := r.call.Charge(1 + len(line)/8); err != nil {
			return nil, err
		}
		if done, err := r.p.line(line); done || err != nil {
			return r.p.row, err
		}
	}
	return nil, nil
}

type csvState uint8

const (
	csvStart csvState = iota // start of a row
	csvField                 // start of a field
	csvPlain
	csvQuoted
	csvQuote // after a quote within quotes
	csvEnd   // after the end of a line
)

type csvParser struct {
	comma byte
	state csvState
	field strings.Builder
	row   *python.List
}

func (p *csvParser) save() {
	p.row.Items = append(p.row.Items, p.field.String())
	p.field.Reset()
}

// line parses one line, with or without its end; true if it ends a row.
func (p *csvParser) line(s string) (bool, error) {
	if p.state != csvQuoted {
		p.row, p.state = &python.List{}, csvStart
	}
	for i := range len(s) {
		if err := p.take(s[i]); err != nil {
			return false, err
		}
	}
	switch p.state {
	case csvQuoted:
		return false, nil
	case csvField, csvPlain, csvQuote:
		p.save()
	}
	return true, nil
}

// take parses one byte.
func (p *csvParser) take(b byte) error {
	ends := b == '\n' || b == '\r'
	switch {
	case p.state == csvEnd:
		if !ends {
			return fmt.Errorf("csv with a line within a line is not read; open the file with newline=''")
		}
	case p.state == csvQuoted:
		if b == '"' {
			p.state = csvQuote
			return nil
		}
		p.field.WriteByte(b)
	case ends:
		if p.state != csvStart {
			p.save()
		}
		p.state = csvEnd
	case b == '"' && (p.state == csvStart || p.state == csvField):
		p.state = csvQuoted
	case b == '"' && p.state == csvQuote:
		p.field.WriteByte(b)
		p.state = csvQuoted
	case b == p.comma:
		p.save()
		p.state = csvField
	default:
		p.field.WriteByte(b)
		p.state = csvPlain
	}
	return nil
}

// dictReader is csv.DictReader.
type dictReader struct {
	rows               *csvReader
	names              any // value of fieldnames
	fields             []any
	restKey, restValue any
}

// Kinds lists the types of a reader.
func (*dictReader) Kinds() []string { return []string{"DictReader", "Iterator", "Iterable"} }

// Attr returns the column names.
func (r *dictReader) Attr(name string) (any, bool) { return r.names, name == "fieldnames" }

func newDictReader(c *python.Call, rows *csvReader, given, restKey, restValue any) (any, error) {
	r := &dictReader{rows: rows, names: given, restKey: restKey, restValue: restValue}
	if given == nil {
		first, err := rows.next()
		if err != nil || first == nil {
			return r, err
		}
		r.names = first
	}
	var err error
	r.fields, err = c.Items(r.names)
	return r, err
}

// Next returns the next row that is not empty.
func (r *dictReader) Next() (any, bool, error) {
	row, err := r.rows.next()
	for err == nil && row != nil && len(row.Items) == 0 {
		row, err = r.rows.next()
	}
	if err != nil || row == nil {
		return nil, false, err
	}
	d := &python.Dict{}
	for i, f := range r.fields {
		v := r.restValue
		if i < len(row.Items) {
			v = row.Items[i]
		}
		if err := d.Put(f, v); err != nil {
			return nil, false, err
		}
	}
	if len(row.Items) > len(r.fields) {
		err = d.Put(r.restKey, python.NewList(row.Items[len(r.fields):]...))
	}
	return d, err == nil, err
}
