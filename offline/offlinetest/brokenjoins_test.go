package offlinetest_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/offlinetest"
)

func crookedFlaws() []crookedFlaw {
	var only atomic.Pointer[impatient]
	return []crookedFlaw{
		{"views come backwards", crooked{join: func(j *offline.Join) { slices.Reverse(j.Views) }}, []string{
			"the schema is the features of each view in the order of the views",
			"a feature named twice appears twice",
			"features may be many",
			"a source may be joined twice under two names",
			"views do not disturb each other",
			"a row without an event time has no features",
			"without a row the features are null",
		}},
		{"features come sorted", crooked{view: func(v *offline.JoinView) { v.Features = slices.Sorted(slices.Values(v.Features)) }}, []string{
			"the schema is the features of each view in the order of the views",
			"a feature named twice appears twice",
			"features may be many",
			"columns may have any names",
			"features are the cells that Range returns",
		}},
		{"the TTL is exclusive", crooked{view: func(v *offline.JoinView) { v.TTL -= min(v.TTL, 1) }}, []string{
			"views do not disturb each other",
			"entity rows' times count to the nanosecond",
			"a source's times count to the nanosecond",
			"a row is not older than the TTL, and may be as old",
			"CreatedBefore leaves out rows created after the entity row's time, or at no known time",
		}},
		{"the TTL loses its nanoseconds", crooked{view: func(v *offline.JoinView) { v.TTL = v.TTL.Truncate(time.Microsecond) }}, []string{
			"entity rows' times count to the nanosecond",
			"a source's times count to the nanosecond",
			"a row is not older than the TTL, and may be as old",
		}},
		{"there is no TTL", crooked{view: func(v *offline.JoinView) { v.TTL = 0 }}, []string{
			"views do not disturb each other",
			"entity rows' times count to the nanosecond",
			"a source's times count to the nanosecond",
			"entity rows' times may have any unit",
			"an entity row's time may be any time",
			"a row is not older than the TTL, and may be as old",
			"CreatedBefore leaves out rows created after the entity row's time, or at no known time",
		}},
		{"all rows have a TTL of a year", crooked{view: func(v *offline.JoinView) { v.TTL = cmp.Or(v.TTL, 365*24*time.Hour) }}, []string{
			"an entity row's time may be any time",
			"without a TTL a row may be of any age",
		}},
		{"created times do not count", crooked{view: func(v *offline.JoinView) { v.Created, v.CreatedBefore = "", false }}, []string{
			"entity rows' times count to the nanosecond",
			"a source's times count to the nanosecond",
			"a source's times may have any encoding",
			"an entity row's time may be any time",
			"of rows of one time the one created last counts, and null is the oldest",
			"all features come from one row",
			"CreatedBefore leaves out rows created after the entity row's time, or at no known time",
			"CreatedBefore requires Created",
			"a join of a missing column is NotFound or Invalid and named",
		}},
		{"rows created later count", crooked{view: func(v *offline.JoinView) { v.CreatedBefore = false }}, []string{
			"entity rows' times count to the nanosecond",
			"a source's times count to the nanosecond",
			"a source's times may have any encoding",
			"an entity row's time may be any time",
			"CreatedBefore leaves out rows created after the entity row's time, or at no known time",
			"CreatedBefore requires Created",
		}},
		{"only the first key counts", crooked{view: func(v *offline.JoinView) { v.Keys = v.Keys[:min(1, len(v.Keys))] }}, []string{
			"all of several keys count, one by one",
			"a null key equals no key",
		}},
		{"keys are those of the first column", crooked{view: func(v *offline.JoinView) {
			v.Keys = slices.Clone(v.Keys)
			for i := range v.Keys {
				v.Keys[i].Entity = 0
			}
		}}, []string{
			"a source may be joined twice under two names",
			"all of several keys count, one by one",
		}},
		{"all integers have 32 bits", crooked{view: func(v *offline.JoinView) {
			v.Keys = slices.Clone(v.Keys)
			for i := range v.Keys {
				if v.Keys[i].Type == types.ValueType_INT64 {
					v.Keys[i].Type = types.ValueType_INT32
				}
			}
		}}, []string{
			"keys are exact",
		}},
		{"ties go to the last row", crooked{store: func(s offline.Store) offline.Store { return changed{Store: s, batch: backwards} }}, []string{
			"of rows that are equal in both the first one counts",
			"Latest chooses as a join does",
			"all keys count for Latest",
			"a null key is a value for Latest",
		}},
		{"equal rows are one", crooked{reader: func(r array.RecordReader) array.RecordReader { return &distinct{r} }}, []string{
			"there may be no features, and no views",
			"one row for each entity row, in their order",
			"all of several keys count, one by one",
			"a null key equals no key",
			"entity rows' times count to the nanosecond",
			"a source's times may have any encoding",
			"an entity row's time may be any time",
			"a row is not older than the TTL, and may be as old",
		}},
		{"rows come backwards", crooked{reader: func(r array.RecordReader) array.RecordReader { return &altered{r, backwards} }}, []string{
			"features may be many",
			"one row for each entity row, in their order",
			"features are the cells that Range returns",
			"a source may be joined twice under two names",
			"views do not disturb each other",
			"a row has the keys of the entity row",
			"all of several keys count, one by one",
			"a key may be an integer of any encoding",
			"a key may be of any value type",
			"a key may be bytes",
			"keys are exact",
			"a key of a source that is no value of its type equals no key",
			"a null key equals no key",
			"without keys any row fits",
			"a row is not after the entity row, and may be at its time",
			"entity rows' times count to the nanosecond",
			"a source's times count to the nanosecond",
			"entity rows' times may have any unit",
			"a source's times may have any encoding",
			"an entity row's time may be any time",
			"a row is not older than the TTL, and may be as old",
			"the newest row counts, wherever it is in the source",
			"of rows of one time the one created last counts, and null is the oldest",
			"of rows that are equal in both the first one counts",
			"all features come from one row",
			"a row without an event time has no features",
			"without a row the features are null",
			"CreatedBefore leaves out rows created after the entity row's time, or at no known time",
			"moments are the distinct pairs of keys and event time of all views",
			"moments come by event time, then by keys",
			"moments have the first view's columns and types of the keys, then the event time",
			"both ends of moments are inclusive",
			"moments without keys are event times",
		}},
		{"no rows are a fault", crooked{reader: func(r array.RecordReader) array.RecordReader { return &needy{RecordReader: r} }}, []string{
			"no entity rows give a schema and no rows",
			"both ends of moments are inclusive",
			"moments of no rows are a schema",
			"Latest of no rows is a schema",
		}},
		{"sources lose their nanoseconds", crooked{store: func(s offline.Store) offline.Store {
			return changed{Store: s, batch: everyTime(func(n int64, of *arrow.TimestampType) int64 {
				if of.Unit == arrow.Nanosecond {
					n -= n % 1000
				}
				return n
			})}
		}}, []string{
			"a source's times count to the nanosecond",
		}},
		{"entity rows lose their nanoseconds", crooked{join: entitiesOf(withColumn(-1, shifted(func(n int64, of *arrow.TimestampType) int64 {
			if of.Unit == arrow.Nanosecond {
				n -= n % 1000
			}
			return n
		})))}, []string{
			"entity rows' times count to the nanosecond",
			"a source's times count to the nanosecond",
		}},
		{"all times are microseconds", crooked{join: entitiesOf(withColumn(-1, shifted(func(n int64, of *arrow.TimestampType) int64 {
			if of.Unit == arrow.Second {
				n /= 1000
			}
			return n
		})))}, []string{
			"entity rows' times may have any unit",
			"an entity row's time may be any time",
		}},
		{"an entity row's time is exclusive", crooked{join: entitiesOf(withColumn(-1, shifted(func(n int64, _ *arrow.TimestampType) int64 { return n - 1 })))}, []string{
			"columns may have any names",
			"one row for each entity row, in their order",
			"views do not disturb each other",
			"without keys any row fits",
			"a row is not after the entity row, and may be at its time",
			"entity rows' times count to the nanosecond",
			"a source's times count to the nanosecond",
			"entity rows' times may have any unit",
			"a source's times may have any encoding",
			"an entity row's time may be any time",
			"a row is not older than the TTL, and may be as old",
			"without a TTL a row may be of any age",
			"of rows of one time the one created last counts, and null is the oldest",
			"of rows that are equal in both the first one counts",
			"all features come from one row",
			"CreatedBefore leaves out rows created after the entity row's time, or at no known time",
		}},
		{"a null time is 2024", crooked{join: entitiesOf(withColumn(-1, cells(arrow.TIMESTAMP, nil, replaced(array.NullValueStr, "1704110400000000"))))}, []string{
			"a row without an event time has no features",
		}},
		{"a null key is zero", crooked{join: entitiesOf(withColumn(0, cells(arrow.INT64, nil, replaced(array.NullValueStr, "1"))))}, []string{
			"a null key equals no key",
		}},
		{"moments lack their first", crooked{moments: func(_ *[]offline.JoinView, start, _ *time.Time) { *start = start.Add(1) }}, []string{
			"both ends of moments are inclusive",
		}},
		{"moments lack their last", crooked{moments: func(_ *[]offline.JoinView, _, end *time.Time) { *end = end.Add(-1) }}, []string{
			"both ends of moments are inclusive",
		}},
		{"moments are those of one view", crooked{moments: func(views *[]offline.JoinView, _, _ *time.Time) { *views = (*views)[:1] }}, []string{
			"moments are the distinct pairs of keys and event time of all views",
			"moments have the first view's columns and types of the keys, then the event time",
			"moments without keys are event times",
			"moments fail as Range does",
		}},
		{"moments are those of the last view first", crooked{moments: func(views *[]offline.JoinView, _, _ *time.Time) { slices.Reverse(*views) }}, []string{
			"moments have the first view's columns and types of the keys, then the event time",
		}},
		{"moments have no keys", crooked{moments: func(views *[]offline.JoinView, _, _ *time.Time) {
			for i := range *views {
				(*views)[i].Keys = nil
			}
		}}, []string{
			"moments are the distinct pairs of keys and event time of all views",
			"moments come by event time, then by keys",
			"moments have the first view's columns and types of the keys, then the event time",
			"both ends of moments are inclusive",
			"rows without a key or an event time have no moment",
			"moments of no rows are a schema",
			"moments fail as Range does",
		}},
		{"Latest has one key", crooked{latest: func(_ *offline.Query, keys *[]int) { *keys = (*keys)[:min(1, len(*keys))] }}, []string{
			"all keys count for Latest",
			"a null key is a value for Latest",
		}},
		{"Latest always has a key", crooked{latest: func(_ *offline.Query, keys *[]int) { *keys = append(slices.Clone(*keys), 0) }}, []string{
			"without keys Latest gives the newest row of all",
		}},
		{"Latest ignores the start", crooked{latest: func(q *offline.Query, _ *[]int) { q.Start, q.CreatedAfter = time.Time{}, time.Time{} }}, []string{
			"Latest keeps to the query's bounds",
			"Latest fails as Range does",
		}},
		{"the first Release ends", crooked{reader: func(r array.RecordReader) array.RecordReader { return &single{r} }}, []string{
			"a retained reader of a join lives on",
		}},
		{"what is refused is held", crooked{leaks: true}, []string{
			"an error of the entity rows is the join's",
			"nothing is held after a failed join",
			"moments fail as Range does",
			"Latest fails as Range does",
		}},
		{"a caller who has gone is joined for", crooked{ctx: context.WithoutCancel}, []string{
			"a context that is done ends a join",
			"a context that is done ends a join's wait for the source within a second",
		}},
		{"memory is used again", crooked{reader: func(r array.RecordReader) array.RecordReader { return &reusing{r} }}, []string{
			"a retained batch of a join outlives its reader",
		}},
		{"errors lose their kind", crooked{err: func(err error) error { return errors.New(err.Error()) }}, []string{
			"a key of an entity row that is no value of its type is Invalid and named by column and row",
			"CreatedBefore requires Created",
			"a join of a missing source is NotFound or Invalid and named",
			"a join of a missing column is NotFound or Invalid and named",
			"a join of a column that the source has twice is NotFound or Invalid and named",
			"a join by a number as event time is Invalid",
			"a join of a text that is not a time is Invalid and named by column",
			"a join in an unreachable store is Unavailable",
			"a join whose connection is lost is Unavailable",
			"an error of the entity rows is the join's",
			"moments fail as Range does",
			"Latest fails as Range does",
		}},
		{"errors have one text", crooked{err: func(err error) error { return fault.New(fault.KindOf(err), "it failed") }}, []string{
			"a key of an entity row that is no value of its type is Invalid and named by column and row",
			"CreatedBefore requires Created",
			"a join of a missing source is NotFound or Invalid and named",
			"a join of a missing column is NotFound or Invalid and named",
			"a join of a column that the source has twice is NotFound or Invalid and named",
			"a join by a number as event time is Invalid",
			"a join of a text that is not a time is Invalid and named by column",
			"an error of the entity rows is the join's",
			"moments fail as Range does",
			"Latest fails as Range does",
		}},
		{"entity rows are released", crooked{releases: true}, []string{
			"the entity rows are never released",
		}},
		{"a source has three rows", crooked{store: func(s offline.Store) offline.Store {
			return changed{Store: s, batch: func(b arrow.RecordBatch) arrow.RecordBatch { return b.NewSlice(0, min(3, b.NumRows())) }}
		}}, []string{
			"one row for each entity row, in their order",
			"a row has the keys of the entity row",
			"all of several keys count, one by one",
			"keys are exact",
			"the newest row counts, wherever it is in the source",
			"of rows of one time the one created last counts, and null is the oldest",
			"of rows that are equal in both the first one counts",
			"all features come from one row",
			"CreatedBefore leaves out rows created after the entity row's time, or at no known time",
			"moments are the distinct pairs of keys and event time of all views",
			"moments come by event time, then by keys",
			"Latest gives the newest row of each key",
			"Latest chooses as a join does",
			"all keys count for Latest",
			"a null key is a value for Latest",
		}},
		{"a text is no integer", crooked{store: sourceOf(cells(arrow.STRING, nil, replaced("7", array.NullValueStr)))}, []string{
			"a key may be an integer of any encoding",
			"a key of a source that is no value of its type equals no key",
		}},
		{"a bad key is 7", crooked{store: sourceOf(cells(arrow.STRING, nil, replaced("one", "7")))}, []string{
			"a key of a source that is no value of its type equals no key",
		}},
		{"false is null", crooked{store: sourceOf(cells(arrow.BOOL, nil, replaced("false", array.NullValueStr)))}, []string{
			"features are the cells that Range returns",
			"a key may be of any value type",
		}},
		{"bytes of zero are null", crooked{store: sourceOf(cells(arrow.BINARY, nil, replaced("AA==", array.NullValueStr)))}, []string{
			"features are the cells that Range returns",
			"a key may be bytes",
		}},
		{"long texts are cut", crooked{store: sourceOf(cells(arrow.STRING, nil, func(text string, _ arrow.DataType) string { return text[:min(len(text), 16<<20)] }))}, []string{
			"a joined row may be larger than a batch",
		}},
		{"names are in lower case", crooked{view: func(v *offline.JoinView) {
			v.Features = slices.Clone(v.Features)
			for i, name := range v.Features {
				v.Features[i] = strings.ToLower(name)
			}
		}}, []string{
			"columns may have any names",
		}},
		{"a failure is an end", crooked{late: func(error) array.RecordReader { return &doomed{} }}, []string{
			"a key of an entity row that is no value of its type is Invalid and named by column and row",
			"CreatedBefore requires Created",
			"a join of a missing source is NotFound or Invalid and named",
			"a join of a missing column is NotFound or Invalid and named",
			"a join of a column that the source has twice is NotFound or Invalid and named",
			"a join by a number as event time is Invalid",
			"a join of a text that is not a time is Invalid and named by column",
			"a join in an unreachable store is Unavailable",
			"a join of a source that fails ends in an error",
			"a join whose connection is lost is Unavailable",
			"an error of the entity rows is the join's",
			"a failed join gives no more",
			"moments fail as Range does",
			"Latest fails as Range does",
		}},
		{"a failed reader goes on", crooked{late: func(err error) array.RecordReader { return &restless{RecordReader: &doomed{err: err}} }}, []string{
			"a failed join gives no more",
		}},
		{"answers are held", crooked{clings: true}, []string{
			"nothing is held after a join, however far it was read",
			"nothing is held after a failed join",
		}},
		{"there is one reader", crooked{reader: func(r array.RecordReader) array.RecordReader {
			next := &impatient{RecordReader: r}
			if before := only.Swap(next); before != nil {
				before.ended.Store(true)
			}
			return next
		}}, []string{
			"joins do not disturb each other",
		}},
		{"there is one batch", crooked{reader: func(r array.RecordReader) array.RecordReader { return &brief{RecordReader: r} }}, []string{
			"entity rows may come in many batches",
			"moments may be many",
			"Latest's keys may be many",
		}},
		{"Latest has its columns sorted", crooked{latest: func(q *offline.Query, _ *[]int) { q.Columns = slices.Sorted(slices.Values(q.Columns)) }}, []string{
			"Latest gives the newest row of each key",
			"Latest chooses as a join does",
			"the schema of Latest is that of Range",
			"all keys count for Latest",
			"without keys Latest gives the newest row of all",
			"a null key is a value for Latest",
			"Latest keeps to the query's bounds",
			"Latest of no rows is a schema",
		}},
		{"entity rows that fail end", crooked{join: func(j *offline.Join) { j.Entities = &telling{j.Entities, func(error) error { return nil }} }}, []string{
			"an error of the entity rows is the join's",
		}},
	}
}

// Each joiner breaks the contract in one way; the suite must find it in the
// sentences named, and in no other. Every sentence must find some flaw.
func TestBrokenJoinersFailInWhatTheyBreak(t *testing.T) {
	found := map[string]bool{}
	for _, name := range unbounded { // the oracle breaks them
		found[name] = true
	}
	for _, c := range crookedFlaws() {
		t.Run(c.name, func(t *testing.T) {
			besideOthers(t, c.in)
			got := failing(t, offlinetest.JoinSentences(), c.in, func() offlinetest.Backend {
				b := c.crooked
				b.model = new(model)
				return &b
			})
			if diff := gocmp.Diff(c.in, got); diff != "" {
				t.Errorf("sentences that fail (-want +got):\n%s", diff)
			}
		})
		for _, name := range c.in {
			found[name] = true
		}
	}
	for _, s := range offlinetest.JoinSentences() {
		if !found[s.Name] {
			t.Errorf("no joiner breaks %q", s.Name)
		}
	}
}
