"""Records of private scoring: the model that its owner keeps, and what others are told of it."""

from __future__ import annotations

import math
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Output = Literal["score", "log-odds", "probability"]
MOST_FEATURES = 2000


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Feature(_Record):
    """A column that a model reads.

    Attributes:
        name: The column's name.
        low: The lowest value that a row may have; declared, never read off the data.
        high: The highest.
    """

    name: str = Field(min_length=1)
    low: float
    high: float

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"feature {self.name}: low is not below high")
        return self

    @property
    def middle(self) -> float:
        """The middle of the range."""
        return self.low / 2 + self.high / 2

    @property
    def half(self) -> float:
        """Half of the range's width."""
        return self.high / 2 - self.low / 2


class WeighedFeature(Feature):
    """A feature with what the model makes of it.

    Attributes:
        coefficient: What one unit of the column adds to the score.
    """

    coefficient: float


class ScoringModel(_Record):
    """A linear or logistic model; its owner's secret, as far as its answers do not give it away.

    Attributes:
        format: What the file is.
        name: What its owner calls it, with a version if there are several.
        output: What is computed under encryption: a linear model's score; a logistic one's log-odds, or its
            probability by a polynomial.
        features: Columns, ranges and coefficients.
        intercept: The score where every feature is 0.
        tolerance: The largest error that a probability may have.
    """

    format: Literal["privkit scoring model 1"] = "privkit scoring model 1"
    name: str = Field(min_length=1)
    output: Output
    features: tuple[WeighedFeature, ...] = Field(min_length=1, max_length=MOST_FEATURES)
    intercept: float
    tolerance: float = Field(default=1e-3, ge=1e-6, le=0.1)

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        _refuse_doubles([feature.name for feature in self.features])
        if not any(feature.coefficient for feature in self.features):
            raise ValueError("every coefficient is 0: its score is the same for everybody")
        if not math.isfinite(self.middle) or not math.isfinite(self.reach):
            raise ValueError("its scores have no end: coefficients or ranges are too large")
        return self

    @property
    def middle(self) -> float:
        """The score where every feature is in the middle of its range."""
        return self.intercept + math.fsum(feature.coefficient * feature.middle for feature in self.features)

    @property
    def reach(self) -> float:
        """How far a score can be from `middle` while every feature is in its range."""
        return math.fsum(abs(feature.coefficient) * feature.half for feature in self.features)


class ScoringSpec(_Record):
    """What a client has to know to ask for scores, and all that it is told.

    Attributes:
        format: What the file is.
        name: What the model's owner calls it.
        output: What comes back.
        features: Columns and ranges, in the order in which they are encrypted.
        low: A number that no score (or log-odds) of rows within the ranges is below; it has two digits, so it tells
            little of the model.
        high: One that none is above.
        degree: Of the polynomial in the sigmoid's place; 1 where there is none.
        polynomial_error: How far the polynomial is from the sigmoid between `low` and `high`.
        precision: How far an answer can be from the model's, all errors together; an estimate on the safe side.
        level: Multiplications in a row that an answer has gone through.
        parameters: CKKS parameters, an entry of the allow-list.
    """

    format: Literal["privkit scoring spec 1"] = "privkit scoring spec 1"
    name: str = Field(min_length=1)
    output: Output
    features: tuple[Feature, ...] = Field(min_length=1, max_length=MOST_FEATURES)
    low: float
    high: float
    degree: int = Field(ge=1, le=255)
    polynomial_error: float = Field(ge=0)
    precision: float = Field(gt=0)
    level: int = Field(ge=1, le=10)
    parameters: str

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        _refuse_doubles([feature.name for feature in self.features])
        if not self.low < self.high:
            raise ValueError("low is not below high")
        return self

    @property
    def middle(self) -> float:
        """The middle of the scores."""
        return self.low / 2 + self.high / 2

    @property
    def half(self) -> float:
        """Half of the width of the scores."""
        return self.high / 2 - self.low / 2


def _refuse_doubles(names: list[str]) -> None:
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ValueError(f"feature {doubled[0]} stands twice")
