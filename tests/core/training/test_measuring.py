"""The measured gradients against autograd through plain cells, in the same training step."""

import math

import numpy as np
import oracle
import pytest
import torch
from torch import nn

import lstm_explorer as lx
from lstm_explorer.core.training.measuring import measure
from lstm_explorer.core.training.model import Model
from lstm_explorer.core.training.options import Training
from lstm_explorer.core.training.task import Batch
from lstm_explorer.core.training.tasks import TASKS
from lstm_explorer.core.training.trainer import Trainer

SMALL = Training(
    dtype="float64", sequence_length=9, hidden_size=5, batch_size=4, samples=4, steps=1, measurements=1,
    recurrent_gain=2.0, forget_bias=1.0,
)  # fmt: skip


class MinGRUCell(nn.Module):
    def __init__(self, weight, bias):
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight.detach()), nn.Parameter(bias.detach())

    def forward(self, x, h):
        z, candidate = nn.functional.linear(x, self.weight, self.bias).chunk(2, dim=1)
        return h + z.sigmoid() * (candidate - h)


def cells_of(network):
    if isinstance(network, tuple(oracle.CELLS)):
        return oracle.cells_of(network)
    weights = (
        [getattr(network, f"{name}_ih_l{layer}") for name in ("weight", "bias")] for layer in range(network.num_layers)
    )
    return [MinGRUCell(*each) for each in weights]


def by_autograd(model, batch, loss_of, *, detach_recurrent=False):
    """Return log10 norms ``(T + 1, B)`` of the last layer's hidden and cell states, and the loss."""
    cells, steps = cells_of(model.network), len(batch.inputs)
    is_lstm = isinstance(model.network, nn.LSTM)
    zeros = torch.zeros(len(cells), batch.inputs.shape[1], model.network.hidden_size, dtype=torch.float64)
    hidden, cell = list(zeros.clone().requires_grad_().unbind()), list(zeros.clone().requires_grad_().unbind())
    for state in (*hidden, *cell):
        state.retain_grad()
    kept_hidden, kept_cell, outputs = [hidden[-1]], [cell[-1]], []
    for t, x in enumerate(batch.inputs):
        cut = model.truncation and t and (steps - t) % model.truncation == 0
        for index, module in enumerate(cells):
            h, c = (one[index].detach() if cut else one[index] for one in (hidden, cell))
            h = h.detach() if detach_recurrent else h
            h, c = module(x, (h, c)) if is_lstm else (module(x, h), c)
            hidden[index], cell[index], x = h, c, h
            for state in (h, c):
                if state.requires_grad:
                    state.retain_grad()
        kept_hidden.append(hidden[-1])
        kept_cell.append(cell[-1])
        outputs.append(hidden[-1])
    stacked = torch.stack(outputs)
    if model.reads == "every":
        answers = model.head(stacked)
    else:
        ends = torch.full((stacked.shape[1],), steps) if batch.lengths is None else batch.lengths
        answers = model.head(stacked[ends - 1, range(len(ends))])
    loss = loss_of(answers, batch.targets)
    loss.backward()
    norms = [[torch.zeros(len(h)) if h.grad is None else h.grad.norm(dim=1) for h in kept] for kept in
             (kept_hidden, kept_cell)]  # fmt: skip
    return [torch.stack(each).double().log10().numpy() for each in norms], loss.item()


def median(norms):
    """Of four samples the second or third, as NumPy's "nearest" takes them: by rank, -inf being the smallest."""
    return np.sort(norms, axis=1)[:, round((norms.shape[1] - 1) / 2)]


CASES = [
    *({"architecture": name, "num_layers": layers} for name in ("rnn", "lstm", "gru", "mingru") for layers in (1, 2)),
    *({"task": "copy", "sequence_length": 3, "architecture": name} for name in ("lstm", "gru")),
    *({"truncation": every, "architecture": name} for every in (4, 9) for name in ("lstm", "rnn")),
    {"truncation": 4, "task": "copy", "sequence_length": 3},
    {"truncation": 2, "architecture": "mingru"},
]


@pytest.mark.parametrize("changes", CASES, ids=lambda changes: "-".join(map(str, changes.values())))
def test_a_run_measures_what_autograd_gives_in_the_same_step(changes):
    training = SMALL.replace(**changes)
    task = TASKS[training.task]
    problem = task.posed(training)
    run = Trainer(training, problem, task).advance(1)
    model = Model(training, problem.features, problem.outputs, task.reads)
    batch = problem.batch(0)
    targets = batch.targets.double() if batch.targets.is_floating_point() else batch.targets
    batch = Batch(batch.inputs.double(), targets)
    (hidden, cell), loss = by_autograd(model, batch, task.loss_of)
    assert run.loss[0] == pytest.approx(loss, rel=1e-12)
    # log10 of float64 norms of a few sums: nine digits.
    np.testing.assert_allclose(run.log10_hidden[0], median(hidden), atol=1e-9)
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(run.ratios("hidden")[0], median(hidden - hidden[-1]), atol=1e-9)
    if training.architecture != "lstm":
        assert run.log10_cell is None
        return
    (_, path), _ = by_autograd(model, batch, task.loss_of, detach_recurrent=True)
    np.testing.assert_allclose(run.log10_cell[0], median(cell), atol=1e-9)
    np.testing.assert_allclose(run.log10_cell_path[0], median(path), atol=1e-9)


