"""A trained network is looked at with its own weights, a sample of its task, and that sample's own loss."""

import numpy as np
import pytest
import torch

import lstm_explorer as lx
from lstm_explorer.core.training.tasks import TASKS
from lstm_explorer.runs.direct import DirectRunner
from lstm_explorer.runs.experiment import Experiment
from lstm_explorer.runs.measurements import Flow, Unrolled
from lstm_explorer.runs.training.looking import look

OPTIONS = {"hidden_size": 5, "steps": 3, "measurements": 3, "batch_size": 4, "dtype": "float64"}


def trained(task, architecture="lstm", **options):
    training = lx.Training(task=task, architecture=architecture, **OPTIONS, **options)
    return training, lx.train(training)


def loss_by_hand(run, inputs, targets):
    """Return the loss of one sample by PyTorch's own modules, with every state's gradient where autograd keeps it."""
    lstm, head = run.network, run.model.head
    cell = torch.nn.LSTMCell(lstm.input_size, lstm.hidden_size, dtype=torch.float64)
    cell.load_state_dict({name.removesuffix("_l0"): tensor for name, tensor in lstm.state_dict().items()})
    state = (torch.zeros(1, 5, dtype=torch.float64, requires_grad=True),) * 2
    state = tuple(part.clone() for part in state)
    states = [state]
    for x in inputs:
        states.append(cell(x, states[-1]))
    for hidden, _cell in states:
        hidden.retain_grad()
    return states, TASKS[run.training.task].loss_of(head(states[-1][0]), targets)


@pytest.mark.parametrize(("task", "sample"), [("adding", 0), ("order", 3)])
def test_the_gradient_is_that_of_the_samples_own_loss(task, sample):
    training, run = trained(task, sequence_length=12)
    seen = look(training, run.model.state_dict(), sample=sample)
    held_out = TASKS[task].posed(training, None).held_out
    inputs, targets = held_out.inputs[:, sample : sample + 1].double(), held_out.targets[sample : sample + 1]
    targets = targets.double() if targets.is_floating_point() else targets
    torch.testing.assert_close(seen.moment.inputs, inputs)
    states, loss = loss_by_hand(run, inputs, targets)
    loss.backward()
    one = Experiment(architecture="lstm", settings=lx.Settings(), moment=seen.moment)
    flow = DirectRunner().run(Flow(experiment=one))
    expected = torch.stack([hidden.grad.norm() for hidden, _cell in states]).log10()
    torch.testing.assert_close(flow.log10_hidden[0, 0, :, 0], expected, atol=1e-9, rtol=1e-9)


def test_the_states_are_those_of_the_trained_network():
    training, run = trained("digits")
    seen = look(training, run.model.state_dict(), sample=2)
    one = Experiment(architecture="lstm", settings=lx.Settings(), moment=seen.moment)
    trajectory = DirectRunner().run(Unrolled(experiment=one))
    torch.testing.assert_close(trajectory.hidden[0, 1:], run.network(seen.moment.inputs)[0].detach())
    assert one.steps == 64
    assert seen.right == str(int(TASKS["digits"].posed(training, None).held_out.targets[2]))
    assert seen.answer in map(str, range(10))


def test_what_is_said_of_a_sum_is_the_networks_answer_and_the_sum():
    training, run = trained("adding", sequence_length=6)
    seen = look(training, run.model.state_dict())
    x = seen.moment.inputs[:, 0]
    assert float(seen.right) == pytest.approx(float((x[:, 0] * x[:, 1]).sum()), abs=6e-4)
    assert float(seen.answer) == pytest.approx(float(run.model(seen.moment.inputs).answers.detach()), abs=6e-4)
    assert seen.moment.labels[0] == f"{x[0, 0]:.3g}, {x[0, 1]:.3g}"


def test_a_task_that_answers_at_every_step_has_the_gradient_of_all_of_them():
    training, run = trained("copy", sequence_length=4)
    seen = look(training, run.model.state_dict())
    assert seen.answer == ""
    assert (seen.moment.cotangent.abs().sum(dim=(1, 2)) > 0).all()


def test_moments_differ_where_weights_or_samples_do():
    training, run = trained("adding", sequence_length=6)
    weights = {name: tensor.clone() for name, tensor in run.model.state_dict().items()}
    first = look(training, weights).moment
    assert first == look(training, weights).moment
    assert first != look(training, weights, sample=1).moment
    weights["head.bias"] += 1
    assert first != look(training, weights).moment


def test_samples_are_counted_round():
    training, run = trained("adding", sequence_length=6)
    seen = look(training, run.model.state_dict())
    again = look(training, run.model.state_dict(), sample=seen.samples)
    torch.testing.assert_close(seen.moment.inputs, again.moment.inputs)


def test_weights_of_another_network_are_refused():
    training, run = trained("adding", sequence_length=6)
    with pytest.raises(ValueError, match="of another network"):
        look(training.replace(hidden_size=6), run.model.state_dict())


def test_moments_differ_where_what_is_read_does():
    rows = [np.random.default_rng(seed).normal(size=(40, 1)) for seed in (0, 1)]
    training = lx.Training(task="csv", sequence_length=5, **OPTIONS)
    weights = lx.train(training, table=rows[0]).model.state_dict()
    first, second = (look(training, weights, table=each).moment for each in rows)
    assert first != second
