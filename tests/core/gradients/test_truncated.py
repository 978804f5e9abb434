"""truncated_flow against autograd through plain cells whose states are detached."""

import math

import oracle
import pytest
import torch
from torch import nn

import lstm_explorer as lx
from lstm_explorer.core.gradients.truncated import pieces

SETTINGS = lx.Settings(
    sequence_length=11, hidden_size=4, input_size=3, batch_size=2, num_layers=2, recurrent_gain=3.0, forget_bias=1.0,
    dtype="float64", seed=3,
)  # fmt: skip


def by_autograd(network, inputs, initial, truncation, loss):
    """Return the norms of the hidden states' gradients, and of the cells', ``(L, T + 1, B)``, and of the inputs'."""
    cells, steps = oracle.cells_of(network), len(inputs)
    x = [step.clone().requires_grad_() for step in inputs]
    states = [[tuple(part[layer].clone().requires_grad_() for part in initial)] for layer in range(len(cells))]
    outputs = []
    for t, below in enumerate(x):
        for of_layer, cell in zip(states, cells, strict=True):
            state = of_layer[-1]
            if truncation and t and (steps - t) % truncation == 0:
                state = tuple(part.detach() for part in state)
            after = cell(below, state if len(state) > 1 else state[0])
            of_layer.append(after if isinstance(after, tuple) else (after,))
            for part in of_layer[-1]:
                part.retain_grad()
            below = of_layer[-1][0]
        outputs.append(below)
    sum(one.sum() for one in (outputs if loss == "every" else outputs[-1:])).backward()
    kinds = [oracle.norms([[step[k] for step in layer] for layer in states]) for k in range(len(initial))]
    return *kinds, oracle.norms([x])[0]


@pytest.mark.parametrize("truncation", [1, 4, 5, 0])
@pytest.mark.parametrize("loss", ["last", "every"])
@pytest.mark.parametrize("architecture", ["rnn", "lstm", "gru"])
def test_every_state_s_gradient_is_autograd_s_with_detached_states(architecture, loss, truncation):
    network, inputs = lx.build_network(architecture, SETTINGS), lx.make_inputs(SETTINGS)
    generator = torch.Generator().manual_seed(1)
    count = 2 if architecture == "lstm" else 1
    initial = tuple(torch.randn(2, 2, 4, generator=generator, dtype=torch.float64) for _ in range(count))
    state = initial if count == 2 else initial[0]
    flow = lx.truncated_flow(network, inputs, truncation=truncation, loss=loss, initial_state=state)
    hidden, *cell, of_inputs = by_autograd(network, inputs, initial, truncation, loss)
    torch.testing.assert_close(10**flow.log10_hidden, hidden, rtol=1e-9, atol=0.0)
    torch.testing.assert_close(10**flow.log10_inputs, of_inputs, rtol=1e-9, atol=0.0)
    for expected in cell:
        torch.testing.assert_close(10**flow.log10_cell, expected, rtol=1e-9, atol=0.0)
    if not truncation:  # the whole sequence is one piece
        whole = lx.gradient_flow(network, inputs, loss=loss, initial_state=state)
        torch.testing.assert_close(flow.log10_hidden, whole.log10_hidden)


def test_a_network_of_the_app_s_own_is_cut_as_well():
    network, inputs = lx.build_network("mingru", SETTINGS), lx.make_inputs(SETTINGS)
    flow, whole = lx.truncated_flow(network, inputs, truncation=4), lx.gradient_flow(network, inputs)
    assert flow.log10_hidden[-1, :8].eq(-math.inf).all()
    torch.testing.assert_close(flow.log10_hidden[-1, 8:], whole.log10_hidden[-1, 8:])


def test_a_cotangent_of_every_step_reaches_its_own_piece_alone():
    network, inputs = lx.build_network("gru", SETTINGS), lx.make_inputs(SETTINGS)
    cotangent = torch.zeros(11, 2, 4, dtype=torch.float64)
    cotangent[5] = 1.0  # the output of step 6
    flow = lx.truncated_flow(network, inputs, truncation=4, cotangent=cotangent)
    assert flow.log10_hidden[-1, :, 0].isfinite().nonzero()[:, 0].tolist() == [4, 5, 6]  # step 3 is detached


@pytest.mark.parametrize(("length", "truncation"), [(50, 20), (50, 50), (50, 49), (5, 100), (6, 1)])
def test_pieces_are_counted_back_from_the_end(length, truncation):
    cut = pieces(length, truncation)
    sizes = [last - first for first, last in cut]
    assert sum(sizes) == length
    assert sizes[1:] == [truncation] * (len(sizes) - 1)
    assert 0 < sizes[0] <= truncation


def test_what_cannot_be_cut_is_refused():
    both, gru = nn.GRU(2, 3, bidirectional=True), nn.GRU(2, 3)
    with pytest.raises(ValueError, match="network is bidirectional: expected one that reads forwards"):
        lx.truncated_flow(both, torch.ones(5, 1, 2), truncation=2)
    with pytest.raises(ValueError, match="truncation is -1: expected a number of steps"):
        lx.truncated_flow(gru, torch.ones(5, 1, 2), truncation=-1)
    packed = nn.utils.rnn.pack_sequence([torch.ones(5, 2), torch.ones(3, 2)])
    with pytest.raises(ValueError, match=r"samples of \[5, 3\] steps: expected all of one length"):
        lx.truncated_flow(gru, packed, truncation=2)
    with pytest.raises(ValueError, match='loss is "every" with a cotangent of every step'):
        lx.truncated_flow(gru, torch.ones(5, 1, 2), truncation=2, loss="every", cotangent=torch.ones(5, 1, 3))
