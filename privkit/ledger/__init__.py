"""What was spent of each dataset's privacy budget: an append-only chain of entries, and the rules by which it grows.

Order of every release: charge (durable), then noise, then answer stored (durable), then answer shown.

    ledger.py       the door: create, open, charge, answer, fail, grant, note, standing, stored, entries
    records.py      what goes in and comes out
    entries.py      the chain: entries, their bodies and hashes
    accounting.py   exact sums, and what is refused
    store.py        what a store must do;  sqlite.py: the one that does it (sqlite3 only there)
    places.py       files: network filesystems, locks, a file that was exchanged while it was open
    verifying.py    reading it all again, from the raw columns
    checkpoint.py   a signed statement of how far the chain had come
"""
