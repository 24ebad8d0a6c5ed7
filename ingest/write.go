package ingest

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/encode"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/transform"
)

// Column is a column of the rows of a write. Its cells are of any form that package
// value has: JSON tokens, texts, Values or an Arrow array. They get the types of the
// view's schema when they are written, by the conversions that materialize uses.
type Column = encode.Column

// Target says which stores a push writes to.
type Target uint8

// The targets of a push.
const (
	Online Target = iota
	Offline
	OnlineAndOffline
)

// String is Feast's name of the target.
func (t Target) String() string {
	return [...]string{Online: "online", Offline: "offline", OnlineAndOffline: "online_and_offline"}[t]
}

// ParseTarget reads Feast's name of a target. The text of its error is Feast's.
func ParseTarget(name string) (Target, error) {
	for t := Online; t <= OnlineAndOffline; t++ {
		if t.String() == name {
			return t, nil
		}
	}
	return 0, fault.New(fault.Invalid, "%s is not a supported push format. Please specify one of these ['online', 'offline', 'online_and_offline'].", name)
}

// PushRequest is rows for the views of a push source.
type PushRequest struct {
	// Project is the project; empty is that of the Options.
	Project string
	// Source is the name of the push source. It feeds every batch view, stream view and
	// label view of which it is the stream source.
	Source string
	To     Target
	Rows
}

// WriteRequest is rows for the online table of one view of any kind.
type WriteRequest struct {
	Project string
	View    string
	Rows
}

// Rows are the rows of a write.
type Rows struct {
	// Columns are the join keys, the features, the event time, and the created time if
	// the batch source has one, in any order and under the names of the view or of its
	// batch source. Feast's SDK calls the times event_timestamp and created whatever the
	// source calls them: that works, too. Other columns are ignored online.
	Columns []Column
	// Fresh checks the registry for changes first: Feast's allow_registry_cache=false.
	Fresh bool
	// Partial writes the rows that can be written when others cannot be converted. Without
	// it nothing is written then.
	Partial bool
	// First is the number of the first row in messages.
	First int
	// Untransformed says that rows of an on-demand view have its outputs, not its
	// inputs: Feast's transform_on_write=false.
	Untransformed bool

	chunk bool // of many rows: the limits are for requests
}

// Report says what became of the rows, for each view.
type Report struct {
	Views []ViewReport
}

// ViewReport is what became of the rows in one view. Online, each row is stored, listed
// as older or failed, or left out because the rows have no features.
type ViewReport struct {
	View string
	// Rows is the number of rows that were sent.
	Rows int
	// Stored is how many of them are stored online, as the store says.
	Stored int
	// Older are the rows, from 0 and ascending, that were not stored because the store, or
	// another row of the same write, has a newer row of their key.
	Older     []int
	OlderRows int // how many; PushAll lists only the first of many
	// Empty is set if no row has any feature that is not null: as in Feast, nothing is
	// then written online.
	Empty     bool
	EmptyRows int // of PushAll
	// NotOnline is set if rows were not written online because the view is not served online
	// (online=False), while other views of the push source are.
	NotOnline bool
	// Failed are the rows that are not known to be stored, ascending, and why.
	Failed     []FailedRow
	FailedRows int // how many; PushAll lists only the first of many
	// Appended is how many rows were added to the batch source.
	Appended int64
}

// FailedRow is a row that is not stored.
type FailedRow struct {
	Row int // from 0
	// Name names the row by its number and its join keys.
	Name string
	Err  error
}

// Appender adds rows to the batch sources of views.
type Appender interface {
	// Columns lists the columns of a data source.
	Columns(ctx context.Context, source *core.DataSource) ([]offline.Column, error)
	// Append adds rows to the batch source of a view, all or none, and returns how many.
	Append(ctx context.Context, project, view string, rows array.RecordReader) (int64, error)
}

