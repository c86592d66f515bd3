"""A made-up study's result for the report tests."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from privkit.model.study import Channel, StudyPrivacy, StudyResult, StudyUnit
from tests.report import card_sample


def result(**changes: Any) -> StudyResult:
    """What three hospitals learned together."""
    study = card_sample.study()
    fields: dict[str, Any] = {
        "study": study.study,
        "session": study.session,
        "time": "2026-11-21T10:00:00+00:00",
        "key_holder": study.key_holder,
        "parties": study.parties,
        "contributions": {party.name: "3c" * 32 for party in study.parties},
        "privacy": StudyPrivacy(epsilon=study.epsilon, delta=study.delta, min_honest=2),
        "rho": Decimal("0.0111"),
        "noise": "distributed",
        "unit": StudyUnit(),
        "statistics": (card_sample.answer(threshold=None), card_sample.counts({"north": 310.0, "south": None})),
        "channels": (Channel(parameters="bfv-8192-40bit", length=24),),
        "invitation": "4d" * 32,
        "transcript": "5e" * 32,
        "aggregate": "6f" * 32,
        "software": {"privkit-toolkit": "0.1.0"},
    }
    return StudyResult(**fields | changes)
