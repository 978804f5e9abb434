"""The slow, obvious oracle: plain PyTorch cells unrolled by hand, and autograd.

It shares no code with ``lstm_explorer``: the cells are ``nn.RNNCell``, ``nn.LSTMCell`` and ``nn.GRUCell``, every state
is kept with ``retain_grad``, and the loss is differentiated once for all derivatives.
"""

import torch
from torch import nn

CELLS = {nn.RNN: nn.RNNCell, nn.LSTM: nn.LSTMCell, nn.GRU: nn.GRUCell}


def cells_of(network):
    """Return one plain cell a layer with the network's weights."""
    cells = []
    for layer in range(network.num_layers):
        size = network.input_size if layer == 0 else network.hidden_size
        extra = {"nonlinearity": network.nonlinearity} if isinstance(network, nn.RNN) else {}
        cell = CELLS[type(network)](size, network.hidden_size, bias=network.bias, **extra).to(network.weight_hh_l0)
        names = dict(cell.named_parameters())
        cell.load_state_dict({name: getattr(network, f"{name}_l{layer}").detach() for name in names})
        cells.append(cell)
    return cells


def run(network, inputs, *, initial_state=None, cotangent=None, loss="last", detach_recurrent=False):
    """Return ``hidden, cell, x`` leaves with ``.grad``: lists ``[layer][step]``, and the list of inputs.

    ``detach_recurrent`` cuts the hidden state before the gates of the next step, which leaves the cell path alone.
    """
    lstm = isinstance(network, nn.LSTM)
    x = inputs.transpose(0, 1) if network.batch_first else inputs
    x = [step.clone().requires_grad_() for step in x]
    shape = (network.num_layers, x[0].shape[0], network.hidden_size)
    zeros = torch.zeros(shape, dtype=inputs.dtype)
    h0, c0 = (initial_state or (zeros, zeros)) if lstm else (zeros if initial_state is None else initial_state, zeros)
    cells = cells_of(network)
    hidden = [[h0[layer].clone().requires_grad_()] for layer in range(network.num_layers)]
    cell = [[c0[layer].clone().requires_grad_()] for layer in range(network.num_layers)]
    for step in x:
        below = step
        for layer, module in enumerate(cells):
            before = hidden[layer][-1].detach() if detach_recurrent else hidden[layer][-1]
            if lstm:
                h, c = module(below, (before, cell[layer][-1]))
                c.retain_grad()
                cell[layer].append(c)
            else:
                h = module(below, before)
            h.retain_grad()
            hidden[layer].append(h)
            below = h
    v = torch.ones(shape[1:], dtype=inputs.dtype) if cotangent is None else cotangent
    if v.ndim == 3:
        per_step = v.transpose(0, 1) if network.batch_first else v
        sum((each * h).sum() for each, h in zip(per_step, hidden[-1][1:], strict=True)).backward()
    else:
        outputs = hidden[-1][-1:] if loss == "last" else hidden[-1][1:]
        sum((v * h).sum() for h in outputs).backward()
    return hidden, cell, x


def norms(leaves):
    """Return the norms of the gradients of ``[layer][step]`` leaves, ``(L, steps, B)``; 0 where none arrives."""
    rows = [[torch.zeros(len(t)) if t.grad is None else t.grad.norm(dim=-1) for t in layer] for layer in leaves]
    return torch.stack([torch.stack([step.double() for step in layer]) for layer in rows])
