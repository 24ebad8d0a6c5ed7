package main

import (
	"context"
	"errors"
	"regexp"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/training"
	"github.com/banquet-fs/banquet/value"
)

// materializeFlags are the flags of both commands.
type materializeFlags struct {
	views      []string
	version    string
	dryRun     bool
	restart    bool
	shard      string
	parallel   int
	progress   string
	noProgress bool
}

// maxParallel bounds the views that are materialized at once: each has rows in memory.
const maxParallel = 64

const progressHelp = `

While it runs, a terminal shows a bar for each feature view. Without a terminal, runs of more
than two seconds write one line of JSON per second and view to standard error, with the fields
time, event ("progress"), view, phase ("reading" or "writing"), rows, total (rows to write, 0
until all are read), resumed (rows that an unfinished run had stored), rows_per_second, and
seconds_left, which is absent while it is not known. --progress chooses one form, --no-progress
none.`

func (f *materializeFlags) add(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringArrayVarP(&f.views, "views", "v", nil, "only this feature view; may be repeated")
	fl.StringVar(&f.version, "version", "", "this version of the one view of --views, such as v2, into its own table; needs enable_online_feature_view_versioning")
	fl.BoolVar(&f.dryRun, "dry-run", false, "read and count the rows, estimate what would be written, and write nothing")
	fl.BoolVar(&f.restart, "restart", false, "start over instead of continuing an unfinished run")
	fl.StringVar(&f.shard, "shard", "", "I/N: only part I of N of the keys; run all parts, at the same time or not, on one machine or several")
	fl.IntVar(&f.parallel, "parallel", 1, "feature views to materialize at once")
	fl.StringVar(&f.progress, "progress", "auto", "progress on standard error: auto (a bar on a terminal, else JSON), bar, json, none")
	fl.BoolVar(&f.noProgress, "no-progress", false, "the same as --progress none")
	cmd.Long = cmd.Short + "." + progressHelp
}

var shardForm = regexp.MustCompile(`^([0-9]{1,6})/([0-9]{1,6})$`)

// request is the request of the flags, without its window.
func (f *materializeFlags) request() (ingest.Request, error) {
	req := ingest.Request{Views: f.views, DryRun: f.dryRun, Restart: f.restart}
	if f.parallel < 1 || f.parallel > maxParallel {
		return req, usage("--parallel %d; want 1 to %d", f.parallel, maxParallel)
	}
	switch f.progress {
	case "auto", "bar", "json", "none":
	default:
		return req, usage("--progress %q; want auto, bar, json or none", f.progress)
	}
	if f.shard == "" {
		return req, nil
	}
	part := shardForm.FindStringSubmatch(f.shard)
	if part == nil {
		return req, usage("--shard %q; want a part and the number of parts, such as 1/4", f.shard)
	}
	index, _ := strconv.Atoi(part[1]) // digits
	count, _ := strconv.Atoi(part[2])
	if index < 1 || index > count {
		return req, usage("--shard %s; the parts are 1/%d to %d/%d", f.shard, max(count, 1), max(count, 1), max(count, 1))
	}
	req.Shard = ingest.Shard{Index: index - 1, Count: count}
	return req, nil
}

