"""examples/01-deidentify-a-clinic runs as its page says, and no identifier of a row is left in that row."""

import csv
import re

import pytest
from pages import ROOT, Place, run_page

README = ROOT / "examples" / "01-deidentify-a-clinic" / "README.md"


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A folder in which the page was run, and what it printed."""
    place = Place(tmp_path_factory.mktemp("clinic"))
    (printed,) = run_page(README, place)
    return place.folder, printed


def test_it_prints_what_became_of_each_column(ran):
    _, printed = ran
    for name in ("patient_id", "name", "email", "phone", "ssn"):
        assert re.search(rf"^{name} +identifier +pseudonym +0 of 300$", printed, re.MULTILINE), printed
    assert "kept to the letter: yes" in printed
    assert "come back with the key: yes" in printed


def test_the_files_that_it_names_are_there(ran):
    folder, _ = ran
    named = set(re.findall(r"`([\w-]+\.(?:csv|yaml|html|key))`", README.read_text(encoding="utf-8")))
    assert named == {path.name for path in (folder / "out").iterdir()}


def test_no_identifier_of_a_row_is_left_in_it(ran):
    folder, _ = ran

    def rows(path):
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    before, after = rows(folder / "examples/clinic/clinic.csv"), rows(folder / "out/shared.csv")
    for old, new in zip(before, after, strict=True):
        text = "\n".join(new.values())
        assert not [name for name in ("patient_id", "name", "email", "ssn") if old[name] and old[name] in text]
