"""Lyapunov spectra: how fast every direction of the state dies or grows, several networks side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from torch import Tensor

from lstm_explorer.core.architectures import architecture_named
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.figures.formatting import steps
from lstm_explorer.figures.names import network_name
from lstm_explorer.figures.theme import template, theme_of
from lstm_explorer.locales import _

#: Beneath the largest exponent of all the axis shows no less and no more than this, in nats per step.
_LEAST_SHOWN, _MOST_SHOWN = 0.5, 6.0


@checks_kinds
def plot_lyapunov_exponents(exponents: Mapping[str, Tensor], *, theme: str = "light") -> go.Figure:
    """Draw the Lyapunov exponents of networks, the largest first.

    Args:
        exponents: Name of an architecture to its exponents, ``(S,)``, nats per step, descending.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A figure with one trace per network; it is read at its left end first.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: There is nothing to draw, exponents have another shape, or there is no such architecture or theme.

    Example:
        >>> import lstm_explorer as lx, torch
        >>> found = lx.lyapunov_exponents(torch.nn.GRU(2, 4), torch.randn(20, 1, 2))
        >>> [trace.name for trace in plot_lyapunov_exponents({"gru": found[0]}).data]
        ['GRU']
    """
    look = theme_of(theme)
    if not exponents:
        raise ValueError("nothing to draw: expected the exponents of at least one network.")
    figure = go.Figure(
        layout={
            "template": template(look.name), "height": 460, "hovermode": "closest",
            "legend": {"y": -0.19, "yanchor": "top"},
        }
    )  # fmt: skip
    shown = []
    for name, tensor in exponents.items():
        architecture_named(name)
        if tensor.ndim != 1 or not len(tensor):
            raise ValueError(f"exponents of {name!r} have shape {tuple(tensor.shape)}: expected (S,), of one sample.")
        values = tensor.double().numpy(force=True)
        share = 100 * (np.arange(len(values)) + 0.5) / len(values)
        shown.append(values[np.isfinite(values)])
        figure.add_scatter(
            x=share, y=np.where(np.isfinite(values), values, np.nan), name=network_name(name), mode="lines+markers",
            line={"color": look.networks[name], "width": 2}, marker={"size": 5},
            customdata=[factor_of_ten(value) for value in values],
            hovertemplate="%{y:.3f}<br>%{customdata}",
        )  # fmt: skip
    finite = np.concatenate(shown)
    top = float(finite.max()) if finite.size else 0.0
    low = max(float(finite.min()), top - _MOST_SHOWN) if finite.size else -1.0
    low, high = min(low, top - _LEAST_SHOWN), max(top, 0.0)
    pad = 0.06 * (high - low)
    figure.add_hline(y=0.0, line={"color": look.explosion, "width": 1.6})
    figure.add_annotation(
        text=_("above: grows"), x=1.0, xref="paper", xanchor="right", y=0.0, yanchor="bottom", showarrow=False,
        font={"size": 11, "color": look.explosion},
    )  # fmt: skip
    figure.update_xaxes(title_text=_("directions of the state, the best kept first (%)"), range=[-1, 101])
    figure.update_yaxes(title_text=_("Lyapunov exponent (nats per step)"), range=[low - pad, high + 1.6 * pad])
    below = sum(map(len, exponents.values())) - int((finite >= low).sum())
    if below:
        figure.add_annotation(
            text=_("directions below the axis: {count}").format(count=below), x=0.0, xref="paper", xanchor="left",
            y=0.0, yref="paper", yanchor="bottom", showarrow=False, font={"size": 11, "color": look.muted},
        )  # fmt: skip
    return figure


def exponents_table(exponents: Mapping[str, Tensor]) -> pd.DataFrame:
    """Return the exponents as rows ``architecture, rank, exponent``; rank is 1 of the largest."""
    frames = [
        pd.DataFrame(
            {"architecture": name, "rank": np.arange(1, len(values) + 1), "exponent": values.numpy(force=True)}
        )
        for name, values in exponents.items()
    ]
    return pd.concat(frames, ignore_index=True)


def factor_of_ten(exponent: float) -> str:
    """Say in how many steps an exponent makes a factor of ten.

    Example:
        >>> factor_of_ten(-math.log(10)), factor_of_ten(math.log(10) / 50), factor_of_ten(0.0)
        ('a tenth is left after 1.0 steps', 'ten times as much after 50 steps', 'it stays as it is')
    """
    if exponent == 0:
        return _("it stays as it is")
    if not math.isfinite(exponent):
        return _("nothing is left")
    words = _("a tenth is left after {steps} steps") if exponent < 0 else _("ten times as much after {steps} steps")
    return words.format(steps=steps(math.log(10) / abs(exponent)))
