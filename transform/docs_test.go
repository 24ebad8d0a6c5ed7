package transform

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/ondemand.md")

// docsHead is where the lists begin, which reach to the end of the page.
const docsHead = "## Functions and methods\n\n| of | names |\n| --- | --- |\n"

// TestTheListOfFunctionsIsCurrent holds docs/ondemand.md to the tables of functions.
func TestTheListOfFunctionsIsCurrent(t *testing.T) {
	var b strings.Builder
	b.WriteString(docsHead)
	row := func(of string, names []string) {
		slices.Sort(names)
		fmt.Fprintf(&b, "| %s | %s |\n", of, strings.Join(names, ", "))
	}
	row("Python", sortedKeys(builtins))
	for _, module := range []string{"numpy", "pandas", "math", "datetime", "time", "re", "json", "hashlib"} {
		var names []string
		for _, n := range append(sortedKeys(moduleFuncs), sortedKeys(moduleValues)...) {
			if short, ok := strings.CutPrefix(n, module+"."); ok {
				names = append(names, short)
			}
		}
		row(module, names)
	}
	row("Series", append(sortedKeys(columnMethods), "values", "size", "empty", "shape", "iloc[n]"))
	row("Series.str", append(sortedKeys(text2Methods), "[from:to]", "[n]"))
	row("Series.dt", append(sortedKeys(timesAttributes), sortedKeys(timesMethods)...))
	row("DataFrame", append(sortedKeys(frameMethods), "columns", "index", "shape", "empty", "loc"))
	row("str", sortedKeys(textMethods))
	row("list", sortedKeys(listMethods))
	row("dict", sortedKeys(dictMethods))
	row("set", append(sortedKeys(setMethods), "& | - ^"))
	name := "../docs/ondemand.md"
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text, lists, _ := strings.Cut(string(page), docsHead)
	if *update {
		if err := os.WriteFile(name, []byte(text+b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if docsHead+lists != b.String() {
		t.Error("docs/ondemand.md is not current: go test ./transform -run Current -update")
	}
}
