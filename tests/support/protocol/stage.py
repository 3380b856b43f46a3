"""The stage: actors are threads of which only one runs at a time, and which stop before each call of a store.

Who makes its next call is decided from outside, so a run is repeatable; an actor may be killed where it stands, which
unwinds its thread and loses what it had in memory, as the death of its process would.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from threading import Lock, Thread, current_thread

_PATIENCE_S = 30
"""No actor computes for longer between two calls; then the test hangs and says so."""


class Fault(Enum):
    """What becomes of a call that an actor is about to make."""

    NONE = "none"
    LOST_REQUEST = "lost request"
    LOST_REPLY = "lost reply"


class Killed(BaseException):
    """Raised within an actor whose process died; nothing may catch it."""


class Actor:
    """Somebody who does something within a process: a worker with a message, a sweep, a person's request ..."""

    def __init__(self, name: str, process: str, body: Callable[[], object], after: Callable[[], None]) -> None:
        """Prepare an actor.

        Args:
            body: what it does.
            after: called when the body came to its end, not when it was killed or failed.
        """
        self.name = name
        self.process = process
        self.stands_at = "start"
        self.error: BaseException | None = None
        self.killed = False
        self.fault = Fault.NONE
        self._body = body
        self._after = after
        self._may_go = Lock()  # both are taken from the start: who waits is let go by the other's release
        self._stopped = Lock()
        self._may_go.acquire()
        self._stopped.acquire()
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def has_ended(self) -> bool:
        """True when there is nothing more to do."""
        return self.stands_at == "end"

    @property
    def is_current(self) -> bool:
        """True when it is this actor's thread that asks."""
        return current_thread() is self._thread

    def go(self) -> None:
        """Let it run to its next call, or to its end."""
        self._may_go.release()
        if not self._stopped.acquire(timeout=_PATIENCE_S):
            raise AssertionError(f"{self.name} does not come back from {self.stands_at}")
        if self.has_ended:
            self._thread.join(_PATIENCE_S)

    def stop_at(self, point: str) -> Fault:
        """Wait, within the actor, until it may make a call; returns what becomes of the call."""
        if self.killed:
            raise Killed
        self.stands_at = point
        self._stopped.release()
        self._may_go.acquire()
        if self.killed:
            raise Killed
        fault, self.fault = self.fault, Fault.NONE
        return fault

    def _run(self) -> None:
        self._may_go.acquire()
        try:
            if not self.killed:
                self._body()
                self._after()
        except Killed:
            pass
        except BaseException as error:  # kept for the one who watches
            self.error = error
        finally:
            self.stands_at = "end"
            self._stopped.release()


class Stage:
    """All actors that have not ended."""

    def __init__(self) -> None:
        """Start empty."""
        self.actors: list[Actor] = []
        self.speaker = "-"
        """Who is running."""
        self._running: Actor | None = None
        self._is_open = True

    def enter(self, name: str, process: str, body: Callable[[], object],
              after: Callable[[], None] = lambda: None) -> None:
        """Add an actor, who stands before the first call; once the stage is shut, do it all at once instead."""
        if self._is_open:
            self.actors.append(Actor(name, process, body, after))
            return
        self.speaker = name
        body()
        after()
        self.speaker = "-"

    def shut(self) -> None:
        """Let all that comes from now on be done at once and by nobody in particular."""
        self._is_open = False

    def open(self) -> None:
        """Let all that comes from now on make one call at a time again."""
        self._is_open = True

    def step(self, actor: Actor) -> None:
        """Let an actor make one call.

        Raises:
            BaseException: what the actor failed with.
        """
        self._running, self.speaker = actor, actor.name
        actor.go()
        self._running, self.speaker = None, "-"
        if actor.has_ended:
            self.actors.remove(actor)
            if actor.error is not None:
                raise actor.error

    def lead(self, name: str, until: str | None = None) -> None:
        """Let the actor with this in its name go on until it stands before a call with that in it; None for the end."""
        actor = next(actor for actor in self.actors if name in actor.name)
        while not actor.has_ended and (until is None or until not in actor.stands_at):
            self.step(actor)
        if until is not None and actor.has_ended:
            raise AssertionError(f"{name} ended and was never before {until}")

    def lead_if_there(self, name: str) -> None:
        """Let the actor with this in its name go on to the end, if there is one."""
        if any(name in actor.name for actor in self.actors):
            self.lead(name)

    def kill(self, process: str) -> None:
        """End all actors of a process where they stand."""
        for actor in [actor for actor in self.actors if actor.process == process]:
            actor.killed = True
            self.step(actor)

    def close(self) -> None:
        """End all actors."""
        for process in {actor.process for actor in self.actors}:
            self.kill(process)

    def point(self, name: str) -> Fault:
        """Stop before a call if an actor makes it; calls from outside go through."""
        actor = self._running
        return actor.stop_at(name) if actor is not None and actor.is_current else Fault.NONE
