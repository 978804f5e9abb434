"""The generic engine: networks of only a record against autograd, PyTorch's own against their compiled twins."""

import math
from dataclasses import fields

import numpy as np
import own_networks
import pytest
import torch
from own_networks import Leaky, NormalizedNetwork
from torch import nn

import lstm_explorer as lx
from lstm_explorer.core import architectures
from lstm_explorer.core.biases import sweeps
from lstm_explorer.core.checks import check_given
from lstm_explorer.core.engine import engines, generic_engine
from lstm_explorer.core.engine.engines import engine_of
from lstm_explorer.core.engine.generic_engine import GenericEngine
from lstm_explorer.core.engine.layers import LayerStates, Request, at_loss
from lstm_explorer.core.engine.scaled import log10_norm
from lstm_explorer.core.engine.trajectory import unroll_given
from lstm_explorer.core.gradients import seeds

T, B, H, I = 17, 2, 5, 3  # noqa: E741 - features of the input, as everywhere
# both sides add up T products of H terms
TIGHT = {"rtol": 1e-9, "atol": 1e-12}


@pytest.fixture(autouse=True)
def _own_networks(monkeypatch):
    own_networks.register(monkeypatch)


@pytest.fixture
def only_generic(monkeypatch):
    """Return a function that takes the compiled engines away."""
    return lambda: monkeypatch.setattr(engines, "COMPILED", {})


def _own(module, layers=1, dtype=torch.float64):
    torch.manual_seed(5)
    network = module(I, H, layers, dtype=torch.float64).to(dtype)
    count = len(architectures.architecture_of(network).states)
    state = tuple(torch.rand(layers, B, H, dtype=torch.float64).to(dtype) for _ in range(count))
    inputs, cotangent = torch.randn(T, B, I, dtype=torch.float64), torch.randn(B, H, dtype=torch.float64)
    return network, inputs.to(dtype), state, cotangent.to(dtype)


# --- networks of our own --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["last", "every"])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("module", [Leaky, NormalizedNetwork])
def test_agrees_with_autograd_through_its_steps(module, layers, loss):
    network, inputs, state, cotangent = _own(module, layers)
    states, of_inputs, _ = own_networks.by_autograd(network, inputs, state, cotangent, loss=loss)
    flow = lx.gradient_flow(network, inputs, cotangent=cotangent, initial_state=state, loss=loss, units=True)
    assert isinstance(engine_of(network), GenericEngine)
    torch.testing.assert_close(10**flow.log10_hidden, states["hidden"], **TIGHT)
    torch.testing.assert_close(10**flow.log10_inputs, of_inputs, **TIGHT)
    torch.testing.assert_close((10**flow.log10_hidden_units).norm(dim=-1), states["hidden"], **TIGHT)
    if module is Leaky:
        assert flow.log10_cell is flow.log10_cell_path is flow.log10_cell_units is None
        return
    torch.testing.assert_close(10**flow.log10_cell, states["cell"], **TIGHT)
    torch.testing.assert_close((10**flow.log10_cell_units).norm(dim=-1), states["cell"], **TIGHT)
    alone, *_ = own_networks.by_autograd(network, inputs, state, cotangent, loss=loss, cut=True)
    torch.testing.assert_close(10**flow.log10_cell_path, alone["cell"], **TIGHT)


@pytest.mark.parametrize("module", [Leaky, NormalizedNetwork])
def test_preactivations_are_what_a_bias_of_every_step_gets(module):
    network, inputs, state, cotangent = _own(module)
    *_, sums = own_networks.by_autograd(network, inputs, state, cotangent)
    (layer,) = unroll_given(check_given(network, inputs, state))
    request = Request(at_loss(layer.hidden, cotangent, "last"), ("preactivations",))
    weights = architectures.layer_parameters(network, 0)
    (back,) = engine_of(network).backward(weights, layer, [request])
    torch.testing.assert_close(10 ** torch.from_numpy(log10_norm(back.preactivations)), sums, **TIGHT)
    assert back.inputs is None
    assert back.states == {}


