package offlinetest_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/offline/offlinetest"
)

// inMemory is what the model does not hold.
const inMemory = "memory is bounded by the batch"

func TestTheModelHoldsTheContractOfWriters(t *testing.T) {
	offlinetest.RunWriter(t, func(testing.TB) offlinetest.WriterBackend { return newWriteModel(writeFlaw{}) },
		offlinetest.Exception{Sentence: inMemory, Reason: "the model keeps all rows"})
}

// writeFlaws are ways to break the contract of writers.
func writeFlaws() map[string]writeFlaw {
	return map[string]writeFlaw{
		"rows replace others": {rows: func(old, more []arrow.RecordBatch) []arrow.RecordBatch {
			if len(old) > 2 {
				return more
			}
			return append(old, more...)
		}},
		"the second batch is lost": {rows: func(old, more []arrow.RecordBatch) []arrow.RecordBatch {
			return append(old, more[:min(len(more), 1)]...)
		}},
		"no rows are refused": {noNone: true},
		"names are in lower case": {schema: func(s *arrow.Schema) *arrow.Schema {
			fields := s.Fields()
			for i := range fields {
				fields[i].Name = strings.ToLower(fields[i].Name)
			}
			return arrow.NewSchema(fields, nil)
		}},
		"columns have their places":         {byPlace: true},
		"a missing column is null":          {noMissing: true},
		"another column is left out":        {noExtra: true},
		"of two columns the first is taken": {noTwice: true},
		"who comes last wins":               {fromOld: true},
		"a missing source is made":          {noSource: true},
		"integers go through a float": {batch: eachColumn(cells(arrow.INT64, nil, func(text string, _ arrow.DataType) string {
			if n, err := strconv.ParseInt(text, 10, 64); err == nil && n < 1<<62 {
				return strconv.FormatInt(int64(float64(n)), 10)
			}
			return text
		}))},
		"the sign of a decimal is lost":       {batch: eachColumn(cells(arrow.DECIMAL128, nil, replaced("-0.05", "0.05")))},
		"texts are trimmed":                   {batch: eachColumn(cells(arrow.STRING, nil, func(text string, _ arrow.DataType) string { return strings.TrimSpace(text) }))},
		"no bytes are null":                   {batch: eachColumn(cells(arrow.BINARY, nil, replaced("", array.NullValueStr)))},
		"NaN is null":                         {batch: eachColumn(cells(arrow.FLOAT64, nil, replaced("NaN", array.NullValueStr)))},
		"there is no date before 1970":        {batch: eachColumn(cells(arrow.DATE32, nil, replaced("1969-12-31", "1970-01-01")))},
		"an empty list is null":               {batch: eachColumn(cells(arrow.LIST, nil, replaced("[]", array.NullValueStr)))},
		"no cell is converted":                {convert: func(_ array.Builder, a arrow.Array, row int) (bool, error) { return false, refusesAll(a, row) }},
		"a time without a zone is a day late": {convert: naiveLate},
		"only what a float of 32 bits has is rounded": {convert: func(b array.Builder, a arrow.Array, row int) (bool, error) {
			if f, ok := a.(*array.Float64); ok && b.Type().ID() == arrow.FLOAT32 && !a.IsNull(row) && float64(float32(f.Value(row))) != f.Value(row) {
				return false, errors.New("it would be rounded")
			}
			return false, nil
		}},
		"a cell that does not fit is null": {convert: func(b array.Builder, a arrow.Array, row int) (bool, error) {
			probe := array.NewBuilder(memory.DefaultAllocator, b.Type())
			defer probe.Release()
			if convertCell(probe, a, row) == nil {
				return false, nil
			}
			b.AppendNull()
			return true, nil
		}},
		"a number becomes a text": {convert: func(b array.Builder, a arrow.Array, row int) (bool, error) {
			text, ok := b.(*array.StringBuilder)
			if n, isInt := a.(*array.Int64); ok && isInt {
				text.Append(n.ValueStr(row))
				return true, nil
			}
			return false, nil
		}},
		"rows are numbered in their batch": {place: func(_, within int) int { return within }},
		"the rows are released":            {releases: true},
		"an empty batch is the end":        {untilEmpty: true},
		"an error of the rows is another":  {err: func(err error) error { return errors.New("failed: " + err.Error()) }},
		"a failure leaves something":       {leaves: true},
		"rows are seen as they come": {early: true, rows: func(old, more []arrow.RecordBatch) []arrow.RecordBatch {
			return append(old, more[:min(len(more), 1)]...)
		}},
		"a caller who has gone is served":  {ctx: context.WithoutCancel},
		"nobody is asked":                  {noReach: true},
		"a connection is kept":             {leaks: true},
		"what Create made is not added to": {noMade: true},
		"what exists is replaced":          {noConflict: true},
		"what others made is replaced":     {noMark: true},
		"only what exists is replaced":     {needsOld: true},
		"a source of no rows is not made":  {emptyIsNone: true},
		"who makes a source last makes it": {late: true},
		"what Create made is kept":         {keepsOld: true},
		"all rows are kept in memory":      {},
	}
}

func refusesAll(a arrow.Array, row int) error {
	if a.DataType().ID() == arrow.NULL || a.IsNull(row) {
		return nil
	}
	return errors.New("the type is another")
}

// naiveLate moves times that get or lose a zone.
func naiveLate(b array.Builder, a arrow.Array, row int) (bool, error) {
	to, ok := b.Type().(*arrow.TimestampType)
	from, isTime := a.DataType().(*arrow.TimestampType)
	ts, isArray := a.(*array.Timestamp)
	if !ok || !isTime || !isArray || a.IsNull(row) || (to.TimeZone == "") == (from.TimeZone == "") {
		return false, nil
	}
	builder, ok := b.(*array.TimestampBuilder)
	if !ok {
		return false, nil
	}
	at, err := arrow.TimestampFromTime(ts.Value(row).ToTime(from.Unit).AddDate(0, 0, 1), to.Unit)
	builder.Append(at)
	return true, err
}

