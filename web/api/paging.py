"""Links from one page of a list to the next, as RFC 8288 has them."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import request

LINK = {"Link": {"description": 'The address of the next page, `<...>; rel="next"`; not on the last page.',
                 "schema": {"type": "string"}}}
"""The header of an answer that is one page of a list."""


def next_link(cursor: str | None) -> dict[str, str]:
    """Return the header that leads from the present request to its next page; none after the last.

    The address is the one that was asked, with its filters, and the cursor in the place of an offset. It names no host:
    who asks knows it better than a service behind a proxy.
    """
    if cursor is None:
        return {}
    query = [(name, value) for name, value in request.args.items(multi=True) if name not in ("cursor", "offset")]
    address = f"{request.script_root}{request.path}?{urlencode([*query, ('cursor', cursor)])}"
    return {"Link": f'<{address}>; rel="next"'}
