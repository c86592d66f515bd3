"""One file describes how a dataset is shared; one run does it, and can be cut off and run again at any moment."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from privkit.budget import as_loss, open_ledger, whoami
from privkit.cards import (
    card_files,
    check_card_place,
    make_card,
    published,
    sha256_of_file,
    sign_card,
    write_card,
)
from privkit.dataset import Dataset
from privkit.dp.sql import parse_sql
from privkit.errors import BudgetRefusedError, InputError, OutputError, PipelineError, UsageError
from privkit.io.alone import alone
from privkit.keys.identity import Identity
from privkit.model.canonical import sha256_of
from privkit.model.card import Card, DeidentifiedRows, PublishedFile
from privkit.model.pipeline import PipelinePlan, PipelineSpec, PlannedStep, Step
from privkit.model.pipeline_state import PipelineState, Releases, StepRecord
from privkit.model.progress import Observer, SilentObserver
from privkit.model.release import Loss, Release
from privkit.model.yamlfile import read_yaml
from privkit.pipeline.contributing import plan_contribution, run_contribution
from privkit.pipeline.deidentifying import plan_deidentification, run_deidentification
from privkit.pipeline.measuring import with_measurement
from privkit.pipeline.places import check_places
from privkit.pipeline.releasing import cost_of, plan_release, run_release
from privkit.pipeline.work import Work
from privkit.report.fairness import check_fairlearn
from privkit.session import Session


def _silent(_: str) -> None:
    return None


class Pipeline:
    """A pipeline, read from its file.

    Attributes:
        spec: What the file says.
        path: The file.
        dataset: The dataset that it shares.
    """

    def __init__(self, spec: PipelineSpec, path: Path) -> None:
        self.spec, self.path = spec, path
        self._folder = path.absolute().parent
        self.dataset = Dataset.load(self._folder / spec.dataset)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Pipeline:
        """Reads a `*.pipeline.yaml`; its relative paths start from its own folder.

        Raises:
            PipelineError: The file is missing or does not hold together; with file and line.
            DatasetError: The dataset's description is.
        """
        return cls(read_yaml(Path(path), PipelineSpec, error=PipelineError), Path(path))

    def plan(self) -> PipelinePlan:
        """What running it would do. Spends nothing, writes nothing, reads no private data.

        Raises:
            PrivkitError: What can be refused beforehand: a query, a key, an identity, a study, a source that is gone.
        """
        with self._working() as work:
            return self._plan(work)

    def run(
        self,
        *,
        force: bool = False,
        observer: Observer | None = None,
        tell: Callable[[str], None] = _silent,
        at: Callable[[str], None] = _silent,
    ) -> Card | None:
        """Does what is to do, and writes the card.

        Args:
            force: Replace files that are not this pipeline's own.
            observer: Watches the stream of a de-identification.
            tell: Is told what is going on, in a line.
            at: For fault tests: called with the name of each moment.

        Returns:
            The card; None where nothing was to do.

        Raises:
            PrivkitError: As the steps; what was done stays done and is not done again.
            BudgetRefusedError: The steps together do not fit the budget; nothing was done.
        """
        lock = self._folder / f".{self.path.name}.lock"
        busy = OutputError(f"another run of {self.path.name} is under way", hint="Wait until it is over.")
        with alone(lock, busy), self._working(force=force, observer=observer, tell=tell, at=at) as work:
            plan = self._plan(work)
            if not plan.fits:
                raise _refused(plan)
            place = self._folder / self.spec.card
            self._make_folders(place)
            check_card_place(place, force=force or self._is_own_card(work))
            for number, step in enumerate(self.spec.steps, 1):
                if plan.steps[number - 1].state != "done":
                    _run(work, number, step)
            return self._carded(work, place)

    def __repr__(self) -> str:
        return f"Pipeline({str(self.path)!r}, dataset={self.dataset.spec.name!r}, steps={len(self.spec.steps)})"

    # ---- planning

    @contextmanager
    def _working(
        self,
        *,
        force: bool = False,
        observer: Observer | None = None,
        tell: Callable[[str], None] = _silent,
        at: Callable[[str], None] = _silent,
    ) -> Iterator[Work]:
        with Session(self.dataset, self.spec.analyst) as session:
            place = self._folder / f"{self.path.name.removesuffix('.yaml')}.state.json"
            state = _read_state(place, self.dataset.spec.name)
            yield Work(
                spec=self.spec,
                folder=self._folder,
                place=place,
                dataset=self.dataset,
                session=session,
                state=state.along(self.spec.steps),
                force=force,
                observer=observer or SilentObserver(),
                tell=tell,
                at=at,
            )

    def _plan(self, work: Work) -> PipelinePlan:
        self._check_fairness()
        check_places(work, self.path)
        steps = tuple(_planned(work, number, step) for number, step in enumerate(self.spec.steps, 1))
        signer = Identity.load(work.path(self.spec.sign)).public.fingerprint if self.spec.sign else None
        limit, left = work.session.limit, work.session.left
        cost = cost_of(steps)
        fits = cost <= left
        return PipelinePlan(
            dataset=self.dataset.spec.name,
            limit=as_loss(limit.loss, limit),
            remaining=as_loss(left, limit, left=True),
            cost=as_loss(cost, limit),
            after=as_loss(left - cost if fits else left, limit, left=True),
            fits=fits,
            share=float(cost / limit.loss),
            steps=steps,
            card=tuple(path.as_posix() for path in card_files(Path(self.spec.card))),
            signer=signer,
        )

    def _check_fairness(self) -> None:
        """The card compares groups of what is released; a column that no query groups by is found out now."""
        spec = self.dataset.spec
        released = [one.sql for step in self.spec.steps if step.release for one in step.release.statistics]
        grouped = {group.column for sql in released for group in parse_sql(sql, spec).groups}
        missing = [name for name in self.spec.fairness if name not in grouped]
        if missing:
            raise UsageError(
                f"fairness: no statistic groups by {', '.join(missing)}",
                hint="Release a statistic by that column as well.",
            )
        if self.spec.fairness:
            check_fairlearn()

    # ---- the card

    def _carded(self, work: Work, place: Path) -> Card | None:
        inputs = self._card_inputs(work)
        there = {path.name: sha256_of_file(path) for path in card_files(place) if path.is_file()}
        if work.state.card == inputs and work.state.card_files == there:
            return None
        card = self._card(work, place.parent)
        work.save(work.state.model_copy(update={"card": inputs, "card_files": {}}))
        write_card(card, place)
        work.at("after an output")
        files = {path.name: sha256_of_file(path) for path in card_files(place)}
        json_file = card_files(place)[0]
        work.save(work.state.model_copy(update={"card_files": files, "card_sha256": files[json_file.name]}))
        return card

    def _card(self, work: Work, folder: Path) -> Card:
        records = work.state.steps
        files = [_vouched(work, record, name, folder) for record in records for name in record.files]
        with open_ledger(self.dataset, read_only=True) as ledger:
            card = make_card(
                self.dataset,
                ledger,
                releases=list(self._releases(work)),
                before=self._before(work),
                deidentified=[self._rows(work, record) for record in records if record.rows is not None],
                studies=[record.study for record in records if record.study is not None],
                fairness=self.spec.fairness,
                files=files,
                about=self.spec.about,
                made_by=self.spec.analyst or whoami(),
                folder=folder,
                previous=work.state.card_sha256,
            )
        return sign_card(card, Identity.load(work.path(self.spec.sign))) if self.spec.sign else card

    def _rows(self, work: Work, record: StepRecord) -> DeidentifiedRows:
        """What the card says of rows; what was measured of their detector is read anew for each card."""
        assert record.rows is not None
        step = self.spec.steps[record.number - 1].deidentify
        rows = _as_public(record.rows)
        if step is None or step.evaluation is None:
            return rows
        return with_measurement(work, step.evaluation, rows)

    def _releases(self, work: Work) -> Iterator[tuple[Release, bool]]:
        for record in work.state.steps:
            if record.kind != "release":
                continue
            for name in record.files:
                written = Releases.model_validate_json(work.path(name).read_bytes())
                if len(written.releases) != len(record.stored):
                    raise _damaged(work.place)
                yield from zip(written.releases, record.stored, strict=True)

    def _before(self, work: Work) -> Loss | None:
        """What was spent before this pipeline's first release."""
        found = [release.accounting for release, _ in self._releases(work)]
        return min(found, key=lambda one: one.sequence).before if found else None

    def _card_inputs(self, work: Work) -> dict[str, str]:
        steps = (step.deidentify for step in self.spec.steps)
        evaluations = [work.path(step.evaluation) for step in steps if step is not None and step.evaluation is not None]
        return {
            "about": sha256_of(self.spec.about),
            "fairness": ",".join(self.spec.fairness),
            "files": sha256_of({name: found for record in work.state.steps for name, found in record.files.items()}),
            "steps": ",".join(record.time for record in work.state.steps),
            **({"evaluations": ",".join(map(sha256_of_file, evaluations))} if evaluations else {}),
            "signer": Identity.load(work.path(self.spec.sign)).public.text if self.spec.sign else "",
            "card": self.spec.card,
        }

    def _is_own_card(self, work: Work) -> bool:
        """Whether the card's files are those that this pipeline wrote, or was about to."""
        if not work.state.card:
            return False
        known = work.state.card_files
        there = {path.name: sha256_of_file(path) for path in card_files(work.path(self.spec.card)) if path.is_file()}
        return not known or all(known.get(name) == found for name, found in there.items())

    def _make_folders(self, card: Path) -> None:
        """A pipeline's outputs usually stand in a folder of their own, which it makes."""
        outputs = [found.output for step in self.spec.steps for found in (step.deidentify, step.release) if found]
        reports = [step.deidentify.report for step in self.spec.steps if step.deidentify and step.deidentify.report]
        for path in (card, *(self._folder / name for name in (*outputs, *reports))):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as err:
                raise OutputError(f"{path.parent}: cannot be made ({err.strerror})") from None


