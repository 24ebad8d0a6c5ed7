package dynamo

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/value"
)

// maxExpression is how many bytes a projection may have; a longer one is
// refused, and then all values are read and picked from.
const maxExpression = 4096

// tableRead gathers what one read asks of one table, over all its parts.
type tableRead struct {
	table      stores.Table
	name       string
	consistent bool
	features   []string       // union over the parts
	index      map[string]int // feature to its place in the union
	whole      bool           // all values are read, since the projection would be too long
	expression string
	names      map[string]string
	ids        []string       // distinct, in order
	at         map[string]int // id to its place
	items      []item         // aligned to ids
}

// item is what came back for an id.
type item struct {
	found  bool
	event  time.Time
	values [][]byte // aligned to the union
	err    error
}

// part ties a read of the caller to its table.
type part struct {
	table *tableRead
	place []int // selection position to union position
	ids   []int // key to id
}

// Read packs all keys of all tables into BatchGetItem calls.
func (s *Store) Read(ctx context.Context, reads []stores.Read) (*stores.Rows, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Of(err)
	}
	tables, parts := s.gather(reads)
	rows := stores.NewRows(reads, nil)
	s.fetch(ctx, tables, &rows.Stats)
	if err := s.wholeFailure(tables); err != nil {
		rows.Release()
		return nil, err
	}
	for i := range reads {
		parts[i].fill(rows.Reads[i])
	}
	return rows, nil
}

// wholeFailure is the failure of a read of which nothing came back.
func (s *Store) wholeFailure(tables []*tableRead) error {
	var first error
	for _, t := range tables {
		for i := range t.items {
			if t.items[i].err == nil {
				return nil
			}
			if first == nil {
				first = t.items[i].err
			}
		}
	}
	switch fault.KindOf(first) {
	case fault.TimedOut, fault.Canceled, fault.Unavailable:
		return first
	}
	return nil
}

// gather sorts the reads by table.
func (s *Store) gather(reads []stores.Read) ([]*tableRead, []part) {
	var tables []*tableRead
	byTable := map[stores.Table]*tableRead{}
	parts := make([]part, len(reads))
	var scratch [value.EntityIDLen]byte
	for i, r := range reads {
		t := byTable[r.Table]
		if t == nil {
			t = &tableRead{table: r.Table, name: s.name(r.Table), index: map[string]int{}, at: map[string]int{}}
			byTable[r.Table] = t
			tables = append(tables, t)
		}
		t.consistent = t.consistent || r.Consistent || s.opt.Consistent
		parts[i] = part{table: t, ids: make([]int, len(r.Keys)), place: make([]int, len(r.Features.Features))}
		for j, f := range r.Features.Features {
			parts[i].place[j] = t.want(f)
		}
		for j, k := range r.Keys {
			parts[i].ids[j] = t.id(string(value.AppendEntityID(scratch[:0], k)))
		}
	}
	for _, t := range tables {
		t.items = make([]item, len(t.ids))
		t.project()
	}
	return tables, parts
}

func (t *tableRead) want(feature string) int {
	at, ok := t.index[feature]
	if !ok {
		at = len(t.features)
		t.index[feature] = at
		t.features = append(t.features, feature)
	}
	return at
}

func (t *tableRead) id(id string) int {
	at, ok := t.at[id]
	if !ok {
		at = len(t.ids)
		t.at[id] = at
		t.ids = append(t.ids, id)
	}
	return at
}

// project writes the projection: the key, the time and the wanted values,
// under short placeholders.
func (t *tableRead) project() {
	names := map[string]string{"#k": "entity_id", "#t": "event_ts", "#v": "values"}
	var b strings.Builder
	b.WriteString("#k,#t")
	for i, f := range t.features {
		short := "#" + strconv.FormatInt(int64(i), 36)
		if short == "#k" || short == "#t" || short == "#v" {
			short = "#_" + strconv.FormatInt(int64(i), 36)
		}
		names[short] = f
		b.WriteString(",#v." + short)
	}
	if b.Len() > maxExpression || len(t.features) == 0 {
		t.whole = true
		t.expression, t.names = "#k,#t,#v", map[string]string{"#k": "entity_id", "#t": "event_ts", "#v": "values"}
		return
	}
	t.expression, t.names = b.String(), names
}

// fill puts a part's items into the caller's rows.
func (p *part) fill(rows []stores.Row) {
	for j, at := range p.ids {
		it := &p.table.items[at]
		row := &rows[j]
		if it.err != nil {
			row.Err = it.err
			continue
		}
		if !it.found {
			continue
		}
		row.Found, row.Event = true, it.event
		row.Values = make([][]byte, len(p.place))
		for i, u := range p.place {
			if u < len(it.values) {
				row.Values[i] = it.values[u]
			}
		}
	}
}

// span is a run of a table's ids.
type span struct {
	table    *tableRead
	from, to int
}

// pack cuts all ids into calls of at most n keys; a call may span tables.
// Tables that were bad lately are not packed with others.
func (s *Store) pack(tables []*tableRead) [][]span {
	n := s.opt.BatchSize
	var calls [][]span
	var call []span
	free := n
	flush := func() {
		if len(call) > 0 {
			calls = append(calls, call)
		}
		call, free = nil, n
	}
	for _, t := range tables {
		alone := s.bad.is(t.name)
		if alone {
			flush()
		}
		for from := 0; from < len(t.ids); {
			if free == 0 {
				flush()
			}
			to := min(from+free, len(t.ids))
			call = append(call, span{t, from, to})
			free -= to - from
			from = to
		}
		if alone {
			flush()
		}
	}
	flush()
	return calls
}

