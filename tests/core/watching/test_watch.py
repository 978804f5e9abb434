"""What is measured inside a training loop, against autograd's own through plain cells; and that nothing is changed."""

import contextlib
import copy
import gc
import math
import pickle
import warnings
import weakref

import numpy as np
import oracle
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.optim.optimizer import _global_optimizer_post_hooks
from torch.utils.checkpoint import checkpoint

import lstm_explorer as lx
from lstm_explorer.core.watching.calls import Call

STEPS, BATCH, SIZE = 6, 3, 4
LOSSES = {
    "output": lambda output, hidden, cell: output[-1].square().sum(),
    "every": lambda output, hidden, cell: output.square().sum() + output[2].sum(),
    "hidden": lambda output, hidden, cell: hidden.square().sum(),
    "cell": lambda output, hidden, cell: cell.square().sum(),
}


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def drawn(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def lstm(**options):
    return nn.LSTM(2, SIZE, **options).double()


def of_all(network, inputs, loss, state=None):
    """Return a loss of everything that a network hands out."""
    output, last = network(inputs, state)
    hidden, cell = last if isinstance(last, tuple) else (last, last)
    return loss(output.transpose(0, 1) if network.batch_first else output, hidden, cell)


def by_autograd(network, inputs, loss):
    """Return log10 norms of the gradients of hidden and cell states ``(L, T + 1, B)``, through plain cells."""
    cells, is_lstm = oracle.cells_of(network), isinstance(network, nn.LSTM)
    zeros = torch.zeros(inputs.shape[1], network.hidden_size, dtype=torch.float64)
    states = [[[zeros.clone().requires_grad_()] for _ in cells] for _ in "hc"]
    for x in inputs:
        for layer, module in enumerate(cells):
            now = [each[layer][-1] for each in states]
            after = module(x, tuple(now)) if is_lstm else [module(x, now[0])]
            for each, state in zip(states, after, strict=False):
                state.retain_grad()
                each[layer].append(state)
            x = after[0]
    hidden, cell = (torch.stack([layer[-1] for layer in each]) for each in states)
    loss(torch.stack(states[0][-1][1:]), hidden, cell if is_lstm else hidden).backward()
    return {name: oracle.norms(each).log10() for name, each in zip(["hidden", "cell"], states, strict=True)}


def norms_of(flow, quantity):
    return getattr(flow.flow, f"log10_{quantity}").double()


def same(measured, expected):
    """Compare log10 norms in float32 with those of autograd."""
    np.testing.assert_allclose(measured, expected, rtol=2e-6, atol=2e-6)


def one_step(network, loss, **options):
    """Return what is measured of one optimizer step."""
    with lx.watch(network, every=1, samples=BATCH, **options) as watched:
        loss().backward()
        torch.optim.SGD(network.parameters(), lr=0.1).step()
    return watched


@pytest.mark.parametrize("reads", LOSSES)
@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_the_norms_are_autograds_own(kind, reads):
    if reads == "cell" and kind is not nn.LSTM:
        reads = "hidden"
    network = kind(2, SIZE, num_layers=2, batch_first=True).double()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.1)
    expected = {}
    with lx.watch(network, every=2, samples=BATCH - 1) as watched:
        for step in range(5):
            inputs = drawn(STEPS, BATCH, 2)
            expected[step] = by_autograd(copy.deepcopy(network), inputs, LOSSES[reads])
            of_all(network, inputs.transpose(0, 1), LOSSES[reads]).backward()
            optimizer.step()
            optimizer.zero_grad()
    assert [flow.optimizer_step for flow in watched.flows] == [0, 2, 4]
    for flow in watched.flows:
        for quantity in ("hidden", "cell") if kind is nn.LSTM else ("hidden",):
            same(norms_of(flow, quantity), expected[flow.optimizer_step][quantity][..., : BATCH - 1])
    assert watched.notes == []


