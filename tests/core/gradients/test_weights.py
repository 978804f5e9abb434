"""weight_gradients and step_contributions against ``.grad`` of the real networks."""

import math

import numpy as np
import pytest
import torch

import lstm_explorer as lx
from lstm_explorer.core.engine import outer_products
from lstm_explorer.core.engine.scaled import Scaled

GATES = {
    "rnn": ("hidden",),
    "lstm": ("input", "forget", "candidate", "output"),
    "gru": ("reset", "update", "candidate"),
}
ARCHITECTURES = tuple(GATES)
# biases that are not zero, and weights away from the tame default, so that no gate is negligible
SETTINGS = lx.Settings(
    sequence_length=17, hidden_size=5, input_size=3, num_layers=2, batch_size=3, num_seeds=2, seed=4, recurrent_gain=3,
    forget_bias=1, input_bias=-0.4, candidate_bias=0.3, reset_bias=0.6, update_bias=0.8, dtype="float64",
)  # fmt: skip


def network_of(settings, architecture, r=0):
    replica = settings.replace(seed=settings.seed + r, num_seeds=1)
    return lx.build_network(architecture, replica), lx.make_inputs(replica)


def grad(settings, architecture, r=0):
    """Return the last layer's ``weight_hh.grad``, ``(G, H, H)``, and dL/dh_0, ``(B, H)``, by autograd."""
    network, inputs = network_of(settings, architecture, r)
    shape = (settings.num_layers, settings.batch_size, settings.hidden_size)
    h0 = torch.zeros(shape, dtype=inputs.dtype, requires_grad=True)
    outputs, _ = network(inputs, (h0, torch.zeros_like(h0)) if architecture == "lstm" else h0)
    (outputs[-1:] if settings.loss == "last" else outputs).sum().backward()
    weight = network.get_parameter(f"weight_hh_l{settings.num_layers - 1}")
    return weight.grad.unflatten(0, (-1, settings.hidden_size)), h0.grad[-1]


