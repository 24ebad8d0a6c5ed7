from .keys import user

OWNER = "team@example.com"
