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
	size := len("entity_id") + value.EntityIDLen + len("event_ts") + len(stamp(r.Event)) + len("values")
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

// refusesItems reports whether a call was refused for what it holds: one of its
// items may be the cause, and the others are good.
func refusesItems(err error) bool {
	switch errorCode(err) {
	case "ValidationException", "SerializationException", "ItemCollectionSizeLimitExceededException":
		return true
	}
	return statusOf(err) == http.StatusRequestEntityTooLarge
}
