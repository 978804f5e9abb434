"""One step of a cell, stage by stage: what happens, its equation in the diagram's colours, and this step's numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from lstm_explorer.figures.theme import Theme, theme_of
from lstm_explorer.locales import _


class Stage(NamedTuple):
    """A stage of the walk: its name, a sentence, its equation, and the same with this step's numbers (LaTeX)."""

    title: str
    text: str
    equation: str
    numbers: str


def walk(
    architecture: str, stage: str, values: Mapping[str, float], *, units: int | None = None, theme: str = "light"
) -> Stage:
    """Describe one stage of one step.

    Args:
        architecture: ``"rnn"``, ``"lstm"`` or ``"gru"``.
        stage: One of :data:`lstm_explorer.figures.cell.STAGES` of the architecture.
        values: As :func:`lstm_explorer.figures.cell.cell_values` gives.
        units: How many units the values are the mean of; None where they are one unit's.
        theme: ``"light"`` or ``"dark"``; the symbols have the diagram's colours.

    Raises:
        ValueError: The architecture has no such stage.
    """
    words = _WORDS.get((architecture, stage))
    if words is None:
        known = ", ".join(name for kind, name in _WORDS if kind == architecture)
        raise ValueError(f"stage is {stage!r}: expected one of {known}.")
    write = _Symbols(theme_of(theme), values, units)
    title, text = words()
    return Stage(title, text, *_EQUATIONS[architecture, stage](write))


class _Symbols:
    """Writes symbols and numbers in the diagram's colours."""

    def __init__(self, look: Theme, values: Mapping[str, float], units: int | None) -> None:
        self._look, self._values, self.units = look, values, units

    def of(self, gate: str, symbol: str) -> str:
        """Return a symbol in its gate's colour."""
        return rf"\textcolor{{{self._look.gates[gate]}}}{{{symbol}}}"

    def number(self, name: str, gate: str = "") -> str:
        """Return a value, in its gate's colour where it has one."""
        text = _number(self._values[name])
        return self.of(gate, text) if gate else text

    def gate(self, gate: str, symbol: str, function: str) -> str:
        """Return a gate's own line: of one unit with its preactivation, else as a mean."""
        value = self._values[gate]
        left, right = self.of(gate, symbol), self.number(gate, gate)
        if self.units is not None:
            return rf"\overline{{{left}}} = {right}"
        inverse = math.atanh if function == r"\tanh" else _logit
        inside = rf"{function}({_number(inverse(value))})" if abs(value) < 1 and value != 0 else function + r"(\cdot)"
        return rf"{left} = {inside} = {right}"

    def sum(self, left: str, first: str, second: str, kept: str, written: str, whole: str) -> str:
        """Return a sum of two products; of a mean only the products' means are known."""
        total = self.number(whole)
        if self.units is not None:
            bar = rf"\overline{{{left}}} = \overline{{{first}}} + \overline{{{second}}}"
            return rf"{bar} = {self.number(kept)} + {_signed(self._values[written])} = {total}"
        return rf"{left} = {self.number(kept)} + {_signed(self._values[written])} = {total}"

    def product(self, left: str, factors: tuple[str, ...], whole: str) -> str:
        """Return a product; of a mean only the whole is known."""
        if self.units is not None:
            return rf"\overline{{{left}}} = {self.number(whole)}"
        product = r" \cdot ".join(factors)
        return rf"{left} = {product} = {self.number(whole)}"


def _logit(value: float) -> float:
    return math.log(value / (1 - value)) if 0 < value < 1 else math.inf


def _number(value: float) -> str:
    if not math.isfinite(value):
        return r"\infty" if value > 0 else r"-\infty"
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:.3g}"
    mantissa, exponent = f"{value:.1e}".split("e")
    return rf"{mantissa} \times 10^{{{int(exponent)}}}"


def _signed(value: float) -> str:
    return f"({_number(value)})" if value < 0 else _number(value)


_PRE = r"W_{{i{0}}} x_t + b_{{i{0}}} + W_{{h{0}}} h_{{t-1}} + b_{{h{0}}}"


def _gate(gate: str, symbol: str, letter: str, function: str):  # type: ignore[no-untyped-def]
    def lines(write: _Symbols) -> tuple[str, str]:
        named = write.of(gate, symbol)
        return rf"{named} = {function}\big({_PRE.format(letter)}\big)", write.gate(gate, symbol, function)

    return lines


def _lstm_update(write: _Symbols) -> tuple[str, str]:
    f, i, g = write.of("forget", "f_t"), write.of("input", "i_t"), write.of("candidate", r"g_t")
    kept, written = rf"{f} \odot c_{{t-1}}", rf"{i} \odot {g}"
    return rf"c_t = {kept} + {written}", write.sum("c_t", kept, written, "kept", "written", "cell")


