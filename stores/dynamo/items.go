package dynamo

import (
	"time"

	"github.com/banquet-fs/banquet/stores/dynamo/wire"
)

// noValue stands for a stored value that is not bytes: it is not a valid
// feast.types.Value, so the cell is reported as invalid, not as missing.
var noValue = []byte{0xff}

// scanItems reads the items of one table.
func (sp *span) scanItems(s *wire.Scanner) error {
	it := itemScanner{Scanner: s, span: sp, projection: sp.table.projection}
	return s.Array(it.item)
}

// itemScanner reads the items of one table. Items of a table usually have their
// features in the same order: each feature is looked for first at its position in
// the previous item.
type itemScanner struct {
	*wire.Scanner
	span       *span
	projection *projection
	order      [64]int16 // by position in the previous item: feature index + 1
	// of the current item
	values [][]byte
	id     []byte
	event  time.Time
}

// item reads one item. Its values go to the memory of the next row; the item's
// key, wherever it is in the text, tells which row it is.
func (it *itemScanner) item() error {
	width := len(it.projection.features)
	if len(it.span.values) < width { // more items than keys: the surplus is discarded
		it.values = make([][]byte, width)
	} else {
		it.values = it.span.values[:width:width]
	}
	it.id, it.event = nil, time.Time{}
	if err := it.attributes(); err != nil {
		return err
	}
	if it.id == nil {
		return wire.ErrForm
	}
	row, err := it.span.row(it.id)
	if row == nil {
		clear(it.values)
		return err
	}
	row.Event = it.event
	return nil
}

func (it *itemScanner) attributes() error {
	s := it.Scanner
	if !s.Eat('{') {
		return wire.ErrForm
	}
	for {
		var err error
		switch {
		case s.Starts(`"entity_id":{"S":`):
			it.id, err = it.shortText()
		case s.Starts(`"event_ts":{"S":`):
			var text []byte
			text, err = it.shortText()
			it.stamp(text)
		case s.Starts(`"values":{"M":`):
			if err = it.features(); err == nil && !s.Eat('}') {
				err = wire.ErrForm
			}
		default:
			err = it.attribute()
		}
		if err != nil {
			return err
		}
		if more, err := s.More('}'); !more {
			return err
		}
	}
}

// shortText reads the rest of a text attribute, up to its closing brace.
func (it *itemScanner) shortText() ([]byte, error) {
	text, err := it.Text()
	if err == nil && !it.Eat('}') {
		err = wire.ErrForm
	}
	return text, err
}

// stamp parses the event time.
func (it *itemScanner) stamp(text []byte) {
	if t, ok := quickStamp(text); ok {
		it.event = t
		return
	}
	it.event, _ = parseStamp(string(text))
}

// attribute reads an attribute in an unusual spelling.
func (it *itemScanner) attribute() error {
	s := it.Scanner
	key, err := s.Text()
	if err != nil {
		return err
	}
	if !s.Eat(':') {
		return wire.ErrForm
	}
	switch string(key) {
	case "entity_id":
		kind, id, err := s.Typed()
		if kind == 'S' {
			it.id = id
		}
		return err
	case "event_ts":
		_, text, err := s.Typed()
		it.stamp(text)
		return err
	case "values":
		return s.Object(func(kind []byte) error {
			if string(kind) != "M" {
				it.fill(noValue)
				return s.Skip()
			}
			return it.features()
		})
	}
	return s.Skip()
}

// fill sets all features of the item to one value.
func (it *itemScanner) fill(v []byte) {
	for i := range it.values {
		it.values[i] = v
	}
}

// features reads the map of values.
func (it *itemScanner) features() error {
	s := it.Scanner
	if !s.Eat('{') {
		return wire.ErrForm
	}
	if s.Eat('}') {
		return nil
	}
	starts := it.projection.starts
	for position := 0; ; position++ {
		// The feature is usually the same as at this position in the previous item.
		at := -1
		if position < len(it.order) {
			if f := int(it.order[position]) - 1; f >= 0 && s.Starts(starts[f]) {
				at = f
			}
		} else if position < len(starts) && s.Starts(starts[position]) {
			at = position
		}
		if at >= 0 {
			v, err := s.Base64()
			if err != nil || !s.Eat('}') {
				return wire.ErrForm
			}
			it.values[at] = v
		} else if err := it.feature(position); err != nil {
			return err
		}
		if more, err := s.More('}'); !more {
			return err
		}
	}
}

// feature reads a value of the map whose name is not yet known.
func (it *itemScanner) feature(position int) error {
	s := it.Scanner
	name, err := s.Text()
	if err != nil {
		return err
	}
	if !s.Eat(':') {
		return wire.ErrForm
	}
	at, wanted := it.projection.index[string(name)]
	if !wanted {
		return s.Skip()
	}
	if position < len(it.order) && at < 1<<15-1 {
		it.order[position] = int16(at + 1)
	}
	return s.Object(func(kind []byte) error {
		if string(kind) != "B" || !s.Eat('"') {
			it.values[at] = noValue
			return s.Skip()
		}
		v, err := s.Base64()
		it.values[at] = v
		return err
	})
}
