"""The built-in policies, and how a policy is found: by its name, or in a file."""

from __future__ import annotations

import difflib
from functools import lru_cache
from importlib import resources
from pathlib import Path

from privkit.errors import PolicyError
from privkit.model.policy import Policy
from privkit.model.yamlfile import parse_yaml, read_yaml

_NAMES = ("default", "hipaa-safe-harbor", "pseudonymize")
_ENDINGS = (".yaml", ".yml", ".json")


def policy_names() -> tuple[str, ...]:
    """Names of the built-in policies."""
    return _NAMES


def policy_text(name: str) -> str:
    """The YAML text of a built-in policy, its comments included.

    Raises:
        PolicyError: No built-in policy has this name.
    """
    if name not in _NAMES:
        raise _unknown(name)
    return resources.files(__package__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")


def load_policy(name_or_path: str | Path) -> Policy:
    """A built-in policy by its name, or the one in a file.

    A built-in name comes first: a file that is called `default` is meant by `./default`. Text is a path if it ends in
    .yaml, .yml or .json, or has a directory in it.

    Raises:
        PolicyError: No such policy, or a file that holds none (with its line).
    """
    if isinstance(name_or_path, str):
        if name_or_path in _NAMES:
            return _built_in(name_or_path)
        path = Path(name_or_path)
        if path.suffix.lower() not in _ENDINGS and path.name == name_or_path:
            raise _unknown(name_or_path)
    else:
        path = name_or_path
    return read_yaml(path, Policy)


@lru_cache
def _built_in(name: str) -> Policy:
    return parse_yaml(policy_text(name), Policy, path=f"policy {name}")


def _unknown(name: str) -> PolicyError:
    close = difflib.get_close_matches(name, _NAMES, n=1)
    meant = f"Did you mean {close[0]}? " if close else ""
    return PolicyError(
        f"no policy is called {name!r}",
        hint=f"{meant}The policies are: {', '.join(_NAMES)}. A file's name ends in .yaml, .yml or .json.",
    )
