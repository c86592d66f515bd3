"""A door: cards. Made of records and the ledger, signed, written in three forms, and verified by anyone.

A card's JSON is the card; HTML and Markdown show it. Its signature covers the SHA-256 of every file that it goes with
and the ledger's last entry, so that a signed card is a checkpoint of the ledger too.
"""

from __future__ import annotations

import base64
import hashlib
import math
import os
import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from privkit.budget import as_loss, open_ledger
from privkit.dataset import Dataset
from privkit.errors import InputError, KeyFileError, UsageError, VerificationError
from privkit.io.staged import Staged, check_place
from privkit.keys.identity import Identity, PublicIdentity
from privkit.keys.privatefile import from_base64
from privkit.ledger.checkpoint import verify_pinned
from privkit.ledger.ledger import Ledger
from privkit.model.canonical import canonical_json
from privkit.model.card import (
    Card,
    CardAccounting,
    CardStatistic,
    CardStudy,
    CardVerified,
    DeidentifiedRows,
    Guarantee,
    Implementation,
    OddsRow,
    PublishedFile,
)
from privkit.model.dataset import DatasetSpec
from privkit.model.disclosure import Disclosure
from privkit.model.pipeline import About
from privkit.model.query import ByColumn
from privkit.model.release import Answer, Loss, Release
from privkit.model.software import versions_of
from privkit.report.files import report_json
from privkit.report.release_wording import NOT_COVERED, unit_sentences, untested_sentence
from privkit.report.wording import plural
from privkit.session import Released

PURPOSE = "privkit card"
_LARGEST = 256 << 20  # bytes of a card's JSON
_PRIORS = (1.0, 10.0, 50.0, 90.0)
_ENDS = (".json", ".html", ".md")
_PACKAGES = ("privkit-toolkit", "opendp", "presidio-analyzer", "presidio-anonymizer", "tenseal", "duckdb")
_RANDOMNESS = (
    "Noise is OpenDP's (its own generator, seeded by the operating system), or, for many Gaussian numbers at once, an "
    "exact sampler of the same law over the operating system's generator. Keys, masks and sessions come from the "
    "operating system's generator."
)
_FLOATING_POINT = (
    "Everything that noise is added to is a sum of 64-bit integers on a declared grid, exact in any order; noise is "
    "drawn as integers; losses are compared as fractions. No float carries private data into an answer."
)
_TIMING = (
    "Nothing but the answer depends on the data by design; how long a query takes does, and is not hidden from whoever "
    "can measure it on the machine."
)


# ---- making


def make_card(
    dataset: Dataset,
    ledger: Ledger,
    *,
    releases: Sequence[tuple[Release, bool]] = (),
    before: Loss | None = None,
    deidentified: Sequence[DeidentifiedRows] = (),
    studies: Sequence[CardStudy] = (),
    fairness: Sequence[str] = (),
    files: Sequence[PublishedFile] = (),
    about: About | None = None,
    made_by: str,
    folder: Path,
    previous: str | None = None,
) -> Card:
    """Puts a card together, unsigned.

    Args:
        dataset: Whose card.
        ledger: Its ledger, open.
        releases: What was released, and whether each was a stored answer.
        before: What was spent before; the earliest release's by default.
        deidentified: Rows that the card goes with.
        studies: Studies that the dataset contributed to.
        fairness: Columns by whose groups precision is compared.
        files: What the card vouches for.
        about: What a person stated.
        made_by: Who makes it, by their own word.
        folder: Where the card will stand.
        previous: SHA-256 of the card before this one.

    Raises:
        MissingExtraError: `fairness` is asked for and Fairlearn is not installed.
    """
    from privkit.report.fairness import fairness_tables

    spec, limit = dataset.spec, ledger.opening.limit
    head, time = ledger.end()
    statistics = tuple(_statistic(release, stored, spec) for release, stored in releases)
    # What somebody else notes meanwhile is for the next card: this one is of the ledger up to `head`.
    local = ledger.local_noise(head.sequence)
    disclosed = tuple(_as_public(one, deidentified) for one in ledger.disclosures(head.sequence))
    spent = as_loss(head.spent.loss, limit)
    earliest = min((r.accounting for r, _ in releases), key=lambda found: found.sequence, default=None)
    return Card(
        id=secrets.token_hex(16),
        dataset=spec.name,
        version=spec.version,
        time=time,
        made_by=made_by,
        about=about or About(),
        deidentified=tuple(deidentified),
        disclosed=disclosed,
        local=local,
        guarantee=_guarantee(spec, as_loss(limit.loss, limit), bool(disclosed)),
        accounting=CardAccounting(
            before=before or (earliest.before if earliest else spent),
            after=spent,
            entries=head.sequence,
            head=head.hash,
            high_loss=ledger.opening.accepted_high_loss,
            ledger=_from(folder, dataset.ledger_path),
        ),
        statistics=statistics,
        studies=tuple(studies),
        fairness=fairness_tables(statistics, fairness) if fairness else (),
        declared={name: column for release, _ in releases for name, column in release.declared.items()},
        odds=tuple(_odds(float(limit.epsilon))),
        implementation=Implementation(
            software={**_engines(releases), **versions_of(*_PACKAGES)},
            randomness=_RANDOMNESS,
            floating_point=_FLOATING_POINT,
            timing=_TIMING,
        ),
        files=tuple(files),
        previous=previous,
    )


