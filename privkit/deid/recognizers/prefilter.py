r"""Which patterns can match a text at all: one scan by hyperscan instead of dozens of searches.

Hyperscan does not read the patterns themselves: its syntax looks like that of `regex` and differs in places where a
missed match would be a leak. Each pattern is parsed into a tree, and the tree is written out again as a *relaxation*,
an expression that matches wherever the pattern matches and perhaps elsewhere: look-arounds, anchors, back references
and non-ASCII detail are left out, repeat counts are loosened. What the writer does not know for certain makes the whole
pattern unfiltered. A hit means "search"; only no hit means something: that there is no match.

Two relaxations of each pattern are kept. In ASCII texts `\b` means the same to both engines and stays. For other texts
every character beyond ASCII becomes the byte 0x80, each class that could match such a character takes that byte in, and
`\b` is dropped.

The scan also tells where a relaxation's matches end, since each match of the pattern ends at one of these places. A
pattern that can match no space is then searched only in the words, the stretches between spaces, that hold one.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import regex

from privkit.deid.recognizers.native import hyperscan_works

_parser: Any = re._parser  # type: ignore[attr-defined]  # the standard library's own parser; there is no public name
_constants: Any = re._constants  # type: ignore[attr-defined]

_ASCII = frozenset(range(128))
_OTHER = 0x80  # stands for every character beyond ASCII
_BEYOND = regex.compile(r"[^\x00-\x7f]")
_DIGITS = frozenset(range(0x30, 0x3A))
_WORD = _DIGITS | frozenset(range(0x41, 0x5B)) | frozenset(range(0x61, 0x7B)) | {0x5F}
# `re` and `regex` do not agree on whether \x1c..\x1f are white space, so they are both in \s and in \S.
_SPACE_AT_LEAST = frozenset((9, 10, 11, 12, 13, 32))
_SPACE_AT_MOST = _SPACE_AT_LEAST | frozenset(range(0x1C, 0x20))
# Under IGNORECASE these ASCII letters have partners beyond ASCII: ſ, the Kelvin sign, dotted and dotless i.
_PARTNERED = frozenset(b"sSkKiI")
_KNOWN_FLAGS = regex.IGNORECASE | regex.MULTILINE | regex.DOTALL | regex.UNICODE | regex.VERSION0
_ONE_CHARACTER = (_constants.LITERAL, _constants.NOT_LITERAL, _constants.ANY, _constants.IN)
_SPACE = 0x20
_MOST_REPEATS = 16  # hyperscan unrolls counted repeats; beyond this the count is loosened


class _Unknown(Exception):
    """A construct whose relaxation is not certain."""


class Prefilter:
    """Tells which of many patterns can match a text.

    Args:
        patterns: Each pattern with the flags that `regex` compiles it with.
        after: Texts that are let through before the database is built: building takes about a second, which a handful
            of texts would not earn back.

    An object made before a process starts its workers costs nothing there, since the database is built in the process
    that scans; it cannot be shared between threads.
    """

    def __init__(self, patterns: Sequence[tuple[str, int]], *, after: int = 1500) -> None:
        self._patterns = tuple(patterns)
        self._all = dict.fromkeys(range(len(self._patterns)))
        self._waiting = after
        self._scans: dict[bool, _Scan | None] = {}

    def possible(self, text: str) -> Mapping[int, list[int] | None]:
        """The patterns that may match `text`, by index; any other has no match in it.

        With each goes where its matches may end, if they lie between spaces (see `words`), else None.
        """
        if self._waiting > 0:
            self._waiting -= 1
            return self._all
        plain = text.isascii()
        scan = self._scan(plain)
        if scan is None:
            return self._all
        return scan(text.encode("ascii") if plain else _BEYOND.sub("\x80", text).encode("latin-1"))

    def unfiltered(self, *, beyond_ascii: bool = False) -> frozenset[int]:
        """Indices of the patterns that every text is searched with."""
        scan = self._scan(not beyond_ascii)
        return frozenset(self._all if scan is None else scan.always)

    def _scan(self, plain: bool) -> _Scan | None:
        if plain not in self._scans:
            self._scans[plain] = _Scan(self._patterns, beyond_ascii=not plain) if hyperscan_works() else None
        return self._scans[plain]


class _Scan:
    def __init__(self, patterns: Sequence[tuple[str, int]], *, beyond_ascii: bool) -> None:
        self.always: dict[int, None] = dict.fromkeys(range(len(patterns)))
        self._database: Any = None
        # Those that are looked for in words tell all their ends, the others just that they are there.
        self._placed = [_stays_between_spaces(pattern, flags) for pattern, flags in patterns]
        expressions = []
        for index, (pattern, flags) in enumerate(patterns):
            try:
                expressions.append((index, relax(pattern, flags, beyond_ascii=beyond_ascii)))
            except _Unknown:
                continue
        database = _database(expressions, self._placed)
        if database is None:
            # Some of them are refused (too large, may match nothing): those go unfiltered.
            expressions = [each for each in expressions if _database([each], self._placed) is not None]
            database = _database(expressions, self._placed)
        if database is not None:
            self._database = database
            for index, _ in expressions:
                del self.always[index]

    def __call__(self, text: bytes) -> dict[int, list[int] | None]:
        found: dict[int, Any] = dict(self.always)
        placed = self._placed

        def seen(index: int, _start: int, end: int, _flags: int, _context: object) -> None:
            if not placed[index]:
                found[index] = None
            else:
                found.setdefault(index, []).append(end)

        if text and self._database is not None:
            self._database.scan(text, match_event_handler=seen)
        return found


def words(text: str, ends: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The stretches of `text` between spaces in which one of `ends` lies, with the space after them, in order."""
    done = 0
    for end in sorted(ends):
        if end > done:
            start = text.rfind(" ", 0, end) + 1
            done = text.find(" ", end - 1) + 1 or len(text)
            if start < done:
                yield start, done


