"""A run against a plain PyTorch loop, and a run in pieces against the run at once."""

import io
import math

import numpy as np
import pytest
import torch
from torch import nn

from lstm_explorer.core.training.options import Training
from lstm_explorer.core.training.result import join_runs
from lstm_explorer.core.training.tasks import TASKS
from lstm_explorer.core.training.trainer import Carried, Trainer

SMALL = Training(sequence_length=11, hidden_size=6, batch_size=5, steps=20, measurements=4, samples=3, seed=7)


class MinGRU(nn.Module):
    """The minGRU as its paper writes it: one linear layer of x gives gate and candidate."""

    def __init__(self, inputs, size, layers):
        super().__init__()
        bound = 1 / math.sqrt(size)
        sizes = [size if layer else inputs for layer in range(layers)]
        self.layers = nn.ModuleList(nn.utils.skip_init(nn.Linear, columns, 2 * size) for columns in sizes)
        for each in self.layers:  # the weight first, as PyTorch orders them
            each.weight.data.uniform_(-bound, bound)
            each.bias.data.uniform_(-bound, bound)

    def forward(self, x, state=None):
        last = []
        for index, layer in enumerate(self.layers):
            z, candidate = layer(x).chunk(2, dim=-1)
            h, outputs = torch.zeros_like(z[0]) if state is None else state[index], []
            for gate, new in zip(z.sigmoid(), candidate, strict=True):
                h = (1 - gate) * h + gate * new
                outputs.append(h)
            x = torch.stack(outputs)
            last.append(h)
        return x, torch.stack(last)


MODULES = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU, "mingru": MinGRU}
OPTIMIZERS = {
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=SMALL.learning_rate),
    "adamw": lambda parameters: torch.optim.AdamW(parameters, lr=SMALL.learning_rate, weight_decay=0.1),
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=SMALL.learning_rate, momentum=0.8),
    "rmsprop": lambda parameters: torch.optim.RMSprop(parameters, lr=SMALL.learning_rate),
}


def plain_module(training, features):
    """Return the network as one writes it by hand: PyTorch's draw after a seed, and biases of zero."""
    torch.set_default_dtype(getattr(torch, training.dtype))
    torch.manual_seed(training.seed)
    network = MODULES[training.architecture](features, training.hidden_size, training.num_layers)
    torch.set_default_dtype(torch.float32)
    for name, parameter in network.named_parameters():
        if "bias" in name:
            nn.init.zeros_(parameter)
    return network


