package dynamo

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/banquet-fs/banquet/stores"
)

// batchGet makes one BatchGetItem.
func (d *direct) batchGet(ctx context.Context, c *call) error {
	c.body = appendBatchGet(c.body[:0], c.spans)
	a, err := d.do(ctx, "BatchGetItem", c.body)
	if err != nil {
		return err
	}
	c.answers = append(c.answers, a)
	for i := range c.spans {
		c.spans[i].unread = nil
	}
	c.stats.Received += int64(len(a.body))
	if err := c.scan(a.body); err != nil {
		return damagedBy(err)
	}
	return nil
}

// appendBatchGet appends the text of a request.
func appendBatchGet(dst []byte, spans []span) []byte {
	dst = append(dst, `{"RequestItems":{`...)
	for i := range spans {
		sp := &spans[i]
		t := sp.table
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(dst, t.json...), `:{`...)
		dst = append(dst, t.projection.json...)
		if t.consistent {
			dst = append(dst, `,"ConsistentRead":true`...)
		}
		dst = append(dst, `,"Keys":[`...)
		for j, at := range sp.ids {
			if j > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, `{"entity_id":{"S":"`...)
			dst = append(dst, t.set.id(at)...)
			dst = append(dst, `"}}`...)
		}
		dst = append(dst, `]}`...)
	}
	return append(dst, `},"ReturnConsumedCapacity":"TOTAL"}`...)
}

// fullAnswer is the read capacity of an answer of full size, 16 MB in units of
// 8 KB, with a margin: DynamoDB then leaves the rest of the keys unprocessed
// although no table is busy.
const fullAnswer = 1900

// consumed notes the capacity that a table's share consumed.
func (c *call) consumed(name string, n float64) {
	for i := range c.spans {
		if c.spans[i].table.name == name {
			c.units = append(c.units, units{c.spans[i].table.table, n})
		}
	}
	if n >= fullAnswer {
		c.large = true
	}
}

// place finds an id among those that the call asks for; -1 if it does not.
func (sp *span) place(id []byte) int32 {
	place, _ := sp.table.set.find(id)
	if place < 0 || place < sp.ids[0] || place > sp.ids[len(sp.ids)-1] {
		sp.strangers = true
		return -1
	}
	return place
}

// row gives the row of an id with room for its values; nil if nobody asked.
func (sp *span) row(id []byte) (*stores.Row, error) {
	place := sp.place(id)
	if place < 0 {
		return nil, nil
	}
	row := &sp.table.items[place]
	width := len(sp.table.projection.features)
	if row.Found || len(sp.values) < width {
		return nil, errTwice
	}
	row.Found, row.Err = true, nil
	row.Values, sp.values = sp.values[:width:width], sp.values[width:]
	return row, nil
}

// leave notes a key that was not processed.
func (sp *span) leave(id []byte) {
	if place := sp.place(id); place >= 0 {
		sp.unread = append(sp.unread, place)
	}
}

