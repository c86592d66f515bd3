"""E-mail addresses, web addresses and IP addresses, in domains and networks that are set aside for examples."""

from __future__ import annotations

import ipaddress
import re
from itertools import product

from privkit.deid.operators.base import Draws
from privkit.deid.operators.surrogates.draws import Stream, chosen, in_case_of, like, normal
from privkit.deid.operators.surrogates.names import Names, ascii_letters, script_of

_DOMAINS = ("example.com", "example.org", "example.net")  # RFC 2606
_NETWORKS = ("192.0.2", "198.51.100", "203.0.113")  # RFC 5737
_RUNS = re.compile(r"[^\W\d_]+|[0-9]+|.", re.DOTALL)
_ADDRESS = re.compile(
    r"(?P<before>\[?)(?P<address>[0-9A-Fa-f:.]+)(?P<after>%\w+)?(?P<rest>\]?(?:/[0-9]{1,3})?(?::[0-9]+)?)"
)
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)?(?P<host>[^/?#\s]+)(?P<rest>.*)", re.DOTALL)


def email(draws: Draws, names: Names, value: str, name: str | None) -> str | None:
    """Another e-mail address, which follows the surrogate of its owner's name.

    Args:
        draws: The key's choices.
        names: Makes names' surrogates.
        value: The address.
        name: The name in the same row, if there is one: `john.smith42` of John Smith becomes the first name, a dot,
            the surname and two digits of his surrogate. Otherwise the names that the address itself shows are taken.
    """
    local, at, domain = value.strip().rpartition("@")
    if not at or not local:
        return None
    local, plus, tag = local.partition("+")
    made = (_by_name(draws, names, local, name) if name else None) or _by_itself(draws, names, local)
    if tag:
        tag = chosen(draws, "email tag", normal(tag), lambda stream: like(stream, tag)) or ""
    return f"{made}{plus}{tag}@{_domain(draws, domain)}"


def url(draws: Draws, value: str) -> str | None:
    """Another web address: an example domain, and a path of the same look."""
    match = _URL.fullmatch(value.strip())
    if match is None:
        return None
    host, rest = match["host"].rpartition("@")[2], match["rest"]
    port = re.search(r":[0-9]+$", host)
    bare = host[: port.start()] if port else host
    www = "www." if bare.casefold().startswith("www.") else ""
    path = chosen(draws, "path", rest, lambda stream: like(stream, rest)) if any(map(str.isalnum, rest)) else rest
    return f"{match['scheme'] or ''}{www}{_domain(draws, bare)}{port[0] if port else ''}{path or ''}"


def ip(draws: Draws, value: str) -> str | None:
    """Another IP address, from the networks for documentation (RFC 5737, RFC 3849); a port or prefix length stays."""
    match = _ADDRESS.fullmatch(value.strip())
    if match is None:
        return None
    address, rest = match["address"], match["rest"]
    if address.count(":") == 1:  # IPv4 with a port
        address, _, port = address.partition(":")
        rest = f":{port}{rest}"
    try:
        old = ipaddress.ip_address(address)
    except ValueError:
        return None

    def make(stream: Stream) -> str:
        if old.version == 4:
            return f"{stream.of(_NETWORKS)}.{1 + stream.below(254)}"
        groups = ":".join(f"{1 + stream.below(0xFFFF):x}" for _ in range(4))
        return f"2001:db8::{groups}"

    made = chosen(draws, "ip", str(old), make)
    return f"{match['before']}{in_case_of(address, made)}{rest}" if made else None


def mac(draws: Draws, value: str) -> str | None:
    """Another hardware address in the same form, locally administered (its second digit is 2, 6, A or E)."""
    if sum(character in "0123456789abcdefABCDEF" for character in value) != 12:
        return None

    def make(stream: Stream) -> str:
        digits = 0
        made: list[str] = []
        for character in value:
            if character not in "0123456789abcdefABCDEF":
                made.append(character)
                continue
            made.append(stream.of("26ae") if digits == 1 else stream.of("0123456789abcdef"))
            digits += 1
        return "".join(made)

    made = chosen(draws, "mac", normal(value), make)
    if made is None:
        return None
    return made.upper() if any("A" <= character <= "F" for character in value) else made


def _domain(draws: Draws, domain: str) -> str:
    """An example domain, the same for the same domain."""
    made = chosen(draws, "domain", normal(domain), lambda stream: stream.of(_DOMAINS))
    return made or _DOMAINS[0]


def _by_name(draws: Draws, names: Names, local: str, name: str) -> str | None:
    """The local part put together from the name's surrogate, if it is put together from the name."""
    first, last = names.first_and_last(name)
    old = (ascii_letters(first), ascii_letters(last))
    new = (
        ascii_letters(names.part(first, "first")) if first else "",
        ascii_letters(names.part(last, "last")) if last else "",
    )
    if not any(old) or any(one and not other for one, other in zip(old, new, strict=True)):
        return None
    patterns: dict[str, str] = {}
    for order in ((0, 1), (1, 0)):
        for lengths in product((None, 1, 0), repeat=2):
            parts = [(old[part][:length], new[part][:length]) for part, length in zip(order, lengths, strict=True)]
            if key := "".join(part[0] for part in parts):
                patterns.setdefault(key, "".join(part[1] for part in parts))
    runs = _RUNS.findall(local)
    letters = [run for run in runs if run.isalpha()]
    # One letter alone says nothing: at least one run must be a name, or both initials.
    if not any(len(run) > 1 for run in letters) or any(ascii_letters(run) not in patterns for run in letters):
        return None
    made = [in_case_of(run, patterns[ascii_letters(run)]) if run.isalpha() else run for run in runs]
    return _numbered(draws, local, made)


def _by_itself(draws: Draws, names: Names, local: str) -> str:
    runs = _RUNS.findall(local)
    letters = [place for place, run in enumerate(runs) if run.isalpha()]
    made = list(runs)
    for rank, place in enumerate(letters):
        made[place] = _of_run(draws, names, runs[place], rank, len(letters))
    return _numbered(draws, local, made)


def _of_run(draws: Draws, names: Names, run: str, rank: int, count: int) -> str:
    if len(run) == 1:
        return chosen(draws, "initial", normal(run), lambda stream: like(stream, run)) or run
    if count > 1:
        return _written(draws, names, run, "last" if rank == count - 1 else "first")
    if names.known(run) is None and names.known(run[1:]) == "last":  # jsmith
        initial = chosen(draws, "initial", normal(run[0]), lambda stream: like(stream, run[0])) or run[0]
        return initial + _written(draws, names, run[1:], "last")
    return _written(draws, names, run, names.known(run) or "first")


def _written(draws: Draws, names: Names, run: str, part: str) -> str:
    """A name's surrogate as addresses write it; letters of the same kind where that would not be ASCII."""
    if script_of(run) == "LATIN":
        made = ascii_letters(names.part(run, "last" if part == "last" else "first"))
        if made and made != normal(run):
            return in_case_of(run, made)
    return chosen(draws, "run", normal(run), lambda stream: like(stream, run)) or ""


def _numbered(draws: Draws, local: str, made: list[str]) -> str:
    """Runs of digits drawn anew, all at once, for the whole local part."""
    places = [place for place, run in enumerate(made) if run.isdecimal()]
    old = "".join(made[place] for place in places)
    if not old:
        return "".join(made)
    digits = chosen(draws, f"email digits {normal(local)}", old, lambda stream: stream.digits(len(old))) or old
    for place in places:
        made[place], digits = digits[: len(made[place])], digits[len(made[place]) :]
    return "".join(made)
