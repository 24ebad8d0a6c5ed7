package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/banquet-fs/banquet/config"
	"github.com/banquet-fs/banquet/definitions"
	"github.com/banquet-fs/banquet/definitions/expressions"
	"github.com/banquet-fs/banquet/definitions/feastpy"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/registry"
)

// pythonFlag is --python[=PROGRAM]. If it is given, it takes precedence over the file.
type pythonFlag struct {
	given   bool
	program config.Python
}

// String returns the flag's value.
func (p *pythonFlag) String() string { return string(p.program) }

// Type is the name of the value in the help.
func (p *pythonFlag) Type() string { return "PROGRAM" }

// Set accepts a program, or a word for yes or no.
func (p *pythonFlag) Set(text string) error {
	p.given = true
	switch strings.ToLower(text) {
	case "":
		return errors.New("want --python, --python=PROGRAM or --python=no")
	case "yes", "true", "on":
		p.program = config.AnyPython
	case "no", "false", "off":
		p.program = ""
	default:
		p.program = config.Python(text)
	}
	return nil
}

// pythonFlag adds --python to a command that reads definitions.
func (a *app) pythonFlag(cmd *cobra.Command) {
	f := cmd.Flags().VarPF(&a.python, "python", "", "read the definitions with Python and its Feast: python3 from PATH, or PROGRAM; no for the native reader")
	f.NoOptDefVal = "yes"
	args := cmd.Args
	cmd.Args = func(cmd *cobra.Command, given []string) error {
		if len(given) > 0 && a.python.program == config.AnyPython {
			return usage("unexpected argument %q; give the program of --python with =: --python=%s", given[0], given[0])
		}
		return args(cmd, given)
	}
}

// python returns the Python that reads the definitions; false means the native reader.
// The path of a program is relative to the current directory if it is from the flag,
// and to the repository if it is from the file.
func (r *repository) python() (program string, ok bool) {
	choice := r.app.python.program
	if !r.app.python.given {
		choice = r.config.Banquet.Definitions.Python
		if strings.ContainsRune(string(choice), filepath.Separator) {
			choice = config.Python(r.config.Path(string(choice)))
		}
	}
	if choice == config.AnyPython {
		return "", true
	}
	return string(choice), choice != ""
}

// definitions reads the files of the repository.
func (r *repository) definitions(ctx context.Context) (*definitions.Repo, error) {
	program, ok := r.python()
	if !ok {
		return r.native(ctx)
	}
	result, err := feastpy.Read(ctx, r.config.Dir, feastpy.Options{Program: program, Project: r.config.Project, Output: r.app.printed()})
	if err != nil {
		return nil, err
	}
	if err := expressions.Add(r.config.Dir, result.Repo); err != nil {
		return nil, err
	}
	r.app.log.DebugContext(ctx, "definitions were read by Python", slog.String("program", result.Program), slog.String("python", result.Python), slog.String("feast", result.Feast))
	return result.Repo, nil
}

func (r *repository) native(ctx context.Context) (*definitions.Repo, error) {
	repo, err := definitions.Load(ctx, r.config.Dir, definitions.Options{Project: r.config.Project, Env: r.app.env})
	if err != nil {
		return nil, wayOut(err)
	}
	if err := expressions.Add(r.config.Dir, repo); err != nil {
		return nil, err
	}
	return repo, repo.Twice // an error with Python, too: the registry cannot hold both
}

// printed is the writer for output of the repository's code: it is discarded unless the
// user wants it. Standard output is for banquet's own output.
func (a *app) printed() io.Writer {
	if a.verbose || a.log.Enabled(context.Background(), slog.LevelInfo) {
		return a.err
	}
	return nil
}

// wayOut adds to a refusal of the native reader a remedy that does not change the file.
func wayOut(err error) error {
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Invalid || f.Object.Kind != "definition" {
		return err
	}
	next := *f
	next.Text += "\n  Or read the repository with Python: banquet apply --python"
	return &next
}

// compareReaders reads the definitions with the native reader, too, if Python has read
// them, and reports the first difference.
func (r *repository) compareReaders(ctx context.Context, f *findings, byPython *registry.Objects) {
	if _, ok := r.python(); !ok {
		return
	}
	native, err := r.native(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return
		}
		first, _, _ := strings.Cut(fault.Of(err).Text, "\n")
		f.good = append(f.good, "readers: the native reader cannot read the repository; Python is needed: "+first)
		return
	}
	d, differ := registry.Compare(*byPython, native.Objects)
	if !differ {
		f.good = append(f.good, "readers: Python and the native reader agree")
		return
	}
	what := fmt.Sprintf("%s %s", d.Kind, d.Name)
	if d.Field != "" {
		what += ", " + d.Field
	}
	f.faults = append(f.faults, fmt.Sprintf("readers: %s: Python gives %s, the native reader %s", what, d.A, d.B))
}
