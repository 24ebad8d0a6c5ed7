package offlinetest

import (
	"testing"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/offline"
)

// WriterBackend is a Backend whose stores are Writers, too.
type WriterBackend interface {
	Backend
	// Place is a source that does not exist, and that Create can make.
	Place(tb testing.TB, name string) *core.DataSource
	// Objects names all that is stored: tables, or files, those included that no
	// reader sees.
	Objects(tb testing.TB) []string
}

// WriterSentences lists the contract of writers.
func WriterSentences() []Sentence {
	return []Sentence{
		{"rows are added to those that are there, and counted", writes(appended)},
		{"no rows are added as well", writes(appendedNone)},
		{"columns are matched by name, in any order", writes(appendedByName)},
		{"columns of any name are written", writes(appendedAnyNames)},
		{"a missing column is Invalid and named", writes(appendedWithout)},
		{"another column is Invalid and named", writes(appendedWithOther)},
		{"a repeated column is Invalid and named", writes(appendedTwice)},
		{"rows that several callers append at once are all kept", writes(appendedAtOnce)},
		{"a missing source is NotFound or Invalid and named", writes(appendedNowhere)},

		{"numbers come back as they were", writes(writtenNumbers)},
		{"decimals come back with their digits and their scale", writes(writtenDecimals)},
		{"texts and booleans come back as they were", writes(writtenTexts)},
		{"bytes come back as they were", writes(writtenBytes)},
		{"NaN and an empty text come back as they were", writes(writtenEmpty)},
		{"times come back as they were", writes(writtenTimes)},
		{"lists come back as they were", writes(writtenLists)},
		{"a cell of another type is converted if nothing is lost", writes(converted)},
		{"a time without a zone is UTC", writes(convertedZones)},
		{"a float is rounded to a narrower float", writes(rounded)},
		{"a cell that does not fit is Invalid and named by row and column", writes(misfits)},
		{"rows are numbered over all batches", writes(lateMisfit)},
		{"a type that a column does not hold is Invalid and named", writes(otherTypes)},

		{"the rows are read to their end and never released", writes(readToEnd)},
		{"an error of the rows is returned as it is, and nothing is written", writes(failedRows)},
		{"a failure leaves all as it was", writes(nothingLeft)},
		{"a reader sees no row before all are written", writes(unseen)},
		{"a context that is done ends the Writer within a second", writes(doneWriting)},
		{"an unreachable store is Unavailable", writes(unreachableToWrite)},
		{"nothing is held afterwards", writes(writtenHeld)},
		{"memory is bounded by the batch", writes(writtenBounded)},

		{"Create makes a source that holds the rows, and counts them", writes(created)},
		{"Create makes a source of no rows", writes(createdEmpty)},
		{"Append adds to what Create made", writes(createdThenAppended)},
		{"without replace, a source that exists is a Conflict and stays", writes(createdTwice)},
		{"with replace, what Create made is replaced", writes(replaced)},
		{"with replace, what is not there is made", writes(replacedNothing)},
		{"with replace, what Create did not make is a Conflict and stays", writes(replacedForeign)},
		{"of several callers that make one source, one does", writes(createdAtOnce)},
	}
}

// writes makes a check of a Backend out of one of a WriterBackend.
func writes(check func(testing.TB, WriterBackend)) func(testing.TB, Backend) {
	return func(t testing.TB, b Backend) {
		t.Helper()
		w, ok := b.(WriterBackend)
		if !ok {
			t.Fatalf("the backend, a %T, is no WriterBackend", b)
		}
		check(t, w)
	}
}

// RunWriter checks every sentence, each with a fresh store.
func RunWriter(t *testing.T, open func(testing.TB) WriterBackend, exceptions ...Exception) {
	t.Helper()
	run(t, WriterSentences(), func(tb testing.TB) Backend { return open(tb) }, exceptions)
}

// writer is the store as a Writer.
func writer(t testing.TB, s offline.Store) offline.Writer {
	t.Helper()
	w, ok := s.(offline.Writer)
	if !ok {
		t.Fatal("the store is no Writer")
	}
	return w
}
