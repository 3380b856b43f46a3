"""``python -m sandbox.state_service``: becomes gunicorn with the settings of ``gunicorn_conf``."""

from __future__ import annotations

import os
import sys

import click


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8202, show_default=True, help="Port to listen on.")
def main(host: str, port: int) -> None:
    """Serve the State Management Service; its database lies in the directory STATE_SERVICE_DATA."""
    os.execv(sys.executable, [
        sys.executable, "-m", "gunicorn", "--config", "python:sandbox.state_service.gunicorn_conf",
        "--bind", f"{host}:{port}", "sandbox.state_service.wsgi:build_app()"])


if __name__ == "__main__":
    main()
