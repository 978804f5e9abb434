r"""One LSTM cell of one unit whose gates are set by hand, and challenges that show what each gate is for.

The gates are given, not computed, so nothing but the cell state carries the past: the gradient
:math:`\partial c_T / \partial c_t` is exactly the product of the forget gates on the way.
"""

from __future__ import annotations

import itertools
import math
import operator
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstm_explorer.core.theory import forget_gate
from lstm_explorer.locales import N_

Array = NDArray[np.float64]

#: Steps a cell set by hand has at most.
MAX_STEPS = 2000
_LIMITS: Mapping[str, tuple[float, float]] = types.MappingProxyType(
    {"input": (0.0, 1.0), "forget": (0.0, 1.0), "output": (0.0, 1.0), "value": (-1.0, 1.0)}
)


@dataclass(frozen=True, kw_only=True)
class Phase:
    """Gates that stay as they are for some steps: from the end of the phase before, or step 1, to ``until``.

    Args:
        until: Last step of the phase, from 1.
        input: Input gate i, 0 to 1.
        forget: Forget gate f, 0 to 1. 1 keeps, 0 forgets.
        output: Output gate o, 0 to 1.
        value: Candidate g, -1 to 1: what is written where the input gate is open.

    Raises:
        TypeError: ``until`` is no whole number, or a gate no number.
        ValueError: A value is outside its limits.
    """

    until: int
    input: float
    forget: float
    output: float
    value: float

    def __post_init__(self) -> None:
        """Check every value once, here."""
        try:
            object.__setattr__(self, "until", operator.index(self.until))
        except TypeError:
            raise TypeError(f"until is {self.until!r}: expected the last step, a whole number from 1.") from None
        if self.until < 1:
            raise ValueError(f"until is {self.until}: expected at least 1, the first step.")
        for name, (low, high) in _LIMITS.items():
            object.__setattr__(self, name, _number(name, getattr(self, name), low, high))


@dataclass(frozen=True, eq=False, kw_only=True)
class ByHand:
    """What a cell set by hand did; entry ``t`` of a state is after step ``t``, entry ``t - 1`` of a gate made it.

    Attributes:
        cell: Cell state c ``(T + 1,)``.
        hidden: Hidden state h = o tanh(c) ``(T + 1,)``; 0 before the first step, which has no output yet.
        input: Input gate i ``(T,)``.
        forget: Forget gate f ``(T,)``.
        output: Output gate o ``(T,)``.
        value: Candidate g ``(T,)``.
        log10_gradient: log10 |dc_T / dc_t| ``(T + 1,)``; ``-inf`` where a forget gate of exactly 0 lies on the way.
        gradient_hidden: log10 |dh_T / dc_t| ``(T + 1,)``; ``-inf`` also where the last output gate is 0.
    """

    cell: Array
    hidden: Array
    input: Array
    forget: Array
    output: Array
    value: Array
    log10_gradient: Array
    gradient_hidden: Array

    @property
    def steps(self) -> int:
        """The last step T."""
        return len(self.forget)

    @property
    def written(self) -> Array:
        """What each step adds to the cell, i g ``(T,)``."""
        return self.input * self.value


def run_by_hand(phases: Sequence[Phase], *, initial: float = 0.0) -> ByHand:
    r"""Run one LSTM unit with given gates.

    .. math::
        c_t = f_t c_{t-1} + i_t g_t, \quad h_t = o_t \tanh(c_t), \quad
        \frac{\partial c_T}{\partial c_t} = \prod_{s=t+1}^{T} f_s

    Args:
        phases: The gates, in the order of time; the last phase ends the sequence.
        initial: Cell state before the first step.

    Returns:
        States, gates and gradients; the gradients as log10, exact far past the float range.

    Raises:
        TypeError: ``initial`` is no number.
        ValueError: There is no phase, a phase ends no later than the one before, or there are too many steps.

    Source:
        torch.nn.LSTMCell

    Example:
        >>> write = Phase(until=1, input=1, forget=1, output=1, value=1)
        >>> keep = Phase(until=100, input=0, forget=0.5, output=1, value=0)
        >>> run = run_by_hand([write, keep])
        >>> float(run.cell[2]), float(run.log10_gradient[0].round(2))
        (0.5, -29.8)
    """
    _check_phases(phases)
    initial = _number("initial", initial, -math.inf, math.inf)
    lengths = np.diff([0, *(phase.until for phase in phases)])
    gates = {name: np.repeat([getattr(phase, name) for phase in phases], lengths) for name in _LIMITS}
    cell = [initial]
    for forget, written in zip(gates["forget"].tolist(), (gates["input"] * gates["value"]).tolist(), strict=True):
        cell.append(forget * cell[-1] + written)
    cells = np.array(cell)
    gradient = _log10_product(gates["forget"])
    return ByHand(
        cell=cells,
        hidden=np.concatenate([[0.0], gates["output"] * np.tanh(cells[1:])]),
        log10_gradient=gradient,
        gradient_hidden=gradient + _log10_output_slope(gates["output"][-1], cells[-1]),
        **gates,
    )


