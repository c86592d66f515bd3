"""The policy of one run: the one that was named, with what the user said for this run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from privkit.deid.policies import load_policy
from privkit.errors import UsageError
from privkit.model.languages import checked_countries, checked_language
from privkit.model.operators import Operator
from privkit.model.policy import DetectorName, Policy, Recall
from privkit.model.presidio import PresidioConfiguration
from privkit.model.yamlfile import read_yaml


def chosen_policy(
    policy: str | Path | Policy,
    *,
    entities: Mapping[str, Operator] | None = None,
    accept_free_text: bool | None = None,
    detector: DetectorName | None = None,
    recall: Recall | None = None,
    language: str | None = None,
    country: Collection[str] = (),
    presidio: str | Path | PresidioConfiguration | None = None,
) -> Policy:
    """A policy with the options of a run in the place of its own; what is None, or empty, stays the policy's.

    Raises:
        PolicyError: No such policy, or a file for Presidio that is none.
        UsageError: An option names an entity type, a language or a country that is not there.
    """
    chosen = policy if isinstance(policy, Policy) else load_policy(policy)
    update: dict[str, object] = {}
    if entities:
        own = {*chosen.entities, *chosen.deny, *(each.get("supported_entity") for each in chosen.recognizers)}
        for name in entities:
            if name not in own and name != name.upper():
                raise UsageError(
                    f"--entity {name}: entity types are written in capitals", hint=f"Did you mean {name.upper()}?"
                )
        update["entities"] = {**chosen.entities, **entities}
    if accept_free_text is not None:
        update["accept_free_text"] = accept_free_text
    if detector is not None:
        update["detector"] = detector
    if recall is not None:
        # Said for this run, it comes before a threshold that the policy gives for all types.
        update |= {"recall": recall, "threshold": None}
    if language is not None:
        update["language"] = _checked(f"--language {language}", language, checked_language)
    if country:
        countries = (country,) if isinstance(country, str) else tuple(country)
        update["country"] = _checked(f"--country {' '.join(countries)}", countries, checked_countries)
    if presidio is not None:
        read = isinstance(presidio, PresidioConfiguration)
        update["presidio"] = presidio if read else read_yaml(Path(str(presidio)), PresidioConfiguration)
    return chosen.model_copy(update=update)


def _checked(option: str, given: Any, check: Callable[[Any], object]) -> object:
    try:
        return check(given)
    except ValueError as err:
        raise UsageError(f"{option}: {err}") from None
