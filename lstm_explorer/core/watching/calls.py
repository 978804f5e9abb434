"""Forward passes of a network inside someone's training, and what reaches their outputs in ``backward()``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence
from torch.utils.hooks import RemovableHandle

from lstm_explorer.core.architectures import Network


class Passed(NamedTuple):
    """What went into a forward pass and came out, as it is laid out.

    Attributes:
        inputs: The inputs.
        state: The initial states, one of each kind; empty where none were given.
        output: The outputs.
        last: The last states, one of each kind.
    """

    inputs: Tensor | PackedSequence
    state: tuple[Tensor, ...]
    output: Tensor | PackedSequence
    last: tuple[Tensor, ...]

    @staticmethod
    def of(network: Network, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Passed:
        """Return what went through a network.

        Raises:
            ValueError: It was called with something else, or gave something else, than PyTorch's own networks.
        """
        if kwargs:
            args = tuple(inspect.signature(network.forward).bind(*args, **kwargs).arguments.values())
        inputs, state, *others = (*args, None)[: max(2, len(args))]
        output: Any
        output, last = result if isinstance(result, tuple) and len(result) == 2 else (None, None)
        passed = Passed(inputs, () if state is None else _parts(state), output, _parts(last))
        alike = any(isinstance(inputs, kind) and isinstance(output, kind) for kind in (Tensor, PackedSequence))
        states = bool(passed.last) and all(isinstance(each, Tensor) for each in (*passed.state, *passed.last))
        if others or not alike or not states:
            given = ", ".join(type(each).__name__ for each in args)
            raise ValueError(
                f"its forward takes ({given}) and gives a {type(result).__name__}: expected (inputs, initial_state) "
                "and (output, last states), as of PyTorch's own networks"
            )
        return passed


class Layout(NamedTuple):
    """How a call lays out its sequences, from which the first samples are taken, time first.

    Attributes:
        batch_first: Whether tensors are ``(B, T, ...)``.
        batched: Whether there is a batch at all; if not, tensors are ``(T, ...)``.
        packed: The packed inputs; None of tensors.
        lengths: Steps of every sample, ``(B,)``; None of tensors.
        samples: How many samples are taken.
    """

    batch_first: bool
    batched: bool
    packed: PackedSequence | None
    lengths: Tensor | None
    samples: int

    @staticmethod
    def of(network: Network, inputs: Tensor | PackedSequence, samples: int) -> Layout:
        """Return the layout of a call that reads these inputs; of at most so many samples."""
        if isinstance(inputs, PackedSequence):
            lengths = pad_packed_sequence(inputs)[1]
            return Layout(False, True, inputs, lengths, min(samples, len(lengths)))
        batched = inputs.ndim == 3
        size = inputs.shape[0 if network.batch_first else 1] if batched else 1
        return Layout(bool(network.batch_first), batched, None, None, min(samples, size))

    def sequences(self, data: Tensor) -> Tensor:
        """Return the first samples of inputs, outputs or what reaches them, ``(T, n, ...)``; zero past their ends."""
        data = data.detach()
        if self.packed is not None and self.lengths is not None:
            padded, _ = pad_packed_sequence(PackedSequence(data, *self.packed[1:]))
            return padded[: int(self.lengths[: self.samples].max()), : self.samples]
        if not self.batched:
            return data[:, None]
        return (data.transpose(0, 1) if self.batch_first else data)[:, : self.samples]

    def states(self, data: Tensor) -> Tensor:
        """Return the first samples of states of all layers, ``(L*D, n, H)``."""
        return data.detach()[:, : self.samples] if self.batched else data.detach()[:, None]


class Call:
    """One forward pass of a network: what it read, with which weights, and what reaches its outputs later.

    Attributes:
        network: The network.
        weights: As they were.
        layout: Of its sequences.
        step: The optimizer step.
        turn: Which forward passes it is one of: those since the same backward pass.
        index: Which of them it is.
        inputs: What was read, ``(T, n, I)``.
        initial_state: The states it began with, ``(L*D, n, H)``; empty where none were given.
        output: What it gave, ``(T, n, D*H)``.
        dropped: What multiplied the outputs of each layer but the last, ``(T, n, D*H)``; empty without a dropout.
        reached: What the loss puts on ``"output"``, ``"hidden"`` and ``"cell"``, as far as anything came; several
            backward passes through the same call add up.
    """

    def __init__(
        self, network: Network, weights: list[Tensor], layout: Layout, *, step: int, turn: int, index: int
    ) -> None:
        """Take the weights as they are; nothing was read yet."""
        self.network, self.weights, self.layout = network, weights, layout
        self.step, self.turn, self.index = step, turn, index
        self.inputs = self.output = torch.empty(0)
        self.initial_state: tuple[Tensor, ...] = ()
        self.dropped: tuple[Tensor, ...] = ()
        self.reached: dict[str, Tensor] = {}
        self._handles: list[RemovableHandle] = []

    def keep(self, passed: Passed, random: Tensor | None) -> None:
        """Keep copies of what was read, drawn and given, of the first samples.

        Args:
            passed: What went through.
            random: PyTorch's random state just before, of a network that drops units between its layers.
        """
        self.inputs = self.layout.sequences(_data(passed.inputs)).clone()
        self.output = self.layout.sequences(_data(passed.output)).clone()
        self.initial_state = tuple(self.layout.states(part).clone() for part in passed.state)
        if random is not None:
            masks = drawn_again(self.network, _data(passed.output), random)
            self.dropped = tuple(self.layout.sequences(mask).clone() for mask in masks)

    def listen(self, passed: Passed, heard: Callable[[Call], float]) -> None:
        """Catch what reaches the outputs; ``heard`` is called when it comes, and returns by what it was scaled.

        From here on it is the graph of the outputs that keeps this call: if it goes without a backward pass, so does
        the call.
        """
        self._on("output", _data(passed.output), self.layout.sequences, heard)
        for name, last in zip(("hidden", "cell"), passed.last, strict=False):
            self._on(name, last, self.layout.states, heard)

    def _on(self, name: str, tensor: Tensor, part: Callable[[Tensor], Tensor], heard: Callable[[Call], float]) -> None:
        def caught(gradient: Tensor | None) -> None:
            if gradient is None:  # autograd's word for zero
                return
            # Divided in full precision: half of it would lose what AMP has scaled up for that very reason.
            came = part(gradient).to(_precision(gradient)) / heard(self)
            self.reached[name] = self.reached[name] + came if name in self.reached else came

        if tensor.requires_grad:
            self._handles.append(tensor.register_hook(caught))

    @property
    def finite(self) -> bool:
        """Whether no NaN or infinity reached the outputs, as with a lost loss, or a scale of AMP that was too large."""
        return all(bool(torch.isfinite(part).all()) for part in self.reached.values())

    @property
    def reads_earlier(self) -> bool:
        """Whether the loss reads more than one step of a sample's outputs."""
        reads = self.output.new_zeros(self.output.shape[:2], dtype=torch.bool)
        if "output" in self.reached:
            reads |= self.reached["output"].ne(0).any(-1)
        if self.reached.keys() - {"output"}:
            last = torch.full(reads.shape[1:], len(reads)) if self.layout.lengths is None else self.layout.lengths
            reads[last[: reads.shape[1]] - 1, range(reads.shape[1])] = True
        return bool((reads.sum(0) > 1).any())

    def close(self) -> None:
        """Take the hooks off the outputs."""
        for handle in self._handles:
            handle.remove()


