"""Publishing beside those who ask for it: nobody waits for a broker that does not answer, and nothing is forgotten."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Event, Thread, Timer

import pytest

from tasks.publisher import Publisher
from tests.support.dispatches import SHAPES, a_dispatch
from tests.support.driver import eventually
from workflow_service.services.ports import Dispatch

PATIENCE = timedelta(milliseconds=300)
LONG = timedelta(seconds=30)


class Broker:
    """Takes what is published, refuses it, or does not answer."""

    def __init__(self) -> None:
        """Answer, and refuse nothing."""
        self.published: list[str] = []
        self.refuses = False
        self.asked = Event()
        self._thawed = Event()
        self._thawed.set()

    def freeze(self) -> None:
        """Do not answer from now on."""
        self._thawed.clear()

    def thaw(self) -> None:
        """Answer again."""
        self._thawed.set()

    def publish(self, dispatch: Dispatch) -> bool:
        """Take it, if the broker is there."""
        self.asked.set()
        self._thawed.wait(LONG.total_seconds())
        if not self.refuses:
            self.published.append(dispatch.execution_id)
        return not self.refuses


@pytest.fixture
def broker() -> Iterator[Broker]:
    """A broker that leaves no thread behind that waits for it."""
    broker = Broker()
    yield broker
    broker.thaw()


def dispatches(*names: str) -> list[Dispatch]:
    return [a_dispatch(SHAPES["task"], execution_id=name) for name in names]


def seconds_of(work: Callable[[], object]) -> float:
    since = time.monotonic()
    work()
    return time.monotonic() - since


def test_what_is_published_is_said_to_be(broker: Broker) -> None:
    publisher = Publisher(broker.publish, LONG)
    assert publisher.publish(dispatches("a", "b"))
    assert broker.published == ["a", "b"]


def test_what_is_refused_is_said_to_be_and_the_rest_is_tried(broker: Broker) -> None:
    broker.refuses = True
    assert not Publisher(broker.publish, LONG).publish(dispatches("a"))
    publisher = Publisher(lambda dispatch: dispatch.execution_id != "a" and broker.publish(dispatch), LONG)
    broker.refuses = False
    assert not publisher.publish(dispatches("a", "b"))
    assert broker.published == ["b"]


def test_nobody_waits_for_a_frozen_broker_and_all_is_published_when_it_thaws(broker: Broker) -> None:
    # Given
    publisher = Publisher(broker.publish, PATIENCE)
    broker.freeze()
    # When
    first = seconds_of(lambda: publisher.publish(dispatches("0")))
    others = seconds_of(lambda: [publisher.publish(dispatches(str(number))) for number in range(1, 50)])
    # Then: the first waits a moment, those after it do not
    assert first >= PATIENCE.total_seconds()
    assert others < PATIENCE.total_seconds()
    assert broker.published == []
    # And
    broker.thaw()
    publisher.drain(LONG)
    assert broker.published == [str(number) for number in range(50)]
    assert publisher.publish(dispatches("now"))


def test_nobody_waits_while_a_broker_refuses(broker: Broker) -> None:
    publisher = Publisher(broker.publish, LONG)
    broker.refuses = True
    assert not publisher.publish(dispatches("a"))
    broker.freeze()  # from here on a wait would be seen
    assert seconds_of(lambda: [publisher.publish(dispatches("b")) for _ in range(20)]) < 5
    broker.refuses = False
    broker.thaw()
    publisher.drain(LONG)
    assert publisher.publish(dispatches("c"))
    assert broker.published == ["b"] * 20 + ["c"]


def test_what_is_too_much_is_not_kept(broker: Broker) -> None:
    publisher = Publisher(broker.publish, PATIENCE, capacity=3)
    broker.freeze()
    publisher.publish(dispatches("0"))
    broker.asked.wait(LONG.total_seconds())
    assert not any([publisher.publish(dispatches(str(number))) for number in range(1, 9)])
    broker.thaw()
    publisher.drain(LONG)
    assert broker.published == ["0", "1", "2", "3"]


def test_draining_waits_no_longer_than_it_is_told(broker: Broker) -> None:
    publisher = Publisher(broker.publish, PATIENCE)
    publisher.drain(LONG)  # nothing was ever published
    broker.freeze()
    publisher.publish(dispatches("a"))
    assert seconds_of(lambda: publisher.drain(PATIENCE)) < LONG.total_seconds() / 2
    Timer(0.2, broker.thaw).start()
    publisher.drain(LONG)
    assert broker.published == ["a"]


def test_many_threads_publish_at_once(broker: Broker) -> None:
    publisher = Publisher(broker.publish, LONG)
    sent: list[bool] = []
    threads = [Thread(target=lambda: sent.extend([publisher.publish(dispatches("a")) for _ in range(50)]))
               for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG.total_seconds())
    assert sent == [True] * 800
    assert len(broker.published) == 800


def test_a_forked_child_publishes_by_a_thread_of_its_own(broker: Broker) -> None:
    publisher = Publisher(broker.publish, LONG)
    assert publisher.publish(dispatches("parent"))
    broker.freeze()
    Thread(target=lambda: publisher.publish(dispatches("stuck")), daemon=True).start()
    eventually(lambda: publisher._orders.unfinished_tasks or None, LONG)
    child = multiprocessing.get_context("fork").Process(target=_publish_in_child, args=(publisher, broker))
    child.start()
    child.join(LONG.total_seconds())
    assert child.exitcode == 0


def _publish_in_child(publisher: Publisher, broker: Broker) -> None:
    broker.thaw()
    assert publisher.publish(dispatches("child"))
    assert broker.published == ["parent", "child"]
