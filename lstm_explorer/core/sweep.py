"""Run a linear recurrence backwards in time, at whatever size its numbers take.

A **power of two per sample** is carried beside the numbers, so that 10^-1740 and 10^+400 are ordinary values:
``gradient = mantissa * 2**exponent``. A sample's hidden and cell gradient at one step share it, so of two that lie more
than 10^300 apart the smaller is lost. It is brought up to date between chunks of steps, not at every step; a chunk in
which the numbers left the float range after all is run again in smaller ones.

The recurrences themselves, and the legend of the indices, are in :mod:`lstm_explorer.core.recurrences`.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from lstm_explorer.core.scaled import LARGEST, SMALLEST, Array, Scaled, common_exponent, shifted, squared_norms
from lstm_explorer.core.trajectory import window_of


class Outside(NamedTuple):
    """Gradient that reaches a layer's hidden states from outside its own recurrence: from the loss or the layer above.

    ``final`` enters at the last step, ``(*lead, H)``; ``steps`` at every step, ``(T + 1, *lead, H)``, its last entry
    being ``final``, or None if nothing enters before the end.
    """

    final: Scaled
    steps: Scaled | None


class Recurrence(Protocol):
    """A linear recurrence backwards in time, run in place on ``states``, ``(T + 1, S, *lead, H)``.

    What enters from outside is always added to the first of the ``S`` states. The sweep leaves their
    :func:`~lstm_explorer.core.scaled.squared_norms` in ``squares``, ``(T + 1, S, *lead)``.
    """

    states: Array
    squares: Array

    def prepare(self, start: int, stop: int) -> None:
        """Make the coefficients of the window of steps ``stop + 1`` to ``start``."""
        ...

    def run(self, start: int, stop: int, entering: Array | None) -> None:
        """Fill the steps ``stop`` to ``start - 1`` from ``start``; ``entering[t - stop]`` is added at step ``t``.

        It may use the coefficients of these steps up: to run them again, prepare them again.
        """
        ...

    def finish(self, start: int, stop: int) -> None:
        """Make what follows from the states of these steps, now that they are filled."""
        ...


def sweep(recurrence: Recurrence, outside: Outside) -> NDArray[np.int64]:
    """Run a recurrence from the last step to step 0 and return the exponent of every step.

    Args:
        recurrence: Its ``states`` are filled with mantissas, its ``squares`` with their squared norms.
        outside: What enters the first of the states.

    Returns:
        Exponents ``(T + 1, *lead)``: every state of step ``t`` is ``mantissa * 2**exponent[t]``.
    """
    states = recurrence.states
    steps, _, *lead, hidden_size = states.shape
    exponents = np.empty((steps, *lead), dtype=np.int64)
    states[-1] = 0.0
    states[-1, 0], exponents[-1] = outside.final
    window = chunk = min(steps - 1, window_of(math.prod(lead) * hidden_size))
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        if window == 1:
            _normalise(recurrence, exponents, steps - 1)  # of more steps, only where it turns out to be needed
        for start in range(steps - 1, 0, -window):
            stop = max(0, start - window)
            chunk = _fill(recurrence, exponents, outside.steps, start, stop, chunk)
    return exponents


def _fill(
    recurrence: Recurrence, exponents: NDArray[np.int64], injected: Scaled | None, start: int, stop: int, chunk: int
) -> int:
    """Run the steps of one window, ``chunk`` of them between two looks at the scale; return the chunk that served."""
    states, squares = recurrence.states, recurrence.squares
    recurrence.prepare(start, stop)
    while start > stop:
        end = max(stop, start - chunk)
        before = states[start].copy()
        recurrence.run(start, end, _at_exponent(injected, end, start, exponents[start]))
        # And `start`: an LSTM's cell is only whole once the step is taken.
        filled = slice(end, start + 1)
        squares[filled] = squared_norms(states[filled])
        if start - end > 1 and not _in_range(states[filled], squares[filled]):
            # The gradient left the float range inside this chunk: go back, start near 1 and look more often.
            states[start] = before
            _normalise(recurrence, exponents, start)
            chunk = max(1, (start - end) // 4)
            recurrence.prepare(start, stop)
            continue
        recurrence.finish(start, end)
        exponents[end:start] = exponents[start]
        if injected is not None:
            _inject(states[end], exponents[end], Scaled(injected.mantissa[end], injected.exponent[end]))
            squares[end] = squared_norms(states[end])
        if end > 0:
            _normalise(recurrence, exponents, end)
        start = end
    return chunk


def _in_range(states: Array, squares: Array) -> bool:
    """Say whether every step ``(n, S, *lead, H)`` is inside the float range with room to spare, or exactly zero."""
    if squares[:, 0].min() > SMALLEST and squares.max() < LARGEST:
        return True
    largest = np.abs(states).max(axis=-1).max(axis=1)
    return bool((((largest > SMALLEST) & (largest < LARGEST)) | (largest == 0)).all())


def _normalise(recurrence: Recurrence, exponents: NDArray[np.int64], step: int) -> None:
    """Bring the largest element of a step near 1 and move its power of two into the exponent."""
    states = recurrence.states[step]
    largest = np.abs(states).max(axis=-1).max(axis=0)
    if largest.min() > 1e-3 and largest.max() < 1e3:
        return
    _, shift = np.frexp(largest)
    np.ldexp(states, -shift[..., None], out=states)
    recurrence.squares[step] = squared_norms(states)
    exponents[step] += shift


def _at_exponent(injected: Scaled | None, stop: int, start: int, exponent: NDArray[np.int64]) -> Array | None:
    """Return the outside gradient of the steps ``stop`` to ``start - 1`` as mantissas at one exponent a sample."""
    if injected is None or start - stop == 1:
        return None
    entering = shifted(injected.mantissa[stop:start], injected.exponent[stop:start] - exponent)
    entering[0] = 0.0  # what enters at the border is added there, at whichever scale suits it
    return entering


def _inject(states: Array, exponents: NDArray[np.int64], outside: Scaled) -> None:
    """Add an outside gradient to the first state of one step, ``(S, *lead, H)``, at whichever scale is the larger."""
    # All the states decide: the others must not be lost to a scale that only suits the first.
    here = Scaled(np.concatenate(tuple(states), axis=-1), exponents)
    common = common_exponent(here, outside)
    states[...] = shifted(states, exponents - common)
    states[0] += shifted(outside.mantissa, outside.exponent - common)
    exponents[...] = common