def gate_of_bias(bias: float) -> float:
    r"""Return the gate that a bias alone gives, :math:`\sigma(b)`.

    Args:
        bias: Effective bias; infinite for a gate that is exactly 0 or 1.

    Returns:
        The gate, 0 to 1.

    Raises:
        ValueError: The bias is not a number.

    Example:
        >>> gate_of_bias(0.0), gate_of_bias(-math.inf)
        (0.5, 0.0)
    """
    if math.isnan(bias):
        raise ValueError("bias is nan: expected a number, or plus or minus infinity.")
    return float(forget_gate(bias))


def bias_of_gate(gate: float) -> float:
    r"""Return the bias that alone gives a gate, :math:`\ln \frac{\sigma}{1 - \sigma}`: infinite at 0 and at 1.

    Args:
        gate: The gate, 0 to 1.

    Returns:
        The effective bias.

    Raises:
        ValueError: The gate is outside 0 to 1.

    Example:
        >>> round(bias_of_gate(0.9), 2), bias_of_gate(1.0)
        (2.2, inf)
    """
    gate = _number("gate", gate, 0.0, 1.0)
    if gate in (0.0, 1.0):
        return math.inf if gate else -math.inf
    return math.log(gate) - math.log1p(-gate)


@dataclass(frozen=True)
class Challenge:
    """Something to make the cell do.

    Attributes:
        code: Its name in addresses and tests.
        steps: Steps the sequence has to have.
    """

    code: str
    steps: int


class Mistake(NamedTuple):
    """What a challenge expected and what came.

    Attributes:
        step: The first step at which it happened.
        expected: What follows "Step 12: ", with named fields, marked for translation.
        values: What fills the fields.
    """

    step: int
    expected: str
    values: Mapping[str, Any]


#: The challenges in the order a learner meets them.
CHALLENGES: Mapping[str, Challenge] = types.MappingProxyType(
    {code: Challenge(code, 100) for code in ("hold", "leak", "erase", "overwrite", "hide")}
)

_STEPS = N_("the sequence should have {expected} steps; it has {came}.")
_CELL_LEAST = N_("the cell should hold at least {low:.4g}; it holds {came:.4g}.")
_CELL_BETWEEN = N_("the cell should hold between {low:.4g} and {high:.4g}; it holds {came:.4g}.")
_OUTPUT_LEAST = N_("the output h should be at least {low:.4g}; it is {came:.4g}.")
_OUTPUT_BETWEEN = N_("the output h should be between {low:.4g} and {high:.4g}; it is {came:.4g}.")
_NOTHING_WRITTEN = N_("nothing should be written, i × g = 0; it is {came:.4g}.")
#: A number counts as its limit if a sentence, with four digits, would write both alike.
_TOLERANCE = 5e-5


def check(code: str, run: ByHand) -> list[Mistake]:
    """Return the mistakes that keep a run from solving a challenge.

    Args:
        code: One of :data:`CHALLENGES`.
        run: What the cell did.

    Returns:
        One mistake per broken rule, at the first step that breaks it, the earliest first; none if it is solved.

    Raises:
        ValueError: There is no such challenge.

    Example:
        >>> leaky = [Phase(until=1, input=1, forget=0, output=1, value=1),
        ...          Phase(until=100, input=0, forget=0.99, output=1, value=0)]
        >>> [(mistake.step, round(mistake.values["came"], 4)) for mistake in check("hold", run_by_hand(leaky))]
        [(100, 0.3697)]
    """
    if code not in CHALLENGES:
        raise ValueError(f"challenge is {code!r}: expected one of {', '.join(map(repr, CHALLENGES))}.")
    steps = CHALLENGES[code].steps
    if run.steps != steps:
        return [Mistake(min(run.steps, steps), _STEPS, {"expected": steps, "came": run.steps})]
    return sorted(_RULES[code](run), key=lambda mistake: mistake.step)


