"""Does the share of the gradient that survives before training predict who learns? Every run of a sweep as a point."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.figures.axes import FigureSpec
from lstm_explorer.figures.formatting import percent
from lstm_explorer.figures.names import network_name
from lstm_explorer.figures.setting_names import setting_title, value_title
from lstm_explorer.figures.theme import Theme, plain_template, theme_of
from lstm_explorer.locales import _
from lstm_explorer.runs.sweeps.pooled import Outcomes

#: Points further left are drawn at the edge.
_LEAST = -40.0
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star", "pentagon", "hexagon")


@checks_kinds
def plot_sweep_outcomes(found: Outcomes, *, theme: str = "light") -> go.Figure:
    """Draw the step at which every run has learnt over the share that survived before training.

    Args:
        found: As :func:`lstm_explorer.sweep_outcomes` returns it.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A figure; runs that have not learnt lie in a strip of their own at the top.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: There is no such theme.
    """
    return go.Figure(sweep_outcomes_spec(found, theme=theme))


def sweep_outcomes_spec(found: Outcomes, *, theme: str = "light") -> FigureSpec:
    """Return what :func:`plot_sweep_outcomes` draws, as plain dicts.

    Raises:
        ValueError: There is no such theme.
    """
    look, frame = theme_of(theme), found.frame
    never = 1.12 * found.steps
    if "architecture" in frame:
        parts = [(name, part) for name, part in frame.groupby("architecture", sort=False)]
    else:
        parts = [("", frame)]
    return {
        "data": [_points(found, str(name), part, never, look) for name, part in parts],
        "layout": {
            "template": plain_template(look.name), "height": 400, "hovermode": "closest",
            "margin": {"l": 78, "r": 16, "t": 44, "b": 56},
            "xaxis": {"title": {"text": _("log10 of the share that survives the lag, before training")}},
            "yaxis": {
                "title": {"text": _("learnt at optimizer step")}, "range": [-0.04 * found.steps, 1.24 * found.steps],
                "tickvals": [*_ticks(found.steps), never],
                "ticktext": [*(f"{tick:g}" for tick in _ticks(found.steps)), _("never")],
            },
            "shapes": [{
                "type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": 1.03 * found.steps, "y1": 1.24 * found.steps,
                "fillcolor": look.grid, "opacity": 0.5, "line": {"width": 0}, "layer": "below",
            }],
        },
    }  # fmt: skip


def _points(found: Outcomes, name: str, part: pd.DataFrame, never: float, look: Theme) -> dict[str, Any]:
    share = part["log10_share_before"].to_numpy(float)
    learnt = part["learnt_at"].astype(float).to_numpy()
    # Those that never learn would lie on each other: they are spread over their strip, always the same way.
    spread = never + found.steps * 0.07 * np.sin(np.arange(len(part)) * 2.399963)
    at = list(look.networks).index(name) if name else 0
    return {
        "type": "scatter", "mode": "markers", "name": network_name(name) if name else _("runs"),
        "x": np.maximum(share, _LEAST), "y": np.where(np.isnan(learnt), spread, learnt),
        "customdata": [_hover(row) for row in part.to_dict("records")],
        "hovertemplate": "%{customdata}<extra></extra>", "showlegend": bool(name),
        "marker": {
            "color": look.networks[name] if name else look.text, "size": 9, "opacity": 0.75,
            "symbol": _SYMBOLS[at % len(_SYMBOLS)], "line": {"width": 1, "color": look.background},
        },
    }  # fmt: skip


def _hover(row: dict[Any, Any]) -> str:
    numbers = ("log10_share_before", "learnt_at")
    lines = [f"{setting_title(name)}: {value_title(name, value)}" for name, value in row.items() if name not in numbers]
    lines.append(_("survives before: {share}").format(share=percent(row["log10_share_before"])))
    learnt = row["learnt_at"]
    lines.append(_("not learnt") if pd.isna(learnt) else _("learnt at step {step}").format(step=f"{learnt:.0f}"))
    return "<br>".join(lines)


def _ticks(steps: int) -> list[float]:
    """Return some round numbers of optimizer steps."""
    rough = max(steps, 4) / 4
    power = 10 ** np.floor(np.log10(rough))
    every = next(one * power for one in (1, 2, 2.5, 5, 10) if one * power >= rough * 0.99)
    return [float(tick) for tick in np.arange(0, steps + 1, every)]
