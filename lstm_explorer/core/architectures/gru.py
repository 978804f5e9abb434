r"""The GRU as PyTorch has it: :math:`h_t = (1 - z_t) \odot n_t + z_t \odot h_{t-1}`, with reset after the product."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from lstm_explorer.core.architectures.architecture import Architecture, ClosedForm, Gate, Quantity, Stage, State
from lstm_explorer.core.architectures.parameters import Parameters, affine
from lstm_explorer.core.architectures.stages import gate_stage
from lstm_explorer.core.gate_theory import log10_cell_path, required_forget_bias
from lstm_explorer.locales import N_


class GRUGates(NamedTuple):
    """The GRU's gates in PyTorch's order; each ``(..., B, H)`` for one step, ``(L, T, B, H)`` in a trajectory."""

    reset: Tensor
    update: Tensor
    candidate: Tensor


def step(parameters: Parameters, state: Tensor, x: Tensor) -> tuple[Tensor, GRUGates]:
    r"""Advance the GRU one step.

    .. math::
        r, z = \sigma(\cdot), \quad n = \tanh(W_{in} x + b_{in} + r \odot (W_{hn} h + b_{hn})), \quad
        h' = (1 - z) \odot n + z \odot h

    Args:
        parameters: Weights of the layer, three gate blocks ``r z n``.
        state: Hidden state ``(..., B, H)``.
        x: Input ``(..., B, I)``.

    Returns:
        The new hidden state and the gates that made it.

    Source:
        torch.nn.GRUCell

    Example:
        >>> zeros = Parameters(torch.zeros(3, 1), torch.zeros(3, 1), torch.zeros(3), torch.zeros(3))
        >>> step(zeros, torch.ones(1, 1), torch.zeros(1, 1))[0]
        tensor([[0.5000]])
    """
    input_r, input_z, input_n = affine(x, parameters.weight_ih, parameters.bias_ih).chunk(3, dim=-1)
    hidden_r, hidden_z, hidden_n = affine(state, parameters.weight_hh, parameters.bias_hh).chunk(3, dim=-1)
    reset = torch.sigmoid(input_r + hidden_r)
    gates = GRUGates(reset, torch.sigmoid(input_z + hidden_z), torch.tanh(input_n + reset * hidden_n))
    return (1 - gates.update) * gates.candidate + gates.update * state, gates


def _log10_kept(biases: Mapping[str, ArrayLike]) -> NDArray[Any]:
    return log10_cell_path(biases["update"], 1)


def _required(lag: float, share: float, biases: Mapping[str, float]) -> float:
    return float(required_forget_bias(lag, share))


def _closed_forms(settings: Any, parameters: Parameters, inputs: Tensor) -> list[ClosedForm]:
    if settings.recurrent_init == "chrono":
        return []  # every unit has a bias of its own: no single line
    rate = float(_log10_kept({"update": settings.update_bias}))
    return [ClosedForm(N_("theory, σ(b_z)ᵏ (GRU direct path)"), rate, "hidden")]


def _values(
    before: Mapping[str, Tensor], gates: Mapping[str, Tensor], after: Mapping[str, Tensor]
) -> Mapping[str, Tensor]:
    kept, written = gates["update"] * before["hidden"], (1 - gates["update"]) * gates["candidate"]
    return {"hidden_before": before["hidden"], **gates, "kept": kept, "written": written, "hidden": after["hidden"]}


_RESET = Gate("reset", "r", N_("reset gate r"))
_UPDATE = Gate("update", "z", N_("update gate z"), keeps=1, chrono=1)
_CANDIDATE = Gate("candidate", "n", N_("candidate n"), "tanh", split=False)

_QUANTITIES = (
    Quantity("hidden_before", "h_{t-1}", N_("old hidden state"), N_("the memory that arrives from the step before.")),
    Quantity(
        "reset", "r_t", N_("reset gate"),
        N_("how much of the old hidden state's product with the weights the candidate sees."),
    ),
    Quantity(
        "update", "z_t", N_("update gate"),
        N_("how much of the old hidden state is kept; near 1 keeps, near 0 replaces it."),
    ),
    Quantity("candidate", "n_t", N_("candidate"), N_("what could replace the old hidden state, from -1 to 1.")),
    Quantity("kept", "z_t ⊙ h_{t-1}", N_("kept"), N_("what the update gate leaves of the old hidden state.")),
    Quantity(
        "written", "(1 - z_t) ⊙ n_t", N_("written"),
        N_("what of the candidate takes the place of what was not kept."),
    ),
    Quantity("hidden", "h_t", N_("hidden state"), N_("memory and output of this step: kept plus written.")),
)  # fmt: skip

_STAGES = (
    gate_stage(
        _RESET,
        label=N_("reset"),
        title=N_("1. Reset: how much of the past the candidate may see"),
        text=N_("Near 0, the candidate is made from the input alone."),
    ),
    gate_stage(
        _UPDATE,
        label=N_("update"),
        title=N_("2. Update gate: keep or rewrite"),
        text=N_(
            "One gate does the work of two. In PyTorch **1 keeps** the old state and 0 takes the candidate; some "
            "papers write it the other way round."
        ),
    ),
    gate_stage(
        _CANDIDATE,
        label=N_("candidate"),
        title=N_("3. Candidate"),
        text=N_("PyTorch multiplies by the reset gate after the matrix, so its second bias sits inside the product."),
        preactivation=r"W_{in} x_t + b_{in} + <reset|r_t> \odot (W_{hn} h_{t-1} + b_{hn})",
        lights="reset",
    ),
    Stage(
        "new",
        N_("new state"),
        N_("4. The new state: keep some, take some"),
        N_(
            "The GRU has no separate cell: the direct road runs through the hidden state itself, multiplied by z, and "
            "everything it remembers is always shown."
        ),
        ("hidden_before", "update", "candidate", "kept", "written", "hidden"),
        r"h_t = <update|z_t> \odot h_{t-1} + (1 - <update|z_t>) \odot <candidate|n_t>",
        r"h_t = [update] \times [+hidden_before] + (1 - [update]) \times [+candidate] = [kept] + [+written] = [hidden]",
        r"\overline{h_t} = \overline{<update|z_t> \odot h_{t-1}} + \overline{(1 - <update|z_t>) \odot <candidate|n_t>} "
        "= [kept] + [+written] = [hidden]",
    ),
)

ARCHITECTURE = Architecture(
    name="gru",
    title="GRU",
    rank=3,
    module=nn.GRU,
    step=step,
    gates=(_RESET, _UPDATE, _CANDIDATE),
    gates_type=GRUGates,
    states=(State("hidden", "h", N_("hidden state h")),),
    log10_kept=_log10_kept,
    required=_required,
    closed_forms=_closed_forms,
    quantities=_QUANTITIES,
    values=_values,
    stages=_STAGES,
    step_summary=N_(
        "At step {step} the GRU keeps **{update:.0%}** of the state it had ({hidden_before:.2g}) and replaces the rest."
    ),
    script_step='''\
def step(weights, h, x):
    """Advance the GRU one step: h before -> h after."""
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    input_r, input_z, input_n = (x @ weight_ih.T + bias_ih).chunk(3, dim=1)
    hidden_r, hidden_z, hidden_n = (h @ weight_hh.T + bias_hh).chunk(3, dim=1)
    r = torch.sigmoid(input_r + hidden_r)
    z = torch.sigmoid(input_z + hidden_z)
    n = torch.tanh(input_n + r * hidden_n)
    return (1 - z) * n + z * h''',
    colour="green",
)
