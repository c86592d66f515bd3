"""A column under decision: its profile, what its name promises, and what the detector says of its values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from privkit.deid.columns.names import Hint, words_of
from privkit.deid.columns.values import Profile, spread
from privkit.deid.findings import NATIONAL, Detector
from privkit.model.policy import Role

ENOUGH = 0.9
ENOUGH_IF_NAMED = 0.6
_FOR_THE_MODEL = 300
_FOR_THE_CHECKS = 100
_FEWEST_NATIONAL = 5
# Below this a finding is one of Presidio's guesses ("any nine digits could be a bank account").
_LEAST_SCORE = 0.4
# Entities that models find, rather than patterns.
MODELS_TYPES = frozenset({"PERSON", "LOCATION", "DATE_TIME", "NRP", "ORGANIZATION", "ORG", "URL"})
# Keys of `Column.flagged` that speak of somebody.
SOMEBODY = ("PERSON", "LOCATION", "inside")


@dataclass(frozen=True)
class Decision:
    """What one column holds.

    Attributes:
        name: The leaf's path, e.g. `patient.name`.
        role: identifier, free_text, quasi or other.
        entity: What the cells are; None for free text and for most of `other`.
        share: Share of the distinct non-empty cells that are so, 0..1; 0 where the name alone decided.
        evidence: Why, in a few words, without values.
        certain: False where `other` only means that nothing was recognised, so that a person should look. Numbers,
            yes/no, dates and categories are certain, unless something about them says otherwise.
        format: strptime format of a text column of dates.
        warnings: What a person should know about this column, in sentences without values.
    """

    name: str
    role: Role
    entity: str | None
    share: float
    evidence: str
    certain: bool = True
    format: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def hints(self) -> Mapping[str, str]:
        """Parameters for the column's operator: the `format` of its dates, if it has one."""
        return {} if self.format is None else {"format": self.format}


@dataclass(frozen=True)
class Column:
    """What the rules look at."""

    name: str
    profile: Profile
    hint: Hint | None
    detector: Detector | None

    def is_named(self, *kinds: str) -> bool:
        return self.hint is not None and self.hint.kind in kinds

    def decision(
        self,
        role: Role,
        entity: str | None,
        share: float,
        evidence: str,
        *,
        certain: bool = True,
        format: str | None = None,
        warnings: tuple[str, ...] = (),
    ) -> Decision:
        return Decision(self.name, role, entity, round(share, 4), evidence, certain, format, warnings)

    def promises(self, entity: str) -> bool:
        return self.hint is not None and self.hint.entity == entity

    @property
    def promised(self) -> Hint:
        """The hint, where a rule for hints runs."""
        assert self.hint is not None
        return self.hint

    def by_name(self, share: float) -> Decision:
        return self.decision(self.promised.role, self.promised.entity, share, "name")

    @property
    def is_low_cardinality(self) -> bool:
        """Few different numbers or codes of things: nobody is known by the id of one of twelve wards."""
        profile, hint = self.profile, self.promised
        if hint.strength == "strong":
            return False
        return profile.is_category or (profile.cells >= 20 and profile.ratio <= 0.2 and hint.strength == "weak")

    @cached_property
    def flagged(self) -> dict[str, float]:
        """Share of distinct values that the detector finds to be an entity, by entity; `inside`: only part of
        them; `anybody`: all of them, be it a person or what a recognizer other than a model's knows.
        """
        if self.detector is None:
            return {}
        texts = list(spread(self.profile.values, _FOR_THE_MODEL))
        counts: Counter[str] = Counter()
        for text, findings in zip(texts, self.detector.detect(texts), strict=True):
            covered: dict[str, set[int]] = {}
            for finding in findings:
                if finding.score >= _LEAST_SCORE:
                    covered.setdefault(finding.entity, set()).update(range(finding.start, finding.end))
            solid = {i for i, c in enumerate(text) if not c.isspace()}
            whole = [entity for entity, at in covered.items() if len(at & solid) >= 0.8 * len(solid)]
            counts.update(whole)
            counts["anybody"] += any(entity == "PERSON" or entity not in MODELS_TYPES for entity in whole)
            if not whole and (covered.keys() & {"PERSON", "LOCATION"} or covered.keys() - MODELS_TYPES):
                counts["inside"] += 1
        return {entity: count / len(texts) for entity, count in counts.items() if count}

    @cached_property
    def national(self) -> tuple[str, float]:
        """The national number that most values are where they stand beside the column's name, and their share."""
        values = list(spread(self.profile.values, _FOR_THE_CHECKS))
        if self.detector is None or len(values) < _FEWEST_NATIONAL:
            return "", 0.0
        name = " ".join(words_of(self.name))
        counts: Counter[str] = Counter()
        for value, findings in zip(values, self.detector.detect([f"{name} {v}" for v in values]), strict=True):
            counts.update(
                {
                    finding.entity
                    for finding in findings
                    if finding.recognizer.startswith(NATIONAL) and finding.end - finding.start == len(value)
                }
            )
        entity, count = max(counts.items(), key=lambda pair: pair[1], default=("", 0))
        return entity, count / len(values)

    @property
    def recognised(self) -> dict[str, float]:
        """Those of `flagged` that are entities which patterns find, custom recognizers' among them."""
        return {
            entity: share
            for entity, share in self.flagged.items()
            if entity not in {*MODELS_TYPES, "inside", "anybody"}
        }


Rule = Callable[[Column], Decision | None]
