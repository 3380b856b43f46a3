"""The figures of a storm: as JSON, as a table for a terminal and as one in Markdown, and what went wrong as files."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.chaos.storm.log import Log
from tests.chaos.storm.recovery import OF_A_WORKER, Recovery, percentile
from tests.chaos.storm.settings import StormSettings
from tests.chaos.storm.store import Sight
from tests.chaos.storm.verdict import Verdict

_MILLISECOND = timedelta(milliseconds=1)
_MARGIN = timedelta(seconds=2)
"""What the target for the recovery leaves beside the lease and the sweep, for message, queue and work."""
Figures = Mapping[str, Any]


def figures_of(settings: StormSettings, log: Log, verdict: Verdict, rested: timedelta) -> dict[str, Any]:
    """Return all figures (JSON)."""
    answers = [decision.status for decision in log.decisions]
    commands: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for command in log.commands:
        commands[command.name][str(command.status)] += 1
    by_kind = {kind: [one for one in verdict.recoveries if one.kind == kind] for kind in log.faults()}
    return {
        "seed": settings.seed, "broker": settings.broker, "pool": settings.pool,
        "seconds": settings.duration.total_seconds(), "atOnce": settings.at_once,
        "leaseMs": settings.lease // _MILLISECOND, "sweepMs": settings.sweep_interval // _MILLISECOND,
        "targetMs": (settings.lease + settings.sweep_interval + _MARGIN) // _MILLISECOND,
        "executions": sum(verdict.ended.values()), "ended": dict(verdict.ended), "unanswered": log.unanswered,
        "lost": len(verdict.lost), "duplicateEffects": verdict.duplicate_effects, "violations": verdict.illegal,
        "decidedTwice": verdict.decided_twice, "unexpectedEnds": verdict.unexpected, "effects": verdict.effects,
        "events": verdict.events, "answers": {str(status): answers.count(status) for status in sorted(set(answers))},
        "commands": commands, "restAfterMs": rested // _MILLISECOND,
        "faults": {kind: {"times": times, "secondsAway": _mean([blow.seconds for blow in log.blows
                                                                if blow.kind == kind]),
                          "recovery": _spread(by_kind[kind])} for kind, times in sorted(log.faults().items())},
        "recoveryOfWorkers": _spread([one for one in verdict.recoveries if one.kind in OF_A_WORKER]),
        "recovery": _spread(verdict.recoveries)}


def _spread(found: Sequence[Recovery]) -> dict[str, int] | None:
    milliseconds = [one.took // _MILLISECOND for one in found]
    if not milliseconds:
        return None
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {"blocks": len(milliseconds),
            **{name: int(percentile(milliseconds, share)) for name, share in shares.items()},
            "p95After": int(percentile([one.took_after // _MILLISECOND for one in found], shares["p95"]))}


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 2)


def summary_rows(figures: Figures) -> list[tuple[str, str]]:
    """Return what a reader wants to know first, line by line."""
    ended = ", ".join(f"{count} {status}" for status, count in sorted(figures["ended"].items()))
    commands = "; ".join(f"{name} {_counts(by_status)}" for name, by_status in sorted(figures["commands"].items()))
    return [
        ("seed, broker, pool", f"{figures['seed']}, {figures['broker']}, {figures['pool']}"),
        ("faults", f"{sum(one['times'] for one in figures['faults'].values())} in {figures['seconds']:.0f} s"),
        ("lease, sweep", f"{figures['leaseMs']} ms, {figures['sweepMs']} ms"),
        ("target: p95 of the recovery at most", f"{figures['targetMs']} ms (lease + sweep + 2 s)"),
        ("executions", f"{figures['executions']}: {ended}"),
        ("lost", str(figures["lost"])),
        ("effects, of them duplicate", f"{figures['effects']}, {figures['duplicateEffects']}"),
        ("events; violations of the invariants", f"{figures['events']}; {figures['violations']}"),
        ("approvals decided twice or otherwise", str(figures["decidedTwice"])),
        ("ended as they should not have", str(figures["unexpectedEnds"])),
        ("answers to approvals, by HTTP status", _counts(figures["answers"])),
        ("commands, by HTTP status", commands),
        ("at rest after the last fault", f"{figures['restAfterMs'] / 1000:.1f} s"),
    ]


def recovery_rows(figures: Figures) -> list[tuple[str, ...]]:
    """Return how long work stood still, by kind of fault; milliseconds."""
    rows = [(kind, str(one["times"]), f"{one['secondsAway']:.1f}", *_cells(one["recovery"]))
            for kind, one in figures["faults"].items()]
    return [*rows, ("all faults of workers", "", "", *_cells(figures["recoveryOfWorkers"])),
            ("all faults", "", "", *_cells(figures["recovery"]))]


RECOVERY_HEAD = ("fault", "times", "away s", "blocks affected", "p50 ms", "p95 ms", "p99 ms", "max ms",
                 "p95 ms after it was back")


def _cells(spread: Mapping[str, int] | None) -> tuple[str, ...]:
    names = ("blocks", "p50", "p95", "p99", "max", "p95After")
    return tuple("0" if name == "blocks" else "" for name in names) if spread is None else tuple(
        str(spread[name]) for name in names)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count}x {status if status != '0' else 'none'}" for status, count in sorted(counts.items()))


def show(console: Console, figures: Figures) -> None:
    """Print both tables for a person."""
    about, recovery = Table(show_header=False), Table(*RECOVERY_HEAD, title="Recovery")
    for row in summary_rows(figures):
        about.add_row(*row)
    for cells in recovery_rows(figures):
        recovery.add_row(*cells)
    console.print(about)
    console.print(recovery)


def markdown(figures: Figures) -> str:
    """Return both tables, ready for a document."""
    recovery = markdown_table(RECOVERY_HEAD, recovery_rows(figures))
    return "\n".join([*markdown_table(("", ""), summary_rows(figures)), "", *recovery])


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table in Markdown."""
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def write_histories(directory: Path, verdict: Verdict, log: Log, sight: Sight) -> None:
    """Write all that is stored of each execution with which something is wrong, and what was done to it."""
    directory.mkdir(parents=True, exist_ok=True)
    for execution_id in sorted({*verdict.lost, *verdict.faulty}):
        commands = [asdict(command) for command in log.commands if command.execution_id == execution_id]
        _write(directory / f"{execution_id}.json", {
            "violations": verdict.faulty.get(execution_id, []), "isLost": execution_id in verdict.lost,
            "commands": commands, "record": _stored(sight, execution_id)})
    _write(directory / "faults.json", [asdict(blow) for blow in log.blows])


def _stored(sight: Sight, execution_id: str) -> dict[str, Any] | None:
    if execution_id not in (sight.all() or {}):
        return None
    record = sight.records.of(execution_id)
    return {"execution": asdict(record.execution), "blocks": [asdict(block) for block in record.blocks],
            "waits": [asdict(wait) for wait in record.waits], "effects": [asdict(effect) for effect in record.effects],
            "approvals": [asdict(approval) for approval in record.approvals],
            "history": [{"sequence": entry.sequence, **asdict(entry.event)} for entry in record.history]}


def _write(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document, indent=1, default=_plain), encoding="utf-8")


def _plain(value: object) -> Any:
    return sorted(value) if isinstance(value, frozenset) else str(value)
