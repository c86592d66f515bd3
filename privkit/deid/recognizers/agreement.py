"""How much a person or place that Rampart found is worth, by what the tagger makes of the same words.

Rampart is about as sure of what is wrong as of what is right: of the persons that it alone found in news, web and
social texts one in eight was one, whatever its score. What tells them apart is the tagger. So such a finding's score is
the share of findings of its kind that lay on something personal, by the highest probability that the tagger gives one
of its words: the mean of that share on synthetic text (presidio-research) and on natural text (the development parts of
UNER EWT and WNUT-17), none of which the tagger was trained on. A threshold means the same then for Rampart as for
everything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from privkit.deid.findings import Finding

LEAST = 0.002
"""Probability below which the tagger's opinion makes no difference any more."""

# From which probability of the tagger on, which share. The first that is reached counts.
_SHARES: Mapping[str, tuple[tuple[float, float], ...]] = {
    "PERSON": (
        *((0.4, 0.93), (0.25, 0.69), (0.1, 0.59), (0.03, 0.54), (0.01, 0.42), (0.005, 0.38), (LEAST, 0.32)),
        (0.0, 0.19),
    ),
    "LOCATION": ((0.4, 0.94), (0.25, 0.67), (0.005, 0.62), (LEAST, 0.35), (0.0, 0.3)),
    # No marked set of natural text has any; in social texts it takes parts of shortened web addresses for licences.
    "US_DRIVER_LICENSE": ((0.0, 0.3),),
}

UNSUPPORTED = max(shares[-1][1] for shares in _SHARES.values())
"""The highest score of a finding for which the tagger gives nothing."""


class Doubt(NamedTuple):
    """A word that may belong to a person or a place.

    Attributes:
        start: First character.
        end: One past the last.
        person: The tagger's probability that it belongs to a person, 0..1.
        place: That it belongs to a place or an address, 0..1.
    """

    start: int
    end: int
    person: float
    place: float


def weighed(finding: Finding, doubts: Iterable[Doubt]) -> Finding:
    """The finding with the share of findings of its kind that are right as its score; of other types, as it is.

    Args:
        finding: Of Rampart's.
        doubts: The tagger's words of the same text.
    """
    shares = _SHARES.get(finding.entity)
    if shares is None:
        return finding
    agreed = max(
        (
            doubt.person if finding.entity == "PERSON" else doubt.place
            for doubt in doubts
            if doubt.start < finding.end and doubt.end > finding.start
        ),
        default=0.0,
    )
    return finding._replace(score=next(share for least, share in shares if agreed >= least))


def wanted(doubts: Iterable[Doubt], threshold: float) -> list[tuple[int, int]]:
    """The words without one of which no person or place of Rampart's would reach a threshold.

    Args:
        doubts: The tagger's words of a text: those that it gives `LEAST` or more.
        threshold: Lowest score that will count, above `UNSUPPORTED`.
    """
    person, place = (
        max(LEAST, min((least for least, share in _SHARES[entity] if share >= threshold), default=1.0))
        for entity in ("PERSON", "LOCATION")
    )
    return [(doubt.start, doubt.end) for doubt in doubts if doubt.person >= person or doubt.place >= place]
