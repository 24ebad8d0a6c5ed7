package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/banquet-fs/banquet/apply"
	"github.com/banquet-fs/banquet/definitions"
	"github.com/banquet-fs/banquet/stores"
)

// skips are flags of Feast's apply and plan.
type skips struct {
	source, views, progress bool
	deletions, noPromote    bool
}

func (s *skips) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&s.source, "skip-source-validation", false, "do not check that the data sources exist")
	cmd.Flags().BoolVar(&s.views, "skip-feature-view-validation", false, "accepted for compatibility with Feast; views are always checked")
	cmd.Flags().BoolVar(&s.progress, "no-progress", false, "accepted for compatibility with Feast; there is no progress bar")
	cmd.Flags().BoolVar(&s.noPromote, "no-promote", false, "record feature views with a changed schema as new versions and keep serving the current ones")
	cmd.Flags().BoolVar(&s.deletions, "allow-deletions", false, "delete objects that are no longer defined, even if parts of the repository were skipped or it defines nothing")
}

func (a *app) applyCommand() *cobra.Command {
	var s skips
	cmd := &cobra.Command{
		Use: "apply", Short: "Write the repository's definitions to the registry and the online store", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return apply.Stopped(cmd.Context(), a.apply(cmd, a.verbose, s))
		},
	}
	s.add(cmd)
	a.pythonFlag(cmd)
	cmd.Flags().BoolVarP(&a.verbose, "verbose", "v", false, "show each changed field, and the files that define nothing")
	return cmd
}

func (a *app) apply(cmd *cobra.Command, verbose bool, s skips) error {
	ctx := cmd.Context()
	r, err := a.open(ctx, false)
	if err != nil {
		return err
	}
	defer r.close()
	repo, err := r.definitions(ctx)
	if err != nil {
		return err
	}
	a.sayProject(r, repo.Objects.Project == nil)
	fmt.Fprintf(a.out, "Applying changes for project %s\n", r.config.Project)
	a.notes(repo, verbose)
	a.noteSkips(s)
	if err := errors.Join(r.config.QualityBuilt("apply"), r.config.VectorsBuilt("apply")); err != nil {
		return err
	}
	r.warnOfConfig()
	applier, err := r.applier(ctx, repo, s, "apply")
	if err != nil {
		return err
	}
	_, err = applier.Apply(ctx, &repo.Objects, apply.Observer{Planned: func(p *apply.Plan) {
		a.warnOfSources(p)
		if verbose || !p.Changes.Loud() {
			p.Changes.WriteText(a.out, a.colors())
		}
		for _, t := range p.Keep {
			fmt.Fprintf(a.out, "Deploying infrastructure for %s\n", a.green(t.Table.View))
		}
		for _, t := range p.Drop {
			fmt.Fprintf(a.out, "Removing infrastructure for %s\n", a.green(t.View))
		}
	}})
	return err
}

func (a *app) sayProject(r *repository, none bool) {
	if none {
		fmt.Fprintf(a.out, "No project found in the repository. Using project name %s defined in feature_store.yaml\n", r.config.Project)
	}
}

// notes prints what was skipped and what has no effect; verbose also prints the files
// that define nothing.
func (a *app) notes(repo *definitions.Repo, verbose bool) {
	for _, n := range repo.Passed {
		fmt.Fprintln(a.err, "passed over: "+n)
	}
	for _, n := range repo.Notes {
		fmt.Fprintln(a.err, "note: "+n)
	}
	if verbose {
		for _, n := range repo.Idle {
			fmt.Fprintln(a.err, "note: "+n+" defines nothing")
		}
	}
}

// noteSkips says what a flag does not do.
func (a *app) noteSkips(s skips) {
	if s.views {
		fmt.Fprintln(a.err, "note: --skip-feature-view-validation has no effect: views are always checked")
	}
}

func (a *app) planCommand() *cobra.Command {
	var s skips
	cmd := &cobra.Command{
		Use: "plan", Short: "Show what apply would change", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.plan(cmd, s) },
	}
	s.add(cmd)
	a.pythonFlag(cmd)
	return cmd
}

func (a *app) plan(cmd *cobra.Command, s skips) error {
	ctx := cmd.Context()
	r, err := a.open(ctx, false)
	if err != nil {
		return err
	}
	defer r.close()
	repo, err := r.definitions(ctx)
	if err != nil {
		return err
	}
	a.sayProject(r, repo.Objects.Project == nil)
	a.notes(repo, false)
	a.noteSkips(s)
	r.warnOfConfig()
	applier, err := r.applier(ctx, repo, s, planning)
	if err != nil {
		return err
	}
	p, err := applier.Plan(ctx, &repo.Objects)
	if err != nil {
		return err
	}
	a.writePlan(p)
	return p.Refused
}

// writePlan writes a plan as Feast does, then the findings of the online store.
func (a *app) writePlan(p *apply.Plan) {
	a.warnOfSources(p)
	p.Changes.WriteText(a.out, a.colors())
	for _, c := range p.Tables {
		switch c.Action {
		case stores.Create:
			fmt.Fprintf(a.out, "Created online table of %s\n", a.green(c.Spec.Table.View))
		case stores.Alter:
			fmt.Fprintf(a.out, "Updated online table of %s: %s\n", a.green(c.Spec.Table.View), c.Detail)
		case stores.Drop:
			fmt.Fprintf(a.out, "Deleted online table of %s\n", a.green(c.Spec.Table.View))
		}
	}
	if len(p.Tables) == 0 {
		fmt.Fprintln(a.out, "No changes to infrastructure")
	}
	for _, f := range p.Findings {
		if !f.Refused {
			fmt.Fprintf(a.err, "warning: %s\n", f.Text)
		}
	}
}
