"""A configuration of Presidio's analyzer, as a policy carries it: recognizers and a model beside the detector's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator


class PresidioConfiguration(BaseModel):
    """What Presidio's `AnalyzerEngineProvider` reads; also what the provider of its registry or its NLP engine reads.

    A registry's file has `recognizers` at its top, an NLP engine's has `nlp_engine_name`: both are taken for the part
    that they are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    supported_languages: tuple[str, ...] = Field((), description="All languages when absent.")
    default_score_threshold: float = Field(
        0.0, ge=0, le=1, description="Lowest score of what these recognizers find, before the policy's own threshold."
    )
    nlp_configuration: Mapping[str, object] | None = Field(
        None, description="`nlp_engine_name`, `models`, `ner_model_configuration`: whose entities are findings."
    )
    recognizer_registry: Mapping[str, object] | None = Field(
        None, description="`recognizers`, `global_regex_flags`: predefined and custom ones."
    )

    @model_validator(mode="before")
    @classmethod
    def _whole(cls, given: Any) -> Any:
        if isinstance(given, Mapping) and "nlp_engine_name" in given:
            return {"nlp_configuration": given}
        if isinstance(given, Mapping) and "recognizers" in given:
            languages = given.get("supported_languages") or ()
            return {"recognizer_registry": given, "supported_languages": languages}
        return given
