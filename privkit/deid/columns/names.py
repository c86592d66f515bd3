"""What a column's name promises: `patientLastName`, `fecha_nacimiento`, `visits[].doctor`, `Telefon-Nr.`.

A name is split into words, and the words say one kind of thing, or nothing. What it promises is only a hint: the values
must not contradict it (`privkit.deid.columns.decide`).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Literal, NamedTuple

from privkit.deid.columns.values import vocabulary
from privkit.deid.columns.words import (
    ABOUT,
    AGES,
    ATTRIBUTES,
    BIRTHS,
    COARSE,
    COORDINATES,
    DATES,
    EMAILS,
    ID_ENDS,
    IDS,
    NAME_WORDS,
    NAMES,
    NEUTRAL,
    NO_PERSONS_NAME,
    NUMBERED,
    OF_A_NAME,
    ORGANIZATIONS,
    PERSONS,
    PHONES,
    PLACES,
    POSTCODES,
    STREETS,
    TEXTS,
    TEXTS_PERHAPS,
    WHOLE,
    WORTHLESS_IDS,
)  # fmt: skip
from privkit.model.policy import Role

HintKind = Literal[
    "person", "contact", "id", "birth", "date", "age", "age_band", "postcode", "address", "place", "coordinates",
    "organization", "free_text", "attribute", "thing",
]  # fmt: skip
Strength = Literal["strong", "medium", "weak"]


class Hint(NamedTuple):
    """What a name promises.

    Attributes:
        kind: What the values must be like for the hint to hold.
        role: The role if it holds.
        entity: The entity if it holds.
        strength: strong: unless the values plainly say otherwise; medium: if the values may be so; weak: if they
            probably are so.
    """

    kind: HintKind
    role: Role
    entity: str | None
    strength: Strength = "strong"


_SPLITTABLE: frozenset[str] = frozenset().union(
    NEUTRAL, ABOUT, PERSONS, NAME_WORDS, OF_A_NAME, NAMES, NO_PERSONS_NAME, EMAILS, PHONES, STREETS, PLACES,
    COARSE, POSTCODES, BIRTHS, DATES, AGES, COORDINATES, ORGANIZATIONS, TEXTS, TEXTS_PERHAPS, ATTRIBUTES, IDS,
    NUMBERED, WORTHLESS_IDS,
    {"driver", "drivers", "bank", "credit", "debit", "card", "iban", "ssn", "url", "website", "ip", "mac"},
)  # fmt: skip
_OF = frozenset({"of", "de", "du", "des", "di", "da", "do", "del", "van", "von", "der"})
_COUNTING = frozenset(
    {"num", "n", "nb", "number", "no", "nr", "count", "total", "anzahl", "numero", "cantidad", "nombre"}
)


def words_of(name: str) -> tuple[str, ...]:
    """The words of a column's name, lower case, without its place in a tree.

    `patient.name` gives ("patient", "name"), because `name` alone needs its parent; `contact.phones[]` gives
    ("phones",).
    """
    parts = [_split(part) for part in re.split(r"[.]|\[\]", name) if part]
    parts = [part for part in parts if part]
    if not parts:
        return ()
    words = parts[-1]
    needs_parent = all(
        w in NAME_WORDS or w in NEUTRAL or w in ID_ENDS or w in OF_A_NAME or w in ("date", "place") for w in words
    )
    return (*parts[-2], *words) if needs_parent and len(parts) > 1 else words


@lru_cache(maxsize=4096)
def hint_of(name: str) -> Hint | None:
    """What the name promises, or None."""
    words = words_of(name)
    if not words:
        return None
    if words[0] in ("is", "has", "had", "was"):
        return None
    turned = _turned(words)
    if turned is None:
        return None
    given = frozenset(turned)
    for rule in (_birth, _specific, _person_by, _contact, _age, _location, _person, _id, _text, _rest):
        hint = rule(turned, given)
        if hint is not None:
            return None if hint is _NOTHING else hint
    return None


_NOTHING = Hint("attribute", "other", None)


def _split(part: str) -> tuple[str, ...]:
    text = unicodedata.normalize("NFKC", part)
    text = re.sub(r"(?<=[a-zà-ÿ0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", text)
    text = re.sub(r"(?<=[^\W\d_])(?=\d)|#", " ", text.casefold().replace("e-mail", "email").replace("e_mail", "email"))
    words = [word for word in re.split(r"[\W_]+", text) if word]
    result: list[str] = []
    for word in words:
        result.extend(_known(word))
    joined = "".join(words)
    if len(result) > 1 and joined in (NAMES | POSTCODES | PHONES | EMAILS | BIRTHS | IDS) - {"cap"}:
        return (joined,)
    return tuple(result)


@lru_cache(maxsize=4096)
def _known(word: str) -> tuple[str, ...]:
    for form in (word, _plain(word)):
        if form in _SPLITTABLE or form in WHOLE:
            return (form,)
        if form.endswith("s") and form[:-1] in _SPLITTABLE:
            return (form[:-1],)
    for cut in range(len(word) - 2, 2, -1):
        left, right = word[:cut], word[cut:]
        short_end = right in ("id", "no", "nr")
        if left in _SPLITTABLE and ((len(right) >= 3 and right in _SPLITTABLE) or short_end):
            return left, right
    return (word,)


def _plain(word: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))


def _turned(words: tuple[str, ...]) -> tuple[str, ...] | None:
    """`date of birth` as `birth date`; None where things are counted (`number of patients`)."""
    if "of" in words and words[0] in _COUNTING:
        return None
    if len(words) > 1 and words[0] in ("num", "n", "nb", "count", "total", "anzahl"):
        return None
    for place, word in enumerate(words):
        if word in _OF and 0 < place < len(words) - 1:
            rest = tuple(w for w in words[place + 1 :] if w not in _OF)
            return (*rest, *words[:place])
    return words


def _head(words: tuple[str, ...]) -> str:
    """The last word that says something."""
    for word in reversed(words):
        if word not in NEUTRAL and not word.isdigit():
            return word
    return words[-1]


def _birth(_words: tuple[str, ...], given: frozenset[str]) -> Hint | None:
    if not given & BIRTHS:
        return None
    if given & (PLACES | {"lugar", "lieu", "ort"}) - {"by"}:
        return Hint("place", "quasi", "LOCATION")
    if given & COARSE:
        return Hint("place", "quasi", "COARSE_LOCATION")
    if given & NAME_WORDS:
        return Hint("person", "identifier", "PERSON")
    if "certificate" in given:
        return Hint("id", "identifier", "ID")
    if given & (ABOUT | {"sex", "gender", "control", "defect", "mother"}) - {"verified"}:
        return _NOTHING
    return Hint("birth", "quasi", "DATE_OF_BIRTH")


def _specific(words: tuple[str, ...], given: frozenset[str]) -> Hint | None:
    """Documents and numbers that have an entity of their own."""
    head = _head(words)
    about = bool(given & ABOUT - {"verified", "in", "card", "hash"})
    for needed, entity in _DOCUMENTS:
        if any(alternative <= given for alternative in needed):
            return _NOTHING if about else Hint("id", "identifier", entity)
    if head in ("license", "licence") and given & {"driver", "drivers", "driving", "dl"}:
        return Hint("id", "identifier", "US_DRIVER_LICENSE")
    return None


def _any(*alternatives: str) -> tuple[frozenset[str], ...]:
    return tuple(vocabulary(alternative) for alternative in alternatives)


_DOCUMENTS = (
    (_any("ssn", "social security", "socialsecuritynumber", "socsec"), "US_SSN"),
    (_any("itin"), "US_ITIN"),
    (_any("iban"), "IBAN_CODE"),
    (_any("nhs"), "UK_NHS"),
    (_any("nino", "national insurance"), "UK_NINO"),
    (
        _any("sécurité sociale", "securite sociale", "seguridad social", "segurança social", "seguranca social"),
        "ID",
    ),
    (_any("partita iva", "numero afiliacion", "número afiliación", "rodne cislo", "rodné číslo"), "ID"),
    (_any("credit card", "creditcard", "debit card", "cardnumber", "ccnum", "cc"), "CREDIT_CARD"),
    (_any("card number", "card no"), "CREDIT_CARD"),
    (_any("passport", "passportno", "pasaporte", "reisepass", "passeport"), "US_PASSPORT"),
    (_any("driver license", "drivers license", "driving license"), "US_DRIVER_LICENSE"),
    (_any("driver licence", "drivers licence", "driving licence"), "US_DRIVER_LICENSE"),
    (_any("bank account", "account number", "bankaccount", "konto", "kontonummer", "account no"), "US_BANK_NUMBER"),
    (_any("medical license", "physician license", "dea"), "MEDICAL_LICENSE"),
    (_any("bitcoin", "btc", "wallet"), "CRYPTO"),
)  # fmt: skip


def _contact(words: tuple[str, ...], given: frozenset[str]) -> Hint | None:
    head = _head(words)
    about = bool(given & ABOUT)
    dated = bool(given & {"date", "time", "at", "timestamp", "created", "updated", "modified"})
    if given & EMAILS:
        return _NOTHING if about or dated else Hint("contact", "identifier", "EMAIL_ADDRESS")
    if "ip" in given or given & {"ipaddress", "ipaddr", "ipv"}:
        return _NOTHING if about or dated else Hint("contact", "identifier", "IP_ADDRESS")
    if "mac" in given and (len(words) == 1 or given & {"address", "addr"}):
        return Hint("contact", "identifier", "MAC_ADDRESS")
    if given & {"url", "urls", "uri", "website", "homepage", "webpage", "permalink"}:
        return _NOTHING if about else Hint("contact", "identifier", "URL")
    if given & PHONES - {"mobile", "cell", "portable", "tele"} or head in ("mobile", "cell", "portable") or (
        given & {"mobile", "cell"} and given <= {"mobile", "cell", *NEUTRAL}
    ):  # fmt: skip
        return _NOTHING if about or dated else Hint("contact", "identifier", "PHONE_NUMBER")
    return None


def _age(words: tuple[str, ...], given: frozenset[str]) -> Hint | None:
    if not given & AGES or (words[0] == "alter" and len(words) > 1 and "ego" in given):
        return None
    if given & {
        "group",
        "groups",
        "band",
        "bands",
        "range",
        "bracket",
        "bucket",
        "bin",
        "class",
        "category",
        "grupo",
        "gruppe",
        "grp",
        "tranche",
        "cat",
    }:
        return Hint("age_band", "other", None)
    return _NOTHING if given & ABOUT - {"is", "in", "code3"} else Hint("age", "quasi", "AGE")


def _location(words: tuple[str, ...], given: frozenset[str]) -> Hint | None:
    if given & ABOUT - {"provider", "area", "order", "billing", "bill", "class", "preferred", "in", "business"}:
        return None
    naming = {"code", "name", "names", *NEUTRAL, *NAME_WORDS}
    core = tuple(word for word in words if word not in naming) or words
    head = core[-1]
    # Romance languages put the thing first: `direccion_paciente`.
    if head in PERSONS and core[0] in STREETS | PLACES | POSTCODES:
        head = core[0]
    if given & POSTCODES and not (given & {"cap", "cp"} and len(given) > 1):
        return Hint("postcode", "quasi", "POSTCODE")
    if given & COORDINATES - {"long", "geo"} or given == {"long"}:
        return Hint("coordinates", "quasi", "COORDINATES")
    if head in STREETS:
        return Hint("address", "identifier", "LOCATION")
    if "house" in given and given & {"number", "no", "nr"}:
        return Hint("address", "identifier", "LOCATION")
    if head in PLACES and not (head == "by" and len(words) > 1) and "code" not in given:
        return Hint("place", "quasi", "LOCATION")
    if head in COARSE:
        return Hint("place", "quasi", "COARSE_LOCATION")
    if head in ORGANIZATIONS:
        return Hint("organization", "quasi", "ORGANIZATION")
    return None


def _person_by(words: tuple[str, ...], given: frozenset[str]) -> Hint | None:
    """`created_by`, `seen by`."""
    if len(words) > 1 and words[-1] == "by" and not given & {"group", "order", "sort", "stand"}:
        return Hint("person", "identifier", "PERSON", "medium")
    return None


def _person(words: tuple[str, ...], given: frozenset[str]) -> Hint | None:
    about = bool(given & ABOUT - {"preferred", "provider", "subject", "order", "in"})
    if given & NAMES:
        return _NOTHING if about else Hint("person", "identifier", "PERSON")
    if given & NAME_WORDS:
        if about or words[-1] in ATTRIBUTES | {"date", "time"}:
            return _NOTHING
        others = given - NAME_WORDS - NEUTRAL
        if {"user", "login", "screen", "account"} & others:
            return Hint("id", "identifier", "ID")
        if given & OF_A_NAME or given & {"full", "contact"}:
            return Hint("person", "identifier", "PERSON")
        if others & (PERSONS - {"subject", "member", "dr", "kin"}) or (others and others <= PERSONS):
            return Hint("person", "identifier", "PERSON")
        if others & NO_PERSONS_NAME:
            return Hint("thing", "other", None)
        return Hint("person", "identifier", "PERSON", "weak")
    head = _head(words)
    if head in PERSONS - {"emergency"} or words[-1] == "contact":
        if about or given & {"date", "time", "notes", "count"}:
            return None
        if words[-1] in ID_ENDS or words[-1] in ("hash", "key"):
            return Hint("id", "identifier", "ID")
        return Hint("person", "identifier", "PERSON", "medium")
    return None


# Words of ABOUT that stand before `id` as often as not: `order_id`, `model_id`.
_OF_IDS = vocabulary(
    "class order orders plan model hash index subject provider subscription verified billing type status category "
    "vendor in template source brand"
)


def _id(words: tuple[str, ...], given: frozenset[str]) -> Hint | None:
    if given & ABOUT - _OF_IDS:
        return None
    if words[-1] in ("type", "status", "category", "class", "types"):
        return None
    worthless = bool(given & WORTHLESS_IDS) and not given & PERSONS
    if given & IDS:
        # `ward_id` names a ward; `ward_patient_id` a patient.
        last = words[-1]
        if last in IDS or last in NEUTRAL or last.isdigit() or given <= IDS | NEUTRAL:
            return Hint("id", "identifier", "ID", "weak" if worthless else "strong")
        if given & PERSONS:
            return Hint("id", "identifier", "ID", "medium")
        return None
    ends = words[-1] in ID_ENDS or words[-1].isdigit() or words[0] in ("numero", "número", "no", "nr")
    named = given & (NUMBERED | (PERSONS - {"contact", "emergency"}))
    if named and ends and words[-1] not in ("code", "key", "ref", "hash"):
        return Hint("id", "identifier", "ID", "weak" if worthless and not named - WORTHLESS_IDS else "strong")
    if given & PERSONS and ends:
        return Hint("id", "identifier", "ID", "medium")
    if _head(words) in NUMBERED:
        return Hint("id", "identifier", "ID", "weak" if worthless else "medium")
    return None


def _text(words: tuple[str, ...], given: frozenset[str]) -> Hint | None:
    head = _head(words)
    if given & {"count", "length", "len", "type", "status", "flag", "score", "lang", "language", "id"}:
        return None
    if words[-1] in TEXTS or head in TEXTS:
        return Hint("free_text", "free_text", None)
    if words[-1] in TEXTS_PERHAPS or head in TEXTS_PERHAPS:
        return Hint("free_text", "free_text", None, "medium")
    return None


def _rest(words: tuple[str, ...], given: frozenset[str]) -> Hint | None:
    if given & {"month", "weekday", "quarter", "season"} and _head(words) in ATTRIBUTES:
        return Hint("attribute", "other", "DATE_TIME")
    if _head(words) in ATTRIBUTES:
        return Hint("attribute", "other", None)
    if given & DATES:
        return Hint("date", "other", "DATE_TIME")
    return None