// Each writer breaks the contract in one way, and the suite finds it in the
// sentences named. Every sentence finds some writer.
func TestBrokenWritersFailInWhatTheyBreak(t *testing.T) {
	found := map[string]bool{}
	for name, flaw := range writeFlaws() {
		t.Run(name, func(t *testing.T) {
			besideOthers(t, brokenSentences[name])
			var got []string
			for _, s := range offlinetest.WriterSentences() {
				if s.Name == inMemory && name != "all rows are kept in memory" {
					continue
				}
				v := &verdict{TB: t}
				done := make(chan struct{})
				go func() {
					defer close(done)
					s.Check(v, newWriteModel(flaw))
				}()
				<-done
				if v.failed {
					got = append(got, s.Name)
				}
			}
			if diff := gocmp.Diff(brokenSentences[name], got); diff != "" {
				t.Errorf("sentences that fail (-want +got):\n%s", diff)
			}
		})
		for _, sentence := range brokenSentences[name] {
			found[sentence] = true
		}
	}
	for _, s := range offlinetest.WriterSentences() {
		if !found[s.Name] {
			t.Errorf("no writer breaks %q", s.Name)
		}
	}
}

// brokenSentences are the sentences that find each flaw.
var brokenSentences = map[string][]string{
	"rows replace others": {
		"rows are added to those that are there, and counted",
		"rows that several callers append at once are all kept",
	},
	"the second batch is lost": {
		"rows are added to those that are there, and counted",
		"a reader sees no row before all are written",
	},
	"no rows are refused": {
		"no rows are added as well",
		"Create makes a source of no rows",
	},
	"names are in lower case": {
		"columns of any name are written",
		"a cell of another type is converted if nothing is lost",
		"a time without a zone is UTC",
	},
	"columns have their places":         {"columns are matched by name, in any order"},
	"a missing column is null":          {"a missing column is Invalid and named"},
	"another column is left out":        {"another column is Invalid and named"},
	"of two columns the first is taken": {"a repeated column is Invalid and named"},
	"who comes last wins":               {"rows that several callers append at once are all kept"},
	"a missing source is made":          {"a missing source is NotFound or Invalid and named"},
	"integers go through a float": {
		"numbers come back as they were",
		"a cell that does not fit is Invalid and named by row and column",
	},
	"the sign of a decimal is lost": {"decimals come back with their digits and their scale"},
	"texts are trimmed":             {"texts and booleans come back as they were"},
	"no bytes are null":             {"bytes come back as they were"},
	"NaN is null": {
		"NaN and an empty text come back as they were",
		"a cell that does not fit is Invalid and named by row and column",
	},
	"there is no date before 1970": {"times come back as they were"},
	"an empty list is null":        {"lists come back as they were"},
	"no cell is converted": {
		"a cell of another type is converted if nothing is lost",
		"a time without a zone is UTC",
		"a float is rounded to a narrower float",
		"rows are numbered over all batches",
	},
	"a time without a zone is a day late":         {"a time without a zone is UTC"},
	"only what a float of 32 bits has is rounded": {"a float is rounded to a narrower float"},
	"a cell that does not fit is null": {
		"a cell that does not fit is Invalid and named by row and column",
		"rows are numbered over all batches",
		"a type that a column does not hold is Invalid and named",
	},
	"a number becomes a text":          {"a type that a column does not hold is Invalid and named"},
	"rows are numbered in their batch": {"rows are numbered over all batches"},
	"the rows are released":            {"the rows are read to their end and never released"},
	"an empty batch is the end": {
		"rows are numbered over all batches",
		"the rows are read to their end and never released",
	},
	"an error of the rows is another": {"an error of the rows is returned as it is, and nothing is written"},
	"a failure leaves something": {
		"a missing column is Invalid and named",
		"a cell that does not fit is Invalid and named by row and column",
		"an error of the rows is returned as it is, and nothing is written",
		"a failure leaves all as it was",
		"a context that is done ends the Writer within a second",
	},
	"rows are seen as they come": {
		"rows are numbered over all batches",
		"the rows are read to their end and never released",
		"an error of the rows is returned as it is, and nothing is written",
		"a reader sees no row before all are written",
		"Create makes a source that holds the rows, and counts them",
	},
	"a caller who has gone is served": {"a context that is done ends the Writer within a second"},
	"nobody is asked":                 {"an unreachable store is Unavailable"},
	"a connection is kept": {
		"a context that is done ends the Writer within a second",
		"nothing is held afterwards",
	},
	"what Create made is not added to": {"Append adds to what Create made"},
	"what exists is replaced": {
		"without replace, a source that exists is a Conflict and stays",
		"with replace, what Create did not make is a Conflict and stays",
		"of several callers that make one source, one does",
	},
	"what others made is replaced": {"with replace, what Create did not make is a Conflict and stays"},
	"only what exists is replaced": {
		"numbers come back as they were",
		"decimals come back with their digits and their scale",
		"texts and booleans come back as they were",
		"bytes come back as they were",
		"NaN and an empty text come back as they were",
		"times come back as they were",
		"lists come back as they were",
		"with replace, what is not there is made",
	},
	"a source of no rows is not made":  {"Create makes a source of no rows"},
	"who makes a source last makes it": {"of several callers that make one source, one does"},
	"what Create made is kept": {
		"texts and booleans come back as they were",
		"a reader sees no row before all are written",
		"Append adds to what Create made",
		"with replace, what Create made is replaced",
	},
	"all rows are kept in memory": {"memory is bounded by the batch"},
}
