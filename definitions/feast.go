package definitions

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/banquet-fs/banquet/definitions/python"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

// feastModules are the modules of Feast. Which of them a name is imported from
// does not matter, except to "import *".
type feastModules struct {
	names map[string]any
}

func newFeastModules() *feastModules {
	names := map[string]any{}
	for n, fn := range constructors() {
		names[n] = &python.Builtin{Name: n, Call: fn, Definer: true}
	}
	for _, w := range warehouses() {
		names[w.class] = &python.Builtin{Name: w.class, Call: w.source, Definer: true}
	}
	for n, fn := range parts() {
		names[n] = &python.Builtin{Name: n, Call: fn}
	}
	for _, d := range scalars() {
		names[d.name] = d
	}
	for _, n := range []string{"SavedDataset", "ValidationReference", "DataSource", "BaseFeatureView", "FeatureViewProjection"} {
		names[n] = &python.Builtin{Name: n}
	}
	names["ValueType"] = enumeration("ValueType", valueTypes())
	all := actions()
	names["AuthzedAction"] = enumeration("AuthzedAction", all)
	names["ConflictPolicy"] = enumeration("ConflictPolicy", conflictPolicies())
	names["TransformationMode"] = enumeration("TransformationMode", transformationModes())
	addActions(names, all)
	names["AllowAll"] = &policy{"AllowAll", &core.Policy{}}
	resources := python.NewList()
	for _, n := range managed() {
		resources.Items = append(resources.Items, names[n])
	}
	names["ALL_RESOURCE_TYPES"] = resources
	names["ALL_FEATURE_VIEW_TYPES"] = python.NewList(names["FeatureView"], names["OnDemandFeatureView"], names["BatchFeatureView"], names["StreamFeatureView"], names["LabelView"])
	return &feastModules{names}
}

// addActions adds Feast's lists of actions.
func addActions(names map[string]any, all []*member) {
	for list, members := range map[string][]string{
		"ALL_ACTIONS": {"CREATE", "DESCRIBE", "UPDATE", "DELETE", "READ_ONLINE", "READ_OFFLINE", "WRITE_ONLINE", "WRITE_OFFLINE"},
		"READ":        {"READ_OFFLINE", "READ_ONLINE"}, "WRITE": {"WRITE_OFFLINE", "WRITE_ONLINE"}, "CRUD": {"CREATE", "DESCRIBE", "UPDATE", "DELETE"},
	} {
		l := python.NewList()
		for _, n := range members {
			l.Items = append(l.Items, all[slices.IndexFunc(all, func(m *member) bool { return m.name == n })])
		}
		names[list] = l
	}
}

// constructors are the functions that make objects of the registry.
func constructors() map[string]func(*python.Call) (any, error) {
	return map[string]func(*python.Call) (any, error){
		"Project": newProject, "Entity": newEntity, "FeatureView": newFeatureView, "BatchFeatureView": newBatchFeatureView,
		"StreamFeatureView": newStreamFeatureView, "OnDemandFeatureView": newOnDemandFeatureView, "LabelView": newLabelView,
		"FeatureService": newFeatureService, "Permission": newPermission,
		"FileSource": newFileSource, "PushSource": newPushSource, "RequestSource": newRequestSource,
		"KafkaSource": newKafkaSource, "KinesisSource": newKinesisSource,
		"on_demand_feature_view": onDemandDecorator(), "batch_feature_view": batchDecorator(), "stream_feature_view": streamDecorator(),
	}
}

