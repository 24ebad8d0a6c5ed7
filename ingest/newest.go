package ingest

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/banquet-fs/banquet/encode"
	"github.com/banquet-fs/banquet/stores"
)

// newest keeps the newest row of each key: by event time, then by created time
// (a row without one is the oldest), then by the source's order, the first row
// first.
// Memory grows with the number of distinct keys.
type newest struct {
	layout   *encode.Layout
	index    map[string]int
	records  []stores.Record
	read     int64
	nullKeys int64
}

func newNewest(l *encode.Layout) *newest { return &newest{layout: l, index: map[string]int{}} }

// take looks at every row of a record batch.
func (n *newest) take(record arrow.RecordBatch) error {
	b, err := n.layout.Open(record)
	if err != nil {
		return err
	}
	for row := range b.Rows() {
		n.read++
		if err := n.takeRow(b, row); err != nil {
			return err
		}
	}
	return nil
}

func (n *newest) takeRow(b *encode.Batch, row int) error {
	event, created, ok := b.Times(row)
	if !ok {
		return nil
	}
	key, ok, err := b.Key(row)
	if err != nil {
		return err
	}
	if !ok {
		n.nullKeys++
		return nil
	}
	at, seen := n.index[string(key)]
	if seen {
		old := &n.records[at]
		if event.Before(old.Event) || event.Equal(old.Event) && !created.After(old.Created) {
			return nil
		}
	} else {
		at = len(n.records)
		n.records = append(n.records, stores.Record{Key: append([]byte(nil), key...)})
		n.index[string(key)] = at
	}
	r := &n.records[at]
	r.Event, r.Created = event, created
	r.Values, err = b.Values(row)
	return err
}
