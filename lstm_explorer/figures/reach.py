"""How far back a network of one's own remembers: the share of the gradient that arrives at every lag."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from lstm_explorer.core.diagnosis.diagnose import Diagnosis
from lstm_explorer.core.gradients.summaries import summarise
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.figures.axes import FlowAxes
from lstm_explorer.figures.curves import Series
from lstm_explorer.figures.formatting import percent
from lstm_explorer.figures.gradient_flow import plot_gradient_flow
from lstm_explorer.figures.names import network_name
from lstm_explorer.figures.theme import theme_of
from lstm_explorer.locales import _


@checks_kinds
def plot_reach(diagnosis: Diagnosis, *, layer: int = -1, theme: str = "light") -> go.Figure:
    """Draw how much of the gradient arrives at every lag, beside fresh networks of the same sizes.

    Args:
        diagnosis: As :func:`lstm_explorer.diagnose` returns it.
        layer: Which layer and direction, as ``diagnosis.layers`` counts them.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        The median over samples with its quartiles, the cell path of an LSTM, the fresh networks, and what is needed.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: There is no such layer or theme.

    Example:
        >>> import lstm_explorer as lx, torch
        >>> diagnosis = lx.diagnose(torch.nn.GRU(2, 4), torch.randn(20, 1, 2), needs_lag=10)
        >>> [trace.name for trace in plot_reach(diagnosis).data if trace.mode]
        ['GRU', 'fresh, as PyTorch initialises it']
    """
    look = theme_of(theme)
    figure = plot_gradient_flow(reach_series(diagnosis, layer), axes=FlowAxes(against="lag"), theme=theme)
    line = {"color": look.muted, "width": 1.2, "dash": "dot"}
    figure.add_vline(x=diagnosis.needs_lag, line=line)
    figure.add_hline(y=float(np.log10(diagnosis.share)), line=line)
    at: dict[str, Any] = {"showarrow": False, "font": {"size": 11, "color": look.muted}}
    needed = _("needed: {share} at {lag} steps").format(
        share=percent(float(np.log10(diagnosis.share))), lag=diagnosis.needs_lag
    )
    figure.update_xaxes(title_text=_("steps back from the loss"))
    steps = diagnosis.flow.log10_hidden.shape[1] - 1
    side = "right" if diagnosis.needs_lag > steps / 2 else "left"
    figure.add_annotation(
        text=needed, x=diagnosis.needs_lag, y=float(np.log10(diagnosis.share)), xanchor=side, yanchor="bottom",
        yshift=3, bgcolor=look.background, borderpad=1, **at,
    )  # fmt: skip
    return figure


def reach_series(diagnosis: Diagnosis, layer: int = -1) -> list[Series]:
    """Return the curves: what remembers, the cell path of an LSTM, and the fresh networks, where they are measured."""
    name, network = network_name(diagnosis.architecture), diagnosis.architecture
    curves = [Series(name=name, network=network, curve=summarise(diagnosis.flow, diagnosis.memory, layer=layer))]
    if diagnosis.flow.log10_cell_path is not None:
        path = summarise(diagnosis.flow, "cell_path", layer=layer)
        curves.append(Series(name=_("cell path alone"), network=network, curve=path, style="path"))
    if diagnosis.fresh is not None:
        fresh = summarise(diagnosis.fresh, diagnosis.memory, layer=layer)
        ghost = _("fresh, as PyTorch initialises it")
        curves.append(Series(name=ghost, network=network, curve=fresh, style="ghost"))
    return curves
