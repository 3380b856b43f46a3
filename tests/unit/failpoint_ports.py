"""Ports that nobody answers at, for what only needs that there are some."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from workflow_service.services.engine import Ports
from workflow_service.services.stores import Stores


class Nobody:
    """A port without methods."""


def some_ports() -> Ports:
    """Return all ports, each another one."""
    stores: dict[str, Any] = {field.name: Nobody() for field in fields(Stores)}
    ports: dict[str, Any] = {field.name: Nobody() for field in fields(Ports)}
    return Ports(**{**ports, "stores": Stores(**stores)})
