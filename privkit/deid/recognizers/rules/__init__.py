"""Rules: what can be found without a model, by its form and the words beside it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from presidio_analyzer import EntityRecognizer

from privkit.deid.recognizers.rules.cards import CardRule
from privkit.deid.recognizers.rules.dates import DateRule
from privkit.deid.recognizers.rules.documents import BankAccountRule, LicenceRule, PassportRule
from privkit.deid.recognizers.rules.names import NameRule
from privkit.deid.recognizers.rules.phones import LabelledPhoneRule, PhoneFormRule
from privkit.deid.recognizers.rules.postcodes import DutchPostcodeRule, LabelledPostcodeRule, PostcodeRule
from privkit.deid.recognizers.rules.streets import StreetRule

__all__ = ["NOISY", "rule_recognizers"]

NOISY: Mapping[str, str] = MappingProxyType(
    {
        "DateRecognizer": "DateRule checks the calendar, knows the months' names and finds no ratios",
        "UsLicenseRecognizer": 'it takes `lic` in "public" for support: precision .03; LicenceRule wants whole words',
        "UsPassportRecognizer": 'it takes "us" and "states" for support of any nine digits; see PassportRule',
        "UsBankRecognizer": 'it takes "save" and "check" for support of any 8 to 17 digits; see BankAccountRule',
    }
)
"""Presidio's recognizers that a rule stands in for, by class name, each with the reason."""


def rule_recognizers(language: str) -> list[EntityRecognizer]:
    """The rules for texts in a language, as Presidio recognizers.

    Args:
        language: ISO 639-1 code. Forms of all languages are looked for in every text (addresses and dates travel);
            what would be mistaken for words of another language is looked for in its own alone.
    """
    rules: list[EntityRecognizer] = [
        rule(language)
        for rule in (
            DateRule,
            PostcodeRule,
            LabelledPostcodeRule,
            StreetRule,
            NameRule,
            PhoneFormRule,
            LabelledPhoneRule,
            LicenceRule,
            PassportRule,
            BankAccountRule,
            CardRule,
        )
    ]
    if language == "nl":
        rules.append(DutchPostcodeRule(language))
    return rules
