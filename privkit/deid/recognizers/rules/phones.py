"""Telephone numbers by their form: also those that no country's numbering plan has, for people mistype and invent them.

Presidio's recognizer, which asks phonenumbers, stays: it knows the plans. What it misses is numbers of other countries
than its eight, extensions, and numbers that are not valid.
"""

from __future__ import annotations

from privkit.deid.recognizers.rules.rule import LabelRule, PatternRule

_SURE, _LIKELY, _PLAUSIBLE = 0.9, 0.75, 0.5

_EXTENSION = r"(?:[ ,]{0,2}(?:x|ext\.?|extension|Ext\.?|Durchwahl|poste) ?\d{1,6})?"
_BEFORE = r"(?<![\w$€£#/.+-])(?<!\d[ ,:])"
_AFTER = r"(?![\w€%]|[-/.:]\d|,\d{3})"
_WORDS = (
    r"(?i:\b(?:(?:tele)?phones?|tel|cell(?:phone)?|mobiles?|mob|fax|call(?:ed|ing|back|s)?|dial(?:ed)?|reach(?:able|ed)?|"
    r"ring|rang|answer(?:ed|ing|s)?|text(?:ed)?|sms|whatsapp|hotline|contact|pager|voicemail|handy|telefon(?:nummer)?|mobil(?:nummer|e|telefon)?|"
    r"anruf(?:en)?|erreichbar|rückruf|tél|téléphone|portable|appel(?:er|ez)?|teléfono|móvil|celular|llam(?:ar?|e)|telefono|"
    r"cellulare|chiamare|telefoon(?:nummer)?|mobiel|bel(?:len)?|gsm)\b)"
)
# Up to four short words may stand between: "call me back at", "phone number (home) is".
_MARKS = r"[\s.:;,#(=*-]{0,4}"
_LINK = (
    rf"(?:{_MARKS}(?i:number|no|num|nr|numéro|número|numero|nummer|is|at|on|me|us|her|him|them|back|the|my|our|under|via|"
    rf"to|or|and|home|work|office|cell|mobile|unter|au|al|op|int)\b){{0,5}}{_MARKS}"
)
_LOOSE = r"\(?\+?\d(?:[ ()./-]{0,2}\d){5,14}"


class PhoneFormRule(PatternRule):
    """Finds telephone numbers by their form."""

    entities = ("PHONE_NUMBER",)
    searches = (
        (
            "North American form",
            rf"{_BEFORE}(?:(?:\+|00)?1[-. ]?)?(?:\(\d{{3}}\) ?|\d{{3}}[-.])\d{{3}}[-. ]\d{{4}}{_EXTENSION}{_AFTER}",
            _SURE,
        ),
        ("North American form with spaces", rf"{_BEFORE}\d{{3}} \d{{3}} \d{{4}}{_EXTENSION}{_AFTER}", _LIKELY),
        (
            "International form",
            rf"(?<![\w+])(?:\+|\(\+)[1-9]\d{{0,2}}\)?(?:[ ./-]?\(?\d{{1,5}}\)?){{2,6}}{_EXTENSION}(?!\w)",
            _SURE,
        ),
        (
            "Area code in brackets",
            rf"(?<![\w)])\(0\d{{1,5}}\)[ -]?\d{{2,4}}(?:[ -]?\d{{2,4}}){{1,3}}{_EXTENSION}{_AFTER}",
            _LIKELY,
        ),
    )


class LabelledPhoneRule(LabelRule):
    """Finds telephone numbers by the words beside them."""

    entities = ("PHONE_NUMBER",)
    searches = (
        (rf"{_WORDS}{_LINK}(?<![\w.])(?P<found>{_LOOSE}{_EXTENSION}){_AFTER}", _LIKELY),
        (
            rf"(?<![\w.$€£])(?P<found>{_LOOSE}{_EXTENSION})"
            r"[ \t-]{1,3}\(?(?i:office|fax|home|mobile|cell|work|phone|tel|direct)\b",
            _LIKELY,
        ),
    )
