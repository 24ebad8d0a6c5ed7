package main

import (
	"cmp"
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/internal/similar"
	"github.com/banquet-fs/banquet/registry"
)

// feastCommands are the commands of Feast that banquet does not have yet.
const feastCommands = " configuration endpoint teardown delete serve_registry serve_transformations serve_lineage ui " +
	"features projects permissions registry monitor dbt demo-notebooks label-views saved-datasets validation-references mcp mlflow "

// feastViewCommands are those of feature-views.
const feastViewCommands = " enable disable set-state list-versions "

// unknownCommand is the error of a command that does not exist.
func unknownCommand(root *cobra.Command, name string) error {
	if name == "listen" {
		return usage("there is no command listen; `banquet serve` also serves GrpcFeatureServer, the gRPC of feast listen, on the port of --grpc-port")
	}
	if strings.Contains(feastCommands, " "+name+" ") {
		return notYet(name)
	}
	var names []string
	for _, c := range root.Commands() {
		names = append(names, c.Name())
	}
	meant := didYouMean(name, names)
	if name == "entity" {
		meant = "; did you mean entities?"
	}
	return usage("unknown command %q%s", name, meant)
}

func notYet(command string) error {
	return usage("%s is a command of Feast that banquet does not have yet; run it with Feast, which can read everything that banquet writes", command)
}

// unknownSubcommand is the error of a command below the one for a kind of objects.
func unknownSubcommand(parent, name string) error {
	if parent == "feature-views" && strings.Contains(feastViewCommands, " "+name+" ") {
		return notYet(parent + " " + name)
	}
	return usage("unknown command %q%s", parent+" "+name, cmp.Or(didYouMean(name, []string{"list", "describe"}), "; there are list and describe"))
}

func didYouMean(word string, names []string) string {
	if best := similar.Nearest(word, names); best != "" {
		return "; did you mean " + best + "?"
	}
	return ""
}

var unknownFlag = regexp.MustCompile(`^unknown flag: --(\S+)$`)

// nearestFlag names the flag that is most similar to an unknown one.
func nearestFlag(cmd *cobra.Command, err error) string {
	m := unknownFlag.FindStringSubmatch(err.Error())
	if m == nil {
		return ""
	}
	var names []string
	for _, set := range []*pflag.FlagSet{cmd.Flags(), cmd.InheritedFlags()} {
		set.VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				names = append(names, "--"+f.Name)
			}
		})
	}
	return didYouMean("--"+m[1], names)
}

// usageErrors makes errors about arguments usage errors, whoever checks the arguments.
func usageErrors(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(c *cobra.Command, args []string) error {
			err := check(c, args)
			if err == nil || errors.Is(err, errUsage) {
				return err
			}
			return usage("%s %s", c.Name(), err)
		}
	}
	for _, c := range cmd.Commands() {
		usageErrors(c)
	}
}

// meant names the object of the registry that an error about an unknown one probably
// meant.
func (a *app) meant(ctx context.Context, f *fault.Error) string {
	if a.opened == nil || f.Object.Name == "" || f.Kind != fault.NotFound && f.Reason != fault.Lookup {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	project, err := a.opened.project(ctx)
	if err != nil {
		return ""
	}
	name := f.Object.Name
	names := namesOf(project, f.Object.Kind, name)
	if slices.Contains(names, name) {
		return "" // it exists, but not for this command
	}
	return strings.TrimPrefix(didYouMean(name, names), "; ")
}

// namesOf lists the names of a project's objects of a kind; those of features are
// references to the features of one view.
func namesOf(project *registry.Project, kind, name string) []string {
	var names []string
	switch kind {
	case "feature view":
		for _, v := range project.Views() {
			names = append(names, v.Name)
		}
	case "push source":
		for _, v := range project.Views() {
			if v.Stream.GetType() == core.DataSource_PUSH_SOURCE {
				names = append(names, v.Stream.GetName())
			}
		}
	case "feature service":
		for _, s := range project.FeatureServices() {
			names = append(names, s.GetSpec().GetName())
		}
	case "data source":
		for _, s := range project.DataSources() {
			names = append(names, s.GetName())
		}
	case "entity":
		for _, e := range project.Entities() {
			names = append(names, e.GetSpec().GetName())
		}
	case "feature":
		view, _, _ := strings.Cut(name, ":")
		if v, err := project.View(view); err == nil {
			for _, feature := range v.Features {
				names = append(names, v.Name+":"+feature.Name)
			}
		}
	}
	return names
}
