"""Private statistics: query → plan → bounded aggregate → measurement → estimate.

    sql/, builder.py            a query, as SQL or in Python
    canonical.py, spelling.py   its one spelling;  writing.py: back to SQL
    checks.py                   what a dataset's description does not allow to be asked
    plan.py                     which vectors are measured, at which share of the loss;  vectors.py, grid.py, prefix.py
    bounding.py                 what of one privacy unit counts, run where the data is;  sources.py, reading.py, …
    measurement.py              OpenDP's noise, and what it costs;  conversion.py, threshold.py, noise.py
    sampler.py, enclosures.py   the same noise by arrays;  shares.py: noise that several parties draw together
    estimate/, accuracy.py      values and intervals; half-widths before the fact

Nothing here knows the ledger. opendp, ibis, duckdb and sqlglot are imported in this room alone.
"""
