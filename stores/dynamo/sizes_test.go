package dynamo

import (
	"testing"
	"time"

	"github.com/banquet-fs/banquet/stores"
)

func TestSizesOfStamps(t *testing.T) {
	for _, at := range []time.Time{
		time.Unix(1.7e9, 0), time.Unix(1.7e9, 999), time.Unix(1.7e9, 1000), time.Unix(1.7e9, 999999999),
		time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 1e6, time.FixedZone("", 3600)),
	} {
		if text := stamp(at); stampSize(at) != len(text) {
			t.Errorf("%q has %d bytes, not %d", text, len(text), stampSize(at))
		}
	}
}

// The size of an item is what DynamoDB charges: names and values, three bytes for
// the map and one for each of its elements.
func TestSizesOfItems(t *testing.T) {
	event := time.Unix(1.7e9, 0)
	features := stores.NewSelection("ab", "c")
	plain := int64(len("entity_id") + 32 + len("event_ts") + len("2023-11-14 22:13:20+00:00") + len("values") + 3)
	for name, c := range map[string]struct {
		values [][]byte
		want   stores.Size
	}{
		"no features":   {[][]byte{nil, nil}, stores.Size{Bytes: plain, WriteUnits: 1}},
		"a null":        {[][]byte{{}, nil}, stores.Size{Bytes: plain + 2 + 1, WriteUnits: 1}},
		"one kilobyte":  {[][]byte{make([]byte, 1024-plain-3-3), {1}}, stores.Size{Bytes: 1024, WriteUnits: 1}},
		"one byte more": {[][]byte{make([]byte, 1024-plain-3-2), {1}}, stores.Size{Bytes: 1025, WriteUnits: 2}},
	} {
		if got := Open(Options{}).Size(features, &stores.Record{Event: event, Values: c.values}); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
