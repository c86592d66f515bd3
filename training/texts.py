"""Annotated texts for training: templates filled with values, and corpora with changes that keep their labels true."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from values import HERE, Names, Values, lines

from privkit.deid.recognizers.tagger.decode import TAGS
from privkit.deid.recognizers.tagger.words import words_of

_TAG = {tag: i for i, tag in enumerate(TAGS)}
_SLOT = re.compile(r"\{([A-Z0-9]+)\}")
_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_KINDS = {
    **dict.fromkeys(("PER", "PERSON", "person", "Person"), "PERSON"),
    **dict.fromkeys(("LOC", "LOCATION", "location", "geo-loc", "GPE"), "LOCATION"),
    **dict.fromkeys(("ORG", "corporation", "group", "ORGANIZATION"), "ORG"),
}
_NO_BLANK_BEFORE = set(".,;:!?)]}%'’”") | {"'s", "n't", "'re", "'ve", "'ll", "'d", "'m", "''", "...", "’s", "n’t"}
_NO_BLANK_AFTER = set("([{$#“‘@") | {"``"}
_MONTH = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec"
_DATE = re.compile(
    rf"\b\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?(?:{_MONTH})[a-z]*\b|\b(?:{_MONTH})[a-z]*\.?\s+\d{{1,4}}\b"
    r"|\b\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}\b"
)


class Text(NamedTuple):
    """A text and its spans (start, end, label)."""

    text: str
    spans: list[tuple[int, int, str]]


class Example(NamedTuple):
    """What the training reads: words, the number of each word's tag, and 0 where nobody knows it."""

    forms: list[str]
    tags: list[int]
    weights: list[float]


class Templates:
    """Texts from templates.

    Args:
        names: Where names come from.
        random_: Where choices come from.
        languages: Languages and their shares.
    """

    def __init__(self, names: Names, random_: random.Random, languages: dict[str, float]) -> None:
        self._random = random_
        self._languages = languages
        self._values = {language: Values(names, language, random_) for language in languages}
        self._templates = {
            language: [line for path in sorted((HERE / "templates" / language).glob("*.txt")) for line in lines(path)]
            for language in languages
        }

    def one(self) -> Text:
        """One text."""
        language = self._random.choices(list(self._languages), list(self._languages.values()))[0]
        template = self._random.choice(self._templates[language])
        text = self._fill(template, self._values[language])
        share = self._random.random()
        if share < 0.11:
            return changed_case(text, str.lower)
        if share < 0.19:
            return changed_case(text, str.upper)
        if share < 0.22:
            return Text(text.text.replace("\n", " "), text.spans)
        if share < 0.25:
            return Text(text.text.replace(".", " ").replace(",", " "), text.spans)
        if share < 0.27:
            title = re.sub(r"\b[a-z](?=[a-z])", lambda m: m.group().upper(), text.text)
            return Text(title, text.spans)
        return text

    def _fill(self, template: str, values: Values) -> Text:
        template = template.replace("\\n", "\n").replace("\\t", "\t")
        for _ in range(30):
            chosen = _CHOICE.sub(lambda match: self._random.choice(match.group(1).split("|")), template)
            if chosen == template:
                break
            template = chosen
        out: list[str] = []
        people: list[tuple[str, str]] = []
        spans, length, at = [], 0, 0
        for match in _SLOT.finditer(template):
            before = template[at : match.start()]
            at = match.end()
            slot = match.group(1)
            if slot in values.persons:
                # A text mostly speaks of one person again by a part of the name.
                again = people and slot in ("FN", "LN", "NI") and self._random.random() < 0.5
                people.append(people[-1] if again else values.names.pair(values.language))
                label, value = "PERSON", values.persons[slot](people[-1]).strip()
            else:
                label, make = values.slots[slot]
                value = str(make()).strip()
            out += [before, value]
            if label is not None and value:
                spans.append((length + len(before), length + len(before) + len(value), label))
            length += len(before) + len(value)
        out.append(template[at:])
        return Text("".join(out), spans)


def changed_case(text: Text, change: object) -> Text:
    """The text in another case; as it is, where that would move its characters."""
    changed = change(text.text)  # type: ignore[operator]
    return Text(changed, text.spans) if len(changed) == len(text.text) else text


