r"""Back-propagation through time as a linear recurrence, exact far past the range of a float.

Once the forward pass is known, the gradient obeys a *linear* recurrence backwards in time whose coefficients follow
from the states and gates. Running that recurrence ourselves is cheaper than unrolling cells under autograd, because no
graph is built and no weight gradient is formed, and it lets :func:`lstm_explorer.core.sweep.sweep` carry a power of two
per sample beside the numbers.

The loop is NumPy: on small arrays one call costs a third of what a torch operator costs. It runs in float64 whatever
the network's dtype, but for large products of the LSTM, see :class:`LSTMRecurrence`. Coefficients are made a window of
steps at a time, so that they stay in the processor's cache and take no more memory for a long sequence than for a short
one; benchmarks/README.md says what each choice gained.

Index legend, everywhere below: ``t`` step; ``n`` steps of a window; ``*lead`` is ``(B,)`` or ``(R, B)`` with replicas;
``H`` hidden units; ``G`` gate blocks; ``S`` states of a step (hidden, and cell in the LSTM). States have ``T + 1``
entries (0 is the initial state), gates and coefficients of step ``t`` sit at index ``t - 1``.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_explorer.core.scaled import Array, squared_norms
from lstm_explorer.core.slopes import lstm_slopes
from lstm_explorer.core.trajectory import fill_linear, fill_products


class RNNRecurrence:
    r"""Gradient of the plain RNN: :math:`\delta_t = \phi'_t \odot dh_t`, :math:`dh_{t-1} = W_{hh}^T \delta_t`.

    Args:
        hidden: The hidden states, ``(T + 1, *lead, H)``.
        nonlinearity: ``"tanh"`` or ``"relu"``.
        weight_ih: ``(H, I)`` or ``(R, H, I)``.
        weight_hh: ``(H, H)`` or ``(R, H, H)``.
    """

    def __init__(self, hidden: NDArray[Any], nonlinearity: str, weight_ih: Array, weight_hh: Array) -> None:
        """Allocate the states, their squared norms and the gradient of the inputs."""
        self.states, self.squares, self.inputs = _allocate(hidden, 1, weight_ih)
        self._hidden, self._nonlinearity = hidden, nonlinearity
        self._weight_ih, self._weight_hh = weight_ih, weight_hh

    def prepare(self, start: int, stop: int) -> None:
        """Make the slope of the nonlinearity, ``(n, *lead, H)``."""
        after = self._hidden[stop + 1 : start + 1].astype(np.float64)
        self._first = stop
        self._slope = 1.0 - np.square(after) if self._nonlinearity == "tanh" else (after > 0).astype(np.float64)
        self._delta = np.empty(after.shape)

    def run(self, start: int, stop: int, entering: Array | None) -> None:
        """Fill the steps ``stop`` to ``start - 1``."""
        window = slice(stop - self._first, start - self._first)
        product, multiply, weight_hh = _product(self._weight_hh), np.multiply, self._weight_hh
        hidden = self.states[start, 0]
        for slope, delta, before, outside in _backwards(
            self._slope[window], self._delta[window], self.states[stop:start, 0], entering
        ):
            multiply(hidden, slope, delta)
            product(delta, weight_hh, before)
            if outside is not None:
                before += outside
            hidden = before

    def finish(self, start: int, stop: int) -> None:
        """Make the gradient of the inputs."""
        window = slice(stop - self._first, start - self._first)
        self.inputs[stop:start] = times(self._delta[window], self._weight_ih)


class GRURecurrence:
    r"""Gradient of the GRU: :math:`dh_{t-1} = z_t \odot dh_t + W_{hh}^T (k_t \odot dh_t)`.

    Here :math:`k_t` leads from :math:`dh_t` to the preactivations ``r z n``. The candidate has two of them: the
    recurrent product is multiplied by the reset gate, the input's is not.

    Args:
        hidden: The hidden states, ``(T + 1, *lead, H)``.
        gates: Reset, update and candidate, ``(3, T, *lead, H)``.
        recurrent: The candidate's recurrent product, :math:`W_{hn} h_{t-1} + b_{hn}`, ``(T, *lead, H)``.
        weight_ih: ``(3*H, I)`` or ``(R, 3*H, I)``.
        weight_hh: ``(3*H, H)`` or ``(R, 3*H, H)``.
    """

    def __init__(
        self,
        hidden: NDArray[Any],
        gates: Array,
        recurrent: NDArray[Any],
        weight_ih: Array,
        weight_hh: Array,
    ) -> None:
        """Allocate the states, their squared norms and the gradient of the inputs."""
        self.states, self.squares, self.inputs = _allocate(hidden, 1, weight_ih)
        self._hidden, self._gates, self._recurrent = hidden, gates, recurrent
        self._weight_ih, self._weight_hh = weight_ih, weight_hh

    def prepare(self, start: int, stop: int) -> None:
        """Make :math:`k_t` for the hidden state and for the input, ``(n, *lead, 3, H)`` each."""
        r, z, n = (gate[stop:start] for gate in self._gates)
        to_input = np.empty((*r.shape[:-1], 3, r.shape[-1]))
        to_input[..., 2, :] = (1 - z) * (1 - n * n)
        to_input[..., 1, :] = (self._hidden[stop:start] - n) * z * (1 - z)
        to_input[..., 0, :] = to_input[..., 2, :] * self._recurrent[stop:start] * r * (1 - r)
        to_hidden = to_input.copy()
        to_hidden[..., 2, :] *= r
        self._first, self._keep, self._to_hidden, self._to_input = stop, z, to_hidden, to_input

    def run(self, start: int, stop: int, entering: Array | None) -> None:
        """Fill the steps ``stop`` to ``start - 1``."""
        window = slice(stop - self._first, start - self._first)
        product, multiply, add, weight_hh = _product(self._weight_hh), np.multiply, np.add, self._weight_hh
        hidden, direct = self.states[start, 0], np.empty_like(self.states[0, 0])
        blocks = np.empty(self._to_hidden.shape[1:])
        delta = flat(blocks)
        for keep, to_hidden, before, outside in _backwards(
            self._keep[window], self._to_hidden[window], self.states[stop:start, 0], entering
        ):
            multiply(hidden[..., None, :], to_hidden, blocks)
            product(delta, weight_hh, before)
            multiply(hidden, keep, direct)
            add(before, direct, before)
            if outside is not None:
                before += outside
            hidden = before

    def finish(self, start: int, stop: int) -> None:
        """Make the gradient of the inputs."""
        delta = self._to_input[stop - self._first : start - self._first]
        delta *= self.states[stop + 1 : start + 1, 0, ..., None, :]
        self.inputs[stop:start] = times(flat(delta), self._weight_ih)


class LSTMRecurrence:
    r"""Total gradient of the LSTM, hidden and cell together.

    .. math::
        dc_t = f_{t+1} \odot dc_{t+1} + a_t \odot dh_t, \quad
        \delta_t = (k_t \odot dc_t,\; d_t \odot dh_t), \quad dh_{t-1} = W_{hh}^T \delta_t

    with the coefficients of :class:`~lstm_explorer.core.slopes.LSTMSlopes`.

    Args:
        gates: Input, forget, candidate and output, ``(4, T, *lead, H)``.
        cell: The cell states, ``(T + 1, *lead, H)``.
        weight_ih: ``(4*H, I)`` or ``(R, 4*H, I)``.
        weight_hh: ``(4*H, H)`` or ``(R, 4*H, H)``.
        narrow: Make the products with ``weight_hh`` in float32, in less than half the time. They err no more than the
            float32 network's own preactivations do; all that adds up along the cell stays float64. Where a product
            comes near the ends of float32's range, it and all that follow are made in float64.
    """

    def __init__(self, gates: Array, cell: Array, weight_ih: Array, weight_hh: Array, *, narrow: bool = False) -> None:
        """Allocate the states, their squared norms and the gradient of the inputs."""
        self.states, self.squares, self.inputs = _allocate(cell, 2, weight_ih)
        self._gates, self._cell = gates, cell
        self._weight_ih, self._weight_hh = weight_ih, weight_hh
        self._narrow = narrow and bool(np.abs(weight_hh).max() < 1e4)

    def prepare(self, start: int, stop: int) -> None:
        """Make the derivatives of the window."""
        self._first, self._slopes = stop, lstm_slopes(self._gates, self._cell, start, stop)

    def run(self, start: int, stop: int, entering: Array | None) -> None:
        """Fill the steps ``stop`` to ``start - 1``; the cell of step ``stop`` holds what came along the cell so far."""
        along = self.states[start, 1].copy() if self._narrow else None
        self._run(start, stop, entering)
        if along is not None and not _inside_float32(self.states[stop:start, 0]):
            self._narrow = False
            self.states[start, 1] = along
            self.prepare(start, self._first)
            self._run(start, stop, entering)

    def _run(self, start: int, stop: int, entering: Array | None) -> None:
        window = slice(stop - self._first, start - self._first)
        exposed, slopes = (slope[window] for slope in self._slopes)
        states, carried = self.states[stop : start + 1], slopes[..., :1, :]
        single = self._weight_hh.ndim == 2 and slopes.shape[1] == 1
        if single:  # vectors cost a tenth less than matrices of one row
            exposed, slopes, carried, states = exposed[:, 0], slopes[:, 0], carried[:, 0, 0], states[:, :, 0]
            entering = None if entering is None else entering[:, 0]
            blocks = states
        else:
            exposed, blocks = exposed[..., None, :], states[..., None, :]  # as one block beside the blocks of a row
        hidden, along = blocks[-1]
        # One row a sample, (along the cell, i, f, g, o). Copying the gradients into it and multiplying all of it at
        # once costs half of multiplying one block of states by several blocks of slopes.
        rows = np.empty(slopes.shape[1:])
        by_cell, by_output = rows[..., :4, :], rows[4] if single else rows[..., 4:, :]
        multiply, add, weight_hh = np.multiply, np.add, self._weight_hh
        product = _narrow_product(weight_hh, rows.shape[:-2]) if self._narrow else _product(weight_hh)
        shown = np.empty_like(hidden)
        for a, k, along_cell, delta, cell, before, outside in _backwards(
            exposed, slopes, carried, flat(slopes[..., 1:, :]), blocks[1:, 1], states[:-1, 0], entering
        ):
            multiply(hidden, a, shown)
            add(along, shown, cell)
            by_cell[...] = cell
            by_output[...] = hidden
            multiply(rows, k, k)  # from here on the slopes are the gradients that `finish` needs
            product(delta, weight_hh, before)
            if outside is not None:
                before += outside
            hidden, along = before if single else before[..., None, :], along_cell
        blocks[0, 1] = along

    def finish(self, start: int, stop: int) -> None:
        """Make the gradient of the inputs."""
        window = slice(stop - self._first, start - self._first)
        self.inputs[stop:start] = times(flat(self._slopes.rows[window, ..., 1:, :]), self._weight_ih)


class CellPathRecurrence:
    r"""Gradient that travels by the cell state alone: :math:`dc_{t-1} = f_t \odot dc_t`.

    Args:
        forget: The forget gate, ``(T, *lead, H)``.
    """

    def __init__(self, forget: Array) -> None:
        """Allocate the states and their squared norms."""
        steps, *lead, hidden_size = forget.shape
        self.squares = np.empty((steps + 1, 1, *lead))
        self.states = np.empty((*self.squares.shape, hidden_size))
        self._forget = forget

    def prepare(self, start: int, stop: int) -> None:
        """Nothing to make: the forget gate is the coefficient."""

    def run(self, start: int, stop: int, entering: Array | None) -> None:
        """Fill the steps ``stop`` to ``start - 1``."""
        after, backwards = self.states[start, 0], self.states[stop:start, 0][::-1]
        forget = self._forget[stop:start][::-1]
        if entering is None:
            fill_products(forget, backwards, after)
        else:
            np.copyto(backwards, entering[::-1])
            fill_linear(forget, backwards, after)

    def finish(self, start: int, stop: int) -> None:
        """Nothing follows."""


def flat(blocks: Array) -> Array:
    """Return gate blocks ``(..., G, H)`` side by side, ``(..., G*H)``."""
    return blocks.reshape(*blocks.shape[:-2], -1)


def times(gates: Array, weight: Array) -> Array:
    """Return ``gates @ weight`` for all steps at once; a stack of replicas has weights ``(R, ·, ·)``."""
    if weight.ndim == 2:
        # np.dot takes the fast road for two matrices only
        return np.dot(gates.reshape(-1, gates.shape[-1]), weight).reshape(*gates.shape[:-1], -1)
    steps, replicas, batch, _ = gates.shape
    product = gates.swapaxes(0, 1).reshape(replicas, steps * batch, -1) @ weight
    return product.reshape(replicas, steps, batch, -1).swapaxes(0, 1)


def _allocate(like: NDArray[Any], count: int, weight_ih: Array) -> tuple[Array, Array, Array]:
    """Return room for states ``(T + 1, S, *lead, H)``, their squares, and gradients of inputs ``(T, *lead, I)``."""
    steps, *lead, hidden_size = like.shape
    squares = np.empty((steps, count, *lead))
    return np.empty((*squares.shape, hidden_size)), squares, np.empty((steps - 1, *lead, weight_ih.shape[-1]))


def _product(weight: Array) -> Callable[[NDArray[Any], NDArray[Any], NDArray[Any]], object]:
    # The method costs half of np.matmul on two small matrices, and less than np.dot; only matmul takes a stack of them.
    return np.ndarray.dot if weight.ndim == 2 else np.matmul


def _narrow_product(weight: Array, lead: tuple[int, ...]) -> Callable[[Array, Array, Array], object]:
    """Return what :func:`_product` returns, of this weight, made in float32."""
    product, narrow = _product(weight), weight.astype(np.float32)
    factor, result = (np.empty((*lead, size), np.float32) for size in weight.shape[-2:])

    def narrow_product(delta: Array, _: Array, out: Array) -> None:
        factor[...] = delta
        product(factor, narrow, result)
        out[...] = result

    return narrow_product


def _inside_float32(vectors: Array) -> bool:
    """Say whether the vectors lost nothing to float32's range: what underflowed is below the rounding of the others."""
    squares = squared_norms(vectors)
    return bool(squares.min() > 1e-60 and squares.max() < 1e60)


def _backwards(*steps: Array | None) -> Iterable[tuple[Any, ...]]:
    """Iterate over the last step first; the last array, what enters from outside, may be None at every step."""
    *arrays, entering = (None if array is None else array[::-1] for array in steps)
    return zip(*arrays, itertools.repeat(None) if entering is None else entering, strict=False)  # type: ignore[arg-type]
