"""Cards: what is published beside the data, for people who trust nobody's word alone.

Where fields come from: *guarantee* and *accounting* follow what NIST SP 800-226 (Guidelines for Evaluating Differential
Privacy Guarantees) asks of a claim (unit, neighbours, parameters, trust, side channels) and what the OpenDP
deployments registry records (model, unit, flavour, ε, δ, mechanisms); *about* follows Datasheets for Datasets (Gebru
et al. 2021). A field that a person must state and did not is null, and reads "not stated".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from privkit.model.amounts import Amount
from privkit.model.dataset import Measure, PrivacyUnit
from privkit.model.disclosure import Disclosure, LocalNoise
from privkit.model.evaluation import DetectionGroups, Measures, Sha256
from privkit.model.pipeline import About
from privkit.model.release import Answer, Loss
from privkit.model.report import ModelInfo
from privkit.model.study import Noise, StudyKeyHolder, StudyParty


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CardColumn(_Record):
    """One column of rows that were given out.

    Attributes:
        name: The column.
        role: identifier, free_text, quasi or other.
        entity: Entity type of its cells.
        operator: What they became; None: the column does not reach the output.
        local: Name of the local mechanism on it, if any.
        changed: Cells that changed; only where the card's readers get the rows too.
    """

    name: str
    role: str
    entity: str | None
    operator: str | None
    local: str | None = None
    changed: int | None = None


class MeasuredDetection(_Record):
    """How well the detector of the rows finds people, as `privkit evaluate` measured it on annotated data.

    Attributes:
        source_sha256: SHA-256 of the annotated data.
        evaluation_sha256: SHA-256 of the measurement's JSON.
        texts: How many texts it was measured on.
        words: How many words they have.
        overall: All evaluated types together.
        entities: By type.
        groups: By the groups of attributes.
        privkit: The version that measured.
    """

    source_sha256: Sha256
    evaluation_sha256: Sha256
    texts: int
    words: int
    overall: Measures
    entities: Mapping[str, Measures]
    groups: tuple[DetectionGroups, ...] = ()
    privkit: str


class DeidentifiedRows(_Record):
    """Rows that this card goes with.

    Attributes:
        disclosure: The ledger's record of them.
        columns: What became of each column.
        models: Detectors' models with the hashes of their weights.
        recall: What is known of the models' recall, in words.
        rows: How many; only where the card's readers get the rows too.
        measured: What was measured of the detector, where somebody did.
    """

    disclosure: Disclosure
    columns: tuple[CardColumn, ...]
    models: tuple[ModelInfo, ...]
    recall: str
    rows: int | None = None
    measured: MeasuredDetection | None = None


class Guarantee(_Record):
    """What is promised, for all statistics from this dataset together.

    Attributes:
        measure: How loss is counted.
        limit: The dataset's whole budget: what all releases together may cost, for ever.
        unit: Whom it protects, and how much of one counts.
        trust: Who is trusted: `central`: whoever keeps the data and runs privkit sees it.
        neighbours: Which tables cannot be told apart, in words.
        enforced: How the bounds on a unit are enforced, in words.
        not_protected: In words.
        statistics_only: Whether rows were given out as well, so that ε covers the statistics alone.
    """

    measure: Measure
    limit: Loss
    unit: PrivacyUnit
    trust: Literal["central"] = "central"
    neighbours: str
    enforced: str
    not_protected: tuple[str, ...]
    statistics_only: bool


class CardAccounting(_Record):
    """The ledger, where the card was made.

    Attributes:
        before: Spent before what this card shows.
        after: Spent when the card was made.
        entries: Number of entries; `head` is the last one's hash: a signed card is a checkpoint.
        head: Hash of the last entry.
        high_loss: The reason that was given for a budget above the cap.
        ledger: Where the ledger is from the card's folder, where it is a file.
    """

    before: Loss
    after: Loss
    entries: int = Field(ge=1)
    head: Sha256
    high_loss: str | None = None
    ledger: str | None = None


class CardStatistic(_Record):
    """One released query.

    Attributes:
        answer: The query, mechanisms, values and intervals; without the integers as drawn.
        entry: Id of the ledger's charge.
        sequence: Its number.
        stored: Whether it was paid for before and only shown again.
        groups_from: Where the groups' names come from, in words.
        bias: What is known to be left out or clipped, in words.
    """

    answer: Answer
    entry: str
    sequence: int
    stored: bool
    groups_from: str
    bias: tuple[str, ...]


class CardStudy(_Record):
    """An encrypted study that the dataset contributed to.

    Attributes:
        study: Its name.
        session: Its session.
        party: This dataset's party.
        parties: The roster.
        key_holder: Who decrypts.
        epsilon: ε of the study, at `delta`; `rho` was charged to this dataset.
        min_honest: Of how many parties the noise is counted on.
        parameters: Of the encryption, by channel.
        statistics: The queries.
        collusion: Who would have to work together to see more, in words.
    """

    study: str
    session: str
    party: str
    parties: tuple[StudyParty, ...]
    key_holder: StudyKeyHolder
    epsilon: Amount
    delta: Amount
    rho: Amount
    min_honest: int | None
    noise: Noise
    parameters: tuple[str, ...]
    statistics: tuple[str, ...]
    collusion: tuple[str, ...]


class FairnessGroup(_Record):
    """A group, and the mean relative half-width (half-width over value) of a statistic's intervals in it."""

    group: str
    relative_half_width: float | None
    values: int


