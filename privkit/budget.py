"""A door: a dataset's budget. Created once, charged by every release, shown, granted from, verified.

The ledger counts in its own measure; what people read is converted here, by OpenDP.
"""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Any

from privkit.dataset import Dataset
from privkit.errors import DatasetError, LedgerError, PrivkitError, UsageError
from privkit.io.staged import check_place
from privkit.keys.identity import Identity, PublicIdentity
from privkit.ledger.checkpoint import Checkpoint, checkpoint, read_checkpoint, verify_checkpoint, write_checkpoint
from privkit.ledger.entries import Entry
from privkit.ledger.ledger import Ledger
from privkit.ledger.moving import Watch, import_export, named_place, unwatched, write_export
from privkit.ledger.records import Limit, Opening, Quota, Receipt, Standing
from privkit.ledger.store import System
from privkit.ledger.verifying import verify
from privkit.model.amounts import amount, spelled
from privkit.model.dataset import EPSILON_CAP, Budget, DatasetSpec, PrivacyUnit
from privkit.model.disclosure import Disclosure, LocalNoise
from privkit.model.release import BudgetMoved, BudgetStanding, HistoryEntry, Loss, QuotaStanding, Verified
from privkit.report.release_wording import amount_text

_SHOWN_DIGITS = 6  # of an ε that is converted from what is left, rounded down
_USUAL_DELTA = Decimal("1e-6")  # for comparing a pure budget with a zcdp one


# ---- what people do


def create_budget(dataset: Dataset, *, accept_high_loss: str | None = None) -> BudgetStanding:
    """Opens the dataset's ledger with its declared budget; fixed for ever.

    Args:
        dataset: Whose budget.
        accept_high_loss: Why an ε above 8 is in order; recorded, and shown on every card.

    Raises:
        DatasetError: ε is above 8 and no reason is given.
        LedgerError: The ledger exists, or cannot be written where the description says.
    """
    budget = dataset.spec.budget
    reason = accept_high_loss.strip() if accept_high_loss else None
    if budget.epsilon > EPSILON_CAP and not reason:
        raise DatasetError(
            f"epsilon {spelled(budget.epsilon)} is above {EPSILON_CAP}: it hardly protects anyone",
            hint="Lower it, or record why it is in order: --accept-high-loss REASON.",
        )
    if budget.epsilon <= EPSILON_CAP:
        reason = None
    opening = Opening(
        dataset=dataset.spec.name,
        unit=dataset.spec.privacy_unit.name,
        limit=limit_of(budget),
        accepted_high_loss=reason,
    )
    with Ledger.create(dataset.ledger_path, opening) as ledger:
        return _standing(ledger, dataset.spec).model_copy(update={"advice": measure_advice(dataset.spec)})


def show_budget(dataset: Dataset) -> BudgetStanding:
    """How the budget stands.

    Raises:
        LedgerError: There is no ledger, or it is of another dataset.
        DatasetError: The description and the budget disagree.
    """
    with open_ledger(dataset, read_only=True) as ledger:
        return _standing(ledger, dataset.spec)


def budget_history(dataset: Dataset, *, analyst: str | None = None) -> Iterator[HistoryEntry]:
    """The ledger's entries, the oldest first.

    Args:
        dataset: Whose budget.
        analyst: Only what is about this one.
    """
    with open_ledger(dataset, read_only=True) as ledger:
        for entry in ledger.entries():
            line = _line(entry, ledger.opening.limit)
            if analyst is None or line.analyst == analyst:
                yield line


def grant_budget(dataset: Dataset, analyst: str, epsilon: Decimal, *, by: str | None = None) -> BudgetStanding:
    """Gives an analyst a quota under the total; the latest one counts, for all that the analyst ever spent.

    Args:
        dataset: Whose budget.
        analyst: For whom, by the name that `--analyst` takes.
        epsilon: The quota, at the budget's δ.
        by: Who grants it; the user of the operating system by default.

    Raises:
        UsageError: ε is not above 0.
    """
    if epsilon <= 0:
        raise UsageError("a quota above 0 is wanted")
    with open_ledger(dataset) as ledger:
        ledger.grant(analyst, loss_at(epsilon, ledger.opening.limit), spelled(epsilon), by or whoami())
        return _standing(ledger, dataset.spec)


