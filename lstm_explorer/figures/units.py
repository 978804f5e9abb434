"""Every unit's gradient over time, as a heat map."""

from __future__ import annotations

from typing import Literal

import numpy as np
import plotly.graph_objects as go

from lstm_explorer.core.gradients.result import GradientFlow
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.figures.axes import evenly_spaced
from lstm_explorer.figures.theme import template, theme_of
from lstm_explorer.locales import _


@checks_kinds
def plot_unit_heatmap(
    flow: GradientFlow,
    *,
    quantity: Literal["hidden", "cell"] = "hidden",
    layer: int = -1,
    theme: str = "light",
    most_columns: int = 400,
) -> go.Figure:
    """Draw log10 of every element of dL/dh_t or dL/dc_t, time by unit, for the first replica and sample.

    Args:
        flow: Measured with ``units=True``.
        quantity: Of which state.
        layer: Which layer.
        theme: ``"light"`` or ``"dark"``.
        most_columns: Longer sequences skip steps; the axis title then says how many.

    Returns:
        A heat map; elements that are exactly zero are left empty.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: The flow was measured without its units, or there is no such layer or theme, or no column.
    """
    units = flow.log10_hidden_units if quantity == "hidden" else flow.log10_cell_units
    if units is None:
        raise ValueError(f"the flow has no units of the {quantity} state: expected one measured with units=True.")
    look, letter = theme_of(theme), "h" if quantity == "hidden" else "c"
    layers = units.shape[-4]
    if not -layers <= layer < layers:
        raise ValueError(f"layer is {layer}: expected 0 to {layers - 1}, the layers of this network.")
    if most_columns < 1:
        raise ValueError(f"most_columns is {most_columns}: expected 1 or more.")
    title = f"log<sub>10</sub> |dL/d{letter}<sub>t</sub>|"
    first = units[0, layer, :, 0] if units.ndim == 5 else units[layer, :, 0]
    values = first.double().numpy().T
    steps = evenly_spaced(np.arange(values.shape[1]), most_columns)
    stride = int(steps[1] - steps[0]) if len(steps) > 1 else 1
    shown = np.where(np.isfinite(values[:, steps]), values[:, steps], np.nan)
    figure = go.Figure(
        go.Heatmap(
            z=shown.astype(np.float32),
            x=steps,
            y=np.arange(len(values)),
            colorscale=[[0.0, look.background], [1.0, look.networks[flow.architecture]]],
            colorbar={
                "title": {"text": title, "side": "right"},
                "thickness": 12,
            },
            hovertemplate=_("step %{x}, unit %{y}") + "<br>10^%{z:.2f}<extra></extra>",
            hoverongaps=False,
        ),
        layout={"template": template(look.name), "height": 340},
    )
    time = _("step t (◀ gradient)")
    if stride > 1:
        time = _("step t, every {n} (◀ gradient)").format(n=stride)
    figure.update_xaxes(title_text=time)
    of_state = {"hidden": _("unit of the hidden state"), "cell": _("unit of the cell state")}
    figure.update_yaxes(title_text=of_state[quantity])
    return figure