// WriterOptions configure a Writer.
type WriterOptions struct {
	// Snapshots returns the current registry; Refresh checks it for changes.
	Snapshots func() *registry.Snapshot
	Refresh   func(ctx context.Context) error
	// Project is the project of requests that name none.
	Project string
	// Online returns the online store, and Appender the writer of batch sources, when one
	// is first needed; an error says why there is none.
	Online   func(ctx context.Context) (stores.Writer, error)
	Appender func(ctx context.Context) (Appender, error)
	// Functions returns what computes functions that banquet does not compile, when the
	// first is needed; nil stands for nothing.
	Functions func() (transform.Service, error)
	// KeyVersion is the entity_key_serialization_version.
	KeyVersion int
	// Limits bound a write; 0 means no limit.
	Limits WriteLimits
	// Deadline bounds the time of writing all views of a push online, OfflineDeadline that of adding rows
	// to one batch source, if the caller has no shorter one; 0 means no bound.
	Deadline, OfflineDeadline time.Duration
	Log                       *slog.Logger
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// WriteLimits bound the rows and the cells of one write.
type WriteLimits struct{ Rows, Cells int }

// Writer is the use case of push and write: it types rows by the schema of their views and
// stores them, the newest row of each key. It is safe for concurrent use.
type Writer struct {
	opt   WriterOptions
	forms atomic.Pointer[forms]
}

// NewWriter makes a Writer.
func NewWriter(opt WriterOptions) *Writer {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	w := &Writer{opt: opt}
	w.forms.Store(&forms{})
	return w
}

// Push stores rows for all views of a push source.
//
//   - Rows are checked and converted for all views and stores before anything is
//     written: a row that cannot be written makes the whole push Invalid, unless
//     Partial is set. The error names rows, columns and reasons.
//   - Online, a row never replaces one with a newer event time; of rows with the same
//     key and event time the last one counts. Pushing the same rows again changes nothing.
//   - What a busy store refuses is written again until the deadline.
//   - Online is written before offline. If a store fails, the report says what is stored,
//     and the error names the rest: pushing the same rows again completes it. Only if the
//     response of the offline store is lost can that store get rows twice.
//   - An error comes with a report as far as anything was written. A push without an
//     error stored every row, or lists it in the report.
//   - An unknown push source is a NotFound fault about a "push source".
func (w *Writer) Push(ctx context.Context, req PushRequest) (Report, error) {
	project, err := w.project(ctx, req.Project, req.Fresh)
	if err != nil {
		return Report{}, err
	}
	views, err := fedBy(project, req.Source)
	if err != nil {
		return Report{}, err
	}
	p, err := w.plan(ctx, project, views, &req.Rows, req.To)
	if err != nil {
		return Report{}, err
	}
	return w.run(ctx, p)
}

// Write stores rows in the online table of a view, as Push does. An unknown view is a
// NotFound fault about a "feature view".
func (w *Writer) Write(ctx context.Context, req WriteRequest) (Report, error) {
	project, err := w.project(ctx, req.Project, req.Fresh)
	if err != nil {
		return Report{}, err
	}
	v, err := project.View(req.View)
	if err != nil {
		return Report{}, err
	}
	p, err := w.plan(ctx, project, []*registry.View{v}, &req.Rows, Online)
	if err != nil {
		return Report{}, err
	}
	return w.run(ctx, p)
}

// project is the project of a request in the current registry.
func (w *Writer) project(ctx context.Context, name string, fresh bool) (*registry.Project, error) {
	if fresh && w.opt.Refresh != nil {
		if err := w.opt.Refresh(ctx); err != nil {
			return nil, err
		}
	}
	s := w.opt.Snapshots()
	if s == nil {
		return nil, fault.Registry(fault.Unavailable, "the registry has not been read yet")
	}
	if known := w.forms.Load(); known.generation != s.Generation() {
		w.forms.CompareAndSwap(known, &forms{generation: s.Generation()})
	}
	if name == "" {
		name = w.opt.Project
	}
	return s.Project(name)
}

// fedBy are the views that a push source feeds, in the order of the registry.
func fedBy(project *registry.Project, source string) ([]*registry.View, error) {
	var out []*registry.View
	for _, v := range project.Views() {
		if v.Stream.GetType() == core.DataSource_PUSH_SOURCE && v.Stream.GetName() == source {
			out = append(out, v)
		}
	}
	if len(out) == 0 {
		return nil, fault.New(fault.NotFound, "Unable to find push source '%s'.", source).About("push source", source, project.Name)
	}
	return out, nil
}

// forms are the forms of the views of one snapshot. They do not outlive it: they would
// hold the whole snapshot.
type forms struct {
	generation uint64
	of         map[*registry.View]*form
}

// form is what writing a view needs that does not depend on the rows.
type form struct {
	*encode.Form
	features *stores.Selection
	vector   *encode.Vector // nil: the view has none

	once     sync.Once // compiles the function of an on-demand view
	compiled *transform.Program
	whyNot   error
}

// form returns the form of a view. Forms are kept, since making one costs more than
// writing a row.
func (w *Writer) form(v *registry.View) (*form, error) {
	known := w.forms.Load()
	if f, ok := known.of[v]; ok {
		return f, nil
	}
	made, err := encode.NewForm(v, w.opt.KeyVersion)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(v.Features))
	for i, f := range v.Features {
		names[i] = f.Name
	}
	f := &form{Form: made, features: stores.NewSelection(names...), vector: encode.NewVector(v)}
	next := &forms{generation: known.generation, of: map[*registry.View]*form{v: f}}
	maps.Copy(next.of, known.of)
	w.forms.CompareAndSwap(known, next) // the loser of a race makes its form again
	return f, nil
}
