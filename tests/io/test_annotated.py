"""Annotated data sets: what is read, that offsets point at what was marked, and how faults are told."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privkit.errors import InputError, UsageError
from privkit.io.annotated import read_annotated, reading, records_annotated
from privkit.io.annotated.joining import joined
from privkit.io.annotated.objects import record_texts
from privkit.io.annotated.tagged import tagged_texts


def written(folder, name, text):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def marked(text):
    return [(text.text[span.start : span.end], span.label) for span in text.spans]


# ---- presidio-research


PRESIDIO = [
    {
        "full_text": "Ask Zoë, not Bo.",
        "masked": "Ask {{name}}, not {{name}}.",
        "spans": [
            {"entity_type": "PERSON", "entity_value": "Bo", "start_position": 13, "end_position": 15},
            {"entity_type": "PERSON", "entity_value": "Zoë", "start_position": 4, "end_position": 7},
        ],
        "template_id": 7,
        "metadata": {"Gender": "f", "Set": ["a"], "Old": True},
    },
    {"full_text": "Nobody.", "spans": [], "template_id": 8, "metadata": None},
]


def test_presidio_research(tmp_path):
    found = read_annotated(written(tmp_path, "a.json", json.dumps(PRESIDIO, ensure_ascii=False)))
    assert (found.format, len(found.texts), len(found.sha256)) == ("presidio", 2, 64)
    assert marked(found.texts[0]) == [("Zoë", "PERSON"), ("Bo", "PERSON")]
    assert found.texts[0].attributes == {"template_id": "7", "Gender": "f", "Old": "true"}
    assert found.texts[1].spans == ()


def test_offsets_that_count_bytes_are_found_out(tmp_path):
    record = json.loads(json.dumps(PRESIDIO[0]))
    record["spans"] = [{"entity_type": "PERSON", "entity_value": "Bo", "start_position": 14, "end_position": 16}]
    with pytest.raises(InputError, match=r"text 1, span 1: `entity_value` is not what stands") as caught:
        read_annotated(written(tmp_path, "a.json", json.dumps([record])))
    assert "Bo" not in str(caught.value)


def test_case_of_a_repeated_value_does_not_matter():
    record = {
        "full_text": "ask bo",
        "spans": [{"entity_type": "PERSON", "entity_value": "Bo", "start_position": 4, "end_position": 6}],
    }
    assert marked(records_annotated([record]).texts[0]) == [("bo", "PERSON")]


# ---- JSON Lines


def test_json_lines(tmp_path):
    lines = [
        {"text": "a Bo", "spans": [{"start": 2, "end": 4, "label": "PER", "attributes": {"origin": "sv"}}], "ward": 3},
        {"text": "none"},
    ]
    text = "\n\n".join(map(json.dumps, lines)) + "\n"
    found = read_annotated(written(tmp_path, "a.jsonl", text))
    assert found.format == "jsonl"
    assert marked(found.texts[0]) == [("Bo", "PER")]
    assert found.texts[0].attributes == {"ward": "3"}
    assert found.texts[0].spans[0].attributes == {"origin": "sv"}
    assert records_annotated(lines).texts == found.texts


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ([], "is not a JSON object"),
        ({"txt": "SECRET"}, "has no text under `text`"),
        ({"text": "SECRET", "spans": {}}, "`spans` is not a list"),
        ({"text": "SECRET", "spans": ["SECRET"]}, "span 1 is not an object"),
        ({"text": "SECRET", "spans": [{"start": 0, "end": 7, "label": "P"}]}, "0 to 7 is no part of a text of 6 char"),
        ({"text": "SECRET", "spans": [{"start": 3, "end": 3, "label": "P"}]}, "3 to 3 is no part"),
        ({"text": "SECRET", "spans": [{"start": -1, "end": 3, "label": "P"}]}, "-1 to 3 is no part"),
        ({"text": "SECRET", "spans": [{"start": True, "end": 3, "label": "P"}]}, "`start` is not a whole number"),
        ({"text": "SECRET", "spans": [{"start": 0, "end": "3", "label": "P"}]}, "`end` is not a whole number"),
        ({"text": "SECRET", "spans": [{"start": 0, "end": 3, "label": " "}]}, "`label` is no text"),
        ({"text": "SECRET", "spans": [{"start": 0, "end": 3}]}, "`label` is no text"),
    ],
)
def test_a_line_that_does_not_fit_is_named_and_not_shown(tmp_path, record, message):
    path = written(tmp_path, "a.jsonl", '{"text": "fine"}\n' + json.dumps(record) + "\n")
    with pytest.raises(InputError) as caught:
        read_annotated(path)
    assert "line 2" in str(caught.value)
    assert message in str(caught.value)
    assert "SECRET" not in f"{caught.value} {caught.value.hint}"


def test_broken_json_is_named_by_its_line(tmp_path):
    with pytest.raises(InputError, match="line 2 is not valid JSON") as caught:
        read_annotated(written(tmp_path, "a.jsonl", '{"text": "a"}\n{"text": "SECRET\n'))
    assert caught.value.row == 2
    assert "SECRET" not in str(caught.value)
    with pytest.raises(InputError, match="line 3 is not valid JSON"):
        read_annotated(written(tmp_path, "b.json", '[\n{"full_text": "a"},\n{SECRET}]'))
    with pytest.raises(InputError, match="a list of objects is wanted"):
        read_annotated(written(tmp_path, "c.json", '"SECRET"'))


# ---- a token a line


@pytest.mark.parametrize(
    ("tags", "chunks"),
    [
        ("B-P I-P O B-P", ["ab", "d"]),  # IOB2
        ("I-P I-P O I-P", ["ab", "d"]),  # IO
        ("I-P B-P I-P O", ["a", "bc"]),  # IOB: B parts neighbours
        ("B-P B-P O O", ["a", "b"]),
        ("B-P I-Q O O", ["a", "b"]),
        ("B-P E-P S-P S-P", ["ab", "c", "d"]),  # BIOES
        ("B-P L-P U-P I-P", ["ab", "c", "d"]),  # BILOU
        ("I-P E-P I-P O", ["ab", "c"]),
        ("O O O O", []),
    ],
)
def test_tag_schemes(tags, chunks):
    lines = "\n".join(f"{token}\t{tag}" for token, tag in zip("abcd", tags.split(), strict=True))
    (text,) = tagged_texts(lines, "x") if "-" in tags else tagged_texts(lines + "\n\nz\tB-P", "x")[:1]
    assert [text.text[s.start : s.end].replace(" ", "") for s in text.spans] == chunks


def test_sentences_documents_and_comments(tmp_path):
    content = (
        "-DOCSTART- -X- O O\n\n"
        "# sent_id = s1\n# origin = fr\n"
        "Zoë NNP B-NP B-PER\r\nspoke VBD B-VP O\n. . O O\n\n\n"
        "# Hash B-NP O\nO NN B-NP O\n"
    )
    found = read_annotated(written(tmp_path, "a.conll", content))
    assert [text.text for text in found.texts] == ["Zoë spoke.", "#O"]
    assert marked(found.texts[0]) == [("Zoë", "PER")]
    assert found.texts[0].attributes == {"sent_id": "s1", "origin": "fr"}


def test_numbered_tokens_and_columns_behind_the_tag(tmp_path):
    content = "# text = Ask  Bo(now).\n" + "".join(
        f"{i}\t{token}\t{tag}\t-\tann\n"
        for i, (token, tag) in enumerate(
            [("Ask", "O"), ("Bo", "B-PER"), ("(", "O"), ("now", "O"), (")", "O"), (".", "O")], 1
        )
    )
    (text,) = read_annotated(written(tmp_path, "a.iob2", content)).texts
    assert text.text == "Ask  Bo(now)."
    assert marked(text) == [("Bo", "PER")]


def test_a_text_in_a_comment_that_the_tokens_do_not_make_is_not_used(tmp_path):
    content = "# text = Something else\nBo\tB-PER\nwent\tO\n"
    (text,) = read_annotated(written(tmp_path, "a.iob2", content)).texts
    assert text.text == "Bo went"


def test_hashtags_are_tokens(tmp_path):
    (text,) = read_annotated(written(tmp_path, "a.conll", "#BREAKING\tO\nBo\tB-PER\n#tag\tB-LOC\n")).texts
    assert marked(text) == [("Bo", "PER"), ("#tag", "LOC")]
    (text,) = read_annotated(written(tmp_path, "b.conll", "#BREAKING O\nBo B-PER\n# a comment\n")).texts
    assert text.text == "#BREAKING Bo"


def test_a_token_that_is_a_space_is_left_out(tmp_path):
    (text,) = read_annotated(written(tmp_path, "a.conll", "Bo\tB-PER\n \tO\nJo\tI-PER\n")).texts
    assert marked(text) == [("Bo Jo", "PER")]
    with pytest.raises(InputError, match="line 2 has no token"):
        read_annotated(written(tmp_path, "b.conll", "Bo\tB-PER\n \tI-PER\n"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("Bo\tB-PER\nSECRET\n", "line 2 has too few columns"),
        ("Bo\tB-PER\nSECRET\tperson\nJo\tO\n", "line 2 has no tag"),
        ("SECRET\nSECRET\n", "line 1 has too few columns"),
        ("SECRET is here\nand SECRET there\n", "line 1 has no tag"),
    ],
)
def test_a_line_without_a_tag_is_named_and_not_shown(tmp_path, content, message):
    with pytest.raises(InputError, match=message) as caught:
        read_annotated(written(tmp_path, "a.conll", content))
    assert "SECRET" not in f"{caught.value} {caught.value.hint}"


# ---- joining


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ("He said , `` Ask Bo ! ''", 'He said, "Ask Bo!"'),
        ('" Ask " " Bo "', '"Ask" "Bo"'),
        ("She 's -LRB- not -RRB- in U.S. .", "She's (not) in U.S.."),
        ("@ bo costs $ 5 : I ca n't", "@bo costs $5: I can't"),
        ("", ""),
    ],
)
def test_spaces_stand_where_english_has_them(tokens, text):
    assert joined(tokens.split())[0] == text


@given(st.lists(st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1, max_size=6), max_size=12))
def test_places_point_at_tokens_and_do_not_overlap(tokens):
    text, places = joined(tokens)
    end = 0
    for token, (start, stop) in zip(tokens, places, strict=True):
        assert text[start:stop] == {"``": '"', "''": '"'}.get(token, token) or token.startswith("-")
        assert text[end:start] in ("", " ")
        end = stop
    assert end == len(text)


@given(st.lists(st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1, max_size=6), max_size=12), st.data())
def test_an_original_text_is_kept_to_the_letter(tokens, data):
    text = "".join(token + data.draw(st.sampled_from(["", " ", "  "])) for token in tokens)
    found, places = joined(tokens, text)
    assert found == text
    assert [text[start:end] for start, end in places] == tokens


# ---- which form it is


@pytest.mark.parametrize(
    ("name", "content", "format"),
    [
        ("a.json", '[{"full_text": "a"}]', "presidio"),
        ("a.json", '{"text": "a"}\n{"text": "b"}', "jsonl"),
        ("a.data", '\ufeff [ {"full_text": "a"}]', "presidio"),
        ("a.data", '{"full_text": "a"}', "jsonl"),
        ("a.ndjson", '{"text": "a"}', "jsonl"),
        ("a.txt", "[\tO\nBo\tB-PER", "iob"),
        ("a.BIO", "Bo\tB-PER", "iob"),
    ],
)
def test_the_form_is_told(tmp_path, name, content, format):
    assert read_annotated(written(tmp_path, name, content)).format == format


def test_a_form_that_is_said_is_believed(tmp_path):
    path = written(tmp_path, "a.json", "Bo\tB-PER")
    assert read_annotated(path, format="iob").format == "iob"
    with pytest.raises(InputError, match="not valid JSON"):
        read_annotated(path)


def test_what_cannot_be_read(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="cannot be read"):
        read_annotated(tmp_path / "missing.json")
    with pytest.raises(InputError, match="is empty"):
        read_annotated(written(tmp_path, "a.jsonl", " \n"))
    with pytest.raises(InputError, match="holds no text"):
        read_annotated(written(tmp_path, "a.json", "[]"))
    with pytest.raises(InputError, match="not UTF-8 text at byte 1"):
        read_annotated(written(tmp_path, "a.conll", b"B\xff\tO\n"))
    with pytest.raises(InputError, match="a NUL character"):
        read_annotated(written(tmp_path, "a.conll", b"B\0\tO\n"))
    assert read_annotated(written(tmp_path, "b.conll", b"Zo\xeb\tB-P\n"), encoding="cp1252").texts[0].text == "Zoë"
    with pytest.raises(UsageError, match="unknown encoding"):
        read_annotated(written(tmp_path, "b.conll", b"Zo"), encoding="base64")
    with pytest.raises(InputError, match="there is no record"):
        records_annotated([])
    monkeypatch.setattr(reading, "MOST_BYTES", 4)
    with pytest.raises(InputError, match="is larger than"):
        read_annotated(written(tmp_path, "a.jsonl", '{"text": "a"}'))


def test_the_hash_is_that_of_the_bytes(tmp_path):
    one, other = (written(tmp_path, name, "Bo\tB-PER\n" + end) for name, end in (("a.iob", ""), ("b.iob", "\n")))
    assert read_annotated(one).sha256 != read_annotated(other).sha256
    assert read_annotated(one).sha256 == read_annotated(Path(one)).sha256


# ---- whatever is written is read


words = st.text(st.characters(exclude_categories=["Z", "C"], exclude_characters="#"), min_size=1, max_size=5)
chunks = st.lists(st.tuples(st.sampled_from(["PER", "LOC", None]), st.integers(1, 3)), min_size=1, max_size=8)


@given(st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.data()), max_size=4))
def test_json_lines_give_back_what_was_marked(drawn):
    records = [{"text": "never empty", "spans": []}]
    for text, data in drawn:
        ends = data.draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=2, unique=True).map(sorted))
        records.append({"text": text, "spans": [{"start": ends[0], "end": ends[1], "label": "PER"}]})
    found = record_texts("\n".join(map(json.dumps, records)), "x")
    assert [text.text for text in found] == [record["text"] for record in records]
    for text, record in zip(found, records, strict=True):
        assert [(s.start, s.end, s.label) for s in text.spans] == [
            (s["start"], s["end"], s["label"]) for s in record["spans"]
        ]


@given(chunks, st.data(), st.sampled_from(["IOB2", "BIOES"]))
def test_tags_give_back_what_was_marked(drawn, data, scheme):
    lines, wanted = [], []
    for label, length in drawn:
        tokens = [data.draw(words) for _ in range(length)]
        for place, token in enumerate(tokens):
            prefix = "B" if place == 0 else "I"
            if scheme == "BIOES" and place == length - 1:
                prefix = "S" if length == 1 else "E"
            lines.append(f"{token}\t{'O' if label is None else f'{prefix}-{label}'}")
        if label is not None:
            wanted.append(("".join(_unescaped(token) for token in tokens), label))
    (text,) = tagged_texts("\n".join(lines), "x")
    assert [(text.text[s.start : s.end].replace(" ", ""), s.label) for s in text.spans] == wanted


def _unescaped(token):
    return {"``": '"', "''": '"'}.get(token, token)
