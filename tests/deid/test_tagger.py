"""The tagger: words, the network against a plain one, spans, and the file that comes with the package."""

from __future__ import annotations

import dataclasses
import io
import lzma

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry

from privkit.deid.recognizers.language import WordsEngine
from privkit.deid.recognizers.tagger import network
from privkit.deid.recognizers.tagger.decode import LABELS, TAGS, decode
from privkit.deid.recognizers.tagger.network import REACH, WIDTH, Network
from privkit.deid.recognizers.tagger.recognizer import TaggerRecognizer
from privkit.deid.recognizers.tagger.words import CHANCES, CLUSTERS, FLAGS, NGRAM_ROWS, ROWS, Words, words_of
from privkit.deid.recognizers.weights import TAGGER
from privkit.errors import DetectorError

ANY_TEXT = st.text(
    st.one_of(
        st.characters(exclude_categories=("Cs",)), st.sampled_from(list(" \n\t.,'’-_@#")), st.sampled_from("aZ9é")
    ),
    max_size=80,
)


@pytest.fixture(scope="module")
def tagger() -> TaggerRecognizer:
    return TaggerRecognizer()


def found(tagger: TaggerRecognizer, text: str) -> list[tuple[str, str]]:
    return [(finding.entity, text[finding.start : finding.end]) for finding in tagger.find_all([text])[0]]


# Words


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("Dr. O'Neil didn't see John's.", ["Dr", ".", "O'Neil", "did", "n't", "see", "John", "'s", "."]),
        ("user=jane_doe@x", ["user", "=", "jane", "_", "doe", "@", "x"]),
        ("12-14 Elm St,\n\nSW1A 1AA", ["12", "-", "14", "Elm", "St", ",", "\n\n", "SW1A", "1AA"]),
        ("a\tb  c\n d", ["a", "\t", "b", "\t", "c", "\n", "d"]),
        ("J.R.R. Tolkien l’Oréal", ["J.R.R.", "Tolkien", "l’Oréal"]),
        ("Zoe\u0308 Mu\u0308ller", ["Zoe\u0308", "Mu\u0308ller"]),
        ("'s", ["'", "s"]),
        ("", []),
        (" ", []),
    ],
)
def test_words(text: str, forms: list[str]) -> None:
    assert words_of(text).forms == forms


@given(ANY_TEXT)
@settings(max_examples=300, deadline=None)
def test_words_cover_a_text_but_for_blanks(text: str) -> None:
    words = words_of(text)
    assert len(words.forms) == len(words.starts) == len(words.ends)
    at = 0
    for form, start, end in zip(words.forms, words.starts, words.ends, strict=True):
        assert start >= at
        assert end > start
        assert not text[at:start].strip()
        if not form.isspace():
            assert text[start:end] == form
        at = end
    assert not text[at:].strip()


# The network


def made(seed: int = 0) -> bytes:
    """A file as `training/pack.py` writes it, with parameters drawn at random and few known words."""
    rng = np.random.default_rng(seed)
    draw = lambda *shape: rng.normal(0, 0.2, shape).astype(np.float16)  # noqa: E731
    arrays: dict[str, np.ndarray] = {"projection": draw(WIDTH, 8), "titled": draw(WIDTH, 8)}
    tables = {**{f"hashed{i}": (rows, WIDTH) for i, rows in enumerate(ROWS)}, "ngrams": (NGRAM_ROWS, 4)}
    tables |= {"vectors": (4, 8), "clustered": (CLUSTERS, 4)}
    for name, shape in tables.items():
        arrays[name] = packed(rng.integers(-127, 128, shape).astype(np.int8))
        arrays[f"{name}.scale"] = rng.random(shape[0]).astype(np.float32) / 100
    inputs = {"mixer": 6 * WIDTH + 4 + 4 + CHANCES + FLAGS, **{f"block{i}": 3 * WIDTH for i in range(len(REACH))}}
    for name, size in inputs.items():
        arrays |= {f"{name}.W": draw(3 * WIDTH, size), f"{name}.b": draw(3 * WIDTH)}
        arrays |= {f"{name}.gain": draw(WIDTH), f"{name}.shift": draw(WIDTH)}
    arrays |= {"global": draw(3 * WIDTH, 2 * WIDTH), "head.W": draw(len(TAGS), WIDTH), "head.b": draw(len(TAGS))}
    arrays["forms"] = packed(np.frombuffer("\n".join(["ann", "Ann", "ANN", "leeds"]).encode(), np.uint8))
    arrays["rows"] = packed(np.array([1, 2, 0, 3], np.uint16))
    arrays["chances"] = packed(np.array([0, 150, 30, 90], np.uint8))
    arrays["clusters"] = packed(np.array([0, 7, 0, 9], np.uint16))
    arrays["gazetteer"] = packed(np.frombuffer("\n".join(["ann", "leeds"]).encode(), np.uint8))
    arrays["bits"] = packed(np.array([3, 64], np.uint16))
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def packed(array: np.ndarray) -> np.ndarray:
    return np.frombuffer(lzma.compress(array.tobytes()), np.uint8)


