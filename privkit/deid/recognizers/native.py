"""Whether the compiled pattern engine works on this machine: a wheel can be installed and still not run here."""

from __future__ import annotations


def hyperscan_works() -> bool:
    """Compiles one pattern and finds it. False where hyperscan is missing, or the processor cannot run it."""
    try:
        import hyperscan
    except (ImportError, OSError):
        return False
    ends: list[int] = []
    try:
        database = hyperscan.Database()
        database.compile(expressions=[b"b+"], ids=[0], flags=[0])
        database.scan(b"abba", match_event_handler=lambda _id, _start, end, _flags, _context: ends.append(end))
    except hyperscan.error:
        return False
    return ends == [2, 3]
