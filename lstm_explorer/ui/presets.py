"""Well-known settings, one click each, and those that a bare address opens."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any

from lstm_explorer.core.settings import Settings
from lstm_explorer.core.theory import forget_gate
from lstm_explorer.locales import _

#: Settings that every preset resets, so that nothing of another preset remains.
_NEUTRAL: dict[str, Any] = {
    "recurrent_init": "pytorch", "recurrent_gain": 1.0, "nonlinearity": "tanh", "split_biases": False,
    "input_bias": 0.0, "forget_bias": 0.0, "candidate_bias": 0.0, "output_bias": 0.0,
    "reset_bias": 0.0, "update_bias": 0.0,
}  # fmt: skip

#: A forget bias at which, over 100 steps, the LSTM keeps what the RNN loses, and does not explode.
_KEEPS = 2.5

#: What an address without settings opens, where that is not PyTorch's default: the first picture is the contrast.
_OPENING: Mapping[str, Settings] = types.MappingProxyType({"start": Settings(forget_bias=_KEEPS)})


def opening(page: str) -> Settings:
    """Return the settings that a page opens with where its address has none.

    Args:
        page: The page's file name without ``.py``.

    Example:
        >>> opening("start").forget_bias, opening("gradients") == Settings()
        (2.5, True)
    """
    return _OPENING.get(page, Settings())


def preset_options(settings: Settings) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return code, name and changes of every preset, in the order in which they tell the story.

    Args:
        settings: The current settings; the chrono preset takes its longest memory from the sequence length.
    """
    longest = max(3, settings.sequence_length)
    changes: dict[str, tuple[str, dict[str, Any]]] = {
        "keeps": (_("Forget bias {bias}").format(bias=f"{_KEEPS:g}"), {"forget_bias": _KEEPS}),
        "pytorch": (_("PyTorch default"), {}),
        "forget1": (_("Forget bias {bias}").format(bias=1), {"forget_bias": 1.0}),
        "forget5": (_("Forget bias {bias}").format(bias=5), {"forget_bias": 5.0}),
        "both": (_("Both vectors 1"), {"forget_bias": 2.0, "split_biases": True}),
        "chrono": (_("Chrono"), {"recurrent_init": "chrono", "chrono_max": longest}),
        "keras": (_("Keras"), {"recurrent_init": "keras", "forget_bias": 1.0}),
        "exploding": (_("Orthogonal, gain 2"), {"recurrent_init": "orthogonal", "recurrent_gain": 2.0}),
        "closed": (_("Forget bias {bias}").format(bias="−3"), {"forget_bias": -3.0}),
    }
    return {code: (name, {**_NEUTRAL, **own}) for code, (name, own) in changes.items()}


def preset_note(code: str | None, settings: Settings) -> str:
    """Return what a preset sets; empty for None. What comes of it is measured, and stands beside the figure."""
    gate = _("So f is about {gate:.2g} at every step.").format(gate=float(forget_gate(settings.forget_bias)))
    notes = {
        "keeps": _("The gate is nearly open."),
        "pytorch": _("PyTorch draws every weight and bias from ±1/√H; the app sets the gate biases, here to 0."),
        "keras": _("Keras makes the recurrent weights orthogonal and sets the forget bias to 1 for you."),
        "forget1": _("The usual advice."),
        "forget5": _("The gate is open: the cell keeps nearly all, and what comes through the gates is added to it."),
        "both": _(
            "`lstm.bias_ih_l0` **and** `lstm.bias_hh_l0` filled with 1: PyTorch adds the two vectors, so the effective "
            "forget bias is **2**, not 1."
        ),
        "chrono": _(
            "Every unit has a forget bias of its own, drawn as log U(1, T−1), and the opposite input bias: memory for "
            "every length up to T."
        ),
        "exploding": _("Orthogonal recurrent weights, times 2."),
        "closed": _("The gate is nearly shut."),
    }
    note = notes.get(code or "", "")
    return f"{note} {gate}" if note and code not in ("chrono", "exploding") else note
