"""An explanation with every kind of cell, and texts that mean harm."""

from privkit.model.explanation import ExplainedCell, ExplainedFinding, ExplainedRow, ExplainedRows, Replacement
from privkit.model.report import DecidedColumn, ModelInfo, PolicyInfo
from tests.report.sample import HOSTILE

TEXT = f"{HOSTILE}\nAnna Berg rang"


def explanation() -> ExplainedRows:
    start = TEXT.index("Anna")
    finding = {"start": start, "end": start + 9, "text": "Anna Berg", "entity": "PERSON"}
    won = ExplainedFinding(
        **finding,
        recognizer="R",
        score_before=0.5,
        score=0.85,
        context=HOSTILE,
        threshold=0.4,
        outcome="replaced",
        why="y",
    )
    lost = won.model_copy(update={"score_before": 0.1, "score": 0.1, "context": "", "outcome": "below_threshold"})
    place = Replacement(**finding, recognizer="R", score=0.85, operator="replace", because="role", output="<PERSON>")
    text = {"role": "free_text", "entity": None, "operator": "replace", "because": "role"}
    cells = (
        ExplainedCell(
            text=TEXT,
            output=TEXT.replace("Anna Berg", "<PERSON>"),
            findings=(won, lost),
            replacements=(place,),
            column=HOSTILE,
            searched=True,
            **text,
        ),
        ExplainedCell(text="a", output=None, column="memo", **text | {"operator": "drop", "because": "option"}),
        ExplainedCell(text="b", output="b", column="ward", **text | {"role": "other", "operator": "keep"}),
    )
    return ExplainedRows(
        source=HOSTILE,
        detector="core",
        models=[ModelInfo(name="m", version="1", sha256="ab" * 32)],
        policy=PolicyInfo(name="default", sha256="ab" * 32),
        columns=(
            DecidedColumn(
                name=HOSTILE, role="free_text", entity=None, operator="replace", share=1, evidence="values: prose"
            ),
        ),
        rows=(ExplainedRow(row=3, file="part.csv", cells=cells), ExplainedRow(row=4, file="part.csv", cells=())),
    )