LAYOUTS = {
    "time first": (dict(), (STEPS, BATCH, 2), lambda x: x),
    "one sample without a batch": (dict(), (STEPS, 2), lambda x: x),
    "two directions, projections": (
        dict(batch_first=True, bidirectional=True, num_layers=2, proj_size=3),
        (BATCH, STEPS, 2),
        lambda x: x,
    ),
    "packed": (dict(), (STEPS, BATCH, 2), lambda x: pack_padded_sequence(x, [3, 6, 1], enforce_sorted=False)),
    "packed, two directions": (
        dict(batch_first=True, bidirectional=True),
        (BATCH, STEPS, 2),
        lambda x: pack_padded_sequence(x, [6, 5, 2], batch_first=True),
    ),
}


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_whatever_the_layout_the_inputs_gradient_is_autograds_own(layout):
    options, shape, packed = LAYOUTS[layout]
    network, inputs = lstm(**options), drawn(*shape).requires_grad_()
    weights = drawn(1000)

    def loss():
        output, (hidden, cell) = network(packed(inputs))
        output = output if isinstance(output, torch.Tensor) else pad_packed_sequence(output)[0]
        parts = torch.cat([part.flatten() for part in (output.square(), hidden, cell)])
        return (parts * weights[: len(parts)]).sum()

    frame = one_step(network, loss).to_frame().query("quantity == 'inputs'")
    gradient = inputs.grad[:, None] if inputs.ndim == 2 else inputs.grad
    gradient = gradient.transpose(0, 1) if options.get("batch_first") else gradient
    expected = gradient.norm(dim=-1).log10().numpy()
    assert len(frame) == np.isfinite(expected).sum()
    same(frame["log10_norm"], expected[frame["step"] - 1, frame["sample"]])


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("options", [{}, {"batch_first": True, "bidirectional": True}])
@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_the_units_that_were_dropped_are_dropped_on_the_way_back(kind, options, packed):
    network = kind(2, SIZE, num_layers=3, dropout=0.5, **options).double()
    inputs = drawn(*((BATCH, STEPS, 2) if options else (STEPS, BATCH, 2))).requires_grad_()

    def loss():
        given = pack_padded_sequence(inputs, [3, 6, 1], bool(options), enforce_sorted=False) if packed else inputs
        output, last = network(given)
        hidden = last[0] if kind is nn.LSTM else last
        return (output.data if packed else output).square().sum() + hidden.sum()

    watched = one_step(network, loss)
    frame = watched.to_frame().query("quantity == 'inputs'")
    expected = (inputs.grad.transpose(0, 1) if options else inputs.grad).norm(dim=-1).log10().numpy()
    same(frame["log10_norm"], expected[frame["step"] - 1, frame["sample"]])
    assert len(frame) == (10 if packed else STEPS * BATCH)
    assert watched.notes == []


def test_accumulated_gradients_bring_more_samples():
    network, optimizer = lstm(), None
    batches = [drawn(STEPS, 2, 2) for _ in range(3)]
    expected = torch.cat([by_autograd(network, each, LOSSES["output"])["hidden"] for each in batches], dim=-1)
    with lx.watch(network, every=1, samples=3) as watched:
        optimizer = torch.optim.SGD(network.parameters(), lr=1.0)
        for inputs in batches:
            of_all(network, inputs, LOSSES["output"]).backward()
        assert len(watched._catchers["model"]._reached) == 2  # no more is kept than is measured
        optimizer.step()
    frame = watched.to_frame().query("quantity == 'hidden'")
    assert (frame["optimizer_step"] == 0).all()
    assert (frame["call"] == 0).all()
    assert sorted(set(frame["sample"])) == [0, 1, 2]
    same(frame.sort_values(["step", "sample"])["log10_norm"], expected[0, :, :3].flatten())


def test_several_backward_passes_through_one_forward_pass_add_up():
    network, inputs = lstm(), drawn(STEPS, BATCH, 2)
    expected = by_autograd(network, inputs, lambda *parts: LOSSES["output"](*parts) + LOSSES["every"](*parts))
    with lx.watch(network, every=1) as watched:
        output, last = network(inputs)
        LOSSES["output"](output, *last).backward(retain_graph=True)
        LOSSES["every"](output, *last).backward()
    (flow,) = watched.flows
    same(norms_of(flow, "cell"), expected["cell"])


