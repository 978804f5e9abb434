r"""The minLSTM: :math:`h_t = f'_t \odot h_{t-1} + i'_t \odot \tilde h_t`, :math:`f' + i' = 1`, from the input alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from lstm_explorer.core.architectures.architecture import Architecture, ClosedForm, Gate, Quantity, Stage, State
from lstm_explorer.core.architectures.own_network import OwnNetwork
from lstm_explorer.core.architectures.parameters import Parameters, affine
from lstm_explorer.core.architectures.stages import gate_stage
from lstm_explorer.core.gate_theory import log10_cell_path, required_forget_bias
from lstm_explorer.locales import N_


class MinLSTMGates(NamedTuple):
    """The minLSTM's gates, before they are normalised, and its candidate; shapes as in :class:`MinGRUGates`."""

    forget: Tensor
    input: Tensor
    candidate: Tensor


def step(parameters: Parameters, state: Tensor, x: Tensor) -> tuple[Tensor, MinLSTMGates]:
    r"""Advance the minLSTM one step.

    .. math::
        f = \sigma(W_f x + b_f), \quad i = \sigma(W_i x + b_i), \quad \tilde h = W_h x + b_h, \quad
        h' = \frac{f}{f + i} \odot h + \frac{i}{f + i} \odot \tilde h

    Args:
        parameters: Weights of the layer, three blocks ``f i h``.
        state: Hidden state ``(..., B, H)``.
        x: Input ``(..., B, I)``.

    Returns:
        The new hidden state, and the gates (not normalised) and the candidate that made it.

    Source:
        feng2024

    Example:
        >>> zeros = Parameters(torch.zeros(3, 1), torch.zeros(3, 0), torch.zeros(3), torch.zeros(3))
        >>> step(zeros, torch.ones(1, 1), torch.zeros(1, 1))[0]
        tensor([[0.5000]])
    """
    forget, input_, candidate = affine(x, parameters.weight_ih, parameters.bias_ih).chunk(3, dim=-1)
    gates = MinLSTMGates(torch.sigmoid(forget), torch.sigmoid(input_), candidate)
    kept = _kept(forget, input_)
    return kept * state + (1 - kept) * gates.candidate, gates


def _kept(forget: Tensor, input_: Tensor) -> Tensor:
    r"""Return :math:`f / (f + i)` from preactivations: both gates may be too small for the float range."""
    return torch.sigmoid(torch.nn.functional.logsigmoid(forget) - torch.nn.functional.logsigmoid(input_))


