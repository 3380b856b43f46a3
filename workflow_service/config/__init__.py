"""The settings of the service: read once at the start, checked as a whole, passed on as frozen values.

They come from ``default.yml``, from the file that ``WORKFLOW_CONFIG`` names (if it is set; any part of the same tree),
and from the environment, each laid over the one before. Every setting has one environment variable: its path in the
file in capitals, joined by ``_``, camelCase split, without the words ``database``, ``cache``, ``integrations``,
``options``, ``base`` and ``security``. For example:

- ``workflow.lease_ms`` is set by ``WORKFLOW_LEASE_MS``
- ``database.mongodb.options.maxPoolSize`` is set by ``MONGODB_MAX_POOL_SIZE``
- ``integrations.agent_service.base_url`` is set by ``AGENT_SERVICE_URL``

Two have better known names: ``PORT`` and ``WORKFLOW_ENVIRONMENT``. Lists are written with commas. A variable that is
empty counts as not set.
"""

from workflow_service.config.catalogue import SettingDescription, describe
from workflow_service.config.loading import ConfigurationError, load_settings
from workflow_service.config.settings import (
    DEVELOPMENT_JWT_SECRET,
    CelerySettings,
    HumanInLoopSettings,
    LlmServiceSettings,
    MetricsSettings,
    MongoSettings,
    RedisSettings,
    SecuritySettings,
    ServerSettings,
    ServiceSettings,
    Settings,
    WorkflowSettings,
)

__all__ = [
    "DEVELOPMENT_JWT_SECRET",
    "CelerySettings",
    "ConfigurationError",
    "HumanInLoopSettings",
    "LlmServiceSettings",
    "MetricsSettings",
    "MongoSettings",
    "RedisSettings",
    "SecuritySettings",
    "ServerSettings",
    "ServiceSettings",
    "SettingDescription",
    "Settings",
    "WorkflowSettings",
    "describe",
    "load_settings",
]
