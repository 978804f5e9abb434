"""step_jacobians against torch.func.jacrev of PyTorch's plain cells, and against autograd through whole networks."""

import dataclasses

import own_networks
import pytest
import torch
from oracle import cells_of
from torch import nn

import lstm_explorer as lx
from lstm_explorer.core.jacobians import steps

STEPS, BATCH, SIZE, FEATURES = 5, 2, 3, 4


def made(kind, *, dtype=torch.float64, seed=0, gain=2.0, **options):
    """Return a network with weights large enough for every block to count, inputs, and an initial state."""
    torch.manual_seed(seed)
    network = kind(FEATURES, SIZE, **options).to(dtype)
    with torch.no_grad():
        for weight in network.parameters():
            weight *= gain
    inputs = torch.randn(STEPS, BATCH, FEATURES, dtype=dtype)
    rows = network.num_layers * (2 if network.bidirectional else 1)
    hidden = torch.randn(rows, BATCH, network.proj_size or SIZE, dtype=dtype) / 2
    cell = torch.randn(rows, BATCH, SIZE, dtype=dtype)
    return network, inputs, (hidden, cell) if kind is nn.LSTM else hidden


def by_cells(network, inputs, initial_state):
    """Return the last layer's Jacobians by jacrev of its plain cell, one step and sample after another."""
    lstm = isinstance(network, nn.LSTM)
    state = list(zip(*initial_state, strict=True)) if lstm else list(initial_state)
    cells, found = cells_of(network), []
    for x in inputs:
        for layer, cell in enumerate(cells):
            before = torch.cat(state[layer], dim=1) if lstm else state[layer]

            def step(flat, below, cell=cell):
                parts = (flat[None, :SIZE], flat[None, SIZE:]) if lstm else flat[None]
                after = cell(below[None], parts)
                return torch.cat(after, dim=1)[0] if lstm else after[0]

            if layer == len(cells) - 1:
                found.append(torch.stack([torch.func.jacrev(step)(*one) for one in zip(before, x, strict=True)]))
            state[layer] = cell(x, state[layer])
            x = state[layer][0] if lstm else state[layer]
    return torch.stack(found).detach()


KINDS = [(nn.RNN, {}), (nn.RNN, {"nonlinearity": "relu"}), (nn.LSTM, {}), (nn.GRU, {})]


@pytest.mark.parametrize("options", [{}, {"num_layers": 2}, {"batch_first": True}, {"bias": False}], ids=str)
@pytest.mark.parametrize(("kind", "own"), KINDS)
def test_jacobians_are_those_of_the_plain_cells(kind, own, options):
    network, inputs, state = made(kind, **own, **options)
    expected = by_cells(network, inputs, state)
    given = inputs.transpose(0, 1) if network.batch_first else inputs
    found = lx.step_jacobians(network, given, initial_state=state)
    # Sums of a few products in float64; the slopes follow from the states, where they lose some digits near 1.
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-13)
    assert not found.requires_grad


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_float32_networks_are_computed_in_float64_at_their_own_states(kind):
    network, inputs, state = made(kind, dtype=torch.float32)
    exact = tuple(part.double() for part in state) if kind is nn.LSTM else state.double()
    expected = lx.step_jacobians(network.double(), inputs.double(), initial_state=exact)
    found = lx.step_jacobians(network.float(), inputs, initial_state=state)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-6)


def test_a_float32_slope_near_zero_keeps_its_digits():
    network, inputs, state = made(nn.RNN, dtype=torch.float32, gain=6.0)
    after = lx.unroll(network, inputs, state).hidden[0, 1:].double()
    expected = (1 - after.square()).unsqueeze(-1) * network.weight_hh_l0.detach().double()
    assert expected.abs().min() < 1e-4
    assert torch.equal(lx.step_jacobians(network, inputs, initial_state=state), expected.float())


def through_the_network(network, inputs, state):
    """Return d last state / d initial state of one sample by autograd through the network itself."""
    sizes = [part.shape[-1] for part in state]

    def run(flat):
        parts = tuple(part.contiguous() for part in flat.view(1, 1, -1).split(sizes, dim=-1))
        after = network(inputs, parts if len(parts) > 1 else parts[0])[1]
        return torch.cat(after if isinstance(after, tuple) else (after,), dim=-1).flatten()

    return torch.autograd.functional.jacobian(run, torch.cat([part.flatten() for part in state]))


@pytest.mark.parametrize(("kind", "own"), [*KINDS, (nn.LSTM, {"proj_size": 2})])
def test_their_product_is_the_jacobian_of_the_unrolled_map(kind, own):
    network, inputs, state = made(kind, **own)
    parts = state if kind is nn.LSTM else (state,)
    jacobians = lx.step_jacobians(network, inputs, initial_state=state)
    for sample in range(BATCH):
        one = [part[:, [sample]] for part in parts]
        expected = through_the_network(network, inputs[:, [sample]], one)
        product = torch.linalg.multi_dot([*jacobians[:, sample].flip(0)])
        torch.testing.assert_close(product, expected, rtol=1e-9, atol=1e-13)


