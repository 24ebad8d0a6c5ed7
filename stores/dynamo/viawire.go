package dynamo

import (
	"context"
	"sync"

	"github.com/banquet-fs/banquet/stores/dynamo/wire"
)

// viaWire moves data with the direct client.
type viaWire struct{ client *wire.Client }

// close closes idle connections.
func (v *viaWire) close() { v.client.Close() }

// batchGet makes one BatchGetItem.
func (v *viaWire) batchGet(ctx context.Context, c *call) error {
	c.body = appendBatchGet(c.body[:0], c.spans)
	response, err := v.client.Call(ctx, "BatchGetItem", c.body, c.meter)
	if err != nil {
		return err
	}
	c.responses = append(c.responses, response)
	for i := range c.spans {
		c.spans[i].unread = nil
	}
	c.stats.Received += int64(len(response.Body))
	if err := c.scan(response.Body); err != nil {
		return wire.Damaged(err)
	}
	return nil
}

// batchWrite makes one BatchWriteItem.
func (v *viaWire) batchWrite(ctx context.Context, b *batch) error {
	return v.write(ctx, "BatchWriteItem", b.appendRequest, b.scan)
}

// putItem makes one PutItem.
func (v *viaWire) putItem(ctx context.Context, p *put) error {
	return v.write(ctx, "PutItem", p.appendRequest, func(body []byte) error {
		s := wire.NewScanner(body)
		if err := s.Skip(); err != nil {
			return err
		}
		return s.End()
	})
}

var bodies = sync.Pool{New: func() any { return new([]byte) }}

// keptRequest bounds the memory that a pooled request body keeps.
const keptRequest = 1 << 20

// write makes one call with the body that request appends, and passes the
// response's body to scan.
func (v *viaWire) write(ctx context.Context, operation string, request func(dst []byte) []byte, scan func(body []byte) error) error {
	body := bodies.Get().(*[]byte) // the pool holds nothing else
	defer func() {
		if cap(*body) <= keptRequest {
			bodies.Put(body)
		}
	}()
	*body = request((*body)[:0])
	response, err := v.client.Call(ctx, operation, *body, nil)
	if err != nil {
		return err
	}
	defer response.Release()
	if err := scan(response.Body); err != nil {
		return wire.Damaged(err)
	}
	return nil
}
