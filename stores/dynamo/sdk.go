package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
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
	for i := range c.spans {
		sp := &c.spans[i]
		sp.unread = nil
		for _, attrs := range out.Responses[sp.table.name] {
			sp.take(attrs)
		}
		for _, k := range out.UnprocessedKeys[sp.table.name].Keys {
			if id, ok := k["entity_id"].(*types.AttributeValueMemberS); ok {
				sp.leave([]byte(id.Value))
			}
		}
	}
	return nil
}

// take keeps an item of an answer.
func (sp *span) take(attrs map[string]types.AttributeValue) {
	id, ok := attrs["entity_id"].(*types.AttributeValueMemberS)
	if !ok {
		return
	}
	row, values := sp.row([]byte(id.Value))
	if row == nil {
		return
	}
	if ts, ok := attrs["event_ts"].(*types.AttributeValueMemberS); ok {
		row.Event, _ = parseStamp(ts.Value)
	}
	m, ok := attrs["values"].(*types.AttributeValueMemberM)
	if !ok {
		return // none of the wanted features is in the item
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
}
