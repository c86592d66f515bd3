"""Names that the words beside them give away: after a title, in a labelled field, after "my name is".

The title stays: `Dr. Patel` tells that a doctor was there, and only who it was is replaced.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from privkit.deid.recognizers.nobody import NOBODY
from privkit.deid.recognizers.rules.rule import Rule, Span

_SURE, _LIKELY, _PLAUSIBLE = 0.9, 0.75, 0.55

_CAPITAL = r"[^\W\d_a-zß-öø-ÿ]"
_SMALL = r"[^\W\d_]"
_TITLES = (
    # English
    "mr mrs ms miss mx dr prof professor sir dame lord lady rev reverend fr father sgt sergeant capt captain lt "
    "lieutenant col colonel maj gen cpl sen senator rep gov governor hon judge justice officer detective "
    "inspector constable nurse messrs "
    # German, French, Spanish, Italian, Dutch
    "herr herrn frau fräulein hr pfarrer schwester oberarzt mme mlle monsieur madame mademoiselle maître "
    "sr sra srta señor señora señorita doña sig signor signora signorina dott dottor dottoressa avv ing "
    "dhr mevr mw meneer mevrouw"
)
_CAPITALISED = "|".join(
    sorted({form for title in _TITLES.split() for form in (title.title(), title.upper())}, key=len, reverse=True)
)
# Titles before titles: "Prof. Dr. med. Müller", "Dr. h.c. Weber".
_MORE_TITLES = (
    r"(?:(?:Dr|Prof|Mr|Mrs|Ms|Sir|Dame|Herr|Frau|Dott|DR|PROF|Mag|Dipl|Ing|Rev|Hon|Frhr|Graf|Lt|Col|Gen)\b\.?(?:-Ing\.)?\s|"
    r"(?:med|phil|rer|nat|jur|ing|h|c|dent|vet|habil|pol|oec|ssa|ra)\.\s?){0,4}"
)
_PARTICLE = (
    r"(?:van der|van den|van de|von der|von und zu|de la|de los|de las|della|dello|degli|del|della|di|da|de|dos|das|du|"
    r"des|van|von|vom|zu|zum|zur|ter|ten|te|bin|ibn|bint|al|el|la|le|y|e|af|av|Van|Von|De|La|Le|Di|Da|El|Al|Bin|St\.)"
)
# One word of a name: "O'Neil", "Smith-Jones", "McDonald", "J.", "Jean-Luc".
_WORD = (
    rf"(?:{_CAPITAL}\.(?:-?{_CAPITAL}\.){{0,5}}"
    rf"|(?:[A-Zd]['’])?{_CAPITAL}{_SMALL}{{1,30}}(?:['’\-‐‑]{_CAPITAL}?{_SMALL}{{2,30}}){{0,4}}(?<!['’]s))"
)
_NAME = rf"{_WORD}(?:[ \t\xa0]{{1,2}}(?:{_PARTICLE}[ \t\xa0])?{_WORD}){{0,3}}"
_LAST_FIRST = rf"{_CAPITAL}[^\W\d_'’.-]{{0,30}},[ \t]{_NAME}"
_LOWER = rf"{_SMALL}{{3,30}}(?:[ \t]{_SMALL}{{3,30}})?"
_TITLED = re.compile(
    rf"(?<![\w'’-])(?P<title>{_CAPITALISED})(?![\w'’-])(?P<mark>\.?)(?:ssa\.?|ra\.?)?[ \t\xa0]{{1,2}}{_MORE_TITLES}"
    rf"(?P<name>(?:(?:{_PARTICLE})\s)?{_NAME})"
)
_TITLED_LOWER = re.compile(
    r"(?<![\w'’.-])(?:dr|mr|mrs|prof|professor|herr|frau|mme|señora?)\b\.?[ \t]{1,2}"
    rf"(?P<name>{_SMALL}[\w'’-]{{2,40}})(?![\w@])"
)
# A street's "Dr": "12 Elm Dr. Springfield".
_STREET_BEFORE = re.compile(r"\d[\w-]*\s(?:[\w.'’-]+\s){1,4}$")
# Whoever is named after one of these is a person.
_FIELDS = (
    "patient|patient name|patient's name|full name|first name|last name|middle name|given name|family name|maiden name|"
    "surname|forename|attending|attending physician|attending doctor|physician|doctor|provider|surgeon|consultant|"
    "nurse|therapist|referring physician|referring doctor|referring provider|referred by|seen by|dictated by|signed|"
    "signed by|electronically signed by|reported by|prepared by|reviewed by|approved by|requested by|written by|"
    "posted by|assigned to|assignee|reporter|employee|employee name|customer|customer name|client|client name|member|"
    "member name|applicant|claimant|insured|policyholder|beneficiary|cardholder|account holder|card holder|"
    "name on card|tenant|landlord|buyer|seller|passenger|guest|guardian|next of kin|emergency contact|contact|"
    "contact person|contact name|mother|father|spouse|wife|husband|son|daughter|partner|parent|witness|defendant|"
    "plaintiff|student|author|attn|attention|c/o|recipient|sender|caller|agent|interviewer|"
    "interviewee|signature|name|patientin|vorname|nachname|familienname|geburtsname|versicherter|versicherte|"
    "ansprechpartner|ansprechpartnerin|behandelnder arzt|arzt|ärztin|nom|nom de famille|prénom|médecin|nombre|"
    "nombre completo|apellido|apellidos|paciente|médico|nome|nome completo|cognome|paziente|medico|naam|voornaam|"
    "achternaam|patiënt|arts"
)
_GENERIC = frozenset(
    (
        "name",
        "contact",
        "client",
        "customer",
        "agent",
        "partner",
        "member",
        "seller",
        "buyer",
        "nome",
        "nom",
        "signed",
        "author",
    )
)
# Of these alone a value in lower case is taken for a name.
_ONLY_NAMES = frozenset(
    (
        *(
            "first name",
            "last name",
            "middle name",
            "given name",
            "family name",
            "surname",
            "forename",
            "vorname",
            "nachname",
        ),
        *("prénom", "apellidos", "cognome", "voornaam", "achternaam", "patient name", "full name"),
    )
)
_LABELS = frozenset(_FIELDS.split("|"))
_LABEL = re.compile(
    r"(?:(?:(?P<first>[\w/]+)[ ])?(?P<second>[\w/']+)[ ])?(?P<third>[\w/']+)(?:\s\((?:s|print|printed)\))?$"
)
_MARK = re.compile(r"(?<=[\w\"')])[ \t]{0,3}[:=](?=[ \t]{0,8}[\"']?[^\W\d_])")
_VALUE = re.compile(
    rf"[ \t]{{0,8}}[\"']?{_MORE_TITLES}(?:(?P<name>{_LAST_FIRST}|{_NAME})|(?P<lower>{_LOWER})(?=[\"',;.]?(?:\s|\Z)))"
)
_INTRODUCED = re.compile(
    r"\b(?i:(?:my|his|her|their|whose|the|'s|’s) name is|my name's|mein name ist|ich heiße|je m'appelle|je m’appelle|"
    r"mon nom est|me llamo|mi nombre es|mi chiamo|il mio nome è|ik heet|mijn naam is)[ \t]"
    rf"(?:(?P<name>{_NAME})|(?P<lower>{_LOWER})(?=[.,!?;\n]|\Z|[ \t](?:and|und|et|y|e|en|from|i|my)\b))"
)
_INTRODUCTIONS = (
    *("name is", "name's", "name ist", "heiße", "m'appelle", "m’appelle", "nom est", "llamo", "nombre es", "chiamo"),
    *("nome è", "ik heet", "naam is"),
)
_MAILED = re.compile(rf"(?<![\w.'’-])(?P<name>{_LAST_FIRST}|{_NAME})[\"']?[ \t]<[\w.+%-]{{1,64}}@")

_INSTITUTIONS = re.compile(
    r"\b(?:Inc|Ltd|LLC|GmbH|Corp|Corporation|Company|Co|AG|Hospital|Clinic|University|School|College|Bank|Group|"
    r"Street|St|Avenue|Road|Department|Dept|Team|Center|Centre|Server|System|Service|Services|Store|Shop|Insurance|"
    r"Church|Institute|Association|Committee|Council|Ministry|Agency|Foundation|Limited|Holdings|Partners|Associates)\b"
)


class NameRule(Rule):
    """Finds names by their titles, labels and introductions."""

    entities = ("PERSON",)
    gates = (
        (rf"\b(?:{'|'.join(sorted(set(_TITLES.split())))})\b", re.IGNORECASE),
        (rf"\b(?:{_FIELDS})[\"']?(?:\s\([a-z]+\))?[ \t]{{0,3}}[:=]", re.IGNORECASE),
        ("|".join(_INTRODUCTIONS), re.IGNORECASE),
        (r"[\w\"'][ \t]<[\w.+%-]{1,64}@", 0),
    )

    def find(self, text: str, opened: Collection[int]) -> Iterator[Span]:
        """See `Rule.find`."""
        if 0 in opened:
            yield from _titled(text)
        for mark in _MARK.finditer(text) if 1 in opened else ():
            yield from _labelled(text, mark)
        if 2 in opened:
            yield from _introduced(text)
        for match in _MAILED.finditer(text) if 3 in opened else ():
            yield from _named(text, *match.span("name"), _LIKELY)


def _labelled(text: str, mark: re.Match[str]) -> Iterator[Span]:
    """The value of a field in which a person is named."""
    before = _LABEL.search(text[max(mark.start() - 40, 0) : mark.start()].rstrip("\"'"))
    if before is None:
        return
    words = [word.lower() for word in before.groups() if word]
    label = next((label for i in range(len(words)) if (label := " ".join(words[i:])) in _LABELS), None)
    value = _VALUE.match(text, mark.end()) if label else None
    if value is None:
        return
    if value["name"]:
        yield from _named(text, *value.span("name"), _PLAUSIBLE if label in _GENERIC else _LIKELY)
    elif label in _ONLY_NAMES and value["lower"].split()[0] not in NOBODY:
        yield from _named(text, *value.span("lower"), _PLAUSIBLE)


def _introduced(text: str) -> Iterator[Span]:
    for match in _INTRODUCED.finditer(text):
        if match["name"]:
            yield from _named(text, *match.span("name"), _SURE)
        elif match["lower"].split()[0] not in NOBODY:
            yield from _named(text, *match.span("lower"), _PLAUSIBLE)


def _titled(text: str) -> Iterator[Span]:
    for match in _TITLED.finditer(text):
        title = match["title"].lower()
        if title == "dr" and _STREET_BEFORE.search(text, max(match.start() - 40, 0), match.start()):
            continue
        if match["mark"] and len(title) > _LONGEST_SHORT_TITLE:
            continue  # "asked the Professor. Then …": a title that is written out has no full stop
        if match["title"] == "MS" and not match["mark"]:
            continue  # Microsoft, a disease, a ship
        start, end = match.span("name")
        score = _SURE if title in _PLAIN_TITLES or match["mark"] else _LIKELY
        yield from _named(text, start, end, score)
    for match in _TITLED_LOWER.finditer(text):
        if match["name"].lower() not in NOBODY:
            yield Span(*match.span("name"), "PERSON", _PLAUSIBLE)


_LONGEST_SHORT_TITLE = 4
_PLAIN_TITLES = frozenset(("mr", "mrs", "ms", "dr", "prof", "herr", "herrn", "frau", "mme", "mlle", "dhr", "mevr"))


def _named(text: str, start: int, end: int, score: float) -> Iterator[Span]:
    """The name in text[start:end], without words that are none; nothing if none is left."""
    words = list(_ANY_WORD.finditer(text, start, end))
    if not words:
        return
    if len(words) > 1 and all(word[0].isupper() for word in words) and (len(words) > 3 or _shouted(text, end)):
        # "DR. PATEL ADMITTED THE PATIENT": nothing tells where the name ends.
        words = words[:1]
    kept = []
    for word in words:
        if word[0].rstrip(".").lower() in NOBODY:
            break
        kept.append(word)
    if not kept or _INSTITUTIONS.search(
        text, kept[0].start(), kept[-1].end() + 12 if len(kept) == len(words) else kept[-1].end()
    ):
        return
    last = kept[-1].end()
    if text[last - 1] == "." and last - kept[-1].start() > 2:
        last -= 1
    yield Span(kept[0].start(), last, "PERSON", score)


_ANY_WORD = re.compile(r"[^\W\d_](?:[\w'’.‐‑-]*[\w.])?")


def _shouted(text: str, end: int) -> bool:
    """Whether the text goes on in capitals on the same line."""
    return re.match(r"[ \t]+[A-Z]{2,}\b", text[end : end + 24]) is not None
