from pathlib import Path

from feast import Field, FileSource, KafkaSource, KinesisSource, PushSource, RequestSource
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource
from feast.types import Int64

source = FileSource(name="x")
