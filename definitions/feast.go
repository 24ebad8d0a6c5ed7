package definitions

import (
	_ "embed" // the names of Feast's modules
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/banquet-fs/banquet/definitions/python"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

// feastModules are the modules of Feast, each with its names.
type feastModules struct {
	names map[string]any
	made  map[string]*python.Module
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
	const fixed = "Feast's own lists are not changed; make a list of your own"
	resources := python.ReadOnlyList(fixed)
	for _, n := range managed() {
		resources.Items = append(resources.Items, names[n])
	}
	names["ALL_RESOURCE_TYPES"] = resources
	names["ALL_FEATURE_VIEW_TYPES"] = python.ReadOnlyList(fixed, names["FeatureView"], names["OnDemandFeatureView"], names["BatchFeatureView"], names["StreamFeatureView"], names["LabelView"])
	return &feastModules{names, map[string]*python.Module{}}
}

// addActions adds Feast's lists of actions.
func addActions(names map[string]any, all []*member) {
	for list, members := range map[string][]string{
		"ALL_ACTIONS": {"CREATE", "DESCRIBE", "UPDATE", "DELETE", "READ_ONLINE", "READ_OFFLINE", "WRITE_ONLINE", "WRITE_OFFLINE"},
		"READ":        {"READ_OFFLINE", "READ_ONLINE"}, "WRITE": {"WRITE_OFFLINE", "WRITE_ONLINE"}, "CRUD": {"CREATE", "DESCRIBE", "UPDATE", "DELETE"},
	} {
		l := python.ReadOnlyList("Feast's own lists are not changed; make a list of your own")
		for _, n := range members {
			l.Items = append(l.Items, all[slices.IndexFunc(all, func(m *member) bool { return m.name == n })])
		}
		names[list] = l
	}
}

// constructors are the functions that create registry objects.
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

// parts are the functions that create parts of objects.
func parts() map[string]func(*python.Call) (any, error) {
	return map[string]func(*python.Call) (any, error){
		"FeatureStore": newClient, "Field": newField, "Array": newArray, "Set": newSet, "Struct": newStruct, "Aggregation": newAggregation, "ConnectionRef": newConnectionRef,
		"ParquetFormat": newParquetFormat, "DeltaFormat": newDeltaFormat, "AvroFormat": newAvroFormat, "JsonFormat": newJSONFormat, "ProtoFormat": newProtoFormat,
		"LoggingConfig": newLoggingConfig, "FileLoggingDestination": newFileLogging, "RedshiftLoggingDestination": newRedshiftLogging,
		"BigQueryLoggingDestination": newBigQueryLogging, "SnowflakeLoggingDestination": newSnowflakeLogging, "AthenaLoggingDestination": newAthenaLogging,
		"CouchbaseColumnarLoggingDestination": newCouchbaseLogging, "IcebergFormat": newIcebergTable, "HudiFormat": newHudiTable, "LanceFormat": newLanceTable,
		"RoleBasedPolicy": newRolePolicy, "GroupBasedPolicy": newGroupPolicy, "NamespaceBasedPolicy": newNamespacePolicy, "CombinedGroupNamespacePolicy": newCombinedPolicy,
		"Transformation": newTransformation("Transformation", ""), "PandasTransformation": newTransformation("PandasTransformation", "pandas"),
		"PythonTransformation": newTransformation("PythonTransformation", "python"),
	}
}

// module returns a module of Feast by its dotted name.
func (f *feastModules) module(name string) (*python.Module, bool) {
	if m, ok := f.made[name]; ok {
		return m, true
	}
	if !exists(name) {
		return nil, false
	}
	names := f.visible(name)
	if name == "feast.table_format" { // its DeltaFormat differs from that of feast.data_format
		names["DeltaFormat"] = &python.Builtin{Name: "DeltaFormat", Call: newDeltaTable}
	}
	m := &python.Module{Name: name, Names: names, All: exported(name, names), Whole: true, Missing: func(n string) any { return f.missing(name, n) }}
	f.made[name] = m
	return m, true
}

// moduleNames lists the names of each module of Feast; testdata/modules.py wrote
// it.
//
//go:embed feastmodules.txt
var moduleNames string

// exists reports whether Feast has a module. Packages that no definition imports
// from were not recorded.
func exists(module string) bool {
	for part := range strings.SplitSeq(module, ".") {
		switch part {
		case "protos", "tests", "templates", "embedded_go", "ui", "cli":
			return isFeast(module)
		}
	}
	return strings.Contains(moduleNames, "\n"+module+":")
}

// listed returns what is recorded of a module: its names, and those that mean
// something else there. known is false for a module without a record.
func listed(module string) (names, others []string, known bool) {
	_, rest, ok := strings.Cut(moduleNames, "\n"+module+":")
	line, _, _ := strings.Cut(rest, "\n")
	if !ok || strings.Contains(line, "*") {
		return nil, nil, false
	}
	mine, theirs, _ := strings.Cut(line, "!")
	return strings.Fields(mine), strings.Fields(theirs), true
}

// compared reports whether the modules were searched for a name.
func compared(name string) bool {
	line, _, _ := strings.Cut(moduleNames, "\n")
	return slices.Contains(strings.Fields(line), name)
}

// visible are the names that a module has.
func (f *feastModules) visible(module string) map[string]any {
	names, _, known := listed(module)
	out := map[string]any{}
	switch {
	case strings.HasPrefix(module, "feast.protos"): // messages, which definitions do not use
		return out
	case !known:
		return maps.Clone(f.names)
	}
	for name, v := range f.names {
		if slices.Contains(names, name) || !compared(name) {
			out[name] = v
		}
	}
	return out
}

// missing returns a name that is not listed: a module, an unsupported class, or
// Unknown. It is nil if the name is known not to exist.
func (f *feastModules) missing(module, name string) any {
	if m, ok := f.module(module + "." + name); ok && !unicode.IsUpper([]rune(name + " ")[0]) {
		return m
	}
	_, others, known := listed(module)
	ours, whole := f.names[name] != nil, module == "feast" || module == "feast.types"
	switch {
	case known && (ours || whole) && !slices.Contains(others, name):
		return nil
	case name == "Feature":
		return oldFeature()
	case !ours && unicode.IsUpper([]rune(name + " ")[0]) && (strings.HasSuffix(name, "Source") || strings.HasSuffix(name, "Transformation") || name == "FeatureTable"):
		return unsupported(name)
	}
	return &python.Unknown{Why: module + "." + name, Trust: python.Inert}
}

// exported are the names that "from module import *" imports: for feast itself
// those in its __all__, for the others all their names.
func exported(module string, names map[string]any) []string {
	if module != "feast" {
		return slices.Sorted(maps.Keys(names))
	}
	return []string{
		"Aggregation", "BatchFeatureView", "DataFrameEngine", "Entity", "KafkaSource", "KinesisSource", "FeastDataFrame", "Feature", "Field", "FeatureService",
		"FeatureStore", "FeatureView", "FeatureViewState", "LabelView", "ConflictPolicy", "OnDemandFeatureView", "RepoConfig", "StreamFeatureView", "ValueType",
		"BigQuerySource", "FileSource", "RedshiftSource", "SnowflakeSource", "PushSource", "RequestSource", "AthenaSource", "OracleSource", "Project",
	}
}
