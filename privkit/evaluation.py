"""The door to measuring detection: `evaluate`.

What is measured is what `deidentify` would replace in free text: the same detector, thresholds, lists and merging, by
the same workers. Texts stand by themselves; what a row's other columns help to find in its texts is not counted.
"""

from __future__ import annotations

import base64
import json
import os
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from privkit.deid.policies.choice import chosen_policy
from privkit.deid.quality.entities import comparable, mapped, unused
from privkit.deid.quality.matching import Judged, Marked, Replaced, judged
from privkit.deid.quality.measures import confusion, label_measures, measures_of, missed_patterns
from privkit.deid.quality.settings import detection_sha256
from privkit.deid.work import EVALUATING, Job, detector_of
from privkit.engines.local import map_ordered, processors
from privkit.errors import InputError, UsageError
from privkit.io.annotated import read_annotated, records_annotated
from privkit.io.staged import Staged
from privkit.keys.keyfile import Key
from privkit.model.annotated import AnnotatedFormat, AnnotatedSet
from privkit.model.canonical import sha256_of
from privkit.model.evaluation import DetectionGroups, Evaluation
from privkit.model.policy import DetectorName, Policy, Recall
from privkit.model.presidio import PresidioConfiguration
from privkit.model.progress import Observer, SilentObserver
from privkit.model.report import PolicyInfo
from privkit.model.software import versions_of
from privkit.report.wording import sent_away

_TEXTS_OF_A_BATCH = 256
_CHARACTERS_OF_A_BATCH = 1 << 18
_CHARACTERS_FOR_A_WORKER = 1 << 20
_MOST_WORKERS = 512
_MOST_TYPES = 500  # more are no types: the wrong column or key was read
_NAMES_SHOWN = 10


def evaluate(
    data: str | Path | Sequence[Mapping[str, Any]],
    *,
    policy: str | Path | Policy = "default",
    detector: DetectorName | None = None,
    recall: Recall | None = None,
    language: str | None = None,
    country: Collection[str] = (),
    presidio: str | Path | PresidioConfiguration | None = None,
    by: str | Sequence[str] = (),
    mapping: Mapping[str, str | None] | None = None,
    format: AnnotatedFormat | None = None,
    encoding: str = "utf-8",
    workers: int | None = None,
    show_text: bool = False,
    report: str | Path | None = None,
    force: bool = False,
    observer: Observer | None = None,
) -> Evaluation:
    """Measures how well a detector, under a policy, finds what annotators marked.

    Args:
        data: A file: presidio-research's JSON, a token a line with tags (IOB), or JSON Lines with character spans; or
            a list of mappings as lines of the last have them.
        policy: A built-in policy's name, a YAML file, or a `Policy`: its thresholds and lists count.
        detector: As for `deidentify`; so are recall, language, country and presidio.
        recall: How much is looked for.
        language: Of the texts.
        country: Whose national numbers are read.
        presidio: More recognizers and a model.
        by: Attributes by whose groups recall and masking are compared; needs the extra `fairness`.
        mapping: What types of the data are taken for, by their name there; None leaves a type out. Usual names
            are known.
        format: `presidio`, `iob` or `jsonl`; told from the file if None.
        encoding: Of the file.
        workers: Processes; as many as are worth it if None.
        show_text: Put the texts of missed spans into the record.
        report: Where to write the record: .json or .html; with `show_text` for your eyes alone (mode 0600).
        force: Replace a report that exists.
        observer: Hears of warnings and progress.

    Raises:
        InputError: The data cannot be read, or marks nothing that could be evaluated.
        UsageError: No span has the attribute `by`, or options cannot go together.
        DetectorError: The detector is missing, altered, or could not finish.
        MissingExtraError: `by` is given and Fairlearn is not installed.
    """
    from privkit.report.evaluation_files import evaluation_text
    from privkit.report.files import check_report_path

    started = time.monotonic()
    observer = observer or SilentObserver()
    attributes = (by,) if isinstance(by, str) else tuple(dict.fromkeys(by))
    if attributes:
        from privkit.report.fairness import check_fairlearn

        check_fairlearn()
    own = dict(mapping or {})
    _check_mapping(own)
    if report is not None:
        for what, read in (("data", data), ("policy", policy), ("Presidio configuration", presidio)):
            if isinstance(read, (str, Path)) and os.path.realpath(report) == os.path.realpath(read):
                raise UsageError(f"the report would replace the {what} that this run reads", hint="Give another name.")
        check_report_path(Path(report), force=force)
    if isinstance(data, (str, Path)):
        annotated = read_annotated(Path(data), format=format, encoding=encoding)
    else:
        annotated = records_annotated(data)
    chosen = chosen_policy(
        policy, detector=detector, recall=recall, language=language, country=country, presidio=presidio
    )
    found = _evaluated(annotated, chosen, attributes, own, _workers(workers, annotated), show_text, observer)
    result = found.model_copy(update={"seconds": round(time.monotonic() - started, 3)})
    if report is not None:
        with Staged() as staged:
            with staged.open(Path(report), private=show_text) as file:
                file.write(evaluation_text(result, Path(report)).encode())
            staged.publish()
    return result


