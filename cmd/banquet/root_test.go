package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// command runs a command line in process and returns its exit code and output.
func command(t *testing.T, env map[string]string, args ...string) (code int, out, errText string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), system{
		args: args, in: strings.NewReader(""), out: &stdout, err: &stderr,
		env: func(name string) (string, bool) {
			v, ok := env[name]
			if !ok && name == "FEAST_NO_PROGRESS" { // a slow machine's progress is not the test's
				return "1", true
			}
			return v, ok
		},
	})
	return code, stdout.String(), stderr.String()
}

func TestEveryCommandHasHelp(t *testing.T) {
	a := &app{}
	var walk func(cmd *cobra.Command, path []string)
	walk = func(cmd *cobra.Command, path []string) {
		t.Run(strings.Join(path, " "), func(t *testing.T) {
			code, out, errText := command(t, nil, append(path, "--help")...)
			if code != 0 || errText != "" || !strings.Contains(out, "Usage:") {
				t.Errorf("exit %d, %q, %q", code, out, errText)
			}
			if cmd.Short == "" {
				t.Error("no description")
			}
		})
		for _, c := range cmd.Commands() {
			walk(c, append(path[:len(path):len(path)], c.Name()))
		}
	}
	walk(a.root(), nil)
}
