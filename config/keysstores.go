package config

// storeSections are the stores that banquet has.
func storeSections(c *Config) []Section {
	duckDB := []Key{
		typeKey("duckdb"),
		unused("staging_location", Text, "", "Only Feast's writes use it."),
		unused("staging_location_endpoint_override", Text, "", "Only Feast's writes use it."),
	}
	return []Section{
		{Name: "online_store", Type: "sqlite", Keys: sqliteKeys(&c.Online.SQLite)},
		{Name: "online_store", Type: "dynamodb", Keys: dynamoKeys(&c.Online.DynamoDB)},
		{Name: "online_store", Type: "postgres", Keys: onlinePostgresKeys(&c.Online.Postgres)},
		{Name: "offline_store", Type: "file", Keys: []Key{typeKey("file")}},
		{Name: "offline_store", Type: "dask", Keys: []Key{typeKey("dask")}},
		{Name: "offline_store", Type: "duckdb", Keys: duckDB},
		{Name: "offline_store", Type: "postgres", Keys: append(postgresKeys(&c.Offline.Postgres),
			unused("entity_select_mode", Text, "temp_table", "Entity rows are in a temporary table, or joined by banquet.").one("temp_table", "embed_query"))},
	}
}

func sqliteKeys(s *SQLite) []Key {
	return append([]Key{
		typeKey("sqlite"),
		used("path", Text, "data/online.db", &s.Path, "The file; relative to the repository."),
		unused("text_search_enabled", Boolean, "false", "There is no search.").orQuoted(),
	}, vectorKeys(&s.Vectors)...)
}

// vectorKeys are the keys of online stores that can store vectors in addition to values.
func vectorKeys(v *Vectors) []Key {
	return []Key{
		used("vector_enabled", Boolean, "false", &v.Enabled, "True is refused by commands that write: vectors are not stored.").orQuoted(),
		used("enable_openai_compatible_store", Boolean, "false", &v.OpenAI, "True is refused by commands that write: vectors for search are not stored.").orQuoted(),
		unused("similarity", Text, "cosine", "There is no search."),
	}
}

func dynamoKeys(s *DynamoDB) []Key {
	return []Key{
		typeKey("dynamodb"),
		used("region", Text, "", &s.Region, "The AWS region. Credentials come from the sources of the AWS SDK.").need("DynamoDB needs one, such as ap-northeast-2"),
		used("endpoint_url", Text, "", &s.Endpoint, "URL of another server. If it is not set, `AWS_ENDPOINT_URL_DYNAMODB`, `AWS_ENDPOINT_URL` and the profile's `endpoint_url` are used, "+
			"unless `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` or the profile's `ignore_configured_endpoint_urls` is true. `AWS_CA_BUNDLE` names the file of your own certificate authorities for TLS.").shown("AWS"),
		used("table_name_template", Text, "{project}.{table_name}", &s.TableTemplate, "Name of a view's table; must contain `{table_name}`."),
		used("consistent_reads", Boolean, "false", &s.Consistent, "Strongly consistent reads, at twice the cost."),
		used("batch_size", Integer, "100", &s.BatchSize, "Maximum number of keys in a call.").unit("keys").positive().orQuoted(),
		used("tags", Texts, "", &s.Tags, "Tags of the tables that apply creates; tags of a view take precedence."),
		used("connect_timeout", Number, "5", &s.ConnectTime, "Time limit for opening a connection, for all addresses of the host together: if an address does not respond, the next is tried after at most 0.15 s.").unit("s"),
		used("read_timeout", Number, "10", &s.ReadTime, "Time limit of a call.").unit("s"),
		unused("keepalive_timeout", Number, "30.0", "banquet has its own time limit for idle connections.").unit("s"),
		unused("max_pool_connections", Integer, "50", "The pool grows with the calls in flight.").orQuoted(),
		unused("max_read_workers", Integer, "10", "The calls of a request run in parallel.").orQuoted(),
		unused("total_max_retry_attempts", Integer, "3", "Reads are retried within the request's deadline, calls that create tables as the SDK does.").orQuoted(),
		unused("retry_mode", Text, "adaptive", "Reads are retried within the request's deadline.").one("legacy", "standard", "adaptive"),
		unused("warmup_connections", Boolean, "false", "The first call opens the connection."),
		unused("session_based_auth", Boolean, "false", "Credentials always come from the sources of the AWS SDK.").orQuoted(),
	}
}

// postgresKeys are the keys of both stores in PostgreSQL.
func postgresKeys(p *Postgres) []Key {
	return []Key{
		typeKey("postgres"),
		used("host", Text, "", &p.Host, "Host name, IP address, or directory of a socket.").need("give a host name, an IP address or the directory of a socket"),
		used("port", Integer, "5432", &p.Port, "1 to 65535; may be text, from a variable.").positive().orQuoted(),
		used("database", Text, "", &p.Database, "The database.").need("name the database"),
		used("db_schema", Text, "public", &p.Schema, "Searched before `public`. May be a list, as in `search_path`; a name is converted to lower case unless it is quoted."),
		used("user", Text, "", &p.User, "The role.").need("name the role"),
		used("password", Credential, "", &p.Password, "Never printed. Best from a variable: `${PG_PASSWORD}`."),
		used("sslmode", Text, "", &p.SSLMode, "How TLS is used.").one("disable", "allow", "prefer", "require", "verify-ca", "verify-full").shown("`require`; `prefer` on this machine"),
		used("sslkey_path", Text, "", &p.SSLKey, "The client's key, PEM."),
		used("sslcert_path", Text, "", &p.SSLCert, "The client's certificate, PEM."),
		used("sslrootcert_path", Text, "", &p.SSLRootCert, "The trusted certificate authority, PEM."),
		used("min_conn", Integer, "1", &p.MinConn, "Minimum number of open connections.").orQuoted(),
		used("max_conn", Integer, "10", &p.MaxConn, "Maximum number of connections.").orQuoted(),
		used("keepalives_idle", Integer, "", &p.KeepalivesIdle, "Idle time before TCP sends keepalive probes.").unit("s").shown("60").orQuoted(),
		unused("conn_type", Text, "singleton", "banquet always uses a pool.").one("singleton", "pool"),
	}
}

func onlinePostgresKeys(p *Postgres) []Key {
	keys := append(postgresKeys(p), vectorKeys(&p.Vectors)...)
	return append(keys, unused("max_batched_result_rows", Integer, "2048", "A request is always read by one statement.").unit("rows").orQuoted())
}
