package dynamo

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/value"
)

// attributes is an item as the SDK takes it.
type attributes = map[string]types.AttributeValue

func entityID(key []byte) string { return string(value.AppendEntityID(nil, key)) }

// itemOf makes the item of a record.
func itemOf(id string, features []string, r *stores.Record) attributes {
	values := make(map[string]types.AttributeValue, len(features))
	for i, v := range r.Values {
		if v != nil {
			values[features[i]] = &types.AttributeValueMemberB{Value: v}
		}
	}
	return attributes{
		"entity_id": &types.AttributeValueMemberS{Value: id},
		"event_ts":  &types.AttributeValueMemberS{Value: stamp(r.Event)},
		"values":    &types.AttributeValueMemberM{Value: values},
	}
}

// Write stores records: in mode Replace twenty-five in a call, in mode Newer
// one by one, each on the condition that nothing newer is stored.
func (s *Store) Write(ctx context.Context, table stores.Table, features *stores.Selection, records []stores.Record, mode stores.Mode) (*stores.Unwritten, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Of(err)
	}
	w := &writing{store: s, table: table, name: s.name(table), errs: make([]error, len(records))}
	w.sort(records, mode)
	var group errgroup.Group
	group.SetLimit(inFlight)
	if mode == stores.Newer {
		for _, i := range w.order {
			group.Go(func() error {
				w.fail([]int{i}, w.putNewer(ctx, features.Features, &records[i], w.ids[i]))
				return nil
			})
		}
	} else {
		for start := 0; start < len(w.order); start += maxWrite {
			chunk := w.order[start:min(start+maxWrite, len(w.order))]
			group.Go(func() error {
				requests := make([]types.WriteRequest, len(chunk))
				for j, i := range chunk {
					requests[j].PutRequest = &types.PutRequest{Item: itemOf(w.ids[i], features.Features, &records[i])}
				}
				w.batch(ctx, chunk, requests)
				return nil
			})
		}
	}
	_ = group.Wait()
	return w.unwritten()
}

// writing is one Write or Delete on its way.
type writing struct {
	store *Store
	table stores.Table
	name  string
	ids   []string
	order []int // the records to write: of repeats of a key the one that counts
	same  map[int][]int
	mu    sync.Mutex
	errs  []error
}

// sort finds repeats: a call may name an item once. In mode Replace the last
// counts, in mode Newer the newest and of equals the last.
func (w *writing) sort(records []stores.Record, mode stores.Mode) {
	w.ids = make([]string, len(records))
	w.same = map[int][]int{}
	at := make(map[string]int, len(records))
	for i := range records {
		w.ids[i] = entityID(records[i].Key)
		p, seen := at[w.ids[i]]
		if !seen {
			at[w.ids[i]] = len(w.order)
			w.order = append(w.order, i)
			continue
		}
		old := w.order[p]
		if mode == stores.Newer && records[i].Event.Before(records[old].Event) {
			w.same[old] = append(w.same[old], i)
			continue
		}
		w.order[p] = i
		w.same[i] = append(append(w.same[i], w.same[old]...), old)
	}
}

// fail notes a failure for records, and for the repeats that they stand for.
func (w *writing) fail(indexes []int, err error) {
	if err == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, i := range indexes {
		w.errs[i] = err
		for _, j := range w.same[i] {
			w.errs[j] = err
		}
	}
}

func (w *writing) unwritten() (*stores.Unwritten, error) {
	out := new(stores.Unwritten)
	for i, err := range w.errs {
		if err != nil {
			out.Add(i, err)
		}
	}
	switch {
	case len(out.Indexes) == 0:
		return nil, nil
	case len(out.Indexes) == len(w.errs) && fault.KindOf(out.Errs[0]) != fault.Overloaded:
		return nil, out.Errs[0]
	}
	return out, nil
}

// batch makes one BatchWriteItem; what DynamoDB leaves is reported.
func (w *writing) batch(ctx context.Context, indexes []int, requests []types.WriteRequest) {
	leave, err := w.store.enter(ctx)
	if err != nil {
		w.fail(indexes, err)
		return
	}
	defer leave()
	out, err := w.store.client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{w.name: requests}})
	if err != nil {
		w.fail(indexes, w.store.fault(ctx, err, w.table))
		return
	}
	left := map[string]bool{}
	for _, r := range out.UnprocessedItems[w.name] {
		key := attributes(nil)
		if r.PutRequest != nil {
			key = r.PutRequest.Item
		} else if r.DeleteRequest != nil {
			key = r.DeleteRequest.Key
		}
		if id, ok := key["entity_id"].(*types.AttributeValueMemberS); ok {
			left[id.Value] = true
		}
	}
	for _, i := range indexes {
		if left[w.ids[i]] {
			w.fail([]int{i}, fault.New(fault.Overloaded, "DynamoDB table %s of feature view %s left items unwritten; it is busy", w.name, w.table.View).
				About("table", w.name, w.table.Project))
		}
	}
}

