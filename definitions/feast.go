package definitions

import (
	"strings"

	"github.com/banquet-fs/banquet/definitions/python"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// constructors are the functions that make definitions.
func constructors() map[string]func(*python.Call) (any, error) {
	return map[string]func(*python.Call) (any, error){
		"Project": newProject, "Entity": newEntity, "FeatureView": newFeatureView, "BatchFeatureView": newBatchFeatureView,
		"StreamFeatureView": newStreamFeatureView, "OnDemandFeatureView": newOnDemandFeatureView, "LabelView": newLabelView,
		"FeatureService": newFeatureService, "Permission": newPermission,
		"FileSource": newFileSource, "PostgreSQLSource": newPostgres, "PushSource": newPushSource, "RequestSource": newRequestSource,
		"KafkaSource": newKafkaSource, "KinesisSource": newKinesisSource,
		"BigQuerySource": unsupported("BigQuerySource"), "RedshiftSource": unsupported("RedshiftSource"), "SnowflakeSource": unsupported("SnowflakeSource"),
		"SparkSource": unsupported("SparkSource"), "TrinoSource": unsupported("TrinoSource"), "AthenaSource": unsupported("AthenaSource"),
		"on_demand_feature_view": decorator("on_demand_feature_view", onDemandParams(), onDemandView),
		"batch_feature_view":     decorator("batch_feature_view", append(viewParams(), "batch_engine", "aggregations"), batchView),
		"stream_feature_view": decorator("stream_feature_view",
			append(viewParams(), "aggregations", "timestamp_field", "stream_engine", "enable_tiling", "tiling_hop_size"), streamView),
	}
}

// parts are the functions that make parts of definitions.
func parts() map[string]func(*python.Call) (any, error) {
	return map[string]func(*python.Call) (any, error){
		"Field": newField, "Array": newArray, "Set": newSet, "Struct": newStruct, "Aggregation": newAggregation,
		"ParquetFormat": newParquetFormat, "AvroFormat": newStreamFormat("AvroFormat"), "JsonFormat": newStreamFormat("JsonFormat"), "ProtoFormat": newStreamFormat("ProtoFormat"),
		"LoggingConfig": newLoggingConfig, "FileLoggingDestination": newFileLogging,
		"RoleBasedPolicy": newPolicy("RoleBasedPolicy"), "GroupBasedPolicy": newPolicy("GroupBasedPolicy"), "NamespaceBasedPolicy": newPolicy("NamespaceBasedPolicy"),
		"CombinedGroupNamespacePolicy": newPolicy("CombinedGroupNamespacePolicy"),
	}
}

// feastNames are the names that Feast's modules give. The reader does not mind
// which of the modules a name is imported from.
func feastNames() map[string]any {
	names := map[string]any{}
	for n, fn := range constructors() {
		names[n] = &python.Builtin{Name: n, Call: fn, Definer: true}
	}
	for n, fn := range parts() {
		names[n] = &python.Builtin{Name: n, Call: fn}
	}
	for n, v := range scalars() {
		names[n] = &dtype{value: v, name: n}
	}
	values := map[string]int32{"UNKNOWN": 0, "PDF_BYTES": 30, "IMAGE_BYTES": 31}
	for n, v := range types.ValueType_Enum_value {
		values[n] = v
	}
	names["ValueType"] = enumeration("ValueType", values)
	names["AuthzedAction"] = enumeration("AuthzedAction", core.PermissionSpec_AuthzedAction_value)
	names["ConflictPolicy"] = enumeration("ConflictPolicy", core.ConflictResolutionPolicy_value)
	names["TransformationMode"] = textEnum("TransformationMode", "PYTHON", "PANDAS", "SPARK_SQL", "SPARK", "SQL", "SUBSTRAIT", "RAY", "FLINK")
	names["AggregationFunction"] = textEnum("AggregationFunction", "SUM", "COUNT", "MEAN", "MIN", "MAX")
	actions := func(list ...string) *python.List {
		l := &python.List{}
		for _, n := range list {
			l.Items = append(l.Items, &member{"AuthzedAction", n, core.PermissionSpec_AuthzedAction_value[n]})
		}
		return l
	}
	names["ALL_ACTIONS"] = actions("CREATE", "DESCRIBE", "UPDATE", "DELETE", "READ_ONLINE", "READ_OFFLINE", "WRITE_ONLINE", "WRITE_OFFLINE")
	names["READ"] = actions("READ_OFFLINE", "READ_ONLINE")
	names["WRITE"] = actions("WRITE_OFFLINE", "WRITE_ONLINE")
	names["CRUD"] = actions("CREATE", "DESCRIBE", "UPDATE", "DELETE")
	names["AllowAll"] = &policy{&core.Policy{}}
	for _, n := range []string{"SavedDataset", "ValidationReference"} {
		names[n] = &python.Builtin{Name: n}
	}
	return names
}

// textEnum is an enumeration whose values are the names in lower case.
func textEnum(name string, members ...string) *python.Builtin {
	m := map[string]any{}
	for _, n := range members {
		m[n] = strings.ToLower(n)
	}
	return &python.Builtin{Name: name, Members: m}
}
