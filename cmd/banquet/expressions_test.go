package main

import (
	"path/filepath"
	"strings"
	"testing"
)

const expressionsFile = `views:
  - name: cost
    description: what a cart costs
    owner: shop@example.com
    tags: {team: shop}
    sources:
      - carts
      - {request: request, schema: {price: Float64}}
    features:
      total: {type: Float64, expr: double(items) * price}
      each:
        type: Float64
        description: the price of one item
        expr: |
          items == 0 ? 0.0
                     : price / double(items)
`

// expressionsRepo is a repository whose on_demand.yaml is text.
func expressionsRepo(t *testing.T, text, more string) (dir string, run func(args ...string) (int, string, string)) {
	t.Helper()
	source := `FileSource(name="carts_source", path="carts.csv", timestamp_field="at")`
	dir = newRepo(t, sqliteRepo, strings.ReplaceAll(oneView, "SOURCE", source)+more)
	writeFile(t, filepath.Join(dir, "carts.csv"), "shopper,items,at\n7,3,2024-01-15T00:00:00Z\n8,,2024-01-15T00:00:00Z\n")
	writeFile(t, filepath.Join(dir, "on_demand.yaml"), text)
	return dir, func(args ...string) (int, string, string) {
		return command(t, nil, append([]string{"-c", dir}, args...)...)
	}
}

// Views with expressions are applied, and computed online and in training sets, also when a
// feature service names them.
func TestExpressions(t *testing.T) {
	dir, run := expressionsRepo(t, expressionsFile, "\nfrom feast import FeatureService\nservice = FeatureService(name=\"service\", features=[carts, \"cost:total\"])\n")
	if code, out, errText := run("plan"); code != 0 || !strings.Contains(out, "on demand feature view cost") {
		t.Fatalf("plan: exit %d, %s%s", code, out, errText)
	}
	for _, args := range [][]string{{"apply"}, {"validate"}, {"materialize", "2024-01-01", "2024-02-01"}} {
		if code, _, errText := run(args...); code != 0 {
			t.Fatal(errText)
		}
	}
	if code, out, errText := run("apply"); code != 0 || !strings.Contains(out+errText, "No changes") {
		t.Errorf("a second apply: exit %d, %s%s", code, out, errText)
	}
	for shopper, want := range map[string]string{"7": "7.5 0.8333333333333334", "8": "null null"} {
		code, out, errText := run("get-online-features", "-e", "shopper="+shopper, "-e", "price=2.5", "-f", "cost:total", "-f", "cost:each")
		total, each, _ := strings.Cut(want, " ")
		want := "{\n    \"shopper\": [\n        " + shopper + "\n    ],\n    \"total\": [\n        " + total + "\n    ],\n    \"each\": [\n        " + each + "\n    ]\n}\n"
		if code != 0 || out != want {
			t.Errorf("exit %d, %s%s", code, out, errText)
		}
	}
	rows := filepath.Join(dir, "rows.csv")
	writeFile(t, rows, "shopper,price,event_timestamp\n7,2.5,2024-01-15T01:00:00Z\n8,2.5,2024-01-15T01:00:00Z\n")
	for want, args := range map[string][]string{
		"total,each\n7.5,0.8333333333333334\n,\n": {"-f", "cost:total", "-f", "cost:each"},
		"items,total\n3,7.5\n,\n":                 {"--feature-service", "service"},
	} {
		code, out, errText := run(append([]string{"get-historical-features", "--entity-df", rows, "-o", "-"}, args...)...)
		if code != 0 || lastColumns(out, strings.Count(want[:strings.IndexByte(want, '\n')], ",")+1) != want {
			t.Errorf("%v: exit %d, %s%s", args, code, out, errText)
		}
	}
}

// lastColumns are the last columns of a CSV.
func lastColumns(csv string, n int) string {
	var b strings.Builder
	for line := range strings.Lines(csv) {
		cells := strings.Split(line, ",")
		b.WriteString(strings.Join(cells[max(0, len(cells)-n):], ","))
	}
	return b.String()
}

