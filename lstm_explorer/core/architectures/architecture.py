r"""What an architecture is: one record with everything that is true of it alone.

The core, the figures, the app and the command line ask the record; none of them asks which network it is.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from lstm_explorer.core.architectures.parameters import Network, Parameters, is_torch_module

#: ``step(parameters, state, x) -> (state, gates)``: one tensor ``(..., B, H)`` as the state, or a NamedTuple of them.
Step = Callable[..., tuple[Any, Any]]


class Gate(NamedTuple):
    """One block of rows of the weights.

    Attributes:
        name: PyTorch's or the paper's word; ``<name>_bias`` is its setting.
        letter: As the equations write it.
        title: As legends write it, marked for translation.
        function: What its preactivation goes through.
        keeps: 1 where it keeps the memory when it is near 1, -1 where it keeps it when it is near 0; else 0.
        chrono: The sign with which chrono initialisation's draw becomes its bias; 0 where chrono leaves it alone.
        split: Whether half of its bias in each of two vectors is the same network; False where the reset gate
            multiplies ``bias_hh``.
    """

    name: str
    letter: str
    title: str
    function: Literal["sigmoid", "tanh", "identity"] = "sigmoid"
    keeps: int = 0
    chrono: int = 0
    split: bool = True


class State(NamedTuple):
    """One state: its name in results, its letter, and its title, marked for translation.

    A network has ``hidden``, or ``hidden`` and ``cell``, in this order.
    """

    name: str
    letter: str
    title: str


class Quantity(NamedTuple):
    """A number of one step: its name, symbol, what it is called and what it means, both marked for translation."""

    name: str
    symbol: str
    title: str
    meaning: str


class Stage(NamedTuple):
    r"""A stage of one step, in the order in which the lesson explains it.

    In the LaTeX, ``<gate|symbol>`` is a symbol in its gate's colour, ``[name]`` the number of a quantity, ``[+name]``
    the same in parentheses where it is negative, and ``[^name]`` the preactivation that gave a gate its number.

    Attributes:
        name: Its code in addresses.
        label: Its name on a button, marked for translation; so are ``title`` and ``text``.
        title: Its heading.
        text: What happens.
        lights: The quantities that it highlights.
        equation: In symbols.
        unit: With the numbers of one unit.
        mean: With the means over all units.
    """

    name: str
    label: str
    title: str
    text: str
    lights: tuple[str, ...]
    equation: str
    unit: str
    mean: str


class ClosedForm(NamedTuple):
    """A constant factor per step that theory predicts.

    Attributes:
        name: Marked for translation.
        log10_rate: log10 of the factor per step.
        quantity: Which gradient it is a theory of: ``"hidden"``, ``"cell"`` or ``"cell_path"``.
        dash: Plotly's name of its dashes.
        bound: Whether it is an upper bound, not a prediction.
    """

    name: str
    log10_rate: float
    quantity: Literal["hidden", "cell", "cell_path"]
    dash: str = "dash"
    bound: bool = False


@dataclass(frozen=True, kw_only=True)
class Architecture:
    r"""Everything that is true of one architecture alone.

    Attributes:
        name: Its key, ``"lstm"``.
        title: Its name, ``"LSTM"``; not translated.
        rank: Its place where all are offered.
        module: The class of the network.
        step: One step, which reads like the equations; everything faster is a twin of it.
        gates: In the order of the weights' rows; none where the one block is no gate.
        gates_type: NamedTuple of the gates' values; None without gates.
        states: The hidden state first.
        memory: Name of the state that remembers.
        options: Settings that are arguments of the module and of ``step``, such as ``nonlinearity``.
        recurrent: Whether the gates read the hidden state, through ``weight_hh``. Where they do not, and there is one
            state, a unit must be made of its own old state alone: the engine relies on it.
        log10_kept: Gate name to effective bias -> log10 of the factor per step by which these biases alone keep the
            memory; None where no gate keeps.
        required: ``(lag, share, biases)`` -> the bias of the memory gate with which the biases alone keep that share
            over that lag; infinite where none does.
        closed_forms: ``(settings, parameters of the first layer, inputs)`` -> the theory to draw with a measurement.
        edge_of_chaos: ``(network, parameters of the only layer, inputs)`` -> gains and input scales ``(K, 2)`` at which
            theory expects that a small change neither dies nor grows; None where there is no such theory.
        quantities: The numbers of one step, for the diagram and the walk.
        values: ``(states before, gates, states after)``, each by name -> those numbers, ``(H,)`` each.
        stages: The walk through one step.
        step_summary: One sentence about a step, with the quantities as fields; marked for translation.
        remark: A note to show wherever it is drawn; marked for translation, or empty.
        script_step: The same step as the text of a short program that needs only torch.
        colour: Its colour by its name in the figures' palette (vermilion, blue, green, purple, amber, slate, olive).
    """

    name: str
    title: str
    rank: int
    module: type[nn.Module]
    step: Step
    gates: tuple[Gate, ...] = ()
    gates_type: Callable[..., Any] | None = None
    states: tuple[State, ...]
    memory: str = "hidden"
    options: tuple[str, ...] = ()
    recurrent: bool = True
    log10_kept: Callable[[Mapping[str, ArrayLike]], NDArray[Any]] | None = None
    required: Callable[[float, float, Mapping[str, float]], float] | None = None
    closed_forms: Callable[[Any, Parameters, Tensor], Sequence[ClosedForm]]
    edge_of_chaos: Callable[[Network, Parameters, Tensor], NDArray[Any]] | None = None
    quantities: tuple[Quantity, ...]
    values: Callable[[Mapping[str, Tensor], Mapping[str, Tensor], Mapping[str, Tensor]], Mapping[str, Tensor]]
    stages: tuple[Stage, ...]
    step_summary: str
    remark: str = ""
    script_step: str
    colour: str

    @property
    def blocks(self) -> tuple[str, ...]:
        """Names of the row blocks of the weights, in their order: the gates, or ``("hidden",)``."""
        return tuple(gate.name for gate in self.gates) or ("hidden",)

    @property
    def memory_gate(self) -> Gate | None:
        """The gate that keeps the memory; None where there is none."""
        return next((gate for gate in self.gates if gate.keeps), None)

    @property
    def fused(self) -> bool:
        """Whether PyTorch itself has the module."""
        return is_torch_module(self.module)

    @property
    def own_settings(self) -> frozenset[str]:
        """The settings that it reads and that not every architecture reads."""
        biases = {f"{gate.name}_bias" for gate in self.gates}
        weights = {"recurrent_gain", *({"split_biases"} if self.gates else ())} if self.recurrent else set()
        return frozenset(biases | weights | set(self.options))

    def has_gate(self, name: str) -> bool:
        """Tell whether it has a gate of this name."""
        return any(gate.name == name for gate in self.gates)

    def gate(self, name: str) -> Gate:
        """Return a gate by its name.

        Raises:
            ValueError: It has no such gate.
        """
        for gate in self.gates:
            if gate.name == name:
                return gate
        names = ", ".join(repr(gate.name) for gate in self.gates)
        raise ValueError(f"gate is {name!r}: expected one of {names}, the gates of the {self.title}.")

    def step_of(self, network: Network) -> Step:
        """Return the step with the options of a network."""
        return functools.partial(self.step, **{name: getattr(network, name) for name in self.options})
