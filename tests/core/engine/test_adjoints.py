"""The linear recurrences against the same recurrences in Python's exact fractions, step by step."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from test_scaled import exact, log10_of
from torch import nn

from lstm_explorer.core.architectures import Parameters
from lstm_explorer.core.engine.compiled_networks import slope_of_hidden
from lstm_explorer.core.engine.engines import engine_of
from lstm_explorer.core.engine.layers import LayerStates, Request, Upstream
from lstm_explorer.core.engine.scaled import Scaled, log10_norm

T, B, H, I = 24, 2, 3, 2  # noqa: E741 - features of the input, as everywhere
RNG = np.random.default_rng


def backward(network, weights, layer, upstream, *wanted, cut=False):
    return engine_of(network).backward(weights, layer, [Request(upstream, wanted, cut)])[0]


def _signal(seed, exponents, *, positive=False):
    """Return what enters at each step; ``exponents`` are powers of two, None for exact zeros."""
    mantissa = RNG(seed).standard_normal((len(exponents), B, H))
    mantissa[[e is None for e in exponents]] = 0.0
    mantissa = np.abs(mantissa) if positive else mantissa
    power = np.repeat(np.array([e or 0 for e in exponents], dtype=np.int64)[:, None], B, axis=1)
    return Upstream(Scaled(mantissa[-1], power[-1]), Scaled(mantissa, power))


def _at_the_end(*lead):
    return Upstream(Scaled(np.ones((*lead, B, H)), np.zeros((*lead, B), dtype=np.int64)), None)


def _parameters(weight_ih, weight_hh, dtype=torch.float64):
    zeros = torch.zeros(len(weight_hh), dtype=dtype)
    return Parameters(torch.from_numpy(weight_ih).to(dtype), torch.from_numpy(weight_hh).to(dtype), zeros, zeros)


def _layer(steps=T, *, gates=None, cell=None, hidden=None):
    return LayerStates(torch.from_numpy(np.zeros((steps + 1, B, H)) if hidden is None else hidden), cell, gates)


def _fractions(array):
    return np.vectorize(lambda x: Fraction(float(x)), otypes=[object])(array)


def _enters(upstream, sample):
    """Return what enters one sample at each step as fractions."""
    return [np.array([exact(m, e[sample]) for m in row[sample]]) for row, e in zip(*upstream.steps, strict=True)]


def _log10_norms(path):
    return [log10_of(sum(d * d for d in step)) / 2 for step in path]


# Where the gradient stands against what enters: level, steadily above or below, and jumps of hundreds of orders.
SIGNALS = {
    "only at the end": [None] * T + [0],
    "every step alike": [0] * (T + 1),
    "zeros between": [None if t % 3 else 0 for t in range(T)] + [0],
    "one far larger (10^600)": [2000 if t == 17 else None for t in range(T)] + [0],
    "one far smaller (10^-600)": [-2000 if t == 17 else None for t in range(T)] + [0],
    "larger each step (10^15)": [50 * (T - t) for t in range(T)] + [0],
    "smaller each step (10^-15)": [-50 * (T - t) for t in range(T)] + [0],
    "nothing at the end": [0 if t == 11 else None for t in range(T)] + [None],
    "to and fro (10^600)": [(-2000, 0, 2000)[t % 3] for t in range(T)] + [0],
}


def _exact_lstm(gates, cell, weights, upstream, sample, *, alone=False):
    """Return the hidden, cell and input gradients of one sample as fractions, by the equations of the recurrence."""
    i, f, g, o = (_fractions(gate[:, sample]) for gate in gates)
    c = _fractions(cell[:, sample])
    slope, tanh_cell = (_fractions(part[:, sample]) for part in slope_of_hidden(gates[3], cell[1:]))
    w_ih, w_hh = (_fractions(weight.numpy()) for weight in weights[:2])
    enters = _enters(upstream, sample)
    hidden, cells, inputs, along = [enters[-1]], [], [], _fractions(np.zeros(H))
    for t in range(T - 1, -1, -1):
        dc, dh = along + slope[t] * hidden[-1], hidden[-1]
        of_gates = (
            dc * g[t] * i[t] * (1 - i[t]),
            dc * c[t] * f[t] * (1 - f[t]),
            dc * i[t] * (1 - g[t] ** 2),
            dh * tanh_cell[t] * o[t] * (1 - o[t]),
        )
        delta = np.concatenate(of_gates)
        cells.append(dc)
        inputs.append(delta @ w_ih)
        hidden.append(enters[t] + (0 if alone else delta @ w_hh))
        along = f[t] * dc
    return hidden[::-1], [along, *cells[::-1]], inputs[::-1]


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize("scale", [1e-60, 1.0, 1e60])
@pytest.mark.parametrize("name", SIGNALS)
def test_lstm_is_exact_at_every_scale(name, scale, alone):
    rng = RNG(4)
    # All positive, so that nothing cancels and 1e-12 is a fair demand.
    gates, cell = rng.uniform(0.05, 0.95, (4, T, B, H)), rng.uniform(0.1, 2.0, (T + 1, B, H))
    weights = _parameters(scale * rng.uniform(0.1, 1.0, (4 * H, I)), scale * rng.uniform(0.1, 1.0, (4 * H, H)))
    upstream = _signal(5, SIGNALS[name], positive=True)
    back = backward(nn.LSTM(I, H), weights, _layer(gates=gates, cell=cell), upstream, "inputs", cut=alone)
    for sample in range(B):
        *states, inputs = _exact_lstm(gates, cell, weights, upstream, sample, alone=alone)
        for state, expected in list(zip(("hidden", "cell"), states, strict=True))[
            alone:
        ]:  # alone, only the cell counts
            measured = back.log10_states[state][:, sample]
            np.testing.assert_allclose(measured, _log10_norms(expected), rtol=1e-13, atol=1e-12)
        np.testing.assert_allclose(log10_norm(back.inputs)[:, sample], _log10_norms(inputs), rtol=1e-13, atol=1e-12)


@pytest.mark.parametrize("gate", [1e-30, 1e-5, 0.7, 1.0])
def test_cell_path_is_the_product_of_forget_gates(gate):
    gates = RNG(0).uniform(0.5, 1.0, (4, T, B, H))
    gates[1] *= gate
    weights = _parameters(np.ones((4 * H, I)), np.ones((4 * H, H)))
    layer = _layer(gates=gates, cell=np.zeros((T + 1, B, H)))
    path = backward(nn.LSTM(I, H), weights, layer, _at_the_end(), cut=True)
    for sample in range(B):
        kept = [_fractions(gates[3, -1, sample])]  # the cell is 0, so all of it is shown
        for forget in gates[1, ::-1, sample]:
            kept.append(_fractions(forget) * kept[-1])
        np.testing.assert_allclose(path.log10_states["cell"][::-1, sample], _log10_norms(kept), rtol=1e-13, atol=1e-12)


@pytest.mark.parametrize("gain", [1e-120, 1e-30, 1.0, 1e30, 1e120])
@pytest.mark.parametrize("name", SIGNALS)
def test_rnn_is_exact_at_every_scale(name, gain):
    rng = RNG(2)
    hidden = rng.uniform(-0.9, 0.9, (T + 1, B, H))
    weight = gain * rng.uniform(0.1, 1.0, (H, H))  # no cancellation, so that 1e-12 is a fair demand
    upstream = _signal(1, SIGNALS[name], positive=True)
    back = backward(nn.RNN(H, H), _parameters(np.eye(H), weight), _layer(hidden=hidden), upstream)
    slope, w = _fractions(1.0 - hidden[1:] ** 2), _fractions(weight)
    for sample in range(B):
        enters = _enters(upstream, sample)
        path = [enters[-1]]
        for t in range(T, 0, -1):
            path.append((slope[t - 1, sample] * path[-1]) @ w + enters[t - 1])
        np.testing.assert_allclose(
            back.log10_states["hidden"][::-1, sample], _log10_norms(path), rtol=1e-13, atol=1e-12
        )


@pytest.mark.parametrize("steps", [1, 2, 127, 128, 129, 300])
def test_windows_of_any_length_join_seamlessly(steps):
    rng = RNG(0)
    hidden = rng.uniform(0.5, 0.9, (steps + 1, B, H))
    weight = np.diag([0.01, 0.02, 0.03])  # two orders a step: past the range of a window
    back = backward(nn.RNN(H, H), _parameters(np.eye(H), weight), _layer(hidden=hidden), _at_the_end())
    factors = np.log10((1.0 - hidden[1:] ** 2) * np.diag(weight))
    products = np.concatenate([np.cumsum(factors[::-1], axis=0)[::-1], np.zeros((1, B, H))])
    largest = products.max(axis=-1, keepdims=True)
    expected = largest[..., 0] + 0.5 * np.log10((10 ** (2 * (products - largest))).sum(axis=-1))
    np.testing.assert_allclose(back.log10_states["hidden"], expected, rtol=1e-12, atol=1e-12)


# Weights at the ends of float32's range, and gates that go beyond it together with them.
@pytest.mark.parametrize(
    ("scale", "gate", "scale_ih"), [(0.5, 1.0, 1.0), (1e37, 2.5e-37, 1.0), (1e-38, 1.0, 1e36), (0.5, 1e-18, 1e36)]
)
def test_products_of_a_float32_network_are_made_in_float64(scale, gate, scale_ih):
    rng = RNG(8)
    gates, cell = gate * rng.uniform(0.05, 0.95, (4, T, B, H)), rng.uniform(0.1, 2.0, (T + 1, B, H))
    weight_ih, weight_hh = scale_ih * rng.uniform(0.1, 1.0, (4 * H, I)), scale * rng.uniform(0.1, 1.0, (4 * H, H))
    narrow = _parameters(weight_ih, weight_hh, torch.float32)
    backs = [
        backward(nn.LSTM(I, H), weights, _layer(gates=gates, cell=cell), _at_the_end(), "inputs")
        for weights in (narrow, narrow.map(torch.Tensor.double))
    ]
    for name in ("hidden", "cell"):
        np.testing.assert_array_equal(*(back.log10_states[name] for back in backs))
    np.testing.assert_array_equal(*(log10_norm(back.inputs) for back in backs))


def test_what_enters_far_smaller_does_not_cost_the_cell_its_gradient():
    # With weights of 0 the hidden gradient is exactly 0 but where something enters, and the cell lives on beside it.
    rng = RNG(4)
    gates, cell = rng.uniform(0.5, 0.95, (4, T, B, H)), rng.uniform(0.1, 2.0, (T + 1, B, H))
    upstream = _signal(5, [-2000] + [None] * (T - 1) + [0])  # 10^-600, where two runs meet
    weights = _parameters(np.zeros((4 * H, I)), np.zeros((4 * H, H)))
    back = backward(nn.LSTM(I, H), weights, _layer(gates=gates, cell=cell), upstream, "states")
    expected = slope_of_hidden(gates[3][-1], cell[-1])[0] * upstream.final.mantissa * np.prod(gates[1], axis=0)
    mantissa, exponent = back.states["cell"]
    np.testing.assert_allclose(np.ldexp(mantissa[0], exponent[0][:, None]), expected, rtol=1e-12)


def test_the_slope_of_hidden_is_a_central_difference():
    output, cell, eps = RNG(6).uniform(size=(T, B, H)), RNG(7).standard_normal((T, B, H)), 1e-6
    slope, tanh_cell = slope_of_hidden(output, cell)
    difference = output * (np.tanh(cell + eps) - np.tanh(cell - eps)) / (2 * eps)
    np.testing.assert_allclose(slope, difference, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(tanh_cell, np.tanh(cell), rtol=1e-14)


# --- replicas ------------------------------------------------------------------------------------------------------


# Only the LSTM's cuts share their states.
@pytest.mark.parametrize(("kind", "shared"), [(nn.RNN, False), (nn.GRU, False), (nn.LSTM, False), (nn.LSTM, True)])
def test_replicas_are_their_runs_one_by_one(kind, shared):
    rng, replicas = RNG(7), 2
    blocks = {nn.RNN: 1, nn.GRU: 3, nn.LSTM: 4}[kind]
    weights = Parameters(
        torch.from_numpy(rng.standard_normal((replicas, blocks * H, I))),
        torch.from_numpy(rng.standard_normal((replicas, blocks * H, H))),
        *torch.zeros(2, replicas, blocks * H, dtype=torch.float64),
    )
    hidden = rng.uniform(-0.9, 0.9, (T + 1, replicas, B, H))
    gates = rng.uniform(0.05, 0.95, (blocks, T, replicas, B, H))
    if shared:
        hidden, gates = hidden[:, :1].repeat(replicas, 1), gates[:, :, :1].repeat(replicas, 2)

    def layer(r):
        states = np.ascontiguousarray(hidden[:, r])
        cell = states if kind is nn.LSTM else None
        return LayerStates(
            torch.from_numpy(states), cell, None if blocks == 1 else np.ascontiguousarray(gates[:, :, r])
        )

    network, asked = kind(I, H), ("states", "inputs", "preactivations")
    together = backward(
        network, weights, layer(0 if shared else slice(None)), _at_the_end(*[replicas] * (not shared)), *asked
    )
    for r in range(replicas):
        alone = backward(network, weights.map(lambda weight, r=r: weight[r]), layer(r), _at_the_end(), *asked)
        ours, theirs = _by_name(together), _by_name(alone)
        assert len(theirs) == (6 if kind is nn.LSTM else 4)
        for name, expected in theirs.items():
            np.testing.assert_allclose(ours[name][:, r], expected, rtol=1e-10, atol=1e-10)


def _by_name(back):
    """Return all norms of a backward pass by name."""
    vectors = {**back.states, "inputs": back.inputs, "preactivations": back.preactivations}
    norms = {f"log10 {name}": norms for name, norms in back.log10_states.items()}
    return {**norms, **{name: log10_norm(vector) for name, vector in vectors.items()}}
