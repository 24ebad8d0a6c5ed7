package dynamotest

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
)

func TestSizesOfItems(t *testing.T) {
	for text, want := range map[string]int{
		`{"S":"abc"}`:                      3,
		`{"S":"é"}`:                        2,
		`{"B":"AAAA"}`:                     3,
		`{"BOOL":true}`:                    1,
		`{"NULL":true}`:                    1,
		`{"M":{}}`:                         3,
		`{"M":{"ab":{"S":"c"}}}`:           3 + 1 + 2 + 1,
		`{"L":[{"S":"c"},{"B":""}]}`:       3 + 2 + 1,
		`{"N":"1200.5"}`:                   1 + 3,
		`{"N":"-0"}`:                       1,
		`{"M":{"a":{"M":{"b":{"S":""}}}}}`: 3 + 1 + 1 + 3 + 1 + 1,
	} {
		if got, err := sizeOf(item{"n": json.RawMessage(text)}); err != nil || got != want+1 {
			t.Errorf("%s: %d, %v; want %d", text, got, err, want+1)
		}
	}
}

func TestItemsThatAreRefused(t *testing.T) {
	id := json.RawMessage(`{"S":"1"}`)
	nested := strings.Repeat(`{"M":{"a":`, 40) + `{"S":""}` + strings.Repeat(`}}`, 40)
	large := func(n int) json.RawMessage {
		return json.RawMessage(`{"B":"` + base64.StdEncoding.EncodeToString(make([]byte, n)) + `"}`)
	}
	f := Faults{Refuse: map[string]bool{"2": true}}
	for name, it := range map[string]item{
		"no key":            {"v": id},
		"an empty key":      {"entity_id": json.RawMessage(`{"S":""}`)},
		"a key of bytes":    {"entity_id": json.RawMessage(`{"B":"AAAA"}`)},
		"a long key":        {"entity_id": json.RawMessage(`{"S":"` + strings.Repeat("k", 2049) + `"}`)},
		"two types":         {"entity_id": id, "v": json.RawMessage(`{"S":"a","B":"AAAA"}`)},
		"no type":           {"entity_id": id, "v": json.RawMessage(`{}`)},
		"an unknown type":   {"entity_id": id, "v": json.RawMessage(`{"X":"a"}`)},
		"an empty name":     {"entity_id": id, "v": json.RawMessage(`{"M":{"":{"S":"a"}}}`)},
		"deep nesting":      {"entity_id": id, "v": json.RawMessage(nested)},
		"broken base64":     {"entity_id": id, "v": json.RawMessage(`{"B":"A"}`)},
		"a number of 39":    {"entity_id": id, "v": json.RawMessage(`{"N":"` + strings.Repeat("1", 39) + `"}`)},
		"a huge number":     {"entity_id": id, "v": json.RawMessage(`{"N":"1e126"}`)},
		"no number":         {"entity_id": id, "v": json.RawMessage(`{"N":"one"}`)},
		"too large":         {"entity_id": id, "v": large(maxItem - len("entity_id1v") + 1)},
		"refused by itself": {"entity_id": json.RawMessage(`{"S":"2"}`)},
	} {
		if err := f.checkItem(it); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	for name, it := range map[string]item{
		"a key of the limit":   {"entity_id": json.RawMessage(`{"S":"` + strings.Repeat("k", 2048) + `"}`)},
		"an item of the limit": {"entity_id": id, "v": large(maxItem - len("entity_id1v"))},
		"a number of 38":       {"entity_id": id, "v": json.RawMessage(`{"N":"` + strings.Repeat("1", 38) + `"}`)},
	} {
		if err := f.checkItem(it); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