def _vouched(work: Work, record: StepRecord, name: str, folder: Path) -> PublishedFile:
    """A file as the card names it; what somebody changed since its step wrote it is not vouched for."""
    with_size = record.rows is None or record.rows.rows is not None
    file = next(published(work.path(name), folder, with_size=with_size), None)
    if file is None or file.sha256 != record.files[name]:
        raise OutputError(f"{name} was changed while the run was under way", hint="Run it again.")
    return file


def _as_public(rows: DeidentifiedRows) -> DeidentifiedRows:
    """What a card shows of rows: counts where a person said that its readers get them too."""
    return rows if rows.rows is not None else rows.model_copy(update={"disclosure": rows.disclosure.without_counts()})


def _planned(work: Work, number: int, step: Step) -> PlannedStep:
    if step.deidentify is not None:
        return plan_deidentification(work, number, step.deidentify)
    if step.release is not None:
        return plan_release(work, number, step.release)
    assert step.contribute is not None
    return plan_contribution(work, number, step.contribute)


def _run(work: Work, number: int, step: Step) -> None:
    if step.deidentify is not None:
        run_deidentification(work, number, step.deidentify)
    elif step.release is not None:
        run_release(work, number, step.release)
    elif step.contribute is not None:
        run_contribution(work, number, step.contribute)


