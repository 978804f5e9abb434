"""Two networks that have nothing but a record and a module, and autograd through their steps."""

import dataclasses
from typing import NamedTuple

import torch
from torch import nn

from lstm_explorer.core import architectures
from lstm_explorer.core.architectures import ARCHITECTURES, Gate, Parameters, State, architecture_of, layer_parameters
from lstm_explorer.core.architectures.parameters import affine


class LeakyGates(NamedTuple):
    update: torch.Tensor
    candidate: torch.Tensor


def leaky_step(parameters, state, x):
    """An Elman network whose units leak: one state, one gate that keeps."""
    both = affine(x, parameters.weight_ih, parameters.bias_ih) + affine(state, parameters.weight_hh, parameters.bias_hh)
    update, candidate = both.chunk(2, dim=-1)
    gates = LeakyGates(torch.sigmoid(update), torch.tanh(candidate))
    return gates.update * state + (1 - gates.update) * gates.candidate, gates


class Normalized(NamedTuple):
    hidden: torch.Tensor
    normalizer: torch.Tensor
    cell: torch.Tensor


class NormalizedGates(NamedTuple):
    input: torch.Tensor
    forget: torch.Tensor


def normalized_step(parameters, state, x):
    """A cell beside a normalizer, as in the sLSTM; the hidden state is made of the new ones of both."""
    both = affine(x, parameters.weight_ih, parameters.bias_ih) + affine(
        state.hidden, parameters.weight_hh, parameters.bias_hh
    )
    i, f = both.chunk(2, dim=-1)
    gates = NormalizedGates(torch.tanh(i), torch.sigmoid(f))
    cell = gates.forget * state.cell + gates.input
    normalizer = gates.forget * state.normalizer + gates.input**2
    return Normalized(cell / (1 + normalizer), normalizer, cell), gates


class Own(nn.Module):
    """Stacked layers of some step, with the attributes that checks and engines read."""

    bias, batch_first, bidirectional, proj_size, dropout = True, False, False, 0, 0.0
    blocks = 2

    def __init__(self, input_size, hidden_size, num_layers=1, dtype=None):
        super().__init__()
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        for layer in range(num_layers):
            rows = self.blocks * hidden_size
            shapes = {
                "weight_ih": (rows, hidden_size if layer else input_size),
                "weight_hh": (rows, hidden_size),
                "bias_ih": (rows,),
                "bias_hh": (rows,),
            }
            for name, shape in shapes.items():
                self.register_parameter(f"{name}_l{layer}", nn.Parameter(0.6 * torch.randn(shape, dtype=dtype)))

    @property
    def all_weights(self):
        return [
            [getattr(self, f"{name}_l{layer}") for name in Parameters._fields[:4]] for layer in range(self.num_layers)
        ]


class Leaky(Own):
    pass


class NormalizedNetwork(Own):
    pass


_LSTM = ARCHITECTURES["lstm"]
LEAKY = dataclasses.replace(
    _LSTM, name="leaky", title="leaky RNN", module=Leaky, step=leaky_step, gates_type=LeakyGates, memory="hidden",
    gates=(Gate("update", "u", "u", keeps=1), Gate("candidate", "n", "n", "tanh")), states=_LSTM.states[:1],
)  # fmt: skip
NORMALIZED = dataclasses.replace(
    _LSTM, name="normalized", title="normalized cell", module=NormalizedNetwork, step=normalized_step,
    gates_type=NormalizedGates, gates=(Gate("input", "i", "i", "tanh"), Gate("forget", "f", "f", keeps=1)),
    states=(_LSTM.states[0], State("normalizer", "n", "n"), _LSTM.states[1]),
)  # fmt: skip


def register(monkeypatch):
    """Make both known as architectures."""
    known = {**ARCHITECTURES, "leaky": LEAKY, "normalized": NORMALIZED}
    monkeypatch.setattr(architectures, "ARCHITECTURES", known)


def by_autograd(network, inputs, state, cotangent, *, loss="last", cut=False):
    """Return norms of gradients by autograd, one sample after another.

    They are of the states ``(L, T + 1, B)`` by name, of the inputs ``(T, B)``, and of ``W_hh h + b_hh`` in the last
    layer ``(T, B)``, by way of a ``bias_hh`` for every step.

    ``cut`` detaches the hidden state before the next step.
    """
    samples = [
        _of_sample(network, inputs[:, [b]], [part[:, [b]] for part in state], cotangent[[b]], loss, cut)
        for b in range(inputs.shape[1])
    ]
    states = {name: torch.stack([one[0][name] for one in samples], dim=-1) for name in samples[0][0]}
    return states, *(torch.stack([one[k] for one in samples], dim=-1) for k in (1, 2))


def _of_sample(network, inputs, state, cotangent, loss, cut):
    record = architecture_of(network)
    names = [one.name for one in record.states]
    x, sums = [one.clone().requires_grad_() for one in inputs], []
    kept = [
        {name: [part[layer].clone().requires_grad_()] for name, part in zip(names, state, strict=True)}
        for layer in range(network.num_layers)
    ]
    for below in x:
        for layer, before in enumerate(kept):
            parameters = layer_parameters(network, layer)
            sums.append(parameters.bias_hh.clone().requires_grad_())
            now = [before[name][-1] for name in names]
            now[0] = now[0].detach() if cut else now[0]
            made = record.step(parameters._replace(bias_hh=sums[-1]), Normalized(*now) if now[1:] else now[0], below)[0]
            for name, part in zip(names, made if now[1:] else [made], strict=True):
                part.retain_grad()
                before[name].append(part)
            below = before["hidden"][-1]
    outputs = kept[-1]["hidden"][-1:] if loss == "last" else kept[-1]["hidden"][1:]
    sum((cotangent * h).sum() for h in outputs).backward()
    states = {name: torch.stack([_norms(layer[name]) for layer in kept]) for name in names}
    return states, _norms(x), _norms(sums[network.num_layers - 1 :: network.num_layers])


def _norms(leaves):
    return torch.stack([torch.zeros(()) if one.grad is None else one.grad.norm() for one in leaves]).double()
