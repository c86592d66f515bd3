"""A name that was found once is looked for in the whole text: "Smith" after "John Smith", the "Jane" of jane.doe@….

Names that are words as well (May, Will, Grant) are taken only where they are written as names are. And whoever is
listed between people is one: "our founders Smith, Turgeon and Jones".
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from privkit.deid.findings import Finding
from privkit.deid.linked import name_parts
from privkit.deid.recognizers.nobody import NOBODY
from privkit.deid.recognizers.words import in_word

NAME = "privkit.memory"
"""What reports call the recognizer."""

_BAR = 0.6  # a name that is less certain is not looked for
_SURE = 0.85
_DISCOUNT = 0.9
_FROM_ADDRESS = 0.7
_SHORT = 2
_LOOK_BACK = 16
_LOWER_CASE = 5  # letters of the shortest name that is looked for in lower case
_MOST = 200  # names of one text
_FOUND = 0.4  # what is found at this score may be something else than a person
_NAME = r"[^\W\d_a-zß-öø-ÿ](?:[^\W\d_]+(?:['’-][^\W\d_]+)?|['’][^\W\d_]+)"
_LIST = re.compile(rf"(?<![\w.'’-])(?:{_NAME}, ){{1,9}}{_NAME},? (?:and|und|et|y|e|en|&) {_NAME}(?![\w'’-]| {_NAME})")
_LISTED = re.compile(_NAME)

# Words in any text that are given names or surnames too.
_ALSO_WORDS_TEXT = """
may will grant mark art bill bob rose hope faith grace joy dawn summer autumn april june august jan iris lily daisy
ivy violet olive hazel amber ruby pearl crystal jade opal gene frank earnest ernest pat chip chuck drew rob sue jack
jay robin martin dale dean glen heath lance miles rich rusty sandy sky skip ray rex wade ward wayne young old long
short little small black white brown green gray grey gold silver blue king queen prince bishop pope abbot knight
baker butcher carpenter cook cooper farmer fisher fowler gardener hunter mason miller potter porter sawyer shepherd
slater smith taylor turner tyler walker weaver page park parks banks bank brook brooks bush field fields ford forest
hall hill hills house lake land lane marsh meadow moon wood woods rivers stone street towns wells west north east
south church cross day days english french german ireland england france holland rice berry bean cherry peach plum
apple bacon lamb fish bird swan wolf fox bear lion crane finch crow dove drake hawk love good goodman sharp strong
wise swift bright best noble savage self power price bond cash money penny case chance rush race read reading ring
rush shaw sign singer sparks spear star storm flowers flower frost snow winter winters spring summers weeks month
friday monday christian pray so do an le my is it in on of at to we he be by or us no if as am go up me you see ha
max victor charity prudence constance felicity patience mercy harmony melody carol christmas noel guy barry harry
buddy major duke earl judge justice law lord marshal marshall sergeant steward trice two ten hundred nice paris
london sydney houston austin dallas lincoln washington madison jackson florence virginia georgia carolina dakota
israel jordan india china chad kent york lang klein groß gross schwarz weiß weiss braun lange kurz jung neu koch
kaiser könig fuchs wolff vogel berg stein wald bach sommer herbst morgen abend sonntag rot petit grand roi blanc
noir rouge leblanc mars mai dias reis rey luna sol cruz flores campos torres rossi bianchi neri verdi costa conte
marino de la van bell bean boy boys girl man men case ash beach bloom booth bow bridge bull burn burns butler carver
chase clay coffey cotton couch court dance dark dear diamond dick dolly doll don door fan fine flint foot gates gift
gill golden grave graves hand hard hart head holder hood horn horne hunt hurt jean jewel kitchen lock loud low lucky
mays means mine moody moss mix nail news newman numbers pace parish peck pepper perry pike pitt pool poor post pound
pride print pool quick real robinson rock root rose round rowe rule salt sand seal shine silk sims sellers spice
stark steel still stock sweet temple tree trust vale vance waters way ways welch wheat wheeler wild wing winner
worth yes test chart note notes team thanks hello dear
"""
_ALSO_WORDS = frozenset(_ALSO_WORDS_TEXT.split())
# Local parts of addresses that are a place of work, not a person.
_ROLES_TEXT = """
info sales support admin administrator contact office hello team noreply reply service services help helpdesk jobs
careers marketing press mail email webmaster postmaster hostmaster billing news newsletter security abuse customer
customers client clients human resources accounts account payments orders order shop store enquiries inquiries
feedback media public relations root user users test tester guest nobody someone donotreply not online web site
general manager director reception booking bookings reservations events the and data privacy company business legal
finance tech technical development developer dev ops system server first last name firstname lastname your example
domain
"""
_ROLES = frozenset(_ROLES_TEXT.split())
_ADDRESS_PARTS = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"[A-Z][a-zß-öø-ÿ]+|[a-zß-öø-ÿ]+|[A-Z]+(?![a-z])")
_SENTENCE_ENDS = '.!?:\n"“”‘(•*-'


Wanted = Mapping[str, tuple[float, bool]]
"""Parts of names to look for, each with its score and whether it counts in lower case."""


def remembered(text: str, findings: Sequence[Finding]) -> list[Finding]:
    """Where names that are known from `findings` stand in the text and nothing was found yet.

    Args:
        text: The text.
        findings: What was found in it; must not overlap.
    """
    wanted = wanted_names(text, findings)
    return [*(sought(text, wanted, findings) if wanted else ()), *_listed(text, findings)]


def _listed(text: str, findings: Sequence[Finding]) -> list[Finding]:
    """The words of a list in which at least one is a person, and none is anything else."""
    people = {one[:2]: one.score for one in findings if one.entity == "PERSON" and one.score >= _BAR}
    covered = sorted(one[:2] for one in findings if one.score >= _FOUND) if people else []
    found: list[Finding] = []
    for match in _LIST.finditer(text) if people else ():
        names = [word.span() for word in _LISTED.finditer(text, *match.span())]
        known = [people[name] for name in names if name in people]
        new = [name for name in names if name not in people]
        if known and not any(_overlaps(covered, *name) or text[slice(*name)].lower() in NOBODY for name in new):
            found += (Finding(*name, "PERSON", max(known) * _DISCOUNT, NAME) for name in new)
    return found


def sought(text: str, wanted: Wanted, findings: Iterable[Finding]) -> list[Finding]:
    """Where `wanted` stands in a text and nothing was found yet.

    Args:
        text: The text.
        wanted: From this text, or from others that belong to it.
        findings: What was found in this one.
    """
    lower = text.lower()
    if len(lower) != len(text):
        lower = text  # a few letters change their length; such texts are searched as they are
    covered = sorted(one[:2] for one in findings if one.score >= _BAR)
    found: list[Finding] = []
    for part, (score, in_lower_case) in wanted.items():
        needle = part.lower() if lower is not text else part
        at = lower.find(needle)
        while at >= 0:
            end = at + len(needle)
            if _is_name(text, at, end, part, in_lower_case) and not _overlaps(covered, at, end):
                found.append(Finding(at, end, "PERSON", score, NAME))
            at = lower.find(needle, end)
    return found


def _overlaps(spans: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    """Whether a span overlaps one of `spans`, which are sorted and do not overlap each other."""
    place = bisect_left(spans, (end, 0))
    return place > 0 and spans[place - 1][1] > start


def wanted_names(text: str, findings: Iterable[Finding]) -> Wanted:
    """The parts of the names that were found in a text, and of those in its e-mail addresses."""
    wanted: dict[str, tuple[float, bool]] = {}

    def want(part: str, score: float, in_lower_case: bool) -> None:
        before = wanted.get(part)
        if len(wanted) < _MOST or before is not None:
            best = (max(score, before[0]), in_lower_case or before[1]) if before else (score, in_lower_case)
            wanted[part] = best

    for finding in findings:
        if finding.entity == "PERSON" and finding.score >= _BAR and finding.end - finding.start < len(text):
            name = text[finding.start : finding.end]
            parts = _parts(name)
            # One word by itself may be a mistake of the tagger's; in lower case it would be everywhere.
            certain = len(parts) > 1 and finding.score >= _SURE
            for part in parts:
                a_word = part.lower() in _ALSO_WORDS
                if a_word or part.lower() not in NOBODY:
                    plain = certain and len(part) >= _LOWER_CASE and not a_word
                    want(part, finding.score * _DISCOUNT, plain)
        elif finding.entity == "EMAIL_ADDRESS" and finding.score >= _BAR:
            for part in _address_names(text, finding):
                want(part, _FROM_ADDRESS, False)
    return wanted


def _parts(name: str) -> list[str]:
    # `name_parts` wants three letters; of two, only such as are written as a name: "Li", "Wu".
    return [*name_parts(name), *(word for word in re.findall(r"\b[^\W\d_]{2}\b", name) if word.istitle())]


def _address_names(text: str, finding: Finding) -> list[str]:
    """The names in an address's local part, as they stand elsewhere in the text: `jane.doe@…`, `janedoe@…`."""
    local = text[finding.start : finding.end].partition("@")[0]
    words = _ADDRESS_PARTS.findall(local)
    if len(words) == 1:
        words = _CAMEL.findall(local)
    if any(word.lower() in _ROLES for word in words):
        return []
    if len(words) > 1:
        return [word.title() for word in words if len(word) > _SHORT]
    return _joined_words(text, words[0].lower()) if words else []


def _joined_words(text: str, local: str) -> list[str]:
    """Two neighbouring words, written as names are, that make up the local part."""
    words = _ADDRESS_PARTS.findall(text) if len(local) > 2 * _SHORT + 1 else []
    for one, other in pairwise(words):
        if (
            one[0].isupper()
            and other[0].isupper()
            and len(one) > 1
            and local in ((one + other).lower(), (other + one).lower())
        ):
            return [one, other]
    return []


def _is_name(text: str, start: int, end: int, part: str, in_lower_case: bool) -> bool:
    """Whether what stands there is a word of its own, written as the name is or as names are."""
    if (start > 0 and in_word(text[start - 1])) or (end < len(text) and in_word(text[end])):
        return False
    found = text[start:end]
    if len(part) <= _SHORT and found != part:
        return False
    if found.islower():
        return in_lower_case or (found == part and part not in _ALSO_WORDS)
    if not found[0].isupper():
        return found == part
    if part.lower() not in _ALSO_WORDS or (found.isupper() and part.isupper()):
        return True
    if found.isupper():
        return False
    before = text[max(start - _LOOK_BACK, 0) : start].rstrip(" \t")
    return bool(before) and before[-1] not in _SENTENCE_ENDS
