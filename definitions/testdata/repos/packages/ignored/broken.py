from feast import Entity
this is not python
