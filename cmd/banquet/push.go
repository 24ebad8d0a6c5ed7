package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/banquet-fs/banquet/encode"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/registry"
)

const pushHelp = `Write the rows of a file to the online store, to the batch source, or to both.

FILE is Parquet (.parquet), Arrow (.arrow), CSV with a header line (.csv), or JSON (.json, .jsonl): a list of
objects, an object in each line, or an object of lists. With - it is standard input, and FILE may be a pipe, each
in any of these forms. An object of lists must fit into memory.

The columns are the join keys, the features, the event time, and the created time if the batch source has one, under
the names of the view or of its source; the times may also be called event_timestamp and created. Times are text
in ISO 8601; without a zone they are UTC.

A row never replaces one with a newer event time; of rows with the same key and event time, the last one counts.
SQLite keeps event times, as in Feast, to the second, so that there the last one within a second counts.
Pushing a file again is safe. Rows that cannot be stored are named by their number, from 0, the other rows are
stored, and the exit code is 1. With --to offline, or after all rows are stored online with --to
online_and_offline, the rows are added to the batch source in one transaction; for that they must have exactly its
columns.`

// pushFlags are the flags of push.
type pushFlags struct {
	materializeFlags
	source, view, to string
}

func (a *app) pushCommand() *cobra.Command {
	var f pushFlags
	cmd := &cobra.Command{
		Use: "push FILE|-", Short: "Write the rows of a file to the stores", Long: pushHelp + progressHelp,
		Args: oneArg("the name of a file, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (f.source == "") == (f.view == "") {
				return usage("want either --push-source NAME or --view NAME")
			}
			to, err := ingest.ParseTarget(f.to)
			if err != nil {
				return usage("--to %q; want online, offline or online_and_offline", f.to)
			}
			switch f.progress {
			case "auto", "bar", "json", "none":
			default:
				return usage("--progress %q; want auto, bar, json or none", f.progress)
			}
			return a.push(cmd.Context(), &f, args[0], to)
		},
	}
	fl := cmd.Flags()
	fl.StringVarP(&f.source, "push-source", "s", "", "the push source: the rows are for all of its views")
	fl.StringVarP(&f.view, "view", "v", "", "the feature view that the rows are for")
	fl.StringVar(&f.to, "to", "online", "online, offline or online_and_offline")
	fl.StringVar(&f.progress, "progress", "auto", "progress on standard error: auto (a bar on a terminal, else JSON), bar, json, none")
	fl.BoolVar(&f.noProgress, "no-progress", false, "the same as --progress none")
	return cmd
}

func (a *app) push(ctx context.Context, f *pushFlags, path string, to ingest.Target) error {
	r, err := a.open(ctx, true)
	if err != nil {
		return err
	}
	defer r.close()
	snapshot, err := r.snapshot(ctx)
	if err != nil {
		return err
	}
	file, err := a.openPushFile(ctx, path)
	if err != nil {
		return err
	}
	defer file.close()
	project, err := snapshot.Project(r.config.Project)
	if err != nil {
		return err
	}
	file.kinds = pushedTypes(project, f)
	r.warnOfConfig()
	w := r.writer(func() *registry.Snapshot { return snapshot }, nil)
	show := &progress{app: a, form: f.form(a)}
	name := f.view
	if name == "" {
		name = f.source
	}
	window := ingest.Window{View: name}
	o := show.meter.Observer(ingest.Observer{})
	o.Started(window)
	show.begin()
	began := time.Now()
	report, err := w.PushAll(ctx, ingest.AllRequest{
		Source: f.source, View: f.view, To: to, Chunks: file.chunks,
		Written:  func(rows int) { o.Written(window, rows, 0) },
		Appended: func(rows int) { o.Reading(window, int64(rows)) },
	})
	show.end()
	if err == nil || pushed(&report) {
		a.sayPushed(&report, to, time.Since(began))
	}
	if err != nil && ctx.Err() != nil {
		return stoppedPush(ctx, err, &report, to)
	}
	return err
}

// stoppedPush is the error of a push that ctx has ended: how much of the file is stored.
func stoppedPush(ctx context.Context, err error, report *ingest.Report, to ingest.Target) error {
	done := "no row is added to the batch source"
	if to != ingest.Offline {
		stored := 0
		for i := range report.Views {
			stored = max(stored, report.Views[i].Stored)
		}
		done = fmt.Sprintf("%d rows are known to be stored online, where they change nothing when they are pushed again", stored)
		if to != ingest.Online {
			done += "; no row is added to the batch source"
		}
	}
	if _, places, ok := strings.Cut(fault.Of(err).Text, fault.Of(ctx.Err()).Text+"; "); ok { // what a later step says is stored
		done = places
	}
	return fault.New(fault.KindOf(ctx.Err()), "stopped; %s", done)
}

// pushedTypes are the value types of the columns of the pushed views, under all names that
// a column may have. Event times are left out: they are read as text.
func pushedTypes(project *registry.Project, f *pushFlags) map[string]types.ValueType_Enum {
	kinds := map[string]types.ValueType_Enum{}
	for _, v := range project.Views() {
		if v.Name != f.view && (f.source == "" || v.Stream.GetType() != core.DataSource_PUSH_SOURCE || v.Stream.GetName() != f.source) {
			continue
		}
		original := encode.Originals(v.Batch.GetFieldMapping())
		for _, k := range v.JoinKeys {
			kinds[k.Name], kinds[original(k.Name)] = k.Type, k.Type
		}
		for _, feature := range v.Features {
			kinds[feature.Name], kinds[original(feature.Name)] = feature.Type, feature.Type
		}
	}
	return kinds
}

// pushed reports whether a push did anything before it failed.
func pushed(report *ingest.Report) bool {
	return slices.ContainsFunc(report.Views, func(v ingest.ViewReport) bool { return v.Rows > 0 || v.Appended > 0 })
}

// sayPushed prints what became of the rows, also after a failure.
func (a *app) sayPushed(report *ingest.Report, to ingest.Target, took time.Duration) {
	for i := range report.Views {
		v := &report.Views[i]
		fmt.Fprintf(a.out, "%s:\n", a.green(v.View))
		if to != ingest.Offline {
			fmt.Fprintf(a.out, "  %s%s\n", pushedOnline(v), pushRate(v, took))
		}
		if to != ingest.Online {
			fmt.Fprintf(a.out, "  %d rows added to the batch source\n", v.Appended)
		}
	}
}

func pushedOnline(v *ingest.ViewReport) string {
	if v.NotOnline {
		return "not written online: the view has online=False"
	}
	parts := []string{fmt.Sprintf("%d rows written of %d read", v.Stored, v.Rows)}
	if v.OlderRows > 0 {
		parts = append(parts, fmt.Sprintf("%d were older than the stored rows", v.OlderRows))
	}
	if v.EmptyRows > 0 {
		parts = append(parts, fmt.Sprintf("%d had no features", v.EmptyRows))
	}
	if v.FailedRows > 0 {
		parts = append(parts, fmt.Sprintf("%d could not be stored", v.FailedRows))
	}
	return strings.Join(parts, ", ")
}

func pushRate(v *ingest.ViewReport, took time.Duration) string {
	if s := took.Seconds(); v.Stored > 0 && s > 0 {
		return fmt.Sprintf(" in %.1f s (%.0f rows/s)", s, float64(v.Rows)/s)
	}
	return ""
}