// fetch makes the calls, many at a time.
func (s *Store) fetch(ctx context.Context, tables []*tableRead, stats *stores.Stats) {
	var mu sync.Mutex
	note := func(more stores.Stats) {
		mu.Lock()
		defer mu.Unlock()
		stats.Add(more)
	}
	var group errgroup.Group
	group.SetLimit(inFlight)
	calls := s.pack(tables)
	if len(calls) == 1 {
		s.call(ctx, calls[0], note)
		return
	}
	for _, c := range calls {
		group.Go(func() error {
			s.call(ctx, c, note)
			return nil
		})
	}
	_ = group.Wait()
}

// call makes one BatchGetItem. One bad table makes DynamoDB refuse the whole
// call without naming it: then each table is asked apart, so that only the bad
// one's rows fail.
func (s *Store) call(ctx context.Context, spans []span, note func(stores.Stats)) {
	err := s.get(ctx, spans, note)
	if err == nil {
		if len(spans) == 1 {
			s.bad.clear(spans[0].table.name)
		}
		return
	}
	kind := fault.KindOf(err)
	if len(spans) > 1 && (kind == fault.NotFound || kind == fault.Denied || kind == fault.Invalid) {
		for _, sp := range spans {
			s.call(ctx, []span{sp}, note)
		}
		return
	}
	for _, sp := range spans {
		if len(spans) == 1 && (kind == fault.NotFound || kind == fault.Denied) {
			s.bad.add(sp.table.name)
		}
		for i := sp.from; i < sp.to; i++ {
			sp.table.items[i] = item{err: err}
		}
	}
}

// get makes one call, and takes what it brought.
func (s *Store) get(ctx context.Context, spans []span, note func(stores.Stats)) error {
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	only := stores.Table{}
	if len(spans) == 1 {
		only = spans[0].table.table
	}
	request := map[string]types.KeysAndAttributes{}
	for _, sp := range spans {
		t := sp.table
		k := types.KeysAndAttributes{ProjectionExpression: &t.expression, ExpressionAttributeNames: t.names, Keys: make([]map[string]types.AttributeValue, 0, sp.to-sp.from)}
		if t.consistent {
			k.ConsistentRead = &t.consistent
		}
		for _, id := range t.ids[sp.from:sp.to] {
			k.Keys = append(k.Keys, map[string]types.AttributeValue{"entity_id": &types.AttributeValueMemberS{Value: id}})
		}
		request[t.name] = k
	}
	stats := stores.Stats{Calls: 1}
	out, err := s.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: request, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal})
	if err != nil {
		note(stats)
		return s.fault(ctx, err, only)
	}
	for _, c := range out.ConsumedCapacity {
		for _, sp := range spans {
			if c.TableName != nil && *c.TableName == sp.table.name && c.CapacityUnits != nil {
				stats.Add(stores.Stats{Capacity: map[stores.Table]float64{sp.table.table: *c.CapacityUnits}})
			}
		}
	}
	note(stats)
	for _, sp := range spans {
		sp.table.take(out.Responses[sp.table.name])
		s.unprocessed(sp.table, out.UnprocessedKeys[sp.table.name])
	}
	return nil
}

// take keeps the items of an answer.
func (t *tableRead) take(items []map[string]types.AttributeValue) {
	for _, attrs := range items {
		id, ok := attrs["entity_id"].(*types.AttributeValueMemberS)
		if !ok {
			continue
		}
		at, ok := t.at[id.Value]
		if !ok {
			continue
		}
		it := &t.items[at]
		it.found, it.values = true, make([][]byte, len(t.features))
		if ts, ok := attrs["event_ts"].(*types.AttributeValueMemberS); ok {
			it.event, _ = parseStamp(ts.Value)
		}
		values, ok := attrs["values"].(*types.AttributeValueMemberM)
		if !ok {
			continue // none of the wanted features is in the item
		}
		for name, v := range values.Value {
			b, isBytes := v.(*types.AttributeValueMemberB)
			if u, wanted := t.index[name]; wanted && isBytes {
				it.values[u] = b.Value
				if b.Value == nil {
					it.values[u] = []byte{}
				}
			}
		}
	}
}

// unprocessed marks the keys that DynamoDB left for another call.
func (s *Store) unprocessed(t *tableRead, left types.KeysAndAttributes) {
	for _, k := range left.Keys {
		id, ok := k["entity_id"].(*types.AttributeValueMemberS)
		if !ok {
			continue
		}
		if at, ok := t.at[id.Value]; ok {
			t.items[at] = item{err: fault.New(fault.Overloaded, "DynamoDB table %s of feature view %s left keys unread; it is busy", t.name, t.table.View).
				About("table", t.name, t.table.Project)}
		}
	}
}

// badFor is how long a table is kept apart from others after it failed them.
const badFor = 5 * time.Second

// badTables remembers tables that are missing or forbidden.
type badTables struct {
	mu    sync.Mutex
	until map[string]time.Time
}

func (b *badTables) is(name string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Now().Before(b.until[name])
}

func (b *badTables) add(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.until == nil {
		b.until = map[string]time.Time{}
	}
	b.until[name] = time.Now().Add(badFor)
}

func (b *badTables) clear(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.until, name)
}
