"""Ids: which ones a user may give, and that composed ones can't be mistaken for each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.graphs import repeatable
from workflow_service.domain.ids import (
    approval_id,
    block_execution_id,
    edge_entry,
    idempotency_key,
    is_id,
    wait_id,
)

IDS = st.text("abAB01_-", min_size=1, max_size=6)


@pytest.mark.parametrize("text", ["a", "A-1_b", "-", "_", "0", "x" * 128])
def test_what_a_user_may_give(text: str) -> None:
    assert is_id(text)


@pytest.mark.parametrize("text", [
    "", "x" * 129, "a b", "a:b", "a~0~0", "a.b", "a/b", "é", "a\n", "\na", "a\x00", "١", None, 1, ["a"], b"a"])
def test_what_a_user_may_not_give(text: object) -> None:
    assert not is_id(text)


def test_the_forms_of_composed_ids() -> None:
    assert block_execution_id("run", "a") == "run:a"
    assert idempotency_key("run", "a", 2) == "run:a:2"
    assert wait_id("run", "a", 2, "agent", 3) == "run:a:2:agent:3"
    assert wait_id("run", "a", 2, "approval") == "run:a:2:approval:0"
    assert edge_entry("a", 2) == "a:2"


@repeatable
@given(st.tuples(IDS, IDS, st.integers(1, 99)), st.tuples(IDS, IDS, st.integers(1, 99)))
def test_different_calls_have_different_keys(one: tuple[str, str, int], other: tuple[str, str, int]) -> None:
    assert (idempotency_key(*one) == idempotency_key(*other)) == (one == other)
    assert (block_execution_id(*one[:2]) == block_execution_id(*other[:2])) == (one[:2] == other[:2])


def test_an_approval_has_the_one_id_of_its_wait() -> None:
    first, again, other = (approval_id(wait_id("run", "a", epoch, "approval")) for epoch in (1, 1, 2))
    assert first == again != other
    assert is_id(first)
