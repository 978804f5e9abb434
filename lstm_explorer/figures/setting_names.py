"""The names of settings and of their values, as axes and controls carry them."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any

from lstm_explorer.core.architectures import ARCHITECTURES
from lstm_explorer.core.escape import one_line, plotly
from lstm_explorer.core.training.tasks import TASKS
from lstm_explorer.figures.names import network_name
from lstm_explorer.locales import N_, _, translated

#: Setting -> its name.
_TITLES: Mapping[str, str] = types.MappingProxyType({
    "architecture": N_("network"), "task": N_("task"), "sequence_length": N_("sequence length T (steps)"),
    "hidden_size": N_("hidden size H (units)"), "input_size": N_("input size (features)"), "num_layers": N_("layers"),
    "batch_size": N_("batch (samples)"), "seed": N_("seed"), "num_seeds": N_("seeds"), "dtype": N_("precision"),
    "nonlinearity": N_("nonlinearity"), "recurrent_init": N_("initialisation of weight_hh"),
    "recurrent_gain": N_("gain on weight_hh"), "chrono_max": N_("longest memory of chrono (steps)"),
    "input_bias": N_("bias of the input gate"), "forget_bias": N_("bias of the forget gate"),
    "candidate_bias": N_("bias of the candidate"), "output_bias": N_("bias of the output gate"),
    "reset_bias": N_("bias of the reset gate"), "update_bias": N_("bias of the update gate"),
    "split_biases": N_("biases shared between both vectors"), "loss": N_("loss at"), "input_kind": N_("input"),
    "input_scale": N_("input scale"), "text": N_("text"), "digit": N_("digit"),
    "blank_steps": N_("blank steps"), "horizon": N_("steps ahead"), "column": N_("column"),
    "target": N_("translated into"), "optimizer": N_("optimizer"), "learning_rate": N_("learning rate"),
    "momentum": N_("momentum"), "weight_decay": N_("weight decay"), "clipping": N_("gradient clipping"),
    "clip_at": N_("clipped at"), "truncation": N_("truncation (steps)"), "steps": N_("optimizer steps"),
    "measurements": N_("measurements"), "samples": N_("samples measured"),
})  # fmt: skip


def setting_title(name: str) -> str:
    """Return how a setting is called, with its unit.

    Args:
        name: A field of :class:`lstm_explorer.Settings` or :class:`lstm_explorer.Training`.

    Example:
        >>> setting_title("sequence_length")
        'sequence length T (steps)'
    """
    return translated(_TITLES[name])


def value_title(name: str, value: Any) -> str:
    """Return how a value of a setting is written in a figure: a text is short, and without markup.

    Args:
        name: The setting.
        value: Its value.

    Example:
        >>> value_title("forget_bias", -2.0), value_title("architecture", "gru")
        ('−2', 'GRU')
    """
    if name == "architecture" and value in ARCHITECTURES:
        return network_name(value)
    if name == "task" and value in TASKS:
        return translated(TASKS[value].title)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return f"{value:g}".replace("-", "−") if isinstance(value, int | float) else plotly(one_line(str(value)))
