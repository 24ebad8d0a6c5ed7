package config

// topKeys are the keys at the top of the file. The sections beside them are checked by
// their own keys.
func topKeys(c *Config) []Key {
	return []Key{
		used("project", Text, "", &c.Project, "Name of the project; letters, digits and `_`. Part of every table's name."),
		used("project_description", Text, "", &c.ProjectDescription, "Description of the project."),
		used("provider", Text, "local", &c.Provider, "`local`, `gcp`, `aws` and `azure` are the same: only the stores matter. `unity_catalog`, `chronon` and classes are refused by the commands that would use them."),
		used("entity_key_serialization_version", Integer, "3", &c.KeyVersion, "Format of the keys in the online store."),
		unused("coerce_tz_aware", Boolean, "true", "Times are always in UTC.").orQuoted(),
		used("batch_engine", Anything, "", nil, "Feast's engines are accepted: they say where a materialization runs, not what it writes. Other classes are refused by `materialize`."),
		unused("repo_path", Text, "", "It is the repository of the command, as in Feast."),
		unused("flags", Anything, "", "Feast has no flags any more."),
	}
}

func registryKeys(r *Registry) []Key {
	return []Key{
		used("path", Text, "", &r.Path, "The registry file; relative to the repository. `registry: PATH` is the same."),
		used("registry_type", Text, "file", &r.Type, "`file`. `sql`, `remote`, `snowflake.registry` and classes are refused."),
		used("registry_store_type", Text, "", &r.StoreType, "`FileRegistryStore`, also by its class; others are refused, and so are paths such as `s3://`, `gs://` and `hdfs://`."),
		used("enable_online_feature_view_versioning", Boolean, "false", &r.Versioned, "A table for each version of a view, and references `view@vN:feature`."),
		unused("cache_ttl_seconds", Integer, "600", "A server uses a changed registry within a second.").unit("s"),
		unused("cache_mode", Text, "sync", "A server uses a changed registry within a second."),
		unused("serve_features_while_materializing", Boolean, "false", "A view is always served while it is materialized."),
		unused("s3_additional_kwargs", Texts, "", "For registries in S3."),
		unused("purge_feast_metadata", Boolean, "false", "For registries in SQL."),
	}
}

func materializationKeys(m *Materialize) []Key {
	return []Key{
		used("online_write_batch_size", Integer, "", &m.BatchSize, "Rows in one write to the online store.").unit("rows").shown("1,000").positive().orQuoted(),
		unused("pull_latest_features", Boolean, "false", "The newest row of a key is always used."),
	}
}

// feastSections are the sections for parts of Feast that banquet does not have.
func feastSections(c *Config) []Section {
	return []Section{
		{Name: "feature_server", Keys: featureServerKeys(c)},
		{Name: "feature_server.metrics", Keys: metricsKeys(c)},
		{Name: "feature_server.feature_logging", Keys: []Key{
			used("enabled", Boolean, "false", &c.quiet.featureLogs, "No features are logged; `serve` says so if this is true."),
			unused("flush_interval_secs", Integer, "600", "No features are logged.").unit("s"),
			unused("write_to_disk_interval_secs", Integer, "30", "No features are logged.").unit("s"),
			unused("queue_capacity", Integer, "100000", "No features are logged."),
			unused("emit_timeout_micro_secs", Integer, "10000", "No features are logged.").unit("µs"),
		}},
		{Name: "feature_server.audit_logging", Keys: []Key{
			used("enabled", Boolean, "false", &c.quiet.audit, "No audit log is written; `serve` says so if this is true."),
			unused("sink", Text, "stdout", "No audit log is written.").one("stdout", "file", "logger"),
			unused("file_path", Text, "feast_audit.log", "No audit log is written."),
			unused("log_successful_reads", Boolean, "true", "No audit log is written."),
		}},
		{Name: "embedding_model", Keys: []Key{
			unused("model", Text, "", "There is no search.").need("give the name of a model"),
			unused("provider", Text, "sentence_transformers", "There is no search."),
		}},
		{Name: "openlineage", Open: true, Keys: lineageKeys(c)},
		{Name: "openlineage.consumer", Open: true, Keys: consumerKeys()},
		{Name: "mlflow", Open: true, Keys: mlflowKeys(c)},
		{Name: "mlflow.dataset_sync", Open: true, Keys: []Key{
			unused("default_field_mapping", Texts, "", "No datasets are synchronized."),
			unused("watermark_key", Text, "feast_last_sync_time", "No datasets are synchronized."),
			unused("default_batch_size", Integer, "10000", "No datasets are synchronized."),
		}},
	}
}