func (a *app) materializeCommand() *cobra.Command {
	var f materializeFlags
	var start, end string
	var whole bool
	cmd := &cobra.Command{
		Use: "materialize [START_TS END_TS]", Short: "Load the rows of a time window into the online store",
		Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && (start != "" || end != "") {
				return usage("give the window as START_TS END_TS or as --start-ts and --end-ts, not both")
			}
			if len(args) == 2 {
				start, end = args[0], args[1]
			}
			switch {
			case whole && (start != "" || end != ""):
				return usage("Cannot specify START_TS or END_TS when --disable-event-timestamp is used")
			case !whole && (start == "" || end == ""):
				return usage("START_TS and END_TS are required unless --disable-event-timestamp is used")
			}
			req, err := f.request()
			if err != nil {
				return err
			}
			req.Start, req.End = time.Unix(0, 0), time.Now()
			if !whole {
				if req.Start, err = value.ParseTime(start); err != nil {
					return err
				}
				if req.End, err = value.ParseTime(end); err != nil {
					return err
				}
			}
			return a.materialize(cmd.Context(), &f, req, false)
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&start, "start-ts", "", "first event time, ISO 8601; without a zone it is UTC")
	cmd.Flags().StringVar(&end, "end-ts", "", "last event time, ISO 8601; without a zone it is UTC")
	cmd.Flags().BoolVar(&whole, "disable-event-timestamp", false, "load every row from 1970 up to now")
	return cmd
}

func (a *app) incrementalCommand() *cobra.Command {
	var f materializeFlags
	cmd := &cobra.Command{
		Use: "materialize-incremental END_TS", Short: "Load the rows since the last window into the online store",
		Args: oneArg("the end of the window"),
		RunE: func(cmd *cobra.Command, args []string) error {
			req, err := f.request()
			if err != nil {
				return err
			}
			if req.End, err = value.ParseTime(args[0]); err != nil {
				return err
			}
			return a.materialize(cmd.Context(), &f, req, true)
		},
	}
	f.add(cmd)
	return cmd
}

func (a *app) materialize(ctx context.Context, f *materializeFlags, req ingest.Request, incremental bool) error {
	r, err := a.open(ctx, true)
	if err != nil {
		return err
	}
	defer r.close()
	if req.Version, err = ingest.ParseVersion(f.version, f.views, r.config.Registry.Versioned); err != nil {
		return err
	}
	show := &progress{app: a, req: req, incremental: incremental, store: r.config.Online.Type, together: f.parallel > 1, form: f.form(a)}
	m, err := r.materializer(ctx, r.config.Project, f.parallel, show.observer())
	if err != nil {
		return err
	}
	r.warnOfConfig()
	show.begin()
	if incremental {
		_, err = m.MaterializeIncremental(ctx, req)
	} else {
		_, err = m.Materialize(ctx, req)
	}
	show.end()
	return err
}

// materializer makes the use case that loads rows into the online store.
func (r *repository) materializer(ctx context.Context, project string, parallel int, o ingest.Observer) (*ingest.Materializer, error) {
	off, online, err := r.bothStores(ctx)
	if err != nil {
		return nil, err
	}
	opt := ingest.Options{
		Storage: r.storage, Registry: r.options(), Project: project, Offline: off, Online: online,
		KeyVersion: r.config.KeyVersion, BatchSize: r.config.Materialization.BatchSize, BatchCells: r.batchCells(),
		Runs: r.storage.Records(), Parallel: parallel, Observer: o, Log: r.app.log,
	}
	if source, ok := off.(training.Source); ok {
		functions, err := r.functions()
		if err != nil {
			return nil, err
		}
		opt.Computer = training.New(training.Options{Source: source, Functions: functions})
	}
	return ingest.New(opt), nil
}

// bothStores opens the offline and the online store.
func (r *repository) bothStores(ctx context.Context) (offline.Store, stores.Store, error) {
	const need = "materialize"
	if err := errors.Join(r.config.ProviderBuilt(need), r.config.EngineBuilt(need), r.config.VectorsBuilt(need)); err != nil {
		return nil, nil, err
	}
	off, err := r.offlineStore(need)
	if err != nil {
		return nil, nil, err
	}
	online, err := r.onlineStore(ctx, nil, need)
	return off, online, err
}

// batchCells is the number of values in one write. A write to SQLite is a transaction,
// which waits for the disk several times at its end, and readers wait for it: hence
// neither a few rows nor all of them.
func (r *repository) batchCells() int {
	if r.config.Online.Type == "sqlite" {
		return 30_000
	}
	return 0
}
