"""The door to measuring detection: what is measured is what would be replaced, and nothing of the texts gets out."""

import builtins
import json
import random
import stat
import sys

import pytest

import privkit
from privkit import evaluate
from privkit.deid.work import detector_of
from privkit.errors import InputError, MissingExtraError, OutputError, UsageError
from privkit.model.evaluation import Evaluation
from privkit.model.operators import Keep, Redact
from privkit.model.policy import Policy
from privkit.model.progress import Observer

# Deny-lists make a detector whose findings are known beforehand.
POLICY = Policy(name="known", deny={"PERSON": ("Quintus", "Octavia"), "LOCATION": ("Antium",)})


def record(text, *spans, **attributes):
    """Spans as (what stands there, its type)."""
    found = [{"start": text.index(said), "end": text.index(said) + len(said), "label": kind} for said, kind in spans]
    return {"text": text, "spans": found, **attributes}


RECORDS = [
    record("ask Quintus in Antium", ("Quintus", "PER"), ("Antium", "LOC"), origin="la"),
    record("ask Octavia, not Xerxes", ("Octavia", "PER"), ("Xerxes", "PER"), origin="fa"),
    record("Quintus Ltd pays Quintus", ("Quintus Ltd", "ORG"), origin="la"),
]


def measured(records=RECORDS, **options):
    return evaluate(records, **{"policy": POLICY, "detector": "patterns", **options})


def test_by_hand():
    found = measured()
    assert (found.texts, found.words) == (3, 12)
    assert (found.detector, found.models, found.policy.name) == ("patterns", (), "known")
    assert found.mapping == {"LOC": "LOCATION", "PER": "PERSON"}
    assert {name: one.model_dump() for name, one in found.not_evaluated.items()} == {
        "ORG": {"spans": 1, "why": "out of scope"}
    }
    person = found.entities["PERSON"]
    # Found: Quintus, Octavia; missed: Xerxes; false: both of the third text, of which one stands where ORG is marked.
    assert (person.spans, person.found, person.false, person.spurious) == (3, 2, 2, 1)
    assert (found.overall.spans, found.overall.found, found.overall.false) == (4, 3, 2)
    assert found.overall.fully_masked == 3 / 4
    assert found.overall.spurious_per_1000_words == pytest.approx(1000 / 12)
    (miss,) = found.misses
    assert (miss.entity, miss.shape, miss.context, miss.missed, miss.spans) == ("PERSON", "Xx", "after a word", 1, 3)
    assert miss.places[0].model_dump() == {"text": 2, "start": 17, "end": 23}
    assert found.not_judged == {}
    assert found.texts_per_cpu_second is None or found.texts_per_cpu_second > 0


TEXTS = [
    "Write to a.b@example.org or call +1 716 555 0157.",
    "Antium, Antium; card 4111 1111 1111 1111",
    "SSN 078-05-1120, born 03/04/1985 in NY 12345",
    "",
    "Nothing here.",
]


def test_what_is_measured_is_what_deidentify_text_replaces():
    """Marked with exactly what it replaces, everything is found, and nothing is false."""
    policy = POLICY.model_copy(update={"thresholds": {"DATE_TIME": 0.0, "US_SSN": 0.0}})
    records = []
    for text in TEXTS:
        found = privkit.deidentify_text(text, policy=policy, detector="patterns").findings
        spans = [{"start": one.start, "end": one.end, "label": one.entity} for one in found]
        records.append({"text": text, "spans": spans})
    kinds = {span["label"]: span["label"] for one in records for span in one["spans"]}
    assert len(kinds) > 4
    found = measured(records, policy=policy, mapping=kinds)
    assert (found.overall.precision, found.overall.recall, found.overall.fully_masked) == (1.0, 1.0, 1.0)
    assert found.not_judged == found.not_evaluated == {}
    assert found.confusion
    assert all(cell.gold == cell.predicted for cell in found.confusion)


