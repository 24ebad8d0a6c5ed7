package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/banquet-fs/banquet/internal/dynamotest"
)

const (
	redshiftRepo = "project: shop\nprovider: aws\nregistry: registry.db\nonline_store:\n  type: dynamodb\n  region: ap-northeast-2\n  endpoint_url: ENDPOINT\n" +
		"offline_store:\n  type: redshift\n  cluster_id: c\n  region: eu-west-1\n  user: u\n  database: d\n  s3_staging_location: s3://x\n  iam_role: arn\nentity_key_serialization_version: 3\n"
	warehouseViews = `from datetime import timedelta
from feast import BigQuerySource, Entity, FeatureView, Field, PushSource, RedshiftSource, ValueType
from feast.infra.offline_stores.contrib.spark_offline_store.spark_source import SparkSource
from feast.infra.offline_stores.contrib.clickhouse_offline_store.clickhouse_source import ClickhouseSource
from feast.types import Int64

shopper = Entity(name="shopper", join_keys=["shopper"], value_type=ValueType.INT64)
schema = [Field(name="items", dtype=Int64)]
carts_source = RedshiftSource(name="carts_source", table="carts", timestamp_field="at")
carts = FeatureView(name="carts", entities=[shopper], ttl=timedelta(days=1), schema=schema, source=carts_source)
pushed = FeatureView(name="pushed", entities=[shopper], schema=schema, source=PushSource(name="push", batch_source=carts_source))
queried = FeatureView(name="queried", entities=[shopper], schema=schema, source=BigQuerySource(name="bq", query="SELECT 1", timestamp_field="at"))
sparked = FeatureView(name="sparked", entities=[shopper], schema=schema, source=SparkSource(name="lake", query="SELECT 1", timestamp_field="at"))
clicked = FeatureView(name="clicked", entities=[shopper], schema=schema, source=ClickhouseSource(name="clicks", table="carts", timestamp_field="at"))
`
)

