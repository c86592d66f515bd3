"""Words that stand where names stand, or inside what a model takes for a name, and name nobody."""

from __future__ import annotations

_TEXT = """
the this that these those a an and or of in on at to for with from by is was are were has had have will who what
when where how why if not no yes none null unknown anonymous n/a na tbd same see above below male female married
single divorced widowed stable alert oriented president chairman chairwoman speaker minister secretary mayor
director manager practitioner specialist assistant general station patient patients physician doctor nurse customer
client service support team department office human resources sales admin administrator user guest universe world
america piggy pepper martens advocate dredd major lady lord sir madam sirs reader colleague colleagues friend
friends customers all everyone everybody today yesterday tomorrow monday tuesday wednesday thursday friday saturday
sunday january february march april june july august september october november december congo windows king queen
prince princess emperor chancellor premier captain squadron brigade battalion regiment direct press prime first
second third late former new old deputy vice junior senior chief head coach doctors nurses emeritus live breaking
update news
"""
NOBODY = frozenset(_TEXT.split())
"""In lower case. Words of ranks, places and institutions too: "Miss World", "Judge Advocate", "Mr. President"."""