// complete makes sure that an answer which names what nobody asked for tells of
// every key that was: one to another question does not, and its silence would
// make rows missing that are there.
func (c *call) complete() error {
	for i := range c.spans {
		sp := &c.spans[i]
		if !sp.strangers && !c.strangers {
			continue
		}
		for _, at := range sp.ids {
			if !sp.table.items[at].Found && !slices.Contains(sp.unread, at) {
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

// scan takes in the body of an answer.
func (c *call) scan(body []byte) error {
	s := &scanner{b: body}
	if len(body) > 8<<20 {
		c.large = true
	}
	answered := false
	err := s.object(func(key []byte) error {
		switch string(key) {
		case "Responses":
			answered = true
			return s.object(func(table []byte) error { return c.share(table, s, (*span).scanItems) })
		case "UnprocessedKeys":
			if s.null() {
				return nil
			}
			return s.object(func(table []byte) error { return c.share(table, s, (*span).scanUnread) })
		case "ConsumedCapacity":
			if s.null() {
				return nil
			}
			return s.array(func() error { return c.scanCapacity(s) })
		}
		return s.skip(0)
	})
	if err == nil {
		err = s.end()
	}
	switch {
	case err != nil:
		return err
	case !answered:
		return errJSON
	}
	return c.complete()
}

// share reads one table's share of an answer.
func (c *call) share(table []byte, s *scanner, scan func(*span, *scanner) error) error {
	if sp := c.spanOf(table); sp != nil {
		return scan(sp, s)
	}
	c.strangers = true
	return s.skip(0)
}

// scanUnread reads one table's share of UnprocessedKeys.
func (sp *span) scanUnread(s *scanner) error {
	return s.object(func(key []byte) error {
		if string(key) != "Keys" {
			return s.skip(0)
		}
		return s.array(func() error { return sp.scanKey(s) })
	})
}

// scanKey reads a key that was not processed. One that cannot be told would be
// a row that seems to be missing.
func (sp *span) scanKey(s *scanner) error {
	var id []byte
	err := s.object(func(name []byte) error {
		kind, text, err := s.typed()
		if string(name) == "entity_id" && kind == 'S' {
			id = text
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case id == nil:
		return errJSON
	}
	sp.leave(id)
	return nil
}

func (c *call) scanCapacity(s *scanner) error {
	name, n := "", 0.0
	err := s.object(func(key []byte) error {
		switch string(key) {
		case "TableName":
			text, err := s.text()
			name = string(text)
			return err
		case "CapacityUnits":
			s.blanks()
			start := s.i
			err := s.skip(0)
			n, _ = strconv.ParseFloat(string(s.b[start:s.i]), 64)
			return err
		}
		return s.skip(0)
	})
	c.consumed(name, n)
	return err
}

// scanItems reads the items of one table.
func (sp *span) scanItems(s *scanner) error {
	it := itemScanner{scanner: s, span: sp, projection: sp.table.projection}
	return s.array(it.item)
}

// itemScanner reads the items of one table. Items of a table have their
// features in the same order as a rule: each is first looked for where the item
// before had it.
type itemScanner struct {
	*scanner
	span       *span
	projection *projection
	order      [64]int16 // by place in the item: the feature that was there, plus 1
	// of the item at hand
	values [][]byte
	id     []byte
	event  time.Time
}

// item reads one item. Its values go to where the next row's are; which row
// that is its key tells, wherever it stands.
func (it *itemScanner) item() error {
	width := len(it.projection.features)
	if len(it.span.values) < width { // more items than keys: what is too much is thrown away
		it.values = make([][]byte, width)
	} else {
		it.values = it.span.values[:width:width]
	}
	it.id, it.event = nil, time.Time{}
	if err := it.attributes(); err != nil {
		return err
	}
	if it.id == nil {
		return errJSON
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
	s := it.scanner
	if !s.eat('{') {
		return errJSON
	}
	for {
		var err error
		switch {
		case s.starts(`"entity_id":{"S":"`):
			it.id, err = s.shortText()
		case s.starts(`"event_ts":{"S":"`):
			var text []byte
			text, err = s.shortText()
			it.stamp(text)
		case s.starts(`"values":{"M":{`):
			s.i--
			if err = it.features(); err == nil && !s.eat('}') {
				err = errJSON
			}
		default:
			err = it.attribute()
		}
		if err != nil {
			return err
		}
		if more, err := s.more('}'); !more {
			return err
		}
	}
}

// shortText reads the rest of a text attribute, up to its closing brace.
func (s *scanner) shortText() ([]byte, error) {
	s.i--
	text, err := s.text()
	if err == nil && !s.eat('}') {
		err = errJSON
	}
	return text, err
}

// stamp reads the event time.
func (it *itemScanner) stamp(text []byte) {
	if t, ok := quickStamp(text); ok {
		it.event = t
		return
	}
	it.event, _ = parseStamp(string(text))
}

// attribute reads an attribute that is written in another way than usual.
func (it *itemScanner) attribute() error {
	s := it.scanner
	key, err := s.text()
	if err != nil {
		return err
	}
	if !s.eat(':') {
		return errJSON
	}
	switch string(key) {
	case "entity_id":
		kind, id, err := s.typed()
		if kind == 'S' {
			it.id = id
		}
		return err
	case "event_ts":
		_, text, err := s.typed()
		it.stamp(text)
		return err
	case "values":
		return s.object(func(kind []byte) error {
			if string(kind) != "M" {
				it.fill(noValue)
				return s.skip(0)
			}
			s.blanks()
			return it.features()
		})
	}
	return s.skip(0)
}

// fill gives all features of the item one value.
func (it *itemScanner) fill(v []byte) {
	for i := range it.values {
		it.values[i] = v
	}
}

// features reads the map of the values.
func (it *itemScanner) features() error {
	s := it.scanner
	if !s.eat('{') {
		return errJSON
	}
	if s.eat('}') {
		return nil
	}
	starts := it.projection.starts
	for place := 0; ; place++ {
		// Most often the feature is the one that it was in the item before.
		at := -1
		if place < len(it.order) {
			if f := int(it.order[place]) - 1; f >= 0 && s.starts(starts[f]) {
				at = f
			}
		} else if place < len(starts) && s.starts(starts[place]) {
			at = place
		}
		if at >= 0 {
			v, err := s.base64()
			if err != nil || !s.eat('}') {
				return errJSON
			}
			it.values[at] = v
		} else if err := it.feature(place); err != nil {
			return err
		}
		if more, err := s.more('}'); !more {
			return err
		}
	}
}

// feature reads a value of the map whose name is not known beforehand.
func (it *itemScanner) feature(place int) error {
	s := it.scanner
	name, err := s.text()
	if err != nil {
		return err
	}
	if !s.eat(':') {
		return errJSON
	}
	at, wanted := it.projection.index[string(name)]
	if !wanted {
		return s.skip(0)
	}
	if place < len(it.order) && at < 1<<15-1 {
		it.order[place] = int16(at + 1)
	}
	return s.object(func(kind []byte) error {
		if string(kind) != "B" || !s.eat('"') {
			it.values[at] = noValue
			return s.skip(0)
		}
		v, err := s.base64()
		it.values[at] = v
		return err
	})
}

// quickStamp reads an event time as it is written as a rule: in UTC, with six
// digits of a second or none.
func quickStamp(b []byte) (time.Time, bool) {
	if len(b) != 25 && (len(b) != 32 || b[19] != '.') || string(b[len(b)-6:]) != "+00:00" ||
		b[4] != '-' || b[7] != '-' || b[10] != ' ' || b[13] != ':' || b[16] != ':' {
		return time.Time{}, false
	}
	ok := true
	two := func(at int) int {
		hi, lo := b[at]-'0', b[at+1]-'0'
		ok = ok && hi <= 9 && lo <= 9
		return int(hi)*10 + int(lo)
	}
	year, month, day := two(0)*100+two(2), two(5), two(8)
	hour, minute, second, micros := two(11), two(14), two(17), 0
	if len(b) == 32 {
		micros = two(20)*10000 + two(22)*100 + two(24)
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, micros*1000, time.UTC)
	// Date turns the 30th of February into a day of March, and so on.
	same := t.Year() == year && int(t.Month()) == month && t.Day() == day && t.Hour() == hour && t.Minute() == minute && t.Second() == second
	return t, ok && same && year > 0
}