def _evaluated(
    annotated: AnnotatedSet,
    policy: Policy,
    attributes: Sequence[str],
    own: Mapping[str, str | None],
    workers: int,
    show_text: bool,
    observer: Observer,
) -> Evaluation:
    labels = Counter(span.label for text in annotated.texts for span in text.spans)
    entities, left_out = _types(annotated, labels, own)
    _check_attributes(annotated, attributes, entities)
    warnings = [f"--map {name}: the data has no such type" for name in unused(labels, own)]
    unknown = [name for name, one in left_out.items() if one.why == "unknown"]
    if unknown:
        warnings.append(f"not evaluated, for nobody said what they are: {_listed(unknown)} (--map TYPE=ENTITY)")
    detector = detector_of(policy)
    warnings += sent_away(detector.remote)
    for warning in warnings:
        observer.warned(warning)
    policy = policy.model_copy(update={"detector": detector.name})
    marked, findings, cpu = _judged(annotated, policy, entities, workers, observer)
    evaluated = [span for span in marked if span.evaluated]
    kinds = sorted(set(entities.values()))
    about = [finding for finding in findings if finding.entity in kinds]
    words = sum(len(text.text.split()) for text in annotated.texts)
    misses, patterns = missed_patterns(marked, [text.text for text in annotated.texts], show_text=show_text)
    return Evaluation(
        source=annotated.source.encode("utf-8", "backslashreplace").decode(),
        source_sha256=annotated.sha256,
        source_format=annotated.format,
        texts=len(annotated.texts),
        words=words,
        detector=detector.name,
        models=tuple(detector.models),
        policy=PolicyInfo(name=policy.name, sha256=sha256_of(policy)),
        detection_sha256=detection_sha256(policy),
        mapping=entities,
        not_evaluated=left_out,
        not_judged=dict(sorted(Counter(one.entity for one in findings if one.entity not in kinds).items())),
        overall=measures_of(evaluated, about, words),
        entities={
            kind: measures_of(
                [span for span in evaluated if span.entity == kind], [one for one in about if one.entity == kind], words
            )
            for kind in kinds
        },
        labels={
            label: label_measures([span for span in evaluated if span.label == label]) for label in sorted(entities)
        },
        confusion=confusion(marked, about),
        misses=misses,
        missed_patterns=patterns,
        groups=tuple(_groups(evaluated, attributes)),
        seconds=0.0,
        cpu_seconds=round(cpu, 4),
        texts_per_cpu_second=round(len(annotated.texts) / cpu, 1) if cpu > 0 else None,
        privkit=versions_of("privkit-toolkit").get("privkit-toolkit", "0+checkout"),
        warnings=tuple(warnings),
    )