@pytest.mark.parametrize("carried", [True, False])
def test_pieces_with_a_carried_state_are_calls_of_their_own(carried):
    network, inputs = lstm(), drawn(STEPS, BATCH, 2)
    expected = by_autograd(network, inputs, LOSSES["output"])["hidden"]
    with lx.watch(network, every=1) as watched:
        _, state = network(inputs[:4])
        output, _ = network(inputs[4:], state if carried else tuple(part.detach() for part in state))
        output[-1].square().sum().backward()
    flows = watched.flows
    assert [flow.call for flow in flows] == list(range(1 + carried))
    same(norms_of(flows[-1], "hidden"), expected[:, 4:])
    # Of the last hidden state the output is one part, and the state that is carried on another: both are in it.
    assert not carried or np.allclose(norms_of(flows[0], "hidden"), expected[:, :5], atol=2e-6)


def test_a_loop_that_calls_the_network_step_by_step_is_a_call_a_step():
    network, inputs = nn.LSTM(2, SIZE), torch.randn(STEPS, BATCH, 2)
    expected = by_autograd(copy.deepcopy(network).double(), inputs.double(), LOSSES["cell"])
    with lx.watch(network, every=1) as watched:
        state = None
        for x in inputs.split(1):
            _, state = network(x, state)
        state[1].square().sum().backward()
    assert [flow.call for flow in watched.flows] == list(range(STEPS))
    for step, flow in enumerate(watched.flows):
        # Where a state is carried on, c is given apart from the h that was made of it.
        np.testing.assert_allclose(norms_of(flow, "cell")[:, 1], expected["cell"][:, step + 1], atol=1e-5)
        np.testing.assert_allclose(norms_of(flow, "hidden")[:, 0], expected["hidden"][:, step], atol=1e-5)


def test_two_sentences_read_by_one_network_are_two_calls_in_every_turn():
    network, first, second = lstm(), drawn(STEPS, 1, 2), drawn(3, 1, 2)
    with lx.watch(network, every=1, samples=2) as watched:
        for _ in range(3):
            (network(first)[0][-1] * network(second)[0][-1]).sum().backward()
    assert [(flow.call, flow.first_sample, len(flow.flow.log10_inputs)) for flow in watched.flows] == [
        (0, 0, STEPS), (1, 0, 3), (0, 1, STEPS), (1, 1, 3),
    ]  # fmt: skip


def test_networks_that_share_weights_are_measured_each():
    model = nn.ModuleDict({"a": lstm(), "b": lstm()})
    for name in list(model["a"]._parameters):
        setattr(model["b"], name, getattr(model["a"], name))
    inputs = drawn(STEPS, BATCH, 2), drawn(STEPS, BATCH, 2)
    expected = [by_autograd(model["a"], each, LOSSES["output"])["hidden"] for each in inputs]
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    with lx.watch(model, every=1) as watched:
        for _ in range(2):
            sum(of_all(model[name], each, LOSSES["output"]) for name, each in zip("ab", inputs, strict=True)).backward()
            optimizer.step()
    assert [(flow.optimizer_step, flow.module) for flow in watched.flows] == [(0, "a"), (0, "b"), (1, "a"), (1, "b")]
    for flow, norms in zip(watched.flows, expected, strict=False):
        same(norms_of(flow, "hidden"), norms)


