package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
)

// listing is a kind of object that can be listed and described.
type listing struct {
	use, noun string
	header    []string
	rows      func(p *registry.Project) []listed
}

// listed is one object of a list.
type listed struct {
	name   string
	tags   map[string]string
	cells  []string
	object proto.Message
	extra  string // below the description
}

func listings() []listing {
	return []listing{
		{"entities", "Entity", []string{"NAME", "DESCRIPTION", "TYPE"}, entityRows},
		{"feature-views", "Feature view", []string{"NAME", "ENTITIES", "TYPE", "ENABLED", "STATE"}, viewRows},
		{"on-demand-feature-views", "Feature view", []string{"NAME"}, func(p *registry.Project) []listed {
			return plainRows(p.OnDemandFeatureViews(), func(v *core.OnDemandFeatureView) (string, map[string]string) {
				return v.GetSpec().GetName(), v.GetSpec().GetTags()
			})
		}},
		{"stream-feature-views", "Feature view", []string{"NAME"}, func(p *registry.Project) []listed {
			return plainRows(p.StreamFeatureViews(), func(v *core.StreamFeatureView) (string, map[string]string) {
				return v.GetSpec().GetName(), v.GetSpec().GetTags()
			})
		}},
		{"feature-services", "Feature service", []string{"NAME", "FEATURES"}, serviceRows},
		{"data-sources", "Data source", []string{"NAME", "CLASS"}, sourceRows},
	}
}

// objectCommands makes "entities list", "entities describe NAME" and so on.
func (a *app) objectCommands() []*cobra.Command {
	var commands []*cobra.Command
	for _, l := range listings() {
		parent := &cobra.Command{
			Use: l.use, Short: "List and describe " + strings.ReplaceAll(l.use, "-", " "),
			RunE: func(cmd *cobra.Command, args []string) error {
				if len(args) > 0 {
					return unknownSubcommand(l.use, args[0])
				}
				return cmd.Help()
			},
			Args: cobra.ArbitraryArgs,
		}
		var tags []string
		list := &cobra.Command{
			Use: "list", Short: "List " + strings.ReplaceAll(l.use, "-", " "), Args: noArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return a.list(cmd.Context(), l, tags) },
		}
		list.Flags().StringArrayVarP(&tags, "tags", "t", nil, "only objects with this tag, key:value; may be repeated")
		parent.AddCommand(list, &cobra.Command{
			Use: "describe NAME", Short: "Show the whole object in the registry", Args: oneArg("the name"),
			RunE: func(cmd *cobra.Command, args []string) error { return a.describe(cmd.Context(), l, args[0]) },
		})
		commands = append(commands, parent)
	}
	return commands
}

// rows reads the objects of the configured project, which has none before its first
// apply.
func (a *app) rows(ctx context.Context, l listing) ([]listed, string, error) {
	r, err := a.open(ctx, true)
	if err != nil {
		return nil, "", err
	}
	defer r.close()
	p, err := r.project(ctx)
	if err != nil && fault.KindOf(err) == fault.NotFound {
		return nil, r.config.Project, nil
	}
	if err != nil {
		return nil, "", err
	}
	return l.rows(p), p.Name, nil
}

func (a *app) list(ctx context.Context, l listing, tags []string) error {
	want, err := parseTags(tags)
	if err != nil {
		return err
	}
	rows, _, err := a.rows(ctx, l)
	if err != nil {
		return err
	}
	var cells [][]string
	for _, r := range rows {
		if r.has(want) {
			cells = append(cells, r.cells)
		}
	}
	writeTable(a.out, l.header, cells)
	return nil
}

func (r *listed) has(want map[string]string) bool {
	for k, v := range want {
		if got, ok := r.tags[k]; !ok || got != v {
			return false
		}
	}
	return true
}

func parseTags(tags []string) (map[string]string, error) {
	want := map[string]string{}
	for _, t := range tags {
		for pair := range strings.SplitSeq(t, ",") {
			k, v, ok := strings.Cut(pair, ":")
			if !ok {
				return nil, usage("--tags %q; want key:value", pair)
			}
			want[strings.TrimSpace(k)] = strings.TrimSpace(v)
		}
	}
	return want, nil
}

