package fake

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"sync"

	"github.com/banquet-fs/banquet/bench/dataset"
)

// Written is what BatchWriteItem and PutItem stored since the start, or since POST /_clear.
type Written struct {
	// Puts counts all puts, Items the distinct items.
	Puts, Items int64
	// Sample is one item in 1,000, chosen by its hash key, as DynamoDB's JSON.
	Sample []json.RawMessage
}

// sampled is one in how many items is kept as a whole. Of all others only the key is
// kept: ten million whole items would need 6 GB.
const sampled = 1000

// written holds the keys of written items, in shards so that calls do not wait for each
// other.
type written struct {
	shards [64]struct {
		mu     sync.Mutex
		puts   int64
		items  map[[16]byte]struct{}
		sample map[[16]byte]json.RawMessage
	}
}

func newWritten() *written {
	w := &written{}
	for i := range w.shards {
		w.shards[i].items, w.shards[i].sample = map[[16]byte]struct{}{}, map[[16]byte]json.RawMessage{}
	}
	return w
}

func (w *written) put(id [16]byte, item []byte) {
	s := &w.shards[id[0]%64]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.puts++
	s.items[id] = struct{}{}
	h := fnv.New32a()
	_, _ = h.Write(id[:])
	if h.Sum32()%sampled == 0 {
		s.sample[id] = bytes.Clone(item)
	}
}

func (w *written) result() (out Written) {
	for i := range w.shards {
		s := &w.shards[i]
		s.mu.Lock()
		out.Puts += s.puts
		out.Items += int64(len(s.items))
		for _, item := range s.sample {
			out.Sample = append(out.Sample, item)
		}
		s.mu.Unlock()
	}
	return out
}

// batchWrite stores the items of a BatchWriteItem and makes its response. It finds the
// items by their framing instead of parsing them, which would cost more than writing them
// costs the measured program; items of the sample are parsed when they are compared.
func (s *Server) batchWrite(request []byte) ([]byte, error) {
	rest, ok := after(request, `{`, `"RequestItems"`, `:`, `{`, `"`+dataset.Project+`.`+dataset.Balance+`"`, `:`, `[`)
	if !ok {
		return nil, fmt.Errorf("a BatchWriteItem here starts with RequestItems of the table %s.%s", dataset.Project, dataset.Balance)
	}
	w := s.written.Load()
	seen := make(map[[16]byte]bool, 25)
	for more := true; more; {
		var item []byte
		if rest, ok = after(rest, `{`, `"PutRequest"`, `:`, `{`, `"Item"`, `:`); ok {
			item, rest, ok = object(rest)
		}
		if !ok {
			return nil, errors.New("a request that is not a PutRequest with an Item")
		}
		id, err := idOf(item)
		if err != nil {
			return nil, err
		}
		if seen[id] || len(seen) == 25 {
			return nil, errors.New("1 to 25 requests of distinct keys are allowed")
		}
		seen[id] = true
		w.put(id, item)
		if rest, ok = after(rest, `}`, `}`); !ok {
			return nil, errors.New("a PutRequest with more than an Item")
		}
		rest, more = after(rest, `,`)
	}
	if _, ok = after(rest, `]`, `}`); !ok {
		return nil, errors.New("a BatchWriteItem of several tables, or one that is cut off")
	}
	return []byte(`{"UnprocessedItems":{}}`), nil
}

// put stores the item of a PutItem: its condition holds, since the rows that are read are
// calculated, never replaced.
func (s *Server) put(request []byte) ([]byte, error) {
	rest, ok := after(request, `{`, `"TableName"`, `:`, `"`)
	if !ok {
		return nil, errors.New("a PutItem here starts with the TableName")
	}
	name, rest, ok := bytes.Cut(rest, []byte{'"'})
	if !ok || s.tables[string(name)] == nil {
		return nil, fmt.Errorf("no table %.100s", name)
	}
	rest, ok = after(rest, `,`, `"Item"`, `:`)
	if !ok {
		return nil, errors.New("a PutItem here has its Item after the TableName")
	}
	item, rest, ok := object(rest)
	if !ok || !bytes.Contains(rest, []byte(`"ConditionExpression"`)) {
		return nil, errors.New("a PutItem without an Item or a condition")
	}
	id, err := idOf(item)
	if err != nil {
		return nil, err
	}
	s.written.Load().put(id, item)
	return []byte("{}"), nil
}

// after returns what follows tokens, between which there may be spaces.
func after(b []byte, tokens ...string) ([]byte, bool) {
	for _, t := range tokens {
		b = bytes.TrimLeft(b, " ")
		if !bytes.HasPrefix(b, []byte(t)) {
			return b, false
		}
		b = b[len(t):]
	}
	return b, true
}

// object cuts off a JSON object. Texts in it contain no escaped quotes: neither keys nor
// base64 nor names of the data set have them.
func object(b []byte) (item, rest []byte, ok bool) {
	b = bytes.TrimLeft(b, " ")
	depth, text := 0, false
	for i, c := range b {
		switch {
		case c == '"':
			text = !text
		case text:
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth == 0 {
				return b[:i+1], b[i+1:], true
			}
		}
	}
	return nil, b, false
}

// idOf is the hash key of an item. A feature may have its name, but is not a text.
func idOf(item []byte) (id [16]byte, err error) {
	_, at, ok := bytes.Cut(item, []byte(`"entity_id"`))
	for ; ok; _, at, ok = bytes.Cut(at, []byte(`"entity_id"`)) {
		key, text := after(at, `:`, `{`, `"S"`, `:`, `"`)
		if text && len(key) > 32 && key[32] == '"' {
			_, err = hex.Decode(id[:], key[:32])
			return id, err
		}
	}
	return id, errors.New("an item without an entity_id of 32 characters")
}
