package definitions

import (
	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/definitions/python"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
)

// service is a FeatureService.
type service struct {
	proto *core.FeatureService
	tags  *python.Dict
	// references are the features that are given as text.
	references []string
}

// Kinds lists the classes of a service.
func (s *service) Kinds() []string { return []string{"FeatureService"} }

// Attr returns the attributes of a service.
func (s *service) Attr(name string) (any, bool) {
	spec := s.proto.GetSpec()
	switch name {
	case "name":
		return spec.GetName(), true
	case "description":
		return spec.GetDescription(), true
	case "owner":
		return spec.GetOwner(), true
	case "tags":
		return s.tags, true
	}
	return nil, false
}

func newFeatureService(c *python.Call) (any, error) {
	a := bind("FeatureService", c, "*", "name!", "features!", "tags?", "description", "owner", "logging_config?", "precompute_online")
	spec := &core.FeatureServiceSpec{
		Name: a.name("name"), Description: a.text("description"), Owner: a.text("owner"), PrecomputeOnline: a.flag("precompute_online", false),
	}
	views, references := a.serviceFeatures()
	if l := one[*logging](a, "logging_config", "a LoggingConfig"); l != nil {
		spec.LoggingConfig = l.proto
	}
	s := &service{proto: &core.FeatureService{Spec: spec}, references: references}
	s.tags = a.tags("tags", func(t map[string]string) { spec.Tags = t })
	a.call.Later(func() error {
		for _, v := range views {
			p := v.project()
			if n := v.pinned(); n >= 0 {
				p.VersionTag = proto.Int32(n)
			}
			spec.Features = append(spec.Features, p)
		}
		return nil
	})
	return s, a.err
}

// serviceFeatures reads the features of a service: views, and references to views that
// an apply looks up.
func (a *args) serviceFeatures() (views []*view, references []string) {
	for _, item := range a.list("features") {
		switch v := python.Plain(item).(type) {
		case *view:
			if v.projectionOnly {
				a.failAt("features", "argument 'features' holds a FeatureViewProjection; give the view itself, %s[[…]] or %s.with_name(…)", v.name, v.name)
			}
			if version, ok := python.Plain(v.plain["version"]).(string); ok {
				if _, err := registry.ParseVersion(version); err != nil {
					a.failAt("features", "feature view %s: %s", v.name, err)
				}
			}
			views = append(views, v)
		case string:
			references = append(references, v)
		default:
			a.failAt("features", "argument 'features' holds a %s, want feature views, or texts such as \"view:feature\"", python.TypeName(item))
		}
	}
	return views, references
}

// pinned is the version that the definition of a view names; -1 if it names none.
func (v *view) pinned() int32 {
	version, _ := python.Plain(v.plain["version"]).(string)
	n, err := registry.ParseVersion(version)
	if err != nil {
		return -1 // refused where it is used
	}
	return n
}

// logging is a LoggingConfig or its destination.
type logging struct {
	class string
	proto *core.LoggingConfig
}

// Kinds lists the classes of a logging configuration.
func (l *logging) Kinds() []string { return []string{l.class} }

func newLoggingConfig(c *python.Call) (any, error) {
	a := bind("LoggingConfig", c, "destination!", "sample_rate")
	p := &core.LoggingConfig{SampleRate: 1}
	if v, ok := a.get("sample_rate"); ok {
		switch v := v.(type) {
		case float64:
			p.SampleRate = float32(v)
		case int64:
			p.SampleRate = float32(v)
		default:
			a.wrong("sample_rate", "a number", v)
		}
	}
	if d := one[*logging](a, "destination", "a logging destination, such as FileLoggingDestination(…)"); d != nil {
		p.Destination = d.proto.GetDestination()
	}
	return &logging{"LoggingConfig", p}, a.err
}

func newFileLogging(c *python.Call) (any, error) {
	a := bind("FileLoggingDestination", c, "*", "path!", "s3_endpoint_override", "partition_by?")
	return &logging{"FileLoggingDestination", &core.LoggingConfig{Destination: &core.LoggingConfig_FileDestination_{FileDestination: &core.LoggingConfig_FileDestination{
		Path: a.name("path"), S3EndpointOverride: a.text("s3_endpoint_override"), PartitionBy: a.texts("partition_by"),
	}}}}, a.err
}

func newRedshiftLogging(c *python.Call) (any, error) {
	a := bind("RedshiftLoggingDestination", c, "*", "table_name!")
	return &logging{a.of, &core.LoggingConfig{Destination: &core.LoggingConfig_RedshiftDestination_{
		RedshiftDestination: &core.LoggingConfig_RedshiftDestination{TableName: a.name("table_name")},
	}}}, a.err
}

func newBigQueryLogging(c *python.Call) (any, error) {
	a := bind("BigQueryLoggingDestination", c, "*", "table_ref!")
	return &logging{a.of, &core.LoggingConfig{Destination: &core.LoggingConfig_BigqueryDestination{
		BigqueryDestination: &core.LoggingConfig_BigQueryDestination{TableRef: a.name("table_ref")},
	}}}, a.err
}

func newSnowflakeLogging(c *python.Call) (any, error) {
	a := bind("SnowflakeLoggingDestination", c, "*", "table_name!")
	return &logging{a.of, &core.LoggingConfig{Destination: &core.LoggingConfig_SnowflakeDestination_{
		SnowflakeDestination: &core.LoggingConfig_SnowflakeDestination{TableName: a.name("table_name")},
	}}}, a.err
}

func newAthenaLogging(c *python.Call) (any, error) {
	a := bind("AthenaLoggingDestination", c, "*", "table_name!")
	return &logging{a.of, &core.LoggingConfig{Destination: &core.LoggingConfig_AthenaDestination_{
		AthenaDestination: &core.LoggingConfig_AthenaDestination{TableName: a.name("table_name")},
	}}}, a.err
}

func newCouchbaseLogging(c *python.Call) (any, error) {
	a := bind("CouchbaseColumnarLoggingDestination", c, "*", "database!", "scope!", "table_name!")
	return &logging{a.of, &core.LoggingConfig{Destination: &core.LoggingConfig_CouchbaseColumnarDestination_{
		CouchbaseColumnarDestination: &core.LoggingConfig_CouchbaseColumnarDestination{
			Database: a.name("database"), Scope: a.name("scope"), Collection: a.name("table_name"),
		},
	}}}, a.err
}
