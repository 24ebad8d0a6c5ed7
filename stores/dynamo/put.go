package dynamo

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"sync"

	"github.com/banquet-fs/banquet/stores"
)

var bodies = sync.Pool{New: func() any { return new([]byte) }}

// keptRequest bounds the memory that an unused request body keeps.
const keptRequest = 1 << 20

// send makes one call of a body that write appends, and hands its answer to
// take, which may be nil.
func (d *direct) send(ctx context.Context, operation string, write func(dst []byte) []byte, take func(body []byte) error) error {
	body := bodies.Get().(*[]byte) // the pool holds nothing else
	defer func() {
		if cap(*body) <= keptRequest {
			bodies.Put(body)
		}
	}()
	*body = write((*body)[:0])
	a, err := d.do(ctx, operation, *body)
	if err != nil {
		return err
	}
	defer a.release()
	if err := take(a.body); err != nil {
		return damagedBy(err)
	}
	return nil
}

// appendItem appends the item of a record.
func appendItem(dst []byte, id string, features []string, r *stores.Record) []byte {
	dst = append(append(dst, `{"entity_id":{"S":"`...), id...)
	dst = append(append(dst, `"},"event_ts":{"S":"`...), stamp(r.Event)...)
	dst = append(dst, `"},"values":{"M":{`...)
	first := true
	for i, v := range r.Values {
		if v == nil {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(appendQuoted(dst, features[i]), `:{"B":"`...)
		dst = base64.StdEncoding.AppendEncode(dst, v)
		dst = append(dst, `"}`...)
	}
	return append(dst, `}}}`...)
}

// appendQuoted appends a text as JSON.
func appendQuoted(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c > '~' {
			return append(dst, quoted(s)...)
		}
	}
	return append(append(append(dst, '"'), s...), '"')
}

// batchWrite makes one BatchWriteItem.
func (d *direct) batchWrite(ctx context.Context, b *batch) error {
	return d.send(ctx, "BatchWriteItem", func(dst []byte) []byte {
		dst = append(append(append(dst, `{"RequestItems":{`...), b.table.json...), `:[`...)
		for i, id := range b.ids {
			if i > 0 {
				dst = append(dst, ',')
			}
			if b.records == nil {
				dst = append(append(append(dst, `{"DeleteRequest":{"Key":{"entity_id":{"S":"`...), id...), `"}}}}`...)
				continue
			}
			dst = appendItem(append(dst, `{"PutRequest":{"Item":`...), id, b.features, b.records[i])
			dst = append(dst, `}}`...)
		}
		return append(dst, `]}}`...)
	}, b.scan)
}

// scan takes in the answer to a BatchWriteItem.
func (b *batch) scan(body []byte) error {
	s := &scanner{b: body}
	err := s.object(func(key []byte) error {
		if string(key) != "UnprocessedItems" {
			return s.skip(0)
		}
		return s.object(func([]byte) error {
			return s.array(func() error { return b.scanLeft(s) })
		})
	})
	if err == nil {
		err = s.end()
	}
	return err
}

// scanLeft reads one request that DynamoDB left:
// {"PutRequest":{"Item":{…}}} or {"DeleteRequest":{"Key":{…}}}.
func (b *batch) scanLeft(s *scanner) error {
	return s.object(func([]byte) error {
		if s.blanks(); s.i < len(s.b) && s.b[s.i] != '{' {
			return s.skip(0) // null: the other sort of request
		}
		return s.object(func([]byte) error {
			return s.object(func(name []byte) error {
				if string(name) != "entity_id" {
					return s.skip(0)
				}
				_, id, err := s.typed()
				b.leave(string(id))
				return err
			})
		})
	})
}

// putItem makes one PutItem.
func (d *direct) putItem(ctx context.Context, p *put) error {
	return d.send(ctx, "PutItem", func(dst []byte) []byte {
		dst = append(append(dst, `{"TableName":`...), p.table.json...)
		dst = appendItem(append(dst, `,"Item":`...), p.id, p.features, p.record)
		dst = append(append(dst, `,"ConditionExpression":`...), quoted(p.expression)...)
		names, _ := json.Marshal(p.names) // a map of strings always can be
		dst = append(append(dst, `,"ExpressionAttributeNames":`...), names...)
		if len(p.values) > 0 {
			values := make(map[string]map[string]string, len(p.values))
			for name, v := range p.values {
				values[name] = map[string]string{"S": v}
			}
			text, _ := json.Marshal(values)
			dst = append(append(dst, `,"ExpressionAttributeValues":`...), text...)
		}
		return append(dst, `,"ReturnValuesOnConditionCheckFailure":"ALL_OLD"}`...)
	}, func(body []byte) error {
		s := &scanner{b: body}
		if err := s.skip(0); err != nil {
			return err
		}
		return s.end()
	})
}
