package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/banquet-fs/banquet/apply"
	"github.com/banquet-fs/banquet/registry"
)

// skips are flags that Feast's apply and plan take.
type skips struct {
	source, views, progress bool
}

func (s *skips) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&s.source, "skip-source-validation", false, "do not look whether the data sources are there")
	cmd.Flags().BoolVar(&s.views, "skip-feature-view-validation", false, "accepted for Feast's sake; views are always checked")
	cmd.Flags().BoolVar(&s.progress, "no-progress", false, "accepted for Feast's sake; apply shows no progress bar")
}

func (a *app) applyCommand() *cobra.Command {
	var s skips
	var verbose bool
	cmd := &cobra.Command{
		Use: "apply", Short: "Make the registry and the online store hold what the repository defines", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.apply(cmd, verbose, s.source) },
	}
	s.add(cmd)
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "say what is changed, field by field, and what was passed over")
	return cmd
}

func (a *app) apply(cmd *cobra.Command, verbose, skipSources bool) error {
	ctx := cmd.Context()
	r, err := a.open(false)
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
	if verbose {
		a.notes(repo.Notes)
	}
	if !skipSources {
		r.warnOfSources(ctx, &repo.Objects)
	}
	applier, err := r.applier(ctx)
	if err != nil {
		return err
	}
	_, err = applier.Apply(ctx, &repo.Objects, apply.Observer{Planned: func(p *apply.Plan) {
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

func (a *app) notes(notes []string) {
	for _, n := range notes {
		fmt.Fprintln(a.err, "note: "+n)
	}
}

func (a *app) planCommand() *cobra.Command {
	var s skips
	cmd := &cobra.Command{
		Use: "plan", Short: "Say what apply would change", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.plan(cmd, s.source) },
	}
	s.add(cmd)
	return cmd
}

func (a *app) plan(cmd *cobra.Command, skipSources bool) error {
	ctx := cmd.Context()
	r, err := a.open(false)
	if err != nil {
		return err
	}
	defer r.close()
	repo, err := r.definitions(ctx)
	if err != nil {
		return err
	}
	a.sayProject(r, repo.Objects.Project == nil)
	if !skipSources {
		r.warnOfSources(ctx, &repo.Objects)
	}
	applier, err := r.applier(ctx)
	if err != nil {
		return err
	}
	p, err := applier.Plan(ctx, &repo.Objects)
	if err != nil {
		return err
	}
	a.writePlan(p)
	return nil
}

// writePlan writes a plan as Feast does, then what the online store says of it.
func (a *app) writePlan(p *apply.Plan) {
	p.Changes.WriteText(a.out, a.colors())
	infrastructure := false
	for _, c := range p.Changes {
		if c.Action != registry.Created || c.Kind != "feature view" && c.Kind != "stream feature view" && c.Kind != "label view" {
			continue
		}
		infrastructure = true
		fmt.Fprintf(a.out, "Created online table of %s\n", a.green(c.Name))
	}
	for _, t := range p.Drop {
		infrastructure = true
		fmt.Fprintf(a.out, "Deleted online table of %s\n", a.green(t.View))
	}
	if !infrastructure {
		fmt.Fprintln(a.out, "No changes to infrastructure")
	}
	for _, f := range p.Findings {
		word := "warning"
		if f.Refused {
			word = "refused"
		}
		fmt.Fprintf(a.err, "%s: %s\n", word, f.Text)
	}
}
