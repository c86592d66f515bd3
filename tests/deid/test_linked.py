"""Linked detection: a row's identifiers in its texts, found without any model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import privkit
from privkit.deid.linked import linked_findings, terms_of


def found(text, value, entity="PERSON"):
    return {text[f.start : f.end] for f in linked_findings(text, terms_of(value, entity))}


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("Okonkwo came late", "Adaeze Okonkwo", {"Okonkwo"}),
        ("saw OKONKWO, then okonkwo's wife", "Adaeze Okonkwo", {"OKONKWO", "okonkwo"}),
        ("Mrs Smith-Jones and Jones", "Anna Smith-Jones", {"Smith-Jones", "Smith", "Jones"}),
        ("the Smithsonian is not a person", "John Smith", set()),
        ("Li was here; li was not", "Li", {"Li"}),
        ("de la Cruz rang", "Juan de la Cruz", {"de la Cruz"[6:]}),
        ("O'Brien left", "Pat O'Brien", {"O'Brien"}),
        ("José and JOSÉ", "José Álvarez", {"José", "JOSÉ"}),
        ("Jose\u0301 came", "José", {"Jose\u0301"}),
        ("患者李明来院", "李明", {"李明"}),
        ("Von der Schule, der Mann", "Karl von der Heide", set()),
        ("", "Anna", set()),
        ("İstanbul Anna", "Anna", {"Anna"}),
    ],
)
def test_names(text, value, expected):
    assert found(text, value) == expected


@pytest.mark.parametrize(
    ("text", "value", "entity", "expected"),
    [
        ("call (555) 123-4567 now", "555.123.4567", "PHONE_NUMBER", {"(555) 123-4567"}),
        ("ssn 123456789.", "123-45-6789", "US_SSN", {"123456789"}),
        ("amount 91234567890", "123-45-6789", "US_SSN", set()),
        ("mail ANNA@X.ORG today", "anna@x.org", "EMAIL_ADDRESS", {"ANNA@X.ORG"}),
        ("record 12 of 12", "12", "ID", set()),
        ("record MRN-0042a", "MRN-0042a", "ID", {"MRN-0042a"}),
        ("no parts of other entities: Anna", "Anna Berg", "ID", set()),
    ],
)
def test_other_identifiers(text, value, entity, expected):
    assert found(text, value, entity) == expected


words = st.text(alphabet=st.characters(categories=["Lu", "Ll", "Lo"]), min_size=3, max_size=12)


@given(before=st.text(max_size=20), name=words, after=st.text(max_size=20), fold=st.sampled_from([str, str.upper]))
def test_a_name_between_spaces_is_always_found(before, name, after, fold):
    written = fold(name)
    if written.lower() != name.lower():
        return  # letters whose upper case is another word (ß → SS) are compared as they are written
    text = f"{before} {written} {after}"
    place = len(before) + 1
    if terms_of(name, "PERSON"):
        hits = linked_findings(text, terms_of(name, "PERSON"))
        assert any(f.start <= place and f.end >= place + len(written) for f in hits)


@given(text=st.text(max_size=60), value=st.text(max_size=12))
def test_findings_are_inside_the_text(text, value):
    for finding in linked_findings(text, terms_of(value, "PERSON")):
        assert 0 <= finding.start < finding.end <= len(text)


# Names that stand in a row's other texts ----------------------------------------------------------------------------


def written(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """With `patterns`, which takes nobody for a person but who has a title."""
    return privkit.deidentify(rows, detector="patterns", columns={"a": "free_text", "b": "free_text"}).records


def test_a_name_in_one_text_of_a_row_is_found_in_its_other_texts() -> None:
    text = "okafor: chart is with Fatima; grant the request, Okafor's idea"
    first, second = written([{"a": "Seen by Dr. Fatima Okafor today.", "b": text}, {"a": "Nothing to add.", "b": text}])
    assert first["a"] == "Seen by Dr. <PERSON> today."
    assert first["b"] == "<PERSON>: chart is with <PERSON>; grant the request, <PERSON>'s idea"
    assert second["b"] == text  # this row knows nobody of that name


def test_a_text_that_stands_alone_in_its_row_is_written_as_by_itself() -> None:
    text = "Seen by Dr. Fatima Okafor today. Okafor agreed."
    [row] = privkit.deidentify([{"a": text}], detector="patterns", columns={"a": "free_text"}).records
    assert (
        row["a"]
        == privkit.deidentify_text(text, detector="patterns").text
        == "Seen by Dr. <PERSON> today. <PERSON> agreed."
    )
