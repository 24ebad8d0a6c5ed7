package dynamo

import (
	"fmt"
	"net/http"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/value"
)

// maxItem is the maximum size of an item, in bytes of attribute names and values.
const maxItem = 400 << 10

// check refuses a record whose item is too large. DynamoDB also counts some
// overhead; it decides itself about items just at the limit.
func (w *writing) check(r *stores.Record) error {
	size := itemSize(w.features, r)
	if size <= maxItem {
		return nil
	}
	largest := -1
	for i, v := range r.Values {
		if v != nil && (largest < 0 || len(v) > len(r.Values[largest])) {
			largest = i
		}
	}
	most := ""
	if largest >= 0 {
		most = fmt.Sprintf("; the largest feature, %s, has %d bytes", w.features[largest], len(r.Values[largest]))
	}
	return fault.New(fault.Invalid, "its item has %d bytes; DynamoDB accepts at most %d%s", size, maxItem, most).About("table", w.name, w.table.Project)
}

// itemSize is the size of a record's item, in bytes of attribute names and values.
func itemSize(features []string, r *stores.Record) int {
	size := len("entity_id") + value.EntityIDLen + len("event_ts") + stampSize(r.Event) + len("values")
	for i, v := range r.Values {
		if v != nil {
			size += len(features[i]) + len(v)
		}
	}
	return size
}

// The overhead of a map, and of each of its elements, which DynamoDB charges.
const mapBytes, elementBytes = 3, 1

// writeUnit is how many bytes of an item one write capacity unit pays for.
const writeUnit = 1 << 10

// Size returns the size of a record's item and the write capacity units that a
// write of it consumes.
func (s *Store) Size(features *stores.Selection, r *stores.Record) stores.Size {
	size := itemSize(features.Features, r) + mapBytes
	for _, v := range r.Values {
		if v != nil {
			size += elementBytes
		}
	}
	return stores.Size{Bytes: int64(size), WriteUnits: int64((size + writeUnit - 1) / writeUnit)}
}

// maxRequest is the maximum size of a BatchWriteItem, in bytes of JSON; a reserve
// is kept for the text around the items.
const maxRequest = 16<<20 - 64<<10

// calls divides records into calls, as large as the service accepts by number and
// size.
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

// wireSize is an upper bound of a record's item in JSON: a byte of a name takes
// at most six, three bytes of a value take four.
func (w *writing) wireSize(r *stores.Record) int {
	n := 256
	for i, v := range r.Values {
		if v != nil {
			n += 6*len(w.features[i]) + len(v)/3*4 + 16
		}
	}
	return n
}

// refusesItems reports whether a call was refused for its content: one of its
// items may be the cause, and the others valid.
func refusesItems(err error) bool {
	switch errorCode(err) {
	case "ValidationException", "SerializationException", "ItemCollectionSizeLimitExceededException":
		return true
	}
	return statusOf(err) == http.StatusRequestEntityTooLarge
}
