from feast import Entity

for n in "abc":
    e = Entity(name=n)
del n
kept = Entity(name="kept")
gone = Entity(name="gone")
del gone
_private = Entity(name="private")
in_list = [Entity(name="listed")]
