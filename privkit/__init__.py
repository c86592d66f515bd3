"""privkit: share data without giving people away.

>>> import privkit
>>> result = privkit.deidentify("patients.csv", "shared.csv")  # doctest: +SKIP

Every public name stands in `__all__`; each is imported when it is first used, so `import privkit` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from privkit.deid.plan import Known
    from privkit.deidentifier import (
        Deidentified,
        DeidentifiedText,
        Reidentified,
        deidentify,
        deidentify_text,
        reidentify,
        scan,
    )
    from privkit.errors import (
        ColumnError,
        DetectorError,
        InputError,
        InterruptedRunError,
        KeyFileError,
        MissingExtraError,
        OutputError,
        PolicyError,
        PrivkitError,
        UsageError,
    )
    from privkit.keys.keyfile import Key
    from privkit.model.policy import Policy

    __version__: str

__all__ = [
    "ColumnError",
    "Deidentified",
    "DeidentifiedText",
    "DetectorError",
    "InputError",
    "InterruptedRunError",
    "Key",
    "KeyFileError",
    "Known",
    "MissingExtraError",
    "OutputError",
    "Policy",
    "PolicyError",
    "PrivkitError",
    "Reidentified",
    "UsageError",
    "__version__",
    "deidentify",
    "deidentify_text",
    "reidentify",
    "scan",
]

_HOMES = {
    "Deidentified": "privkit.deidentifier",
    "DeidentifiedText": "privkit.deidentifier",
    "Key": "privkit.keys.keyfile",
    "Known": "privkit.deid.plan",
    "Policy": "privkit.model.policy",
    "Reidentified": "privkit.deidentifier",
    "deidentify": "privkit.deidentifier",
    "deidentify_text": "privkit.deidentifier",
    "reidentify": "privkit.deidentifier",
    "scan": "privkit.deidentifier",
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
