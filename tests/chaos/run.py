"""``python -m tests.chaos.run``: a storm of random faults over the whole service on real processes.

The seed draws everything: the kind of pool, which executions start, what people and operators do, which faults
strike, where and when. The same seed draws the same again; what real processes make of it differs in its timing.
Exit code 1 if anything is wrong at the end.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import click
from rich.console import Console

from tests.chaos.storm.ending import end_in_order
from tests.chaos.storm.report import figures_of, markdown, show, write_histories
from tests.chaos.storm.settings import StormSettings, drawn_pool
from tests.chaos.storm.store import sight_of
from tests.chaos.storm.storm import run_storm, storm_cluster
from tests.support.rabbitmq import rabbitmq_program

_WIDTH = 140
"""Columns where there is no terminal."""

_MOST_SHOWN = 10


@click.command()
@click.option("--seed", type=int, help="Draws everything; another one each time if not given.")
@click.option("--minutes", type=click.FloatRange(min=0.1), default=3.0, show_default=True,
              help="How long faults strike.")
@click.option("--broker", type=click.Choice(["valkey", "rabbitmq"]), default="valkey", show_default=True)
@click.option("--pool", type=click.Choice(["threads", "prefork"]), help="Of the workers; by the seed if not given.")
@click.option("--at-once", type=click.IntRange(1), default=12, show_default=True, help="Executions going at a time.")
@click.option("--lease-ms", type=click.IntRange(100), default=1000, show_default=True)
@click.option("--sweep-ms", type=click.IntRange(50), default=300, show_default=True)
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures here.")
@click.option("--histories", type=click.Path(file_okay=False, path_type=Path),
              help="Where the histories of offending executions and the logs go; a new directory if not given.")
def main(seed: int | None, minutes: float, broker: str, pool: str | None, at_once: int, lease_ms: int, sweep_ms: int,
         json_file: Path | None, histories: Path | None) -> None:
    """Break the service at random for some minutes, and judge what is left of each execution."""
    end_in_order()
    if broker == "rabbitmq" and rabbitmq_program() is None:
        raise click.UsageError("RabbitMQ is not installed (Debian: apt-get install rabbitmq-server).")
    seed = random.SystemRandom().randrange(1_000_000) if seed is None else seed
    settings = StormSettings(
        seed=seed, duration=timedelta(minutes=minutes), broker=broker, pool=pool or drawn_pool(seed), at_once=at_once,
        lease=timedelta(milliseconds=lease_ms), sweep_interval=timedelta(milliseconds=sweep_ms))
    sys.exit(0 if _run(settings, json_file, histories) else 1)


def _run(settings: StormSettings, json_file: Path | None, histories: Path | None) -> bool:
    console, began = Console(width=None if sys.stdout.isatty() else _WIDTH), time.monotonic()
    console.print(f"seed [bold]{settings.seed}[/bold], {settings.broker}, {settings.pool}", highlight=False)

    def say(text: str) -> None:
        console.print(f"{time.monotonic() - began:7.1f} s  {text}", highlight=False, soft_wrap=True)

    directory = Path(tempfile.mkdtemp(prefix="chaos-"))
    with storm_cluster(settings, directory) as cluster:
        say("the service runs")
        log, verdict, rested = run_storm(settings, cluster, say)
        figures = figures_of(settings, log, verdict, rested)
        if not verdict.is_good:
            with sight_of(cluster) as sight:
                write_histories(histories or directory / "histories", verdict, log, sight)
    show(console, figures)
    print(f"\n{markdown(figures)}\n")
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    if not verdict.is_good:
        for execution_id, wrong in sorted(verdict.faulty.items())[:_MOST_SHOWN]:
            say(f"[red]{execution_id}[/red]: {' '.join(wrong[:3])}")
        say(f"{len(verdict.faulty)} executions with faults, {len(verdict.lost)} lost; their histories: "
            f"{histories or directory / 'histories'}, logs: {directory}")
        say(f"again: make chaos SEED={settings.seed} MINUTES={settings.duration / timedelta(minutes=1):g} "
            f"BROKER={settings.broker} ARGS='--pool {settings.pool}'")
    return verdict.is_good


if __name__ == "__main__":
    main()
