"""Random JSON values for properties, with what tends to be taken for something else."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

TEXTS = st.text(st.sampled_from("abx.()[]{}'\"\\,:?!&|+-*/%<>= 01\n\t\r$@#é€😀\0\x7f\u2028"), max_size=12)
"""Short texts of letters, signs that expressions use, and characters that are rare."""
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-2**63, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=8)
"""Values that our JSON may hold."""
