"""YAML in and out, safely and without YAML 1.1's surprises.

Every plain scalar is text until the record that wants it says otherwise: `no` is the text "no" where a text is wanted
and false where a boolean is, `01` keeps its zero, `1e-6` is a number where a number is wanted. Only `null`, `~` and
nothing are null. Anchors, tags and doubled keys are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, cast, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from privkit.errors import DatasetError, PipelineError, PolicyError, SpecError, StudyError
from privkit.model.misfits import first_misfit

Record = TypeVar("Record", bound=BaseModel)
_SCHEMAS: Mapping[type[SpecError], str] = {
    PolicyError: "policy schema",
    DatasetError: "dataset schema",
    StudyError: "study schema",
    PipelineError: "run --schema",
}
_Location = tuple[str | int, ...]


class _Composer(yaml.SafeLoader):
    """Builds the node tree only; nothing is ever constructed by YAML's own rules."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = cast(Any, self).peek_event()
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _Refused("anchors and aliases are not taken here", event.start_mark.line + 1)
        if getattr(event, "tag", None) not in (None, "!"):
            raise _Refused(f"the tag {event.tag} is not taken here", event.start_mark.line + 1)
        return super().compose_node(parent, index)


class _Refused(Exception):
    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def parse_yaml(
    text: str, record: type[Record], *, path: str | None = None, error: type[SpecError] = PolicyError
) -> Record:
    """Reads `text` as a `record`.

    Args:
        text: The YAML.
        record: What it describes.
        path: The file's name, for messages.
        error: What is raised, by what kind of file it is.

    Raises:
        PolicyError: (or `error`) With the file's name and line, for broken YAML and for values that do not fit.
    """
    lines: dict[_Location, int] = {}
    try:
        loader = _Composer(text)
        try:
            node = loader.get_single_node()
        finally:
            cast(Any, loader).dispose()
        data = None if node is None else _plain(node, (), lines)
    except _Refused as err:
        raise _error(error, str(err), path, err.line) from None
    except RecursionError:
        raise _error(error, "nested too deeply", path, None) from None
    except yaml.MarkedYAMLError as err:
        line = err.problem_mark.line + 1 if err.problem_mark else None
        raise _error(error, f"not valid YAML: {err.problem}", path, line) from None
    except yaml.YAMLError:
        raise _error(error, "not valid YAML", path, None) from None
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise _error(error, "a list of `key: value` lines is wanted", path, 1)
    try:
        return record.model_validate(data)
    except ValidationError as err:
        location, told = first_misfit(err, data)
        where = ".".join(str(part) for part in location)
        line = _line(location, lines) if location else None
        raise _error(error, f"{where}: {told}" if where else told, path, line) from None


def read_yaml(path: Path, record: type[Record], *, error: type[SpecError] = PolicyError) -> Record:
    """Reads the file at `path` as a `record`.

    Raises:
        PolicyError: (or `error`) The file is missing, unreadable, not UTF-8, not YAML, or not such a record.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as err:
        raise error(f"{path}: cannot be read ({err.strerror})", path=str(path)) from None
    except UnicodeDecodeError:
        raise error(f"{path}: not UTF-8 text", path=str(path)) from None
    return parse_yaml(text, record, path=str(path), error=error)


def write_yaml(record: BaseModel) -> str:
    """YAML text that `parse_yaml` reads back as an equal record; values that are at their default are left out."""
    text: str = yaml.dump(_tagged(_spoken(record)), Dumper=_Writer, sort_keys=False, allow_unicode=True, width=100)
    return text


def _spoken(value: Any) -> Any:
    """Records as mappings of what is not at its default; a tag that tells one record from another is always said."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields.items()
        return {
            name: _spoken(getattr(value, name))
            for name, field in fields
            if (get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1)
            or getattr(value, name) != field.get_default(call_default_factory=True)
        }
    if isinstance(value, Mapping):
        return {str(key): _spoken(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_spoken(item) for item in value]
    return value


class _Writer(yaml.SafeDumper):
    def ignore_aliases(self, _data: object) -> bool:
        return True


class _Flow(dict[str, Any]):
    pass


_Writer.add_representer(
    _Flow, lambda dumper, data: dumper.represent_mapping("tag:yaml.org,2002:map", data, flow_style=True)
)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    # Some line breaks of Unicode come back as others unless they are escaped.
    style = '"' if any(character in text for character in "\r\x85\u2028\u2029") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Writer.add_representer(str, _text)


def _tagged(data: Any) -> Any:
    """A mapping that holds an operator or only plain values is written on one line."""
    if isinstance(data, dict):
        inner = {str(k): _tagged(v) for k, v in data.items()}
        flat = all(not isinstance(v, (dict, list)) or isinstance(v, _Flow) for v in inner.values())
        return _Flow(inner) if "operator" in inner or ("role" in inner and flat) else inner
    if isinstance(data, list):
        return [_tagged(v) for v in data]
    return data


def _plain(node: yaml.Node, at: _Location, lines: dict[_Location, int]) -> Any:
    lines[at] = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        if any("\ud800" <= character <= "\udfff" for character in node.value):
            raise _Refused("half of a surrogate pair is no text", node.start_mark.line + 1)
        is_null = node.style is None and node.value in ("", "~", "null", "Null", "NULL")
        return None if is_null else node.value
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child, (*at, i), lines) for i, child in enumerate(node.value)]
    result: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _Refused("a key must be plain text", key.start_mark.line + 1)
        if key.value in result:
            raise _Refused(f"the key {key.value} stands twice", key.start_mark.line + 1)
        result[key.value] = _plain(value, (*at, key.value), lines)
        lines[(*at, key.value)] = key.start_mark.line + 1
    return result


def _line(location: _Location, lines: dict[_Location, int]) -> int | None:
    """The line of the nearest enclosing thing; pydantic's locations also name union members that YAML has not."""
    found: _Location = ()
    for part in location:
        if (*found, part) in lines:
            found = (*found, part)
    return lines.get(found)


def _error(error: type[SpecError], message: str, path: str | None, line: int | None) -> SpecError:
    where = f"{path}, line {line}: " if path and line else f"line {line}: " if line else f"{path}: " if path else ""
    hint = f"`privkit {_SCHEMAS[error]}` prints what such a file may hold."
    return error(where + message, path=path, line=line, hint=hint)
