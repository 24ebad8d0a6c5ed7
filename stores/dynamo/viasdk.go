package dynamo

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/dynamo/wire"
)

// viaSDK moves data with the AWS SDK.
type viaSDK struct{ client *dynamodb.Client }

// close closes idle connections.
func (v *viaSDK) close() {
	if c, ok := v.client.Options().HTTPClient.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// batchGet makes one BatchGetItem.
func (v *viaSDK) batchGet(ctx context.Context, c *call) error {
	request := make(map[string]types.KeysAndAttributes, len(c.spans))
	for _, sp := range c.spans {
		t := sp.table
		k := types.KeysAndAttributes{
			ProjectionExpression: &t.projection.expression, ExpressionAttributeNames: t.projection.names,
			Keys: make([]map[string]types.AttributeValue, 0, len(sp.keys)),
		}
		if t.consistent {
			k.ConsistentRead = &t.consistent
		}
		for _, key := range sp.keys {
			k.Keys = append(k.Keys, map[string]types.AttributeValue{"entity_id": &types.AttributeValueMemberS{Value: string(t.set.id(key))}})
		}
		request[t.name] = k
	}
	out, err := v.client.BatchGetItem(wire.Metered(ctx, c.meter), &dynamodb.BatchGetItemInput{RequestItems: request, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal})
	if err != nil {
		return err
	}
	for _, u := range out.ConsumedCapacity {
		if u.TableName != nil && u.CapacityUnits != nil {
			c.consumed(*u.TableName, *u.CapacityUnits)
		}
	}
	if err := c.file(out); err != nil {
		return wire.Damaged(err)
	}
	return nil
}

// file stores a response in the rows. The SDK turns absent parts into empty ones,
// so this checks whether it is a response to the call at all.
func (c *call) file(out *dynamodb.BatchGetItemOutput) error {
	if out.Responses == nil {
		return wire.ErrForm
	}
	for i := range c.spans {
		c.spans[i].unread = nil
	}
	for name, items := range out.Responses {
		sp := c.spanOf([]byte(name))
		switch {
		case sp == nil:
			c.strangers = true
			continue
		case items == nil:
			return wire.ErrForm
		}
		for _, attrs := range items {
			if err := sp.fileItem(attrs); err != nil {
				return err
			}
		}
	}
	for name, left := range out.UnprocessedKeys {
		sp := c.spanOf([]byte(name))
		if sp == nil {
			c.strangers = true
			continue
		}
		for _, k := range left.Keys {
			id, ok := k["entity_id"].(*types.AttributeValueMemberS)
			if !ok {
				return wire.ErrForm
			}
			sp.notRead([]byte(id.Value))
		}
	}
	return c.complete()
}

// attributes is an item in the SDK's types.
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
func (v *viaSDK) batchWrite(ctx context.Context, b *batch) error {
	requests := make([]types.WriteRequest, len(b.ids))
	for i, id := range b.ids {
		if b.records == nil {
			requests[i].DeleteRequest = &types.DeleteRequest{Key: attributes{"entity_id": text(id)}}
			continue
		}
		requests[i].PutRequest = &types.PutRequest{Item: itemOf(id, b.features, b.records[i])}
	}
	out, err := v.client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{b.table.name: requests}})
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
			b.notWritten(id.Value)
		}
	}
	return nil
}

// putItem makes one PutItem.
func (v *viaSDK) putItem(ctx context.Context, p *put) error {
	expression, names, values := p.condition()
	in := &dynamodb.PutItemInput{
		TableName: &p.table.name, Item: itemOf(p.id, p.features, p.record),
		ConditionExpression: &expression, ExpressionAttributeNames: names,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	for name, v := range values {
		if in.ExpressionAttributeValues == nil {
			in.ExpressionAttributeValues = attributes{}
		}
		in.ExpressionAttributeValues[name] = text(v)
	}
	_, err := v.client.PutItem(ctx, in)
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) {
		return err
	}
	out := &wire.ConditionError{Told: failed.Item != nil}
	if ts, ok := failed.Item["event_ts"].(*types.AttributeValueMemberS); ok {
		out.Event = ts.Value
	}
	return out
}

// fileItem stores an item of a response in its row.
func (sp *span) fileItem(attrs map[string]types.AttributeValue) error {
	id, ok := attrs["entity_id"].(*types.AttributeValueMemberS)
	if !ok {
		return wire.ErrForm
	}
	row, err := sp.row([]byte(id.Value))
	if row == nil {
		return err
	}
	values := row.Values
	if ts, ok := attrs["event_ts"].(*types.AttributeValueMemberS); ok {
		row.Event, _ = parseStamp(ts.Value)
	}
	switch m := attrs["values"].(type) {
	case nil: // none of the wanted features is in the item
	case *types.AttributeValueMemberM:
		for name, v := range m.Value {
			if u, wanted := sp.table.projection.index[name]; wanted {
				values[u] = bytesOf(v)
			}
		}
	default:
		for i := range values {
			values[i] = noValue
		}
	}
	return nil
}

// bytesOf returns a stored value; nil means absent, so an empty value is not nil.
func bytesOf(v types.AttributeValue) []byte {
	b, ok := v.(*types.AttributeValueMemberB)
	switch {
	case !ok:
		return noValue
	case b.Value == nil:
		return []byte{}
	}
	return b.Value
}