def _read_state(place: Path, dataset: str) -> PipelineState:
    try:
        found = PipelineState.model_validate_json(place.read_bytes())
    except FileNotFoundError:
        return PipelineState(dataset=dataset)
    except OSError as err:
        raise InputError(f"{place}: cannot be read ({err.strerror})", path=str(place)) from None
    except (ValidationError, json.JSONDecodeError):
        raise _damaged(place) from None
    if found.dataset != dataset:
        raise InputError(f"{place} is of the dataset {found.dataset}", path=str(place), hint="Take it away.")
    return found


def _damaged(place: Path) -> InputError:
    return InputError(
        f"{place} is not what a pipeline keeps, or it is damaged",
        path=str(place),
        hint="Take it away: answers that were paid for are found in the ledger again; outputs then need --force.",
    )


def _refused(plan: PipelinePlan) -> BudgetRefusedError:
    cost, left = plan.cost, plan.remaining
    return BudgetRefusedError(
        f"the steps together cost epsilon {cost.epsilon:.6g}, and epsilon {left.epsilon:.6g} is left; nothing was done",
        requested=cost.epsilon if cost.rho is None else cost.rho,
        remaining=left.epsilon if left.rho is None else left.rho,
        hint="Lower total_epsilon; `privkit run --dry-run` shows what each statistic costs.",
    )