def _types(
    annotated: AnnotatedSet, labels: Mapping[str, int], own: Mapping[str, str | None]
) -> tuple[Mapping[str, str], Mapping[str, Any]]:
    if len(labels) > _MOST_TYPES:
        raise InputError(
            f"{annotated.source}: {len(labels)} different types are marked: is that the right column or key?",
            path=annotated.source,
        )
    found = mapped(labels, own)
    if not labels:
        raise InputError(f"{annotated.source}: nothing is marked in it", path=annotated.source, hint="See --format.")
    if not found.entities:
        raise InputError(
            f"{annotated.source}: none of the marked types is one that is looked for: {_listed(list(labels))}",
            path=annotated.source,
            hint="Say what one is: --map TYPE=ENTITY, for example --map NAME=PERSON.",
        )
    return found.entities, found.left_out


def _judged(
    annotated: AnnotatedSet, policy: Policy, entities: Mapping[str, str], workers: int, observer: Observer
) -> tuple[list[Marked], list[Judged], float]:
    """Every marked and every replaced span, and the processor time of the search in seconds."""
    kinds = set(entities.values())
    job = Job(policy=policy, secret=base64.b64encode(Key.ephemeral().secret()).decode(), kept=False)
    marked: list[Marked] = []
    findings: list[Judged] = []
    cpu, done, characters = 0.0, 0, 0
    observer.started(sum(len(text.text) for text in annotated.texts))
    batches = list(_batches([text.text for text in annotated.texts]))
    packed = (json.dumps(batch).encode() for batch in batches)
    answers = map_ordered(EVALUATING, job.to_bytes(), packed, workers=workers, warned=observer.warned)
    for batch, answer in zip(batches, answers, strict=True):
        told = json.loads(answer)
        cpu += told["cpu"]
        for spans in told["spans"]:
            replaced = [Replaced(start, end, comparable(entity, kinds)) for start, end, entity in spans]
            one, other = judged(done, annotated.texts[done], replaced, entities)
            marked += one
            findings += other
            done += 1
        characters += sum(map(len, batch))
        observer.advanced(done, characters)
    observer.finished()
    return marked, findings, cpu


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for text in texts:
        if batch and (len(batch) == _TEXTS_OF_A_BATCH or size + len(text) > _CHARACTERS_OF_A_BATCH):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += len(text)
    if batch:
        yield batch


def _groups(evaluated: Sequence[Marked], attributes: Sequence[str]) -> Iterator[DetectionGroups]:
    if not attributes:
        return
    from privkit.report.detection_groups import GroupedSpan, detection_groups

    for attribute in attributes:
        spans = [
            GroupedSpan(span.attributes.get(attribute), span.entity, span.found, span.masked) for span in evaluated
        ]
        yield from detection_groups(attribute, spans)


def _check_attributes(annotated: AnnotatedSet, attributes: Sequence[str], entities: Mapping[str, str]) -> None:
    from privkit.report.detection_groups import MOST_GROUPS

    values: dict[str, set[str]] = {}
    for text in annotated.texts:
        for span in text.spans:
            if span.label in entities:
                for name, value in {**text.attributes, **span.attributes}.items():
                    values.setdefault(name, set()).add(value)
    for attribute in attributes:
        if attribute not in values:
            there = _listed(sorted(values)) if values else "none"
            raise UsageError(
                f"--by {attribute}: no evaluated span has this attribute",
                hint=f"The data's attributes are: {there}.",
            )
        if len(values[attribute]) > MOST_GROUPS:
            raise UsageError(
                f"--by {attribute}: it has {len(values[attribute])} different values, more than {MOST_GROUPS} groups",
                hint="Compare by an attribute that few values stand for.",
            )


def _check_mapping(own: Mapping[str, str | None]) -> None:
    for name, entity in own.items():
        if entity is not None and (not entity or entity != entity.upper()):
            raise UsageError(
                f"--map {name}: entity types are written in capitals", hint=f"For example --map {name}=PERSON."
            )


def _workers(asked: int | None, annotated: AnnotatedSet) -> int:
    if asked is not None:
        if not 1 <= asked <= _MOST_WORKERS:
            raise UsageError(f"--workers takes 1 to {_MOST_WORKERS}")
        return asked
    worth = sum(len(text.text) for text in annotated.texts) // _CHARACTERS_FOR_A_WORKER
    return max(1, min(processors(), worth))


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more
