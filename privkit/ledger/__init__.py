"""What was spent of each dataset's privacy budget: an append-only chain of entries, and the rules by which it grows.

Order of every release: charge (durable), then noise, then answer stored (durable), then answer shown.

    ledger.py       the door: create, open, charge, answer, fail, grant, note, move, standing, stored, entries
    records.py      what goes in and comes out
    entries.py      the chain: entries, their bodies and hashes
    accounting.py   exact sums, and what is refused
    store.py        what a store must do;  stores.py: which one a place is of
    sqlite.py       a file (sqlite3 only there);  places.py: network filesystems, locks, a file that was exchanged
    postgres.py     a database; postgres_schema.py: its tables and roles; postgres_link.py: its connections and errors
    moving.py       from one place to another, never in two
    verifying.py    reading it all again, from the raw columns
    checkpoint.py   a signed statement of how far the chain had come
"""
