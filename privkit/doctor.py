"""The door for `privkit doctor`: what is installed here, whether it is what was tested, and how to get the rest.

Nothing that is examined is imported, hyperscan excepted, so that an answer comes fast and also when things are broken.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from privkit.deid.recognizers import rampart
from privkit.deid.recognizers.native import hyperscan_works
from privkit.deid.recognizers.weights import MODELS, RAMPART, SPACY_SM, TAGGER, Weights
from privkit.errors import DetectorError
from privkit.model.diagnosis import (
    DetectorHealth,
    Diagnosis,
    ExtraHealth,
    ModelHealth,
    ModelState,
    PackageHealth,
    Problem,
)
from privkit.model.policy import DetectorName

DISTRIBUTION = "privkit-toolkit"
EXTRAS = ("models", "spacy", "spark", "postgres", "fairness")
_NEEDED = ("presidio-analyzer", "phonenumbers", "python-stdnum", "tldextract", "spacy")


def examine() -> Diagnosis:
    """Looks at this installation. Takes well under a second; reads files, writes none, uses no network."""
    version, requirements = _declared()
    packages = tuple(_package(each) for each in requirements if _applies(each))
    models = tuple(_model(weights) for weights in MODELS)
    extras = tuple(_extra(name, requirements) for name in EXTRAS)
    detectors = tuple(_detectors(packages, {model.name: model for model in models}, extras[0]))
    hyperscan = hyperscan_works()
    return Diagnosis(
        privkit=version,
        python=platform.python_version(),
        platform=platform.platform(),
        cpus=_cpus(),
        hyperscan=hyperscan,
        default_detector=_default(detectors),
        detectors=detectors,
        models=models,
        packages=packages,
        extras=extras,
        problems=tuple(_problems(packages, models, extras, hyperscan)),
    )


def _declared() -> tuple[str | None, list[Requirement]]:
    """The version and all that the metadata asks for; from pyproject.toml in a checkout that is not installed."""
    try:
        found = metadata.distribution(DISTRIBUTION)
        return found.version, [Requirement(text) for text in found.requires or []]
    except metadata.PackageNotFoundError:
        pass
    path = Path(__file__).parent.parent / "pyproject.toml"
    if not path.is_file():
        return None, []
    project = tomllib.loads(path.read_text(encoding="utf-8")).get("project", {})
    if project.get("name") != DISTRIBUTION:
        return None, []
    requirements = [Requirement(text) for text in project.get("dependencies", [])]
    for extra, texts in project.get("optional-dependencies", {}).items():
        for each in map(Requirement, texts):
            marker = f"({each.marker}) and extra == '{extra}'" if each.marker else f"extra == '{extra}'"
            requirements.append(Requirement(f"{str(each).split(';')[0]}; {marker}"))
    return project.get("version"), requirements


def _applies(requirement: Requirement, extra: str = "") -> bool:
    """Whether this machine needs it for `extra` (and not without it)."""
    if requirement.marker is None:
        return not extra
    wanted = requirement.marker.evaluate({"extra": extra})
    return wanted and not (extra and requirement.marker.evaluate({"extra": ""}))


def _package(requirement: Requirement) -> PackageHealth:
    wanted = str(requirement.specifier)
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    command = f"pip install {shlex.quote(f'{requirement.name}{extras}{wanted}')}"
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return PackageHealth(name=requirement.name, version=None, wanted=wanted, state="missing", command=command)
    if not requirement.specifier.contains(version, prereleases=True):
        return PackageHealth(name=requirement.name, version=version, wanted=wanted, state="outside", command=command)
    return PackageHealth(name=requirement.name, version=version, wanted=wanted, state="ok")


def _model(weights: Weights) -> ModelHealth:
    state: ModelState = "missing"
    sha256 = detail = command = None
    if not weights.installed():
        command = weights.install
    else:
        try:
            sha256 = weights.sha256(weights.main)
            weights.check()
            state = "ok"
        except DetectorError as err:
            state, detail, command = "altered", err.message, err.hint
    return ModelHealth(
        name=weights.name,
        version=weights.installed_version(),
        sha256=sha256,
        expected_sha256=weights.files[weights.main],
        state=state,
        detail=detail,
        command=command,
    )


def _extra(name: str, requirements: Sequence[Requirement]) -> ExtraHealth:
    packages = tuple(_package(each) for each in requirements if _applies(each, name))
    installed = bool(packages) and all(each.state == "ok" for each in packages)
    # The packages themselves, not `privkit-toolkit[…]`: that works however privkit itself was installed.
    lacking = [str(each).split(";")[0].strip() for each in requirements if _applies(each, name) and _lacks(each)]
    command = f"pip install {shlex.join(lacking)}" if lacking else None
    if name == "spark" and not _has_java():
        return ExtraHealth(name=name, installed=False, packages=packages, command=_and_java(command))
    return ExtraHealth(name=name, installed=installed, packages=packages, command=command)


def _has_java() -> bool:
    """Where PySpark looks for it; which Java it is only Java could say."""
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java", path=str(Path(home) / "bin") if home else None) is not None


def _and_java(command: str | None) -> str:
    java = "apt-get install openjdk-17-jre-headless  # or another Java 17, by JAVA_HOME or in the PATH"
    return java if command is None else f"{command} && {java}"


def _lacks(requirement: Requirement) -> bool:
    return _package(requirement).state != "ok"


def _detectors(
    packages: Sequence[PackageHealth], models: Mapping[str, ModelHealth], extra: ExtraHealth
) -> Iterator[DetectorHealth]:
    """Each needs Presidio's packages and its own models, all of them as they were tested."""
    missing = next((each for each in packages if each.name in _NEEDED and each.state == "missing"), None)
    steps: tuple[tuple[DetectorName, tuple[Weights, ...]], ...] = (
        ("patterns", ()),
        ("spacy", (SPACY_SM,)),
        ("core", (TAGGER,)),
        ("full", (TAGGER, RAMPART)),
    )
    for name, weights in steps:
        state: ModelState = "ok" if missing is None else "missing"
        command = None if missing is None else missing.command
        for each in weights:
            if state == "ok":
                state, command = models[each.name].state, models[each.name].command
        if state == "ok" and RAMPART in weights and not rampart.installed():
            state, command = "missing", extra.command or RAMPART.install
        yield DetectorHealth(name=name, state=state, models=tuple(each.name for each in weights), command=command)