func (a *app) describe(ctx context.Context, l listing, name string) error {
	rows, project, err := a.rows(ctx, l)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(rows, func(r listed) bool { return r.name == name && r.object != nil })
	if i < 0 {
		return fault.New(fault.NotFound, "%s %s does not exist in project %s", l.noun, name, project).About(strings.ToLower(l.noun), name, project)
	}
	fmt.Fprintln(a.out, describe(rows[i].object)+rows[i].extra)
	return nil
}

func plainRows[M proto.Message](list []M, of func(M) (string, map[string]string)) []listed {
	var rows []listed
	for _, m := range list {
		name, tags := of(m)
		rows = append(rows, listed{name: name, tags: tags, cells: []string{name}, object: m})
	}
	return rows
}

func entityRows(p *registry.Project) []listed {
	var rows []listed
	for _, e := range p.Entities() {
		s := e.GetSpec()
		if s.GetName() == registry.DummyEntity {
			continue
		}
		kind := s.GetValueType().String()
		if kind == "INVALID" {
			kind = "UNKNOWN"
		}
		rows = append(rows, listed{name: s.GetName(), tags: s.GetTags(), cells: []string{s.GetName(), s.GetDescription(), "ValueType." + kind}, object: e})
	}
	return rows
}

// viewRows lists batch feature views, then on-demand ones: Feast lists them here, too.
func viewRows(p *registry.Project) []listed {
	var rows []listed
	add := func(name string, entities []string, object proto.Message) {
		v, err := p.View(name)
		if err != nil {
			return
		}
		enabled := "Yes"
		if !v.Enabled {
			enabled = "No"
		}
		r := listed{name: name, tags: v.Tags, cells: []string{name, pythonSet(entities), v.Kind.String(), enabled, v.State.String()}, object: object}
		r.extra = state("enabled", v.Enabled) + state("state", v.State) + "\n"
		rows = append(rows, r)
	}
	for _, v := range p.FeatureViews() {
		add(v.GetSpec().GetName(), v.GetSpec().GetEntities(), v)
	}
	for _, v := range p.OnDemandFeatureViews() {
		add(v.GetSpec().GetName(), sourceEntities(p, v), nil)
	}
	return rows
}

// sourceEntities are the entities of the views that are the sources of an on-demand
// view.
func sourceEntities(p *registry.Project, v *core.OnDemandFeatureView) []string {
	var entities []string
	for _, s := range v.GetSpec().GetSources() {
		from, err := p.View(s.GetFeatureViewProjection().GetFeatureViewName())
		if s.GetFeatureViewProjection() == nil || err != nil {
			continue
		}
		for _, k := range from.JoinKeys {
			if !from.Entityless {
				entities = append(entities, k.Entity)
			}
		}
	}
	return entities
}

// pythonSet writes names as Python prints a set of them.
func pythonSet(names []string) string {
	names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == registry.DummyEntity })
	if len(names) == 0 {
		return "n/a"
	}
	slices.Sort(names)
	return "{'" + strings.Join(slices.Compact(names), "', '") + "'}"
}

func serviceRows(p *registry.Project) []listed {
	var rows []listed
	for _, s := range p.FeatureServices() {
		var features []string
		for _, v := range s.GetSpec().GetFeatures() {
			for _, f := range v.GetFeatureColumns() {
				features = append(features, v.GetFeatureViewName()+":"+f.GetName())
			}
		}
		rows = append(rows, listed{
			name: s.GetSpec().GetName(), tags: s.GetSpec().GetTags(), cells: []string{s.GetSpec().GetName(), strings.Join(features, ", ")}, object: s,
		})
	}
	return rows
}

func sourceRows(p *registry.Project) []listed {
	var rows []listed
	for _, s := range p.DataSources() {
		described, _ := proto.Clone(s).(*core.DataSource)
		if !registry.SaysClass(s.GetType()) {
			described.DataSourceClassType = ""
		}
		rows = append(rows, listed{
			name: s.GetName(), tags: s.GetTags(), cells: []string{s.GetName(), "<class '" + s.GetDataSourceClassType() + "'>"}, object: described,
		})
	}
	return rows
}

func (a *app) dumpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "registry-dump", Short: "Write the registry as JSON", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := a.open(cmd.Context(), false)
			if err != nil {
				return err
			}
			defer r.close()
			p, err := r.project(cmd.Context())
			if err != nil {
				return err
			}
			b, err := p.Dump()
			if err != nil {
				return err
			}
			_, err = a.out.Write(b)
			return err
		},
	}
}
