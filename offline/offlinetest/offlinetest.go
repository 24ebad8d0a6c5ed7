// Package offlinetest checks every offline store against the contract of
// package offline, sentence by sentence. Features of a single backend, such as
// types that Arrow lacks, are checked by its own tests.
package offlinetest

import (
	"iter"
	"os"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"go.uber.org/goleak"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/offline"
)

// Backend is an offline store under test, with a place for sources to which
// nothing else writes.
type Backend interface {
	// Store reads what Write makes.
	Store() offline.Store
	// Write makes a source from a table.
	Write(tb testing.TB, table Table) *core.DataSource
	// Held counts the resources outside of the process's memory that the store
	// holds for its readers: open files, connections that are not idle.
	Held(tb testing.TB) int
	// Unreachable is a store whose server or directory does not exist.
	Unreachable(tb testing.TB) offline.Store
}

// Table is what a source holds. All batches have the schema.
type Table struct {
	Name   string
	Schema *arrow.Schema
	Rows   iter.Seq[arrow.RecordBatch]
	Then   Trouble
}

// Trouble is what follows the rows of a table.
type Trouble uint8

// What may follow rows.
const (
	End     Trouble = iota // nothing follows
	Damage                 // a row that cannot be read
	Loss                   // the connection to the store is lost
	Stall                  // a row that never comes
	Missing                // there are no rows, and no such source
)

// Sentence is one sentence of the contract with the check of it.
type Sentence struct {
	Name  string
	Check func(testing.TB, Backend)
}

// Exception names a sentence that a backend does not meet, and why.
type Exception struct {
	Sentence, Reason string
}

// Everything tells whether BANQUET_TEST_ALL is set: whether to check, too, what is
// left out of a quick run because another check covers it.
func Everything() bool { return os.Getenv("BANQUET_TEST_ALL") != "" }

// Elsewhere excepts sentences that move hundreds of MB, or wait, from a run whose
// backend differs from another one in nothing that bears on them. The other run
// checks them; with BANQUET_TEST_ALL this one does, too.
func Elsewhere(run string, sentences ...string) (exceptions []Exception) {
	if Everything() {
		return nil
	}
	for _, name := range sentences {
		exceptions = append(exceptions, Exception{Sentence: name, Reason: "checked " + run + "; BANQUET_TEST_ALL=1 checks it here, too"})
	}
	return exceptions
}

// Sentences lists the contract.
func Sentences() []Sentence {
	return []Sentence{
		{"the schema is Columns in order, then Timestamp, then Created if named", schema},
		{"a column named twice appears twice", namedTwice},
		{"Columns may be empty", noColumns},
		{"Columns may be many", manyColumns},
		{"names are the source's own, whatever they hold", anyNames},
		{"a column that is not asked for does not matter", unasked},
		{"ties and repeats are kept", repeats},
		{"rows whose event time is null are left out", nullTimes},
		{"nulls of other columns are kept, those of keys too", nullKeys},
		{"an empty source gives a schema and no rows", empty},
		{"both bounds are inclusive", inclusive},
		{"a bound cuts between two microseconds", fineBounds},
		{"a zero bound is none", noBounds},
		{"a bound may be any time", farBounds},
		{"CreatedAfter leaves out rows whose created time is not later, or null", createdAfter},
		{"CreatedAfter without Created is Invalid", createdNeeded},
		{"a query without Timestamp is Invalid", timestampNeeded},

		{"whole numbers are exact integers", integers},
		{"numbers of floating point are floats of their size", floats},
		{"NaN is not null", notNumbers},
		{"decimals keep their digits and their scale", decimals},
		{"texts are strings as they are", texts},
		{"an empty text is not null", emptyTexts},
		{"truth values are truth values", bools},
		{"bytes are binary as they are", binaries},
		{"times of other columns are timestamps or dates, exact", timeCells},
		{"an infinite time is value.Infinity or value.MinusInfinity", infinities},
		{"lists are lists, and a null in one stays null", lists},
		{"an empty list is not null", emptyLists},
		{"a column of nulls alone is read", allNull},

		{"event and created times are timestamps in UTC", timesInUTC},
		{"the unit of a time loses nothing of the source's", fineTimes},
		{"a time without a zone is UTC", zoneless},
		{"a date is its midnight in UTC", dates},
		{"a text is the time that value.ParseTime reads", textTimes},
		{"bounds hold for times of every encoding", boundsOfEncodings},
		{"a number is not a time", numberTimes},
		{"a text that is not a time is Invalid and named by row and column", badTimes},
		{"a row is named by its number in the order of reading", lateBadTime},
		{"a far time is exact, or Invalid and named by row and column", farTimes},
		{"an infinite event time is Invalid and named by row and column", infiniteTimes},

		{"a missing source is NotFound or Invalid and named", missingSource},
		{"a missing column is NotFound or Invalid and named", missingColumn},
		{"a wanted column that the source has twice is NotFound or Invalid and named", twiceInSource},
		{"an unreachable store is Unavailable", unreachable},
		{"a source that fails at once ends in an error", failsAtOnce},
		{"a source that fails in the middle ends in an error", failsLate},
		{"a connection lost in the middle is Unavailable", lost},
		{"a failed reader gives no more", failedReader},
		{"a context that is done ends a read before it begins", doneBefore},
		{"a context that is done between Range and Next ends the read", doneEarly},
		{"a context that is done ends a read within a second", doneAmidst},
		{"a context that is done ends a wait for the source within a second", doneWaiting},
		{"nothing is held after Release, however far the reader was read", released},
		{"nothing is held after a failure or a context that is done", releasedFailed},
		{"a retained reader lives on", retainedReader},
		{"a retained batch outlives its reader", retained},
		{"readers do not disturb each other", concurrent},
		{"memory is bounded by the batch", bounded},
		{"a row may be larger than a batch", largeRows},

		{"the columns of a source come in its own order with their value types", columns},
		{"Span counts the rows of a query, from when to when", span},
		{"Span's Columns do not count", spanColumns},
		{"Span of no rows is zero", spanOfNone},
		{"Span fails as Range does", spanFails},
		{"Span leaves out a time that is infinite, or refuses it", spanOfInfinities},
		{"Check reaches the store, or says in one line why it cannot", check},
	}
}

// Run checks every sentence, each with a fresh store.
func Run(t *testing.T, open func(testing.TB) Backend, exceptions ...Exception) {
	t.Helper()
	run(t, Sentences(), open, exceptions)
}

func run(t *testing.T, sentences []Sentence, open func(testing.TB) Backend, exceptions []Exception) {
	t.Helper()
	excepted := map[string]string{}
	for _, e := range exceptions {
		excepted[e.Sentence] = e.Reason
	}
	for _, s := range sentences {
		if reason, ok := excepted[s.Name]; ok {
			t.Logf("not held: %q: %s", s.Name, reason)
			delete(excepted, s.Name)
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			t.Cleanup(func() { // runs after the cleanup that closes the store
				if err := goleak.Find(before); err != nil {
					t.Errorf("a goroutine is left: %v", err)
				}
			})
			s.Check(t, open(t))
		})
	}
	for name := range excepted {
		t.Errorf("the contract has no sentence %q", name)
	}
}
