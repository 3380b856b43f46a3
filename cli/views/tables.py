"""Tables of one look."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table


def table(*columns: str, numbers: Sequence[str] = (), whole: Sequence[str] = ()) -> Table:
    """Return an empty table.

    Args:
        columns: their headings.
        numbers: the columns that are set to the right.
        whole: the columns that are not wrapped, such as ids that somebody copies.
    """
    made = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        made.add_column(column, justify="right" if column in numbers else "left", overflow="fold",
                        no_wrap=column in whole)
    return made
