package definitions

import (
	"slices"
	"strings"

	"github.com/banquet-fs/banquet/definitions/python"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

// permission is a Permission.
type permission struct{ proto *core.Permission }

// Kinds lists the classes of a permission.
func (p *permission) Kinds() []string { return []string{"Permission"} }

// Attr returns the name.
func (p *permission) Attr(name string) (any, bool) {
	return p.proto.GetSpec().GetName(), name == "name"
}

// managed are the classes that permissions protect, in Feast's order.
func managed() []string {
	return []string{
		"Project", "FeatureView", "OnDemandFeatureView", "BatchFeatureView", "StreamFeatureView", "LabelView", "Entity", "FeatureService", "DataSource",
		"ValidationReference", "SavedDataset", "Permission",
	}
}

// permissionType is the protobuf value of a managed class.
func permissionType(class string) core.PermissionSpec_Type {
	var b strings.Builder
	for i, r := range class {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	return core.PermissionSpec_Type(core.PermissionSpec_Type_value[strings.ToUpper(b.String())])
}

func newPermission(c *python.Call) (any, error) {
	a := bind("Permission", c, "name!", "types?", "name_patterns?", "actions", "policy", "tags?", "required_tags?")
	spec := &core.PermissionSpec{Name: a.name("name"), Policy: &core.Policy{}}
	for _, class := range a.types() {
		spec.Types = append(spec.Types, permissionType(class))
	}
	spec.NamePatterns = a.patterns()
	for _, m := range a.actions() {
		spec.Actions = append(spec.Actions, core.PermissionSpec_AuthzedAction(m.number))
	}
	if p := one[*policy](a, "policy", "a policy"); p != nil {
		spec.Policy = p.proto
	}
	a.keep("types", "name_patterns", "actions")
	a.tags("tags", func(t map[string]string) { spec.Tags = t })
	a.tags("required_tags", func(t map[string]string) { spec.RequiredTags = t })
	return &permission{&core.Permission{Spec: spec}}, a.err
}

// types are the classes that a permission covers: one, a list, or all.
func (a *args) types() []string {
	v, ok := a.get("types")
	if !ok {
		return managed()
	}
	items := []any{v}
	if l, isList := v.(*python.List); isList {
		items = l.Items
	}
	if len(items) == 0 {
		return managed()
	}
	var out []string
	for _, item := range items {
		b, isClass := item.(*python.Builtin)
		if !isClass || !slices.Contains(managed(), b.Name) {
			a.failAt("types", "argument 'types' holds %s, which has no permissions; give classes: %s", python.Brief(item), strings.Join(managed(), ", "))
			return nil
		}
		out = append(out, b.Name)
	}
	return out
}

// patterns are one text or a list of them.
func (a *args) patterns() []string {
	v, ok := a.get("name_patterns")
	if !ok {
		return nil
	}
	if s, isText := python.Plain(v).(string); isText {
		return []string{s}
	}
	return a.texts("name_patterns")
}

// actions are one action, a list, or all.
func (a *args) actions() []*member {
	v, given := a.get("actions")
	if !given {
		if a.err != nil {
			return nil
		}
		return actions()
	}
	items := []any{v}
	if l, isList := v.(*python.List); isList {
		items = l.Items
	}
	if len(items) == 0 {
		a.failAt("actions", "argument 'actions' must not be empty")
	}
	var out []*member
	for _, item := range items {
		m, ok := item.(*member)
		if !ok || m.enum != "AuthzedAction" {
			a.failAt("actions", "argument 'actions' holds a %s, want members of AuthzedAction", python.TypeName(item))
			return nil
		}
		out = append(out, m)
	}
	return out
}

// policy is a RoleBasedPolicy or the like.
type policy struct {
	class string
	proto *core.Policy
}

// Kinds lists the classes of a policy.
func (p *policy) Kinds() []string { return []string{p.class, "Policy"} }

func newRolePolicy(c *python.Call) (any, error) {
	a := bind("RoleBasedPolicy", c, "roles!")
	a.keep("roles")
	return &policy{"RoleBasedPolicy", &core.Policy{PolicyType: &core.Policy_RoleBasedPolicy{RoleBasedPolicy: &core.RoleBasedPolicy{Roles: a.texts("roles")}}}}, a.err
}

func newGroupPolicy(c *python.Call) (any, error) {
	a := bind("GroupBasedPolicy", c, "groups!")
	a.keep("groups")
	return &policy{"GroupBasedPolicy", &core.Policy{PolicyType: &core.Policy_GroupBasedPolicy{GroupBasedPolicy: &core.GroupBasedPolicy{Groups: a.texts("groups")}}}}, a.err
}

func newNamespacePolicy(c *python.Call) (any, error) {
	a := bind("NamespaceBasedPolicy", c, "namespaces!")
	a.keep("namespaces")
	return &policy{"NamespaceBasedPolicy", &core.Policy{PolicyType: &core.Policy_NamespaceBasedPolicy{
		NamespaceBasedPolicy: &core.NamespaceBasedPolicy{Namespaces: a.texts("namespaces")},
	}}}, a.err
}

func newCombinedPolicy(c *python.Call) (any, error) {
	a := bind("CombinedGroupNamespacePolicy", c, "groups!", "namespaces!")
	a.keep("groups", "namespaces")
	return &policy{"CombinedGroupNamespacePolicy", &core.Policy{PolicyType: &core.Policy_CombinedGroupNamespacePolicy{
		CombinedGroupNamespacePolicy: &core.CombinedGroupNamespacePolicy{Groups: a.texts("groups"), Namespaces: a.texts("namespaces")},
	}}}, a.err
}
