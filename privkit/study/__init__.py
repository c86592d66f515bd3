"""A door: encrypted studies, in which data, ledger and peers meet.

`Study` describes one, `KeyHolder` starts and ends a session, each `Party` agrees and contributes, an `Aggregator` adds
up. Every method gives or takes one message; each message is a type of its own, with `to_bytes` and `from_bytes`.
`privkit.study.steps` does the same over a folder of files.
"""

from privkit.study.aggregator import Aggregator
from privkit.study.description import Study
from privkit.study.holder import KeyHolder, result_of
from privkit.study.messages import Aggregate, Contribution, Invitation, Reveal, Share
from privkit.study.party import Party
from privkit.study.steps import (
    aggregate_study,
    contribute_study,
    join_study,
    new_study,
    reveal_study,
    study_result,
    study_status,
    verify_study,
)

__all__ = [
    "Aggregate",
    "Aggregator",
    "Contribution",
    "Invitation",
    "KeyHolder",
    "Party",
    "Reveal",
    "Share",
    "Study",
    "aggregate_study",
    "contribute_study",
    "join_study",
    "new_study",
    "result_of",
    "reveal_study",
    "study_result",
    "study_status",
    "verify_study",
]
