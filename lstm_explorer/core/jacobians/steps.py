"""The Jacobian of every step of a network's last layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from lstm_explorer.core.architectures import Network, Parameters, num_directions
from lstm_explorer.core.checks import InitialState, Inputs, check_given, check_one_length
from lstm_explorer.core.engine.layers import LayerStates
from lstm_explorer.core.engine.step_jacobians import step_jacobians_of
from lstm_explorer.core.engine.trajectory import unroll_given
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.undisturbed import undisturbed

#: Bytes of Jacobians that may be held at once.
LIMIT = 2**30


class JacobianBlocks(NamedTuple):
    """The four blocks of an LSTM's Jacobian by what they lead to and from; views, ``(..., out, in)``."""

    hidden_from_hidden: Tensor
    hidden_from_cell: Tensor
    cell_from_hidden: Tensor
    cell_from_cell: Tensor


class LayerSteps(NamedTuple):
    """The steps of the last layer of a network, or of one of its directions, whose Jacobians are made when asked for.

    Attributes:
        network: The network.
        weights: The layer's parameters.
        states: Its states, in the order in which it reads.
    """

    network: Network
    weights: Parameters
    states: LayerStates

    @property
    def shape(self) -> tuple[int, int, int]:
        """Steps, samples, and numbers in a state: ``T, B, S``."""
        hidden, cell, others = self.states.hidden, self.states.cell, self.states.states[1:]
        of_cell = cell.shape[-1] if cell is not None and not others else 0
        size = hidden.shape[-1] + of_cell + sum(part.shape[-1] for part in others)
        return len(hidden) - 1, hidden.shape[1], size

    def jacobians(self, steps: slice, dtype: torch.dtype = torch.float64) -> Tensor:
        """Return the Jacobians of some steps, ``(n, B, S, S)``."""
        return step_jacobians_of(self.network, self.weights, self.states, steps, dtype)


def last_layer_steps(network: Network, inputs: Inputs, initial_state: InitialState) -> list[LayerSteps]:
    """Run a network, and return the steps of its last layer, of each direction.

    Raises:
        TypeError: The network or the inputs are of another kind.
        ValueError: Something is not supported, of the wrong shape, or not finite; the network computes something else
            than its weights say; the samples differ in length; or one step's Jacobians take too much memory.
    """
    given = check_given(network, inputs, initial_state)
    check_one_length(given)
    layers, directions = unroll_given(given), num_directions(network)
    last = zip(given.parameters[-directions:], layers[-directions:], strict=True)
    steps = [LayerSteps(network, weights, states) for weights, states in last]
    check_memory(1, *steps[0].shape[1:], mend="pass fewer samples at a time")
    return steps


def check_memory(steps: int, samples: int, size: int, *, mend: str) -> None:
    """Refuse Jacobians that take more memory than may be held at once.

    Raises:
        ValueError: They do.
    """
    needed = 8 * steps * samples * size**2
    if needed > LIMIT:
        raise ValueError(
            f"{steps} x {samples} Jacobians (steps x samples) of {size} x {size} numbers take {needed / 2**30:.1f} "
            f"GiB: expected at most {LIMIT / 2**30:g} GiB; {mend}."
        )


def per_direction(network: Network, results: list[Tensor]) -> Tensor:
    """Return the result of the only direction, or those of both with an axis in front, in the network's dtype."""
    dtype = next(network.parameters()).dtype
    return (results[0] if len(results) == 1 else torch.stack(results)).to(dtype)


