"""Networks of the reader's own, with what they read: from a file, or one that the app trained."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from lstm_explorer.core.architectures import Network, num_directions, state_size
from lstm_explorer.core.training.model import Model
from lstm_explorer.core.training.options import Training
from lstm_explorer.core.training.tasks import TASKS
from lstm_explorer.runs.experiment import Moment


class OwnFile(Protocol):
    """A checkpoint of the reader's own; equal digests are equal files."""

    @property
    def digest(self) -> str:
        """What tells it from other files."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """The recurrent networks in it."""
        ...

    def network(self, name: str) -> nn.Module:
        """Return the network of a name."""
        ...


@dataclass(frozen=True, eq=False, kw_only=True)
class Subject:
    """A network that is looked at: what it is called, where it comes from, and it itself.

    Attributes:
        network: The network, in evaluation mode.
        name: Its name in the file, or the training's.
        digest: What tells it from others.
    """

    network: Network
    name: str
    digest: str


def moment_of_inputs(subject: Subject, inputs: Tensor, labels: tuple[str, ...] = ()) -> Moment:
    """Return the network with what it reads; the loss is the sum of each direction's own last output.

    Args:
        subject: The network.
        inputs: ``(T, B, I)``, in any dtype.
        labels: What is read at each step.
    """
    network = subject.network
    inputs = inputs.to(next(network.parameters()))
    size, directions = state_size(network), num_directions(network)
    cotangent = inputs.new_zeros(*inputs.shape[:2], size * directions)
    cotangent[-1, :, :size] = 1.0
    cotangent[0, :, size:] = 1.0
    return Moment(
        network=network, inputs=inputs, cotangent=cotangent, labels=labels, digest=_digest(subject, inputs, cotangent)
    )


def moment_of_training(training: Training, weights: Mapping[str, Tensor], *, samples: int) -> Moment:
    """Return a trained network with some of its held-out samples, and the gradient of their own loss.

    Args:
        training: What was trained; its task's samples are all of one length.
        weights: The tensors of :class:`lstm_explorer.core.training.model.Model`, by name.
        samples: How many samples, at most those that are held out.
    """
    task, model = TASKS[training.task], trained_model(training, weights)
    held_out = task.posed(training, None).held_out
    inputs = held_out.inputs[:, :samples].to(getattr(torch, training.dtype))
    targets = held_out.targets[:, :samples] if task.reads == "every" else held_out.targets[:samples]
    answers, hidden = model(inputs)
    hidden.retain_grad()
    task.loss_of(answers, targets.to(answers.dtype) if targets.is_floating_point() else targets).backward()
    assert hidden.grad is not None
    subject = Subject(network=model.network.requires_grad_(False), name=training.name, digest=digest_of(weights))
    cotangent = hidden.grad.detach()
    return Moment(
        network=subject.network, inputs=inputs, cotangent=cotangent, digest=_digest(subject, inputs, cotangent)
    )


def trained_model(training: Training, weights: Mapping[str, Tensor]) -> Model:
    """Return the model of a training with its weights."""
    task = TASKS[training.task]
    problem = task.posed(training, None)
    model = Model(training, problem.features, problem.outputs, task.reads)
    model.load_state_dict(dict(weights))
    return model


def digest_of(weights: Mapping[str, Tensor]) -> str:
    """Return what tells these weights from others."""
    digest = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
        digest.update(name.encode() + tensor.detach().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]


def _digest(subject: Subject, *tensors: Tensor) -> str:
    digest = hashlib.sha256(f"{subject.digest} {subject.name}".encode())
    for tensor in tensors:
        digest.update(repr(tuple(tensor.shape)).encode() + tensor.detach().cpu().numpy().tobytes())
    return digest.hexdigest()
