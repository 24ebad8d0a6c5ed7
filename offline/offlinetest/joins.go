package offlinetest

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
)

// JoinSentences lists the contract of offline.Joiner.
func JoinSentences() []Sentence {
	return append(append(pointInTime(), joinEnds()...), append(momentSentences(), latestSentences()...)...)
}

// pointInTime lists which rows and columns a join has.
func pointInTime() []Sentence {
	return []Sentence{
		{"the schema is the features of each view in the order of the views", joinSchema},
		{"a feature named twice appears twice", joinNamedTwice},
		{"there may be no features, and no views", joinNoFeatures},
		{"features may be many", joinManyFeatures},
		{"columns may have any names", joinAnyNames},
		{"one row for each entity row, in their order", joinOrder},
		{"entity rows may come in many batches", joinBatches},
		{"no entity rows give a schema and no rows", joinNobody},
		{"features are the cells that Range returns", joinCells},
		{"a source may be joined twice under two names", joinTwice},
		{"views do not disturb each other", joinViews},

		{"a row has the keys of the entity row", joinKeys},
		{"all of several keys count, one by one", joinSeveralKeys},
		{"a key may be an integer of any encoding", joinIntegerKeys},
		{"a key may be of any value type", joinKeyTypes},
		{"a key may be bytes", joinBytes},
		{"keys are exact", joinExactKeys},
		{"a key of an entity row that is no value of its type is Invalid and named by column and row", joinBadKey},
		{"a key of a source that is no value of its type equals no key", joinBadSourceKey},
		{"a null key equals no key", joinNullKeys},
		{"without keys any row fits", joinNoKeys},

		{"a row is not after the entity row, and may be at its time", joinNotAfter},
		{"entity rows' times count to the nanosecond", joinNanos},
		{"a source's times count to the nanosecond", joinSourceNanos},
		{"entity rows' times may have any unit", joinUnits},
		{"a source's times may have any encoding", joinEncodings},
		{"an entity row's time may be any time", joinFarTimes},
		{"a row is not older than the TTL, and may be as old", joinTTL},
		{"without a TTL a row may be of any age", joinNoTTL},
		{"the newest row counts, wherever it is in the source", joinNewest},
		{"of rows of one time the one created last counts, and null is the oldest", joinCreated},
		{"of rows that are equal in both the first one counts", joinTies},
		{"all features come from one row", joinOneRow},
		{"a row without an event time has no features", joinNullTimes},
		{"without a row the features are null", joinNothing},
		{"CreatedBefore leaves out rows created after the entity row's time, or at no known time", joinCreatedBefore},
		{"CreatedBefore requires Created", joinCreatedNeeded},
	}
}

// joinEnds lists how a join fails and ends.
func joinEnds() []Sentence {
	return []Sentence{
		{"a join of a missing source is NotFound or Invalid and named", joinMissingSource},
		{"a join of a missing column is NotFound or Invalid and named", joinMissingColumn},
		{"a join of a column that the source has twice is NotFound or Invalid and named", joinTwiceInSource},
		{"a join by a number as event time is Invalid", joinNumberTimes},
		{"a join of a text that is not a time is Invalid and named by column", joinBadTimes},
		{"a join in an unreachable store is Unavailable", joinUnreachable},
		{"a join of a source that fails ends in an error", joinFails},
		{"a join whose connection is lost is Unavailable", joinLost},
		{"an error of the entity rows is the join's", joinEntitiesFail},
		{"the entity rows are never released", joinEntitiesKept},
		{"a failed join gives no more", joinFailedReader},
		{"a context that is done ends a join", joinDone},
		{"a context that is done ends a join's wait for the source within a second", joinDoneWaiting},
		{"nothing is held after a join, however far it was read", joinReleased},
		{"nothing is held after a failed join", joinReleasedFailed},
		{"a retained reader of a join lives on", joinRetainedReader},
		{"a retained batch of a join outlives its reader", joinRetained},
		{"joins do not disturb each other", joinConcurrent},
		{"a join's memory is bounded by the batch", joinBounded},
		{"a joined row may be larger than a batch", joinLargeRows},
	}
}

