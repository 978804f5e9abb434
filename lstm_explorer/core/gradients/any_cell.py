"""The gradient through time of any cell: a step that is a pure function of tensors."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from lstm_explorer.core.engine.generic import BackwardPass, Linearized, States, StepFunction, carry_back, linearize
from lstm_explorer.core.engine.scaled import Scaled, log10_norm
from lstm_explorer.core.gradients.result import Loss
from lstm_explorer.core.kinds import checks_kinds

#: One tensor ``(B, H)``, or a NamedTuple of tensors ``(B, ...)``.
State = Any


@dataclass(frozen=True, eq=False, kw_only=True)
class CellGradientFlow:
    """Gradient norms of every step of a cell as log10, exact past the float range; detached, on the CPU.

    A gradient that is exactly zero is ``-inf``, and so is one more than 10^300 below its sample's largest at that step.

    Attributes:
        log10_states: Name of each part of the state to log10 of the norm of the total derivative dL/d state_t,
            ``(T + 1, B)``; step 0 is the initial state. A state of one tensor is named ``"state"``.
        log10_inputs: log10 of the norm of dL/dx_t, ``(T, B)``; index ``t - 1`` is input ``t``.
        states: Name to the states themselves, ``(T + 1, B, ...)``.
    """

    log10_states: Mapping[str, Tensor]
    log10_inputs: Tensor
    states: Mapping[str, Tensor]

    def to_frame(self) -> pd.DataFrame:
        """Return the norms as a tidy table, one row a number.

        Returns:
            Columns ``quantity, step, lag, sample, log10_norm``. ``quantity`` is the name of a part of the state, or
            ``inputs``; ``lag`` is steps back from the last one.

        Example:
            >>> flow = cell_gradient_flow(lambda h, x: (h + x).tanh(), torch.zeros(1, 2), torch.zeros(4, 1, 2))
            >>> flow.to_frame().groupby("quantity")["step"].max().to_dict()
            {'inputs': 4, 'state': 4}
        """
        frames = [_tidy(name, norms, 0) for name, norms in self.log10_states.items()]
        return pd.concat([*frames, _tidy("inputs", self.log10_inputs, 1)], ignore_index=True)


@checks_kinds
def cell_gradient_flow(
    step: Callable[[State, Tensor], State],
    initial_state: State,
    inputs: Tensor,
    *,
    cotangent: Tensor | None = None,
    loss: Loss = "last",
) -> CellGradientFlow:
    r"""Measure the gradient of a loss with respect to every state of any cell, exactly.

    The loss is :math:`L = \langle v, h_T \rangle`, or :math:`\sum_{t \ge 1} \langle v, h_t \rangle`, of the first part
    ``h`` of the state. Derivatives are total, as ``retain_grad()`` on what the step returns has them: dL/dc_t counts
    that :math:`h_t` was made of :math:`c_t`. They are as exact as the step's own dtype, past the range of any float.

    Args:
        step: ``step(state, x) -> state``, a pure function of tensors; each sample's state depends on its own alone. It
            may use modules and their parameters, which are left as they are.
        initial_state: One tensor ``(B, H)``, or a NamedTuple of tensors ``(B, ...)``; float32 or float64.
        inputs: ``(T, B, I)``, one ``x`` ``(B, I)`` per step.
        cotangent: :math:`v`, of the shape of the first part of the state; all ones by default.
        loss: ``"last"`` or ``"every"``.

    Returns:
        The norms as log10, per part of the state, step and sample.

    Raises:
        TypeError: The step, the state or the inputs are of another kind.
        ValueError: A shape or dtype is wrong, numbers are not finite, or the step mixes samples or works in place.

    Example:
        A leaky unit keeps 0.018 per step; no float holds what is left after a thousand:

        >>> flow = cell_gradient_flow(lambda h, x: 0.018 * h + x, torch.zeros(1, 1), torch.zeros(1000, 1, 1))
        >>> round(float(flow.log10_states["state"][0, 0]), 1)
        -1744.7
    """
    cell = _Cell.of(initial_state)
    parts, x = _checked(cell, initial_state, inputs)
    vector = _cotangent(parts, cotangent)
    with torch.inference_mode(False), torch.enable_grad(), _in_place_explained():
        steps = _forward(_stepped(cell, step, parts), parts, x)
        states = _finite_states(cell, parts, steps)
        measured = _backward_pass(x, vector, loss)
        _check_samples_apart(steps[-1], len(x))
        carry_back(_last_first(steps), measured)
    ends = np.cumsum([part[0].numel() for part in parts])
    exponents = measured.exponents
    norms = [log10_norm(Scaled(block, exponents)) for block in np.split(measured.states, ends[:-1], axis=-1)]
    of_inputs = log10_norm(Scaled(measured.inputs, exponents[1:]))
    log10 = [torch.from_numpy(array).to(inputs.dtype) for array in (*norms, of_inputs)]
    return CellGradientFlow(
        log10_states=dict(zip(cell.names, log10, strict=False)), log10_inputs=log10[-1], states=states
    )


@contextlib.contextmanager
def linearized_steps(
    step: Callable[[State, Tensor], State], initial_state: State, inputs: Tensor
) -> Iterator[list[Linearized]]:
    """Run a cell, checked, with a graph of every step; what autograd says inside about work in place is explained.

    Raises:
        TypeError: The step, the state or the inputs are of another kind.
        ValueError: A shape or dtype is wrong, numbers are not finite, or the step mixes samples or works in place.
    """
    cell = _Cell.of(initial_state)
    parts, x = _checked(cell, initial_state, inputs)
    with torch.inference_mode(False), torch.enable_grad(), _in_place_explained():
        steps = _forward(_stepped(cell, step, parts), parts, x)
        _finite_states(cell, parts, steps)
        _check_samples_apart(steps[-1], len(x))
        yield steps


class _Cell(NamedTuple):
    """How a state is put together: the names of its parts, and its NamedTuple; None of one tensor."""

    names: tuple[str, ...]
    kind: Any

    @staticmethod
    def of(state: State) -> _Cell:
        if isinstance(state, Tensor):
            return _Cell(("state",), None)
        names = getattr(state, "_fields", None)
        if isinstance(state, tuple) and names:
            return _Cell(names, type(state))
        raise TypeError(
            f"initial_state is a {type(state).__name__}: expected a torch.Tensor (B, H) or a NamedTuple of them; name "
            'the parts, as with collections.namedtuple("State", "hidden cell").'
        )

    def parts(self, state: State, where: str) -> States:
        """Return a state's tensors, or say that it is of another kind than the initial one."""
        # Another NamedTuple with the same names is as good; without names the parts could be in any order.
        same = isinstance(state, Tensor) if self.kind is None else getattr(state, "_fields", None) == self.names
        if not same:
            expected = "torch.Tensor" if self.kind is None else f"{self.kind.__name__}({', '.join(self.names)})"
            raise TypeError(f"{where} is a {type(state).__name__}: expected a {expected}, as initial_state is.")
        parts = (state,) if self.kind is None else tuple(state)
        for name, part in zip(self.names, parts, strict=True):
            if not isinstance(part, Tensor):
                raise TypeError(f"{name} of {where} is a {type(part).__name__}: expected a torch.Tensor.")
        return parts

    def state(self, parts: States) -> State:
        return parts[0] if self.kind is None else self.kind(*parts)


