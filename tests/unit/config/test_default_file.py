"""The file of defaults is the customer's, and the list of settings is complete."""

from importlib import resources

import yaml

from workflow_service.config import DEVELOPMENT_JWT_SECRET, describe
from workflow_service.config.catalogue import entries, variable_of
from workflow_service.config.sources import default_values

SECTION_16_2 = """\
server:
  port: 8080
  host: "0.0.0.0"

database:
  mongodb:
    url: "${MONGODB_URL}"
    options:
      maxPoolSize: 10
      serverSelectionTimeoutMS: 5000

cache:
  redis:
    url: "${REDIS_URL}"
    ttl: 3600

integrations:
  llm_service:
    base_url: "${LLM_SERVICE_URL}"
    timeout: 30000
  agent_service:
    base_url: "${AGENT_SERVICE_URL}"
    timeout: 60000
  state_service:
    base_url: "${STATE_SERVICE_URL}"
    timeout: 10000

workflow:
  max_parallel_blocks: 10
  default_timeout: 300000
  retry_attempts: 3
  recovery_point_interval: 60000

human_in_loop:
  approval_timeout: 86400000  # 24 hours
  notification_channels:
    - email
    - webhook
    - websocket
"""


def default_file() -> str:
    """Return the text of the file."""
    return resources.files("workflow_service.config").joinpath("default.yml").read_text(encoding="utf-8")


def test_the_file_begins_with_the_architecture_document_word_for_word() -> None:
    lines = default_file().split("---\n")[0].splitlines(keepends=True)
    without_title = "".join(line for line in lines if not line.startswith("#"))
    assert without_title == SECTION_16_2


def test_every_value_of_the_file_is_a_setting_and_the_other_way_round() -> None:
    assert set(default_values({})) == {entry.path for entry in entries()}


def test_the_additions_repeat_nothing_of_the_architecture_document() -> None:
    first, second = yaml.safe_load_all(default_file())
    for section in first.keys() & second.keys():
        assert not first[section].keys() & second[section].keys()


def test_variables_are_unique_and_follow_the_rule_but_for_two() -> None:
    variables = [entry.variable for entry in entries()]
    assert len(set(variables)) == len(variables)
    assert {entry.variable for entry in entries() if entry.variable != variable_of(entry.path)} == {
        "PORT", "WORKFLOW_ENVIRONMENT"}


def test_the_well_known_names() -> None:
    assert {"PORT", "MONGODB_URL", "REDIS_URL", "CELERY_BROKER_URL", "CELERY_RESULT_BACKEND", "AGENT_SERVICE_URL",
            "STATE_SERVICE_URL", "LLM_SERVICE_URL", "JWT_SECRET", "WORKFLOW_ENVIRONMENT", "WORKFLOW_CONFIG",
            "WORKFLOW_LEASE_MS", "WORKFLOW_SWEEP_INTERVAL_MS", "WORKFLOW_BATCH_INTERVAL_MS", "WORKFLOW_BATCH_SIZE",
            "WORKFLOW_IN_PLACE_BUDGET_MS", "WORKFLOW_MAX_LOST_LEASES"} <= {setting.name for setting in describe()}


def test_settings_are_described() -> None:
    described = {setting.name: setting for setting in describe()}
    assert described["WORKFLOW_LEASE_MS"].default == "30000"
    assert described["MONGODB_URL"].default == "required"
    assert described["CELERY_BROKER_URL"].default == "that of REDIS_URL"
    assert described["HUMAN_IN_LOOP_NOTIFICATION_CHANNELS"].default == "email, webhook, websocket"
    assert described["STATE_SERVICE_TIMEOUT"].meaning.startswith("How long a call of the State Management Service")
    assert all(setting.meaning.endswith(".") for setting in described.values())
    assert DEVELOPMENT_JWT_SECRET not in described["JWT_SECRET"].default


def test_the_secret_of_the_file_is_the_one_that_production_refuses() -> None:
    assert default_values({})["security.jwt_secret"] == DEVELOPMENT_JWT_SECRET
