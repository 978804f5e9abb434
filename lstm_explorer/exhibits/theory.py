"""The closed forms that belong beside a measured curve."""

from __future__ import annotations

import math
from typing import NamedTuple

from lstm_explorer.core import theory
from lstm_explorer.core.gradients.summaries import Quantity
from lstm_explorer.core.inputs.kinds import TableLike, make_inputs
from lstm_explorer.core.networks.build import build_network
from lstm_explorer.core.settings import Architecture, Settings
from lstm_explorer.figures.gradient_flow import TheoryLine
from lstm_explorer.locales import _


class RNNRates(NamedTuple):
    """Factors a step of the plain RNN's gradient: the mean field's, and the bound by the largest singular value."""

    mean_field: float
    bound: float


def rnn_rates(settings: Settings, table: TableLike | None = None) -> RNNRates:
    """Return the rates of the first replica's first layer.

    Args:
        settings: The experiment.
        table: The rows read when ``input_kind="csv"``.
    """
    network = build_network("rnn", settings)
    rate = theory.mean_field_of(network, make_inputs(settings, table=table)).rate
    return RNNRates(rate, theory.singular_value_bound(network.get_parameter("weight_hh_l0"), settings.nonlinearity))


def rnn_lines(rates: RNNRates, *, bound: bool = False) -> list[TheoryLine]:
    """Return the mean field of the plain RNN and, if asked for, the upper bound."""
    about: tuple[str, Quantity] = ("rnn", "hidden")
    name = _("theory, mean field (RNN)")
    lines = [TheoryLine(name=name, log10_rate=_log10(rates.mean_field), about=about, dash="dot")]
    if bound:
        name = _("theory, upper bound by the largest singular value (RNN)")
        lines.append(TheoryLine(name=name, log10_rate=_log10(rates.bound), about=about, dash="longdashdot"))
    return lines


def gate_lines(settings: Settings, architecture: Architecture) -> list[TheoryLine]:
    """Return what the bias of the gate that keeps says, for an LSTM or a GRU."""
    if settings.recurrent_init == "chrono":
        return []  # every unit has a bias of its own: no single line
    if architecture == "lstm":
        name, bias, about = _("theory, σ(b_f)ᵏ (LSTM cell path)"), settings.forget_bias, ("lstm", "cell_path")
    else:
        name, bias, about = _("theory, σ(b_z)ᵏ (GRU direct path)"), settings.update_bias, ("gru", "hidden")
    rate = float(theory.log10_cell_path(bias, 1))
    return [TheoryLine(name=name, log10_rate=rate, about=about)]  # type: ignore[arg-type]


def _log10(rate: float) -> float:
    return math.log10(rate) if rate > 0 else -math.inf
