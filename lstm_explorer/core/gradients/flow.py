"""The gradient of a loss with respect to every state, at every step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from lstm_explorer.core.architectures import Network
from lstm_explorer.core.checks import Batch, Given, InitialState, Inputs, Lengths, check_cotangent, check_given
from lstm_explorer.core.engine.trajectory import output_of, unroll_given
from lstm_explorer.core.gradients.result import GradientFlow, Loss
from lstm_explorer.core.gradients.through_layers import flow_of_given, upstreams_of_outputs, upstreams_of_states
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.undisturbed import undisturbed


@checks_kinds
@undisturbed
def gradient_flow(
    network: Network,
    inputs: Inputs,
    *,
    cotangent: Tensor | PackedSequence | None = None,
    initial_state: InitialState = None,
    loss: Loss = "last",
    units: bool = False,
    lengths: Lengths = None,
) -> GradientFlow:
    r"""Measure the gradient of a loss with respect to every state of a network, exactly.

    The loss is :math:`L = \langle v, h_T \rangle` of the last layer, or :math:`\sum_{t \ge 1} \langle v, h_t \rangle`.
    All derivatives are total, over every path from a state to the loss, except the cell path. Norms are Euclidean, per
    sample. Each direction of a bidirectional network has a last step of its own; each sample has one with ``lengths``.

    Args:
        network: ``nn.RNN``, ``nn.LSTM`` or ``nn.GRU`` with any ``num_layers``, ``batch_first``, ``bias``,
            ``bidirectional``, ``proj_size``; not modified.
        inputs: ``(T, B, input_size)``, or ``(B, T, input_size)`` if the network is ``batch_first``; ``(T, input_size)``
            of one sample; or packed.
        cotangent: :math:`v`, ``(B, H)``; all ones by default. Or :math:`v_t = \partial L / \partial y_t` of any loss of
            the outputs :math:`y_t`, ``(T, B, D*H)``, or ``(B, T, D*H)`` if the network is ``batch_first``: then
            :math:`L = \sum_t \langle v_t, y_t \rangle`. :func:`gradient_flow_of_loss` finds it.
        initial_state: ``h_0``, or ``(h_0, c_0)`` for the LSTM, each ``(L, B, H)``; zeros by default.
        loss: ``"last"`` or ``"every"``.
        units: Also keep every element of dL/dh_t and, of an LSTM, dL/dc_t.
        lengths: Steps of each sample, ``(B,)``, where they differ; what comes after them is not read.

    Returns:
        The norms as log10, per layer, step and sample.

    Raises:
        TypeError: The network or the inputs are of another kind.
        ValueError: Something is not supported, of the wrong shape, or not finite; or the network computes something
            else than its weights say.

    Source:
        torch.nn.LSTM; the recurrence is written out in :mod:`lstm_explorer.core.engine.adjoints`

    Example:
        With weights and inputs of zero the cell path is all there is, sigma(b_f) per step:

        >>> lstm = torch.nn.LSTM(1, 1).double()
        >>> for weight in lstm.parameters(): _ = torch.nn.init.zeros_(weight)
        >>> flow = gradient_flow(lstm, torch.zeros(100, 1, 1, dtype=torch.float64))
        >>> round(float(flow.log10_cell[0, 0, 0] - flow.log10_cell[0, 100, 0]), 6)
        -30.103
    """
    given = check_given(network, inputs, initial_state, lengths)
    seed = check_cotangent(network, cotangent, Batch(given.inputs, given.lengths))
    if seed.ndim == 3 and loss == "every":
        raise ValueError('loss is "every" with a cotangent of every step: expected one of the two; leave loss out.')
    layers = unroll_given(given)
    return flow_of_given(given, layers, upstreams_of_outputs(given, layers, seed, loss), units=units)


@checks_kinds
@undisturbed
def gradient_flow_of_loss(
    network: Network,
    inputs: Inputs,
    loss_fn: Callable[[Any], Tensor],
    *,
    initial_state: InitialState = None,
    units: bool = False,
    lengths: Lengths = None,
) -> GradientFlow:
    r"""Measure the gradient of a real loss, through a head of one's own, with respect to every state of a network.

    Autograd differentiates the loss with respect to the network's outputs; from there on the gradient is exact, past
    the range of any float, as in :func:`gradient_flow`.

    Args:
        network: As in :func:`gradient_flow`; so are ``inputs``, ``initial_state``, ``units`` and ``lengths``.
        inputs: What it reads.
        loss_fn: ``loss_fn(output) -> scalar``. The output is the first of what the network returns, packed for packed
            inputs. It is called once, as it is: weights in it get no gradient, the random state stays, and a batch
            normalisation in training mode counts this batch.
        initial_state: Zeros by default.
        units: Also keep every element.
        lengths: Steps of each sample, where they differ; past them the output is 0, and what reaches it is not counted.

    Returns:
        The norms as log10, per layer, step and sample.

    Raises:
        TypeError: An argument is of another kind, or the loss is no tensor.
        ValueError: As :func:`gradient_flow`; or the loss is no scalar, does not depend on the output, or has a gradient
            that is not finite.

    Example:
        >>> lstm, head = torch.nn.LSTM(2, 8), torch.nn.Linear(8, 1)
        >>> def loss_fn(output):
        ...     return torch.nn.functional.mse_loss(head(output[-1]), torch.ones(4, 1))
        >>> gradient_flow_of_loss(lstm, torch.randn(50, 4, 2), loss_fn).log10_hidden.shape
        torch.Size([1, 51, 4])
    """
    given = check_given(network, inputs, initial_state, lengths)
    layers = unroll_given(given)
    reached = _reached_outputs(given, output_of(network, layers, given.lengths), inputs, loss_fn)
    return flow_of_given(given, layers, upstreams_of_outputs(given, layers, reached, "last"), units=units)


def _reached_outputs(given: Given, output: Tensor, inputs: Inputs, loss_fn: Callable[[Any], Tensor]) -> Tensor:
    """Return what a loss puts on the outputs ``(T, B, D*H)``."""
    leaf = output.detach().clone().requires_grad_()
    handed = leaf.clone()  # a loss may change it in place
    shown: Any = handed.transpose(0, 1) if given.network.batch_first else handed
    if isinstance(inputs, PackedSequence):  # in the order of samples that these were packed in
        sorted_samples = handed if inputs.sorted_indices is None else handed[:, inputs.sorted_indices]
        steps = zip(sorted_samples, inputs.batch_sizes.tolist(), strict=True)
        shown = inputs._replace(data=torch.cat([step[:count] for step, count in steps]))
    elif inputs.ndim == 2:
        shown = handed.squeeze(1)
    with torch.random.fork_rng(devices=[]):
        loss = loss_fn(shown)
    if not isinstance(loss, Tensor):
        raise TypeError(f"loss_fn returned a {type(loss).__name__}: expected a scalar tensor.")
    if loss.numel() != 1:
        raise ValueError(f"loss_fn returned {tuple(loss.shape)}: expected a scalar; take the mean or the sum.")
    found = torch.autograd.grad(loss.sum(), leaf, allow_unused=True) if loss.requires_grad else (None,)
    if found[0] is None:
        raise ValueError(
            "the loss does not depend on the output: expected loss_fn to compute it from its argument, with gradients "
            "on and without detach()."
        )
    if not bool(torch.isfinite(found[0]).all()):
        raise ValueError("the gradient of loss_fn is NaN or infinite: expected a loss that can be differentiated.")
    return found[0].detach()


class Outputs(NamedTuple):
    """What reaches everything that a network hands out, in time.

    Attributes:
        output: ``(T, B, D*H)``.
        hidden: What reaches ``h_n``, ``(L*D, B, H)``; None if nothing does.
        cell: What reaches ``c_n``, likewise.
    """

    output: Tensor
    hidden: Tensor | None = None
    cell: Tensor | None = None


@undisturbed
def flow_of_outputs(
    network: Network,
    inputs: Tensor,
    reached: Outputs,
    *,
    initial_state: InitialState = None,
    lengths: Lengths = None,
    dropped: Sequence[Tensor] = (),
) -> GradientFlow:
    """Measure the gradient of a loss of which it is known what reaches a network's outputs and last states.

    Args:
        network: As in :func:`gradient_flow`.
        inputs: ``(T, B, I)``, time first whatever the network says.
        reached: What the loss puts on the outputs and the last states.
        initial_state: ``h_0``, or ``(h_0, c_0)``; zeros by default.
        lengths: Steps of each sample, where they differ.
        dropped: What multiplied the outputs of each layer but the last before the next read them, ``(T, B, D*H)``, as
            a dropout does; empty if nothing did.
    """
    laid_out = inputs.transpose(0, 1) if network.batch_first else inputs
    given = check_given(network, laid_out, initial_state, lengths)._replace(dropped=tuple(dropped))
    layers = unroll_given(given)
    of_last = upstreams_of_outputs(given, layers, reached.output, "last")
    upstreams = upstreams_of_states(given, of_last, reached.hidden, reached.cell)
    return flow_of_given(given, layers, upstreams, units=False)
