"""What ``load_settings`` takes, and what it refuses."""

from datetime import timedelta
from pathlib import Path

import pytest

from workflow_service.config import DEVELOPMENT_JWT_SECRET, ConfigurationError, Settings, load_settings

REQUIRED = {
    "MONGODB_URL": "mongodb://127.0.0.1:27017/workflows",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "AGENT_SERVICE_URL": "http://agents:8001",
    "STATE_SERVICE_URL": "http://state:8002",
    "LLM_SERVICE_URL": "https://llm.example.com/base",
}
OWN_SECRET = "0123456789abcdef0123456789abcdef"


def load(**changes: str) -> Settings:
    """Load the settings of an environment that is complete but for the changes."""
    return load_settings({**REQUIRED, **changes})


def faults(environ: dict[str, str]) -> dict[str, str]:
    """Return what is wrong with an environment: message by name."""
    with pytest.raises(ConfigurationError) as raised:
        load_settings(environ)
    return {issue.path.split(" ")[0]: issue.message for issue in raised.value.issues}


def test_only_the_addresses_are_required() -> None:
    settings = load()
    assert settings.server.port == 8080
    assert settings.mongodb.url == REQUIRED["MONGODB_URL"]
    assert settings.llm_service.base_url == REQUIRED["LLM_SERVICE_URL"]
    assert set(faults({})) == set(REQUIRED) - {"LLM_SERVICE_URL"}
    assert load(LLM_SERVICE_URL="").llm_service.base_url is None


def test_celery_uses_redis_unless_told_otherwise() -> None:
    assert load().celery.broker_url == load().celery.result_backend == REQUIRED["REDIS_URL"]
    told = load(CELERY_BROKER_URL="amqp://user:word@rabbit:5672/jobs", CELERY_RESULT_BACKEND="redis://other/1").celery
    assert (told.broker_url, told.result_backend) == ("amqp://user:word@rabbit:5672/jobs", "redis://other/1")


def test_durations_are_durations() -> None:
    settings = load(WORKFLOW_LEASE_MS="1000", WORKFLOW_SWEEP_INTERVAL_MS="300", REDIS_TTL="60")
    assert settings.workflow.lease == timedelta(seconds=1)
    assert settings.workflow.sweep_interval == timedelta(milliseconds=300)
    assert settings.redis.ttl == timedelta(minutes=1)
    assert settings.human_in_loop.approval_timeout == timedelta(days=1)


def test_channels_are_a_list_with_commas() -> None:
    channels = load(HUMAN_IN_LOOP_NOTIFICATION_CHANNELS="websocket, email,websocket").human_in_loop
    assert channels.notification_channels == ("websocket", "email")


def test_an_empty_variable_is_not_set() -> None:
    assert load(PORT="").server.port == 8080
    assert "REDIS_URL" in faults({**REQUIRED, "REDIS_URL": ""})


def test_a_slash_at_the_end_of_a_service_is_dropped() -> None:
    assert load(AGENT_SERVICE_URL="http://agents:8001/v2/").agent_service.base_url == "http://agents:8001/v2"


@pytest.mark.parametrize(("name", "given"), [
    ("PORT", "0"), ("PORT", "65536"), ("PORT", "80.5"), ("PORT", "http"), ("PORT", "٣"), ("PORT", "9" * 5000),
    ("SERVER_HOST", "  "), ("SERVER_HOST", "a\nb"),
    ("MONGODB_URL", "127.0.0.1:27017"), ("MONGODB_URL", "http://127.0.0.1"), ("MONGODB_URL", "mongodb://"),
    ("MONGODB_URL", "mongodb://host:port/db"), ("MONGODB_URL", "mongodb://a:1,/db"),
    ("MONGODB_MAX_POOL_SIZE", "0"), ("MONGODB_SERVER_SELECTION_TIMEOUT_MS", "-5"),
    ("REDIS_URL", "redis://host:99999/0"), ("REDIS_URL", "redis://one,two"), ("REDIS_TTL", "1e9"),
    ("AGENT_SERVICE_URL", "agents"), ("AGENT_SERVICE_URL", "http://"), ("AGENT_SERVICE_URL", "http://a b"),
    ("AGENT_SERVICE_URL", "http://a,b"), ("AGENT_SERVICE_URL", "http://a;http://b"), ("LLM_SERVICE_URL", "http://[::1"),
    ("STATE_SERVICE_URL", "http://state?token=1"), ("STATE_SERVICE_TIMEOUT", "0"), ("AGENT_SERVICE_TIMEOUT", "1 s"),
    ("WORKFLOW_MAX_PARALLEL_BLOCKS", "0"), ("WORKFLOW_DEFAULT_TIMEOUT", "99999999999999"),
    ("WORKFLOW_RETRY_ATTEMPTS", "-1"), ("WORKFLOW_RECOVERY_POINT_INTERVAL", "soon"), ("WORKFLOW_BATCH_SIZE", "1001"),
    ("WORKFLOW_IN_PLACE_BUDGET_MS", "0"), ("WORKFLOW_MAX_LOST_LEASES", "0"), ("WORKFLOW_LEASE_MS", "True"),
    ("HUMAN_IN_LOOP_NOTIFICATION_CHANNELS", "email,pigeon"), ("HUMAN_IN_LOOP_APPROVAL_TIMEOUT", "0"),
    ("CELERY_BROKER_URL", "kafka://host"), ("CELERY_RESULT_BACKEND", "amqp://host"),
    ("WORKFLOW_ENVIRONMENT", "staging"),
])
def test_a_wrong_value_is_named_with_what_is_allowed(name: str, given: str) -> None:
    found = faults({**REQUIRED, name: given})
    assert set(found) == {name}
    assert found[name].startswith("was given ") and "allowed: " in found[name]


