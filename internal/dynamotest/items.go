package dynamotest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// The limits of items, in bytes.
const (
	maxItem    = 400 << 10
	maxKey     = 2048
	maxRequest = 16 << 20 // of one BatchWriteItem
	maxDepth   = 32
)

// put stores an item. It keeps its size, by which reads are billed.
func (t *table) put(it item) {
	size, _ := sizeOf(it) // Put may store any item
	t.items[idOf(it)], t.sizes[idOf(it)] = it, size
}

func (t *table) remove(id string) {
	delete(t.items, id)
	delete(t.sizes, id)
}

// checkItem checks an item against the service's rules.
func (f *Faults) checkItem(it item) error {
	if err := checkKey(it); err != nil {
		return err
	}
	if f.Refuse[idOf(it)] {
		return invalid("One or more parameter values were invalid")
	}
	size, err := sizeOf(it)
	if err != nil {
		return err
	}
	if size > maxItem {
		return invalid("Item size has exceeded the maximum allowed size")
	}
	return nil
}

// checkKey checks an item's key against the service's rules.
func checkKey(it item) error {
	raw, ok := it["entity_id"]
	if !ok {
		return invalid("One or more parameter values were invalid: Missing the key entity_id in the item")
	}
	var v map[string]json.RawMessage
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	if len(v) != 1 || v["S"] == nil {
		return invalid("One or more parameter values were invalid: Type mismatch for key entity_id expected: S")
	}
	switch id := idOf(it); {
	case id == "":
		return invalid("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: entity_id")
	case len(id) > maxKey:
		return invalid("One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes")
	}
	return nil
}

// sizeOf is the size of an item as the service counts it: names, values, and
// the overhead of maps and lists.
func sizeOf(it item) (int, error) {
	n := 0
	for name, raw := range it {
		size, err := sizeOfValue(raw, 0)
		if err != nil {
			return 0, err
		}
		n += len(name) + size
	}
	return n, nil
}

// sizeOfValue is the size of a value such as {"S": …}.
func sizeOfValue(raw json.RawMessage, depth int) (int, error) {
	if kind, s, ok := plainScalar(raw); ok && depth <= maxDepth {
		return sizeOfText(kind, s)
	}
	var typed map[string]json.RawMessage
	if err := json.Unmarshal(raw, &typed); err != nil {
		return 0, err
	}
	if len(typed) != 1 {
		return 0, invalid("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
	}
	if depth > maxDepth {
		return 0, invalid("Nesting Levels have exceeded supported limits")
	}
	for kind, v := range typed {
		switch kind {
		case "M":
			return sizeOfMap(v, depth)
		case "L":
			return sizeOfList(v, depth)
		case "BOOL", "NULL":
			return 1, nil
		case "S", "B", "N":
			return sizeOfScalar(kind, v)
		}
	}
	return 0, invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
}

func sizeOfMap(raw json.RawMessage, depth int) (int, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return 0, err
	}
	n := 3
	for name, v := range fields {
		if name == "" {
			return 0, invalid("One or more parameter values were invalid: Attribute name cannot be empty")
		}
		size, err := sizeOfValue(v, depth+1)
		if err != nil {
			return 0, err
		}
		n += 1 + len(name) + size
	}
	return n, nil
}

func sizeOfList(raw json.RawMessage, depth int) (int, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return 0, err
	}
	n := 3
	for _, v := range list {
		size, err := sizeOfValue(v, depth+1)
		if err != nil {
			return 0, err
		}
		n += 1 + size
	}
	return n, nil
}

func sizeOfScalar(kind string, raw json.RawMessage) (int, error) {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return 0, err
	}
	return sizeOfText(kind, s)
}

// plainScalar reads a value such as {"S":"…"}, which is valid JSON, if no character of it is escaped:
// almost all bytes of most calls are in such values.
func plainScalar(raw json.RawMessage) (kind, s string, ok bool) {
	head, rest, ok := strings.Cut(string(raw[:min(len(raw), 6)]), `":"`)
	kind, typed := strings.CutPrefix(head, `{"`)
	if !ok || !typed || rest != "" || !strings.Contains("SBN", kind) || !bytes.HasSuffix(raw, []byte(`"}`)) {
		return "", "", false
	}
	text := raw[6 : len(raw)-2]
	return kind, string(text), bytes.IndexByte(text, '"') < 0 && bytes.IndexByte(text, '\\') < 0
}

func sizeOfText(kind, s string) (int, error) {
	switch kind {
	case "S":
		if !utf8.ValidString(s) {
			return 0, invalid("One or more parameter values were invalid: a text is not UTF-8")
		}
		return len(s), nil
	case "B":
		b, err := base64.StdEncoding.DecodeString(s)
		return len(b), err // the service calls it a SerializationException
	}
	return sizeOfNumber(s)
}

// sizeOfNumber is the size of a number, of at most 38 significant digits and
// less than 1e126.
func sizeOfNumber(s string) (int, error) {
	var f json.Number
	if err := json.Unmarshal([]byte(s), &f); err != nil {
		return 0, invalid("The parameter cannot be converted to a numeric value: %s", s)
	}
	mantissa, _, _ := strings.Cut(strings.ToLower(s), "e")
	digits := strings.Trim(strings.NewReplacer("-", "", ".", "").Replace(mantissa), "0")
	if len(digits) > 38 {
		return 0, invalid("Attempting to store more than 38 significant digits in a Number")
	}
	if v, err := f.Float64(); err != nil || v >= 1e126 || v <= -1e126 {
		return 0, invalid("Number overflow. Attempting to store a number with magnitude larger than supported range")
	}
	return 1 + (len(digits)+1)/2, nil
}
