"""Postcodes, with the town and the state that stand beside them.

A bare number of five digits is no postcode: it takes a state before it, a label, or a town after it on a line of its
own. Forms of letters and digits that hardly anything else has (British, Canadian) stand for themselves.
"""

from __future__ import annotations

from privkit.deid.postal import STATES
from privkit.deid.recognizers.rules.rule import LabelRule, PatternRule

_SURE, _LIKELY, _PLAUSIBLE, _WEAK = 0.9, 0.75, 0.6, 0.3

CAPITAL = r"[^\W\d_a-zß-öø-ÿ]"
"""A letter that is not a small one: a pattern."""

_STATE_NAMES = (
    r"(?:Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|Florida|Georgia|Hawaii|Idaho|Illinois|"
    r"Indiana|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|Massachusetts|Michigan|Minnesota|Mississippi|Missouri|"
    r"Montana|Nebraska|Nevada|New (?:Hampshire|Jersey|Mexico|York)|North (?:Carolina|Dakota)|Ohio|Oklahoma|Oregon|"
    r"Pennsylvania|Rhode Island|South (?:Carolina|Dakota)|Tennessee|Texas|Utah|Vermont|(?:West )?Virginia|"
    r"Washington|Wisconsin|Wyoming)"
)
# "Send it to Springfield, IL": words that begin a sentence or lead to a town are no part of its name.
_NO_TOWN = r"(?!(?:In|At|From|To|Of|The|Near|Lives|Address|Dear|And|Is|For|On|Visit|Ship|Mail|Our|My|Dr|Mr|Mrs|Ms)\b)"
_SMALL = r"(?:of|de|la|le|les|del|am|an|der|sur|en|aan|den|upon|im|in)"
TOWN = rf"{_NO_TOWN}{CAPITAL}[\w'’.-]{{1,30}}(?:[ \t](?:{_SMALL}[ \t])?{CAPITAL}[\w'’.-]{{1,30}}){{0,2}}"
"""One to three words that can be a town's name: a pattern."""

_ZIP = r"\d{5}(?:-\d{4})?(?![\w-])"
_BRITISH_AREAS = (
    r"(?:A[BL]|B[ABDHLNRST]?|C[ABFHMORTVW]|D[ADEGHLNTY]|E[CHNX]?|F[KY]|G[LUY]?|H[ADGPRSUX]|I[GMPV]|JE|K[ATWY]|"
    r"L[ADELNSU]?|M[EKL]?|N[EGNPRW]?|O[LX]|P[AEHLOR]|R[GHM]|S[AEGKLMNOPRSTWY]?|T[ADFNQRSW]|UB|W[ACDFNRSV]?|YO|ZE)"
)
# What stands after a year or a quantity and looks like the letters of a Dutch postcode.
_UNITS = r"(?:AD|AM|BC|CE|EU|EC|ET|FT|GB|HP|HR|HZ|IU|KB|KG|KM|MB|MG|MI|ML|MM|PM|PS|PT|SA|SD|SS|US|UK|TV|XP)"
_LABEL = (
    r"(?i:\b(?:zip(?:[ -]?code)?|post(?:al)?[ -]?code|plz|postleitzahl|code postal|codice postale|c[óo]digo postal))"
    r"\W{0,3}(?:(?i:is|ist|est|es|code)\W{1,3})?"
)
_CEDEX = r"(?:[ \t]\d{1,2}|[ \t]\([A-Z]{2}\)|[ \t](?:CEDEX|Cedex)(?:[ \t]\d{1,2})?)?"
_AFTER_TOWN = r"(?=[ \t]{0,8}(?:\n|\Z|, |\.(?:\s|\Z)))"


