"""The life of a template: each version is a draft or published, and the template as a whole can be put away.

A version is stored as ``draft`` or ``published``. ``archived`` and ``deleted`` are said of the latest version alone and
mean the whole template: its versions stay what they are, for the executions that were started with them.
"""

from __future__ import annotations

from enum import StrEnum


class TemplateStatus(StrEnum):
    """What a template version is good for."""

    DRAFT = "draft"
    """It can be looked at and changed by a new version, and not be started."""
    PUBLISHED = "published"
    """It can be started."""
    ARCHIVED = "archived"
    """Nothing of the template can be started, and no list shows it unless asked to."""
    DELETED = "deleted"
    """The template is gone; its id is kept, and its versions for the executions that have them."""


WRITABLE = (TemplateStatus.DRAFT, TemplateStatus.PUBLISHED)
"""What an author may say of a version, and what the latest must be to get a next one."""
SHOWN = (*WRITABLE, TemplateStatus.ARCHIVED)
"""What a list can be asked for."""