def verify_budget(dataset: Dataset, *, checkpoint: Path | None = None, signer: str | None = None) -> Verified:
    """Reads the whole ledger again and checks every hash, sum and answer.

    Args:
        dataset: Whose budget.
        checkpoint: A signed checkpoint; what it was signed over must still be there.
        signer: The signer's public identity ("ed25519:…"), known from elsewhere.

    Raises:
        VerificationError: Something does not hold.
        UsageError: A signer without a checkpoint.
    """
    if checkpoint is None:
        if signer is not None:
            raise UsageError("--signer says who must have signed a checkpoint", hint="Give --checkpoint FILE as well.")
        found = verify(dataset.ledger_path, dataset.spec.name)
        _check_agrees(dataset.spec, found.opening)
        return Verified(dataset=found.opening.dataset, entries=found.entries, head=found.head)
    statement = read_checkpoint(checkpoint)
    pinned = None if signer is None else PublicIdentity.parse(signer)
    found = verify_checkpoint(dataset.ledger_path, statement, pinned)
    _check_agrees(dataset.spec, found.opening)
    return Verified(
        dataset=found.opening.dataset,
        entries=found.entries,
        head=found.head,
        checkpoint=statement.sequence,
        signer=statement.identity.fingerprint,
        pinned=pinned is not None,
    )


def checkpoint_budget(dataset: Dataset, output: Path | str, identity: Path | str, *, force: bool = False) -> Checkpoint:
    """Verifies the ledger and signs where it stands; keep the file where the ledger's keeper cannot change it.

    Args:
        dataset: Whose budget.
        output: The file to write; "-" writes none.
        identity: The signer's identity file.
        force: Whether a file that exists may be replaced.

    Raises:
        VerificationError: The ledger does not hold.
        OutputError: The file cannot be written.
    """
    signer = Identity.load(identity)
    verify(dataset.ledger_path, dataset.spec.name)
    with open_ledger(dataset, read_only=True) as ledger:
        signed = checkpoint(ledger, signer)
    if os.fspath(output) != "-":
        write_checkpoint(output, signed, force=force)
    return signed


def export_budget(
    dataset: Dataset,
    output: Path | str,
    to: Path | str,
    *,
    by: str | None = None,
    force: bool = False,
    watch: Watch = unwatched,
    system: System | None = None,
) -> BudgetMoved:
    """Closes the ledger for good and writes all of it into a file; `import_budget` opens it at the new place.

    The closing entry is durable before there is a file, and names the new place. Asked again with the same place, it
    writes the file again.

    Args:
        dataset: Whose budget.
        output: The file to write; only its owner can open it.
        to: Where the budget goes on: a path, `file://HOST/PATH`, or `postgresql://HOST/DATABASE`.
        by: Who moves it; the user of the operating system by default.
        force: Whether a file that exists may be replaced.
        watch: Is told how many entries are written, and of how many.
        system: For tests.

    Raises:
        UsageError: The new place is none, or the old one.
        LedgerError: The ledger was moved elsewhere already, or a ledger is at the new place.
        VerificationError: The ledger does not hold: it is not closed.
        OutputError: The file exists without `force`, or cannot be written.
    """
    place, here = named_place(to), named_place(dataset.ledger_path)
    if place == here:
        raise UsageError("the ledger is there already", hint="Name another place with --to.")
    if named_place(output) in (place, here):
        raise UsageError("the file that is written is no ledger itself", hint="Give -o another name.")
    check_place(Path(output), "the exported ledger", force=force)
    with open_ledger(dataset, system=system) as ledger:
        before = ledger.moved_to()
        if before not in (None, place):
            raise LedgerError(
                f"the ledger was moved to {before} already, not to {place}",
                hint="Export it again to the same place: --to that one.",
            )
        if before is None:
            verify(dataset.ledger_path, dataset.spec.name)  # what does not hold could arrive nowhere
            _check_free(to, dataset.spec.name)
            ledger.move(place, by or whoami())
        written = write_export(ledger, Path(output), watch=watch, system=system or System())
    return BudgetMoved(
        dataset=written.dataset,
        entries=written.entries,
        answers=written.answers,
        head=written.head,
        place=place,
        again=before is not None,
    )


