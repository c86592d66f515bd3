"""The quality report: detectors on the development files, on names by origin and by case, on texts of six languages.

    python training/report.py --gold FOLDER [--detectors spacy core full] [--json]

The frames that names are put into here stand in no template. Made texts say how even a detector is, not how good it is
on real ones.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from faker import Faker

import privkit

sys.path.insert(0, str(Path(__file__).parent))
from corpora import corpora

FRAMES = {
    "en": (
        "I had lunch with {} and we talked about the budget.", "The parcel was signed for by {}.", "{} is on leave until the end of the month.",
        "Could you ask {} to phone me back?", "Note from {}: the boiler is leaking again.", "Nobody had told {} that the shop was closed.",
        "According to {}, the repair will take a week.", "patient {} was seen today and feels better", "Booked for {} at noon, table for two.",
        "My neighbour {} found the keys.", "Attn: {}", "The prize went to {} for the second time.",
    ),
    "de": ("Ich habe gestern mit {} gesprochen.", "{} ist bis Ende des Monats im Urlaub.", "Bitte rufen Sie {} zurück.", "Das Paket wurde von {} angenommen.", "Laut {} dauert die Reparatur eine Woche.", "Unterschrift: {}", "Der Nachbar {} hat die Schlüssel gefunden."),
    "fr": ("J'ai parlé hier avec {} du budget.", "{} est en congé jusqu'à la fin du mois.", "Merci de rappeler {} avant midi.", "Le colis a été remis à {}.", "Selon {}, la réparation prendra une semaine.", "Signature : {}", "Ma voisine {} a retrouvé les clés."),
    "es": ("Ayer hablé con {} sobre el presupuesto.", "{} está de vacaciones hasta fin de mes.", "Por favor, llame a {} antes del mediodía.", "El paquete lo recogió {}.", "Según {}, la reparación durará una semana.", "Firma: {}", "Mi vecina {} encontró las llaves."),
    "it": ("Ieri ho parlato con {} del bilancio.", "{} è in ferie fino alla fine del mese.", "Per favore richiami {} prima di mezzogiorno.", "Il pacco è stato ritirato da {}.", "Secondo {}, la riparazione durerà una settimana.", "Firma: {}", "La vicina {} ha trovato le chiavi."),
    "nl": ("Ik sprak gisteren met {} over de begroting.", "{} is tot het einde van de maand met verlof.", "Wilt u {} voor de middag terugbellen?", "Het pakket is aangenomen door {}.", "Volgens {} duurt de reparatie een week.", "Handtekening: {}", "Buurvrouw {} heeft de sleutels gevonden."),
}  # fmt: skip
LOCALES = {"en": "en_US", "de": "de_DE", "fr": "fr_FR", "es": "es_ES", "it": "it_IT", "nl": "nl_NL"}
# Faker's locales that write names in Latin script; where it has none, the project's own lists.
ORIGINS = {
    "English": "en_US", "Spanish": "es_ES", "German": "de_DE", "French": "fr_FR", "Polish": "pl_PL", "Turkish": "tr_TR",
    "Indian": "en_IN", "Chinese": "zh_CN", "Japanese": "ja_JP", "Nigerian": "nigerian", "South African": "southafrican", "Arabic": "arabic",
}  # fmt: skip


def names_of(origin: str, count: int, random_: random.Random) -> list[str]:
    """Full names of an origin."""
    folder = Path(__file__).parent / "names"
    if (folder / f"{origin}.given.txt").exists():
        given, surnames = (
            (folder / f"{origin}.{kind}.txt").read_text("utf-8").split("\n") for kind in ("given", "surname")
        )
        return [
            f"{random_.choice([g for g in given if g])} {random_.choice([s for s in surnames if s])}"
            for _ in range(count)
        ]
    fake = Faker(origin, use_weighting=False)
    fake.seed_instance(random_.randrange(2**32))
    if origin in ("zh_CN", "ja_JP"):
        return [str(fake.romanized_name()) for _ in range(count)]
    return [f"{fake.first_name()} {fake.last_name()}" for _ in range(count)]


def made(
    names: Sequence[str], frames: Sequence[str], random_: random.Random, **attributes: str
) -> list[dict[str, Any]]:
    """Texts with one name each, in three cases."""
    records = []
    for name in names:
        for case, change in (("title", str), ("lower", str.lower), ("upper", str.upper)):
            before, _, after = random_.choice(frames).partition("{}")
            text, value = change(before) + change(name) + change(after), change(name)
            start = len(change(before))
            if len(value) == len(name):
                span = {"start": start, "end": start + len(value), "label": "PERSON"}
                records.append({"text": text, "spans": [span], "case": case, **attributes})
    return records


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--gold", type=Path, required=True)
    parser.add_argument("--detectors", nargs="+", default=["spacy", "core", "full"])
    parser.add_argument("--names", type=int, default=150, help="Names of each origin and language.")
    parser.add_argument("--recall", default="balanced")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    random_ = random.Random(11)
    everyone = [
        record
        for origin, locale in ORIGINS.items()
        for record in made(names_of(locale, given.names, random_), FRAMES["en"], random_, origin=origin)
    ]
    rows: list[dict[str, Any]] = []
    for detector in given.detectors:
        for path in corpora(given.gold, "development"):
            began = time.process_time()
            found = privkit.evaluate(path, detector=detector, recall=given.recall, workers=1)
            rows.append(row(path.stem, detector, found, time.process_time() - began))
        found = privkit.evaluate(everyone, detector=detector, recall=given.recall, by=["origin", "case"], workers=1)
        rows.append(row("names", detector, found, 0.0))
        for groups in found.groups:
            rows.append(
                {
                    "set": f"by {groups.attribute}",
                    "detector": detector,
                    "groups": {g.group: g.recall for g in groups.groups},
                }
            )
        for language, locale in LOCALES.items():
            if language != "en" and detector in ("spacy", "full"):
                continue
            records = made(names_of(locale, given.names, random_), FRAMES[language], random_)
            found = privkit.evaluate(records, detector=detector, language=language, recall=given.recall, workers=1)
            rows.append(row(f"names in {language} texts", detector, found, 0.0))
    for each in rows:
        print(json.dumps(each) if given.json else line(each), flush=True)


def row(name: str, detector: str, found: Any, seconds: float) -> dict[str, Any]:
    """What is reported of one evaluation."""
    person, place = found.entities.get("PERSON"), found.entities.get("LOCATION")
    address = found.labels.get("ADDRESS") or found.labels.get("STREET_ADDRESS")
    return {
        "set": name,
        "detector": detector,
        "masked": found.overall.fully_masked,
        "precision": found.overall.precision,
        "person": person and [person.precision, person.recall, person.f1, person.fully_masked],
        "place": place and [place.precision, place.recall, place.f1, place.fully_masked],
        "address_masked": address and address.fully_masked,
        "spurious_persons": person and person.spurious_per_1000_words,
        "types": {name: [each.precision, each.recall, each.fully_masked] for name, each in found.entities.items()},
        "texts_per_cpu_second": round(found.texts / seconds, 1) if seconds else None,
    }


def line(each: dict[str, Any]) -> str:
    """One row, to read."""
    if "groups" in each:
        groups = ", ".join(f"{name} {share:.3f}" for name, share in each["groups"].items())
        return f"{each['set']:28} {each['detector']:8} {groups}"
    shown = lambda numbers: " ".join(f"{n:.3f}" if n is not None else "–" for n in numbers or ())
    head = f"{each['set']:28} {each['detector']:8} masked {each['masked']:.3f} precision {each['precision']:.3f}"
    return f"{head} | person P R F m {shown(each['person'])} | place {shown(each['place'])} | address {shown([each['address_masked']])} | spurious persons {each['spurious_persons']}"


if __name__ == "__main__":
    main()
