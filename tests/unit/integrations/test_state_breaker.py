"""While the State Management Service is away, the breaker says so itself."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from workflow_service.domain.changes import StateChanges
from workflow_service.domain.errors import Invalid, Issue, Unavailable
from workflow_service.domain.execution import Execution
from workflow_service.domain.recovery import Checkpoint, RecoveryPoint
from workflow_service.domain.statuses import BlockStatus
from workflow_service.integrations.breaker import Breaker
from workflow_service.integrations.state_breaker import StateBreaker

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EXECUTION = Execution(workspace_id="w", execution_id="e", template_id="t", template_version="1.0.0", created_by="ada",
                      created_at=NOON)
POINT = RecoveryPoint(point_id="p", workspace_id="w", execution_id="e", timestamp=NOON, state={}, completed_blocks=())
CHECKPOINT = Checkpoint(workspace_id="w", execution_id="e", block_id="b", epoch=1, fence=1, retry_count=0,
                        status=BlockStatus.COMPLETED)
CHANGES = StateChanges(changes=(), next_cursor=7)
PAUSE_S = 5.0
AWAY = Unavailable("The State Management Service")
REFUSED = Invalid("No.", [Issue(path="", code="odd", message="It is odd.")])


class Service:
    """Writes down what it is asked, and answers or fails as told; its time goes on by hand."""

    def __init__(self) -> None:
        """Begin at time zero, without fault."""
        self.time_s = 0.0
        self.duration_s = 0.0
        self.error: Exception | None = None
        self.asked: list[tuple[Any, ...]] = []

    def put_play(self, execution: Execution) -> None:
        """Take an execution."""
        self._ask("put_play", execution)

    def checkpoint(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Take checkpoints."""
        self._ask("checkpoint", checkpoints)

    def put_recovery_point(self, point: RecoveryPoint) -> None:
        """Take a point."""
        self._ask("put_recovery_point", point)

    def recovery_points(self, workspace_id: str, execution_id: str) -> Sequence[RecoveryPoint]:
        """Return a point."""
        self._ask("recovery_points", workspace_id, execution_id)
        return [POINT]

    def context(self, workspace_id: str) -> Mapping[str, Any]:
        """Return a context."""
        self._ask("context", workspace_id)
        return {"tenant": "x"}

    def changes(self, after: int, wait: timedelta) -> StateChanges:
        """Return no changes."""
        self._ask("changes", after, wait)
        return CHANGES

    def now(self) -> float:
        """Return the time."""
        return self.time_s

    def _ask(self, *question: Any) -> None:
        self.asked.append(question)
        self.time_s += self.duration_s
        if self.error is not None:
            raise self.error


Ask = Callable[[StateBreaker], object]
CALLS: Sequence[tuple[Ask, tuple[Any, ...], object]] = [
    (lambda state: state.put_play(EXECUTION), ("put_play", EXECUTION), None),
    (lambda state: state.checkpoint([CHECKPOINT]), ("checkpoint", [CHECKPOINT]), None),
    (lambda state: state.put_recovery_point(POINT), ("put_recovery_point", POINT), None),
    (lambda state: state.recovery_points("w", "e"), ("recovery_points", "w", "e"), [POINT]),
    (lambda state: state.context("w"), ("context", "w"), {"tenant": "x"}),
    (lambda state: state.changes(3, timedelta(seconds=1)), ("changes", 3, timedelta(seconds=1)), CHANGES),
]
each_call = pytest.mark.parametrize(("ask", "question", "answer"), CALLS, ids=[question[0] for _, question, _ in CALLS])


@pytest.fixture
def service() -> Service:
    """A service that answers."""
    return Service()


@pytest.fixture
def breaker(service: Service) -> StateBreaker:
    """The breaker before it."""
    return StateBreaker(service, Breaker(timedelta(seconds=PAUSE_S), service.now))


@each_call
def test_questions_and_answers_pass(service: Service, breaker: StateBreaker, ask: Ask, question: tuple[Any, ...],
                                    answer: object) -> None:
    assert ask(breaker) == ask(breaker) == answer
    assert service.asked == [question, question]


@each_call
def test_after_a_failure_nobody_asks_anything_until_the_pause_is_over(
        service: Service, breaker: StateBreaker, ask: Ask, question: tuple[Any, ...], answer: object) -> None:
    service.error = AWAY
    with pytest.raises(Unavailable):
        ask(breaker)
    service.error = None
    for service.time_s in (0.0, PAUSE_S - 0.1):
        for other, _, _ in CALLS:
            with pytest.raises(Unavailable, match="State Management Service"):
                other(breaker)
    assert service.asked == [question]
    service.time_s = PAUSE_S
    assert ask(breaker) == answer
    assert service.asked == [question, question]


def test_a_failure_after_the_pause_begins_another(service: Service, breaker: StateBreaker) -> None:
    service.error = AWAY
    for service.time_s, asked in [(0.0, 1), (PAUSE_S, 2), (2 * PAUSE_S - 0.1, 2), (2 * PAUSE_S, 3)]:
        with pytest.raises(Unavailable):
            breaker.context("w")
        assert len(service.asked) == asked


def test_the_pause_begins_when_the_failure_is_known(service: Service, breaker: StateBreaker) -> None:
    service.error, service.duration_s = AWAY, 3.0
    with pytest.raises(Unavailable):
        breaker.context("w")
    service.error = None
    service.time_s = 3.0 + PAUSE_S - 0.1
    with pytest.raises(Unavailable):
        breaker.context("w")
    service.time_s = 3.0 + PAUSE_S
    assert breaker.context("w") == {"tenant": "x"}


@pytest.mark.parametrize("error", [REFUSED, KeyError("odd")])
def test_a_refusal_or_a_mistake_passes_and_stops_nobody(service: Service, breaker: StateBreaker,
                                                        error: Exception) -> None:
    service.error = error
    for _ in range(2):
        with pytest.raises(type(error)) as raised:
            breaker.put_play(EXECUTION)
        assert raised.value is error
    service.error = None
    assert breaker.context("w") == {"tenant": "x"}
    assert len(service.asked) == 3
