"""Places that a description names by a URL, and what must never stand in one: a secret.

A description is copied, mailed and kept in version control, and its places reach cards, messages and logs.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SECRET_KEY = re.compile(
    r"(password|passwd|pwd|passphrase|secret|token|api_?key|access_?key|private_?key)$", re.IGNORECASE
)
_INSTEAD = (
    "leave it to the environment or the driver's own files (for PostgreSQL: PGPASSWORD, ~/.pgpass, or a service of "
    "PGSERVICEFILE)"
)


def is_url(place: str) -> bool:
    """Whether a place is named by a URL, and not by a path."""
    return _URL.match(place) is not None


def check_no_secret(place: str) -> str:
    """Refuses a URL that holds a secret: `user:password@`, or a key such as `password=` behind its `?`.

    Args:
        place: A path, a glob or a URL; only a URL can hold one.

    Returns:
        The place as it was given.

    Raises:
        ValueError: It holds a secret, or what could be a part of one; nothing of it is repeated.
    """
    if not is_url(place):
        return place
    behind = place.split("://", 1)[1]
    before_query = behind.partition("?")[0]
    user, at, _ = before_query.rpartition("@")
    if at and ":" in user:
        raise ValueError(f"a password does not belong into a description: {_INSTEAD}")
    try:
        parts = urlsplit(place)
        keys = [key for text in (parts.query, parts.fragment) for key, _ in parse_qsl(text, keep_blank_values=True)]
    except ValueError:
        raise ValueError("the URL cannot be read") from None
    if any(_SECRET_KEY.search(key.strip()) for key in keys):
        raise ValueError(f"a secret does not belong into a description: {_INSTEAD}")
    # A password with a `?` or `#` of its own ends the part that names the host: what is left looks like a port.
    if not at and "@" in behind and ":" in parts.netloc:
        raise ValueError(f"behind `?`, an @ is written %40; if it ends a password: {_INSTEAD}")
    return place
