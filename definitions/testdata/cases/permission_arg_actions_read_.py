from feast.permissions.permission import Permission

p = Permission(name="p", actions=['READ'])
