"""The stage of a plain gate, which every gated network has."""

from __future__ import annotations

from lstm_explorer.core.architectures.architecture import Gate, Stage

_FUNCTIONS = {"sigmoid": r"\sigma", "tanh": r"\tanh"}


def gate_stage(gate: Gate, *, label: str, title: str, text: str, preactivation: str = "", lights: str = "") -> Stage:
    """Return the stage in which a gate gets its number.

    Args:
        gate: The gate.
        label: Its name on a button, marked for translation; so are ``title`` and ``text``.
        title: Its heading.
        text: What happens.
        preactivation: LaTeX of what goes through the gate's function; PyTorch's two affine maps by default.
        lights: Further quantities that it highlights, separated by spaces.
    """
    letter, name = gate.letter, gate.name
    symbol = f"<{name}|{letter}_t>"
    inside = preactivation or rf"W_{{i{letter}}} x_t + b_{{i{letter}}} + W_{{h{letter}}} h_{{t-1}} + b_{{h{letter}}}"
    mean = rf"\overline{{{symbol}}} = [{name}]"
    if gate.function == "identity":
        equation, unit = f"{symbol} = {inside}", f"{symbol} = [{name}]"
    else:
        function = _FUNCTIONS[gate.function]
        equation = rf"{symbol} = {function}\big({inside}\big)"
        unit = f"{symbol} = {function}([^{name}]) = [{name}]"
    return Stage(name, label, title, text, ("x", "hidden_before", *lights.split(), name), equation, unit, mean)