def _factors(parameters: Parameters, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Return what every step keeps of the old state, and what it adds."""
    forget, input_, candidate = affine(inputs, parameters.weight_ih, parameters.bias_ih).chunk(3, dim=-1)
    kept = _kept(forget, input_)
    return kept, (1 - kept) * candidate


class MinLSTM(OwnNetwork):
    """Stacked layers of the minLSTM; see :class:`OwnNetwork`."""

    blocks, step, factors = 3, staticmethod(step), staticmethod(_factors)


def _log10_kept(biases: Mapping[str, ArrayLike]) -> NDArray[Any]:
    log_forget, log_input = (-np.logaddexp(0.0, -np.asarray(biases[gate], float)) for gate in ("forget", "input"))
    return log10_cell_path(log_forget - log_input, 1)


def _required(lag: float, share: float, biases: Mapping[str, float]) -> float:
    r"""Return :math:`\sigma^{-1}(\kappa / (1 - \kappa) \, i)` with :math:`\kappa^{lag} = share`; infinite from 1 on."""
    log_forget = float(required_forget_bias(lag, share)) - float(np.logaddexp(0.0, -biases["input"]))
    return log_forget - math.log(-math.expm1(log_forget)) if log_forget < 0 else math.inf


def _closed_forms(settings: Any, parameters: Parameters, inputs: Tensor) -> list[ClosedForm]:
    if settings.recurrent_init == "chrono":
        return []  # every unit has a bias of its own: no single line
    rate = float(_log10_kept({"forget": settings.forget_bias, "input": settings.input_bias}))
    return [ClosedForm(N_("theory, f′ᵏ of the biases (minLSTM, its whole gradient)"), rate, "hidden")]


def _values(
    before: Mapping[str, Tensor], gates: Mapping[str, Tensor], after: Mapping[str, Tensor]
) -> Mapping[str, Tensor]:
    share = gates["forget"] / (gates["forget"] + gates["input"])
    kept, written = share * before["hidden"], (1 - share) * gates["candidate"]
    return {"hidden_before": before["hidden"], **gates, "kept": kept, "written": written, "hidden": after["hidden"]}


_FORGET = Gate("forget", "f", N_("forget gate f"), keeps=1, chrono=1)
_INPUT = Gate("input", "i", N_("input gate i"), chrono=-1)
_CANDIDATE = Gate("candidate", "h̃", N_("candidate h̃"), "identity")

ARCHITECTURE = Architecture(
    name="minlstm",
    title="minLSTM",
    rank=5,
    module=MinLSTM,
    step=step,
    gates=(_FORGET, _INPUT, _CANDIDATE),
    gates_type=MinLSTMGates,
    states=(State("hidden", "h", N_("hidden state h")),),
    recurrent=False,
    log10_kept=_log10_kept,
    required=_required,
    closed_forms=_closed_forms,
    quantities=(
        Quantity(
            "hidden_before", "h_{t-1}", N_("old hidden state"), N_("the memory that arrives from the step before.")
        ),
        Quantity(
            "forget", "f_t", N_("forget gate"), N_("pulls towards keeping; what is kept is its share, f / (f + i).")
        ),
        Quantity(
            "input", "i_t", N_("input gate"), N_("pulls towards writing; what is written is its share, i / (f + i).")
        ),
        Quantity("candidate", "h̃_t", N_("candidate"), N_("what could replace the old hidden state; not squashed.")),
        Quantity("kept", "f'_t ⊙ h_{t-1}", N_("kept"), N_("what the forget gate's share leaves of the old state.")),
        Quantity("written", "i'_t ⊙ h̃_t", N_("written"), N_("what the input gate's share takes of the candidate.")),
        Quantity("hidden", "h_t", N_("hidden state"), N_("memory and output of this step: kept plus written.")),
    ),
    values=_values,
    stages=(
        gate_stage(
            _FORGET,
            label=N_("forget"),
            title=N_("1. Forget gate"),
            text=N_("The gate looks at the input alone, never at the hidden state."),
            preactivation="W_f x_t + b_f",
        ),
        gate_stage(
            _INPUT,
            label=N_("input"),
            title=N_("2. Input gate"),
            text=N_("So does the second one. What counts is how the two compare: their shares f′ and i′ sum to 1."),
            preactivation="W_i x_t + b_i",
        ),
        gate_stage(
            _CANDIDATE._replace(letter=r"\tilde{h}"),
            label=N_("candidate"),
            title=N_("3. Candidate"),
            text=N_("The candidate, too, is made from the input alone, and nothing squashes it."),
            preactivation=r"W_h x_t + b_h",
        ),
        Stage(
            "new",
            N_("new state"),
            N_("4. The new state: keep some, take some"),
            N_(
                "Nothing in this line depends on the old state but the product with f′. So the gradient is multiplied "
                "by f′ at every step, and by nothing else: the product of gates is **all** of it."
            ),
            ("hidden_before", "forget", "input", "candidate", "kept", "written", "hidden"),
            r"h_t = \frac{<forget|f_t>}{<forget|f_t> + <input|i_t>} \odot h_{t-1} + "
            r"\frac{<input|i_t>}{<forget|f_t> + <input|i_t>} \odot <candidate|\tilde{h}_t>",
            "h_t = [kept] + [+written] = [hidden]",
            r"\overline{h_t} = [kept] + [+written] = [hidden]",
        ),
    ),
    step_summary=N_("At step {step} the minLSTM's forget gate is **{forget:.2f}** and its input gate {input:.2f}."),
    remark=N_(
        "**minLSTM**: its gates read the input alone, so h reaches the next step by no other way than f′ = f / (f + "
        "i). The product of f′ along the sequence is the *whole* gradient of a layer. A large forget bias alone does "
        "not suffice for long: f′ stays below 1 / (1 + i), so the input bias has to fall as well."
    ),
    script_step='''\
def step(weights, h, x):
    """Advance the minLSTM one step: h before -> h after."""
    weight_ih, bias_ih = weights
    f, i, candidate = (x @ weight_ih.T + bias_ih).chunk(3, dim=1)
    # The share f / (f + i) of the two gates; from their logarithms, as both may be tiny.
    kept = torch.sigmoid(torch.nn.functional.logsigmoid(f) - torch.nn.functional.logsigmoid(i))
    return kept * h + (1 - kept) * candidate''',
    colour="amber",
)
