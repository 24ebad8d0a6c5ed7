package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A wrong command line is exit code 2 and says what was probably meant.
func TestUsage(t *testing.T) {
	registry, err := filepath.Abs(filepath.Join("..", "..", "testdata", "golden", "credit_scoring", "registry", "4_incremental.db"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	yaml := "project: credit_scoring_aws\nregistry: " + registry + "\nonline_store: {type: sqlite, path: o.db}\nentity_key_serialization_version: 3\n"
	if err := os.WriteFile(filepath.Join(dir, "feature_store.yaml"), []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		line string
		code int
		want string
	}{
		{"materialise 2024-01-01 2024-01-02", 2, `unknown command "materialise"; did you mean materialize?`},
		{"entity list", 2, `unknown command "entity"; did you mean entities?`},
		{"listen", 2, "`banquet serve` also serves GrpcFeatureServer"},
		{"serve -p 65536", 1, "there is no port 65536; ports are 0, for a free one, to 65535"},
		{"data-sources describe zipcode_sourc", 1, "did you mean zipcode_source?"},
		{"nothing-like-it", 2, `unknown command "nothing-like-it"`},
		{"validate -r reference", 2, "--reference: validation of datasets (START END) is not built yet"},
		{"validate 2024-01-01 2024-01-02", 2, "validation of datasets (START END) is not built yet"},
		{"mcp", 2, "mcp is a command of Feast that banquet does not have yet"},
		{"mlflow sync-dataset", 2, "mlflow is a command of Feast that banquet does not have yet"},
		{"saved-datasets list", 2, "saved-datasets is a command of Feast that banquet does not have yet"},
		{"feature-views enable credit_history", 2, "feature-views enable is a command of Feast that banquet does not have yet"},
		{"feature-views lst", 2, `unknown command "feature-views lst"; did you mean list?`},
		{"get-online-features -e zip=1 -f zipcode_features:city", 1, "the features need a value of zipcode\n"},
		{"get-online-features -e zipcode=1 -f zipcode_features:city -f credit_history:bankruptcies", 1, "the features need a value of dob_ssn\n"},
		{"teardown", 2, "teardown is a command of Feast that banquet does not have yet"},
		{"materialize a b c", 2, "materialize accepts at most 2 arg(s), received 3"},
		{"init a b", 2, "init accepts at most 1 arg(s), received 2"},
		{"apply --verbos", 2, "unknown flag: --verbos; did you mean --verbose?"},
		{"apply x", 2, `unexpected argument "x"`},
		{"feature-views describe zipcode_feature", 1, "Feature view zipcode_feature does not exist in project credit_scoring_aws\ndid you mean zipcode_features?"},
		{"entities describe zipcde", 1, "did you mean zipcode?"},
		{"get-online-features -e zipcode=1 -f zipcode_featurs:city", 1, "did you mean zipcode_features?"},
		{"get-online-features -e zipcode=1 -f zipcode_features:cty", 1, "Feature cty not found in projection zipcode_features\ndid you mean zipcode_features:city?"},
		{"materialize 2024-01-01 2024-01-02 -v zipcode_featres", 1, "did you mean zipcode_features?"},
	} {
		var out, errs strings.Builder
		code := run(t.Context(), system{
			args: append([]string{"-c", dir}, strings.Fields(c.line)...), in: strings.NewReader(""), out: &out, err: &errs,
			env: func(string) (string, bool) { return "", false },
		})
		if code != c.code || !strings.Contains(errs.String(), c.want) {
			t.Errorf("%s: exit code %d\n%s\nwant %d and %q", c.line, code, errs.String(), c.code, c.want)
		}
	}
}

// A flag that has no effect says so.
func TestFlagsWithoutEffect(t *testing.T) {
	dir, loans := loansRepo(t)
	for _, c := range []struct{ line, want string }{
		{"plan --skip-feature-view-validation", "note: --skip-feature-view-validation has no effect: views are always checked\n"},
		{"apply --skip-feature-view-validation", "note: --skip-feature-view-validation has no effect: views are always checked\n"},
		{"apply --no-progress", ""},
		{"get-historical-features -f carts:items --entity-df " + loans + " --sql-timeout 5s", "note: --sql-timeout has no effect: the entity rows are not SQL\n"},
		{"get-historical-features -f carts:items --entity-df " + loans, ""},
	} {
		code, _, errText := command(t, nil, append([]string{"-c", dir}, strings.Fields(c.line)...)...)
		if code != 0 || errText != c.want {
			t.Errorf("%s: exit %d: %q, want %q", c.line, code, errText, c.want)
		}
	}
}
