"""The site's hook: what the program says about itself becomes pages, and marks for the tests are taken out.

Nothing of this is committed, so nothing of it can be stale: commands come from `--help`, names from docstrings, file
formats from their records' JSON Schemas, errors from `errors.py`.
"""

from __future__ import annotations

import functools
import inspect
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FunctionType
from typing import Any, ForwardRef

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from pydantic import BaseModel

import privkit
from privkit import errors, scoring, study
from privkit.cli import main, root
from privkit.model.card import Card
from privkit.model.dataset import DatasetSpec
from privkit.model.evaluation import Evaluation
from privkit.model.pipeline import PipelineSpec
from privkit.model.policy import Policy
from privkit.model.study import StudySpec

ROOT = Path(__file__).parent.parent
FORMATS: Mapping[str, tuple[type[BaseModel], str]] = {
    "dataset": (DatasetSpec, "`*.dataset.yaml`: whom releases protect, what columns may hold, what may be spent."),
    "policy": (Policy, "A policy: what each kind of column and of finding becomes."),
    "study": (StudySpec, "`*.study.yaml`: the parties of an encrypted study, its privacy, and what is asked."),
    "pipeline": (PipelineSpec, "`*.pipeline.yaml`: how one dataset is shared, step by step."),
    "evaluation": (Evaluation, "What `privkit evaluate --json` prints: how well what was marked is found."),
    "card": (Card, "A card in JSON: what was given out, and what is promised about it."),
}
PROJECT = {"changes": "CHANGELOG.md", "benchmarks": "BENCHMARKS.md", "security": "SECURITY.md"}
PROJECT["contributing"] = "CONTRIBUTING.md"
MODULES = (scoring, study)
"""Modules whose own public names the reference lists too."""

SECTIONS = ("Args", "Attributes", "Returns", "Raises", "Yields")
GROUPS: Mapping[str, tuple[str, ...]] = {
    "De-identification": (
        *("privkit.deidentifier", "privkit.deid", "privkit.model.policy", "privkit.keys.keyfile"),
        *("privkit.evaluation", "privkit.model.evaluation"),
    ),
    "Private statistics": ("privkit.session", "privkit.dataset", "privkit.budget", "privkit.dp"),
    "Encrypted studies": ("privkit.study", "privkit.keys.identity"),
    "Pipelines and cards": ("privkit.pipeline", "privkit.cards", "privkit.starter"),
}


# ---- what mkdocs calls


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the generated pages."""
    for name, text in pages().items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: Any) -> str:
    """Takes out what stands there for the tests (see tests/pages.py), and fits links into the repository."""
    markdown = re.sub(r"^<!-- before\n.*?^-->\n", "", markdown, flags=re.MULTILINE | re.DOTALL)
    markdown = re.sub(r"^<!-- file (\S+) -->\n```(\S+)$", r'```\2 title="\1"', markdown, flags=re.MULTILINE)
    markdown = re.sub(r"^<!-- (?:exits \d+|not run: .*|needs .*) -->\n", "", markdown, flags=re.MULTILINE)
    top = "../" * page.file.src_uri.count("/")
    for name, source in PROJECT.items():
        markdown = markdown.replace(f"](../{top}{source})", f"]({top}project/{name}.md)")
    beside = r"\[`?([^\]`]+)`?\]\((?:\.\./)+(?:examples|benchmarks|tests)/[^)]*\)"  # in the repository, not on the site
    return re.sub(beside, r"`\1`", markdown)


@functools.cache
def pages() -> dict[str, str]:
    """Every generated page and file, by its place on the site."""
    os.environ["COLUMNS"] = "80"
    found = {
        "reference/command-line.md": command_line(),
        "reference/python.md": python(),
        "reference/file-formats.md": file_formats(),
        "reference/errors.md": error_page(),
    }
    for name, (record, _) in FORMATS.items():
        schema = json.dumps(record.model_json_schema(), indent=2, ensure_ascii=False)
        found[f"reference/{name}.schema.json"] = schema + "\n"
    for name, source in PROJECT.items():
        found[f"project/{name}.md"] = _outside(source)
    return found


# ---- commands


def command_line() -> str:
    """Every command's own help."""
    lines = ["# Command line", "", "What `--help` says, command by command.", ""]
    for path, command in commands():
        level = "##" if len(path) <= 2 else "###"
        context = _context(path)
        lines += [f"{level} {' '.join(path)}", "", "```text", command.get_help(context).rstrip(), "```", ""]
    return "\n".join(lines)


def commands() -> Iterator[tuple[list[str], click.Command]]:
    """Every command with the words that call it, a group before its commands."""

    def inside(path: list[str], command: click.Command) -> Iterator[tuple[list[str], click.Command]]:
        yield path, command
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                found = command.get_command(context, name)
                if found is not None and not found.hidden:
                    yield from inside([*path, name], found)

    yield from inside(["privkit"], root)


