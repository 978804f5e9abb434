"""The app's limits of settings, narrower than the core's, page by page."""

from __future__ import annotations

import types
from collections.abc import Mapping

from lstm_explorer.core.record import Limits, Record, schema
from lstm_explorer.core.settings import Settings

#: Limits that differ on one page.
_ON_PAGE: Mapping[str, Mapping[str, Limits]] = types.MappingProxyType({"start": {"forget_bias": Limits(-6.0, 8.0)}})


def view_limits(view: type[Record]) -> dict[str, Limits]:
    """Return the app's limits of the numbers of a page's view."""
    return {name: field.app_limits for name, field in schema(view).items() if field.app_limits is not None}


def page_limits(page: str) -> dict[str, Limits]:
    """Return the limits of every numeric setting on a page.

    Args:
        page: The page's file name without ``.py``.

    Example:
        >>> page_limits("start")["forget_bias"]
        Limits(low=-6.0, high=8.0)
    """
    everywhere = {name: field.app_limits for name, field in schema(Settings).items() if field.app_limits is not None}
    return {**everywhere, **_ON_PAGE.get(page, {})}