def test_blocks_of_an_lstm():
    network, inputs, state = made(nn.LSTM)
    jacobians = lx.step_jacobians(network, inputs, initial_state=state)
    trajectory = lx.unroll(network, inputs, state)
    blocks = lx.jacobian_blocks(jacobians)
    assert torch.equal(blocks.cell_from_cell, torch.diag_embed(trajectory.gates.forget[0]))
    slope = trajectory.gates.output[0] * (1 - trajectory.cell[0, 1:].tanh().square())
    shown = torch.diag_embed(slope * trajectory.gates.forget[0])
    torch.testing.assert_close(blocks.hidden_from_cell, shown, rtol=1e-12, atol=0.0)
    assert torch.equal(blocks.hidden_from_hidden, jacobians[..., :SIZE, :SIZE])
    assert torch.equal(blocks.cell_from_hidden, jacobians[..., SIZE:, :SIZE])
    assert blocks.cell_from_hidden.data_ptr() == jacobians[..., SIZE:, :].data_ptr()  # a view
    network, inputs, state = made(nn.LSTM, proj_size=2)
    blocks = lx.jacobian_blocks(lx.step_jacobians(network, inputs, initial_state=state), hidden_size=2)
    gates = lx.unroll(network, inputs, state).gates
    assert torch.equal(blocks.cell_from_cell, torch.diag_embed(gates.forget[0]))
    assert blocks.hidden_from_hidden.shape == (STEPS, BATCH, 2, 2)


@pytest.mark.parametrize(("kind", "own"), KINDS)
def test_jacobians_carry_a_cotangent_back_as_gradient_flow_does(kind, own):
    network, inputs, state = made(kind, **own, num_layers=2)
    v = torch.randn(BATCH, SIZE, dtype=torch.float64)
    flow = lx.gradient_flow(network, inputs, initial_state=state, cotangent=v)
    jacobians = lx.step_jacobians(network, inputs, initial_state=state)
    carried = torch.zeros(BATCH, jacobians.shape[-1], dtype=torch.float64)
    carried[:, :SIZE] = v
    for t in range(STEPS, -1, -1):
        norm = carried[:, :SIZE].norm(dim=-1)
        torch.testing.assert_close(10 ** flow.log10_hidden[-1, t], norm, rtol=1e-9, atol=0.0)
        carried = (jacobians[t - 1].mT @ carried.unsqueeze(-1)).squeeze(-1)


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_a_bidirectional_network_has_those_of_both_directions(kind):
    network, inputs, state = made(kind, bidirectional=True)
    found = lx.step_jacobians(network, inputs, initial_state=state)
    for direction, suffix in enumerate(("", "_reverse")):
        alone = kind(FEATURES, SIZE).double()
        weights = {name: getattr(network, f"{name}{suffix}") for name, _ in alone.named_parameters()}
        alone.load_state_dict(weights)
        of_one = tuple(part[[direction]] for part in state) if kind is nn.LSTM else state[[direction]]
        read = inputs.flip(0) if direction else inputs
        expected = lx.step_jacobians(alone, read, initial_state=of_one)
        torch.testing.assert_close(found[direction], expected)


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "mingru", "minlstm"])
def test_batch_is_a_loop_over_samples_and_one_sample_needs_no_axis(name):
    settings = lx.Settings(sequence_length=STEPS, hidden_size=SIZE, batch_size=2, num_layers=2, dtype="float64")
    network, inputs = lx.build_network(name, settings), lx.make_inputs(settings)
    both = lx.step_jacobians(network, inputs)
    for sample in range(2):
        torch.testing.assert_close(both[:, [sample]], lx.step_jacobians(network, inputs[:, sample]))


def test_minimal_networks_have_diagonal_jacobians_of_their_gates():
    settings = lx.Settings(sequence_length=STEPS, hidden_size=SIZE, dtype="float64")
    inputs = lx.make_inputs(settings)
    network = lx.build_network("mingru", settings)
    kept = 1 - lx.unroll(network, inputs).gates.update[0]
    torch.testing.assert_close(lx.step_jacobians(network, inputs), torch.diag_embed(kept))
    network = lx.build_network("minlstm", settings)
    gates = lx.unroll(network, inputs).gates
    kept = gates.forget[0] / (gates.forget[0] + gates.input[0])
    torch.testing.assert_close(lx.step_jacobians(network, inputs), torch.diag_embed(kept))


