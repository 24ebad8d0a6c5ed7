package definitions

import (
	"slices"
	"strings"

	"github.com/banquet-fs/banquet/definitions/library"
	"github.com/banquet-fs/banquet/definitions/python"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

// warehouse is a class of sources in stores that banquet cannot read. The
// registry keeps them as Feast does; only reading the data needs the store.
type warehouse struct {
	class, module string
	kind          core.DataSource_SourceType
	params        string // in bind's notation
	// named: Feast's class writes its own name into its messages.
	named bool
	// bare: the class omits description, tags and owner from its messages.
	bare bool
	// times reads time columns that have other parameters or other defaults.
	times func(a *args) (event, created string)
	fill  func(a *args, s *source)
}

// Parameters that most of the classes share, in Feast's order where they are
// positional.
const (
	keywords = "* name? timestamp_field? created_timestamp_column? field_mapping? description? tags? owner? connection_ref? "
	places   = " timestamp_field? created_timestamp_column? field_mapping? description? tags? owner? connection_ref?"
	byRef    = "name! table_ref? event_timestamp_column? created_timestamp_column? field_mapping? date_partition_column? "
	contrib  = "feast.infra.offline_stores.contrib."
)

// warehouses lists the classes.
func warehouses() []warehouse {
	custom := core.DataSource_CUSTOM_SOURCE
	return []warehouse{
		{
			class: "RedshiftSource", module: "feast.infra.offline_stores.redshift_source", kind: core.DataSource_BATCH_REDSHIFT,
			params: keywords + "table? schema? query? database?", fill: fillRedshift,
		},
		{
			class: "BigQuerySource", module: "feast.infra.offline_stores.bigquery_source", kind: core.DataSource_BATCH_BIGQUERY,
			params: keywords + "table? date_partition_column? timestamp_field_type? query?", fill: fillBigQuery,
		},
		{
			class: "SnowflakeSource", module: "feast.infra.offline_stores.snowflake_source", kind: core.DataSource_BATCH_SNOWFLAKE,
			params: keywords + "database? warehouse? schema? table? query?", fill: fillSnowflake,
		},
		{
			class: "SparkSource", module: contrib + "spark_offline_store.spark_source", kind: core.DataSource_BATCH_SPARK, named: true,
			params: keywords + "table? query? path? file_format? table_format? date_partition_column? date_partition_column_format?", fill: fillSpark,
		},
		{
			class: "TrinoSource", module: contrib + "trino_offline_store.trino_source", kind: core.DataSource_BATCH_TRINO,
			params: keywords + "table? query?", fill: fillTrino,
		},
		{
			class: "AthenaSource", module: contrib + "athena_offline_store.athena_source", kind: core.DataSource_BATCH_ATHENA,
			params: keywords + "table? database? data_source? date_partition_column? query?", fill: fillAthena,
		},
		{
			class: "MsSqlServerSource", module: contrib + "mssql_offline_store.mssqlserver_source", kind: custom, named: true, bare: true,
			params: byRef + "connection_str? description? tags? owner? connection_ref?", times: eventTime, fill: fillMsSQL,
		},
		{
			class: "OracleSource", module: contrib + "oracle_offline_store.oracle_source", kind: custom, named: true, bare: true,
			params: byRef + "description? tags? owner? connection_ref?", times: eventTime, fill: fillOracle,
		},
		{
			class: "ClickhouseSource", module: contrib + "clickhouse_offline_store.clickhouse_source", kind: custom, named: true,
			params: "name? query? table?" + places, fill: func(a *args, s *source) { s.fillQueried(a, "table", "name", "query", "table") },
		},
		{
			class: "PostgreSQLSource", module: contrib + "postgres_offline_store.postgres_source", kind: custom, named: true,
			params: "name? query? table?" + places, fill: func(a *args, s *source) { s.fillQueried(a, "table", "name", "query", "table") },
		},
		{
			class: "CouchbaseColumnarSource", module: contrib + "couchbase_offline_store.couchbase_source", kind: custom, named: true,
			params: "name? query? database? scope? collection?" + places, fill: fillCouchbase,
		},
		{
			class: "MongoDBSource", module: contrib + "mongodb_offline_store.mongodb", kind: custom, named: true,
			params: "name!" + places, times: mongoTimes, fill: fillMongo,
		},
		{
			class: "RaySource", module: contrib + "ray_offline_store.ray_source", kind: custom, named: true,
			params: strings.Replace(keywords, "name?", "name!", 1) + "reader_type! path? reader_options?", fill: fillRay,
		},
		{
			class: "IcebergSource", module: "feast.infra.data_sources.contrib.iceberg_catalog.iceberg_source", kind: core.DataSource_BATCH_ICEBERG, named: true,
			params: keywords + "warehouse! namespace! table! catalog_type catalog_name endpoint? catalog_properties? token_env_var? credential_vending",
			fill:   fillIceberg,
		},
	}
}

// source creates a source of the class.
func (w *warehouse) source(c *python.Call) (any, error) {
	a := bind(w.class, c, strings.Fields(w.params)...)
	s := &source{class: w.class, module: w.module, bare: w.bare, more: map[string]any{}}
	s.read(a, w.kind)
	if w.times != nil {
		s.proto.TimestampField, s.proto.CreatedTimestampColumn = w.times(a)
		s.checkTimes(a)
	}
	if w.bare {
		s.more["description"], s.more["owner"] = s.proto.GetDescription(), s.proto.GetOwner()
		s.proto.Description, s.proto.Owner = "", ""
	}
	if w.named {
		s.proto.DataSourceClassType = w.module + "." + w.class
	}
	s.proto.DatePartitionColumn = a.text("date_partition_column")
	w.fill(a, s)
	return s, a.err
}

func eventTime(a *args) (event, created string) {
	return a.text("event_timestamp_column"), a.text("created_timestamp_column")
}

func mongoTimes(a *args) (event, created string) {
	return a.textOr("timestamp_field", "event_timestamp"), a.textOr("created_timestamp_column", "created_at")
}

// has reports whether an argument is given and not None.
func (a *args) has(name string) bool {
	_, ok := a.get(name)
	return ok
}

// orNone is a text, or None if it is not given.
func (a *args) orNone(name string) any {
	if !a.has(name) {
		return nil
	}
	return a.text(name)
}

// nameOr uses another argument as the source's name if it has none.
func (s *source) nameOr(a *args, other string) {
	if s.proto.Name == "" {
		s.proto.Name = a.text(other)
	}
	if s.proto.Name == "" || !a.has("name") && !a.has(other) {
		a.fail("needs a name or a %s", other)
	}
}

// keep makes texts readable as attributes; None becomes an empty text.
func (s *source) keep(a *args, names ...string) {
	for _, n := range names {
		s.more[n] = a.text(n)
	}
}

func tableOrQuery(a *args) {
	if !a.has("table") && !a.has("query") {
		a.fail("needs a table or a query")
	}
}

// schemaOr is the schema, or the store's default schema if only a table is given.
func schemaOr(a *args, fallback string) string {
	if v := a.text("schema"); v != "" || a.text("table") == "" {
		return v
	}
	return fallback
}

func fillRedshift(a *args, s *source) {
	tableOrQuery(a)
	s.nameOr(a, "table")
	s.keep(a, "table", "query", "database")
	schema := schemaOr(a, "public")
	s.more["schema"] = schema
	s.proto.Options = &core.DataSource_RedshiftOptions_{RedshiftOptions: &core.DataSource_RedshiftOptions{
		Table: a.text("table"), Schema: schema, Query: a.text("query"), Database: a.text("database"),
	}}
}

func fillBigQuery(a *args, s *source) {
	tableOrQuery(a)
	s.nameOr(a, "table")
	s.keep(a, "table", "query")
	s.proto.TimestampFieldType = a.text("timestamp_field_type")
	s.proto.Options = &core.DataSource_BigqueryOptions{BigqueryOptions: &core.DataSource_BigQueryOptions{Table: a.text("table"), Query: a.text("query")}}
}

func fillSnowflake(a *args, s *source) {
	tableOrQuery(a)
	if a.text("table") != "" && a.text("query") != "" {
		a.failAt("query", "has both a table and a query; give one of them")
	}
	s.nameOr(a, "table")
	a.text("warehouse") // Feast warns about it and omits it
	s.keep(a, "table", "query", "database")
	schema := a.text("schema")
	if a.text("database") != "" {
		schema = schemaOr(a, "PUBLIC")
	}
	s.more["schema"] = schema
	s.proto.Options = &core.DataSource_SnowflakeOptions_{SnowflakeOptions: &core.DataSource_SnowflakeOptions{
		Table: a.text("table"), Query: a.text("query"), Schema: schema, Database: a.text("database"),
	}}
}

func fillSpark(a *args, s *source) {
	s.nameOr(a, "table")
	lake := one[*tableFormat](a, "table_format", "IcebergFormat(…), DeltaFormat(…), HudiFormat(…) or LanceFormat(…) of feast.table_format")
	options := &core.DataSource_SparkOptions{Table: a.text("table"), Query: a.text("query"), Path: a.text("path"), FileFormat: a.text("file_format")}
	if lake != nil {
		options.TableFormat = lake.proto
	}
	checkSpark(a, options)
	parts := a.textOr("date_partition_column_format", "%Y-%m-%d")
	options.DatePartitionColumnFormat = parts
	for _, n := range []string{"table", "query", "path", "file_format"} {
		s.more[n] = a.orNone(n)
	}
	s.more["table_format"], s.more["date_partition_column_format"] = a.bound["table_format"], any(parts)
	if v, given := a.bound["date_partition_column_format"]; given && v == nil {
		s.more["date_partition_column_format"] = nil
	}
	s.proto.Options = &core.DataSource_SparkOptions_{SparkOptions: options}
}

// checkSpark refuses what Spark could not read: a table must be given alone, and
// files need a format.
func checkSpark(a *args, o *core.DataSource_SparkOptions) {
	formats := []string{"csv", "json", "parquet", "avro"}
	switch {
	case o.Table != "" && (o.Query != "" || o.Path != ""):
		a.failAt("table", "has a table, and with it a query or a path; give the table alone")
	case o.Table == "" && o.Query == "" && o.Path == "":
		a.fail("needs a table, a query or a path")
	case o.Path != "" && o.TableFormat == nil && o.FileFormat == "":
		a.failAt("path", "has a path and needs a file_format or a table_format")
	case o.Path != "" && o.FileFormat != "" && !slices.Contains(formats, o.FileFormat):
		a.failAt("file_format", "argument 'file_format' is %q, want one of %s", o.FileFormat, strings.Join(formats, ", "))
	}
}

func fillTrino(a *args, s *source) {
	s.nameOr(a, "table")
	s.more["table"], s.more["query"] = a.orNone("table"), a.orNone("query")
	s.proto.Options = &core.DataSource_TrinoOptions_{TrinoOptions: &core.DataSource_TrinoOptions{Table: a.text("table"), Query: a.text("query")}}
}

func fillAthena(a *args, s *source) {
	tableOrQuery(a)
	s.nameOr(a, "table")
	s.keep(a, "table", "query", "data_source")
	database := a.text("database")
	if database == "" && a.text("table") != "" {
		database = "default"
	}
	s.more["database"], s.more["owner"] = database, s.proto.GetOwner()
	s.proto.Owner = "" // Feast's class omits it
	s.proto.Options = &core.DataSource_AthenaOptions_{AthenaOptions: &core.DataSource_AthenaOptions{
		Table: a.text("table"), Query: a.text("query"), Database: database, DataSource: a.text("data_source"),
	}}
}

func fillMsSQL(a *args, s *source) {
	a.name("name")
	s.more["table_ref"] = a.orNone("table_ref")
	address := a.orNone("connection_str")
	if _, given := a.bound["connection_str"]; !given {
		address = ""
	}
	s.configure("table_ref", s.more["table_ref"], "connection_string", address)
}

func fillOracle(a *args, s *source) {
	a.name("name")
	s.more["table_ref"] = a.orNone("table_ref")
	s.configure("table_ref", s.more["table_ref"])
}

// fillQueried is for classes that store the listed arguments unchanged.
func (s *source) fillQueried(a *args, other string, kept ...string) {
	var pairs []any
	for _, n := range kept {
		pairs = append(pairs, n, a.text(n))
	}
	s.configure(pairs...)
	s.nameOr(a, other)
}

func fillCouchbase(a *args, s *source) {
	for _, n := range []string{"database", "scope"} {
		if _, given := a.bound[n]; !given {
			a.bound[n] = "Default"
		}
	}
	s.keep(a, "database", "scope")
	s.fillQueried(a, "collection", "name", "query", "database", "scope", "collection")
}

func fillMongo(a *args, s *source) {
	a.name("name")
	s.more["feature_view_name"] = s.proto.GetName()
	s.configure("feature_view", s.proto.GetName())
}

func fillRay(a *args, s *source) {
	a.name("name")
	readers := strings.Fields("parquet csv json text images binary_files tfrecords webdataset huggingface mongo sql")
	reader := a.text("reader_type")
	if !slices.Contains(readers, reader) {
		a.failAt("reader_type", "argument 'reader_type' is %q, want one of %s", reader, strings.Join(readers, ", "))
	}
	s.keep(a, "reader_type", "path")
	options := a.dict("reader_options")
	s.more["reader_options"] = options
	s.configureLater(a, "reader_options", "reader_type", reader, "path", a.text("path"), "reader_options", options)
}

func fillIceberg(a *args, s *source) {
	warehouse, namespace, table := a.name("warehouse"), a.name("namespace"), a.name("table")
	full := warehouse + "." + namespace + "." + table
	if s.proto.Name == "" {
		s.proto.Name = full
	}
	kind, catalog := a.textOr("catalog_type", "rest"), a.textOr("catalog_name", "feast_iceberg")
	properties, lends := a.dict("catalog_properties"), a.flag("credential_vending", true)
	s.keep(a, "endpoint", "warehouse", "namespace")
	for n, v := range map[string]any{
		"fqn": full, "iceberg_table": table, "catalog_type": kind, "catalog_name": catalog, "catalog_properties": properties, "credential_vending": lends,
		"token_env_var": a.orNone("token_env_var"),
	} {
		s.more[n] = v
	}
	s.configureLater(a, "catalog_properties",
		"catalog_type", kind, "catalog_name", catalog, "endpoint", a.text("endpoint"), "warehouse", warehouse, "namespace", namespace, "table", table,
		"token_env_var", a.orNone("token_env_var"), "credential_vending", lends, "catalog_properties", properties)
}

// configureLater is configure for a caller's dict, which files may change until
// all are read.
func (s *source) configureLater(a *args, dict string, pairs ...any) {
	write := func() error {
		if !s.configure(pairs...) {
			a.failAt(dict, "argument '%s' holds what JSON cannot; give texts, numbers, lists and dicts", dict)
		}
		return a.err
	}
	_ = write()
	a.call.Later(write)
}

// configure sets the configuration of a custom source, given as keys and values
// in turn: JSON as Python writes it.
func (s *source) configure(pairs ...any) bool {
	config := &python.Dict{}
	for i := 0; i+1 < len(pairs); i += 2 {
		_ = config.Put(pairs[i], pairs[i+1])
	}
	text, ok := library.JSON(config)
	s.proto.Options = &core.DataSource_CustomOptions{CustomOptions: &core.DataSource_CustomSourceOptions{Configuration: []byte(text)}}
	return ok
}
