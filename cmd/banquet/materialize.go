package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/value"
)

func (a *app) materializeCommand() *cobra.Command {
	var views []string
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
			req := ingest.Request{Views: views, Start: time.Unix(0, 0), End: time.Now()}
			if !whole {
				var err error
				if req.Start, err = value.ParseTime(start); err != nil {
					return err
				}
				if req.End, err = value.ParseTime(end); err != nil {
					return err
				}
			}
			return a.materialize(cmd.Context(), req, false)
		},
	}
	cmd.Flags().StringArrayVarP(&views, "views", "v", nil, "only this feature view; may be repeated")
	cmd.Flags().StringVar(&start, "start-ts", "", "first event time, ISO 8601; without a zone it is UTC")
	cmd.Flags().StringVar(&end, "end-ts", "", "last event time, ISO 8601; without a zone it is UTC")
	cmd.Flags().BoolVar(&whole, "disable-event-timestamp", false, "load every row up to now")
	return cmd
}

func (a *app) incrementalCommand() *cobra.Command {
	var views []string
	cmd := &cobra.Command{
		Use: "materialize-incremental END_TS", Short: "Load the rows since the last window into the online store",
		Args: exactly(1, "the end of the window"),
		RunE: func(cmd *cobra.Command, args []string) error {
			end, err := value.ParseTime(args[0])
			if err != nil {
				return err
			}
			return a.materialize(cmd.Context(), ingest.Request{Views: views, End: end}, true)
		},
	}
	cmd.Flags().StringArrayVarP(&views, "views", "v", nil, "only this feature view; may be repeated")
	return cmd
}

func (a *app) materialize(ctx context.Context, req ingest.Request, incremental bool) error {
	r, err := a.open(true)
	if err != nil {
		return err
	}
	defer r.close()
	off, online, err := r.bothStores(ctx)
	if err != nil {
		return err
	}
	r.warnOfConfig()
	show := &progress{app: a, req: req, incremental: incremental, store: r.config.Online.Type}
	m := ingest.New(ingest.Options{
		Storage: r.storage, Registry: r.options(), Project: r.config.Project, Offline: off, Online: online,
		KeyVersion: r.config.KeyVersion, BatchSize: r.config.Materialization.BatchSize, BatchCells: r.batchCells(), Observer: show.observer(), Log: a.log,
	})
	if incremental {
		_, err = m.MaterializeIncremental(ctx, req)
	} else {
		_, err = m.Materialize(ctx, req)
	}
	show.end()
	return err
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

// progress shows the progress of a materialization: with a bar on a terminal, else
// with plain lines.
type progress struct {
	app         *app
	req         ingest.Request
	incremental bool
	store       string
	bar         *progressbar.ProgressBar
}

func feastTime(t time.Time) string {
	return t.UTC().Truncate(time.Second).Format("2006-01-02 15:04:05+00:00")
}

func (p *progress) observer() ingest.Observer {
	a := p.app
	return ingest.Observer{
		Planned: func(windows []ingest.Window) {
			from := ""
			if !p.incremental {
				from = "from " + a.green(feastTime(p.req.Start)) + " "
			}
			fmt.Fprintf(a.out, "Materializing %s feature views %sto %s into the %s online store.\n\n",
				a.green(fmt.Sprint(len(windows))), from, a.green(feastTime(p.req.End)), a.green(p.store))
		},
		Started: func(w ingest.Window) {
			if w.Assumed {
				fmt.Fprintf(a.out, "Since the ttl is 0 for feature view %s, the start date will be set to 1 year before the current time.\n", a.green(w.View))
			}
			if p.incremental {
				fmt.Fprintf(a.out, "%s from %s to %s:\n", a.green(w.View), a.green(feastTime(w.Start)), a.green(feastTime(w.End)))
				return
			}
			fmt.Fprintf(a.out, "%s:\n", a.green(w.View))
		},
		Written: func(w ingest.Window, rows, total int) {
			if !a.errTerminal {
				return
			}
			if p.bar == nil {
				p.bar = newBar(a.err, w.View, total)
			}
			_ = p.bar.Set(rows)
		},
		Finished: p.finished,
	}
}

func newBar(w io.Writer, view string, total int) *progressbar.ProgressBar {
	return progressbar.NewOptions(total, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(view),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("rows"), progressbar.OptionClearOnFinish(),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetPredictTime(true), progressbar.OptionFullWidth())
}

func (p *progress) finished(r ingest.Result) {
	p.end()
	a := p.app
	rate := ""
	if s := r.Elapsed.Seconds(); r.Written > 0 && s > 0 {
		rate = fmt.Sprintf(" in %.1f s (%.0f rows/s)", s, float64(r.Read)/s)
	}
	older := ""
	if r.Older > 0 {
		older = fmt.Sprintf(", %d were older than the stored rows", r.Older)
	}
	fmt.Fprintf(a.out, "  %d rows written of %d read%s%s\n", r.Written, r.Read, older, rate)
	for _, w := range []string{r.Hint, r.Late, r.Overlap} {
		if w != "" {
			fmt.Fprintln(a.err, "warning: "+w)
		}
	}
}

// end removes the bar.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
		p.bar = nil
	}
}