def _checked(cell: _Cell, initial_state: State, inputs: Tensor) -> tuple[States, Tensor]:
    """Return the parts of the initial state and the inputs, each with memory and history of its own."""
    if inputs.ndim != 3 or 0 in inputs.shape:
        hint = " Add the batch axis with inputs.unsqueeze(1)." if inputs.ndim == 2 else ""
        raise ValueError(
            f"inputs has shape {tuple(inputs.shape)}: expected (T, B, I) with at least one step and one sample.{hint}"
        )
    _check_numbers("inputs", inputs, inputs)
    parts = cell.parts(initial_state, "initial_state")
    for k, (name, part) in enumerate(zip(cell.names, parts, strict=True)):
        if part.ndim < (2 if k == 0 else 1) or 0 in part.shape or len(part) != inputs.shape[1]:
            axes = "(B, H)" if k == 0 else "(B, ...)"
            raise ValueError(
                f"{name} of initial_state has shape {tuple(part.shape)}: expected {axes} with B = {inputs.shape[1]}, "
                "the samples of the inputs."
            )
        _check_numbers(f"{name} of initial_state", part, inputs)
    with torch.inference_mode(False):  # a copy: autograd refuses tensors that were made in inference mode
        return tuple(part.detach().clone() for part in parts), inputs.detach().clone()


def _check_numbers(name: str, tensor: Tensor, inputs: Tensor) -> None:
    if tensor.dtype not in (torch.float32, torch.float64):
        raise ValueError(f"{name} is {tensor.dtype}: expected float32 or float64; convert with .float().")
    if tensor.dtype != inputs.dtype or tensor.device != inputs.device:
        raise ValueError(
            f"{name} is {tensor.dtype} on {tensor.device}: expected {inputs.dtype} on {inputs.device}, as the inputs "
            "are; convert with .to(inputs)."
        )
    if not torch.isfinite(tensor.detach()).all():
        raise ValueError(f"{name} has values that are NaN or infinite: expected finite numbers.")


