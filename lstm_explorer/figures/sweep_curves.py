"""Loss curves of a sweep: the median over the runs, with a band between their quartiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from lstm_explorer.core.architectures import architecture_named
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.figures.axes import FigureSpec
from lstm_explorer.figures.setting_names import setting_title, value_title
from lstm_explorer.figures.theme import blended, faded, plain_template, theme_of
from lstm_explorer.locales import _
from lstm_explorer.runs.sweeps.pooled import SweepCurve


@checks_kinds
def plot_sweep_curves(
    curves: Sequence[SweepCurve], *, by: str, network: str | None = None, theme: str = "light"
) -> go.Figure:
    """Draw the loss of the runs of a sweep over their optimizer steps.

    Args:
        curves: As :func:`lstm_explorer.sweep_curves` returns them.
        by: The setting that tells them apart; ``""`` for none.
        network: The architecture of them all, which gives the colour; None where there are several.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A figure; the first curve is the palest, the last the darkest.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: There is no such theme, or no curve.
    """
    return go.Figure(sweep_curves_spec(curves, by=by, network=network, theme=theme))


def sweep_curves_spec(
    curves: Sequence[SweepCurve], *, by: str, network: str | None = None, theme: str = "light"
) -> FigureSpec:
    """Return what :func:`plot_sweep_curves` draws, as plain dicts.

    Raises:
        ValueError: There is no such theme, or no curve.
    """
    if not curves:
        raise ValueError("there is no curve: expected at least one.")
    look = theme_of(theme)
    colour = look.networks[architecture_named(network).name] if network else look.muted
    traces: list[dict[str, Any]] = []
    for index, one in enumerate(curves):
        tone = blended(colour, look.background, 0.35 + 0.65 * (index + 1) / len(curves))
        traces += _curve(
            one, "" if one.at is None else value_title(by, one.at), tone, dash=_DASHES[index % len(_DASHES)]
        )
    know_nothing, last = curves[0].know_nothing, max(int(one.steps[-1]) for one in curves)
    lines = [
        {
            "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": level, "y1": level,
            "line": {"color": look.theory, "width": 1.5, "dash": dash},
        }
        for level, dash in ((know_nothing, "dash"), (know_nothing / 2, "dot"))
        if np.isfinite(level)
    ]  # fmt: skip
    return {
        "data": traces,
        "layout": {
            "template": plain_template(look.name), "height": 340, "hovermode": "x unified",
            "margin": {"l": 70, "r": 16, "t": 44, "b": 52}, "shapes": lines,
            "legend": {"title": {"text": setting_title(by) if curves[0].at is not None else ""}},
            "xaxis": {"title": {"text": _("optimizer step")}, "range": [0, last]},
            "yaxis": {
                "title": {"text": _("training loss, mean of 25 steps")}, "type": "log", "dtick": 1,
                "exponentformat": "power",
            },
        },
    }  # fmt: skip


#: Not by colour alone: neighbouring tones of one colour are told apart by their dashes too.
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")


def _curve(one: SweepCurve, name: str, colour: str, *, dash: str) -> list[dict[str, Any]]:
    edge = {"type": "scatter", "x": one.steps, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    group = {"legendgroup": name}
    band = [
        {**edge, **group, "y": _drawn(one.lower), "showlegend": False},
        {**edge, **group, "y": _drawn(one.upper), "fill": "tonexty", "fillcolor": faded(colour, 0.18),
         "showlegend": False},
    ]  # fmt: skip
    learnt = _("{learnt} of {runs} runs learn").format(learnt=one.learnt, runs=one.runs)
    line = {
        "type": "scatter", "x": one.steps, "y": _drawn(one.median), "mode": "lines", **group,
        "name": f"{name}: {learnt}" if name else learnt, "line": {"color": colour, "width": 2.4, "dash": dash},
        "hovertemplate": "%{y:.3g}",
    }  # fmt: skip
    return [*(band if one.runs > 1 else []), line]


def _drawn(loss: Any) -> Any:
    """Return losses for drawing: a gap where the median has left the range of floats."""
    return np.where(np.isfinite(loss), loss, np.nan)
