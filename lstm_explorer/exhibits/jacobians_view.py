"""The view of the page Vanish or explode, and what it means for the chosen network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lstm_explorer.core.architectures import ARCHITECTURES
from lstm_explorer.core.record import choice, number, subset
from lstm_explorer.core.settings import Settings
from lstm_explorer.exhibits.view import View
from lstm_explorer.runs.experiment import Experiment
from lstm_explorer.runs.job import Runner


@dataclass(frozen=True, kw_only=True)
class JacobiansView(View):
    """Which network is looked at, and what is asked about it.

    Args:
        network: The network whose Jacobians are drawn.
        networks: The networks whose Lyapunov exponents stand side by side.
        topic: What is drawn beneath the products of Jacobians.
        memory: Steps back from the last one, 0 for all.
        clipping: PyTorch's ``clip_grad_norm_`` or ``clip_grad_value_``.
        clip_at: The largest norm, or the largest value, that clipping leaves.
        optimizer: What takes a step with the gradient.
        truncation: The states are detached every so many steps, counted back from the last; 0 never detaches.
    """

    network: str = choice("rnn", tuple(ARCHITECTURES))
    networks: tuple[str, ...] = subset(("rnn", "lstm", "gru"), tuple(ARCHITECTURES))
    topic: Literal["eigenvalues", "exponents", "edge", "clipping", "truncation"] = "eigenvalues"
    memory: int = number(0, 0, 2000)
    clipping: Literal["norm", "value"] = "norm"
    clip_at: float = number(1.0, 1e-6, 1e6, app=(1e-3, 100.0))
    optimizer: Literal["sgd", "adam"] = "sgd"
    truncation: int = number(20, 0, 2000)


def experiment(runner: Runner, network: str, settings: Settings) -> Experiment:
    """Return the experiment of an exhibit of one network: one sample of one seed, with the loss at the last step.

    Jacobians are those of one run. A loss at every step puts gradient of its own on each: nothing would have to arrive.
    """
    one = settings.replace(num_seeds=1, batch_size=1, loss="last")
    return Experiment(architecture=network, settings=one, table=runner.table, moment=runner.moment)


def lag_of(one: Experiment, view: JacobiansView) -> int:
    """Return the steps back that are asked about: 0 is all, and never more than the sequence has."""
    return min(view.memory or one.steps, one.steps)
