"""One step of a cell, stage by stage: a text, its equation in the diagram's colours, and this step's numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import NamedTuple

from lstm_explorer.core.architectures import Architecture, architecture_named
from lstm_explorer.figures.formatting import superscript
from lstm_explorer.figures.theme import Theme, theme_of
from lstm_explorer.locales import translated

#: LaTeX of the stages' lines of numbers, and what it is in plain text.
_POWER, _COLOUR = re.compile(r"\^\{(-?\d+)\}"), re.compile(r"\\textcolor\{#\w+\}\{([^{}]*)\}")
_MEAN = re.compile(r"\\overline\{([^{}]*)\}")
_SIGNS = {r"\times": "×", r"\cdot": "·", r"\odot": "⊙", r"\tanh": "tanh", r"\sigma": "σ", r"\infty": "∞", "-": "−"}

_SYMBOL, _VALUE = re.compile(r"<(\w+)\|([^>]*)>"), re.compile(r"\[([+^]?)(\w+)\]")


class Step(NamedTuple):
    """A stage of the walk.

    Attributes:
        title: Its name.
        text: What happens, in a sentence or two.
        equation: LaTeX, with the gates in the diagram's colours.
        numbers: The same with this step's numbers.
        plain: The numbers' line without LaTeX, for figures on paper.
    """

    title: str
    text: str
    equation: str
    numbers: str
    plain: str


def walk(
    architecture: str, stage: str, values: Mapping[str, float], *, units: int | None = None, theme: str = "light"
) -> Step:
    """Describe one stage of one step.

    Args:
        architecture: Name of the architecture.
        stage: Name of one of its stages.
        values: As :func:`lstm_explorer.figures.cell.cell_values` gives.
        units: How many units the values are the mean of; None where they are one unit's.
        theme: ``"light"`` or ``"dark"``; the symbols have the diagram's colours.

    Raises:
        ValueError: The architecture has no such stage.
    """
    record = architecture_named(architecture)
    known = {one.name: one for one in record.stages}
    if stage not in known:
        raise ValueError(f"stage is {stage!r}: expected one of {', '.join(known)}.")
    here, look = known[stage], theme_of(theme)
    numbers = _with_numbers(here.unit if units is None else here.mean, record, values, look)
    return Step(
        title=translated(here.title),
        text=translated(here.text),
        equation=_in_colour(here.equation, look),
        numbers=_in_colour(numbers, look),
        plain=_without_latex(numbers),
    )


def _without_latex(latex: str) -> str:
    r"""Return a line of LaTeX, of those that stages are made of, as text.

    Example:
        >>> _without_latex(r"\overline{<forget|f_t> \odot c_{t-1}} = \textcolor{#123456}{0.92} \times 3 \times 10^{-4}")
        'mean(fₜ ⊙ cₜ₋₁) = 0.92 × 3 × 10⁻⁴'
    """
    text = _SYMBOL.sub(r"\2", latex).replace(r"\tilde{h}", "h̃").replace("_{t-1}", "ₜ₋₁").replace("_t", "ₜ")
    text = _POWER.sub(lambda match: superscript(int(match[1])), text)
    text = _MEAN.sub(r"mean(\1)", _COLOUR.sub(r"\1", text))
    for command, sign in _SIGNS.items():
        text = text.replace(command, sign)
    return text


def _in_colour(latex: str, look: Theme) -> str:
    """Return LaTeX with each gate's symbols in its colour."""
    return _SYMBOL.sub(lambda match: _coloured(match[2], match[1], look), latex)


def _coloured(latex: str, gate: str, look: Theme) -> str:
    return rf"\textcolor{{{look.gates.get(gate, look.text)}}}{{{latex}}}"


def _with_numbers(latex: str, record: Architecture, values: Mapping[str, float], look: Theme) -> str:
    """Return LaTeX with the numbers filled in, a gate's own in its colour."""
    gates = {gate.name: gate for gate in record.gates}

    def number(match: re.Match[str]) -> str:
        sign, name = match.groups()
        value = values[name]
        if sign == "^":
            return _preactivation(value, gates[name].function)
        text = f"({_number(value)})" if sign == "+" and value < 0 else _number(value)
        return _coloured(text, name, look) if name in gates else text

    return _VALUE.sub(number, latex)


def _preactivation(value: float, function: str) -> str:
    """Return the preactivation of a gate; a dot where the gate is too near the end of its range to tell."""
    if not (0 < value < 1 if function == "sigmoid" else 0 < abs(value) < 1):
        return r"\cdot"
    return _number(math.log(value / (1 - value)) if function == "sigmoid" else math.atanh(value))


def _number(value: float) -> str:
    if not math.isfinite(value):
        return r"\infty" if value > 0 else r"-\infty"
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:.3g}"
    mantissa, exponent = f"{value:.1e}".split("e")
    return rf"{mantissa} \times 10^{{{int(exponent)}}}"
