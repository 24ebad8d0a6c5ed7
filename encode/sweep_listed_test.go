package encode_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pattern is a line of differences.txt: which differences from Feast are meant.
type pattern struct {
	fields [6][]string // use, backend, source, case, value type, how
	reason string
	line   string
	used   int
}

// patterns reads differences.txt.
func patterns(t *testing.T) []*pattern {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(recordDir, "differences.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var list []*pattern
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := strings.Split(line, " | ")
		if len(parts) != 7 {
			t.Fatalf("differences.txt: %q has %d fields, not 7", line, len(parts))
		}
		p := &pattern{reason: parts[6], line: line}
		for i := range p.fields {
			p.fields[i] = strings.Split(strings.TrimSpace(parts[i]), " / ")
		}
		list = append(list, p)
	}
	return list
}

func (p *pattern) matches(d difference) bool {
	for i, value := range []string{d.use, d.backend, d.source, d.title, d.kind, d.how} {
		if !slices.ContainsFunc(p.fields[i], func(w string) bool { return wildcard(strings.TrimSpace(w), value) }) {
			return false
		}
	}
	return true
}

// wildcard matches a text; * stands for any piece of it.
func wildcard(with, text string) bool {
	first, rest, any := strings.Cut(with, "*")
	if !any {
		return with == text
	}
	text, ok := strings.CutPrefix(text, first)
	if !ok {
		return false
	}
	for i := range len(text) + 1 {
		if wildcard(rest, text[i:]) {
			return true
		}
	}
	return false
}

// listed takes out the differences that are meant, and gives the lines that mean none.
func listed(t *testing.T, all []difference) (left []difference, unused []string) {
	t.Helper()
	list := patterns(t)
	for _, d := range all {
		found := false
		for _, p := range list {
			if p.matches(d) {
				p.used++
				found = true
			}
		}
		if !found {
			left = append(left, d)
		}
	}
	for _, p := range list {
		if p.used == 0 {
			unused = append(unused, p.line)
		}
	}
	return left, unused
}

// writeReport writes the differences for people: the worst first, and one block
// for all value types and cases that say the same of a type.
func writeReport(t *testing.T, left []difference) {
	t.Helper()
	if *report == "" {
		return
	}
	order := []string{otherValue, unnamed, stored, refused}
	rank := func(d difference) int { return slices.Index(order, d.how) }
	slices.SortStableFunc(left, func(a, b difference) int {
		return cmp.Or(rank(a)-rank(b), cmp.Compare(a.use, b.use), cmp.Compare(a.backend, b.backend))
	})
	titles := map[string]string{
		otherValue: "ANOTHER VALUE THAN FEAST'S", unnamed: "REFUSED WITHOUT ROW AND COLUMN", stored: "STORED WHERE FEAST FAILS (right only if the value is the obvious one, and listed)",
		refused: "REFUSED WHERE FEAST STORES (right only if Feast loses something, and listed)",
	}
	var b strings.Builder
	counts := map[string]int{}
	for _, d := range left {
		counts[d.how]++
	}
	fmt.Fprintf(&b, "%d differences from Feast that are not listed: %v\n", len(left), counts)
	for i := 0; i < len(left); {
		d := left[i]
		if i == 0 || left[i-1].how != d.how {
			fmt.Fprintf(&b, "\n######## %s\n", titles[d.how])
		}
		fmt.Fprintf(&b, "\n%s of %s: %s (%s)\n", d.use, d.backend, d.source, d.title)
		for ; i < len(left); i++ {
			e := left[i]
			if e.how != d.how || e.use != d.use || e.backend != d.backend || e.source != d.source || e.title != d.title {
				break
			}
			fmt.Fprintf(&b, "    as %-20s Feast %s\n       %-20s ours  %s\n", e.kind, e.feast, "", e.ours)
		}
	}
	if err := os.WriteFile(*report, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}
