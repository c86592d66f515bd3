"""Which parts of a policy decide what is found, so that a measurement can be held against another run."""

from __future__ import annotations

from privkit.model.canonical import sha256_of
from privkit.model.operators import Generalize, Keep
from privkit.model.policy import Policy

_NO_PART = {
    *("name", "description", "detector", "unknown", "roles", "entities", "columns"),
    *("pattern_timeout", "accept_free_text", "kept_key", "allow_remote"),
}
"""What says how findings and columns are treated, and not what is found. The detector is compared by its name."""


def detection_sha256(policy: Policy) -> str:
    """Hash of what a policy says about what counts as a finding in a text and is replaced: 64 hexadecimal digits.

    Thresholds, lists, recognizers and language; which types are kept; which are looked for because they are made
    coarser. What findings become does not matter.
    """
    asked = policy.model_dump(mode="json", exclude=_NO_PART)
    kept = sorted(name for name, operator in policy.entities.items() if isinstance(operator, Keep))
    coarser = sorted(name for name, operator in policy.entities.items() if isinstance(operator, Generalize))
    texts = isinstance(policy.roles["free_text"], Keep)
    return sha256_of({**asked, "kept": kept, "coarser": coarser, "texts kept": texts})
