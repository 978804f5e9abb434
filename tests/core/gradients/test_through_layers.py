"""Networks as people have them: against autograd, one sample at a time, and equal to running each sample alone."""

import copy
import io
import pickle

import alone
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pack_sequence
from torch.testing._internal.common_modules import module_db

import lstm_explorer as lx
from lstm_explorer.core.gradients.flow import Outputs, flow_of_outputs

DOUBLE = torch.float64
KINDS = [(nn.RNN, {}), (nn.RNN, {"nonlinearity": "relu"}), (nn.LSTM, {}), (nn.LSTM, {"proj_size": 2}), (nn.GRU, {})]


#: How far log10 of a norm may lie off: rounding of the forward pass, which float32 has more of.
TOLERANCE = {torch.float32: 2e-3, DOUBLE: 1e-9}


def configurations(dtype):
    """Return every configuration that PyTorch tests its own networks with."""
    found = []
    for info in (one for one in module_db if one.module_cls in (nn.RNN, nn.LSTM, nn.GRU)):
        for training in (True, False):
            inputs = info.module_inputs_func(info, device="cpu", dtype=dtype, requires_grad=False, training=training)
            found += [(info.module_cls, one.constructor_input, one.forward_input) for one in inputs]
    return found


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_every_configuration_of_pytorch_itself(dtype):
    every, bidirectional = configurations(dtype), 0
    assert len(every) >= 160
    close = {"rtol": 0, "atol": TOLERANCE[dtype]}
    for kind, made, called in every:
        torch.manual_seed(0)
        network = kind(*made.args, **{**made.kwargs, "dtype": dtype}).eval()
        bidirectional += network.bidirectional
        inputs, *state = called.args
        state = state[0] if state else called.kwargs.get("hx")
        flow = lx.gradient_flow(network, inputs, initial_state=state)
        batched = inputs.ndim == 3
        first = inputs if not batched else inputs[0] if network.batch_first else inputs[:, 0]
        states = None
        if state is not None:
            parts = state if isinstance(state, tuple) else (state,)
            states = [part[:, 0] if batched else part for part in parts]
        hidden, cell, x, _ = alone.run(network, first, states=states)
        loss = sum(row[-1].sum() for row in hidden[-(2 if network.bidirectional else 1) :])
        expected = {"log10_hidden": hidden, **({"log10_cell": cell} if kind is nn.LSTM else {})}
        for name, leaves in expected.items():
            ours = getattr(flow, name)[..., 0].double()
            torch.testing.assert_close(ours, alone.log10_norms(loss, leaves), **close)
        torch.testing.assert_close(flow.log10_inputs[:, 0].double(), alone.log10_norms(loss, x), **close)
    assert bidirectional >= 60


def made(kind, options, *, layers=2, directions=2, batch_first=False, seed=0):
    torch.manual_seed(seed)
    return kind(3, 4, layers, bidirectional=directions == 2, batch_first=batch_first, dtype=DOUBLE, **options)


