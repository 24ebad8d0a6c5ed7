package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/registry"
)

// system is the environment of a command.
type system struct {
	args                  []string
	in                    io.Reader
	out, err              io.Writer
	env                   func(string) (string, bool)
	terminal, errTerminal bool
	// draining is set when a server runs, which stops in a time of its own; nil in tests.
	draining *atomic.Bool
}

// app is the state that all commands share.
type app struct {
	system
	dir      string
	file     string
	logLevel string
	python   pythonFlag
	verbose  bool
	log      *slog.Logger
	opened   *repository // by the command, nil if it has opened none
}

// errUsage marks a wrong command line: exit code 2.
var errUsage = errors.New("usage")

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// run runs the command line and returns the exit code: 0, 1 for a failure, 2 for a
// wrong command line.
func run(ctx context.Context, sys system) int {
	a := &app{system: sys}
	root := a.root()
	root.SetArgs(sys.args)
	root.SetIn(sys.in)
	root.SetOut(sys.out)
	root.SetErr(sys.err)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprintf(sys.err, "banquet: %s\nRun 'banquet --help' for a list of commands.\n", strings.TrimPrefix(err.Error(), errUsage.Error()+": "))
		return 2
	}
	a.report(context.WithoutCancel(ctx), err)
	return 1
}

// longest is the maximum number of lines of an error on a terminal.
const longest = 12

// report prints an error: what, where, remedy. The cause is in the log.
func (a *app) report(ctx context.Context, err error) {
	f := fault.Of(err)
	text := f.Text
	if f.Kind == fault.Internal {
		text = "internal error: " + err.Error()
	}
	if errors.Is(err, context.Canceled) {
		text = "stopped"
	}
	lines := strings.Split(text, "\n")
	if len(lines) > longest {
		lines = append(lines[:longest], fmt.Sprintf("… and %d more", len(lines)-longest))
	}
	fmt.Fprintln(a.err, "banquet: "+strings.Join(lines, "\n"))
	if f.Hint != "" {
		fmt.Fprintln(a.err, f.Hint)
	}
	if meant := a.meant(ctx, f); meant != "" {
		fmt.Fprintln(a.err, meant)
	}
	if a.log != nil {
		if cause := fault.Cause(err); cause != nil && cause.Error() != f.Text {
			a.log.DebugContext(ctx, "cause", slog.Any("error", cause))
		}
	}
}

func usage(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errUsage, fmt.Sprintf(format, args...))
}

// root is the whole tree of commands.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use: "banquet", Short: "A feature store that serves in single-digit milliseconds, for repositories and data of Feast",
		SilenceUsage: true, SilenceErrors: true,
		PersistentPreRunE: func(*cobra.Command, []string) error { return a.setLog() },
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
		Args: cobra.ArbitraryArgs,
		// Flags before the command are global: after some commands -c and -f have
		// another meaning, as in Feast.
		TraverseChildren: true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usage("%s%s", err, nearestFlag(cmd, err)) })
	flags := root.PersistentFlags()
	flags.StringVarP(&a.dir, "chdir", "c", "", globalUsage("chdir"))
	flags.StringVarP(&a.file, "feature-store-yaml", "f", "", globalUsage("feature-store-yaml"))
	flags.StringVar(&a.logLevel, "log-level", "warning", "level of the log on stderr: debug, info, warning, error")
	root.AddCommand(
		a.applyCommand(), a.planCommand(), a.validateCommand(), a.materializeCommand(), a.incrementalCommand(), a.pushCommand(), a.getCommand(), a.historicalCommand(),
		a.serveCommand(), a.serveOfflineCommand(), a.demoCommand(), a.initCommand(), a.dumpCommand(), a.versionCommand(), a.healthCommand(), a.transformCommand(),
	)
	root.AddCommand(a.objectCommands()...)
	usageErrors(root)
	return root
}

// globalUsage describes the global flags that have a shorthand.
func globalUsage(name string) string {
	return map[string]string{
		"chdir":              "switch to this feature repository before the command runs",
		"feature-store-yaml": "read this file instead of feature_store.yaml",
	}[name]
}

// ownShorthand makes a global flag one without a shorthand, so that the command can use
// the letter.
func (a *app) ownShorthand(cmd *cobra.Command, name string, target *string) {
	cmd.Flags().StringVar(target, name, *target, globalUsage(name))
}

func (a *app) setLog() error {
	var level slog.Level
	switch strings.ToLower(a.logLevel) {
	case "debug":
		level = slog.LevelDebug
	case "info":
		level = slog.LevelInfo
	case "warning", "warn":
		level = slog.LevelWarn
	case "error", "critical":
		level = slog.LevelError
	default:
		return usage("--log-level %q; want debug, info, warning or error", a.logLevel)
	}
	a.log = slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: level, ReplaceAttr: func(groups []string, at slog.Attr) slog.Attr {
		if at.Key == slog.TimeKey && len(groups) == 0 && a.errTerminal {
			return slog.Attr{}
		}
		return at
	}}))
	return nil
}

// colors reports whether the output has colors: on a terminal, unless NO_COLOR is set.
func (a *app) colors() bool {
	_, no := a.env("NO_COLOR")
	return a.terminal && !no
}

// green marks the important part of a line.
func (a *app) green(s string) string {
	if !a.colors() {
		return s
	}
	return "\x1b[1m\x1b[32m" + s + "\x1b[0m"
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			fmt.Fprintf(a.out, "banquet version: %s (for Feast %s)\n", a.green(`"`+version+`"`), registry.FeastVersion)
			return nil
		},
	}
}

func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage("unexpected argument %q", args[0])
	}
	return nil
}

// oneArg requires one argument.
func oneArg(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usage("want %s, got %d arguments", what, len(args))
		}
		return nil
	}
}