@pytest.mark.parametrize("module", [Leaky, NormalizedNetwork])
def test_trajectory_is_the_steps_one_by_one(module):
    network, inputs, state, _ = _own(module, 2)
    record = architectures.architecture_of(network)
    trajectory = lx.unroll(network, inputs, state)
    assert trajectory.architecture == record.name
    below = inputs
    for layer in range(2):
        now = [part[layer] for part in state]
        for t in range(T):
            before = own_networks.Normalized(*now) if module is NormalizedNetwork else now[0]
            after, gates = record.step(architectures.layer_parameters(network, layer), before, below[t])
            now = after if module is NormalizedNetwork else (after,)
            torch.testing.assert_close(trajectory.hidden[layer, t + 1], now[0].detach(), rtol=0, atol=1e-14)
            if module is NormalizedNetwork:
                torch.testing.assert_close(trajectory.cell[layer, t + 1], now[2].detach(), rtol=0, atol=1e-14)
            for name, gate in gates._asdict().items():
                measured = getattr(trajectory.gates, name)[layer, t]
                torch.testing.assert_close(measured, gate.detach(), rtol=0, atol=1e-14)
        below = trajectory.hidden[layer, 1:]
    assert (trajectory.cell is None) == (module is Leaky)


@pytest.mark.parametrize("module", [Leaky, NormalizedNetwork])
def test_float32_is_measured_at_its_own_states_in_float64(module):
    network, inputs, state, cotangent = _own(module, 2, torch.float32)
    flow = lx.gradient_flow(network, inputs, cotangent=cotangent, initial_state=state)
    assert flow.log10_hidden.dtype == torch.float32
    double = tuple(part.double() for part in state)
    twin = lx.gradient_flow(network.double(), inputs.double(), cotangent=cotangent.double(), initial_state=double)
    # 17 steps of float32 rounding in the forward pass
    torch.testing.assert_close(flow.log10_hidden.double(), twin.log10_hidden, rtol=0, atol=1e-4)
    torch.testing.assert_close(flow.log10_inputs.double(), twin.log10_inputs, rtol=0, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_resting_network_falls_past_the_float_range(dtype):
    network = Leaky(1, 2, dtype=dtype)
    for weight in network.parameters():
        nn.init.zeros_(weight)
    with torch.no_grad():
        network.bias_ih_l0[:2] = -4.0
    flow = lx.gradient_flow(network, torch.zeros(1000, 1, 1, dtype=dtype))
    expected = 1000 * math.log10(torch.sigmoid(torch.tensor(-4.0, dtype=torch.float64)).item())
    assert expected < -1740
    assert (flow.log10_hidden[0, 0, 0] - flow.log10_hidden[0, -1, 0]).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_it_measures_where_gradients_are_switched_off(context):
    network, inputs, state, cotangent = _own(NormalizedNetwork, 2)
    expected = lx.gradient_flow(network, inputs, cotangent=cotangent, initial_state=state)
    with context():
        flow = lx.gradient_flow(network, inputs.clone(), cotangent=cotangent.clone(), initial_state=state)
    torch.testing.assert_close(flow.log10_cell_path, expected.log10_cell_path, rtol=0, atol=0)
    assert all(weight.grad is None for weight in network.parameters())


def test_forward_overflow_names_the_first_bad_step():
    network = NormalizedNetwork(1, 1)
    for weight in network.parameters():
        nn.init.zeros_(weight)
    state = (torch.zeros(1, 1, 1), torch.full((1, 1, 1), -1.0), torch.ones(1, 1, 1))
    with torch.no_grad():
        network.bias_ih_l0[1:] = 40.0  # the normalizer stays -1, and the hidden state is c / 0
    with pytest.raises(ValueError, match=r"left the range of float32 at step 1 of 3"):
        lx.gradient_flow(network, torch.zeros(3, 1, 1), initial_state=state)


@pytest.mark.parametrize("module", [Leaky, NormalizedNetwork])
def test_what_is_refused_is_refused_in_the_same_words(module):
    network, inputs, state, _ = _own(module)
    lstm, count = nn.LSTM(I, H).double(), len(state)

    def messages(change):
        found = []
        for one in (network, lstm):
            with pytest.raises(ValueError, match=r"expected") as caught:
                change(one)
            found.append(str(caught.value))
        return found

    assert len(set(messages(lambda one: lx.gradient_flow(one, inputs[0, 0])))) == 1
    assert len(set(messages(lambda one: lx.gradient_flow(one, inputs.float())))) == 1
    assert len(set(messages(lambda one: lx.gradient_flow(one, inputs, cotangent=torch.ones(9))))) == 1
    with torch.no_grad():
        network.bias_ih_l0[0] = lstm.bias_ih_l0[0] = math.nan
    assert len(set(messages(lambda one: lx.gradient_flow(one, inputs)))) == 1
    expected = "h_0, one tensor" if count == 1 else r"\(h_0, n_0, c_0\), three tensors"
    with pytest.raises(ValueError, match=expected):
        lx.gradient_flow(_own(module)[0], inputs, initial_state=(state[0],) * 2)


@pytest.mark.parametrize("loss", ["last", "every"])
@pytest.mark.parametrize("module", [Leaky, NormalizedNetwork])
def test_replicas_are_their_runs_one_by_one(monkeypatch, module, loss):
    def build(architecture, settings):
        torch.manual_seed(settings.seed)
        return module(settings.features, settings.hidden_size, settings.num_layers, dtype=torch.float64)

    monkeypatch.setattr(seeds, "build_network", build)
    settings = lx.Settings(
        sequence_length=9, hidden_size=4, num_layers=2, batch_size=2, num_seeds=3, dtype="float64", loss=loss
    )
    together = lx.seed_flows(settings, architecture="own", units=True)
    for r in range(3):
        single = settings.replace(seed=r, num_seeds=1)
        alone = lx.gradient_flow(build("own", single), lx.make_inputs(single), loss=loss, units=True)
        _assert_same_flow(alone, together, lambda tensor, r=r: tensor[r], count=3 if module is Leaky else 6)


@pytest.mark.parametrize("module", [Leaky, NormalizedNetwork])
def test_preactivations_of_replicas_are_their_own(module):
    torch.manual_seed(1)
    networks = [module(I, H, dtype=torch.float64) for _ in range(3)]
    inputs = torch.randn(T, B, I, dtype=torch.float64)
    weights = [architectures.layer_parameters(network, 0) for network in networks]
    layers = [unroll_given(check_given(network, inputs))[0] for network in networks]
    engine, wanted = engine_of(networks[0]), ("inputs", "preactivations")

    def measured(weights, layer):
        request = Request(at_loss(layer.hidden, torch.ones((), dtype=torch.float64), "every"), wanted)
        (back,) = engine.backward(weights, layer, [request])
        return log10_norm(back.inputs), log10_norm(back.preactivations)

    stacked = architectures.Parameters.stacked(weights)
    together = measured(stacked, LayerStates.stacked(layers))
    for r in range(3):
        for ours, theirs in zip(together, measured(weights[r], layers[r]), strict=True):
            np.testing.assert_allclose(ours[:, r], theirs, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("module", [Leaky, NormalizedNetwork])
def test_entry_of_a_map_is_a_network_with_that_bias(module):
    network, inputs, *_ = _own(module, 2)
    record, biases = architectures.architecture_of(network), (-2.0, 0.5, 3.0)
    gate = record.memory_gate.name
    found = sweeps._swept(
        check_given(network, inputs), (gate,), torch.tensor(biases, dtype=torch.float64)[:, None], "every"
    )
    rows = slice(H * record.blocks.index(gate), H * (record.blocks.index(gate) + 1))
    for n, bias in enumerate(biases):
        other = _own(module, 2)[0]
        with torch.no_grad():
            for layer in range(2):
                getattr(other, f"bias_ih_l{layer}")[rows] += bias
        flow = lx.gradient_flow(other, inputs, loss="every")
        for name in ("log10_hidden", "log10_cell", "log10_cell_path"):
            if getattr(flow, name) is not None:
                torch.testing.assert_close(getattr(found, name)[n, 0], getattr(flow, name)[-1], rtol=1e-10, atol=1e-10)
    assert (found.log10_cell is None) == (module is Leaky)


# --- where no gate reads the hidden state ---------------------------------------------------------------------------

ELEMENTWISE = [record.name for record in architectures.ARCHITECTURES.values() if not record.recurrent]


@pytest.fixture
def step_by_step(monkeypatch):
    """Return a function that gives every step its own graph and its whole Jacobian."""

    def linearized(self, wide, layer, lead, run):
        return self._linearized(wide, layer, lead, 0, run)

    return lambda: monkeypatch.setattr(GenericEngine, "_elementwise", linearized)


@pytest.mark.parametrize("loss", ["last", "every"])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_factor_per_unit_is_all_of_the_jacobian(monkeypatch, step_by_step, name, loss):
    monkeypatch.setattr(generic_engine, "window_of", lambda numbers: 5)  # of 17 steps
    torch.manual_seed(3)
    network = architectures.ARCHITECTURES[name].module(I, H, 2).double()
    for weight in network.parameters():
        nn.init.normal_(weight, std=0.8)
    inputs, cotangent = torch.randn(T, B, I, dtype=torch.float64), torch.randn(B, H, dtype=torch.float64)
    arguments = {"cotangent": cotangent, "loss": loss, "units": True}
    state = torch.randn(2, B, H, dtype=torch.float64).requires_grad_()
    flow = lx.gradient_flow(network, inputs, initial_state=state, **arguments)
    outputs = network(inputs, state)[0]
    ((cotangent * (outputs[-1] if loss == "last" else outputs.sum(0))).sum()).backward()
    torch.testing.assert_close(10 ** flow.log10_hidden_units[:, 0], state.grad.abs(), **TIGHT)
    step_by_step()
    _assert_same_flow(lx.gradient_flow(network, inputs, initial_state=state, **arguments), flow, count=3)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_replicas_and_maps_of_a_factor_per_unit(monkeypatch, step_by_step, name):
    monkeypatch.setattr(generic_engine, "window_of", lambda numbers: 5)  # of 11 steps
    gate = architectures.ARCHITECTURES[name].memory_gate.name

    def measured():
        found = lx.bias_map(SETTINGS, gate=gate, biases=(-1, 0, 2), architecture=name)
        return lx.seed_flows(SETTINGS, architecture=name, units=True), found

    ours = measured()
    step_by_step()
    for one, other in zip(measured(), ours, strict=True):
        _assert_same_flow(one, other)


# --- PyTorch's own, without their compiled functions ----------------------------------------------------------------

KINDS = [
    pytest.param(nn.RNN, {"nonlinearity": "tanh"}, id="tanh"),
    pytest.param(nn.RNN, {"nonlinearity": "relu"}, id="relu"),
    pytest.param(nn.LSTM, {}, id="lstm"),
    pytest.param(nn.GRU, {}, id="gru"),
]
SETTINGS = lx.Settings(
    sequence_length=11, hidden_size=4, input_size=3, num_layers=2, batch_size=2, num_seeds=2, dtype="float64",
    forget_bias=1, update_bias=0.5, candidate_bias=0.3, recurrent_gain=2,
)  # fmt: skip


def _assert_same_flow(one, other, change=lambda tensor: tensor, count=None):
    compared = [field.name for field in fields(one) if isinstance(getattr(one, field.name), torch.Tensor)]
    assert count is None or len(compared) == count
    for name in compared:
        torch.testing.assert_close(change(getattr(other, name)), getattr(one, name), rtol=1e-10, atol=1e-9)


@pytest.mark.parametrize("loss", ["last", "every"])
@pytest.mark.parametrize(("kind", "extra"), KINDS)
def test_flow_and_trajectory_are_those_of_the_compiled_twin(only_generic, kind, extra, loss):
    torch.manual_seed(0)
    network = kind(I, H, num_layers=2, **extra).double()
    for weight in network.parameters():
        nn.init.normal_(weight, std=0.6)
    inputs, cotangent = torch.randn(150, B, I, dtype=torch.float64), torch.randn(B, H, dtype=torch.float64)
    state = tuple(torch.randn(2, B, H, dtype=torch.float64) for _ in range(2))
    state = state if kind is nn.LSTM else state[0]
    arguments = {"cotangent": cotangent, "initial_state": state, "loss": loss, "units": True}
    compiled, trajectory = lx.gradient_flow(network, inputs, **arguments), lx.unroll(network, inputs, state)
    only_generic()
    assert isinstance(engine_of(network), GenericEngine)
    _assert_same_flow(compiled, lx.gradient_flow(network, inputs, **arguments), count=6 if kind is nn.LSTM else 3)
    twin = lx.unroll(network, inputs, state)
    torch.testing.assert_close(twin.hidden, trajectory.hidden, rtol=1e-10, atol=1e-12)
    if kind is nn.LSTM:
        torch.testing.assert_close(twin.cell, trajectory.cell, rtol=1e-10, atol=1e-12)
    if trajectory.gates:
        torch.testing.assert_close(tuple(twin.gates), tuple(trajectory.gates), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("architecture", ["rnn", "lstm", "gru"])
def test_seeds_and_weights_are_those_of_the_compiled_twin(only_generic, architecture):
    flow = lx.seed_flows(SETTINGS, architecture=architecture, units=True)
    steps = lx.step_contributions(SETTINGS, architecture=architecture)
    only_generic()
    _assert_same_flow(flow, lx.seed_flows(SETTINGS, architecture=architecture, units=True))
    twin = lx.step_contributions(SETTINGS, architecture=architecture)
    torch.testing.assert_close(twin.total, steps.total, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("architecture", "gate"), [("lstm", "forget"), ("lstm", "output"), ("gru", "update")])
def test_maps_are_those_of_the_compiled_twin(only_generic, architecture, gate):
    def maps():
        one = lx.bias_map(SETTINGS, gate=gate, biases=(-1, 0, 2), architecture=architecture)
        lengths = lx.length_map(SETTINGS, gate=gate, biases=(0, 2), lengths=(3, 7), architecture=architecture)
        gates = (gate, "candidate")
        both = lx.two_gate_map(SETTINGS, gates=gates, biases=((0, 1), (-1, 1)), lag=5, architecture=architecture)
        return one, lengths, both

    expected = maps()
    only_generic()
    for found, twin in zip(maps(), expected, strict=True):
        _assert_same_flow(twin, found)


def test_biases_of_a_network_without_gates(only_generic):
    rnn, biases = nn.RNN(I, H).double(), torch.tensor([[-1.0], [0.5]], dtype=torch.float64)
    inputs = torch.randn(T, B, I, dtype=torch.float64)
    found = sweeps._swept(check_given(rnn, inputs), ("hidden",), biases, "last")
    only_generic()
    twin = sweeps._swept(check_given(rnn, inputs), ("hidden",), biases, "last")
    torch.testing.assert_close(found.log10_hidden, twin.log10_hidden, rtol=1e-10, atol=1e-10)
    assert (found.log10_hidden[0] - found.log10_hidden[1]).abs().max() > 0.1
