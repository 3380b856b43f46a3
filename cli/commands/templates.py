"""``workflow-service templates``: import, update and look up templates."""

from __future__ import annotations

import json
from typing import Any, TextIO

import click
import yaml

from cli.api import Api
from cli.arguments import as_json, calls_api, limited
from cli.errors import CommandFailed
from cli.terminal import remark, show
from cli.views.templates import template_page, templates_table, versions_table


@click.group()
def templates() -> None:
    """Describe workflows."""


@templates.command("import")
@click.argument("file", type=click.File(encoding="utf-8"))
@as_json
@calls_api
def import_(api: Api, file: TextIO, as_json: bool) -> None:
    """Store the template in FILE (YAML or JSON; - for the standard input)."""
    template = api.import_template(read_template(file))
    show(template, as_json, f"Stored {template['templateId']} {template['version']} "
                            f"with {len(template['blocks'])} blocks.")


@templates.command("update")
@click.argument("file", type=click.File(encoding="utf-8"))
@click.option("--if-match", metavar="VERSION", help="Only if this is still the latest version.")
@as_json
@calls_api
def update(api: Api, file: TextIO, if_match: str | None, as_json: bool) -> None:
    """Store the template in FILE as a new version of the one with its id.

    Without a version in it, it becomes the next patch version. Executions that run keep their version.
    """
    document = read_template(file)
    template_id = document.get("templateId") if isinstance(document, dict) else None
    if not isinstance(template_id, str) or not template_id:
        raise CommandFailed(f"{file.name} does not say which template it is (templateId).")
    template = api.update_template(template_id, document, if_match)
    show(template, as_json, f"The latest version of {template['templateId']} is {template['version']}.")


@templates.command("versions")
@click.argument("template_id", metavar="ID")
@as_json
@calls_api
def versions(api: Api, template_id: str, as_json: bool) -> None:
    """List the versions of a template, the oldest first."""
    found = api.template_versions(template_id)
    show(found, as_json, versions_table(found["versions"]))


@templates.command("list")
@click.option("--category", help="Only of this category.")
@click.option("--search", help="Only with this text in name or description.")
@limited
@as_json
@calls_api
def list_(api: Api, category: str | None, search: str | None, limit: int, as_json: bool) -> None:
    """List templates, the newest first."""
    page = api.templates(limit, category=category, search=search)
    show(page, as_json, templates_table(page["templates"]))
    if not as_json and page["total"] > len(page["templates"]):
        remark(f"{len(page['templates'])} of {page['total']}; --limit shows more.")


@templates.command("show")
@click.argument("template_id", metavar="ID")
@click.option("--version", help="The latest if none is named.")
@as_json
@calls_api
def show_(api: Api, template_id: str, version: str | None, as_json: bool) -> None:
    """Show a template."""
    template = api.template(template_id, version)
    show(template, as_json, template_page(template))


def read_template(file: TextIO) -> Any:
    """Return the document in a file; JSON is YAML too.

    Raises:
        CommandFailed: it is neither.
    """
    try:
        document = yaml.safe_load(file)
        json.dumps(document, allow_nan=False)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise CommandFailed(f"{file.name} is not YAML or JSON{place}.") from error
    except (TypeError, ValueError) as error:
        raise CommandFailed(f"{file.name} has what JSON does not know: {error}.") from error
    return document