def card_of_release(
    dataset: Dataset,
    released: Released,
    place: Path,
    *,
    files: Sequence[Path] = (),
    identity: str | os.PathLike[str] | None = None,
) -> Card:
    """The card of one release.

    Args:
        dataset: What was asked about.
        released: The release.
        place: Where the card will stand.
        files: What was written of the release; the card vouches for them.
        identity: Identity file of who signs it.

    Raises:
        KeyFileError: The identity cannot be read.
    """
    with open_ledger(dataset, read_only=True) as ledger:
        card = make_card(
            dataset,
            ledger,
            releases=[(released.release, released.stored)],
            before=released.release.accounting.before,
            files=[one for path in files for one in published(path, place.parent)],
            made_by=released.release.analyst,
            folder=place.parent,
        )
    return card if identity is None else sign_card(card, Identity.load(identity))


def published(path: Path, folder: Path, *, with_size: bool = True) -> Iterator[PublishedFile]:
    """A file that was written, or every file in a folder, as a card names it.

    Args:
        path: The file or folder.
        folder: Where the card stands.
        with_size: Whether its size may stand on the card: that of rows tells about how many there are.
    """
    for each in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if each.is_file():
            size = each.stat().st_size if with_size else None
            yield PublishedFile(path=_place(each, folder), bytes=size, sha256=sha256_of_file(each))


def sign_card(card: Card, identity: Identity) -> Card:
    """Signs a card.

    Args:
        card: Unsigned, or signed before.
        identity: Who vouches for it.
    """
    named = card.model_copy(update={"signer": identity.name, "public": identity.public.text, "signature": None})
    signature = identity.sign(PURPOSE, _signed(named))
    return named.model_copy(update={"signature": base64.b64encode(signature).decode()})


def check_card_place(place: Path, *, force: bool) -> None:
    """Refuses a card's place before anything happens, where it would be refused after it.

    Raises:
        UsageError: The name ends in none of .json, .html and .md.
        OutputError: One of the three files exists without `force`, or the folder is missing or closed.
    """
    if place.suffix.lower() not in _ENDS:
        raise UsageError(f"the card {place}: its name must end in .json, .html or .md")
    for path in card_files(place):
        check_place(path, "the card", force=force)


def card_files(place: Path) -> tuple[Path, Path, Path]:
    """The card's three files: JSON, HTML, Markdown."""
    json, html, markdown = (place.with_suffix(end) for end in _ENDS)
    return json, html, markdown


def write_card(card: Card, place: Path, *, staged: Staged | None = None) -> None:
    """Writes a card as JSON, a page and Markdown, side by side; whole or not there.

    Args:
        card: The card.
        place: Any of the three names.
        staged: Files that are published together with it; they are published here.

    Raises:
        OutputError: One cannot be written.
    """
    from privkit.report.card_html import card_html
    from privkit.report.card_markdown import card_markdown

    json, html, markdown = card_files(place)
    with staged or Staged() as waiting:
        waiting.add(json, report_json(card) + "\n")
        waiting.add(html, card_html(card))
        waiting.add(markdown, card_markdown(card))
        waiting.publish()


# ---- reading and verifying


