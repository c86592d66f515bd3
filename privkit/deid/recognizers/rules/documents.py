"""Numbers of licences, passports and bank accounts, where the text says that they are such.

Their forms say next to nothing (nine digits, a letter and eight digits), so the word for the document must stand before
them as a whole word: Presidio takes "public" for support of a licence, since "lic" is in it.
"""

from __future__ import annotations

from privkit.deid.recognizers.rules.rule import LabelRule

_SURE, _LIKELY = 0.9, 0.7

# Between the document's name and its number: "no.", "number is", "#", ":", "(expired)", a few words at most.
_LINK = (
    r"(?:'?s?\b)?[\s:#=(\"'-]{0,3}(?:\s?(?i:numbers?|num|no|nr|nº|n°|nummer|numéro|número|numero|id|card|code|is|was|ist|"
    r"est|es|è|of|the|with|valid|holder|under|lautet)\b[.:]?[\s:#=(\"'-]{0,3}){0,4}"
)
# Letters and digits, at least four of these; a hyphen or a space may group them.
_CODE = r"(?<![\w-])(?=[A-Za-z0-9-]{0,20}?(?:\d[A-Za-z-]{0,3}){4})[A-Za-z]{0,3}\d[A-Za-z0-9-]{3,18}(?<!-)(?![\w])"
_LETTERS_FIRST = r"(?<![\w-])(?=[A-Za-z0-9]{0,20}?(?:\d[A-Za-z]{0,2}){4})[A-Za-z]{3,6}\d[A-Za-z0-9]{5,14}(?![\w])"
_LICENCE = (
    r"(?i:\bdriver'?’?s?'?’? ?licen[cs]es?|\bdriving licen[cs]es?|\bdriver'?s permit|\bdln?|\bd/l|\bd\.l\.|"
    r"\bführerschein(?:nummer|nr)?|\bfahrerlaubnis|\bpermis de conduire|\bpermiso de conducir|"
    r"\bcarn[eé] de conducir|\bpatente(?: di guida)?|\brijbewijs)"
)
_PASSPORT = (
    r"(?i:\bpassports?|\b(?:reise)?pass(?:nummer|nr)|\breisepass|\bpasseport|\bpasaporte|\bpassaporto|\bpaspoort)"
)
_ACCOUNT = (
    r"(?i:\b(?:bank |checking |savings |current |deposit |debit )?(?:account|acct|a/c)|\bkonto(?:nummer|nr)?|"
    r"\bcompte|\bcuenta|\bconto(?: corrente)?|\b(?:bank)?rekening(?:nummer)?)"
)


class LicenceRule(LabelRule):
    """Finds numbers of driving licences after the word for them."""

    entities = ("US_DRIVER_LICENSE",)
    searches = (
        (rf"{_LICENCE}{_LINK}(?P<found>{_CODE})", _SURE),
        (rf"{_LICENCE}{_LINK}(?P<found>{_LETTERS_FIRST})", _SURE),
        (rf"\b(?i:licen[cs]e\s(?:number|no|num|nr|#)){_LINK}(?P<found>{_CODE})", _LIKELY),
    )


class PassportRule(LabelRule):
    """Finds numbers of passports after the word for them."""

    entities = ("US_PASSPORT",)
    searches = (
        (
            rf"{_PASSPORT}{_LINK}(?P<found>(?<![\w-])(?:[A-Za-z]{{0,3}}\d{{5,9}}[A-Za-z]?\d{{0,2}}"
            r"|(?=(?:[A-Z]{0,3}\d){4})[A-Z0-9]{8,9})(?!\w))",
            _SURE,
        ),
    )


class BankAccountRule(LabelRule):
    """Finds numbers of bank accounts after the word for them."""

    entities = ("US_BANK_NUMBER",)
    searches = (
        (rf"{_ACCOUNT}{_LINK}(?P<found>(?<![\w-])\d{{6,17}}(?![\w-]))", _LIKELY),
        (rf"{_ACCOUNT}{_LINK}(?P<found>(?<![\w-])\d{{2,4}}(?:[ -]\d{{2,4}}){{2,4}}(?![\w-]))", _LIKELY),
    )
