"""The words of a measurement of detection that its page, the terminal and a card share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from privkit.report.wording import number, plural, shown

if TYPE_CHECKING:
    from privkit.model.card import MeasuredDetection
    from privkit.model.evaluation import DetectionGroups, Evaluation, LabelMeasures, Measures, NotEvaluated

READ = (
    "Somebody marked in these texts what names a person; this says how much of that would be replaced. It holds for "
    "texts of this kind, and for no others: on text that differs, measure again."
)
DEFINITIONS = (
    "A marked span is found when a finding of its own type overlaps it. It counts once. Recall is the share of marked "
    "spans that are found.",
    "A finding is false when it overlaps no marked span of its own type. Precision is found over found and false.",
    "F1 weighs precision and recall alike, F2 weighs recall twice.",
    "Fully masked: at least 95 % of a span's characters are replaced, whatever type they were taken for. For privacy "
    "this counts more than recall: a name that is found by half stays readable.",
    "Masked characters: the share of all characters of marked spans that is replaced.",
    "Spurious findings overlap nothing that was marked; they are given for each 1,000 words.",
    "The interval of recall is Wilson's, at 95 %. It takes spans as independent, which those of one text are not "
    "quite.",
    "What findings become is not looked at: a date made coarser still tells its year.",
)
SHOWN_TEXT = "This holds texts of the data: it is for your eyes alone."
CONFUSION_READ = (
    "Each line is a marked type, each column what it was found as. A marked span counts once: as its own type where "
    "that was found, else as what covers most of it. The last line counts findings where nothing was marked."
)
MISSES_READ = (
    "What is not fully masked, by its look and by what stands before it. Xx is a capitalised word, XX capitals, xx "
    "small letters, 9 digits."
)
CARD_READ = (
    "Somebody marked in annotated texts what names a person, and it was measured how much of that the detector of "
    "these rows finds. That holds for texts of that kind; these rows may be others."
)
GROUPS = "How evenly people are found"
GROUPS_READ = (
    "For each group, how much of what was marked is found and fully masked (compared with Fairlearn's MetricFrame)."
)
_WHY = {
    "out of scope": "privkit does not look for it",
    "left out": "left out by --map",
    "unknown": "not known: --map says what it is",
}
_FORMATS = {"presidio": "presidio-research JSON", "iob": "a token a line", "jsonl": "JSON Lines"}


def share_text(share: float | None) -> str:
    """A share with three decimals, as they are quoted; rounded down where 1 would promise too much.

    >>> share_text(0.5), share_text(0.99999), share_text(1.0), share_text(None)
    ('0.500', '0.999', '1.000', '–')
    """
    if share is None:
        return "–"
    return "0.999" if 0.9995 <= share < 1 else f"{share:.3f}"


def interval_text(measures: Measures | LabelMeasures) -> str:
    """Recall's interval."""
    if measures.recall_low is None or measures.recall_high is None:
        return "–"
    return f"{share_text(measures.recall_low)} to {share_text(measures.recall_high)}"


def rate_text(rate: float) -> str:
    """Spurious findings for each 1,000 words."""
    return f"{rate:.2f}"


def why_text(one: NotEvaluated) -> str:
    """Why a type was left out."""
    return _WHY[one.why]


def format_text(evaluation: Evaluation) -> str:
    """How the data set is written."""
    return _FORMATS[evaluation.source_format]


def made_text(evaluation: Evaluation) -> str:
    """Which detector, under which policy, on how much."""
    return (
        f"Detector {evaluation.detector} under the policy {shown(evaluation.policy.name)}, on "
        f"{plural(evaluation.texts, 'text')} of {plural(evaluation.words, 'word')} with "
        f"{plural(evaluation.overall.spans, 'evaluated span')}"
    )


def data_text(found: MeasuredDetection) -> str:
    """On what a card's measurement rests."""
    return (
        f"{plural(found.texts, 'text')} of {plural(found.words, 'word')} with "
        f"{plural(found.overall.spans, 'evaluated span')}; measured with privkit {shown(found.privkit)}"
    )


def recall_text(overall: Measures) -> str:
    """What is known of a detector that was measured, in one line."""
    return (
        f"measured on annotated texts: of {plural(overall.spans, 'marked span')}, {share_text(overall.recall)} were "
        f"found (95 % interval {interval_text(overall)}) and {share_text(overall.fully_masked)} fully masked"
    )


def speed_text(evaluation: Evaluation) -> str:
    """How fast it went, on whatever machine that was."""
    speed = evaluation.texts_per_cpu_second
    return f"{number(evaluation.cpu_seconds)} s of processor time" + (
        "" if speed is None else f", {number(speed)} texts a second of it"
    )


def groups_heading(groups: DetectionGroups) -> str:
    """What is compared, by what."""
    what = "All types" if groups.entity is None else shown(groups.entity)
    return f"{what} by {shown(groups.attribute)}"


def compared_text(groups: DetectionGroups) -> str:
    """How far apart the best and the worst are."""
    if groups.recall_difference is None or groups.masked_difference is None:
        return "There are fewer than two groups: nothing to compare."
    ratio = (
        ""
        if groups.recall_ratio is None or groups.masked_ratio is None
        else f" Worst over best: recall {share_text(groups.recall_ratio)}, fully masked "
        f"{share_text(groups.masked_ratio)} (1 would be equal for all)."
    )
    left = f" {plural(groups.not_stated, 'span')} without a group." if groups.not_stated else ""
    return (
        f"Best minus worst: recall {share_text(groups.recall_difference)}, fully masked "
        f"{share_text(groups.masked_difference)}.{ratio}{left}"
    )
