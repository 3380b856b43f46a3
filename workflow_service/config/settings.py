"""The settings as values, each with its place in the file, its kind and its meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from workflow_service.config.addresses import Url
from workflow_service.config.keys import PublicKey
from workflow_service.config.kinds import Kind, Secret, Text, Whole, Word, Words, milliseconds, seconds
from workflow_service.config.limits import LimitsByAgent, OneLimit
from workflow_service.config.moments import MomentKind
from workflow_service.config.queues import QueueNames
from workflow_service.domain.limits import AgentLimit
from workflow_service.failpoints.failpoint import Moment

DEVELOPMENT_JWT_SECRET = "development-only-not-a-secret-at-all"
"""The secret of ``default.yml``, which production refuses."""
LARGEST_BATCH = 1000
"""How many checkpoints the State Management Service takes in one call."""
_HTTP = Url(schemes=("http", "https"))
_MONGODB = Url(schemes=("mongodb", "mongodb+srv"), several=True)
_REDIS = Url(schemes=("redis", "rediss", "unix"), hostless=("unix",))
_BROKER = Url(schemes=("redis", "rediss", "redis+socket", "sentinel", "amqp", "amqps", "memory"),
              hostless=("redis+socket", "memory"), several=True)
_RESULTS = Url(schemes=("redis", "rediss", "redis+socket", "sentinel", "cache+memory"),
               hostless=("redis+socket", "cache+memory"), several=True)


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """What is to be known of one setting beside its value."""

    path: str
    """Its place in the file, within its section."""
    kind: Kind
    meaning: str
    """A sentence; ``{title}`` stands for the title of the section."""
    variable: str | None = None
    """The environment variable that sets it, where it is not the one that the rule gives."""
    fallback: str | None = None
    """The path of the setting whose value it has if it has none itself."""
    is_optional: bool = False
    """True if the service works without it; its value is None then."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """Where the settings of one group are in the file."""

    path: str
    title: str


def _leaf(path: str, kind: Kind, meaning: str, *, variable: str | None = None,
          fallback: str | None = None, is_optional: bool = False) -> Mapping[str, Leaf]:
    return {"leaf": Leaf(path=path, kind=kind, meaning=meaning, variable=variable, fallback=fallback,
                         is_optional=is_optional)}


def _section(path: str, title: str) -> Mapping[str, Section]:
    return {"section": Section(path=path, title=title)}


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """The HTTP API."""

    port: int = field(metadata=_leaf("port", Whole(most=65535), "TCP port of the HTTP API.", variable="PORT"))
    host: str = field(metadata=_leaf("host", Text(), "Network address that the HTTP API listens on."))


@dataclass(frozen=True, kw_only=True)
class MongoSettings:
    """The operational store."""

    url: str = field(repr=False, metadata=_leaf("url", _MONGODB, "Address of MongoDB, with the name of the database."))
    max_pool_size: int = field(metadata=_leaf(
        "options.maxPoolSize", Whole(most=1000), "Connections that one process keeps to MongoDB at most."))
    server_selection_timeout: timedelta = field(metadata=_leaf(
        "options.serverSelectionTimeoutMS", milliseconds(),
        "How long a call looks for a MongoDB server before it gives up (ms)."))


@dataclass(frozen=True, kw_only=True)
class RedisSettings:
    """Cache, rate limits and the fan-out to browsers."""

    url: str = field(repr=False, metadata=_leaf("url", _REDIS, "Address of Redis."))
    ttl: timedelta = field(metadata=_leaf("ttl", seconds(), "How long an entry of the cache lives (seconds)."))


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """One of the services around us."""

    base_url: str = field(repr=False, metadata=_leaf("base_url", _HTTP, "Address of the {title}."))
    timeout: timedelta = field(metadata=_leaf(
        "timeout", milliseconds(), "How long a call of the {title} may take if nothing else is said (ms)."))


@dataclass(frozen=True, kw_only=True)
class LlmServiceSettings:
    """The LLM Service, which the service works without, less well."""

    base_url: str | None = field(repr=False, metadata=_leaf("base_url", _HTTP, "Address of the {title}.",
                                                            is_optional=True))
    timeout: timedelta = field(metadata=_leaf(
        "timeout", milliseconds(), "How long a call of the {title} may take if nothing else is said (ms)."))


@dataclass(frozen=True, kw_only=True)
class WorkflowSettings:
    """How executions run."""

    max_parallel_blocks: int = field(metadata=_leaf(
        "max_parallel_blocks", Whole(most=10_000),
        "Blocks of one execution that run at once, unless the template says otherwise."))
    default_timeout: timedelta = field(metadata=_leaf(
        "default_timeout", milliseconds(),
        "How long an execution may run, parked time not counted, unless the template says otherwise (ms)."))
    retry_attempts: int = field(metadata=_leaf(
        "retry_attempts", Whole(least=0, most=1000),
        "Retries of a failed block whose template does not say how many."))
    recovery_point_interval: timedelta = field(metadata=_leaf(
        "recovery_point_interval", milliseconds(), "Time between two recovery points of a running execution (ms)."))
    lease: timedelta = field(metadata=_leaf(
        "lease_ms", milliseconds(least=100), "How long a worker owns a block without a sign of life (ms)."))
    sweep_interval: timedelta = field(metadata=_leaf(
        "sweep_interval_ms", milliseconds(least=10),
        "Time between two searches for what was lost and what is due (ms); shorter than the lease."))
    batch_interval: timedelta = field(metadata=_leaf(
        "batch_interval_ms", milliseconds(),
        "How long events and checkpoints wait to be written together (ms); shorter than the lease."))
    batch_size: int = field(metadata=_leaf(
        "batch_size", Whole(most=LARGEST_BATCH), "Blocks whose events and checkpoints are written together at most."))
    in_place_budget: timedelta = field(metadata=_leaf(
        "in_place_budget_ms", milliseconds(),
        "How long one task goes on with the next block of a line by itself (ms)."))
    max_lost_leases: int = field(metadata=_leaf(
        "max_lost_leases", Whole(), "Workers that may vanish over one block before it fails."))
    service_workspace: str = field(metadata=_leaf(
        "service_workspace", Text(), "The workspace whose admins may hold the whole service."))
    queues: tuple[str, ...] = field(metadata=_leaf(
        "queues", QueueNames(),
        "Queues that the blocks of a template may name, besides `blocks`, which is always one."))
    stop_grace: timedelta = field(metadata=_leaf(
        "stop_grace_ms", milliseconds(least=1000),
        "How long a worker that is told to end may take; what it can't end in time it hands to others (ms)."))
    failpoint: Moment | None = field(metadata=_leaf(
        "failpoint", MomentKind(), "For tests alone, refused in production: the moment at which the process ends "
        "itself, such as `claimed`, or `claimed:3` for the third time.", is_optional=True))


@dataclass(frozen=True, kw_only=True)
class HumanInLoopSettings:
    """The people who are asked."""

    approval_timeout: timedelta = field(metadata=_leaf(
        "approval_timeout", milliseconds(),
        "How long until an unanswered approval is escalated, unless the template says otherwise (ms)."))
    notification_channels: tuple[str, ...] = field(metadata=_leaf(
        "notification_channels", Words(words=("email", "webhook", "websocket")),
        "Ways in which people are told that they are asked."))


@dataclass(frozen=True, kw_only=True)
class LimitSettings:
    """How much agents are given to do."""

    agents: Mapping[str, AgentLimit] = field(metadata=_leaf(
        "agents", LimitsByAgent(),
        'How many blocks an agent is at work on at once, and how many calls of it start in a minute, across all '
        'workers: JSON such as `{{"echo": {{"maxConcurrent": 3, "ratePerMinute": 60}}}}`.'))
    default: AgentLimit = field(metadata=_leaf(
        "default", OneLimit(),
        'The same for each agent that is not named there: JSON such as `{{"maxConcurrent": 10}}`.'))


@dataclass(frozen=True, kw_only=True)
class CelerySettings:
    """Messages to the workers."""

    broker_url: str = field(repr=False, metadata=_leaf(
        "broker_url", _BROKER, "Address of the broker; that of Redis if it is not given.", fallback="cache.redis.url"))
    result_backend: str = field(repr=False, metadata=_leaf(
        "result_backend", _RESULTS, "Address of the store that counts ended tasks; that of Redis if it is not given.",
        fallback="cache.redis.url"))
    sentinel_master: str | None = field(metadata=_leaf(
        "sentinel_master", Text(), "Name under which Redis sentinels know the master; needed by addresses that start "
        "with sentinel://.", is_optional=True))
    visibility_timeout: timedelta = field(metadata=_leaf(
        "visibility_timeout_ms", milliseconds(),
        "After how long Redis delivers a message again that nobody acknowledged (ms); longer than the lease and than a "
        "call of the Agent Service."))
    consumer_timeout: timedelta = field(metadata=_leaf(
        "consumer_timeout_ms", milliseconds(),
        "The `consumer_timeout` that RabbitMQ is configured with (ms); longer than a call of the Agent Service."))


@dataclass(frozen=True, kw_only=True)
class MetricsSettings:
    """What workers show to Prometheus; the API shows its own."""

    port: int | None = field(metadata=_leaf(
        "port", Whole(most=65535), "TCP port on which a worker, or what serves messages, gives its metrics, without "
        "asking for a token; none if it is not given.", is_optional=True))
    host: str = field(metadata=_leaf("host", Text(), "Network address that it gives them on."))


@dataclass(frozen=True, kw_only=True)
class SecuritySettings:
    """Who may do what."""

    jwt_secret: str = field(repr=False, metadata=_leaf(
        "jwt_secret", Secret(), "Secret that signs the users' tokens (HS256); in production at least 32 bytes of your "
        "own, unless `JWT_PUBLIC_KEY` is set."))
    jwt_public_key: str | None = field(repr=False, metadata=_leaf(
        "jwt_public_key", PublicKey(), "RSA public key that the users' tokens are checked with (RS256), as PEM text or "
        "the path of a file with it; instead of a secret, never beside one.", is_optional=True))
    environment: str = field(metadata=_leaf(
        "environment", Word(words=("development", "production")), "Production refuses what is unsafe.",
        variable="WORKFLOW_ENVIRONMENT"))

    @property
    def is_production(self) -> bool:
        """True where real work is done."""
        return self.environment == "production"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings of the service."""

    server: ServerSettings = field(metadata=_section("server", "HTTP API"))
    mongodb: MongoSettings = field(metadata=_section("database.mongodb", "MongoDB"))
    redis: RedisSettings = field(metadata=_section("cache.redis", "Redis"))
    llm_service: LlmServiceSettings = field(metadata=_section("integrations.llm_service", "LLM Service"))
    agent_service: ServiceSettings = field(metadata=_section("integrations.agent_service", "Agent Service"))
    state_service: ServiceSettings = field(
        metadata=_section("integrations.state_service", "State Management Service"))
    workflow: WorkflowSettings = field(metadata=_section("workflow", "Workflows"))
    limits: LimitSettings = field(metadata=_section("limits", "Limits of agents"))
    human_in_loop: HumanInLoopSettings = field(metadata=_section("human_in_loop", "People"))
    celery: CelerySettings = field(metadata=_section("celery", "Celery"))
    metrics: MetricsSettings = field(metadata=_section("metrics", "Metrics"))
    security: SecuritySettings = field(metadata=_section("security", "Security"))


Values = Mapping[str, Any]
"""The value of each setting by its path in the file."""
