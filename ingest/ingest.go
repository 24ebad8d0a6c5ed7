// Package ingest writes to the online store. Materialize reads a window of a
// feature view's batch source, or computes the rows of an on-demand view, keeps the
// newest row of each key, writes it, and records the window in the registry once all
// rows are stored.
package ingest

import (
	"log/slog"
	"sync"
	"time"

	"github.com/banquet-fs/banquet/internal/spool"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/stores"
)

// Options configure a Materializer.
type Options struct {
	Storage  registry.Storage
	Registry registry.Options
	Project  string
	Offline  offline.Store
	Online   stores.Writer
	// Computer computes the rows of on-demand views; nil refuses these.
	Computer Computer
	// KeyVersion is the entity_key_serialization_version.
	KeyVersion int
	// BatchSize is how many rows one write carries; 0 chooses a default.
	BatchSize int
	// BatchCells lets a write carry more rows, unless BatchSize is given, while
	// it has no more values than BatchCells: for stores that wait for a disk at
	// each write.
	BatchCells int
	// Runs keeps the records of unfinished runs, so that they can be resumed; nil
	// keeps none.
	Runs registry.Records
	// Spool is where rows wait that do not fit into memory.
	Spool spool.Options
	// Parallel is how many views are materialized at once; 0 is 1.
	Parallel int
	// Readers is how many readers of one view's source work at once at most, where
	// the store can divide the source; 0 shares the processors, up to four, among
	// the views that are materialized at once.
	Readers int
	// Observer is told about the run; its zero value is silent.
	Observer Observer
	Log      *slog.Logger
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Observer is told about the progress of a run, by one goroutine at a time. Nil
// functions are not called.
type Observer struct {
	// Planned is called once, before anything is read.
	Planned func(windows []Window)
	// Started is called before a view is read.
	Started func(w Window)
	// Resumed is called when a view continues an unfinished run: rows is how many
	// rows that run has stored.
	Resumed func(w Window, rows int)
	// Reading is called while a view is read, with the number of rows so far.
	Reading func(w Window, rows int64)
	// Written is called whenever the store has acknowledged more rows; total is
	// the number of distinct keys, which is known once the window has been
	// read.
	Written func(w Window, rows, total int)
	// Finished is called when a view is done and its window recorded.
	Finished func(r Result)
}

// Window is the span of event times, both inclusive, that a view is
// materialized for.
type Window struct {
	View       string
	Start, End time.Time
	// Assumed is set when an incremental run found no earlier window and a ttl
	// of 0, and therefore starts one year ago.
	Assumed bool
}

// Result is the outcome of one view. Written, Older and the rows that the store
// refused add up to Keys.
type Result struct {
	Window
	Read     int64 // rows of the window
	Keys     int   // distinct keys among them, each of which is one row to write
	Written  int   // rows that are stored, as the store says
	Older    int   // rows that were not written because a newer one is stored
	NullKeys int64 // rows left out because a join key is null
	Elapsed  time.Duration
	// Resumed are the rows among Written that an earlier, unfinished run has stored.
	Resumed int
	// Estimate is set by a dry run.
	Estimate *Estimate
	// Waiting is set by a shard that is stored while others are not: the window is
	// not recorded yet. It tells which are missing, and the command that runs one.
	Waiting string
	// Hint is set when the window had no rows although the source holds rows
	// that were never materialized: it tells where they lie, and the command
	// that materializes them.
	Hint string
	// Late is set when rows arrived after the last run with event times that an
	// earlier window had covered, or that no window will: it tells how many,
	// where they lie, and the command that materializes them.
	Late string
	// Overlap is set when another run of the view was recorded during this one:
	// older rows of one run may have replaced newer rows of the other, and the
	// command in it repairs them.
	Overlap string
}

// Request says what to materialize.
type Request struct {
	// Views by name; empty means every view that is served online.
	Views []string
	// Version is the version of the one view in Views; nil is the current one. The rows of
	// another version go to its own table, and the window is not recorded: recorded
	// windows are those of the current version.
	Version *int
	// Start is the first event time; ignored by an incremental run.
	Start time.Time
	// End is the last event time.
	End time.Time
	// DryRun reads and counts, and writes nothing. Results then have an Estimate.
	DryRun bool
	// Restart ignores the record of an unfinished run and starts over.
	Restart bool
	// Shard restricts the run to a part of the keys; its zero value is all of them.
	Shard Shard
}

// Shard is part Index, from 0, of Count parts of a run, which may run at the same
// time on several machines. The part that finishes last records the window.
type Shard struct{ Index, Count int }

// Estimate is what a run would write.
type Estimate struct {
	// Rows is the number of rows, and Bytes their size in the store.
	Rows, Bytes int64
	// WriteUnits are the write capacity units that DynamoDB would charge; 0 for
	// other stores.
	WriteUnits int64
}

// Materializer moves rows from the offline store to the online store.
type Materializer struct {
	opt    Options
	warned sync.Once // that records cannot be kept
	told   sync.Mutex
}

// New makes a Materializer.
func New(opt Options) *Materializer {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.BatchSize > 0 {
		opt.BatchCells = 0
	} else {
		opt.BatchSize = defaultBatch
	}
	return &Materializer{opt: opt}
}