// newerTries bounds how often a conditional write is decided anew.
const newerTries = 8

// putNewer writes an item unless a newer one is stored. Text order of event_ts
// is time order only among equal offsets, and Feast writes what offset it was
// given: among texts in UTC the condition decides, any other text is compared
// here and replaced on the condition that it is still there.
func (w *writing) putNewer(ctx context.Context, features []string, r *stores.Record, id string) error {
	leave, err := w.store.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	put := &dynamodb.PutItemInput{
		TableName: &w.name, Item: itemOf(id, features, r),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	w.condition(put, "attribute_not_exists(#k) OR (contains(#t, :utc) AND #t <= :ts)",
		map[string]string{"#k": "entity_id", "#t": "event_ts"},
		attributes{":utc": text("+00:00"), ":ts": text(stamp(r.Event))})
	for range newerTries {
		_, err := w.store.client.PutItem(ctx, put)
		var failed *types.ConditionalCheckFailedException
		if !errors.As(err, &failed) {
			return w.store.fault(ctx, err, w.table)
		}
		seen, there, err := w.stored(ctx, id, failed.Item)
		if err != nil {
			return err
		}
		if !there {
			w.condition(put, "attribute_not_exists(#k)", map[string]string{"#k": "entity_id"}, nil)
			continue
		}
		if old, ok := parseStamp(seen); ok && old.Truncate(time.Microsecond).After(r.Event.Truncate(time.Microsecond)) {
			return nil // what is stored is newer
		}
		if seen == "" {
			w.condition(put, "attribute_not_exists(#t)", map[string]string{"#t": "event_ts"}, nil)
			continue
		}
		w.condition(put, "#t = :seen", map[string]string{"#t": "event_ts"}, attributes{":seen": text(seen)})
	}
	return fault.New(fault.Overloaded, "an item of DynamoDB table %s keeps changing; it was not written", w.name).About("table", w.name, w.table.Project)
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func (w *writing) condition(put *dynamodb.PutItemInput, expression string, names map[string]string, values attributes) {
	put.ConditionExpression, put.ExpressionAttributeNames, put.ExpressionAttributeValues = &expression, names, values
}

// stored gives the event_ts of an item: from what the failed condition brought,
// or, where the server brings nothing, by asking.
func (w *writing) stored(ctx context.Context, id string, item attributes) (seen string, there bool, err error) {
	if item == nil {
		consistent := true
		projection := "event_ts"
		out, err := w.store.client.GetItem(ctx, &dynamodb.GetItemInput{
			TableName: &w.name, Key: attributes{"entity_id": text(id)}, ConsistentRead: &consistent, ProjectionExpression: &projection,
		})
		if err != nil {
			return "", false, w.store.fault(ctx, err, w.table)
		}
		if out.Item == nil {
			return "", false, nil
		}
		item = out.Item
	}
	if ts, ok := item["event_ts"].(*types.AttributeValueMemberS); ok {
		return ts.Value, true, nil
	}
	return "", true, nil
}

// Delete removes rows.
func (s *Store) Delete(ctx context.Context, table stores.Table, keys [][]byte) (*stores.Unwritten, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Of(err)
	}
	records := make([]stores.Record, len(keys))
	for i := range keys {
		records[i].Key = keys[i]
	}
	w := &writing{store: s, table: table, name: s.name(table), errs: make([]error, len(keys))}
	w.sort(records, stores.Replace)
	var group errgroup.Group
	group.SetLimit(inFlight)
	for start := 0; start < len(w.order); start += maxWrite {
		chunk := w.order[start:min(start+maxWrite, len(w.order))]
		group.Go(func() error {
			requests := make([]types.WriteRequest, len(chunk))
			for j, i := range chunk {
				requests[j].DeleteRequest = &types.DeleteRequest{Key: attributes{"entity_id": text(w.ids[i])}}
			}
			w.batch(ctx, chunk, requests)
			return nil
		})
	}
	_ = group.Wait()
	return w.unwritten()
}
