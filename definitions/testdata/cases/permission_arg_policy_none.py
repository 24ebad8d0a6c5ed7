from feast.permissions.permission import Permission

p = Permission(name="p", policy=None)
