"""cell_gradient_flow against autograd through the same step, the compiled engine and closed forms."""

import gc
import math
import weakref
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import layer_norm

import lstm_explorer as lx
from lstm_explorer.core.architectures import ARCHITECTURES, layer_parameters

B, H, I, K = 3, 4, 2, 5  # noqa: E741 - features of the input, as everywhere


class Pair(NamedTuple):
    hidden: torch.Tensor
    cell: torch.Tensor


class Memory(NamedTuple):
    """An output, a matrix of its own for every sample, and a scalar."""

    read: torch.Tensor
    matrix: torch.Tensor
    scale: torch.Tensor


def _weights(*shapes, seed=0, std=0.7, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return [(std * torch.randn(shape, generator=generator, dtype=torch.float64)).to(dtype) for shape in shapes]


def elman(dtype=torch.float64):
    w, u = _weights((H, I), (H, H), dtype=dtype)
    return lambda h, x: torch.tanh(x @ w.T + h @ u.T)


def lstm_like(how, dtype=torch.float64):
    """Return an LSTM step with one change: peepholes, layer norm, coupled gates, or ReLU for tanh."""
    w, u, b, *peep = _weights((4 * H, I), (4 * H, H), (4 * H,), (H,), (H,), (H,), dtype=dtype)

    def step(state, x):
        h, c = state
        gates = x @ w.T + h @ u.T + b
        gates = layer_norm(gates, (4 * H,)) if how == "layer norm" else gates
        i, f, g, o = gates.chunk(4, dim=-1)
        if how == "peephole":
            i, f = i + peep[0] * c, f + peep[1] * c
        f = torch.sigmoid(f)
        i = 1 - f if how == "coupled" else torch.sigmoid(i)
        squash = torch.relu if how == "relu" else torch.tanh
        c = f * c + i * squash(g)
        o = torch.sigmoid(o + peep[2] * c if how == "peephole" else o)
        return Pair(o * squash(c), c)

    return step


def fast_weights(dtype=torch.float64):
    key, value, query, decay = _weights((K, I), (H, I), (K, I), (I,), dtype=dtype)

    def step(state, x):
        scale = torch.sigmoid(x @ decay + 0.3 * state.scale)
        written = torch.einsum("bh,bk->bhk", x @ value.T, (x @ key.T).tanh())
        matrix = scale[:, None, None] * state.matrix + written
        return Memory(torch.einsum("bhk,bk->bh", matrix, x @ query.T).tanh() + 0.1 * state.read, matrix, scale)

    return step


def _pair(dtype=torch.float64):
    return Pair(*_weights((B, H), (B, H), seed=1, dtype=dtype))


CELLS = {
    "elman": (elman, lambda dtype: _pair(dtype).hidden),
    **{
        how: (lambda dtype, how=how: lstm_like(how, dtype), _pair)
        for how in ("lstm", "peephole", "layer norm", "coupled", "relu")
    },
    "fast weights": (fast_weights, lambda dtype: Memory(*_weights((B, H), (B, H, K), (B,), seed=1, dtype=dtype))),
}


def by_autograd(step, state, inputs, cotangent=None, loss="last"):
    """Return gradient norms of every part of the state, and of the inputs, by retain_grad and one backward pass."""
    tensor = isinstance(state, torch.Tensor)
    fresh = [part.clone().requires_grad_() for part in ([state] if tensor else state)]
    states, xs = [fresh], [x.clone().requires_grad_() for x in inputs]
    for x in xs:
        after = step(states[-1][0] if tensor else type(state)(*states[-1]), x)
        states.append([after] if tensor else list(after))
        for part in states[-1]:
            part.retain_grad()
    firsts = [parts[0] for parts in (states[-1:] if loss == "last" else states[1:])]
    vector = torch.ones_like(firsts[0]) if cotangent is None else cotangent
    sum((vector * first).sum() for first in firsts).backward()

    def norms(leaves):
        grads = [torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for leaf in leaves]
        return torch.stack([grad.reshape(len(grad), -1).norm(dim=1) for grad in grads])

    return [norms(parts) for parts in zip(*states, strict=True)], norms(xs)


@pytest.mark.parametrize("loss", ["last", "every"])
@pytest.mark.parametrize("name", CELLS)
def test_agrees_with_autograd_through_the_same_step(name, loss):
    make, start = CELLS[name]
    step, state = make(torch.float64), start(torch.float64)
    inputs = _weights((23, B, I), seed=2, std=1.0)[0]
    cotangent = _weights((B, H), seed=3)[0]
    flow = lx.cell_gradient_flow(step, state, inputs, cotangent=cotangent, loss=loss)
    of_states, of_inputs = by_autograd(step, state, inputs, cotangent, loss)
    assert len(flow.log10_states) == len(of_states)
    for norms, expected in zip(flow.log10_states.values(), of_states, strict=True):
        # both sides add up 23 products of a few terms
        torch.testing.assert_close(10**norms, expected, rtol=1e-10, atol=0)
    torch.testing.assert_close(10**flow.log10_inputs, of_inputs, rtol=1e-10, atol=0)


@pytest.mark.parametrize("name", sorted(set(CELLS) - {"relu"}))  # its states fall below float32's range
def test_float32_agrees_with_its_float64_twin(name):
    make, start = CELLS[name]
    inputs = _weights((23, B, I), seed=2, std=1.0)[0]
    single, double = (
        lx.cell_gradient_flow(make(dtype), start(dtype), inputs.to(dtype)) for dtype in (torch.float32, torch.float64)
    )
    for part in single.log10_states:
        assert single.log10_states[part].dtype == torch.float32
        # 23 steps of float32 rounding, forwards and backwards
        torch.testing.assert_close(single.log10_states[part].double(), double.log10_states[part], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("loss", ["last", "every"])
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_the_records_own_steps_give_what_the_compiled_engines_give(name, loss):
    torch.manual_seed(1)
    record = ARCHITECTURES[name]
    network = record.module(I, H).double()
    for weight in network.parameters():
        nn.init.normal_(weight, std=0.6)
    inputs = torch.randn(300, B, I, dtype=torch.float64)
    start = _pair()
    state = start if name == "lstm" else start.hidden
    of_network = tuple(part[None] for part in start) if name == "lstm" else start.hidden[None]
    one, parameters = record.step_of(network), layer_parameters(network, 0)
    flow = lx.cell_gradient_flow(lambda state, x: one(parameters, state, x)[0], state, inputs, loss=loss)
    compiled = lx.gradient_flow(network, inputs, initial_state=of_network, loss=loss)
    trajectory = lx.unroll(network, inputs, of_network)
    for part, norms in flow.log10_states.items():
        which = "hidden" if part == "state" else part
        torch.testing.assert_close(norms, getattr(compiled, f"log10_{which}")[0], rtol=1e-10, atol=1e-9)
        torch.testing.assert_close(flow.states[part], getattr(trajectory, which)[0], rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(flow.log10_inputs, compiled.log10_inputs, rtol=1e-10, atol=1e-9)


# --- past the float range -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("factor", "steps"), [(0.018, 1000), (2.5, 1005), (1e-30, 40), (1e30, 40), (1.0, 300)])
def test_a_leaky_unit_falls_and_rises_past_the_float_range(factor, steps, dtype):
    flow = lx.cell_gradient_flow(
        lambda h, x: factor * h + x, torch.zeros(1, 1, dtype=dtype), torch.zeros(steps, 1, 1, dtype=dtype)
    )
    expected = (steps - torch.arange(steps + 1, dtype=torch.float64)) * math.log10(
        torch.tensor(factor, dtype=dtype).item()
    )
    tolerance = 1e-6 if dtype == torch.float32 else 1e-12
    torch.testing.assert_close(flow.log10_states["state"][:, 0].double(), expected, rtol=tolerance, atol=1e-12)
    torch.testing.assert_close(flow.log10_inputs[:, 0].double(), expected[1:], rtol=tolerance, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_zero_weights_leave_the_forget_gate_alone(dtype):
    def step(state, x):
        cell = torch.sigmoid(torch.tensor(1.0, dtype=dtype)) * state.cell
        return Pair(0.5 * torch.tanh(cell), cell)

    zeros = torch.zeros(1, 2, dtype=dtype)
    flow = lx.cell_gradient_flow(step, Pair(zeros, zeros), torch.zeros(100, 1, 1, dtype=dtype))
    cell = flow.log10_states["cell"][:, 0]
    # T = 100, b_f = 1
    tolerance = 1e-5 if dtype == torch.float32 else 1e-10
    assert 10 ** (cell[0] - cell[-1]).double().item() == pytest.approx(2.4843785557240e-14, rel=tolerance * 10)
    # the hidden state is read by no step
    assert flow.log10_states["hidden"][:-1, 0].tolist() == [-math.inf] * 100
    assert flow.log10_states["hidden"][-1, 0].item() == pytest.approx(0.5 * math.log10(2))
    assert flow.log10_inputs[:, 0].tolist() == [-math.inf] * 100


def test_a_unit_far_below_its_neighbours_outlives_them_in_float32():
    # The first unit halves its gradient at every step until it is shut at step 10; the second falls by 10^-12 a step.
    factors = torch.tensor([0.5, 1e-12])
    shut = torch.tensor([0.0, 1.0])

    def step(h, x):
        return torch.where(x > 0, shut, factors) * h

    x = torch.zeros(20, 1, 1)
    x[9] = 1.0
    norms = lx.cell_gradient_flow(step, torch.zeros(1, 2), x).log10_states["state"][:, 0]
    expected = [-12.0 * (19 - t if t < 10 else 20 - t) for t in range(10)]
    np.testing.assert_allclose(norms[:10], expected, rtol=1e-6)


def test_samples_of_any_size_do_not_disturb_each_other():
    gain = torch.tensor([[1e-20], [1.0], [1e20], [0.0]], dtype=torch.float64)
    inputs = torch.zeros(100, 4, 1, dtype=torch.float64)
    flow = lx.cell_gradient_flow(lambda h, x: gain * h + x, torch.zeros(4, 1, dtype=torch.float64), inputs)
    np.testing.assert_allclose(flow.log10_states["state"][0], [-2000, 0, 2000, -math.inf], rtol=1e-12)


@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_a_loss_of_any_size_only_shifts_the_norms(size):
    step, state, inputs = lstm_like("peephole"), _pair(), _weights((50, B, I), seed=2)[0]
    cotangent = torch.ones(B, H, dtype=torch.float64)
    one = lx.cell_gradient_flow(step, state, inputs, loss="every")
    other = lx.cell_gradient_flow(step, state, inputs, cotangent=size * cotangent, loss="every")
    for part in ("hidden", "cell"):
        shifted = one.log10_states[part] + math.log10(size)
        torch.testing.assert_close(other.log10_states[part], shifted, rtol=1e-12, atol=1e-10)


# --- what a step may be ---------------------------------------------------------------------------------------------


def test_a_part_handed_on_as_it_came_is_a_state_of_its_own():
    def step(state, x):
        return Pair(0.5 * state.cell + x, state.cell)  # the cell is kept as it is

    zeros = torch.zeros(1, 1, dtype=torch.float64)
    flow = lx.cell_gradient_flow(step, Pair(zeros, zeros), torch.zeros(4, 1, 1, dtype=torch.float64), loss="every")
    # h_1 .. h_4 each read the cell of the step before: 4, 3, 2, 1, 0 halves are still to come
    np.testing.assert_allclose(10 ** flow.log10_states["cell"][:, 0], [2.0, 1.5, 1.0, 0.5, 0.0])


def test_a_part_that_no_argument_reaches():
    def step(state, x):
        return Pair(state.cell + x, torch.ones(1, 1, dtype=torch.float64))

    zeros = torch.zeros(1, 1, dtype=torch.float64)
    flow = lx.cell_gradient_flow(step, Pair(zeros, zeros), torch.zeros(3, 1, 1, dtype=torch.float64))
    assert flow.log10_states["cell"][:, 0].tolist() == [-math.inf, -math.inf, 0.0, -math.inf]
    assert flow.log10_states["hidden"][:, 0].tolist() == [-math.inf] * 3 + [0.0]


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_it_measures_where_gradients_are_switched_off(context):
    step, state = lstm_like("lstm"), _pair()
    expected = lx.cell_gradient_flow(step, state, _weights((9, B, I), seed=2)[0])
    with context():
        inputs = _weights((9, B, I), seed=2)[0]
        flow = lx.cell_gradient_flow(step, _pair(), inputs)
        assert not torch.is_grad_enabled()
    for part in ("hidden", "cell"):
        torch.testing.assert_close(flow.log10_states[part], expected.log10_states[part], rtol=0, atol=0)


def test_a_module_is_left_as_it_was_and_no_graph_stays():
    torch.manual_seed(0)
    module, graphs = nn.GRUCell(I, H), []
    module.weight_hh.grad = torch.ones_like(module.weight_hh)

    def step(h, x):
        after = module(x, h)
        graphs.append(weakref.ref(after))
        return after

    inputs = torch.randn(6, B, I, requires_grad=True)
    flow = lx.cell_gradient_flow(step, torch.zeros(B, H), inputs)
    gc.collect()
    assert [graph() for graph in graphs] == [None] * 6
    assert module.weight_hh.grad.eq(1).all()
    assert module.weight_ih.grad is None
    assert inputs.grad is None
    tensors = [flow.log10_inputs, *flow.log10_states.values(), *flow.states.values()]
    assert not any(tensor.requires_grad for tensor in tensors)


def test_states_are_those_of_the_loop():
    step, state = lstm_like("lstm"), _pair()
    inputs = _weights((5, B, I), seed=2)[0]
    flow = lx.cell_gradient_flow(step, state, inputs)
    for t, x in enumerate(inputs):
        torch.testing.assert_close(Pair(flow.states["hidden"][t], flow.states["cell"][t]), state, rtol=0, atol=0)
        state = step(state, x)
    torch.testing.assert_close(flow.states["cell"][5], state.cell, rtol=0, atol=0)


def test_frame_holds_the_numbers_of_the_result():
    flow = lx.cell_gradient_flow(lstm_like("lstm"), _pair(), _weights((5, B, I), seed=2)[0])
    frame = flow.to_frame()
    assert list(frame.columns) == ["quantity", "step", "lag", "sample", "log10_norm"]
    assert len(frame) == 2 * 6 * B + 5 * B
    row = frame.query("quantity == 'cell' and step == 2 and sample == 1").iloc[0]
    assert (row.lag, row.log10_norm) == (3, flow.log10_states["cell"][2, 1].item())
    row = frame.query("quantity == 'inputs' and step == 5 and sample == 2").iloc[0]
    assert (row.lag, row.log10_norm) == (0, flow.log10_inputs[4, 2].item())


# --- what is refused ------------------------------------------------------------------------------------------------

ZERO, X = torch.zeros(2, H), torch.zeros(3, 2, I)


def _keep(state, x):
    return state


@pytest.mark.parametrize(
    ("step", "state", "inputs", "match"),
    [
        ("tanh", ZERO, X, "step is 'tanh': expected a function"),
        (_keep, (ZERO, ZERO), X, "initial_state is a tuple: expected a torch.Tensor .* NamedTuple"),
        (_keep, Pair(ZERO, None), X, "cell of initial_state is a NoneType: expected a torch.Tensor"),
        (_keep, ZERO, X.tolist(), "inputs is a list"),
        (lambda h, x: (h, h), ZERO, X, "state that step returns is a tuple: expected a torch.Tensor"),
        (lambda s, x: tuple(s), Pair(ZERO, ZERO), X, "step returns is a tuple: expected a Pair\\(hidden, cell\\)"),
        (lambda s, x: Pair(s.hidden, None), Pair(ZERO, ZERO), X, "cell of the state that step returns is a NoneType"),
    ],
)
def test_wrong_kinds_are_refused(step, state, inputs, match):
    with pytest.raises(TypeError, match=match):
        lx.cell_gradient_flow(step, state, inputs)


@pytest.mark.parametrize(
    ("step", "state", "inputs", "match"),
    [
        (_keep, ZERO, X[0], r"\(2, 2\): expected \(T, B, I\).*unsqueeze"),
        (_keep, ZERO, X[:0], "at least one step"),
        (_keep, ZERO[0], X, r"state of initial_state has shape \(4,\): expected \(B, H\) with B = 2"),
        (_keep, Pair(ZERO, ZERO[:1]), X, r"cell of initial_state has shape \(1, 4\): expected \(B, \.\.\.\)"),
        (_keep, ZERO.double(), X, r"float64 on cpu: expected torch.float32 on cpu.*\.to\(inputs\)"),
        (_keep, ZERO, X.half(), r"inputs is torch.float16: expected float32 or float64"),
        (_keep, ZERO, X + math.inf, "inputs has values that are NaN or infinite"),
        (_keep, ZERO + math.nan, X, "state of initial_state has values that are NaN"),
        (lambda h, x: h[:, :2], ZERO, X, r"step returns state as torch.float32 \(2, 2\).*expected.*\(2, 4\)"),
        (lambda h, x: h.double(), ZERO, X, r"step returns state as torch.float64.*expected torch.float32"),
        (lambda h, x: h.mul_(0.5), ZERO, X, r"in place: expected a pure function.*h = h \* f"),
        (lambda h, x: (h + x.sum()).exp_().sin().mul_(2) * x.add_(1).sum(), ZERO, X, "in place"),
        (lambda h, x: 1e30 * (h + 1), ZERO, X, "state is NaN or infinite from step 2 of 3 on"),
        (lambda h, x: h.norm(dim=1, keepdim=True).sqrt() + h, ZERO, X, "derivative of step 3 is not finite"),
        (lambda h, x: h - h.mean(0), ZERO, X, r"mixes the samples.*eval\(\)"),
        (lambda h, x: h + x.mean(), ZERO, X, "mixes the samples"),
        (lambda h, x: (0.5 * h).cumsum(0), ZERO, X, "mixes the samples"),
        (lambda h, x: 0.5 * h + h[[*range(len(h) - 1), 0]], ZERO, X, "mixes the samples"),
    ],
)
def test_wrong_shapes_numbers_and_steps_are_refused(step, state, inputs, match):
    with pytest.raises(ValueError, match=match):
        lx.cell_gradient_flow(step, state, inputs)


def test_wrong_cotangent_and_loss_are_refused():
    with pytest.raises(ValueError, match=r"\(4,\): expected a tensor of shape \(2, 4\)"):
        lx.cell_gradient_flow(_keep, ZERO, X, cotangent=torch.ones(H))
    with pytest.raises(ValueError, match=r"cotangent is torch\.float64"):
        lx.cell_gradient_flow(_keep, ZERO, X, cotangent=ZERO.double())
    with pytest.raises(ValueError, match="'mean': expected one of 'last'"):
        lx.cell_gradient_flow(_keep, ZERO, X, loss="mean")


def test_batch_normalisation_is_taken_when_it_does_not_mix():
    norm = nn.BatchNorm1d(H)
    with pytest.raises(ValueError, match="mixes the samples"):
        lx.cell_gradient_flow(lambda h, x: norm(h + x.sum()), ZERO + torch.randn(2, H), X)
    flow = lx.cell_gradient_flow(lambda h, x: norm.eval()(h), ZERO, X)
    assert torch.isfinite(flow.log10_states["state"]).all()
