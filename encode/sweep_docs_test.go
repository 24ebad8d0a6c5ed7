package encode_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// docsFile documents how values are converted. Its tables are the results of
// the sweep; the text around them is in docsTemplate.
const (
	docsFile     = "../docs/conversions.md"
	docsTemplate = recordDir + "/conversions.md.tmpl"
)

var update = flag.Bool("update", false, "write docs/conversions.md") //nolint:gochecknoglobals // a flag of the test

func checkDocs(t *testing.T, all []swept, meant []*block) {
	t.Helper()
	template, err := os.ReadFile(docsTemplate)
	if err != nil {
		t.Fatal(err)
	}
	want := string(template)
	for name, text := range map[string]string{
		"{{postgres features}}": table(all, "features", "postgres"), "{{postgres keys}}": table(all, "keys", "postgres"),
		"{{parquet features}}": table(all, "features", "parquet"), "{{parquet keys}}": table(all, "keys", "parquet"),
		"{{csv features}}": table(all, "features", "csv"), "{{csv keys}}": table(all, "keys", "csv"),
		"{{differences}}": differencesText(meant), "{{conversions}}": fmt.Sprint(len(all)),
	} {
		if !strings.Contains(want, name) {
			t.Errorf("%s lacks %s", docsTemplate, name)
		}
		want = strings.ReplaceAll(want, name, text)
	}
	if *update {
		if err := os.WriteFile(docsFile, []byte(want), 0o644); err != nil { //nolint:gosec // the docs are readable for all users
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(docsFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/conversions.md is not what the sweep says; run go test ./encode -run TestSweep -update (-sweep +file)\n%s", cut(diff, 3000))
	}
}

// row is a line of a table: the value types that a type of a source fills.
type row struct{ same, other string }

// table has a line for each type of a source; types that fill the same value
// types share a line.
func table(all []swept, use, backend string) string {
	var sources []string
	byType := map[string][]swept{}
	for _, s := range all {
		if s.use == use && s.backend == backend && !strings.Contains(s.source, " (") {
			if _, seen := byType[s.source]; !seen {
				sources = append(sources, s.source)
			}
			byType[s.source] = append(byType[s.source], s)
		}
	}
	var order []row
	together := map[row][]string{}
	for _, source := range sources {
		r := rowOf(byType[source])
		if _, seen := together[r]; !seen {
			order = append(order, r)
		}
		together[r] = append(together[r], "`"+source+"`")
	}
	var b strings.Builder
	b.WriteString("| source | as in Feast | unlike Feast |\n| --- | --- | --- |\n")
	for _, r := range order {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", strings.Join(together[r], ", "), r.same, r.other)
	}
	return b.String()
}

// rowOf tells which value types a type of a source fills. A value type that
// differs from Feast is in the second column, with the values that differ when
// others are equal.
func rowOf(conversions []swept) row {
	var same, other []string
	for _, kind := range kinds() {
		equal := false
		var cases []string
		for _, s := range conversions {
			switch {
			case s.kind != kind || !s.filled || slices.Contains([]string{"empty", "list of nulls", "nulls alone"}, s.title):
			case s.differs && s.how != refused:
				cases = append(cases, s.title)
			case !s.differs:
				equal = true
			}
		}
		if equal {
			same = append(same, kind)
		}
		switch {
		case len(cases) == 0:
		case !equal || slices.Contains(cases, "ordinary"):
			other = append(other, kind)
		default:
			other = append(other, kind+" ("+strings.Join(cases, ", ")+")")
		}
	}
	return row{same: orNone(same), other: strings.Join(other, ", ")}
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// differencesText lists the deliberate differences, with an example of each.
func differencesText(meant []*block) string {
	var b strings.Builder
	for _, block := range meant {
		fmt.Fprintf(&b, "### %s\n\n%s\n\n", block.title, block.reason)
		for _, p := range block.patterns {
			d := p.first
			fmt.Fprintf(&b, "- %s of %s (%s).\n  %s `%s` (%s) as %s: Feast %s, here %s\n", words(p.fields[4]), words(p.fields[2]), words(p.fields[3]),
				d.backend, d.source, d.title, d.kind, example(d.feast), example(d.ours))
		}
		b.WriteString("\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

// words formats the alternatives of a pattern.
func words(alternatives []string) string {
	list := make([]string, len(alternatives))
	for i, a := range alternatives {
		without, not := strings.CutPrefix(a, "!")
		list[i] = "`" + strings.ReplaceAll(without, "*", "…") + "`"
		if without == "*" {
			list[i] = "any"
		}
		if not {
			list[i] = "not " + list[i]
		}
	}
	return strings.Join(list, ", ")
}

func example(text string) string {
	if text == "" {
		return "has none"
	}
	return "`" + cut(strings.ReplaceAll(text, "`", "'"), 120) + "`"
}
