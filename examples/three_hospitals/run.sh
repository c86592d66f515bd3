#!/bin/sh
# The whole study. Here one machine runs every line; in life each folder is an organisation, and exchange/ alone is common.
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-python3}
mkdir exchange

# Each at home: raw rows become de-identified ones; an identity, whose public half the others are told; a budget.
north=$("$python" -m north.party prepare)
south=$("$python" -m south.party prepare)
west=$("$python" -m west.party prepare)
analyst=$("$python" -m analyst.key_holder prepare)

"$python" -m analyst.key_holder new north="$north" south="$south" west="$west"
for hospital in north south west; do "$python" -m $hospital.party join "$analyst"; done
for hospital in north south west; do "$python" -m $hospital.party contribute "$analyst"; done
"$python" -m privkit study aggregate exchange/stays                               # anyone
"$python" -m analyst.key_holder reveal
"$python" -m privkit study verify exchange/stays --key-holder "$analyst" --json > verified.json      # anyone, later

"$python" compare.py          # what nobody could compute in life: the same from the raw rows of all
