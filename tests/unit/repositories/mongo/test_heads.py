"""How the highest number is found by asking for a few."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from workflow_service.repositories.mongo.heads import find_highest


@pytest.mark.parametrize("highest", [0, 1, 2, 3, 15, 16, 17, 100, 4095, 4096, 70_000])
@pytest.mark.parametrize("known", [0, 1, 90])
def test_few_questions_find_the_highest_number(highest: int, known: int) -> None:
    questions: list[Sequence[int]] = []

    def present(numbers: Sequence[int]) -> list[int]:
        questions.append(numbers)
        return [number for number in numbers if number <= highest]

    assert find_highest(present, min(known, highest)) == highest
    assert len(questions) <= 8
    assert max(map(len, questions)) <= 32


def test_numbers_that_are_added_meanwhile_do_no_harm() -> None:
    highest = 10

    def present(numbers: Sequence[int]) -> list[int]:
        nonlocal highest
        found = [number for number in numbers if number <= highest]
        highest = min(highest + 7, 40)
        return found

    assert 10 <= find_highest(present, 0) <= 40
