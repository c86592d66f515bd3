"""The words of a query, before they are parsed: how many, how deep, and those that no query here has."""

from __future__ import annotations

from itertools import pairwise

from sqlglot import tokenize
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token, TokenType

from privkit.errors import QueryError

MOST_CHARACTERS = 131_072
"""How long a query's text may be."""

_MOST_OPEN = 16  # parentheses and CASEs in one another, and NOTs in a row: sqlglot needs about 30 frames for each

GRAMMAR = "A query is: SELECT groups and statistics FROM dataset [WHERE …] [GROUP BY …]."
"""What is understood, in one line."""

STATISTICS = (
    "Statistics are COUNT(*), COUNT(x), COUNT(DISTINCT unit), SUM, AVG, VARIANCE, STDDEV, MEDIAN, QUANTILE_CONT(x, q), "
    "HISTOGRAM(x, bins), CORR(x, y), COVAR(x, y) and REGR(y, x1, x2, …)."
)
"""The functions that are understood."""

_SORTED = "Groups come sorted by their declared order; sort or cut the result afterwards, which costs nothing."
_ONE_TABLE = "A query is about one dataset: join before the dataset is described."
_ONE_QUERY = "Ask one query at a time; results are combined afterwards, which costs nothing."
_MATCH = "Conditions are =, <>, <, <=, >, >=, IN, BETWEEN and IS NULL; IN (…) lists the values that match."
_ROWS = "Every row that WHERE selects counts; rows are bounded per privacy unit, by the dataset's description."

REFUSED: dict[str, str] = {
    "HAVING": "Choose among the groups afterwards, from the noisy result.",
    "ORDER BY": _SORTED,
    "LIMIT": _SORTED,
    "OFFSET": _SORTED,
    "FETCH": _SORTED,
    "QUALIFY": "Choose among the groups afterwards, from the noisy result.",
    **dict.fromkeys(("JOIN", "LEFT", "RIGHT", "INNER", "OUTER", "FULL", "CROSS", "NATURAL", "LATERAL"), _ONE_TABLE),
    **dict.fromkeys(("UNION", "INTERSECT", "EXCEPT", "WITH"), _ONE_QUERY),
    **dict.fromkeys(("LIKE", "ILIKE", "SIMILAR TO", "GLOB", "RLIKE", "ANY", "SOME", "EXISTS"), _MATCH),
    "OVER": GRAMMAR,
    "WINDOW": GRAMMAR,
    "PARTITION BY": GRAMMAR,
    "FILTER": "WHERE selects the rows of all statistics of a query; ask two queries for two selections.",
    "ESCAPE": _MATCH,
    "SYMMETRIC": "BETWEEN wants the lower value first.",
    "TABLESAMPLE": _ROWS,
    "USING": _ROWS,
    "PIVOT": GRAMMAR,
    "UNPIVOT": GRAMMAR,
    "INTO": GRAMMAR,
    "INTERVAL": "Dates are compared with days: DATE '2026-01-31'.",
    "ROLLUP": "Name the groups one by one.",
    "CUBE": "Name the groups one by one.",
    "GROUPING SETS": "Name the groups one by one.",
}
"""Words that no query here has, and what to do without them."""

_SIGNS = frozenset(["(", ")", ",", ".", "*", "+", "-", "/", "%", "=", "==", "<>", "!=", "<", "<=", ">", ">=", ";"])


def words_of(text: str, known: frozenset[str]) -> list[Token]:
    """The words of a query's text, or of a condition's.

    Args:
        text: What the user wrote.
        known: Names, case-folded, that are names even where SQL has a keyword of the same spelling.

    Raises:
        QueryError: Too long, too deep, not words at all, or one of them is of no query here.
    """
    if len(text) > MOST_CHARACTERS:
        raise QueryError(f"the query is too long: {len(text):,} characters; at most {MOST_CHARACTERS:,} are read")
    if any("\ud800" <= character <= "\udfff" or character == "\0" for character in text):
        raise QueryError("the query holds a character that is not text")
    try:
        words = tokenize(text, read="duckdb")
    except TokenError:
        raise QueryError(
            "the query cannot be split into words", hint="A quote or a comment is open, or a number is cut off."
        ) from None
    _check_depth(words)
    known |= {word.text.casefold() for before, word in pairwise(words) if before.token_type is TokenType.ALIAS}
    for i, word in enumerate(words):
        _check_word(words, i, word, known)
    return words


def _check_depth(words: list[Token]) -> None:
    opened = nots = 0
    for word in words:
        shown = word.text.upper() if word.token_type is not TokenType.STRING else ""
        opened += (shown in ("(", "CASE")) - (shown in (")", "END"))
        nots = nots + 1 if shown == "NOT" else 0
        if max(opened, nots) > _MOST_OPEN:
            raise QueryError(
                f"the query is nested more than {_MOST_OPEN} deep",
                word=word.text,
                hint="AND binds tighter than OR, and IN (…) lists alternatives: most parentheses can go.",
            )


def _check_word(words: list[Token], i: int, word: Token, known: frozenset[str]) -> None:
    if word.token_type in (TokenType.STRING, TokenType.IDENTIFIER, TokenType.NUMBER):
        return
    shown, before = word.text.upper(), words[i - 1].text.upper() if i else ""
    if any(comment.startswith("+") for comment in word.comments):
        raise QueryError("hints are not understood", word="/*+", hint=GRAMMAR)
    if word.token_type is TokenType.SEMICOLON and any(w.token_type is not TokenType.SEMICOLON for w in words[i:]):
        raise QueryError("one query at a time is answered", word=";", hint=_ONE_QUERY)
    if shown == "SELECT" and i:
        raise QueryError("a query within a query is not understood", word=word.text, hint=_ONE_QUERY)
    if shown[:1].isalpha() or shown[:1] == "_":
        if shown in REFUSED and before not in ("AS", ".") and word.text.casefold() not in known:
            if shown == "ORDER BY" and [w.text.upper() for w in words[max(0, i - 3) : i]] == ["WITHIN", "GROUP", "("]:
                return
            raise QueryError(f"{shown} is not understood", word=word.text, hint=REFUSED[shown])
    elif shown not in _SIGNS:
        raise QueryError(f"{word.text} is not understood", word=word.text, hint=GRAMMAR)
