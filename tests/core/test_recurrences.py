"""The linear recurrences against the same recurrences in Python's exact fractions, step by step."""

from fractions import Fraction

import numpy as np
import pytest
from test_scaled import exact, log10_of

from lstm_explorer.core.recurrences import (
    CellPathRecurrence,
    GRURecurrence,
    LSTMRecurrence,
    RNNRecurrence,
)
from lstm_explorer.core.scaled import Scaled, log10_norm
from lstm_explorer.core.slopes import cell_exposed, lstm_slopes
from lstm_explorer.core.sweep import Outside, sweep

T, B, H = 24, 2, 3
RNG = np.random.default_rng


def _signal(seed, exponents):
    """Return what enters at each step; ``exponents`` are powers of two, None for exact zeros."""
    mantissa = RNG(seed).standard_normal((len(exponents), B, H))
    mantissa[[e is None for e in exponents]] = 0.0
    power = np.repeat(np.array([e or 0 for e in exponents], dtype=np.int64)[:, None], B, axis=1)
    steps = Scaled(mantissa, power)
    return Outside(Scaled(mantissa[-1], power[-1]), steps)


def _exact_path(forget, entering, sample):
    """Return ``d_{t-1} = f_t d_t + entering_{t-1}`` for one sample as fractions, ``[t][unit]``."""
    steps = len(forget)
    enters = lambda t: [exact(m, entering.exponent[t, sample]) for m in entering.mantissa[t, sample]]  # noqa: E731
    path = [enters(steps)]
    for t in range(steps, 0, -1):
        kept = [Fraction(float(f)) * d for f, d in zip(forget[t - 1, sample], path[0], strict=True)]
        path.insert(0, [k + e for k, e in zip(kept, enters(t - 1), strict=True)])
    return path


def _exact_linear(slope, weight, entering, sample):
    """Return ``d_{t-1} = W^T (slope_t * d_t) + entering_{t-1}`` for one sample as fractions."""
    steps = len(slope)
    w = [[Fraction(float(x)) for x in row] for row in weight]
    enters = lambda t: [exact(m, entering.exponent[t, sample]) for m in entering.mantissa[t, sample]]  # noqa: E731
    path = [enters(steps)]
    for t in range(steps, 0, -1):
        delta = [Fraction(float(s)) * d for s, d in zip(slope[t - 1, sample], path[0], strict=True)]
        product = [sum(w[g][h] * delta[g] for g in range(H)) for h in range(H)]
        path.insert(0, [p + e for p, e in zip(product, enters(t - 1), strict=True)])
    return path


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


@pytest.mark.parametrize("gate", [1e-30, 1e-5, 0.7, 1.0])
@pytest.mark.parametrize("name", SIGNALS)
def test_cell_path_is_exact_at_every_scale(name, gate):
    forget = gate * RNG(0).uniform(0.5, 1.0, (T, B, H))
    outside = _signal(1, SIGNALS[name])
    path = CellPathRecurrence(forget)
    norms = log10_norm(Scaled(path.states[:, 0], sweep(path, outside)))
    for sample in range(B):
        expected = _log10_norms(_exact_path(forget, outside.steps, sample))
        np.testing.assert_allclose(norms[:, sample], expected, rtol=1e-13, atol=1e-12)


@pytest.mark.parametrize("gain", [1e-120, 1e-30, 1.0, 1e30, 1e120])
@pytest.mark.parametrize("name", SIGNALS)
def test_rnn_recurrence_is_exact_at_every_scale(name, gain):
    rng = RNG(2)
    hidden = rng.uniform(-0.9, 0.9, (T + 1, B, H))
    weight = gain * rng.uniform(0.1, 1.0, (H, H))  # no cancellation, so that 1e-12 is a fair demand
    mantissa, exponent = _signal(1, SIGNALS[name]).steps
    mantissa = np.abs(mantissa)
    outside = Outside(Scaled(mantissa[-1], exponent[-1]), Scaled(mantissa, exponent))
    rnn = RNNRecurrence(hidden, "tanh", np.eye(H), weight)
    norms = log10_norm(Scaled(rnn.states[:, 0], sweep(rnn, outside)))
    for sample in range(B):
        expected = _log10_norms(_exact_linear(1.0 - hidden[1:] ** 2, weight, outside.steps, sample))
        np.testing.assert_allclose(norms[:, sample], expected, rtol=1e-13, atol=1e-12)


@pytest.mark.parametrize("steps", [1, 2, 127, 128, 129, 300])
def test_windows_of_any_length_join_seamlessly(steps):
    forget = RNG(0).uniform(0.01, 0.02, (steps, B, H))  # two orders a step: past the range of a window
    final = Scaled(np.ones((B, H)), np.zeros(B, dtype=np.int64))
    path = CellPathRecurrence(forget)
    norms = log10_norm(Scaled(path.states[:, 0], sweep(path, Outside(final, None))))
    products = np.concatenate([np.cumsum(np.log10(forget[::-1]), axis=0)[::-1], np.zeros((1, B, H))])
    largest = products.max(axis=-1, keepdims=True)
    expected = largest[..., 0] + 0.5 * np.log10((10 ** (2 * (products - largest))).sum(axis=-1))
    np.testing.assert_allclose(norms, expected, rtol=1e-12, atol=1e-12)


