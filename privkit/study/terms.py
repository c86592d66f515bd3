"""What a study's parties agree to: from the study file to the manifest, and from a manifest to what each must do.

A party takes nothing of a manifest on trust that it can work out itself: plans, noise, channels and cost are derived
again from what the manifest declares, and compared.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from pydantic import ValidationError

from privkit.dp.conversion import rho_of
from privkit.dp.pooled import Drawing, Pool, Scales, check_scales, drawn_scales, highest_sum, pool
from privkit.errors import DatasetError, KeyFileError, StudyError, UsageError
from privkit.he.packing import Packing, Span
from privkit.he.parameters import Parameters, choose
from privkit.keys.identity import PublicIdentity
from privkit.model.dataset import Budget, Column, DatasetSpec, FloatColumn, IntegerColumn, PrivacyUnit
from privkit.model.misfits import first_misfit
from privkit.model.study import (
    Channel,
    Manifest,
    ManifestStatistic,
    StudyKeyHolder,
    StudyParty,
    StudyPrivacy,
    StudySpec,
    StudyUnit,
)

_UNIT = "unit"  # what the unit is called where no party's own column is meant
_NO_LEDGER = "none"  # a study has none of its own: each party's is charged


@dataclass(frozen=True)
class Terms:
    """A manifest, understood.

    Attributes:
        manifest: What was agreed.
        pool: What is added up.
        parameters: Of each channel.
        packing: Which slot's residues stand where.
    """

    manifest: Manifest
    pool: Pool
    parameters: tuple[Parameters, ...]
    packing: Packing

    @property
    def scales(self) -> Scales:
        """σ of one drawing of the noise, by query and vector."""
        return tuple(statistic.scales for statistic in self.manifest.statistics)


def draw_up(study: StudySpec, key_holder: StudyKeyHolder) -> Terms:
    """Works out a new study's manifest.

    Args:
        study: The study file.
        key_holder: Who will decrypt the sum.

    Raises:
        StudyError: The file does not hold together, or the study does not fit: with the numbers.
        QueryError: A statistic that is not understood.
    """
    if study.key_holder is not None and study.key_holder != key_holder.public:
        raise StudyError(
            "the study file pins another key holder than the identity that was given",
            hint="Give --key-holder the identity whose public half stands in the file.",
        )
    _check_identities((*study.parties, key_holder))
    rho = _rho(study.privacy)
    shared = _pool(study, study.statistics)
    scales = drawn_scales(shared, rho)
    parameters, packing = _laid_out(shared, scales)
    manifest = Manifest(
        study=study.study,
        session=secrets.token_hex(16),
        key_holder=key_holder,
        parties=study.parties,
        privacy=study.privacy,
        noise=study.noise,
        unit=study.unit,
        columns=study.columns,
        statistics=tuple(
            ManifestStatistic(sql=sql, scales=found) for sql, found in zip(shared.sql, scales, strict=True)
        ),
        rho=rho,
        channels=tuple(
            Channel(parameters=found.name, length=length)
            for found, length in zip(parameters, packing.lengths, strict=True)
        ),
    )
    return Terms(manifest, shared, parameters, packing)


def terms_of(manifest: Manifest) -> Terms:
    """What a manifest means, with everything in it that can be derived checked.

    Raises:
        StudyError: It does not hold together: noise that costs more than it says, channels that the sums do not fit,
            a loss that is not that of its ε and δ.
        QueryError: A statistic that is not understood here.
    """
    _check_identities((*manifest.parties, manifest.key_holder))
    if manifest.rho > _rho(manifest.privacy):
        raise StudyError("the manifest's rho is above that of its epsilon and delta")
    shared = _pool(manifest, tuple(statistic.sql for statistic in manifest.statistics))
    if shared.sql != tuple(statistic.sql for statistic in manifest.statistics):
        raise StudyError("the manifest's statistics are not in their canonical spelling")
    scales: Scales = tuple(statistic.scales for statistic in manifest.statistics)
    check_scales(shared, scales, manifest.rho, "the manifest")
    parameters, packing = _laid_out(shared, scales)
    channels = tuple(
        Channel(parameters=found.name, length=length) for found, length in zip(parameters, packing.lengths, strict=True)
    )
    if channels != manifest.channels:
        raise StudyError("the manifest's channels are not those that its sums need")
    return Terms(manifest, shared, parameters, packing)


def party_spec(terms: Terms, own: DatasetSpec) -> DatasetSpec:
    """A party's table under the study's columns and bounds: nothing of the party's own bounds is left.

    Args:
        terms: The study's.
        own: The party's description; what its source calls the columns, and who a unit is, come from it.

    Raises:
        DatasetError: The party's description lacks a column that the study reads, or has it as another type.
    """
    manifest = terms.manifest
    used = sorted({name for made in terms.pool.plans for name in made.query.columns()})
    for name in used:
        _check_column(name, manifest.columns[name], own)
    columns = {
        name: column.model_copy(update={"from_": own.source_name(name)})
        for name, column in manifest.columns.items()
        if name in used
    }
    unit = own.privacy_unit
    bounded = PrivacyUnit(row=True, max_units=manifest.unit.max_units)
    if unit.column is not None:
        bounded = PrivacyUnit(column=unit.column, **manifest.unit.model_dump())
    return own.model_copy(
        update={
            "name": manifest.study,
            "table": own.table or own.name,
            "privacy_unit": bounded,
            "budget": _budget(manifest.privacy),
            "columns": columns,
        }
    )


def _check_column(name: str, wanted: Column, own: DatasetSpec) -> None:
    if name not in own.columns:
        raise DatasetError(
            f"the study reads a column {name}, and the description of {own.name} has none",
            hint=f"Declare it there: `{name}: {{type: {wanted.type}, from: WHAT_THE_SOURCE_CALLS_IT}}`.",
        )
    held = own.columns[name]
    widened = isinstance(wanted, FloatColumn) and isinstance(held, IntegerColumn)
    if held.type != wanted.type and not widened:
        raise DatasetError(
            f"column {name} is declared {held.type} in the description of {own.name}; the study has it as {wanted.type}"
        )


# ---- what follows from what


def _pool(study: StudySpec | Manifest, statistics: tuple[str, ...]) -> Pool:
    drawing = Drawing(
        noise=study.noise,
        parties=len(study.parties),
        honest=study.privacy.min_honest or 1,
        multiplicity=study.privacy.max_parties_per_person,
    )
    return pool(_shared_spec(study), statistics, drawing)


def _shared_spec(study: StudySpec | Manifest) -> DatasetSpec:
    """All parties' tables together, as one dataset."""
    units = len(study.parties) * study.unit.max_units
    described: Mapping[str, object] = {
        "name": study.study,
        "version": "",
        "privacy_unit": _unit(study.unit, units),
        "budget": _budget(study.privacy),
        "ledger": _NO_LEDGER,
        "columns": study.columns,
    }
    try:
        return DatasetSpec.model_validate(described)
    except ValidationError as err:
        location, told = first_misfit(err, described)
        where = ".".join(str(part) for part in location)
        raise StudyError(f"{where}: {told}" if where else f"{told} ({units:,} units in all)") from None


