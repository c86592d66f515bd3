"""What a column holds: its role and its entity, from its values, its name and its type.

names.py       what a name promises
values.py      what the values are: shapes, patterns with checksums
gazetteer.py   known given and family names, for columns of names without a model
decide.py      the decision
watch.py       the cheap check on columns that are kept, block by block
"""

from privkit.deid.columns.column import Decision
from privkit.deid.columns.decide import decide, decide_leaf
from privkit.deid.columns.names import hint_of
from privkit.deid.columns.patterns import holds_identifier
from privkit.deid.columns.watch import identifier_in

__all__ = ["Decision", "decide", "decide_leaf", "hint_of", "holds_identifier", "identifier_in"]
