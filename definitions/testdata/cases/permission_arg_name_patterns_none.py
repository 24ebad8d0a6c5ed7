from feast.permissions.permission import Permission

p = Permission(name="p", name_patterns=None)
