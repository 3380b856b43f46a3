"""Any template comes to the same in a simulation as in the engine that a test moves by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.builders import a_block_document, a_template_document, an_agent
from tests.support.graphs import Before, graphs, reach, repeatable
from tests.support.hand_engine import HandEngine, in_memory
from tests.support.simulating import ADA, a_gate_document, simulated, simulations
from workflow_service.domain.agents import Failure, FailureClass
from workflow_service.integrations.memory.agents import InMemoryAgentService
from workflow_service.integrations.memory.work import InMemoryAgent, Outcome
from workflow_service.repositories.memory.clock import VirtualClock

FEW = settings(repeatable, max_examples=25)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a template in which people are asked, ways are chosen, and agents fail."""
    before = draw(graphs(most=10))
    names = st.sampled_from(sorted(before))
    gates, choosers, failing = draw(st.sets(names, max_size=3)), draw(st.sets(names, max_size=2)), draw(
        st.sets(names, max_size=1))
    limit = draw(st.integers(1, 4))

    def block(name: str) -> dict[str, Any]:
        after = [other for other, names in before.items() if name in names and name in choosers]
        configuration = {"to": draw(st.sampled_from(["", *after])), "fails": name in failing}
        branches = [{"condition": f"output.to == '{target}'", "nextBlocks": [target]} for target in after]
        made = a_gate_document if name in gates else a_block_document
        return made(name, *(one for one in before[name] if one not in choosers), configuration=configuration,
                    **({"conditions": {"type": "inclusive", "branches": branches}} if branches else {}))
    return a_template_document(*map(block, before), globalSettings={"maxParallelBlocks": limit})


def by_hand(document: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Return how an execution ends, and its blocks, when a test moves the engine."""
    clock = VirtualClock()
    agents = InMemoryAgentService([InMemoryAgent(agent=an_agent(), work=_work)])
    hand = HandEngine(in_memory(clock), agents, clock, ADA)
    hand.engine.templates.create(ADA, document)
    execution_id = hand.start("t")
    hand.bring_to_rest(lambda: hand.statuses([execution_id])[execution_id].is_terminal)
    shown = hand.engine.executions.get(ADA, execution_id)
    return shown["status"], {block["blockId"]: block["status"] for block in shown["blockExecutions"]}


def _work(given: Mapping[str, Any]) -> Outcome:
    if given["fails"]:
        return Failure(code="no", failure_class=FailureClass.AGENT, message="No.")
    return given


def by_simulation(document: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Return the same of a simulation."""
    blocks = document["blocks"]
    told = simulations().simulate_given(ADA, {
        "template": document, "decide": {block["blockId"]: "approve" for block in blocks if "humanInLoop" in block},
        "fail": {block["blockId"]: "agent" for block in blocks if block["configuration"]["fails"]}})
    return told["outcome"], {block["blockId"]: block["status"] for block in (*told["path"], *told["neverReached"])}


@FEW
@given(documents())
def test_blocks_end_as_they_do_in_the_engine(document: dict[str, Any]) -> None:
    assert by_simulation(document) == by_hand(document)


@FEW
@given(graphs(most=12), st.data())
def test_it_takes_as_long_as_the_longest_way(before: Before, data: st.DataObject) -> None:
    lengths = {name: data.draw(st.integers(0, 200_000)) for name in before}
    told = simulated(*(a_block_document(name, *names) for name, names in before.items()),
                     settings={"maxParallelBlocks": len(before), "timeout": 10**9},
                     mocks={name: {"durationMs": length} for name, length in lengths.items()})
    ends: dict[str, int] = {}
    for name in sorted(before, key=lambda name: len(reach(before)[name])):
        ends[name] = lengths[name] + max((ends[one] for one in before[name]), default=0)
    assert (told["outcome"], told["durationMs"]) == ("completed", max(ends.values()))