def _database(expressions: Sequence[tuple[int, bytes]], placed: Sequence[bool]) -> Any:
    import hyperscan

    if not expressions:
        return None
    database = hyperscan.Database()
    try:
        database.compile(
            expressions=[expression for _, expression in expressions],
            ids=[index for index, _ in expressions],
            flags=[0 if placed[index] else hyperscan.HS_FLAG_SINGLEMATCH for index, _ in expressions],
        )
    except hyperscan.error:
        return None
    return database


def relax(pattern: str, flags: int, *, beyond_ascii: bool) -> bytes:
    """A hyperscan expression that matches in every text in which `pattern` has a match that is not empty.

    Args:
        pattern: As `regex` takes it, version 0 behaviour.
        flags: Its flags.
        beyond_ascii: For texts in which each character beyond ASCII was replaced by the byte 0x80.

    Raises:
        _Unknown: The pattern holds something that is not certain to mean the same to both parsers.
    """
    tree = _parsed(pattern, flags)
    expression = _Writer(beyond_ascii).sequence(tree, bool(tree.state.flags & re.I))
    if re.fullmatch(rb"(?:\(\?:|\)|\||\\b)*", expression):
        raise _Unknown
    return expression


def _parsed(pattern: str, flags: int) -> Any:
    if flags & ~_KNOWN_FLAGS:
        raise _Unknown
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nested sets and the like: ambiguous, so not certain
        try:
            tree = _parser.parse(pattern, int(re.RegexFlag(flags & (re.I | re.M | re.S | re.U))))
        except (re.error, Warning, RecursionError, OverflowError):
            raise _Unknown from None
    if tree.state.flags & ~(re.I | re.M | re.S | re.U):
        raise _Unknown
    if _looks_fuzzy(pattern):
        raise _Unknown
    return tree


def _stays_between_spaces(pattern: str, flags: int) -> bool:
    """Whether no match holds a space, and none depends on what comes after the next space."""
    try:
        return not _takes_space(_parsed(pattern, flags))
    except _Unknown:
        return False


def _takes_space(items: Any) -> bool:
    c = _constants
    for op, value in items:
        if op in (c.AT, c.GROUPREF):
            continue  # a group that has taken no space matches none when it comes again
        if op is c.BRANCH:
            takes = any(map(_takes_space, value[1]))
        elif op is c.SUBPATTERN:
            takes = _takes_space(value[3])
        elif op in (c.MAX_REPEAT, c.MIN_REPEAT, c.POSSESSIVE_REPEAT):
            takes = _takes_space(value[2])
        elif op is c.ATOMIC_GROUP:
            takes = _takes_space(value)
        elif op in (c.ASSERT, c.ASSERT_NOT):
            # What lies before is seen wherever the search begins; after the word, its space is seen.
            direction, inner = value
            takes = direction > 0 and not (len(inner) == 1 and inner[0][0] in _ONE_CHARACTER) and _takes_space(inner)
        elif op in _ONE_CHARACTER:
            takes = op is c.ANY or _SPACE in _Writer(False).members(op, value, False)
        else:
            takes = True
        if takes:
            return True
    return False


def _looks_fuzzy(pattern: str) -> bool:
    # `regex` reads {e<=1} as "one error allowed" and [[:alpha:]] as letters; to `re` they are plain text. Outside
    # classes only counts may stand in braces.
    bare = re.sub(r"\\.", "", pattern, flags=re.DOTALL)
    outside = re.sub(r"\[\^?\]?[^\]]*\]", "", bare)
    return bool(re.search(r"\{(?!\d+(?:,\d*)?\}|,\d+\})", outside) or re.search(r"\[:\^?\w+:\]", pattern))


