package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/banquet-fs/banquet/fault"
)

// The parts that Feast 0.66 and 0.67 know by name and banquet does not have. Other parts are
// named by their class.
const (
	feastOnline = "aerospike datastore redis snowflake.online bigtable hbase cassandra scylladb mysql hazelcast elasticsearch remote singlestore qdrant " +
		"couchbase.online milvus mongodb hybrid chronon"
	feastOffline = "bigquery redshift snowflake.offline spark trino athena mssql remote couchbase.offline clickhouse ray oracle hybrid chronon"
	// The engines say only where Feast runs a materialization, not what it writes.
	feastEngines = "local snowflake.engine lambda k8s spark.engine ray.engine flink.engine spark_application trino trino.engine"
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
		"feast.infra.online_stores.postgres_online_store.PostgreSQLOnlineStore",
		"feast.infra.online_stores.contrib.postgres.PostgreSQLOnlineStore",
		"feast.infra.offline_stores.contrib.postgres_offline_store.postgres.PostgreSQLOfflineStore":
		return "postgres"
	case "feast.infra.offline_stores.dask.DaskOfflineStore":
		return "dask"
	case "feast.infra.offline_stores.duckdb.DuckDBOfflineStore":
		return "duckdb"
	}
	return class
}

// foreign reports whether Feast knows or may know a store: a class whose name has the
// required ending.
func foreign(kind, feast, suffix string) bool {
	return slices.Contains(strings.Fields(feast), kind) || strings.Contains(kind, ".") && strings.HasSuffix(kind, suffix)
}

// At returns the file and the line of a key, for an error about its value; of a key that
// is not given, those of its section.
func (c *Config) At(path string) string {
	return fmt.Sprintf("%s:%d", c.File, (&decoder{lines: c.lines}).line(path))
}

// unbuilt is the error for a part that banquet does not have; need is what needs it.
func (c *Config) unbuilt(path, part, name, need, remedy string) error {
	return fault.New(fault.Unimplemented, "%s: %s %s is not built into banquet: %s needs it; %s, or run this with Feast", c.At(path), part, name, need, remedy).
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
	return c.unbuilt("online_store.type", "online_store", c.Online.Type, need, "use dynamodb, postgres or sqlite")
}

// OfflineBuilt is OnlineBuilt for the offline store.
func (c *Config) OfflineBuilt(need string) error {
	switch c.Offline.Type {
	case "file", "dask", "duckdb", "postgres":
		return nil
	}
	return c.unbuilt("offline_store.type", "offline_store", c.Offline.Type, need, "use postgres or files (file)")
}

// ProviderBuilt refuses a provider that is not Feast's. Feast's providers only call the
// stores; what another provider does with them is unknown.
func (c *Config) ProviderBuilt(need string) error {
	switch c.Provider {
	case "local", "gcp", "aws", "azure":
		return nil
	}
	return c.unbuilt("provider", "provider", c.Provider, need, "use local")
}

// EngineBuilt refuses a batch engine that is not Feast's. The results of Feast's
// engines do not depend on where they run.
func (c *Config) EngineBuilt(need string) error {
	if c.engine == "" || slices.Contains(strings.Fields(feastEngines), c.engine) || strings.HasPrefix(c.engine, "feast.infra.compute_engines.") {
		return nil
	}
	return c.unbuilt("batch_engine.type", "batch_engine", c.engine, need, "leave it out")
}

// QualityBuilt refuses an apply that would have to compute the baselines of Feast's
// monitoring.
func (c *Config) QualityBuilt(need string) error {
	if _, given := c.lines["data_quality_monitoring"]; !given || !c.quality.baseline {
		return nil
	}
	return c.unbuilt("data_quality_monitoring", "data_quality_monitoring", "of new features", need, "set auto_baseline: false")
}

// VectorsBuilt refuses an online store that must store vectors for search in addition
// to the values. Commands that read features do not need them.
func (c *Config) VectorsBuilt(need string) error {
	var v Vectors
	switch c.Online.Type {
	case "sqlite":
		v = c.Online.SQLite.Vectors
	case "postgres":
		v = c.Online.Postgres.Vectors
	}
	for _, key := range []struct {
		name string
		on   bool
	}{{"vector_enabled", v.Enabled}, {"enable_openai_compatible_store", v.OpenAI}} {
		if key.on {
			return c.unbuilt("online_store."+key.name, key.name, "of the online store", need, "set it to false")
		}
	}
	return nil
}

// Warnings lists the settings that have no effect and do not change features, and keys
// that are probably misspelled.
func (c *Config) Warnings() []string {
	return append(c.without(c.quiet.lineage, "openlineage", "sends no lineage events"), append(c.without(c.quiet.mlflow, "mlflow", "logs no runs"), c.warnings...)...)
}

// ServerWarnings lists the settings of a server that have no effect.
func (c *Config) ServerWarnings() []string {
	const server = "feature_server"
	return slices.Concat(
		c.without(c.quiet.featureLogs, server+".feature_logging", "logs no features"),
		c.without(c.quiet.audit, server+".audit_logging", "writes no audit log"),
		c.without(c.quiet.auditMetrics, server+".metrics.audit_logging", "writes no audit log"),
		c.without(c.quiet.mcp, server+".mcp_enabled", "has no MCP server"),
	)
}

func (c *Config) without(on bool, path, lost string) []string {
	if !on {
		return nil
	}
	return []string{fmt.Sprintf("%s: %s is enabled, and banquet %s; Feast's own commands do", c.At(path+".enabled"), path, lost)}
}