func TestExpressionsThatAreWrong(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"a key":           {"owner:", "ownr:", `banquet: on_demand.yaml:4: a view has no key "ownr"; there is owner`},
		"a type":          {"type: Float64, expr", "type: Float46, expr", `banquet: on_demand.yaml:10: type of feature total: "Float46" is no type that expressions know; there is Float64`},
		"a source":        {"- carts", "- cart", `banquet: on_demand.yaml:7: view cost: there is no feature view "cart"; there is carts;`},
		"a name":          {"name: cost", "name: Carts", `banquet: on_demand.yaml:2: on-demand feature view Carts: there is feature view carts already; give one of them another name`},
		"a column":        {"double(items)", "double(item)", `banquet: on_demand.yaml:10: on-demand feature view "cost" cannot be computed: feature "total" at 1:8 of its expression: no source of the view has the column "item", and CEL has no function of this name; there is items`},
		"a result":        {"? 0.0", "? 0", `banquet: on_demand.yaml:15: on-demand feature view "cost" cannot be computed: feature "each" at 1:12 of its expression: `},
		"no YAML":         {"views:", "views: [", `banquet: on_demand.yaml: line `},
		"a key twice":     {"    owner:", "    name:", `banquet: on_demand.yaml:4: a view has the key "name" twice`},
		"no keys of rows": {"    owner:", "    write_to_online_store: true\n    owner:", `banquet: on_demand.yaml:2: view cost has write_to_online_store and needs entities, the keys of its rows`},
		"an entity":       {"    owner:", "    entities: [shoper]\n    owner:", `banquet: on_demand.yaml:4: view cost: there is no entity "shoper"; there is shopper`},
	} {
		_, run := expressionsRepo(t, strings.Replace(expressionsFile, c.old, c.new, 1), "")
		for _, verb := range []string{"plan", "apply", "validate"} {
			if code, out, errText := run(verb); code == 0 || !strings.Contains(strings.TrimPrefix(out+errText, "fault: "), strings.TrimPrefix(c.want, "banquet: ")) {
				t.Errorf("%s: %s: exit %d, %s%s", name, verb, code, out, errText)
			}
			if name != "a column" {
				break
			}
		}
	}
}

// A view with expressions and write_to_online_store gets a table, which materialize and push
// fill.
func TestExpressionsOfStoredViews(t *testing.T) {
	dir, run := expressionsRepo(t, `views:
  - name: stored
    entities: [shopper]
    write_to_online_store: true
    sources: [carts]
    features:
      twice: {type: Int64, expr: 2 * items + shopper}
`, "")
	if code, out, errText := run("apply"); code != 0 || !strings.Contains(out, "stored") {
		t.Fatal(out, errText)
	}
	code, out, errText := run("materialize", "2024-01-01", "2024-02-01")
	if code != 0 || !strings.Contains(out, "Materializing 2 feature views") || strings.Count(out, "  2 rows written of 2 read") != 2 {
		t.Errorf("materialize: exit %d, %s%s", code, out, errText)
	}
	rows := filepath.Join(dir, "rows.csv")
	writeFile(t, rows, "shopper,items,event_timestamp\n9,50,2024-01-15T01:00:00Z\n")
	if code, out, errText := run("push", "--view", "stored", rows); code != 0 {
		t.Errorf("push: exit %d, %s%s", code, out, errText)
	}
	for shopper, want := range map[string]string{"7": "13", "8": "null", "9": "109"} {
		code, out, errText := run("get-online-features", "-e", "shopper="+shopper, "-f", "stored:twice")
		if code != 0 || !strings.Contains(out, "\"twice\": [\n        "+want+"\n") {
			t.Errorf("exit %d, %s%s", code, out, errText)
		}
	}
}
