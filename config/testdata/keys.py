"""Records which keys the sections of feature_store.yaml have in Feast, and which values
Feast accepts for them, as lines of JSON.
usage: PYTHON-WITH-FEAST-0.66 keys.py > keys-0.66.jsonl; PYTHON-WITH-FEAST-0.67 keys.py > keys-0.67.jsonl"""

import importlib
import json
import warnings

import yaml

warnings.simplefilter("ignore")

from feast.repo_config import RepoConfig  # noqa: E402

PG = {"type": "postgres", "host": "h", "database": "d", "user": "u", "password": "p"}
LOCAL, MCP = {"type": "local"}, {"type": "mcp"}
# section -> the module and class of its model, and the keys that it needs
SECTIONS = {
    "registry": ("feast.repo_config", "RegistryConfig", {}),
    "registry.mcp": ("feast.repo_config", "McpRegistryConfig", {}),
    "materialization": ("feast.repo_config", "MaterializationConfig", {}),
    "data_quality_monitoring": ("feast.repo_config", "DataQualityMonitoringConfig", {}),
    "openlineage": ("feast.repo_config", "OpenLineageConfig", {}),
    "openlineage.consumer": ("feast.repo_config", "OpenLineageConsumerConfig", {}),
    "mlflow": ("feast.mlflow_integration.config", "MlflowConfig", {}),
    "mlflow.dataset_sync": ("feast.mlflow_integration.config", "DatasetSyncConfig", {}),
    "embedding_model": ("feast.repo_config", "EmbeddingModelConfig", {"model": "m"}),
    "feature_server(local)": ("feast.infra.feature_servers.local_process.config", "LocalFeatureServerConfig", LOCAL),
    "feature_server(mcp)": ("feast.infra.mcp_servers.mcp_config", "McpFeatureServerConfig", MCP),
    "feature_server.metrics": ("feast.infra.feature_servers.base_config", "MetricsConfig", {}),
    "feature_server.feature_logging": ("feast.infra.feature_servers.base_config", "FeatureLoggingConfig", {}),
    "feature_server.audit_logging": ("feast.infra.feature_servers.base_config", "AuditLoggingConfig", {}),
    "online_store(sqlite)": ("feast.infra.online_stores.sqlite", "SqliteOnlineStoreConfig", {"type": "sqlite"}),
    "online_store(dynamodb)": ("feast.infra.online_stores.dynamodb", "DynamoDBOnlineStoreConfig", {"type": "dynamodb", "region": "x"}),
    "online_store(postgres)": ("feast.infra.online_stores.postgres_online_store.postgres", "PostgreSQLOnlineStoreConfig", PG),
    "offline_store(dask)": ("feast.infra.offline_stores.dask", "DaskOfflineStoreConfig", {"type": "dask"}),
    "offline_store(postgres)": ("feast.infra.offline_stores.contrib.postgres_offline_store.postgres", "PostgreSQLOfflineStoreConfig", PG),
    "auth": ("feast.permissions.auth_model", "NoAuthConfig", {"type": "no_auth"}),
    "": ("feast.repo_config", "RepoConfig", {"project": "shop", "registry": "r.db"}),
}
VALUES = ["some text", "7", '"7"', "0", "-1", "1.5", '"1.5"', "1e3", "true", "No", '"true"', "null", "[a, b]", "[10, 50]", "[50, 10]", "{a: b}", "{a: 1}", "{}", "2024-01-01", "0x10", "1:30", "010"]


def accepts(model, given, name, text):
    try:
        value = yaml.safe_load(text)
        model(**{**given, name: value})
    except Exception:
        return False
    return True


for section, (module, name, given) in SECTIONS.items():
    try:
        model = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        continue  # this version does not have it
    for field, info in model.model_fields.items():
        key = info.alias or field
        ok = [text for text in VALUES if accepts(model, given, key, text)]
        default = info.get_default(call_default_factory=True)
        if not isinstance(default, (str, int, float, bool, list)):
            default = getattr(default, "value", None)
        if not isinstance(default, (str, int, float, bool, list)):
            default = None
        print(json.dumps({"section": section, "key": key, "required": info.is_required(), "default": default, "accepts": ok}))
    print(json.dumps({"section": section, "open": accepts(model, given, "no_such_key", "x")}))