def import_budget(
    dataset: Dataset,
    file: Path | str,
    *,
    by: str | None = None,
    watch: Watch = unwatched,
    system: System | None = None,
) -> BudgetMoved:
    """Takes in a ledger that `export_budget` wrote, where the description's `ledger` is now; it takes charges again.

    Args:
        dataset: Whose budget; its `ledger` names the new place.
        file: The exported ledger.
        by: Who brings it; the user of the operating system by default.
        watch: Is told how many entries are read, and of how many.
        system: For tests.

    Raises:
        LedgerError: The ledger was moved to another place, or another ledger is there.
        DatasetError: The description and the budget disagree.
        VerificationError: The file does not hold.
    """
    arrival = import_export(
        dataset.ledger_path,
        dataset.spec.name,
        Path(file),
        by=by or whoami(),
        agrees=lambda opening: _check_agrees(dataset.spec, opening),
        watch=watch,
        system=system or System(),
    )
    found = arrival.verified
    return BudgetMoved(
        dataset=dataset.spec.name,
        entries=found.entries,
        answers=found.answers,
        head=found.head,
        place=arrival.at,
        again=arrival.again,
    )


def measure_advice(spec: DatasetSpec) -> str:
    """Which measure suits the declared budget."""
    budget = spec.budget
    crossing, delta = counts_until_zcdp(budget, spec.privacy_unit), _compared_at(budget)
    where = f"with a unit in at most {spec.privacy_unit.max_groups} groups" if spec.privacy_unit.max_groups > 1 else ""
    at = f" (at delta {spelled(delta)})" if budget.measure == "pure" else ""
    if crossing < 1:
        return f"zcdp suits{at}: {where or 'here'} its noise is the lower one from the first release on."
    return (
        f"pure adds less noise up to about {crossing:.0f} equal counts{' ' + where if where else ''}, "
        f"zcdp from there on{at}; this budget is {budget.measure}, for ever."
    )


def counts_until_zcdp(budget: Budget, unit: PrivacyUnit) -> float:
    """From how many equal counts on zcdp adds less noise than pure, for the same ε.

    A count's standard deviation after k equal releases is √2·k·G/ε under pure and √(G·k/2ρ) under zcdp, so they cross
    at k = ε²/(4ρG).
    """
    from privkit.dp.conversion import rho_of

    return float(budget.epsilon) ** 2 / (4 * float(rho_of(budget.epsilon, _compared_at(budget))) * unit.max_groups)


def _compared_at(budget: Budget) -> Decimal:
    """The δ at which a measure is compared with the other one."""
    return budget.delta - budget.threshold_delta if budget.delta else _USUAL_DELTA


# ---- shared with the session


def open_ledger(dataset: Dataset, *, read_only: bool = False, system: System | None = None) -> Ledger:
    """Opens the dataset's ledger and checks that the description still says what the budget was created with.

    Raises:
        LedgerError: There is none, or it is of another dataset.
        DatasetError: Unit or budget in the description are not those of the ledger.
    """
    ledger = Ledger.open(dataset.ledger_path, dataset.spec.name, read_only=read_only, system=system or System())
    try:
        _check_agrees(dataset.spec, ledger.opening)
    except BaseException:
        ledger.close()
        raise
    return ledger


CHARGED = "What was charged stays charged; `privkit budget history` shows it."


