"""`--presidio`, end to end: through workers, into the report, and what leaves the machine only with leave."""

import json

import pytest
from people import people, read_csv, write_csv
from presidio_analyzer.predefined_recognizers.third_party import azure_ai_language

import privkit
from privkit.cli import main
from privkit.deidentifier import deidentify, deidentify_text, explain_text, scan
from privkit.errors import DetectorError, OutputError, PolicyError
from privkit.model.policy import Policy
from privkit.model.presidio import PresidioConfiguration

CONFIGURATION = """\
recognizers:
  - name: Bills
    supported_entity: BILL
    patterns: [{name: bill, regex: "bill of [0-9.]+", score: 0.6}]
"""
REMOTE = "recognizers: [{name: AzureAILanguageRecognizer, type: predefined, supported_entities: [PERSON]}]\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    write_csv(tmp_path / "clinic.csv", people(40))
    (tmp_path / "p.yaml").write_text(CONFIGURATION, encoding="utf-8")
    (tmp_path / "remote.yaml").write_text(REMOTE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Service:
    """Stands in for Azure's client; finds nobody."""

    sent: list

    def __init__(self, **_options):
        Service.sent = []

    def recognize_pii_entities(self, texts, **_options):
        Service.sent += texts
        return []


@pytest.fixture
def service(monkeypatch):
    monkeypatch.setattr(azure_ai_language, "TextAnalyticsClient", Service)
    monkeypatch.setattr(azure_ai_language, "AzureKeyCredential", lambda key: key)
    monkeypatch.setenv("AZURE_AI_KEY", "k")
    monkeypatch.setenv("AZURE_AI_ENDPOINT", "e")
    Service.sent = []
    return Service


def test_what_it_adds_is_found_by_one_worker_and_by_two(place, key_file):
    command = f"deidentify clinic.csv --detector patterns --presidio p.yaml --key {key_file} --save-policy s.yaml"
    assert main([*command.split(), "-o", "1.csv", "--workers", "1", "--report", "r.json"]) == 0
    assert main([*command.split(), "-o", "2.csv", "--workers", "2", "--force"]) == 0
    assert (place / "1.csv").read_bytes() == (place / "2.csv").read_bytes()
    wanted = sum("bill of" in row["notes"] for row in people(40))
    assert wanted > 3
    report = json.loads((place / "r.json").read_text())
    assert report["columns"]["notes"]["entities"]["BILL"] == wanted
    assert report["remote"] == []
    # The policy that was saved says it all, and needs the file no more.
    (place / "p.yaml").unlink()
    assert main(f"deidentify clinic.csv -o 3.csv --policy s.yaml --workers 1 --key {key_file}".split()) == 0
    assert (place / "3.csv").read_bytes() == (place / "1.csv").read_bytes()


def test_texts_and_scans_take_it_too(place):
    configuration = PresidioConfiguration(recognizer_registry={"recognizers": [
        {"name": "Bills", "supported_entity": "BILL", "deny_list": ["the bill"]}]})  # fmt: skip
    options = {"detector": "patterns", "presidio": configuration}
    assert deidentify_text("about the bill", **options).text == "about <BILL>"
    (finding,) = explain_text("about the bill", **options).findings
    assert (finding.entity, finding.recognizer) == ("BILL", "Bills")
    report = scan(place / "clinic.csv", workers=1, **options)
    assert report.columns["notes"].entities["BILL"] > 3


def test_a_file_that_does_not_fit_is_refused_with_its_line(place, capsys):
    (place / "p.yaml").write_text("recognizer: []\n")
    assert main(["deidentify", "clinic.csv", "-o", "o.csv", "--presidio", "p.yaml"]) == 1
    assert "p.yaml, line 1: recognizer: there is no such key" in capsys.readouterr().err
    with pytest.raises(PolicyError, match="cannot be read"):
        deidentify_text("x", presidio="missing.yaml")
    (place / "p.yaml").write_text(CONFIGURATION)
    with pytest.raises(OutputError, match=r"would replace p.yaml \(Presidio configuration\), which this run reads"):
        deidentify("clinic.csv", "o.csv", presidio="p.yaml", report="p.yaml", detector="patterns", force=True)


def test_a_service_is_refused_before_a_text_is_sent(place, service, capsys):
    for command in ("deidentify clinic.csv -o o.csv", "scan clinic.csv"):
        assert main([*command.split(), *["--detector", "patterns", "--presidio", "remote.yaml"]]) == 1
        err = capsys.readouterr().err
        assert "AzureAILanguageRecognizer would send every text to a service" in err
        assert "allow_remote: true" in err
    assert service.sent == []
    assert not (place / "o.csv").exists()
    with pytest.raises(DetectorError, match="would send"):
        deidentify_text("x", detector="patterns", presidio="remote.yaml")


def test_with_leave_the_report_says_where_texts_went(place, service, capsys):
    policy = Policy(name="p", allow_remote=True)
    result = deidentify(
        "clinic.csv", "o.csv", policy=policy, detector="patterns", presidio="remote.yaml", workers=1,
        report="r.html",
    )  # fmt: skip
    notes = {row["notes"] for row in read_csv(place / "clinic.csv")}
    assert notes <= set(service.sent)
    assert result.report.remote == ["AzureAILanguageRecognizer"]
    assert result.report.warnings[0].startswith("every text that is searched is sent to a service, as it is: Azure")
    page = (place / "r.html").read_text(encoding="utf-8")
    assert "AzureAILanguageRecognizer: every text that was searched left this machine" in page
    (place / "policy.yaml").write_text("name: p\nallow_remote: true\npresidio:\n  " + REMOTE.replace("\n", "\n  "))
    capsys.readouterr()
    assert (
        main(["scan", "clinic.csv", "--json", "--detector", "patterns", "--workers", "1", "--policy", "policy.yaml"])
        == 0
    )
    out, err = capsys.readouterr()
    assert json.loads(out)["remote"] == ["AzureAILanguageRecognizer"]
    assert "warning: every text that is searched is sent to a service" in err


def test_the_tagger_goes_into_presidios_engine():
    pytest.importorskip("presidio_analyzer")
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    from privkit.deid.recognizers.tagger.recognizer import TaggerRecognizer
    from privkit.deid.recognizers.weights import TAGGER

    if not (TAGGER.folder() / TAGGER.main).is_file():
        pytest.skip("the tagger's weights are not in this checkout")
    nlp = NlpEngineProvider(
        nlp_configuration={"nlp_engine_name": "no_op", "models": [{"lang_code": "en", "model_name": "no_op"}]}
    ).create_engine()
    engine = AnalyzerEngine(registry=RecognizerRegistry([TaggerRecognizer()]), nlp_engine=nlp)
    text = "Call Fatima Okafor in Leeds."
    found = {(one.entity_type, text[one.start : one.end]) for one in engine.analyze(text, "en")}
    assert found == {("PERSON", "Fatima Okafor"), ("LOCATION", "Leeds")}


def test_it_is_public():
    assert privkit.PresidioConfiguration is PresidioConfiguration
