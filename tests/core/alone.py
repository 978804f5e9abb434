"""The slow, obvious oracle of networks as people have them: one sample at a time, every state kept, and autograd.

It shares no code with ``lstm_explorer``: the equations are PyTorch's documentation written out, for both directions and
with projections, and the loss is differentiated once for all derivatives.
"""

import torch
from torch import nn


def _step(network, weights, h, c, x):
    weight_ih, weight_hh, bias_ih, bias_hh, weight_hr = weights
    from_input, from_hidden = weight_ih @ x + bias_ih, weight_hh @ h + bias_hh
    if isinstance(network, nn.LSTM):
        i, f, g, o = (from_input + from_hidden).chunk(4)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        return (h if weight_hr is None else weight_hr @ h), c
    if isinstance(network, nn.GRU):
        input_r, input_z, input_n = from_input.chunk(3)
        hidden_r, hidden_z, hidden_n = from_hidden.chunk(3)
        z, n = (input_z + hidden_z).sigmoid(), (input_n + (input_r + hidden_r).sigmoid() * hidden_n).tanh()
        return (1 - z) * n + z * h, c
    return (from_input + from_hidden).relu() if network.nonlinearity == "relu" else (from_input + from_hidden).tanh(), c


def _weights(network, layer, direction):
    end = f"_l{layer}" + "_reverse" * direction
    zeros = torch.zeros(len(getattr(network, f"weight_ih{end}")), dtype=torch.float64)
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
    found = [getattr(network, f"{name}{end}", None) for name in names]
    found[2:4] = [zeros if bias is None else bias for bias in found[2:4]]
    return [None if weight is None else weight.detach().double() for weight in found]


def run(network, inputs, *, states=None, cut=False):
    """Unroll a network over one sample.

    Args:
        network: Its weights are read in float64.
        inputs: ``(T, I)``.
        states: ``h_0`` and ``c_0``, ``(L*D, H)`` each.
        cut: Whether the hidden state is detached before the next step.

    Returns:
        Hidden and cell states, ``[layer and direction][step in its own order]``; the inputs; the outputs in time.
    """
    directions = 2 if network.bidirectional else 1
    x = [step.detach().double().requires_grad_() for step in inputs]
    below, hidden, cell = x, [], []
    for layer in range(network.num_layers):
        outputs = []
        for direction in range(directions):
            index = layer * directions + direction
            size = network.proj_size or network.hidden_size
            h, c = torch.zeros(size, dtype=torch.float64), torch.zeros(network.hidden_size, dtype=torch.float64)
            if states is not None:
                h, c = states[0][index].double(), states[-1][index].double()
            hidden.append([h.clone().requires_grad_()])
            cell.append([c.clone().requires_grad_()])
            for step in reversed(below) if direction else below:
                before = hidden[-1][-1].detach() if cut else hidden[-1][-1]
                h, c = _step(network, _weights(network, layer, direction), before, cell[-1][-1], step)
                hidden[-1].append(h)
                cell[-1].append(c)
            outputs.append(hidden[-1][:0:-1] if direction else hidden[-1][1:])
        below = [torch.cat(parts) for parts in zip(*outputs, strict=True)]
    return hidden, cell, x, below


def log10_norms(loss, leaves):
    """Return log10 of the norms of a loss's gradient, of ``[...][step]`` tensors or a list of them."""
    rows = [leaves] if isinstance(leaves[0], torch.Tensor) else leaves
    norms = []
    for row in rows:
        found = torch.autograd.grad(loss, row, retain_graph=True, allow_unused=True)
        norms.append(torch.stack([torch.tensor(0.0) if one is None else one.norm() for one in found]).double())
    stacked = torch.stack(norms).log10()
    return stacked[0] if isinstance(leaves[0], torch.Tensor) else stacked
