"""Well-known settings, one click each."""

from __future__ import annotations

from typing import Any

from lstm_explorer.core.settings import Settings
from lstm_explorer.locales import _

#: Settings that every preset resets, so that nothing of another preset remains.
_NEUTRAL: dict[str, Any] = {
    "recurrent_init": "pytorch", "recurrent_gain": 1.0, "nonlinearity": "tanh", "split_biases": False,
    "input_bias": 0.0, "forget_bias": 0.0, "candidate_bias": 0.0, "output_bias": 0.0,
    "reset_bias": 0.0, "update_bias": 0.0,
}  # fmt: skip


def preset_options(settings: Settings) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return code, name and changes of every preset, in the order they are offered.

    Args:
        settings: The current settings; the chrono preset takes its longest memory from the sequence length.
    """
    longest = max(3, settings.sequence_length)
    changes: dict[str, tuple[str, dict[str, Any]]] = {
        "pytorch": (_("PyTorch default"), {}),
        "keras": (_("Keras default"), {"recurrent_init": "keras", "forget_bias": 1.0}),
        "forget1": (_("Forget bias 1"), {"forget_bias": 1.0}),
        "forget2": (_("Forget bias 2"), {"forget_bias": 2.0}),
        "forget5": (_("Forget bias 5"), {"forget_bias": 5.0}),
        "both": (_("Both vectors filled with 1"), {"forget_bias": 2.0, "split_biases": True}),
        "chrono": (_("Chrono"), {"recurrent_init": "chrono", "chrono_max": longest}),
        "exploding": (_("Exploding RNN"), {"recurrent_init": "orthogonal", "recurrent_gain": 2.0, "forget_bias": 1.0}),
        "vanishing": (_("Vanishing LSTM"), {"forget_bias": -3.0}),
    }
    return {code: (name, {**_NEUTRAL, **own}) for code, (name, own) in changes.items()}


def preset_note(code: str | None) -> str:
    """Return one sentence on a preset; empty for None."""
    notes = {
        "pytorch": _(
            "PyTorch draws every weight from ±1/√H and leaves the forget bias near 0, so f ≈ 0.5: this LSTM forgets "
            "almost as fast as the RNN."
        ),
        "keras": _("Keras makes the recurrent weights orthogonal and sets the forget bias to 1 for you."),
        "forget1": _("The usual advice. Look at the length: at 100 steps it still loses nearly everything."),
        "forget2": _("f ≈ 0.88: much of the total arrives, by the gates as well as by the cell."),
        "forget5": _(
            "f ≈ 0.993: the cell keeps half of it over 100 steps, and the gates add so much that it **explodes**."
        ),
        "both": _(
            "`lstm.bias_ih_l0` **and** `lstm.bias_hh_l0` filled with 1: PyTorch adds the two vectors, so the effective "
            "forget bias is **2**, not 1. The picture is the same as with *Forget bias 2*."
        ),
        "chrono": _(
            "Forget biases spread as log U(1, T−1) and input biases are their opposites: memory for every length up "
            "to T."
        ),
        "exploding": _("Orthogonal recurrent weights times 2: the RNN's gradient grows instead of dying."),
        "vanishing": _("f ≈ 0.05: an LSTM told to forget loses the gradient faster than the RNN does."),
    }
    return notes.get(code or "", "")
