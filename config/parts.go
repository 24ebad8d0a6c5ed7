package config

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/banquet-fs/banquet/fault"
)

// The parts that Feast 0.66 knows by name and banquet does not have. Other parts are
// named by their class.
const (
	feastOnline = "aerospike datastore redis snowflake.online bigtable hbase cassandra scylladb mysql hazelcast elasticsearch remote singlestore qdrant " +
		"couchbase.online milvus mongodb hybrid"
	feastOffline = "bigquery redshift snowflake.offline spark trino athena mssql remote couchbase.offline clickhouse ray oracle hybrid"
	// The engines say only where Feast runs a materialization, not what it writes.
	feastEngines = "local snowflake.engine lambda k8s spark.engine ray.engine flink.engine spark_application"
)

// builtClass is the short name of a class of Feast that banquet has, else the class
// itself.
func builtClass(class string) string {
	switch class {
	case "feast.infra.online_stores.sqlite.SqliteOnlineStore":
		return "sqlite"
	case "feast.infra.online_stores.dynamodb.DynamoDBOnlineStore":
		return "dynamodb"
	case "feast.infra.online_stores.postgres_online_store.postgres.PostgreSQLOnlineStore",
		"feast.infra.offline_stores.contrib.postgres_offline_store.postgres.PostgreSQLOfflineStore":
		return "postgres"
	case "feast.infra.offline_stores.dask.DaskOfflineStore":
		return "dask"
	case "feast.infra.offline_stores.duckdb.DuckDBOfflineStore":
		return "duckdb"
	}
	return class
}

// foreign accepts the name of a store that Feast knows or may know: a class whose name
// has the required ending. The keys of its section are not read.
func (d *decoder) foreign(line int, path, kind, feast, suffix, ours string) {
	if slices.Contains(strings.Fields(feast), kind) || strings.Contains(kind, ".") && strings.HasSuffix(kind, suffix) {
		return
	}
	d.fault(line, path, "unknown type "+fmt.Sprintf("%q", kind)+"; banquet has "+ours)
}

// lines finds the lines in which the parts are named.
func (d *decoder) lines(root *yaml.Node, c *Config) {
	c.lines = map[string]int{}
	for _, key := range []string{"provider", "online_store", "offline_store", "batch_engine", "data_quality_monitoring", "openlineage", "mlflow"} {
		if n := child(root, key); n != nil {
			_, c.lines[key] = d.typeOf(n, "")
		}
	}
	if store := child(root, "online_store"); store != nil {
		for _, key := range []string{"vector_enabled", "enable_openai_compatible_store"} {
			if n := child(store, key); n != nil {
				c.lines[key] = n.Line
			}
		}
	}
	if n := child(root, "batch_engine"); n != nil && n.Tag != "!!null" {
		c.engine, _ = d.typeOf(n, "local")
	}
}

// unbuilt is the error for a part that banquet does not have; need is what needs it.
func (c *Config) unbuilt(key, name, need, remedy string) error {
	return fault.New(fault.Unimplemented, "%s:%d: %s %s is not built into banquet: %s needs it; %s, or run this with Feast", c.File, c.lines[key], key, name, need, remedy).
		About("configuration", c.File, c.Project)
}

// OnlineBuilt refuses an online store that banquet does not have. need is the command
// that is about to use the store, such as "materialize".
func (c *Config) OnlineBuilt(need string) error {
	switch c.Online.Type {
	case "sqlite", "dynamodb", "postgres":
		return nil
	case "none":
		return fault.New(fault.Invalid, "%s has no online store: %s needs one; set online_store", c.File, need)
	}
	return c.unbuilt("online_store", c.Online.Type, need, "use dynamodb, postgres or sqlite")
}

// OfflineBuilt is OnlineBuilt for the offline store.
func (c *Config) OfflineBuilt(need string) error {
	switch c.Offline.Type {
	case "file", "dask", "duckdb", "postgres":
		return nil
	}
	return c.unbuilt("offline_store", c.Offline.Type, need, "use postgres or files (file)")
}

// ProviderBuilt refuses a provider that is not Feast's. Feast's providers only call the
// stores; what another provider does with them is unknown.
func (c *Config) ProviderBuilt(need string) error {
	switch c.Provider {
	case "local", "gcp", "aws", "azure":
		return nil
	}
	return c.unbuilt("provider", c.Provider, need, "use local")
}

// EngineBuilt refuses a batch engine that is not Feast's. The results of Feast's
// engines do not depend on where they run.
func (c *Config) EngineBuilt(need string) error {
	if c.engine == "" || slices.Contains(strings.Fields(feastEngines), c.engine) || strings.HasPrefix(c.engine, "feast.infra.compute_engines.") {
		return nil
	}
	return c.unbuilt("batch_engine", c.engine, need, "leave it out")
}

// QualityBuilt refuses an apply that would have to compute the baselines of Feast's
// monitoring.
func (c *Config) QualityBuilt(need string) error {
	section, ok := c.Quality.(map[string]any)
	if baseline, given := section["auto_baseline"].(bool); !ok || given && !baseline {
		return nil
	}
	return c.unbuilt("data_quality_monitoring", "of new features", need, "set auto_baseline: false")
}

// VectorsBuilt refuses an online store that must store vectors for search in addition
// to the values. Commands that read features do not need them.
func (c *Config) VectorsBuilt(need string) error {
	vectors, numbers := false, false
	switch c.Online.Type {
	case "sqlite":
		vectors, numbers = c.Online.SQLite.Vector, c.Online.SQLite.OpenAI
	case "postgres":
		vectors, numbers = c.Online.Postgres.Vector, c.Online.Postgres.OpenAI
	}
	switch {
	case vectors:
		return c.unbuilt("vector_enabled", "of the online store", need, "set it to false")
	case numbers:
		return c.unbuilt("enable_openai_compatible_store", "of the online store", need, "set it to false")
	}
	return nil
}

// Warnings lists the settings that have no effect and do not change features.
func (c *Config) Warnings() []string {
	var out []string
	for _, w := range []struct {
		key, lost string
		section   any
	}{{"openlineage", "sends no lineage events", c.Lineage}, {"mlflow", "logs no runs", c.MLflow}} {
		section, _ := w.section.(map[string]any)
		if on, _ := section["enabled"].(bool); on {
			out = append(out, fmt.Sprintf("%s:%d: %s is enabled, and banquet %s; Feast's own commands do", c.File, c.lines[w.key], w.key, w.lost))
		}
	}
	return out
}
