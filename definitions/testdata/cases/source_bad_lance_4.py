from feast.table_format import LanceFormat

format = LanceFormat(version='1')
