from feast import Project

a = Project(name="a")
b = Project(name="b")
