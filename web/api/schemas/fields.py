"""Fields and base schemas: camelCase outside, snake_case inside, nothing unknown, nothing guessed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from web.json_answer import rfc3339
from workflow_service.domain.ids import ID_PATTERN, is_id


def camel_case(name: str) -> str:
    """Return ``some_name`` as ``someName``."""
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)


class CamelCaseSchema(Schema):
    """A schema whose fields are camelCase outside."""

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Name the field as the API does."""
        field_obj.data_key = camel_case(field_name)


class RequestSchema(CamelCaseSchema):
    """What a request says; what the endpoint does not know is a fault."""

    class Meta:
        """Settings."""

        unknown = RAISE


class ViewSchema(CamelCaseSchema):
    """What an answer says, out of a value of the domain or of a view that has the API's names already."""

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """Return a field of the value."""
        if isinstance(obj, Mapping):
            return obj.get(camel_case(attr), default)
        return super().get_attribute(obj, attr, default)


class Text(fields.String):
    """A text of bounded length without NUL."""

    def __init__(self, longest: int, *, shortest: int = 1, **more: Any) -> None:
        """Bound the length."""
        rules = [validate.Length(min=shortest, max=longest), validate.Regexp(r"^[^\x00]*$")]
        super().__init__(validate=rules, **more)


class Identifier(fields.String):
    """The id of something."""

    def __init__(self, *, description: str = "An id.", **more: Any) -> None:
        """Check and document the pattern of ids."""
        super().__init__(validate=_check_id, metadata={"pattern": ID_PATTERN, "description": description}, **more)


class StrictBoolean(fields.Boolean):
    """A JSON boolean; texts and numbers that look like one are not guessed at."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Instant(fields.DateTime):
    """An instant in an answer, RFC 3339 in UTC."""

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else rfc3339(value)


class Success(fields.Constant[bool]):
    """Says that it is done, as every answer to an instruction does."""

    def __init__(self) -> None:
        """Be true."""
        super().__init__(True, required=True, metadata={"type": "boolean", "enum": [True]})


def limit(usual: int) -> fields.Integer:
    """Return the field that says how many things a page may have."""
    return fields.Integer(load_default=usual, validate=validate.Range(min=1, max=200))


def offset() -> fields.Integer:
    """Return the field that says how many things to leave out before a page."""
    return fields.Integer(load_default=0, validate=validate.Range(min=0, max=1_000_000))


def _check_id(text: str) -> None:
    if not is_id(text):
        raise ValidationError("An id has 1 to 128 letters, digits, '-' or '_'.")
