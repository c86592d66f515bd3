"""Payment cards whose numbers begin with 2, which Presidio's pattern leaves out: Mastercard's since 2017, and Mir."""

from __future__ import annotations

from privkit.deid.recognizers.rules.rule import PatternRule


class CardRule(PatternRule):
    """Finds card numbers of the series 2200 to 2204 and 2221 to 2720 that have a valid check digit (ISO/IEC 7812)."""

    entities = ("CREDIT_CARD",)
    searches = (
        (
            "Card of the 2 series",
            r"(?<![\w.-])(?:220[0-4]|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)(?:(?:[ -]?\d{4}){3})(?![\w-])",
            1.0,
        ),
    )

    def valid(self, found: str) -> bool:
        """Whether the check digit is right."""
        digits = [int(character) for character in found if character.isdecimal()]
        doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
        return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
