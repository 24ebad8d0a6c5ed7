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

func entityID(key []byte) string { return string(value.AppendEntityID(nil, key)) }

// Write stores records: in mode Replace twenty-five in a call, in mode Newer
// one by one, each on the condition that nothing newer is stored.
func (s *Store) Write(ctx context.Context, table stores.Table, features *stores.Selection, records []stores.Record, mode stores.Mode) (*stores.Unwritten, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Of(err)
	}
	w := &writing{store: s, table: table, tableName: s.tableName(table), errs: make([]error, len(records))}
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
				b := &batch{table: w.tableName, features: features.Features}
				for _, i := range chunk {
					b.ids, b.records = append(b.ids, w.ids[i]), append(b.records, &records[i])
				}
				w.batch(ctx, chunk, b)
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
	*tableName
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

// batch is what one BatchWriteItem does: it puts the records, or, without any,
// deletes the ids.
type batch struct {
	table    *tableName
	features []string
	ids      []string
	records  []*stores.Record
	left     map[string]bool // ids that DynamoDB left for another call
}

// leave notes an id that was not written.
func (b *batch) leave(id string) {
	if b.left == nil {
		b.left = map[string]bool{}
	}
	b.left[id] = true
}

// batch makes one BatchWriteItem; what DynamoDB leaves is reported.
func (w *writing) batch(ctx context.Context, indexes []int, b *batch) {
	leave, err := w.store.enter(ctx)
	if err != nil {
		w.fail(indexes, err)
		return
	}
	defer leave()
	err = w.store.data.batchWrite(ctx, b)
	if err != nil && w.store.renewed(err) {
		err = w.store.data.batchWrite(ctx, b)
	}
	if err != nil {
		w.fail(indexes, w.store.fault(ctx, err, w.table))
		return
	}
	for _, i := range indexes {
		if b.left[w.ids[i]] {
			w.fail([]int{i}, fault.New(fault.Overloaded, "DynamoDB table %s of feature view %s left items unwritten; it is busy", w.name, w.table.View).
				About("table", w.name, w.table.Project))
		}
	}
}

// newerTries bounds how often a conditional write is decided anew.
const newerTries = 8

// put is one PutItem with its condition.
type put struct {
	table      *tableName
	features   []string
	id         string
	record     *stores.Record
	expression string
	names      map[string]string
	values     map[string]string // texts
}

// conditionError says that the condition of a put does not hold, and what is
// stored, where the server tells it.
type conditionError struct {
	told  bool
	event string // event_ts of what is stored; empty if it has none
}

func (*conditionError) Error() string { return "the condition of a write does not hold" }

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
	p := &put{
		table: w.tableName, features: features, id: id, record: r,
		expression: "attribute_not_exists(#k) OR (contains(#t, :utc) AND #t <= :ts)",
		names:      map[string]string{"#k": "entity_id", "#t": "event_ts"},
		values:     map[string]string{":utc": "+00:00", ":ts": stamp(r.Event)},
	}
	for range newerTries {
		err := w.store.data.putItem(ctx, p)
		if err != nil && w.store.renewed(err) {
			err = w.store.data.putItem(ctx, p)
		}
		var failed *conditionError
		if !errors.As(err, &failed) {
			return w.store.fault(ctx, err, w.table)
		}
		seen, there, err := w.stored(ctx, id, failed)
		if err != nil {
			return err
		}
		if !there {
			p.expression, p.names, p.values = "attribute_not_exists(#k)", map[string]string{"#k": "entity_id"}, nil
			continue
		}
		if old, ok := parseStamp(seen); ok && old.Truncate(time.Microsecond).After(r.Event.Truncate(time.Microsecond)) {
			return nil // what is stored is newer
		}
		p.names = map[string]string{"#t": "event_ts"}
		if seen == "" {
			p.expression, p.values = "attribute_not_exists(#t)", nil
			continue
		}
		p.expression, p.values = "#t = :seen", map[string]string{":seen": seen}
	}
	return fault.New(fault.Overloaded, "an item of DynamoDB table %s keeps changing; it was not written", w.name).About("table", w.name, w.table.Project)
}

// stored gives the event_ts of an item: from what the failed condition brought,
// or, where the server brings nothing, by asking.
func (w *writing) stored(ctx context.Context, id string, failed *conditionError) (seen string, there bool, err error) {
	if failed.told {
		return failed.event, true, nil
	}
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
	if ts, ok := out.Item["event_ts"].(*types.AttributeValueMemberS); ok {
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
	w := &writing{store: s, table: table, tableName: s.tableName(table), errs: make([]error, len(keys))}
	w.sort(records, stores.Replace)
	var group errgroup.Group
	group.SetLimit(inFlight)
	for start := 0; start < len(w.order); start += maxWrite {
		chunk := w.order[start:min(start+maxWrite, len(w.order))]
		group.Go(func() error {
			b := &batch{table: w.tableName}
			for _, i := range chunk {
				b.ids = append(b.ids, w.ids[i])
			}
			w.batch(ctx, chunk, b)
			return nil
		})
	}
	_ = group.Wait()
	return w.unwritten()
}
