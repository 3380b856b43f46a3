"""A message is let go when it is done or set aside, and not before, whatever is away meanwhile."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from threading import Thread

from inbound.consumer import Consumer
from inbound.handling import Handling
from inbound.inbox import BrokerAway, Delivery
from tests.inbound.senders import delivered
from workflow_service.domain.errors import Unavailable

MOMENT = timedelta(milliseconds=1)
PATIENCE_S = 30


class Scripted(Handling):
    """Says of messages what is written down."""

    def __init__(self, *outcomes: bytes | Exception | None) -> None:
        """Say this, one after the other; then that they are done."""
        self._outcomes = deque(outcomes)
        self.seen: list[bytes] = []

    def handle(self, delivery: Delivery) -> bytes | None:
        """Say what comes next."""
        self.seen.append(delivery.raw)
        outcome = self._outcomes.popleft() if self._outcomes else None
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class Box:
    """A queue in memory that loses its connection when it is told to."""

    def __init__(self, *messages: bytes) -> None:
        """Hold these."""
        self.waiting = deque(messages)
        self.told: list[tuple[str, bytes]] = []
        self.breaks_at: set[str] = set()
        self.connections = 0
        self.is_empty: Callable[[], None] = lambda: None

    @contextmanager
    def connect(self) -> Iterator[Box]:
        """Be the inbox of one connection."""
        self.connections += 1
        self._break("connect")
        yield self

    def take(self, within: timedelta) -> Delivery | None:
        """Return the first; it stays until it is let go."""
        if not self.waiting:
            self.is_empty()
            return None
        return delivered(self.waiting[0])

    def keep(self, delivery: Delivery) -> None:
        """Note it."""
        self._note("keep", delivery.raw)

    def accept(self, delivery: Delivery) -> None:
        """Let it go."""
        self._note("accept", delivery.raw)
        self.waiting.popleft()

    def reject(self, delivery: Delivery, record: bytes) -> None:
        """Let it go."""
        self._note("reject", record)
        self.waiting.popleft()

    def _note(self, what: str, raw: bytes) -> None:
        self._break(what)
        self.told.append((what, raw))

    def _break(self, what: str) -> None:
        if what in self.breaks_at:
            self.breaks_at.remove(what)
            raise BrokerAway(what)


def served(box: Box, handling: Scripted) -> Consumer:
    """Serve a queue until it is empty, or the consumer is stopped."""
    connect: Callable[[], AbstractContextManager[Box]] = box.connect
    consumer = Consumer(connect, handling, MOMENT, 4 * MOMENT)
    box.is_empty = consumer.stop
    thread = Thread(target=consumer.run, daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    return consumer


def test_each_is_let_go_as_it_was_handled() -> None:
    box = Box(b"1", b"2", b"3")
    served(box, Scripted(None, b"why", None))
    assert box.told == [("accept", b"1"), ("reject", b"why"), ("accept", b"3")]


def test_what_has_to_wait_is_kept_and_tried_again_before_the_next() -> None:
    box, handling = Box(b"1", b"2"), Scripted(*[Unavailable("store")] * 5, None)
    served(box, handling)
    assert handling.seen == [b"1"] * 6 + [b"2"]
    assert box.told == [*[("keep", b"1")] * 5, ("accept", b"1"), ("accept", b"2")]


def test_a_connection_that_is_lost_is_made_again_and_nothing_is_forgotten() -> None:
    box, handling = Box(b"1", b"2"), Scripted(None, b"why", None)
    box.breaks_at = {"connect", "accept"}
    served(box, handling)
    assert box.connections == 3
    assert handling.seen == [b"1", b"1", b"2"]
    assert box.told == [("reject", b"why"), ("accept", b"2")]


def test_who_is_told_to_end_does_not_let_go_what_waits() -> None:
    box = Box(b"1")

    class Stops(Scripted):
        """Stops the consumer while something is away."""

        def handle(self, delivery: Delivery) -> bytes | None:
            """Tell it to stop."""
            consumer.stop()
            raise Unavailable("store")

    handling = Stops()
    consumer = Consumer(box.connect, handling)
    consumer.run()
    assert (box.told, list(box.waiting)) == ([], [b"1"])
