"""Settings in the reader's words: for names of pins, the line beneath a figure, and its caption."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from lstm_explorer.core.escape import one_line
from lstm_explorer.core.inputs import INPUTS
from lstm_explorer.core.reading import unread
from lstm_explorer.core.record import Record, schema
from lstm_explorer.core.settings import NetworkSettings, Settings
from lstm_explorer.core.training.tasks import TASKS
from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.exhibits.your_network_view import YourNetworkView
from lstm_explorer.figures.names import network_name
from lstm_explorer.locales import N_, _, translated
from lstm_explorer.runs.experiment import Experiment

#: Names of PyTorch's optimizers as PyTorch writes them.
OPTIMIZERS = {"adam": "Adam", "adamw": "AdamW", "sgd": "SGD", "rmsprop": "RMSprop"}

#: Said of every figure, also where they are at their defaults; and of every training.
_ALWAYS = ("sequence_length", "hidden_size", "seed", "num_seeds")
_OF_TRAINING = (*_ALWAYS, "task", "optimizer", "learning_rate", "steps")
#: Fields of a view that are no settings of a network.
_OF_VIEW = ("networks", "gradient", "run", "inside", "at", "sample", "step", "part")
#: What numbers are translated into.
_TARGETS = {"korean": N_("Korean"), "digits": N_("digits")}


def setting_words(name: str, value: Any) -> str:
    """Return a setting with its value in words, such as "forget bias 5".

    Args:
        name: The setting.
        value: Its value.
    """
    if name == "loss":
        return _("loss at the last step") if value == "last" else _("loss at every step")
    if name == "recurrent_init":
        return _initialisations()[value]
    if name == "input_kind":
        return _("input: {kind}").format(kind=translated(INPUTS[value].title))
    if name == "task":
        return translated(TASKS[value].title)
    if name == "optimizer":
        return OPTIMIZERS[value]
    if name == "target":
        return _("into {value}").format(value=translated(_TARGETS[value]))
    if name == "clipping":
        return {"norm": _("clipped by norm"), "value": _("clipped by value"), "none": _("not clipped")}[value]
    if name == "split_biases":
        return _("biases shared between both vectors") if value else _("biases in one vector")
    if name == "text":
        value = one_line(value)
    shown = f"{value:g}".replace("-", "−") if isinstance(value, float) else str(value)
    return _templates()[name].format(value=shown)


def difference_words(one: Experiment, others: Sequence[Experiment]) -> str:
    """Return in words what an experiment has otherwise than some other, of what its network reads."""
    unread_here = unread(one.architecture, one.settings)
    differing = [
        name
        for name in schema(Settings)
        if name not in unread_here
        and any(getattr(other.settings, name) != getattr(one.settings, name) for other in others)
    ]
    return ", ".join(setting_words(name, getattr(one.settings, name)) for name in differing)


def settings_line(exhibit: Exhibit) -> str:
    """Return the settings of a figure in one line: sizes and seeds always, of the rest what is no default.

    Curves with other settings, such as pins, follow by their names.
    """
    if exhibit.about:
        return exhibit.about
    training = isinstance(exhibit.view, NetworkSettings)
    record: Record = exhibit.view if training else exhibit.settings
    always = _OF_TRAINING if training else _ALWAYS
    changed = record.to_query()
    names = [name for name in schema(type(record)) if record.reads(name) and (name in always or name in changed)]
    line = ", ".join(setting_words(name, getattr(record, name)) for name in names if name not in _OF_VIEW)
    own = Experiment(architecture="rnn", settings=exhibit.settings)
    pins = [one for one in exhibit.experiments if one.name != network_name(one.architecture)]
    others = [
        f"{one.name}: {words}" for one in pins if (words := difference_words(one, [own])) and words not in one.name
    ]
    return "; ".join([line, *others])


def caption(exhibit: Exhibit) -> str:
    """Return a caption to paste: what is shown, the settings, the loss, what curves and bands are, and the software."""
    settings = exhibit.settings
    sentences = [exhibit.title, settings_line(exhibit)]
    if exhibit.experiments:
        loss = (
            _("the sum of the last hidden state h_T") if settings.loss == "last" else _("the sum of all hidden states")
        )
        sentences.append(
            _("Gradients are those of {loss}, by exact back-propagation through PyTorch {version}").format(
                loss=loss, version=torch.__version__.partition("+")[0]
            )
        )
    if exhibit.view.own_settings:
        of = (
            _("the training loss")
            if exhibit.name == "training" or exhibit.about
            else _("the loss of one held-out sample")
        )
        if isinstance(exhibit.view, YourNetworkView):
            of = _("the loss of held-out samples") if exhibit.view.data == "task" else _("the sum of the last output")
        sentences.append(
            _("Gradients are those of {loss}, by exact back-propagation through PyTorch {version}").format(
                loss=of, version=torch.__version__.partition("+")[0]
            )
        )
    if any(one.curve.runs > 1 for one in exhibit.series):
        seeds = max(one.settings.num_seeds for one in exhibit.experiments)
        samples = max(one.settings.batch_size for one in exhibit.experiments)
        sentences.append(
            _("Lines are medians over seeds and samples ({seeds} × {samples}), bands the quartiles").format(
                seeds=seeds, samples=samples
            )
        )
    return ". ".join(sentences) + "."


def _initialisations() -> dict[str, str]:
    return {
        "pytorch": _("PyTorch's initialisation"), "keras": _("Keras' initialisation"),
        "orthogonal": _("orthogonal initialisation"), "identity": _("identity initialisation"),
        "normal": _("normal initialisation"), "chrono": _("chrono initialisation"),
    }  # fmt: skip


def _templates() -> dict[str, str]:
    return {
        "sequence_length": _("T = {value} steps"), "hidden_size": _("H = {value} units"),
        "input_size": _("{value} features"), "num_layers": _("{value} layers"), "batch_size": _("{value} samples"),
        "seed": _("first seed {value}"), "num_seeds": _("seeds: {value}"), "dtype": "{value}",
        "nonlinearity": _("nonlinearity {value}"), "recurrent_gain": _("recurrent gain {value}"),
        "chrono_max": _("chrono up to {value} steps"), "input_bias": _("input bias {value}"),
        "forget_bias": _("forget bias {value}"), "candidate_bias": _("candidate bias {value}"),
        "output_bias": _("output bias {value}"), "reset_bias": _("reset bias {value}"),
        "update_bias": _("update bias {value}"), "input_scale": _("input scale {value}"),
        "text": _("text “{value}”"), "digit": _("digit {value}"),
        "blank_steps": _("{value} blank steps"), "horizon": _("{value} steps ahead"), "column": _("column {value}"),
        "learning_rate": _("learning rate {value}"),
        "momentum": _("momentum {value}"), "weight_decay": _("weight decay {value}"),
        "clip_at": _("clipped at {value}"), "truncation": _("states detached every {value} steps"),
        "steps": _("{value} optimizer steps"), "measurements": _("{value} measurements"),
        "samples": _("gradients of {value} samples"),
    }  # fmt: skip
