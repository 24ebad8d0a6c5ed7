package definitions

import (
	"regexp"
	"strings"

	"github.com/banquet-fs/banquet/definitions/python"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

// service is a FeatureService.
type service struct{ proto *core.FeatureService }

func (s *service) String() string { return "FeatureService" }

// Attr gives the name.
func (s *service) Attr(name string) (any, bool) { return s.proto.GetSpec().GetName(), name == "name" }

func newFeatureService(c *python.Call) (any, error) {
	a := bind("FeatureService", c, "*", "name", "features", "tags", "description", "owner", "logging_config", "precompute_online")
	spec := &core.FeatureServiceSpec{
		Name: a.must("name"), Tags: a.tags("tags"), Description: a.text("description"), Owner: a.text("owner"),
		PrecomputeOnline: a.flag("precompute_online", false),
	}
	for _, v := range each[*view](a, "features", "feature views") {
		spec.Features = append(spec.Features, v.project())
	}
	if l := one[*logging](a, "logging_config", "a LoggingConfig"); l != nil {
		spec.LoggingConfig = l.proto
	}
	return &service{&core.FeatureService{Spec: spec}}, a.err
}

// logging is a LoggingConfig.
type logging struct{ proto *core.LoggingConfig }

func (l *logging) String() string { return "LoggingConfig" }

func newLoggingConfig(c *python.Call) (any, error) {
	a := bind("LoggingConfig", c, "destination", "sample_rate")
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
	if d := one[*logging](a, "destination", "FileLoggingDestination(…)"); d != nil {
		p.Destination = d.proto.GetDestination()
	}
	return &logging{p}, a.err
}

func newFileLogging(c *python.Call) (any, error) {
	a := bind("FileLoggingDestination", c, "path", "s3_endpoint_override", "partition_by")
	return &logging{&core.LoggingConfig{Destination: &core.LoggingConfig_FileDestination_{FileDestination: &core.LoggingConfig_FileDestination{
		Path: a.must("path"), S3EndpointOverride: a.text("s3_endpoint_override"), PartitionBy: a.texts("partition_by"),
	}}}}, a.err
}

// permission is a Permission.
type permission struct{ proto *core.Permission }

func (p *permission) String() string { return "Permission" }

func newPermission(c *python.Call) (any, error) {
	a := bind("Permission", c, "name", "types", "name_patterns", "actions", "policy", "tags", "required_tags")
	spec := &core.PermissionSpec{Name: a.must("name"), Tags: a.tags("tags"), RequiredTags: a.tags("required_tags")}
	words := regexp.MustCompile(`([a-z])([A-Z])`)
	for _, b := range each[*python.Builtin](a, "types", "classes of Feast") {
		name := strings.ToUpper(words.ReplaceAllString(b.Name, "${1}_${2}"))
		n, ok := core.PermissionSpec_Type_value[name]
		if !ok {
			a.fail("argument 'types' holds %s, which has no permissions", b.Name)
		}
		spec.Types = append(spec.Types, core.PermissionSpec_Type(n))
	}
	if _, ok := a.bound["types"]; !ok {
		spec.Types = allTypes()
	}
	spec.NamePatterns = a.patterns()
	for _, v := range a.flatActions() {
		spec.Actions = append(spec.Actions, core.PermissionSpec_AuthzedAction(v.number))
	}
	spec.Policy = &core.Policy{}
	if p := one[*policy](a, "policy", "a policy"); p != nil {
		spec.Policy = p.proto
	}
	return &permission{&core.Permission{Spec: spec}}, a.err
}

// allTypes are the types of a permission that names none: all of Feast's.
func allTypes() []core.PermissionSpec_Type {
	var list []core.PermissionSpec_Type
	for _, name := range []string{
		"PROJECT", "FEATURE_VIEW", "ON_DEMAND_FEATURE_VIEW", "BATCH_FEATURE_VIEW", "STREAM_FEATURE_VIEW", "LABEL_VIEW", "ENTITY",
		"FEATURE_SERVICE", "DATA_SOURCE", "VALIDATION_REFERENCE", "SAVED_DATASET", "PERMISSION",
	} {
		if n, ok := core.PermissionSpec_Type_value[name]; ok {
			list = append(list, core.PermissionSpec_Type(n))
		}
	}
	return list
}

// patterns are one text or a list of them.
func (a *args) patterns() []string {
	v, ok := a.get("name_patterns")
	if !ok {
		return nil
	}
	if s, isText := v.(string); isText {
		return []string{s}
	}
	return a.texts("name_patterns")
}

// flatActions reads actions: one, or a list that may hold Feast's own lists.
func (a *args) flatActions() []*member {
	v, ok := a.get("actions")
	if !ok {
		return nil
	}
	if m, isOne := v.(*member); isOne {
		return []*member{m}
	}
	var out []*member
	for _, item := range a.list("actions") {
		switch item := item.(type) {
		case *member:
			out = append(out, item)
		case *python.List:
			for _, e := range item.Items {
				if m, ok := e.(*member); ok {
					out = append(out, m)
				}
			}
		default:
			a.wrong("actions", "actions", item)
		}
	}
	return out
}

// policy is a RoleBasedPolicy and its siblings.
type policy struct{ proto *core.Policy }

func (p *policy) String() string { return "Policy" }

func newPolicy(name string) func(*python.Call) (any, error) {
	return func(c *python.Call) (any, error) {
		a := bind(name, c, "roles", "groups", "namespaces")
		p := &core.Policy{}
		switch name {
		case "RoleBasedPolicy":
			p.PolicyType = &core.Policy_RoleBasedPolicy{RoleBasedPolicy: &core.RoleBasedPolicy{Roles: a.texts("roles")}}
		case "GroupBasedPolicy":
			p.PolicyType = &core.Policy_GroupBasedPolicy{GroupBasedPolicy: &core.GroupBasedPolicy{Groups: a.texts("groups")}}
		case "NamespaceBasedPolicy":
			p.PolicyType = &core.Policy_NamespaceBasedPolicy{NamespaceBasedPolicy: &core.NamespaceBasedPolicy{Namespaces: a.texts("namespaces")}}
		case "CombinedGroupNamespacePolicy":
			p.PolicyType = &core.Policy_CombinedGroupNamespacePolicy{CombinedGroupNamespacePolicy: &core.CombinedGroupNamespacePolicy{Groups: a.texts("groups"), Namespaces: a.texts("namespaces")}}
		}
		return &policy{p}, a.err
	}
}