def test_the_scale_of_amp_is_divided_out_and_a_skipped_step_is_no_step():
    network, inputs = nn.GRU(2, SIZE), torch.randn(STEPS, BATCH, 2)
    expected = by_autograd(copy.deepcopy(network).double(), inputs.double(), LOSSES["output"])["hidden"]
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-9)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    with lx.watch(network, every=1, scaler=scaler) as watched:
        for factor in (1.0, math.inf, 1.0):
            loss = of_all(network, inputs, LOSSES["output"]) * factor
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                scaler.scale(loss).backward()
                scaler.step(optimizer)
                scaler.update()
            optimizer.zero_grad()
    assert told == []
    flows = watched.flows
    assert [flow.optimizer_step for flow in flows] == [0, 1]
    for flow in flows:
        np.testing.assert_allclose(norms_of(flow, "hidden"), expected, atol=1e-4)
    assert watched.notes == [
        "step 1: model could not be measured: the gradient that reached its outputs is NaN or infinite"
    ]


def test_under_autocast_it_is_measured_with_the_networks_own_weights():
    model = nn.Sequential(nn.Linear(2, 2), nn.LSTM(2, SIZE))
    inputs = torch.randn(STEPS, BATCH, 2)
    expected = by_autograd(copy.deepcopy(model[1]).double(), model[0](inputs).double().detach(), LOSSES["output"])
    with lx.watch(model, every=1) as watched, torch.autocast("cpu", torch.bfloat16):
        output, _ = model(inputs)
        output[-1].float().square().sum().backward()
    (flow,) = watched.flows
    np.testing.assert_allclose(norms_of(flow, "hidden"), expected["hidden"], atol=0.05)


@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated")
@pytest.mark.parametrize("normed", [nn.utils.weight_norm, nn.utils.parametrizations.weight_norm])
def test_weights_made_by_a_parametrization_are_those_of_the_forward_pass(normed):
    network, inputs = normed(lstm(), "weight_hh_l0"), drawn(STEPS, BATCH, 2)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.5)
    with lx.watch(network, every=1) as watched:
        for _ in range(2):
            given = inputs.clone().requires_grad_()
            of_all(network, given, LOSSES["output"]).backward()
            optimizer.step()
    same(watched.flows[1].flow.log10_inputs, given.grad.norm(dim=-1).log10())


@pytest.mark.parametrize("reentrant", [True, False])
def test_a_checkpointed_network_is_measured_once(reentrant):
    network, inputs = lstm(), drawn(STEPS, BATCH, 2).requires_grad_()
    with lx.watch(network, every=1) as watched:
        output = checkpoint(lambda x: network(x)[0], inputs, use_reentrant=reentrant)
        output[-1].square().sum().backward()
    (flow,) = watched.flows
    same(flow.flow.log10_inputs, inputs.grad.norm(dim=-1).log10())


