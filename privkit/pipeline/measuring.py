"""What `privkit evaluate` measured, for the card of rows that the same detector looked through."""

from __future__ import annotations

from collections.abc import Sequence

from privkit.cards import sha256_of_file
from privkit.deid.quality.settings import detection_sha256
from privkit.errors import PipelineError
from privkit.model.card import DeidentifiedRows, MeasuredDetection
from privkit.model.evaluation import Evaluation
from privkit.model.jsonfile import read_json
from privkit.model.policy import Policy
from privkit.model.report import ModelInfo
from privkit.pipeline.work import Work
from privkit.report.evaluation_wording import recall_text

_HINT = "Measure what the step uses: privkit evaluate DATA --policy … --detector … --report FILE.json"


def check_evaluation(work: Work, name: str, policy: Policy) -> None:
    """Refuses a measurement that is not of the detection that a step does, as far as its policy says.

    Args:
        work: The pipeline.
        name: The measurement's file.
        policy: The step's, with the step's detector where it names one.

    Raises:
        InputError: The file cannot be read.
        PipelineError: It is no measurement, or of another detector, or under another policy.
    """
    found = _read(work, name)
    if policy.detector is not None and found.detector != policy.detector:
        raise _other(name, f"the detector {found.detector}, and the step uses {policy.detector}")
    if found.detection_sha256 != detection_sha256(policy):
        raise _other(name, "other thresholds, lists or recognizers than the step's policy has")


def check_models(work: Work, name: str, detector: str, models: Sequence[ModelInfo]) -> None:
    """Refuses a measurement of another detector, or of other weights, than those that are loaded.

    Raises:
        InputError: The file cannot be read.
        PipelineError: It is not of these.
    """
    found = _read(work, name)
    if found.detector != detector:
        raise _other(name, f"the detector {found.detector}, and the step uses {detector}")
    if _weights(found.models) != _weights(models):
        raise _other(name, "models with other weights")


def with_measurement(work: Work, name: str, rows: DeidentifiedRows) -> DeidentifiedRows:
    """What a card says of rows, with what was measured of their detector.

    Raises:
        InputError: The file cannot be read.
        PipelineError: It is not of the detector that looked through the rows.
    """
    check_models(work, name, rows.disclosure.detector, rows.models)
    found = _read(work, name)
    measured = MeasuredDetection(
        source_sha256=found.source_sha256,
        evaluation_sha256=sha256_of_file(work.path(name)),
        texts=found.texts,
        words=found.words,
        overall=found.overall,
        entities=found.entities,
        groups=found.groups,
        privkit=found.privkit,
    )
    return rows.model_copy(update={"measured": measured, "recall": recall_text(found.overall)})


def _read(work: Work, name: str) -> Evaluation:
    return read_json(work.path(name), Evaluation, PipelineError)


def _weights(models: Sequence[ModelInfo]) -> set[tuple[str, str]]:
    return {(model.name, model.sha256) for model in models}


def _other(name: str, what: str) -> PipelineError:
    return PipelineError(f"evaluation: {name} was measured with {what}", path=name, hint=_HINT)