def plain_loop(training, problem, *, steps=20):
    """Train as the tutorials do; return losses and norms before clipping."""
    network = plain_module(training, problem.features)
    head = nn.Linear(training.hidden_size, problem.outputs, dtype=getattr(torch, training.dtype))
    generator = torch.Generator().manual_seed(2**31 + training.seed)
    for parameter in head.parameters():
        nn.init.uniform_(parameter, -1 / math.sqrt(head.in_features), 1 / math.sqrt(head.in_features), generator)
    parameters = [*network.parameters(), *head.parameters()]
    optimizer, losses, norms = OPTIMIZERS[training.optimizer](parameters), [], []
    for step in range(steps):
        inputs, targets, lengths = problem.batch(step)
        inputs = inputs.to(head.weight.dtype)
        optimizer.zero_grad()
        rest = len(inputs) % training.truncation if training.truncation else 0
        sizes = [*[rest] * (rest > 0), *[training.truncation] * (len(inputs) // (training.truncation or 10**9))]
        state, outputs = None, []
        for piece in inputs.split(sizes or [len(inputs)]):
            output, state = network(piece, *([] if state is None else [state]))
            state = tuple(one.detach() for one in state) if isinstance(state, tuple) else state.detach()
            outputs.append(output)
        hidden = torch.cat(outputs)
        if training.task == "copy":
            loss = nn.functional.cross_entropy(head(hidden).movedim(-1, 1), targets)
        else:
            last = hidden[-1] if lengths is None else hidden[lengths - 1, range(len(lengths))]
            regression = targets.is_floating_point()
            loss = nn.functional.mse_loss(head(last), targets.to(last)) if regression else None
            loss = loss if regression else nn.functional.cross_entropy(head(last), targets)
        loss.backward()
        norms.append(math.sqrt(sum(float((one.grad.double() ** 2).sum()) for one in parameters)))
        if training.clipping == "norm":
            nn.utils.clip_grad_norm_(parameters, training.clip_at)
        if training.clipping == "value":
            nn.utils.clip_grad_value_(parameters, training.clip_at)
        optimizer.step()
        losses.append(loss.item())
    return losses, norms


CASES = [
    *({"architecture": name, "num_layers": layers} for name in MODULES for layers in (1, 2)),
    *({"optimizer": name} for name in OPTIMIZERS),
    *({"clipping": clipping, "clip_at": 0.01} for clipping in ("norm", "value", "none")),
    *({"truncation": every, "architecture": name} for every in (4, 11, 30) for name in ("lstm", "rnn")),
    {"truncation": 3, "task": "copy", "architecture": "gru"},
    {"task": "order", "architecture": "gru"},
    {"dtype": "float64", "architecture": "mingru"},
    {"dtype": "float64", "num_layers": 2},
]


@pytest.mark.parametrize("changes", CASES, ids=lambda changes: "-".join(map(str, changes.values())))
def test_losses_are_those_of_a_plain_loop(changes):
    training = SMALL.replace(weight_decay=0.1, momentum=0.8, **changes)
    task = TASKS[training.task]
    problem = task.posed(training)
    run = Trainer(training, problem, task).advance(training.steps)
    losses, norms = plain_loop(training, problem)
    # Twenty updates of float32, where sums may be taken in another order; the same but for rounding in float64.
    tolerance = 2e-5 if training.dtype == "float32" else 1e-12
    np.testing.assert_allclose(run.loss, losses, rtol=tolerance)
    np.testing.assert_allclose(run.gradient_norm[:, 0], norms, rtol=20 * tolerance)


def test_norms_after_clipping_are_those_that_the_optimizer_gets():
    by_norm = trained(SMALL.replace(clip_at=0.05))
    np.testing.assert_allclose(by_norm.gradient_norm[:, 1], np.minimum(by_norm.gradient_norm[:, 0], 0.05), rtol=1e-4)
    by_value = trained(SMALL.replace(clipping="value", clip_at=0.01))
    assert (by_value.gradient_norm[:, 1] <= 0.01 * math.sqrt(300)).all()  # of fewer than 300 parameters
    assert (by_value.gradient_norm[:, 1] < by_value.gradient_norm[:, 0]).all()
    free = trained(SMALL.replace(clipping="none"))
    np.testing.assert_array_equal(free.gradient_norm[:, 1], free.gradient_norm[:, 0])


def trained(training):
    task = TASKS[training.task]
    return Trainer(training, task.posed(training), task).advance(training.steps)


def through_a_file(carried):
    file = io.BytesIO()
    torch.save(carried._asdict(), file)
    file.seek(0)
    return Carried(**torch.load(file, weights_only=True))


NUMBERS = ("loss", "gradient_norm", "steps", "score", "log10_hidden", "log10_cell", "log10_cell_path", "forget_gate")


def assert_same_run(one, other):
    for name in NUMBERS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    for name, ratios in one.log10_ratios.items():
        np.testing.assert_array_equal(ratios, other.log10_ratios[name])
    np.testing.assert_array_equal(one.final_score, other.final_score)
    for name, weight in one.model.state_dict().items():
        assert torch.equal(weight, other.model.state_dict()[name]), name


def in_pieces(training, cuts):
    task, carried, parts = TASKS[training.task], None, []
    for last in (*cuts, training.steps):
        trainer = Trainer(training, task.posed(training), task, carried)
        parts.append(trainer.advance(last))
        carried = through_a_file(trainer.carried())
    return join_runs(parts)


@pytest.mark.parametrize(
    ("changes", "cuts"),
    [
        ({}, (1, 5, 6, 19)),
        ({"optimizer": "sgd", "architecture": "gru"}, (10,)),
        ({"optimizer": "rmsprop", "architecture": "rnn", "truncation": 4}, (3, 17)),
        ({"optimizer": "adamw", "architecture": "minlstm", "dtype": "float64"}, range(1, 20)),
        ({"task": "numbers", "truncation": 7}, (9,)),
        ({"task": "vowels", "batch_size": 50, "architecture": "mingru"}, (4, 5)),
        ({"task": "digits", "blank_steps": 1, "batch_size": 500}, (2, 3, 11)),  # several epochs
    ],
    ids=str,
)
def test_pieces_are_together_the_run_at_once(changes, cuts):
    training = SMALL.replace(**changes)
    assert_same_run(trained(training), in_pieces(training, cuts))


def test_what_is_carried_stays_as_it_was():
    task = TASKS["adding"]
    trainer = Trainer(SMALL, task.posed(SMALL), task)
    trainer.advance(3)
    carried = trainer.carried()
    before = through_a_file(carried)
    trainer.advance(9)
    resumed = Trainer(SMALL, task.posed(SMALL), task, carried)
    resumed.advance(9)
    for name, weight in before.weights.items():
        assert torch.equal(weight, carried.weights[name])
    assert before.optimizer["state"][0]["step"] == carried.optimizer["state"][0]["step"] == 3
    assert torch.equal(trainer.model.head.weight, resumed.model.head.weight)


def test_a_run_that_leaves_the_float_range_ends_in_nan():
    wild = SMALL.replace(
        architecture="rnn", nonlinearity="relu", optimizer="sgd", learning_rate=100.0, clipping="none", recurrent_gain=9
    )
    run = trained(wild)
    lost = int(np.flatnonzero(~np.isfinite(run.loss))[0])
    assert 0 < lost < 20
    assert np.isnan(run.loss[lost + 1 :]).all()
    assert run.steps.max() < lost  # nothing is measured of a network that is lost
    assert math.isnan(run.final_score)
    assert run.learnt_at is None
    assert_same_run(run, in_pieces(wild, (lost, lost + 1, lost + 2)))
    assert all(torch.isfinite(weight).all() for weight in run.model.parameters())


def test_measured_where_it_says():
    run = trained(SMALL.replace(steps=10, measurements=4))
    assert run.steps.tolist() == [0, 2, 5, 8, 10] == list(run.training.measured_at)
    assert run.log10_hidden.shape == run.log10_cell_path.shape == (5, 12)


def test_the_last_measurement_updates_nothing():
    """Weights after the run are those after its last update, whether or not the end is measured."""
    task, training = TASKS["adding"], SMALL.replace(steps=6, measurements=3)
    longer = Trainer(training.replace(steps=12, measurements=1), task.posed(training), task)
    longer.advance(6)
    assert torch.equal(trained(training).model.head.weight, longer.model.head.weight)


def test_measuring_does_not_change_the_run():
    often, seldom = (trained(SMALL.replace(measurements=many)) for many in (20, 1))
    np.testing.assert_array_equal(often.loss, seldom.loss)


def test_neither_the_random_state_nor_the_data_is_touched():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    task = TASKS["digits"]
    problem = task.posed(SMALL)
    held_out = [part.clone() for part in problem.held_out[:2]]
    Trainer(SMALL, problem, task).advance(3)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(*pair) for pair in zip(held_out, problem.held_out[:2], strict=True))


def test_held_out_scores_are_computed_by_hand():
    run, task = trained(SMALL.replace(task="order")), TASKS["order"]
    held_out = task.posed(run.training).held_out
    with torch.no_grad():
        said = run.model(held_out.inputs).answers.argmax(-1)
    assert run.final_score == pytest.approx(float((said == held_out.targets).double().mean()))
    assert run.score[-1] == pytest.approx(float((said == held_out.targets)[:128].double().mean()))


def test_seeds_differ_and_the_same_seed_does_not():
    one, same, other = (trained(SMALL.replace(seed=seed)).loss for seed in (7, 7, 8))
    np.testing.assert_array_equal(one, same)
    assert (one != other).all()
