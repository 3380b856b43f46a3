"""Template documents, whose structure was checked, turned into values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from workflow_service.domain.flow import (
    End,
    EndStatus,
    FailureAction,
    FailurePolicy,
    JoinMode,
    JoinPolicy,
    Late,
    Loop,
    Mutex,
    OnTimeout,
    SignalMode,
    SignalWait,
    SubWorkflow,
    Timer,
    parse_map,
)
from workflow_service.domain.template import (
    Block,
    Branch,
    Conditions,
    ConditionType,
    Document,
    HumanInLoop,
    RetryPolicy,
    SideEffects,
    Template,
)


def parse_template(document: Document, usual: RetryPolicy = RetryPolicy()) -> Template:
    """Turn a template document whose structure was checked into values, with the defaults of ``globalSettings``.

    Args:
        document: follows ``template_schema.TEMPLATE_SCHEMA``.
        usual: the retry policy of blocks whose template says nothing of it.
    """
    settings = document.get("globalSettings") or {}
    defaults = {"retryPolicy": settings.get("defaultRetryPolicy") or {},
                "humanInLoop": settings.get("humanInLoopDefaults") or {},
                "routing": {name: settings[name] for name in ("queue", "priority") if name in settings}}
    return Template(
        template_id=document["templateId"], name=document["name"], version=document["version"],
        blocks=tuple(_block(block, defaults, usual) for block in document["blocks"]), document=document,
        timeout=_milliseconds(settings.get("timeout")),
        max_parallel_blocks=int(settings["maxParallelBlocks"]) if "maxParallelBlocks" in settings else None,
        input_schema=document.get("inputSchema") or {}, output=document.get("output"))


def _block(document: Document, defaults: Mapping[str, Document], usual: RetryPolicy) -> Block:
    routing = {**defaults["routing"], **document}
    return Block(
        block_id=document["blockId"], name=document.get("name", ""), description=document.get("description", ""),
        agent_id=document.get("agentId"), agent_type=document.get("agentType"),
        tool_type=document.get("toolType", ""),
        configuration=document.get("configuration") or {}, dependencies=tuple(document.get("dependencies") or ()),
        conditions=_conditions(document.get("conditions")),
        human_in_loop=_human_in_loop({**defaults["humanInLoop"], **(document.get("humanInLoop") or {})}),
        retry_policy=_retry_policy({**defaults["retryPolicy"], **(document.get("retryPolicy") or {})}, usual),
        timeout=_milliseconds(document.get("timeout")),
        side_effects=SideEffects(document.get("sideEffects", SideEffects.UNSAFE)),
        estimated_duration=_milliseconds((document.get("metadata") or {}).get("estimatedDuration")),
        map=parse_map(document.get("map")), loop=_loop(document.get("loop")),
        workflow=_workflow(document.get("workflow")), wait=_timer(document.get("wait")),
        wait_for=_signal_wait(document.get("waitFor")), end=_end(document.get("end")),
        join_policy=_join_policy(document.get("joinPolicy") or {}),
        on_failure=_failure_policy(document.get("onFailure") or {}), mutex=_mutex(document.get("mutex")),
        queue=routing.get("queue"), priority=routing.get("priority"))


def _loop(document: Document | None) -> Loop | None:
    if document is None:
        return None
    return Loop(until=document["until"], max_iterations=document.get("maxIterations", Loop.max_iterations))


def _workflow(document: Document | None) -> SubWorkflow | None:
    if document is None:
        return None
    return SubWorkflow(template_id=document["templateId"], version=document.get("version"))


def _timer(document: Document | None) -> Timer | None:
    if document is None:
        return None
    return Timer(duration=_milliseconds(document.get("duration")), until=document.get("until"))


def _signal_wait(document: Document | None) -> SignalWait | None:
    if document is None:
        return None
    return SignalWait(signals=tuple(document["signals"]), mode=SignalMode(document.get("mode", SignalMode.ANY)),
                      timeout=_milliseconds(document.get("timeout")),
                      on_timeout=OnTimeout(document.get("onTimeout", OnTimeout.FAIL)))


def _end(document: Document | None) -> End | None:
    if document is None:
        return None
    return End(status=EndStatus(document.get("status", EndStatus.COMPLETED)), message=document.get("message"))


def _join_policy(document: Document) -> JoinPolicy:
    return JoinPolicy(mode=JoinMode(document.get("mode", JoinMode.ALL)), count=document.get("count", 1),
                      late=Late(document.get("late", Late.IGNORE)))


def _failure_policy(document: Document) -> FailurePolicy:
    return FailurePolicy(action=FailureAction(document.get("action", FailureAction.FAIL)),
                         next_blocks=tuple(document.get("nextBlocks") or ()))


def _mutex(document: Document | None) -> Mutex | None:
    return None if document is None else Mutex(name=document["name"], permits=document.get("permits", 1))


def _conditions(document: Document | None) -> Conditions | None:
    if not document:
        return None
    return Conditions(
        type=ConditionType(document["type"]), expression=document.get("expression"),
        branches=tuple(Branch(condition=branch.get("condition"), is_default=branch.get("default", False),
                              next_blocks=tuple(branch["nextBlocks"])) for branch in document.get("branches") or ()))


def _human_in_loop(document: Document) -> HumanInLoop:
    usual = HumanInLoop()
    return HumanInLoop(
        required=document.get("required", usual.required), type=document.get("type", usual.type),
        approval_level=document.get("approvalLevel", usual.approval_level),
        input_schema=document.get("inputSchema") or {}, timeout=_milliseconds(document.get("timeout")),
        escalate_to=document.get("escalateTo", usual.escalate_to))


def _retry_policy(document: Document, usual: RetryPolicy) -> RetryPolicy:
    return RetryPolicy(
        max_retries=int(document.get("maxRetries", usual.max_retries)),
        backoff_strategy=document.get("backoffStrategy", usual.backoff_strategy),
        retry_conditions=tuple(document.get("retryConditions", usual.retry_conditions)),
        initial_delay=_milliseconds(document.get("initialDelay")) or usual.initial_delay,
        max_delay=_milliseconds(document.get("maxDelay")) or usual.max_delay)


def _milliseconds(number: float | None) -> timedelta | None:
    return None if number is None else timedelta(milliseconds=number)