def steps_by_autograd(settings, architecture, r=0):
    """Return each step's share of ``weight_hh.grad``, ``(G, T, H, H)``: a copy of the weight for every step."""
    network, inputs = network_of(settings, architecture, r)
    last = settings.num_layers - 1
    for layer in range(last):
        below = type(network)(inputs.shape[-1], settings.hidden_size, dtype=inputs.dtype)
        below.load_state_dict({f"{name}_l0": network.get_parameter(f"{name}_l{layer}") for name in _NAMES})
        inputs = below(inputs)[0].detach()
    w, u, b, d = (network.get_parameter(f"{name}_l{last}").detach() for name in _NAMES)
    copies = [u.clone().requires_grad_() for _ in inputs]
    h = c = torch.zeros(settings.batch_size, settings.hidden_size, dtype=inputs.dtype)
    outputs = []
    for x, copy in zip(inputs, copies, strict=True):
        if architecture == "rnn":
            h = torch.tanh(x @ w.T + b + h @ copy.T + d)
        elif architecture == "lstm":
            i, f, g, o = (x @ w.T + b + h @ copy.T + d).chunk(4, dim=-1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        else:
            (ri, zi, ni), (rh, zh, nh) = (x @ w.T + b).chunk(3, dim=-1), (h @ copy.T + d).chunk(3, dim=-1)
            n = torch.tanh(ni + torch.sigmoid(ri + rh) * nh)
            z = torch.sigmoid(zi + zh)
            h = (1 - z) * n + z * h
        outputs.append(h)
    sum(out.sum() for out in (outputs[-1:] if settings.loss == "last" else outputs)).backward()
    return torch.stack([copy.grad.unflatten(0, (-1, settings.hidden_size)) for copy in copies], dim=1)


_NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
@pytest.mark.parametrize("split", [True, False])
@pytest.mark.parametrize("loss", ["last", "every"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_sum_is_the_grad_of_the_real_network(architecture, loss, split, nonlinearity):
    settings = SETTINGS.replace(loss=loss, split_biases=split, nonlinearity=nonlinearity)
    settings = settings.replace(recurrent_gain=1 if nonlinearity == "relu" else 3)
    found = lx.step_contributions(settings, architecture=architecture)
    assert found.gates == GATES[architecture]
    assert found.total.shape == (2, len(found.gates), 5, 5)
    for r in range(2):
        expected, _ = grad(settings, architecture, r)
        torch.testing.assert_close(found.total[r], expected, rtol=1e-9, atol=1e-12)
        torch.testing.assert_close(10 ** found.log10_total[r], expected.flatten(1).norm(dim=1), rtol=1e-9, atol=0.0)


@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize("loss", ["last", "every"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_steps_are_the_grads_of_a_copy_of_the_weight_each(monkeypatch, architecture, loss, batch_size):
    monkeypatch.setattr(outer_products, "_NUMBERS_AT_ONCE", 7 * 5 * 5)  # 7 of 17 steps at once
    settings = SETTINGS.replace(loss=loss, batch_size=batch_size)
    found = lx.step_contributions(settings, architecture=architecture)
    for r in range(2):
        expected = steps_by_autograd(settings, architecture, r)
        torch.testing.assert_close(10 ** found.log10_norm[r], expected.flatten(2).norm(dim=2), rtol=1e-9, atol=0.0)
        assert found.log10_norm[r, :, 0].tolist() == [-math.inf] * len(found.gates)  # h_0 is zero
        torch.testing.assert_close(found.total[r], expected.sum(dim=1), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("loss", ["last", "every"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_lengths_are_single_networks(architecture, loss):
    settings = SETTINGS.replace(loss=loss)
    found = lx.weight_gradients(settings, architecture=architecture, lengths=np.array([1, 4, 17]))
    assert found.lengths == (1, 4, 17)
    assert found.log10_weight_hh.shape == (3, 2, len(GATES[architecture]))
    assert found.log10_hidden.shape == (3, 2, 3)
    for n, length in enumerate(found.lengths):
        for r in range(2):
            weight, h0 = grad(settings.replace(sequence_length=length), architecture, r)
            norms = weight.flatten(1).norm(dim=1)
            torch.testing.assert_close(10 ** found.log10_weight_hh[n, r], norms, rtol=1e-9, atol=0.0)
            torch.testing.assert_close(10 ** found.log10_hidden[n, r], h0.norm(dim=-1), rtol=1e-9, atol=0.0)


@pytest.mark.skipif(np.finfo(np.longdouble).maxexp < 16_000, reason="needs the 80-bit floats of x86 for the oracle")
@pytest.mark.parametrize("batch_size", [1, 2])
@pytest.mark.parametrize(("gain", "beyond"), [(0.1, -800), (20.0, 400)])
def test_contributions_go_on_past_the_float_range(gain, beyond, batch_size):
    settings = lx.Settings(
        sequence_length=1500,
        hidden_size=48,
        batch_size=batch_size,
        dtype="float64",
        recurrent_gain=gain,
        input_scale=0.1,
    )
    found = lx.step_contributions(settings, architecture="rnn")
    network, inputs = network_of(settings, "rnn")
    # the same recurrence in floats that reach from 10^-4900 to 10^+4900
    hidden = lx.unroll(network, inputs).hidden[0].numpy().astype(np.longdouble)
    weight, gradient = network.weight_hh_l0.detach().numpy().astype(np.longdouble), np.ones_like(hidden[0])
    norms, total = [], np.zeros_like(weight)
    for t in range(1500, 0, -1):
        delta = (1 - hidden[t] ** 2) * gradient
        outer = delta.T @ hidden[t - 1]
        norms.append(np.sqrt((outer**2).sum()))
        total += outer
        gradient = delta @ weight
    with np.errstate(divide="ignore"):
        expected = np.log10(np.array(norms[::-1]))
    reached = np.sign(beyond) * expected[np.isfinite(expected)]
    assert reached.max() > abs(beyond)
    np.testing.assert_allclose(found.log10_norm[0, 0], expected.astype(float), rtol=1e-9, atol=1e-9)
    expected_total = np.log10(np.sqrt((total**2).sum()))
    assert found.log10_total[0, 0].item() == pytest.approx(float(expected_total), rel=1e-9, abs=1e-9)
    # the sum itself is past the range where the norms explode, as .grad is
    assert found.total.isinf().any().item() == (beyond > 0)


def test_a_huge_delta_that_meets_no_hidden_state_does_not_drown_the_others():
    # two steps: 2^3000 times a state at rest, and 3 times a state of 5
    deltas = Scaled(np.array([[1.0], [3.0]]), np.array([3000, 0]))
    total = outer_products.summed(deltas, Scaled(np.array([[0.0], [5.0]]), np.array([0, 0])))
    assert total.mantissa.item() * 2.0 ** total.exponent.item() == 15.0


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_steep_networks_agree_with_wide_arithmetic(architecture):
    # The state's gradient falls to 10^-400 and less; the weights' does not, and equals .grad.
    settings = SETTINGS.replace(sequence_length=400, recurrent_gain=0.05, forget_bias=-6, update_bias=-6, num_layers=1)
    found = lx.step_contributions(settings, architecture=architecture)
    fallen = found.log10_norm[0, :, 1]
    assert fallen.isfinite().all()
    assert fallen.max() < -400
    expected, _ = grad(settings, architecture)
    torch.testing.assert_close(found.total[0], expected, rtol=1e-9, atol=1e-15)
    states = lx.weight_gradients(settings, architecture=architecture, lengths=(400,)).log10_hidden[0]
    flow = lx.seed_flows(settings, architecture=architecture)
    torch.testing.assert_close(states, flow.log10_hidden[:, 0, 0], rtol=1e-12, atol=0.0)


def test_published_weights_look_fine_while_the_state_vanishes():
    # Computed with plain PyTorch cells: |dL/dW_hh| stays near 5e-2 from T = 10 to 400, |dL/dh_0| falls to 3e-89.
    settings = lx.Settings(hidden_size=64, num_seeds=5)
    found = lx.weight_gradients(settings, architecture="lstm", lengths=(10, 100, 400))
    weights = (10 ** (2 * found.log10_weight_hh)).sum(dim=-1).sqrt().median(dim=1).values
    assert (weights.max() / weights.min()).item() < 2
    fallen = found.log10_hidden.median(dim=1).values[:, 0]
    assert fallen[0] > -4
    assert fallen[2] < -80


def test_frames_hold_the_numbers_of_the_results():
    found = lx.weight_gradients(SETTINGS, architecture="gru", lengths=(3, 9))
    frame = found.to_frame()
    assert list(frame) == ["architecture", "length", "quantity", "gate", "replica", "sample", "log10_norm"]
    assert len(frame) == 2 * 2 * 3 + 2 * 2 * 3
    weight = frame.query("length == 9 and gate == 'update' and replica == 1").iloc[0]
    assert (weight["quantity"], weight["sample"]) == ("weight_hh", -1)
    assert weight["log10_norm"] == found.log10_weight_hh[1, 1, 1].item()
    state = frame.query("length == 3 and quantity == 'hidden' and replica == 1 and sample == 2").iloc[0]
    assert (state["gate"], state["log10_norm"]) == ("", found.log10_hidden[0, 1, 2].item())

    steps = lx.step_contributions(SETTINGS, architecture="gru")
    frame = steps.to_frame()
    assert list(frame) == ["architecture", "gate", "replica", "step", "lag", "log10_norm"]
    row = frame.query("gate == 'candidate' and replica == 1 and step == 5").iloc[0]
    assert (row["lag"], row["log10_norm"]) == (12, steps.log10_norm[1, 2, 4].item())


def test_results_have_the_settings_dtype():
    single = SETTINGS.replace(dtype="float32")
    found, double = (lx.step_contributions(s, architecture="lstm") for s in (single, SETTINGS))
    assert (found.log10_norm.dtype, found.total.dtype) == (torch.float32, torch.float64)
    assert double.log10_norm.dtype == torch.float64
    assert lx.weight_gradients(single, lengths=(4,)).log10_hidden.dtype == torch.float32


@pytest.mark.parametrize(
    ("lengths", "error", "match"),
    [
        ((), ValueError, "lengths is .*expected at least one length"),
        ((20, 10), ValueError, "ascending, each once; sort them first"),
        ((10, 10), ValueError, "ascending, each once"),
        ((0, 10), ValueError, "expected 1 to 100000 steps"),
        ((10, 200_000), ValueError, "expected 1 to 100000 steps"),
        ((10, 2000), ValueError, "expected 1 to 309 steps, which this input has"),
        ((10.0, 20.0), TypeError, "lengths is .*expected a sequence of whole numbers"),
        ((True, 20), TypeError, "whole numbers"),
        ((10, math.nan), TypeError, "whole numbers"),
        (10, TypeError, "lengths is 10: expected a sequence"),
    ],
)
def test_wrong_lengths_are_refused(lengths, error, match):
    settings = lx.Settings(input_kind="sunspots")
    with pytest.raises(error, match=match):
        lx.weight_gradients(settings, lengths=lengths)
    with pytest.raises(error, match=match):
        lx.length_map(settings, biases=(0, 1), lengths=lengths)


def test_wrong_architecture_is_refused():
    with pytest.raises(ValueError, match="architecture is 'tcn': expected one of 'rnn', 'lstm', 'gru'"):
        lx.step_contributions(lx.Settings(), architecture="tcn")
    with pytest.raises(ValueError, match="architecture is 'tcn'"):
        lx.weight_gradients(lx.Settings(), architecture="tcn", lengths=(10,))
