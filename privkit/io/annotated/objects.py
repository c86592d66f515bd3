"""Texts with character spans as JSON: presidio-research's file of objects, and JSON Lines.

presidio-research   [{"full_text": …, "spans": [{"entity_type": …, "start_position": 0, "end_position": 4}],
                      "template_id": 3, "metadata": {…}}, …]
JSON Lines          {"text": …, "spans": [{"start": 0, "end": 4, "label": …, "attributes": {…}}], "any": "attribute"}

A line of JSON Lines may be an object of presidio-research as well. Offsets count characters (code points), not bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from privkit.errors import InputError
from privkit.model.annotated import AnnotatedSpan, AnnotatedText

_OFFSETS = "Offsets count characters from 0, and `end` is one past the last."


class _Keys(NamedTuple):
    """What a form calls its parts."""

    text: str
    start: str
    end: str
    label: str


_PRESIDIO = _Keys("full_text", "start_position", "end_position", "entity_type")
_PLAIN = _Keys("text", "start", "end", "label")
_NO_ATTRIBUTES = {"full_text", "text", "spans", "masked", "metadata", "tokens", "tags", "create_tags_from_span"}


def presidio_texts(text: str, name: str) -> list[AnnotatedText]:
    """The texts of a file of presidio-research.

    Raises:
        InputError: It is no JSON, no list, or an object in it does not fit.
    """
    try:
        found = orjson.loads(text)
    except json.JSONDecodeError as err:
        raise InputError(
            f"{name}: line {err.lineno} is not valid JSON",
            path=name,
            hint="Is it one object a line? Then say --format jsonl. A token a line? --format iob.",
        ) from None
    if not isinstance(found, list):
        raise InputError(f"{name}: a list of objects is wanted", path=name, hint="See --format.")
    return [record_text(record, name, f"text {number}") for number, record in enumerate(found, 1)]


def record_texts(text: str, name: str) -> list[AnnotatedText]:
    """The texts of a file of JSON Lines; blank lines are passed over.

    Raises:
        InputError: A line is no JSON object, or does not fit; with its number.
    """
    texts = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line or line.isspace():
            continue
        try:
            record = orjson.loads(line)
        except json.JSONDecodeError:  # its message may quote the line
            hint = "JSON Lines has one object on each line. For a list of objects say --format presidio."
            raise InputError(f"{name}: line {number} is not valid JSON", path=name, row=number, hint=hint) from None
        texts.append(record_text(record, name, f"line {number}"))
    return texts


def record_text(record: object, name: str, where: str) -> AnnotatedText:
    """One object as a text with its spans.

    Args:
        record: The object.
        name: The file, for messages; empty for records that came from none.
        where: Which one it is, for messages.

    Raises:
        InputError: It does not fit; the message names keys and numbers, never a value.
    """
    place = f"{name}: {where}" if name else where
    if not isinstance(record, Mapping):
        raise InputError(f"{place} is not a JSON object", path=name or None)
    keys = _PRESIDIO if _PRESIDIO.text in record else _PLAIN
    text, spans = record.get(keys.text), record.get("spans")
    if not isinstance(text, str):
        raise InputError(f"{place} has no text under `{keys.text}`", path=name or None, hint="See --format.")
    if spans is None:
        spans = []
    if not isinstance(spans, (list, tuple)):
        raise InputError(f"{place}: `spans` is not a list", path=name or None)
    found = [_span(span, keys, len(text), f"{place}, span {number}", name) for number, span in enumerate(spans, 1)]
    value = [span.get("entity_value") for span in spans]
    _check_values(text, found, value, place, name)
    metadata = record.get("metadata")
    given = {key: value for key, value in record.items() if key not in _NO_ATTRIBUTES}
    if isinstance(metadata, Mapping):
        given |= metadata
    return AnnotatedText(text, tuple(sorted(found, key=_order)), _attributes(given))


def _span(span: object, keys: _Keys, length: int, place: str, name: str) -> AnnotatedSpan:
    if not isinstance(span, Mapping):
        raise InputError(f"{place} is not an object", path=name or None)
    start, end, label = span.get(keys.start), span.get(keys.end), span.get(keys.label)
    for key, number in ((keys.start, start), (keys.end, end)):
        if not isinstance(number, int) or isinstance(number, bool):
            raise InputError(f"{place}: `{key}` is not a whole number", path=name or None, hint=_OFFSETS)
    if not isinstance(label, str) or not label.strip():
        raise InputError(f"{place}: `{keys.label}` is no text", path=name or None)
    assert isinstance(start, int)
    assert isinstance(end, int)
    if not 0 <= start < end <= length:
        raise InputError(
            f"{place}: {start} to {end} is no part of a text of {length} characters", path=name or None, hint=_OFFSETS
        )
    attributes = span.get("attributes")
    return AnnotatedSpan(start, end, label.strip(), _attributes(attributes if isinstance(attributes, Mapping) else {}))


def _check_values(text: str, spans: list[AnnotatedSpan], values: list[object], place: str, name: str) -> None:
    """Offsets that count bytes, or UTF-16, point beside what they mean: a file that repeats the values shows it."""
    for number, (span, value) in enumerate(zip(spans, values, strict=True), 1):
        if isinstance(value, str) and text[span.start : span.end].casefold() != value.casefold():
            raise InputError(
                f"{place}, span {number}: `entity_value` is not what stands at its offsets",
                path=name or None,
                hint=_OFFSETS,
            )


def _attributes(given: Mapping[Any, object]) -> dict[str, str]:
    """What can name a group: texts, whole numbers, yes and no."""
    found = {}
    for key, value in given.items():
        if isinstance(value, bool):
            found[str(key)] = "true" if value else "false"
        elif isinstance(value, (str, int)):
            found[str(key)] = str(value)
    return found


def _order(span: AnnotatedSpan) -> tuple[int, int, str]:
    return span.start, span.end, span.label