// RunJoins checks every sentence of offline.Joiner, each with a fresh store. The
// backend's Store is an offline.Joiner, too, and so is its Unreachable.
func RunJoins(t *testing.T, open func(testing.TB) Backend, exceptions ...Exception) {
	t.Helper()
	run(t, JoinSentences(), open, exceptions)
}

func joinerOf(t testing.TB, s offline.Store) offline.Joiner {
	t.Helper()
	j, ok := s.(offline.Joiner)
	if !ok {
		t.Fatalf("the store, a %T, is no offline.Joiner", s)
	}
	return j
}

// entities makes a reader of entity rows in one batch.
func entities(t testing.TB, columns ...column) array.RecordReader {
	t.Helper()
	batch := record(t, columns...)
	return batches(t, batch.Schema(), batch)
}

func batches(t testing.TB, schema *arrow.Schema, all ...arrow.RecordBatch) array.RecordReader {
	t.Helper()
	r, err := array.NewRecordReader(schema, all)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// joined returns all rows of a join as texts, in their order.
func joined(t testing.TB, b Backend, join offline.Join) []string {
	t.Helper()
	rows, err := attemptJoin(t, b.Store(), join)
	if err != nil {
		t.Fatalf("joining: %v: %v", err, fault.Cause(err))
	}
	return rows
}

// attemptJoin is joined for joins that may fail. It returns the rows before the
// failure.
func attemptJoin(t testing.TB, s offline.Store, join offline.Join) ([]string, error) {
	t.Helper()
	return gather(t, func() (array.RecordReader, error) { return joinerOf(t, s).PointInTime(t.Context(), join) })
}

// gather reads what open returns to its end.
func gather(t testing.TB, open func() (array.RecordReader, error)) (rows []string, err error) {
	t.Helper()
	within(t, patience, "a join", func() {
		var r array.RecordReader
		if r, err = open(); err != nil {
			return
		}
		defer r.Release()
		rows = drain(t, r)
		err = r.Err()
	})
	return rows, err
}

// wantJoined compares the rows of a join, in order, with texts.
func wantJoined(t testing.TB, b Backend, join offline.Join, rows ...string) {
	t.Helper()
	wantInOrder(t, joined(t, b, join), rows...)
}

// of makes a join of views.
func of(rows array.RecordReader, views ...offline.JoinView) offline.Join {
	return offline.Join{Entities: rows, Views: views}
}

// past writes a source and makes a view of it. A row is "key feature time" or
// "key feature time created"; key and feature are integers and - is null. A time
// such as 05:00 is of the first day of 2024.
func past(t testing.TB, b Backend, name string, rows ...string) offline.JoinView {
	t.Helper()
	return pastThen(t, b, name, End, rows...)
}

func pastThen(t testing.TB, b Backend, name string, then Trouble, rows ...string) offline.JoinView {
	t.Helper()
	table := split(t, 4, rows)
	columns := []column{{"k", arrow.PrimitiveTypes.Int64, table[0]}, {"f", arrow.PrimitiveTypes.Int64, table[1]}, ts(clocks(table[2])...), {"made", micros, clocks(table[3])}}
	return viewOf(name, writeNamed(t, b, name, then, columns...))
}

// asked makes entity rows of an integer key and a time: "key time".
func asked(t testing.TB, rows ...string) array.RecordReader {
	t.Helper()
	table := split(t, 2, rows)
	return entities(t, column{"k", arrow.PrimitiveTypes.Int64, table[0]}, column{"at", micros, clocks(table[1])})
}

// keyed pairs the source's column with the first column of the entity rows.
func keyed(name string, t types.ValueType_Enum) []offline.JoinKey {
	return []offline.JoinKey{{Column: name, Entity: 0, Type: t}}
}
