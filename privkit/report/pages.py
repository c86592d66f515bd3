"""What every HTML rendering shares: how templates are read, and the page around a fragment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jinja2
from markupsafe import Markup


def environment(**filters: Callable[..., Any]) -> jinja2.Environment:
    """The templates of this package: everything escaped, nothing undefined passed over.

    Args:
        filters: By the names that the templates call them.
    """
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("privkit.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= filters
    return made


def page(title: str, fragment: str) -> str:
    """A self-contained page.

    Args:
        title: Plain text.
        fragment: HTML that a template of this package made.
    """
    content = Markup(fragment)  # noqa: S704 (its template escaped what came from outside)
    return environment().get_template("page.html").render(title=title, content=content)
