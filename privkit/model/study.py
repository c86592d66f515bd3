"""Records of encrypted studies: what a study is, what its messages say, and what comes of it.

Everything here is public to all parties. A message's signature and its encrypted parts stand around these records
(`privkit.study.messages`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from privkit.model.amounts import Amount
from privkit.model.dataset import NAME, Column
from privkit.model.release import Answer

MOST_PARTIES = 256
_PARTY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_PUBLIC = re.compile(r"ed25519:[A-Za-z0-9+/]{43}=")


def _party_name(text: str) -> str:
    if not _PARTY.fullmatch(text):
        raise ValueError("a party's name has 1 to 40 letters of a to z, digits, - and _, and begins with no - or _")
    return text


def _public_identity(text: str) -> str:
    if not _PUBLIC.fullmatch(text):
        raise ValueError("a public identity is wanted: what `privkit identity show FILE` prints as public")
    return text


Noise = Literal["distributed", "key-holder"]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Session = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
PartyName = Annotated[str, AfterValidator(_party_name)]
Public = Annotated[str, AfterValidator(_public_identity)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


# ---- what a person writes


class StudyParty(_Record):
    """A party of the roster: a short name that can be a file's, and the public half of its identity."""

    name: PartyName
    public: Public = Field(description="What `privkit identity show` prints as public.")


class StudyKeyHolder(_Record):
    """Who makes a session's keys and decrypts the sum: what the identity calls itself, and its public half."""

    name: str = Field(min_length=1, max_length=100)
    public: Public


class StudyPrivacy(_Record):
    """What the result may tell about one person.

    The noise of any `min_honest` parties together gives (ε, δ): the others may know their own noise, so at most all
    but one can be counted on.
    """

    epsilon: Amount = Field(gt=0, description="ε of the whole study.")
    delta: Amount = Field(gt=0, lt=1, description="δ, far below one over the number of people.")
    min_honest: int | None = Field(None, ge=1, description="Parties whose noise nobody else knows, at the least.")
    max_parties_per_person: int = Field(1, ge=1, description="In how many parties one person may be.")


class StudyUnit(_Record):
    """How much of one person counts at one party; every party enforces it."""

    max_groups: int = Field(1, ge=1, le=10**6, description="Groups of one statistic that a person can count in.")
    max_rows_per_group: int = Field(1, ge=1, le=10**6, description="Rows of a person that count in one group.")
    max_units: int = Field(100_000, ge=1, le=2**40, description="People at one party, at the most: a public bound.")


class StudySpec(_Record):
    """A study, as `*.study.yaml` holds it."""

    study: str = Field(pattern=NAME.pattern, description="Its name; queries may call the data so, or `data`.")
    parties: tuple[StudyParty, ...] = Field(min_length=2, max_length=MOST_PARTIES)
    privacy: StudyPrivacy
    unit: StudyUnit = StudyUnit()
    columns: Mapping[str, Column] = Field(min_length=1)
    statistics: tuple[str, ...] = Field(min_length=1, max_length=1000, description="SQL as for `privkit release`.")
    noise: Noise = Field("distributed", description="key-holder: the weaker mode in which the key holder draws it.")
    key_holder: Public | None = Field(None, description="The key holder's public identity, pinned.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _check_roster(self.parties)
        _check_privacy(self.privacy, self.noise, len(self.parties))
        for name, column in self.columns.items():
            if column.from_ is not None:
                raise ValueError(f"{name}: `from` is each party's own: it stands in the party's dataset description")
        return self


def _check_roster(parties: tuple[StudyParty, ...]) -> None:
    for what, values in (
        ("name", [party.name.casefold() for party in parties]),
        ("public identity", [party.public for party in parties]),
    ):
        if len(set(values)) != len(values):
            raise ValueError(f"two parties have the same {what}")


def _check_privacy(privacy: StudyPrivacy, noise: Noise, parties: int) -> None:
    if privacy.max_parties_per_person > parties:
        raise ValueError(f"max_parties_per_person is at most the number of parties, {parties}")
    if noise == "key-holder":
        if privacy.min_honest is not None:
            raise ValueError("min_honest has no meaning with `noise: key-holder`: leave it out")
        return
    if privacy.min_honest is None:
        raise ValueError("privacy.min_honest is wanted: how many parties' noise nobody else knows, at the least")
    if privacy.min_honest >= parties:
        raise ValueError(
            f"min_honest is at most {parties - 1} of {parties} parties: who sees the result may know its own noise"
        )


# ---- what messages say


class Channel(_Record):
    """One encrypted vector of a study: its residues modulo one plain modulus.

    Attributes:
        parameters: Name of the allow-list entry that its context must have.
        length: Slots that are used.
    """

    parameters: str
    length: int = Field(ge=1)


class ManifestStatistic(_Record):
    """One query of a study.

    Attributes:
        sql: In its canonical spelling.
        scales: σ of the discrete Gaussian that each party adds (or the key holder, in the weaker mode), by vector,
            in the vector's weighted integer units.
    """

    sql: str
    scales: Mapping[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]]


