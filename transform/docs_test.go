package transform

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/on-demand.md")

const docsHead = `# On-demand feature views without Python

banquet computes on-demand feature views from the stored source text of their functions, online and in training sets. The
results are those of pandas 2.3, NumPy 2 and Python 3.11: values, types, nulls, overflow, division by zero. A function that
uses anything else is refused with its view, its line and the construct, never computed by approximation.

` + "```" + `python
@on_demand_feature_view(sources=[credit_history, loan_request], schema=[Field(name="total_debt_due", dtype=Float64)])
def total_debt_calc(inputs: pd.DataFrame) -> pd.DataFrame:
    out = pd.DataFrame()
    out["total_debt_due"] = inputs["credit_card_due"] + inputs["loan_amnt"]
    return out
` + "```" + `

- Modes: pandas, python, and python with ` + "`singleton=True`" + `. A singleton is called for each row; Feast calls it for the first only.
- A function reads the features of its sources (` + "`name` or `view__name`" + `), request data and join keys.
- Statements: assignments (also several targets and ` + "`+=`" + `), ` + "`if`, `for`, `while`, `return`" + `, in python mode ` + "`try` with `except`" + `; helper
  functions in the same text, lambdas, comprehensions, f-strings. ` + "`pd` and `np`" + ` are known; ` + "`math`" + ` must be imported in the function.
- Rows cannot be selected or sorted; ` + "`df.loc[mask, \"column\"] = value`, `.where` and `np.where`" + ` replace values.
- Loops end after a bounded number of steps, and memory is bounded.

## Differences

| Feast | banquet |
| --- | --- |
| integers of Python grow without bound | beyond 64 bits: an error |
| a float out of the range of integers, converted to one, gives a number that depends on the processor | an error |
| columns that hold only nulls fail in some operators where pandas looks for zeros | the result is null |
| training sets have the type that pandas happens to make | the declared type of the feature |
| an integer feature made from floats is cut | the same; beyond its range an error |
| logarithms, exponentials and powers differ in the last bit between machines | rounded correctly but for rare ties |
| title case and tests of rare characters, regular expressions, extension types (Int64, category) | refused |

`

// TestTheListOfFunctionsIsCurrent holds docs/on-demand.md to the tables of functions.
func TestTheListOfFunctionsIsCurrent(t *testing.T) {
	var b strings.Builder
	b.WriteString(docsHead + "## Functions and methods\n\n| of | names |\n| --- | --- |\n")
	row := func(of string, names []string) {
		slices.Sort(names)
		fmt.Fprintf(&b, "| %s | %s |\n", of, strings.Join(names, ", "))
	}
	row("Python", sortedKeys(builtins))
	for _, module := range []string{"numpy", "pandas", "math"} {
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
	name := "../docs/on-demand.md"
	if *update {
		if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil || string(got) != b.String() {
		t.Errorf("docs/on-demand.md is not current (%v): go test ./transform -run Current -update", err)
	}
}
