"""Numbers of northern and central Europe: the Nordic and Baltic countries, Poland, Czechia and Slovakia."""

from __future__ import annotations

from privkit.deid.recognizers.countries.identifier import Identifier

SWEDEN = (
    Identifier(
        "SE_PERSONNUMMER",
        "checks:swedish_person",
        alone=(r"(?:19|20)?\d{6}[-+]\d{4}", r"(?:19|20)\d{10}"),
        named=(r"\d{6}[-+ ]?\d{4}",),
        names=("personnummer", "person nr", "personnr", "pnr", "samordningsnummer", "personal identity number"),
    ),
)

NORWAY = (Identifier("NO_FODSELSNUMMER", "no.fodselsnummer", alone=(r"\d{11}", r"\d{6} \d{5}")),)

DENMARK = (
    Identifier(
        "DK_CPR",
        "dk.cpr",  # a date; numbers without a valid check digit are given out since 2007
        named=(r"\d{6}[- ]?\d{4}",),
        names=("cpr", "cpr nr", "cpr nummer", "cprnr", "cprnummer", "personnummer", "person nr"),
    ),
)

FINLAND = (Identifier("FI_PERSONAL_IDENTITY_CODE", "fi.hetu", alone=(r"\d{6}[-+ABCDEFYXWVU]\d{3}[0-9A-Y]",)),)

ICELAND = (Identifier("IS_KENNITALA", "is_.kennitala", alone=(r"\d{6}-?\d{4}",)),)

ESTONIA = (Identifier("EE_ISIKUKOOD", "ee.ik", alone=(r"[1-8]\d{10}",)),)

LATVIA = (
    Identifier(
        "LV_PERSONAS_KODS",
        "lv.pvn",
        alone=(r"[0-3]\d[01]\d{3}-[0-2]\d{4}",),
        named=(r"[0-3]\d{5}[- ]?\d{5}",),
        names=("personas kods", "personas koda", "p k"),
    ),
)

LITHUANIA = (Identifier("LT_ASMENS_KODAS", "lt.asmens", alone=(r"[1-6]\d{10}",)),)

POLAND = (
    Identifier("PL_PESEL", "pl.pesel", alone=(r"\d{11}",)),  # one in 55: a birth date and a check digit
    Identifier(
        "PL_NIP",
        "pl.nip",
        alone=(r"PL ?\d{10}", r"\d{3}-\d{3}-\d{2}-\d{2}", r"\d{3}-\d{2}-\d{2}-\d{3}"),
        named=(r"\d{3}[- ]?\d{3}[- ]?\d{2}[- ]?\d{2}",),
        names=("nip", "numer identyfikacji podatkowej"),
    ),
)

_BIRTH_NUMBER = (
    "rodné číslo", "rodného čísla", "rodným číslem", "r č", "r.č.", "rč", "rc", "birth number",
)  # fmt: skip

CZECHIA = (
    Identifier("CZ_BIRTH_NUMBER", "cz.rc", alone=(r"\d{6}/\d{4}",), named=(r"\d{6}/?\d{3,4}",), names=_BIRTH_NUMBER),
)

SLOVAKIA = (
    Identifier("SK_BIRTH_NUMBER", "sk.rc", alone=(r"\d{6}/\d{4}",), named=(r"\d{6}/?\d{3,4}",), names=_BIRTH_NUMBER),
)

IDENTIFIERS = {
    "cz": CZECHIA, "dk": DENMARK, "ee": ESTONIA, "fi": FINLAND, "is": ICELAND, "lt": LITHUANIA, "lv": LATVIA,
    "no": NORWAY, "pl": POLAND, "se": SWEDEN, "sk": SLOVAKIA,
}  # fmt: skip
