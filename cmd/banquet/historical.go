package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/banquet-fs/banquet/config"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/offline/parquet"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/training"
	"github.com/banquet-fs/banquet/value"
)

// historicalFlags are the flags of get-historical-features.
type historicalFlags struct {
	dataframe, entities string
	features            []string
	service             string
	full, created       bool
	start, end, at      string
	output, format      string
	timeout             time.Duration
	ownTimeout          bool
}

func (a *app) historicalCommand() *cobra.Command {
	f := &historicalFlags{}
	cmd := &cobra.Command{
		Use: "get-historical-features", Short: "Make a training set: features as of the time of each entity row", Args: noArgs,
		Long: "Make a training set: for each entity row, the features as of its time.\n\n" +
			"The entity rows are a file, SQL for the offline store, a JSON list, or all rows of a range of time.\n" +
			"Times without a zone are UTC. Without --output the rows are written as JSON, as Feast's command does.",
		Example: "  banquet get-historical-features --entity-df loans.parquet --feature-service credit_model -o training.parquet\n" +
			"  banquet get-historical-features --entity-df \"SELECT dob_ssn, event_timestamp, paid FROM loans\" -f credit_history:bankruptcies -o training.csv",
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.ownTimeout = cmd.Flags().Changed("sql-timeout")
			if err := f.check(); err != nil {
				return err
			}
			return a.historical(cmd.Context(), f)
		},
	}
	a.ownShorthand(cmd, "feature-store-yaml", &a.file)
	flags := cmd.Flags()
	flags.StringVar(&f.entities, "entity-df", "", "the entity rows: a .parquet, .csv or .arrow file, or SQL")
	flags.StringVarP(&f.dataframe, "dataframe", "d", "", `the entity rows as JSON: '[{"event_timestamp": "2025-03-29T12:00:00", "driver_id": 1001}]'`)
	flags.StringVarP(&f.start, "start-date", "s", "", "first event time, instead of entity rows")
	flags.StringVarP(&f.end, "end-date", "e", "", "last event time, instead of entity rows")
	flags.StringArrayVarP(&f.features, "features", "f", nil, "a feature reference, view:feature; may be repeated")
	flags.StringVar(&f.service, "feature-service", "", "all features of this feature service, instead of --features")
	flags.BoolVar(&f.full, "full-feature-names", false, "name the columns view__feature")
	flags.BoolVar(&f.created, "filter-by-created-timestamp", false, "leave out rows that were created after the time of the entity row, as if they were not known yet")
	flags.StringVar(&f.at, "at", "", "the time of entity rows that have none (default now)")
	flags.StringVarP(&f.output, "output", "o", "", "write to this .parquet, .csv or .arrow file; - is standard output")
	flags.StringVar(&f.format, "format", "", "parquet, csv or arrow, if the name of the output does not say it (default csv for -)")
	flags.DurationVar(&f.timeout, "sql-timeout", 0, "the longest time for the SQL of --entity-df; 0s means no bound (default banquet.offline.sql_timeout)")
	return cmd
}

// check refuses flags that do not fit together.
func (f *historicalFlags) check() error {
	span := f.start + f.end
	switch given := set("--dataframe", f.dataframe, "--entity-df", f.entities, "--start-date/--end-date", span); {
	case len(given) == 0:
		return usage("Either --entity-df, --dataframe or --start-date and/or --end-date must be provided.")
	case len(given) > 1:
		return usage("Cannot specify both %s and %s.", given[0], given[1])
	case span != "" && f.at != "":
		return usage("--at is the time of entity rows, which --start-date and --end-date do not have")
	}
	switch {
	case f.service != "" && len(f.features) > 0:
		return usage("Cannot specify both --feature-service and --features.")
	case f.service == "" && len(f.features) == 0:
		return usage("want --features VIEW:FEATURE, once or more, or --feature-service NAME")
	case f.timeout < 0:
		return usage("--sql-timeout %s is negative", f.timeout)
	}
	_, err := f.outputFormat()
	return err
}

