"""From judged spans to shares: what is counted is said in `privkit.model.evaluation`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from privkit.deid.quality.matching import Judged, Marked
from privkit.deid.quality.shapes import context_of, shape_of
from privkit.model.evaluation import ConfusionCell, LabelMeasures, Measures, MissedPattern, MissedPlace
from privkit.model.intervals import wilson

_MOST_PATTERNS = 30
_MOST_PLACES = 5


def measures_of(marked: Sequence[Marked], findings: Sequence[Judged], words: int) -> Measures:
    """The measures of spans and findings that belong together: those of one type, or all that are evaluated.

    Args:
        marked: Evaluated marked spans.
        findings: Findings of types that are evaluated.
        words: Of all texts.
    """
    spans, found = len(marked), sum(span.found for span in marked)
    false = sum(not finding.right for finding in findings)
    missed = spans - found
    characters = sum(span.end - span.start for span in marked)
    spurious = sum(finding.spurious for finding in findings)
    low, high = wilson(found, spans) if spans else (None, None)
    return Measures(
        spans=spans,
        found=found,
        false=false,
        precision=_share(found, found + false),
        recall=_share(found, spans),
        recall_low=low,
        recall_high=high,
        f1=_share(2 * found, 2 * found + false + missed),
        f2=_share(5 * found, 5 * found + false + 4 * missed),
        fully_masked=_share(sum(span.masked for span in marked), spans),
        characters=characters,
        characters_masked=_share(sum(span.covered for span in marked), characters),
        spurious=spurious,
        spurious_per_1000_words=1000 * spurious / words if words else 0.0,
    )


def label_measures(marked: Sequence[Marked]) -> LabelMeasures:
    """The measures of spans that the data set marks under one name.

    Args:
        marked: At least one.
    """
    found, characters = sum(span.found for span in marked), sum(span.end - span.start for span in marked)
    low, high = wilson(found, len(marked))
    return LabelMeasures(
        spans=len(marked),
        recall=found / len(marked),
        recall_low=low,
        recall_high=high,
        fully_masked=sum(span.masked for span in marked) / len(marked),
        characters_masked=sum(span.covered for span in marked) / characters,
    )


def confusion(marked: Iterable[Marked], findings: Iterable[Judged]) -> tuple[ConfusionCell, ...]:
    """Every cell that is not empty, by types; what was marked first, then what is spurious."""
    cells: Counter[tuple[str | None, bool, str | None]] = Counter(
        (span.entity, span.evaluated, span.predicted) for span in marked
    )
    cells.update((None, True, finding.entity) for finding in findings if finding.spurious)
    ordered = sorted(
        cells.items(), key=lambda cell: (cell[0][0] is None, not cell[0][1], cell[0][0] or "", cell[0][2] or "~")
    )
    return tuple(
        ConfusionCell(gold=gold, evaluated=evaluated, predicted=predicted, count=count)
        for (gold, evaluated, predicted), count in ordered
    )


def missed_patterns(
    marked: Sequence[Marked], texts: Sequence[str], *, show_text: bool
) -> tuple[tuple[MissedPattern, ...], int]:
    """Evaluated spans that are not fully masked, by type, shape and context, the most frequent first.

    Args:
        marked: All marked spans.
        texts: The texts, by number.
        show_text: Whether the spans' own text may stand in the result.

    Returns:
        The worst patterns, and how many there are in all.
    """
    spans: Counter[tuple[str, str, str]] = Counter()
    missed: defaultdict[tuple[str, str, str], list[Marked]] = defaultdict(list)
    for span in marked:
        if not span.evaluated:
            continue
        text = texts[span.text]
        key = span.entity, shape_of(text[span.start : span.end]), context_of(text, span.start)
        spans[key] += 1
        if not span.masked:
            missed[key].append(span)
    worst = sorted(missed, key=lambda key: (-len(missed[key]), key))
    return tuple(
        MissedPattern(
            entity=key[0],
            shape=key[1],
            context=key[2],
            missed=len(missed[key]),
            untouched=sum(span.covered == 0 for span in missed[key]),
            spans=spans[key],
            places=tuple(
                MissedPlace(text=span.text + 1, start=span.start, end=span.end) for span in missed[key][:_MOST_PLACES]
            ),
            examples=tuple(texts[span.text][span.start : span.end] for span in missed[key][:_MOST_PLACES])
            if show_text
            else (),
        )
        for key in worst[:_MOST_PATTERNS]
    ), len(worst)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
