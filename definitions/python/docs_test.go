package python_test

import (
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

// docsFile lists what of Python is read, and what is refused, as the tests have it.
const docsFile = "../../docs/python.md"

const preface = `# What of Python is read

banquet reads ` + "`features.py`" + ` without Python. What it reads, it reads as Python 3.11 does; anything else is refused with file,
line and caret, and ` + "`--python`" + ` then lets your own Python and Feast read the repository
([configuration.md](configuration.md)). What is not in these lists, and not plain Python of every day, is likely refused.

This file is made from the tests: ` + "`go test ./definitions/python -run Docs -update`" + ` writes it again. Each line of the first two
lists is a program in ` + "`definitions/python/testdata`" + `.

`

const modulesPreface = `## Modules

Modules of the repository are found as Python finds them when Feast runs it: by their name from the root, after what is
installed. A module that is neither there nor in one of these lists may hold definitions: what it gives is refused where a name
is bound to it, and where it is called.

Read, with these names (others of the module are as in the next lists):

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
	modules := library.New(python.New(&alone{}), os.DirFS("."), "/repo", environment).Modules
	delete(modules, "shutil") // which is there to be refused: it writes files
	for _, name := range sortedNames(modules) {
		fmt.Fprintf(&b, "- `%s`: %s\n", name, strings.Join(modules[name].Dir(), ", "))
	}
	b.WriteString("- `abc`, `collections`, `contextlib`, `copy`, `dataclasses`, `datetime`, `enum`, `functools`, `itertools`, `os`, `pathlib`, `sys`, `typing`: what the lists above tell\n")
	b.WriteString("\nKnown to make no definitions. Names of them may be bound and called, and what comes out is unknown: it is an error only where a\n" +
		"definition depends on it. A call that is given what makes definitions, or a function that changes values of the file, is refused.\n" +
		"What was not run is told, and then nothing is deleted without `--allow-deletions`.\n\n")
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