// parts are the functions that make parts of objects.
func parts() map[string]func(*python.Call) (any, error) {
	return map[string]func(*python.Call) (any, error){
		"FeatureStore": newClient, "Field": newField, "Array": newArray, "Set": newSet, "Struct": newStruct, "Aggregation": newAggregation, "ConnectionRef": newConnectionRef,
		"ParquetFormat": newParquetFormat, "DeltaFormat": newDeltaFormat, "AvroFormat": newAvroFormat, "JsonFormat": newJSONFormat, "ProtoFormat": newProtoFormat,
		"LoggingConfig": newLoggingConfig, "FileLoggingDestination": newFileLogging, "RedshiftLoggingDestination": newRedshiftLogging,
		"BigQueryLoggingDestination": newBigQueryLogging, "SnowflakeLoggingDestination": newSnowflakeLogging, "AthenaLoggingDestination": newAthenaLogging,
		"CouchbaseColumnarLoggingDestination": newCouchbaseLogging, "IcebergFormat": newIcebergTable, "HudiFormat": newHudiTable,
		"RoleBasedPolicy": newRolePolicy, "GroupBasedPolicy": newGroupPolicy, "NamespaceBasedPolicy": newNamespacePolicy, "CombinedGroupNamespacePolicy": newCombinedPolicy,
		"Transformation": newTransformation("Transformation", ""), "PandasTransformation": newTransformation("PandasTransformation", "pandas"),
		"PythonTransformation": newTransformation("PythonTransformation", "python"),
	}
}

// module gives a module of Feast by its dotted name.
func (f *feastModules) module(name string) (*python.Module, bool) {
	if !isFeast(name) {
		return nil, false
	}
	names := f.names
	if name == "feast.table_format" { // its DeltaFormat is another than that of feast.data_format
		names = maps.Clone(names)
		names["DeltaFormat"] = &python.Builtin{Name: "DeltaFormat", Call: newDeltaTable}
	}
	return &python.Module{Name: name, Names: names, All: f.exported(name), Missing: func(n string) any { return f.missing(name, n) }}, true
}

// missing gives a name that is not listed: a module, a class that is not
// supported, else Unknown.
func (f *feastModules) missing(module, name string) any {
	switch {
	case isModule(name):
		m, _ := f.module(module + "." + name)
		return m
	case unicode.IsUpper([]rune(name + " ")[0]) && (strings.HasSuffix(name, "Source") || strings.HasSuffix(name, "Transformation") || name == "FeatureTable"):
		return unsupported(name)
	}
	return &python.Unknown{Why: module + "." + name, Trust: python.Inert}
}

// isModule reports whether a name within Feast is one of the modules that
// definitions import from.
func isModule(name string) bool {
	switch name {
	case "types", "value_type", "field", "entity", "project", "feature", "feature_view", "batch_feature_view", "stream_feature_view",
		"on_demand_feature_view", "feature_service", "data_source", "data_format", "aggregation", "feature_logging", "credentials", "feast_object",
		"permissions", "permission", "policy", "action", "labeling", "label_view", "conflict_policy", "transformation", "mode", "base",
		"pandas_transformation", "python_transformation", "infra", "offline_stores", "contrib", "file_source", "postgres_offline_store", "postgres_source",
		"redshift_source", "bigquery_source", "snowflake_source", "spark_offline_store", "spark_source", "trino_offline_store", "trino_source",
		"athena_offline_store", "athena_source", "mssql_offline_store", "mssqlserver_source", "clickhouse_offline_store", "clickhouse_source",
		"couchbase_offline_store", "couchbase_source", "oracle_offline_store", "oracle_source", "ray_offline_store", "ray_source",
		"mongodb_offline_store", "mongodb", "table_format", "data_sources", "iceberg_catalog", "iceberg_source",
		"saved_dataset", "base_feature_view", "feature_view_projection":
		return true
	}
	return false
}

// exported are the names that "from module import *" takes. Of feast itself they
// are what it lists; of the others, what they define.
func (f *feastModules) exported(module string) []string {
	switch module {
	case "feast":
		return []string{
			"Aggregation", "BatchFeatureView", "Entity", "KafkaSource", "KinesisSource", "Feature", "Field", "FeatureService", "FeatureStore", "FeatureView",
			"LabelView", "ConflictPolicy", "OnDemandFeatureView", "RepoConfig", "StreamFeatureView", "ValueType", "BigQuerySource", "FileSource",
			"RedshiftSource", "SnowflakeSource", "PushSource", "RequestSource", "AthenaSource", "OracleSource", "Project",
		}
	case "feast.types":
		names := []string{"Array", "Set", "Struct"}
		for _, d := range scalars() {
			names = append(names, d.name)
		}
		return names
	}
	return nil
}