def test_nothing_reaches_what_lies_before_a_truncation():
    run = lx.train(SMALL.replace(truncation=4))
    assert np.isneginf(run.log10_hidden[:, :6]).all()  # the state after step 5 is read, and detached
    assert np.isfinite(run.log10_hidden[:, 6:]).all()


LENGTHS = torch.tensor([7, 3, 5])


def of_lengths(architecture, truncation=0):
    training = SMALL.replace(architecture=architecture, truncation=truncation)
    model = Model(training, 2, 3, "last")
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(7, 3, 2, generator=generator, dtype=torch.float64)
    return model, Batch(inputs, torch.tensor([0, 2, 1]), LENGTHS)


def measured(model, batch):
    answers, hidden = model(batch.inputs, batch.lengths)
    hidden.retain_grad()
    nn.functional.cross_entropy(answers, batch.targets).backward()
    return measure(model, batch.inputs, hidden.grad, lengths=batch.lengths)


@pytest.mark.parametrize("architecture", ["rnn", "lstm", "gru", "mingru"])
def test_samples_of_any_length_are_measured_back_from_their_own_end(architecture):
    model, batch = of_lengths(architecture)
    moment = measured(model, batch)
    (hidden, cell), _ = by_autograd(model, batch, nn.functional.cross_entropy)
    aligned = np.full((2, 8, 3), np.nan)
    for sample, length in enumerate(LENGTHS.tolist()):
        for at, norms in enumerate((hidden, cell)):
            aligned[at, 7 - length :, sample] = norms[: length + 1, sample]
    # Three samples at the end, then two, then one: the middle, the lower of two, the only one.
    expected = [np.sort(row[~np.isnan(row)])[round((np.sum(~np.isnan(row)) - 1) / 2)] for row in aligned[0]]
    np.testing.assert_allclose(moment.log10_norms["hidden"], expected, atol=1e-9)
    if architecture == "lstm":
        expected = [np.sort(row[~np.isnan(row)])[round((np.sum(~np.isnan(row)) - 1) / 2)] for row in aligned[1]]
        np.testing.assert_allclose(moment.log10_norms["cell"], expected, atol=1e-9)


@pytest.mark.parametrize("architecture", ["lstm", "gru", "mingru"])
def test_what_is_padded_counts_for_nothing(architecture):
    model, batch = of_lengths(architecture)
    other = batch.inputs.clone()
    for sample, length in enumerate(LENGTHS.tolist()):
        other[length:, sample] = 7.0
    one, same = measured(model, batch), measured(model, batch._replace(inputs=other))
    np.testing.assert_array_equal(one.log10_norms["hidden"], same.log10_norms["hidden"])
    np.testing.assert_allclose(one.gate, same.gate, rtol=1e-12)


def test_past_the_float_range():
    """A cell path of sigma(-30) per step: 10^-13 a step is 10^-521 after forty, and autograd's is zero."""
    training = SMALL.replace(sequence_length=40, forget_bias=-30.0, recurrent_gain=0.0)
    run = lx.train(training)
    assert run.ratios("cell_path")[0, 0] < -500
    per_step = np.diff(run.ratios("cell_path")[0])
    np.testing.assert_allclose(per_step, 30 / math.log(10), atol=1.0)


@pytest.mark.parametrize(
    ("architecture", "kept"),
    [
        ("lstm", lambda net, x, h: torch.sigmoid(net.weight_ih_l0[5:10] @ x + net.weight_hh_l0[5:10] @ h + 2)),
        ("gru", lambda net, x, h: torch.sigmoid(net.weight_ih_l0[5:10] @ x + net.weight_hh_l0[5:10] @ h + 2)),
        ("mingru", lambda net, x, h: 1 - torch.sigmoid(net.weight_ih_l0[:5] @ x + 2)),
    ],
)
def test_how_open_the_gates_are_is_computed_by_hand(architecture, kept):
    training = SMALL.replace(architecture=architecture, forget_bias=2.0, update_bias=2.0)
    model = Model(training, 2, 1, "last")
    inputs = torch.randn(6, 2, 2, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    with torch.no_grad():
        hidden = torch.cat([torch.zeros(1, 2, 5, dtype=torch.float64), model.network(inputs)[0]])
        gates = torch.stack([kept(model.network, inputs[t, b], hidden[t, b]) for t in range(6) for b in range(2)])
    moment = measure(model, inputs, torch.ones(6, 2, 5, dtype=torch.float64))
    units = gates.mean(dim=0).numpy()
    np.testing.assert_allclose(moment.gate, [units.mean(), *np.quantile(units, [0.25, 0.5, 0.75])], rtol=1e-12)


def test_no_gate_no_numbers():
    model = Model(SMALL.replace(architecture="rnn"), 2, 1, "last")
    inputs = torch.zeros(3, 1, 2, dtype=torch.float64)
    assert np.isnan(measure(model, inputs, torch.ones(3, 1, 5, dtype=torch.float64)).gate).all()