@pytest.mark.parametrize(("name", "given"), [
    ("MONGODB_URL", "mongodb://a:27017,b:27018/db?replicaSet=r"), ("MONGODB_URL", "mongodb+srv://u:p@cluster/db"),
    ("MONGODB_URL", "mongodb://%2Ftmp%2Fmongodb.sock/db"), ("REDIS_URL", "rediss://:word@[::1]:6379/2"),
    ("CELERY_BROKER_URL", "amqp://a:5672;amqp://b:5672"), ("CELERY_SENTINEL_MASTER", "main"),
    ("CELERY_BROKER_URL", "memory://"), ("CELERY_RESULT_BACKEND", "cache+memory://"),
    ("AGENT_SERVICE_URL", "http://user:word@agents/v1"), ("WORKFLOW_RETRY_ATTEMPTS", "0"),
])
def test_unusual_but_right_values_are_taken(name: str, given: str) -> None:
    load(**{name: given})


def test_all_faults_are_named_at_once() -> None:
    found = faults({**REQUIRED, "PORT": "x", "WORKFLOW_LEASE_MS": "y", "REDIS_URL": "http://z",
                    "WORKFLOW_ENVIRONMENT": "production", "WORKFLOW_CONFIG": "/does/not/exist.yml"})
    assert set(found) == {"PORT", "WORKFLOW_LEASE_MS", "REDIS_URL", "JWT_SECRET", "WORKFLOW_CONFIG"}


@pytest.mark.parametrize(("name", "changes"), [
    ("WORKFLOW_SWEEP_INTERVAL_MS", {"WORKFLOW_SWEEP_INTERVAL_MS": "30000"}),
    ("WORKFLOW_SWEEP_INTERVAL_MS", {"WORKFLOW_LEASE_MS": "4000"}),
    ("WORKFLOW_BATCH_INTERVAL_MS", {"WORKFLOW_BATCH_INTERVAL_MS": "30000"}),
    ("WORKFLOW_LEASE_MS", {"CELERY_VISIBILITY_TIMEOUT_MS": "61000", "WORKFLOW_LEASE_MS": "61000"}),
    ("AGENT_SERVICE_TIMEOUT", {"AGENT_SERVICE_TIMEOUT": "900000"}),
    ("AGENT_SERVICE_TIMEOUT", {"CELERY_CONSUMER_TIMEOUT_MS": "60000"}),
])
def test_times_that_contradict_each_other_are_refused(name: str, changes: dict[str, str]) -> None:
    found = faults({**REQUIRED, **changes})
    assert set(found) == {name}
    assert "less than the " in found[name]


@pytest.mark.parametrize("name", ["CELERY_BROKER_URL", "CELERY_RESULT_BACKEND"])
def test_sentinels_can_only_be_asked_for_a_master_that_has_a_name(name: str) -> None:
    given = {**REQUIRED, name: "sentinel://a:26379;sentinel://b:26379"}
    found = faults(given)
    assert set(found) == {"CELERY_SENTINEL_MASTER"} and name in found["CELERY_SENTINEL_MASTER"]
    assert load_settings({**given, "CELERY_SENTINEL_MASTER": "main"}).celery.sentinel_master == "main"


@pytest.mark.parametrize("secret", [None, DEVELOPMENT_JWT_SECRET, "x" * 31])
def test_production_refuses_a_weak_secret(secret: str | None) -> None:
    given = {} if secret is None else {"JWT_SECRET": secret}
    assert set(faults({**REQUIRED, "WORKFLOW_ENVIRONMENT": "production", **given})) == {"JWT_SECRET"}


