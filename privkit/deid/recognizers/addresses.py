"""Numbers beside a place that belong to it: the house before a street, the postcode after a town."""

from __future__ import annotations

import re

_NUMBER = r"\d{1,5}[A-Za-z]?"
# "3/12 Elm St", "12-14 Elm St", "Unit 3, 12 Elm St": what goes before an address that begins with a number.
_BEFORE_NUMBER = re.compile(
    rf"(?<![\w.,:$€£#%/-])(?:(?:unit|flat|apt|apartment|suite|ste|lot|no|number)\.? ?#?)?{_NUMBER}(?:, |[ /-])$",
    re.IGNORECASE,
)
_BEFORE_STREET = re.compile(rf"(?<![\w.,:$€£#%/-]){_NUMBER}(?:[-/]{_NUMBER})?,? $")
_AFTER_STREET = re.compile(rf" (?:n[º°.] ?)?{_NUMBER}(?:[-/]{_NUMBER})?(?![\w%€]|[.,:]\d|\s*(?:times|people|of)\b)")
# A postcode ends its line, its sentence or its clause; "Texas 10000 units" goes on.
_POSTCODE = re.compile(
    r"(?:,? |\s{0,2},?\s{0,2}\n\s{0,2})(?:[A-Z]{2} )?\d{5}(?:-\d{4})?(?=\s*(?:[\n,;.)?!\"']|\Z))(?!\.\d)"
)
_AFTER_ADDRESS = re.compile(
    r"(?:\s{0,3},\s{0,2}[A-Z]{2,3})?"
    r"(?:,? |\s{0,2},?\s{0,2}\n\s{0,2})\d{4,6}(?:-\d{4})?(?=\s*(?:[\n,;.)?!\"']|\Z))(?!\.\d)"
)
_STREET = re.compile(
    r"\b(?:street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|court|ct|place|pl|way|terrace|close|crescent|"
    r"parkway|pkwy|circle|square|highway|hwy|rue|calle|via|viale|piazza|corso|avenida|plaza|paseo|rua|ul|utca|út|útja|"
    r"allée|chemin|impasse|quai)\b"
    r"|(?:straße|strasse|str|gasse|weg|platz|allee|straat|laan|plein|gracht|kade|singel|dijk|gatan|vägen|vej|gade|veien|"
    r"gata|katu)\b",
    re.IGNORECASE,
)
_LONGEST = 20


def completed(text: str, start: int, end: int) -> tuple[int, int]:
    """The span of a place, with the numbers beside it that belong to it.

    A year beside a town is none of them: "in 2019 Paris" stays as it is.
    """
    before = None
    if text[start - 1 : start] in (" ", "/", "-") and text[max(start - 3, 0) : start].strip(" ,/-"):
        first = max(start - _LONGEST, 0)
        if text[start].isdigit():
            before = _BEFORE_NUMBER.search(text, first, start)
        elif _STREET.search(text, start, end):
            before = _BEFORE_STREET.search(text, first, start)
    if before is not None:
        start = before.start()
    if text[end : end + 1] not in (" ", ",", "\n", "\r"):
        return start, end
    after = _POSTCODE.match(text, end)
    if after is None and _ADDRESS.search(text, start, end):
        after = _AFTER_ADDRESS.match(text, end)
    if after is None and _STREET.search(text, max(end - _LONGEST, start), end):
        after = _AFTER_STREET.match(text, end)
    return start, end if after is None else after.end()


_ADDRESS = re.compile(r"\d")
