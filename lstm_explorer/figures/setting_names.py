"""The names of settings and of their values, as axes and controls carry them."""

from __future__ import annotations

from typing import Any

from lstm_explorer.core.architectures import ARCHITECTURES
from lstm_explorer.core.training.tasks import TASKS
from lstm_explorer.figures.names import network_name
from lstm_explorer.locales import _, translated


def setting_title(name: str) -> str:
    """Return how a setting is called, with its unit.

    Args:
        name: A field of :class:`lstm_explorer.Settings` or :class:`lstm_explorer.Training`.

    Example:
        >>> setting_title("sequence_length")
        'sequence length T (steps)'
    """
    return _titles()[name]


def value_title(name: str, value: Any) -> str:
    """Return how a value of a setting is written.

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
    return f"{value:g}".replace("-", "−") if isinstance(value, int | float) else str(value)


def _titles() -> dict[str, str]:
    return {
        "architecture": _("network"), "task": _("task"), "sequence_length": _("sequence length T (steps)"),
        "hidden_size": _("hidden size H (units)"), "input_size": _("input size (features)"), "num_layers": _("layers"),
        "batch_size": _("batch (samples)"), "seed": _("seed"), "num_seeds": _("seeds"), "dtype": _("precision"),
        "nonlinearity": _("nonlinearity"), "recurrent_init": _("initialisation of weight_hh"),
        "recurrent_gain": _("gain on weight_hh"), "chrono_max": _("longest memory of chrono (steps)"),
        "input_bias": _("bias of the input gate"), "forget_bias": _("bias of the forget gate"),
        "candidate_bias": _("bias of the candidate"), "output_bias": _("bias of the output gate"),
        "reset_bias": _("bias of the reset gate"), "update_bias": _("bias of the update gate"),
        "split_biases": _("biases shared between both vectors"), "loss": _("loss at"), "input_kind": _("input"),
        "input_scale": _("input scale"), "text": _("text"), "digit": _("digit"),
        "blank_steps": _("blank steps"), "horizon": _("steps ahead"), "column": _("column"),
        "target": _("translated into"), "optimizer": _("optimizer"), "learning_rate": _("learning rate"),
        "momentum": _("momentum"), "weight_decay": _("weight decay"), "clipping": _("gradient clipping"),
        "clip_at": _("clipped at"), "truncation": _("truncation (steps)"), "steps": _("optimizer steps"),
        "measurements": _("measurements"), "samples": _("samples measured"),
    }  # fmt: skip
