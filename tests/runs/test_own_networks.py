"""What a network of one's own reads, and the loss that is taken of it."""

import torch
from torch import nn

import lstm_explorer as lx
from lstm_explorer.core.training.presets import PRESETS
from lstm_explorer.core.training.tasks import TASKS
from lstm_explorer.runs.own_networks import (
    Subject,
    digest_of,
    moment_of_inputs,
    moment_of_training,
    trained_model,
)
from lstm_explorer.runs.training import gallery

TRAINING = next(one for one in gallery.trainings() if one.task == "digits" and one.architecture == "gru")


def test_the_loss_is_that_of_each_direction_s_own_last_output():
    torch.manual_seed(0)
    for network in (nn.LSTM(2, 3, 2, bidirectional=True), nn.LSTM(2, 4, proj_size=3), nn.GRU(2, 3).double()):
        inputs = torch.randn(7, 2, 2)
        moment = moment_of_inputs(Subject(network=network, name="", digest="a"), inputs)
        ours = lx.gradient_flow(network, moment.inputs, cotangent=moment.cotangent)
        theirs = lx.gradient_flow(network, inputs.to(moment.inputs))
        torch.testing.assert_close(ours.log10_hidden, theirs.log10_hidden)


def test_other_inputs_or_another_file_are_another_moment():
    network = nn.GRU(2, 3)
    subject, inputs = Subject(network=network, name="", digest="a"), torch.ones(4, 1, 2)
    one = moment_of_inputs(subject, inputs)
    assert one == moment_of_inputs(subject, inputs.clone())
    assert one != moment_of_inputs(subject, 2 * inputs)
    assert one != moment_of_inputs(Subject(network=network, name="", digest="b"), inputs)
    assert one != moment_of_inputs(Subject(network=network, name="other", digest="a"), inputs)


def test_a_trained_network_reads_its_held_out_samples_with_their_own_loss():
    weights = gallery.weights(TRAINING)
    moment = moment_of_training(TRAINING, weights, samples=3)
    task, model = TASKS[TRAINING.task], trained_model(TRAINING, weights)
    held_out = task.posed(TRAINING, None).held_out
    inputs, targets = held_out.inputs[:, :3], held_out.targets[:3]
    flow = lx.gradient_flow_of_loss(model.network, inputs, lambda output: task.loss_of(model.head(output[-1]), targets))
    ours = lx.gradient_flow(moment.network, moment.inputs, cotangent=moment.cotangent)
    torch.testing.assert_close(ours.log10_hidden, flow.log10_hidden, rtol=0, atol=1e-3)
    assert len(digest_of(weights)) == 16
    assert digest_of(weights) != digest_of({**weights, "head.bias": weights["head.bias"] + 1})


def test_the_presets_that_are_offered_have_their_weights():
    assert set(gallery.WITH_WEIGHTS) <= set(PRESETS)
