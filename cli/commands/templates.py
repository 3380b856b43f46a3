"""``workflow-service templates``: import, update, look up and put away templates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import click
import yaml

from cli.api import Api
from cli.arguments import as_json, calls_api, limited
from cli.errors import CommandFailed
from cli.terminal import remark, show
from cli.views.template_reviews import diff_page, plan_tree, validation_page
from cli.views.templates import template_page, templates_table, versions_table

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@click.group()
def templates() -> None:
    """Describe workflows."""


@templates.command("import")
@click.argument("file", type=click.File("rb"))
@as_json
@calls_api
def import_(api: Api, file: BinaryIO, as_json: bool) -> None:
    """Store the template in FILE (YAML or JSON; - for the standard input)."""
    given = read_template(file)
    template = api.import_template_file(given.text, given.media_type)
    show(template, as_json, f"Stored {template['templateId']} {template['version']} "
                            f"with {len(template['blocks'])} blocks{_unless_published(template)}.")


@templates.command("update")
@click.argument("file", type=click.File("rb"))
@click.option("--if-match", metavar="VERSION", help="Only if this is still the latest version.")
@as_json
@calls_api
def update(api: Api, file: BinaryIO, if_match: str | None, as_json: bool) -> None:
    """Store the template in FILE as a new version of the one with its id.

    Without a version in it, it becomes the next patch version. Executions that run keep their version.
    """
    given = read_template(file)
    if given.template_id is None:
        raise CommandFailed(f"{_name(file)} does not say which template it is (templateId).")
    template = api.update_template(given.template_id, given.text, given.media_type, if_match)
    show(template, as_json, f"The latest version of {template['templateId']} is {template['version']}"
                            f"{_unless_published(template)}.")


def _unless_published(template: Mapping[str, Any]) -> str:
    status = template.get("status", "published")
    return "" if status == "published" else f", {status}"


@templates.command("export")
@click.argument("template_id", metavar="ID")
@click.option("--version", help="The latest if none is named.")
@click.option("--format", type=click.Choice(["yaml", "json"]), help="By the name of --out, else yaml.")
@click.option("--out", type=click.Path(dir_okay=False, writable=True, path_type=Path),
              help="The file to write; the standard output if none is named.")
@calls_api
def export(api: Api, template_id: str, version: str | None, format: str | None, out: Path | None) -> None:
    """Write a template as a file that can be kept in git and imported again."""
    chosen = format or ("json" if out is not None and out.suffix == ".json" else "yaml")
    text = api.template_file(template_id, chosen, version)
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_bytes(text)
    except OSError as error:
        raise CommandFailed(f"{out} can't be written: {error.strerror}.") from error
    click.echo(f"Wrote {out}.")


@templates.command("diff")
@click.argument("template_id", metavar="ID")
@click.argument("old", metavar="FROM")
@click.argument("new", metavar="[TO]", required=False)
@as_json
@calls_api
def diff(api: Api, template_id: str, old: str, new: str | None, as_json: bool) -> None:
    """Show what differs between the versions FROM and TO (the latest if TO is not named)."""
    found = api.template_diff(template_id, old, new)
    show(found, as_json, diff_page(found))


@templates.command("validate")
@click.argument("template_id", metavar="ID")
@click.option("--version", help="The latest if none is named.")
@as_json
@calls_api
def validate(api: Api, template_id: str, version: str | None, as_json: bool) -> None:
    """Check a template against the agents that there are now; exit code 1 if it could not run."""
    found = api.template_validation(template_id, version)
    show(found, as_json, validation_page(found))
    if not found["valid"]:
        raise click.exceptions.Exit(1)


@templates.command("plan")
@click.argument("template_id", metavar="ID")
@click.option("--version", help="The latest if none is named.")
@as_json
@calls_api
def plan(api: Api, template_id: str, version: str | None, as_json: bool) -> None:
    """Show in what order a template would run, without running it."""
    found = api.template_plan(template_id, version)
    show(found, as_json, plan_tree(found))


@templates.command("publish")
@click.argument("template_id", metavar="ID")
@as_json
@calls_api
def publish(api: Api, template_id: str, as_json: bool) -> None:
    """Let the latest version of a template be started, also if the template was archived."""
    template = api.publish_template(template_id)
    show(template, as_json, f"{template['templateId']} {template['version']} is published.")


@templates.command("archive")
@click.argument("template_id", metavar="ID")
@as_json
@calls_api
def archive(api: Api, template_id: str, as_json: bool) -> None:
    """Let nothing of a template be started, and hide it from lists; what runs goes on."""
    template = api.archive_template(template_id)
    show(template, as_json, f"{template['templateId']} is archived.")


@templates.command("delete")
@click.argument("template_id", metavar="ID")
@as_json
@calls_api
def delete(api: Api, template_id: str, as_json: bool) -> None:
    """Delete a template that no execution runs with; what ran with it keeps its version."""
    show(api.delete_template(template_id), as_json, f"{template_id} is deleted.")


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
@click.option("--status", type=click.Choice(["draft", "published", "archived"]),
              help="Only these; all but the archived ones if not said.")
@limited
@as_json
@calls_api
def list_(api: Api, category: str | None, search: str | None, status: str | None, limit: int,
          as_json: bool) -> None:
    """List templates, the newest first."""
    page = api.templates(limit, category=category, search=search, status=status)
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


def _name(file: BinaryIO) -> str:
    return str(getattr(file, "name", "<stdin>"))


@dataclass(frozen=True, kw_only=True)
class TemplateFile:
    """A template as somebody wrote it; the service reads it strictly."""

    text: bytes
    media_type: str
    template_id: str | None
    """None if it does not say which template it is."""


def read_template(file: BinaryIO) -> TemplateFile:
    """Return the text of a file, JSON or YAML, after a look at whether it is one.

    Raises:
        CommandFailed: it is neither.
    """
    text = file.read()
    is_json = text.lstrip()[:1] in (b"{", b"[")
    try:
        document = json.loads(text) if is_json else yaml.load(text, Loader=_LOADER)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        if isinstance(error, json.JSONDecodeError):
            place = f" (line {error.lineno}, column {error.colno})"
        else:
            place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise CommandFailed(f"{_name(file)} is not YAML or JSON{place}.") from error
    named = document.get("templateId") if isinstance(document, dict) else None
    return TemplateFile(text=text, media_type="application/json" if is_json else "application/yaml",
                        template_id=named if isinstance(named, str) and named else None)
