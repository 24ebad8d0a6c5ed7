package dynamo

import (
	"errors"
	"slices"

	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/dynamo/wire"
)

// Responses that are well formed but do not belong to the call: if they were
// accepted, existing rows would seem to be missing.
var (
	errStranger = errors.New("the response belongs to another request")
	errTwice    = errors.New("the response holds an item twice")
)

// fullResponse is the read capacity of a full response, 16 MB in units of 8 KB,
// with a margin: DynamoDB then leaves the remaining keys unprocessed although no
// table is busy.
const fullResponse = 1900

// consumed adds the capacity that one table's part consumed.
func (c *call) consumed(name string, n float64) {
	for i := range c.spans {
		if c.spans[i].table.name == name {
			c.units = append(c.units, units{c.spans[i].table.table, n})
		}
	}
	if n >= fullResponse {
		c.full = true
	}
}

// key finds the key of an id among the requested ones; -1 if it was not
// requested.
func (sp *span) key(id []byte) int32 {
	key, _ := sp.table.set.find(id)
	if key < 0 || key < sp.keys[0] || key > sp.keys[len(sp.keys)-1] {
		sp.strangers = true
		return -1
	}
	return key
}

// row returns the row of an id, with memory for its values; nil if the id was not
// requested.
func (sp *span) row(id []byte) (*stores.Row, error) {
	key := sp.key(id)
	if key < 0 {
		return nil, nil
	}
	row := &sp.table.rows[key]
	width := len(sp.table.projection.features)
	if row.Found || len(sp.values) < width {
		return nil, errTwice
	}
	row.Found, row.Err = true, nil
	row.Values, sp.values = sp.values[:width:width], sp.values[width:]
	return row, nil
}

// notRead records an id that was not processed.
func (sp *span) notRead(id []byte) {
	if key := sp.key(id); key >= 0 {
		sp.unread = append(sp.unread, key)
	}
}

// complete checks a response that names tables or keys that were not requested:
// it must account for every requested key. Otherwise it may belong to another
// request, and its missing keys would seem to be missing rows.
func (c *call) complete() error {
	for i := range c.spans {
		sp := &c.spans[i]
		if !sp.strangers && !c.strangers {
			continue
		}
		for _, key := range sp.keys {
			if !sp.table.rows[key].Found && !slices.Contains(sp.unread, key) {
				return errStranger
			}
		}
	}
	return nil
}

// spanOf finds the span of a table's name.
func (c *call) spanOf(name []byte) *span {
	for i := range c.spans {
		if c.spans[i].table.name == string(name) {
			return &c.spans[i]
		}
	}
	return nil
}

// scan parses the body of a response.
func (c *call) scan(body []byte) error {
	s := wire.NewScanner(body)
	if len(body) > 8<<20 {
		c.full = true
	}
	answered := false
	err := s.Object(func(key []byte) error {
		switch string(key) {
		case "Responses":
			answered = true
			return s.Object(func(table []byte) error { return c.share(table, s, (*span).scanItems) })
		case "UnprocessedKeys":
			if s.Null() {
				return nil
			}
			return s.Object(func(table []byte) error { return c.share(table, s, (*span).scanUnread) })
		case "ConsumedCapacity":
			if s.Null() {
				return nil
			}
			return s.Array(func() error { return c.scanCapacity(s) })
		}
		return s.Skip()
	})
	if err == nil {
		err = s.End()
	}
	switch {
	case err != nil:
		return err
	case !answered:
		return wire.ErrForm
	}
	return c.complete()
}

// share parses one table's part of a response.
func (c *call) share(table []byte, s *wire.Scanner, scan func(*span, *wire.Scanner) error) error {
	if sp := c.spanOf(table); sp != nil {
		return scan(sp, s)
	}
	c.strangers = true
	return s.Skip()
}

// scanUnread parses one table's part of UnprocessedKeys.
func (sp *span) scanUnread(s *wire.Scanner) error {
	return s.Object(func(key []byte) error {
		if string(key) != "Keys" {
			return s.Skip()
		}
		return s.Array(func() error { return sp.scanKey(s) })
	})
}

// scanKey parses a key that was not processed. A key that cannot be identified is
// an error: its row would seem to be missing.
func (sp *span) scanKey(s *wire.Scanner) error {
	var id []byte
	err := s.Object(func(name []byte) error {
		kind, text, err := s.Typed()
		if string(name) == "entity_id" && kind == 'S' {
			id = text
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case id == nil:
		return wire.ErrForm
	}
	sp.notRead(id)
	return nil
}

func (c *call) scanCapacity(s *wire.Scanner) error {
	name, n := "", 0.0
	err := s.Object(func(key []byte) error {
		switch string(key) {
		case "TableName":
			text, err := s.Text()
			name = string(text)
			return err
		case "CapacityUnits":
			var err error
			n, err = s.Number()
			return err
		}
		return s.Skip()
	})
	c.consumed(name, n)
	return err
}

// scan parses the response to a BatchWriteItem.
func (b *batch) scan(body []byte) error {
	s := wire.NewScanner(body)
	err := s.Object(func(key []byte) error {
		if string(key) != "UnprocessedItems" {
			return s.Skip()
		}
		return s.Object(func([]byte) error {
			return s.Array(func() error { return b.scanLeft(s) })
		})
	})
	if err == nil {
		err = s.End()
	}
	return err
}

// scanLeft parses one unprocessed request: {"PutRequest":{"Item":{…}}} or
// {"DeleteRequest":{"Key":{…}}}.
func (b *batch) scanLeft(s *wire.Scanner) error {
	return s.Object(func([]byte) error {
		if !s.Next('{') {
			return s.Skip() // null: the other kind of request
		}
		return s.Object(func([]byte) error {
			return s.Object(func(name []byte) error {
				if string(name) != "entity_id" {
					return s.Skip()
				}
				_, id, err := s.Typed()
				b.notWritten(string(id))
				return err
			})
		})
	})
}
