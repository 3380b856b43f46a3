"""Templates as files: read from a body in JSON or YAML, written as either."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from flask import Request, Response

from web.errors import BodyTooLarge, MalformedYAML
from web.json_body import json_body, whole_body
from workflow_service.integrations import yaml_text
from workflow_service.integrations.yaml_text import NotYaml

YAML = "application/yaml"
"""The media type of YAML (RFC 9512)."""
MAX_YAML_BYTES = 2 * 1024 * 1024
"""Of one body in YAML, which takes some hundred times as long to read as JSON does; 5,000 usual blocks have 0.6 MB."""
_YAML_TYPES = frozenset({YAML, "application/x-yaml", "text/yaml", "text/x-yaml"})


def template_body(request: Request) -> Any:
    """Return the parsed body of a request, by its media type.

    Raises:
        UnsupportedMediaType: it is declared neither as JSON nor as YAML.
        RequestEntityTooLarge: it has too many bytes.
        BadRequest: it was not sent to its end.
        BodyTooLarge: it is YAML and has more than ``MAX_YAML_BYTES``.
        MalformedJSON: it can't be read as JSON.
        MalformedYAML: it can't be read as YAML.
    """
    if request.mimetype not in _YAML_TYPES:
        return json_body(request)
    raw = whole_body(request)
    if len(raw) > MAX_YAML_BYTES:
        raise BodyTooLarge(f"A body in YAML may have {MAX_YAML_BYTES >> 20} MB; JSON may have more.")
    try:
        return yaml_text.decode(raw)
    except NotYaml as error:
        raise MalformedYAML(f"The body is not YAML that we can take: {error}.") from error


def template_file(document: Mapping[str, Any], format: str, headers: Mapping[str, str]) -> Response:
    """Return a template as a file that is the same, byte by byte, whenever the template is.

    Args:
        format: ``yaml`` or ``json``.
        headers: are sent with it.
    """
    write, media_type = _WRITERS[format]
    name = f"{document['templateId']}-{document['version']}.{format}"
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(write(document), content_type=media_type, headers={**headers, **disposition})


def _json_text(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"


_WRITERS: Mapping[str, tuple[Callable[[Mapping[str, Any]], bytes], str]] = {
    "yaml": (yaml_text.encode, YAML), "json": (_json_text, "application/json")}
FORMATS = tuple(_WRITERS)
"""What a template can be written as."""
