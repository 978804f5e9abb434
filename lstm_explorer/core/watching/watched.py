"""A model that is watched while it is trained: what hangs on it, and what was measured."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook
from torch.utils.hooks import RemovableHandle

from lstm_explorer.core.gradients.result import GradientFlow
from lstm_explorer.core.watching.catching import Catcher, Caught
from lstm_explorer.core.watching.measuring import alike, measure
from lstm_explorer.core.watching.record import Array, WatchedFlow, curve_of, median_share, numbers_of
from lstm_explorer.core.watching.saying import sentence
from lstm_explorer.core.watching.writers import Write
from lstm_explorer.locales import _

#: Columns of the table.
COLUMNS = ("optimizer_step", "module", "layer", "quantity", "step", "lag", "sample", "log10_norm", "call")


class Watched:
    """A model that is watched, and what was measured so far.

    A context manager, as :func:`watch` returns it; where a ``with`` does not fit, ``start()`` and ``stop()`` do. The
    numbers can be read at any time, inside the loop too.

    Attributes:
        notes: What could not be measured, and why. A network's first is a warning too, unless the gradient was NaN or
            infinite, as it is now and then with AMP.
    """

    def __init__(self, catchers: dict[str, Catcher], write: Write | None = None) -> None:
        """Watch nothing yet."""
        self.notes: list[str] = []
        self._catchers, self._write = catchers, write
        self._flows: list[WatchedFlow] = []
        self._hooks: list[RemovableHandle] = []
        self._noted_at, self._warned_of = -1, set[str]()

    def __enter__(self) -> Self:
        """Begin to watch."""
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        """Stop watching; after an error, what was not measured yet is left."""
        if kind is None:
            self.stop()
        else:
            self._let_go()

    def start(self) -> Self:
        """Begin to watch.

        Returns:
            This.

        Raises:
            ValueError: It watches already.
        """
        if self._hooks:
            raise ValueError("this model is watched already: expected stop() before another start().")
        for name, catcher in self._catchers.items():
            updated = functools.partial(self._measure, {name: catcher})
            missed = functools.partial(self._note, name, warn=True)
            self._hooks += catcher.start(updated, missed)
        self._hooks.append(register_optimizer_step_post_hook(torch.compiler.disable(self._stepped)))
        return self

    def stop(self) -> None:
        """Measure what is left, and leave the model as it was: no hook remains."""
        try:
            self._measure(self._catchers)
        finally:
            self._let_go()

    @property
    def flows(self) -> tuple[WatchedFlow, ...]:
        """What was measured: one for each forward pass that a loss reached."""
        self._measure(self._catchers)
        return tuple(self._flows)

    @property
    def modules(self) -> tuple[str, ...]:
        """The names of the networks."""
        return tuple(self._catchers)

    def to_frame(self) -> pd.DataFrame:
        """Return the norms as a tidy table, one row per number.

        Returns:
            Columns ``optimizer_step, module, layer, quantity, step, lag, sample, log10_norm, call``. ``quantity`` is
            ``"hidden"``, ``"cell"``, ``"cell_path"`` or ``"inputs"``; ``lag`` is steps back from the last step that the
            loss reaches; ``call`` counts the forward passes that the same backward pass reached. ``direction`` stands
            behind ``layer`` where a network has two.
        """
        frames = [flow.to_frame() for flow in self.flows]
        if not frames:
            return pd.DataFrame(columns=list(COLUMNS))
        frame = pd.concat(frames, ignore_index=True)
        columns = [*COLUMNS[:3], "direction", *COLUMNS[3:]] if "direction" in frame else list(COLUMNS)
        return frame[columns]

    def latest(self) -> dict[str, float]:
        """Return the last measurement of every network in a few numbers, for a logger.

        Returns:
            ``"gradient/<module>/half_life"``, steps in which dL/dh_t of the last layer halves, on average over the way
            back; ``".../log10_share_at_25_percent"``, ``50`` and ``100``: log10 of the share of it that arrives from
            that part of the way back; ``".../lags"``, how many steps that way has; ``".../reads_earlier"``, 1 where the
            loss reads earlier steps too, so that these hold gradients that came from nearer. ``<module>/forward`` and
            ``<module>/backward`` where there are two directions. The median over samples; empty before the first
            measurement.
        """
        return _numbers(_last_ones(self.flows))

    def say(self) -> str:
        """Say the last measurement, one line for each network.

        Returns:
            Such as ``"step 900: 12 % of the gradient reaches 80 steps back; half-life 27 steps"``; and what could not
            be measured since.
        """
        lines = []
        for module, flows in _by_module(_last_ones(self.flows)).items():
            for direction, share in _medians(flows, "hidden").items():
                name = " ".join(part for part in (module if len(self._catchers) > 1 else "", direction) if part)
                earlier = any(flow.reads_earlier for flow in flows)
                step = flows[-1].optimizer_step
                lines.append(sentence(curve_of(share), step=step, name=name, reads_earlier=earlier))
        if self._noted_at > max((flow.optimizer_step for flow in self._flows), default=-1):
            lines.append(self.notes[-1])
        return "\n".join(lines) or _("Nothing has been measured yet.")

    def shares(self, module: str, quantity: str = "hidden") -> dict[str, tuple[NDArray[np.int64], Array]]:
        """Return log10 of the share of a network's gradient that arrives, by optimizer step and lag.

        Args:
            module: Its name.
            quantity: ``"hidden"``, ``"cell"`` or ``"cell_path"``, of the last layer.

        Returns:
            ``""``, or ``"forward"`` and ``"backward"``, to the measured steps ``(M,)`` and shares ``(M, lags)``, the
            median over samples and calls; NaN where no sequence was as long.

        Raises:
            ValueError: There is no network of that name, or it has no such gradient.
        """
        if module not in self._catchers:
            expected = ", ".join(map(repr, self._catchers))
            raise ValueError(f"module is {module!r}: expected one of {expected}, which are watched.")
        by_step: dict[int, list[WatchedFlow]] = {}
        for flow in self.flows:
            if flow.module == module:
                by_step.setdefault(flow.optimizer_step, []).append(flow)
        steps = np.array(sorted(by_step), dtype=np.int64)
        medians = [_medians(by_step[step], quantity) for step in steps.tolist()]
        rows = {name: [each[name] for each in medians] for name in (medians[0] if medians else ())}
        return {name: (steps, _stacked(each)) for name, each in rows.items()}

    def _stepped(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Measure what led to an optimizer's step, as soon as it is done."""
        self._measure({name: each for name, each in self._catchers.items() if each.clock.hears(optimizer)})

    def _measure(self, catchers: Mapping[str, Catcher]) -> None:
        new: list[WatchedFlow] = []
        for name, catcher in catchers.items():
            caught, flows = catcher.take(), dict[Caught, GradientFlow]()
            for group in alike(self._finite(name, caught)):
                flows |= self._flows_of(name, group)
            new += [_record(name, one, flows[one]) for one in caught if one in flows]
        self._flows += new
        if self._write and new:
            for step in sorted({flow.optimizer_step for flow in new}):
                self._write(_numbers([flow for flow in new if flow.optimizer_step == step]), step)

    def _finite(self, name: str, caught: Sequence[Caught]) -> list[Caught]:
        for one in caught:
            if not one.call.finite:
                self._note(name, one.call.step, _("the gradient that reached its outputs is NaN or infinite"))
        return [one for one in caught if one.call.finite]

    def _flows_of(self, name: str, group: Sequence[Caught]) -> dict[Caught, GradientFlow]:
        """Measure; what cannot be measured is noted, as it must not end somebody's training."""
        try:
            return dict(zip(group, measure(group), strict=True))
        except (ValueError, RuntimeError) as error:
            if len(group) == 1:
                self._note(name, group[0].call.step, str(error), warn=True)
                return {}
        return {one: flow for each in group for one, flow in self._flows_of(name, [each]).items()}

    def _note(self, name: str, step: int, reason: str, *, warn: bool = False) -> None:
        why = _("{module} could not be measured: {reason}").format(module=name, reason=reason)
        note = _("step {step}: {said}").format(step=step, said=why)
        self._noted_at = step
        self.notes.append(note)
        if warn and name not in self._warned_of:
            self._warned_of.add(name)
            warnings.warn(note, stacklevel=2)

    def _let_go(self) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks = []
        for catcher in self._catchers.values():
            catcher.stop()