def read_card(path: str | Path) -> Card:
    """Reads a card's JSON; whether it holds is not looked at.

    Args:
        path: The .json, or the .html or .md beside it.

    Raises:
        InputError: It is missing or cannot be read.
        VerificationError: It is no card, or not written as privkit writes it.
    """
    given = Path(path)
    place = given if given.suffix.lower() == ".json" else given.with_suffix(".json")
    try:
        with place.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as err:
        hint = f"A card is its JSON: {place.name}." if place != given else None
        raise InputError(f"{place}: cannot be read ({err.strerror})", path=str(place), hint=hint) from None
    try:
        card = Card.model_validate_json(content) if len(content) <= _LARGEST else None
    except (ValueError, RecursionError):
        card = None
    if card is None:
        raise VerificationError(f"{place} is no card, or it is damaged")
    if content != (report_json(card) + "\n").encode():
        raise VerificationError(
            f"{place} was changed after it was written", hint="Take it from where it was published."
        )
    return card


def verify_card(path: str | Path, *, signer: str | None = None, dataset: Dataset | None = None) -> CardVerified:
    """Checks a card's signature, its files and the ledger.

    Args:
        path: The card.
        signer: The public identity that must have signed it, known from elsewhere.
        dataset: Whose ledger is compared; by default the one that the card names, where it is there.

    Raises:
        VerificationError: Something does not hold.
        InputError: The card cannot be read.
    """
    card = read_card(path)
    pinned = None if signer is None else PublicIdentity.parse(signer)
    found = check_card_signature(card, pinned)
    beside = Path(path).parent
    files = sum(1 for file in card.files if _check_file(file, beside))
    ledger, notes = _check_ledger(card, beside, dataset)
    if found is None:
        notes.append("nobody signed this card: whoever can write it can change it")
    return CardVerified(
        dataset=card.dataset,
        time=card.time,
        files=files,
        ledger=ledger,
        signed=found is not None,
        pinned=pinned is not None,
        signer=card.signer,
        fingerprint=None if found is None else found.fingerprint,
        notes=tuple(notes),
    )


def check_card_signature(card: Card, signer: PublicIdentity | None = None) -> PublicIdentity | None:
    """Who signed a card; None where nobody did.

    Args:
        card: The card.
        signer: Who must have signed it.

    Raises:
        VerificationError: The signature does not hold, or is another's.
    """
    if card.signature is None or card.public is None:
        if signer is not None or card.signature is not None or card.public is not None:
            raise VerificationError("the card is not signed")
        return None
    try:
        identity = PublicIdentity.parse(card.public, card.signer or "")
        signature = from_base64(card.signature)
    except (KeyFileError, ValueError):
        raise VerificationError("the card's signature is none") from None
    if signer is not None and signer != identity:
        raise VerificationError("the card was signed by another identity than the one given")
    if not identity.verify(PURPOSE, _signed(card), signature):
        raise VerificationError("the card was changed after it was signed")
    return identity


def sha256_of_file(path: Path) -> str:
    """SHA-256 of a file's bytes, 64 hexadecimal digits.

    Raises:
        InputError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as err:
        raise InputError(f"{path}: cannot be read ({err.strerror})", path=str(path)) from None


def _check_file(file: PublishedFile, folder: Path) -> bool:
    place = folder / file.path
    if not _is_there(place):
        raise VerificationError(f"{file.path} is not there, and the card vouches for it")
    if file.bytes not in (None, place.stat().st_size) or sha256_of_file(place) != file.sha256:
        raise VerificationError(f"{file.path} is not the file that the card vouches for")
    return True


def _check_ledger(card: Card, folder: Path, dataset: Dataset | None) -> tuple[bool, list[str]]:
    if dataset is not None and dataset.spec.name != card.dataset:
        raise VerificationError(f"the card is of the dataset {card.dataset}, not of {dataset.spec.name}")
    named = card.accounting.ledger
    path = dataset.ledger_path if dataset is not None else str(folder / named) if named is not None else None
    if path is None or (dataset is None and not _is_there(Path(path), a_file=False)):
        return False, ["the ledger is not here: --dataset FILE says where its dataset's description is"]
    verify_pinned(path, card.dataset, {card.accounting.entries: card.accounting.head})
    with Ledger.open(path, card.dataset, read_only=True) as ledger:
        held = {entry.sequence: entry for entry in ledger.entries()}
        disclosed = [one.without_counts() for one in ledger.disclosures(card.accounting.entries)]
        local = ledger.local_noise(card.accounting.entries)
    if disclosed != [one.without_counts() for one in card.disclosed]:
        raise VerificationError("the rows that the card says were given out are not those that the ledger tells of")
    if local != card.local:
        raise VerificationError("the card's columns under a local mechanism are not those that the ledger tells of")
    for statistic in card.statistics:
        entry = held.get(statistic.sequence)
        if entry is None or entry.kind != "charged" or entry.id != statistic.entry:
            raise VerificationError(
                f"entry {statistic.sequence} of the ledger is not the charge that the card tells of",
                sequence=statistic.sequence,
            )
    return True, []


def _is_there(place: Path, *, a_file: bool = True) -> bool:
    """Whether a place that a card names is there; a name that no file can have is not."""
    try:
        return place.is_file() if a_file else place.exists()
    except (OSError, ValueError):
        return False


# ---- parts


def _as_public(disclosure: Disclosure, rows: Sequence[DeidentifiedRows]) -> Disclosure:
    """Exact counts only where the card's readers get the very rows that they are of, and a person said so."""
    counted = any(one.rows is not None and one.disclosure == disclosure for one in rows)
    return disclosure if counted else disclosure.without_counts()