def sequence(lengths=(7, 4, 7, 1)):
    torch.manual_seed(1)
    return [torch.randn(length, 3, dtype=DOUBLE) for length in lengths]


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_samples_of_other_lengths_are_as_if_alone(kind, options, directions):
    network, samples = made(kind, options, directions=directions), sequence()
    lengths = [len(one) for one in samples]
    padded = nn.utils.rnn.pad_sequence(samples, padding_value=torch.nan)
    packed = pack_sequence(samples, enforce_sorted=False)
    cotangent = torch.randn(7, 4, directions * (network.proj_size or 4), dtype=DOUBLE)
    for given in ({}, {"cotangent": cotangent}, {"loss": "every"}):
        flow = lx.gradient_flow(network, padded, lengths=lengths, units=True, **given)
        of_packed = lx.gradient_flow(network, packed, units=True, **given)
        for name in ("log10_hidden", "log10_cell", "log10_cell_path", "log10_inputs", "log10_hidden_units"):
            if (ours := getattr(flow, name)) is None:
                continue
            torch.testing.assert_close(getattr(of_packed, name), ours, equal_nan=True)
            for b, one in enumerate(samples):
                alike = {**given, **({"cotangent": cotangent[: len(one), b : b + 1]} if "cotangent" in given else {})}
                theirs = getattr(lx.gradient_flow(network, one[:, None], units=True, **alike), name)
                at_b, end = (ours[:, :, b], theirs.shape[1]) if ours.ndim > 2 else (ours[:, b], theirs.shape[0])
                axis = 1 if ours.ndim > 2 else 0
                torch.testing.assert_close(at_b.narrow(axis, 0, end), theirs.select(axis + 1, 0), rtol=1e-9, atol=1e-9)
                assert at_b.narrow(axis, end, ours.shape[axis] - end).isnan().all()
    rows = flow.to_frame()
    assert rows.groupby("sample")["lag"].max().tolist() == lengths
    assert rows["log10_norm"].notna().all()


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_a_loss_of_everything_that_the_network_hands_out(kind, options, directions):
    """Outputs, h_n and c_n of every layer, as an encoder hands them on; padded samples among them."""
    network, samples = made(kind, options, directions=directions), sequence((6, 3))
    size, count = network.proj_size or 4, 2 * directions
    output = torch.randn(6, 2, directions * size, dtype=DOUBLE)
    hidden = torch.randn(count, 2, size, dtype=DOUBLE)
    cell = torch.randn(count, 2, 4, dtype=DOUBLE) if kind is nn.LSTM else None
    padded = nn.utils.rnn.pad_sequence(samples)
    flow = flow_of_outputs(network, padded, Outputs(output, hidden, cell), lengths=[6, 3])
    only_cell = flow_of_outputs(network, padded, Outputs(0 * output, None, cell), lengths=[6, 3])
    for b, one in enumerate(samples):
        states, cells, x, outputs = alone.run(network, one)
        loss = sum((v * y).sum() for v, y in zip(output[:, b], outputs, strict=False))
        loss = loss + sum((hidden[k, b] * states[k][-1]).sum() for k in range(count))
        of_cell = sum((cell[k, b] * cells[k][-1]).sum() for k in range(count)) if cell is not None else None
        whole = loss if of_cell is None else loss + of_cell
        end = len(one)
        close = {"rtol": 1e-9, "atol": 1e-9}
        torch.testing.assert_close(flow.log10_hidden[:, : end + 1, b], alone.log10_norms(whole, states), **close)
        torch.testing.assert_close(flow.log10_inputs[:end, b], alone.log10_norms(whole, x), **close)
        if of_cell is not None:
            torch.testing.assert_close(flow.log10_cell[:, : end + 1, b], alone.log10_norms(whole, cells), **close)
            torch.testing.assert_close(
                only_cell.log10_cell[:, : end + 1, b], alone.log10_norms(of_cell, cells), **close
            )


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize(("kind", "options"), KINDS[2:4])
def test_the_cell_path_is_what_is_left_with_the_hidden_state_detached(kind, options, directions):
    network, (one,) = made(kind, options, directions=directions), sequence((5,))
    flow = lx.gradient_flow(network, one)
    hidden, cell, _, _ = alone.run(network, one, cut=True)
    loss = sum(row[-1].sum() for row in hidden[-directions:])
    torch.testing.assert_close(flow.log10_cell_path[..., 0], alone.log10_norms(loss, cell), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_a_real_loss_through_a_head(kind, options, batch_first):
    network, samples = made(kind, options, batch_first=batch_first), sequence((5, 5))
    head = nn.Linear(2 * (network.proj_size or 4), 2, dtype=DOUBLE)
    targets = torch.tensor([0, 1])
    inputs = torch.stack(samples, dim=0 if batch_first else 1)

    def loss_fn(output):
        assert output.shape == network(inputs)[0].shape
        return nn.functional.cross_entropy(head(output.mean(1 if batch_first else 0)), targets)

    with torch.no_grad():  # whatever mode it is called in
        flow = lx.gradient_flow_of_loss(network, inputs, loss_fn)
    runs = [alone.run(network, one) for one in samples]
    answers = torch.stack([head(torch.stack(run[3]).mean(0)) for run in runs])
    loss = nn.functional.cross_entropy(answers, targets)
    for b, (hidden, _, x, _) in enumerate(runs):
        torch.testing.assert_close(flow.log10_hidden[..., b], alone.log10_norms(loss, hidden), rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(flow.log10_inputs[:, b], alone.log10_norms(loss, x), rtol=1e-9, atol=1e-9)
    assert all(parameter.grad is None for parameter in (*network.parameters(), *head.parameters()))


@pytest.mark.parametrize("enforce_sorted", [False, True])
def test_a_loss_of_packed_outputs(enforce_sorted):
    network, samples = made(nn.LSTM, {}), sequence((6, 4, 2) if enforce_sorted else (2, 6, 4))
    packed = pack_sequence(samples, enforce_sorted=enforce_sorted)
    weights = torch.randn(12, 8, dtype=DOUBLE)
    reference = network(packed)[0]

    def loss_fn(output):
        torch.testing.assert_close(output.data, reference.data)
        return (weights * output.data).sum()

    ours = lx.gradient_flow_of_loss(network, packed, loss_fn)
    theirs = lx.gradient_flow(network, packed, cotangent=reference._replace(data=weights))
    torch.testing.assert_close(ours.log10_hidden, theirs.log10_hidden, equal_nan=True)
    assert ours.log10_hidden.isfinite().any()


def test_a_loss_may_work_in_place_and_draw_random_numbers():
    network, samples = made(nn.GRU, {}), sequence((5, 5))
    inputs, state = torch.stack(samples, dim=1), torch.random.get_rng_state()

    def in_place(output):
        return output.relu_().sum() + 0 * nn.functional.dropout(output, 0.5).sum()

    ours = lx.gradient_flow_of_loss(network, inputs, in_place)
    theirs = lx.gradient_flow_of_loss(network, inputs, lambda output: output.relu().sum())
    assert torch.equal(ours.log10_hidden, theirs.log10_hidden)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_one_sample_may_come_without_its_axis():
    network, (one,) = made(nn.LSTM, {}), sequence((5,))
    state = torch.randn(2, 4, 4, dtype=DOUBLE).unbind()
    cotangent = torch.randn(5, 8, dtype=DOUBLE)
    alike = lx.gradient_flow(
        network, one[:, None], cotangent=cotangent[:, None], initial_state=tuple(each[:, None] for each in state)
    )
    flow = lx.gradient_flow(network, one, cotangent=cotangent, initial_state=state)
    assert torch.equal(flow.log10_hidden, alike.log10_hidden)
    trajectory = lx.unroll(network, one, initial_state=state)
    assert torch.equal(trajectory.hidden[-2, 1:, 0], network(one, state)[0][:, :4].detach())


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_unroll_gives_the_network_s_own_states(kind, options):
    network, samples = made(kind, options), sequence((6, 3))
    packed = pack_sequence(samples)
    trajectory = lx.unroll(network, packed)
    output, state = network(packed)
    last = state[0] if kind is nn.LSTM else state
    padded, _ = nn.utils.rnn.pad_packed_sequence(output)
    size = network.proj_size or 4
    for b, length in enumerate((6, 3)):
        torch.testing.assert_close(trajectory.hidden[:, length, b], last[:, b].detach())
        torch.testing.assert_close(trajectory.hidden[2, 1 : length + 1, b], padded[:length, b, :size].detach())
        torch.testing.assert_close(trajectory.hidden[3, 1 : length + 1, b].flip(0), padded[:length, b, size:].detach())
        if kind is nn.LSTM:
            torch.testing.assert_close(trajectory.cell[:, length, b], state[1][:, b].detach())
    assert trajectory.hidden[:, 4:, 1].isnan().all()


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_the_other_measurements_of_a_network_of_one_s_own(kind, options, directions):
    network, samples = made(kind, options, directions=directions), sequence((6, 4))
    packed, size = pack_sequence(samples), network.proj_size or 4
    cotangent = torch.randn(6, 2, directions * size, dtype=DOUBLE)
    contributions = lx.step_contributions(network, packed, cotangent=cotangent)
    padded, lengths = nn.utils.rnn.pad_packed_sequence(packed)
    output = nn.utils.rnn.pad_packed_sequence(network(packed)[0])[0]
    (output * cotangent).sum().backward()
    for direction in range(directions):
        grad = getattr(network, "weight_hh_l1" + "_reverse" * direction).grad
        torch.testing.assert_close(contributions.total[direction].flatten(0, 1), grad)
    whole = torch.stack([one[:4] for one in samples], dim=1)
    lines = lx.weight_gradients(network, whole, lengths=(2, 4))
    for n, length in enumerate((2, 4)):
        flow = lx.gradient_flow(network, whole[:length])
        torch.testing.assert_close(lines.log10_hidden[n], flow.log10_hidden[-directions:, 0])
    if kind is nn.LSTM:
        paths = lx.path_flows(network, packed, cotangent=cotangent)
        flow = lx.gradient_flow(network, padded, cotangent=cotangent, lengths=lengths)
        torch.testing.assert_close(paths.total, flow.log10_cell[-directions:], equal_nan=True)
        torch.testing.assert_close(paths.cell_alone, flow.log10_cell_path[-directions:], equal_nan=True)
        shares = sum(paths.split.values())
        assert torch.allclose(shares[~shares.isnan()], torch.ones(1, dtype=DOUBLE))


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize(
    ("kind", "options", "gate"),
    [(nn.LSTM, {}, "forget"), (nn.LSTM, {"proj_size": 2}, "forget"), (nn.GRU, {}, "update")],
)
def test_a_map_of_a_network_of_one_s_own(kind, options, gate, directions):
    network, samples = made(kind, options, directions=directions), sequence((6, 4))
    packed, size = pack_sequence(samples), network.proj_size or 4
    for cotangent in (None, torch.randn(6, 2, directions * size, dtype=DOUBLE)):
        result = lx.bias_map(network, packed, gate=gate, biases=(-1, 0, 2.5), cotangent=cotangent)
        for at, added in enumerate(result.biases):
            changed = copy.deepcopy(network)
            for name, parameter in changed.named_parameters():
                if name.startswith("bias_ih"):
                    parameter.data[4:8] += added
            flow = lx.gradient_flow(changed, packed, cotangent=cotangent)
            close = {"rtol": 1e-9, "atol": 1e-9, "equal_nan": True}
            torch.testing.assert_close(result.log10_hidden[at], flow.log10_hidden[-directions:], **close)
            if kind is nn.LSTM:
                torch.testing.assert_close(result.log10_cell_path[at], flow.log10_cell_path[-directions:], **close)


def test_far_past_the_float_range():
    network = made(nn.LSTM, {"proj_size": 2})
    for name, parameter in network.named_parameters():
        if name.startswith("bias_ih"):
            parameter.data[4:8] -= 8
    flow = lx.gradient_flow(network, torch.zeros(400, 1, 3, dtype=DOUBLE))
    assert flow.log10_hidden[-2:, 0].max() < -400
    assert flow.log10_hidden.isfinite().all()


RESULTS = {
    "flow": lambda network, x: lx.gradient_flow(network, x, lengths=[5, 3]),
    "trajectory": lambda network, x: lx.unroll(network, x, lengths=[5, 3]),
    "paths": lambda network, x: lx.path_flows(network, x),
    "contributions": lambda network, x: lx.step_contributions(network, x),
    "weights": lambda network, x: lx.weight_gradients(network, x, lengths=(2, 5)),
    "map": lambda network, x: lx.bias_map(network, x, biases=(0, 1)),
    "cell": lambda network, x: lx.cell_gradient_flow(lambda h, x: h + x, torch.zeros(2, 3, dtype=DOUBLE), x),
    "biases": lambda network, x: lx.effective_biases(network),
}


@pytest.mark.parametrize("name", RESULTS)
def test_results_can_be_pickled_and_copied(name):
    result = RESULTS[name](made(nn.LSTM, {}), torch.randn(5, 2, 3, dtype=DOUBLE))
    for twin in (pickle.loads(pickle.dumps(result)), copy.deepcopy(result), copy.copy(result)):
        buffers = [io.BytesIO() for _ in range(2)]
        for each, buffer in zip((result, twin), buffers, strict=True):
            pickle.dump(each, buffer)
        assert type(twin) is type(result)
        assert len({len(buffer.getvalue()) for buffer in buffers}) == 1


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"lengths": [5]}, ValueError, r"lengths is \[5\]: expected 2 whole numbers"),
        ({"lengths": [5, 0]}, ValueError, "from 1 to 5"),
        ({"lengths": [5, 6]}, ValueError, "from 1 to 5"),
        ({"lengths": [5.0, 1.0]}, TypeError, "expected whole numbers"),
        ({"lengths": "ab"}, TypeError, "lengths is a str"),
        ({"cotangent": torch.ones(2, 5)}, ValueError, r"\(B, hidden_size\) = \(2, 8\).*the forward direction first"),
        ({"initial_state": torch.zeros(2, 2, 4)}, ValueError, r"expected h_0, one tensor of shape \(2 \* num_layers"),
    ],
)
def test_what_does_not_fit_a_network_of_one_s_own(given, error, message):
    with pytest.raises(error, match=message):
        lx.gradient_flow(nn.GRU(3, 4, 2, bidirectional=True), torch.zeros(5, 2, 3), **given)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda n, x: lx.path_flows(n), TypeError, "inputs is missing"),
        (lambda n, x: lx.path_flows(nn.GRU(3, 4), x), ValueError, "expected a torch.nn.LSTM"),
        (lambda n, x: lx.path_flows(lx.Settings(), x), ValueError, "inputs comes with Settings"),
        (lambda n, x: lx.step_contributions(nn.Linear(3, 4), x), TypeError, "network is a Linear"),
        (lambda n, x: lx.step_contributions("lstm", x), TypeError, "settings is a str: expected Settings"),
        (lambda n, x: lx.step_contributions(n, x, table=[[1.0]]), ValueError, "table comes with a network of your own"),
        (lambda n, x: lx.weight_gradients(n, x, lengths=(9,)), ValueError, "expected 1 to 5 steps"),
        (
            lambda n, x: lx.weight_gradients(n, pack_padded_sequence(x, [5, 3]), lengths=(2,)),
            TypeError,
            "expected a torch.Tensor",
        ),
        (lambda n, x: lx.bias_map(n, x, gate="update", biases=(0,)), ValueError, "gate is 'update'"),
        (lambda n, x: lx.gradient_flow_of_loss(n, x, lambda y: y), ValueError, r"returned \(5, 2, 4\): expected a sca"),
        (lambda n, x: lx.gradient_flow_of_loss(n, x, lambda y: 1.0), TypeError, "returned a float"),
        (lambda n, x: lx.gradient_flow_of_loss(n, x, lambda y: x.sum()), ValueError, "does not depend on the output"),
        (lambda n, x: lx.gradient_flow_of_loss(n, x, lambda y: (0 * y).sqrt().sum()), ValueError, "NaN or infinite"),
    ],
)
def test_other_measurements_say_what_they_need(call, error, message):
    with pytest.raises(error, match=message):
        call(nn.LSTM(3, 4), torch.zeros(5, 2, 3))
