"""What each invariant says, for people who read the answer of a verification."""

from __future__ import annotations

from collections.abc import Mapping

MEANINGS: Mapping[str, str] = {
    "I1": "Nothing is forgotten: whatever has not ended runs, waits for somebody, or will be looked at again.",
    "I2": "An agent does the work of each run of a block once.",
    "I3": "A block has one owner at a time, and only the newest owner's result counts.",
    "I4": "Every change of status is a legal one, and the execution ended as its blocks did.",
    "I5": "A block starts, is skipped or is cancelled only for what became of the blocks before it.",
    "I6": "A request to a person is decided once, its block goes on by that decision, and nobody is asked in vain.",
    "I7": "Blocks that come together are followed once, not once for each of them.",
    "I8": "Nothing begins while the execution is paused or has ended.",
    "I9": "The history has no gap and no event twice, and replayed it gives what is stored.",
    "I10": "The State Management Service was told how every block ended.",
    "I11": "A request is passed on to the role above level by level, and never early.",
    "I12": "A signal goes to one block, once, and none that a block waits for is left lying.",
}
"""Invariant -> what it says, in a sentence."""