def _default(detectors: Sequence[DetectorHealth]) -> DetectorName | None:
    """The fullest that is installed. An altered one counts: a run then stops with an error, it is not weakened."""
    there = [detector.name for detector in detectors if detector.state != "missing" and detector.name != "spacy"]
    return there[-1] if there else None


def _problems(
    packages: Sequence[PackageHealth], models: Sequence[ModelHealth], extras: Sequence[ExtraHealth], hyperscan: bool
) -> Iterator[Problem]:
    for package in (*packages, *(each for extra in extras for each in extra.packages if each.state == "outside")):
        if package.state == "missing":
            yield Problem(what=f"{package.name} is missing", command=package.command)
        elif package.state == "outside":
            what = f"{package.name} {package.version} is outside of what privkit is tested with ({package.wanted})"
            yield Problem(what=what, command=package.command)
    for model in models:
        if model.state == "altered":
            yield Problem(what=model.detail or f"the model {model.name} is altered", command=model.command)
    if not hyperscan and any(each.name == "hyperscan" and each.state == "ok" for each in packages):
        yield Problem(
            what="hyperscan is installed but does not run on this processor: searches are slower", command=None
        )
    if _is_there("privkit"):
        # Both projects unpack into site-packages/privkit: whichever came last has overwritten the other.
        yield Problem(
            what="the package `privkit` from PyPI is another project and overwrites files of this one",
            command=f"pip uninstall privkit {DISTRIBUTION}  # then install this one again, as you did before",
        )


def _is_there(distribution: str) -> bool:
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True


def _cpus() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
