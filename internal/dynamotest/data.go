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

func (s *Server) batchGet(body []byte, f Faults) (any, error) {
	var in struct {
		RequestItems map[string]struct {
			Keys                     []item
			ProjectionExpression     string
			ExpressionAttributeNames map[string]string
			ConsistentRead           bool
		}
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
		seen := map[string]bool{}
		for _, k := range r.Keys {
			if len(k) != 1 || idOf(k) == "" {
				return nil, invalid("The provided key element does not match the schema")
			}
			if seen[idOf(k)] {
				return nil, invalid("Provided list of item keys contains duplicates")
			}
			seen[idOf(k)] = true
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
		responses[name] = []item{}
		var unread []item
		consumed := 0.0
		for _, k := range r.Keys {
			it, ok := s.tables[name].items[idOf(k)]
			stored := s.tables[name].sizes[idOf(k)]
			size += stored
			consumed += units(stored, r.ConsistentRead)
			if f.Unprocessed > 0 && rand.Float64() < f.Unprocessed || size > maxAnswer {
				unread = append(unread, k)
				continue
			}
			if !ok {
				continue
			}
			p, err := project(it, r.ProjectionExpression, r.ExpressionAttributeNames)
			if err != nil {
				return nil, err
			}
			responses[name] = append(responses[name], p)
		}
		// The service gives items in no order.
		rand.Shuffle(len(responses[name]), func(i, j int) { responses[name][i], responses[name][j] = responses[name][j], responses[name][i] })
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

// units is the read capacity that an item costs: one unit for each 4 KB begun,
// half of it for a read that may lag.
func units(size int, consistent bool) float64 {
	n := float64(max(1, (size+4095)/4096))
	if consistent {
		return n
	}
	return n / 2
}

// project picks attributes. A map of which no wanted key is there is left out.
func project(it item, expression string, names map[string]string) (item, error) {
	if expression == "" {
		return it, nil
	}
	if len(expression) > maxExpression {
		return nil, invalid("Invalid ProjectionExpression: Expression size has exceeded the maximum allowed size; expression size: %d", len(expression))
	}
	out := item{}
	nested := map[string]map[string]json.RawMessage{}
	used := map[string]bool{}
	seen := map[string]bool{}
	for path := range strings.SplitSeq(expression, ",") {
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
		var m struct{ M map[string]json.RawMessage }
		if err := json.Unmarshal(v, &m); err != nil || m.M[parts[1]] == nil {
			continue
		}
		if nested[parts[0]] == nil {
			nested[parts[0]] = map[string]json.RawMessage{}
		}
		nested[parts[0]][parts[1]] = m.M[parts[1]]
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

func reserved(name string) bool {
	return slices.Contains([]string{"values", "value", "key", "name", "timestamp", "order", "state", "count", "date", "time", "type", "user"}, strings.ToLower(name))
}

func (s *Server) batchWrite(body []byte, f Faults) (any, error) {
	type request struct {
		PutRequest    *struct{ Item item }
		DeleteRequest *struct{ Key item }
	}
	var in struct{ RequestItems map[string][]request }
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
		seen := map[string]bool{}
		for _, r := range list {
			id := ""
			if r.PutRequest != nil {
				id = idOf(r.PutRequest.Item)
				if err := f.checkItem(r.PutRequest.Item); err != nil {
					return nil, err
				}
			} else if r.DeleteRequest != nil {
				id = idOf(r.DeleteRequest.Key)
				if err := f.checkItem(r.DeleteRequest.Key); err != nil {
					return nil, err
				}
			}
			if id == "" || seen[id] {
				return nil, invalid("Provided list of item keys contains duplicates")
			}
			seen[id] = true
		}
	}
	if total == 0 || total > maxWrite {
		return nil, invalid("Too many items requested for the BatchWriteItem call, or none: %d", total)
	}
	left := map[string][]request{}
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
