package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/banquet-fs/banquet/apply"
	"github.com/banquet-fs/banquet/definitions"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
)

const noDatasets = "validation of datasets (START END) is not built yet; without arguments validate checks the repository"

func (a *app) validateCommand() *cobra.Command {
	var s skips
	cmd := &cobra.Command{
		Use: "validate", Short: "Check configuration, definitions, registry and stores, one line per fault",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage(noDatasets)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, name := range []string{"feature-service", "reference"} {
				if cmd.Flags().Changed(name) {
					return usage("--%s: %s", name, noDatasets)
				}
			}
			a.noteSkips(s)
			return a.validate(cmd.Context(), s)
		},
	}
	s.add(cmd)
	a.ownShorthand(cmd, "feature-store-yaml", &a.file)
	a.pythonFlag(cmd)
	cmd.Flags().StringP("feature-service", "f", "", "validation of datasets is not supported yet")
	cmd.Flags().StringP("reference", "r", "", "validation of datasets is not supported yet")
	_ = cmd.Flags().MarkHidden("feature-service")
	_ = cmd.Flags().MarkHidden("reference")
	return cmd
}

// findings collects the findings of a validation.
type findings struct {
	faults []string
	good   []string
}

func (f *findings) check(what string, err error, good string) bool {
	if err != nil {
		for line := range strings.SplitSeq(fault.Of(err).Text, "\n") {
			f.faults = append(f.faults, what+": "+line)
		}
		return false
	}
	f.good = append(f.good, what+": "+good)
	return true
}

// validatePlan does everything that an apply does before its first write.
func (a *app) validatePlan(ctx context.Context, r *repository, repo *definitions.Repo, s skips, f *findings) error {
	applier, err := r.applier(ctx, repo, s, "apply")
	if err != nil {
		return err
	}
	p, err := applier.Plan(ctx, &repo.Objects)
	if err != nil {
		return err
	}
	for _, finding := range p.Findings {
		if !finding.Refused {
			fmt.Fprintf(a.err, "warning: %s\n", finding.Text)
		}
	}
	for _, err := range p.Sources {
		f.check("sources", err, "")
	}
	a.warnOfSources(&apply.Plan{Indexes: p.Indexes, Functions: p.Functions})
	r.checkTables(ctx, p, f)
	if !s.source && len(p.Sources) == 0 && len(repo.Objects.FeatureViews)+len(repo.Objects.StreamFeatureViews) > 0 {
		f.good = append(f.good, "sources: they have the columns that the feature views need")
	}
	return p.Refused
}

// checkTables finds the tables of unchanged feature views that are gone: requests fail until
// an apply has made them again.
func (r *repository) checkTables(ctx context.Context, p *apply.Plan, f *findings) {
	project, err := r.project(ctx)
	if err != nil {
		return // no registry, or the fault is known
	}
	changed := map[string]bool{}
	for _, c := range p.Changes {
		changed[c.Name] = true
	}
	for _, t := range p.Tables {
		view := t.Spec.Table.View
		if _, err := project.View(view); t.Action == stores.Create && err == nil && !changed[view] {
			f.faults = append(f.faults, fmt.Sprintf("online store: table %s of feature view %s does not exist, and requests for its features fail; `banquet apply` makes it", t.Name, view))
		}
	}
}

func (a *app) validate(ctx context.Context, s skips) error {
	r, err := a.open(ctx, true)
	if err != nil {
		return err
	}
	defer r.close()
	f := &findings{}
	f.check("configuration", nil, r.config.File)
	r.warnOfConfig()
	repo, err := r.definitions(ctx)
	if f.check("definitions", err, "read") {
		a.notes(repo, false)
		o := repo.Objects
		f.good[len(f.good)-1] = fmt.Sprintf("definitions: %d entities, %d feature views, %d feature services",
			len(o.Entities), len(o.FeatureViews)+len(o.StreamFeatureViews)+len(o.OnDemandFeatureViews)+len(o.LabelViews), len(o.FeatureServices))
		r.compareReaders(ctx, f, &o)
	}
	a.validateRegistry(ctx, r, f)
	a.validateStores(ctx, r, f)
	if len(f.faults) == 0 {
		f.check("apply", a.validatePlan(ctx, r, repo, s, f), "the registry and the online store would accept it")
	}
	if err := ctx.Err(); err != nil {
		return fault.Of(err) // what could not be asked is no fault
	}
	for _, line := range f.good {
		fmt.Fprintln(a.out, line)
	}
	if len(f.faults) > 0 {
		return fault.New(fault.Invalid, "%s", strings.Join(f.faults, "\n"))
	}
	return nil
}

func (a *app) validateRegistry(ctx context.Context, r *repository, f *findings) {
	_, err := r.snapshot(ctx)
	if err != nil && fault.KindOf(err) == fault.NotFound {
		f.good = append(f.good, "registry: "+r.storage.Path()+" does not exist yet; `banquet apply` creates it")
		return
	}
	f.check("registry", err, r.storage.Path())
}

func (a *app) validateStores(ctx context.Context, r *repository, f *findings) {
	for _, err := range []error{r.config.ProviderBuilt("apply"), r.config.QualityBuilt("apply"), r.config.VectorsBuilt("apply")} {
		if err != nil {
			f.check("configuration", err, "")
		}
	}
	if err := r.config.EngineBuilt("materialize"); err != nil {
		f.good = append(f.good, "batch engine: "+fault.Of(err).Text)
	}
	if r.config.Online.Type != "none" {
		online, err := r.onlineStore(ctx, nil, "apply")
		if err == nil {
			_, err = online.Plan(ctx, stores.Tables{})
		}
		f.check("online store", err, r.onlineAddress())
	}
	off, err := r.offlineStore("materialize")
	if err != nil { // only materialize reads it
		f.good = append(f.good, "offline store: "+fault.Of(err).Text)
		return
	}
	f.check("offline store", off.Check(ctx), r.config.Offline.Type+" responds")
}

// onlineAddress is the address of the online store.
func (r *repository) onlineAddress() string {
	switch r.config.Online.Type {
	case "sqlite":
		return "sqlite " + r.config.Path(r.config.Online.SQLite.Path)
	case "dynamodb":
		return "dynamodb responds at " + r.dynamoHost()
	}
	return r.config.Online.Type
}