def _hold(run: ByHand) -> list[Mistake]:
    """Write a 1 at step 1, then nothing; 90 % of it is there at the end."""
    kept = 0.9 * float(run.cell[1])
    return _written_once(run, 100) or _cell(run, 100, 100, low=kept)


def _leak(run: ByHand) -> list[Mistake]:
    """Write a 1 at step 1, then nothing; a third of it remains after ten steps."""
    one = float(run.cell[1])
    return _written_once(run, 11) or _cell(run, 11, 11, low=0.3 * one, high=0.4 * one)


def _erase(run: ByHand) -> list[Mistake]:
    return [*_cell(run, 1, 50, low=0.9), *_cell(run, 52, 100, low=-0.05, high=0.05)]


def _overwrite(run: ByHand) -> list[Mistake]:
    return [*_cell(run, 1, 50, low=0.8, high=1.0), *_cell(run, 51, 100, low=-1.0, high=-0.8)]


def _hide(run: ByHand) -> list[Mistake]:
    hidden = _outside(run.hidden, 0, 99, _OUTPUT_BETWEEN, low=-0.05, high=0.05)
    return [*_cell(run, 1, 100, low=0.9), *hidden, *_outside(run.hidden, 100, 100, _OUTPUT_LEAST, low=0.6)]


_RULES: Mapping[str, Callable[[ByHand], list[Mistake]]] = types.MappingProxyType(
    {"hold": _hold, "leak": _leak, "erase": _erase, "overwrite": _overwrite, "hide": _hide}
)


def _written_once(run: ByHand, last: int) -> list[Mistake]:
    """Expect a 1 in the cell after step 1, and nothing written from then to a last step: all else is forgetting."""
    again = np.concatenate([[0.0], run.written])
    return [*_cell(run, 1, 1, low=0.9), *_outside(again, 2, last, _NOTHING_WRITTEN, low=0.0, high=0.0)]


def _cell(run: ByHand, first: int, last: int, *, low: float, high: float = math.inf) -> list[Mistake]:
    return _outside(run.cell, first, last, _CELL_LEAST if high == math.inf else _CELL_BETWEEN, low=low, high=high)


def _outside(
    values: Array, first: int, last: int, expected: str, *, low: float, high: float = math.inf
) -> list[Mistake]:
    """Return the first step, of some, at which a value is too low or too high."""
    part = values[first : last + 1]
    wrong = np.flatnonzero((part < low - _TOLERANCE) | (part > high + _TOLERANCE))
    if not wrong.size:
        return []
    step = first + int(wrong[0])
    return [Mistake(step, expected, {"low": low, "high": high, "came": float(values[step]) + 0.0})]


def _log10_product(forget: Array) -> Array:
    """Return log10 of the product of the forget gates from each step to the last, ``(T + 1,)``."""
    with np.errstate(divide="ignore"):
        factors = np.log10(forget)
    return np.concatenate([np.cumsum(factors[::-1])[::-1], [0.0]]) + 0.0  # + 0.0: no negative zero


def _log10_output_slope(output: float, cell: float) -> float:
    """Return log10 of dh/dc = o (1 - tanh(c)^2), also where tanh(c) is 1 to the last digit of a float."""
    if output == 0:
        return -math.inf
    log_cosh = abs(cell) + math.log1p(math.exp(-2 * abs(cell))) - math.log(2)
    return math.log10(output) - 2 * log_cosh / math.log(10)


def _check_phases(phases: Sequence[Phase]) -> None:
    if not phases:
        raise ValueError("phases is empty: expected at least one phase; add one.")
    ends = [phase.until for phase in phases]
    for before, after in itertools.pairwise(ends):
        if after <= before:
            raise ValueError(
                f"a phase until step {after} follows one until step {before}: expected a later step; move its end."
            )
    if ends[-1] > MAX_STEPS:
        raise ValueError(f"the last phase ends at step {ends[-1]}: expected at most {MAX_STEPS}; end it sooner.")


def _number(name: str, value: Any, low: float, high: float) -> float:
    expected = f"expected a number from {low:g} to {high:g}" if math.isfinite(low) else "expected a finite number"
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise TypeError(f"{name} is {value!r} ({type(value).__name__}): {expected}.")
    if not low <= value <= high or not math.isfinite(value):
        raise ValueError(f"{name} is {value!r}: {expected}.")
    return float(value)