def plain(content: bytes, forms: list[str]) -> np.ndarray:
    """The same network, word by word, as the module's docstring states it."""
    arrays = dict(np.load(io.BytesIO(content)))
    net = Network(content)
    f = net._lexicon.features(forms)

    def table(name: str) -> np.ndarray:
        scale = arrays[f"{name}.scale"]
        return np.frombuffer(lzma.decompress(arrays[name].tobytes()), np.int8).reshape(len(scale), -1) * scale[:, None]

    def maxout(name: str, x: np.ndarray, more: np.ndarray | float = 0.0) -> np.ndarray:
        w, b, gain, shift = (arrays[f"{name}.{each}"].astype(float) for each in ("W", "b", "gain", "shift"))
        best = (w @ x + b + more).reshape(3, WIDTH).max(axis=0)
        return (best - best.mean()) / np.sqrt(best.var() + 1e-8) * gain + shift

    x = []
    for i in range(len(forms)):
        rows = [row for row in f.ngrams[i] if row]
        grams = table("ngrams")[rows].sum(axis=0) / max(len(rows), 1) ** 0.5 if rows else np.zeros(4)
        parts = [table(f"hashed{k}")[f.hashed[i, k]].sum(axis=0) for k in range(4)]
        parts += [arrays["projection"].astype(float) @ table("vectors")[f.exact[i]]]
        parts += [arrays["titled"].astype(float) @ table("vectors")[f.titled[i]]]
        parts += [grams, table("clustered")[f.clusters[i]], f.chances[i], f.flags[i]]
        x.append(maxout("mixer", np.concatenate(parts)))
    for k, reach in enumerate(REACH):
        whole = np.concatenate([np.mean(x, axis=0), np.max(x, axis=0)])
        more = arrays["global"].astype(float) @ whole if k == len(REACH) - 1 else 0.0
        at = lambda i, x=x: x[i] if 0 <= i < len(x) else np.zeros(WIDTH)  # noqa: E731
        x = [
            x[i] + maxout(f"block{k}", np.concatenate([at(i - reach), x[i], at(i + reach)]), more)
            for i in range(len(x))
        ]
    scores = np.array(x) @ arrays["head.W"].astype(float).T + arrays["head.b"]
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def test_the_network_computes_what_its_docstring_says() -> None:
    content = made()
    forms = words_of("Ann met ANN and ann of Leeds, leeds.\nNobody else's 12-b!").forms
    got = Network(content).probabilities([Words(forms, [], [])])
    np.testing.assert_allclose(got, plain(content, forms), atol=2e-5)
    # Not a flat thing that any mistake would pass.
    assert np.ptp(got, axis=0).max() > 0.05


def test_a_text_is_read_alike_alone_and_among_others() -> None:
    net = Network(made(1))
    texts = [words_of(t) for t in ("Ann", "", "of Leeds and so on, and on", "\n", "x y z " * 40)]
    together = net.probabilities(texts)
    alone = [net.probabilities([text]) for text in texts]
    np.testing.assert_allclose(together, np.concatenate(alone), atol=1e-5)
    assert len(together) == sum(len(text.forms) for text in texts)