@contextmanager
def charged(ledger: Ledger, receipt: Receipt) -> Iterator[None]:
    """What stands between a charge and its answer: whatever fails is noted in the ledger, and gives nothing back.

    Args:
        ledger: The ledger.
        receipt: Of the charge.
    """
    try:
        yield
    except BaseException as err:
        reason = type(err).__name__ if isinstance(err, (PrivkitError, KeyboardInterrupt)) else "internal error"
        with suppress(PrivkitError):  # whatever happened is told by its own error
            ledger.fail(receipt.id, reason)
        if isinstance(err, PrivkitError):
            err.hint = f"{err.hint} {CHARGED}" if err.hint else CHARGED
        raise


def _check_free(place: Path | str, name: str) -> None:
    """Refuses a place where a ledger is, as far as that can be seen from here: nothing could ever arrive there."""
    try:
        Ledger.open(place, name, read_only=True).close()
    except PrivkitError:
        if not os.path.lexists(place):
            return
    raise LedgerError(f"there is a ledger at {place}, or something else", hint="Name another place with --to.")


def limit_of(budget: Budget) -> Limit:
    """The budget in the ledger's measure: ρ for (ε, δ − threshold_delta), rounded down, or ε."""
    loss = budget.epsilon
    if budget.measure == "zcdp":
        from privkit.dp.conversion import rho_of

        loss = rho_of(budget.epsilon, budget.delta - budget.threshold_delta)
    if loss <= 0:
        raise DatasetError("the budget is too small to be counted")
    return Limit(**budget.model_dump(), loss=loss)


def loss_at(epsilon: Decimal, limit: Limit, threshold_delta: Decimal | None = None) -> Decimal:
    """An ε in the ledger's measure.

    Args:
        epsilon: ε of one release, or of a quota, at the budget's δ.
        limit: The ledger's.
        threshold_delta: The part of δ that a release's threshold takes; what is set aside for thresholds by default.
    """
    if limit.measure == "pure":
        return epsilon
    from privkit.dp.conversion import rho_of

    return rho_of(epsilon, limit.delta - (limit.threshold_delta if threshold_delta is None else threshold_delta))


def as_loss(loss: Decimal, limit: Limit, threshold_delta: Decimal | None = None, *, left: bool = False) -> Loss:
    """A loss of the ledger's measure as people read it.

    Args:
        loss: ρ or ε.
        limit: The ledger's.
        threshold_delta: As in `loss_at`.
        left: Whether it is what is left, so that ε is rounded down; what was spent is rounded up.
    """
    if limit.measure == "pure":
        return Loss(epsilon=loss, delta=Decimal(0))
    if loss == 0:
        return Loss(epsilon=Decimal(0), delta=Decimal(0) if not left else limit.delta, rho=loss)
    if threshold_delta is None and loss == limit.loss:
        return Loss(epsilon=limit.epsilon, delta=limit.delta, rho=loss)
    from privkit.dp.conversion import epsilon_of

    delta = limit.delta - (limit.threshold_delta if threshold_delta is None else threshold_delta)
    epsilon = epsilon_of(loss, delta)
    return Loss(epsilon=_fitting(epsilon, loss, delta) if left else epsilon, delta=limit.delta, rho=loss)


