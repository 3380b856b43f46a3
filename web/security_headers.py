"""The headers that keep browsers from doing what nobody asked them to."""

from __future__ import annotations

from flask import Flask, Response, request

API_POLICY = "default-src 'none'; frame-ancestors 'none'"
"""For answers that are no pages: nothing may be loaded or framed."""
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
"""For pages: everything from this host, no script in the page itself."""
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_ONE_YEAR = "max-age=31536000; includeSubDomains"


def register_security_headers(app: Flask) -> None:
    """Let the application add the headers to every answer."""
    app.after_request(_protect)


def _protect(response: Response) -> Response:
    page = response.mimetype == "text/html"
    response.headers.setdefault("Content-Security-Policy", PAGE_POLICY if page else API_POLICY)
    response.headers.setdefault("Cache-Control", "no-store")
    for name, value in _ALWAYS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = _ONE_YEAR
    return response
