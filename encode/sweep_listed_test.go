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

// block is a deliberate difference from Feast, as differences.txt describes it.
type block struct {
	title, reason string
	patterns      []*pattern
}

// pattern selects the conversions that a block covers.
type pattern struct {
	fields [6][]string // use, backend, source, case, value type, how
	line   string
	used   int
	first  difference // of the differences it covers
	own    bool       // no earlier pattern covers the first
}

// blocks reads differences.txt: a title in brackets, the reason, and the
// patterns after tabs.
func blocks(t *testing.T) []*block {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(recordDir, "differences.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var list []*block
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "["):
			list = append(list, &block{title: strings.Trim(line, "[]")})
		case len(list) == 0:
			t.Fatalf("differences.txt: %q stands before the first title", line)
		case strings.HasPrefix(line, "\t"):
			last := list[len(list)-1]
			last.patterns = append(last.patterns, parsePattern(t, line))
		default:
			last := list[len(list)-1]
			last.reason = strings.TrimSpace(last.reason + " " + line)
		}
	}
	return list
}

func parsePattern(t *testing.T, line string) *pattern {
	t.Helper()
	parts := strings.Split(strings.TrimSpace(line), " | ")
	p := &pattern{line: strings.TrimSpace(line)}
	if len(parts) != len(p.fields) {
		t.Fatalf("differences.txt: %q has %d fields, not %d", line, len(parts), len(p.fields))
	}
	for i := range p.fields {
		for alternative := range strings.SplitSeq(parts[i], " / ") {
			p.fields[i] = append(p.fields[i], strings.TrimSpace(alternative))
		}
	}
	return p
}

func (p *pattern) matches(d difference) bool {
	for i, value := range []string{d.use, d.backend, d.source, d.title, d.kind, d.how} {
		// A type in a file without pyarrow's schema matches like the same type
		// with it.
		plain, _, _ := strings.Cut(value, " (")
		if !oneOf(p.fields[i], value) && !oneOf(p.fields[i], plain) {
			return false
		}
	}
	return true
}

// oneOf reports whether one of the alternatives matches a value, and none after
// an exclamation mark does.
func oneOf(alternatives []string, value string) bool {
	found := strings.HasPrefix(alternatives[0], "!")
	for _, with := range alternatives {
		if without, not := strings.CutPrefix(with, "!"); not {
			if wildcard(without, value) {
				return false
			}
			continue
		}
		found = found || wildcard(with, value)
	}
	return found
}

// wildcard matches a text; * matches any part of it.
func wildcard(with, text string) bool {
	first, rest, more := strings.Cut(with, "*")
	if !more {
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

// listed removes the deliberate differences, and returns the lines that match
// none.
func listed(t *testing.T, meant []*block, all []difference) (left []difference, unused []string) {
	t.Helper()
	var list []*pattern
	for _, b := range meant {
		if b.reason == "" || len(b.patterns) == 0 {
			t.Errorf("differences.txt: %q lacks a reason, or patterns", b.title)
		}
		list = append(list, b.patterns...)
	}
	for _, d := range all {
		found := false
		for _, p := range list {
			if p.matches(d) {
				if p.used++; p.used == 1 || !found && !p.own {
					p.first, p.own = d, !found
				}
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

// writeReport writes the differences for reading: the worst first, and one
// block for all value types and cases of a type with the same outcome.
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
