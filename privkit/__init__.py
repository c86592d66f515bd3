"""privkit: share data without giving people away.

>>> import privkit
>>> result = privkit.deidentify("patients.csv", "shared.csv")  # doctest: +SKIP

Every public name stands in `__all__`; each is imported when it is first used, so `import privkit` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from privkit.budget import (
        budget_history,
        checkpoint_budget,
        create_budget,
        export_budget,
        grant_budget,
        import_budget,
        show_budget,
        verify_budget,
    )
    from privkit.cards import read_card, verify_card
    from privkit.dataset import Dataset
    from privkit.deid.plan import Known
    from privkit.deidentifier import (
        Deidentified,
        DeidentifiedText,
        Reidentified,
        deidentify,
        deidentify_text,
        explain_text,
        reidentify,
        scan,
    )
    from privkit.dp.builder import bands, buckets, query
    from privkit.errors import (
        AggregateError,
        BudgetRefusedError,
        CiphertextError,
        ColumnError,
        DatasetError,
        DetectorError,
        EngineError,
        InputError,
        InterruptedRunError,
        KeyFileError,
        LedgerError,
        MissingExtraError,
        OutputError,
        PipelineError,
        PolicyError,
        PrivkitError,
        QueryError,
        ScoringError,
        SpecError,
        StudyError,
        UsageError,
        VerificationError,
    )
    from privkit.evaluation import evaluate
    from privkit.keys.identity import Identity
    from privkit.keys.keyfile import Key
    from privkit.model.evaluation import Evaluation
    from privkit.model.explanation import Explanation
    from privkit.model.policy import Policy
    from privkit.model.presidio import PresidioConfiguration
    from privkit.pipeline.pipeline import Pipeline
    from privkit.session import Released, Session
    from privkit.study.aggregator import Aggregator
    from privkit.study.description import Study
    from privkit.study.holder import KeyHolder
    from privkit.study.party import Party

    __version__: str

__all__ = [
    "AggregateError",
    "Aggregator",
    "BudgetRefusedError",
    "CiphertextError",
    "ColumnError",
    "Dataset",
    "DatasetError",
    "Deidentified",
    "DeidentifiedText",
    "DetectorError",
    "EngineError",
    "Evaluation",
    "Explanation",
    "Identity",
    "InputError",
    "InterruptedRunError",
    "Key",
    "KeyFileError",
    "KeyHolder",
    "Known",
    "LedgerError",
    "MissingExtraError",
    "OutputError",
    "Party",
    "Pipeline",
    "PipelineError",
    "Policy",
    "PolicyError",
    "PresidioConfiguration",
    "PrivkitError",
    "QueryError",
    "Reidentified",
    "Released",
    "ScoringError",
    "Session",
    "SpecError",
    "Study",
    "StudyError",
    "UsageError",
    "VerificationError",
    "__version__",
    "bands",
    "buckets",
    "budget_history",
    "checkpoint_budget",
    "create_budget",
    "deidentify",
    "deidentify_text",
    "evaluate",
    "explain_text",
    "export_budget",
    "grant_budget",
    "import_budget",
    "query",
    "read_card",
    "reidentify",
    "scan",
    "show_budget",
    "verify_budget",
    "verify_card",
]

_HOMES = {
    "Aggregator": "privkit.study.aggregator",
    "Dataset": "privkit.dataset",
    "Deidentified": "privkit.deidentifier",
    "DeidentifiedText": "privkit.deidentifier",
    "Evaluation": "privkit.model.evaluation",
    "Explanation": "privkit.model.explanation",
    "Identity": "privkit.keys.identity",
    "Key": "privkit.keys.keyfile",
    "KeyHolder": "privkit.study.holder",
    "Known": "privkit.deid.plan",
    "Party": "privkit.study.party",
    "Pipeline": "privkit.pipeline.pipeline",
    "Policy": "privkit.model.policy",
    "PresidioConfiguration": "privkit.model.presidio",
    "Reidentified": "privkit.deidentifier",
    "Released": "privkit.session",
    "Session": "privkit.session",
    "Study": "privkit.study.description",
    "bands": "privkit.dp.builder",
    "buckets": "privkit.dp.builder",
    "budget_history": "privkit.budget",
    "checkpoint_budget": "privkit.budget",
    "create_budget": "privkit.budget",
    "deidentify": "privkit.deidentifier",
    "deidentify_text": "privkit.deidentifier",
    "evaluate": "privkit.evaluation",
    "explain_text": "privkit.deidentifier",
    "export_budget": "privkit.budget",
    "grant_budget": "privkit.budget",
    "import_budget": "privkit.budget",
    "query": "privkit.dp.builder",
    "read_card": "privkit.cards",
    "reidentify": "privkit.deidentifier",
    "scan": "privkit.deidentifier",
    "show_budget": "privkit.budget",
    "verify_budget": "privkit.budget",
    "verify_card": "privkit.cards",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'privkit' has no attribute {name!r}")
    if name == "__version__":
        from importlib import metadata

        try:
            value: object = metadata.version("privkit-toolkit")
        except metadata.PackageNotFoundError:  # run from a checkout that was never installed
            value = "0+checkout"
    else:
        from importlib import import_module

        value = getattr(import_module(_HOMES.get(name, "privkit.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
