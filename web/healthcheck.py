"""Asks the API of this machine whether it is ready, for whoever watches a container; exits with 0 if it is."""

from __future__ import annotations

import os
import sys
from http.client import HTTPConnection, HTTPException

PATIENCE_S = 4


def main() -> int:
    """Return 0 if the API is ready, else 1."""
    connection = HTTPConnection("127.0.0.1", int(os.environ.get("PORT") or "8080"), timeout=PATIENCE_S)
    try:
        connection.request("GET", "/ready")
        return int(connection.getresponse().status != 200)
    except (OSError, HTTPException):
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
