"""What differs between two versions of a template. Pure.

Paths are JSON pointers (RFC 6901) into the document: into the newer one, except of what only the older one has. Objects
are compared name by name, everything else as a whole, so a list that changed is shown as it was and as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from workflow_service.domain.template import Document
from workflow_service.domain.template_versions import is_same_document


class ChangeKind(StrEnum):
    """What happened to a place."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One place that differs."""

    path: str
    kind: ChangeKind
    old: Any = None
    """None of what was added."""
    new: Any = None
    """None of what was removed."""


@dataclass(frozen=True, kw_only=True)
class BlockChange:
    """A block that both versions have, and that differs."""

    block_id: str
    path: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, kw_only=True)
class TemplateDiff:
    """All that differs but the version itself."""

    added_blocks: tuple[Change, ...]
    removed_blocks: tuple[Change, ...]
    changed_blocks: tuple[BlockChange, ...]
    changed_settings: tuple[Change, ...]
    """Everything outside the blocks: the name, tags, metadata, global settings and so on."""
    order_changed: bool
    """True if the blocks that both versions have stand in another order."""


def template_diff(old: Document, new: Document) -> TemplateDiff:
    """Return what differs between two documents of one template."""
    before, after = _places(old), _places(new)
    common = [name for name in after if name in before]
    found = [BlockChange(block_id=name, path=_block_path(after[name][0]), changes=tuple(
        _changes(_block_path(after[name][0]), before[name][1], after[name][1]))) for name in common]
    return TemplateDiff(
        added_blocks=tuple(Change(path=_block_path(index), kind=ChangeKind.ADDED, new=block)
                           for name, (index, block) in after.items() if name not in before),
        removed_blocks=tuple(Change(path=_block_path(index), kind=ChangeKind.REMOVED, old=block)
                             for name, (index, block) in before.items() if name not in after),
        changed_blocks=tuple(change for change in found if change.changes),
        changed_settings=tuple(_changes("", _settings(old), _settings(new))),
        order_changed=common != [name for name in before if name in after])


def _places(document: Document) -> dict[str, tuple[int, Document]]:
    return {block["blockId"]: (index, block) for index, block in enumerate(document["blocks"])}


def _settings(document: Document) -> Document:
    return {name: value for name, value in document.items() if name not in ("blocks", "version")}


def _block_path(index: int) -> str:
    return f"/blocks/{index}"


def _changes(path: str, old: Any, new: Any) -> Iterator[Change]:
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        if not is_same_document({"value": old}, {"value": new}):
            yield Change(path=path, kind=ChangeKind.CHANGED, old=old, new=new)
        return
    for name in dict.fromkeys([*old, *new]):
        place = f"{path}/{name.replace('~', '~0').replace('/', '~1')}"
        if name not in new:
            yield Change(path=place, kind=ChangeKind.REMOVED, old=old[name])
        elif name not in old:
            yield Change(path=place, kind=ChangeKind.ADDED, new=new[name])
        else:
            yield from _changes(place, old[name], new[name])