def _cotangent(parts: States, cotangent: Tensor | None) -> Scaled:
    """Return what the loss puts on one state, ``(B, S)``: the cotangent on its first part."""
    first = parts[0]
    if cotangent is None:
        cotangent = torch.ones_like(first)
    if cotangent.shape != first.shape:
        raise ValueError(
            f"cotangent is {tuple(cotangent.shape)}: expected a tensor of shape {tuple(first.shape)}, as the first "
            "part of the state has."
        )
    _check_numbers("cotangent", cotangent, first)
    samples = len(first)
    vector = np.zeros((samples, sum(part[0].numel() for part in parts)))
    vector[:, : first[0].numel()] = cotangent.numpy(force=True).reshape(samples, -1)
    return Scaled(vector, np.zeros(samples, dtype=np.int64))


def _stepped(cell: _Cell, step: Callable[[State, Tensor], State], like: States) -> StepFunction:
    """Return the step from parts to parts, which says where its state is not of the initial state's kind."""

    def checked(state: States, x: Tensor) -> States:
        parts = cell.parts(step(cell.state(state), x), "the state that step returns")
        for name, part, before in zip(cell.names, parts, like, strict=True):
            if part.shape != before.shape or part.dtype != before.dtype or part.device != before.device:
                raise ValueError(
                    f"step returns {name} as {part.dtype} {tuple(part.shape)} on {part.device}: expected "
                    f"{before.dtype} {tuple(before.shape)} on {before.device}, as in initial_state."
                )
        return parts

    return checked


def _forward(step: StepFunction, parts: States, x: Tensor) -> list[Linearized]:
    steps: list[Linearized] = []
    for now in x.unbind():
        steps.append(linearize(step, steps[-1].after if steps else parts, now))
    return steps


def _finite_states(cell: _Cell, parts: States, steps: list[Linearized]) -> Mapping[str, Tensor]:
    """Return the states by name, ``(T + 1, B, ...)``, or say at which step one left the float range."""
    states = {}
    for k, name in enumerate(cell.names):
        stacked = torch.stack([parts[k], *(one.after[k].detach() for one in steps)]).cpu()
        finite = torch.isfinite(stacked).flatten(1).all(1)
        if not finite.all():
            raise ValueError(
                f"{name} is NaN or infinite from step {int((~finite).nonzero()[0])} of {len(steps)} on: expected "
                "finite states. Lower the gain, shorten the sequence or use float64."
            )
        states[name] = stacked
    return states


def _backward_pass(x: Tensor, vector: Scaled, loss: Loss) -> BackwardPass:
    first, kept = 1 if loss == "every" else len(x), np.ones_like(vector.mantissa)
    return BackwardPass.empty(lambda t: vector if t >= first else None, len(x), kept, x.shape[-1])


def _check_samples_apart(last: Linearized, steps: int) -> None:
    """Refuse a step that mixes samples: each has a power of two of its own on the way back."""
    samples, size = len(last.x), sum(part[0].numel() for part in last.after)
    # Any two samples differ in a bit of their number: each bit parts them into two halves, which must not mix.
    bits = range((samples - 1).bit_length())
    for half in ((np.arange(samples) >> bit & 1) == side for bit in bits for side in (0, 1)):
        before, _, x = last.products(np.outer(half, np.linspace(1.0, 2.0, size)), steps)
        if not before[~half].any() and not x[~half].any():
            continue
        raise ValueError(
            "step mixes the samples of a batch: expected each sample's state to depend on its own state and input "
            "alone. Put a batch normalisation into eval(), or measure one sample at a time."
        )


def _last_first(steps: list[Linearized]) -> Iterator[Linearized]:
    while steps:
        yield steps.pop()  # its graph is not needed again


@contextlib.contextmanager
def _in_place_explained() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if "in-place" not in str(error) and "inplace" not in str(error):
            raise
        raise ValueError(
            "step changes a tensor in place: expected a pure function, which makes new tensors; write h = h * f for "
            f"h.mul_(f). PyTorch says: {error}"
        ) from error


def _tidy(quantity: str, norms: Tensor, first_step: int) -> pd.DataFrame:
    step, sample = (index.ravel() for index in np.indices(norms.shape))
    columns = {
        "quantity": quantity,
        "step": step + first_step,
        "lag": len(norms) - 1 - step,
        "sample": sample,
        "log10_norm": norms.numpy().ravel(),
    }
    return pd.DataFrame(columns)