class Corpus:
    """Texts of annotated corpora.

    Args:
        texts: What was read.
        names: Where names come from that replace the corpus's own.
        values: Where places come from.
        random_: Where choices come from.
    """

    def __init__(self, texts: Sequence[Text], values: Values, random_: random.Random) -> None:
        self._texts, self._values, self._random = texts, values, random_

    def epoch(self) -> Iterable[Text]:
        """Every text once: some with other names and places, some in another case, some with the next one behind it."""
        held: Text | None = None
        for text in self._texts:
            share = self._random.random()
            if self._random.random() < 0.5:
                text = self._swapped(text)
            if share < 0.10:
                text = changed_case(text, str.lower)
            elif share < 0.16:
                text = changed_case(text, str.upper)
            elif share > 0.75 and held is None:
                held = text
                continue
            if held is not None:
                between = self._random.choice([" ", " ", "\n"])
                shift = len(held.text) + len(between)
                moved = [(a + shift, b + shift, label) for a, b, label in text.spans]
                text, held = Text(held.text + between + text.text, held.spans + moved), None
            yield text

    def _swapped(self, text: Text) -> Text:
        out, spans, at, length = [], [], 0, 0
        for start, end, label in sorted(text.spans):
            if start < at:
                return text
            value = text.text[start:end]
            if label == "PERSON":
                new = (
                    self._values.name()
                    if " " in value
                    else self._random.choice((self._values.given, self._values.surname))()
                )
            elif label == "LOCATION" and self._random.random() < 0.5:
                new = self._values.city()
            else:
                new = value
            new = new.lower() if value.islower() else new
            out += [text.text[at:start], new]
            length += start - at
            spans.append((length, length + len(new), label))
            length += len(new)
            at = end
        return Text("".join([*out, text.text[at:]]), spans)


def read_iob(path: Path, *, token: int = 0, tag: int = -1, tabs: bool = False) -> list[Text]:
    """A corpus with a token a line, joined into texts again; tags of other kinds are left out."""
    texts, words, tags = [], [], []
    for line in [*path.read_text(encoding="utf-8", errors="replace").splitlines(), ""]:
        if line.startswith("# ") and tabs:
            continue
        if not line.strip() or line.startswith("-DOCSTART-"):
            if words:
                texts.append(_joined(words, tags))
            words, tags = [], []
            continue
        cells = line.split("\t") if tabs else line.split()
        if len(cells) > 1:
            words.append(cells[token])
            tags.append(cells[tag])
    return texts


def _joined(words: Sequence[str], tags: Sequence[str]) -> Text:
    text, spans, current, before = "", [], None, ""
    for word, tag in zip(words, tags, strict=True):
        blank = "" if not text or word in _NO_BLANK_BEFORE or before in _NO_BLANK_AFTER else " "
        start = len(text) + len(blank)
        text += blank + word
        label = _KINDS.get(tag[2:]) if tag != "O" else None
        if label is None:
            current = None
        elif tag[0] == "I" and current is not None and current[2] == label:
            current[1] = len(text)
        else:
            current = [start, len(text), label]
            spans.append(current)
        before = word
    # User names are not names of persons here: rules find them where they are.
    kept = [(a, b, label) for a, b, label in spans if not (text[a] == "@" or (a and text[a - 1] == "@"))]
    return Text(text, kept)


def example(text: Text, *, dated: bool) -> Example | None:
    """The words of a text with their tags.

    Args:
        text: A text.
        dated: Whether its dates are annotated; where not, what looks like one weighs nothing.
    """
    words = words_of(text.text)
    count = len(words.forms)
    if not count:
        return None
    tags, weights = [0] * count, [1.0] * count
    for start, end, label in text.spans:
        first = True
        for i in range(count):
            if words.starts[i] < end and words.ends[i] > start and not words.forms[i].isspace():
                tags[i] = _TAG[("B-" if first else "I-") + label]
                first = False
    if not dated:
        for match in _DATE.finditer(text.text):
            for i in range(count):
                if words.starts[i] < match.end() and words.ends[i] > match.start() and not tags[i]:
                    weights[i] = 0.0
    return Example(words.forms, tags, weights)