def trained(watching):
    """Train a little; return losses, weights, the random state, and the gradients that are left."""
    torch.manual_seed(1)
    model = nn.ModuleDict(
        {"lstm": nn.LSTM(2, SIZE, 2, dropout=0.5), "drop": nn.Dropout(0.5), "head": nn.Linear(SIZE, 1)}
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    losses = []
    with watching(model) as watched:
        for _ in range(4):
            optimizer.zero_grad()
            loss = model["head"](model["drop"](model["lstm"](torch.randn(STEPS, BATCH, 2))[0])).square().mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            _ = watched and (watched.say(), watched.latest(), watched.to_frame())
    hooks = [name for module in model.modules() for name, value in vars(module).items() if "hooks" in name and value]
    attributes = [sorted(vars(module)) for module in model.modules()]
    gradients = [weight.grad for weight in model.parameters()]
    return [losses, list(model.state_dict().values()), torch.get_rng_state(), gradients, hooks, attributes]


def test_nothing_of_the_training_is_changed():
    plain = trained(lambda model: warnings.catch_warnings())
    watched = trained(lambda model: lx.watch(model, every=1))
    losses, weights, random, gradients, hooks, attributes = (
        zip(a, b, strict=True) for a, b in zip(plain, watched, strict=True)
    )
    assert all(a == b for a, b in losses)
    assert all(torch.equal(a, b) for a, b in (*weights, *gradients))
    assert all(torch.equal(a, b) for a, b in random)
    assert list(hooks) == []
    assert all(a == b for a, b in attributes)


def test_after_an_error_no_hook_is_left():
    network = lstm()
    with contextlib.suppress(ZeroDivisionError), lx.watch(network, every=1) as watched:
        network(drawn(STEPS, BATCH, 2))[0].sum().backward()  # of a step that was never made
        output, _ = network(drawn(STEPS, BATCH, 2))
        1 / 0
    assert not network._forward_hooks
    assert not _global_optimizer_post_hooks
    output[-1].sum().backward()  # its hooks are gone, too
    assert watched.flows == ()


def test_it_can_be_started_and_stopped_where_a_with_does_not_fit():
    network = lstm()
    watched = lx.watch(network, every=1).start()
    with pytest.raises(ValueError, match=r"watched already: expected stop\(\) before"):
        watched.start()
    of_all(network, drawn(STEPS, BATCH, 2), LOSSES["output"]).backward()
    watched.stop()
    assert len(watched.flows) == 1
    assert not network._forward_hooks


def test_evaluation_is_not_recorded():
    network, inputs = lstm(), drawn(STEPS, BATCH, 2)
    with lx.watch(network, every=1) as watched:
        with torch.no_grad():
            network(inputs)
        network.eval()
        of_all(network, inputs, LOSSES["output"]).backward()
    assert watched.flows == ()
    assert watched.say() == "Nothing has been measured yet."
    assert watched.latest() == {}
    assert list(watched.to_frame().columns)[:3] == ["optimizer_step", "module", "layer"]


def test_a_forward_pass_without_a_backward_pass_is_not_kept():
    network = lstm()
    with lx.watch(network, every=1):
        output, _ = network(drawn(STEPS, BATCH, 2))
        (call,) = {weakref.ref(one) for one in gc.get_objects() if type(one) is Call}
        del output, _
        gc.collect()
        assert call() is None


def test_copies_of_the_model_are_not_watched():
    network, inputs = lstm(), drawn(STEPS, BATCH, 2)
    with lx.watch(network, every=1) as watched:
        for again in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
            of_all(again, inputs, LOSSES["output"]).backward()
    assert watched.flows == ()


class Doubling(nn.LSTM):
    def forward(self, x, state=None):
        output, last = super().forward(x, state)
        return 2 * output, last


def test_a_model_may_be_converted_on_the_way():
    network = nn.GRU(2, SIZE)
    with lx.watch(network, every=1) as watched:
        of_all(network, torch.randn(STEPS, BATCH, 2), LOSSES["output"]).backward()
        of_all(network.double(), drawn(STEPS, BATCH, 2), LOSSES["output"]).backward()
    assert [flow.first_sample for flow in watched.flows] == [0, BATCH]


def test_what_a_network_computes_otherwise_is_noted_and_the_training_goes_on():
    network = Doubling(2, SIZE)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    with warnings.catch_warnings(record=True) as told, lx.watch(network, every=1) as watched:
        warnings.simplefilter("always")
        for _ in range(2):
            of_all(network, torch.randn(STEPS, BATCH, 2), LOSSES["output"]).backward()
            optimizer.step()
    (warning,) = told
    assert str(warning.message).startswith(
        "step 0: model could not be measured: it computes something else than a torch"
    )
    assert watched.flows == ()
    assert len(watched.notes) == 2
    assert watched.say() == watched.notes[-1]


class Alone(nn.LSTM):
    def forward(self, x, *, scale=1.0):
        return scale * super().forward(x)[0]


def test_a_forward_that_gives_something_else_is_noted_and_the_training_goes_on():
    network = Alone(2, SIZE)
    with pytest.warns(UserWarning, match=r"its forward takes \(Tensor, float\) and gives a Tensor"):
        watched = one_step(network, lambda: network(torch.randn(STEPS, BATCH, 2), scale=2.0).sum())
    assert watched.flows == ()


def test_a_hook_of_ones_own_that_changes_the_output_is_seen_through():
    network, inputs = lstm(), drawn(STEPS, BATCH, 2)
    network.register_forward_hook(lambda module, args, result: (3 * result[0], result[1]))
    expected = by_autograd(network, inputs, lambda output, hidden, cell: (3 * output[-1]).square().sum())
    (flow,) = one_step(network, lambda: of_all(network, inputs, LOSSES["output"])).flows
    same(norms_of(flow, "hidden"), expected["hidden"])


def test_lags_count_from_the_last_step_that_the_loss_reaches():
    network = lstm()
    watched = one_step(network, lambda: network(drawn(STEPS, BATCH, 2))[0][[3, 5, 0], [0, 1, 2]].sum())
    frame = watched.to_frame().query("quantity == 'hidden'")
    assert frame.groupby("sample")["lag"].max().tolist() == [4, 6, 1]
    assert frame.query("lag == 0")["step"].tolist() == [1, 4, 6]
    assert np.isfinite(frame["log10_norm"]).all()
    assert not watched.flows[0].reads_earlier


def test_the_numbers_of_the_last_measurement_and_what_is_said():
    model = nn.ModuleDict({"a": lstm(), "b": nn.GRU(2, SIZE, bidirectional=True).double()})
    inputs, written = drawn(40, BATCH, 2), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with lx.watch(model, every=2, writer=lambda *came: written.append(came)) as watched:
        for _ in range(3):
            (model["a"](inputs)[0][-1].sum() + model["b"](inputs)[0].sum()).backward()
            optimizer.step()
    assert [step for _, step in written] == [0, 2]
    assert written[-1][0] == watched.latest()
    norms = norms_of(watched.flows[-2], "hidden")[0]
    shares = (norms - norms[-1]).median(dim=1).values
    latest = watched.latest()
    assert latest["gradient/a/half_life"] == pytest.approx(40 * math.log10(2) / -shares[0])
    names = [f"log10_share_at_{percent}_percent" for percent in (25, 50, 100)]
    assert [latest[f"gradient/a/{name}"] for name in names] == pytest.approx([float(shares[at]) for at in (30, 20, 0)])
    assert latest["gradient/a/reads_earlier"] == 0
    assert latest["gradient/b/forward/reads_earlier"] == latest["gradient/b/backward/reads_earlier"] == 1
    assert {name.rsplit("/", 1)[0] for name in latest} == {"gradient/a", "gradient/b/forward", "gradient/b/backward"}
    first, *others = watched.say().splitlines()
    assert first.startswith("step 2, a: ")
    assert first.endswith(
        f"of the gradient reaches 40 steps back; half-life {latest['gradient/a/half_life']:.1f} steps"
    )
    assert [line.split(":")[0] for line in others] == ["step 2, b forward", "step 2, b backward"]
    assert all(line.endswith("the loss reads earlier steps too") for line in others)


def test_the_shares_by_step_and_lag():
    network, optimizer = lstm(), None
    with lx.watch(network, every=2) as watched:
        optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
        for length in (5, 6, 7):
            of_all(network, drawn(length, BATCH, 2), LOSSES["output"]).backward()
            optimizer.step()
    steps, shares = watched.shares("model")[""]
    assert steps.tolist() == [0, 2]
    assert np.isnan(shares).tolist() == [[False] * 6 + [True] * 2, [False] * 8]
    assert (shares[:, 0] == 0).all()
    with pytest.raises(ValueError, match="module is 'lstm': expected one of 'model', which are watched"):
        watched.shares("lstm")
    with pytest.raises(ValueError, match="quantity is 'inputs': expected one of 'hidden', 'cell', 'cell_path'"):
        watched.shares("model", "inputs")


@pytest.mark.parametrize(("options", "said"), [
    ({"every": 0}, "every is 0: expected 1 or more"),
    ({"samples": 0}, "samples is 0: expected 1 or more"),
    ({"scaler": 2.0}, "scaler is a float: expected a torch.amp.GradScaler"),
    ({"writer": "log"}, r"writer is a str: expected an object with add_scalar\(name, value, step\)"),
])  # fmt: skip
def test_options_are_checked(options, said):
    with pytest.raises((ValueError, TypeError), match=said):
        lx.watch(lstm(), **options)
