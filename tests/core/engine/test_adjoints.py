"""The linear recurrences against the same recurrences in Python's exact fractions, step by step."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from test_scaled import exact, log10_of
from torch import nn

from lstm_explorer.core.architectures import Parameters
from lstm_explorer.core.engine.backward import Outside, backward, cell_exposed, total_and_cell_path
from lstm_explorer.core.engine.scaled import Scaled, log10_norm
from lstm_explorer.core.engine.trajectory import LayerStates

T, B, H, I = 24, 2, 3, 2  # noqa: E741 - features of the input, as everywhere
RNG = np.random.default_rng


def _signal(seed, exponents, *, positive=False):
    """Return what enters at each step; ``exponents`` are powers of two, None for exact zeros."""
    mantissa = RNG(seed).standard_normal((len(exponents), B, H))
    mantissa[[e is None for e in exponents]] = 0.0
    mantissa = np.abs(mantissa) if positive else mantissa
    power = np.repeat(np.array([e or 0 for e in exponents], dtype=np.int64)[:, None], B, axis=1)
    return Outside(Scaled(mantissa[-1], power[-1]), Scaled(mantissa, power))


def _at_the_end(*lead):
    return Outside(Scaled(np.ones((*lead, B, H)), np.zeros((*lead, B), dtype=np.int64)), None)


def _parameters(weight_ih, weight_hh, dtype=torch.float64):
    zeros = torch.zeros(len(weight_hh), dtype=dtype)
    return Parameters(torch.from_numpy(weight_ih).to(dtype), torch.from_numpy(weight_hh).to(dtype), zeros, zeros)


def _layer(steps=T, *, gates=None, cell=None, hidden=None):
    return LayerStates(torch.from_numpy(np.zeros((steps + 1, B, H)) if hidden is None else hidden), cell, gates)


def _fractions(array):
    return np.vectorize(lambda x: Fraction(float(x)), otypes=[object])(array)


def _enters(outside, sample):
    """Return what enters one sample at each step as fractions."""
    return [np.array([exact(m, e[sample]) for m in row[sample]]) for row, e in zip(*outside.steps, strict=True)]


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


def _exact_lstm(gates, cell, weights, outside, sample, *, alone=False):
    """Return the hidden, cell and input gradients of one sample as fractions, by the equations of the recurrence."""
    i, f, g, o = (_fractions(gate[:, sample]) for gate in gates)
    c = _fractions(cell[:, sample])
    exposed, shown = (_fractions(part[:, sample]) for part in cell_exposed(gates[3], cell[1:]))
    w_ih, w_hh = (_fractions(weight.numpy()) for weight in weights[:2])
    enters = _enters(outside, sample)
    hidden, cells, inputs, along = [enters[-1]], [], [], _fractions(np.zeros(H))
    for t in range(T - 1, -1, -1):
        dc, dh = along + exposed[t] * hidden[-1], hidden[-1]
        of_gates = (
            dc * g[t] * i[t] * (1 - i[t]),
            dc * c[t] * f[t] * (1 - f[t]),
            dc * i[t] * (1 - g[t] ** 2),
            dh * shown[t] * o[t] * (1 - o[t]),
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
    outside = _signal(5, SIGNALS[name], positive=True)
    asked = (outside, ["inputs"])
    back = total_and_cell_path(nn.LSTM(I, H), weights, _layer(gates=gates, cell=cell), asked, asked)[alone]
    for sample in range(B):
        *states, inputs = _exact_lstm(gates, cell, weights, outside, sample, alone=alone)
        for state, expected in list(enumerate(states))[alone:]:  # by the cell alone, the cell is what counts
            measured = back.log10_states[:, state, sample]
            np.testing.assert_allclose(measured, _log10_norms(expected), rtol=1e-13, atol=1e-12)
        np.testing.assert_allclose(log10_norm(back.inputs)[:, sample], _log10_norms(inputs), rtol=1e-13, atol=1e-12)


@pytest.mark.parametrize("gate", [1e-30, 1e-5, 0.7, 1.0])
def test_cell_path_is_the_product_of_forget_gates(gate):
    gates = RNG(0).uniform(0.5, 1.0, (4, T, B, H))
    gates[1] *= gate
    weights = _parameters(np.ones((4 * H, I)), np.ones((4 * H, H)))
    layer, asked = _layer(gates=gates, cell=np.zeros((T + 1, B, H))), (_at_the_end(), ())
    _, path = total_and_cell_path(nn.LSTM(I, H), weights, layer, asked, asked)
    for sample in range(B):
        kept = [_fractions(gates[3, -1, sample])]  # the cell is 0, so all of it is shown
        for forget in gates[1, ::-1, sample]:
            kept.append(_fractions(forget) * kept[-1])
        np.testing.assert_allclose(path.log10_states[::-1, 1, sample], _log10_norms(kept), rtol=1e-13, atol=1e-12)


@pytest.mark.parametrize("gain", [1e-120, 1e-30, 1.0, 1e30, 1e120])
@pytest.mark.parametrize("name", SIGNALS)
def test_rnn_is_exact_at_every_scale(name, gain):
    rng = RNG(2)
    hidden = rng.uniform(-0.9, 0.9, (T + 1, B, H))
    weight = gain * rng.uniform(0.1, 1.0, (H, H))  # no cancellation, so that 1e-12 is a fair demand
    outside = _signal(1, SIGNALS[name], positive=True)
    back = backward(nn.RNN(H, H), _parameters(np.eye(H), weight), _layer(hidden=hidden), outside)
    slope, w = _fractions(1.0 - hidden[1:] ** 2), _fractions(weight)
    for sample in range(B):
        enters = _enters(outside, sample)
        path = [enters[-1]]
        for t in range(T, 0, -1):
            path.append((slope[t - 1, sample] * path[-1]) @ w + enters[t - 1])
        np.testing.assert_allclose(back.log10_states[::-1, 0, sample], _log10_norms(path), rtol=1e-13, atol=1e-12)


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
    np.testing.assert_allclose(back.log10_states[:, 0], expected, rtol=1e-12, atol=1e-12)


# --- products in float32 -------------------------------------------------------------------------------------------


def _both_precisions(scale, *, gate=1.0, steps=300, outside=None, scale_ih=1.0):
    """Return the log10 norms of states and inputs with the recurrent products in float64, and in float32."""
    rng = RNG(8)
    gates, cell = gate * rng.uniform(0.05, 0.95, (4, steps, B, H)), rng.uniform(0.1, 2.0, (steps + 1, B, H))
    weight_ih, weight_hh = scale_ih * rng.uniform(0.1, 1.0, (4 * H, I)), scale * rng.uniform(0.1, 1.0, (4 * H, H))
    narrow = _parameters(weight_ih, weight_hh, torch.float32)
    wide = Parameters(*(weight.double() for weight in narrow))
    layer = _layer(steps, gates=gates, cell=cell)
    for weights in (wide, narrow):
        back = backward(nn.LSTM(I, H), weights, layer, outside or _at_the_end(), "inputs")
        yield back.log10_states, log10_norm(back.inputs)


def test_products_in_float32_err_by_their_rounding():
    for wide, narrow in zip(*_both_precisions(0.5), strict=True):
        # 300 steps of 12 terms each, all positive: 6e-8 a step if every rounding went the same way
        np.testing.assert_allclose(narrow, wide, rtol=0, atol=300 * 6e-8)
        assert np.abs(narrow - wide).max() > 1e-9  # float32 it was


# Off float32's range at once or within a window; then weights that bring back what underflowed before them.
@pytest.mark.parametrize(
    ("scale", "gate", "scale_ih"),
    [(0.0, 1.0, 1.0), (1e-38, 1.0, 1.0), (1e37, 1.0, 1.0), (1e37, 2.5e-37, 1.0), (0.5, 1e-36, 1.0), (0.5, 1.0, 0.0),
     (0.5, 1.0, 1e-38), (0.5, 1e-18, 1e36)],
)  # fmt: skip
def test_products_that_leave_float32_are_made_in_float64(scale, gate, scale_ih):
    for wide, narrow in zip(*_both_precisions(scale, gate=gate, scale_ih=scale_ih), strict=True):
        np.testing.assert_array_equal(narrow, wide)


@pytest.mark.parametrize("scale", [1e-3, 10.0])
def test_float32_serves_past_its_own_range(scale):
    for wide, narrow in zip(*_both_precisions(scale), strict=True):
        assert np.ptp(wide) > 100
        np.testing.assert_allclose(narrow, wide, rtol=0, atol=300 * 6e-8)


@pytest.mark.parametrize("power", [-300, 300])
def test_float64_takes_over_where_something_enters_that_float32_does_not_hold(power):
    mantissa, exponent = np.zeros((301, B, H)), np.zeros((301, B), dtype=np.int64)
    mantissa[-1], mantissa[150], exponent[150] = 1.0, 1.0, power
    outside = Outside(Scaled(mantissa[-1], exponent[-1]), Scaled(mantissa, exponent))
    for wide, narrow in zip(*_both_precisions(0.5, outside=outside), strict=True):
        np.testing.assert_allclose(narrow, wide, rtol=0, atol=300 * 6e-8)


def test_what_enters_far_smaller_does_not_cost_the_cell_its_gradient():
    # With weights of 0 the hidden gradient is exactly 0 but where something enters, and the cell lives on beside it.
    rng = RNG(4)
    gates, cell = rng.uniform(0.5, 0.95, (4, T, B, H)), rng.uniform(0.1, 2.0, (T + 1, B, H))
    outside = _signal(5, [-2000] + [None] * (T - 1) + [0])  # 10^-600, where two runs meet
    weights = _parameters(np.zeros((4 * H, I)), np.zeros((4 * H, H)))
    back = backward(nn.LSTM(I, H), weights, _layer(gates=gates, cell=cell), outside, "states")
    expected = cell_exposed(gates[3][-1], cell[-1])[0] * outside.final.mantissa * np.prod(gates[1], axis=0)
    mantissa, exponent = back.states
    np.testing.assert_allclose(np.ldexp(mantissa[0, 1], exponent[0, 0][:, None]), expected, rtol=1e-12)


def test_cell_exposed_is_a_central_difference():
    output, cell, eps = RNG(6).uniform(size=(T, B, H)), RNG(7).standard_normal((T, B, H)), 1e-6
    exposed, shown = cell_exposed(output, cell)
    difference = output * (np.tanh(cell + eps) - np.tanh(cell - eps)) / (2 * eps)
    np.testing.assert_allclose(exposed, difference, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(shown, np.tanh(cell), rtol=1e-14)


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
        alone = backward(network, Parameters(*(weight[r] for weight in weights)), layer(r), _at_the_end(), *asked)
        np.testing.assert_allclose(together.log10_states[:, :, r], alone.log10_states, rtol=1e-10, atol=1e-10)
        for name in asked:
            ours, theirs = getattr(together, name), getattr(alone, name)
            mantissa = ours.mantissa[:, :, r] if name == "states" else ours.mantissa[:, r]
            exponent = ours.exponent[:, :, r] if name == "states" else ours.exponent[:, r]
            np.testing.assert_allclose(
                log10_norm(Scaled(mantissa, exponent)), log10_norm(theirs), rtol=1e-10, atol=1e-10
            )  # fmt: skip