def windows(steps: slice, numbers: int, at_once: int = 2**18) -> list[slice]:
    """Return steps in windows of about so many numbers, given those of one step."""
    count = max(1, at_once // numbers)
    return [slice(start, min(start + count, steps.stop)) for start in range(steps.start, steps.stop, count)]


#: Steps to their Jacobians, ``(n, B, S, S)``.
JacobiansOf = Callable[[slice], Tensor]


@checks_kinds
@undisturbed
def step_jacobians(network: Network, inputs: Inputs, *, initial_state: InitialState = None) -> Tensor:
    r"""Return the Jacobian of every step of the last layer, :math:`\partial s_t / \partial s_{t-1}`.

    The state :math:`s` is the hidden state, and of an LSTM the cell state after it; the layer's inputs are what the
    layer below has handed out, and count as constants. The RNN's, LSTM's and GRU's Jacobians follow from their states
    and gates, for all steps at once; those of any other network from its step, by automatic differentiation.

    Args:
        network: As :func:`lstm_explorer.gradient_flow` takes it; not modified.
        inputs: What it reads, likewise; samples of one length.
        initial_state: ``h_0``, or ``(h_0, c_0)`` for the LSTM, each ``(L, B, H)``; zeros by default.

    Returns:
        ``(T, B, S, S)``; index ``t - 1`` is step ``t``, entry ``[i, j]`` d out_i / d in_j. ``S`` is ``H``; ``2 * H`` of
        an LSTM, ``proj_size + H`` of one with projections (:func:`lstm_explorer.jacobian_blocks` tells the parts
        apart). Computed in float64, in the network's dtype, on the CPU. Of a bidirectional network ``(2, T, B, S, S)``,
        the forward direction first, each in the order in which it reads.

    Raises:
        TypeError: The network or the inputs are of another kind.
        ValueError: As :func:`lstm_explorer.gradient_flow`; or the Jacobians take more than 1 GiB.

    Example:
        Without weights an LSTM keeps half of its cell at every step, and shows half of that:

        >>> lstm = torch.nn.LSTM(1, 1)
        >>> for weight in lstm.parameters(): _ = torch.nn.init.zeros_(weight)
        >>> step_jacobians(lstm, torch.zeros(5, 1, 1))[0, 0]
        tensor([[0.0000, 0.2500],
                [0.0000, 0.5000]])
    """
    layers = last_layer_steps(network, inputs, initial_state)
    steps, *others = layers[0].shape
    check_memory(
        len(layers) * steps, *others, mend="pass fewer steps or samples; jacobian_flow holds a few steps at a time"
    )
    dtype = next(network.parameters()).dtype
    return per_direction(network, [layer.jacobians(slice(0, steps), dtype) for layer in layers])


@checks_kinds
def jacobian_blocks(jacobians: Tensor, *, hidden_size: int | None = None) -> JacobianBlocks:
    """Return the four blocks of an LSTM's Jacobians: of hidden and cell state, from hidden and cell state.

    Args:
        jacobians: ``(..., S, S)``, as :func:`lstm_explorer.step_jacobians` returns them.
        hidden_size: Numbers in a hidden state: ``proj_size`` where there are projections; half of ``S`` by default.

    Returns:
        Views of the argument, ``(..., out, in)``.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: The matrices are not square, or cannot be parted there.

    Example:
        >>> lstm = torch.nn.LSTM(2, 3)
        >>> blocks = jacobian_blocks(step_jacobians(lstm, torch.zeros(5, 1, 2)))
        >>> blocks.cell_from_hidden.shape  # the cell by way of the gates
        torch.Size([5, 1, 3, 3])
    """
    check_square(jacobians, 2)
    size = jacobians.shape[-1]
    hidden = size // 2 if hidden_size is None else hidden_size
    if not 0 < hidden < size or (hidden_size is None and size % 2):
        raise ValueError(
            f"hidden_size is {hidden_size} and a state has {size} numbers: expected those of the hidden state and of "
            "the cell state together; pass hidden_size, from 1 on, where the two differ."
        )
    of_hidden, of_cell = jacobians.split([hidden, size - hidden], dim=-2)
    parts = (*of_hidden.split([hidden, size - hidden], dim=-1), *of_cell.split([hidden, size - hidden], dim=-1))
    return JacobianBlocks(*parts)


def check_square(jacobians: Tensor, axes: int) -> None:
    """Refuse what is no square matrix of numbers, or has fewer axes.

    Raises:
        ValueError: It is not.
    """
    expected = "(T, B, S, S)" if axes == 4 else "(..., S, S)"
    shape = tuple(jacobians.shape)
    if len(shape) < axes or (axes == 4 and len(shape) > 4) or shape[-1] != shape[-2] or 0 in shape:
        raise ValueError(f"jacobians has shape {shape}: expected {expected}, as step_jacobians returns them.")
    if jacobians.dtype not in (torch.float32, torch.float64):
        raise ValueError(f"jacobians is {jacobians.dtype}: expected float32 or float64; convert with .double().")
