from feast import Entity, SparkSource

source = SparkSource(table="t")