class FairnessTable(_Record):
    """How evenly a statistic's precision falls on the groups of an attribute; from released values alone.

    Attributes:
        attribute: The column.
        statistic: The statistic's name.
        sql: Its query.
        groups: In the release's order.
        ratio: Best over worst relative half-width, in 0 … 1 (Fairlearn's MetricFrame.ratio).
        warning: Set where the worst-off group is much worse off.
    """

    attribute: str
    statistic: str
    sql: str
    groups: tuple[FairnessGroup, ...]
    ratio: float | None
    warning: str | None = None


class OddsRow(_Record):
    """What the whole budget can do to somebody's belief that one person is in the data: percent before and after."""

    prior: float
    lowest: float
    highest: float


class Implementation(_Record):
    """What computed it.

    Attributes:
        software: Versions.
        randomness: Where it comes from.
        floating_point: What was done against attacks on floats.
        timing: What was done, and not, against timing.
    """

    software: Mapping[str, str]
    randomness: str
    floating_point: str
    timing: str


class PublishedFile(_Record):
    """A file that the card vouches for: its place from the card's folder, and the SHA-256 of its bytes.

    `bytes`, how many, is null for rows that the card's readers do not get: it would tell about how many rows there are.
    """

    path: str
    bytes: int | None
    sha256: Sha256


class Card(_Record):
    """What was given out of one dataset by one run or release, and what is promised about it."""

    format: Literal["privkit card 1"] = "privkit card 1"
    id: str
    dataset: str
    version: str
    time: str
    made_by: str
    about: About = About()
    deidentified: tuple[DeidentifiedRows, ...] = ()
    disclosed: tuple[Disclosure, ...] = Field((), description="All rows ever given out of this dataset.")
    local: tuple[LocalNoise, ...] = Field((), description="All columns ever given out under a local mechanism.")
    guarantee: Guarantee
    accounting: CardAccounting
    statistics: tuple[CardStatistic, ...] = ()
    studies: tuple[CardStudy, ...] = ()
    fairness: tuple[FairnessTable, ...] = ()
    declared: Mapping[str, Mapping[str, object]] = Field(
        default_factory=dict, description="Declarations of the columns that the statistics read."
    )
    odds: tuple[OddsRow, ...] = ()
    implementation: Implementation
    files: tuple[PublishedFile, ...] = ()
    previous: Sha256 | None = Field(None, description="SHA-256 of the card before this one of the same pipeline.")
    signer: str | None = Field(None, description="What the signer calls itself.")
    public: str | None = Field(None, description="The signer's public identity.")
    signature: str | None = Field(None, description="Base64 of the Ed25519 signature over all of the rest.")


class CardVerified(_Record):
    """A card that holds.

    Attributes:
        files: How many files were there and had their hashes.
        ledger: Whether the ledger was there and has the card's entry.
        signed: Whether somebody signed it; `pinned`: whether that is whom the verifier expects.
    """

    dataset: str
    time: str
    files: int
    ledger: bool
    signed: bool
    pinned: bool
    signer: str | None = None
    fingerprint: str | None = None
    notes: tuple[str, ...] = ()
