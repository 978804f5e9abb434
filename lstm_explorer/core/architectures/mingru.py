r"""The minGRU: :math:`h_t = (1 - z_t) \odot h_{t-1} + z_t \odot \tilde h_t`, both from :math:`x_t` alone."""

from __future__ import annotations

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


class MinGRUGates(NamedTuple):
    """The minGRU's gate and candidate; each ``(..., B, H)`` for one step, ``(L, T, B, H)`` in a trajectory."""

    update: Tensor
    candidate: Tensor


def step(parameters: Parameters, state: Tensor, x: Tensor) -> tuple[Tensor, MinGRUGates]:
    r"""Advance the minGRU one step.

    .. math::
        z = \sigma(W_z x + b_z), \quad \tilde h = W_h x + b_h, \quad h' = (1 - z) \odot h + z \odot \tilde h

    Here ``z = 1`` takes the candidate and ``z = 0`` keeps, the other way round than in PyTorch's GRU.

    Args:
        parameters: Weights of the layer, two blocks ``z h``.
        state: Hidden state ``(..., B, H)``.
        x: Input ``(..., B, I)``.

    Returns:
        The new hidden state, and the gate and the candidate that made it.

    Source:
        feng2024

    Example:
        >>> zeros = Parameters(torch.zeros(2, 1), torch.zeros(2, 0), torch.zeros(2), torch.zeros(2))
        >>> step(zeros, torch.ones(1, 1), torch.zeros(1, 1))[0]
        tensor([[0.5000]])
    """
    update, candidate = affine(x, parameters.weight_ih, parameters.bias_ih).chunk(2, dim=-1)
    gates = MinGRUGates(torch.sigmoid(update), candidate)
    return (1 - gates.update) * state + gates.update * gates.candidate, gates


def _factors(parameters: Parameters, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Return what every step keeps of the old state, and what it adds."""
    update, candidate = affine(inputs, parameters.weight_ih, parameters.bias_ih).chunk(2, dim=-1)
    update = torch.sigmoid(update)
    return 1 - update, update * candidate


class MinGRU(OwnNetwork):
    """Stacked layers of the minGRU; see :class:`OwnNetwork`."""

    blocks, step, factors = 2, staticmethod(step), staticmethod(_factors)


def _log10_kept(biases: Mapping[str, ArrayLike]) -> NDArray[Any]:
    return log10_cell_path(-np.asarray(biases["update"], float), 1)


def _required(lag: float, share: float, biases: Mapping[str, float]) -> float:
    return -float(required_forget_bias(lag, share))


def _closed_forms(settings: Any, parameters: Parameters, inputs: Tensor) -> list[ClosedForm]:
    if settings.recurrent_init == "chrono":
        return []  # every unit has a bias of its own: no single line
    rate = float(_log10_kept({"update": settings.update_bias}))
    return [ClosedForm(N_("theory, (1 − σ(b_z))ᵏ (minGRU)"), rate, "hidden")]


def _values(
    before: Mapping[str, Tensor], gates: Mapping[str, Tensor], after: Mapping[str, Tensor]
) -> Mapping[str, Tensor]:
    kept, written = (1 - gates["update"]) * before["hidden"], gates["update"] * gates["candidate"]
    return {"hidden_before": before["hidden"], **gates, "kept": kept, "written": written, "hidden": after["hidden"]}


_UPDATE = Gate("update", "z", N_("update gate z"), keeps=-1, chrono=-1)
_CANDIDATE = Gate("candidate", "h̃", N_("candidate h̃"), "identity")

ARCHITECTURE = Architecture(
    name="mingru",
    title="minGRU",
    rank=4,
    module=MinGRU,
    step=step,
    gates=(_UPDATE, _CANDIDATE),
    gates_type=MinGRUGates,
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
            "update",
            "z_t",
            N_("update gate"),
            N_("how much of the candidate is taken; near 0 keeps the old hidden state."),
        ),
        Quantity("candidate", "h̃_t", N_("candidate"), N_("what could replace the old hidden state; not squashed.")),
        Quantity("kept", "(1 - z_t) ⊙ h_{t-1}", N_("kept"), N_("what the update gate leaves of the old hidden state.")),
        Quantity("written", "z_t ⊙ h̃_t", N_("written"), N_("what the update gate takes of the candidate.")),
        Quantity("hidden", "h_t", N_("hidden state"), N_("memory and output of this step: kept plus written.")),
    ),
    values=_values,
    stages=(
        gate_stage(
            _UPDATE,
            label=N_("update"),
            title=N_("1. Update gate: keep or rewrite"),
            text=N_(
                "The gate looks at the input alone, never at the hidden state. Near **0 keeps**, near 1 takes the "
                "candidate: the other way round than in PyTorch's GRU."
            ),
            preactivation="W_z x_t + b_z",
        ),
        gate_stage(
            _CANDIDATE._replace(letter=r"\tilde{h}"),
            label=N_("candidate"),
            title=N_("2. Candidate"),
            text=N_("The candidate, too, is made from the input alone, and nothing squashes it."),
            preactivation=r"W_h x_t + b_h",
        ),
        Stage(
            "new",
            N_("new state"),
            N_("3. The new state: keep some, take some"),
            N_(
                "Nothing in this line depends on the old state but the product with 1 − z. So the gradient is "
                "multiplied by 1 − z at every step, and by nothing else: the product of gates is **all** of it."
            ),
            ("hidden_before", "update", "candidate", "kept", "written", "hidden"),
            r"h_t = (1 - <update|z_t>) \odot h_{t-1} + <update|z_t> \odot <candidate|\tilde{h}_t>",
            "h_t = [kept] + [+written] = [hidden]",
            r"\overline{h_t} = \overline{(1 - <update|z_t>) \odot h_{t-1}} + "
            r"\overline{<update|z_t> \odot <candidate|\tilde{h}_t>} = [kept] + [+written] = [hidden]",
        ),
    ),
    step_summary=N_("At step {step} the minGRU replaces **{update:.0%}** of its state and keeps the rest."),
    remark=N_(
        "**minGRU**: its gate reads the input alone, so h reaches the next step by no other way than 1 − z. The "
        "product of 1 − z along the sequence is the *whole* gradient of a layer; in an LSTM the product of forget "
        "gates is only the cell's path, and the rest travels through h and the gates. Its update gate keeps near 0: "
        "lower its bias to remember."
    ),
    script_step='''\
def step(weights, h, x):
    """Advance the minGRU one step: h before -> h after."""
    weight_ih, bias_ih = weights
    z, candidate = (x @ weight_ih.T + bias_ih).chunk(2, dim=1)
    z = torch.sigmoid(z)
    return (1 - z) * h + z * candidate''',
    colour="purple",
)