def _unit(unit: StudyUnit, units: int) -> PrivacyUnit:
    if units > 2**40:
        raise StudyError(
            f"{units:,} units in all parties together: at most 2^40 can be counted", hint="Lower max_units."
        )
    return PrivacyUnit(
        column=_UNIT, max_groups=unit.max_groups, max_rows_per_group=unit.max_rows_per_group, max_units=units
    )


def _rho(privacy: StudyPrivacy) -> Decimal:
    try:
        return rho_of(privacy.epsilon, privacy.delta)
    except UsageError as err:
        raise StudyError(f"privacy: {err.message}") from None


def _budget(privacy: StudyPrivacy) -> Budget:
    return Budget(epsilon=privacy.epsilon, delta=privacy.delta, measure="zcdp", threshold_delta=Decimal(0))


def _laid_out(shared: Pool, scales: Scales) -> tuple[tuple[Parameters, ...], Packing]:
    spans = tuple(
        Span(segment.size, highest_sum(shared, segment, scales[segment.query][segment.block.vector.name]))
        for segment in shared.segments
    )
    parameters = choose(max(span.highest for span in spans), shared.drawing.parties)
    return parameters, Packing(spans, tuple(found.plain_modulus for found in parameters))


def _check_identities(parties: tuple[StudyParty | StudyKeyHolder, ...]) -> None:
    for party in parties:
        try:
            PublicIdentity.parse(party.public)
        except KeyFileError as err:
            raise StudyError(f"{party.name}: {err.message}", hint=err.hint) from None
