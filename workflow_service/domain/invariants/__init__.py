"""The invariants of an execution, checked from what is stored of it: its documents, its history, its effects.

``violations`` is pure, so tests, the chaos run and an operator's verification all ask the same question. It may be
asked of an execution that is still running: what is only on its way (an event in an outbox, a document that the sweep
is to look at) is no violation; what nobody will ever look at again is one.
"""

from __future__ import annotations

from workflow_service.domain.invariants import approvals, blocks, effects, history, rest, signals, silences
from workflow_service.domain.invariants.meanings import MEANINGS
from workflow_service.domain.invariants.record import Effect, Entry, Record, Violation, retired_names

__all__ = ["MEANINGS", "Effect", "Entry", "Record", "Violation", "retired_names", "violations"]

_RULES = (history.broken, blocks.broken, approvals.broken, effects.broken, silences.broken, rest.broken,
          signals.broken)


def violations(record: Record) -> tuple[Violation, ...]:
    """Return everything that is wrong with an execution, rule by rule; empty if all is well."""
    return tuple(violation for broken in _RULES for violation in broken(record))
