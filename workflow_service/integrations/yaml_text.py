"""Templates as YAML: read strictly, written so that the same template is always the same text.

YAML says more than JSON, and its versions disagree about what it says (``no``, ``12:30``, ``010``). What is not plainly
JSON is therefore refused with its place and not guessed at: dates, tags, anchors and aliases (a few lines of which grow
to gigabytes), names that stand twice in one object. The reader goes from event to event, so that neither nesting nor
repetition costs more than the text itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

import yaml

from workflow_service.integrations import json_text

_READER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WRITER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?\Z")
_WORDS: Mapping[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None, "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False}
_TEXT = "tag:yaml.org,2002:str"
_NAMES = {"timestamp": "a date", "bool": "true or false", "int": "a number", "float": "a number"}
_FOLD_NEVER = 2**30


class NotYaml(ValueError):
    """Raised when a text is not YAML, or more than JSON can say; the message says what and where."""


def decode(text: bytes) -> Any:
    """Return the value of a YAML text in UTF-8.

    Raises:
        NotYaml: it can't be read, or holds what can't be kept.
    """
    try:
        value = _Builder(text.decode()).value()
        return json_text.decode(json_text.encode(value))
    except yaml.MarkedYAMLError as error:
        raise NotYaml(_at(error.problem or "it can't be read", error.problem_mark)) from error
    except UnicodeDecodeError as error:
        raise NotYaml("it is not UTF-8") from error
    except UnicodeEncodeError as error:
        raise NotYaml("a text in it holds half a surrogate pair") from error
    except yaml.YAMLError as error:
        raise NotYaml("a character in it is not allowed") from error
    except NotYaml:
        raise
    except ValueError as error:
        raise NotYaml(str(error)) from error


def encode(value: Any) -> bytes:
    """Return a JSON value as YAML: objects in the order of their names as given, texts of several lines as blocks."""
    text: str = yaml.dump(value, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=_FOLD_NEVER,
                          default_flow_style=False)
    return text.encode()


class _Builder:
    """Puts a value together from the events of a text."""

    def __init__(self, text: str) -> None:
        self._reader = _READER(text)
        self._open: list[Any] = []
        """The objects and lists that have not ended, the innermost last."""
        self._names: list[str | None] = []
        """For each of them the name whose value comes next; None if a name does, or it is a list."""
        self._result: Any = None

    def value(self) -> Any:
        """Return the only document of the text."""
        documents = 0
        try:
            while self._reader.check_event():
                event = self._reader.get_event()
                documents += isinstance(event, yaml.DocumentStartEvent)
                if documents > 1:
                    _refuse("there is more than one document", event)
                self._take(event)
        finally:
            self._reader.dispose()
        return self._result

    def _take(self, event: Any) -> None:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            _refuse("anchors and aliases are not allowed; write it out", event)
        if getattr(event, "tag", None) is not None:
            _refuse("tags are not allowed", event)
        if isinstance(event, yaml.ScalarEvent):
            self._put(self._scalar(event), event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._begin({} if isinstance(event, yaml.MappingStartEvent) else [], event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._open.pop()
            self._names.pop()

    def _begin(self, container: dict[str, Any] | list[Any], event: Any) -> None:
        if len(self._open) >= json_text.DEEPEST:
            _refuse("it is nested too deeply", event)
        self._put(container, event)
        self._open.append(container)
        self._names.append(None)

    def _put(self, value: Any, event: Any) -> None:
        if not self._open:
            self._result = value
        elif isinstance(self._open[-1], list):
            self._open[-1].append(value)
        elif self._names[-1] is None:
            self._names[-1] = self._name(value, event)
        else:
            self._open[-1][self._names[-1]] = value
            self._names[-1] = None

    def _name(self, value: Any, event: Any) -> str:
        if not isinstance(value, str):
            _refuse("a name has to be a text; put it in quotes", event)
        if value in self._open[-1]:
            _refuse(f"the name '{value[:100]}' stands here twice", event)
        return str(value)

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        if not event.implicit[0]:  # in quotes, or a block
            return text
        if text in _WORDS:
            return _WORDS[text]
        number = _NUMBER.match(text)
        if number:
            return _number(text, event)
        tag: str = self._reader.resolve(yaml.ScalarNode, text, (True, False))
        if tag not in (_TEXT, "tag:yaml.org,2002:value"):
            what = _NAMES.get(tag.rpartition(":")[2], "something else than a text")
            _refuse(f"'{text[:100]}' may be read as {what}; put it in quotes, or write it as JSON does", event)
        return text


def _number(text: str, event: Any) -> int | float:
    try:
        number: int | float = json_text.decode(text.encode())
    except ValueError as error:
        _refuse(str(error), event)
    return number


def _refuse(reason: str, event: Any) -> NoReturn:
    raise NotYaml(_at(reason, event.start_mark))


def _at(reason: str, mark: Any) -> str:
    return reason if mark is None else f"{reason} (line {mark.line + 1}, column {mark.column + 1})"


class _Writer(_WRITER):  # type: ignore[misc]  # one of two classes of a library without types
    """Writes values that may stand in several places out each time, and texts so that they are read as texts."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write no aliases."""
        return True


def _write_text(writer: Any, text: str) -> Any:
    if _NUMBER.match(text) or text in _WORDS:
        return writer.represent_scalar(_TEXT, text, style="'")
    return writer.represent_scalar(_TEXT, text, style="|" if _is_plain_block(text) else None)


def _is_plain_block(text: str) -> bool:
    """Say whether a text is well shown line by line, with no white space that an editor might take away."""
    lines = text.split("\n")
    return len(lines) > 1 and bool(lines[0]) and not any(
        line != line.rstrip() or line.startswith((" ", "\t")) and number == 0 for number, line in enumerate(lines)
    ) and all(line.isprintable() for line in lines)


def _write_number(writer: Any, number: float) -> Any:
    text = json.dumps(number)  # YAML 1.1 takes it for a number only if it has a point
    return writer.represent_scalar("tag:yaml.org,2002:float", text if "." in text else text.replace("e", ".0e"))


_Writer.add_representer(str, _write_text)
_Writer.add_representer(float, _write_number)
