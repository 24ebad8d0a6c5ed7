package dynamo

import (
	"fmt"
	"net/http"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/value"
)

// maxItem is the size of an item at most, in bytes of attribute names and values.
const maxItem = 400 << 10

// check refuses a record whose item is too large. What DynamoDB counts besides
// names and values it may know best: an item at the very limit is its to refuse.
func (w *writing) check(r *stores.Record) error {
	size := len("entity_id") + value.EntityIDLen + len("event_ts") + stampSize(r.Event) + len("values")
	largest := -1
	for i, v := range r.Values {
		if v == nil {
			continue
		}
		size += len(w.features[i]) + len(v)
		if largest < 0 || len(v) > len(r.Values[largest]) {
			largest = i
		}
	}
	if size <= maxItem {
		return nil
	}
	most := ""
	if largest >= 0 {
		most = fmt.Sprintf("; the largest feature, %s, has %d", w.features[largest], len(r.Values[largest]))
	}
	return fault.New(fault.Invalid, "its item has %d bytes, and DynamoDB takes %d%s", size, maxItem, most).About("table", w.name, w.table.Project)
}

// maxRequest is the size of a BatchWriteItem at most, in bytes of JSON; some are
// left for what is around the items.
const maxRequest = 16<<20 - 64<<10

// calls divides records among calls: as many as the service takes, by number and
// by size.
func (w *writing) calls(indexes []int) [][]int {
	var calls [][]int
	start, size := 0, 0
	for i, at := range indexes {
		n := 0
		if w.records != nil {
			n = w.wireSize(&w.records[at])
		}
		if i-start == maxWrite || size+n > maxRequest && i > start {
			calls = append(calls, indexes[start:i])
			start, size = i, 0
		}
		size += n
	}
	return append(calls, indexes[start:])
}

// wireSize bounds the size of a record's item in JSON: a byte of a name takes six
// at most, three of a value take four.
func (w *writing) wireSize(r *stores.Record) int {
	n := 256
	for i, v := range r.Values {
		if v != nil {
			n += 6*len(w.features[i]) + len(v)/3*4 + 16
		}
	}
	return n
}

// refusesItems reports whether a call was refused for what it holds: one of its
// items may be the cause, and the others are good.
func refusesItems(err error) bool {
	switch errorCode(err) {
	case "ValidationException", "SerializationException", "ItemCollectionSizeLimitExceededException":
		return true
	}
	return statusOf(err) == http.StatusRequestEntityTooLarge
}
