from feast import Entity, FeatureService, FeatureView, OnDemandFeatureView, Project
from feast.data_source import DataSource
from feast.feast_object import ALL_FEATURE_VIEW_TYPES, ALL_RESOURCE_TYPES
from feast.permissions.action import ALL_ACTIONS, CRUD, READ, WRITE, AuthzedAction
from feast.permissions.permission import Permission
from feast.permissions.policy import AllowAll, CombinedGroupNamespacePolicy, GroupBasedPolicy, NamespaceBasedPolicy, RoleBasedPolicy

default = Permission(name="default")
full = Permission(
    name="full", types=[FeatureView, Entity, FeatureService, DataSource], name_patterns=["^a.*", "b"], actions=[AuthzedAction.READ_ONLINE, AuthzedAction.DESCRIBE],
    policy=RoleBasedPolicy(roles=["admin", "reader"]), tags={"a": "b"}, required_tags={"team": "x"},
)
single = Permission(name="single", types=Project, name_patterns="x", actions=AuthzedAction.DELETE, policy=AllowAll)
groups = Permission(name="groups", types=ALL_FEATURE_VIEW_TYPES, actions=CRUD, policy=GroupBasedPolicy(groups=["g"]))
spaces = Permission(name="spaces", types=ALL_RESOURCE_TYPES, actions=READ + WRITE, policy=NamespaceBasedPolicy(namespaces=["n"]))
both = Permission(name="both", types=[OnDemandFeatureView], actions=ALL_ACTIONS, policy=CombinedGroupNamespacePolicy(groups=["g"], namespaces=["n"]))
unpacked = Permission(name="unpacked", actions=[*READ, AuthzedAction.UPDATE])
empty = Permission("empty", [], [], tags={}, required_tags={})