class Manifest(_Record):
    """What all parties agree to: the study file, and all that follows from it.

    Attributes:
        session: Random; contexts, masks and noise are made for it alone.
        key_holder: Who made the contexts and will decrypt the sum.
        rho: ρ that the study costs each party, for (ε, δ) of `privacy`.
        channels: The encrypted vectors, each with a context of its own (the invitation's parts, in this order).
    """

    study: str = Field(pattern=NAME.pattern)
    session: Session
    key_holder: StudyKeyHolder
    parties: tuple[StudyParty, ...] = Field(min_length=2, max_length=MOST_PARTIES)
    privacy: StudyPrivacy
    noise: Noise
    unit: StudyUnit
    columns: Mapping[str, Column]
    statistics: tuple[ManifestStatistic, ...] = Field(min_length=1, max_length=1000)
    rho: Amount = Field(gt=0)
    channels: tuple[Channel, ...] = Field(min_length=1, max_length=8)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _check_roster(self.parties)
        _check_privacy(self.privacy, self.noise, len(self.parties))
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The parties' names, in the order of the roster."""
        return tuple(party.name for party in self.parties)

    def public(self, name: str) -> str | None:
        """A party's public identity; None for a name that is not on the roster."""
        return next((party.public for party in self.parties if party.name == name), None)


class ShareBody(_Record):
    """A party's public X25519 share (hexadecimal), and that it agrees to the manifest."""

    session: Session
    invitation: Sha256
    party: PartyName
    share: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class ContributionBody(_Record):
    """A party's masked and encrypted vectors.

    Attributes:
        transcript: SHA-256 over invitation and all shares: what was agreed before anyone contributed.
        scales: σ of the noise that the party says it added, by statistic and vector; empty mappings where the key
            holder draws the noise.
    """

    session: Session
    transcript: Sha256
    party: PartyName
    scales: tuple[Mapping[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]], ...]


class AggregateBody(_Record):
    """The sum of all contributions; `contributions` are their messages' SHA-256 by party. Anyone can make the same."""

    session: Session
    transcript: Sha256
    contributions: Mapping[str, Sha256]


class RevealBody(_Record):
    """That the key holder decrypted this aggregate, once, and what came of it."""

    session: Session
    transcript: Sha256
    aggregate: Sha256
    time: str


# ---- what comes of it


class StudyResult(_Record):
    """What the parties learned together.

    Attributes:
        study: Its name.
        session: Its session.
        time: When it was revealed (UTC, ISO 8601), by the key holder's clock.
        key_holder: Who decrypted the sum.
        parties: Who contributed, each with the SHA-256 of its contribution in `contributions`.
        privacy: (ε, δ) and what it rests on.
        rho: The same as the ledgers count it.
        noise: Who drew it.
        unit: What of one person counted at one party.
        statistics: One answer a query, as a local release gives it.
        channels: The encrypted vectors' parameters.
        invitation: SHA-256 of the invitation.
        transcript: SHA-256 over invitation and shares.
        aggregate: SHA-256 of the aggregate that was decrypted.
        software: Versions at the key holder.
        card: The same for people, as Markdown.
    """

    format: Literal[1] = 1
    study: str
    session: Session
    time: str
    key_holder: StudyKeyHolder
    parties: tuple[StudyParty, ...]
    contributions: Mapping[str, Sha256]
    privacy: StudyPrivacy
    rho: Amount
    noise: Noise
    unit: StudyUnit
    statistics: tuple[Answer, ...]
    channels: tuple[Channel, ...]
    invitation: Sha256
    transcript: Sha256
    aggregate: Sha256
    software: Mapping[str, str]
    card: str = ""


class StepStatus(_Record):
    """How far one party is: what of it was found in the folder, each verified."""

    name: str
    public: str
    joined: bool
    contributed: bool


class StudyStatus(_Record):
    """Who did what in a study; every signature and hash was checked for it.

    Attributes:
        epsilon: ε of the study.
        unit: What of one person counts at one party.
        columns: As the study bounds them.
        next: What has to happen next, in words.
    """

    study: str
    session: Session
    key_holder: StudyKeyHolder
    epsilon: Amount
    delta: Amount
    rho: Amount
    noise: Noise
    min_honest: int | None
    max_parties_per_person: int
    unit: StudyUnit
    columns: Mapping[str, Column]
    statistics: tuple[str, ...]
    parties: tuple[StepStatus, ...]
    aggregated: bool
    revealed: bool
    invitation: Sha256
    transcript: Sha256 | None
    bytes: int
    next: str


class Contributed(_Record):
    """What a party did.

    Attributes:
        again: Whether the contribution was made before and only published again, so that nothing was charged.
        rho: ρ that was charged to the party's ledger now.
        sequence: The ledger entry's number; None where nothing was charged now.
        bytes: Size of the contribution.
    """

    study: str
    party: str
    again: bool
    epsilon: Amount
    delta: Amount
    rho: Amount
    sequence: int | None
    bytes: int