def _context(path: list[str]) -> click.Context:
    context = click.Context(root, info_name=path[0], **root.context_settings)
    for word in path[1:]:
        assert isinstance(context.command, click.Group)
        command = context.command.get_command(context, word)
        assert command is not None
        context = click.Context(command, info_name=word, parent=context, **command.context_settings)
    return context


# ---- Python


def python() -> str:
    """Every public name, its signature and its docstring."""
    lines = [
        "# Python",
        "",
        "Every name that `import privkit` offers. Its errors are on [their own page](errors.md).",
        "",
    ]
    grouped: dict[str, list[str]] = {title: [] for title in GROUPS} | {"The package": []}
    for name in privkit.__all__:
        value = getattr(privkit, name)
        if not (inspect.isclass(value) and issubclass(value, Exception)):
            grouped[_group(value)].append(name)
    for title, names in grouped.items():
        if names:
            lines += [f"## {title}", ""]
            for name in sorted(names, key=lambda one: (one.lstrip("_")[0].isupper(), one)):
                lines += _entry(name, getattr(privkit, name))
    for module in MODULES:
        lines += [f"## {module.__name__}", "", *_prose(module.__doc__)]
        for name in sorted(set(module.__all__) - set(privkit.__all__)):
            lines += _entry(f"{module.__name__.removeprefix('privkit.')}.{name}", getattr(module, name))
    return "\n".join(lines)


def _group(value: object) -> str:
    home = getattr(value, "__module__", "") or ""
    for title, homes in GROUPS.items():
        if any(home == one or home.startswith(f"{one}.") for one in homes):
            return title
    return "The package"


def _entry(name: str, value: object) -> list[str]:
    if isinstance(value, str):
        return [f"### `{name}`", "", "The version, as a text.", ""]
    lines = [f"### `{name}`", ""]
    if isinstance(value, FunctionType):
        return [*lines, *_code(_signature(name, value)), *_prose(value.__doc__)]
    assert isinstance(value, type)
    if not issubclass(value, BaseModel) and inspect.signature(value).parameters:
        lines += _code(_signature(name, value))
    lines += _prose(value.__doc__)
    for word, member in vars(value).items():
        if word.startswith("_") or word == "model_config":
            continue
        method = member.__func__ if isinstance(member, (classmethod, staticmethod)) else member
        if isinstance(member, property) and member.__doc__:
            lines += [f"#### `{name}.{word}`", "", *_prose(member.__doc__)]
        elif isinstance(method, FunctionType) and method.__doc__:
            dotted = f"{name}.{word}"
            lines += [f"#### `{dotted}`", "", *_code(_signature(dotted, method)), *_prose(method.__doc__)]
    return lines


def _signature(name: str, value: Any) -> str:
    """As one would write it, over several lines where it is long."""
    signature = inspect.signature(value)
    parts, keyword = [], False
    for one in signature.parameters.values():
        if one.name in ("self", "cls"):
            continue
        if one.kind is one.KEYWORD_ONLY and not keyword:
            parts.append("*")
        keyword = keyword or one.kind in (one.KEYWORD_ONLY, one.VAR_POSITIONAL)
        parts.append(_parameter(one))
    returned = signature.return_annotation
    tail = "" if isinstance(value, type) or returned is signature.empty else f" -> {_annotation(returned)}"
    written = f"{name}({', '.join(parts)}){tail}"
    if len(written) <= 90:
        return written
    return "\n".join([f"{name}(", *(f"    {part}," for part in parts), f"){tail}"])


def _parameter(one: inspect.Parameter) -> str:
    star = {one.VAR_POSITIONAL: "*", one.VAR_KEYWORD: "**"}.get(one.kind, "")
    kind = "" if one.annotation is one.empty else f": {_annotation(one.annotation)}"
    shown = "…" if callable(one.default) else repr(one.default)
    default = "" if one.default is one.empty else f" = {shown}" if kind else f"={shown}"
    return f"{star}{one.name}{kind}{default}"


def _annotation(found: object) -> str:
    if isinstance(found, ForwardRef):
        return found.__forward_arg__
    return found if isinstance(found, str) else getattr(found, "__name__", str(found))


def _code(text: str) -> list[str]:
    return ["```python", text, "```", ""]


def _prose(docstring: str | None) -> list[str]:
    """A Google-style docstring as Markdown."""
    lines: list[str] = []
    section = ""
    for line in inspect.cleandoc(docstring or "").splitlines():
        if line.rstrip(":") in SECTIONS and line.endswith(":"):
            section = line.rstrip(":")
            lines += ["", f"**{'Arguments' if section == 'Args' else section}**", ""]
        elif section and line.startswith("    "):
            body = line[4:]
            item = re.match(r"(\*{0,2}\w+): (.*)", body)
            if item and not body.startswith(" "):
                lines.append(f"- `{item[1]}`: {item[2]}")
            else:
                lines.append(f"  {body.strip()}" if lines[-1].startswith(("- ", "  ")) else body.strip())
        elif line.startswith((">>> ", "... ")):
            section = ""
            lines.append(f"    {line.replace('  # doctest: +SKIP', '')}")
        else:
            if line:
                section = ""
            lines.append(line)
    return [*lines, ""]