def test_the_policy_counts():
    numbers = [record("card 4111 1111 1111 1111", ("4111 1111 1111 1111", "CREDIT_CARD"))]
    assert measured(numbers).overall.recall == 1.0
    assert measured(numbers, policy=Policy(allow=("4111 1111 1111 1111",))).overall.recall == 0.0
    plain = [record("no 078-05-1121", ("078-05-1121", "SSN"))]
    recalls = [measured(plain, policy=Policy(threshold=least)).overall.fully_masked for least in (0.0, 1.0)]
    assert recalls == [1.0, 0.0]


def test_what_a_policy_keeps_is_not_masked():
    people = [record("ask Quintus", ("Quintus", "PER"))]
    assert measured(people).overall.fully_masked == 1.0
    for kept in ({"entities": {"PERSON": Keep()}}, {"roles": {**POLICY.roles, "free_text": Keep()}}):
        found = measured(people, policy=POLICY.model_copy(update=kept))
        assert (found.overall.recall, found.overall.fully_masked) == (0.0, 0.0)
    redacted = POLICY.model_copy(update={"entities": {"PERSON": Redact()}})
    assert measured(people, policy=redacted).overall.fully_masked == 1.0


def test_types_that_the_data_does_not_mark_are_not_judged():
    found = measured([record("Quintus: a.b@example.org", ("Quintus", "PER"))])
    assert found.overall.precision == 1.0
    assert sum(found.not_judged.values()) >= 1
    assert "PERSON" not in found.not_judged


def test_narrower_types_count_as_the_broader_one_that_is_marked():
    policy = Policy(deny={"POSTCODE": ("90210",)})
    (one,) = measured([record("in 90210", ("90210", "ADDRESS"))], policy=policy).entities.items()
    assert (one[0], one[1].recall, one[1].precision) == ("LOCATION", 1.0, 1.0)


def test_order_of_texts_and_number_of_workers_do_not_matter():
    records = RECORDS * 200
    shuffled = records[:]
    random.Random(5).shuffle(shuffled)
    leave = {"misses", "seconds", "cpu_seconds", "texts_per_cpu_second", "source_sha256"}
    one, other, third = measured(records), measured(shuffled), measured(records, workers=2)
    assert one.model_dump(exclude=leave) == other.model_dump(exclude=leave) == third.model_dump(exclude=leave)
    assert one.misses == third.misses
    assert one.source_sha256 == third.source_sha256 != other.source_sha256


def test_by_group():
    found = measured(by="origin")
    (table,) = found.groups
    assert [(one.group, one.spans, one.recall) for one in table.groups] == [("fa", 2, 0.5), ("la", 2, 1.0)]
    assert "origin fa" in table.warning
    assert measured(by=()).groups == ()
    assert [one.attribute for one in measured(by=["origin", "origin"]).groups] == ["origin"]


def test_groups_of_span_attributes():
    records = [json.loads(json.dumps(one)) for one in RECORDS]
    records[1]["spans"][0]["attributes"] = {"origin": "la", "kind": "given"}
    (table,) = measured(records, by="origin").groups
    assert [(one.group, one.spans, one.recall) for one in table.groups] == [("fa", 1, 0.0), ("la", 3, 1.0)]
    (table,) = measured(records, by="kind").groups
    assert (len(table.groups), table.not_stated) == (1, 3)


def test_an_attribute_that_is_not_there_or_names_single_texts_is_refused():
    with pytest.raises(UsageError, match="no evaluated span has this attribute") as caught:
        measured(by="orgin")
    assert "origin" in caught.value.hint
    many = [record("Quintus", ("Quintus", "PER"), number=number) for number in range(201)]
    with pytest.raises(UsageError, match="201 different values"):
        measured(many, by="number")