// A warehouse beside DynamoDB is the most common public repository: everything
// but materialize works without the warehouse.
func TestAWarehouseBesideDynamoDB(t *testing.T) {
	d := dynamotest.Start(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	dir := newRepo(t, strings.ReplaceAll(redshiftRepo, "ENDPOINT", d.URL), warehouseViews)
	for _, c := range []struct{ args, want string }{
		{"plan", "Created feature view carts"},
		{"apply", "Deploying infrastructure for carts"},
		{"plan", "No changes to registry"},
		{"apply", ""},
		{"validate", "offline store: " + filepath.Join(dir, "feature_store.yaml") + ":9: offline_store redshift is not built into banquet: materialize needs it"},
		{"data-sources list", "<class 'feast.infra.offline_stores.redshift_source.RedshiftSource'>"},
		{"data-sources describe carts_source", "redshiftOptions:\n  table: carts\n  schema: public\nname: carts_source\n"},
		{"data-sources describe lake", "dataSourceClassType: feast.infra.offline_stores.contrib.spark_offline_store.spark_source.SparkSource"},
		{"feature-views list", "queried"},
		{"feature-views describe pushed", "batchSource:"},
		{"registry-dump", `"redshiftOptions": {`},
		{"get-online-features -e shopper=1 -f carts:items", "null"},
	} {
		code, out, errText := command(t, nil, append([]string{"-c", dir}, strings.Fields(c.args)...)...)
		if code != 0 || errText != "" || !strings.Contains(out, c.want) {
			t.Errorf("%s: exit %d, %q lacks %q: %s", c.args, code, out, c.want, errText)
		}
	}
	before := snapshot(t, dir)
	for _, args := range [][]string{{"materialize", "2024-01-01", "2024-02-01"}, {"materialize-incremental", "2024-01-01"}} {
		code, out, errText := command(t, nil, append([]string{"-c", dir}, args...)...)
		want := "feature_store.yaml:9: offline_store redshift is not built into banquet: materialize needs it; use postgres or files (file), or run this with Feast"
		if code != 1 || out != "" || strings.Count(errText, "\n") != 1 || !strings.Contains(errText, want) {
			t.Errorf("%v: exit %d: %s%s", args, code, out, errText)
		}
	}
	if snapshot(t, dir) != before {
		t.Error("the registry has changed")
	}
	cmd, at := startServing(t, dir)
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if body := online(t, at.HTTP, `{"features":["carts:items"],"entities":{"shopper":[1]}}`); !strings.Contains(body, "NOT_FOUND") {
		t.Error(body)
	}
}

// A command that needs a store, a provider or a registry that banquet does not
// have says so in one line, and changes nothing; the rest works.
func TestPartsThatAreNotBuilt(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	redshift := strings.Replace(sqliteRepo, "type: file", "type: redshift", 1)
	redis := strings.Replace(sqliteRepo, "type: sqlite\n  path: online.db", "type: redis\n  connection_string: localhost:6379", 1)
	provider := strings.Replace(sqliteRepo, "provider: local", "provider: my.own.Provider", 1)
	store := strings.Replace(sqliteRepo, "registry: registry.db", "registry:\n  path: registry.db\n  registry_store_type: PostgreSQLRegistryStore", 1)
	materialize, get := []string{"materialize", "2024-01-01", "2024-02-01"}, []string{"get-online-features", "-e", "shopper=1", "-f", "carts:items"}
	serveOffline := []string{"serve_offline", "-p", "0", "--admin-port", "0"}
	untyped := strings.Replace(warehouseViews, ", value_type=ValueType.INT64", "", 1)
	csv := strings.ReplaceAll(oneView, "SOURCE", `FileSource(name="carts_source", path="carts.csv", timestamp_field="at")`)
	pg := strings.ReplaceAll(oneView, "SOURCE", `PostgreSQLSource(name="carts_source", table="carts", timestamp_field="at")`)
	for _, c := range []struct {
		name, yaml, python string
		refused            [][]string
		want               string
	}{
		{"columns of a warehouse", redshift, untyped, [][]string{{"plan"}, {"apply"}, {"validate"}}, "offline_store redshift is not built into banquet: finding the columns of data source carts_source needs it"},
		{"columns of another store", sqliteRepo, untyped, [][]string{{"plan"}, {"apply"}, {"validate"}}, "data source carts_source is a RedshiftSource, which is not built into banquet"},
		{
			"an online store", redis, csv,
			[][]string{{"plan"}, {"apply"}, {"validate"}, materialize, get, {"serve", "-p", "0", "--grpc-port", "0", "--admin-port", "0"}},
			"feature_store.yaml:5: online_store redis is not built into banquet: ",
		},
		{
			"a provider", provider, csv,
			[][]string{{"plan"}, {"apply"}, {"validate"}, materialize, get, serveOffline},
			"feature_store.yaml:2: provider my.own.Provider is not built into banquet: ",
		},
		{"an offline store", redshift, csv, [][]string{serveOffline}, "feature_store.yaml:8: offline_store redshift is not built into banquet: making training sets needs it"},
		{"a batch engine", sqliteRepo + "batch_engine: my.own.Engine\n", csv, [][]string{materialize}, "feature_store.yaml:10: batch_engine my.own.Engine is not built into banquet: materialize needs it"},
		{
			"vectors", strings.Replace(sqliteRepo, "  path: online.db", "  path: online.db\n  vector_enabled: true", 1), csv,
			[][]string{{"apply"}, {"validate"}, materialize},
			"feature_store.yaml:7: vector_enabled of the online store is not built into banquet: ",
		},
		{"baselines", sqliteRepo + "data_quality_monitoring: {}\n", csv, [][]string{{"apply"}, {"validate"}}, "data_quality_monitoring"},
		{
			"a registry store", store, csv,
			[][]string{{"plan"}, {"apply"}, {"validate"}, {"entities", "list"}, {"registry-dump"}, materialize, get},
			"feature_store.yaml:5: registry.registry_store_type: PostgreSQLRegistryStore is not built into banquet",
		},
		{"a registry in S3", strings.Replace(sqliteRepo, "registry.db", "s3://b/registry.db", 1), csv, [][]string{{"apply"}, {"entities", "list"}, get}, "feature_store.yaml:3: registry: s3:// registries are not built yet"},
		{"a source of PostgreSQL", redshift, strings.Replace(pg, ", value_type=ValueType.INT64", "", 1), [][]string{{"apply"}}, "offline_store redshift is not built into banquet"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := newRepo(t, c.yaml, c.python)
			for _, args := range c.refused {
				code, _, errText := command(t, nil, append([]string{"-c", dir}, args...)...)
				lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(errText), "\n"), func(s string) bool { return strings.HasPrefix(s, "time=") || strings.Contains(s, "level=WARN") })
				if code != 1 || len(lines) != 1 || !strings.Contains(lines[0], c.want) {
					t.Errorf("%v: exit %d, want 1 and one line with %q: %s", args, code, c.want, errText)
				}
			}
			for _, name := range []string{"registry.db", "online.db"} {
				if _, err := os.Stat(filepath.Join(dir, name)); name == "registry.db" && err == nil {
					t.Errorf("%s was written", name)
				}
			}
			if strings.Contains(c.name, "registry") {
				return
			}
			if code, _, errText := command(t, nil, "-c", dir, "data-sources", "list"); code != 0 {
				t.Error(errText)
			}
		})
	}
}

// A plan without tables needs no online store.
func TestPlanWithoutTables(t *testing.T) {
	redis := strings.Replace(sqliteRepo, "type: sqlite\n  path: online.db", "type: redis", 1)
	dir := newRepo(t, redis, "from feast import Entity\nshopper = Entity(name=\"shopper\")\n")
	if code, out, errText := command(t, nil, "-c", dir, "plan"); code != 0 || !strings.Contains(out, "Created entity shopper") {
		t.Errorf("exit %d: %s%s", code, out, errText)
	}
	if code, _, errText := command(t, nil, "-c", dir, "apply"); code != 1 || !strings.Contains(errText, "online_store redis is not built into banquet: apply needs it") {
		t.Errorf("exit %d: %s", code, errText)
	}
}

// Lineage and run logs do not affect features: banquet only warns about them.
func TestWarningsOfTheConfiguration(t *testing.T) {
	csv := strings.ReplaceAll(oneView, "SOURCE", `FileSource(name="carts_source", path="carts.csv", timestamp_field="at")`)
	dir := newRepo(t, sqliteRepo+"openlineage:\n  enabled: true\n", csv)
	for _, args := range [][]string{{"plan"}, {"validate"}, {"apply"}, {"materialize", "2024-01-01", "2024-02-01"}} {
		code, _, errText := command(t, nil, append([]string{"-c", dir}, args...)...)
		if code != 0 || !strings.Contains(errText, "warning: "+filepath.Join(dir, "feature_store.yaml")+":11: openlineage is enabled") {
			t.Errorf("%v: exit %d: %s", args, code, errText)
		}
	}
}
