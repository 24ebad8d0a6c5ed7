from feast import FeatureView, FileSource
from feast.credentials import ConnectionRef
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource

short = PostgreSQLSource(name="short", table="t", connection_ref=ConnectionRef("env", "PG"))
full = FileSource(
    path="x", tags={"own": "tag"},
    connection_ref=ConnectionRef(provider="kubernetes", name="creds", namespace="ml", connection_type="postgres", auth_type="basic", params={"host": "h"}),
)
view = FeatureView(name="v", source=short)
