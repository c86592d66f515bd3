"""The policy: what each kind of column and each kind of finding becomes.

A policy is a decision written down. The built-in ones decide by role and entity; `privkit deidentify --save-policy`
adds a rule for each column, and next month's file is run with that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from privkit.model.languages import checked_countries, checked_language
from privkit.model.operators import Keep, Operator, Pseudonym, Replace
from privkit.model.presidio import PresidioConfiguration

Role = Literal["identifier", "free_text", "quasi", "other"]
DetectorName = Literal["patterns", "spacy", "core", "full"]
Recall = Literal["high", "balanced", "precise"]
Unknown = Literal["keep", "drop", "refuse"]


# Lowest score that counts. Scores are calibrated: about this share of the findings at a score is right.
_THRESHOLDS: Mapping[Recall, float] = {"high": 0.2, "balanced": 0.4, "precise": 0.7}

# A policy that says nothing about a role must not keep people's data by its silence.
_ROLES: Mapping[Role, Operator] = {
    "identifier": Pseudonym(),
    "free_text": Replace(),
    "quasi": Replace(),
    "other": Keep(),
}


class ColumnRule(BaseModel):
    """What a person, or the sample, decided about one column.

    For a free-text column the operator is applied to each finding inside the text; for every other role, to the
    whole cell.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role | None = Field(None, description="Decided from the sample when absent.")
    entity: str | None = Field(None, description="Entity type of the cells, e.g. PERSON; null for other and free text.")
    operator: Operator | None = Field(None, description="Taken from `entities`, then `roles`, when absent.")
    watch: bool = Field(True, description="Stop the run when a kept column of role `other` turns out to identify.")


class Policy(BaseModel):
    """A de-identification policy.

    The operator of a column is that of its rule in `columns`, else of its entity in `entities`, else of its role in
    `roles`. The operator of a finding inside free text is that of its entity in `entities`, else of the column's
    rule, else of the role `free_text`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = "custom"
    description: str = ""
    detector: DetectorName | None = Field(None, description="The fullest installed when absent.")
    language: str = "en"
    country: tuple[str, ...] = Field((), description="Whose national numbers are read; the language decides if none.")
    unknown: Unknown = Field("keep", description="What happens to a column that `columns` does not name, if any are.")
    recall: Recall = Field(
        "balanced",
        description="How much is looked for: `high` misses less and takes more for names, `precise` the other way.",
    )
    threshold: float | None = Field(
        None, ge=0, le=1, description="Lowest score of a finding that counts; by `recall` (.2, .4, .7) when absent."
    )
    thresholds: Mapping[str, Annotated[float, Field(ge=0, le=1)]] = Field(
        default_factory=dict, description="The same, by entity type."
    )
    roles: Mapping[Role, Operator] = Field(
        default_factory=lambda: dict(_ROLES),
        description="What a role becomes; one that is not named: identifier pseudonym, quasi and free text replace.",
    )
    entities: Mapping[str, Operator] = Field(default_factory=dict)
    columns: Mapping[str, ColumnRule] = Field(default_factory=dict)
    allow: tuple[str, ...] = Field((), description="Texts that are never findings (exact, case-insensitive).")
    deny: Mapping[str, tuple[str, ...]] = Field(
        default_factory=dict, description="Texts that always are, by entity type (whole words, case-insensitive)."
    )
    recognizers: tuple[Mapping[str, object], ...] = Field(
        (), description="Custom recognizers, in the form of Presidio's YAML (`recognizers:` list)."
    )
    presidio: PresidioConfiguration | None = Field(
        None, description="More recognizers and a model, as Presidio's own configuration describes them."
    )
    allow_remote: bool = Field(False, description="True: recognizers of `presidio` may send texts to a service.")
    pattern_timeout: float = Field(
        10.0, gt=0, le=600, description="Seconds that one pattern may search one text; longer is an error."
    )
    accept_free_text: bool = Field(True, description="False: free-text columns are dropped.")
    kept_key: bool = Field(False, description="True: the policy promises reversibility, which needs a kept key.")

    _known_language = field_validator("language")(checked_language)
    _known_countries = field_validator("country")(checked_countries)

    @field_validator("roles")
    @classmethod
    def _every_role(cls, given: Mapping[Role, Operator]) -> Mapping[Role, Operator]:
        return {**_ROLES, **given}

    def column_operator(self, rule: ColumnRule) -> Operator:
        """The operator of a whole cell under `rule` (its role must be set)."""
        if rule.operator is not None:
            return rule.operator
        if rule.entity is not None and rule.entity in self.entities:
            return self.entities[rule.entity]
        return self.roles[rule.role or "other"]

    def finding_operator(self, rule: ColumnRule, entity: str) -> Operator:
        """The operator of a finding of type `entity` inside a free-text cell under `rule`."""
        if entity in self.entities:
            return self.entities[entity]
        return rule.operator or self.roles["free_text"]

    def score_threshold(self, entity: str) -> float:
        """Lowest score at which a finding of type `entity` counts, in 0..1."""
        return self.thresholds.get(entity, self.general_threshold)

    @property
    def general_threshold(self) -> float:
        """Lowest score at which a finding counts whose type `thresholds` does not name, in 0..1."""
        return _THRESHOLDS[self.recall] if self.threshold is None else self.threshold

    @property
    def lowest_threshold(self) -> float:
        """Lowest score at which a finding of any type counts, in 0..1."""
        return min((self.general_threshold, *self.thresholds.values()))