def test_production_counts_the_bytes_of_a_secret() -> None:
    assert load(WORKFLOW_ENVIRONMENT="production", JWT_SECRET=OWN_SECRET).security.is_production
    assert load(WORKFLOW_ENVIRONMENT="production", JWT_SECRET="é" * 16).security.is_production
    assert not load(JWT_SECRET="short").security.is_production


def test_no_secret_is_ever_shown() -> None:
    hidden = "hunter2"
    environ = {"JWT_SECRET": f"{hidden}\n", "MONGODB_URL": f"mongo://user:{hidden}@host/db", "PORT": "x",
               "REDIS_URL": f"redis://:{hidden}@/0?password={hidden}", "CELERY_BROKER_URL": f"x://h?token={hidden}",
               "WORKFLOW_ENVIRONMENT": "production"}
    with pytest.raises(ConfigurationError) as raised:
        load_settings(environ)
    assert hidden not in str(raised.value)
    assert "JWT_SECRET" in str(raised.value) and "***@host" in str(raised.value)
    secret = load(JWT_SECRET=OWN_SECRET, REDIS_URL=f"redis://:{hidden}@host", MONGODB_URL=f"mongodb://u:{hidden}@host")
    assert OWN_SECRET not in repr(secret) and hidden not in repr(secret)


def test_a_weak_secret_is_not_shown_either() -> None:
    found = faults({**REQUIRED, "WORKFLOW_ENVIRONMENT": "production", "JWT_SECRET": "too-short"})
    assert "too-short" not in found["JWT_SECRET"] and "9 bytes" in found["JWT_SECRET"]


class TestFileOfTheUser:
    """The file that ``WORKFLOW_CONFIG`` names."""

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        """Where the file is."""
        return tmp_path / "own.yml"

    def test_it_is_laid_over_the_defaults_and_the_environment_over_it(self, file: Path) -> None:
        file.write_text("workflow: {lease_ms: 9000, batch_size: 7}\ndatabase: {mongodb: {url: 'mongodb://f/db'}}")
        settings = load(WORKFLOW_CONFIG=str(file), WORKFLOW_BATCH_SIZE="8")
        assert (settings.workflow.lease, settings.workflow.batch_size) == (timedelta(seconds=9), 8)
        assert settings.workflow.max_parallel_blocks == 10
        assert settings.mongodb.url == REQUIRED["MONGODB_URL"]

    def test_it_can_give_what_is_required(self, file: Path) -> None:
        file.write_text("cache: {redis: {url: 'redis://${CACHE_HOST}:1/0'}}\n"
                        "human_in_loop: {notification_channels: []}")
        environ = {name: value for name, value in REQUIRED.items() if name != "REDIS_URL"}
        settings = load_settings({**environ, "CACHE_HOST": "cache", "WORKFLOW_CONFIG": str(file)})
        assert settings.redis.url == settings.celery.broker_url == "redis://cache:1/0"
        assert settings.human_in_loop.notification_channels == ()
        assert set(faults({**environ, "WORKFLOW_CONFIG": str(file)})) == {"REDIS_URL"}

    def test_a_section_without_lines_changes_nothing(self, file: Path) -> None:
        file.write_text("workflow:\n  # lease_ms: 1\ncache: {redis: }\n")
        assert load(WORKFLOW_CONFIG=str(file)) == load()

    def test_a_setting_that_does_not_exist_is_named(self, file: Path) -> None:
        file.write_text("workflow: {leese_ms: 1, lease_ms: {x: 1}}\nwork: 1\n")
        found = faults({**REQUIRED, "WORKFLOW_CONFIG": str(file)})
        assert set(found) == {"workflow.leese_ms", "workflow.lease_ms.x", "work"}
        assert "workflow.lease_ms?" in found["workflow.leese_ms"]

    @pytest.mark.parametrize("text", ["workflow: {lease_ms: yes}", "workflow: {lease_ms: 1.5}",
                                      "workflow: {lease_ms: [1]}", "workflow: {lease_ms: }"])
    def test_a_wrong_value_in_it_is_named(self, file: Path, text: str) -> None:
        file.write_text(text)
        assert set(faults({**REQUIRED, "WORKFLOW_CONFIG": str(file)})) == {"WORKFLOW_LEASE_MS"}

    @pytest.mark.parametrize("content", [
        b"- a list", b"{unclosed", b"\xff\xfe\x00", b"a: &a {b: *a}", b"d: 2020-99-99"])
    def test_a_file_that_is_none_is_refused(self, file: Path, content: bytes) -> None:
        file.write_bytes(content)
        assert set(faults({**REQUIRED, "WORKFLOW_CONFIG": str(file)})) == {"WORKFLOW_CONFIG"}