@pytest.mark.parametrize(("name", "parts"), [("Leaky", 1), ("NormalizedNetwork", 3)])
def test_any_record_is_differentiated_by_its_step(name, parts, monkeypatch):
    own_networks.register(monkeypatch)
    torch.manual_seed(1)
    network = getattr(own_networks, name)(FEATURES, SIZE, num_layers=2, dtype=torch.float64)
    inputs = torch.randn(STEPS, BATCH, FEATURES, dtype=torch.float64)
    found = lx.step_jacobians(network, inputs)
    assert found.shape == (STEPS, BATCH, parts * SIZE, parts * SIZE)
    v = torch.ones(BATCH, SIZE, dtype=torch.float64)
    flow = lx.gradient_flow(network, inputs, cotangent=v)
    carried = torch.cat([v, torch.zeros(BATCH, (parts - 1) * SIZE, dtype=torch.float64)], dim=1)
    for t in range(STEPS, -1, -1):
        norm = carried[:, :SIZE].norm(dim=-1)
        torch.testing.assert_close(10 ** flow.log10_hidden[-1, t], norm, rtol=1e-9, atol=0.0)
        carried = (found[t - 1].mT @ carried.unsqueeze(-1)).squeeze(-1)


def test_what_a_full_cell_shows_keeps_its_digits():
    lstm, inputs, _ = made(nn.LSTM)
    state = (torch.zeros(1, BATCH, SIZE, dtype=torch.float64), torch.full((1, BATCH, SIZE), 60.0, dtype=torch.float64))
    trajectory = lx.unroll(lstm, inputs, state)
    shown = lx.jacobian_blocks(lx.step_jacobians(lstm, inputs, initial_state=state)).hidden_from_cell
    cell, gates = trajectory.cell[0, 1:], trajectory.gates
    expected = gates.output[0] * gates.forget[0] / cell.cosh().square()  # 1 - tanh^2, which the difference loses
    assert expected.min() < 1e-20
    torch.testing.assert_close(shown, torch.diag_embed(expected), rtol=1e-12, atol=0.0)


def test_modes_and_weights_are_left_alone(monkeypatch):
    network, inputs, state = made(nn.LSTM)
    expected = lx.step_jacobians(network, inputs, initial_state=state)
    with torch.inference_mode():
        assert torch.equal(lx.step_jacobians(network, inputs.clone(), initial_state=state), expected)
    assert all(weight.grad is None and weight.requires_grad for weight in network.parameters())
    own_networks.register(monkeypatch)
    with torch.inference_mode():  # of such weights autograd keeps nothing
        network = own_networks.Leaky(FEATURES, SIZE, dtype=torch.float64)
        found = lx.step_jacobians(network, inputs.clone())
    assert torch.equal(lx.step_jacobians(network, inputs), found)


def test_what_does_not_fit_is_refused(monkeypatch):
    network, inputs, _ = made(nn.LSTM)
    packed = nn.utils.rnn.pack_padded_sequence(inputs, [5, 3])
    with pytest.raises(ValueError, match=r"samples of \[5, 3\] steps: expected all of one length"):
        lx.step_jacobians(network, packed)
    monkeypatch.setattr(steps, "LIMIT", 2**10)
    with pytest.raises(
        ValueError, match=r"^5 x 2 Jacobians \(steps x samples\) of 6 x 6 numbers take .* jacobian_flow"
    ):
        lx.step_jacobians(network, inputs)
    monkeypatch.setattr(steps, "LIMIT", 2**9)
    with pytest.raises(ValueError, match=r"^1 x 2 Jacobians .* pass fewer samples at a time\.$"):
        lx.jacobian_flow(network, inputs)


@pytest.mark.parametrize(
    ("jacobians", "hidden_size", "said"),
    [
        (torch.eye(3), None, "a state has 3 numbers: expected those of the hidden state and of the cell state"),
        (torch.eye(4), 4, "hidden_size is 4 and a state has 4 numbers"),
        (torch.ones(4, 3), None, r"jacobians has shape \(4, 3\): expected \(\.\.\., S, S\)"),
        (torch.eye(4, dtype=torch.int64), None, r"jacobians is torch.int64: expected float32 or float64"),
    ],
)
def test_blocks_of_what_has_none_are_refused(jacobians, hidden_size, said):
    with pytest.raises(ValueError, match=said):
        lx.jacobian_blocks(jacobians, hidden_size=hidden_size)


def test_a_step_without_a_derivative_is_named(monkeypatch):
    def rooted(weights, h, x):
        return h.square().sqrt() + x.sum(), own_networks.LeakyGates(h, h)

    monkeypatch.setattr(own_networks, "LEAKY", dataclasses.replace(own_networks.LEAKY, step=rooted))
    own_networks.register(monkeypatch)
    with pytest.raises(ValueError, match="the Jacobian of step 1 is not finite: expected a step that can be"):
        lx.step_jacobians(own_networks.Leaky(FEATURES, SIZE), torch.ones(3, 1, FEATURES))
