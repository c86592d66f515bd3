"""The key holder's part: it starts the session and opens the sum. It has no data and sees nobody's.

python -m analyst.key_holder prepare
python -m analyst.key_holder new north=ed25519:… south=ed25519:… west=ed25519:…
python -m analyst.key_holder reveal
"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

import privkit
from privkit.study import new_study, reveal_study

FOLDER = Path(__file__).parent
STUDY = FOLDER.parent / "exchange" / "stays"
IDENTITY = FOLDER / "analyst.identity"


def prepare() -> None:
    """Once: an identity, whose public half it prints."""
    print(privkit.Identity.new(IDENTITY, "analyst").public.text)


def new(*roster: str) -> None:
    """Adds who takes part to what was agreed, and starts a session."""
    described = yaml.safe_load((FOLDER / "stays.yaml").read_text(encoding="utf-8"))
    described["parties"] = [dict(zip(("name", "public"), party.split("=", 1), strict=True)) for party in roster]
    whole = FOLDER / "stays.study.yaml"
    whole.write_text(yaml.safe_dump(described, sort_keys=False), encoding="utf-8")
    new_study(whole, IDENTITY, STUDY)


def reveal() -> None:
    """Decrypts the sum, once; the session's keys are destroyed."""
    result, holder = reveal_study(STUDY, IDENTITY)
    (FOLDER / "result.json").write_text(result.model_dump_json(indent=2), encoding="utf-8")
    (FOLDER / "card.md").write_text(result.card, encoding="utf-8")
    holder.arrived()  # the result is where it should be: the study is over


if __name__ == "__main__":
    step, *arguments = sys.argv[1:]
    {"prepare": prepare, "new": new, "reveal": reveal}[step](*arguments)
