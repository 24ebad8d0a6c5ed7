// Package feastpy reads a feature repository with the user's own Python and
// Feast. A small script runs Feast's own parse_repo and returns its objects as
// serialized messages, pickled functions included. It is the alternative to
// package definitions, with the same result: objects before the inference from
// data sources, without times.
//
// It runs code of the repository with the user's rights, so use it only on
// request.
package feastpy

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/banquet-fs/banquet/definitions"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
)

// Options configure how a repository is read.
type Options struct {
	// Program is the Python to run: a path, or a name to look up in PATH. If empty it
	// is python3, or python, from PATH.
	Program string
	// Project is the project of feature_store.yaml: a Project object of the
	// repository must have the same name. Empty accepts any name.
	Project string
	// Output receives what the repository's code prints to stdout and stderr; nil
	// discards it.
	Output io.Writer
	// Env is the environment, as "name=value" entries; nil is that of this process.
	Env []string
}

// Result is a feature repository that has been read.
type Result struct {
	Repo *definitions.Repo
	// Program is the Python that ran; Python and Feast are versions.
	Program, Python, Feast string
}

// Read runs Python on the repository and waits for its result. When ctx ends,
// Python and all processes that it started are killed.
//
// An error in the repository's code is Invalid, as "file:line:column: message"
// with the line and a caret where Python reports them; so is a program without
// Feast, or a missing program.
func Read(ctx context.Context, root string, opt Options) (*Result, error) {
	program, err := Find(opt.Program)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "banquet-python-")
	if err != nil {
		return nil, fault.New(fault.Unavailable, "reading with Python needs a temporary directory, which cannot be created; set TMPDIR to a writable directory").Because(err)
	}
	defer os.RemoveAll(dir)
	p := &process{program: program, root: root, dir: dir, opt: opt}
	file, err := p.run(ctx)
	if err != nil {
		return nil, err
	}
	a, err := decode(file)
	if err != nil {
		return nil, fault.New(fault.Internal, "the answer of %s cannot be read", program).Because(err)
	}
	if a.Error != nil {
		return nil, a.Error.fault(program, a)
	}
	objects, err := objects(a.registry, opt.Project)
	if err != nil {
		return nil, err
	}
	objects.References, objects.Later = a.References, later(a.Feast)
	return &Result{Repo: &definitions.Repo{Objects: *objects}, Program: program, Python: a.Python, Feast: a.Feast}, nil
}

// later reports whether a release of Feast is later than those that banquet knows.
func later(release string) bool {
	var major, minor, knownMajor, knownMinor int
	if n, err := fmt.Sscanf(release, "%d.%d", &major, &minor); n < 2 || err != nil {
		return false
	}
	if n, err := fmt.Sscanf(registry.FeastVersion, "%d.%d", &knownMajor, &knownMinor); n < 2 || err != nil {
		return false
	}
	return major > knownMajor || major == knownMajor && minor > knownMinor
}

// objects extracts the definitions from a message, without times.
func objects(reg *core.Registry, project string) (*registry.Objects, error) {
	o := &registry.Objects{
		Entities: reg.GetEntities(), DataSources: reg.GetDataSources(), FeatureViews: reg.GetFeatureViews(),
		StreamFeatureViews: reg.GetStreamFeatureViews(), OnDemandFeatureViews: reg.GetOnDemandFeatureViews(),
		LabelViews: reg.GetLabelViews(), FeatureServices: reg.GetFeatureServices(), Permissions: reg.GetPermissions(),
	}
	clearTimes(reg.ProtoReflect())
	switch all := reg.GetProjects(); len(all) {
	case 0:
		return o, nil
	case 1:
		o.Project = all[0]
	default:
		return nil, fault.New(fault.Invalid, "the repository defines %d Project objects (%s, %s, …); one is allowed",
			len(all), all[0].GetSpec().GetName(), all[1].GetSpec().GetName())
	}
	if own := o.Project.GetSpec().GetName(); project != "" && own != project {
		return nil, fault.New(fault.Invalid, "the repository defines project %s, feature_store.yaml says project: %s; make them the same", own, project).
			About("project", own, project)
	}
	return o, nil
}