def whoami() -> str:
    """The user of the operating system, as the analyst who was not named."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user without a name
        return f"uid {os.getuid()}"


def _fitting(epsilon: Decimal, rho: Decimal, delta: Decimal) -> Decimal:
    """The largest ε of a few digits whose ρ is at most `rho`."""
    from privkit.dp.conversion import rho_of

    unit = Decimal(1).scaleb(epsilon.adjusted() - _SHOWN_DIGITS + 1)
    shown = epsilon.quantize(unit, ROUND_DOWN)
    while shown > 0 and rho_of(shown, delta) > rho:
        shown -= unit
    return max(shown, Decimal(0))


def _check_agrees(spec: DatasetSpec, opening: Opening) -> None:
    """The promise was given for one unit and one budget; a description that says otherwise is not of this ledger."""
    declared = {**spec.budget.model_dump(), "unit": spec.privacy_unit.name, "name": spec.name}
    kept = {
        **opening.limit.model_dump(exclude={"loss"}),
        "unit": opening.unit,
        "name": opening.dataset,
    }
    differing = sorted(name for name, value in declared.items() if kept[name] != value)
    if differing:
        told = ", ".join(f"{name} {_told(declared[name])} (ledger: {_told(kept[name])})" for name in differing)
        raise DatasetError(
            f"the description and its budget disagree: {told}",
            hint="A budget's terms never change. Put the description back, or give this one a ledger of its own.",
        )


def _told(value: Any) -> str:
    return spelled(value) if isinstance(value, Decimal) else str(value)


def _standing(ledger: Ledger, spec: DatasetSpec) -> BudgetStanding:
    now, limit = ledger.standing(), ledger.opening.limit
    return BudgetStanding(
        dataset=spec.name,
        measure=limit.measure,
        limit=as_loss(limit.loss, limit),
        spent=as_loss(now.spent, limit),
        remaining=as_loss(now.remaining, limit, left=True),
        threshold_delta=limit.threshold_delta,
        threshold_delta_spent=now.spent_delta,
        entries=now.entries,
        head=now.head,
        quotas=tuple(_quota(quota, now) for quota in now.quotas),
        accepted_high_loss=ledger.opening.accepted_high_loss,
        moved_to=ledger.moved_to(),
    )


def _quota(quota: Quota, standing: Standing) -> QuotaStanding:
    left = min(max(quota.limit - quota.spent, Decimal(0)), standing.remaining)
    granted = as_loss(quota.limit, standing.limit).model_copy(update={"epsilon": amount(quota.epsilon)})
    return QuotaStanding(
        analyst=quota.analyst,
        limit=granted,
        spent=as_loss(quota.spent, standing.limit),
        remaining=granted if left == quota.limit else as_loss(left, standing.limit, left=True),
    )


def _line(entry: Entry, limit: Limit) -> HistoryEntry:
    body: dict[str, Any] = json.loads(entry.body)
    line = HistoryEntry(sequence=entry.sequence, time=entry.time, kind=entry.kind, id=entry.id)
    what: dict[str, Any] = body.get("what") or {}
    match entry.kind:
        case "opened":
            at = f" at δ {amount_text(limit.delta)}" if limit.delta else ""
            told = f"budget of ε {amount_text(limit.epsilon)}{at}, {limit.measure}"
            return line.model_copy(update={"what": told})
        case "granted":
            return line.model_copy(
                update={"analyst": body["analyst"], "what": f"quota of ε {body['epsilon']}, by {body['by']}"}
            )
        case "charged":
            cost = Loss.model_validate(what["cost"])
            return line.model_copy(update={"analyst": body["analyst"], "cost": cost, "what": what["sql"]})
        case "moved":
            return line.model_copy(update={"what": f"closed: the budget goes on at {body['to']}; by {body['by']}"})
        case "arrived":
            return line.model_copy(update={"what": f"goes on here, at {body['at']}; by {body['by']}"})
        case "failed":
            return line.model_copy(update={"what": body["reason"]})
        case "disclosed":
            gone = Disclosure.model_validate(body)
            key = f", key {gone.key_id}" if gone.key_id else ""
            left = f"{gone.residual_cells} cells still with findings"
            told = f"rows left as {gone.what}, policy {gone.policy}{key}; {left}; no privacy guarantee"
            return line.model_copy(update={"analyst": gone.approved_by, "what": told})
        case "local":
            drawn = LocalNoise.model_validate(body)
            told = (
                f"{drawn.what}: {drawn.mechanism} on {drawn.column}, ε {spelled(drawn.epsilon)} a value, "
                f"{spelled(drawn.unit_epsilon)} a unit; protects {drawn.protects}; not added to the budget"
            )
            return line.model_copy(update={"what": told})
        case "revealed":
            return line.model_copy(update={"what": f"decrypted the sum of the study session {body['session']}"})
        case _:
            return line
