r"""The LSTM: :math:`c_t = f_t \odot c_{t-1} + i_t \odot g_t`, :math:`h_t = o_t \odot \tanh c_t`."""

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


class LSTMState(NamedTuple):
    """Hidden and cell state, each ``(..., B, H)``."""

    hidden: Tensor
    cell: Tensor


class LSTMGates(NamedTuple):
    """The LSTM's gates in PyTorch's order; each ``(..., B, H)`` for one step, ``(L, T, B, H)`` in a trajectory."""

    input: Tensor
    forget: Tensor
    candidate: Tensor
    output: Tensor


def step(parameters: Parameters, state: LSTMState, x: Tensor) -> tuple[LSTMState, LSTMGates]:
    r"""Advance the LSTM one step.

    .. math::
        i, f, o = \sigma(\cdot), \quad g = \tanh(\cdot), \quad
        c' = f \odot c + i \odot g, \quad h' = o \odot \tanh(c')

    Args:
        parameters: Weights of the layer, four gate blocks ``i f g o``.
        state: Hidden and cell state, each ``(..., B, H)``.
        x: Input ``(..., B, I)``.

    Returns:
        The new state and the gates that made it.

    Source:
        torch.nn.LSTMCell

    Example:
        >>> zeros = Parameters(torch.zeros(4, 1), torch.zeros(4, 1), torch.zeros(4), torch.zeros(4))
        >>> state, gates = step(zeros, LSTMState(torch.zeros(1, 1), torch.ones(1, 1)), torch.zeros(1, 1))
        >>> state.cell  # every gate is open half way, and the candidate is 0
        tensor([[0.5000]])
    """
    preactivation = affine(x, parameters.weight_ih, parameters.bias_ih) + affine(
        state.hidden, parameters.weight_hh, parameters.bias_hh
    )
    i, f, g, o = preactivation.chunk(4, dim=-1)
    gates = LSTMGates(torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o))
    cell = gates.forget * state.cell + gates.input * gates.candidate
    return LSTMState(gates.output * torch.tanh(cell), cell), gates


def _log10_kept(biases: Mapping[str, ArrayLike]) -> NDArray[Any]:
    return log10_cell_path(biases["forget"], 1)


def _required(lag: float, share: float, biases: Mapping[str, float]) -> float:
    return float(required_forget_bias(lag, share))


def _closed_forms(settings: Any, parameters: Parameters, inputs: Tensor) -> list[ClosedForm]:
    if settings.recurrent_init == "chrono":
        return []  # every unit has a bias of its own: no single line
    rate = float(_log10_kept({"forget": settings.forget_bias}))
    return [ClosedForm(N_("theory, σ(b_f)ᵏ (LSTM cell path)"), rate, "cell_path")]


def _values(
    before: Mapping[str, Tensor], gates: Mapping[str, Tensor], after: Mapping[str, Tensor]
) -> Mapping[str, Tensor]:
    return {
        "cell_before": before["cell"],
        "hidden_before": before["hidden"],
        **gates,
        "kept": gates["forget"] * before["cell"],
        "written": gates["input"] * gates["candidate"],
        "cell": after["cell"],
        "exposed": after["cell"].tanh(),
        "hidden": after["hidden"],
    }


_INPUT = Gate("input", "i", N_("input gate i"), chrono=-1)
_FORGET = Gate("forget", "f", N_("forget gate f"), keeps=1, chrono=1)
_CANDIDATE = Gate("candidate", "g", N_("candidate g"), "tanh")
_OUTPUT = Gate("output", "o", N_("output gate o"))

_QUANTITIES = (
    Quantity("cell_before", "c_{t-1}", N_("old cell state"), N_("the memory that arrives from the step before.")),
    Quantity(
        "hidden_before", "h_{t-1}", N_("old hidden state"), N_("the output of the step before; all gates read it.")
    ),
    Quantity(
        "forget", "f_t", N_("forget gate"),
        N_("how much of the old cell state is kept; near 1 keeps, near 0 forgets."),
    ),
    Quantity("input", "i_t", N_("input gate"), N_("how much of the candidate is written into the cell state.")),
    Quantity("candidate", "g_t", N_("candidate"), N_("what could be written into the cell state, from -1 to 1.")),
    Quantity("output", "o_t", N_("output gate"), N_("how much of the cell state becomes the output.")),
    Quantity("kept", "f_t ⊙ c_{t-1}", N_("kept"), N_("what the forget gate leaves of the old cell state.")),
    Quantity("written", "i_t ⊙ g_t", N_("written"), N_("what the input gate lets in of the candidate.")),
    Quantity("cell", "c_t", N_("cell state"), N_("the memory after this step: kept plus written.")),
    Quantity("exposed", "tanh c_t", N_("squashed cell state"), N_("the cell state, brought between -1 and 1.")),
    Quantity(
        "hidden", "h_t", N_("hidden state"), N_("the output of this step: output gate times squashed cell state.")
    ),
)  # fmt: skip

