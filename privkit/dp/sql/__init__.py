"""SQL → Query: a subset that is read word by word, so that nothing of a query is passed over in silence.

words.py       what is refused before it is parsed: too long, too deep, words of no query here
select.py      SELECT … FROM … WHERE … GROUP BY …
outputs.py     statistics and group expressions;  conditions.py: WHERE and WHEN;  nodes.py: columns and literals
"""

from privkit.dp.sql.select import parse_condition, parse_sql

__all__ = ["parse_condition", "parse_sql"]
