package dynamo

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/banquet-fs/banquet/stores"
)

// sdk is the data plane by the AWS SDK.
type sdk struct{ client *dynamodb.Client }

// close lets go of idle connections.
func (s *sdk) close() {
	if c, ok := s.client.Options().HTTPClient.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// batchGet makes one BatchGetItem.
func (s *sdk) batchGet(ctx context.Context, c *call) error {
	request := make(map[string]types.KeysAndAttributes, len(c.spans))
	for _, sp := range c.spans {
		t := sp.table
		k := types.KeysAndAttributes{
			ProjectionExpression: &t.projection.expression, ExpressionAttributeNames: t.projection.names,
			Keys: make([]map[string]types.AttributeValue, 0, len(sp.ids)),
		}
		if t.consistent {
			k.ConsistentRead = &t.consistent
		}
		for _, at := range sp.ids {
			k.Keys = append(k.Keys, map[string]types.AttributeValue{"entity_id": &types.AttributeValueMemberS{Value: string(t.set.id(at))}})
		}
		request[t.name] = k
	}
	out, err := s.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: request, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal})
	if err != nil {
		return err
	}
	for _, u := range out.ConsumedCapacity {
		if u.TableName != nil && u.CapacityUnits != nil {
			c.consumed(*u.TableName, *u.CapacityUnits)
		}
	}
	for name := range out.Responses {
		c.strange = c.strange || c.spanOf([]byte(name)) == nil
	}
	for i := range c.spans {
		sp := &c.spans[i]
		sp.unread = nil
		for _, attrs := range out.Responses[sp.table.name] {
			c.strange = !sp.take(attrs) || c.strange
		}
		for _, k := range out.UnprocessedKeys[sp.table.name].Keys {
			if id, ok := k["entity_id"].(*types.AttributeValueMemberS); ok {
				sp.leave([]byte(id.Value))
			}
		}
	}
	return nil
}

// attributes is an item as the SDK takes it.
type attributes = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

// itemOf makes the item of a record.
func itemOf(id string, features []string, r *stores.Record) attributes {
	values := make(attributes, len(features))
	for i, v := range r.Values {
		if v != nil {
			values[features[i]] = &types.AttributeValueMemberB{Value: v}
		}
	}
	return attributes{"entity_id": text(id), "event_ts": text(stamp(r.Event)), "values": &types.AttributeValueMemberM{Value: values}}
}

// batchWrite makes one BatchWriteItem.
func (s *sdk) batchWrite(ctx context.Context, b *batch) error {
	requests := make([]types.WriteRequest, len(b.ids))
	for i, id := range b.ids {
		if b.records == nil {
			requests[i].DeleteRequest = &types.DeleteRequest{Key: attributes{"entity_id": text(id)}}
			continue
		}
		requests[i].PutRequest = &types.PutRequest{Item: itemOf(id, b.features, b.records[i])}
	}
	out, err := s.client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{b.table.name: requests}})
	if err != nil {
		return err
	}
	for _, r := range out.UnprocessedItems[b.table.name] {
		var key attributes
		if r.PutRequest != nil {
			key = r.PutRequest.Item
		} else if r.DeleteRequest != nil {
			key = r.DeleteRequest.Key
		}
		if id, ok := key["entity_id"].(*types.AttributeValueMemberS); ok {
			b.leave(id.Value)
		}
	}
	return nil
}

// putItem makes one PutItem.
func (s *sdk) putItem(ctx context.Context, p *put) error {
	in := &dynamodb.PutItemInput{
		TableName: &p.table.name, Item: itemOf(p.id, p.features, p.record),
		ConditionExpression: &p.expression, ExpressionAttributeNames: p.names,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	for name, v := range p.values {
		if in.ExpressionAttributeValues == nil {
			in.ExpressionAttributeValues = attributes{}
		}
		in.ExpressionAttributeValues[name] = text(v)
	}
	_, err := s.client.PutItem(ctx, in)
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) {
		return err
	}
	out := &conditionError{told: failed.Item != nil}
	if ts, ok := failed.Item["event_ts"].(*types.AttributeValueMemberS); ok {
		out.event = ts.Value
	}
	return out
}

// take keeps an item of an answer; false if nobody asked for it.
func (sp *span) take(attrs map[string]types.AttributeValue) bool {
	id, ok := attrs["entity_id"].(*types.AttributeValueMemberS)
	if !ok {
		return false
	}
	row, values := sp.row([]byte(id.Value))
	if row == nil {
		return false
	}
	if ts, ok := attrs["event_ts"].(*types.AttributeValueMemberS); ok {
		row.Event, _ = parseStamp(ts.Value)
	}
	m, ok := attrs["values"].(*types.AttributeValueMemberM)
	if !ok {
		return true // none of the wanted features is in the item
	}
	for name, v := range m.Value {
		b, isBytes := v.(*types.AttributeValueMemberB)
		if u, wanted := sp.table.projection.index[name]; wanted && isBytes {
			values[u] = b.Value
			if b.Value == nil {
				values[u] = []byte{}
			}
		}
	}
	return true
}
