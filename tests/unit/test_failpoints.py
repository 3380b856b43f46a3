"""A process ends at the moment that is named, at no other, and nothing is changed where none is named."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.unit.failpoint_ports import some_ports
from workflow_service.config import ConfigurationError, load_settings
from workflow_service.failpoints.arming import EXIT_CODE, arm
from workflow_service.failpoints.catalogue import BY_NAME, FAILPOINTS
from workflow_service.failpoints.failpoint import Failpoint, Moment

PROGRAM = Path(__file__).with_name("failpoint_program.py")
ROOT = Path(__file__).parents[2]
CALLS = ["claim first", "claim second", "fast agent", "slow agent"]
ENVIRONMENT = {"MONGODB_URL": "mongodb://127.0.0.1/w", "REDIS_URL": "redis://127.0.0.1",
               "AGENT_SERVICE_URL": "http://127.0.0.1:1", "STATE_SERVICE_URL": "http://127.0.0.1:2"}


@pytest.mark.parametrize(("named", "made"), [
    pytest.param("blocks_stored", [], id="after"),
    pytest.param("claimed", CALLS[:1], id="first_time"),
    pytest.param("claimed:2", CALLS[:2], id="second_time"),
    pytest.param("agent_called", CALLS, id="during_a_slow_call"),
    pytest.param("agent_answered", CALLS[:3], id="after_a_fast_call"),
])
def test_a_process_ends_where_it_is_told_to(named: str, made: Sequence[str]) -> None:
    ended = subprocess.run([sys.executable, str(PROGRAM), named], env={**os.environ, "PYTHONPATH": str(ROOT)},
                           capture_output=True, text=True, timeout=30)
    assert (ended.returncode, ended.stdout.splitlines()) == (EXIT_CODE, made)
    assert f"failpoint {named.partition(':')[0]}:" in ended.stderr


def test_a_change_that_failed_is_no_moment() -> None:
    ended = subprocess.run([sys.executable, str(PROGRAM), "claimed:3"], env={**os.environ, "PYTHONPATH": str(ROOT)},
                           capture_output=True, text=True, timeout=30)
    assert (ended.returncode, ended.stdout.splitlines()) == (0, CALLS)


def test_without_a_failpoint_the_ports_are_the_very_same() -> None:
    ports = some_ports()
    assert arm(ports, None) is ports


@pytest.mark.parametrize("failpoint", FAILPOINTS, ids=lambda failpoint: failpoint.name)
def test_each_failpoint_arms_one_method_of_a_port_and_leaves_the_others(failpoint: Failpoint) -> None:
    ports = some_ports()
    armed = arm(ports, Moment(name=failpoint.name))
    group, _, name = failpoint.port.rpartition(".")
    before, after = (getattr(one, group) if group else one for one in (ports, armed))
    changed = [field for field in vars(before) if getattr(before, field) is not getattr(after, field)]
    assert changed == [name]
    assert [field for field in vars(ports) if getattr(ports, field) is not getattr(armed, field)] == [group or name]


def test_names_are_unique() -> None:
    assert len(BY_NAME) == len(FAILPOINTS)


def test_no_variable_names_no_moment() -> None:
    assert load_settings(ENVIRONMENT).workflow.failpoint is None


@pytest.mark.parametrize(("given", "moment"), [
    ("claimed", Moment(name="claimed")), ("unmarked:12", Moment(name="unmarked", occurrence=12))])
def test_a_moment_is_named_with_its_number(given: str, moment: Moment) -> None:
    assert load_settings({**ENVIRONMENT, "WORKFLOW_FAILPOINT": given}).workflow.failpoint == moment


@pytest.mark.parametrize("given", ["claim", "claimed:", "claimed:0", "claimed:-1", "claimed:x", "claimed:1:2", ":1",
                                   "claimed:٣", "claimed:" + "9" * 5000])
def test_a_wrong_name_is_refused_with_the_right_ones(given: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_settings({**ENVIRONMENT, "WORKFLOW_FAILPOINT": given})
    message = str(refused.value)
    assert "WORKFLOW_FAILPOINT" in message
    assert [name for name in BY_NAME if name not in message] == []


def test_production_refuses_failpoints() -> None:
    with pytest.raises(ConfigurationError, match="ends processes on purpose"):
        load_settings({**ENVIRONMENT, "WORKFLOW_FAILPOINT": "claimed", "WORKFLOW_ENVIRONMENT": "production",
                       "JWT_SECRET": "0123456789abcdef0123456789abcdef"})
