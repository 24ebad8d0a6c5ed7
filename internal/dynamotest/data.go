package dynamotest

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
)

// The limits of the service.
const (
	maxGet        = 100
	maxWrite      = 25
	maxAnswer     = 16 << 20
	maxExpression = 4096
)

// gets is what a BatchGetItem reads of one table.
type gets struct {
	Keys                     []item
	ProjectionExpression     string
	ExpressionAttributeNames map[string]string
	ConsistentRead           bool
}

func (s *Server) batchGet(body []byte, f Faults) (any, error) {
	var in struct {
		RequestItems           map[string]gets
		ReturnConsumedCapacity string
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	total := 0
	for name, r := range in.RequestItems {
		if _, err := s.table(name, f); err != nil {
			return nil, err
		}
		total += len(r.Keys)
		if err := checkKeys(r.Keys); err != nil {
			return nil, err
		}
	}
	if total == 0 || total > maxGet {
		return nil, invalid("Too many items requested for the BatchGetItem call, or none: %d", total)
	}
	s.keys += total
	responses, left := map[string][]item{}, map[string]any{}
	var capacity []any
	size := 0
	for name, r := range in.RequestItems {
		items, unread, consumed, err := s.tables[name].read(r, &size, f)
		if err != nil {
			return nil, err
		}
		responses[name] = items
		if len(unread) > 0 {
			left[name] = map[string]any{"Keys": unread, "ProjectionExpression": r.ProjectionExpression, "ExpressionAttributeNames": r.ExpressionAttributeNames}
		}
		capacity = append(capacity, map[string]any{"TableName": name, "CapacityUnits": consumed})
	}
	out := map[string]any{"Responses": responses, "UnprocessedKeys": left}
	if in.ReturnConsumedCapacity != "" && in.ReturnConsumedCapacity != "NONE" {
		out["ConsumedCapacity"] = capacity
	}
	return out, nil
}

func checkKeys(keys []item) error {
	seen := map[string]bool{}
	for _, k := range keys {
		if len(k) != 1 || idOf(k) == "" {
			return invalid("The provided key element does not match the schema")
		}
		if seen[idOf(k)] {
			return invalid("Provided list of item keys contains duplicates")
		}
		seen[idOf(k)] = true
	}
	return nil
}

// read returns the items of the keys in random order, as the service does, and the
// keys that it leaves unread. It adds the size of the items to the size of the
// call.
func (t *table) read(r gets, size *int, f Faults) (items, unread []item, consumed float64, err error) {
	items = []item{}
	for _, k := range r.Keys {
		it, ok := t.items[idOf(k)]
		stored := t.sizes[idOf(k)]
		*size += stored
		consumed += units(stored, r.ConsistentRead)
		if f.Unprocessed > 0 && rand.Float64() < f.Unprocessed || *size > maxAnswer {
			unread = append(unread, k)
			continue
		}
		if !ok {
			continue
		}
		p, err := project(it, r.ProjectionExpression, r.ExpressionAttributeNames)
		if err != nil {
			return nil, nil, 0, err
		}
		items = append(items, p)
	}
	rand.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	return items, unread, consumed, nil
}

// units is the read capacity that an item costs: one unit for each 4 KB begun,
// half of that for an eventually consistent read.
func units(size int, consistent bool) float64 {
	n := float64(max(1, (size+4095)/4096))
	if consistent {
		return n
	}
	return n / 2
}

// project selects attributes. A map without any requested key is left out.
func project(it item, expression string, names map[string]string) (item, error) {
	if expression == "" {
		return it, nil
	}
	if len(expression) > maxExpression {
		return nil, invalid("Invalid ProjectionExpression: Expression size has exceeded the maximum allowed size; expression size: %d", len(expression))
	}
	out := item{}
	nested, stored := map[string]map[string]json.RawMessage{}, map[string]map[string]json.RawMessage{}
	used := map[string]bool{}
	seen := map[string]bool{}
	for path := range strings.SplitSeq(expression, ",") {
		parts, err := resolve(path, names, used)
		if err != nil {
			return nil, err
		}
		full := strings.Join(parts, "\x00")
		if seen[full] || seen[parts[0]] {
			return nil, invalid("Invalid ProjectionExpression: Two document paths overlap with each other")
		}
		seen[full] = true
		v, ok := it[parts[0]]
		if !ok {
			continue
		}
		if len(parts) == 1 {
			out[parts[0]] = v
			continue
		}
		fields, ok := stored[parts[0]]
		if !ok {
			fields = fieldsOf(v)
			stored[parts[0]] = fields
		}
		if fields[parts[1]] == nil {
			continue
		}
		if nested[parts[0]] == nil {
			nested[parts[0]] = map[string]json.RawMessage{}
		}
		nested[parts[0]][parts[1]] = fields[parts[1]]
	}
	for n := range names {
		if !used[n] {
			return nil, invalid("Value provided in ExpressionAttributeNames unused in expressions: keys: {%s}", n)
		}
	}
	for k, m := range nested {
		b, _ := json.Marshal(map[string]any{"M": m})
		out[k] = b
	}
	return out, nil
}

// fieldsOf are the fields of a map; none if the value is no map.
func fieldsOf(v json.RawMessage) map[string]json.RawMessage {
	var m struct{ M map[string]json.RawMessage }
	if err := json.Unmarshal(v, &m); err != nil {
		return nil
	}
	return m.M
}

// resolve splits a path into its attributes and replaces its #names by the
// attributes' own names.
func resolve(path string, names map[string]string, used map[string]bool) ([]string, error) {
	parts := strings.Split(strings.TrimSpace(path), ".")
	for i, p := range parts {
		if !strings.HasPrefix(p, "#") {
			if reserved(p) {
				return nil, invalid("Invalid ProjectionExpression: Attribute name is a reserved keyword; reserved keyword: %s", p)
			}
			continue
		}
		name, ok := names[p]
		if !ok {
			return nil, invalid("An expression attribute name used in the document path is not defined; attribute name: %s", p)
		}
		parts[i], used[p] = name, true
	}
	return parts, nil
}

func reserved(name string) bool {
	return slices.Contains([]string{"values", "value", "key", "name", "timestamp", "order", "state", "count", "date", "time", "type", "user"}, strings.ToLower(name))
}

// writeRequest is one write of a BatchWriteItem.
type writeRequest struct {
	PutRequest    *struct{ Item item }
	DeleteRequest *struct{ Key item }
}

// item is what the request puts, or the key of what it deletes.
func (r writeRequest) item() item {
	switch {
	case r.PutRequest != nil:
		return r.PutRequest.Item
	case r.DeleteRequest != nil:
		return r.DeleteRequest.Key
	}
	return nil
}

func (s *Server) batchWrite(body []byte, f Faults) (any, error) {
	var in struct{ RequestItems map[string][]writeRequest }
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	if len(body) > maxRequest {
		return nil, invalid("The total request size has exceeded 16 MB")
	}
	total := 0
	for name, list := range in.RequestItems {
		if _, err := s.table(name, f); err != nil {
			return nil, err
		}
		total += len(list)
		if err := f.checkWrites(list); err != nil {
			return nil, err
		}
	}
	if total == 0 || total > maxWrite {
		return nil, invalid("Too many items requested for the BatchWriteItem call, or none: %d", total)
	}
	left := map[string][]writeRequest{}
	for name, list := range in.RequestItems {
		for _, r := range list {
			switch {
			case f.Unprocessed > 0 && rand.Float64() < f.Unprocessed:
				left[name] = append(left[name], r)
			case r.PutRequest != nil:
				s.tables[name].put(r.PutRequest.Item)
			default:
				s.tables[name].remove(idOf(r.DeleteRequest.Key))
			}
		}
	}
	return map[string]any{"UnprocessedItems": left}, nil
}

func (f Faults) checkWrites(list []writeRequest) error {
	seen := map[string]bool{}
	for _, r := range list {
		it := r.item()
		if it == nil {
			return invalid("Supplied WriteRequest contains neither a put nor a delete")
		}
		if err := f.checkItem(it); err != nil {
			return err
		}
		id := idOf(it)
		if id == "" || seen[id] {
			return invalid("Provided list of item keys contains duplicates")
		}
		seen[id] = true
	}
	return nil
}

func (s *Server) putItem(body []byte, f Faults) (any, error) {
	var in struct {
		TableName, ConditionExpression, ReturnValuesOnConditionCheckFailure string
		Item                                                                item
		ExpressionAttributeNames                                            map[string]string
		ExpressionAttributeValues                                           map[string]struct{ S string }
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	t, err := s.table(in.TableName, f)
	if err != nil {
		return nil, err
	}
	if err := f.checkItem(in.Item); err != nil {
		return nil, err
	}
	old, there := t.items[idOf(in.Item)]
	if in.ConditionExpression != "" {
		values := map[string]string{}
		for k, v := range in.ExpressionAttributeValues {
			values[k] = v.S
		}
		ok, err := holds(in.ConditionExpression, old, in.ExpressionAttributeNames, values)
		if err != nil {
			return nil, err
		}
		if !ok {
			r := &refusal{status: 400, kind: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", text: "The conditional request failed"}
			if there && in.ReturnValuesOnConditionCheckFailure == "ALL_OLD" {
				r.item = old
			}
			return nil, r
		}
	}
	t.put(in.Item)
	return map[string]any{}, nil
}

func (s *Server) getItem(body []byte, f Faults) (any, error) {
	var in struct {
		TableName, ProjectionExpression string
		Key                             item
		ExpressionAttributeNames        map[string]string
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	t, err := s.table(in.TableName, f)
	if err != nil {
		return nil, err
	}
	it, ok := t.items[idOf(in.Key)]
	if !ok {
		return map[string]any{}, nil
	}
	p, err := project(it, in.ProjectionExpression, in.ExpressionAttributeNames)
	return map[string]any{"Item": p}, err
}

func (s *Server) deleteItem(body []byte, f Faults) (any, error) {
	var in struct {
		TableName string
		Key       item
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	t, err := s.table(in.TableName, f)
	if err != nil {
		return nil, err
	}
	t.remove(idOf(in.Key))
	return map[string]any{}, nil
}

func (s *Server) scan(body []byte, f Faults) (any, error) {
	var in struct{ TableName string }
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	t, err := s.table(in.TableName, f)
	if err != nil {
		return nil, err
	}
	items := []item{}
	for _, it := range t.items {
		items = append(items, it)
	}
	return map[string]any{"Items": items, "Count": len(items), "ScannedCount": len(items)}, nil
}
