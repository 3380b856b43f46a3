"""Graphs of real production runs: they become templates, pass every check and compile to plans with the same edges."""

import pytest

from tests.support.builders import an_agent
from tests.support.dags import Dag, DagTask, block_ids, every_dag, template_document_of
from tests.support.graphs import reach
from workflow_service.domain import edges
from workflow_service.domain.compiler import MAX_JOIN_EDGES, compile_template, segments
from workflow_service.domain.ids import is_id
from workflow_service.domain.plan import Fan
from workflow_service.domain.template_parsing import parse_template
from workflow_service.domain.template_schema import TEMPLATE_SCHEMA
from workflow_service.domain.validation import template_issues
from workflow_service.services.schemas import schema_issues


@every_dag()
def test_a_real_graph_is_a_template_without_issues(dag: Dag) -> None:
    document = template_document_of(dag, delay_ms_per_s=1)
    assert schema_issues(TEMPLATE_SCHEMA, document) == ()
    template = parse_template(document)
    assert template_issues(template, {"echo": an_agent()}) == ()
    assert [block.configuration["value"] for block in template.blocks] == [task.task_id for task in dag.tasks]
    assert sum(len(block.dependencies) for block in template.blocks) == sum(len(task.parents) for task in dag.tasks)


@every_dag()
def test_a_real_graph_compiles_to_its_own_edges(dag: Dag) -> None:
    template = parse_template(template_document_of(dag))
    plan = compile_template(template)
    theirs = {block.block_id: str(block.configuration["value"]) for block in template.blocks}
    earlier = reach({name: node.predecessors for name, node in plan.nodes.items()})
    assert {theirs[name]: {theirs[one] for one in earlier[name] if one in theirs} for name in theirs} == reach(
        {task.task_id: task.parents for task in dag.tasks})
    assert len(theirs) == len(dag.tasks)
    assert {theirs[name] for name in plan.roots} == {task.task_id for task in dag.tasks if not task.parents}
    assert all(len(node.predecessors) <= MAX_JOIN_EDGES for node in plan.nodes.values())
    assert plan.width >= max(len(plan.roots), plan.widest_level)
    joins = sum(node.is_join for node in plan.nodes.values())
    assert joins == sum(-(-len(names) // MAX_JOIN_EDGES) for names in edges.predecessors(template.blocks).values()
                        if len(names) > MAX_JOIN_EDGES)


@every_dag()
def test_what_is_ready_first_of_a_real_graph_is_sent_once(dag: Dag) -> None:
    plan = compile_template(parse_template(template_document_of(dag)))
    lines = [line for segment in segments(plan, plan.roots)
             for line in (segment.lines if isinstance(segment, Fan) else (segment,))]
    assert [line.first for line in lines] == list(plan.roots)


def test_ids_of_theirs_become_ids_of_ours() -> None:
    theirs = ["a.b", "a_b", "a b", "plain", "", "x" * 200, "x" * 200 + "y", "é", "_", "a_b-2"]
    ours = block_ids(theirs)
    assert all(is_id(name) for name in ours.values())
    assert len(set(ours.values())) == len(theirs)
    assert [ours[name] for name in ("a_b", "plain", "_", "a_b-2")] == ["a_b", "plain", "_", "a_b-2"]
    assert ours["a.b"] == "a_b-3"
    assert block_ids(theirs) == ours


@pytest.mark.parametrize(("delay_ms_per_s", "configuration"), [
    (0, {"value": "a.b"}), (2, {"value": "a.b", "delayMs": 3}), (0.1, {"value": "a.b"})])
def test_a_block_may_take_as_long_as_its_task(delay_ms_per_s: float, configuration: dict[str, object]) -> None:
    dag = Dag(name="d.1", tasks=(DagTask(task_id="a.b", parents=(), runtime_s=1.4),
                                 DagTask(task_id="c", parents=("a.b",), runtime_s=0)))
    document = template_document_of(dag, delay_ms_per_s)
    assert document["blocks"][0]["configuration"] == configuration
    assert document["blocks"][1]["dependencies"] == ["a_b"]
    assert (document["templateId"], document["name"]) == ("d_1", "d.1")
