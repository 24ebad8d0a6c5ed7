package offlinetest

import (
	"testing"

	"go.uber.org/goleak"

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

// WriterSentence is one sentence of the contract of writers with the check of it.
type WriterSentence struct {
	Name  string
	Check func(testing.TB, WriterBackend)
}

// WriterSentences lists the contract of writers.
func WriterSentences() []WriterSentence {
	return []WriterSentence{
		{"rows are added to those that are there, and counted", appended},
		{"no rows are added as well", appendedNone},
		{"columns are matched by name, in any order", appendedByName},
		{"columns of any name are written", appendedAnyNames},
		{"a missing column is Invalid and named", appendedWithout},
		{"another column is Invalid and named", appendedWithOther},
		{"a repeated column is Invalid and named", appendedTwice},
		{"rows that several callers append at once are all kept", appendedAtOnce},
		{"a missing source is NotFound or Invalid and named", appendedNowhere},

		{"numbers come back as they were", writtenNumbers},
		{"decimals come back with their digits and their scale", writtenDecimals},
		{"texts and booleans come back as they were", writtenTexts},
		{"bytes come back as they were", writtenBytes},
		{"NaN and an empty text come back as they were", writtenEmpty},
		{"times come back as they were", writtenTimes},
		{"lists come back as they were", writtenLists},
		{"a cell of another type is converted if nothing is lost", converted},
		{"a time without a zone is UTC", convertedZones},
		{"a float is rounded to a narrower float", rounded},
		{"a cell that does not fit is Invalid and named by row and column", misfits},
		{"rows are numbered over all batches", lateMisfit},
		{"a type that a column does not hold is Invalid and named", otherTypes},

		{"the rows are read to their end and never released", readToEnd},
		{"an error of the rows is returned as it is, and nothing is written", failedRows},
		{"a failure leaves all as it was", nothingLeft},
		{"a reader sees no row before all are written", unseen},
		{"a context that is done ends the Writer within a second", doneWriting},
		{"an unreachable store is Unavailable", unreachableToWrite},
		{"nothing is held afterwards", writtenHeld},
		{"memory is bounded by the batch", writtenBounded},

		{"Create makes a source that holds the rows, and counts them", created},
		{"Create makes a source of no rows", createdEmpty},
		{"Append adds to what Create made", createdThenAppended},
		{"without replace, a source that exists is a Conflict and stays", createdTwice},
		{"with replace, what Create made is replaced", replaced},
		{"with replace, what is not there is made", replacedNothing},
		{"with replace, what Create did not make is a Conflict and stays", replacedForeign},
		{"of several callers that make one source, one does", createdAtOnce},
	}
}

// RunWriter checks every sentence, each with a fresh store.
func RunWriter(t *testing.T, open func(testing.TB) WriterBackend, exceptions ...Exception) {
	t.Helper()
	excepted := map[string]string{}
	for _, e := range exceptions {
		excepted[e.Sentence] = e.Reason
	}
	for _, s := range WriterSentences() {
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
		t.Errorf("the contract of writers has no sentence %q", name)
	}
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