// set gives the names of the flags whose values are set.
func set(flags ...string) []string {
	var names []string
	for i := 0; i < len(flags); i += 2 {
		if flags[i+1] != "" {
			names = append(names, flags[i])
		}
	}
	return names
}

// request is what the flags ask for, without the entity rows.
func (f *historicalFlags) request(now time.Time) (training.Request, error) {
	req := training.Request{Features: f.features, Service: f.service, FullNames: f.full, CreatedBefore: f.created, At: now}
	for _, at := range []struct {
		flag, text string
		to         *time.Time
	}{{"--start-date", f.start, &req.Start}, {"--end-date", f.end, &req.End}, {"--at", f.at, &req.At}} {
		if at.text == "" {
			continue
		}
		t, err := value.ParseTime(at.text)
		if err != nil {
			return req, fault.New(fault.Invalid, "%s: %s", at.flag, fault.Of(err).Text).Because(err)
		}
		*at.to = training.Given(t)
	}
	return req, nil
}

func (a *app) historical(ctx context.Context, f *historicalFlags) error {
	defer limitHeap()()
	req, err := f.request(time.Now())
	if err != nil {
		return err
	}
	r, err := a.open(ctx, true)
	if err != nil {
		return err
	}
	defer r.close()
	if f.ownTimeout {
		r.config.Banquet.Offline.SQLTimeout = config.Duration(f.timeout)
	}
	snapshot, err := r.snapshot(ctx)
	if err != nil {
		return err
	}
	service, err := r.training(func() *registry.Snapshot { return snapshot })
	if err != nil {
		return err
	}
	if err := r.keeps(f.output, snapshot); err != nil {
		return err
	}
	in, err := f.entityRows(ctx, service, &req)
	if err != nil {
		return err
	}
	defer in.close()
	if f.ownTimeout && req.SQL == "" {
		fmt.Fprintln(a.err, "note: --sql-timeout has no effect: the entity rows are not SQL")
	}
	out, err := a.output(f, in.path)
	if err != nil {
		return err
	}
	defer out.discard()
	started := time.Now()
	set, err := service.Historical(ctx, req)
	if err != nil {
		return err
	}
	defer set.Close()
	if f.at != "" && set.At.IsZero() {
		return fault.New(fault.Invalid, "--at %s: the entity rows have times of their own, in column %s; leave out --at, or that column", f.at, set.Timestamp)
	}
	return a.writeSet(set, out, started)
}

// keeps refuses an output that would replace, or be added to, what the repository reads.
func (r *repository) keeps(output string, s *registry.Snapshot) error {
	if output == "" || output == "-" {
		return nil
	}
	const another = "; write the training set to another file"
	if info, err := os.Stat(output); err == nil {
		for _, file := range []string{r.config.File, r.storage.Path(), r.config.Path(r.config.Online.SQLite.Path)} {
			if sameFile(info, file) {
				return fault.New(fault.Invalid, "%s is a file of the repository%s", output, another)
			}
		}
	}
	project, err := s.Project(r.config.Project)
	if err != nil {
		return nil //nolint:nilerr // the request fails with it
	}
	files := parquet.New(r.config.Dir)
	for _, source := range project.DataSources() {
		if files.Holds(source, output) {
			return fault.New(fault.Invalid, "%s is read by data source %s%s", output, source.GetName(), another)
		}
	}
	return nil
}

// writeSet writes a training set, with its progress and a summary.
func (a *app) writeSet(set *training.Set, out *output, started time.Time) error {
	coverage := set.Count()
	if err := out.start(set.Schema()); err != nil {
		return err
	}
	bar := a.setBar(set, out, started)
	defer bar.end()
	for set.Next() {
		if err := out.write(set.RecordBatch()); err != nil {
			return err
		}
		bar.add(set.RecordBatch().NumRows(), time.Now())
	}
	bar.end()
	if err := set.Err(); err != nil {
		return err
	}
	if err := out.finish(); err != nil {
		return err
	}
	if out.name != "" {
		a.summarize(out, coverage, time.Since(started))
	}
	for _, note := range set.Notes {
		fmt.Fprintln(a.err, "note: "+note)
	}
	return nil
}
