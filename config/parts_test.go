package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/config"
	"github.com/banquet-fs/banquet/fault"
)

// refusal checks that an error is one line of kind Unimplemented that contains
// all of want.
func refusal(t *testing.T, err error, want ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if fault.KindOf(err) != fault.Unimplemented || strings.Contains(err.Error(), "\n") {
		t.Errorf("%s: %q", fault.KindOf(err), err)
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q lacks %q", err, w)
		}
	}
}

// The file may name every store of Feast 0.66, whatever its section holds; a
// store that is not built in is refused by whoever needs it.
func TestStoresOfFeast(t *testing.T) {
	const rest = "  no_such_key: {a: [1]}\n  region: eu-west-1\n"
	for _, c := range []struct {
		section, kinds string
		built          func(*config.Config, string) error
	}{
		{"offline_store", "bigquery redshift snowflake.offline spark trino athena mssql remote couchbase.offline clickhouse ray oracle hybrid chronon " +
			"feast.infra.offline_stores.contrib.mongodb_offline_store.mongodb.MongoDBOfflineStore my.own.OfflineStore", (*config.Config).OfflineBuilt},
		{"online_store", "aerospike datastore redis snowflake.online bigtable hbase cassandra scylladb mysql hazelcast elasticsearch remote singlestore " +
			"qdrant couchbase.online milvus mongodb hybrid chronon feast.infra.online_stores.redis.RedisOnlineStore my.own.OnlineStore", (*config.Config).OnlineBuilt},
	} {
		for kind := range strings.FieldsSeq(c.kinds) {
			for _, text := range []string{c.section + ":\n  type: " + kind + "\n" + rest, c.section + ": " + kind + "\n"} {
				cfg, err := parse(head+text, nil)
				if err != nil {
					t.Errorf("%s %s: %v", c.section, kind, err)
					continue
				}
				line := ":4: "
				if !strings.Contains(text, "type") {
					line = ":3: "
				}
				refusal(t, c.built(cfg, "materialize"), "feature_store.yaml"+line+c.section+" "+kind, "materialize needs it", "run this with Feast")
			}
		}
	}
}

func TestStoresThatAreBuilt(t *testing.T) {
	pg := "  host: h\n  database: d\n  user: u\n"
	for kind, rest := range map[string]string{
		"file": "", "dask": "", "duckdb": "  staging_location: s3://x\n", "postgres": pg, "feast.infra.offline_stores.dask.DaskOfflineStore": "",
		"feast.infra.offline_stores.contrib.postgres_offline_store.postgres.PostgreSQLOfflineStore": pg,
	} {
		c, err := parse(head+"offline_store:\n  type: "+kind+"\n"+rest, nil)
		if err != nil || c.OfflineBuilt("materialize") != nil || c.OnlineBuilt("apply") != nil {
			t.Errorf("offline_store %s: %v", kind, err)
		}
	}
	for kind, want := range map[string]string{
		"sqlite": "sqlite", "dynamodb": "dynamodb", "postgres": "postgres",
		"feast.infra.online_stores.sqlite.SqliteOnlineStore":                             "sqlite",
		"feast.infra.online_stores.dynamodb.DynamoDBOnlineStore":                         "dynamodb",
		"feast.infra.online_stores.postgres_online_store.postgres.PostgreSQLOnlineStore": "postgres",
		"feast.infra.online_stores.postgres_online_store.PostgreSQLOnlineStore":          "postgres",
		"feast.infra.online_stores.contrib.postgres.PostgreSQLOnlineStore":               "postgres",
	} {
		rest := map[string]string{"sqlite": "  path: x\n", "dynamodb": "  region: x\n", "postgres": pg}[want]
		c, err := parse(head+"online_store:\n  type: "+kind+"\n"+rest, nil)
		if err != nil || c.OnlineBuilt("apply") != nil || c.Online.Type != want {
			t.Errorf("online_store %s: %v", kind, err)
		}
	}
	c, err := parse(head+"online_store:\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.OnlineBuilt("apply"); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "apply needs one") {
		t.Error(err)
	}
}