def _exact_lstm(slopes, weight_ih, weight_hh, entering, sample):
    """Return the hidden, cell and input gradients of one sample as fractions, by the equations of LSTMRecurrence."""
    fractions = np.vectorize(lambda x: Fraction(float(x)), otypes=[object])
    a, k = fractions(slopes.exposed[:, sample]), fractions(slopes.rows[:, sample])  # k: along the cell, i, f, g, o
    w_ih, w_hh = fractions(weight_ih), fractions(weight_hh)
    enters = [
        fractions(m) * Fraction(2) ** int(e)
        for m, e in zip(entering.mantissa[:, sample], entering.exponent[:, sample], strict=True)
    ]
    hidden, cell, inputs = [enters[-1]], [], []
    along = fractions(np.zeros(H))
    for t in range(T, 0, -1):
        cell.append(along + a[t - 1] * hidden[-1])
        delta = np.concatenate([*(k[t - 1, gate] * cell[-1] for gate in (1, 2, 3)), k[t - 1, 4] * hidden[-1]])
        inputs.append(delta @ w_ih)
        hidden.append(delta @ w_hh + enters[t - 1])
        along = k[t - 1, 0] * cell[-1]
    return hidden[::-1], [along, *cell[::-1]], inputs[::-1]


@pytest.mark.parametrize("scale", [1e-60, 1.0, 1e60])
@pytest.mark.parametrize("name", SIGNALS)
def test_lstm_recurrence_is_exact_at_every_scale(name, scale):
    rng = RNG(4)
    # All positive, so that nothing cancels and 1e-12 is a fair demand.
    gates, cell = rng.uniform(0.05, 0.95, (4, T, B, H)), rng.uniform(0.1, 2.0, (T + 1, B, H))
    weight_ih, weight_hh = scale * rng.uniform(0.1, 1.0, (4 * H, 2)), scale * rng.uniform(0.1, 1.0, (4 * H, H))
    mantissa, exponent = _signal(5, SIGNALS[name]).steps
    entering = Scaled(np.abs(mantissa), exponent)
    lstm = LSTMRecurrence(gates, cell, weight_ih, weight_hh)
    exponents = sweep(lstm, Outside(Scaled(entering.mantissa[-1], exponent[-1]), entering))
    states = log10_norm(Scaled(lstm.states, exponents[:, None]))
    inputs = log10_norm(Scaled(lstm.inputs, exponents[1:]))
    slopes = lstm_slopes(gates, cell, T, 0)
    for sample in range(B):
        exact_parts = _exact_lstm(slopes, weight_ih, weight_hh, entering, sample)
        for ours, theirs in zip((states[:, 0], states[:, 1], inputs), exact_parts, strict=True):
            np.testing.assert_allclose(ours[:, sample], _log10_norms(theirs), rtol=1e-13, atol=1e-12)


def _lstm_norms(scale, *, narrow, entering=None, gate=1.0, steps=300):
    """Return the log10 norms of the states and of the inputs of an LSTM with weights and gates of these sizes."""
    rng = RNG(8)
    gates, cell = gate * rng.uniform(0.05, 0.95, (4, steps, B, H)), rng.uniform(0.1, 2.0, (steps + 1, B, H))
    weight_ih, weight_hh = rng.uniform(0.1, 1.0, (4 * H, 2)), scale * rng.uniform(0.1, 1.0, (4 * H, H))
    lstm = LSTMRecurrence(gates, cell, weight_ih, weight_hh, narrow=narrow)
    final = Scaled(np.ones((B, H)), np.zeros(B, dtype=np.int64))
    exponents = sweep(lstm, Outside(final, entering))
    return log10_norm(Scaled(lstm.states, exponents[:, None])), log10_norm(Scaled(lstm.inputs, exponents[1:]))


def test_products_in_float32_err_by_their_rounding():
    for wide, narrow in zip(_lstm_norms(0.5, narrow=False), _lstm_norms(0.5, narrow=True), strict=True):
        # 300 steps of 12 terms each, all positive: 6e-8 a step if every rounding went the same way
        np.testing.assert_allclose(narrow, wide, rtol=0, atol=300 * 6e-8)
        assert np.abs(narrow - wide).max() > 1e-9  # float32 it was


# Off float32's range at once or within a window; last, weights that bring back what underflowed before them.
@pytest.mark.parametrize(
    ("scale", "gate"), [(0.0, 1.0), (1e-40, 1.0), (1e-3, 1.0), (10.0, 1.0), (1e40, 1.0), (1e37, 2.5e-37)]
)
def test_products_that_leave_float32_are_made_in_float64(scale, gate):
    results = (_lstm_norms(scale, gate=gate, narrow=narrow) for narrow in (False, True))
    for wide, narrow in zip(*results, strict=True):
        np.testing.assert_array_equal(narrow, wide)


