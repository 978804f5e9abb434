"""What a training costs, and the refusal of what the app's server cannot bear."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Sequence
from typing import Any

from lstm_explorer.core.architectures import architecture_named
from lstm_explorer.core.record import schema
from lstm_explorer.core.training.options import Training
from lstm_explorer.core.training.tasks import TASKS
from lstm_explorer.locales import _

#: What a group may take on the server: seconds of one thread, and megabytes beside the process itself.
MOST_SECONDS, MOST_MEGABYTES = 600.0, 150.0

#: Measured on one thread: seconds of a step of the sequence, of a number of a state, and of its product with a weight,
#: for a network with one gate; every gate more costs half of it. To measure once costs as much as an optimizer step.
_PER_STEP, _PER_NUMBER, _PER_PRODUCT = 4e-5, 1e-8, 1.2e-10
#: Bytes that back-propagation keeps of a number of a state, for each gate.
_BYTES = 8.0
#: Bytes of a number that is read or answered: symbols are whole numbers first.
_DATA_BYTES = 12.0


def seconds(training: Training) -> float:
    """Return about how long a training takes on one thread.

    Args:
        training: What is trained.
    """
    gates = len(architecture_named(training.architecture).gates) or 1
    length, layers = _length(training), training.num_layers
    numbers = length * training.batch_size * training.hidden_size * layers
    number = (1 + (gates - 1) / 2) * (_PER_NUMBER + _PER_PRODUCT * training.hidden_size)
    step = _PER_STEP * length * layers + numbers * number
    return step * (training.steps + min(training.measurements, training.steps) + 1)


def megabytes(training: Training) -> float:
    """Return about how much memory a training takes beside the process itself."""
    gates = len(architecture_named(training.architecture).gates) or 1
    states = _BYTES * training.hidden_size * training.num_layers * (gates + 1)
    data = _DATA_BYTES * TASKS[training.task].width(training)
    return _length(training) * training.batch_size * (states + data) / 1e6


def refusal(trainings: Sequence[Training]) -> str:
    """Return why a group is not trained on the server, and how to train it elsewhere; empty where it is.

    Args:
        trainings: What is trained.
    """
    takes, needs = sum(map(seconds, trainings)), max(map(megabytes, trainings), default=0.0)
    if takes > MOST_SECONDS:
        text = _("This would take about {minutes} minutes here, where at most {most} are allowed.").format(
            minutes=round(takes / 60), most=round(MOST_SECONDS / 60)
        )
    elif needs > MOST_MEGABYTES:
        text = _("This would need about {needs} MB of memory here, where at most {most} are allowed.").format(
            needs=round(needs), most=round(MOST_MEGABYTES)
        )
    else:
        return ""
    way_out = _("Choose fewer steps, a shorter sequence or a smaller network, or run it on your own machine:")
    return f"{text} {way_out}\n{command_line(trainings)}"


def command_line(trainings: Sequence[Training]) -> str:
    """Return the commands that train a group: one for all that differ in network and seed alone.

    Example:
        >>> print(command_line([Training(architecture=name, sequence_length=9) for name in ("rnn", "gru")]))
        lstm-explorer train --architecture rnn gru --sequence-length 9 --out run
    """
    groups: dict[Training, list[Training]] = {}
    for training in trainings:
        groups.setdefault(training.replace(architecture="lstm", seed=0, num_seeds=1), []).append(training)
    outs = ["run"] if len(groups) == 1 else [f"run{number}" for number in range(1, len(groups) + 1)]
    return "\n".join(_command(alike, out) for alike, out in zip(groups.values(), outs, strict=True))


def _command(alike: Sequence[Training], out: str) -> str:
    networks, seeds = list(dict.fromkeys(one.architecture for one in alike)), sorted({one.seed for one in alike})
    words = ["lstm-explorer", "train", "--architecture", *networks]
    own = alike[0].replace(seed=seeds[0], num_seeds=seeds[-1] - seeds[0] + 1)
    for name, field in schema(Training).items():
        value, flag = getattr(own, name), name.replace("_", "-")
        if name == "architecture" or value == field.default:
            continue
        words += [f"--{'' if value else 'no-'}{flag}"] if field.kind is bool else [f"--{flag}", field.to_text(value)]
    if TASKS[own.task].reads_table:
        words += ["--table", "table.csv"]
    return shlex.join([*words, "--out", out])


def _length(training: Training) -> int:
    """Return the steps of the longest sample, without making data of a length that an address may ask for."""
    if training.reads("sequence_length"):
        return training.sequence_length + TASKS[training.task].extra_steps
    return _own_length(training.task, training.target) + training.blank_steps


@functools.cache
def _own_length(task: str, target: Any) -> int:
    """Return the steps of a task that has a length of its own."""
    return TASKS[task].pose(Training(task=task, target=target), None).length  # type: ignore[arg-type]
