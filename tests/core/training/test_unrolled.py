"""Encoder and decoder on one time axis: against autograd through PyTorch's own modules, and against the engine."""

import numpy as np
import pytest
import torch

from lstm_explorer.core.training.measuring import measure
from lstm_explorer.core.training.model import Model
from lstm_explorer.core.training.options import Training
from lstm_explorer.core.training.tasks import TASKS
from lstm_explorer.core.training.trainer import Trainer
from lstm_explorer.core.training.unrolled import unrolled_norms

SMALL = Training(
    task="numbers", dtype="float64", hidden_size=5, batch_size=5, samples=5, steps=1, measurements=1, forget_bias=1.0
)


def by_modules(model, batch, task):
    """Return log10 norms of every state of the last layer, ``(T + 1, B)``: modules called for one step at a time."""
    several = isinstance(model.network, torch.nn.LSTM)
    zeros = torch.zeros(model.network.num_layers, batch.inputs.shape[1], 5, dtype=torch.float64)
    states = [tuple(zeros.clone().requires_grad_() for _ in range(1 + several))]
    steps = len(batch.inputs)
    for t, x in enumerate(batch.inputs):
        module = model.network if t < model.source_steps else model.decoder
        before = states[-1]
        if model.truncation and t and (steps - t) % model.truncation == 0:
            before = tuple(state.detach() for state in before)
        _, after = module(x[None].double(), before if several else before[0])
        states.append(after if several else (after,))
        for state in states[-1]:
            state.retain_grad()
    hidden = torch.stack([state[0][-1] for state in states[1:]])
    loss = task.loss_of(model.head(hidden[model.source_steps :]), batch.targets)
    loss.backward()
    if several:  # the module hands out copies: what reaches c by its own h = o tanh(c) is added here
        for h, c in states[1:]:
            c.grad = (0 if c.grad is None else c.grad) + h.grad * (h / c.tanh() * (1 - c.tanh() ** 2)).detach()
    grads = [[torch.zeros_like(s) if s.grad is None else s.grad for s in state] for state in states]
    return [torch.stack([g[i][-1].norm(dim=-1) for g in grads]).log10().numpy() for i in range(1 + several)], loss


CASES = [
    *({"architecture": name} for name in ("rnn", "lstm", "gru", "mingru", "minlstm")),
    *({"architecture": name, "num_layers": 2} for name in ("lstm", "gru")),
    *({"architecture": name, "truncation": every} for name in ("lstm", "rnn") for every in (3, 10)),
]


@pytest.mark.parametrize("changes", CASES, ids=lambda changes: "-".join(map(str, changes.values())))
def test_a_translation_measures_what_autograd_gives_in_the_same_step(changes):
    training, task = SMALL.replace(**changes), TASKS["numbers"]
    problem = task.posed(training)
    run = Trainer(training, problem, task).advance(1)
    model = Model(training, problem.features, problem.outputs, task.reads, problem.source_steps)
    norms, loss = by_modules(model, problem.batch(0), task)
    assert run.loss[0] == pytest.approx(loss.item(), rel=1e-12)
    for name, expected in zip(("hidden", "cell"), norms, strict=False):
        measured = getattr(run, f"log10_{name}")[0]
        np.testing.assert_allclose(measured, np.sort(expected, axis=1)[:, 2], atol=1e-9)
    assert (run.log10_cell is None) == (training.architecture != "lstm")
    assert len(run.log10_hidden[0]) == problem.length + 1


@pytest.mark.parametrize("architecture", ["rnn", "lstm", "gru", "mingru", "minlstm"])
@pytest.mark.parametrize(("layers", "truncation"), [(1, 0), (2, 4)])
def test_one_network_alone_is_measured_as_the_engine_does(architecture, layers, truncation):
    training = SMALL.replace(architecture=architecture, num_layers=layers, truncation=truncation)
    model = Model(training, 3, 2, "every")
    generator = torch.Generator().manual_seed(0)
    inputs, cotangents = (torch.randn(9, 1, size, generator=generator).double() for size in (3, 5))
    norms, gates = unrolled_norms(model, inputs, cotangents)
    moment = measure(model, inputs, cotangents)
    assert set(norms) == set(moment.log10_norms)
    for name, each in norms.items():
        np.testing.assert_allclose(each[:, 0], moment.log10_norms[name], atol=1e-9)
    assert (gates is None) == (architecture == "rnn")


def test_gates_are_those_of_both_networks_in_turn():
    training = SMALL.replace(architecture="mingru", update_bias=2.0)
    model = Model(training, 3, 2, "every", 4)
    inputs = torch.randn(9, 2, 3, generator=torch.Generator().manual_seed(0)).double()
    _, gates = unrolled_norms(model, inputs, torch.ones(9, 2, 5).double())
    for network, steps in ((model.network, slice(4)), (model.decoder, slice(4, 9))):
        preactivation = inputs[steps] @ network.weight_ih_l0[:5].T + network.bias_ih_l0[:5]
        np.testing.assert_allclose(gates[0, steps], preactivation.sigmoid().detach(), rtol=1e-12)