@pytest.mark.parametrize("power", [-300, 300])
def test_float64_takes_over_where_something_enters_that_float32_does_not_hold(power):
    mantissa, exponent = np.zeros((301, B, H)), np.zeros((301, B), dtype=np.int64)
    mantissa[-1], mantissa[150], exponent[150] = 1.0, 1.0, power
    results = (_lstm_norms(0.5, narrow=narrow, entering=Scaled(mantissa, exponent)) for narrow in (False, True))
    for wide, narrow in zip(*results, strict=True):
        np.testing.assert_allclose(narrow, wide, rtol=0, atol=300 * 6e-8)


def test_what_enters_far_smaller_does_not_cost_the_cell_its_gradient():
    # With weights of 0 the hidden gradient is exactly 0 but where something enters, and the cell lives on beside it.
    rng = RNG(4)
    gates, cell = tuple(rng.uniform(0.5, 0.95, (4, T, B, H))), rng.uniform(0.1, 2.0, (T + 1, B, H))
    outside = _signal(5, [-2000] + [None] * (T - 1) + [0])  # 10^-600, where two runs meet
    lstm = LSTMRecurrence(gates, cell, np.zeros((4 * H, 2)), np.zeros((4 * H, H)))
    exponents = sweep(lstm, outside)
    expected = cell_exposed(gates[3][-1], cell[-1])[0] * outside.final.mantissa * np.prod(gates[1], axis=0)
    np.testing.assert_allclose(np.ldexp(lstm.states[0, 1], exponents[0][:, None]), expected, rtol=1e-12)


def test_lstm_slopes_are_central_differences_of_the_step():
    rng, eps = RNG(6), 1e-6
    pre, before = rng.standard_normal((4, T, B, H)), rng.standard_normal((T, B, H))
    sigmoid = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    gates = np.stack([sigmoid(pre[0]), sigmoid(pre[1]), np.tanh(pre[2]), sigmoid(pre[3])])

    def cell_of(i, f, g):
        return sigmoid(f) * before + sigmoid(i) * np.tanh(g)

    after = cell_of(*pre[:3])
    cell = np.concatenate([before[:1], after])
    slopes = lstm_slopes(gates, cell, 1, 0)  # the first step: its cell before is `before`
    for block in range(3):
        up, down = pre[:3].copy(), pre[:3].copy()
        up[block] += eps
        down[block] -= eps
        difference = (cell_of(*up) - cell_of(*down))[0] / (2 * eps)
        np.testing.assert_allclose(slopes.rows[0, :, 1 + block], difference, rtol=1e-7, atol=1e-9)
    np.testing.assert_array_equal(slopes.rows[0, :, 0], gates[1][0])
    exposed, shown = cell_exposed(gates[3], cell[1:])
    np.testing.assert_allclose(
        exposed, gates[3] * (np.tanh(after + eps) - np.tanh(after - eps)) / (2 * eps), rtol=1e-7, atol=1e-9
    )
    np.testing.assert_allclose(shown, np.tanh(after), rtol=1e-14)
    np.testing.assert_allclose(
        slopes.rows[0, :, 4],
        shown[0] * (sigmoid(pre[3, 0] + eps) - sigmoid(pre[3, 0] - eps)) / (2 * eps),
        rtol=1e-7,
        atol=1e-9,
    )


def test_replicas_are_their_runs_one_by_one():
    rng, replicas = RNG(7), 2
    hidden = rng.uniform(-0.9, 0.9, (T + 1, replicas, B, H))
    gates = tuple(rng.uniform(0.05, 0.95, (T, replicas, B, H)) for _ in range(4))
    final = Scaled(np.ones((replicas, B, H)), np.zeros((replicas, B), dtype=np.int64))
    weights = [
        (rng.standard_normal((replicas, n * H, 2)), rng.standard_normal((replicas, n * H, H))) for n in (1, 3, 4)
    ]
    make = [
        lambda r, w: RNNRecurrence(hidden[:, r], "tanh", *(x[r] for x in w)),
        lambda r, w: GRURecurrence(hidden[:, r], tuple(g[:, r] for g in gates[:3]), gates[3][:, r], *(x[r] for x in w)),
        lambda r, w: LSTMRecurrence(tuple(g[:, r] for g in gates), hidden[:, r], *(x[r] for x in w)),
    ]
    for build, weight in zip(make, weights, strict=True):
        together = build(slice(None), weight)
        exponents = sweep(together, Outside(final, None))
        for r in range(replicas):
            alone = build(r, weight)
            alone_exponents = sweep(alone, Outside(Scaled(final.mantissa[r], final.exponent[r]), None))
            np.testing.assert_allclose(
                log10_norm(Scaled(together.states[:, :, r], exponents[:, None, r])),
                log10_norm(Scaled(alone.states, alone_exponents[:, None])), rtol=1e-10, atol=1e-10,
            )  # fmt: skip
            np.testing.assert_allclose(
                log10_norm(Scaled(together.inputs[:, r], exponents[1:, r])),
                log10_norm(Scaled(alone.inputs, alone_exponents[1:])), rtol=1e-10, atol=1e-10,
            )  # fmt: skip
