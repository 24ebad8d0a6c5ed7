package dynamo

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/dynamo/wire"
	"github.com/banquet-fs/banquet/value"
)

func entityID(key []byte) string { return string(value.AppendEntityID(nil, key)) }

// Write stores records: in mode Replace up to 25 per call, in mode Newer one by
// one, each on the condition that nothing newer is stored.
func (s *Store) Write(ctx context.Context, table stores.Table, features *stores.Selection, records []stores.Record, mode stores.Mode) (stores.Written, error) {
	if err := ctx.Err(); err != nil {
		return stores.Written{}, fault.Of(err)
	}
	w := &writing{store: s, table: table, tableName: s.tableName(table), features: features.Features, records: records}
	w.Writing = stores.NewWriting(records, mode, time.Microsecond, w.check)
	w.ids = make([]string, len(records))
	for i := range records {
		w.ids[i] = entityID(records[i].Key)
	}
	for round := w.Round(); len(round) > 0; round = w.Round() {
		if mode == stores.Newer {
			w.each(ctx, round)
		} else {
			w.batches(ctx, round)
		}
	}
	return w.Result()
}

// Delete removes rows.
func (s *Store) Delete(ctx context.Context, table stores.Table, keys [][]byte) (stores.Unwritten, error) {
	if err := ctx.Err(); err != nil {
		return stores.Unwritten{}, fault.Of(err)
	}
	records := make([]stores.Record, len(keys))
	w := &writing{store: s, table: table, tableName: s.tableName(table), ids: make([]string, len(keys))}
	for i := range keys {
		records[i].Key, w.ids[i] = keys[i], entityID(keys[i])
	}
	w.Writing = stores.NewWriting(records, stores.Replace, 0, nil)
	for round := w.Round(); len(round) > 0; round = w.Round() {
		w.batches(ctx, round)
	}
	gone, err := w.Result()
	return gone.Failed, err
}

// writing is one Write in progress, or, without records, one Delete.
type writing struct {
	*stores.Writing
	*tableName
	store    *Store
	table    stores.Table
	features []string
	records  []stores.Record
	ids      []string
}

// each writes records one by one.
func (w *writing) each(ctx context.Context, indexes []int) {
	var group errgroup.Group
	group.SetLimit(inFlight)
	for _, i := range indexes {
		group.Go(func() error {
			older, err := w.putNewer(ctx, w.features, &w.records[i], w.ids[i])
			w.fail(ctx, err, i)
			if older {
				w.Older(i)
			}
			return nil
		})
	}
	_ = group.Wait() // failures are recorded per record
}

// batches writes, or deletes, as many per call as the service accepts.
func (w *writing) batches(ctx context.Context, indexes []int) {
	var group errgroup.Group
	group.SetLimit(inFlight)
	for _, call := range w.calls(indexes) {
		group.Go(func() error {
			w.batch(ctx, call)
			return nil
		})
	}
	_ = group.Wait() // failures are recorded per record
}

// batch is the content of one BatchWriteItem: it puts the records, or, without
// any, deletes the ids.
type batch struct {
	table    *tableName
	features []string
	ids      []string
	records  []*stores.Record
	left     map[string]bool // ids that DynamoDB left unprocessed
}

// notWritten records an id that DynamoDB left unprocessed.
func (b *batch) notWritten(id string) {
	if b.left == nil {
		b.left = map[string]bool{}
	}
	b.left[id] = true
}

// batch makes one BatchWriteItem. One bad item makes DynamoDB refuse all of them:
// the halves are then written separately, until the bad item is alone.
func (w *writing) batch(ctx context.Context, indexes []int) {
	b := &batch{table: w.tableName, features: w.features}
	for _, i := range indexes {
		b.ids = append(b.ids, w.ids[i])
		if w.records != nil {
			b.records = append(b.records, &w.records[i])
		}
	}
	err := w.batchWrite(ctx, b)
	switch {
	case err == nil:
	case len(indexes) > 1 && refusesItems(err):
		half := len(indexes) / 2
		w.batch(ctx, indexes[:half])
		w.batch(ctx, indexes[half:])
		return
	default:
		w.fail(ctx, err, indexes...)
		return
	}
	for _, i := range indexes {
		if b.left[w.ids[i]] {
			w.Fail(fault.Store(fault.Overloaded, "DynamoDB table %s of feature view %s left items unwritten; it is busy", w.name, w.table.View).
				About("table", w.name, w.table.Project), i)
		}
	}
}