# ---- file formats


def file_formats() -> str:
    """Every format's keys, and its JSON Schema as a file; a part that several formats share is described once."""
    lines = [
        "# File formats",
        "",
        "Made from the records that read these files. Each has a JSON Schema for editors.",
        "",
    ]
    described: dict[str, tuple[str, Any]] = {}
    for name, (record, what) in FORMATS.items():
        schema = record.model_json_schema(by_alias=True)
        parts = schema.get("$defs", {})
        anchors = {}
        for part, definition in parts.items():
            title = f"{name.capitalize()}: {part.rpartition('__')[2]}"
            known = described.get(part)
            if known is None or known[1] != definition:
                described[part] = (title, definition)
            anchors[part] = described[part][0].lower().replace(": ", "-")
        lines += [f"## {name.capitalize()}", "", what, "", f"[{name}.schema.json]({name}.schema.json)", ""]
        lines += _keys(schema, anchors)
        for part, definition in parts.items():
            if described[part][0].startswith(f"{name.capitalize()}: ") and definition.get("properties"):
                lines += [f"### {described[part][0]}", "", *_prose(str(definition.get("description", ""))), ""]
                lines += _keys(definition, anchors)
    return "\n".join(lines)


def _keys(schema: Mapping[str, Any], anchors: Mapping[str, str]) -> list[str]:
    lines = ["| key | holds | default | |", "|---|---|---|---|"]
    required = schema.get("required", [])
    for key, value in schema.get("properties", {}).items():
        default = "**required**" if key in required else _default(value.get("default"))
        told = str(value.get("description", "")).replace("|", "\\|").replace("\n", " ")
        lines.append(f"| `{key}` | {_holds(value, anchors)} | {default} | {told} |")
    return [*lines, ""]


def _default(value: object) -> str:
    return "" if value in (None, [], {}, "") else f"`{json.dumps(value, ensure_ascii=False)}`"


def _holds(value: Mapping[str, Any], anchors: Mapping[str, str]) -> str:
    if "$ref" in value:
        part = value["$ref"].rpartition("/")[2]
        return f"[{part.rpartition('__')[2]}](#{anchors[part]})"
    if "const" in value:
        return f"`{json.dumps(value['const'])}`"
    if "enum" in value:
        return " or ".join(f"`{word}`" for word in value["enum"])
    for several in ("anyOf", "oneOf"):
        if several in value:
            kinds = [_holds(one, anchors) for one in value[several] if one.get("type") != "null"]
            return " or ".join(dict.fromkeys(kinds))
    if value.get("type") == "array":
        several = value.get("prefixItems")
        items = value.get("items", {})
        return (
            f"[{', '.join(_holds(one, anchors) for one in several)}]"
            if several
            else f"list of {_holds(items, anchors)}"
        )
    if value.get("type") == "object":
        inner = value.get("additionalProperties")
        return f"mapping to {_holds(inner, anchors)}" if isinstance(inner, Mapping) and inner else "mapping"
    return {"string": "text"}.get(str(value.get("type", "anything")), str(value.get("type", "anything")))


# ---- errors


def error_page() -> str:
    """The tree, the exit codes and every error."""
    tree = inspect.cleandoc(errors.__doc__ or "")
    _, _, rest = tree.partition("\n\n")
    drawn, _, told = rest.partition("\n\n")
    returned = inspect.cleandoc(main.__doc__ or "").partition("Returns:\n")[2]
    codes = [part.strip() for part in re.sub(r"\s+", " ", returned).rstrip(" .").split(";")]
    lines = ["# Errors and exit codes", "", "## Exit codes", "", "| code | |", "|---|---|"]
    lines += [f"| {code} | {what} |" for code, _, what in (one.partition(" ") for one in codes)]
    lines += ["", "## The tree", "", "```text", inspect.cleandoc(drawn), "```", "", told, ""]
    for name, value in vars(errors).items():
        if inspect.isclass(value) and issubclass(value, Exception):
            lines += [f"## {name}", "", f"Exit code {value.exit_code}.", "", *_prose(value.__doc__)]
    return "\n".join(lines)


# ---- helpers


def _outside(name: str) -> str:
    """A page that stands beside the README, its links fitted to the site."""
    path = ROOT / name
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"\]\(docs/", "](../", text)
    for page, source in PROJECT.items():
        text = text.replace(f"]({source})", f"]({page}.md)")
    return text
