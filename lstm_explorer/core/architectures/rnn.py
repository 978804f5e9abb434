r"""The plain RNN: :math:`h_t = \tanh(W_{ih} x_t + b_{ih} + W_{hh} h_{t-1} + b_{hh})`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lstm_explorer.core.architectures.architecture import Architecture, ClosedForm, Quantity, Stage, State
from lstm_explorer.core.architectures.parameters import Parameters, affine
from lstm_explorer.core.mean_field import (
    drive_variance,
    gains_at_the_edge,
    mean_field,
    singular_value_bound,
    weight_variance,
)
from lstm_explorer.locales import N_


def step(parameters: Parameters, state: Tensor, x: Tensor, nonlinearity: str = "tanh") -> tuple[Tensor, None]:
    r"""Advance the plain RNN: :math:`h' = \tanh(W_{ih} x + b_{ih} + W_{hh} h + b_{hh})`, or ReLU in place of tanh.

    Args:
        parameters: Weights of the layer, one gate block.
        state: Hidden state ``(..., B, H)``.
        x: Input ``(..., B, I)``.
        nonlinearity: ``"tanh"`` or ``"relu"``.

    Returns:
        The new hidden state, and None: the plain RNN has no gates.

    Source:
        torch.nn.RNNCell

    Example:
        >>> parameters = Parameters(torch.eye(2), torch.zeros(2, 2), torch.zeros(2), torch.zeros(2))
        >>> step(parameters, torch.zeros(1, 2), torch.tensor([[0.0, -3.0]]), "relu")[0]
        tensor([[0., 0.]])
    """
    preactivation = affine(x, parameters.weight_ih, parameters.bias_ih) + affine(
        state, parameters.weight_hh, parameters.bias_hh
    )
    return (torch.tanh(preactivation) if nonlinearity == "tanh" else torch.relu(preactivation)), None


def _closed_forms(settings: Any, parameters: Parameters, inputs: Tensor) -> list[ClosedForm]:
    """Return the mean field, where weights are drawn at random, and the upper bound by the largest singular value."""
    bound = singular_value_bound(parameters.weight_hh, settings.nonlinearity)
    upper = ClosedForm(N_("theory, upper bound (RNN)"), _log10(bound), "hidden", "longdashdot", True)
    if settings.recurrent_init == "identity":
        return [upper]
    theory = mean_field(
        weight_variance(parameters.weight_hh), drive_variance(parameters, inputs), settings.nonlinearity
    )
    return [ClosedForm(N_("theory, mean field (RNN)"), _log10(theory.rate), "hidden", "dot"), upper]


def _edge_of_chaos(network: Any, parameters: Parameters, inputs: Tensor) -> NDArray[np.float64]:
    return gains_at_the_edge(parameters, inputs, network.nonlinearity)


def _log10(rate: float) -> float:
    return math.log10(rate) if rate > 0 else -math.inf


def _values(
    before: Mapping[str, Tensor], gates: Mapping[str, Tensor], after: Mapping[str, Tensor]
) -> Mapping[str, Tensor]:
    return {"hidden_before": before["hidden"], "hidden": after["hidden"]}


ARCHITECTURE = Architecture(
    name="rnn",
    title="RNN",
    rank=1,
    module=nn.RNN,
    step=step,
    states=(State("hidden", "h", N_("hidden state h")),),
    options=("nonlinearity",),
    closed_forms=_closed_forms,
    edge_of_chaos=_edge_of_chaos,
    quantities=(
        Quantity(
            "hidden_before", "h_{t-1}", N_("old hidden state"), N_("the memory that arrives from the step before.")
        ),
        Quantity("hidden", "h_t", N_("hidden state"), N_("the only state, rewritten as a whole at every step.")),
    ),
    values=_values,
    stages=(
        Stage(
            "rewrite",
            N_("rewrite"),
            N_("The only stage: everything is rewritten"),
            N_(
                "The plain RNN has one state, and every step makes it anew from the input and the old state, through "
                "the same matrix and a tanh. There is no road on which the past is merely kept: its gradient is "
                "multiplied by diag(1 − h²) W at every step."
            ),
            ("x", "hidden_before", "hidden"),
            r"h_t = \tanh\big(W_{ih} x_t + b_{ih} + W_{hh} h_{t-1} + b_{hh}\big)",
            "h_t = [hidden]",
            r"\overline{h_t} = [hidden]",
        ),
    ),
    step_summary=N_("At step {step} the RNN keeps nothing as it was: its state is written anew."),
    script_step='''\
def step(weights, h, x):
    """Advance the RNN one step: h before -> h after."""
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    return torch.$nonlinearity(x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh)''',
    colour="vermilion",
)