class PostcodeRule(PatternRule):
    """Finds postcodes of the US, UK, Canada and the Netherlands; towns with a US state."""

    entities = ("LOCATION",)
    searches = (
        (
            "Town, state and ZIP code",
            rf"(?<!\w)(?:{TOWN}(?:,\s{{0,2}}|\s))?(?<!\w)(?:{STATES}|{_STATE_NAMES})[,.]?\s{{1,3}}{_ZIP}",
            _SURE,
        ),
        # Not the states whose codes are degrees or words as well: "J. Smith, MD", "Jane Roe, MA", "left, OR".
        (
            "Town and state",
            rf"(?<![\w.]){TOWN},\s(?!(?:MD|PA|MA|MS|DO|DC|ME|OR|IN|OK|HI|ID|CO|LA|OH|MT|PR|AL|DE)\b){STATES}(?![\w.'’-])",
            _PLAUSIBLE,
        ),
        (
            "Military address",
            r"\b(?:(?:PSC|Unit|CMR) \d{2,5},? Box \d{1,5}|US[NS]{1,2} [^\W\d_]{1,30})\s{1,2}[AFD]PO,? A[AEP]\s{1,2}"
            + _ZIP
            + r"|\b[AFD]PO,? A[AEP]\s{1,2}"
            + _ZIP,
            _SURE,
        ),
        (
            "British postcode",
            rf"(?<![\w-]){_BRITISH_AREAS}\d[\dA-HJKMNPR-Y]? \d[ABD-HJLNP-UW-Z]{{2}}(?![\w-])",
            _SURE,
        ),
        (
            "Canadian postcode",
            r"(?<![\w-])[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z][ -]\d[ABCEGHJ-NPRSTV-Z]\d(?![\w-])",
            _SURE,
        ),
        (
            "Canadian postcode in one word",
            r"(?<![\w-])[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z]\d[ABCEGHJ-NPRSTV-Z]\d(?![\w-])",
            0.5,
        ),
        (
            "Dutch postcode and town",
            rf"(?<![\w.,€$£:/-])[1-9]\d{{3}} ?(?!{_UNITS}\b)[A-Z]{{2}},?[ \t]{{1,2}}{TOWN}",
            _LIKELY,
        ),
        ("Dutch postcode", rf"(?<![\w.,€$£:/-])[1-9]\d{{3}} ?(?!{_UNITS}\b)[A-Z]{{2}}(?![\w-])", _WEAK),
        ("Country, postcode and town", rf"(?<![\w-])(?:D|A|CH|F|L|B|I|E)-\d{{4,5}}[ \t]{TOWN}", _SURE),
    )


class LabelledPostcodeRule(LabelRule):
    """Finds postcodes by their label, or by a town after them."""

    entities = ("LOCATION",)
    searches = (
        (
            rf"{_LABEL}(?P<found>(?:\d{{4,5}}(?:-\d{{4}})?(?: ?[A-Z]{{2}})?"
            r"|[A-Za-z]{1,2}\d[A-Za-z\d]? ?\d[A-Za-z]{2}|[A-Za-z]\d[A-Za-z] ?\d[A-Za-z]\d)(?![\w-]))",
            _SURE,
        ),
        # On a line, or between commas, of its own: "79098 Freiburg". Four digits, which may be a year or a quantity,
        # only after something with a number of its own: "Ring 5, 1010 Wien".
        (
            r"(?:\n[ \t]{0,8}|, |\A[ \t]{0,8})"
            rf"(?P<found>\d{{5}}[ \t]{{1,2}}(?!{CAPITAL}{{2}}){TOWN}{_CEDEX}){_AFTER_TOWN}",
            _LIKELY,
        ),
        (
            r"\d ?[a-zA-Z]?(?:,[ \t]{0,8}|[ \t]{0,8}\n[ \t]{0,8})"
            rf"(?P<found>\d{{4}}[ \t]{{1,2}}(?!{CAPITAL}{{2}}){TOWN}{_CEDEX}){_AFTER_TOWN}",
            _LIKELY,
        ),
    )


class DutchPostcodeRule(PatternRule):
    """Finds `1234 AB` in Dutch texts; elsewhere that may be a year or a quantity with its unit."""

    entities = ("LOCATION",)
    searches = (("Dutch postcode", rf"(?<![\w.,€$£:/-])[1-9]\d{{3}} ?(?!{_UNITS}\b)[A-Z]{{2}}(?![\w-])", _LIKELY),)
