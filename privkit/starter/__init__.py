"""A door: the guided start. What a person declares becomes a description, a pipeline and, if wanted, a budget.

    declared.py      one word of a person → a column, a unit
    suggestions.py   what is proposed: from names, types and plain answers
    guided.py        `start`: the two files
    demo.py          `make_demo`: the same for patients who do not exist (patients.py), ready to run
    placing.py       all of the files, or none

Of a source only the names and types of its columns are read, never a value.
"""

from privkit.starter.demo import make_demo
from privkit.starter.guided import Headers, Started, read_headers, start

__all__ = ["Headers", "Started", "make_demo", "read_headers", "start"]
