package server

import (
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/value"
)

// frame is the JSON object of columns in a request that writes: Feast's "df", which its
// server makes a DataFrame of, and "columns" in banquet's own API. A column is one of
//
//   - a list of one value per row;
//   - a single value, which all rows have;
//   - an object of one value per row under the row's label, as DataFrame.to_dict()
//     writes it; all columns that are not single values then have this form. Only
//     Feast's routes read it.
//
// Values are raw tokens that point into the body.
type frame struct {
	columns []frameColumn
	at      map[string]int // by name
	cells   int
}

type frameColumn struct {
	name   string
	cells  [][]byte // JSON
	values [][]byte // encoded Values, instead of cells
	labels []string // of an object, as long as cells
	form   columnForm
}

type columnForm uint8

const (
	singleValue columnForm = iota
	listOfValues
	labelledValues
)

// rows is the number of values of a column that is not a single value.
func (c *frameColumn) rows() int { return len(c.cells) + len(c.values) }

// column returns the column of a name, empty. Of two with the same name the last one
// counts, as in Python.
func (f *frame) column(name string) *frameColumn {
	if f.at == nil {
		f.at = make(map[string]int, 16)
	}
	i, there := f.at[name]
	if !there {
		i = len(f.columns)
		f.at[name] = i
		f.columns = append(f.columns, frameColumn{})
	}
	f.cells -= len(f.columns[i].cells)
	f.columns[i] = frameColumn{name: name}
	return &f.columns[i]
}

// list returns the columns as a use case reads them. Their lengths are not compared
// here: Feast's SDK sends the keys of an on-demand feature view twice.
func (f *frame) list() ([]ingest.Column, error) {
	var labelled *frameColumn // the first one
	out := make([]ingest.Column, len(f.columns))
	for i := range f.columns {
		c := &f.columns[i]
		switch {
		case c.form != labelledValues:
		case labelled == nil:
			labelled = c
		case c.rows() == labelled.rows():
			if err := c.order(labelled); err != nil {
				return nil, err
			}
		}
		out[i] = ingest.Column{Name: c.name, Scalar: c.form == singleValue}
		if c.values != nil {
			out[i].Cells = value.ValueCells(c.values)
		} else {
			out[i].Cells = value.NewTokenCells(c.cells)
		}
	}
	return out, f.checkForms(labelled)
}

// checkForms refuses lists beside objects: the labels would name the rows of some
// columns only.
func (f *frame) checkForms(labelled *frameColumn) error {
	for i := range f.columns {
		if c := &f.columns[i]; labelled != nil && c.form == listOfValues {
			return fault.New(fault.Invalid, "column %q is an object and column %q a list; send each column as a list of one value per row", labelled.name, c.name)
		}
	}
	return nil
}

// order puts the values of a column into the order of another one's labels.
func (c *frameColumn) order(other *frameColumn) error {
	var at map[string]int // only needed if the orders differ
	cells := c.cells
	for i, label := range other.labels {
		if at == nil && c.labels[i] == label {
			continue
		}
		if at == nil {
			at = make(map[string]int, len(c.labels))
			for j, l := range c.labels {
				at[l] = j
			}
			cells = append(make([][]byte, 0, len(c.cells)), c.cells[:i]...)
		}
		j, ok := at[label]
		if !ok {
			return fault.New(fault.Invalid, "column %q has no row %q, which column %q has; give each column a value for every row", c.name, label, other.name)
		}
		cells = append(cells, c.cells[j])
	}
	c.cells, c.labels = cells, other.labels
	return nil
}

// frame reads an object of columns.
func (p *bodyParser) frame(key string, f *frame) error {
	*f = frame{} // of two equal keys the last one counts
	if p.s.peek() != '{' {
		raw, err := p.s.value()
		if err == nil {
			p.addError("dict_type", "Input should be a valid dictionary", raw, key)
		}
		return err
	}
	return p.s.object(func(name string) error {
		c := f.column(name)
		if err := p.frameColumn(f, c); err != nil {
			return err
		}
		return checkRowColumns(len(f.columns))
	})
}

func (p *bodyParser) frameColumn(f *frame, c *frameColumn) error {
	if c.form = p.form(); c.form == singleValue {
		raw, err := p.s.value()
		c.cells = [][]byte{raw}
		f.cells++
		return err
	}
	if c.form == labelledValues && p.d.strict {
		return p.encoded(f, c)
	}
	if c.form == labelledValues {
		return p.labelled(f, c)
	}
	c.cells = make([][]byte, 0, p.s.countElements())
	return p.s.array(func(int) error { return p.cell(f, c) })
}

// form looks at the next column without reading it.
func (p *bodyParser) form() columnForm {
	switch p.s.peek() {
	case '[':
		return listOfValues
	case '{':
		return labelledValues
	}
	return singleValue
}

// labelled reads a column that is an object of one value per row.
func (p *bodyParser) labelled(f *frame, c *frameColumn) error {
	seen := map[string]bool{}
	return p.s.object(func(label string) error {
		if seen[label] {
			return fault.New(fault.Invalid, "column %q has row %q twice", c.name, label)
		}
		seen[label] = true
		c.labels = append(c.labels, label)
		return p.cell(f, c)
	})
}

// encoded reads a column in the form of protobuf's JSON, {"val": [{"int64Val": "1"}]}.
func (p *bodyParser) encoded(f *frame, c *frameColumn) error {
	p.s.blanks()
	start := p.s.i
	err := p.s.object(func(key string) error {
		if key != "val" || p.s.peek() != '[' {
			return fault.New(fault.Invalid, `column %q is an object; send a list of one value per row, or {"val": […]} with values in protobuf's JSON`, bounded(c.name, maxEcho))
		}
		c.cells = nil
		return p.s.array(func(int) error { return p.cell(f, c) })
	})
	if err != nil {
		return err
	}
	var list types.RepeatedValue
	if err := protojson.Unmarshal(p.s.b[start:p.s.i], &list); err != nil {
		return fault.New(fault.Invalid, "column %q is not a list of values in protobuf's JSON: %s", bounded(c.name, maxEcho), jsonReason(err)).Because(err)
	}
	c.form, c.cells = listOfValues, nil
	c.values, err = valueBytes(c.name, list.GetVal())
	return err
}

func (p *bodyParser) cell(f *frame, c *frameColumn) error {
	raw, err := p.s.value()
	if err != nil {
		return err
	}
	c.cells = append(c.cells, raw)
	f.cells++
	if err := p.d.limits.checkCells(f.cells); err != nil {
		return err
	}
	return p.d.limits.checkRows(len(c.cells))
}
