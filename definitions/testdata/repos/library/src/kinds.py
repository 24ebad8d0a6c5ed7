from feast.types import Float32, Int64, String

KINDS = {"float": Float32, "int": Int64, "text": String}