func featureServerKeys(c *Config) []Key {
	const flags = "`banquet serve` has flags."
	return []Key{
		used("type", Text, "local", &c.quiet.server, flags).one("local", "mcp"),
		unused("enabled", Boolean, "false", flags),
		used("transformation_service_endpoint", Text, "", &c.TransformationService, "`host:port` of Feast's transformation service, for [functions that banquet does not compile](ondemand.md#feasts-transformation-service)."),
		unused("offline_push_batching_enabled", Boolean, "", "Rows for the offline store are not collected."),
		unused("offline_push_batching_batch_size", Integer, "", "Rows for the offline store are not collected."),
		unused("offline_push_batching_batch_interval_seconds", Integer, "", "Rows for the offline store are not collected.").unit("s"),
		used("mcp_enabled", Boolean, "false", &c.quiet.mcp, "With `type: mcp`. There is no MCP server; `serve` says so if this is true."),
		unused("mcp_server_name", Text, "feast-mcp-server", "With `type: mcp`. There is no MCP server."),
		unused("mcp_server_version", Text, "1.0.0", "With `type: mcp`. There is no MCP server."),
		unused("mcp_transport", Text, "sse", "With `type: mcp`. There is no MCP server.").one("sse", "http"),
	}
}

func metricsKeys(c *Config) []Key {
	const always = "banquet has its own metrics, always on."
	return []Key{
		unused("enabled", Boolean, "false", always),
		unused("resource", Boolean, "true", always),
		unused("request", Boolean, "true", always),
		unused("feature_count_bins", Integers, "[10, 50, 200]", always+" Positive integers, each larger than the one before.").positive().strictlyIncreasing(),
		unused("online_features", Boolean, "true", always),
		unused("push", Boolean, "true", always),
		unused("materialization", Boolean, "true", always),
		unused("freshness", Boolean, "true", always),
		unused("offline_features", Boolean, "true", always),
		used("audit_logging", Boolean, "false", &c.quiet.auditMetrics, "No audit log is written; `serve` says so if this is true."),
	}
}

func lineageKeys(c *Config) []Key {
	const none = "No events are sent."
	return []Key{
		used("enabled", Boolean, "false", &c.quiet.lineage, none+" A message says so if this is true."),
		unused("transport_type", Text, "", none),
		unused("transport_url", Text, "", none),
		unused("transport_endpoint", Text, "api/v1/lineage", none),
		unused("api_key", Credential, "", none),
		unused("namespace", Text, "feast", none),
		unused("producer", Text, "feast", none),
		unused("emit_on_apply", Boolean, "true", none),
		unused("emit_on_materialize", Boolean, "true", none),
	}
}

func consumerKeys() []Key {
	const none = "No events are received."
	return []Key{
		unused("enabled", Boolean, "false", none),
		unused("store_type", Text, "sql", none),
		unused("connection_string", Credential, "", none),
		unused("api_key", Credential, "", none),
		unused("namespace_mapping", Texts, "", none),
		unused("retention_days", Integer, "30", none).unit("days").orQuoted(),
		unused("retention_check_interval_hours", Integer, "6", none).unit("hours").orQuoted(),
		unused("standalone_server", Boolean, "false", none),
	}
}

func mlflowKeys(c *Config) []Key {
	const none = "No runs are logged."
	return []Key{
		used("enabled", Boolean, "false", &c.quiet.mlflow, none+" A message says so if this is true."),
		unused("tracking_uri", Credential, "", none),
		unused("ui_url", Text, "", none),
		unused("auto_log", Boolean, "true", none),
		unused("auto_log_entity_df", Boolean, "false", none),
		unused("entity_df_max_rows", Integer, "100000", none).unit("rows"),
		unused("log_operations", Boolean, "false", none),
		unused("ops_experiment_suffix", Text, "-feast-ops", none),
		unused("ca_bundle", Text, "", none),
		unused("supported_artifact_formats", List, "[parquet, csv]", none),
		unused("request_timeout", Integer, "30", none).unit("s"),
		unused("max_retries", Integer, "3", none),
		unused("retry_backoff_factor", Number, "1.0", none),
	}
}
