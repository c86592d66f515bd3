"""What every step works with: the pipeline's file, its dataset, its ledger, and what was done before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from privkit.cards import sha256_of_file
from privkit.dataset import Dataset
from privkit.io.staged import Staged
from privkit.model.canonical import canonical_json, sha256_of
from privkit.model.pipeline import PipelineSpec
from privkit.model.pipeline_state import PipelineState, StepRecord
from privkit.model.progress import Observer, SilentObserver
from privkit.session import Session


def _silent(_: str) -> None:
    return None


@dataclass
class Work:
    """One pipeline at work.

    Attributes:
        spec: What its file says.
        folder: Where the file is: relative paths start there.
        place: The state's file.
        dataset: The dataset.
        session: An open session, with the ledger.
        state: What was done so far.
        force: Whether files that are not the pipeline's own may be replaced.
        observer: Watches the stream of a de-identification.
        tell: Is told what is going on, in a line.
        at: Called with the name of each step's moment, for fault tests.
    """

    spec: PipelineSpec
    folder: Path
    place: Path
    dataset: Dataset
    session: Session
    state: PipelineState
    force: bool = False
    observer: Observer = field(default_factory=SilentObserver)
    tell: Callable[[str], None] = _silent
    at: Callable[[str], None] = _silent

    def path(self, name: str) -> Path:
        """A path of the pipeline's file."""
        return self.folder / name

    def keep(self, record: StepRecord) -> None:
        """Records a step, durably."""
        self.save(self.state.with_step(record))

    def save(self, state: PipelineState) -> None:
        """Writes the state: a reader sees the old one or the new one."""
        with Staged() as staged:
            staged.add(self.place, canonical_json(state).decode() + "\n")
            staged.publish()
        self.state = state

    def described(self) -> str:
        """SHA-256 of what the dataset's description says that answers depend on."""
        spec = self.dataset.spec
        return sha256_of(
            {
                "columns": {name: column.model_dump(mode="json") for name, column in spec.columns.items()},
                "name": spec.name,
                "source": spec.source,
                "unit": spec.privacy_unit.model_dump(mode="json"),
                "version": spec.version,
            }
        )

    def hashes(self, name: str) -> dict[str, str]:
        """SHA-256 of a file, or of every file in a folder, by its name in the pipeline."""
        path = self.path(name)
        if path.is_dir():
            inside = sorted(each for each in path.rglob("*") if each.is_file())
            return {f"{name}/{each.relative_to(path).as_posix()}": sha256_of_file(each) for each in inside}
        return {name: sha256_of_file(path)} if path.is_file() else {}


@dataclass(frozen=True)
class Standing:
    """How a step stands.

    Attributes:
        state: As `PlannedStep.state`.
        why: What changed.
        ours: Whether an output that exists is one that the pipeline wrote, and nobody changed since.
        begun: The record of a run of this step that was cut off before its end.
    """

    state: str
    why: str
    ours: bool
    begun: StepRecord | None = None


def standing(work: Work, number: int, inputs: Mapping[str, str], output: str | None) -> Standing:
    """Compares a step with what was recorded of it.

    Args:
        work: The pipeline.
        number: The step's.
        inputs: What it would be done with now.
        output: What it writes, if anything.
    """
    record = work.state.step(number)
    if record is None:
        return Standing("to do", "", ours=False)
    changed = sorted(name for name in {*inputs, *record.inputs} if inputs.get(name) != record.inputs.get(name))
    if output is None:
        return _after(changed, ours=True)
    there = work.hashes(output)
    if not record.files:
        ours = not changed or there == record.instead
        return Standing("to do", "it was cut off and goes on", ours=ours, begun=None if changed else record)
    ours = all(record.files.get(name) == found for name, found in there.items())
    if not changed and there != record.files:
        what = "is gone" if not there else "was changed by somebody"
        return Standing("changed", f"{output} {what}", ours=ours)
    return _after(changed, ours=ours)


def _after(changed: list[str], *, ours: bool) -> Standing:
    if not changed:
        return Standing("done", "", ours=ours)
    return Standing("changed", f"since it was done, this changed: {', '.join(changed)}", ours=ours)