// fail sets why records are not stored.
func (w *writing) fail(ctx context.Context, err error, indexes ...int) {
	if err == nil {
		return
	}
	reason := w.store.fault(ctx, err, w.table)
	if len(indexes) == 1 && refusesItems(err) && fault.KindOf(reason) == fault.Invalid {
		w.Refuse(reason, indexes[0])
		return
	}
	w.Fail(reason, indexes...)
}

func (w *writing) batchWrite(ctx context.Context, b *batch) error {
	end, err := w.store.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	err = w.store.data.batchWrite(ctx, b)
	if err != nil && w.store.renewed(err) {
		err = w.store.data.batchWrite(ctx, b)
	}
	return err
}

// newerTries bounds the attempts of one conditional write.
const newerTries = 8

// unlessNewer is the condition of a first attempt: #k is the key, #t the stored event
// time, :ts the new one, and :utc the offset of UTC.
const unlessNewer = "attribute_not_exists(#k) OR (contains(#t, :utc) AND #t <= :ts)"

// put is one PutItem with its condition, unlessNewer if expression is empty.
type put struct {
	table      *tableName
	features   []string
	id         string
	record     *stores.Record
	expression string
	names      map[string]string
	values     map[string]string // texts
}

// condition is the condition with its names and texts.
func (p *put) condition() (expression string, names, values map[string]string) {
	if p.expression == "" {
		return unlessNewer, map[string]string{"#k": "entity_id", "#t": "event_ts"}, map[string]string{":utc": "+00:00", ":ts": stamp(p.record.Event)}
	}
	return p.expression, p.names, p.values
}

// putNewer writes an item unless a newer one is stored. The text order of
// event_ts is the time order only for equal UTC offsets, and Feast writes
// whatever offset it was given. For texts in UTC the condition decides; any other
// text is compared here, and replaced on the condition that it is unchanged. The
// record is older if the stored item is newer.
func (w *writing) putNewer(ctx context.Context, features []string, r *stores.Record, id string) (older bool, err error) {
	end, err := w.store.begin(ctx)
	if err != nil {
		return false, err
	}
	defer end()
	p := &put{table: w.tableName, features: features, id: id, record: r}
	for range newerTries {
		err := w.store.data.putItem(ctx, p)
		if err != nil && w.store.renewed(err) {
			err = w.store.data.putItem(ctx, p)
		}
		var failed *wire.ConditionError
		if !errors.As(err, &failed) {
			return false, err
		}
		seen, there, err := w.stored(ctx, id, failed)
		if err != nil {
			return false, err
		}
		if !there {
			p.expression, p.names, p.values = "attribute_not_exists(#k)", map[string]string{"#k": "entity_id"}, nil
			continue
		}
		if old, ok := parseStamp(seen); ok && old.Truncate(time.Microsecond).After(r.Event.Truncate(time.Microsecond)) {
			return true, nil
		}
		p.names = map[string]string{"#t": "event_ts"}
		if seen == "" {
			p.expression, p.values = "attribute_not_exists(#t)", nil
			continue
		}
		p.expression, p.values = "#t = :seen", map[string]string{":seen": seen}
	}
	return false, fault.Store(fault.Overloaded, "an item of DynamoDB table %s keeps changing; it was not written", w.name).About("table", w.name, w.table.Project)
}

// stored returns the event_ts of an item: from the failed condition, or, if the
// server does not return it, with a read.
func (w *writing) stored(ctx context.Context, id string, failed *wire.ConditionError) (seen string, there bool, err error) {
	if failed.Told {
		return failed.Event, true, nil
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
