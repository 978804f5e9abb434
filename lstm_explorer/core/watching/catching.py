"""Catches the forward passes of one network on the optimizer steps that are measured."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from lstm_explorer.core.architectures import Network
from lstm_explorer.core.watching.calls import Call, Layout, Passed
from lstm_explorer.core.watching.clock import Clock


class Caught(NamedTuple):
    """A forward pass that a loss has reached.

    Attributes:
        call: The pass.
        number: Which it is of those that the same backward pass reached.
        first: The number of its first sample among those of the same optimizer step and ``number``.
        samples: How many of its samples count.
    """

    call: Call
    number: int
    first: int
    samples: int


class Catcher:
    """Keeps what is needed of one network's forward passes, until they are taken to be measured.

    Attributes:
        network: The network.
        clock: Its optimizer steps.
    """

    def __init__(
        self, network: Network, model: nn.Module, *, every: int, samples: int, scale: Callable[[], float]
    ) -> None:
        """Watch nothing yet; ``scale`` says by what the loss is multiplied before its backward pass."""
        self.network, self.clock = network, Clock(network, model)
        self._every, self._samples, self._scale = every, samples, scale
        self._listening: weakref.WeakSet[Call] = weakref.WeakSet()
        self._reached: list[Call] = []
        self._taken: Counter[tuple[int, int]] = Counter()
        self._weights: list[Tensor] = []
        self._turn = self._in_turn = 0
        self._backward = False
        self._random: Tensor | None = None

    def start(self, updated: Callable[[], None], missed: Callable[[int, str], None]) -> list[RemovableHandle]:
        """Begin to catch, and return the handles of the hooks on the network.

        Args:
            updated: Called when the weights turn out to be others than at the forward pass before.
            missed: Called with an optimizer step and the reason why a forward pass cannot be measured.
        """

        def after_forward(args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
            if self.clock.tick():
                updated()
            if self.clock.step % self._every == 0 and self.network.training and torch.is_grad_enabled():
                try:
                    self._keep(Passed.of(self.network, args, kwargs, result))
                except ValueError as error:  # of a forward of the user's own, whose training goes on
                    missed(self.clock.step, str(error))

        def before_forward(args: tuple[Any, ...]) -> None:
            self._random = torch.get_rng_state() if self.network.training else None

        # Before all others, which may change what the network gives.
        handles = [self.network.register_forward_hook(Hook(after_forward), prepend=True, with_kwargs=True)]
        if self.network.dropout and self.network.num_layers > 1:
            handles.append(self.network.register_forward_pre_hook(Hook(before_forward)))
        return handles

    def take(self) -> list[Caught]:
        """Return the forward passes that a loss has reached since the last time, and let them go."""
        if not self._reached:  # as after nearly every optimizer step
            return []
        calls, self._reached = sorted(self._reached, key=lambda call: (call.turn, call.index)), []
        numbers: Counter[int] = Counter()
        caught = []
        for call in calls:
            call.close()
            number = numbers[call.turn]
            numbers[call.turn] += 1
            first = self._taken[call.step, number]
            count = min(call.layout.samples, self._samples - first)
            if count > 0:
                self._taken[call.step, number] += count if call.finite else 0
                caught.append(Caught(call, number, first, count))
        return caught

    def stop(self) -> None:
        """Take the hooks off the outputs that are still there."""
        for call in [*self._listening, *self._reached]:
            call.close()
        self._reached, self._weights = [], []

    def _keep(self, passed: Passed) -> None:
        if self._backward:
            self._turn, self._in_turn, self._backward = self._turn + 1, 0, False
        step, index = self.clock.step, self._in_turn
        self._in_turn += 1
        same = [call for call in self._reached if (call.step, call.index) == (step, index) and call.finite]
        waiting = sum(call.layout.samples for call in same)
        room = self._samples - self._taken[step, index] - waiting
        if room > 0:
            layout = Layout.of(self.network, passed.inputs, room)
            call = Call(self.network, self._weights_now(), layout, step=step, turn=self._turn, index=index)
            call.keep(passed, self._random)
            call.listen(passed, self._heard)
            self._listening.add(call)

    def _heard(self, call: Call) -> float:
        self._backward = True
        if call not in self._reached:
            self._reached.append(call)
        return self._scale()

    def _weights_now(self) -> list[Tensor]:
        """Return copies of what the forward pass has just used, shared with the last ones where they are the same."""
        used = getattr(self.network, "_flat_weights", None) or list(self.network.parameters())
        now = [weight.detach() for weight in used]
        if not (self._weights and all(map(_same, self._weights, now))):
            self._weights = [weight.clone() for weight in now]
        return self._weights


def _same(one: Tensor, other: Tensor) -> bool:
    """Tell whether two tensors are equal; a model may have been moved or converted meanwhile."""
    return one.dtype == other.dtype and one.device == other.device and one.equal(other)


class Hook:
    """A hook on a network; a copy of the network, as an average over training keeps one, gets one without effect."""

    def __init__(self, hand_on: Callable[..., None] | None = None) -> None:
        """Hand forward passes on; where torch.compile takes in what is around the network, it leaves this out."""
        self._hand_on = None if hand_on is None else torch.compiler.disable(hand_on)

    def __call__(self, network: nn.Module, *passed: Any) -> None:
        """Hand a forward pass on."""
        if self._hand_on is not None:
            self._hand_on(*passed)

    def __reduce__(self) -> tuple[type[Hook], tuple[()]]:
        """Be copied, and saved, as a hook without effect."""
        return Hook, ()