def test_a_long_text_is_read_in_pieces_that_see_their_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    content = made(2)
    arrays = dict(np.load(io.BytesIO(content)))
    # Without what is seen of the whole text, pieces and the whole must agree to the word.
    arrays["global"] = np.zeros_like(arrays["global"])
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    net = Network(stream.getvalue())
    text = words_of(" ".join(f"Ann{i % 13} of Leeds{i % 7}," for i in range(60)))
    whole = net.probabilities([text])
    monkeypatch.setattr(network, "_BATCH", 23)
    np.testing.assert_allclose(net.probabilities([text, words_of("x")])[: len(whole)], whole, atol=1e-5)
    monkeypatch.setattr(network, "REACH", (0,) * 4 + (3,))
    with pytest.raises(AssertionError):
        net.probabilities([text])


def test_words_are_forgotten_when_they_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    net = Network(made(3))
    texts = [words_of(f"word{i} and word{i + 1}") for i in range(40)]
    first = net.probabilities(texts)
    monkeypatch.setattr(network, "_MOST_WORDS", 5)
    for text, want in zip(texts, np.split(first, 40), strict=True):
        np.testing.assert_allclose(net.probabilities([text]), want, atol=1e-5)
    assert len(net._rows) < 12


# Spans


def tags(*words: str) -> np.ndarray:
    """Probabilities from words such as "B-PERSON:.9" or "O"."""
    rows = []
    for word in words:
        tag, _, share = word.partition(":")
        row = np.zeros(len(TAGS), np.float32)
        row[0] = 1.0
        if tag != "O":
            row[TAGS.index(tag)] = float(share)
            row[0] = 1 - float(share)
        rows.append(row)
    return np.array(rows)


@pytest.mark.parametrize(
    ("text", "given_tags", "spans"),
    [
        ("call Ann Meyer now", ["O", "B-PERSON:.9", "I-PERSON:.8", "O"], [("Ann Meyer", "PERSON")]),
        ("Ann Bob", ["B-PERSON:.9", "B-PERSON:.9"], [("Ann", "PERSON"), ("Bob", "PERSON")]),
        ("Ann Leeds", ["B-PERSON:.9", "I-LOCATION:.9"], [("Ann", "PERSON"), ("Leeds", "LOCATION")]),
        ("Ann Leeds", ["B-PERSON:.9", "I-LOCATION:.5"], [("Ann Leeds", "PERSON")]),
        ("Ann Leeds", ["B-PERSON:.3", "I-PERSON:.39"], []),
        ("(Ann)", ["I-PERSON:.5", "B-PERSON:.9", "I-PERSON:.5"], [("Ann", "PERSON")]),
        ("Ann M.", ["B-PERSON:.9", "I-PERSON:.9", "I-PERSON:.9"], [("Ann M.", "PERSON")]),
        ("9 Elm Rd", ["B-ADDRESS:.25", "I-ADDRESS:.9", "I-ADDRESS:.25"], [("9 Elm Rd", "ADDRESS")]),
        ("9 Elm Rd", ["B-PERSON:.25", "I-PERSON:.9", "I-PERSON:.25"], [("Elm", "PERSON")]),
        ("9 Elm,\nYork", ["B-ADDRESS:.9", "I-ADDRESS:.9", "O", "O", "B-ADDRESS:.9"], [("9 Elm,\nYork", "ADDRESS")]),
        ("of the", ["B-ORG:.9", "I-ORG:.9"], []),
        (".", ["B-PERSON:.9"], []),
    ],
)
def test_decoding(text: str, given_tags: list[str], spans: list[tuple[str, str]]) -> None:
    got = decode([words_of(text)], tags(*given_tags), 0.4)[0]
    assert [(text[each.start : each.end], each.label) for each in got] == spans
    assert all(0 <= each.score <= 1 for each in got)


