"""JSON logs, one object a line, without secrets: what each process calls once at its start.

The service itself only asks structlog for a logger and never configures anything; the edges (web, worker, command
line) call ``configure_logging``. Records of other libraries pass through the same processors, so that all lines look
alike and nobody's secret gets past the redaction.
"""

from __future__ import annotations

import logging.config
import re
from collections.abc import Mapping
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

REDACTED = "[redacted]"
"""What stands in place of a secret."""

_SECRET_KEY = re.compile(
    r"authorization|cookie|credential|passw(or)?d|secret|(api|private)[-_]?key|token$", re.IGNORECASE)
_SECRET_TEXT = (
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]+", re.IGNORECASE), rf"\1 {REDACTED}"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), REDACTED),  # a JSON Web Token
    (re.compile(r"(\w://)[^/\s@]+@"), rf"\1{REDACTED}@"),  # user and password in a URL
)
_MAX_DEPTH = 8


def configure_logging(level: str = "INFO") -> None:
    """Send all logs of this process to the standard output as JSON.

    Args:
        level: the least severe level that is shown.
    """
    logging.config.dictConfig(logging_settings(level))
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *_processors(),
                    structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger, logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True)


def logging_settings(level: str = "INFO") -> dict[str, Any]:
    """Return the settings of the standard library's logging, for servers that want to apply them themselves."""
    formatter = {"()": structlog.stdlib.ProcessorFormatter, "foreign_pre_chain": _processors(), "processors": [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer(default=str)]}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": formatter},
        "handlers": {"stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "json"}},
        "root": {"level": level, "handlers": ["stdout"]},
    }


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace secrets in an event: values of telling keys, and tokens and passwords within texts."""
    return {key: _clean(key, value, _MAX_DEPTH) for key, value in event.items()}


def _processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]


def _clean(key: object, value: object, depth: int) -> object:
    if isinstance(key, str) and _SECRET_KEY.search(key) and value is not None:
        return REDACTED
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth and isinstance(value, Mapping):
        return {name: _clean(name, item, depth - 1) for name, item in value.items()}
    if depth and isinstance(value, (list, tuple)):
        return [_clean(None, item, depth - 1) for item in value]
    return _clean_text(str(value))


def _clean_text(text: str) -> str:
    for pattern, replacement in _SECRET_TEXT:
        text = pattern.sub(replacement, text)
    return text
