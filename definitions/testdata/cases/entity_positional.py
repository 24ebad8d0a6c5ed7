from feast import Entity

e = Entity("e")
