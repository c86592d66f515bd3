"""What data sets call their types, and what privkit calls them.

Names are compared without case, and without what joins their words: `Street Address`, `STREET_ADDRESS`.
Parts of an address are LOCATION, as the recognizers give them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from privkit.model.evaluation import NotEvaluated

ENTITY_NAMES: Mapping[str, tuple[str, ...]] = {
    "PERSON": (
        *("per", "pers", "person", "person name", "name", "names", "full name", "first name", "last name"),
        *("middle name", "given name", "surname", "family name", "patient", "doctor", "staff"),
    ),
    "LOCATION": (
        *("loc", "location", "gpe", "fac", "geo loc", "place", "address", "street address", "street", "street name"),
        *("building number", "secondary address", "city", "town", "county", "state", "province", "country"),
        *("zip", "zip code", "postcode", "post code", "postal code", "location other", "coarse location"),
    ),
    "DATE_TIME": ("date", "date time", "dob", "date of birth", "birth date", "birthday"),
    "EMAIL_ADDRESS": ("email", "e mail", "email address"),
    "PHONE_NUMBER": ("phone", "phone number", "telephone", "telephone number", "telephonenum", "fax", "fax number"),
    "CREDIT_CARD": ("credit card", "credit card number", "card number"),
    "US_SSN": ("us ssn", "ssn", "social security number", "socialnum"),
    "US_ITIN": ("us itin", "itin"),
    "US_PASSPORT": ("us passport", "passport", "passport number", "passportnum"),
    "US_DRIVER_LICENSE": (
        *("us driver license", "driver license", "drivers license", "driver s license", "driving licence"),
        *("driver license number", "driverlicensenum"),
    ),
    "US_BANK_NUMBER": ("us bank number", "bank account", "bank account number", "account number", "accountnum"),
    "ABA_ROUTING_NUMBER": ("aba routing number", "routing number"),
    "IBAN_CODE": ("iban", "iban code"),
    "IP_ADDRESS": ("ip", "ip address", "ipaddress", "ipv4", "ipv6"),
    "MAC_ADDRESS": ("mac", "mac address"),
    "URL": ("url", "uri", "website", "web address", "domain", "domain name"),
    "CRYPTO": ("crypto", "bitcoin address", "wallet address"),
    "UUID": ("uuid", "guid"),
    "MEDICAL_LICENSE": ("medical license", "medical licence"),
    "UK_NHS": ("uk nhs", "nhs number"),
    "ID": (
        *("id", "idnum", "id number", "id card", "idcardnum", "identifier", "national id", "government id", "tax id"),
        *("taxnum", "tax number", "mrn", "medical record", "medicalrecord", "medical record number", "health plan"),
        *("healthplan", "insurance number", "employee id", "customer id", "license", "license number"),
    ),
}
"""What privkit's entity types are called in data sets."""

OUT_OF_SCOPE: tuple[str, ...] = (
    *("org", "organization", "organisation", "company", "corporation", "corp", "hospital", "group", "norp", "team"),
    *("misc", "miscellaneous", "other", "product", "prod", "work of art", "creative work", "event", "law", "language"),
    *("nationality", "religion", "title", "prefix", "suffix", "nrp", "honorific", "profession", "job", "job title"),
    *("occupation", "age", "gender", "sex", "time", "percent", "money", "currency", "quantity", "ordinal", "cardinal"),
    *("number", "amount", "animal", "facility", "vehicle"),
)
"""Types that name nobody by themselves, or that privkit does not look for in texts."""

_BROADER = {"POSTCODE": "LOCATION", "COARSE_LOCATION": "LOCATION", "DATE_OF_BIRTH": "DATE_TIME"}
_NATIONAL = re.compile(r"(?!IP_)[A-Z]{2}_\w+")  # US_SSN, DE_TAX_ID, …
_NUMBERS = ("MEDICAL_LICENSE", "ABA_ROUTING_NUMBER", "UUID")
_JOINTS = re.compile(r"[\W_]+")
_BY_NAME = {name: entity for entity, names in ENTITY_NAMES.items() for name in names}


class Mapped(NamedTuple):
    """The types of a data set.

    Attributes:
        entities: The data set's name → privkit's, of the types that are evaluated.
        left_out: The others, with the number of their spans.
    """

    entities: Mapping[str, str]
    left_out: Mapping[str, NotEvaluated]


def mapped(labels: Mapping[str, int], own: Mapping[str, str | None]) -> Mapped:
    """What the types of a data set are taken for.

    Args:
        labels: The data set's types, with the number of their spans.
        own: What a person says, by the data set's name: an entity type, or None to leave the type out. It comes first.
    """
    said = {_plain(name): entity for name, entity in own.items()}
    entities: dict[str, str] = {}
    left_out: dict[str, NotEvaluated] = {}
    for label, count in sorted(labels.items()):
        name = _plain(label)
        entity = said[name] if name in said else _BY_NAME.get(name)
        if entity:
            entities[label] = entity
        elif name in said:
            left_out[label] = NotEvaluated(spans=count, why="left out")
        else:
            left_out[label] = NotEvaluated(spans=count, why="out of scope" if name in OUT_OF_SCOPE else "unknown")
    return Mapped(entities, left_out)


def unused(labels: Iterable[str], own: Iterable[str]) -> list[str]:
    """Names of `own` that no type of the data set has: perhaps misspelt."""
    there = {_plain(label) for label in labels}
    return [name for name in own if _plain(name) not in there]


def comparable(predicted: str, marked: Iterable[str]) -> str:
    """The type under which a finding is compared with what is marked.

    Its own, where the data set marks it. Else the broader one, where the data set marks that: a POSTCODE is a LOCATION,
    a national number an ID.
    """
    there = set(marked)
    if predicted in there:
        return predicted
    number = predicted in _NUMBERS or _NATIONAL.fullmatch(predicted) is not None
    broader = _BROADER.get(predicted, "ID" if number else predicted)
    return broader if broader in there else predicted


def _plain(name: str) -> str:
    return _JOINTS.sub(" ", name).strip().casefold()