func TestProvidersAndEngines(t *testing.T) {
	for _, text := range []string{
		"", "provider: local\n", "provider: aws\n", "provider: gcp\n", "provider: azure\n", "batch_engine: local\n", "batch_engine:\n",
		"batch_engine:\n  type: spark.engine\n  partitions: 3\n", "batch_engine:\n  type: k8s\n", "batch_engine:\n  type: feast.infra.compute_engines.local.compute.LocalComputeEngine\n",
	} {
		c, err := parse(head+text, nil)
		if err != nil || c.ProviderBuilt("apply") != nil || c.EngineBuilt("materialize") != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	c, err := parse(head+"provider: my.module.Provider\nbatch_engine:\n  in: 1\n  type: my.module.Engine\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	refusal(t, c.ProviderBuilt("apply"), "feature_store.yaml:3: provider my.module.Provider", "apply needs it", "use local")
	refusal(t, c.EngineBuilt("materialize"), "feature_store.yaml:6: batch_engine my.module.Engine", "materialize needs it", "leave it out")
	if c, err = parse(head+"provider: unity_catalog\n", nil); err != nil {
		t.Fatal(err)
	}
	refusal(t, c.ProviderBuilt("apply"), "unity_catalog")
	if _, err := parse(head+"provider: gpc\n", nil); err == nil || !strings.Contains(err.Error(), `:3: provider: unknown provider "gpc"; want local`) {
		t.Error(err)
	}
}

// A registry in another place is never read as a file.
func TestRegistriesElsewhere(t *testing.T) {
	for text, want := range map[string]string{
		"registry: s3://bucket/registry.db":                                                "feature_store.yaml:2: registry: s3:// registries are not built yet",
		"registry: gs://bucket/registry.db":                                                "feature_store.yaml:2: registry: gs:// registries",
		"registry:\n  cache_ttl_seconds: 60\n  path: s3://bucket/registry.db":              "feature_store.yaml:4: registry: s3:// registries",
		"registry:\n  registry_type: sql\n  path: postgresql://u@h/d":                      "feature_store.yaml:3: registry.registry_type: sql registries",
		"registry:\n  registry_type: remote\n  path: h:80":                                 "feature_store.yaml:3: registry.registry_type: remote registries",
		"registry:\n  registry_type: snowflake.registry\n  user: u":                        "feature_store.yaml:3: registry.registry_type: snowflake.registry registries",
		"registry:\n  registry_type: my.own.Registry\n  path: r.db":                        `feature_store.yaml:3: registry.registry_type: unknown registry type "my.own.Registry"`,
		"registry:\n  path: r.db\n  registry_store_type: PostgreSQLRegistryStore":          "feature_store.yaml:4: registry.registry_store_type: PostgreSQLRegistryStore is not built into banquet",
		"registry:\n  path: r.db\n  registry_store_type: S3RegistryStore":                  "feature_store.yaml:4: registry.registry_store_type: S3RegistryStore",
		"registry:\n  path: r.db\n  registry_store_type: GCSRegistryStore":                 "feature_store.yaml:4: registry.registry_store_type: GCSRegistryStore",
		"registry:\n  path: r.db\n  registry_store_type: my.own.RegistryStore":             "feature_store.yaml:4: registry.registry_store_type: my.own.RegistryStore",
		"registry:\n  path: r.db\n  registry_store_type: LocalRegistryStore":               "which has FileRegistryStore",
		"registry:\n  registry_store_type: AzureRegistryStore\n  path: https://a.net/r.db": "feature_store.yaml:3: registry.registry_store_type: AzureRegistryStore",
	} {
		_, err := parse("project: shop\n"+text+"\n", nil)
		if err == nil {
			t.Errorf("%q is accepted", text)
			continue
		}
		if !strings.HasPrefix(err.Error(), want) && !strings.Contains(err.Error(), "which has") || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), "registry: registry.db") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	for _, store := range []string{"FileRegistryStore", "feast.infra.registry.file.FileRegistryStore", "null", ""} {
		if _, err := parse("project: shop\nregistry:\n  path: r.db\n  registry_type: file\n  registry_store_type: "+store+"\n", nil); err != nil {
			t.Errorf("%s: %v", store, err)
		}
	}
}

func TestSectionsBesideTheFeatures(t *testing.T) {
	for text, refused := range map[string]bool{
		"data_quality_monitoring:\n  auto_baseline: false\n": false, "data_quality_monitoring:\n  auto_baseline: true\n": true,
		"data_quality_monitoring: {}\n": true, "data_quality_monitoring:\n": false, "": false,
	} {
		c, err := parse(head+text, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err = c.QualityBuilt("apply"); (err != nil) != refused {
			t.Errorf("%q: %v", text, err)
		} else if refused {
			refusal(t, err, "data_quality_monitoring", "auto_baseline: false")
		}
	}
	c, err := parse(head+"openlineage:\n  enabled: true\nmlflow:\n  enabled: true\nembedding_model:\n  model: m\nrepo_path: /x\nfeature_server:\n  type: mcp\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.ServerWarnings() != nil {
		t.Error(c.ServerWarnings())
	}
	if w := c.Warnings(); len(w) != 2 || !strings.Contains(w[0], "feature_store.yaml:4: openlineage is enabled") || !strings.Contains(w[1], ":6: mlflow is enabled") {
		t.Error(w)
	}
}

// What a server of Feast would do and banquet does not is in a message, with its line.
func TestWarningsOfServers(t *testing.T) {
	c, err := parse(head+"feature_server:\n  type: mcp\n  mcp_enabled: true\n  feature_logging: {enabled: true}\n  metrics: {audit_logging: true}\n  audit_logging:\n    enabled: true\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(c.ServerWarnings(), "\n")
	for _, want := range []string{":5: feature_server.mcp_enabled is enabled, and banquet has no MCP", ":6: feature_server.feature_logging", ":7: feature_server.metrics.audit_logging", ":9: feature_server.audit_logging"} {
		if !strings.Contains(got, "feature_store.yaml"+want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
}

// A misspelled key that Feast ignores is in a message; other keys that it ignores are not.
func TestIgnoredKeys(t *testing.T) {
	c, err := parse(head+"ofline_store:\n  type: postgres\nsurprise: 1\nmaterialization:\n  online_write_batch_sise: 3\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"feature_store.yaml:3: ofline_store: unknown key, ignored as in Feast; did you mean offline_store?",
		"feature_store.yaml:7: materialization.online_write_batch_sise: unknown key, ignored as in Feast; did you mean online_write_batch_size?",
	}
	if diff := cmp.Diff(want, c.Warnings()); diff != "" {
		t.Error(diff)
	}
}

// Writing refuses settings that store more than the values.
func TestVectors(t *testing.T) {
	pg := "online_store:\n  type: postgres\n  host: h\n  database: d\n  user: u\n"
	for text, want := range map[string]string{
		"online_store:\n  type: sqlite\n  vector_enabled: true\n":                 ":5: vector_enabled of the online store",
		"online_store:\n  type: sqlite\n  enable_openai_compatible_store: true\n": ":5: enable_openai_compatible_store of the online store",
		pg + "  vector_enabled: true\n":                                           ":8: vector_enabled of the online store",
		pg + "  enable_openai_compatible_store: true\n":                           ":8: enable_openai_compatible_store of the online store",
	} {
		c, err := parse(head+text, nil)
		if err != nil {
			t.Fatal(err)
		}
		refusal(t, c.VectorsBuilt("apply"), want, "apply needs it", "set it to false")
	}
	for _, text := range []string{"", pg, pg + "  vector_enabled: false\n", "online_store:\n  type: sqlite\n  text_search_enabled: true\n"} {
		if c, err := parse(head+text, nil); err != nil || c.VectorsBuilt("apply") != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}
