from feast import Project

project = Project(name="shop", description="A shop – über all", tags={"team": "a", "z": "1"}, owner="me@example.com")