_STAGES = (
    gate_stage(
        _FORGET,
        label=N_("forget"),
        title=N_("1. Forget: how much of the old memory stays"),
        text=N_(
            "The forget gate reads the new input and the previous hidden state, and gives every unit a number "
            "between 0 and 1. The old cell state is multiplied by it: near **1 keeps**, near **0 erases**, whatever "
            "its name suggests."
        ),
        lights="cell_before kept",
    ),
    gate_stage(
        _CANDIDATE,
        label=N_("candidate"),
        title=N_("2. Candidate: what could be written"),
        text=N_(
            "From the same two, a tanh proposes what to add to the memory, between −1 and 1: a unit may be raised or "
            "lowered."
        ),
    ),
    gate_stage(
        _INPUT,
        label=N_("input"),
        title=N_("3. Input gate: how much of it is written"),
        text=N_("A second gate, again one number for every unit, says how much of the candidate gets in."),
    ),
    Stage(
        "update",
        N_("update"),
        N_("4. Update: keep some, add some"),
        N_(
            "The heart of the LSTM. What is kept and what is written are **added**; nothing squeezes the sum. The "
            "gradient of c through this line is multiplied by f and by nothing else: this is the direct road, and it "
            "runs through **c**, not through h."
        ),
        ("cell_before", "forget", "kept", "input", "candidate", "written", "cell"),
        r"c_t = <forget|f_t> \odot c_{t-1} + <input|i_t> \odot <candidate|g_t>",
        r"c_t = [forget] \times [+cell_before] + [input] \times [+candidate] = [kept] + [+written] = [cell]",
        r"\overline{c_t} = \overline{<forget|f_t> \odot c_{t-1}} + \overline{<input|i_t> \odot <candidate|g_t>} "
        "= [kept] + [+written] = [cell]",
    ),
    Stage(
        "output",
        N_("output"),
        N_("5. Output: what is shown"),
        N_(
            "The cell state is the long-term memory. The output gate decides how much of it, squeezed by tanh, is "
            "shown as the hidden state **h**: the working, short-term part that the next step and the next layer see."
        ),
        ("x", "hidden_before", "output", "cell", "exposed", "hidden"),
        r"<output|o_t> = \sigma\big(W_{io} x_t + b_{io} + W_{ho} h_{t-1} + b_{ho}\big), "
        r"\qquad h_t = <output|o_t> \odot \tanh(c_t)",
        r"h_t = [output] \cdot \tanh([cell]) = [hidden]",
        r"\overline{h_t} = [hidden]",
    ),
)

ARCHITECTURE = Architecture(
    name="lstm",
    title="LSTM",
    rank=2,
    module=nn.LSTM,
    step=step,
    gates=(_INPUT, _FORGET, _CANDIDATE, _OUTPUT),
    gates_type=LSTMGates,
    states=(State("hidden", "h", N_("hidden state h")), State("cell", "c", N_("cell state c"))),
    memory="cell",
    log10_kept=_log10_kept,
    required=_required,
    closed_forms=_closed_forms,
    quantities=_QUANTITIES,
    values=_values,
    stages=_STAGES,
    step_summary=N_(
        "At step {step} the cell keeps **{forget:.0%}** of the memory it had ({cell_before:.2g}) and writes "
        "**{input:.0%}** of the candidate ({candidate:.2g}); {output:.0%} of what it then holds is shown."
    ),
    script_step='''\
def step(weights, state, x):
    """Advance the LSTM one step: (h, c) before -> (h, c) after."""
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    h, c = state
    i, f, g, o = (x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh).chunk(4, dim=1)
    i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
    c = f * c + i * g
    return o * torch.tanh(c), c''',
    colour="blue",
)