def _statistic(release: Release, stored: bool, spec: DatasetSpec) -> CardStatistic:
    answer = Answer.model_validate({name: getattr(release, name) for name in Answer.model_fields} | {"drawn": ()})
    return CardStatistic(
        answer=answer,
        entry=release.id,
        sequence=release.accounting.sequence,
        stored=stored,
        groups_from=_groups_from(release),
        bias=tuple(_bias(release, spec)),
    )


def _engines(releases: Sequence[tuple[Release, bool]]) -> dict[str, str]:
    """Versions of what computed the aggregates."""
    return {name: version for release, _ in releases for name, version in release.software.items()}


def _groups_from(release: Release) -> str:
    if not release.groups:
        return "no groups"
    if release.threshold is not None:
        return "private: shown where the noisy number of units reaches a threshold"
    columns = [group.column for group in release.query.groups if isinstance(group, ByColumn)]
    parts = [f"the declared categories of {name}" for name in columns]
    if len(columns) < len(release.groups):
        parts.append("the query's own bands")
    return " and ".join(parts)


def _bias(release: Release, spec: DatasetSpec) -> Iterator[str]:
    unit = spec.privacy_unit
    if release.query.columns():
        yield "Values beyond the declared bounds count as the nearest bound."
    if unit.column is not None:
        groups, rows = plural(unit.max_groups, "group"), plural(unit.max_rows_per_group, "row")
        yield f"Of one {unit.name} at most {groups} and {rows} in each count; the rest is left out or scaled down."
    if release.untested_engine is not None:
        yield untested_sentence(release.untested_engine)
    if release.threshold is not None:
        yield "Groups with few units are missing, and totals over the shown ones are too low."


def _guarantee(spec: DatasetSpec, limit: Loss, statistics_only: bool) -> Guarantee:
    sentences = unit_sentences(spec.privacy_unit)
    return Guarantee(
        measure=spec.budget.measure,
        limit=limit,
        unit=spec.privacy_unit,
        neighbours=sentences[1],
        enforced=sentences[2]
        if len(sentences) > 2
        else "Every row is a unit of its own, so nothing has to be bounded.",
        not_protected=tuple(NOT_COVERED),
        statistics_only=statistics_only,
    )


def _odds(epsilon: float) -> Iterator[OddsRow]:
    """By Bayes' rule, where the odds change by a factor of at most e^ε (Dwork et al. 2006), δ set aside."""
    factor = math.exp(min(epsilon, 700.0))
    for percent in _PRIORS:
        prior = percent / 100
        highest = prior * factor / (1 - prior + prior * factor)
        lowest = prior / (prior + (1 - prior) * factor)
        yield OddsRow(prior=percent, lowest=100 * lowest, highest=100 * highest)


def _signed(card: Card) -> bytes:
    return canonical_json(card.model_dump(mode="json", exclude={"signature"}))


def _from(folder: Path, ledger: str) -> str | None:
    return None if "://" in ledger else _place(Path(ledger), folder)


def _place(path: Path, folder: Path) -> str:
    """From the folder as it really is: `..` behind a link leads elsewhere."""
    real = Path(os.path.realpath(path.parent)) / path.name
    return Path(os.path.relpath(real, os.path.realpath(folder))).as_posix()


def now() -> str:
    """UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
