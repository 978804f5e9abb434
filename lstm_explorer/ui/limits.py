"""What the app allows where it allows less than the core: one table, page by page."""

from __future__ import annotations

import types
from collections.abc import Mapping

from lstm_explorer.core.settings import LIMITS, Limits

#: Longest text, in characters, that a page reads from a box or an address.
LONGEST_TEXT = 2000

#: Limits on every page: what one machine draws in well under a second, and a reader can see.
_EVERYWHERE: Mapping[str, Limits] = types.MappingProxyType(
    {
        "sequence_length": Limits(2, 2000),
        "hidden_size": Limits(1, 256),
        "input_size": Limits(1, 256),
        "num_layers": Limits(1, 4),
        "batch_size": Limits(1, 64),
        "num_seeds": Limits(1, 64),
        "recurrent_gain": Limits(0.1, 3.0),
        "chrono_max": Limits(3, 10_000),
        "input_bias": Limits(-10.0, 10.0),
        "forget_bias": Limits(-10.0, 10.0),
        "candidate_bias": Limits(-10.0, 10.0),
        "output_bias": Limits(-10.0, 10.0),
        "reset_bias": Limits(-10.0, 10.0),
        "update_bias": Limits(-10.0, 10.0),
        "input_scale": Limits(0.0, 10.0),
    }
)

#: Limits that differ on one page.
_ON_PAGE: Mapping[str, Mapping[str, Limits]] = types.MappingProxyType({"start": {"forget_bias": Limits(-6.0, 8.0)}})


def page_limits(page: str) -> dict[str, Limits]:
    """Return the limits of every numeric setting on a page.

    Args:
        page: The page's file name without ``.py``.

    Example:
        >>> page_limits("start")["forget_bias"]
        Limits(low=-6.0, high=8.0)
    """
    return {**LIMITS, **_EVERYWHERE, **_ON_PAGE.get(page, {})}
