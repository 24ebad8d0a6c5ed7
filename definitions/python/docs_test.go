package python_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/definitions/library"
	"github.com/banquet-fs/banquet/definitions/python"
)

// docsFile lists the Python that is read and the Python that is refused, by the
// tests' programs.
const docsFile = "../../docs/python.md"

const preface = `# The Python that banquet reads

banquet reads ` + "`features.py`" + ` without Python. It reads each construct exactly as Python 3.11 does, or refuses it with file,
line and caret; with ` + "`--python`" + ` your own Python and Feast read the repository instead
([configuration.md](configuration.md)). Uncommon Python that is not in these lists is probably refused.

This file is made from the tests: ` + "`go test ./definitions/python -run Docs -update`" + ` writes it again. Each line of the first two
lists is a program in ` + "`definitions/python/testdata`" + `.

`

const modulesPreface = `## Modules

Modules of the repository are found as Python finds them when Feast runs it: by their name from the root, after the installed
modules. A module that is neither in the repository nor in one of these lists may hold definitions: its values are refused where
a name is bound to one, and where one is called.

These modules are read, with these names (their other names are treated as in the next lists):

`

var update = flag.Bool("update", false, "write docs/python.md") //nolint:gochecknoglobals // a flag of the test

func TestDocs(t *testing.T) {
	want := docs(t)
	if *update {
		if err := os.WriteFile(docsFile, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(docsFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/python.md is not what the tests say; run go test ./definitions/python -run Docs -update (-tests +file)\n%s", diff)
	}
}

// docs makes the file.
func docs(t *testing.T) string {
	t.Helper()
	var read, refused []string
	for _, title := range titles(t) {
		if name, ok := strings.CutSuffix(title, "\x00"); ok {
			refused = append(refused, name)
			continue
		}
		read = append(read, title)
	}
	var b strings.Builder
	b.WriteString(preface + "## Read exactly\n\n" + list(read) + "\n## Refused by name\n\n" + list(refused) + "\n" + modulesPreface)
	modules := library.New(python.New(context.Background(), &alone{}), os.DirFS("."), "/repo", environment).Modules
	delete(modules, "shutil") // exists only to be refused: it writes files
	for _, name := range sortedNames(modules) {
		fmt.Fprintf(&b, "- `%s`: %s\n", name, strings.Join(modules[name].Dir(), ", "))
	}
	b.WriteString("- `abc`, `collections`, `contextlib`, `copy`, `dataclasses`, `datetime`, `enum`, `functools`, `itertools`, `os`, `pathlib`, `sys`, `typing`: see the lists above\n")
	b.WriteString("\nThese modules are known to make no definitions. Their names may be bound and called, but the results are unknown: that is an error\n" +
		"only where a definition depends on a result. A call whose arguments make definitions, or are a function that changes values of the\n" +
		"file, is refused. The reader reports what it did not run, and apply then deletes nothing without `--allow-deletions`.\n\n")
	for _, l := range [][2]string{{"Python's own", python.StandardLibrary}, {"What Feast itself needs", python.FeastNeeds}, {"Others", python.MayBeInstalled}} {
		fmt.Fprintf(&b, "- %s: %s\n", l[0], strings.Join(strings.Fields(l[1]), ", "))
	}
	return b.String()
}

// titles are the first lines of the programs, sorted; those of refused ones end
// in a zero byte.
func titles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no programs", err)
	}
	var all []string
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for program := range strings.SplitSeq(string(b), "# ---\n") {
			title, ok := strings.CutPrefix(program[:strings.IndexByte(program+"\n", '\n')], "# ")
			if !ok || strings.HasPrefix(title, "generated ") {
				continue
			}
			if strings.Contains(program, "# refused") || strings.Contains(program, "# unknown") {
				title += "\x00"
			}
			all = append(all, title)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func list(names []string) string {
	var b strings.Builder
	for _, n := range names {
		b.WriteString("- " + strings.NewReplacer("_", `\_`, "*", `\*`, "<", `\<`).Replace(n) + "\n")
	}
	return b.String()
}

func sortedNames(modules map[string]*python.Module) []string {
	var names []string
	for n := range modules {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