def _lstm_output(write: _Symbols) -> tuple[str, str]:
    o = write.of("output", "o_t")
    factors = (write.number("output", "output"), rf"\tanh({write.number('cell')})")
    equation = rf"{o} = \sigma\big({_PRE.format('o')}\big), \qquad h_t = {o} \odot \tanh(c_t)"
    return equation, write.product("h_t", factors, "hidden")


def _gru_candidate(write: _Symbols) -> tuple[str, str]:
    r, n = write.of("reset", "r_t"), write.of("candidate", "n_t")
    inner = rf"W_{{in}} x_t + b_{{in}} + {r} \odot (W_{{hn}} h_{{t-1}} + b_{{hn}})"
    return rf"{n} = \tanh\big({inner}\big)", write.gate("candidate", "n_t", r"\tanh")


def _gru_new(write: _Symbols) -> tuple[str, str]:
    z, n = write.of("update", "z_t"), write.of("candidate", "n_t")
    kept, written = rf"{z} \odot h_{{t-1}}", rf"(1 - {z}) \odot {n}"
    return rf"h_t = {kept} + {written}", write.sum("h_t", kept, written, "kept", "written", "hidden")


def _rnn_rewrite(write: _Symbols) -> tuple[str, str]:
    left = r"\overline{h_t}" if write.units is not None else "h_t"
    equation = r"h_t = \tanh\big(W_{ih} x_t + b_{ih} + W_{hh} h_{t-1} + b_{hh}\big)"
    return equation, rf"{left} = {write.number('hidden')}"


_EQUATIONS = {
    ("lstm", "forget"): _gate("forget", "f_t", "f", r"\sigma"),
    ("lstm", "candidate"): _gate("candidate", "g_t", "g", r"\tanh"),
    ("lstm", "input"): _gate("input", "i_t", "i", r"\sigma"),
    ("lstm", "update"): _lstm_update,
    ("lstm", "output"): _lstm_output,
    ("gru", "reset"): _gate("reset", "r_t", "r", r"\sigma"),
    ("gru", "update"): _gate("update", "z_t", "z", r"\sigma"),
    ("gru", "candidate"): _gru_candidate,
    ("gru", "new"): _gru_new,
    ("rnn", "rewrite"): _rnn_rewrite,
}

_WORDS = {
    ("lstm", "forget"): lambda: (
        _("1. Forget: how much of the old memory stays"),
        _(
            "The forget gate looks at the new input and at what was shown before, and gives every unit a number "
            "between 0 and 1. The old cell state is multiplied by it: near **1 keeps**, near **0 erases**, whatever "
            "its name suggests."
        ),
    ),
    ("lstm", "candidate"): lambda: (
        _("2. Candidate: what could be written"),
        _(
            "From the same two, a tanh proposes what to add to the memory, between −1 and 1: a unit may be raised or "
            "lowered."
        ),
    ),
    ("lstm", "input"): lambda: (
        _("3. Input gate: how much of it is written"),
        _("A second gate, again one number for every unit, says how much of the candidate gets in."),
    ),
    ("lstm", "update"): lambda: (
        _("4. Update: keep some, add some"),
        _(
            "The heart of the LSTM. What is kept and what is written are **added**; nothing squeezes the sum. The "
            "gradient of c through this line is multiplied by f and by nothing else: this is the direct road, and it "
            "runs through **c**, not through h."
        ),
    ),
    ("lstm", "output"): lambda: (
        _("5. Output: what is shown"),
        _(
            "The cell state is the long-term memory. The output gate decides how much of it, squeezed by tanh, is "
            "shown as the hidden state **h**: the working, short-term part that the next step and the next layer see."
        ),
    ),
    ("gru", "reset"): lambda: (
        _("1. Reset: how much of the past the candidate may see"),
        _("Near 0, the candidate is made from the input alone."),
    ),
    ("gru", "update"): lambda: (
        _("2. Update gate: keep or rewrite"),
        _(
            "One gate does the work of two. In PyTorch **1 keeps** the old state and 0 takes the candidate; some "
            "papers write it the other way round."
        ),
    ),
    ("gru", "candidate"): lambda: (
        _("3. Candidate"),
        _("PyTorch multiplies by the reset gate after the matrix, so its second bias sits inside the product."),
    ),
    ("gru", "new"): lambda: (
        _("4. The new state: keep some, take some"),
        _(
            "The GRU has no separate cell: the direct road runs through the hidden state itself, multiplied by z, and "
            "everything it remembers is always shown."
        ),
    ),
    ("rnn", "rewrite"): lambda: (
        _("The only stage: everything is rewritten"),
        _(
            "The plain RNN has one state, and every step makes it anew from the input and the old state, through the "
            "same matrix and a tanh. There is no road on which the past is merely kept: its gradient is multiplied by "
            "diag(1 − h²) W at every step."
        ),
    ),
}