@given(st.lists(ANY_TEXT, max_size=4), st.integers(0, 2**32 - 1), st.sampled_from([0.2, 0.4, 0.7]))
@settings(max_examples=150, deadline=None)
def test_spans_lie_in_their_text_and_in_order(texts: list[str], seed: int, threshold: float) -> None:
    words = [words_of(text) for text in texts]
    count = sum(len(each.forms) for each in words)
    chances = np.random.default_rng(seed).dirichlet(np.full(len(TAGS), 0.2), count).astype(np.float32)
    results = decode(words, chances.reshape(count, len(TAGS)), threshold)
    assert len(results) == len(texts)
    for text, spans in zip(texts, results, strict=True):
        at = 0
        for span in spans:
            assert at <= span.start < span.end <= len(text)
            assert span.label in LABELS
            at = span.end


# The file that comes with the package


def test_the_file_is_small_and_the_one_that_was_tested() -> None:
    assert TAGGER.bundled
    TAGGER.check()
    assert (TAGGER.folder() / TAGGER.main).stat().st_size <= 8_000_000


def test_an_altered_file_is_refused() -> None:
    with pytest.raises(DetectorError, match="privkit-tagger is not what was tested") as caught:
        TaggerRecognizer(weights=dataclasses.replace(TAGGER, files={TAGGER.main: "0" * 64}))
    assert caught.value.hint == "pip install --force-reinstall --no-deps privkit-toolkit"


def test_names_and_places_in_texts_of_several_kinds(tagger: TaggerRecognizer) -> None:
    assert ("PERSON", "Fatima Okafor") in found(tagger, "Please ask Fatima Okafor to call back before noon.")
    assert ("PERSON", "Nguyen") in found(tagger, "Seen by Dr. Nguyen, who advised rest.")
    assert ("PERSON", "priya raghunathan") in found(tagger, "hi this is priya raghunathan, my order never came")
    assert ("LOCATION", "Leeds") in found(tagger, "She moved to Leeds last year.")
    address = "12 Maple Avenue, Apt 4B, Springfield, IL 62704"
    parts = [part for entity, part in found(tagger, f"Send it to {address} please.") if entity == "LOCATION"]
    assert sum(map(len, parts)) >= len(address) - len(parts) * 2


def test_what_names_nobody_stays(tagger: TaggerRecognizer) -> None:
    for text in (
        "Licensed in 2019, renewed every other year.",
        "The meeting is in room 214 on the second floor.",
        "Chapter 7 explains the invoice in detail.",
        "It may rain in the morning, but the street will be dry.",
        "Ticket 88213 was closed without a reply.",
        "The total was $1,204.50 including tax.",
    ):
        assert found(tagger, text) == [], text


def test_a_presidio_user_can_take_it(tagger: TaggerRecognizer) -> None:
    registry = RecognizerRegistry([tagger])
    engine = AnalyzerEngine(registry, WordsEngine("en"), supported_languages=["en"])
    text = "Fatima Okafor moved to Leeds."
    assert {(r.entity_type, text[r.start : r.end]) for r in engine.analyze(text, "en")} == {
        ("PERSON", "Fatima Okafor"),
        ("LOCATION", "Leeds"),
    }
    assert [r.entity_type for r in engine.analyze(text, "en", entities=["PERSON"])] == ["PERSON"]


def test_odd_texts_are_no_trouble(tagger: TaggerRecognizer) -> None:
    odd = ["", " \n\t", "\x00" * 40, "🙂" * 50, "\ud83d", "a" * 100_000, "Ann " * 20_000, "\u202eAnn\u202c", "İ" * 60]
    results = tagger.find_all(odd)
    assert len(results) == len(odd)
    assert all(0 <= f.start < f.end <= len(text) for text, each in zip(odd, results, strict=True) for f in each)


def test_a_lower_threshold_finds_no_less(tagger: TaggerRecognizer) -> None:
    low = TaggerRecognizer(threshold=0.2)
    texts = [
        f"{a} {b} {c}" for a in ("ask", "for", "see") for b in ("rose", "Grant", "okoro", "May") for c in ("now", "?")
    ]

    def covered(each: TaggerRecognizer) -> int:
        return sum(f.end - f.start for found in each.find_all(texts) for f in found)

    assert covered(low) > covered(tagger)