def drawn_again(network: Network, output: Tensor, random: Tensor) -> list[Tensor]:
    """Return what a network has multiplied the outputs of each layer but the last with, laid out as its output.

    It draws as many numbers as its time-first outputs have, one layer after the other, on the CPU.

    Args:
        network: It drops units between its layers.
        output: Of all samples.
        random: PyTorch's random state just before.

    Raises:
        ValueError: It draws them on another device.
    """
    if output.device.type != "cpu":
        raise ValueError(f"it drops units at random between its layers on {output.device}, and which cannot be seen")
    swapped = network.batch_first and output.ndim == 3
    ones = torch.ones((output.transpose(0, 1) if swapped else output).shape, dtype=output.dtype)
    with torch.random.fork_rng(devices=[]):
        torch.set_rng_state(random)
        masks = [nn.functional.dropout(ones, network.dropout) for _ in range(network.num_layers - 1)]
    return [mask.transpose(0, 1) if swapped else mask for mask in masks]


def _data(sequence: Tensor | PackedSequence) -> Tensor:
    return sequence.data if isinstance(sequence, PackedSequence) else sequence


def _parts(states: Any) -> tuple[Any, ...]:
    return tuple(states) if isinstance(states, tuple | list) else (states,)


def _precision(tensor: Tensor) -> torch.dtype:
    return torch.float64 if tensor.dtype == torch.float64 else torch.float32