class _Writer:
    def __init__(self, beyond_ascii: bool) -> None:
        self._beyond = beyond_ascii

    def sequence(self, items: Any, ignore_case: bool) -> bytes:
        return b"".join(self._item(op, value, ignore_case) for op, value in items)

    def _item(self, op: Any, value: Any, ignore_case: bool) -> bytes:
        c = _constants
        if op in (c.LITERAL, c.NOT_LITERAL, c.IN):
            return self._set(self.members(op, value, ignore_case))
        if op is c.ANY:
            return self._set(_ASCII | {_OTHER})
        if op is c.BRANCH:
            return b"(?:" + b"|".join(self.sequence(branch, ignore_case) for branch in value[1]) + b")"
        if op is c.SUBPATTERN:
            _, added, removed, inner = value
            if (added | removed) & ~(re.I | re.M | re.S):
                raise _Unknown
            return b"(?:" + self.sequence(inner, (ignore_case or bool(added & re.I)) and not removed & re.I) + b")"
        if op in (c.MAX_REPEAT, c.MIN_REPEAT, c.POSSESSIVE_REPEAT):
            return self._repeat(value, ignore_case)
        if op is c.ATOMIC_GROUP:
            return b"(?:" + self.sequence(value, ignore_case) + b")"
        if op in (c.ASSERT, c.ASSERT_NOT):
            return b""
        if op is c.AT:
            return b"\\b" if value is c.AT_BOUNDARY and not self._beyond else b""
        if op is c.GROUPREF:
            return b"[\\x00-\\xff]*"
        raise _Unknown

    def _repeat(self, value: Any, ignore_case: bool) -> bytes:
        least, most, inner = value
        written = self.sequence(inner, ignore_case)
        if not written or most == 0:
            return b""
        if (least, most) == (0, 1):
            return b"(?:" + written + b")?"
        least = min(least, _MOST_REPEATS)
        loose = most is _constants.MAXREPEAT or most > _MOST_REPEATS
        count = b"{%d,}" % least if loose else b"{%d,%d}" % (least, most)
        return b"(?:" + written + b")" + count

    def members(self, op: Any, value: Any, ignore_case: bool) -> frozenset[int]:
        """Bytes that stand for the characters that a literal or a class matches, at least."""
        c = _constants
        items: Sequence[tuple[Any, Any]] = value if op is c.IN else [(op, value)]
        if op is c.NOT_LITERAL:
            items = [(c.NEGATE, None), (c.LITERAL, value)]
        negated = bool(items) and items[0][0] is c.NEGATE
        members: set[int] = set()
        for op, value in items[1:] if negated else items:
            if op is c.LITERAL:
                members |= self._range(value, value, ignore_case, negated)
            elif op is c.RANGE:
                members |= self._range(value[0], value[1], ignore_case, negated)
            elif op is c.CATEGORY:
                members |= self._category(value, negated)
            else:
                raise _Unknown
        if negated:
            # Characters beyond ASCII may or may not be in the complement: they are taken in.
            return (_ASCII - members) | {_OTHER}
        return frozenset(members)

    def _range(self, low: int, high: int, ignore_case: bool, exactly: bool) -> set[int]:
        members = set(range(low, min(high, 127) + 1))
        if ignore_case:
            members |= {ord(chr(i).swapcase()) for i in members if chr(i).isalpha()}
        if exactly:
            return members
        if high > 127:
            # A character beyond ASCII; under IGNORECASE it may also match an ASCII letter.
            members |= {_OTHER} | (_PARTNERED if ignore_case else set())
        if ignore_case and members & _PARTNERED:
            members.add(_OTHER)
        return members

    def _category(self, category: Any, exactly: bool) -> set[int]:
        c = _constants
        kinds = {
            c.CATEGORY_DIGIT: (_DIGITS, _DIGITS),
            c.CATEGORY_WORD: (_WORD, _WORD),
            c.CATEGORY_SPACE: (_SPACE_AT_LEAST, _SPACE_AT_MOST),
            c.CATEGORY_NOT_DIGIT: (_ASCII - _DIGITS, _ASCII - _DIGITS),
            c.CATEGORY_NOT_WORD: (_ASCII - _WORD, _ASCII - _WORD),
            c.CATEGORY_NOT_SPACE: (_ASCII - _SPACE_AT_MOST, _ASCII - _SPACE_AT_LEAST),
        }
        if category not in kinds:
            raise _Unknown
        at_least, at_most = kinds[category]
        return set(at_least) if exactly else set(at_most) | {_OTHER}

    def _set(self, members: frozenset[int]) -> bytes:
        if not self._beyond:
            members = members & _ASCII
        if not members:
            return b"\\x80"  # matches nothing in such texts, and no ASCII text has this byte
        if len(members) == 129 or (len(members) == 128 and not self._beyond):
            return b"[\\x00-\\xff]"
        runs: list[tuple[int, int]] = []
        for i in sorted(members):
            if runs and runs[-1][1] == i - 1:
                runs[-1] = runs[-1][0], i
            else:
                runs.append((i, i))
        if len(members) == 1:
            return _byte(runs[0][0])
        parts = (_byte(a) if a == b else _byte(a) + b"-" * (b > a + 1) + _byte(b) for a, b in runs)
        return b"[" + b"".join(parts) + b"]"


def _byte(i: int) -> bytes:
    # Letters and digits as they are: hyperscan takes expressions of up to 16,000 bytes.
    return bytes((i,)) if i in _WORD else b"\\x%02x" % i