def test_mapping():
    found = measured(mapping={"ORG": "PERSON", "loc": None})
    assert found.mapping == {"ORG": "PERSON", "PER": "PERSON"}
    assert {name: one.why for name, one in found.not_evaluated.items()} == {"LOC": "left out"}
    assert (found.overall.spans, found.overall.found) == (4, 3)
    assert found.not_judged == {"LOCATION": 1}
    with pytest.raises(UsageError, match="written in capitals"):
        measured(mapping={"ORG": "Person"})
    with pytest.raises(InputError, match="none of the marked types is one that is looked for: ORG") as caught:
        measured([RECORDS[2]])
    assert "--map" in caught.value.hint
    with pytest.raises(InputError, match="nothing is marked"):
        measured([record("Quintus")])
    with pytest.raises(InputError, match="600 different types"):
        measured([{"text": "a", "spans": [{"start": 0, "end": 1, "label": f"T{n}"} for n in range(600)]}])


class Heard(Observer):
    def __init__(self):
        self.warnings, self.steps, self.total = [], [], None

    def decided(self, decisions, detector):
        raise AssertionError("there are no columns")

    def started(self, total_bytes):
        self.total = total_bytes

    def advanced(self, rows, consumed_bytes):
        self.steps.append((rows, consumed_bytes))

    def warned(self, message):
        self.warnings.append(message)

    def finished(self):
        self.steps.append("finished")


def test_progress_and_warnings():
    heard = Heard()
    records = [*RECORDS * 100, record("thing", ("thing", "THNG"))]
    found = measured(records, mapping={"PRSON": "PERSON"}, observer=heard)
    assert heard.total == sum(len(one["text"]) for one in records)
    assert heard.steps[-2:] == [(301, heard.total), "finished"]
    assert heard.steps[0] == (256, heard.steps[0][1])
    assert tuple(heard.warnings) == found.warnings
    assert "--map PRSON: the data has no such type" in found.warnings
    assert "nobody said what they are: THNG" in found.warnings[1]


# ---- files


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join(map(json.dumps, RECORDS)) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["report.json", "report.html"])
def test_no_text_gets_into_a_report_unless_it_is_asked_for(tmp_path, data, name):
    report = tmp_path / name
    found = measured(data, by="origin", report=report)
    for word in ("Quintus", "Octavia", "Xerxes", "Antium", "Ltd", "pays"):
        assert word not in report.read_text(encoding="utf-8")
    assert found.misses[0].examples == ()
    shown = measured(data, show_text=True, report=report, force=True)
    assert shown.misses[0].examples == ("Xerxes",)
    assert "Xerxes" in report.read_text(encoding="utf-8")
    assert stat.S_IMODE(report.stat().st_mode) == 0o600


def test_the_report_is_the_record(tmp_path, data):
    found = measured(data, report=tmp_path / "report.json")
    assert Evaluation.model_validate_json((tmp_path / "report.json").read_bytes()) == found
    assert found.source == str(data)
    assert found.source_format == "jsonl"


def test_a_report_that_cannot_be_written_is_refused_before_anything(tmp_path, data):
    (tmp_path / "there.json").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="exists already"):
        measured(tmp_path / "missing.jsonl", report=tmp_path / "there.json")
    with pytest.raises(UsageError, match="must end in"):
        measured(data, report=tmp_path / "report.txt")
    named = data.rename(tmp_path / "data.json")
    with pytest.raises(UsageError, match="would replace the data"):
        measured(named, report=tmp_path / ".." / tmp_path.name / "data.json", force=True, format="jsonl")
    assert (tmp_path / "there.json").read_text(encoding="utf-8") == "mine"


def test_wrong_workers():
    with pytest.raises(UsageError, match="--workers takes 1 to 512"):
        measured(workers=0)


def test_without_fairlearn_only_groups_are_refused(monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **how):
        if name.startswith("fairlearn"):
            raise ImportError(name)
        return real(name, *rest, **how)

    for name in [name for name in sys.modules if name.startswith("fairlearn")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    assert measured().overall.recall == 3 / 4
    with pytest.raises(MissingExtraError) as caught:
        measured(by="origin")
    assert caught.value.hint == "pip install 'privkit-toolkit[fairness]'"


def test_the_hashes_of_the_models_are_those_that_were_loaded():
    found = measured(policy="default", detector="core")
    assert found.models == tuple(detector_of(Policy(detector="core")).models)
    assert all(len(model.sha256) == 64 for model in found.models)
