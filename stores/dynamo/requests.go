package dynamo

import (
	"encoding/base64"
	"encoding/json"

	"github.com/banquet-fs/banquet/stores"
)

// appendBatchGet appends the JSON of a BatchGetItem.
func appendBatchGet(dst []byte, spans []span) []byte {
	dst = append(dst, `{"RequestItems":{`...)
	for i := range spans {
		sp := &spans[i]
		t := sp.table
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(dst, t.json...), `:{`...)
		dst = append(dst, t.projection.json...)
		if t.consistent {
			dst = append(dst, `,"ConsistentRead":true`...)
		}
		dst = append(dst, `,"Keys":[`...)
		for j, key := range sp.keys {
			if j > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, `{"entity_id":{"S":"`...)
			dst = append(dst, t.set.id(key)...)
			dst = append(dst, `"}}`...)
		}
		dst = append(dst, `]}`...)
	}
	return append(dst, `},"ReturnConsumedCapacity":"TOTAL"}`...)
}

// appendRequest appends the JSON of a BatchWriteItem.
func (b *batch) appendRequest(dst []byte) []byte {
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
}

// appendRequest appends the JSON of a PutItem.
func (p *put) appendRequest(dst []byte) []byte {
	dst = append(append(dst, `{"TableName":`...), p.table.json...)
	dst = appendItem(append(dst, `,"Item":`...), p.id, p.features, p.record)
	if p.expression == "" { // nearly every write
		dst = append(dst, `,"ConditionExpression":"`+unlessNewer+`","ExpressionAttributeNames":{"#k":"entity_id","#t":"event_ts"},"ExpressionAttributeValues":{":ts":{"S":"`...)
		return append(append(dst, stamp(p.record.Event)...), `"},":utc":{"S":"+00:00"}},"ReturnValuesOnConditionCheckFailure":"ALL_OLD"}`...)
	}
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

// appendQuoted appends a text as a JSON string.
func appendQuoted(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c > '~' {
			return append(dst, quoted(s)...)
		}
	}
	return append(append(append(dst, '"'), s...), '"')
}