def _record(name: str, caught: Caught, flow: GradientFlow) -> WatchedFlow:
    return WatchedFlow(
        optimizer_step=caught.call.step,
        module=name,
        call=caught.number,
        first_sample=caught.first,
        reads_earlier=caught.call.reads_earlier,
        flow=flow,
    )


def _last_ones(flows: Sequence[WatchedFlow]) -> list[WatchedFlow]:
    """Return those of each network's last measured step."""
    last = {flow.module: flow.optimizer_step for flow in flows}
    return [flow for flow in flows if flow.optimizer_step == last[flow.module]]


def _by_module(flows: Sequence[WatchedFlow]) -> dict[str, list[WatchedFlow]]:
    grouped: dict[str, list[WatchedFlow]] = {}
    for flow in flows:
        grouped.setdefault(flow.module, []).append(flow)
    return grouped


def _medians(flows: Sequence[WatchedFlow], quantity: str) -> dict[str, Array]:
    """Return the median share by lag of several forward passes, for each direction."""
    shares = [flow.shares(quantity) for flow in flows]
    return {direction: median_share([each[direction] for each in shares]) for direction in shares[0]}


def _numbers(flows: Sequence[WatchedFlow]) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for module, of_module in _by_module(flows).items():
        for direction, share in _medians(of_module, "hidden").items():
            where = f"gradient/{module}/{direction}".rstrip("/")
            numbers |= {f"{where}/{name}": value for name, value in numbers_of(share).items()}
            numbers[f"{where}/reads_earlier"] = float(any(flow.reads_earlier for flow in of_module))
    return numbers


def _stacked(shares: Sequence[Array]) -> Array:
    """Return shares of different lengths as ``(M, lags)``, up to the longest way back."""
    longest = max(1, *(int(np.flatnonzero(~np.isnan(each)).max(initial=-1)) + 1 for each in shares))
    return np.stack(
        [np.pad(each[:longest], (0, max(longest - len(each), 0)), constant_values=np.nan) for each in shares]
    )
